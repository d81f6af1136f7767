"""What every page weighs and how long it takes, beside an empty Dash page; and a league of 10,000 competitors."""

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from bench_report import Report, sized
from dashboard.server import listen
from store.edition import publish
from store.home import Home
from store.warehouse import writing

pytestmark = [pytest.mark.bench, pytest.mark.slow, pytest.mark.timeout(1800)]

type Served = Callable[[Home], AbstractContextManager[str]]
BUDGET_COLD_S, BUDGET_WARM_S, BUDGET_ACT_MS = 1.0, 0.5, 150
RUNS = sized(3, 1)
MANY = sized(10_000, 2_000)
ROWS = ".ag-center-cols-container .ag-row"
PAGES = {
    # page: its address, what is visible when its content is there
    "leagues": ("/leagues", ".card"),
    "leaderboard of 500": ("/leaderboard?league=nations&show=all", ".drawing"),
    "caterpillar": ("/leaderboard?league=nations&view=caterpillar", ".main-svg"),
    "chances of ranks": ("/leaderboard?league=nations&view=ranks", ".main-svg"),
    "reshuffle": ("/leaderboard?league=nations&view=reshuffle", ".shuffle-row"),
    "competitor": ("/competitor?league=nations&competitor=t:1", ".stat"),
    "compare": ("/compare?league=nations&a=t:0&b=t:1", ".main-svg"),
    "forecasts": ("/forecasts?league=nations", ROWS),
    "what changed": ("/changes?league=nations", ".block"),
    "shrinkage": ("/shrinkage?league=nations", ".main-svg"),
    "fit check": ("/checks?league=nations", ROWS),
    "fit check: forecasts": ("/checks?league=nations&show=forecasts", ".main-svg"),
    "track record": ("/track-record?league=nations", ".main-svg"),
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
# Of the nations: games that are over and were forecast the day before, games to come, the outlook of one table.
PLAYED, COMING, TABLE = 1500, 300, 20
FORETOLD = f"""
CREATE TEMP TABLE made AS SELECT n, 'b' || n AS game_id, n < {PLAYED} AS is_over, 't:' || (n * 7 % 290) AS first,
    't:' || (n * 7 % 290 + 1 + n % 29) AS second,
    CASE WHEN n < {PLAYED} THEN DATE '2020-01-01' + n // 2 ELSE DATE '2024-01-12' + (n - {PLAYED}) // 4 END AS played_on
    FROM (SELECT range::INTEGER AS n FROM range({PLAYED + COMING}));
INSERT INTO game BY NAME SELECT 'nations' AS league, game_id, game_id AS contest_id, 0 AS sequence, '2023' AS season,
    played_on, 'day' AS played_on_precision, CASE WHEN is_over THEN 'played' ELSE 'scheduled' END AS status,
    false AS neutral, 'a' AS slice, MAP {{}}::MAP(VARCHAR, VARCHAR) AS attributes FROM made;
INSERT INTO side BY NAME SELECT 'nations' AS league, game_id, side,
    CASE WHEN side = 1 THEN first ELSE second END AS team, side = 1 AS is_home,
    CASE WHEN is_over THEN (n * side) % 4 END AS score, 1 AS exposure FROM made, (SELECT unnest([1, 2]) AS side);
INSERT INTO forecast BY NAME SELECT 'nations' AS league, 'f' AS fit_id, game_id,
    CASE WHEN is_over THEN played_on - 1 ELSE DATE '2024-01-10' END::TIMESTAMP AS made_at_utc,
    CASE WHEN is_over THEN played_on - 1 ELSE DATE '2024-01-01' END AS as_of, played_on, '2023' AS season,
    first, second, 'Nations ' || first AS first_name, 'Nations ' || second AS second_name, true AS is_first_home,
    0.2 + 0.05 * (n % 10) AS win, 0.2 AS draw, 0.8 - win AS loss, win - 0.1 AS win_low, win + 0.1 AS win_high,
    0.1 AS loss_low, 0.5 AS loss_high, 1.6 AS expected_first, 0.9 AS expected_second, 0.7 AS expected_margin,
    -1 AS margin_q5, 0 AS margin_q25, 1 AS margin_q75, 3 AS margin_q95,
    [{{'first': 1, 'second': 0, 'chance': 0.141}}] AS likely_scores FROM made;
INSERT INTO outlook SELECT 'nations', 'f', TIMESTAMP '2024-01-10', DATE '2024-01-01', '2023', 'all', 't:' || n, 10,
    5, 20, n + 1, 60 - n, 50 - n, 55 - n, 65 - n, 70 - n, n + 1, [1 / {TABLE} FOR _ IN range({TABLE})],
    [{{'prize': 'top_4', 'chance': 1 - n / {TABLE}}}] FROM (SELECT range::INTEGER AS n FROM range({TABLE}));
"""
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
    try:
        while process.poll() is None and not answers(port):
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    """Whether a server listens there by now."""
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def foretold(made: Any, served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server over a home of 500 and 250 teams with forecasts, a record of them and an outlook."""
    home = made.made_home(tmp_path_factory.mktemp("foretold"), teams=500)
    with writing(home) as con:
        con.execute(FORETOLD)
    publish(home, made.LEAGUES, made.NOW + timedelta(minutes=1))
    with served(home) as address:
        yield address


@pytest.fixture(scope="module")
def large(made: Any, served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server over a home whose league has 10,000 teams."""
    with served(made.made_home(tmp_path_factory.mktemp("large"), teams=MANY)) as address:
        yield address


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


def test_every_page(chromium: Browser, foretold: str, empty: str, report: Report) -> None:
    weighed(chromium, f"{foretold}/leagues", ".card", 1)
    weighed(chromium, empty, ".drawing", 1)
    for name, (path, content) in PAGES.items():  # the machine is not the same all the time: each beside an empty one
        one, least = weighed(chromium, foretold + path, content), weighed(chromium, empty, ".drawing")
        for how, ours, theirs, budget in (
            ("cold", one.cold, least.cold, BUDGET_COLD_S),
            ("warm", one.warm, least.warm, BUDGET_WARM_S),
        ):
            report.add("page", f"{name}, {how}", ours, "s", "an empty Dash page", theirs, of_its_budget=ours / budget,
                       all_kB=one.all_kb, own_kB=one.own_kb)  # fmt: skip


def test_ten_thousand_competitors(chromium: Browser, large: str, report: Report) -> None:
    address = f"{large}/leaderboard?league=nations&show=all"
    all_of_them = weighed(chromium, address, ".drawing")
    ranked = weighed(chromium, f"{large}/leaderboard?league=nations", ".drawing")
    shrunk = weighed(chromium, f"{large}/shrinkage?league=nations", ".main-svg")
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
    for name, one in (("all", all_of_them), ("the ranked", ranked), ("shrinkage", shrunk)):
        for how, ours, budget in (("cold", one.cold, BUDGET_COLD_S), ("warm", one.warm, BUDGET_WARM_S)):
            report.add("page", f"{MANY:,} competitors: {name}, {how}", ours, "s", "budget", budget, own_kB=one.own_kb)
    for name, values in (("search", searched), ("sort", sorted_)):
        report.add("page", f"{MANY:,} competitors: {name}", statistics.median(values), "ms", "budget", BUDGET_ACT_MS,
                   slowest=max(values))  # fmt: skip
    late = sorted(gaps)
    report.add("page", f"{MANY:,} competitors: scroll, a frame every", statistics.median(gaps), "ms",
               "60 frames a second", 1000 / 60, one_in_twenty=late[-len(late) // 20], slowest=late[-1])  # fmt: skip
