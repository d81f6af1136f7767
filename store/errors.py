"""Every error a user can cause or meet, each with what happened and what to do.

PooltableError                 exit 1: it was asked for rightly and could not be done
├── LockedError                exit 75: another process holds the file
├── StoreError                 the home, the warehouse or an edition is not as it must be
├── FeedError                  a source cannot be fetched or read
│   └── UnreachableError       exit 75: its server could not be reached or was too busy
├── FitError                   a model cannot be built or fitted
├── ClusterError               exit 75: the cluster that is to fit cannot be reached, or has no workers
├── BusyError                  too many are asking; later there will be room
└── UsageError                 exit 2: wrong use
    ├── StanzaError            leagues.toml is wrong
    └── QueryError             a query cannot be answered; `place` says where its mistake is
        └── EngineError        exit 1: DuckDB failed with it by an error of its own

Exit code 75 (EX_TEMPFAIL of sysexits.h): the same command may succeed in a while. The night tries it again.
"""

import re
from dataclasses import dataclass

TEMPORARY = 75
URL = re.compile(r"""\w+://[^\s"'<>]+""")


def without_secrets(text: str) -> str:
    """The text without names, passwords and values of queries in its URLs: messages go to logs and to alerts."""
    return URL.sub(lambda url: re.sub(r"([?&][^=&#\s]+=)[^&#\s]*", r"\1…", re.sub(r"//[^/\s]*@", "//…@", url[0])), text)


class PooltableError(Exception):
    """What happened, to which thing (`message`), and what to do about it (`hint`); secrets in URLs are left out."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = without_secrets(message), without_secrets(hint)
        super().__init__(f"{self.message}\n{self.hint}" if hint else self.message)

    def __reduce__(self) -> tuple[type["PooltableError"], tuple[str, str]]:
        """How it travels between processes: as it was made."""
        return type(self), (self.message, self.hint)


class LockedError(PooltableError):
    """Another process holds a file we need, and went on holding it for the whole bounded wait."""

    exit_code = TEMPORARY


class StoreError(PooltableError):
    """The home, the warehouse or an edition is not as it must be."""


class FeedError(PooltableError):
    """A source cannot be fetched, or is not what its feed expects."""


class UnreachableError(FeedError):
    """A server could not be reached, broke off, or said that it cannot answer now."""

    exit_code = TEMPORARY


class ClusterError(PooltableError):
    """The cluster that is to fit cannot be reached, has no workers, or went away."""

    exit_code = TEMPORARY


class FitError(PooltableError):
    """A model cannot be built from the stanza and the games, or cannot be fitted."""


class BusyError(PooltableError):
    """Too many are asking at once; `seconds` is when it is worth asking again."""

    def __init__(self, message: str, hint: str = "", seconds: float = 3.0) -> None:
        super().__init__(message, hint)
        self.seconds = seconds


class UsageError(PooltableError):
    """The command was called wrongly."""

    exit_code = 2


class StanzaError(UsageError):
    """leagues.toml does not say something we can rate."""


@dataclass(frozen=True)
class Place:
    """Where in a text a mistake is: line and column from 1, and the line with a caret under the place."""

    line: int
    column: int
    caret: str


class QueryError(UsageError):
    """A query cannot be answered: `what` is the matter, and `place` (where it is known) is where in its text."""

    def __init__(self, what: str, hint: str = "", place: Place | None = None) -> None:
        super().__init__(f"{what}\n\n{place.caret}" if place else what, hint)
        self.what = what
        self.place = place


class EngineError(QueryError):
    """DuckDB met an error of its own; the instance that did may answer nothing any more."""

    exit_code = 1
