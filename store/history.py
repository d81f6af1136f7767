"""Run history: one row a run (one night, or one command typed by hand), one row a step of it, one row an incident
(something that stands wrong with a league, from when to when), in SQLite.

Its schema is the numbered files under `store/sql/history`; `user_version` says how many of them a file has.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

from store.errors import StoreError

SQL = Path(__file__).parent / "sql" / "history"
LAST_PULLS = """
SELECT league, max(ended_at_utc) FROM step
WHERE command LIKE 'pull%' AND state = 'done' AND league IS NOT NULL AND ended_at_utc <= ? GROUP BY league
"""
UNRECORDED = "did not end, or its end could not be recorded"
DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
RUN_COLUMNS = ("run_id", "kind", "leagues", "started_at_utc", "ended_at_utc", "state", "message")
STEP_COLUMNS = (
    "run_id", "number", "league", "command", "started_at_utc", "ended_at_utc", "state", "exit_code", "attempts", "rows",
    "peak_bytes", "message", "log",
)  # fmt: skip
INCIDENT_COLUMNS = (
    "number", "kind", "league", "message", "began_at_utc", "ended_at_utc", "ended_message", "latest_message",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A run's key and what it was started for."""

    run_id: str
    kind: str
    leagues: tuple[str, ...]
    started_at: datetime


@dataclass(frozen=True)
class StepEnd:
    """How a step ended: its state (done, failed or skipped), one line about it, the tail of its log, how often it was
    tried, and, where they are known, its exit code, the rows it went through and its peak memory."""

    state: str
    message: str
    exit_code: int | None = None
    log: str = ""
    attempts: int = 1
    rows: int | None = None
    peak_bytes: int | None = None


@dataclass(frozen=True)
class Incident:
    """Something that stands wrong with a league ("" where it is none's), from when to when, UTC; how it ended, where
    there is more to say than that all is well again; and what is wrong now, where it began with something else."""

    number: int
    kind: str
    league: str
    message: str
    began_at: str
    ended_at: str | None
    ended_message: str = ""
    latest_message: str = ""


