"""What a page says of an address that asks for something in vain, and of what it leaves out."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from plotly.utils import PlotlyJSONEncoder

from dashboard import order_figures
from dashboard.app import LEAGUES, build_app, render
from dashboard.frame import Page
from dashboard.pages import changes, checks, compare, leaderboard, leagues, track_record
from dashboard.wording import percent
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


def test_compare_says_how_many_its_field_does_not_offer(app: Dash) -> None:
    with app.server.config["READER"].answer() as answer:
        rows = answer.rows("compare_choices", league="nations", kind="team")
    assert rows[0]["of_all"] == len(rows) and compare._beyond(rows, "team") is None
    said = str(compare._beyond([{**row, "of_all": 9000} for row in rows], "team"))
    assert f"The field offers the best {len(rows)} of 9,000 teams." in said


def test_the_chances_of_a_pair_add_up_as_they_are_shown() -> None:
    pairs = {("a", "b"): 0.505, ("b", "a"): 0.495, ("a", "c"): 0.9975, ("c", "a"): 0.0025, ("b", "c"): 0.5}
    shown = compare.agreeing(pairs | {("c", "b"): 0.5})
    assert [percent(shown[a, b]) for a, b in (("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"))] == [
        "51 %", "49 %", "50 %", "50 %",
    ]  # fmt: skip
    assert (percent(shown["a", "c"]), percent(shown["c", "a"])) == (">99 %", "<1 %")


def test_ranks_beyond_the_heat_map_are_counted() -> None:
    rows: list[dict[str, Any]] = [
        {"name": "A", "at_rank": [1, 40], "chance": [0.5, 0.5]},
        {"name": "B", "at_rank": [39, 41, 77], "chance": [0.25, 0.5, 0.25]},
    ]
    assert order_figures.beyond_said(rows[:1]) is None
    assert order_figures.beyond_said(rows) == "Drawn to rank 40. 1 of these may be further down, B most likely: 75 %."


def test_a_record_says_that_older_games_are_left_out() -> None:
    one = {"log_loss": 0.6, "expected_log_loss": 0.6, "is_in_90": None, "played_on": date(2024, 1, 1), "of_all": 1}
    assert "over 1 game forecast before" in str(track_record._record([one]))
    assert "over the newest 1 of 3,400 games forecast" in str(track_record._record([{**one, "of_all": 3400}]))


def test_a_feed_of_an_edition_that_cannot_be_read_does_not_say_that_there_is_none(tmp_path: Path, made: Any) -> None:
    empty = build_app(Home(tmp_path), lambda: made.NOW).server.test_client().get("/feeds/nations.atom")
    assert (empty.status_code, empty.text) == (503, "Nothing is published yet.\n")
    home = Home(tmp_path)
    home.editions.mkdir(parents=True, exist_ok=True)
    (home.editions / "ratings-broken.duckdb").write_bytes(b"torn")
    home.current.symlink_to("ratings-broken.duckdb")
    torn = build_app(home, lambda: made.NOW).server.test_client().get("/feeds/nations.atom")
    assert (torn.status_code, torn.text) == (503, "The ratings cannot be read just now.\n")
