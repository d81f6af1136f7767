"""Every error a user can cause or meet, each with what happened and what to do.

PooltableError                 exit 1: it was asked for rightly and could not be done
├── LockedError                another process holds the file
├── StoreError                 the home, the warehouse or an edition is not as it must be
├── FeedError                  a source cannot be fetched or read
├── FitError                   a model cannot be built or fitted
└── UsageError                 exit 2: wrong use
    └── StanzaError            leagues.toml is wrong
"""


class PooltableError(Exception):
    """What happened, to which thing (`message`), and what to do about it (`hint`)."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type["PooltableError"], tuple[str, str]]:
        """How it travels between processes: as it was made."""
        return type(self), (self.message, self.hint)


class LockedError(PooltableError):
    """Another process holds a file we need, and went on holding it for the whole bounded wait."""


class StoreError(PooltableError):
    """The home, the warehouse or an edition is not as it must be."""


class FeedError(PooltableError):
    """A source cannot be fetched, or is not what its feed expects."""


class FitError(PooltableError):
    """A model cannot be built from the stanza and the games, or cannot be fitted."""


class UsageError(PooltableError):
    """The command was called wrongly."""

    exit_code = 2


class StanzaError(UsageError):
    """leagues.toml does not say something we can rate."""
