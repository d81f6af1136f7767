"""Fetching: sources (URLs, files, folders, globs) become raw snapshots in the home.

A URL is asked for conditionally, with retries; an error page or half a body is not data. Where a source cannot be
had, its last snapshot stands in and the answer says so: the one that was loaded, for a newer one was refused.
"""

import glob
import gzip
import hashlib
import io
import itertools
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ingest import snapshots
from ingest.snapshots import Snapshot
from store.errors import FeedError, UnreachableError

if TYPE_CHECKING:  # requests takes a tenth of a second to import: only where there is a URL
    from ingest.servers import Asker, Limits

MAX_BYTES = 1 << 29
YEARS = re.compile(r"\{(\d{4})\.\.(\d{4})\}")
GZIP = b"\x1f\x8b"
LINE_ENDS = (b"\n", b"\r")


@dataclass(frozen=True)
class Fetched:
    """One file of a league: its name within the league, its snapshot, and a note where it is not fresh, else ""."""

    name: str
    snapshot: Snapshot
    note: str = ""


@dataclass(frozen=True)
class _Place:
    """One URL or path of a source and its name; `lost` says why it need not be asked for, as its folder is gone."""

    where: str
    name: str
    lost: str = ""


@dataclass
class _Round:
    """What one call of fetch works with: where snapshots are, those that were loaded, the clock, and the network."""

    folder: Path
    kept: Mapping[str, list[Snapshot]]
    loaded: Mapping[str, str]
    now: datetime
    offline: bool
    limits: "Limits | None"
    closing: ExitStack
    _asker: "Asker | None" = field(default=None)

    def last(self, where: str) -> Snapshot | None:
        """The whole snapshot that stands in for a place: the one that was loaded, else the newest."""
        whole = [found for found in self.kept.get(where, []) if snapshots.is_whole(self.folder, found)]
        loaded = [found for found in whole if found.sha256 == self.loaded.get(where)]
        return max(loaded or whole, key=lambda found: found.fetched_at_utc, default=None)

    def asker(self) -> "Asker":
        """The session with servers, begun when first needed."""
        if self._asker is None:
            from ingest.servers import Asker, Limits

            self._asker = self.closing.enter_context(Asker(self.limits or Limits()))
        return self._asker


def fetch(
    folder: Path,
    sources: tuple[str, ...],
    now: datetime,
    is_known: Callable[[str], bool],
    limits: "Limits | None" = None,
    *,
    offline: bool = False,
    loaded: Mapping[str, str] | None = None,
) -> list[Fetched]:
    """Every file of the sources, in their order, snapshotted in `folder`.

    Of folders and globs, only files whose name `is_known`. `loaded` has the SHA-256 of what is loaded from each place:
    servers are asked whether they have anything else, and it stands in where nothing can be had. With `offline`, the
    last snapshot of each where there is one, unasked. Raises FeedError, naming the source, where one cannot be had and
    there is no earlier snapshot of it, StoreError where our own disk cannot keep what came.
    """
    loaded = loaded or {}
    found = [place for source in sources for place in _places(source, is_known, loaded)]
    places = {place.where: place for place in reversed(found)}
    names = _unique_names({where: place.name for where, place in places.items()})
    order = dict.fromkeys(place.where for place in found)
    with ExitStack() as closing:
        this = _Round(folder, snapshots.kept(folder), loaded, now, offline, limits, closing)
        fetched = [_fetch_one(this, places[where], names[where]) for where in order]
    if not offline:
        snapshots.note_standing_in(folder, [file.snapshot.source for file in fetched if file.note], now)
    return fetched


def stands_for(source: str, place: str) -> bool:
    """Whether a file at `place` is of this source: it is it, or is in its folder, fits its glob, or is of its years."""
    for one in _each_year(source):
        path = Path(one).expanduser()
        if place in (one, str(path)):
            return True
        if "://" not in one and (path in Path(place).parents or PurePath(place).full_match(path)):
            return True
    return False


