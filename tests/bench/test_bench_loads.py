"""The table of loads: each league of the catalogue whose results lie here, loaded cold in a process of its own.

Run with `make bench`, and POOLTABLE_REAL_DATA set. What is printed is for people; only that the sums are right is
asserted, never a time. Which files a league reads is told by `tests/ingest/test_every_folder.py`.
"""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from store.home import CHECKOUT
from store.stanzas import read_catalogue

REAL = os.environ.get("POOLTABLE_REAL_DATA")

# One pull; prints its seconds, CPU seconds and peak memory, and what the warehouse says of it.
PULL = """
import json, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from ingest.pull import pull
from store.home import Home
from store.stanzas import read_catalogue
from store.warehouse import reading

league, sources, home = sys.argv[1], json.loads(sys.argv[2]), Home(Path(sys.argv[3]))
stanza = read_catalogue()[league].model_copy(update={"source": tuple(sources)})
began, cpu = time.perf_counter(), time.process_time()
pulled = pull(home, league, stanza, datetime.now(UTC))
spent = time.perf_counter() - began, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
with reading(home) as con:
    files, rows = con.execute("SELECT count(*), sum(rows_read)::INT FROM load").fetchone()
    rejected = con.execute("SELECT rule, count(*) FROM rejected_row GROUP BY ALL ORDER BY 2 DESC, 1").fetchall()
    used = "SELECT count(*) FROM game UNION ALL SELECT count(*) FROM peer_forecast UNION ALL "
    used += "SELECT count(DISTINCT forecast_id) FROM peer_outlook"
    games, forecasts, outlooks = (count for (count,) in con.execute(used).fetchall())
print(json.dumps([stanza.feed, files, rows, games, forecasts + outlooks, dict(rejected), *spent, peak]))
"""


@dataclass(frozen=True)
class Load:
    """What one load was: rows read, games (and a peer's forecasts) loaded, rows rejected by rule, and its cost."""

    feed: str
    files: int
    rows: int
    games: int
    forecasts: int
    rejected: dict[str, int]
    seconds: float
    cpu_seconds: float
    peak_mb: float


def places() -> dict[str, list[str]]:
    """The places under the real data that each league reads."""
    path = CHECKOUT / "tests" / "ingest" / "test_every_folder.py"
    spec = importlib.util.spec_from_file_location("test_every_folder", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.READ


def loaded(league: str, sources: list[str], home: Path) -> Load:
    code = [sys.executable, "-c", PULL, league, json.dumps([f"{REAL}/{source}" for source in sources]), str(home)]
    ran = subprocess.run(code, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return Load(*json.loads(ran.stdout.splitlines()[-1]))


def told(league: str, load: Load) -> str:
    """A row of the table."""
    rejected = "; ".join(f"{rule} {count:,}" for rule, count in load.rejected.items()) or "-"
    counts = f"{load.files:,} | {load.rows:,} | {load.games or load.forecasts:,} | {sum(load.rejected.values()):,}"
    cost = f"{load.seconds:.1f} | {load.cpu_seconds:.1f} | {load.peak_mb:,.0f}"
    return f"| {league} | {load.feed} | {counts} | {rejected} | {cost} |"


@pytest.mark.bench
@pytest.mark.real
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_the_table_of_loads(tmp_path, capsys):
    loads = {league: loaded(league, sources, tmp_path / league) for league, sources in places().items()}
    with capsys.disabled():
        print("\n| league | feed | slices | rows | loaded | rejected | by reason | s | CPU s | peak MB |")
        print("|---|---|--:|--:|--:|--:|---|--:|--:|--:|")
        for league, load in loads.items():
            print(told(league, load))
    assert set(loads) <= set(read_catalogue())
    for league, load in loads.items():
        assert load.games or load.forecasts, league
        if read_catalogue()[league].outcome != "order":  # of races, a row is an entrant
            assert load.games + load.forecasts + sum(load.rejected.values()) <= load.rows, league
