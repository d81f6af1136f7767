"""The pages Forecasts and Track record: what is to come, what came, and what to do where there is nothing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from dash import Dash

from dashboard.app import build_app
from dashboard.outlook_figures import share_interval
from dashboard.pages.track_record import _verdict
from store.edition import publish
from store.home import Home
from store.warehouse import writing

LEAGUE = "nations"
SAID = """
INSERT INTO forecast BY NAME SELECT
    ? AS league, 'f' AS fit_id, ? AS game_id, ?::TIMESTAMP AS made_at_utc, made_at_utc::DATE AS as_of,
    ?::DATE AS played_on, '2025' AS season, ? AS first, ? AS second, 'Home <b>FC</b>' AS first_name,
    'Away FC' AS second_name, true AS is_first_home, 0.5 AS win, 0.3 AS draw, 0.2 AS loss, 0.4 AS win_low,
    0.6 AS win_high, 0.1 AS loss_low, 0.3 AS loss_high, 1.61 AS expected_first, 0.9 AS expected_second,
    0.71 AS expected_margin, -1 AS margin_q5, 0 AS margin_q25, 1 AS margin_q75, 3 AS margin_q95,
    [{'first': 1, 'second': 0, 'chance': 0.141}] AS likely_scores
"""


@pytest.fixture
def forecast(own_home: Home, made: Any) -> Dash:
    """Two games to come, one that is over and was forecast before, an outlook and what hangs on a game."""
    now = made.NOW.replace(tzinfo=None)
    with writing(own_home) as con:
        game, played_on = con.execute(
            "SELECT game_id, played_on FROM game WHERE league = ? ORDER BY played_on LIMIT 1", [LEAGUE]
        ).fetchall()[0]
        teams = "SELECT team FROM side WHERE league = ? AND game_id = ? ORDER BY side"
        first, second = (who for (who,) in con.execute(teams, [LEAGUE, game]).fetchall())
        before = datetime.combine(played_on, datetime.min.time()) - timedelta(days=1)
        for name, day, at in ((game, played_on, before), ("next", now.date() + timedelta(days=3), now)):
            con.execute(
                SAID,
                [LEAGUE, name, at, day, first, second],
            )
        con.execute(
            "INSERT INTO outlook VALUES (?, 'f', ?, ?, '2025', 'north', ?, 10, 5, 20, 1, 27.3, 24, 26, 29, 31, 1.4,"
            " [0.7, 0.3], [{'prize': 'top_4', 'chance': 0.7}])",
            [LEAGUE, now, now.date(), first],
        )
        con.execute(
            "INSERT INTO leverage VALUES (?, 'f', ?, ?, '2025', 'north', 'next', ?, 'top_4', 0.7, 0.9, 0.7, 0.5, 0.4)",
            [LEAGUE, now, now.date(), first],
        )
    publish(own_home, [LEAGUE], made.NOW)
    return build_app(own_home, lambda: made.NOW)


def visit(app: Dash, path: str) -> str:
    """The page's components as JSON."""
    from dashboard.app import render
    from dashboard.pages import forecasts, track_record

    page = {one.path: one for one in (forecasts.PAGE, track_record.PAGE)}[path]
    with app.server.app_context():
        config = app.server.config
        return str(render(config["READER"], config["CLOCK"](), page, {"league": LEAGUE}).to_plotly_json())


def test_what_is_to_come_is_shown_with_its_season(forecast: Dash) -> None:
    page = visit(forecast, "/forecasts")
    for words in ("How the season ends", "Season 2025, from the games before", "north", "Top 4",
                  "What hangs on the next games", "Home <b>FC</b> – Away FC", "Games to come", "1 game, from the games",
                  "1.6 – 0.9", "1–0 14 %"):  # fmt: skip
        assert words in page, words


def test_the_record_says_what_came_and_how_good_it_was(forecast: Dash) -> None:
    page = visit(forecast, "/track-record")
    for words in ("Log loss ", "over 1 game forecast before their day", "too few games to judge",
                  "Chances and what came", "Game by game"):  # fmt: skip
        assert words in page, words


def test_where_nothing_was_said_the_page_says_how(own_home: Home, made: Any) -> None:
    app = build_app(own_home, lambda: made.NOW)
    assert f"pooltable simulate {LEAGUE}" in visit(app, "/forecasts")
    assert "No record yet" in visit(app, "/track-record")


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
