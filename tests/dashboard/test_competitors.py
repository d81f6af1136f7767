"""The pages of competitors: one, and several side by side."""

import json
import re
import time
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from dash import Dash

from dashboard import competitor_figures, order_figures, results
from dashboard.app import PAGES, build_app, render
from dashboard.frame import Page
from dashboard.pages import compare, competitor, leaderboard
from store.edition import publish
from store.home import Home
from store.warehouse import writing

EVIL = "<img src=x onerror=alert(1)>"
EARLIER = """
INSERT INTO fit SELECT * REPLACE ('dated' AS fit_id, true AS is_dated, DATE '2023-12-01' AS as_of)
    FROM fit WHERE fit_id = 'nations-good';
INSERT INTO standing SELECT * REPLACE ('dated' AS fit_id) FROM standing WHERE fit_id = 'nations-good';
INSERT INTO rating SELECT * REPLACE ('dated' AS fit_id) FROM rating WHERE fit_id = 'nations-good';
"""


@pytest.fixture(scope="module")
def app(home: Home, made: Any) -> Dash:
    return build_app(home, lambda: made.NOW)


def page_of(app: Dash, page: Page, **query: str) -> str:
    """The page's components as JSON, as the browser gets them."""
    with app.server.app_context():
        config = app.server.config
        return render(config["READER"], config["CLOCK"](), page, query).to_plotly_json().__repr__()


def test_a_competitor_is_found_by_id_and_by_name(app: Dash) -> None:
    by_id = page_of(app, competitor.PAGE, league="nations", competitor="t:0")
    by_name = page_of(app, competitor.PAGE, league="nations", competitor="Nations 1")
    for page in (by_id, by_name):
        for words in ("Nations 1", "Rank 1, 90 %", "P(best)", "Nearest by rating", "Nations 2",
                      "The SQL of this view, CSV and JSON", "FROM competitor_game"):  # fmt: skip
            assert words in page, words
    assert "Game by game" not in by_id
    assert "Game by game" in page_of(app, competitor.PAGE, league="nations", competitor="t:1")


def test_who_is_unknown_or_not_named_leads_to_the_leaderboard(app: Dash) -> None:
    assert "Nobody called “Atlantis”" in page_of(app, competitor.PAGE, league="nations", competitor="Atlantis")
    page = page_of(app, competitor.PAGE, league="nations")
    assert "Which competitor?" in page and "/leaderboard?league=nations" in page


def test_a_name_that_attacks_is_a_name(app: Dash) -> None:
    assert EVIL in page_of(app, competitor.PAGE, league="nations", competitor=EVIL)


def test_the_files_of_a_page_are_what_its_queries_answer(app: Dash) -> None:
    """The address that a page offers for CSV and JSON asks the same SQL with the same values."""
    page = page_of(app, competitor.PAGE, league="nations", competitor="t:0")
    start = page.index("/api/sql?sql=")
    link = page[start : page.index("'", start)]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert (asked["league"], asked["competitor"]) == ("nations", "t:0")
    answer = app.server.test_client().get(link.replace("_format=csv", "_format=json"))
    assert answer.status_code == 200, answer.text
    row = json.loads(answer.text)["rows"][0]
    assert (row["name"], row["rank"]) == ("Nations 1", 1)


def test_a_surprise_is_the_result_less_what_the_joint_draws_expect(app: Dash) -> None:
    with app.server.config["READER"].answer() as answer:
        row = answer.rows("competitor_games", league="nations", competitor="t:1")[0]
        drawn = answer.con.execute(
            "SELECT draws FROM rating_draw WHERE league = 'nations' AND competitor_id IN ('t:1', 't:2')"
            " ORDER BY competitor_id"
        ).fetchall()
    assert (row["own_score"], row["other_score"], row["place"]) == (1.0, 1.0, 1)
    own, other = (np.exp(0.2 + np.array(draws)) for (draws,) in drawn)
    margin = own - other
    assert row["expected_margin"] == pytest.approx(margin.mean(), rel=1e-5)
    assert row["surprise"] == pytest.approx(-margin.mean() / np.sqrt((own + other).mean() + margin.var()), rel=1e-5)


