"""Checks of a league's loaded results: every SQL file under `ingest/checks`, whose folder is its severity.

A check is one SELECT of subject and message, a row for each thing that offends; it may use $league and $today. Stop:
the league is not fitted until it is mended. Warn: shown. Findings are stored in place of the league's earlier ones,
but for new names, which each load finds by itself (sql/3_names.sql). `corrections_frame` has the league's corrections.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from ingest.corrections import as_frame, read_corrections
from store.home import Home
from store.warehouse import reading, writing

CHECKS = Path(__file__).parent / "checks"
NEW_NAMES = "SELECT subject, message FROM finding WHERE league = ? AND check_name = 'new_name' ORDER BY rowid"


@dataclass(frozen=True)
class Finding:
    """One offending thing: which check found it, what offends, and what is wrong with it in words."""

    league: str
    check_name: str
    severity: str
    subject: str
    message: str


def check(home: Home, league: str, now: datetime) -> list[Finding]:
    """What the checks find in the league as it is loaded, stop before warn; stored as well. `now` is in UTC.

    Raises StoreError where nothing was loaded yet, LockedError.
    """
    corrections = as_frame(read_corrections(home, league))
    with reading(home) as con:
        con.register("corrections_frame", corrections)
        found = [finding for path in files() for finding in _run(con, path, league, now)]
        names = con.execute(NEW_NAMES, [league]).fetchall()
    with writing(home) as con:
        con.execute("DELETE FROM finding WHERE league = ? AND check_name <> 'new_name'", [league])
        if found:
            con.register(
                "findings_frame",
                pl.DataFrame([asdict(finding) for finding in found]).with_columns(
                    found_at_utc=pl.lit(now.replace(tzinfo=None))
                ),
            )
            con.execute("INSERT INTO finding BY NAME FROM findings_frame")
    return found + [Finding(league, "new_name", "warn", subject, message) for subject, message in names]


def files() -> list[Path]:
    """Every check's file, stop before warn, by name."""
    return [path for severity in ("stop", "warn") for path in sorted((CHECKS / severity).glob("*.sql"))]


def _run(con: duckdb.DuckDBPyConnection, path: Path, league: str, now: datetime) -> list[Finding]:
    sql = path.read_text(encoding="utf-8")
    values = {"league": league, "today": now.date()}
    rows = con.execute(sql, {name: value for name, value in values.items() if f"${name}" in sql}).fetchall()
    return [Finding(league, path.stem, path.parent.name, subject, message) for subject, message in rows]
