"""By keyboard alone, and by ear: every control is reached with a focus that is seen, and has a name."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = [
    "/leagues?q=nations",
    "/leaderboard?league=nations",
    "/leaderboard?league=nations&view=caterpillar",
    "/leaderboard?league=nations&view=reshuffle",
    "/competitor?league=nations&competitor=t:1",
    "/compare?league=nations&a=t:0&b=t:1",
    "/forecasts?league=nations",
    "/changes?league=nations",
    "/shrinkage?league=cup",
    "/checks?league=nations",
    "/checks?league=nations&show=forecasts",
    "/track-record?league=nations",
    "/data-health?league=nations",
    "/runs?league=nations",
    "/sql?league=nations&sql=SELECT+name,+rating+FROM+leaderboard+LIMIT+$n&n=3",
    "/about?league=nations",
]
MOST_STOPS = 260
# Of the controls outside of tables, each visible one gets a number; tables have keys of their own, from one stop.
NUMBERED = """() => {
    const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]');
    const isThere = (one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.tabIndex >= 0
        && !one.closest('.ag-root-wrapper, .js-plotly-plot, [aria-hidden=true]')
        && one.getBoundingClientRect().width > 0;
    const seen = [...all].filter(isThere);
    seen.forEach((one, number) => { one.dataset.number = number; });
    return seen.map((one) => one.outerHTML.slice(0, 90));
}"""
FOCUSED = """() => {
    const one = document.activeElement, around = one.closest('.dash-dropdown, .dash-input-container, .switch') || one;
    const isDrawn = (style) => style.boxShadow !== 'none'
        || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0);
    const isSeen = [one, around].some((each) => isDrawn(getComputedStyle(each))) || one.closest('.ag-root-wrapper');
    return one === document.body ? null : [one.dataset.number ?? '', Boolean(isSeen), one.outerHTML.slice(0, 90)];
}"""
NAMELESS = """() => {
    const isNamed = (one) => one.labels?.length || one.getAttribute('aria-label')
        || one.getAttribute('aria-labelledby') || one.textContent.trim() || one.title;
    const controls = [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
        .filter((one) => one.checkVisibility() && !one.closest('.ag-root-wrapper, .modebar') && one.type !== 'hidden'
            && !one.closest('[aria-hidden=true]'));
    const drawn = [...document.querySelectorAll('svg.drawing, [role=img], [role=region]')];
    const figures = [...document.querySelectorAll('.figure')].map((one) => one.closest('[aria-label]') || one);
    return [...controls, ...drawn, ...figures].filter((one) => !isNamed(one)).map((one) => one.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("path", PAGES)
def test_every_control_is_reached_and_has_a_name(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate(NAMELESS) == []
    controls, reached, unseen = page.evaluate(NUMBERED), set[str](), []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None:
            break
        number, is_seen, said = found
        reached.add(number)
        unseen += [] if is_seen else [said]
    assert unseen == []
    assert [said for number, said in enumerate(controls) if str(number) not in reached] == []


def test_a_table_is_walked_with_arrows_and_left_with_tab(page: Page) -> None:
    page.goto("/leaderboard?league=nations")
    expect(page.locator("#leaderboard-grid .drawing").first).to_be_visible()
    page.locator("#leaderboard-grid .ag-row [col-id=rank]").first.click()
    page.keyboard.press("Tab")
    expect(page.locator(".guide summary").first).to_be_focused()
    page.locator("#leaderboard-grid .ag-row [col-id=rank]").first.click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nations 2")).to_be_visible()
