"""What every page weighs and how long it takes, beside an empty Dash page; and a league of 10,000 competitors."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from dashboard.server import listen

pytestmark = [pytest.mark.bench, pytest.mark.slow, pytest.mark.timeout(1800)]

CHECKOUT = Path(__file__).parents[2]
BUDGET_COLD_S, BUDGET_WARM_S, BUDGET_ACT_MS = 1.0, 0.5, 150
RUNS = 3
MANY = 10_000
ROWS = ".ag-center-cols-container .ag-row"
PAGES = {
    # page: its address, what is visible when its content is there
    "leagues": ("/leagues", ".card"),
    "leaderboard of 320": ("/leaderboard?league=nations&show=all", ".drawing"),
    "caterpillar": ("/leaderboard?league=nations&view=caterpillar", ".main-svg"),
    "chances of ranks": ("/leaderboard?league=nations&view=ranks", ".main-svg"),
    "reshuffle": ("/leaderboard?league=nations&view=reshuffle", ".shuffle-row"),
    "competitor": ("/competitor?league=nations&competitor=t:1", ".stat"),
    "compare": ("/compare?league=nations&a=t:0&b=t:1", ".main-svg"),
    "forecasts": ("/forecasts?league=nations", ".block"),
    "what changed": ("/changes?league=nations", ".block"),
    "shrinkage": ("/shrinkage?league=nations", ".main-svg"),
    "fit check": ("/checks?league=nations", ROWS),
    "fit check: forecasts": ("/checks?league=nations&show=forecasts", ".main-svg"),
    "track record": ("/track-record?league=nations", ".block"),
    "data health": ("/data-health?league=nations", ".block"),
    "runs": ("/runs?league=nations", ".block"),
    "SQL": ("/sql?league=nations", "#sql-schema summary"),
    "about": ("/about?league=nations", ".facts-list"),
}
EMPTY = """
from dash import Dash, html
app = Dash(__name__)
app.layout = html.Div("empty", className="drawing")
app.server.run(port={port})
"""
SERVE = "import sys; from pathlib import Path; from store.home import Home; from dashboard.server import serve\n" \
        "serve(Home(Path(sys.argv[1])), port=int(sys.argv[2]))"  # fmt: skip
# The time until what is on screen has changed as asked, looked at in every frame.
UNTIL = """async () => {
    const seen = () => SEEN, start = performance.now(), before = seen();
    ACT;
    while (seen() === before && performance.now() - start < 20000) await new Promise(requestAnimationFrame);
    return performance.now() - start;
}"""
TYPE = """(() => {
    const field = document.querySelector('#leaderboard-search');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, 'WORDS');
    field.dispatchEvent(new Event('input', {bubbles: true}));
})()"""
CLICK = "document.querySelector('#leaderboard-grid .ag-header-cell[col-id=COLUMN] .ag-header-cell-label').click()"
SCROLL = """async () => {
    const view = document.querySelector('#leaderboard-grid .ag-body-viewport'), gaps = [];
    let last = performance.now();
    for (let k = 0; k < 90; k++) {
        view.scrollTop += 400;
        await new Promise(requestAnimationFrame);
        gaps.push(performance.now() - last);
        last = performance.now();
    }
    return gaps;
}"""
SHOWN = "document.querySelector('#leaderboard-shown').textContent"
TOP = "document.querySelector('#leaderboard-grid .ag-pinned-left-cols-container [row-index=\"0\"]')?.textContent"


@dataclass(frozen=True)
class Weighed:
    """Seconds until a page's content is visible, in a browser that knows nothing and again; kB over the wire."""

    cold: float
    warm: float
    all_kb: float
    own_kb: float


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


