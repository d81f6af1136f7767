"""Reading editions: named queries in, rows out, each answer from one edition only.

A process opens its own copy of the edition under `.serving/`, so that nobody who forgets to open an edition read-only
can lock the dashboard out. Copies carry the edition's name: DuckDB caches databases by path, and one path must
never stand for two editions.
"""

import logging
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from dashboard.memory import Memory, Row
from dashboard.queries import query
from store.edition import current
from store.errors import LockedError, StoreError
from store.home import Home
from store.query import Config, open_edition

log = logging.getLogger(__name__)

LIMITS: Config = {"memory_limit": "1GB", "threads": 2}
SERVING = ".serving"
ATTEMPTS = 5  # another process may prune the copy we were about to open; then the link has moved on


@dataclass(frozen=True)
class Opened:
    """One edition, open: its file among the editions, a connection to our copy of it, and what it answered lately."""

    edition: Path
    con: duckdb.DuckDBPyConnection
    memory: Memory = field(default_factory=Memory)


@dataclass(frozen=True)
class Answer:
    """One edition for the length of one answer."""

    edition_id: str
    con: duckdb.DuckDBPyConnection
    memory: Memory
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The named queries of this answer with their values, in their order."""

    def rows(self, name: str, **values: Any) -> list[Row]:
        """The rows of a named query, one dict a row, with `values` bound by name."""
        self.asked.append((name, values))
        return self.memory.rows(name, values, lambda: self._ask(name, values))

    def _ask(self, name: str, values: dict[str, Any]) -> list[Row]:
        found = self.con.execute(query(name), values)
        columns = [column[0] for column in found.description or []]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


class Reader:
    """Opens the current edition when first asked, and the next one when `current.duckdb` points elsewhere."""

    def __init__(self, home: Home, prepare: Callable[[Path], None] = lambda _: None) -> None:
        """`prepare` is told of our copy of each later edition before it is shown."""
        self.home = home
        self._prepare = prepare
        self._opened: Opened | None = None
        self._switching = threading.Lock()

    @contextmanager
    def answer(self) -> Iterator[Answer]:
        """The current edition, held for the whole block even if another one is published meanwhile.

        Raises StoreError where nothing is published or the edition cannot be opened.
        """
        opened = self._current()
        cursor = opened.con.cursor()
        try:
            yield Answer(opened.edition.stem, cursor, opened.memory)
        finally:
            cursor.close()

    def copy(self, *, is_fresh: bool = False) -> Path:
        """Our copy of an edition, for who opens it in a process of his own: the one this process reads, at once, or
        the current one, which may have to be copied first. Raises StoreError, LockedError.
        """
        if is_fresh:
            return own_copy(self.home, current(self.home))
        return self.home.editions / SERVING / self._current().edition.name

    def _current(self) -> Opened:
        """The edition readers should see; one thread at a time switches while the others go on with the old one."""
        opened, edition = self._opened, current(self.home)
        if opened is not None and opened.edition == edition:
            return opened
        if not self._switching.acquire(blocking=opened is None):
            return opened or self._current()
        try:
            return self._switch()
        finally:
            self._switching.release()

    def _switch(self) -> Opened:
        before = self._opened
        if before is not None and before.edition == current(self.home):
            return before
        try:
            opened = open_current(self.home)
            if before is not None:  # at the start nobody is to wait for more than is needed
                self._prepare(self.home.editions / SERVING / opened.edition.name)
            self._opened = opened
        except StoreError:
            if before is None:
                raise
            log.exception("The new edition cannot be opened; %s stays up", before.edition.stem)
        return self._opened or open_current(self.home)


def open_current(home: Home) -> Opened:
    """The current edition, opened read-only and locked down from our own copy. Raises StoreError."""
    for attempt in range(ATTEMPTS):
        edition = current(home)
        copy = own_copy(home, edition)
        try:
            return Opened(edition, open_edition(copy, LIMITS))
        except StoreError as error:
            if copy.exists() or attempt == ATTEMPTS - 1:
                copy.unlink(missing_ok=True)
                raise StoreError(error.message, "Publish again: pooltable publish") from error
    raise AssertionError("unreachable")


def own_copy(home: Home, edition: Path) -> Path:
    """Path of our copy of an edition, made now unless there is one; older copies are pruned.

    Processes that still have a pruned copy open go on reading it. Raises StoreError, LockedError.
    """
    folder = home.editions / SERVING
    copy = folder / edition.name
    if copy.exists():
        return copy
    try:
        folder.mkdir(exist_ok=True)
        with FileLock(folder / ".lock", timeout=home.lock_wait_seconds):
            if not copy.exists():
                _copy(edition, copy)
                _prune(folder, copy)
    except Timeout as error:
        raise LockedError(f"Another process has been copying {edition.name} for too long.") from error
    except OSError as error:
        raise StoreError(f"{edition} cannot be copied into {folder}: {error.strerror}.") from error
    return copy


def _copy(edition: Path, copy: Path) -> None:
    """Copies so that the new name appears only with all of its bytes on the disk."""
    part = copy.with_name(f".part-{uuid.uuid4().hex}")
    shutil.copyfile(edition, part)
    part.chmod(0o444)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(copy)


def _prune(folder: Path, new: Path) -> None:
    """Removes all copies but the new one and the one before, which is still asked while processes switch, and what
    killed processes left; we hold the lock, so nobody is copying.
    """
    others = sorted((path for path in folder.glob("*.duckdb") if path != new), key=lambda path: path.stat().st_mtime)
    for path in [*others[:-1], *folder.glob(".part-*")]:
        path.unlink(missing_ok=True)
