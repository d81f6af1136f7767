"""Loading: what is read of a league's files put into the warehouse, and what is there now.

A load is one open transaction: slices are compared with what is there, judged, replaced and recorded.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from ingest.frames import SCHEMAS
from ingest.judging import Refusal, lost_too_much, overturned_too_much, rejected_too_much, results_lost_too_much
from ingest.slices import COPY, Read, staged, without_repeats
from store.errors import FeedError
from store.home import Home
from store.warehouse import reading

SQL = Path(__file__).parent / "sql"
LISTED_AT_MOST = 1000
SHOWN_AT_MOST = 3
LEAGUE_COLUMNS = ("league", "title", "feed", "outcome", "source", "licence", "is_simulated", "stanza")
NO_GAMES = pl.DataFrame(schema={"game_id": pl.String})
KNOWN = "SELECT kind, competitor_id, name FROM competitor WHERE league = getvariable('league')"
FILES = "SELECT source, arg_max(sha256, fetched_at_utc) FROM loaded_file WHERE league = ? GROUP BY source"
COMPANIONS = "SELECT DISTINCT file, source FROM loaded_file WHERE league = ? AND file <> slice"
FATES = ("new", "changed", "gone", "unchanged")
FILE = {"slice": pl.String, "file": pl.String, "source": pl.String, "sha256": pl.String, "fetched_at_utc": pl.Datetime}
REJECTED = dict.fromkeys(["load_id", "league", "feed", "file", "rule", "raw"], pl.String) | {"line": pl.Int64}


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
    """What the warehouse has of a league: its row, and each slice's last load.

    `files` has the SHA-256 of what was loaded of each source, `companions` the sources of those read along, by name.
    """

    row: tuple[Any, ...] | None
    slices: Mapping[str, Loaded]
    files: Mapping[str, str]
    companions: Mapping[str, str]


@dataclass(frozen=True)
class Work:
    """What is to be loaded of a league: slices read, and where slices and companions were whose file is no more.

    `load` lets go of the frames of `reads` once they are put together: they are most of the memory it takes.
    """

    league: str
    feed: str
    loader: str
    now: datetime
    reads: list[Read]
    gone: Mapping[str, str]
    missing: Mapping[str, str]
    state: State


@dataclass(frozen=True)
class Result:
    """What a load did: its counts, what of it needed --accept, and the first games changed or gone, in words."""

    counts: dict[str, int]
    accepted: list[str]
    shown: list[str]


def state_of(home: Home, league: str) -> State:
    """What the warehouse has of a league."""
    if not home.warehouse.exists():
        return State(None, {}, {}, {})
    with reading(home) as con:
        columns = ", ".join(LEAGUE_COLUMNS)
        row = con.execute(f"SELECT {columns} FROM league WHERE league = ?", [league]).fetchone()  # noqa: S608
        loads = con.execute((SQL / "state.sql").read_text(), {"league": league, "copy": COPY}).fetchall()
        files = con.execute(FILES, [league]).fetchall()
        companions = con.execute(COMPANIONS, [league]).fetchall()
    return State(row, {name: Loaded(*rest) for name, *rest in loads}, dict(files), dict(companions))


def write_league(con: duckdb.DuckDBPyConnection, row: tuple[Any, ...], now: datetime) -> None:
    """Puts the league's row (LEAGUE_COLUMNS) in the place of its earlier one."""
    places = ", ".join("?" * (len(row) + 1))
    statement = f"INSERT OR REPLACE INTO league ({', '.join(LEAGUE_COLUMNS)}, updated_at_utc) VALUES ({places})"  # noqa: S608
    con.execute(statement, [*row, now.replace(tzinfo=None)])


def load(con: duckdb.DuckDBPyConnection, work: Work, *, accept: bool) -> Result:
    """What the load did, in the open transaction. Raises FeedError where it is refused, never with `accept`."""
    con.execute("SET VARIABLE league = ?", [work.league])
    con.execute("SET VARIABLE slices = ?::VARCHAR[]", [[*(read.slice.name for read in work.reads), *work.gone]])
    reads = without_repeats(work.reads, _kept_elsewhere(con, work.reads))
    frames = staged(reads)
    work.reads[:] = reads = [_settled(read) for read in reads]
    for name, frame in frames.items():
        con.register(f"{name}_frame", frame)
    con.execute((SQL / "1_compare.sql").read_text())
    changes = _by_slice(con, "change")
    forecasts = _by_slice(con, "forecast_change")
    refusals = _refusals(work, changes, forecasts)
    if refusals and not accept:
        raise _refused(work, refusals)
    con.execute("SET VARIABLE most = ?", [LISTED_AT_MOST])
    con.execute((SQL / "changes.sql").read_text())
    loads = _load_rows(work, reads, changes, forecasts)
    con.register("loads_frame", loads)
    con.register("files_frame", _file_rows(reads))
    con.register("rejected_frame", _rejected_rows(work, reads, loads))
    con.register("known_frame", con.sql(KNOWN).pl())
    con.execute((SQL / "2_replace.sql").read_text())
    if reads:
        con.execute("SET VARIABLE now = ?", [work.now.replace(tzinfo=None)])
        con.execute((SQL / "3_names.sql").read_text())
    counts = {name: int(loads[name].sum()) for name in ("rows_read", "rows_rejected")}
    counts |= {f"games_{fate}": sum(change[f"games_{fate}"] for change in changes.values()) for fate in FATES}
    counts["forecasts"] = frames["forecasts"].height + frames["outlooks"].height
    return Result(counts, [refusal.text for refusal in refusals], _shown(con))


