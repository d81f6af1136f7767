"""Leave-one-out by weights against fits without the game, in closed form and by ArviZ; WAIC against its formula."""

from dataclasses import replace
from typing import Any

import arviz
import numpy as np
import pytest
from scipy.stats import norm

from modeling import loo, tree
from modeling.build import build_design
from modeling.engines import laplace
from modeling.engines.choice import JOINT, prepare
from modeling.loo import log_likelihood, pointwise, refitted, rounds_of
from modeling.posterior import from_tree
from store.stanzas import Stanza

SIGMA, SCALE = 10.0, {"team": 6.0}


def stanza_of(outcome: str, **settings) -> Stanza:
    return Stanza(title="x", feed="none", source=("none",), outcome=outcome, **settings)


@pytest.fixture(scope="module")
def normal(game, games, known_sigma):
    """Margins of known sigma between eight teams of known spread, one of them absurd: exactly Gaussian."""
    rng = np.random.default_rng(3)
    strength = rng.normal(0, 6, 8)
    made = []
    for number in range(60):
        a, b = rng.choice(8, 2, replace=False)
        margin = round(float(rng.normal(strength[a] - strength[b], SIGMA)), 2) if number else 70.0
        made.append(game((f"t{a}", f"t{b}"), scores=(100 + margin, 100.0), day=number))
    made.append(game(("t0", "newcomer"), scores=(170.0, 100.0), day=60))
    design = build_design(stanza_of("margin"), games(*made))
    return replace(design, outcome=known_sigma(design.outcome, SIGMA))


def fit(design, chosen=None):
    return laplace.fit_fixed_scales(design, SCALE, np.ones(design.games, bool) if chosen is None else chosen, {})


@pytest.fixture(scope="module")
def exact(normal):
    """Log predictive density of each game by the Gaussian posterior of all others."""
    found = []
    for one in range(normal.games):
        others = np.arange(normal.games) != one
        without, x = fit(normal, others), normal.blocks[0].weights[[one]].toarray()[0]
        variance = x @ without.covariance @ x + SIGMA**2
        found.append(norm.logpdf(normal.y[one], x @ without.mode, np.sqrt(variance)))
    return np.array(found)


@pytest.fixture(scope="module")
def weighted(normal):
    return pointwise(normal, fit(normal).draws(np.random.default_rng(1), 4000))


def test_weights_find_what_fits_without_each_game_find(weighted, exact):
    """Where k-hat is low to a tenth of a nat, which for games of such spread is several standard errors of 4,000
    draws."""
    low = weighted.k_hat < 0.5
    assert low.sum() > 55
    assert np.abs(weighted.elpd - exact)[low].max() < 0.1
    assert weighted.elpd[low].sum() == pytest.approx(exact[low].sum(), abs=0.3)


def test_a_game_that_its_team_stands_on_alone_has_a_high_k_hat(weighted):
    assert weighted.k_hat.argmax() == 60
    assert weighted.k_hat[60] > loo.HIGH_K and weighted.is_doubtful[60]


def test_what_weights_cannot_tell_a_fit_without_the_game_does(normal, weighted, exact, monkeypatch):
    """Weights flatter a game whose k-hat is high; over eight seeds that shows beside their spread."""

    def sample(chosen, seed, draws, _tell, _care):
        return {"draws": fit(normal, chosen).draws(np.random.default_rng(seed), draws)}

    monkeypatch.setattr(loo, "from_tree", lambda _design, tree: tree["draws"])
    engine = replace(prepare(JOINT, normal, None), sample=sample)
    high = weighted.k_hat > loo.HIGH_K
    found = [refitted(normal, engine, weighted, 10 * seed, lambda share: None, 0.8) for seed in range(1, 9)]
    assert all(np.array_equal(one.is_refitted, high) and not one.is_doubtful.any() for one in found)
    assert all(np.array_equal(one.elpd[~high], weighted.elpd[~high]) for one in found)
    flattered = [pointwise(normal, sample(np.ones(61, bool), seed, 4000, 0, 0)["draws"]) for seed in range(1, 9)]
    off, before = (np.mean([one.elpd[60] for one in some]) - exact[60] for some in (found, flattered))
    assert abs(off) < 0.2 < before