class History:
    """The run history of one home. Every write is its own transaction, so a killed run leaves what it had done.

    Every method raises StoreError where the file is damaged or of a newer Pooltable, sqlite3.Error where it cannot be
    read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def start_run(self, run: Run, pid: int) -> None:
        """Records that a run began."""
        self._write(
            "INSERT INTO run (run_id, kind, leagues, pid, started_at_utc, state) VALUES (?, ?, ?, ?, ?, 'running')",
            (run.run_id, run.kind, json.dumps(run.leagues), pid, stamp(run.started_at)),
        )

    def end_run(self, run_id: str, ended_at: datetime, state: str, message: str) -> None:
        """Records that a run ended, with its state (done or failed) and one line about it. A step of it whose own end
        could not be recorded (the disk was full just then) has failed."""
        self._write(
            "UPDATE step SET ended_at_utc = ?, state = 'failed', message = ? WHERE run_id = ? AND state = 'running'",
            (stamp(ended_at), UNRECORDED, run_id),
        )
        self._write(
            "UPDATE run SET ended_at_utc = ?, state = ?, message = ? WHERE run_id = ?",
            (stamp(ended_at), state, message, run_id),
        )

    def start_step(self, run_id: str, number: int, league: str | None, command: str, started_at: datetime) -> None:
        """Records that a step began."""
        self._write(
            "INSERT INTO step (run_id, number, league, command, started_at_utc, state)"
            " VALUES (?, ?, ?, ?, ?, 'running')",
            (run_id, number, league, command, stamp(started_at)),
        )

    def end_step(self, run_id: str, number: int, ended_at: datetime, end: StepEnd) -> None:
        """Records that a step ended, and how."""
        self._write(
            "UPDATE step SET ended_at_utc = ?, state = ?, message = ?, exit_code = ?, log = ?, attempts = ?,"
            ' "rows" = ?, peak_bytes = ? WHERE run_id = ? AND number = ?',
            (stamp(ended_at), *astuple(end), run_id, number),
        )

    def rows(self, table: str, limit: int = 1000) -> list[dict[str, object]]:
        """The rows of `run` or `step` that were written last, the last first: in the order in which they began,
        whatever the clock said then. Empty where nothing ever ran."""
        columns = {"run": RUN_COLUMNS, "step": STEP_COLUMNS}[table]
        names = ", ".join(f'"{name}"' for name in columns)
        query = f"SELECT {names} FROM {table} ORDER BY rowid DESC LIMIT ?"  # noqa: S608
        return self._read(query, (limit,), columns)

    def runs(
        self, limit: int, league: str | None = None, since: datetime | None = None, run_id: str | None = None
    ) -> list[dict[str, object]]:
        """The runs that were begun last, the last first; where asked for, only those of a league, those that began at a
        time or after it, or the one with that key."""
        values = (run_id, run_id, since and stamp(since), since and stamp(since), league, league, limit)
        return self._read((SQL / "runs.sql").read_text(), values, RUN_COLUMNS)

    def steps_of(self, run_id: str) -> list[dict[str, object]]:
        """The steps of a run, in the order in which they began."""
        names = ", ".join(f'"{name}"' for name in STEP_COLUMNS)
        query = f"SELECT {names} FROM step WHERE run_id = ? ORDER BY number"  # noqa: S608
        return self._read(query, (run_id,), STEP_COLUMNS)

    def last_steps(self, without: str = "") -> list[dict[str, object]]:
        """Each league's newest step of each command in a run that has ended, and of publishing (league None); of those
        whose message does not end with the words of `without`, where there are any."""
        columns = ("league", "command", "state", "message", "started_at_utc", "ended_at_utc")
        return self._read((SQL / "last_steps.sql").read_text(), (without, without), columns)

    def peaks(self) -> dict[tuple[str | None, str], int]:
        """The peak memory of late of each league's commands, in bytes."""
        found = self._read((SQL / "peaks.sql").read_text(), (), ("league", "command", "peak"))
        return {(row["league"], row["command"]): row["peak"] for row in found}  # type: ignore[misc]

    def since(self, days: int) -> datetime | None:
        """When the runs of the last `days` days began on which any did, the earliest of them, UTC; None where there
        were fewer days. A clock that was wrong now and then makes it no later."""
        found = self._read((SQL / "since.sql").read_text(), (days, days), ("at",))
        return _utc(found[0]["at"]) if found and found[0]["at"] else None

    def forget_logs(self, before: datetime) -> None:
        """Empties the logs of steps that began before a time; all else about them stays."""
        self._write("UPDATE step SET log = '' WHERE started_at_utc < ? AND log <> ''", (stamp(before),))

    def last_pulls(self, until: datetime) -> dict[str, datetime]:
        """When each league was last pulled in a night without an error, whether or not anything was new; UTC. Pulls
        after `until`, by a clock that was ahead, are none."""
        found = self._read(LAST_PULLS, (stamp(until),), ("league", "at"))
        return {str(row["league"]): _utc(row["at"]) for row in found}

    def begin_incident(self, kind: str, league: str, message: str, began_at: datetime) -> None:
        """Records that something stands wrong from now on; nothing where it does already."""
        self._write(
            "INSERT OR IGNORE INTO incident (kind, league, message, began_at_utc) VALUES (?, ?, ?, ?)",
            (kind, league, message, stamp(began_at)),
        )

    def change_incident(self, number: int, message: str) -> None:
        """Records what is wrong now with what stands; what it began with stays."""
        self._write("UPDATE incident SET latest_message = ? WHERE number = ?", (message, number))

    def end_incident(self, number: int, ended_at: datetime, message: str = "") -> None:
        """Records that it is over, and how it came to be."""
        self._write(
            "UPDATE incident SET ended_at_utc = ?, ended_message = ? WHERE number = ?",
            (stamp(ended_at), message, number),
        )

    def told(self, number: int, channel: str, is_over: bool, at: datetime) -> None:
        """Records that people were told of an incident by a channel, or that it is over; nothing where it was."""
        self._write("INSERT OR IGNORE INTO telling VALUES (?, ?, ?, ?)", (number, channel, is_over, stamp(at)))

    def untold(self, channel: str) -> list[Incident]:
        """Incidents, oldest first, of which people are still to be told by a channel, or that they are over."""
        return _incidents(self._read((SQL / "untold.sql").read_text(), (channel,), INCIDENT_COLUMNS))

    def incidents(
        self, open_only: bool = False, league: str | None = None, since: datetime | None = None
    ) -> list[Incident]:
        """Incidents, oldest first: all, or those that stand; of one league, and of those that began at a time or after
        it, where asked for."""
        which = "ended_at_utc IS NULL" if open_only else "true"
        query = f"SELECT {', '.join(INCIDENT_COLUMNS)} FROM incident WHERE {which} ORDER BY number"  # noqa: S608
        every = _incidents(self._read(query, (), INCIDENT_COLUMNS))
        begins = stamp(since) if since else ""
        return [one for one in every if league in (None, one.league) and one.began_at >= begins]

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
        with closing(con), damage_told(self.path):
            con.execute("PRAGMA journal_mode = WAL")
            self._migrate(con)
            with con:
                yield con

    def _migrate(self, con: sqlite3.Connection) -> None:
        """Brings the schema up to date, each file in one transaction with the number that says so."""
        files = sorted(SQL.glob("[0-9]*.sql"))
        version = _version(con)
        if version == len(files):
            return
        if version > len(files):
            raise StoreError(
                f"{self.path} has version {version}, and this Pooltable knows versions up to {len(files)}.",
                "It was written by a newer Pooltable: use that version, or restore a backup.",
            )
        con.autocommit = True  # else executescript would commit what is begun here
        con.execute("BEGIN IMMEDIATE")
        for number, file in list(enumerate(files, start=1))[_version(con) :]:  # another process may have done some
            con.executescript(f"{file.read_text()}; PRAGMA user_version = {number};")
        con.execute("COMMIT")
        con.autocommit = sqlite3.LEGACY_TRANSACTION_CONTROL  # type: ignore[assignment]


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turns what SQLite says of a damaged run history into a StoreError that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in DAMAGED:  # the other bits say more of the same
            raise
        hint = "Move it and what is named like it aside, and the run history begins anew; or restore a backup."
        raise StoreError(f"{path} is damaged: {error}.", hint) from error


def _incidents(rows: list[dict[str, object]]) -> list[Incident]:
    return [Incident(*row.values()) for row in rows]  # pyright: ignore[reportArgumentType]


def _version(con: sqlite3.Connection) -> int:
    return con.execute("PRAGMA user_version").fetchone()[0]


def _utc(stamped: object) -> datetime:
    return datetime.fromisoformat(str(stamped)).replace(tzinfo=UTC)


def stamp(moment: datetime) -> str:
    """A time, UTC, as the run history writes it: what is later sorts later."""
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
