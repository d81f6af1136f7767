"""A whole home in one file, taken while it runs, and a home from such a file.

A backup is of one moment: while nobody writes the warehouse, it and the run history are copied and everything else,
which is never changed in place, gets a second name. What has been set aside so is then packed without holding anybody
up: a tar of Zstandard, with a manifest of SHA-256 sums at its end, read back before it gets its name.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa
from filelock import FileLock, Timeout

from store.errors import LockedError, StoreError, UsageError
from store.history import damage_told
from store.home import Home
from store.warehouse import attached, connect, copy_database, newer_than_this

MANIFEST = "manifest.json"
PIECE = 1 << 20
KEPT_HIDDEN = (".pinned",)  # other hidden files are locks, and what is being made
Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Kept:
    """What a backup holds."""

    made_at_utc: str
    pooltable: str
    """The version that made it."""
    files: int
    bytes: int


def backup(home: Home, target: Path, now: datetime, report: Report) -> tuple[Path, Kept]:
    """Writes the home into `target`, or into a file named by the time where that is a folder; returns its path.

    The file appears when it is whole and was read back. Raises UsageError where `target` is there already or lies in
    the home, LockedError, StoreError where a disk is full or something cannot be read.
    """
    if not home.root.is_dir():
        raise StoreError(f"There is no home at {home.root}.", "Say which: pooltable --home FOLDER backup FILE")
    if target.is_dir():
        target = target / f"pooltable-{now:%Y%m%d-%H%M%S}.tar.zst"
    _need_place(home, target)
    part = target.with_name(f".{target.name}.part")
    with _alone(home), _told(f"{target} cannot be written"), _removed(part):
        with _set_aside(home) as aside:
            kept = _pack(aside, part, now, lambda share: report("packing", 0.8 * share))
        _read(part, lambda share: report("reading it back", 0.8 + 0.2 * share))
        part.rename(target)
        _flush(target.parent)
    return target, kept


def restore(
    home: Home, source: Path, now: datetime, report: Report, *, force: bool = False
) -> tuple[Kept, Path | None]:
    """Makes the home from a backup; returns what it held and where the old home's files are now, if there were any.

    Everything is unpacked, compared with the manifest and opened before anything that is there moves. Raises UsageError
    where the home is not empty and `force` is not given, StoreError where the backup is damaged, not whole, or of a
    newer Pooltable.
    """
    if not source.is_file():
        raise UsageError(f"There is no file {source}.", "Name a file that pooltable backup has written.")
    there = _visible(home.root)
    if there and not force:
        raise UsageError(
            f"{home.root} is not empty: it has {', '.join(sorted(path.name for path in there)[:5])}.",
            "Choose another --home, or say --force: what is there is set aside, not deleted.",
        )
    home.root.mkdir(parents=True, exist_ok=True)
    fresh, old = home.root / f".restoring-{uuid.uuid4().hex}", home.root / f".replaced-{now:%Y%m%d-%H%M%S}"
    with _alone(home), _told(f"{home.root} cannot be written"), _removed(fresh):
        for left in home.root.glob(".restoring-*"):
            shutil.rmtree(left)
        kept = _unpack(source, fresh, report)
        _need_known(Home(fresh, home.lock_wait_seconds))
        if home.warehouse.exists():
            connect(home.warehouse, home.lock_wait_seconds).close()  # nobody writes it now
        _move(there, old)
        _move(_visible(fresh), home.root)
        _flush(home.root)
    return kept, old if there else None


def _need_place(home: Home, target: Path) -> None:
    if target.exists():
        raise UsageError(
            f"{target} is there already.", "Choose another name, or a folder: the file is named by the time."
        )
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}.", "Make it first, where the backup is to lie.")
    if target.resolve().is_relative_to(home.root.resolve()) and not target.resolve().is_relative_to(
        home.backups.resolve()
    ):
        raise UsageError(
            f"{target} lies in the home itself.", f"Another disk is best; in the home, only {home.backups} will do."
        )


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    lock = FileLock(home.root / ".backup.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LockedError(f"{home.root} is being backed up or restored already.", "Wait for that to end.") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _set_aside(home: Home) -> Iterator[Path]:
    """A folder with the home as of one moment; gone afterwards."""
    for left in home.root.glob(".backup-*"):
        if left.is_dir():
            shutil.rmtree(left)
    aside = home.root / f".backup-{uuid.uuid4().hex}"
    aside.mkdir()
    try:
        if home.warehouse.exists():
            with closing(duckdb.connect()) as con, attached(home, con, "warehouse"):  # nobody writes it meanwhile, and
                copy_database(con, "warehouse", aside / home.warehouse.name)  # so nobody deletes what it names
                _second_names(home, aside)
        else:
            _second_names(home, aside)
        yield aside
    finally:
        shutil.rmtree(aside)


def _second_names(home: Home, aside: Path) -> None:
    """Copies the run history, and gives every other file of the home a second name; a file that is replaced or deleted
    later stays what it was under that one. Logs may grow, and are taken as long as they are."""
    if home.runs.exists():
        with (
            closing(sqlite3.connect(home.runs)) as history,
            closing(sqlite3.connect(aside / home.runs.name)) as copy,
            damage_told(home.runs),
        ):
            history.backup(copy)
    done = {
        home.warehouse.name,
        f"{home.warehouse.name}.wal",
        *(f"{home.runs.name}{end}" for end in ("", "-wal", "-shm")),
    }
    for path in _visible(home.root):
        if path.name not in done and path != home.backups:
            _second_name(path, aside / path.name)


def _second_name(path: Path, other: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        other.mkdir()
        for one in _visible(path):
            _second_name(one, other / one.name)
    elif path.is_symlink():
        other.symlink_to(path.readlink())
    elif path.suffix == ".toml":
        shutil.copy2(path, other)  # an editor may change it in place
    else:
        try:
            os.link(path, other)
        except FileNotFoundError:
            return  # deleted meanwhile: an old edition, which the warehouse does not name
        except OSError:
            shutil.copy2(path, other)  # a disk without second names


def _visible(folder: Path) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else []
    return [path for path in found if not path.name.startswith(".") or path.name in KEPT_HIDDEN]


def _pack(aside: Path, part: Path, now: datetime, tell: Callable[[float], None]) -> Kept:
    """Writes the archive: every file as a member, and the manifest as the last."""
    paths = sorted(path for path in aside.rglob("*") if path.is_symlink() or path.is_file())
    sizes = {path: 0 if path.is_symlink() else path.stat().st_size for path in paths}
    total, done, sums = max(sum(sizes.values()), 1), 0, {}
    with (
        part.open("xb") as file,
        pa.CompressedOutputStream(file, "zstd") as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        for path in paths:
            name = str(path.relative_to(aside))
            member = tar.gettarinfo(path, name)
            member.type = tarfile.SYMTYPE if path.is_symlink() else tarfile.REGTYPE  # second names look like links
            member.size = sizes[path]
            sums[name] = _add(tar, member, path)
            done += member.size
            tell(done / total)
        kept = Kept(now.isoformat(timespec="seconds"), version("pooltable"), len(paths), sum(sizes.values()))
        told = json.dumps({**vars(kept), "sha256": sums}, indent=1).encode()
        last = tarfile.TarInfo(MANIFEST)
        last.size, last.mtime = len(told), int(now.timestamp())
        tar.addfile(last, BytesIO(told))
    _flush(part)
    return kept


def _add(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> str:
    """Adds one file, as long as its member says it is, and returns its sum; of a link, where it points."""
    if member.issym():
        tar.addfile(member)
        return f"-> {member.linkname}"
    with path.open("rb") as file:
        summed = _Summed(file)
        tar.addfile(member, summed)  # pyright: ignore[reportArgumentType]
    return summed.sum.hexdigest()


class _Summed:
    """A file that sums up what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sum = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        found = self.file.read(size)
        self.sum.update(found)
        return found