def test_several_are_compared_pair_by_pair(app: Dash) -> None:
    page = page_of(app, compare.PAGE, league="nations", a="t:0", b="Nations 2", c=EVIL, d="Somebody else")
    for words in ("How good each is", "Who is the better?", "Nations 2", EVIL, "posteriors-figure", "The next game",
                  "FROM compare($league", "Against one another"):  # fmt: skip
        assert words in page, words
    assert "Nobody rated here is called “Somebody else”." in page
    assert "called “" not in page_of(app, compare.PAGE, league="nations", a="t:0", b="Nations 2")
    with app.server.config["READER"].answer() as answer:
        values = {"league": "nations"} | dict(zip("abcdef", ("t:0", "t:1", "", "", "", ""), strict=True))
        rows = answer.rows("compare_competitors", **values)
        first, second = (
            np.array(draws) for (draws,) in answer.con.execute(
                "SELECT draws FROM rating_draw WHERE league = 'nations' AND competitor_id IN ('t:0', 't:1')"
                " ORDER BY competitor_id"
            ).fetchall()
        )  # fmt: skip
        pairs = answer.rows("compare_pairs", **values)
    assert pairs[0]["probability"] == pytest.approx(np.mean(first > second))
    x, density = np.array(rows[0]["x_values"]), np.array(rows[0]["heights"])
    assert np.trapezoid(density, x) == pytest.approx(1, abs=0.01)
    assert np.trapezoid(density * x, x) == pytest.approx(first.mean(), abs=0.01)


def test_fewer_than_two_are_a_choice_still_to_be_made(app: Dash) -> None:
    assert "Choose two to six of them above" in page_of(app, compare.PAGE, league="nations")
    assert "Choose somebody to compare Nations 1 with" in page_of(app, compare.PAGE, league="nations", a="t:0")


def game(**more: Any) -> dict[str, Any]:
    """A game of two sides that was lost by one goal."""
    return {
        "entries": 2, "finish": None, "own_score": 0.0, "other_score": 1.0, "won": None, "opponent_id": "b",
        "opponent": "B", "status": "played", "surprise": -0.5, "expected_margin": None, "expected_chance": None, **more,
    }  # fmt: skip


def test_over_time_is_what_is_told_now_with_what_was_said_then_beside_it() -> None:
    days = [date(2000, 1, 1), date(2010, 1, 1)]
    rows = [
        {"as_of": day, "rating": 1.0, "q5": 0.0, "q95": 2.0, "rank": 1, "rank_low": 1, "rank_high": 2} for day in days
    ]
    played = game() | {"played_on": "2009-12-30", "on": "30 Dec 2009", "result": "0 – 1", "expected": "–"}

    def traces(*asked: Any) -> list[dict[str, Any]]:
        return competitor_figures.rating_history(*asked).to_dict()["data"]

    def drawn(*asked: Any) -> list[tuple[str, str | None]]:
        return [(trace["type"], trace["name"]) for trace in traces(*asked)]

    both = [("scatter", "90 % interval"), ("scatter", "Rating")]
    assert drawn(rows, [], "points", 1) == both
    assert drawn(rows, [], "points", 1, rows) == [*both, ("scatter", "As it was said then")]
    (bar,) = [trace for trace in traces(rows, [played], "points", 1) if trace["type"] == "bar"]
    assert bar["width"] / 86_400_000 == pytest.approx(3653 / 150), "wide enough to be seen among ten years"


def test_results_are_said_as_each_sport_says_them() -> None:
    assert results.result(game()) == "0 – 1"
    assert results.result(game(own_score=None, other_score=None, won=True)) == "won"
    assert results.result(game(entries=20, finish=3)) == "3."
    assert results.result(game(entries=20, finish=None)) == "–"
    assert results.expected(game(expected_margin=1.24)) == "+1.2"
    assert results.expected(game(expected_chance=0.61)) == "61 %"


def test_opponents_are_counted_without_games_nobody_played() -> None:
    games = [
        game(), game(own_score=2.0), game(own_score=1.0), game(status="walkover"), game(opponent_id="c", opponent="C"),
    ]  # fmt: skip
    first, second = results.faced(games)
    assert (first["opponent"], first["games"], first["record"]) == ("B", 3, "1–1–1")
    assert (second["opponent"], second["record"]) == ("C", "0–0–1")


def test_a_chosen_number_of_places_is_asked_of_the_ranks_in_the_draws(app: Dash) -> None:
    with app.server.config["READER"].answer() as answer:
        rows = answer.rows("leaderboard", league="nations", kind="team", k=3, group="", least=0)
        plain = answer.rows("leaderboard", league="nations", kind="team", k=0, group="", least=0)
    assert all(row["p_top"] == pytest.approx(row["p_top3"]) for row in rows if row["rank"])
    assert all(row["p_top"] is None for row in plain)
    assert [leaderboard.places(asked) for asked in ("7", "x", None, "-1", "²", "9" * 8)] == [7, 0, 0, 0, 0, 999]


