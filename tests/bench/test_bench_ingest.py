"""Loading the whole tennis pyramid, beside peers that only read the same files: ratios, never asserted.

Needs POOLTABLE_REAL_DATA. Each measurement is a process
of its own, so that its peak memory is its own too; seconds of a loaded machine say little, ratios and CPU time more.
"""

import gzip
import json
import os
import sys
from pathlib import Path

import pytest

from bench_limits import cost
from bench_report import Report
from store.home import CHECKOUT

REAL = os.environ.get("POOLTABLE_REAL_DATA")
FOLDER = Path(REAL or "") / "tennis_atp"
PATTERNS = ("atp_matches_[12]*", "atp_matches_qual_chall_*", "atp_matches_futures_*")
NEW_SEASON = "atp_matches_futures_2022.csv"

MEASURED = """
import json, sys, time
argument = json.loads(sys.argv[1])
{preparation}
began, cpu = time.perf_counter(), time.process_time()
{work}
print(json.dumps([time.perf_counter() - began, time.process_time() - cpu, found]))
"""
POLARS = (
    "import polars as pl",
    "frames = [pl.read_csv(file, infer_schema=False) for file in argument['files']]; found = [len(pl.concat(frames))]",
)
DUCKDB = (
    "import duckdb; con = duckdb.connect(argument['home'] + '/peer.duckdb')",
    "con.execute('CREATE TABLE t AS FROM read_csv(?, all_varchar = true, union_by_name = true)', [argument['files']]);"
    "con.close(); found = [len(argument['files'])]",
)
PULL = (
    "from datetime import UTC, datetime\n"
    "from pathlib import Path\n"
    "from ingest.pull import pull\n"
    "from store.home import Home\n"
    "from store.stanzas import read_catalogue\n"
    "stanza = read_catalogue()['atp'].model_copy(update={'source': tuple(argument['files'])})",
    "pulled = pull(Home(Path(argument['home'])), 'atp', stanza, datetime.now(UTC));"
    "found = [pulled.slices_loaded, pulled.games_new, pulled.games_changed, pulled.games_gone, pulled.games_unchanged]",
)
Measure = tuple[float, float, float, list[int]]


def measured(what: tuple[str, str], files: list[Path], home: Path) -> Measure:
    """Seconds, CPU seconds, peak memory in MB, and what came of it."""
    code = MEASURED.format(preparation=what[0], work=what[1])
    argument = json.dumps({"files": [str(file) for file in files], "home": str(home)})
    ran = cost([sys.executable, "-c", code, argument], CHECKOUT)
    seconds, cpu_seconds, found = json.loads(ran.printed)
    return seconds, cpu_seconds, ran.peak_mb, found


def corrected(file: Path, folder: Path) -> Path:
    """A copy of a season's file in which one match has another winner and one is gone."""
    lines = gzip.decompress(file.read_bytes()).decode().splitlines(keepends=True)
    fields = lines[10].split(",")
    fields[7:15], fields[15:23] = fields[15:23], fields[7:15]
    path = folder / file.name  # another name would be another season
    path.write_bytes(gzip.compress("".join([*lines[:10], ",".join(fields), *lines[11:20], *lines[21:]]).encode()))
    return path


@pytest.mark.bench
@pytest.mark.real
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
@pytest.mark.long
def test_the_tennis_pyramid(tmp_path: Path, report: Report):
    files = [file for pattern in PATTERNS for file in sorted(FOLDER.glob(pattern))]
    older = [file for file in files if not file.name.startswith(NEW_SEASON)]
    season = next(file for file in files if file.name.startswith(NEW_SEASON))
    changed = corrected(season, tmp_path)
    runs = {
        "polars reads the files": measured(POLARS, files, tmp_path),
        "DuckDB reads them into a table": measured(DUCKDB, files, tmp_path),
        "pull, all but one season": measured(PULL, older, tmp_path / "two"),
        "pull, the new season": measured(PULL, files, tmp_path / "two"),
        "pull, the season corrected": measured(PULL, [*older, changed], tmp_path / "two"),
        "pull, cold": measured(PULL, files, tmp_path / "one"),
        "pull, unchanged": measured(PULL, files, tmp_path / "one"),
    }
    limit, cpu_limit, *_ = runs["DuckDB reads them into a table"]
    for name, (seconds, cpu, peak, _found) in runs.items():
        report.add("load", f"men's tennis: {name}", seconds, "s", "DuckDB reads the files into a table", limit,
                   CPU_ratio=cpu / cpu_limit, peak_MB=peak)  # fmt: skip
    report.add("load", "men's tennis: pull, cold", runs["pull, cold"][0], "s", "budget", 15)
    report.add("load", "men's tennis: pull, unchanged", runs["pull, unchanged"][0], "s", "budget", 1)
    assert runs["pull, cold"][3] == [132, 852_560, 0, 0, 0]
    assert runs["pull, unchanged"][3] == [0, 0, 0, 0, 852_560]
    slices, new, *_ = runs["pull, the new season"][3]
    assert slices == 1 and new > 10_000
    assert runs["pull, the season corrected"][3] == [1, 0, 1, 1, 852_558]
