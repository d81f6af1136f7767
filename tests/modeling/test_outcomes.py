"""The contract of every outcome family: what one of them claims about its likelihood is true."""

from typing import Any

import numpy as np
import pytensor
import pytest
from scipy import stats
from scipy.sparse import csr_array

from modeling.outcomes import outcome_of, outcomes
from modeling.outcomes.outcome import Outcome, Results
from modeling.outcomes.symbols import pt
from store.errors import FitError

EVERY = [outcome for family in outcomes().values() for outcome in family]
GAMES = 60


def named(outcome: Outcome) -> str:
    return f"{outcome.name}-{outcome.likelihood}"


def made(outcome, seed=1, spread=0.5):
    """(y, eta, exposure, auxiliaries, game) of a small simulated league."""
    rng = np.random.default_rng(seed)
    size = {"game": 1, "side": 2, "entrant": 6}[outcome.row]
    game = np.repeat(np.arange(GAMES), size)
    unit = 3.0 if outcome.unit == "points" else 1.0
    eta = rng.normal(0.2 if outcome.has_intercept else 0.0, spread * unit, len(game))
    exposure = rng.uniform(0.5, 1.5, len(game)) if outcome.name in ("margin", "score") else np.ones(len(game))
    aux = {one.name: 0.12 if one.is_signed else 1.3 * one.start for one in outcome.auxiliaries(unit)}
    noise = rng.uniform(0.7, 1.4, GAMES)[game] if outcome.takes_noise else 1.0
    aux |= {"noise": noise, "layout": None}
    y = outcome.simulate(rng, eta, exposure, aux, game)
    if outcome.layout:
        aux["layout"] = outcome.layout(y, game)
    return y, eta, exposure, aux, game


@pytest.fixture(params=EVERY, ids=named)
def outcome(request):
    return request.param


def compiled(symbol, value) -> Any:
    """A function of one symbol, not optimised."""
    return getattr(pytensor, "function")([symbol], value, mode="FAST_COMPILE")  # noqa: B009  (its types claim too little)


def layout_of(outcome: Outcome, y, game) -> Any:
    assert outcome.layout is not None
    return outcome.layout(y, game)


def total(outcome, y, eta, exposure, aux):
    return outcome.log_density(outcome.tallies(y, exposure), eta, aux).sum()


def test_slope_and_curvature_are_those_of_the_density(outcome):
    y, eta, exposure, aux, _ = made(outcome)
    tally = outcome.tallies(y, exposure)
    slope, curvature, third = outcome.derivatives(tally, eta, aux)
    dense = curvature.toarray() if isinstance(curvature, csr_array) else np.diag(curvature)
    step = 1e-4
    for row in (0, 1, 2, 7, len(eta) - 1):
        up, down = eta.copy(), eta.copy()
        up[row] += step
        down[row] -= step
        found = (total(outcome, y, up, exposure, aux) - total(outcome, y, down, exposure, aux)) / (2 * step)
        assert found == pytest.approx(slope[row], rel=1e-5, abs=1e-7)
        (slope_up, curve_up, _), (slope_down, curve_down, _) = (
            outcome.derivatives(tally, moved, aux) for moved in (up, down)
        )
        assert -(slope_up - slope_down) / (2 * step) == pytest.approx(dense[row], rel=1e-5, abs=1e-6)
        own_up, own_down = (c.diagonal() if isinstance(c, csr_array) else c for c in (curve_up, curve_down))
        assert -(own_up - own_down)[row] / (2 * step) == pytest.approx(third[row], rel=1e-4, abs=1e-6)


def test_third_derivatives_over_a_covariance_are_those_of_the_curvature(outcome):
    """-sum of C times the curvature has, as its gradient, what a row's third derivatives sum to over C."""
    y, eta, exposure, aux, _ = made(outcome)
    tally = outcome.tallies(y, exposure)
    curvature = outcome.derivatives(tally, eta, aux)[1]
    if outcome.contracted is None:
        assert not isinstance(curvature, csr_array)
        return
    rng = np.random.default_rng(4)
    loads = rng.normal(size=(len(eta), 3))
    rows = np.repeat(np.arange(len(eta)), np.diff(curvature.indptr))
    values = np.sum(loads[rows] * loads[curvature.indices], axis=1)
    covariance = csr_array((values, curvature.indices, curvature.indptr), shape=curvature.shape)
    found, step = outcome.contracted(tally, eta, aux, covariance), 1e-5
    for row in (0, 1, 2, 7, len(eta) - 1):
        up, down = eta + step * np.eye(len(eta))[row], eta - step * np.eye(len(eta))[row]
        high, low = (covariance.multiply(outcome.derivatives(tally, at, aux)[1]).sum() for at in (up, down))
        assert found[row] == pytest.approx(-(high - low) / (2 * step), rel=1e-5, abs=1e-7)


def test_the_symbolic_likelihood_is_the_density_up_to_a_constant(outcome):
    y, eta, exposure, aux, _ = made(outcome)
    symbol = pt.dvector("eta")
    tally = outcome.tallies(y, exposure)
    value = compiled(symbol, outcome.pymc(pt.as_tensor(tally), symbol, aux))
    other = eta + np.random.default_rng(2).normal(0, 0.3, len(eta))
    difference = total(outcome, y, eta, exposure, aux) - total(outcome, y, other, exposure, aux)
    assert value(eta) - value(other) == pytest.approx(difference, rel=1e-8)


