"""How long the leaderboard page takes, beside an empty Dash page of the same server software in the same browser."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from dashboard.server import listen

pytestmark = pytest.mark.bench

BUDGET_COLD_S, BUDGET_WARM_S = 1.0, 0.5
EMPTY = """
from dash import Dash, html
app = Dash(__name__)
app.layout = html.Div("empty", className="drawing")
app.server.run(port={port})
"""


@pytest.fixture(scope="module")
def empty() -> Iterator[str]:
    """Address of an empty Dash page."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", EMPTY.format(port=port)], stderr=subprocess.DEVNULL)
    time.sleep(4)
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait()


def until_drawn(page: Page, address: str) -> float:
    """Seconds from asking for the page until its first content is visible."""
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(".drawing").first.wait_for()
    return time.perf_counter() - start


def cold_and_warm(chromium: Browser, address: str, runs: int = 5) -> tuple[float, float]:
    """Median seconds in a browser that knows nothing, and of the second visit."""
    cold, warm = [], []
    for _ in range(runs):
        context = chromium.new_context()
        page = context.new_page()
        cold.append(until_drawn(page, address))
        warm.append(until_drawn(page, address))
        context.close()
    return statistics.median(cold), statistics.median(warm)


def test_leaderboard(chromium: Browser, site: str, empty: str, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"{site}/leaderboard?league=nations"
    cold_and_warm(chromium, address, 1)
    ours, theirs = cold_and_warm(chromium, address), cold_and_warm(chromium, empty)
    with capsys.disabled():
        print()
        for name, mine, least, budget in zip(
            ("cold", "warm"), ours, theirs, (BUDGET_COLD_S, BUDGET_WARM_S), strict=True
        ):
            share = f"budget {budget:g} s ({mine / budget:.2f} of it)"
            print(f"leaderboard of 320, {name}: {mine:.2f} s, {share}; an empty Dash page {least:.2f} s")
