"""The guard: SQL from strangers, worked on in child processes whose limits the operating system holds.

A question on an edition goes in, the whole answer or an error comes out. Nothing that a query does inside DuckDB
reaches this process, nor the next question: a child that takes longer than three seconds or more memory than it may,
whose memory does not come back, or in which DuckDB itself failed, is ended and replaced, and a warm one beside it takes
the next question.
"""

import json
import os
import select
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from store.answer import Question, Told, less
from store.errors import Place, PooltableError, QueryError, StoreError
from store.line import Line

CHECKOUT = Path(__file__).resolve().parent.parent
FRAME = struct.Struct(">cI")
SECONDS = 3.0  # a question may take
START_SECONDS = 30.0  # a child may take until it is ready, on a busy machine
MOST_SQL = 100_000  # characters of a query and its values
IN_MEMORY = 5_000_000  # bytes of an answer, beyond which it lies in an unnamed file
ENVIRONMENT = {
    "TZ": "UTC",
    "LANG": "C.UTF-8",
    "POLARS_MAX_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # its own reserves half of the address space that a child may have
    "MALLOC_ARENA_MAX": "2",
}


def unavailable() -> str | None:
    """Why the guard cannot hold on this system; None where it can."""
    if sys.platform != "linux" or not Path("/proc/self/fd").is_dir():
        return "SQL from others is only answered on Linux: elsewhere no limit of the system holds a query's memory."
    return None


@dataclass(frozen=True)
class Reply:
    """An answer: its bytes, from the first, and what is told of it. Whoever has it closes the body."""

    body: IO[bytes]
    size: int
    told: Told


class EditionGoneError(StoreError):
    """The edition's file was pruned before it could be opened; a newer one is there."""


class Guard:
    """Children that answer questions: `most` at a time, one more kept warm, `waiting` questions in the line."""

    def __init__(self, most: int = 2, waiting: int = 48, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._size = most + 1
        self._line = Line(most, waiting)
        self._children: deque[Child] = deque()  # those that are idle, the last used on the right
        self._taking = threading.Lock()
        self._preparing = threading.Lock()
        self._starting = threading.Lock()
        self._started = False

    def start(self) -> None:
        """Starts the children, so that the first question need not wait; the first question does it otherwise."""
        with self._starting:
            if not self._started:
                for _ in range(self._size):
                    self._children.append(Child())
                self._started = True

    def ask(self, edition: Path, question: Question, client: str = "") -> Reply:
        """The answer to a client's question on the edition at that path.

        Raises QueryError where the query is wrong, takes too long or too much; BusyError where too many wait already,
        or too many of this client; EditionGoneError; StoreError where the edition cannot be opened or this system
        cannot hold a query.
        """
        if reason := unavailable():
            raise StoreError(reason, "Ask one of the prepared questions: /api/queries")
        if len(question.sql) + sum(len(str(value)) for value in question.parameters.values()) > MOST_SQL:
            raise QueryError(f"The query is longer than {MOST_SQL:,} characters.")
        self.start()
        with self._line.turn(client):
            return self._answer(self._child_for(edition), edition, question)

    def prepare(self, edition: Path) -> None:
        """Has the child that was idle longest open the edition, so that no first question on it waits for that.

        There is always one: children are one more than turns, and one thread prepares at a time.
        """
        if self._started:
            with self._preparing, suppress(PooltableError):
                with self._taking:
                    child = self._children.popleft()
                self._answer(child, edition, Question("SELECT 1")).body.close()

    def close(self) -> None:
        """Ends the children."""
        with self._starting:
            while self._children:
                self._children.pop().end()
            self._started = False

    def _child_for(self, edition: Path) -> "Child":
        """An idle child, one that has the edition open where there is one."""
        with self._taking:
            child = next((one for one in reversed(self._children) if one.edition == edition), self._children[-1])
            self._children.remove(child)
            return child

    def _answer(self, child: "Child", edition: Path, question: Question) -> Reply:
        """The child's answer; afterwards it is idle again, or another in its place."""
        line = json.dumps({"edition": str(edition), "seconds": self.seconds, **asdict(question)}).encode() + b"\n"
        try:
            if not child.takes(line):  # the system may have ended it meanwhile
                child = Child()
                child.takes(line)
            child.edition = edition
            return child.answers(self.seconds, less(question.form))
        finally:
            if child.is_fit():
                self._children.append(child)
            else:
                self._children.appendleft(Child())


class Child:
    """One process of store/guarded.py, which answers a question at a time until it is ended or breaks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-E", "-s", "-m", "store.guarded"],
            cwd=CHECKOUT,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        self._is_ready = False
        self.edition: Path | None = None  # the one it was asked about last, which it has open

    def takes(self, line: bytes) -> bool:
        """True where it has taken the question; False where it is dead. Raises StoreError where it does not start."""
        assert self._process.stdin is not None
        try:
            if not self._is_ready:
                self._wait_until_ready()
            self._process.stdin.write(line)
            return self._frame(time.monotonic() + START_SECONDS)[0] == b"T"
        except (EOFError, OSError):
            self.end()
            return False

    def answers(self, seconds: float, hint: str) -> Reply:
        """The answer to the question it took, or an error in words; what takes longer, or breaks it, ends the child.

        Raises QueryError, with that hint where it took too long or too much.
        """
        body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the asker closes it
        try:
            told = self._told(time.monotonic() + seconds, body)
        except BaseException as error:
            body.close()
            if isinstance(error, PooltableError):
                raise
            self.end()
            if isinstance(error, TimeoutError):
                raise QueryError(f"The query takes longer than {seconds:g} seconds.", hint) from error
            if isinstance(error, EOFError):
                raise QueryError("The query needs more memory than it may have, or broke DuckDB.", hint) from error
            raise
        size = body.tell()
        body.seek(0)
        return Reply(body, size, told)

    def is_fit(self) -> bool:
        """True where it can be asked again."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ends the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _wait_until_ready(self) -> None:
        try:
            self._is_ready = self._frame(time.monotonic() + START_SECONDS)[0] == b"R"
        except (TimeoutError, EOFError) as error:
            self.end()
            raise StoreError("The process that answers queries does not start.") from error

    def _told(self, deadline: float, body: IO[bytes]) -> Told:
        while True:
            letter, data = self._frame(deadline)
            if letter == b"C":
                body.write(data)
                continue
            told = json.loads(data)
            if letter in b"LF":
                self.end()
            if letter in b"DL":
                return Told(**told)
            raise _error(told)

    def _frame(self, deadline: float) -> tuple[bytes, bytes]:
        letter, size = FRAME.unpack(self._read(FRAME.size, deadline))
        return letter, self._read(size, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        """So many bytes from the child. Raises TimeoutError, and EOFError where it ended."""
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        parts: list[bytes] = []
        while size > 0:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise TimeoutError
            part = os.read(handle, min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _error(told: dict[str, Any]) -> PooltableError:
    """The error that a child put into words."""
    if "gone" in told:
        return EditionGoneError("This edition was pruned.", "Ask again.")
    if "store" in told:
        return StoreError(told["store"])
    place = told.get("place")
    return QueryError(told["what"], told["hint"], Place(**place) if place else None)