def test_what_is_left_out_adds_nothing(outcome):
    y, eta, exposure, aux, game = made(outcome)
    tally = outcome.tallies(y, exposure)
    tally[game >= 40] = 0.0
    density = outcome.log_density(tally, eta, aux)
    whole = outcome.log_density(outcome.tallies(y, exposure), eta, aux)
    assert density[game >= 40] == pytest.approx(0)
    assert density[game < 40] == pytest.approx(whole[game < 40])
    slope, curvature, _ = outcome.derivatives(tally, eta, aux)
    dense = curvature.toarray() if isinstance(curvature, csr_array) else np.diag(curvature)
    assert slope[game >= 40] == pytest.approx(0)
    assert np.abs(dense[game >= 40]).max() == 0
    symbol = pt.dvector("eta")
    value = compiled(symbol, outcome.pymc(pt.as_tensor(tally), symbol, aux))
    moved = np.where(game >= 40, eta + 1, eta)
    assert value(moved) == pytest.approx(value(eta))
    assert np.isfinite(value(eta))


def test_tallies_of_equal_rows_may_be_summed_where_the_outcome_says_so(outcome):
    if not outcome.is_additive:
        assert outcome.likelihood in ("student", "negative_binomial", "dixon_coles", "plackett_luce", "worst_first")
        return
    y, _, exposure, aux, _ = made(outcome)
    aux = {**aux, "noise": 1.0}
    together = outcome.tallies(y, exposure).sum(axis=0, keepdims=True)
    eta = np.full(len(y), 0.3)
    apart = outcome.log_density(outcome.tallies(y, exposure), eta, aux).sum()
    assert outcome.log_density(together, eta[:1], aux)[0] == pytest.approx(apart)


def test_simulated_results_have_the_density_they_claim(outcome):
    """The score (slope of the log density) has mean zero under the model, and the curvature's mean is its variance."""
    _, eta, exposure, aux, game = made(outcome, spread=0.3)
    rng = np.random.default_rng(5)
    slopes, curvatures = [], []
    for _ in range(1500):
        again = outcome.simulate(rng, eta, exposure, aux, game)
        own = {**aux, "layout": outcome.layout(again, game)} if outcome.layout else aux
        slope, curvature, _ = outcome.derivatives(outcome.tallies(again, exposure), eta, own)
        slopes.append(slope)
        curvatures.append(curvature.diagonal() if isinstance(curvature, csr_array) else curvature)
    error = np.std(slopes, axis=0) / np.sqrt(len(slopes))
    assert np.abs(np.mean(slopes, axis=0) / error).max() < 4.5
    ratio = np.var(slopes, axis=0).sum() / np.mean(curvatures, axis=0).sum()
    assert ratio == pytest.approx(1, abs=0.05)


def test_losses_are_small_where_the_result_was_foreseen(outcome):
    y, eta, exposure, aux, game = made(outcome, spread=1.5)
    draws = {name: value if name in ("noise", "layout") else np.full((50, 1), value) for name, value in aux.items()}
    known = outcome.losses(y, exposure, np.repeat(eta[None], 50, axis=0), draws, game)
    unknown = outcome.losses(y, exposure, np.full((50, len(eta)), eta.mean()), draws, game)
    assert known.shape == (GAMES,)
    assert np.isfinite(known).all()
    assert known.mean() < unknown.mean()


def test_the_baseline_forecasts_each_held_out_game_from_the_others(outcome):
    y, _, exposure, _, game = made(outcome)
    rows = np.arange(len(y))
    home = np.where(rows % 2 == 0, 1, -1) if outcome.row == "side" else np.ones(len(y), int)
    results = Results(y, exposure, game, home, rows % 7, (rows + 1) % 7)
    loss = outcome.baseline(results, game >= 50)
    assert loss.shape == (10,)
    assert np.isfinite(loss).all()
    assert (loss > 0).all() or outcome.unit == "points"


def test_chances_sum_to_one_and_follow_the_stronger(outcome):
    _, _, _, aux, _ = made(outcome)
    aux = {**aux, "noise": 1.0}
    strong, weak = np.array([0.8, 0.1]), np.array([0.1, 0.1])
    first = strong - weak if outcome.row == "game" else strong
    chances = outcome.chances(first, weak, aux)
    assert chances.shape == (2, 3)
    assert chances.sum(axis=1) == pytest.approx(1)
    assert (chances >= 0).all()
    assert chances[0, 0] > chances[0, 2]
    assert chances[1, 0] == pytest.approx(chances[1, 2])
    assert outcome.margin(first, weak, aux)[0] > 0
    assert outcome.margin(first, weak, aux)[1] == pytest.approx(0)


def test_every_statistic_is_a_number_and_at_most_three_are_hard(outcome):
    y, eta, exposure, _, game = made(outcome)
    rows = np.arange(len(y))
    opponent = np.full(len(y), -1) if outcome.row == "entrant" else (rows + 1) % 5
    home = np.where(rows % 2 == 0, 1, -1) if outcome.row == "side" else np.ones(len(y), int)
    results = Results(y, exposure, game, home, rows % 5, opponent, eta)
    for statistic in outcome.statistics:
        assert np.isfinite(statistic.of(results)), statistic.name
    assert 1 <= sum(statistic.is_hard for statistic in outcome.statistics) <= 3
    assert all(statistic.practical_size for statistic in outcome.statistics if statistic.is_hard)


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


def test_a_likelihood_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(FitError, match='no likelihood "gamma"') as caught:
        outcome_of("score", "gamma")
    assert "negative_binomial" in str(caught.value.hint)
