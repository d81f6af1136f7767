"""Slices: the files of a league as units of loading, read with their companions into frames ready to be stored."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import dataframely as dy
import polars as pl

from ingest import snapshots
from ingest.feed import Feed, Source, plain
from ingest.fetch import Fetched, unpacked
from ingest.frames import SCHEMAS, Parsed
from ingest.snapshots import Snapshot
from store.errors import FeedError
from store.stanzas import Stanza

WITH_SLICE = ("games", "forecasts", "outlooks")
COPY = "game is in another file already"


@dataclass(frozen=True)
class Slice:
    """One file of a league with its companion files by name; `sha256` is of all their bytes."""

    name: str
    snapshot: Snapshot
    companions: Mapping[str, Snapshot]
    sha256: str

    @property
    def files(self) -> dict[str, Snapshot]:
        """Snapshots by name: the file of results and its companions."""
        return {self.name: self.snapshot, **self.companions}


@dataclass(frozen=True)
class Read:
    """A slice with what its feed read from it, and how many data rows each of its files has, by name."""

    slice: Slice
    parsed: Parsed
    rows: Mapping[str, int]


def slices_of(feed: Feed, fetched: list[Fetched]) -> list[Slice]:
    """The fetched files as slices, in their order. Raises FeedError where there are only companion files."""
    companions = {plain(file.name): file.snapshot for file in fetched if feed.is_companion(file.name)}
    mains = [file for file in fetched if not feed.is_companion(file.name)]
    if not mains:
        raise FeedError(f"There are no results among the files: {', '.join(companions)}.", "Add the file of results.")
    return [Slice(file.name, file.snapshot, companions, _hash_of(file.snapshot, companions)) for file in mains]


def read_slice(folder: Path, feed: Feed, slice_: Slice, league: str, stanza: Stanza, *, is_alone: bool = True) -> Read:
    """The slice, the league's only one or not, read by its feed.

    Raises FeedError where its bytes are damaged or not what the feed expects.
    """
    companions = {name: unpacked(snapshots.read(folder, of), name) for name, of in slice_.companions.items()}
    body = unpacked(snapshots.read(folder, slice_.snapshot), slice_.name)
    parsed = feed.parse(body, Source(league, slice_.name, stanza, companions, is_alone))
    encoding = stanza.columns.encoding if stanza.columns else "utf-8"
    rows = {name: _rows_in(companion, encoding) for name, companion in companions.items()}
    return Read(slice_, parsed, {slice_.name: parsed.rows_read} | rows)


def without_repeats(reads: list[Read], stored: pl.DataFrame) -> list[Read]:
    """The reads without games that an earlier slice, or `stored` (game_id), holds: their rows become rejected ones.

    Sources do publish a season's half beside its whole; the first file in the league's order keeps the game.
    """
    ids = [read.parsed.games.select("game_id", which=pl.lit(number)) for number, read in enumerate(reads)]
    games = pl.concat(ids) if ids else pl.DataFrame(schema={"game_id": pl.String, "which": pl.Int32})
    is_repeat = ~pl.col("game_id").is_first_distinct() | pl.col("game_id").is_in(stored["game_id"].implode())
    repeats = games.filter(is_repeat).partition_by("which", as_dict=True)
    return [
        replace(read, parsed=_reject(read, repeats[(number,)])) if (number,) in repeats else read
        for number, read in enumerate(reads)
    ]


def staged(reads: list[Read]) -> dict[str, pl.DataFrame]:
    """The reads' frames put together by name, games and forecasts with their slice.

    Later slices' names of competitors win. Raises dataframely's ValidationError where a frame breaks its schema's
    rules, which is a mistake of the feed.
    """
    keys = {"competitors": ["competitor_id"], "memberships": ["competitor_id", "season", "grouping"]}
    keys |= {"truth": ["competitor_id", "component"], "aliases": ["alias", "competitor_id"]}
    keys |= {"forecasts": ["forecast_id"], "outlooks": ["forecast_id", "stage"]}
    frames = {}
    for name, schema in SCHEMAS.items():
        if name not in ("source_rows", "rejected"):
            whole = pl.concat([_of_slice(read, name) for read in reads] or [_no_slice(schema)])
            single = whole.unique(keys[name], keep="last", maintain_order=True) if name in keys else whole
            schema.validate(single)
            frames[name] = single if name in WITH_SLICE else single.drop("slice")
    return frames


def _rows_in(companion: bytes, encoding: str) -> int:
    """How many data rows a companion has, which is delimited text with a header: its lines with content, but one."""
    lines = companion.decode(encoding, errors="replace").split("\n")
    return max(sum(1 for line in lines if line.strip(', \t\r"\ufeff')) - 1, 0)


def _of_slice(read: Read, name: str) -> pl.DataFrame:
    return getattr(read.parsed, name).with_columns(slice=pl.lit(read.slice.name))


def _no_slice(schema: type[dy.Schema]) -> pl.DataFrame:
    return schema.create_empty().with_columns(slice=pl.lit("", pl.String))


@cache
def loader_hash(feed: str, settings: str = "") -> str:
    """Hash of the code that turns bytes into stored rows, the feed's name, and whatever else decides (`settings`)."""
    here = Path(__file__).parent
    digest = hashlib.sha256(f"{feed}\n{settings}".encode())
    for path in sorted([*here.glob("*.py"), *here.glob("feeds/*.py"), *here.glob("sql/*.sql")]):
        digest.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _reject(read: Read, repeated: pl.DataFrame) -> Parsed:
    parsed, gone = read.parsed, repeated.select("game_id")
    kept = {
        name: getattr(parsed, name).join(gone, on="game_id", how="anti", maintain_order="left")
        for name in ("games", "sides", "appearances", "source_rows")
    }
    rows = parsed.source_rows.join(gone, on="game_id", how="semi", maintain_order="left")
    rejected = rows.select(pl.lit(read.slice.name).alias("file"), "line", pl.lit(COPY).alias("rule"), "raw")
    return replace(parsed, **kept, rejected=pl.concat([parsed.rejected, rejected]))


def _hash_of(snapshot: Snapshot, companions: Mapping[str, Snapshot]) -> str:
    """The file's own SHA-256 where it stands alone; else that of the hashes of all."""
    if not companions:
        return snapshot.sha256
    parts = [snapshot.sha256, *(f"{name}={companions[name].sha256}" for name in sorted(companions))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
