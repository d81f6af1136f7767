"""The contract of every outcome family: what one of them claims about its likelihood is true."""

from typing import Any

import numpy as np
import pytensor
import pytest
from scipy import stats
from scipy.sparse import csr_array

from modeling.outcomes import outcome_for, outcome_of, outcomes
from modeling.outcomes.links import PROBIT
from modeling.outcomes.outcome import Outcome, Results
from modeling.outcomes.schedule import schedule_of
from modeling.outcomes.symbols import pt
from store.errors import FitError
from store.stanzas import Stanza

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
    grows = outcome.row != "entrant" and not outcome.takes_link  # with exposure
    exposure = rng.uniform(0.5, 1.5, len(game)) if grows else np.ones(len(game))
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
    y, _, exposure, aux, _ = made(outcome)
    aux, tally, eta = {**aux, "noise": 1.0}, outcome.tallies(y, exposure), np.full(len(y), 0.3)
    if outcome.contracted is not None:
        assert not outcome.is_additive  # rows of a game go together
        return
    together = outcome.log_density(tally.sum(axis=0, keepdims=True), eta[:1], aux)[0]
    apart = outcome.log_density(tally, eta, aux).sum()
    assert bool(np.isclose(together, apart, rtol=1e-9)) is outcome.is_additive


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


def test_the_baseline_is_there_with_nothing_or_one_game_to_tell_from(outcome):
    y, _, exposure, _, game = made(outcome)
    rows = np.arange(len(y))
    home = np.where(rows % 2 == 0, 1, -1) if outcome.row == "side" else np.ones(len(y), int)
    results = Results(y, exposure, game, home, rows % 7, (rows + 1) % 7)
    for held_out in (game >= 0, game >= 1):
        assert np.isfinite(outcome.baseline(results, held_out)).all()


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
    games = np.arange(len(np.unique(game)))
    schedule = schedule_of(games % 5, (games + 1) % 5, np.zeros_like(games)) if outcome.points else None
    results = Results(y, exposure, game, home, rows % 5, opponent, eta, schedule)
    for statistic in outcome.statistics:
        assert np.isfinite(statistic.of(results)), statistic.name
    assert 1 <= sum(statistic.is_hard for statistic in outcome.statistics) <= 3
    assert all(statistic.size for statistic in outcome.statistics if statistic.is_hard)


def test_statistics_of_a_league_of_one_game_are_numbers_or_nothing(outcome):
    y, eta, exposure, _, game = made(outcome)
    one = game == 0
    rows = np.arange(one.sum())
    home = np.where(rows % 2 == 0, 1, -1) if outcome.row == "side" else np.ones(len(rows), int)
    results = Results(y[one], exposure[one], game[one], home, rows - 1, rows, eta[one])
    for statistic in outcome.statistics:
        assert isinstance(statistic.of(results), float), statistic.name


def test_a_race_is_forecast_place_by_place_and_nothing_else_is(outcome):
    assert (outcome.places is not None) == (outcome.row == "entrant")
    if outcome.places:
        eta = np.random.default_rng(3).normal(0, 1, (200, 5)) + np.array([3.0, 0, 0, 0, -3.0])
        found = outcome.places(np.random.default_rng(4), eta, {"noise": np.ones((200, 1))})
        assert found.chances.shape == (5, 5)
        assert found.chances.sum(axis=0) == pytest.approx(1)
        assert found.chances.sum(axis=1) == pytest.approx(1)
        assert found.win.argmax() == found.expected.argmin() == 0
        assert found.expected.argmax() == 4
        assert found.top(5) == pytest.approx(1)


def test_a_likelihood_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(FitError, match='"score" has no likelihood "gamma"') as caught:
        outcome_of("score", "gamma")
    assert "negative_binomial" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("stanza", "said", "hint"),
    [
        ({"outcome": "scor"}, 'lg: there is no outcome "scor".', 'Did you mean "score"? There are: margin, order'),
        ({"outcome": "score", "likelihood": "possion"}, 'lg: "score" has no likelihood "possion".', '"poisson"?'),
        ({"outcome": "win", "link": "cauchit"}, 'lg: "win" has no likelihood "cauchit".', "There are: logit, probit."),
        ({"outcome": "win", "likelihood": "probit"}, 'lg: "win" has a link instead of', "Links are: logit, probit."),
        ({"outcome": "margin", "link": "probit"}, 'lg: "margin" has a likelihood instead', "It has: normal, student."),
    ],
)
def test_an_outcome_that_is_not_there_is_a_mistake_of_that_league(stanza, said, hint):
    with pytest.raises(FitError) as caught:
        outcome_for("lg", Stanza.model_validate({"title": "x", "feed": "none", "source": "none"} | stanza))
    assert caught.value.message.startswith(said)
    assert hint in caught.value.hint