def test_orders_are_looked_at_in_four_ways(app: Dash) -> None:
    for way, words in (("caterpillar", "caterpillar-figure"), ("ranks", "rank-chances-figure"),
                       ("reshuffle", "shuffle-draws"), ("nonsense", "leaderboard-grid")):  # fmt: skip
        assert words in page_of(app, leaderboard.PAGE, league="nations", view=way)


def test_an_earlier_day_is_shown_or_the_page_says_that_it_is_not(own_home: Home, made: Any) -> None:
    with writing(own_home) as con:
        con.execute(EARLIER)
    publish(own_home, made.LEAGUES, made.NOW + timedelta(minutes=1))
    app = build_app(own_home, lambda: made.NOW)

    def shown(view: str, on: str) -> str:
        return page_of(app, leaderboard.PAGE, league="nations", view=view, on=on)

    for view in ("", "caterpillar"):
        assert "Ratings as of 1 Dec 2023, fitted later. " in shown(view, "2023-12-01")
    for view in ("ranks", "reshuffle"):
        page = shown(view, "2023-12-01")
        assert "of the newest ratings, as of 1 Jan 2024, not of 1 Dec 2023" in page and "are not kept" in page
        assert "'/leaderboard?league=nations&on=2023-12-01'" in page
        assert "are not kept" not in shown(view, "")
    assert "P(top k) is left out" in page_of(app, leaderboard.PAGE, league="nations", on="2023-12-01", k="5")
    assert "P(top k) is left out" not in page_of(app, leaderboard.PAGE, league="nations", k="5")
    for view in ("", "caterpillar", "ranks", "reshuffle"):
        assert "The day asked for is not kept: these are the newest ratings" in shown(view, "2023-12-02")


def test_the_chances_of_ranks_are_shares_of_the_draws(app: Dash) -> None:
    with app.server.config["READER"].answer() as answer:
        rows = answer.rows("best_thirty", league="nations", kind="team", group="", least=0)
        drawn = dict(answer.con.execute(
            "SELECT competitor_id, ranks FROM rating_draw WHERE league = 'nations' AND ranks IS NOT NULL"
        ).fetchall())  # fmt: skip
        board = answer.rows("leaderboard", league="nations", kind="team", k=0, group="", least=0)
    assert [row["rank"] for row in rows] == list(range(1, 31))
    assert [(row["name"], row["rating"]) for row in rows] == [(row["name"], row["rating"]) for row in board[:30]]
    for row in rows:
        ranks = drawn[row["competitor_id"]]
        wanted = {rank: ranks.count(rank) / len(ranks) for rank in set(ranks)}
        assert dict(zip(row["at_rank"], row["chance"], strict=True)) == pytest.approx(wanted)
        assert row["ranks"] == ranks[:200] and len(row["draws"]) == 200
    figure = order_figures.rank_chances(rows[:2])
    assert figure.to_dict()["data"][0]["z"][0][0] == pytest.approx(100 * rows[0]["chance"][0])


def test_of_thousands_only_the_ranked_are_sent_until_everybody_is_asked_for(
    app: Dash, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = page_of(app, leaderboard.PAGE, league="nations")
    monkeypatch.setattr(leaderboard, "MOST_AT_ONCE", 10)
    part = page_of(app, leaderboard.PAGE, league="nations")
    assert "'inactive', 'pool'" in whole and "'inactive', 'pool'" not in part
    assert "data-partial='true'" in part and "data-partial='false'" in whole
    assert "'inactive', 'pool'" in page_of(app, leaderboard.PAGE, league="nations", show="all")


@pytest.mark.slow
def test_every_address_that_a_page_offers_for_its_numbers_answers(app: Dash) -> None:
    client = app.server.test_client()
    asked = {"league": "nations", "competitor": "t:1", "a": "t:1", "b": "t:2", "k": "4"}
    links = {link for page in PAGES for link in re.findall(r"'(/api/sql\?sql=[^']+)'", page_of(app, page, **asked))}
    assert len(links) > 40
    for link in links:
        answer = client.get(link)
        while answer.status_code == 429:
            time.sleep(1)
            answer = client.get(link)
        assert answer.status_code == 200, (answer.text[:500], link)