def test_waic_is_lppd_less_the_variance_of_the_log_likelihood(normal, weighted):
    likely = log_likelihood(normal, fit(normal).draws(np.random.default_rng(1), 4000), np.arange(61))
    lppd = np.log(np.exp(likely).mean(axis=0))
    assert np.allclose(weighted.waic, lppd - likely.var(axis=0, ddof=1))


def test_waic_comes_near_to_the_closed_form_too(weighted, exact):
    tame = weighted.variance < 0.1
    assert tame.sum() > 40
    assert np.abs(weighted.waic - exact)[tame].max() < 0.1


@pytest.fixture(scope="module")
def fitted(league, stanza):
    """A Poisson league by the joint engine, as a tree that ArviZ reads, and the draws that are in it."""
    design = build_design(stanza, league.games)
    made = prepare(JOINT, design, None).sample(np.ones(design.games, bool), 1, 1000, lambda _: None, 0.8)
    posterior = from_tree(design, made)
    kept = tree.room_for(design, posterior)
    for _ in tree.keeping(design, tree.replications(design, posterior, np.random.default_rng(1)), kept):
        pass
    tree.complete(made, design, posterior, kept)
    return design, posterior, made


def test_arviz_says_the_same_of_the_tree(fitted):
    design, posterior, made = fitted
    ours = pointwise(design, posterior)
    theirs: Any = arviz.loo(made, pointwise=True, reff=1.0)
    assert np.allclose(ours.elpd, theirs.elpd_i.to_numpy(), atol=1e-5)  # the tree's are of single precision
    assert np.allclose(ours.k_hat, theirs.pareto_k.to_numpy(), atol=1e-4)
    assert ours.elpd.sum() == pytest.approx(theirs.elpd, abs=1e-3)
    assert (ours.lppd - ours.elpd).sum() == pytest.approx(theirs.p, abs=1e-3)


OTHERS = ("result", "order", "dixon_coles")


@pytest.mark.parametrize("name", OTHERS)
def test_a_few_games_at_a_time_say_what_all_together_say(name, game, games, monkeypatch):
    rng = np.random.default_rng(2)
    if name == "order":
        made = [game(tuple("abcde"), places=tuple(rng.permutation(5) + 1), day=day) for day in range(20)]
        design = build_design(stanza_of("order"), games(*made))
    else:
        made = [game(tuple("ab"), scores=tuple(rng.poisson(1.5, 2).astype(float)), day=day) for day in range(40)]
        settings = {"outcome": "score", "likelihood": name} if name == "dixon_coles" else {"outcome": name}
        design = build_design(stanza_of(**settings), games(*made))
    draws = prepare(JOINT, design, None).sample(np.ones(design.games, bool), 1, 400, lambda _: None, 0.8)
    posterior = from_tree(design, draws)
    at_once = pointwise(design, posterior)
    monkeypatch.setattr(loo, "HELD_AT_ONCE", 2000)
    apart = pointwise(design, posterior)
    for one in ("elpd", "k_hat", "lppd", "variance"):
        assert np.allclose(getattr(at_once, one), getattr(apart, one), rtol=1e-9)


def test_games_left_out_together_share_nobody_and_the_highest_go_first(fitted):
    design = fitted[0]
    k_hat = np.random.default_rng(4).uniform(0, 1, design.games)
    rounds = rounds_of(design, k_hat)
    assert len(rounds) == loo.MOST_ROUNDS and k_hat.argmax() in rounds[0]
    teams = [sorted({*design.entrant[design.game == one], *design.opponent[design.game == one]}) for one in range(180)]
    for games in rounds:
        who = [team for one in games for team in teams[one]]
        assert len(who) == len(set(who)) and (k_hat[games] > loo.HIGH_K).all()
        assert len(games) <= 1  # one in a hundred of 180


def test_a_league_in_which_every_draw_says_the_same_of_a_game_needs_no_weights(normal):
    draws = fit(normal).draws(np.random.default_rng(1), 200)
    still = replace(draws, blocks={name: np.repeat(one[:1], 200, axis=0) for name, one in draws.blocks.items()})
    found = pointwise(normal, still)
    assert np.allclose(found.elpd, found.lppd) and not found.k_hat.any() and found.variance.max() < loo.EVEN
