"""The handbook in a real Chromium: drawn under the content policy, links to headings, no wider than a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from dashboard import handbook

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_is_drawn_and_fits_the_window(page: Page, width: int, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    for name in (handbook.FIRST, *handbook.names()):
        page.goto(handbook.address(name))
        expect(page.locator(".markdown p").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


def test_a_link_to_a_heading_of_another_page_brings_it_into_sight(page: Page) -> None:
    page.goto("/handbook/rejected")
    page.get_by_role("link", name="refused").click()
    expect(page).to_have_url(re.compile("/handbook/operations#when-a-night-fails$"))
    expect(page.get_by_role("heading", name="When a night fails")).to_be_in_viewport()


def test_the_fit_check_leads_to_what_to_do_and_stays_with_the_league(page: Page) -> None:
    page.goto("/checks?league=nations")
    page.get_by_text("How to read this").click()
    page.get_by_role("link", name="Why is my fit rejected?").click()
    expect(page.get_by_role("heading", name="Why is my fit rejected?")).to_be_visible()
    expect(page).to_have_title("Why is my fit rejected? · Handbook · Pooltable")
    page.get_by_role("link", name="Leaderboard").click()
    expect(page.locator("#leaderboard-grid .drawing").first).to_be_visible()


def test_the_dictionary_is_searched(page: Page) -> None:
    page.goto("/handbook/dictionary")
    rows = page.locator("#dictionary .ag-center-cols-container .ag-row")
    expect(rows.first).to_be_visible()
    page.locator("#dictionary .ag-floating-filter-input input").nth(1).fill("leaderboard.rank_low")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("leaderboard.rank_low")
