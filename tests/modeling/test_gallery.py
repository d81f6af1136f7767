"""A gallery of sick fits: each is rejected, for the right reason; healthy ones of the same shapes are accepted."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from modeling import sampled
from modeling.build import build_design
from modeling.earlier import Audited
from modeling.engines.choice import choose
from modeling.games import Games
from modeling.judging import Judged, fit_and_judge
from store.stanzas import Stanza

TEAMS, GAMES, SEASON = 12, 900, 300
Results = Callable[[np.random.Generator, float], tuple[float, float]]


def played(
    one_game: Callable[..., dict],
    games_of: Callable[..., Games],
    result: Results,
    seed: int = 1,
    spread: float = 1.5,
    among: Callable[[np.random.Generator, int], Any] = lambda rng, _: rng.choice(TEAMS, 2, replace=False),
    swapped: int | None = None,
    **attributes: Callable[[np.random.Generator], str],
) -> Games:
    """A league of three seasons: `result` gives the scores of a game whose first side is better by so much."""
    rng = np.random.default_rng(seed)
    strength, found = rng.normal(0, spread, TEAMS).tolist(), []
    for number in range(GAMES):
        a, b = among(rng, number)
        scores = result(rng, strength[a] - strength[b] + 0.3)
        if number // SEASON == swapped:
            scores = scores[::-1]
        more = {name: make(rng) for name, make in attributes.items()}
        won = (scores[0] > scores[1], scores[1] > scores[0])
        found.append(
            one_game(
                (f"t{a:02d}", f"t{b:02d}"), scores, day=number, season=f"{2024 + number // SEASON}", home=0, won=won,
                **more,
            )
        )  # fmt: skip
    return games_of(*found)


def goals(rng: np.random.Generator, better: float) -> tuple[float, float]:
    return float(rng.poisson(np.exp(0.2 + better / 4))), float(rng.poisson(np.exp(0.2 - better / 4)))


def wins(rng: np.random.Generator, better: float) -> tuple[float, float]:
    is_won = rng.random() < 1 / (1 + np.exp(-better))
    return float(is_won), float(not is_won)


def points(rng: np.random.Generator, better: float) -> tuple[float, float]:
    return 100.0 + np.rint(rng.normal(6 * better, 12)), 100.0


def judged(games: Games, **settings: Any) -> Judged:
    """What the judge says of a league."""
    engine = settings.pop("engine", "auto")
    stanza = Stanza.model_validate({"title": "Simulated", "feed": "none", "source": "none"} | settings)
    design = build_design(stanza, games, [name for name in settings.get("effects", ()) if name != "home"])
    choice = choose(design, engine)
    return fit_and_judge(choice, design, games, stanza, None, lambda *_: None, False, Audited(None), [])[1]


SHAPES: dict[str, tuple[Results, dict[str, Any]]] = {
    "score": (goals, {"outcome": "score", "effects": ("home",)}),
    "win": (wins, {"outcome": "win", "effects": ("home",)}),
    "margin": (points, {"outcome": "margin", "effects": ("home",)}),
}


@pytest.fixture(scope="module")
def made(game, games):
    """(result, settings of `played`) -> games."""
    return lambda result, **settings: played(game, games, result, **settings)


@pytest.mark.parametrize("shape", SHAPES)
def test_healthy_leagues_are_accepted(made, shape):
    result, settings = SHAPES[shape]
    assert judged(made(result), **settings).reasons == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_season_with_its_scores_swapped_is_rejected(made, shape):
    result, settings = SHAPES[shape]
    reasons = judged(made(result, swapped=1), **settings).reasons
    (told,) = [one for one in reasons if "go against the ratings" in one]
    begin, end = (
        int((date.fromisoformat(day) - date(2024, 1, 1)).days) for day in re.findall(r"\d{4}-\d\d-\d\d", told)
    )
    assert SEASON - 50 < begin < end < 2 * SEASON + 50


def test_covariates_that_nothing_tells_apart_are_rejected(made):
    def twice(rng: np.random.Generator) -> str:
        return f"{rng.normal(500, 200):.0f}"

    games = made(goals, altitude=twice)
    one = judged(games, outcome="score", effects=("home", "altitude"))
    assert one.reasons == []
    column = "attribute:altitude"
    copied = replace(games, sides=games.sides.with_columns(pl.col(column).alias("attribute:height")))
    reasons = judged(copied, outcome="score", effects=("home", "altitude", "height")).reasons
    assert len(reasons) == 2
    assert all("identified" in one and "Take one of them out" in one for one in reasons)


def test_a_league_whose_every_result_follows_one_order_is_rejected(made):
    def certain(_rng: np.random.Generator, better: float) -> tuple[float, float]:
        return float(better > 0.3), float(better < 0.3)

    reasons = judged(made(certain), outcome="win", effects=("home",)).reasons
    assert any(one.startswith("contradicted (the order") for one in reasons), reasons


def test_pools_that_never_meet_are_rejected_where_one_is_required(made):
    def apart(rng: np.random.Generator, number: int) -> Any:
        return 2 * rng.choice(TEAMS // 2, 2, replace=False) + number % 2

    games, settings = made(goals, among=apart), {"outcome": "score", "effects": ("home",)}
    assert judged(games, **settings).reasons == []
    reasons = judged(games, **settings, require_connected=True).reasons
    assert len(reasons) == 1
    assert "6 teams never met the largest pool" in reasons[0]


def test_a_wrong_likelihood_is_rejected(made):
    """Counts that vary more than Poisson's."""

    def wild(rng: np.random.Generator, better: float) -> tuple[float, float]:
        rates = np.exp([2 + better / 4, 2 - better / 4]) * rng.gamma(0.3, 3, 2)
        return float(rng.poisson(rates[0])), float(rng.poisson(rates[1]))

    reasons = judged(made(wild), outcome="score", effects=("home",)).reasons
    assert any("in leagues the model would make" in one for one in reasons), reasons


