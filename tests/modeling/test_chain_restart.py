"""A night of the chain engine: what is picked up again, and what settles among those it concerns."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
import xarray as xr

from modeling.build import build_design
from modeling.engines.chain import engine, local, restart
from modeling.engines.chain.part import part_of, rows_of_units, units_of
from modeling.engines.chain.scales import Objective, parameters_of
from modeling.engines.chain.smooth import Sites, rows_of, smooth
from modeling.engines.chain.structure import Structure, structure_of
from store.stanzas import Stanza

TEAMS, GAMES, NEW = 60, 900, 4
BODY = {"title": "x", "feed": "none", "source": ("none",), "outcome": "win", "link": "logit", "walk": ("team",)}
BODY |= {"period": "quarter", "effects": ("home", "team:surface"), "noise": ("best_of",)}


@pytest.fixture(scope="module")
def structure(game, games) -> Structure:
    rng = np.random.default_rng(4)
    strength, played = rng.normal(0, 0.8, TEAMS), []
    for number in range(GAMES):
        a, b = rng.choice(TEAMS, 2, replace=False)
        won = float(strength[a] - strength[b] + rng.logistic() > 0)
        played.append(
            game(
                (f"t{a:02d}", f"t{b:02d}"), (won, 1 - won), day=date(2020, 1, 1) + timedelta(days=number),
                home=0 if number % 3 else None, surface=("clay", "hard")[number % 2],
                best_of="5" if number % 4 == 0 else "3",
            )
        )  # fmt: skip
    return structure_of(build_design(Stanza.model_validate(BODY), games(*played)))


@pytest.fixture(scope="module")
def before(structure):
    """The restart of a fit of all games but the last few, and its parameters' point."""
    found, _ = engine.maximum(replace(structure, counts=_old(structure)), None, lambda share: None)
    return restart.left_behind(replace(structure, counts=_old(structure)), found), found.point


def picked(structure: Structure, values: dict[str, float], left: xr.Dataset) -> tuple[Sites, np.ndarray]:
    there = restart.pick_up(structure, rows_of(structure, values), left)
    assert there is not None
    return there


def _old(s: Structure) -> np.ndarray:
    return s.design.game < GAMES - NEW


def test_rows_that_taught_nothing_are_new_and_all_others_have_their_own_site_again(structure, before):
    left, point = before
    objective = Objective(structure, parameters_of(structure.design), None, lambda: None)
    sites, fresh = picked(structure, objective.values(point), left)
    assert (fresh == ~_old(structure)).all()
    found = smooth(replace(structure, counts=_old(structure)), objective.values(point))
    assert sites.tau[~fresh] == pytest.approx(found.sites.tau[~fresh], rel=0.01)


def test_a_part_of_everything_is_the_whole(structure, before):
    every = np.ones(structure.rows, bool), np.ones(structure.units, bool)
    part = part_of(structure, *every).structure
    for name in ("parent", "node_state", "node_link", "link_slot", "link_other", "row_node", "first", "column_state"):
        assert (getattr(part, name) == getattr(structure, name)).all(), name


def test_a_part_of_rows_has_the_posterior_that_the_others_not_counting_has(structure, before):
    objective = Objective(structure, parameters_of(structure.design), None, lambda: None)
    values, chosen = objective.values(before[1]), np.arange(structure.rows) < 200
    part = part_of(structure, chosen, units_of(structure, chosen))
    whole = smooth(replace(structure, counts=chosen), values, tolerance=1e-7)
    alone = smooth(part.structure, values, tolerance=1e-7)
    assert alone.mean == pytest.approx(whole.mean[part.states], abs=1e-5)
    assert alone.variance == pytest.approx(whole.variance[part.states], rel=1e-4)


def test_new_games_settle_first_among_their_own_and_the_whole_has_less_left_to_do(structure, before):
    left, point = before
    objective = Objective(structure, parameters_of(structure.design), None, lambda: None)
    values = objective.values(point)
    sites, fresh = picked(structure, values, left)
    units = units_of(structure, fresh)
    assert 0 < rows_of_units(structure, units).mean() < local.MOST
    plain = smooth(structure, values, picked(structure, values, left)[0])
    begun = local.settled(structure, values, sites, fresh, objective.factored)
    found = smooth(structure, values, begun, factored=objective.factored)
    exact = smooth(structure, values, tolerance=1e-7)
    assert found.sweeps < plain.sweeps
    assert np.abs((found.mean - exact.mean) / np.sqrt(exact.variance)).max() < 2e-3
    assert np.abs(np.sqrt(found.variance / exact.variance) - 1).max() < 2e-3
    assert found.evidence == pytest.approx(exact.evidence, abs=0.01)
