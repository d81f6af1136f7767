"""data/README.md, written from the feeds: each source with its licence and what one row is.

Run as `python -m ingest.sources_page`, it writes the page again.
"""

from collections.abc import Iterable

from ingest.feed import Feed, feeds
from store.home import CHECKOUT

PAGE = CHECKOUT / "data" / "README.md"
INTRODUCTION = """\
# Data

`leagues.toml` is the catalogue of results that `pooltable add LEAGUE` knows. `demo/` holds two simulated leagues, and
they are the only results that come with Pooltable: everything else is fetched from its source, under its licence, into
your own home folder. This page is written from the feeds in `ingest/feeds` by `python -m ingest.sources_page`.

| feed | source | licence as its source states it | one row is |
|---|---|---|---|
"""


def sources_page(known: Iterable[Feed]) -> str:
    """The page as Markdown, a table row a feed, by name."""
    rows = [
        f"| `{feed.name}` | [{feed.title}]({feed.homepage}) | {feed.licence} | {feed.row} |"
        for feed in sorted(known, key=lambda feed: feed.name)
    ]
    return INTRODUCTION + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(sources_page(feeds().values()), encoding="utf-8")
