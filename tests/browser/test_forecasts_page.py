"""The page Forecasts in a real Chromium: what of a game to come is seen on a phone, and on a screen."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from store.edition import publish
from store.home import Home
from store.warehouse import writing

pytestmark = pytest.mark.browser

type Served = Callable[[Home], AbstractContextManager[str]]
SAID = """
INSERT INTO forecast BY NAME SELECT 'nations' AS league, 'f' AS fit_id, 'g' || n AS game_id,
    TIMESTAMP '2024-01-10' AS made_at_utc, DATE '2024-01-01' AS as_of, DATE '2024-01-12' AS played_on,
    '2023' AS season, 't:1' AS first, 't:2' AS second, 'Wolverhampton Wanderers FC' AS first_name,
    'Another of a long name' AS second_name, true AS is_first_home, 0.5 AS win, 0.3 AS draw, 0.2 AS loss,
    0.4 AS win_low, 0.6 AS win_high, 0.1 AS loss_low, 0.3 AS loss_high, 1.6 AS expected_first, 0.9 AS expected_second,
    0.7 AS expected_margin, -1 AS margin_q5, 0 AS margin_q25, 1 AS margin_q75, 3 AS margin_q95,
    [{'first': 1, 'second': 0, 'chance': 0.141}] AS likely_scores FROM range(3) t(n)
"""


@pytest.fixture(scope="module")
def foretold(made: Any, served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server over a small home with three games to come."""
    home = made.made_home(tmp_path_factory.mktemp("foretold"), teams=12)
    with writing(home) as con:
        con.execute(SAID)
    publish(home, made.LEAGUES, made.NOW + timedelta(minutes=1))
    with served(home) as address:
        yield address


@pytest.mark.parametrize(("width", "first"), [(390, ["Home", "Away", "Chances"]), (1280, ["Day", "Home", "Away"])])
def test_the_chances_of_a_game_are_in_the_window(chromium: Browser, foretold: str, width: int, first: list) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{foretold}/forecasts?league=nations")
    bar = page.locator("#forecasts .ag-cell .drawing").first
    for number, title in enumerate(first, start=1):
        expect(page.locator(f"#forecasts .ag-header-cell[aria-colindex='{number}']")).to_contain_text(title)
    box = bar.bounding_box()
    assert box is not None
    assert box["x"] > 0
    assert box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight).length"
    assert page.locator("#forecasts .ag-cell.name").evaluate_all(cut) == 0
    page.close()
