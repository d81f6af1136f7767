"""Run history: one row a run (one night, or one command typed by hand) and one row a step of it, in SQLite."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
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
"""
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
        if not self.path.exists():
            return []
        columns = {"run": RUN_COLUMNS, "step": STEP_COLUMNS}[table]
        order = "started_at_utc DESC" + (", number DESC" if table == "step" else "")
        with self._open() as con:
            found = con.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order} LIMIT ?", (limit,))  # noqa: S608
            return [dict(zip(columns, row, strict=True)) for row in found]

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
