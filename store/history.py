"""Run history: one row a run (one night, or one command typed by hand), one row a step of it, one row an incident
(something that stands wrong with a league, from when to when), in SQLite."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    run_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    leagues TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at_utc TEXT NOT NULL,
    ended_at_utc TEXT,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    message TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS step (
    run_id TEXT NOT NULL REFERENCES run,
    number INTEGER NOT NULL,
    league TEXT,
    command TEXT NOT NULL,
    started_at_utc TEXT NOT NULL,
    ended_at_utc TEXT,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'skipped')),
    exit_code INTEGER,
    message TEXT NOT NULL DEFAULT '',
    log TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, number)
);
CREATE TABLE IF NOT EXISTS incident (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('failed', 'rejected', 'stale')),
    league TEXT NOT NULL,
    message TEXT NOT NULL,
    began_at_utc TEXT NOT NULL,
    ended_at_utc TEXT,
    told_at_utc TEXT,
    told_over_at_utc TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS standing ON incident (kind, league) WHERE ended_at_utc IS NULL;
"""
LAST_NIGHTS = """
WITH ended AS (
    SELECT step.*, row_number() OVER (
        PARTITION BY step.league ORDER BY step.started_at_utc DESC, step.number DESC
    ) AS place
    FROM step JOIN run USING (run_id) WHERE run.state <> 'running'
)
SELECT step.league, step.command, step.state, step.message FROM ended JOIN step
    ON step.run_id = ended.run_id AND step.league IS ended.league
WHERE ended.place = 1 ORDER BY step.league, step.number
"""
LAST_PULLS = """
SELECT league, max(ended_at_utc) FROM step WHERE command LIKE 'pull%' AND state = 'done' AND league IS NOT NULL
GROUP BY league
"""
UNTOLD = (
    "told_at_utc IS NULL AND ended_at_utc IS NULL OR told_at_utc IS NOT NULL AND ended_at_utc IS NOT NULL"
    " AND told_over_at_utc IS NULL"
)
RUN_COLUMNS = ("run_id", "kind", "leagues", "started_at_utc", "ended_at_utc", "state", "message")
STEP_COLUMNS = (
    "run_id", "number", "league", "command", "started_at_utc", "ended_at_utc", "state", "exit_code", "message", "log",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A run's key and what it was started for."""

    run_id: str
    kind: str
    leagues: tuple[str, ...]
    started_at: datetime


@dataclass(frozen=True)
class Incident:
    """Something that stands wrong with a league ("" where it is none's), from when to when, UTC."""

    number: int
    kind: str
    league: str
    message: str
    began_at: str
    ended_at: str | None


class History:
    """The run history of one home. Every write is its own transaction, so a killed run leaves what it had done."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start_run(self, run: Run, pid: int) -> None:
        """Records that a run began."""
        self._write(
            "INSERT INTO run (run_id, kind, leagues, pid, started_at_utc, state) VALUES (?, ?, ?, ?, ?, 'running')",
            (run.run_id, run.kind, json.dumps(run.leagues), pid, _text(run.started_at)),
        )

    def end_run(self, run_id: str, ended_at: datetime, state: str, message: str) -> None:
        """Records that a run ended, with its state (done or failed) and one line about it."""
        self._write(
            "UPDATE run SET ended_at_utc = ?, state = ?, message = ? WHERE run_id = ?",
            (_text(ended_at), state, message, run_id),
        )

    def start_step(self, run_id: str, number: int, league: str | None, command: str, started_at: datetime) -> None:
        """Records that a step began."""
        self._write(
            "INSERT INTO step (run_id, number, league, command, started_at_utc, state)"
            " VALUES (?, ?, ?, ?, ?, 'running')",
            (run_id, number, league, command, _text(started_at)),
        )

    def end_step(
        self, run_id: str, number: int, ended_at: datetime, state: str, exit_code: int | None, message: str, log: str
    ) -> None:
        """Records that a step ended, with its exit code, its last line and the tail of its log."""
        self._write(
            "UPDATE step SET ended_at_utc = ?, state = ?, exit_code = ?, message = ?, log = ?"
            " WHERE run_id = ? AND number = ?",
            (_text(ended_at), state, exit_code, message, log, run_id, number),
        )

    def rows(self, table: str, limit: int = 1000) -> list[dict[str, object]]:
        """The newest rows of `run` or `step`, newest first; empty where nothing ever ran."""
        columns = {"run": RUN_COLUMNS, "step": STEP_COLUMNS}[table]
        order = "started_at_utc DESC" + (", number DESC" if table == "step" else "")
        query = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order} LIMIT ?"  # noqa: S608
        return self._read(query, (limit,), columns)

    def last_nights(self) -> list[dict[str, object]]:
        """The steps of each league's last night that has ended, and of the last publication (league None), in order."""
        return self._read(LAST_NIGHTS, (), ("league", "command", "state", "message"))

    def last_pulls(self) -> dict[str, datetime]:
        """When each league was last pulled in a night without an error, whether or not anything was new; UTC."""
        found = self._read(LAST_PULLS, (), ("league", "at"))
        return {str(row["league"]): datetime.fromisoformat(str(row["at"])).replace(tzinfo=UTC) for row in found}

    def begin_incident(self, kind: str, league: str, message: str, began_at: datetime) -> None:
        """Records that something stands wrong from now on; nothing where it does already."""
        self._write(
            "INSERT OR IGNORE INTO incident (kind, league, message, began_at_utc) VALUES (?, ?, ?, ?)",
            (kind, league, message, _text(began_at)),
        )

    def end_incident(self, number: int, ended_at: datetime) -> None:
        """Records that it is over."""
        self._write("UPDATE incident SET ended_at_utc = ? WHERE number = ?", (_text(ended_at), number))

    def told(self, number: int, is_over: bool, at: datetime) -> None:
        """Records that people were told of an incident, or that it is over."""
        column = "told_over_at_utc" if is_over else "told_at_utc"
        self._write(f"UPDATE incident SET {column} = ? WHERE number = ?", (_text(at), number))  # noqa: S608

    def incidents(self, open_only: bool = False, untold: bool = False) -> list[Incident]:
        """Incidents, oldest first: all, those that stand, or those that people are still to be told of."""
        which = UNTOLD if untold else "ended_at_utc IS NULL" if open_only else "true"
        columns = ("number", "kind", "league", "message", "began_at_utc", "ended_at_utc")
        found = self._read(f"SELECT {', '.join(columns)} FROM incident WHERE {which} ORDER BY number", (), columns)  # noqa: S608
        return [Incident(*row.values()) for row in found]  # pyright: ignore[reportArgumentType]

    def _read(self, query: str, values: tuple[object, ...], columns: tuple[str, ...]) -> list[dict[str, object]]:
        if not self.path.exists():
            return []
        with self._open() as con:
            return [dict(zip(columns, row, strict=True)) for row in con.execute(query, values)]

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        with self._open() as con:
            con.execute(statement, values)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        con = sqlite3.connect(self.path, timeout=30)
        try:
            con.execute("PRAGMA journal_mode = WAL")
            con.executescript(SCHEMA)
            with con:
                yield con
        finally:
            con.close()


def _text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
