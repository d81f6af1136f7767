"""A league's games to come as they looked on a day of the past: from a fit of the games of some years before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import chain

import numpy as np
import polars as pl
import pytest

from modeling.build import build_design
from modeling.engines.choice import choose, prepare
from modeling.field import make_field
from modeling.outlook.coming import Coming, coming_of, draws_in
from modeling.outlook.fixtures import Fixtures, of_next_season, read_fixtures
from modeling.outlook.states import state_rows
from modeling.posterior import from_tree
from modeling.ratings import make_ratings
from modeling.sampled import CARE, SEED
from modeling.tables import draw_rows
from store.home import Home
from store.stanzas import Stanza


@pytest.fixture(scope="session")
def looked_ahead() -> Callable[[Home, Stanza, date], tuple[str, Fixtures, Coming, np.random.Generator]]:
    """The season of the next game, its games to come from a day on, and what a fit of those before says of them; the
    stanza says since when."""
    return _looked_ahead


def _looked_ahead(home: Home, stanza: Stanza, day: date) -> tuple[str, Fixtures, Coming, np.random.Generator]:
    season, fixtures = of_next_season(read_fixtures(home, "x", stanza, day))
    games = fixtures.games
    before = games.sides.filter(~pl.col("game_id").is_in(list(games.to_come)))
    design = build_design(stanza, replace(games, sides=before, to_come=frozenset(), as_of=day), fixtures.known)
    engine = prepare(choose(design, "fast").engine, design, None)
    tree = engine.sample(np.ones(design.games, bool), SEED, 1000, lambda _: None, CARE[0])
    posterior, rng = from_tree(design, tree), np.random.default_rng(SEED)
    ratings = [make_ratings(design, posterior, make_field(design, kind, stanza, day), rng) for kind in design.kinds]
    rows = pl.concat(chain(draw_rows(design, posterior, ratings), state_rows(design, posterior, ratings, rng)))
    coming = coming_of(build_design(stanza, games, fixtures.known), games, stanza, draws_in(rows, "f", day), rng)
    return season, fixtures, coming, rng
