"""What stands in for dense work where a league is too large for it, against the dense work where it is not."""

import numpy as np
import pytest

from modeling.borrowing import SOURCES, borrow, borrow_by_messages
from modeling.build import build_design
from modeling.engines import laplace
from modeling.engines.chain import engine as chain
from modeling.engines.chain.structure import structure_of
from modeling.engines.choice import CHAIN, prepare
from modeling.field import make_field
from modeling.posterior import from_tree
from modeling.ratings import make_ratings
from modeling.unpooled import alone_in


@pytest.fixture(scope="module")
def large(league_maker, stanza):
    """A league whose ratings walk and forget: Design, field, and the chain engine's fit without draws of states."""
    league = league_maker(teams=24, rounds=4, seed=7)
    walks = {"period": "quarter", "walk": ("team",), "persistence": 0.6}
    design = build_design(stanza.model_copy(update=walks), league.games)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chain, "KEPT", 0)
        tree = chain.fit(design, np.ones(design.games, dtype=bool), 3, 2000)
    return design, make_field(design, design.kinds[0], stanza, league.games.as_of), tree


def test_the_mode_without_pooling_is_that_of_the_dense_factor(large):
    design, field, _ = large
    everything = np.ones(design.games, dtype=bool)
    wide = {f"scale_{block.name}": 10 * block.prior_scale for block in design.blocks}
    dense = alone_in(design, laplace.no_pooling(design, everything), field)
    apart = alone_in(design, chain.fit_mode(structure_of(design), everything, wide), field)
    weight = field.reference / field.reference.sum()
    for component in ("attack", "defence"):
        one, other = (found.estimate(component) - weight @ found.estimate(component) for found in (dense, apart))
        assert np.allclose(one, other, atol=0.02)
        ratio = apart.sd(component, {component: weight}) / dense.sd(component, {component: weight})
        assert np.all((ratio > 0.7) & (ratio < 1.1))


def test_shares_by_messages_are_nearly_those_of_the_whole(large):
    design, field, tree = large
    scales = {block.name: float(tree["posterior"][f"scale_{block.name}"].mean()) for block in design.blocks}
    dense = borrow(design, laplace.fit_fixed_scales(design, scales, np.ones(design.games, dtype=bool)), field)
    found = borrow_by_messages(design, tree, field)
    for source in SOURCES:
        assert np.abs(dense.shares[source] - found.shares[source]).mean() < 0.08, source


def test_forecasts_of_a_long_walk_are_those_of_its_fit_and_no_draw_of_states_is_made(large, monkeypatch):
    design, _, _ = large
    chosen = design.played_on < np.sort(design.played_on)[-len(design.played_on) // 10]
    monkeypatch.setattr(chain, "KEPT", 0)
    fit = from_tree(design, prepare(CHAIN, design, None).sample(chosen, 3, 200, lambda _: None, 0.8))
    monkeypatch.setattr(chain, "draw", None)
    found = prepare(CHAIN, design, None).forecast(design, chosen, 3, 200, lambda _: None, 0.8)
    assert found.rows is not None
    assert fit.rows is not None
    assert np.allclose(found.rows.mean, fit.rows.mean, atol=1e-6)
    assert np.allclose(found.rows.sd, fit.rows.sd, rtol=1e-6)
    assert found.draws == 200
    assert found.eta(design).shape == (200, len(design.y))


def test_rows_are_drawn_from_their_own_beliefs_and_ratings_from_current_states(large):
    design, field, tree = large
    posterior = from_tree(design, tree)
    assert set(posterior.currents) == {"attack_walk", "defence_walk"}
    eta = posterior.eta(design)
    belief = tree["rows"]
    assert np.allclose(eta.mean(axis=0), belief["eta"], atol=5 * float(belief["eta_sd"].max()) / np.sqrt(2000))
    assert np.allclose(eta.std(axis=0), belief["eta_sd"], rtol=0.12)
    ratings = make_ratings(design, posterior, field, np.random.default_rng(1))
    history = tree["history"]
    last = history["attack_walk_mean"].to_numpy()[design.blocks[1].loading.nonzero()[1]]
    found = ratings.components["attack"].mean(axis=0)
    assert np.corrcoef(found, last)[0, 1] > 0.999
