"""`pull`: a league's sources fetched, read and loaded, so that doing it twice changes nothing.

Everything slow (network, parsing) happens outside the warehouse; then one short transaction replaces whole slices
and records what that changed. Bad news is told before good data are replaced.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from ingest.corrections import DROPPED
from ingest.declared import declared
from ingest.feed import Feed, find
from ingest.fetch import fetch
from ingest.slices import COPY, Read, Slice, loader_hash, read_slice, slices_of, staged, without_repeats
from store.errors import FeedError, StoreError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading, writing

log = logging.getLogger(__name__)

SQL = Path(__file__).parent / "sql"
REJECTED_SHARE, REJECTED_FLOOR = 0.02, 3
LOST_SHARE, LOST_FLOOR = 0.01, 5
REPLACED_SHARE = 0.5
LEAGUE_COLUMNS = ("league", "title", "feed", "outcome", "source", "licence", "is_simulated", "stanza")
NO_GAMES = pl.DataFrame(schema={"game_id": pl.String})
KNOWN = "SELECT kind, competitor_id, name FROM competitor WHERE league = getvariable('league')"
COUNTS = ("games_new", "games_changed", "games_gone", "games_unchanged")


@dataclass(frozen=True)
class Pulled:
    """What a pull did: files read anew and files unchanged, rows read and rejected, and games by what became of them.

    `notes` says, a line each, where a source could not be had and its last snapshot was used.
    """

    league: str
    slices_loaded: int
    slices_unchanged: int
    slices_gone: int = 0
    rows_read: int = 0
    rows_rejected: int = 0
    games_new: int = 0
    games_changed: int = 0
    games_gone: int = 0
    games_unchanged: int = 0
    forecasts: int = 0
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """One line for people."""
        games = f"{self.games_new:,} games new, {self.games_changed:,} changed, {self.games_gone:,} gone"
        if not self.slices_loaded and not self.slices_gone:
            text = f"{self.league}: nothing new ({self.games_unchanged:,} games)."
        else:
            text = f"{self.league}: {games}, {self.games_unchanged:,} unchanged; {self.rows_rejected:,} rows rejected."
        if self.forecasts:
            text += f" {self.forecasts:,} forecasts of a peer read."
        return " ".join([text, *self.notes])


@dataclass(frozen=True)
class Loaded:
    """What the warehouse has of a slice: the bytes and the code it was read with, and how many games."""

    sha256: str
    loader: str
    source: str
    fetched_at: datetime
    games: int
    has_copies: bool


@dataclass(frozen=True)
class State:
    """What the warehouse has of a league: its row, and each slice's last load."""

    row: tuple[Any, ...] | None
    slices: dict[str, Loaded]


def pull(
    home: Home, league: str, stanza: Stanza, now: datetime, *, accept: bool = False, offline: bool = False
) -> Pulled:
    """What changed by fetching the league's sources and loading what is new in them; `now` is in UTC.

    With `offline`, sources that were fetched once are not asked again: their last snapshots are read.

    Raises FeedError where a source cannot be had or read, and, unless `accept`, where a file has more than 2 % of its
    rows rejected or lost more than 1 % of its games; then nothing is changed. Raises StanzaError, LockedError.
    """
    feed = find(stanza.feed).of(stanza)
    said = declared(home, league)
    mapping = stanza.columns.model_dump_json() if stanza.columns else ""
    loader = loader_hash(feed.name, mapping + said.fingerprint)
    folder = home.raw / league
    fetched = fetch(folder, stanza.source, now, feed.is_known, offline=offline)
    slices = slices_of(feed, fetched)
    state = _state(home, league)
    row = _league_row(league, stanza, feed)
    stale, gone = _to_do(slices, state, loader)
    reads = [read_slice(folder, feed, slice_, league, stanza, is_alone=len(slices) == 1) for slice_ in stale]
    reads = [replace(read, parsed=said.applied_to(read.parsed, read.slice.name)) for read in reads]
    unchanged = [slice_.name for slice_ in slices if slice_ not in stale]
    counts: dict[str, int] = {}
    if reads or gone or row != state.row:
        with _told_plainly(home, league), writing(home) as con:
            _write_league(con, row, now)
            if reads or gone:
                counts = _load(
                    con, league, feed, reads, {name: state.slices[name] for name in gone}, now, accept, loader
                )
    counts["games_unchanged"] = counts.get("games_unchanged", 0) + sum(state.slices[name].games for name in unchanged)
    notes = tuple(file.note for file in fetched if file.note)
    pulled = Pulled(league, len(reads), len(unchanged), len(gone), notes=notes, **counts)
    log.info(pulled.summary)
    return pulled


