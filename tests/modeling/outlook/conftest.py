"""A league at known scales with games to come, and its joint draws as forecasts read them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modeling.build import build_design
from modeling.design import Design
from modeling.engines import laplace
from modeling.field import make_field
from modeling.fit import fit_league
from modeling.games import Games
from modeling.outlook.coming import Coming, Draws, coming_of, draws_in
from modeling.outlook.states import state_rows
from modeling.posterior import Posterior
from modeling.ratings import make_ratings
from modeling.tables import draw_rows
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import writing

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
def home(tmp_path_factory: pytest.TempPathFactory, league: Any, fill: Any, stanza: Stanza) -> Home:
    """A fitted league `x` of ten, `Team t:00` and so on, whose last twenty games are to come; of `unfitted` there is
    no fit. Tests may add forecasts and outlooks."""
    home = Home(Path(tmp_path_factory.mktemp("home")))
    fill(home, "x", league.games.sides)
    fill(home, "unfitted", league.games.sides)
    later = league.games.sides["game_id"].unique(maintain_order=True).tail(20).to_list()
    with writing(home) as con:
        con.execute("UPDATE game SET status = 'scheduled' WHERE league = 'x' AND list_contains(?, game_id)", [later])
        con.execute("UPDATE side SET score = NULL WHERE league = 'x' AND list_contains(?, game_id)", [later])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert fit_league(home, "x", stanza, now, engine="fast", override="to forecast from").verdict == "accepted"
    return home


@pytest.fixture(scope="session")
def known_league() -> Callable[..., Known]:
    return known
