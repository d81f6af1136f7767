"""An order turned over without a result that explains it is told from healthy nights, changes and chance."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from modeling.build import build_design
from modeling.earlier import Before
from modeling.field import Field
from modeling.fit import fit_league
from modeling.ratings import Ratings
from modeling.upheaval import upheaval_checks
from store.home import Home
from store.warehouse import reading

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEAMS = 10


def rated(means: np.ndarray) -> list[Ratings]:
    """Ratings of sd 0.1 about given means; everybody is ranked."""
    count = len(means)
    who = tuple(f"t:{number:02d}" for number in range(count))
    ones, last = np.ones(count, dtype=int), np.full(count, np.datetime64("2024-01-01"))
    field = Field("team", who, 30 * ones, last, ones, np.full(count, "ranked"))
    draws = means + np.random.default_rng(0).normal(0, 0.1, (400, count))
    return [Ratings(field, {"total": draws}, np.zeros(400), np.zeros((400, count), int))]


@pytest.fixture(scope="module")
def design(league, stanza):
    return build_design(stanza, league.games)


def before(now, means: np.ndarray, **changes) -> Before:
    own = {f"t:{number:02d}": (float(mean), 0.1) for number, mean in enumerate(means)}
    same = Before("earlier", now.as_json(), "code", now.games - 2, 0, {"team": own})
    return replace(same, **changes)


def status_of(design, now: np.ndarray, earlier: Before | None) -> str:
    order, *_ = upheaval_checks(design, rated(now), earlier, "code")
    return order.status


MEANS = np.linspace(-1, 1, TEAMS)


def test_the_same_order_passes_and_a_reversed_one_does_not(design):
    assert status_of(design, MEANS, before(design, MEANS)) == "pass"
    check, _ = upheaval_checks(design, rated(-MEANS), before(design, MEANS), "code")
    assert (check.status, check.subject) == ("fail", "order of the ranked teams")
    assert check.value is not None and check.value < -0.9
    assert "--override" in check.message


def test_a_reference_that_moved_is_no_upheaval(design):
    assert status_of(design, MEANS + 3, before(design, MEANS)) == "pass"


def test_an_order_of_chance_may_turn_over(design):
    """Ratings a hundredth of a sd apart have no order to keep."""
    check, _ = upheaval_checks(design, rated(-MEANS / 100), before(design, MEANS / 1000), "code")
    assert check.status == "pass"
    assert "hardly tell" in check.message


def test_what_explains_an_upheaval_makes_it_a_notice(design):
    model = design.as_json() | {"likelihood_name": "negative_binomial"}
    wide = design.as_json()
    wide["blocks"] = [one | {"scale": "HalfNormal(9)"} for one in wide["blocks"]]
    for change in ({"design": model}, {"design": wide}, {"code_hash": "older"}, {"games": design.games // 2}):
        assert status_of(design, -MEANS, before(design, MEANS, **change)) == "warn", change
    grown = design.as_json()
    grown["blocks"] = [one | {"levels": 99, "scale": one["scale"].replace("0.5", "0.51")} for one in grown["blocks"]]
    assert status_of(design, -MEANS, before(design, MEANS, design=grown)) == "fail"


def test_without_an_earlier_fit_there_is_nothing_to_compare_with(design):
    few = before(design, MEANS[:3])
    for earlier in (None, few):
        check, *_ = upheaval_checks(design, rated(-MEANS), earlier, "code")
        assert (check.status, check.value) == ("pass", None)


def test_a_rating_that_jumps_is_told_by_name_though_the_order_is_kept(design):
    jumped = MEANS.copy()
    jumped[4] += 0.7
    order, jump = upheaval_checks(design, rated(jumped), before(design, MEANS), "code", {"t:04": "Fourth"})
    assert (order.status, jump.status) == ("pass", "fail")
    assert jump.message.startswith("Fourth moved most since the last accepted fit, by 6.")
    for change in ({"code_hash": "older"}, {"games": design.games // 2}, {"corrected": 1}):
        *_, jump = upheaval_checks(design, rated(jumped), before(design, MEANS, **change), "code")
        assert jump.status == "warn", change
    less = MEANS.copy()
    less[4] += 0.4
    assert upheaval_checks(design, rated(less), before(design, MEANS), "code")[1].status == "pass"


def test_ratings_that_walk_may_go_far(league, stanza):
    own = build_design(stanza.model_copy(update={"walk": ("team",), "period": "month"}), league.games)
    (check,) = upheaval_checks(own, rated(MEANS + np.eye(TEAMS)[4]), before(own, MEANS), "code")
    assert check.check_name == "upheaval"


@pytest.mark.slow
def test_a_feed_that_switched_its_names_is_rejected_and_a_healthy_night_is_not(tmp_path, league, stanza, fill):
    """The last accepted ratings stay; a person who knows better can accept the new ones, and is then believed."""
    home, sides = Home(tmp_path), league.games.sides
    last = sides["played_on"].max()
    assert isinstance(last, date)
    fill(home, "x", sides.filter(pl.col("played_on") < pl.lit(last)))
    assert fit_league(home, "x", stanza, NOW).verdict == "accepted"
    fill(home, "x", sides)
    assert fit_league(home, "x", stanza, NOW).verdict == "accepted"
    order = np.argsort(league.attack + league.defence)
    names = {f"t:{a:02d}": f"t:{b:02d}" for a, b in zip(order, order[::-1], strict=True)}
    fill(home, "x", sides.with_columns(pl.col("team").replace(names), score=pl.col("score")))
    switched = fit_league(home, "x", stanza, NOW)
    assert switched.verdict == "rejected"
    assert len(switched.reasons) == 1
    assert switched.reasons[0].startswith("upheaval") and "Were names or sides swapped" in switched.reasons[0]
    assert fit_league(home, "x", stanza, NOW, override="the names were wrong before").verdict == "accepted"
    with reading(home) as con:
        told = con.execute("SELECT override_reason FROM fit WHERE fit_id = ?", [switched.fit_id]).fetchall()
    assert told == [("the names were wrong before",)]
