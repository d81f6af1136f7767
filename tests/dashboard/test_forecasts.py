"""The pages Forecasts and Track record: what is to come, what came, and what to do where there is nothing."""

from typing import Any

import pytest
from dash import Dash

from dashboard.app import build_app
from dashboard.outlook_figures import share_interval
from dashboard.pages.forecasts import _table, how_many
from dashboard.pages.track_record import _verdict
from store.home import Home

LEAGUE = "nations"


@pytest.fixture(scope="module")
def forecast(foretold: Home, made: Any) -> Dash:
    return build_app(foretold, lambda: made.NOW)


def visit(app: Dash, path: str, **query: str) -> str:
    """The page's components as JSON."""
    from dashboard.app import render
    from dashboard.pages import forecasts, track_record

    page = {one.path: one for one in (forecasts.PAGE, track_record.PAGE)}[path]
    with app.server.app_context():
        config = app.server.config
        return str(render(config["READER"], config["CLOCK"](), page, {"league": LEAGUE, **query}).to_plotly_json())


def test_what_is_to_come_is_shown_with_its_season(forecast: Dash) -> None:
    page = visit(forecast, "/forecasts")
    for words in ("How the season ends", "Season 2025, from the games before", "north", "Top 4",
                  "What hangs on the next games", "Home <b>FC</b> – Away FC", "Games to come", "1 game, from the games",
                  "1.6 – 0.9", "1–0 14 %", "Super cup", "Last 2",
                  "'round_1': 0.62"):  # fmt: skip
        assert words in page, words


def test_a_result_in_the_address_is_played_in_every_season(forecast: Dash) -> None:
    """Every simulated season has 20 points for the first side and 21 for the second; with a win it is 23 and 18."""
    plain, won = visit(forecast, "/forecasts"), visit(forecast, "/forecasts", given="next=win")
    assert "'is_open': True, 'given': None" in plain
    assert "before_0" not in plain
    for words in ("'given': 'win'", "win against", "200 simulated seasons", "worth 200.", "20 points off",
                  "placed as in the simulated season", "Take all back",
                  "'expected_points': 23.0", "'prize_0': 1.0", "'before_0': 0.7"):  # fmt: skip
        assert words in won, words


def test_seasons_in_which_it_came_so_are_told_as_they_are(forecast: Dash) -> None:
    """In all of them the second side won."""
    lost = visit(forecast, "/forecasts", given="next=loss")
    for words in ("lose to", "the 200 of 200 simulated seasons in which it came so", "within 6 points",
                  "'expected_points': 20.0"):  # fmt: skip
        assert words in lost, words
    assert "20 points off" not in lost


@pytest.mark.parametrize("given", ["next=won", "gone=win", ";;=", "=win", "next", "' OR 1 = 1 --=win"])
def test_results_that_nobody_can_give_are_told_and_change_nothing(forecast: Dash, given: str) -> None:
    page = visit(forecast, "/forecasts", given=given)
    assert "1 result of the address: no such game is to come soon" in page
    assert "before_0" not in page


def test_a_player_who_is_missing_has_a_season_of_its_own(forecast: Dash) -> None:
    assert "What if a player is missing?" in visit(forecast, "/forecasts")
    with forecast.server.config["READER"].answer() as answer:
        ((player, name),) = [tuple(row.values()) for row in answer.rows("missed", league=LEAGUE)]
    page = visit(forecast, "/forecasts", without=player, given="next=win")
    for words in (f"Without {name}", "'expected_points': 24.2", "'prize_0': 0.31", "'before_0': 0.7"):
        assert words in page, words
    assert "before_0" not in visit(forecast, "/forecasts", without="nobody")


def test_prizes_stand_in_the_order_of_the_rules_in_a_what_if_too() -> None:
    """`what_if` has them by the letter."""
    row = {"name": "t", "points_q5": 1, "points_q95": 2, "chances": {"champion": 0.2, "relegated": 0.1, "top_4": 0.7}}
    before = {"champion": 0.3, "top_4": 0.6, "relegated": 0.1}
    (_, shown) = _table("x", "north", [row | {"before": before}])
    told = str(shown.to_plotly_json())
    titles = [told.index(f"'headerName': '{title}'") for title in ("Champion", "Top 4", "Relegated")]
    assert titles == sorted(titles)
    assert "'prize_1': 0.7" in told
    assert "'before_2': 0.1" in told


def test_the_record_says_what_came_and_how_good_it_was(forecast: Dash) -> None:
    page = visit(forecast, "/track-record")
    for words in ("Log loss ", "over 1 game forecast before their day", "too few games to judge",
                  "Chances and what came", "Game by game"):  # fmt: skip
        assert words in page, words


def test_where_nothing_was_said_the_page_says_how(own_home: Home, made: Any) -> None:
    app = build_app(own_home, lambda: made.NOW)
    assert f"pooltable simulate {LEAGUE}" in visit(app, "/forecasts")
    assert "No record yet" in visit(app, "/track-record")


def test_games_that_are_not_shown_are_counted() -> None:
    assert (how_many(500, 1724), how_many(1, 1)) == ("The next 500 of 1,724 games", "1 game")


def test_a_record_is_judged_by_what_the_forecasts_expected() -> None:
    assert "too few" in _verdict([1.0] * 29, [1.0] * 29)
    apart = [0.1, -0.1] * 50
    assert "within noise" in _verdict([1 + one for one in apart], [1.0] * 100)
    assert "surer than they should be" in _verdict([1.3 + one for one in apart], [1.0] * 100)
    assert "less sure than they could be" in _verdict([0.7 + one for one in apart], [1.0] * 100)


def test_an_interval_of_a_share_holds_it() -> None:
    assert share_interval(0.5, 100) == pytest.approx((0.419, 0.581), abs=0.002)
    low, high = share_interval(0.0, 5)
    assert (low, high > 0.2) == (0.0, True)
