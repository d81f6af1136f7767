"""How many leagues may be at work at once: what the machine has of cores and memory, and who may begin when."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNKNOWN_BYTES = 1 << 30  # what a step may take of which nothing is known: a first fit of some ten thousand games
MARGIN = 1.25  # next night's peak over the last ones'
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    """The cores this process may use."""
    found = getattr(os, "sched_getaffinity", None)
    return len(found(0)) if found else os.cpu_count() or 1


def free_bytes(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int:
    """The memory that is free for new work: of the machine, or of the container where that is less.

    Where the system tells neither (macOS), half of what is built in.
    """
    known = [found for found in (_of_machine(meminfo), _of_container(cgroup)) if found is not None]
    return min(known) if known else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


class Memory:
    """Lets steps begin only where what they may take at most fits into what was free before the first of them.

    One alone may always run: a league larger than the machine is not kept waiting for ever.
    """

    def __init__(self, free: Callable[[], int] = free_bytes) -> None:
        self._free = free
        self._room = 0
        self._taken: list[int] = []
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, amount: int, stopping: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Waits until `amount` bytes are free of those promised to others, or `stopping()`; holds them in the block."""
        with self._changed:
            while not self._fits(amount) and not stopping():
                self._changed.wait(1.0)
            self._taken.append(amount)
        try:
            yield
        finally:
            with self._changed:
                self._taken.remove(amount)
                self._changed.notify_all()

    def _fits(self, amount: int) -> bool:
        if not self._taken:
            self._room = self._free()
            return True
        return sum(self._taken) + amount <= self._room


def _of_machine(meminfo: Path) -> int | None:
    with suppress(OSError, ValueError):
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _of_container(cgroup: Path) -> int | None:
    """What the limit of our control group leaves, file caches counted as free; None where there is no limit."""
    with suppress(OSError, ValueError):
        limit = int((cgroup / "memory.max").read_text())  # "max", no number, where there is none
        stat = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
        return max(0, limit - int((cgroup / "memory.current").read_text()) + int(stat["inactive_file"]))
    return None
