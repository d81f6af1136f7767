"""Raw snapshots: downloaded bytes kept for ever under the hash of their content, each with a JSON sidecar.

`raw/<league>/<sha256><ending>` holds the bytes and `<sha256>.<source>.json` says where and when they came from, with
`<source>` a hash of the URL or path, so that the same bytes from two places have two sidecars. Files appear whole or
not at all: written aside, flushed to the disk, renamed. That the folder lists them is flushed once, by `flush`, before
anything is loaded from them.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from store.errors import FeedError, StoreError

STANDING_IN = ".standing-in"


@dataclass(frozen=True)
class Snapshot:
    """One version of one source's bytes, as kept in the home.

    `fetched_at_utc` is ISO 8601 in UTC; etag and last_modified are what the server said, None for files.
    """

    source: str
    file: str
    fetched_at_utc: str
    sha256: str
    bytes: int
    etag: str | None = None
    last_modified: str | None = None

    @property
    def origin(self) -> str:
        """When and from where it came, in words."""
        return f"fetched {self.fetched_at_utc} UTC from {self.source}"


def keep(folder: Path, source: str, body: bytes, now: datetime, headers: tuple[str | None, str | None]) -> Snapshot:
    """The snapshot of these bytes, now on disk with its sidecar. `headers` are ETag and Last-Modified.

    After the last one comes `flush`. Raises StoreError where our disk refuses: no other snapshot stands in for that.
    """
    sha256 = hashlib.sha256(body).hexdigest()
    file = f"{sha256}{_ending(source)}"
    moment = now.replace(tzinfo=None).isoformat(timespec="seconds")
    snapshot = Snapshot(source, file, moment, sha256, len(body), *headers)
    if not is_whole(folder, snapshot):
        _write(folder / file, body)
    _write(folder / f"{sha256}.{_short(source)}.json", json.dumps(asdict(snapshot), indent=1).encode())
    return snapshot


def flush(folder: Path) -> None:
    """Has the disk keep the names of all that was put in the folder. Raises StoreError where it refuses."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}.", "Is the disk full, or read-only?") from error


def kept(folder: Path) -> dict[str, list[Snapshot]]:
    """Every snapshot in the folder by its source (URL or path), whether its bytes are whole or not."""
    found: dict[str, list[Snapshot]] = {}
    for snapshot in filter(None, map(_sidecar, sorted(folder.glob("*.json")))):
        found.setdefault(snapshot.source, []).append(snapshot)
    return found


def standing_in(folder: Path) -> dict[str, str]:
    """The sources that could not be had when last asked, each with the time (ISO 8601, UTC) it was first so."""
    try:
        return dict(json.loads((folder / STANDING_IN).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # none so far; and what is lost here only restarts the count
        return {}


def note_standing_in(folder: Path, sources: list[str], now: datetime) -> None:
    """Keeps which sources could not be had now, with the time since when. Raises StoreError where the disk refuses."""
    before = standing_in(folder)
    moment = now.replace(tzinfo=None).isoformat(timespec="seconds")
    after = {source: min(before.get(source, moment), moment) for source in sources}  # a clock may have been ahead
    if after != before:
        _write(folder / STANDING_IN, json.dumps(after, indent=1).encode())


def is_whole(folder: Path, snapshot: Snapshot) -> bool:
    """Whether the snapshot's bytes are on disk in full length."""
    path = folder / snapshot.file
    return path.exists() and path.stat().st_size == snapshot.bytes


def read(folder: Path, snapshot: Snapshot) -> bytes:
    """The snapshot's bytes. Raises FeedError where they cannot be read or are not what was kept."""
    path = folder / snapshot.file
    try:
        body = path.read_bytes()
    except OSError as error:
        raise FeedError(f"{path} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(body).hexdigest() != snapshot.sha256:
        raise FeedError(f"{path} is damaged: its bytes are not those that were kept.", "Delete it and pull again.")
    return body


def _sidecar(path: Path) -> Snapshot | None:
    """The snapshot a sidecar tells of; None where the sidecar is unreadable, as after a disk fault."""
    try:
        return Snapshot(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _short(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def _ending(source: str) -> str:
    """The source's file endings, so that other tools know what a raw file is: ".csv", ".csv.gz"."""
    name = source.split("://", 1)[-1].split("?", 1)[0].split("#", 1)[0].rsplit("/", 1)[-1].lower()
    endings = [part for part in name.split(".")[1:][-2:] if part.isalnum() and len(part) <= 5]
    return "".join(f".{part}" for part in endings)


def _write(path: Path, body: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.", "Is the disk full, or read-only?") from error