def _read(source: Path, tell: Callable[[float], None], into: Path | None = None) -> dict[str, Any]:
    """The manifest of an archive, every member of which was compared with it, and written below `into` where that is
    given. Raises StoreError where the archive is damaged, not whole, or no backup."""
    size, sums, manifest = max(source.stat().st_size, 1), {}, None
    try:
        with (
            source.open("rb") as file,
            pa.CompressedInputStream(file, "zstd") as packed,
            tarfile.open(fileobj=packed, mode="r|") as tar,
        ):
            for member in tar:
                found = tar.extractfile(member) if member.isfile() else None
                if member.name == MANIFEST and found:
                    manifest = json.load(found)
                else:
                    sums[member.name] = _keep(member, found, into)
                tell(min(file.tell() / size, 1.0))
    except (tarfile.TarError, EOFError, ValueError, pa.ArrowException) as error:
        raise _damaged(source, str(error).partition("\n")[0]) from error
    except OSError as error:
        if error.errno is not None:  # the disk; Arrow's own faults have no number
            raise
        raise _damaged(source, str(error).partition("\n")[0]) from error
    if manifest is None:
        raise _damaged(source, "it ends before its manifest")
    if manifest["sha256"] != sums:
        raise _damaged(source, "its files are not what the manifest says")
    return manifest


