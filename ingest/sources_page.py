"""data/README.md, written from the feeds and the catalogue: each source with its licence and what one row is.

Run as `python -m ingest.sources_page`, it writes the page again.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ingest.feed import Feed, feeds
from store.home import CHECKOUT
from store.stanzas import Stanza, read_catalogue

PAGE = CHECKOUT / "data" / "README.md"
INTRODUCTION = """\
# Data

`leagues.toml` is the catalogue of results that `pooltable add LEAGUE` knows. `demo/` holds two simulated leagues and
the results of a simulated club, the only results that come with Pooltable: everything else is fetched from its source,
under its licence, into your own home folder. This page is written from the feeds in `ingest/feeds` and the catalogue
by `python -m ingest.sources_page`.

## Feeds

A feed reads one format. Given a folder or a glob, it takes the files it knows by name, plain or gzip, and leaves all
others alone.

| feed | source | licence as its source states it | one row is | files of results | read beside them |
|---|---|---|---|---|---|
"""
LEAGUES = """
## Leagues

Every league of `leagues.toml`, with where its results are published. A source that is published in another format than
text has a note in `leagues.toml` that says how to give it.

| league | title | feed | published at | licence as its source states it |
|---|---|---|---|---|
"""
# Of leagues that are read through a mapping, the feed knows neither source nor licence.
MAPPED = {
    "england_history": ("https://github.com/jalapic/engsoccerdata", "GPL (>= 2)"),
    "grand_slam_odds": ("https://github.com/skoval/deuce", "GPL-2"),
    "nfl_history": ("https://github.com/fivethirtyeight/nfl-elo-game", "MIT"),
}


def sources_page(known: Iterable[Feed], catalogue: Mapping[str, Stanza]) -> str:
    """The page as Markdown: a row a feed and a row a league, by name."""
    by_name = {feed.name: feed for feed in sorted(known, key=lambda feed: feed.name)}
    formats = [
        f"| `{feed.name}` | [{feed.title}]({feed.homepage}) | {feed.licence} | {feed.row} | {_files(feed.slices)} "
        f"| {_files(feed.companions)} |"
        for feed in by_name.values()
    ]
    leagues = [
        f"| `{league}` | {stanza.title} | `{stanza.feed}` | {published_at(league, stanza, by_name[stanza.feed])} "
        f"| {MAPPED.get(league, ('', by_name[stanza.feed].licence))[1]} |"
        for league, stanza in sorted(catalogue.items())
    ]
    return INTRODUCTION + "\n".join(formats) + "\n" + LEAGUES + "\n".join(leagues) + "\n"


def published_at(league: str, stanza: Stanza, feed: Feed) -> str:
    """Where people find the league's results: the repositories or hosts of its addresses, else its feed's page."""
    repositories = [_page_of(source) for source in stanza.source if "://" in source]
    homepage = MAPPED.get(league, (feed.homepage, ""))[0]
    return ", ".join(dict.fromkeys(repositories or [homepage]))


def _page_of(address: str) -> str:
    """The repository of an address of a raw file, or the host of any other."""
    parts = urlsplit(address)
    if parts.netloc == "raw.githubusercontent.com":
        return "https://github.com/" + "/".join(parts.path.split("/")[1:3])
    return f"{parts.scheme}://{parts.netloc}"


def _files(patterns: tuple[str, ...]) -> str:
    return ", ".join(f"`{pattern}`" for pattern in patterns) or "-"


if __name__ == "__main__":
    PAGE.write_text(sources_page(feeds().values(), read_catalogue()), encoding="utf-8")
