"""What a page says of an address that asks for something in vain, and of what it leaves out."""

import json
from datetime import timedelta
from typing import Any

import pytest
from dash import Dash
from plotly.utils import PlotlyJSONEncoder

from dashboard.app import LEAGUES, build_app, render
from dashboard.frame import Page
from dashboard.pages import changes, checks, leaderboard, leagues
from store.edition import publish
from store.home import Home
from store.warehouse import writing


@pytest.fixture(scope="module")
def app(home: Home, made: Any) -> Dash:
    return build_app(home, lambda: made.NOW)


def visit(app: Dash, page: Page, search: str) -> str:
    """The page's components as JSON, as the browser gets them."""
    query = dict(part.split("=", 1) for part in search.split("&"))
    with app.server.app_context():
        config = app.server.config
        shown = render(config["READER"], config["CLOCK"](), page, query)
    return json.dumps(shown, cls=PlotlyJSONEncoder, ensure_ascii=False)


def test_a_search_says_how_many_it_does_not_show(app: Dash) -> None:
    with app.server.config["READER"].answer() as answer:
        found = answer.rows("search", words="n")
    assert all(row["of_all"] == len(found) for row in found) and len(found) < 100
    assert "The first" not in visit(app, LEAGUES, "q=n")
    assert "The first 1 of 740;" in repr(leagues.found_list("n", [{**found[0], "of_all": 740}]))


@pytest.mark.parametrize(
    ("search", "told"),
    [("k=2.6", "“2.6” is no number for k of P(top k), which is a whole one from 1 to 999: it is left aside."),
     ("k=5000", "“5000” is no number for k of P(top k), which is a whole one from 1 to 999: 999 is taken."),
     ("games=-3", "“-3” is no number for games, which is a whole one from 1 to 99,999: it is left aside.")],
)  # fmt: skip
def test_a_number_that_is_not_taken_as_it_stands_is_told(app: Dash, search: str, told: str) -> None:
    assert told in visit(app, leaderboard.PAGE, f"league=nations&{search}")
    assert "is no number" not in visit(app, leaderboard.PAGE, "league=nations&k=07&games=3")


def test_the_kind_of_who_came_is_shown_where_a_league_has_two(own_home: Home, made: Any) -> None:
    made.add_races(own_home)
    with writing(own_home) as con:
        con.execute(
            "INSERT INTO fit SELECT * REPLACE ('dated' AS fit_id, true AS is_dated, as_of - 30 AS as_of)"
            " FROM fit WHERE league = 'races' AND verdict = 'accepted';"
            "INSERT INTO standing SELECT * REPLACE ('dated' AS fit_id) FROM standing WHERE league = 'races';"
            "INSERT INTO rating SELECT * REPLACE ('dated' AS fit_id) FROM rating WHERE league = 'races';"
        )
    publish(own_home, [*made.LEAGUES, "races"], made.NOW + timedelta(minutes=2))
    both = visit(build_app(own_home, lambda: made.NOW), changes.PAGE, "league=races")
    assert "Everybody ranked on both days" in both and '"headerName": "Kind"' in both
    one = visit(build_app(own_home, lambda: made.NOW), changes.PAGE, "league=nations")
    assert '"headerName": "Kind"' not in one


def test_what_an_address_asks_for_in_vain_is_told(app: Dash) -> None:
    gone = visit(app, checks.PAGE, "league=nations&fit=gone")
    assert "The fit asked for is not kept here: this is the published one." in gone
    assert "not kept here" not in visit(app, checks.PAGE, "league=nations&fit=nations-good")
    assert "There is no group “zzz” here: everybody is shown." in visit(
        app, leaderboard.PAGE, "league=nations&group=zzz"
    )
    assert "There is no group" not in visit(app, leaderboard.PAGE, "league=nations")
