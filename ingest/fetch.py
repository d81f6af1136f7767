"""Fetching: sources (URLs, files, folders, globs) become raw snapshots in the home.

A URL is asked for conditionally, with retries; an error page or half a body is not data. Where a source cannot be
had, its last snapshot stands in and the answer says so.
"""

import glob
import gzip
import hashlib
import io
import itertools
import logging
import re
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from ingest import snapshots
from ingest.snapshots import Snapshot
from store.errors import FeedError

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = (10.0, 60.0)
MAX_BYTES = 1 << 29
MAX_RETRY_AFTER_SECONDS = 120
RETRY_STATUSES = (429, 500, 502, 503, 504)
YEARS = re.compile(r"\{(\d{4})\.\.(\d{4})\}")
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Fetched:
    """One file of a league: its name within the league, its snapshot, and a note where it is not fresh, else ""."""

    name: str
    snapshot: Snapshot
    note: str = ""


@dataclass(frozen=True)
class Limits:
    """How long and how much to ask of a server."""

    timeout_seconds: tuple[float, float] = TIMEOUT_SECONDS
    max_bytes: int = MAX_BYTES
    retries: int = 4
    backoff_seconds: float = 1.0
    total_seconds: float = 900.0


def fetch(
    folder: Path,
    sources: tuple[str, ...],
    now: datetime,
    is_known: Callable[[str], bool],
    limits: Limits | None = None,
    *,
    offline: bool = False,
) -> list[Fetched]:
    """Every file of the sources, in their order, snapshotted in `folder`.

    Of folders and globs, only files whose name `is_known`. With `offline`, the last snapshot of each where there is
    one, unasked. Raises FeedError, naming the source, where one cannot be
    had and there is no earlier snapshot of it.
    """
    limits = limits or Limits()
    found = [place for source in sources for place in expand(source, is_known)]
    places = list(dict.fromkeys(place for place, _ in found))
    names = _unique_names(dict(reversed(found)))
    with _session(limits) as session:
        return [_fetch_one(folder, place, names[place], now, session, limits, offline) for place in places]


def expand(source: str, is_known: Callable[[str], bool]) -> list[tuple[str, str]]:
    """The files a source stands for, each with its name: relative to the folder or glob, else its own.

    A range of years in braces, as in "matches_{1968..2024}.csv", stands for one source a year.
    Raises FeedError where a folder or a glob holds no file the feed reads.
    """
    years = YEARS.search(source)
    if years:
        some = range(int(years[1]), int(years[2]) + 1)
        return [found for year in some for found in expand(source.replace(years[0], str(year)), is_known)]
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


def _fetch_one(
    folder: Path, place: str, name: str, now: datetime, session: requests.Session, limits: Limits, offline: bool
) -> Fetched:
    last = snapshots.newest(folder, place)
    if offline and last:
        return Fetched(name, last)
    try:
        if "://" in place:
            return Fetched(name, _from_url(folder, place, last, now, session, limits))
        return Fetched(name, _kept(folder, place, last, now, _from_file(Path(place), limits), (None, None)))
    except FeedError as error:
        if last is None:
            raise
        note = f"{error.message} The snapshot of {last.fetched_at_utc} UTC was used."
        log.warning(note)
        return Fetched(name, last, note)


def _from_file(path: Path, limits: Limits) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise FeedError(f"{path} is not a file.", "Check the league's source.")
        if path.stat().st_size > limits.max_bytes:
            raise FeedError(f"{path} is larger than {limits.max_bytes:,} bytes.", "Is it the right file?")
        body = path.read_bytes()
    except OSError as error:
        raise FeedError(f"{path} cannot be read: {error.strerror}.", "Check the league's source.") from error
    return body


def _from_url(
    folder: Path, url: str, last: Snapshot | None, now: datetime, session: requests.Session, limits: Limits
) -> Snapshot:
    """The server's answer as a snapshot; the last one where it has not changed. Raises FeedError."""
    known = {"If-None-Match": last.etag, "If-Modified-Since": last.last_modified} if last else {}
    asked = {header: value for header, value in known.items() if value} | {"Accept-Encoding": "gzip"}
    try:
        with session.get(url, headers=asked, timeout=limits.timeout_seconds, stream=True) as answer:
            if answer.status_code == requests.codes.not_modified and last:
                return last
            if answer.status_code != requests.codes.ok:
                raise FeedError(f"{url} answered {answer.status_code} {answer.reason}.", "Check the address, or wait.")
            body = _body(answer, url, limits)
            headers = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    except (requests.RequestException, HTTPError, ValueError) as error:
        raise FeedError(
            f"{url} cannot be fetched: {_reason(error)}.", "Is the network up, the address right?"
        ) from error
    return _kept(folder, url, last, now, body, headers)


def _kept(
    folder: Path, place: str, last: Snapshot | None, now: datetime, body: bytes, headers: tuple[str | None, str | None]
) -> Snapshot:
    """The bytes as a snapshot: the last one where nothing differs. Raises FeedError where they are not data."""
    same = last and last.sha256 == hashlib.sha256(body).hexdigest() and (last.etag, last.last_modified) == headers
    if last and same:
        return last
    _insist_on_data(body, place)
    return snapshots.keep(folder, place, body, now, headers)


def _body(answer: requests.Response, url: str, limits: Limits) -> bytes:
    """The whole body; urllib3 checks it against Content-Length. Raises FeedError where it is too large or too slow.

    A compressed answer is unpacked here, for requests takes the first half of one for the whole.
    """
    pieces, size = [], 0
    deadline = time.monotonic() + limits.total_seconds
    for piece in answer.raw.stream(1 << 20, decode_content=False):
        size += len(piece)
        if size > limits.max_bytes:
            raise FeedError(f"{url} sends more than {limits.max_bytes:,} bytes.", "Is it the right address?")
        if time.monotonic() > deadline:
            raise FeedError(f"{url} sends too slowly: not done after {limits.total_seconds:g} s.", "Try again later.")
        pieces.append(piece)
    is_packed = "gzip" in answer.headers.get("Content-Encoding", "")
    return unpacked(b"".join(pieces), url, limits.max_bytes) if is_packed else b"".join(pieces)


def _insist_on_data(body: bytes, what: str) -> None:
    """Raises FeedError where the bytes are nothing, a web page, or half a gzip file."""
    start = body[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not start:
        raise FeedError(f"{what} is empty.", "Look at the source.")
    if start.startswith(b"<"):  # no feed is markup
        raise FeedError(f"{what} is a web page, not data.", "Check the address: servers send a page for an error.")
    unpacked(body, what)


def _session(limits: Limits) -> requests.Session:
    retry = Retry(
        total=limits.retries,
        backoff_factor=limits.backoff_seconds,
        status_forcelist=RETRY_STATUSES,
        respect_retry_after_header=True,
        retry_after_max=MAX_RETRY_AFTER_SECONDS,
        raise_on_status=False,
    )
    session = requests.Session()
    session.headers["User-Agent"] = "pooltable"
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _reason(error: Exception) -> str:
    """The innermost cause, in one line: requests wraps urllib3 wraps the socket's own words."""
    text = str(error.args[0] if error.args else error)
    return text.splitlines()[0][:200] if text else type(error).__name__