def test_the_stanzas_outcome_is_found_with_its_likelihood_or_link():
    asked = [("score", {}), ("score", {"likelihood": "normal"}), ("result", {}), ("win", {"link": "probit"})]
    bodies = [{"title": "x", "feed": "none", "source": "none", "outcome": name} | more for name, more in asked]
    found = [outcome_for("lg", Stanza.model_validate(body)) for body in bodies]
    assert [named(one) for one in found] == ["score-poisson", "score-normal", "result-logit", "win-probit"]


# Forecasts


@pytest.mark.parametrize("outcome", [one for one in EVERY if one.row == "side" or one.name == "margin"], ids=named)
@pytest.mark.parametrize(("exposure", "other"), [(0.4, 0.4), (1.0, 1.0), (2.5, 0.7)])
def test_a_forecast_honours_exposure(outcome, exposure, other):
    """Chances and margin are those of simulated games of that exposure, or, of sides, of those exposures."""
    aux = {one.name: 0.12 if one.is_signed else 1.3 * one.start for one in outcome.auxiliaries(1.0)} | {"noise": 1.0}
    first, second, games = (0.4, 0.1, 200_000) if outcome.row == "side" else (0.4, 0.0, 200_000)
    eta = np.tile([first, second], games) if outcome.row == "side" else np.full(games, first)
    row_game = np.repeat(np.arange(games), len(eta) // games)
    each = np.tile([exposure, other], games) if outcome.row == "side" else np.full(games, exposure)
    y = outcome.simulate(np.random.default_rng(8), eta, each, aux, row_game)
    ahead = y[0::2] - y[1::2] if outcome.row == "side" else y
    seen = [np.mean(ahead > 0), np.mean(ahead == 0), np.mean(ahead < 0)]
    forecast = aux | {"exposure": exposure, "other_exposure": other}
    assert outcome.chances(np.array([first]), np.array([second]), forecast)[0] == pytest.approx(seen, abs=0.005)
    off = 5 * ahead.std() / np.sqrt(games)
    if outcome.likelihood == "dixon_coles":  # the correction moves no mean, but for where it is cut off
        off += 0.01
    assert outcome.margin(np.array([first]), np.array([second]), forecast)[0] == pytest.approx(ahead.mean(), abs=off)


def test_who_is_not_known_counts_in_no_statistic_of_races():
    y, game = np.tile([1.0, 2.0, 3.0, 4.0], 12), np.repeat(np.arange(12), 4)
    entrant = np.tile([0, 1, 2, -1], 12)
    results = Results(y, np.ones(48), game, np.zeros(48, int), entrant, np.full(48, -1))
    found = {one.name: one.of(results) for one in outcome_of("order").statistics}
    assert found == {
        "spread": pytest.approx(np.var([0, 1 / 3, 2 / 3])),
        "dominance": 1.0,
        "winners": 1.0,
        "podium": 1.0,
    }


# Far out


def test_the_probit_link_keeps_its_digits_far_from_zero():
    """Value and slope of the symbolic log Phi, where 1 - Phi is nothing and where Phi is."""
    at = np.array([-40.0, -9.0, -1.0, 0.0, 1.0, 9.0, 38.5, 60.0])
    symbol = pt.dvector("x")
    value = PROBIT.symbolic_log_cdf(symbol)
    assert compiled(symbol, value)(at) == pytest.approx(stats.norm.logcdf(at), rel=1e-12, abs=1e-300)
    slope = getattr(pytensor, "grad")(pt.sum(value), symbol)  # noqa: B009  (its types claim too little)
    assert compiled(symbol, slope)(at) == pytest.approx(PROBIT.log_cdf_derivatives(at)[0], rel=1e-9, abs=1e-300)


def test_a_baseline_of_normal_results_is_told_from_what_there_is():
    """From the two before; where those are alike or fewer, from all."""
    y = np.array([3.0, -5.0, 8.0])
    results = Results(y, np.ones(3), np.arange(3), np.zeros(3, int), np.arange(3), np.arange(3) + 1)
    baseline = outcome_of("margin").baseline
    assert baseline(results, np.array([False, False, True])) == pytest.approx([-stats.norm.logpdf(8, -1, 4)])
    every = -stats.norm.logpdf(y, 2, y.std())
    assert baseline(results, np.array([False, True, True])) == pytest.approx(every[1:])
    assert baseline(results, np.array([True, True, True])) == pytest.approx(every)


def test_a_baseline_of_margins_all_alike_is_as_wide_as_they_are():
    results = Results(np.array([4.0, 4.0]), np.ones(2), np.arange(2), np.zeros(2, int), np.arange(2), np.arange(2) + 1)
    found = outcome_of("margin").baseline(results, np.array([False, True]))
    assert found == pytest.approx([-stats.norm.logpdf(4, 0, 4)])