@pytest.fixture(scope="module")
def large(made: Any, up: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server over a home whose league has 10,000 teams."""
    home = made.made_home(tmp_path_factory.mktemp("large"), teams=MANY)
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(home.root), str(port)], cwd=CHECKOUT)
    try:
        yield up(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait()


def until_there(page: Page, address: str, content: str) -> float:
    """Seconds from asking for the page until its first content is visible."""
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(content).first.wait_for()
    return time.perf_counter() - start


def weighed(chromium: Browser, address: str, content: str, runs: int = RUNS) -> Weighed:
    """Medians over several browsers that know nothing, each visiting twice."""
    cold, warm, sizes = [], [], []
    for _ in range(runs):
        context = chromium.new_context()
        page = context.new_page()
        size = Sizes(context.new_cdp_session(page))
        cold.append(until_there(page, address, content))
        page.wait_for_load_state("networkidle")
        sizes.append((size.everything / 1000, size.own / 1000))
        warm.append(until_there(page, address, content))
        context.close()
    every, own = (statistics.median(column) for column in zip(*sizes, strict=True))
    return Weighed(statistics.median(cold), statistics.median(warm), every, own)


class Sizes:
    """Bytes that came over the wire: of everything, and of the answers that hold a page's own content."""

    def __init__(self, session: CDPSession) -> None:
        self.everything = self.own = 0
        self._urls: dict[str, str] = {}
        session.send("Network.enable")
        session.on(
            "Network.requestWillBeSent", lambda sent: self._urls.update({sent["requestId"]: sent["request"]["url"]})
        )
        session.on("Network.loadingFinished", self._came)

    def _sent(self, sent: dict[str, Any]) -> None:
        self._urls[sent["requestId"]] = sent["request"]["url"]

    def _came(self, ended: dict[str, Any]) -> None:
        size = int(ended["encodedDataLength"])
        self.everything += size
        self.own += size if "_dash-update-component" in self._urls.get(ended["requestId"], "") else 0


def test_every_page(chromium: Browser, site: str, empty: str, capsys: pytest.CaptureFixture[str]) -> None:
    weighed(chromium, f"{site}/leagues", ".card", 1)
    weighed(chromium, empty, ".drawing", 1)
    with capsys.disabled():
        print(f"\nbudgets: cold {BUDGET_COLD_S:g} s, warm {BUDGET_WARM_S:g} s")
        print(f"{'page':22} {'cold s':>7} {'budget':>7} {'empty':>6} {'warm s':>7} {'budget':>7} {'empty':>6}"
              f" {'all kB':>7} {'own kB':>7}")  # fmt: skip
        for name, (
            path,
            content,
        ) in PAGES.items():  # the machine is not the same all the time: each beside an empty one
            one, least = weighed(chromium, site + path, content), weighed(chromium, empty, ".drawing")
            print(f"{name:22} {one.cold:7.2f} {one.cold / BUDGET_COLD_S:7.2f} {one.cold / least.cold:6.2f} "
                  f"{one.warm:7.2f} {one.warm / BUDGET_WARM_S:7.2f} {one.warm / least.warm:6.2f} {one.all_kb:7.0f} "
                  f"{one.own_kb:7.1f}")  # fmt: skip


def test_ten_thousand_competitors(chromium: Browser, large: str, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"{large}/leaderboard?league=nations&show=all"
    all_of_them = weighed(chromium, address, ".drawing", 3)
    ranked = weighed(chromium, f"{large}/leaderboard?league=nations", ".drawing", 3)
    shrunk = weighed(chromium, f"{large}/shrinkage?league=nations", ".main-svg", 3)
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    until_there(page, address, ".drawing")
    page.wait_for_load_state("networkidle")
    searched, sorted_ = [], []
    for words in ("nations 77", "nations 7", "", "nations 9999", ""):
        searched.append(page.evaluate(UNTIL.replace("SEEN", SHOWN).replace("ACT", TYPE.replace("WORDS", words))))
    for column in ("games", "rating", "name", "rank"):
        sorted_.append(page.evaluate(UNTIL.replace("SEEN", TOP).replace("ACT", CLICK.replace("COLUMN", column))))
    gaps = page.evaluate(SCROLL)
    page.close()
    with capsys.disabled():
        print(f"\n{MANY:,} competitors: cold, warm in s; kB of its own")
        for name, one in (("all", all_of_them), ("the ranked", ranked), ("shrinkage", shrunk)):
            print(f"  {name:10} {one.cold:6.2f} {one.warm:6.2f} {one.own_kb:8.0f}")
        for name, values in (("search", searched), ("sort", sorted_)):
            said = " ".join(f"{value:.0f}" for value in values)
            print(f"  {name}: {said} ms; median {statistics.median(values) / BUDGET_ACT_MS:.2f} of {BUDGET_ACT_MS} ms")
        late = sorted(gaps)
        print(f"  scroll: a frame every {statistics.median(gaps):.0f} ms, one in twenty {late[-len(late) // 20]:.0f}, "
              f"the slowest {late[-1]:.0f}")  # fmt: skip
