"""The fit check in words: on which side of a bound a value must lie, and who accepted a fit by hand."""

from typing import Any

import pytest

from dashboard.frame import View, league_body
from dashboard.pages import checks, leaderboard
from dashboard.reader import Reader
from store.edition import publish
from store.home import Home
from store.warehouse import writing

REASON, RULE = "new rules <b>this</b> season", "held out (against the baseline): worse."


@pytest.fixture
def by_hand(own_home: Home, made: Any) -> Home:
    """A home whose simulated cup shows a fit that a person accepted."""
    with writing(own_home) as con:
        con.execute(
            "UPDATE fit SET override_reason = $reason, reasons = [$rule] WHERE fit_id = 'cup-good'",
            {"reason": REASON, "rule": RULE},
        )
    publish(own_home, made.LEAGUES, made.NOW)
    return own_home


def shown(home: Home, made: Any, page: Any, league: str) -> str:
    """A page's league body as JSON."""
    with Reader(home).answer() as answer:
        leagues = answer.rows("leagues")
        own = next(row for row in leagues if row["league"] == league)
        view = View(answer, leagues, own, {}, made.NOW, made.NOW)
        return "".join(str(part.to_plotly_json()) for part in league_body(page, view) if part)


def test_the_leaderboard_and_the_fit_check_say_what_was_accepted_by_hand_and_why(by_hand: Home, made: Any) -> None:
    board = shown(by_hand, made, leaderboard.PAGE, "cup")
    assert "Accepted by hand. " in board and f"“{REASON}”" in board and RULE in board
    check = shown(by_hand, made, checks.PAGE, "cup")
    assert f"Accepted by hand: “{REASON}”. The rules reject it:" in check and ", by hand" in check
    assert "Accepted by hand. " not in check, "it is said once"


def test_a_fit_that_the_rules_accept_is_not_said_to_be_accepted_by_hand(by_hand: Home, made: Any) -> None:
    assert "by hand" not in shown(by_hand, made, leaderboard.PAGE, "nations")


@pytest.mark.parametrize(("name", "bound", "says"), [
    ("r_hat", 1.01, "at most 1.01"), ("ess_bulk", 400.0, "at least 400"), ("held_out", -0.0123, "at least −0.0123"),
    ("contradicted", 1.0, "above 1"), ("upheaval", 0.8, "at least 0.8"), ("threshold", 0.1, "usually 0.1"),
    ("agreeing", None, "–"), ("pit", float("nan"), "–"),
])  # fmt: skip
def test_a_bound_says_on_which_side_of_it_is_well(name: str, bound: float | None, says: str) -> None:
    assert checks.bound_of({"check_name": name, "bound": bound}) == says


def test_a_statistic_s_sentence_does_not_say_its_title_twice() -> None:
    row = {"title": "share of games drawn", "message": "Share of games drawn: 0.2 in the results."}
    assert checks.titled(row) == {"heading": "Share of games drawn", "message": "0.2 in the results."}
