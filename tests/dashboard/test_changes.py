"""What changed, how the data are, what ran: the pages and the feeds."""

from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from dash import Dash

from dashboard.app import build_app, render
from dashboard.feeds import named
from dashboard.frame import Page
from dashboard.movement import MOVERS, earlier_day, movers, summary
from dashboard.pages import changes, data_health, runs
from store.edition import publish
from store.history import History, Run, StepEnd
from store.home import Home
from store.warehouse import writing

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def moved(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Dash:
    """An app in which the team t:2 was last of the ranked a month ago and t:4 was not ranked; a night that failed."""
    now, own_home = made.NOW, made.made_home(tmp_path_factory.mktemp("moved"), teams=12)
    with writing(own_home) as con:
        nations = made.Made("nations", "Nations", 12, False, 1)
        made.add_fit(con, own_home, nations, "nations-old", now - timedelta(days=30))
        con.execute("UPDATE fit SET is_dated = true, as_of = DATE '2023-12-01' WHERE fit_id = 'nations-old'")
        con.execute("UPDATE standing SET rank = 40 WHERE fit_id = 'nations-old' AND competitor_id = 't:2'")
        con.execute(
            "UPDATE standing SET rank = NULL, status = 'provisional'"
            " WHERE fit_id = 'nations-old' AND competitor_id = 't:4'"
        )
        con.execute(
            "INSERT INTO finding VALUES ('nations', 'played_self', 'stop', ?, 'A side met itself.', ?)",
            [EVIL, now.replace(tzinfo=None)],
        )
    history = History(own_home.runs)
    history.start_run(Run("r1", "schedule", ("nations",), now - timedelta(hours=2)), 1)
    history.start_step("r1", 1, "nations", "pull", now - timedelta(hours=2))
    history.end_step(
        "r1", 1, now - timedelta(minutes=115), StepEnd("failed", "answered 503", 1, rows=7, peak_bytes=10**8)
    )
    history.end_run("r1", now - timedelta(minutes=110), "failed", "1 of 1 steps failed")
    publish(own_home, made.LEAGUES, now)
    return build_app(own_home, lambda: now)


def page_of(app: Dash, page: Page, **query: str) -> str:
    with app.server.app_context():
        config = app.server.config
        return repr(render(config["READER"], config["CLOCK"](), page, query).to_plotly_json())


def test_movers_are_told_with_their_games_and_who_is_new(moved: Dash) -> None:
    page = page_of(moved, changes.PAGE, league="nations")
    for words in ("The ratings of 1 Dec 2023, as it was fitted later", "1 competitor up, 0 down, 1 new, 0 gone",
                  "New among the ranked", "Verdicts", "R-hat of the scale of attack is 1.04"):  # fmt: skip
        assert words in page, words
    assert f"'name': {EVIL!r}" in page and "D 1 – 1 Nations 2, D 1 – 1 Nations 2" in page
    assert "The day asked for is not kept" not in page_of(moved, changes.PAGE, league="nations", since="2023-12-01")
    other = page_of(moved, changes.PAGE, league="nations", since="2023-12-02")
    assert "The day asked for is not kept: these are the changes since 1 Dec 2023." in other
    assert "Only one day of ratings is kept" in page_of(moved, changes.PAGE, league="cup")


def test_the_feeds_say_the_same_and_escape_names(moved: Dash) -> None:
    client = moved.server.test_client()
    told = client.get("/feeds/nations.json").get_json()
    titles = [item["title"] for item in told["items"]]
    assert titles == ["Nations: A fit was rejected as of 9 Jan 2024", "Nations: New ratings as of 1 Jan 2024"]
    assert f"{EVIL} 40 → 3" in told["items"][1]["content_text"]
    answer = client.get("/feeds/nations.atom")
    assert "<img" not in answer.text
    entries = ElementTree.fromstring(answer.text).findall("{http://www.w3.org/2005/Atom}entry")
    assert [entry[1].text for entry in entries] == titles
    etag = answer.headers["ETag"]
    assert client.get("/feeds/nations.atom", headers={"If-None-Match": etag}).status_code == 304
    assert client.get("/feeds/atlantis.atom").status_code == 404


def test_findings_are_shown_as_text_with_what_they_stop(moved: Dash) -> None:
    page = page_of(moved, data_health.PAGE, league="nations")
    for words in ("1 finding must be mended before it is fitted again", EVIL, "played self", "All leagues",
                  "Every row of the last loads was taken"):  # fmt: skip
        assert words in page, words


def test_a_run_is_shown_with_its_steps_and_the_lineage(moved: Dash) -> None:
    page = page_of(moved, runs.PAGE, league="nations", run="r1")
    for words in ("schedule, failed, 10 min, 1 step, 1 failed", "answered 503", "nations-good",
                  "Where these ratings come from"):  # fmt: skip
        assert words in page, words


def test_where_nothing_ran_the_page_says_so(home: Home, made: Any) -> None:
    assert "Nothing has run yet" in page_of(build_app(home, lambda: made.NOW), runs.PAGE, league="nations")


def row(name: str, rank: int | None, earlier: int | None, p_moved: float | None = None) -> dict[str, Any]:
    moved = None if rank is None or earlier is None else earlier - rank
    return {"name": name, "rank": rank, "earlier_rank": earlier, "moved": moved, "p_moved": p_moved}


def test_only_those_who_surely_moved_are_movers() -> None:
    rows = [
        row("far", 2, 9, 0.95),
        row("near", 5, 4, 0.91),
        row("unsure", 1, 8, 0.89),
        row("new", 7, None),
        row("still", 3, 3),
    ]
    assert [one["name"] for one in movers(rows)] == ["far", "near"]
    assert summary(rows) == "1 competitor up, 1 down, 1 new, 0 gone."
    assert summary([row("still", 3, 3)]) == "Nobody's rank truly moved."


def test_all_movers_are_counted_though_only_the_first_are_named() -> None:
    rows = [row(f"n{number}", number, number + 40, 0.95) for number in range(1, 31)]
    assert summary(rows) == "30 competitors up, 0 down, 0 new, 0 gone."
    assert named(movers(rows), False).endswith("n27 67 → 27; and 10 more")
    assert "more" not in named(movers(rows[:MOVERS]), False)
    assert named([rows[0] | {"kind": "player"}], True) == "n1 (player) 41 → 1"


def test_the_day_compared_with_is_a_week_back_where_there_is_one() -> None:
    days = [{"as_of": date(2024, 1, number)} for number in (9, 8, 2)]
    assert earlier_day(days, date(2024, 1, 10), None) == {"as_of": date(2024, 1, 2)}
    assert earlier_day(days, date(2024, 1, 10), "2024-01-08") == {"as_of": date(2024, 1, 8)}
    assert earlier_day(days[:2], date(2024, 1, 10), "nonsense") == {"as_of": date(2024, 1, 8)}
    assert earlier_day([], date(2024, 1, 10), None) is None


def test_freshness_is_said_no_more_surely_than_the_feed_allows() -> None:
    today = date(2024, 1, 10)
    assert data_health.freshness(None, None, today) == "no result yet"
    assert data_health.freshness(date(2024, 1, 3), None, today) == "up to date"
    assert (
        data_health.freshness(date(2023, 11, 1), date(2024, 2, 1), today) == "nothing for 70 days, next on 1 Feb 2024"
    )
    assert data_health.freshness(date(2024, 1, 3), date(2024, 1, 8), today).startswith("late: a game of 8 Jan 2024")


def test_how_long_something_took_is_said_in_words() -> None:
    assert [runs.lasted(seconds) for seconds in (48.2, 620, 7500, None)] == [
        "48 s",
        "10 min",
        "2 h 05 min",
        "still running",
    ]
