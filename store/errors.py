"""Every error a user can cause or meet, each with what happened and what to do.

PooltableError                 exit 1: it was asked for rightly and could not be done
├── LockedError                exit 75: another process holds the file
├── StoreError                 the home, the warehouse or an edition is not as it must be
├── FeedError                  a source cannot be fetched or read
│   └── UnreachableError       exit 75: its server could not be reached or was too busy
├── FitError                   a model cannot be built or fitted
└── UsageError                 exit 2: wrong use
    └── StanzaError            leagues.toml is wrong

Exit code 75 (EX_TEMPFAIL of sysexits.h): the same command may succeed in a while. The night tries it again.
"""

TEMPORARY = 75


class PooltableError(Exception):
    """What happened, to which thing (`message`), and what to do about it (`hint`)."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.message = message
        self.hint = hint


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


class FitError(PooltableError):
    """A model cannot be built from the stanza and the games, or cannot be fitted."""


class UsageError(PooltableError):
    """The command was called wrongly."""

    exit_code = 2


class StanzaError(UsageError):
    """leagues.toml does not say something we can rate."""
