"""The guard's child: reads questions from standard input, answers them on standard output, and can do nothing else.

Before the first question it gives up: environment and inherited files (its parent sees to that), more than 2 GiB of
address space, writing to any file, core dumps. While a question is worked on it can open no file either, and an alarm
ends it where its parent is gone. Run by store/guard.py as `python -m store.guarded`.

A question is one line of JSON. An answer is frames of a letter, a length (4 bytes, big end first) and so many bytes:
R ready for questions, T a question is taken, C a piece of the answer, D done with what is told of it, E an error in
words; L (done) and F (error) in their place say that this process must not be used again.

Nothing of a question is left for the next. What would write such a thing is refused; after what may hide it
(store/lasting.py), and after one that lacked memory, the edition is opened anew; where memory does not come back, or
DuckDB itself failed, the process is used no more.
"""

import json
import os
import re
import resource
import signal
import struct
import sys
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from store.answer import FORMS, Question, answer, less
from store.errors import EngineError, PooltableError, QueryError
from store.lasting import may_hide
from store.query import Config, open_edition

ADDRESS_SPACE = 2 << 30  # bytes, with the libraries' own 0.7 GB
MOST_KEPT = 512 << 20  # bytes of address space that may stay taken after an answer, the edition's pages among them
FRAME = struct.Struct(">cI")
POLITE = 0.8  # of the seconds: then DuckDB is asked to stop, which costs no process where it hears it
SPARE_SECONDS = 0.5  # by which the alarm comes after the parent's own patience
OPEN_FILES = 64
WARM_UP = "SELECT now() AS at, DATE '2020-02-02' AS d, 1.5::DECIMAL(9, 2) AS n, [1] AS l, {'a': 1} AS s, 'x'::BLOB AS b"

NAME = re.compile(r"/proc/\w+/fd/\d+")

TOO_MUCH = "The query needs more memory than it may have."
OUT_OF_MEMORY = "Out of Memory Error"

type Send = Callable[[bytes, bytes], None]


def main() -> None:
    """Answers questions until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing but frames may come between the frames

    def send(letter: bytes, data: bytes = b"") -> None:
        answers.write(FRAME.pack(letter, len(data)) + data)
        answers.flush()

    give_up()
    with duckdb.connect(config={"threads": 1}) as con:
        for form in FORMS:  # imports what is imported late, while files can still be opened
            answer(con, Question(WARM_UP, form=form), lambda _: None)
    send(b"R")
    rooms, most = Editions(), taken() + MOST_KEPT
    for line in sys.stdin.buffer:
        send(b"T")
        reply(rooms, json.loads(line), send, most)


def taken() -> int:
    """Bytes of address space that this process has taken: what the limit counts."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def give_up() -> None:
    """Sets the limits that hold for the rest of this process."""
    os.chdir("/")
    for kind, limit in ((resource.RLIMIT_AS, ADDRESS_SPACE), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        least = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (least, least))


@contextmanager
def sealed(seconds: float) -> Any:
    """While the block runs no file can be opened, and after so many seconds the process ends."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    signal.setitimer(signal.ITIMER_REAL, seconds)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))
        signal.setitimer(signal.ITIMER_REAL, 0)


class Editions:
    """The one edition that is open: the one asked about last."""

    def __init__(self) -> None:
        self._path = ""
        self._con: duckdb.DuckDBPyConnection | None = None

    def open(self, path: str, seconds: float) -> duckdb.DuckDBPyConnection:
        """A connection to the edition at `path`. Raises StoreError, OSError where it is gone."""
        if self._con is None or self._path != path:
            self.close()  # also where the next does not open
            self._con, self._path = open_nameless(path, seconds), path
        return self._con

    def close(self) -> None:
        """Closes the edition, with all that DuckDB keeps beside it."""
        if self._con is not None:
            self._con.close()
            self._con = None


def open_nameless(path: str, seconds: float) -> duckdb.DuckDBPyConnection:
    """The edition under a name that says nothing of this machine, since SQL can ask for the path of its database.

    DuckDB follows links to their end. The end of a link that no longer exists is the open file itself.
    """
    config: Config = {"threads": 1, "memory_limit": "512MB", "max_execution_time": round(1000 * POLITE * seconds)}
    gone = Path(path).with_name(f".part-{uuid.uuid4().hex}")
    os.link(path, gone)
    try:
        file = os.open(gone, os.O_RDONLY)
    finally:
        gone.unlink()
    try:
        return open_edition(Path(f"/proc/self/fd/{file}"), config)
    finally:
        os.close(file)


def reply(rooms: Editions, asked: dict[str, Any], send: Send, most: int) -> None:
    """Sends the answer to one question, or what is wrong with it; last of all whether more than `most` stays taken."""
    edition, seconds = asked.pop("edition"), asked.pop("seconds")
    question = Question(**asked)
    letter, said = answered(rooms, edition, question, seconds, send)
    if taken() > most:
        letter = {b"D": b"L", b"E": b"F"}.get(letter, letter)
    send(letter, json.dumps(said).encode())
    if may_hide(question.sql):
        rooms.close()


def answered(
    rooms: Editions, edition: str, question: Question, seconds: float, send: Send
) -> tuple[bytes, dict[str, Any]]:
    """The letter that ends an answer, whose pieces were sent, and what is said with it."""
    try:
        con = rooms.open(edition, seconds)
        with sealed(seconds + SPARE_SECONDS), con.cursor() as cursor:
            return b"D", asdict(answer(cursor, question, lambda piece: send(b"C", piece)))
    except FileNotFoundError:
        return b"E", {"gone": True}
    except OSError as error:
        return b"E", {"store": f"The edition cannot be opened for queries: {error.strerror}."}
    except QueryError as error:
        if OUT_OF_MEMORY in error.what:
            rooms.close()  # who asks next has all of it again
        return b"F" if isinstance(error, EngineError) else b"E", in_words(error, seconds, less(question.form))
    except PooltableError as error:
        return b"E", {"store": nameless(error.message)}
    except (MemoryError, RecursionError):
        return b"F", {"what": TOO_MUCH, "hint": less(question.form)}


def nameless(text: str) -> str:
    """The text without the name that the edition has in this process."""
    return NAME.sub("the edition", text)


def in_words(error: QueryError, seconds: float, hint: str) -> dict[str, Any]:
    """The error for its asker, with that hint where it took too long or too much.

    DuckDB's own advice is on settings that he cannot change.
    """
    if "INTERRUPT Error" in error.what:
        return {"what": f"The query takes longer than {seconds:g} seconds.", "hint": hint}
    if OUT_OF_MEMORY in error.what:
        return {"what": TOO_MUCH, "hint": hint}
    return {
        "what": nameless(error.what),
        "hint": error.hint,
        "place": None if error.place is None else asdict(error.place),
    }


if __name__ == "__main__":
    main()
