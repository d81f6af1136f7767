"""Is this Pooltable well: settings, disk, run history, locks, leagues, processes, files, versions, clock, a line each.

Nothing is mended, changed or made. What is wrong fails, for monitoring; what a person may want to know only warns.
"""

import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

from jobs.incidents import in_words, standing
from jobs.locks import held
from jobs.memory import MARGIN, free_bytes
from jobs.status import ago, status
from jobs.supervise import FOLLOWS
from jobs.sweep import left_over
from jobs.timetable import SLACK
from store.edition import current, editions, pinned
from store.errors import LockedError, PooltableError
from store.history import History, stamp
from store.home import CHECKOUT, Home
from store.query import query
from store.stanzas import Stanza, read_each
from store.warehouse import reading

GB = 1 << 30
LEAST_FREE_BYTES = GB
WAIT_SECONDS = 2.0
LOCKED = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
State = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True)
class Found:
    """What one check found, in words."""

    check: str
    state: State
    message: str

    @property
    def line(self) -> str:
        """It in one line."""
        return f"{self.state:<5}{self.check}: {self.message}"


def examine(home: Home, now: datetime) -> list[Found]:
    """What every check found, in their order; a check that cannot be made has failed, unless one before it has for the
    same reason."""
    patient = replace(home, lock_wait_seconds=min(WAIT_SECONDS, home.lock_wait_seconds))
    causes: dict[str, str] = {}
    return [found for name, check in CHECKS.items() for found in _checked(name, check, patient, now, causes)]


def _checked(name: str, check: "Check", home: Home, now: datetime, causes: dict[str, str]) -> list[Found]:
    """`causes` gets what kept a check from being made, and which check that was."""
    try:
        found = [Found(name, state, message) for state, message in check(home, now)]
    except PooltableError as error:
        cause = told = f"{error.message} {error.hint}".strip()
    except (OSError, sqlite3.Error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        cause, told = "unusable", f"{home.root} cannot be used: {why}"
    else:
        return found or [Found(name, "ok", "nothing is wrong")]
    if cause in causes:
        return [Found(name, "warn", f"cannot be told, for what {causes[cause]} says")]
    causes[cause] = name
    return [Found(name, "FAIL", told)]


Check = Callable[[Home, datetime], Iterator[tuple[State, str]]]


def _settings(home: Home, _now: datetime) -> Iterator[tuple[State, str]]:
    """What each stanza says: its settings, its feed, and its model as far as that can be told without results."""
    from ingest.feed import find
    from modeling.effects import parse_effects
    from modeling.outcomes import outcome_for

    leagues, wrong = read_each(home), set[str]()
    for name, one in leagues.items():
        try:
            if not isinstance(one, Stanza):
                raise one
            find(one.feed)
            if one.rate:
                parse_effects(name, one, outcome_for(name, one))
        except PooltableError as error:
            told = error.message if error is one else f"league {name}: {error.message.removeprefix(f'{name}: ')}"
            yield "FAIL", f"{told} {error.hint}".strip()
            wrong.add(name)
    yield "ok" if leagues else "warn", f"leagues that are sound in {home.leagues_toml}: {len(leagues.keys() - wrong)}"


def _disk(home: Home, _now: datetime) -> Iterator[tuple[State, str]]:
    """A publication needs room for the warehouse again, a fit for its draws."""
    with TemporaryFile(dir=home.root) as file:
        file.write(b"pooltable")
        file.flush()
    free = shutil.disk_usage(home.root).free
    size = home.warehouse.stat().st_size if home.warehouse.exists() else 0
    needed = max(LEAST_FREE_BYTES, 2 * size)
    yield "ok" if free >= needed else "FAIL", f"{free / GB:.1f} GB free in {home.root}, {needed / GB:.1f} needed"
    nodes = os.statvfs(home.root)
    if nodes.f_files and nodes.f_favail < 1000:
        yield "FAIL", f"only {nodes.f_favail} more files can be made there"


def _history(home: Home, _now: datetime) -> Iterator[tuple[State, str]]:
    """Others ask it too, and say no more of what is wrong with it."""
    last = next(iter(History(home.runs).rows("run", 1)), None)
    yield "ok", f"the last run began at {str(last['started_at_utc'])[:16]} UTC" if last else "nothing ran here yet"


def _memory(home: Home, _now: datetime) -> Iterator[tuple[State, str]]:
    free, peaks = free_bytes(), History(home.runs).peaks()
    largest = max(peaks, key=lambda key: peaks[key], default=None)
    yield "ok", f"{free / GB:.1f} GB free"
    if largest and MARGIN * peaks[largest] > free:
        command, league = largest[1], largest[0] or ""
        yield "warn", f"{command} {league} took {peaks[largest] / GB:.1f} GB of late: it may not fit"


def _locks(home: Home, _now: datetime) -> Iterator[tuple[State, str]]:
    if home.warehouse.exists():
        try:
            with reading(home) as con:
                con.execute("SELECT count(*) FROM fit").fetchall()
        except LockedError as error:
            yield "warn", error.message
    if night := held(home, "night"):
        yield "ok", night
    elif any(run["state"] == "running" for run in History(home.runs).rows("run", 20)):
        yield "warn", "a night was killed; the next one marks it so"


def _scheduler(home: Home, _now: datetime) -> Iterator[tuple[State, str]]:
    if scheduler := held(home, "scheduler"):
        yield "ok", scheduler
    else:
        yield "warn", "none runs here: nights must be started by a timer, or by hand"


def _edition(home: Home, now: datetime) -> Iterator[tuple[State, str]]:
    if not editions(home):
        yield "warn", "nothing is published yet"
        return
    path = current(home)
    published = query(path, "SELECT published_at_utc FROM edition", {}).item()
    yield "ok", f"readers see {path.stem}, published {ago(published.replace(tzinfo=now.tzinfo), now)}"
    if held := pinned(home):
        yield "warn", f"{held} is pinned; release it with: pooltable publish --unpin"


def _leagues(home: Home, now: datetime) -> Iterator[tuple[State, str]]:
    """But for stanzas that are wrong, of which another check tells."""
    found, leagues = status(home, now), read_each(home)
    sound = {name: one for name, one in leagues.items() if isinstance(one, Stanza)}
    for (kind, league), why in standing(found, sound, History(home.runs), now).items():
        yield "FAIL", f"{f'{league}: ' if league else ''}{in_words(kind, why)}"
    wrong = [one.message for one in leagues.values() if not isinstance(one, Stanza)]
    for note in found.notes:
        if note not in wrong:
            yield "warn", note


def _processes(home: Home, _now: datetime) -> Iterator[tuple[State, str]]:
    """Steps of a night outlive it only where their own end with it failed."""
    if not Path("/proc/self/environ").exists():
        yield "ok", "cannot be seen on this system"
        return
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):  # those of others, and those that end meanwhile
            command, environment = ((process / name).read_bytes().split(b"\0") for name in ("cmdline", "environ"))
            if str(home.root).encode() in command and f"{FOLLOWS}=1".encode() in environment:
                parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
                if not _is_ours(parent):
                    yield "FAIL", f"process {process.name} is left over from a night: end it"


