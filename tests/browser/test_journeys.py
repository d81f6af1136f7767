"""Eight things that people come for, each from its beginning to its end, in a real Chromium."""

import csv
import json
import re
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from store.edition import publish
from store.home import Home
from store.warehouse import writing

pytestmark = pytest.mark.browser

ROWS = "#leaderboard-grid .ag-pinned-left-cols-container .ag-row"


def drawn(page: Page) -> None:
    expect(page.locator("#leaderboard-grid .drawing").first).to_be_visible()


def test_finding_a_team_among_hundreds(page: Page) -> None:
    page.goto("/leagues")
    page.get_by_role("link", name=re.compile("^Nations ")).click()
    drawn(page)
    page.get_by_placeholder("Find a team").press_sequentially("nations 217")
    expect(page.locator(ROWS)).to_have_count(1)
    page.locator(ROWS).get_by_role("link", name="Nations 217").click()
    expect(page.get_by_role("heading", name="Nations 217")).to_be_visible()
    expect(page).to_have_url(re.compile(r"competitor=t%3A216"))


@pytest.mark.slow
def test_finding_a_player_among_thousands(
    page: Page, made: Any, served: Callable[[Home], AbstractContextManager[str]], tmp_path: Path
) -> None:
    """Also one who is not ranked, of so many that at first only the ranked are sent."""
    tour = made.Made("tour", "Tour", 6000, False, 6, "player")
    home = Home(tmp_path)
    with writing(home) as con:
        made.add_league(con, tour, made.NOW)
        made.add_fit(con, home, tour, "tour-good", made.NOW - timedelta(hours=2))
    publish(home, ["tour"], made.NOW)
    with served(home) as address:
        page.goto(f"{address}/leaderboard?league=tour")
        drawn(page)
        page.get_by_placeholder("Find a player").press_sequentially("tour 5472")  # every ninth is inactive
        expect(page.get_by_text("Nobody matches. The switch above")).to_be_visible()
        page.get_by_text("inactive and provisional").click()
        expect(page.locator(ROWS)).to_have_count(1)
        expect(page).to_have_url(re.compile("show=all"))
        page.locator(ROWS).get_by_role("link", name="Tour 5472").click()
        expect(page.get_by_role("heading", name="Tour 5472")).to_be_visible()


@pytest.mark.slow
def test_why_one_is_above_another(page: Page) -> None:
    page.goto("/compare?league=nations&a=t:0&b=t:1")
    expect(page.locator("#posteriors-figure .scatterlayer .trace")).to_have_count(2)
    said = page.locator("#pairs .ag-row").first
    expect(said).to_contain_text("Nations 1")
    shown = int(re.findall(r"(\d+) %", said.inner_text())[0])
    asked = {"sql": "SELECT probability FROM compare('nations', ['t:0', 't:1']) WHERE a_id = 't:0'"}
    answer = page.request.post("/api/sql", data=asked).json()
    assert shown == round(100 * answer["rows"][0]["probability"])


@pytest.mark.slow
def test_whether_a_fit_is_to_be_trusted(page: Page) -> None:
    page.goto("/leaderboard?league=nations")
    page.get_by_role("link", name="See that fit").click()
    expect(page.locator(".verdict")).to_contain_text("Rejected")
    page.locator("#fit-menu summary").click()
    page.locator("#fit-menu .menu-item", has_text="published").click()
    expect(page.locator(".verdict")).to_contain_text("Accepted")
    page.get_by_role("link", name="Forecasts").last.click()
    expect(page.locator("#calibration-figure .point").first).to_be_attached()
    page.get_by_role("link", name="about this league").click()
    expect(page.get_by_text("CC0")).to_be_visible()


@pytest.mark.slow
def test_what_changed(page: Page) -> None:
    page.goto("/leaderboard?league=nations")
    page.get_by_role("link", name="What changed").click()
    expect(page.get_by_role("heading", name="Nations")).to_be_visible()
    feed = page.request.get("/feeds/nations.json")
    assert feed.ok and feed.json()["items"]


