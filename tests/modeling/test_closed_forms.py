"""Engines against problems solved on paper: Bradley and Terry's strengths, Poisson attacks, a race of three."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from modeling.build import build_design
from modeling.design import Design
from modeling.engines import laplace
from modeling.outcomes import outcome_of, outcomes
from store.stanzas import Stanza

VAGUE = 1e4
NEAR = 1e-4  # Newton stops at a decrement of 1e-8 nats: within 1e-4 standard errors


@pytest.fixture
def wins(game, games) -> Callable[..., Design]:
    """({pair: (wins of the first, wins of the second)}) -> Design of those games."""

    def make(played: dict[str, tuple[int, int]]) -> Design:
        some = [
            game(tuple(pair), won=(number < first, number >= first))
            for pair, (first, second) in played.items()
            for number in range(first + second)
        ]
        stanza = Stanza.model_validate({"title": "x", "feed": "none", "source": ("none",), "outcome": "win"})
        return build_design(stanza, games(*some))

    return make


def fitted(design: Design) -> laplace.Laplace:
    return laplace.fit_fixed_scales(
        design, {block.name: VAGUE for block in design.blocks}, np.ones(design.games, dtype=bool)
    )


def test_strengths_of_four_to_two_to_one(wins):
    """a beats b twice of three, b beats c twice of three, a beats c four times of five: 4, 2, 1 fit exactly."""
    a, b, c = fitted(wins({"ab": (2, 1), "bc": (2, 1), "ac": (4, 1)})).mode
    assert a - b == pytest.approx(np.log(2), abs=NEAR)
    assert b - c == pytest.approx(np.log(2), abs=NEAR)


def test_a_chain_of_three_has_the_log_odds_of_each_pair_and_their_errors(wins):
    """a met only b, and b only c: differences are log odds, their variances 1/wins + 1/losses, which add up."""
    fit = fitted(wins({"ab": (7, 3), "bc": (6, 9)}))
    a, b, c = fit.mode
    assert a - b == pytest.approx(np.log(7 / 3), abs=NEAR)
    assert b - c == pytest.approx(np.log(6 / 9), abs=NEAR)
    first, both = np.array([1.0, -1, 0]), np.array([1.0, 0, -1])
    assert first @ fit.covariance @ first == pytest.approx(1 / 7 + 1 / 3, rel=1e-4)
    assert both @ fit.covariance @ both == pytest.approx(1 / 7 + 1 / 3 + 1 / 6 + 1 / 9, rel=1e-4)


def test_wins_are_those_expected_whatever_the_games(wins):
    """Zermelo's equations: each one's wins are the sum of its chances; here with a circle, and unequal games."""
    played = {"ab": (5, 2), "bc": (6, 1), "ac": (3, 4)}
    mode = fitted(wins(played)).mode
    names = "abc"
    for who, one in enumerate(names):
        won = sum(first if one == pair[0] else second for pair, (first, second) in played.items() if one in pair)
        expected = 0.0
        for pair, results in played.items():
            if one in pair:
                other = names.index(pair.replace(one, ""))
                expected += sum(results) / (1 + np.exp(mode[other] - mode[who]))
        assert expected == pytest.approx(won, abs=10 * NEAR)


def test_three_entrants_who_each_won_in_proportion(game, games):
    """Six races in every order but weighted so that first places go 3 : 2 : 1, as do seconds between those left."""
    orders = {"abc": 20, "acb": 10, "bac": 15, "bca": 5, "cab": 6, "cba": 4}  # 60 P(order) at strengths 3, 2, 1
    places = [
        game(tuple("abc"), places=tuple(order.index(one) + 1 for one in "abc"))
        for order, count in orders.items()
        for _ in range(count)
    ]
    stanza = Stanza.model_validate(
        {"title": "x", "feed": "none", "source": ("none",), "outcome": "order", "likelihood": "plackett_luce"}
    )
    a, b, c = fitted(build_design(stanza, games(*places))).mode
    assert (a - b, b - c) == (pytest.approx(np.log(3 / 2), abs=NEAR), pytest.approx(np.log(2), abs=NEAR))


def test_attack_and_defence_of_two_who_only_met_each_other(game, games):
    """Rates are the mean scores: only attack of one less defence of the other is seen, and both are."""
    scores = [(3.0, 1.0), (2.0, 0.0), (1.0, 2.0)]
    stanza = Stanza.model_validate({"title": "x", "feed": "none", "source": ("none",), "outcome": "score"})
    design = build_design(stanza, games(*(game("ab", one) for one in scores)))
    fit = fitted(design)
    eta = fit.x @ fit.mode
    rows = dict(zip(design.cell_rows % 2, eta, strict=True))
    assert np.exp(rows[0]) == pytest.approx(2, rel=1e-5)
    assert np.exp(rows[1]) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("x", [-30.0, -9.0, 9.0, 30.0])
def test_a_draw_between_very_unequal_sides_has_its_exact_chance_on_both_tails(x):
    """Two near chances of one have no digits left in their difference; those of the other tail have all."""
    outcome, aux = outcome_of("result", "probit"), {"draw_width": 0.6, "noise": 1.0}
    tally = np.array([[0.0, 1.0, 0.0]])
    high, low = norm.logcdf(-abs(x) + 0.6), norm.logcdf(-abs(x) - 0.6)
    assert outcome.log_density(tally, np.array([x]), aux)[0] == pytest.approx(high + np.log1p(-np.exp(low - high)))
    slope, curvature, third = outcome.derivatives(tally, np.array([x]), aux)
    assert slope[0] * x < 0
    assert slope[0] == pytest.approx(-np.sign(x) * np.exp(norm.logpdf(abs(x) - 0.6) - high), rel=1e-3)
    assert third is not None
    assert curvature[0] > 0 and np.isfinite(third[0])


def test_no_parameter_of_a_likelihood_has_the_name_of_a_dimension_of_draws():
    """A DataTree would answer with the numbers of the draws instead of their values."""
    every = [outcome for family in outcomes().values() for outcome in family]
    assert not {one.name for outcome in every for one in outcome.auxiliaries(1.0)} & {"chain", "draw"}