def test_margins_with_far_heavier_tails_than_normal_are_rejected_by_forecasts_alone(made):
    """Mean and variance are right, and no other check is off by what matters: results crowd in the middle of forecasts
    that a few huge ones have made wide."""

    def heavy(rng: np.random.Generator, better: float) -> tuple[float, float]:
        return 100.0 + np.rint(6 * better + 5 * rng.standard_t(2)), 100.0

    games = made(heavy, seed=2)
    (reason,) = judged(games, outcome="margin", effects=("home",)).reasons
    assert reason.startswith("pit (games it had not seen)") and "too sure, too wide or to one side" in reason
    assert judged(games, outcome="margin", likelihood="student", effects=("home",)).reasons == []


def test_results_that_are_all_alike_and_a_few_games_are_no_error(made):
    """Nothing is known of anybody: ratings are as wide as their prior, and no check says otherwise."""

    def nothing(_rng: np.random.Generator, _better: float) -> tuple[float, float]:
        return 0.0, 0.0

    games = made(nothing)
    few = replace(games, sides=games.sides.head(16))
    for some in (games, few):
        (told,) = [
            one for one in judged(some, outcome="score", effects=("home",)).checks if one.check_name == "agreeing"
        ]
        assert told.status == "pass"
    held_out = [one for one in judged(few, outcome="score").checks if one.check_name == "held_out"]
    assert [(one.status, one.bound) for one in held_out] == [("warn", None)]


@pytest.mark.slow
def test_too_few_draws_are_rejected(made, monkeypatch):
    monkeypatch.setattr(sampled, "DRAWS", 160)
    monkeypatch.setattr(sampled, "LENGTHENING", (1,))
    reasons = judged(made(points), outcome="margin", effects=("home",), engine="nuts").reasons
    assert any("too few independent draws" in one for one in reasons), reasons