def test_a_shared_link_shows_the_same(page: Page) -> None:
    page.goto("/leaderboard?league=nations")
    drawn(page)
    page.locator("#leaderboard-group summary").click()
    page.locator("#leaderboard-group .menu-item", has_text="side: North").click()
    expect(page).to_have_url(re.compile("group=side"))
    expect(page.locator("#leaderboard-group summary")).to_have_text("side: North")
    shown_of = page.locator("#leaderboard-shown")
    expect(shown_of).to_contain_text("of 160")
    page.locator("#leaderboard-games").fill("20")
    page.locator("#leaderboard-games").press("Enter")
    expect(page).to_have_url(re.compile("games=20"))
    expect(shown_of).to_have_text(re.compile(r"of \d\d$"))
    drawn(page)
    page.locator("#leaderboard-grid .ag-header-cell[col-id=games]").click()
    expect(page).to_have_url(re.compile("sort=games-desc"))
    top = page.locator(f"{ROWS}[row-index='0']")
    expect(top).to_contain_text("Nations 107")  # also where the page with the fewer teams arrives after the sorting
    shown, count = in_order(page), page.locator("#leaderboard-shown").inner_text()
    page.goto(page.url)
    drawn(page)
    expect(page.locator("#leaderboard-shown")).to_have_text(count)
    expect(top).to_have_text(shown[0].replace("\n", ""))
    assert in_order(page) == shown and int(count.split(" ")[-1]) < 160


def in_order(page: Page) -> list[str]:
    """The texts of the first ten rows as they stand on the screen: in the page they stand as they were made."""
    return [page.locator(f"{ROWS}[row-index='{place}']").inner_text() for place in range(10)]


@pytest.mark.slow
def test_downloads_say_what_is_on_the_screen(page: Page, tmp_path: Path) -> None:
    """Screen, CSV, the SQL of the view and a picture, of the same narrowed leaderboard."""
    page.goto("/leaderboard?league=nations&group=side%3A+South&games=10&show=all")
    drawn(page)
    with page.expect_download() as started:
        page.get_by_role("button", name="Download CSV").click()
    started.value.save_as(tmp_path / "board.csv")
    rows = list(csv.DictReader((tmp_path / "board.csv").read_text(encoding="utf-8-sig").splitlines()))
    page.locator(".sources summary").click()
    told = page.request.get(
        page.locator(".sources").get_by_role("link", name="JSON").get_attribute("href") or ""
    ).json()
    assert [row["competitor_id"] for row in rows] == [row["competitor_id"] for row in told["rows"]] and len(rows) > 50
    assert all(int(row["games"]) >= 10 for row in rows)
    first = page.locator("#leaderboard-grid .ag-center-cols-container .ag-row").first.locator("[col-id=rating]")
    assert first.inner_text().replace("−", "-") == f"{told['rows'][0]['rating']:+.2f}"
    picture(page, tmp_path)


def picture(page: Page, folder: Path) -> None:
    page.goto("/shrinkage?league=cup")
    expect(page.locator("#pooled-figure .point").first).to_be_attached()
    for form in ("PNG", "SVG"):
        with page.expect_download() as started:
            page.get_by_role("button", name=f"Save “Pulled towards the middle” as {form}").click()
        started.value.save_as(folder / f"figure.{form.lower()}")
    dots = (folder / "figure.png").read_bytes()
    width, height = struct.unpack(">II", dots[16:24])
    assert dots.startswith(b"\x89PNG") and width > 600 and height > 600  # twice as fine as on the screen
    drawing = (folder / "figure.svg").read_text()
    for words in (
        "Pulled towards the middle",
        "Simulated cup as of 1 Jan 2024",
        "edition ratings-",
        "simulated results",
    ):
        assert words in drawing


@pytest.mark.slow
def test_a_question_too_long_for_an_address_is_answered(page: Page) -> None:
    page.goto("/sql?league=nations")
    expect(page.locator("#sql-schema summary", has_text="leaderboard").first).to_be_visible()
    long = " -- " + "a remark " * 1500 + "\nSELECT count(*) AS teams FROM leaderboard WHERE league = $league"
    page.locator("#sql-text").fill(long)
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#sql-said")).to_contain_text("1 row in")
    expect(page.locator("#sql-grid .ag-row").first).to_contain_text("320")


def test_reading_it_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/leaderboard?league=nations")
    drawn(page)
    rows: Any = page.evaluate(
        """() => [...document.querySelectorAll('#leaderboard-grid .ag-cell.name')].map((cell) => {
            const link = cell.querySelector('.cell-link').getBoundingClientRect(), box = cell.getBoundingClientRect();
            return [link.top - box.top, box.bottom - link.bottom];
        })"""
    )
    assert len(rows) > 5 and min(min(pair) for pair in rows) >= 0, json.dumps(rows)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(ROWS).first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Nations 1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
