"""Formula 1 qualifying from the Ergast database's CSV export: a league of its own beside the races of `ergast_f1`.

What a side is, and where names and days come from, is as it is there. Everybody in the file has a position.
"""

from ingest.feed import Feed, Source
from ingest.feeds.ergast_f1 import ENTRY, NAMES, RACES, session
from ingest.frames import Parsed


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of qualifying.csv, with the calendar and the names beside it. Raises FeedError."""
    return session("qualifying", raw, source, ["qualifyId", *ENTRY])


FEED = Feed(
    name="ergast_f1_qualifying",
    title="Formula 1 qualifying (Ergast database export)",
    licence="CC BY 4.0",
    homepage="https://github.com/vankesteren/f1model",
    row="one driver in one qualifying",
    parse=parse,
    slices=("qualifying.csv",),
    companions=(RACES, *NAMES),
)
