"""What people declared about a league, aliases and corrections, read together and applied to what a feed read."""

from dataclasses import dataclass

from ingest.corrections import Correction, corrected, read_corrections
from ingest.frames import Parsed
from ingest.identity import Merge, merged, read_merges
from store.home import Home


@dataclass(frozen=True)
class Declared:
    """The declared aliases and corrections of a league."""

    merges: list[Merge]
    corrections: list[Correction]

    @property
    def fingerprint(self) -> str:
        """Text that differs where anything declared does; empty where nothing is."""
        return repr((self.merges, self.corrections)) if self.merges or self.corrections else ""

    def applied_to(self, parsed: Parsed, file: str) -> Parsed:
        """The frames with aliases replaced, then corrected. Raises FeedError where that cannot be."""
        return corrected(merged(parsed, self.merges), self.corrections, file)


def declared(home: Home, league: str) -> Declared:
    """What the home's files declare of a league. Raises StoreError, FeedError where one is wrong."""
    return Declared(read_merges(home, league), read_corrections(home, league))
