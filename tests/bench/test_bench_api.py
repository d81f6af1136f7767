"""Fifty clients ask for a minute while an edition is published every two seconds: none is refused, none gets a mixture.

Each client has an address of its own and asks about once a second, as people and notebooks do; fifty that asked without
a pause would measure nothing but the queue in front of two cores.
"""

import importlib.util
import json
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bench_report import Report, sized
from store.guard import unavailable
from store.home import Home

pytestmark = [
    pytest.mark.slow,
    pytest.mark.bench,
    pytest.mark.timeout(600),
    pytest.mark.skipif(unavailable() is not None, reason="the guard is off here"),
]

CHECKOUT = Path(__file__).parents[2]
CLIENTS, SECONDS, PUBLISH_EVERY_S = 50, sized(60.0, 15.0), 2.0
RATIO = 5.0  # of the slowest twentieth to an idle server's median
SQL = "SELECT edition_id, (SELECT list(name ORDER BY rank) FROM leaderboard) AS names FROM edition"
SERVE = "from pathlib import Path; from store.home import Home; from dashboard.server import serve; import sys\n" \
        "serve(Home(Path(sys.argv[1])), port=int(sys.argv[2]), workers=2)"  # fmt: skip
PUBLISH = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from store.edition import publish
from store.home import Home
os.nice(10)  # as the scheduler's service does
for _ in range(int(sys.argv[2])):
    begun = time.monotonic()
    publish(Home(Path(sys.argv[1])), ["nations", "cup", "waiting"], datetime.now(UTC))
    print("published", flush=True)
    time.sleep(max(0, float(sys.argv[3]) - (time.monotonic() - begun)))
"""


@dataclass(frozen=True)
class Asked:
    """One question's status, seconds, and the edition of its header and of its data, or the error."""

    status: int
    seconds: float
    header: str | None
    data: str | None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    path = CHECKOUT / "tests" / "dashboard" / "made_home.py"
    spec = importlib.util.spec_from_file_location("made_home", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["made_home"] = module
    spec.loader.exec_module(module)
    return module.made_home(tmp_path_factory.mktemp("home"), teams=100)


@pytest.fixture
def port(home: Home) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(home.root), str(port)], cwd=CHECKOUT)
    try:
        for _ in range(600):
            try:
                if ask(port, 1).status == 200:
                    break
            except OSError:
                time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(60)


def ask(port: int, client: int) -> Asked:
    """Asks from the client's own address, 127.0.1.x."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60, source_address=(f"127.0.1.{client}", 0))
    begun = time.perf_counter()
    try:
        connection.request("GET", f"/api/sql?{urlencode({'sql': SQL})}")
        answer = connection.getresponse()
        body = json.loads(answer.read())
    finally:
        connection.close()
    seconds = time.perf_counter() - begun
    rows = body.get("rows", [])
    said = rows[0]["edition_id"] if rows and body["edition"] == rows[0]["edition_id"] else body.get("error")
    return Asked(answer.status, seconds, answer.headers.get("X-Edition"), said)


def keep_asking(port: int, client: int, until: float) -> list[Asked]:
    rng = random.Random(client)
    found = []
    time.sleep(rng.random())
    while time.monotonic() < until:
        asked = ask(port, client)
        found.append(asked)
        time.sleep(max(0.0, rng.uniform(0.5, 1.5) - asked.seconds))
    return found


def test_fifty_clients_while_editions_are_published(home: Home, port: int, report: Report) -> None:
    for _ in range(20):
        ask(port, 1)
    idle = statistics.median(ask(port, client).seconds for client in range(1, 51))
    times = str(round(SECONDS / PUBLISH_EVERY_S))
    command = [sys.executable, "-c", PUBLISH, str(home.root), times, str(PUBLISH_EVERY_S)]
    publisher = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(CLIENTS) as pool:
        lists = list(pool.map(lambda client: keep_asking(port, client, until), range(1, CLIENTS + 1)))
    output, _ = publisher.communicate(timeout=120)
    found = [asked for one in lists for asked in one]
    slowest = statistics.quantiles([asked.seconds for asked in found], n=20)[-1]
    editions = {asked.header for asked in found}
    report.add("query", f"the API, {CLIENTS} clients while editions are published: 95 % within", 1e3 * slowest, "ms",
               "an idle server's median", 1e3 * idle, budget_of_the_ratio=RATIO, questions=len(found),
               published=output.count("published"), seen=len(editions))  # fmt: skip
    assert [asked for asked in found if asked.status != 200] == []
    assert [asked for asked in found if asked.header is None or asked.header != asked.data] == []
    assert publisher.returncode == 0 and len(editions) > sized(5, 1) and threading.active_count() < CLIENTS