def _state(home: Home, league: str) -> State:
    if not home.warehouse.exists():
        return State(None, {})
    with reading(home) as con:
        columns = ", ".join(LEAGUE_COLUMNS)
        row = con.execute(f"SELECT {columns} FROM league WHERE league = ?", [league]).fetchone()  # noqa: S608
        loads = con.execute((SQL / "state.sql").read_text(), {"league": league, "copy": COPY}).fetchall()
    return State(row, {name: Loaded(*rest) for name, *rest in loads})


def _to_do(slices: list[Slice], state: State, loader: str) -> tuple[list[Slice], list[str]]:
    """The slices to read again, and the names of those whose file is no more.

    A file whose games another file held already is read again with any other: that one may have lost them.
    """
    names = {slice_.name for slice_ in slices}
    gone = [name for name, loaded in state.slices.items() if loaded.sha256 and name not in names]
    known = {name: (loaded.sha256, loaded.loader) for name, loaded in state.slices.items()}
    stale = {slice_.name for slice_ in slices if known.get(slice_.name) != (slice_.sha256, loader)}
    if stale or gone:
        stale |= {name for name in names if name in state.slices and state.slices[name].has_copies}
    return [slice_ for slice_ in slices if slice_.name in stale], gone


@contextmanager
def _told_plainly(home: Home, league: str) -> Iterator[None]:
    """Turns what DuckDB says of a disk that is full or failing into a StoreError; the transaction is undone by then."""
    try:
        yield
    except duckdb.Error as error:
        raise StoreError(
            f"{league}: {home.warehouse} cannot be written: {str(error).splitlines()[0]}",
            "Nothing was changed. Is there room on the disk? Otherwise try again.",
        ) from error


def _league_row(league: str, stanza: Stanza, feed: Feed) -> tuple[Any, ...]:
    stanza_json = stanza.model_dump_json()
    source = list(stanza.source)
    return (league, stanza.title, stanza.feed, stanza.outcome, source, feed.licence, feed.is_simulated, stanza_json)


def _write_league(con: duckdb.DuckDBPyConnection, row: tuple[Any, ...], now: datetime) -> None:
    places = ", ".join("?" * (len(row) + 1))
    statement = f"INSERT OR REPLACE INTO league ({', '.join(LEAGUE_COLUMNS)}, updated_at_utc) VALUES ({places})"  # noqa: S608
    con.execute(statement, [*row, now.replace(tzinfo=None)])


def _load(
    con: duckdb.DuckDBPyConnection,
    league: str,
    feed: Feed,
    reads: list[Read],
    gone: dict[str, Loaded],
    now: datetime,
    accept: bool,
    loader: str,
) -> dict[str, int]:
    """Counts of the load, which is in the open transaction: slices compared, judged, replaced and recorded."""
    con.execute("SET VARIABLE league = ?", [league])
    con.execute("SET VARIABLE slices = ?::VARCHAR[]", [[*(read.slice.name for read in reads), *gone]])
    con.register("read_frame", pl.concat([read.parsed.games.select("game_id") for read in reads] or [NO_GAMES]))
    kept = con.sql(
        "SELECT game_id FROM game SEMI JOIN read_frame USING (game_id) WHERE league = getvariable('league')"
        " AND slice NOT IN (SELECT unnest(getvariable('slices')))"
    ).pl()
    reads = without_repeats(reads, kept)
    frames = staged(reads)
    for name, frame in frames.items():
        con.register(f"{name}_frame", frame)
    con.execute((SQL / "1_compare.sql").read_text())
    changes = {row["slice"]: row for row in con.sql("FROM change").pl().to_dicts()}
    if not accept:
        _judge_rejected(league, reads)
        _judge_lost(league, changes)
    loads = _load_rows(league, loader, reads, gone, changes, now)
    con.register("loads_frame", loads)
    con.register("rejected_frame", _rejected_rows(league, feed, reads, loads))
    con.register("known_frame", con.sql(KNOWN).pl())
    con.execute((SQL / "2_replace.sql").read_text())
    if reads:
        con.execute("SET VARIABLE now = ?", [now.replace(tzinfo=None)])
        con.execute((SQL / "3_names.sql").read_text())
    forecasts = {"forecasts": frames["forecasts"].height + frames["outlooks"].height}
    return forecasts | {name: int(loads[name].sum()) for name in ("rows_read", "rows_rejected", *COUNTS)}


