"""Running a command as a supervised child: its own process group, a time-out, a log file, an end with its parent.

The child's standard input is a pipe that nobody writes to. It closes when the parent dies, however it dies, and a
`pooltable` child then ends its whole process group, so that a killed night leaves nothing running.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FOLLOWS = "POOLTABLE_FOLLOWS_PARENT"
TAIL_BYTES = 8000
GRACE_SECONDS = 20.0  # from the polite signal to the one that cannot be refused; a night needs some to stop its step


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (minus the signal's number where a signal ended it) and its log's tail."""

    exit_code: int
    is_late: bool
    tail: str


def supervise(
    command: list[str], log: Path, timeout_seconds: float, stopping: Callable[[], bool] = lambda: False
) -> Ended:
    """Runs `command` to its end, its output in `log`, and says how it ended.

    Its process group is ended when the time is over, when `stopping()` turns true, and when this function is left by
    an exception (Ctrl-C, a signal's handler).
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, FOLLOWS: "1", "PYTHONUNBUFFERED": "1"}
    deadline = time.monotonic() + timeout_seconds
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment, start_new_session=True
        )
        try:
            is_late = _wait(process, deadline, stopping)
        finally:
            _end_group(process)
            if process.stdin:
                process.stdin.close()
    return Ended(process.returncode, is_late, tail(log))


def follow_parent() -> None:
    """Makes this process, where `supervise` started it, end with its group as soon as its parent is gone."""
    if os.environ.pop(FOLLOWS, None):
        threading.Thread(target=_end_with_parent, daemon=True).start()


def tail(log: Path) -> str:
    """The end of a log file; empty where there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return file.read().decode("utf-8", errors="replace")


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


def _wait(process: subprocess.Popen[bytes], deadline: float, stopping: Callable[[], bool]) -> bool:
    """Waits for the end of the process, of its time, or of everything; true where its time ended first."""
    while process.poll() is None:
        if stopping():
            return False
        if time.monotonic() >= deadline:
            return True
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(0.2, max(0.0, deadline - time.monotonic())))
    return False


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends whatever is left of the process's group, politely first."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
        os.killpg(group, number)
