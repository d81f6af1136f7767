"""Outcomes beside their formulas: densities of scipy, distributions summed, races by hand and over all orders."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import softmax

from modeling.outcomes import outcome_of
from modeling.outcomes.outcome import Outcome


def layout_of(outcome: Outcome, y, game) -> Any:
    assert outcome.layout is not None
    return outcome.layout(y, game)


def density_of(outcome, y, eta, exposure=1.0, **aux):
    row = np.array([y], dtype=float)
    given = {"noise": 1.0, "layout": None, **aux}
    return outcome.log_density(outcome.tallies(row, np.array([exposure])), np.array([eta]), given)[0]


def test_densities_are_those_of_scipy():
    normal, student = outcome_of("margin"), outcome_of("margin", "student")
    expected = stats.norm.logpdf(7, 0.5 * 3, np.sqrt(0.5) * 12)
    assert density_of(normal, 7, 3, 0.5, sigma=12.0) == pytest.approx(expected)
    expected = stats.t.logpdf(7, 6, 0.5 * 3, np.sqrt(0.5) * 12)
    assert density_of(student, 7, 3, 0.5, sigma=12.0, tails=4.0) == pytest.approx(expected)
    poisson, negative = outcome_of("score"), outcome_of("score", "negative_binomial")
    assert density_of(poisson, 2, 0.4, 1.5) == pytest.approx(stats.poisson.logpmf(2, 1.5 * np.exp(0.4)))
    mean, r = 1.5 * np.exp(0.4), 1 / 0.3
    expected = stats.nbinom.logpmf(2, r, r / (r + mean))
    assert density_of(negative, 2, 0.4, 1.5, overdispersion=0.3) == pytest.approx(expected)
    assert density_of(outcome_of("win", "probit"), 0, 0.4) == pytest.approx(stats.norm.logcdf(-0.4))
    assert density_of(outcome_of("win", "logit"), 1, 0.4) == pytest.approx(stats.logistic.logcdf(0.4))
    drawn = stats.norm.cdf(0.9) - stats.norm.cdf(-0.1)
    assert density_of(outcome_of("result", "probit"), 1, 0.4, draw_width=0.5) == pytest.approx(np.log(drawn))


def test_dixon_and_coles_is_a_distribution_and_differs_only_in_the_corner():
    outcome, rates, low = outcome_of("score", "dixon_coles"), np.array([1.4, 0.9]), 0.1
    grid = np.array([(x, y) for x in range(25) for y in range(25)], dtype=float)
    scores = grid.ravel()
    eta = np.tile(np.log(rates), len(grid))
    aux = {"low_scores": low, "noise": 1.0}
    density = outcome.log_density(outcome.tallies(scores, np.ones(len(scores))), eta, aux).reshape(-1, 2).sum(axis=1)
    plain = stats.poisson.logpmf(grid, rates).sum(axis=1)
    assert np.exp(density).sum() == pytest.approx(1)
    corner = grid.max(axis=1) <= 1
    assert density[~corner] == pytest.approx(plain[~corner])
    zero_zero = np.log(1 - 1.4 * 0.9 * low)
    assert density[0] - plain[0] == pytest.approx(zero_zero)
    chances = outcome.chances(np.log(rates[:1]), np.log(rates[1:]), aux)[0]
    win, draw = np.exp(density)[grid[:, 0] > grid[:, 1]].sum(), np.exp(density)[grid[:, 0] == grid[:, 1]].sum()
    assert chances == pytest.approx([win, draw, 1 - win - draw])


def test_a_race_of_two_is_bradley_and_terrys_and_of_three_by_hand():
    outcome = outcome_of("order")
    y, eta = np.array([2.0, 1.0]), np.array([0.3, -0.2])
    race = layout_of(outcome, y, np.zeros(2, int))
    density = outcome.log_density(outcome.tallies(y, y), eta, {"noise": 1.0, "layout": race}).sum()
    assert density == pytest.approx(stats.logistic.logcdf(-0.5))
    y, eta = np.array([1.0, 3.0, 2.0]), np.array([0.3, -0.2, 0.5])
    race, e = layout_of(outcome, y, np.zeros(3, int)), np.exp(eta)
    by_hand = np.log(e[0] / e.sum()) + np.log(e[2] / (e[1] + e[2]))
    assert outcome.log_density(outcome.tallies(y, y), eta, {"noise": 1.0, "layout": race}).sum() == pytest.approx(
        by_hand
    )


def test_entrants_who_share_a_place_are_weighed_against_all_who_are_not_ahead():
    outcome, y = outcome_of("order"), np.array([1.0, 2.0, 2.0, 4.0])
    eta = np.array([0.1, 0.2, -0.4, 0.6])
    e = np.exp(eta)
    behind = e[1:].sum()
    by_hand = np.log(e[0] / e.sum()) + np.log(e[1] / behind) + np.log(e[2] / behind)
    aux = {"noise": 1.0, "layout": layout_of(outcome, y, np.zeros(4, int))}
    assert outcome.log_density(outcome.tallies(y, y), eta, aux).sum() == pytest.approx(by_hand)


def orders_of(outcome: Outcome, eta: np.ndarray) -> np.ndarray:
    """Chance of each entrant to take each place, from the density of every order."""
    size, chances = len(eta), np.zeros((len(eta), len(eta)))
    for order in permutations(range(size)):
        y = np.empty(size)
        y[list(order)] = np.arange(1.0, size + 1)
        aux = {"noise": 1.0, "layout": layout_of(outcome, y, np.zeros(size, int))}
        density = np.exp(outcome.log_density(outcome.tallies(y, y), eta, aux).sum())
        chances[list(order), np.arange(size)] += density
    return chances


@pytest.mark.parametrize("likelihood", ["plackett_luce", "worst_first"])
def test_places_are_those_of_the_density_summed_over_all_orders(likelihood):
    outcome, eta = outcome_of("order", likelihood), np.array([0.9, 0.1, -0.3, -1.2])
    assert outcome.places is not None
    found = outcome.places(np.random.default_rng(2), np.tile(eta, (50, 1)), {"noise": 1.0})
    exact = orders_of(outcome, eta)
    assert exact.sum() == pytest.approx(4)
    assert found.chances == pytest.approx(exact, abs=0.008)  # five standard errors
    assert found.top(2) == pytest.approx(exact[:, :2].sum(axis=1), abs=0.008)
    assert found.expected == pytest.approx(exact @ [1, 2, 3, 4], abs=0.02)
    if likelihood == "plackett_luce":
        assert found.win == pytest.approx(softmax(eta), abs=0.008)


def test_a_forecast_of_a_race_is_the_mean_over_joint_draws():
    """One of two is far ahead in half of the draws and far behind in the others: each wins half of the races."""
    outcome, draws = outcome_of("order"), np.array([[8.0, 0.0], [0.0, 8.0]])
    assert outcome.places is not None
    assert outcome.places(np.random.default_rng(1), draws, {"noise": 1.0}).win == pytest.approx(0.5, abs=0.01)