def _kept_elsewhere(con: duckdb.DuckDBPyConnection, reads: list[Read]) -> pl.DataFrame:
    """Those of the games read (game_id) that slices which are not replaced hold."""
    con.register("read_frame", pl.concat([read.parsed.games.select("game_id") for read in reads] or [NO_GAMES]))
    return con.sql(
        "SELECT game_id FROM game SEMI JOIN read_frame USING (game_id) WHERE league = getvariable('league')"
        " AND slice NOT IN (SELECT unnest(getvariable('slices')))"
    ).pl()


def _settled(read: Read) -> Read:
    """The read with what judging and the records need of it: its rejected rows."""
    cleared = {name: getattr(read.parsed, name).clear() for name in SCHEMAS if name != "rejected"}
    return replace(read, parsed=replace(read.parsed, **cleared))


def _by_slice(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, dict[str, Any]]:
    return {row["slice"]: row for row in con.table(table).pl().to_dicts()}


def _refusals(work: Work, changes: dict[str, dict[str, Any]], forecasts: dict[str, dict[str, Any]]) -> list[Refusal]:
    def is_read_as_before(name: str) -> bool:
        return name in work.state.slices and work.state.slices[name].loader == work.loader

    return [
        *(
            Refusal(name, f"{name}, read along with the results, is gone from {at}")
            for name, at in work.missing.items()
        ),
        *rejected_too_much(work.reads),
        *lost_too_much(changes, "games", work.gone),
        *lost_too_much(forecasts, "forecasts", work.gone),
        *results_lost_too_much(changes, "games"),
        *results_lost_too_much(forecasts, "forecasts"),
        *overturned_too_much(changes, is_read_as_before),
    ]


def _refused(work: Work, refusals: list[Refusal]) -> FeedError:
    files = {name: snapshot for read in work.reads for name, snapshot in read.slice.files.items()}
    # Files of results first: rows of those read along with one cannot be used where its games are gone.
    own = {read.slice.name for read in work.reads} | set(work.gone)
    refusals = sorted(refusals, key=lambda refusal: refusal.file not in own)
    named = [refusal.file for refusal in refusals]
    origins = [f"{name} was {files[name].origin}." for name in dict.fromkeys(named) if name in files]
    more = f"; and {len(refusals) - SHOWN_AT_MOST:,} more files" if len(refusals) > SHOWN_AT_MOST else ""
    text = "; ".join(refusal.text for refusal in refusals[:SHOWN_AT_MOST])
    return FeedError(
        " ".join([f"{work.league}: {text}{more}.", *origins[:SHOWN_AT_MOST]]),
        f"Nothing was changed. Look at {named[0]}; if it is right as it is: pooltable pull {work.league} --accept",
    )


def _shown(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute(
        "SELECT description || CASE change WHEN 'gone' THEN ' is gone' ELSE '' END FROM described"
        " ORDER BY description DESC LIMIT ?",
        [SHOWN_AT_MOST],
    )
    return [row[0] for row in rows.fetchall()]


def _load_rows(
    work: Work, reads: list[Read], changes: dict[str, dict[str, Any]], forecasts: dict[str, dict[str, Any]]
) -> pl.DataFrame:
    """One row a slice loaded or removed, shaped as the table `load`; a removed slice has no bytes, so sha256 is "".

    A peer's forecasts count as its file's games, so that the rows read add up there too.
    """
    moment = work.now.replace(tzinfo=None)
    rows: list[dict[str, Any]] = [
        {
            "slice": read.slice.name, "source": read.slice.snapshot.source, "sha256": read.slice.sha256,
            "etag": read.slice.snapshot.etag, "rows_read": sum(read.rows.values()),
            "fetched_at_utc": datetime.fromisoformat(read.slice.snapshot.fetched_at_utc),
            "rows_rejected": read.parsed.rejected.height,
        }
        for read in reads
    ]  # fmt: skip
    rows += [
        {"slice": name, "source": work.state.slices[name].source, "sha256": "", "etag": None, "rows_read": 0,
         "fetched_at_utc": work.state.slices[name].fetched_at, "rows_rejected": 0}
        for name in work.gone
    ]  # fmt: skip
    for row in rows:
        key = "\n".join([work.league, row["slice"], row["sha256"], work.loader, moment.isoformat()])
        row |= {"load_id": hashlib.sha256(key.encode()).hexdigest()[:16], "league": work.league}
        row |= {"loaded_at_utc": moment, "loader": work.loader}
        games, foretold = changes.get(row["slice"], {}), forecasts.get(row["slice"], {})
        row |= {f"games_{fate}": games.get(f"games_{fate}", 0) + foretold.get(f"forecasts_{fate}", 0) for fate in FATES}
    return pl.DataFrame(rows, schema_overrides={"etag": pl.String})


def _file_rows(reads: list[Read]) -> pl.DataFrame:
    """One row a file that a slice was read from, shaped as the table `loaded_file` without the league."""
    rows = [
        (read.slice.name, name, of.source, of.sha256, datetime.fromisoformat(of.fetched_at_utc))
        for read in reads
        for name, of in read.slice.files.items()
    ]
    return pl.DataFrame(rows, schema=FILE, orient="row")


def _rejected_rows(work: Work, reads: list[Read], loads: pl.DataFrame) -> pl.DataFrame:
    ids = dict(loads.select("slice", "load_id").iter_rows())
    columns = {"league": pl.lit(work.league), "feed": pl.lit(work.feed)}
    frames = [
        read.parsed.rejected.with_columns(load_id=pl.lit(ids[read.slice.name], pl.String), **columns) for read in reads
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=REJECTED)