def _keep(member: tarfile.TarInfo, found: IO[bytes] | None, into: Path | None) -> str:
    """A member's sum, written below `into` where that is given."""
    if into is not None:
        member = tarfile.data_filter(member, str(into))  # nothing may land anywhere else
        (into / member.name).parent.mkdir(parents=True, exist_ok=True)
    if found is None:
        if into is not None and member.issym():
            (into / member.name).symlink_to(member.linkname)
        return f"-> {member.linkname}"
    summed = _Summed(found)
    if into is None:
        while summed.read(PIECE):
            pass
        return summed.sum.hexdigest()
    with (into / member.name).open("xb") as file:
        shutil.copyfileobj(summed, file, PIECE)
        file.flush()
        os.fsync(file.fileno())
    os.utime(into / member.name, (member.mtime, member.mtime))
    if member.name.startswith("editions/"):
        (into / member.name).chmod(0o444)
    return summed.sum.hexdigest()


def _unpack(source: Path, fresh: Path, report: Report) -> Kept:
    fresh.mkdir()
    manifest = _read(source, lambda share: report("unpacking", share), fresh)
    return Kept(*(manifest[name] for name in ("made_at_utc", "pooltable", "files", "bytes")))


def _need_known(fresh: Home) -> None:
    """Raises StoreError where the unpacked warehouse cannot be opened or was written by a newer Pooltable."""
    if not fresh.warehouse.exists():
        return
    con = connect(fresh.warehouse, 0, read_only=True)
    try:
        newer = newer_than_this(con)
    finally:
        con.close()
    if newer:
        raise StoreError(f"The backup cannot be used here: {newer}", "Restore it with that version.")


def _move(paths: list[Path], folder: Path) -> None:
    """Moves files into a folder of the same disk; where there are none, none is made."""
    if paths:
        folder.mkdir(exist_ok=True)
    for path in paths:
        path.rename(folder / path.name)


def _flush(path: Path) -> None:
    """Waits until a file's bytes, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _removed(path: Path) -> Iterator[None]:
    """Whatever happens, nothing is left of the file or folder, unless it got its own name."""
    path.unlink(missing_ok=True)
    try:
        yield
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turns a disk that is full, gone or read-only into a StoreError."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StoreError(
            f"{what}: {reason}.", "Nothing is left of it, and nothing was changed. Is the disk full, read-only or gone?"
        ) from error


def _damaged(source: Path, why: str) -> StoreError:
    return StoreError(f"{source} is no whole backup: {why}.", "Use another one; nothing was changed.")
