"""The dashboard as its reader uses it, in a real Chromium under the real content policy."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

ROWS = "#leaderboard-grid .ag-pinned-left-cols-container .ag-row"


def board(page: Page, query: str = "") -> None:
    """Opens the leaderboard of the nations and waits until the bars are drawn."""
    page.goto(f"/leaderboard?league=nations{query}")
    expect(page.locator("#leaderboard-grid .drawing").first).to_be_visible()


def column(page: Page, name: str) -> list[str]:
    """Texts of the rows on screen in one column, from the top."""
    return page.evaluate(
        """(name) => [...document.querySelectorAll(`#leaderboard-grid .ag-row [col-id=${name}]`)]
            .map((cell) => [Number(cell.closest('.ag-row').getAttribute('row-index')), cell.textContent.trim()])
            .sort((a, b) => a[0] - b[0]).map((pair) => pair[1])""",
        name,
    )


def sort_by(page: Page, name: str) -> None:
    page.locator(f"#leaderboard-grid .ag-header-cell[col-id={name}]").click()


def test_the_top_team_is_first_with_its_bar_and_interval(page: Page) -> None:
    board(page)
    top = page.locator(ROWS).first
    expect(top).to_contain_text("Nations 1")
    expect(top.locator("[col-id=rank]")).to_have_text("1")
    bar = page.locator("#leaderboard-grid .drawing").first
    assert (bar.get_attribute("aria-label") or "").startswith("Nations 1: rating +")
    expect(bar.locator(".most, .half, .mean, .alone")).to_have_count(4)
    expect(page.locator("#leaderboard-shown")).to_contain_text("of 320")


def test_sorting_orders_the_rows_and_goes_into_the_address(page: Page) -> None:
    board(page)
    sort_by(page, "games")
    expect(page).to_have_url(re.compile("sort=games-desc"))
    games = [int(text.replace(",", "")) for text in column(page, "games")]
    assert len(games) > 10 and games == sorted(games, reverse=True) and games[0] > games[-1]
    page.reload()
    expect(page.locator("#leaderboard-grid .drawing").first).to_be_visible()
    assert [int(text.replace(",", "")) for text in column(page, "games")] == games


@pytest.mark.slow
def test_the_unranked_stay_below_whichever_way_ranks_are_sorted(page: Page) -> None:
    board(page, "&show=all")
    for direction in ("ascending", "descending"):
        sort_by(page, "rank")
        expect(page.locator(".ag-header-cell[col-id=rank]")).to_have_attribute("aria-sort", direction)
        first = page.locator(f"{ROWS}[row-index='0'] [col-id=rank]")
        expect(first).to_have_text("1" if direction == "ascending" else re.compile(r"^2\d\d$"))


def test_searching_finds_without_accents_and_goes_into_the_address(page: Page) -> None:
    board(page)
    page.get_by_placeholder("Find a team").fill("CURACAO")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(ROWS)).to_contain_text("Curaçao")
    expect(page).to_have_url(re.compile("q=CURACAO"))
    page.get_by_placeholder("Find a team").fill("nobody at all")
    expect(page.get_by_text("Nobody matches.")).to_be_visible()


def test_a_team_called_like_an_attack_is_only_text(page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a name was run: {dialog.message}"))
    board(page)
    expect(page.locator(ROWS).nth(2)).to_contain_text("<img src=x onerror=alert(1)>")
    page.goto("/leagues")
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    page.goto("/shrinkage?league=nations")
    expect(page.locator("#games-figure .point").first).to_be_attached()
    assert page.locator("img[src=x]").count() == 0


def test_the_csv_is_what_is_shown_and_a_spreadsheet_runs_nothing(page: Page, tmp_path: Path) -> None:
    board(page)
    rows = download(page, tmp_path)
    shown = int((page.locator("#leaderboard-shown").text_content() or "").split(" ")[0])
    assert len(rows) == shown and {row["status"] for row in rows} == {"ranked"}
    assert [row["name"] for row in rows[:2]] == ["Nations 1", "Nations 2"]
    assert rows[3]["name"] == "'=cmd()|' /C calc'!A0" and rows[4]["name"] == 'Curaçao, "the" team'
    page.get_by_placeholder("Find a team").fill("curacao")
    expect(page.locator(ROWS)).to_have_count(1)
    assert [row["name"] for row in download(page, tmp_path)] == ['Curaçao, "the" team']


def download(page: Page, folder: Path) -> list[dict[str, str]]:
    with page.expect_download() as started:
        page.get_by_role("button", name="Download CSV").click()
    path = folder / started.value.suggested_filename
    assert path.name == "pooltable-nations-team-2024-01-01.csv"
    started.value.save_as(path)
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_screen_file_and_sql_agree(
    page: Page, tmp_path: Path, made: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    board(page, "&show=all")
    rows = download(page, tmp_path)
    edition = next(tmp_path_factory.getbasetemp().glob("browser*/editions/.serving/*.duckdb"))
    with duckdb.connect(str(edition), read_only=True) as con:
        wanted = con.execute(
            "SELECT competitor_id, round(rating, 4), round(q95, 4), rank FROM leaderboard WHERE league = 'nations'"
            " ORDER BY rank NULLS LAST, rating DESC, competitor_id"
        ).fetchall()
    assert len(rows) == len(wanted) == 320
    for row, (competitor, rating, q95, rank) in zip(rows, wanted, strict=True):
        assert row["competitor_id"] == competitor and row["rank"] == ("" if rank is None else str(rank))
        assert float(row["rating"]) == pytest.approx(rating) and float(row["q95"]) == pytest.approx(q95)
    on_screen = [text.replace("−", "-") for text in column(page, "rating")]
    assert on_screen[:5] == [f"{float(row['rating']):+.2f}" for row in rows[:5]]


@pytest.mark.slow
def test_the_shrinkage_page_draws_every_figure(page: Page) -> None:
    board(page)
    page.get_by_role("link", name="Shrinkage").click()
    expect(page.locator("#pooled-figure .point").first).to_be_attached()
    expect(page.locator("#pooled-figure .point")).to_have_count(319)
    expect(page.locator("#games-figure .point")).to_have_count(320)
    page.locator("header .menu summary").click()
    page.locator("header .menu-item", has_text="Simulated cup").click()
    expect(page.locator("#truth-figure .point").first).to_be_attached()
    expect(page.get_by_role("heading", name="Simulated cup")).to_contain_text("simulated")


@pytest.mark.slow
def test_the_fit_check_says_the_verdict_and_offers_the_rejected_fit(page: Page) -> None:
    board(page)
    page.get_by_role("link", name="See that fit").click()
    expect(page.locator(".verdict")).to_contain_text("Rejected")
    expect(page.locator(".verdict")).to_contain_text("R-hat of the scale of attack is 1.04")
    expect(page.locator("#fit-checks .light-fail")).to_have_count(1)
    expect(page.locator("#predictive-checks .drawing").first).to_be_visible()
    expect(page.locator("#poolings .drawing")).to_have_count(4)
    expect(page.locator("#hyperparameters .ag-row").first).to_be_visible()
    page.locator("#fit-menu summary").click()
    page.locator("#fit-menu .menu-item", has_text="published").click()
    expect(page.locator(".verdict")).to_contain_text("Accepted")


def test_the_theme_is_switched_and_remembered(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    board(page)
    ground = "getComputedStyle(document.body).backgroundColor"
    cell = "getComputedStyle(document.querySelector('#leaderboard-grid .ag-row')).backgroundColor"
    light, light_cell = page.evaluate(ground), page.evaluate(cell)
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(ground) != light and page.evaluate(cell) != light_cell
    page.reload()
    expect(page.locator("#leaderboard-grid .drawing").first).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark" and page.evaluate(ground) != light


OFTEN = ["/leaderboard?league=cup", "/competitor?league=cup&competitor=t:1", "/checks?league=cup"]
SELDOM = [
    "/leagues",
    "/shrinkage?league=cup",
    "/compare?league=cup&a=t:1&b=t:2",
    "/forecasts?league=cup",
    "/track-record?league=cup",
    "/sql?league=cup",
    "/changes?league=nations",
    "/data-health?league=cup",
    "/runs?league=cup",
    "/about?league=cup",
    "/leaderboard?league=cup&view=caterpillar",
    "/leaderboard?league=cup&view=ranks",
    "/leaderboard?league=cup&view=reshuffle",
    "/checks?league=cup&show=forecasts",
    "/checks?league=cup&show=remains",
]


@pytest.mark.slow
def test_paper_has_every_row_of_a_table_that_scrolls(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    board(page, "&show=all")
    drawn = "document.querySelectorAll('#leaderboard-grid .ag-center-cols-container .ag-row .drawing').length"
    height = "document.querySelector('#leaderboard-grid').clientHeight"
    before = page.evaluate(height)
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {drawn}; }})")
    page.pdf()
    assert page.evaluate("window.printed") == 320
    expect(page.locator("#leaderboard-grid .ag-layout-print")).to_have_count(0)
    assert page.evaluate(drawn) < 100 and page.evaluate(height) == before
    expect(page.locator("#leaderboard-grid .ag-header-cell[col-id=status]")).to_have_count(0)  # beyond what is in sight
    page.emulate_media(media="print", color_scheme="dark")
    assert (
        page.evaluate("getComputedStyle(document.body).color") == "rgb(28, 33, 40)"
    )  # dark on paper, whatever the screen is


@pytest.mark.parametrize("width", [390, pytest.param(2560, marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", [*OFTEN, *(pytest.param(path, marks=pytest.mark.slow) for path in SELDOM)])
def test_no_page_is_wider_than_its_window(page: Page, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path)
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_the_tabs_that_are_open_are_in_the_window(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto("/leaderboard?league=nations&view=reshuffle")
    expect(page.locator(".tabs.kinds .tab.active")).to_have_text("Reshuffle")
    expect(page.locator(".tabs.kinds .tab.active")).to_be_in_viewport(ratio=0.95)
    page.get_by_role("link", name="Table", exact=True).click()
    expect(page.locator(".tabs.kinds .tab.active")).to_have_text("Table")
    expect(page.locator(".tabs.kinds .tab.active")).to_be_in_viewport(ratio=0.95)
    page.goto("/checks?league=nations")
    expect(page.locator(".header .tab.active")).to_be_in_viewport(ratio=0.95)


@pytest.mark.slow
def test_the_keyboard_reaches_the_content_and_the_menus(page: Page) -> None:
    board(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("header .menu summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("header .menu-items")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("header .menu-items")).to_be_hidden()


@pytest.mark.slow
def test_states_are_pages_too(page: Page) -> None:
    page.goto("/leaderboard?league=waiting")
    expect(page.get_by_role("heading", name="Not rated yet")).to_be_visible()
    page.goto("/leaderboard?league=atlantis")
    expect(page.get_by_text("No league called “atlantis” here")).to_be_visible()
    page.goto("/no/such/page")
    expect(page.get_by_role("heading", name="No such page")).to_be_visible()


def test_a_name_leads_to_its_page_and_on_to_a_comparison(page: Page) -> None:
    board(page)
    page.get_by_role("link", name="Nations 2", exact=True).click()
    expect(page.get_by_role("heading", name="Nations 2")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/competitor\?league=nations&competitor=t%3A1"))
    expect(page.locator("#history-figure .bars .point").first).to_be_attached()
    page.get_by_role("link", name="Compare", exact=True).last.click()
    page.locator("#compare-who").click()
    page.get_by_text("Nations 1", exact=True).last.click()
    expect(page).to_have_url(re.compile("a=t%3A1.*b=t%3A0"))
    expect(page.locator("#posteriors-figure .scatterlayer .trace")).to_have_count(2)
    expect(page.locator("#pairs .ag-row").first).to_contain_text("%")


@pytest.mark.slow
def test_six_are_compared_in_one_window_and_a_seventh_is_refused(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/compare?league=nations&" + "&".join(f"{place}=t:{k}" for k, place in enumerate("abcdef")))
    expect(page.locator("#pairs .ag-row")).to_have_count(6)
    held = page.locator("#pairs .ag-center-cols-viewport")
    assert held.evaluate("(one) => one.scrollWidth - one.clientWidth") == 0
    page.locator("#compare-who").click()
    page.get_by_placeholder("Search").last.fill("Nations 8")
    page.get_by_text("Nations 8", exact=True).last.click()
    expect(page.locator("#compare-said")).to_have_text("Six at most: take one out first.")
    expect(page.locator("#compare-who")).not_to_contain_text("Nations 8")


def test_a_press_puts_the_table_in_the_order_of_one_joint_draw(page: Page) -> None:
    page.goto("/leaderboard?league=nations&view=reshuffle")
    rows = page.locator("#shuffle-list .shuffle-row")
    expect(rows).to_have_count(30)
    values = "[...document.querySelectorAll('.shuffle-row')].map((row) => [row.style.transform, row.innerText])"
    before = page.evaluate(values)
    told = [float(words.split()[-1].replace("−", "-")) for _, words in before]
    assert told == sorted(told, reverse=True)  # as in the table: by the mean of all draws, not of those that are sent
    page.get_by_role("button", name="Reshuffle").click()
    expect(page.locator("#reshuffle-said")).to_contain_text("of 200; first of those shown: ")
    after = page.evaluate(values)
    assert before != after and sorted(place for place, _ in before) == sorted(place for place, _ in after)
    by_place = sorted(after, key=lambda row: int(re.sub(r"\D", "", row[0])))
    shown = [float(words.split()[-1].replace("−", "-")) for _, words in by_place]
    assert shown == sorted(shown, reverse=True)


def test_a_chosen_number_of_places_gets_its_column_and_its_address(page: Page) -> None:
    board(page)
    page.locator("#leaderboard-k").fill("7")
    page.locator("#leaderboard-k").press("Enter")
    expect(page.get_by_text("P(top 7)").first).to_be_visible()
    expect(page).to_have_url(re.compile("k=7"))


@pytest.mark.slow
def test_an_open_page_says_when_there_are_new_ratings(page: Page) -> None:
    board(page)
    look = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(look)
    page.wait_for_load_state("networkidle")
    assert page.locator("#new-edition").count() == 0
    page.route("**/edition", lambda route: route.fulfill(body="ratings-of-tomorrow"))
    page.evaluate(look)
    expect(page.get_by_role("button", name="New ratings: reload")).to_be_visible()


def test_the_console_completes_asks_draws_and_remembers(page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a name was run: {dialog.message}"))
    page.goto("/sql?league=nations")
    text = page.locator("#sql-text")
    expect(page.locator("#sql-schema summary", has_text="leaderboard").first).to_be_visible()
    text.fill("SELECT name, rating FROM leaderboa")
    text.press("End")
    text.press_sequentially("r")
    expect(page.locator("#sql-names .chosen")).to_have_text("leaderboard")
    text.press("Tab")
    expect(text).to_have_value("SELECT name, rating FROM leaderboard")
    text.press_sequentially(" WHERE league = $league AND rank <= $n ORDER BY rank")
    page.get_by_label("Value of n").fill("5")
    text.press("Control+Enter")
    expect(page.locator("#sql-said")).to_contain_text("5 rows")
    expect(page.locator("#sql-grid .ag-row").nth(2)).to_contain_text("<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Plot").click()
    expect(page.locator("#sql-figure .bars .point")).to_have_count(5)
    with page.expect_download() as picture:
        page.get_by_role("button", name="Save the figure as SVG").click()
    drawing = Path(picture.value.path()).read_text()
    assert all(words in drawing for words in ("rating by name", "Nations as of 1 Jan 2024", "edition ratings-"))
    assert page.locator("img[src=x]").count() == 0
    page.reload()
    expect(page.locator("#sql-said")).to_contain_text("5 rows")
    page.locator("summary", has_text="Asked before").click()
    expect(page.locator("#sql-history")).to_contain_text("SELECT name, rating FROM leaderboard")
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV", exact=True).click()
    assert len(Path(started.value.path()).read_text().splitlines()) == 6


@pytest.mark.slow
def test_a_query_that_fails_leaves_no_rows_of_the_one_before(chromium: Browser, site: str) -> None:
    page = chromium.new_page(base_url=site)  # which the refusal may complain in
    page.goto("/sql?league=nations&sql=SELECT+1+AS+one")
    expect(page.locator("#sql-said")).to_contain_text("1 row in")
    expect(page.locator("#sql-grid .ag-center-cols-container .ag-row")).to_have_count(1)
    page.locator("#sql-text").fill("SELECT nothing FROM nowhere")
    page.locator("#sql-text").press("Control+Enter")
    expect(page.locator("#sql-error")).to_contain_text("nowhere")
    expect(page.locator("#sql-grid .ag-center-cols-container .ag-row")).to_have_count(0)
    page.close()


def test_somebody_is_found_across_leagues(page: Page) -> None:
    page.goto("/leagues")
    page.get_by_placeholder("Find a team or a player in any league").fill("curacao")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name='Curaçao, "the" team', exact=True).last.click()
    expect(page.get_by_role("heading", name='Curaçao, "the" team')).to_be_visible()
