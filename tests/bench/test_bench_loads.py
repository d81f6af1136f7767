"""The table of loads: each league of the catalogue whose results lie here, loaded cold in a process of its own.

Needs POOLTABLE_REAL_DATA. Only that the sums are right is asserted, never a time. Which files a league reads is told by
`tests/ingest/test_every_folder.py`.
"""

import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench_limits import cost, timed
from bench_report import Report
from store.home import CHECKOUT
from store.stanzas import read_catalogue

REAL = os.environ.get("POOLTABLE_REAL_DATA")

# One pull; prints its seconds, CPU seconds, and what the warehouse says of it.
PULL = """
import json, sys, time
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
with reading(home) as con:
    files, rows = con.execute("SELECT count(*), sum(rows_read)::INT FROM load").fetchone()
    rejected = con.execute("SELECT rule, count(*) FROM rejected_row GROUP BY ALL ORDER BY 2 DESC, 1").fetchall()
    used = "SELECT count(*) FROM game UNION ALL SELECT count(*) FROM peer_forecast UNION ALL "
    used += "SELECT count(DISTINCT forecast_id) FROM peer_outlook"
    games, forecasts, outlooks = (count for (count,) in con.execute(used).fetchall())
print(json.dumps([stanza.feed, files, rows, games, forecasts + outlooks, dict(rejected), *spent]))
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
    ran = cost(code, CHECKOUT)
    feed, files, rows, games, forecasts, rejected, *spent = json.loads(ran.printed)
    return Load(feed, files, rows, games, forecasts, rejected, *spent, peak_mb=ran.peak_mb)


def read_once(sources: list[str]) -> float:
    """Seconds of reading the files that a league reads, byte by byte and no more."""
    found = [file for source in sources for file in sorted(Path(REAL or "").glob(source))]
    files = [file for one in found for file in ([one] if one.is_file() else sorted(one.rglob("*"))) if file.is_file()]
    return timed(lambda: [file.read_bytes() for file in files])[0]


@pytest.mark.bench
@pytest.mark.real
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
@pytest.mark.long
def test_the_table_of_loads(tmp_path: Path, report: Report):
    loads = {league: loaded(league, sources, tmp_path / league) for league, sources in places().items()}
    for league, sources in places().items():
        load = loads[league]
        report.add("load", f"{league} ({load.feed})", load.seconds, "s", "reading its files once", read_once(sources),
                   files=load.files, rows=load.rows, loaded=load.games or load.forecasts, CPU_s=load.cpu_seconds,
                   peak_MB=load.peak_mb, **{f"rejected {rule}": count for rule, count in load.rejected.items()}
                   )  # fmt: skip
    assert set(loads) <= set(read_catalogue())
    for league, load in loads.items():
        assert load.games or load.forecasts, league
        if read_catalogue()[league].outcome != "order":  # of races, a row is an entrant
            assert load.games + load.forecasts + sum(load.rejected.values()) <= load.rows, league