def _is_ours(parent: str) -> bool:
    command = Path(f"/proc/{parent}/cmdline").read_bytes()
    return b"jobs.cli" in command or b"pooltable" in command


def _files(home: Home, _now: datetime) -> Iterator[tuple[State, str]]:
    if found := left_over(home):
        size = sum(path.stat().st_size for path in found)
        yield "warn", f"left by killed processes: {len(found)} ({size / GB:.2f} GB); the next night deletes them"


def _versions(_home: Home, _now: datetime) -> Iterator[tuple[State, str]]:
    """Against requirements.lock, which the tests ran with."""
    locked: dict[str, set[str]] = {}
    for name, number in LOCKED.findall((CHECKOUT / "requirements.lock").read_text()):
        locked.setdefault(name, set()).add(number)
    here = {name: number for name in locked if (number := _installed(name))}
    other = [f"{name} {number}" for name, number in here.items() if number not in locked[name]]
    python = ".".join(map(str, sys.version_info[:3]))
    if other:
        yield "warn", f"Python {python}; not the versions of requirements.lock: {', '.join(other[:5])}"
    else:
        yield "ok", f"Python {python}, DuckDB {here.get('duckdb')}, PyMC {here.get('pymc')}, as in requirements.lock"


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _clock(home: Home, now: datetime) -> Iterator[tuple[State, str]]:
    """By the run that was begun last: one before it by a clock that was ahead tells nothing of the clock now."""
    last = max((str(run["started_at_utc"]) for run in History(home.runs).rows("run", 1)), default="")
    if last > stamp(now + SLACK):
        told = f"it says {now:%Y-%m-%d %H:%M} UTC, and the last run began at {last[:16]}"
        yield "FAIL", f"{told}: is it wrong, or was it? If it is right now, the next night clears this"
    else:
        yield "ok", f"{now:%Y-%m-%d %H:%M} UTC"


CHECKS: dict[str, Check] = {
    "settings": _settings,
    "disk": _disk,
    "history": _history,
    "memory": _memory,
    "locks": _locks,
    "scheduler": _scheduler,
    "edition": _edition,
    "leagues": _leagues,
    "processes": _processes,
    "files": _files,
    "versions": _versions,
    "clock": _clock,
}