def expand(source: str, is_known: Callable[[str], bool]) -> list[tuple[str, str]]:
    """The files a source stands for, each with its name: relative to the folder or glob, else its own.

    A range of years in braces, as in "matches_{1968..2024}.csv", stands for one source a year.
    Raises FeedError where a folder or a glob holds no file the feed reads.
    """
    years = _each_year(source)
    if years != [source]:
        return [found for one in years for found in expand(one, is_known)]
    if "://" in source:
        return [(source, source.split("?", 1)[0].split("#", 1)[0].rstrip("/").rsplit("/", 1)[-1])]
    path = Path(source).expanduser()
    if path.is_dir():
        return _listed(source, path, sorted(path.rglob("*")), is_known)
    if glob.has_magic(source) and not path.exists():
        root = Path(*_before_magic(path.parts))
        return _listed(source, root, sorted(_matching(path)), is_known)
    return [(str(path), path.name)]


def unpacked(body: bytes, what: str, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes, unzipped where they are gzip. Raises FeedError where the archive is cut, broken or too large."""
    if not body.startswith(GZIP):
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            plain = file.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FeedError(f"{what} is not a whole gzip file: {error}.", "Fetch it again.") from error
    if len(plain) > max_bytes:
        raise FeedError(f"{what} unpacks to more than {max_bytes:,} bytes.", "Is it the right file?")
    return plain


def _each_year(source: str) -> list[str]:
    years = YEARS.search(source)
    if not years:
        return [source]
    some = range(int(years[1]), int(years[2]) + 1)
    return [one for year in some for one in _each_year(source.replace(years[0], str(year)))]


def _places(source: str, is_known: Callable[[str], bool], loaded: Mapping[str, str]) -> list[_Place]:
    """The source's places; those that were loaded before where its folder is gone or has no such file any more."""
    return [place for one in _each_year(source) for place in _places_of_one(one, is_known, loaded)]


def _places_of_one(source: str, is_known: Callable[[str], bool], loaded: Mapping[str, str]) -> list[_Place]:
    try:
        places = [_Place(*found) for found in expand(source, is_known)]
        if "://" in source or Path(places[0].where).exists():
            return places
        why = f"The folder {source} is gone."
    except FeedError as error:
        if not _inside(source, loaded):
            raise
        places, why = [], error.message
    return _lost(source, _inside(source, loaded), why) or places


def _inside(source: str, loaded: Mapping[str, str]) -> list[str]:
    """The loaded places that are in this folder or fit this glob, but are not all of the source itself."""
    return [place for place in loaded if place != str(Path(source).expanduser()) and stands_for(source, place)]


def _lost(source: str, places: list[str], why: str) -> list[_Place]:
    root = Path(*_before_magic(Path(source).expanduser().parts))
    lost = f"{why} The last snapshots of its {len(places):,} files were used."
    return [_Place(place, Path(place).relative_to(root).as_posix(), lost) for place in sorted(places, key=Path)]


def _listed(source: str, root: Path, paths: list[Path], is_known: Callable[[str], bool]) -> list[tuple[str, str]]:
    files = [path for path in paths if path.is_file() and is_known(path.name)]
    if not files:
        raise FeedError(f"There are no files for this feed in {source}.", "Check the path, and the feed's file names.")
    return [(str(path), path.relative_to(root).as_posix()) for path in files]


def _before_magic(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(itertools.takewhile(lambda part: not glob.has_magic(part), parts))


def _matching(pattern: Path) -> Iterator[Path]:
    root = _before_magic(pattern.parts)
    return Path(*root).glob(str(Path(*pattern.parts[len(root) :])))


def _unique_names(names: dict[str, str]) -> dict[str, str]:
    """Names by place; places that share one get as many of their parent folders as tell them apart."""
    clashing = [place for place in names if list(names.values()).count(names[place]) > 1]
    longer = {place: _with_parent(place, names[place]) for place in clashing}
    return names if longer == {place: names[place] for place in clashing} else _unique_names(names | longer)


def _with_parent(place: str, name: str) -> str:
    parts = [part for part in place.split("?", 1)[0].split("/") if part]
    depth = min(name.count("/") + 2, len(parts))
    return "/".join(parts[-depth:]) if depth > name.count("/") + 1 else place


def _fetch_one(this: _Round, place: _Place, name: str) -> Fetched:
    last = this.last(place.where)
    if last and (this.offline or place.lost):
        return Fetched(name, last, place.lost)
    try:
        return Fetched(name, _fresh(this, place.where, last))
    except FeedError as error:
        if last is None:
            raise _with_damage(error, this, place.where) from error
        together = getattr(error, "note", "")
        if together:  # one line for all files of a server that does not answer
            return Fetched(name, last, f"{together} The last snapshots were used.")
        return Fetched(name, last, f"{error.message} The snapshot of {last.fetched_at_utc} UTC was used.")


def _with_damage(error: FeedError, this: _Round, where: str) -> FeedError:
    """The error, which says so too where there would be a snapshot if it were whole."""
    broken = sorted(this.kept.get(where, []), key=lambda found: found.fetched_at_utc)
    if not broken:
        return error
    path = this.folder / broken[-1].file
    kind = UnreachableError if isinstance(error, UnreachableError) else FeedError
    return kind(
        f"{error.message} Its snapshot of {broken[-1].fetched_at_utc} UTC cannot stand in: {path} is damaged.",
        error.hint,
    )


def _fresh(this: _Round, where: str, last: Snapshot | None) -> Snapshot:
    """What is at the place now as a snapshot; the last one where nothing has changed. Raises FeedError."""
    if "://" not in where:
        return _kept(this, where, last, _from_file(Path(where)), (None, None))
    # Only what was loaded is worth a "not modified": anything else may be what could not be read.
    known = (last.etag, last.last_modified) if last and last.sha256 == this.loaded.get(where) else (None, None)
    answer = this.asker().ask(where, known)
    if answer is None and last:
        return last
    if answer is None:
        raise FeedError(f"{where} answered 304, but was not asked whether it changed.", "Try again later.")
    # A compressed answer is unpacked here, for requests takes the first half of one for the whole.
    body = unpacked(answer.body, where) if "gzip" in answer.packing else answer.body
    if not (answer.has_end or "gzip" in answer.packing) and last and last.sha256 == this.loaded.get(where):
        _insist_on_last_line(this.folder, last, body, where)
    return _kept(this, where, last, body, answer.headers)


def _from_file(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise FeedError(f"{path} is not a file.", "Check the league's source.")
        if path.stat().st_size > MAX_BYTES:
            raise FeedError(f"{path} is larger than {MAX_BYTES:,} bytes.", "Is it the right file?")
        body = path.read_bytes()
    except OSError as error:
        raise FeedError(f"{path} cannot be read: {error.strerror}.", "Check the league's source.") from error
    return body


def _kept(
    this: _Round, where: str, last: Snapshot | None, body: bytes, headers: tuple[str | None, str | None]
) -> Snapshot:
    """The bytes as a snapshot: the last one where nothing differs. Raises FeedError where they are not data."""
    same = last and last.sha256 == hashlib.sha256(body).hexdigest() and (last.etag, last.last_modified) == headers
    if last and same:
        return last
    _insist_on_data(body, where)
    return snapshots.keep(this.folder, where, body, this.now, headers)


def _insist_on_last_line(folder: Path, last: Snapshot, body: bytes, what: str) -> None:
    """Raises FeedError where text whose length nobody said ends within a line, and what was loaded did not.

    JSON and gzip say by themselves where they end.
    """
    if body.startswith(GZIP) or body.lstrip()[:1] in (b"{", b"["):
        return
    if body and not body.endswith(LINE_ENDS) and snapshots.read(folder, last).endswith(LINE_ENDS):
        raise FeedError(f"{what} breaks off within its last line, after {len(body):,} bytes.", "Try again later.")


def _insist_on_data(body: bytes, what: str) -> None:
    """Raises FeedError where the bytes are nothing, a web page, or half a gzip file."""
    start = body[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not start:
        raise FeedError(f"{what} is empty.", "Look at the source.")
    if start.startswith(b"<"):  # no feed is markup
        raise FeedError(f"{what} is a web page, not data.", "Check the address: servers send a page for an error.")
    unpacked(body, what)
