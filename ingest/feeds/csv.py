"""Any delimited file, by the mapping in the league's stanza (`[LEAGUE.columns]`); ingest/README.md is its reference.

One row a game of two sides goes through `ingest.mapped_games`, one row a side or entrant through
`ingest.mapped_sides`; a second file of appearances is joined to either by the game's key columns.
"""

from ingest.feed import Feed, Source
from ingest.frames import Parsed
from ingest.mapped_games import games_of
from ingest.mapped_rows import columns_of
from ingest.mapped_sides import sides_of
from store.stanzas import Stanza


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of one file. Raises FeedError or StanzaError where mapping and file do not fit."""
    columns = columns_of(source)
    return games_of(raw, source, columns) if columns.rows == "game" else sides_of(raw, source, columns)


def _appearances(stanza: Stanza) -> tuple[str, ...]:
    return (stanza.columns.appearances.file,) if stanza.columns and stanza.columns.appearances else ()


FEED = Feed(
    name="csv",
    title="Any delimited file, by a mapping of its columns",
    licence="as its owner says",
    homepage="../ingest/README.md",
    row="one game of two sides, or one side of a game, as the mapping says",
    parse=parse,
    slices=("*.csv", "*.tsv", "*.txt"),
    companions_of=_appearances,
)
