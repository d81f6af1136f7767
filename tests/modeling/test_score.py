"""Poisson scores against SciPy over all rates, and their forecasts at the ends of what can happen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson, skellam

from modeling.outcomes import outcome_of

SCORE = outcome_of("score")
AUX = {"noise": 1.0, "layout": None}

rates = st.floats(-4, 3.2)
counts = st.integers(0, 40)


def tally_of(y: float, exposure: float) -> np.ndarray:
    return SCORE.tallies(np.array([float(y)]), np.array([exposure]))


@given(counts, rates, st.floats(0.1, 3))
def test_log_density_is_that_of_scipy(y, eta, exposure):
    found = SCORE.log_density(tally_of(y, exposure), np.array([eta]), AUX)
    assert found[0] == pytest.approx(poisson.logpmf(y, exposure * np.exp(eta)), rel=1e-9, abs=1e-9)


@given(counts, rates, st.floats(0.1, 3))
def test_derivatives_agree_with_finite_differences(y, eta, exposure):
    tally, step = tally_of(y, exposure), 1e-5

    def at(shift):
        return SCORE.derivatives(tally, np.array([eta + shift]), AUX)

    first, second, third = at(0.0)
    densities = [SCORE.log_density(tally, np.array([eta + s * step]), AUX)[0] for s in (-1, 1)]
    assert first[0] == pytest.approx((densities[1] - densities[0]) / (2 * step), rel=1e-4, abs=1e-4)
    assert -second[0] == pytest.approx((at(step)[0][0] - at(-step)[0][0]) / (2 * step), rel=1e-4, abs=1e-4)
    assert third is not None
    assert third[0] == pytest.approx(-(at(step)[1][0] - at(-step)[1][0]) / (2 * step), rel=1e-4, abs=1e-4)


@given(rates, rates)
def test_chances_are_those_of_the_skellam_distribution(first, second):
    win, draw, loss = SCORE.chances(np.array([first]), np.array([second]), AUX)[0]
    means = (np.exp(first), np.exp(second))
    assert win + draw + loss == pytest.approx(1, abs=1e-12)
    assert draw == pytest.approx(skellam.pmf(0, *means), abs=1e-6)
    assert loss == pytest.approx(skellam.cdf(-1, *means), abs=1e-6)


def test_chances_of_games_with_very_different_rates_stay_finite():
    chances = SCORE.chances(np.array([[9.0, -60.0]]), np.array([[-60.0, 9.0]]), AUX)
    assert chances.shape == (1, 2, 3)
    assert np.allclose(chances[0], [[1, 0, 0], [0, 0, 1]], atol=1e-9)


def test_chances_at_rates_that_no_sport_has_stay_finite():
    """Draws of an unpooled fit may ask for them."""
    chances = SCORE.chances(np.array([25.0, 18.0, 30.0]), np.array([18.0, 25.0, 30.0]), AUX)
    assert np.allclose(chances[:, 0], [1, 0, 0.5], atol=1e-2)
    assert np.allclose(chances.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("first", "second", "within"),
    [(310, 300, 1e-8), (700, 690, 1e-8), (1000, 400, 2e-5), (1000, 990, 2e-5), (5000, 4900, 2e-4)],
)
def test_chances_at_high_rates_are_those_of_the_skellam_distribution_too(first, second, within):
    win, draw, loss = SCORE.chances(np.log([first]), np.log([second]), AUX)[0]
    assert win == pytest.approx(skellam.sf(0, first, second), abs=within)
    assert draw == pytest.approx(skellam.pmf(0, first, second), abs=1e-8)
    assert loss == pytest.approx(skellam.cdf(-1, first, second), abs=within)


@pytest.mark.parametrize(
    ("first", "second", "overdispersion"),
    [(2, 1, 0.5), (100, 90, 0.5), (1000, 400, 0.5), (500, 5, 2.0), (3000, 2500, 0.1), (40, 30, 1e-3)],
)
def test_chances_of_overdispersed_counts_are_those_of_scipy(first, second, overdispersion):
    """Summed over every count up to one that is never exceeded."""
    counts, r = np.arange(150_000), 1 / overdispersion
    own, other = (nbinom.pmf(counts, r, r / (r + mean)) for mean in (first, second))
    exact = [own @ (np.cumsum(other) - other), own @ other, other @ (np.cumsum(own) - own)]
    aux = {"noise": 1.0, "overdispersion": overdispersion}
    found = outcome_of("score", "negative_binomial").chances(np.log([first]), np.log([second]), aux)[0]
    assert found == pytest.approx(exact, abs=6e-5)


def test_a_game_of_high_rates_changes_no_other_ones_chances():
    """Draws by games, each draw with an overdispersion of its own, in one call and apart."""
    outcome = outcome_of("score", "negative_binomial")
    first, second = np.log([[1.4, 900.0], [1.2, 6000.0]]), np.log([[1.1, 1000.0], [1.3, 20.0]])
    overdispersion = np.array([[0.1], [0.6]])
    together = outcome.chances(first, second, {"overdispersion": overdispersion})
    for draw in range(2):
        for game in range(2):
            own = {"overdispersion": overdispersion[draw, 0]}
            apart = outcome.chances(first[draw, game : game + 1], second[draw, game : game + 1], own)
            assert together[draw, game] == pytest.approx(apart[0], abs=1e-12)


def test_simulated_scores_have_the_mean_and_variance_of_their_rate():
    eta, exposure = np.full(200_000, 0.7), np.full(200_000, 0.5)
    scores = SCORE.simulate(np.random.default_rng(3), eta, exposure, AUX, np.arange(200_000) // 2)
    rate = 0.5 * np.exp(0.7)
    assert scores.mean() == pytest.approx(rate, rel=0.01)
    assert scores.var() == pytest.approx(rate, rel=0.02)


def test_margin_is_the_difference_of_rates():
    assert SCORE.margin(np.log(np.array([2.0])), np.log(np.array([0.5])), AUX)[0] == pytest.approx(1.5)
