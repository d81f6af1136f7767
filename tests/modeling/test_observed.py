"""What is observed of games: what each outcome reads, what it refuses, and that a new outcome is one new file."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modeling import outcomes as package
from modeling.build import build_design
from modeling.describe import describe
from modeling.observed import observe
from modeling.outcomes import outcome_for, outcome_of, outcomes
from modeling.outcomes.outcome import Outcome
from store.errors import FitError
from store.stanzas import Stanza


def stanza_of(**settings) -> Stanza:
    return Stanza.model_validate({"title": "x", "feed": "none", "source": "none", "outcome": "win"} | settings)


# Results that are not of the outcome's family


@pytest.mark.parametrize("likelihood", ["poisson", "negative_binomial", "dixon_coles"])
@pytest.mark.parametrize(("scores", "said"), [((2, -1), "first -1"), ((2.5, 1), "first 2.5")])
def test_counts_refuse_scores_that_are_none(games, game, likelihood, scores, said):
    some = games(game("ab", (2, 1)), game("ab", scores))
    with pytest.raises(FitError, match=r"x: 1 side\(s\) have a score that is no whole number from 0") as caught:
        observe(some, outcome_of("score", likelihood))
    assert f"{said} in g00001" in caught.value.message
    assert 'likelihood = "normal"' in caught.value.hint


def test_points_may_be_fractions_and_below_zero(games, game):
    some = games(game("ab", (2.5, -1)))
    assert observe(some, outcome_of("score", "normal")).y.tolist() == [2.5, -1]
    assert observe(some, outcome_of("margin")).y.tolist() == [3.5]


@pytest.mark.parametrize(
    ("outcome", "likelihood", "scores"),
    [
        ("margin", "normal", [(2, 2), (0, 0)]),
        ("margin", "student", [(1, 1), (1, 1)]),
        ("score", "normal", [(0.1, 0.1), (0.1, 0.1), (0.1, 0.1)]),
        ("score", "normal", [(0, 0)]),
    ],
)
def test_results_that_are_all_alike_tell_nothing_of_their_spread(games, game, outcome, likelihood, scores):
    with pytest.raises(FitError, match=r"x: all \d results are alike \(.*likelihood \"\w+\" needs one"):
        observe(games(*(game("ab", each) for each in scores)), outcome_of(outcome, likelihood))


def test_one_margin_is_a_spread_and_results_of_no_spread_are_no_matter_where_none_is_learned(games, game):
    assert observe(games(game("ab", (3, 1))), outcome_of("margin")).y.tolist() == [2]
    assert observe(games(game("ab", (0, 0))), outcome_of("score")).y.tolist() == [0, 0]
    assert observe(games(game("ab", (1, 1))), outcome_of("result")).y.tolist() == [1]


def test_the_size_of_margins_is_the_same_whichever_side_comes_first():
    y, exposure = np.array([7.0, 3.0, 10.0]), np.ones(3)
    size = outcome_of("margin").unit_sd
    assert size(y, exposure) == size(np.array([-7.0, 3.0, -10.0]), exposure) == pytest.approx(np.sqrt(158 / 3))


def test_points_are_centred_on_their_mean_and_nothing_else_is():
    y, exposure = np.array([100.0, 50.0]), np.array([1.0, 0.5])
    assert outcome_of("score", "normal").centre(y, exposure) == 100
    every = {(one.name, one.likelihood): one for family in outcomes().values() for one in family}
    assert [name for name, one in every.items() if one.centre(y, exposure) != 0] == [("score", "normal")]


# Draws and places


def test_games_without_scores_are_drawn_where_nobody_won(games, game):
    some = games(game("ab", won=(True, False)), game("ab"), game("ab", won=(False, False)), game("ab", (None, 1)))
    found = observe(some, outcome_of("result"))
    assert found.y.tolist() == [0, 1, 1]
    assert found.notes == ("1 games without a result were left out.",)
    assert observe(some, outcome_of("win")).y.tolist() == [1]


def test_a_league_of_draws_is_told_which_outcomes_have_them(games, game):
    with pytest.raises(FitError, match="x: no game has a result that win can use") as caught:
        observe(games(game("ab", (1, 1)), game("ab", (0, 0))), outcome_of("win"))
    assert 'outcome = "result", or "score"' in caught.value.hint


def test_places_out_of_a_larger_field_count_among_those_that_are_there(games, game):
    some = games(game("abcd", places=(14, 7, None, 21)), game("abc", places=(5, 5, 9)))
    found = observe(some, outcome_of("order"))
    assert found.y.tolist() == [2, 1, 3, 1, 1, 3]
    assert found.notes == ("1 entrants without a place were left out.",)


# A new outcome


SKELLAM = '''
"""Skellam: the margin of two Poisson counts with rates exp(pace + eta / 2) and exp(pace - eta / 2)."""

import numpy as np
from scipy.special import ive
from scipy.stats import skellam

from modeling.outcomes.outcome import Auxiliary, Outcome, Statistic, exposure_of
from modeling.outcomes.shared import density_losses, usual_normal
from modeling.outcomes.sides import margins
from modeling.outcomes.symbols import pt


def tallies(y, exposure):
    return np.stack([np.ones_like(y), y, exposure], axis=1)


def mean(tally, aux):
    return np.where(tally[:, 0] > 0, tally[:, 2], 1.0) * np.exp(aux["pace"])


def log_density(tally, eta, aux):
    m, (count, y, _) = mean(tally, aux), tally.T
    return count * (y * eta / 2 + 2 * m * (1 - np.cosh(eta / 2)) + np.log(ive(np.abs(y), 2 * m)))


def derivatives(tally, eta, aux):
    m, (count, y, _) = mean(tally, aux), tally.T
    up, down = np.sinh(eta / 2), np.cosh(eta / 2)
    return count * (y / 2 - m * up), count * m * down / 2, -count * m * up / 4


def pymc(tally, eta, aux):
    count, y, exposure = tally[:, 0], tally[:, 1], pt.where(pt.gt(tally[:, 0], 0), tally[:, 2], 1.0)
    m = exposure * pt.exp(aux["pace"])
    return pt.sum(count * (y * eta / 2 + 2 * m * (1 - pt.cosh(eta / 2)) + pt.log(pt.ive(pt.abs(y), 2 * m))))


def rates(eta, exposure, aux):
    return exposure * np.exp(aux["pace"] + eta / 2), exposure * np.exp(aux["pace"] - eta / 2)


def simulate(rng, eta, exposure, aux, _game):
    first, second = rates(eta, exposure, aux)
    return (rng.poisson(first) - rng.poisson(second)).astype(float)


def chances(eta, _, aux):
    means = rates(eta, exposure_of(aux), aux)
    return np.stack([skellam.sf(0, *means), skellam.pmf(0, *means), skellam.cdf(-1, *means)], axis=-1)


def margin(eta, _, aux):
    first, second = rates(eta, exposure_of(aux), aux)
    return first - second


OUTCOMES = (
    Outcome(
        name="skellam", likelihood="skellam", formula="margin ~ Skellam", words="A game has a margin of goals.",
        unit="log goals", row="game", components=("total",), unit_sd=lambda _y, _exposure: 0.5, has_intercept=False,
        observe=margins, auxiliaries=lambda _unit: (Auxiliary("pace", "log of a side's goals", 1.0, True, start=0.0),),
        tallies=tallies, log_density=log_density, derivatives=derivatives, pymc=pymc, simulate=simulate,
        losses=density_losses(log_density, tallies), baseline=usual_normal, chances=chances, margin=margin,
        statistics=(Statistic("draws", "drawn", lambda seen: float(np.mean(seen.y == 0)), 0.05, is_hard=True),),
        is_additive=False, takes_noise=False,
    ),
)
'''


@pytest.fixture
def skellam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outcome]:
    """The outcome of a file dropped into the package."""
    (tmp_path / "skellam.py").write_text(SKELLAM)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    yield outcome_of("skellam")
    del sys.modules["modeling.outcomes.skellam"], package.skellam  # pyright: ignore[reportAttributeAccessIssue]


def contract() -> list[Callable[[Outcome], None]]:
    """Every test of test_outcomes.py that takes an outcome and nothing else."""
    spec = importlib.util.spec_from_file_location("contract_of_outcomes", Path(__file__).with_name("test_outcomes.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tests = inspect.getmembers(module, lambda one: inspect.isfunction(one) and one.__name__.startswith("test_"))
    return [test for _, test in tests if list(inspect.signature(test).parameters) == ["outcome"]]


def test_a_new_outcome_is_one_new_file(skellam, games, game):
    """It is asked for by name in a stanza, read from the games, described, and held to the contract."""
    stanza = stanza_of(outcome="skellam", effects="home", min_games=1)
    assert outcome_for("x", stanza) is skellam
    some = games(game("ab", (2, 1), home=0), game("bc", (0, 3), home=1), game("ca", (1, 1), home=0))
    design = build_design(stanza, some)
    assert design.outcome is skellam
    assert design.y.tolist() == [1, -3, 0]
    assert [one.name for one in design.auxiliaries] == ["pace"]
    told = {section.title: section for section in describe(some, design, stanza)}
    assert told["In words"].paragraphs[0] == "A game has a margin of goals."
    assert told["In mathematics"].formulas[0] == "margin ~ Skellam"
    checks = contract()
    assert len(checks) >= 13
    for holds in checks:
        holds(skellam)


def test_the_contract_catches_an_outcome_that_is_wrong(skellam):
    wrong = {one.__name__: one for one in contract()}["test_slope_and_curvature_are_those_of_the_density"]
    with pytest.raises(AssertionError):
        wrong(_half(skellam))


def _half(outcome: Outcome) -> Outcome:
    def derivatives(tally, eta, aux):
        slope, curvature, third = outcome.derivatives(tally, eta, aux)
        return slope, curvature / 2, third

    return replace(outcome, derivatives=derivatives)


def test_a_new_outcome_goes_as_it_came():
    assert "skellam" not in outcomes()
    with pytest.raises(FitError, match='x: there is no outcome "skellam"'):
        outcome_for("x", stanza_of(outcome="skellam"))
