"""One at a time: a lock on a home that names the process holding it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout

from store.errors import LockedError
from store.home import Home


@contextmanager
def alone(home: Home, what: str, wait_seconds: float = 0) -> Iterator[None]:
    """Holds the home's lock for `what` (night, scheduler), waiting up to `wait_seconds` for it.

    The system lets go of it when the process ends, however it ends. Raises LockedError naming the process that has it.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    named = home.root / f".{what}.pid"
    lock = FileLock(home.root / f".{what}.lock")
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise LockedError(_running(home, what), "Wait for it to end, or stop that process.") from error
    try:
        named.write_text(str(os.getpid()))
        yield
    finally:
        with suppress(OSError):  # the disk may have become read-only meanwhile
            named.unlink(missing_ok=True)
        lock.release()


def held(home: Home, what: str) -> str | None:
    """Who holds the home's lock for `what`, in words; None where nobody does. Nothing is made where nothing is."""
    try:
        lock = os.open(home.root / f".{what}.lock", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # as filelock does; closing it lets go again
    except BlockingIOError:
        return _running(home, what)
    finally:
        os.close(lock)
    return None


def _running(home: Home, what: str) -> str:
    return f"A {what} is already running for {home.root} ({_holder(home, what)})."


def _holder(home: Home, what: str) -> str:
    with suppress(OSError):
        return f"process {(home.root / f'.{what}.pid').read_text()}"
    return "a process that has not said its number yet"
