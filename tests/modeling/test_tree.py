"""Replications keep what they are told to, a few draws at a time or all at once."""

import numpy as np
import pytest
import xarray as xr

from modeling import tree
from modeling.build import build_design
from modeling.engines import laplace
from modeling.posterior import Posterior


@pytest.fixture(scope="module")
def design(league, stanza):
    return build_design(stanza, league.games)


@pytest.fixture(scope="module")
def posterior(design):
    """Draws as of four chains of 500."""
    fit = laplace.fit_fixed_scales(design, {"attack": 0.3, "defence": 0.3}, np.ones(design.games, dtype=bool))
    draws = fit.draws(np.random.default_rng(1), 2000)
    return Posterior(draws.level, draws.fixed, draws.blocks, {}, {}, 4)


def test_in_pieces_or_at_once_they_say_the_same_of_the_games(design, posterior, monkeypatch):
    whole = list(tree.replications(design, posterior, np.random.default_rng(1)))
    monkeypatch.setattr(tree, "HELD_AT_ONCE", 20_000)
    pieces = list(tree.replications(design, posterior, np.random.default_rng(1)))
    assert (len(whole), len(pieces)) == (1, 18)
    for name in ("draws", "eta"):
        assert np.array_equal(np.concatenate([getattr(one, name) for one in pieces]), getattr(whole[0], name))
    likely = [one.log_likelihood(design) for one in pieces]
    assert np.array_equal(np.concatenate(likely), whole[0].log_likelihood(design))


def test_draws_are_as_many_of_each_chain(posterior):
    for most, each in ((1000, 250), (8000, 500), (10, 2), (2, 1)):
        chains = posterior.evenly(most).reshape(4, -1)
        assert chains.shape == (4, each)
        assert np.array_equal(chains - 500 * np.arange(4)[:, None], np.tile(chains[0], (4, 1)))
    assert posterior.thinned(1000).chains == 4


def test_no_more_is_kept_than_there_is_room_for(design, posterior, monkeypatch):
    monkeypatch.setattr(tree, "KEPT_VALUES", 40 * 360)
    monkeypatch.setattr(tree, "HELD_AT_ONCE", 20_000)
    kept = tree.room_for(design, posterior)
    parts = list(tree.keeping(design, tree.replications(design, posterior, np.random.default_rng(1)), kept))
    assert sum(len(part.draws) for part in parts) == 1000
    found = xr.DataTree()
    tree.complete(found, design, posterior, kept)
    assert found.attrs == {"draws": 2000, "kept_draws": 40}
    likely = found["log_likelihood"]["y"]
    assert likely.dims == ("chain", "draw", "game")
    assert found["posterior_predictive"]["y"].shape == (4, 10, 360)
    eta = posterior.eta(design)[500 + likely["draw"].to_numpy()[3]]
    kept_there = likely.to_numpy()[1, 3]
    rows = design.outcome.log_density(design.tallies, eta, design.likelihood_arguments({}))
    assert np.allclose(kept_there, rows[0::2] + rows[1::2])
