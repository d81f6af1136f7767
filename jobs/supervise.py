"""Running a command as a supervised child: its own process group, a time-out, a log file, an end with its parent.

The child's standard input is a pipe that nobody writes to. It closes when the parent dies, however it dies, and a
`pooltable` child then ends its whole process group, so that a killed night leaves nothing running.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FOLLOWS = "POOLTABLE_FOLLOWS_PARENT"
TAIL_BYTES = 8000
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
GRACE_SECONDS = 20.0  # from the polite signal to the one that cannot be refused; a night needs some to stop its step


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (minus the signal's number where a signal ended it), its log's tail, and the
    peak memory of the largest of its processes."""

    exit_code: int
    is_late: bool
    tail: str
    peak_bytes: int = 0


def supervise(
    command: list[str],
    log: Path,
    timeout_seconds: float,
    stopping: Callable[[], bool] = lambda: False,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Runs `command` to its end, its output in `log`, and says how it ended; `environment` is added to ours.

    Its process group is ended when the time is over, when `stopping()` turns true, and when this function is left by
    an exception (Ctrl-C, a signal's handler).
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    ours = {**os.environ, **(environment or {}), FOLLOWS: "1", "PYTHONUNBUFFERED": "1"}
    deadline = time.monotonic() + timeout_seconds
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=ours, start_new_session=True
        )
        child = _Child(process)
        try:
            is_late = _wait(child, deadline, stopping)
        finally:
            _end_group(child)
            if process.stdin:
                process.stdin.close()
    return Ended(process.returncode, is_late, tail(log), child.peak_bytes)


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


class _Child:
    """A child that is waited for by `wait4`, which alone says how much memory it took."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.peak_bytes = 0

    def has_ended(self) -> bool:
        """Whether it has; from then on its exit code and peak memory are known."""
        if self.process.returncode is None:
            pid, status, used = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.peak_bytes = used.ru_maxrss * RSS_UNIT
        return self.process.returncode is not None

    def ends_by(self, deadline: float, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Waits for its end, for `stopping()` or for the time; whether it has ended."""
        pause = 0.01
        while not self.has_ended() and not stopping() and time.monotonic() < deadline:
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(0.2, 1.2 * pause)
        return self.has_ended()


def _wait(child: _Child, deadline: float, stopping: Callable[[], bool]) -> bool:
    """Waits for the end of the process, of its time, or of everything; true where its time ended first."""
    return not child.ends_by(deadline, stopping) and not stopping()


def _end_group(child: _Child) -> None:
    """Ends whatever is left of the process's group, politely first."""
    if not child.has_ended():
        _signal_group(child.process.pid, signal.SIGTERM)
        child.ends_by(time.monotonic() + GRACE_SECONDS)
    _signal_group(child.process.pid, signal.SIGKILL)
    child.ends_by(float("inf"))


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
        os.killpg(group, number)
