"""Feeds: a source's format, one file each in `ingest/feeds`, found by looking in the folder.

A feed's module holds one `FEED = Feed(...)` whose `name` is the module's name. `parse` is pure: bytes in, frames out.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

import ingest.feeds
from ingest.frames import Parsed
from store.errors import StanzaError
from store.stanzas import Stanza


@dataclass(frozen=True)
class Source:
    """What a feed may know of the file besides its bytes: its slice's name, its league and its companion files.

    `is_alone` where the league has no other slice: then all of its companions is about this one.
    """

    league: str
    slice: str
    stanza: Stanza
    companions: Mapping[str, bytes] = field(default_factory=dict)
    is_alone: bool = True


@dataclass(frozen=True)
class Feed:
    """A source format.

    Each file of a league is one slice, replaced as a whole. Of a folder or a glob only files whose name fits `slices`
    are taken. Files that fit `companions` (a table of truths, of race dates, of who was on the ice) are no slices:
    every slice of the same league gets their bytes in `Source.companions`, by name. Both match names without `.gz`.
    `companions_of` adds those that a stanza names.
    """

    name: str
    title: str
    licence: str
    homepage: str
    row: str
    parse: Callable[[bytes, Source], Parsed]
    slices: tuple[str, ...] = ("*.csv",)
    companions: tuple[str, ...] = ()
    is_simulated: bool = False
    companions_of: Callable[[Stanza], tuple[str, ...]] | None = None

    def of(self, stanza: Stanza) -> "Feed":
        """This feed with the companion files that the stanza names."""
        named = self.companions_of(stanza) if self.companions_of else ()
        return replace(self, companions=self.companions + named)

    def is_companion(self, name: str) -> bool:
        """Whether a file of this name goes along with the slices instead of being one."""
        return any(fnmatchcase(plain(name), pattern) for pattern in self.companions)

    def is_known(self, name: str) -> bool:
        """Whether a file of this name, met in a folder, is one this feed reads."""
        return self.is_companion(name) or any(fnmatchcase(plain(name), pattern) for pattern in self.slices)


def plain(name: str) -> str:
    """A file's name without its folders and without .gz."""
    return name.rsplit("/", 1)[-1].removesuffix(".gz")


def feeds() -> dict[str, Feed]:
    """Every feed by name: each module in ingest/feeds."""
    names = sorted(module.name for module in pkgutil.iter_modules(ingest.feeds.__path__))
    return {name: importlib.import_module(f"ingest.feeds.{name}").FEED for name in names}


def find(name: str) -> Feed:
    """The feed of this name. Raises StanzaError with the nearest name."""
    known = feeds()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(known)}."
        raise StanzaError(f'There is no feed "{name}".', hint)
    return known[name]