def _judge_rejected(league: str, reads: list[Read]) -> None:
    """Raises FeedError where a file has too many rejected rows.

    Copies of other files' games, and games left out by correction, do not count.
    """
    for read in reads:
        broken = read.parsed.rejected.filter((pl.col("rule") != COPY) & ~pl.col("rule").str.starts_with(DROPPED))
        if _too_many(broken.height, read.parsed.rows_read, REJECTED_SHARE, REJECTED_FLOOR):
            rules = broken["rule"].value_counts(sort=True).head(3).rows()
            raise FeedError(
                f"{league}: {broken.height:,} of {read.parsed.rows_read:,} rows of {read.slice.name} cannot be used: "
                + "; ".join(f"{rule} ({count:,})" for rule, count in rules)
                + f". The first is line {broken['line'].min()}.",
                _how_to_go_on(league, read.slice.snapshot.source),
            )


def _judge_lost(league: str, changes: dict[str, dict[str, Any]]) -> None:
    """Raises FeedError where a file lost too many of the games it had, or holds others in place of most of them."""
    for name, change in changes.items():
        lost = change["games_gone"] - change["games_new"]
        if _too_many(lost, change["games_before"], LOST_SHARE, LOST_FLOOR):
            raise FeedError(
                f"{league}: {name} lost {lost:,} of its {change['games_before']:,} games.",
                _how_to_go_on(league, name),
            )
        if _too_many(change["games_gone"], change["games_before"], REPLACED_SHARE, LOST_FLOOR):
            raise FeedError(
                f"{league}: {change['games_gone']:,} of the {change['games_before']:,} games of {name} are gone and "
                f"{change['games_new']:,} others are there. Is it another file, or its dates in another format?",
                _how_to_go_on(league, name),
            )


def _too_many(part: int, whole: int, share: float, floor: int) -> bool:
    """Whether `part` is above the share, and above a floor that keeps one row from stopping a tiny league."""
    return part > max(share * whole, min(floor, whole / 2))


def _how_to_go_on(league: str, what: str) -> str:
    return f"Nothing was changed. Look at {what}; if it is right as it is: pooltable pull {league} --accept"


def _load_rows(
    league: str,
    loader: str,
    reads: list[Read],
    gone: dict[str, Loaded],
    changes: dict[str, dict[str, Any]],
    now: datetime,
) -> pl.DataFrame:
    """One row a slice loaded or removed, shaped as the table `load`; a removed slice has no bytes, so sha256 is ""."""
    moment = now.replace(tzinfo=None)
    rows: list[dict[str, Any]] = [
        {
            "slice": read.slice.name, "source": read.slice.snapshot.source, "sha256": read.slice.sha256,
            "etag": read.slice.snapshot.etag, "rows_read": read.parsed.rows_read,
            "fetched_at_utc": datetime.fromisoformat(read.slice.snapshot.fetched_at_utc),
            "rows_rejected": read.parsed.rejected.height,
        }
        for read in reads
    ]  # fmt: skip
    rows += [
        {"slice": name, "source": loaded.source, "sha256": "", "etag": None, "rows_read": 0,
         "fetched_at_utc": loaded.fetched_at, "rows_rejected": 0}
        for name, loaded in gone.items()
    ]  # fmt: skip
    for row in rows:
        key = "\n".join([league, row["slice"], row["sha256"], loader, moment.isoformat()])
        row |= {"load_id": hashlib.sha256(key.encode()).hexdigest()[:16], "league": league}
        row |= {"loaded_at_utc": moment, "loader": loader}
        row |= {name: changes.get(row["slice"], {}).get(name, 0) for name in COUNTS}
    return pl.DataFrame(rows, schema_overrides={"etag": pl.String})


def _rejected_rows(league: str, feed: Feed, reads: list[Read], loads: pl.DataFrame) -> pl.DataFrame:
    ids = dict(loads.select("slice", "load_id").iter_rows())
    columns = {"league": pl.lit(league), "feed": pl.lit(feed.name)}
    return pl.concat(
        [
            read.parsed.rejected.with_columns(load_id=pl.lit(ids[read.slice.name], pl.String), **columns)
            for read in reads
        ]
        or [
            pl.DataFrame(
                schema=dict.fromkeys(["load_id", "league", "feed", "file", "rule", "raw"], pl.String)
                | {"line": pl.Int64}
            )
        ]
    )
