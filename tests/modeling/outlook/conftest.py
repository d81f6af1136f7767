"""A league at known scales with games to come, and its joint draws as forecasts read them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain

import numpy as np
import polars as pl
import pytest

from modeling.build import build_design
from modeling.design import Design
from modeling.engines import laplace
from modeling.field import make_field
from modeling.games import Games
from modeling.outlook.coming import Coming, Draws, coming_of, draws_in
from modeling.outlook.states import state_rows
from modeling.posterior import Posterior
from modeling.ratings import make_ratings
from modeling.tables import draw_rows
from store.stanzas import Stanza

DRAWS = 500
SCALE = 0.4


@dataclass(frozen=True)
class Known:
    """A Design of the past and of games to come, the posterior of the past, and what the draws file says of it."""

    past: Design
    posterior: Posterior
    design: Design
    games: Games
    stanza: Stanza
    draws: Draws

    def coming(self) -> Coming:
        return coming_of(self.design, self.games, self.stanza, self.draws, np.random.default_rng(5))


def known(games: Games, first: date, **settings: object) -> Known:
    """The games before a day fitted at known scales; those from it on are to come."""
    stanza = Stanza.model_validate({"title": "x", "feed": "none", "source": ("none",)} | settings)
    before = pl.col("played_on") < first
    past = replace(games, sides=games.sides.filter(before), as_of=first)
    design = build_design(stanza, past)
    scales = {block.name: SCALE * block.prior_scale for block in design.blocks}
    likely = {one.name: one.start for one in design.auxiliaries}
    found = laplace.fit_fixed_scales(design, scales, np.ones(design.games, bool), likely)
    draws = found.draws(np.random.default_rng(1), DRAWS)
    posterior = replace(
        draws,
        scales={name: np.full(DRAWS, value) for name, value in scales.items()},
        auxiliaries={name: np.full(DRAWS, value) for name, value in likely.items()},
    )
    fields = [make_field(design, kind, stanza, first) for kind in design.kinds]
    ratings = [make_ratings(design, posterior, one, np.random.default_rng(2)) for one in fields]
    rows = chain(
        draw_rows(design, posterior, ratings), state_rows(design, posterior, ratings, np.random.default_rng(3))
    )
    to_come = frozenset(games.sides.filter(~before)["game_id"])
    hidden = games.sides.with_columns(
        pl.when(before).then(pl.col(name)).alias(name) for name in ("score", "finish", "won")
    )
    until = games.sides["played_on"].max()
    assert isinstance(until, date)
    both = replace(games, sides=hidden, to_come=to_come, as_of=until + timedelta(days=1))
    return Known(design, posterior, build_design(stanza, both), both, stanza, draws_in(pl.concat(rows), "f", first))


@pytest.fixture(scope="session")
def known_league() -> Callable[..., Known]:
    return known
