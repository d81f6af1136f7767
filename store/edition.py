"""Editions: publishing a stamped, read-only DuckDB file, pointing `current.duckdb` at it, and going back.

An edition is built beside the others under a name readers never see, flushed to disk, made read-only, renamed, and
only then does the symbolic link move; a crash at any moment leaves readers with the edition they had.
"""

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
from filelock import FileLock, Timeout

from store.contents import contents_hash
from store.errors import LockedError, StoreError, UsageError
from store.history import RUN_COLUMNS, STEP_COLUMNS, History
from store.home import Home
from store.stanzas import read_withheld
from store.warehouse import attached, quoted, reading, told_plainly, writing

SQL = Path(__file__).parent / "sql" / "edition"
STORAGE_VERSION = "v1.2.0"  # DuckDB 1.2 and later, and tools built on it, can open the file
FORMAT = "ratings-%Y%m%d-%H%M%S-%f"  # milliseconds, of which the last three digits are cut off
STAMPED = re.compile(r"ratings-\d{8}-\d{6}-\d{3}")
KEPT = 30
DRAWS_KEPT = 1000  # joint draws a rating in an edition; a fit's Parquet file holds them all


def publish(home: Home, leagues: list[str], now: datetime) -> Path:
    """Writes a new edition with every league's last accepted fit and points readers at it; returns its path.

    While an edition is pinned by `rollback`, the link stays where it is. Raises LockedError, StoreError.
    """
    home.editions.mkdir(parents=True, exist_ok=True)
    with _publishing(home):
        _sweep(home)
        name = _new_name(home, now)
        building = home.editions / f".building-{uuid.uuid4().hex}.duckdb"
        try:
            with told_plainly(f"{home.editions} cannot be written"):
                _build(home, building, name, leagues, now)
            _settle(building)
            target = building.rename(home.editions / f"{name}.duckdb")
        finally:
            building.unlink(missing_ok=True)
        if pinned(home) is None:
            _point(home, target)
        _write_down(home, target, now)
        _prune(home)
    return target


def is_up_to_date(home: Home, leagues: list[str]) -> bool:
    """Whether the newest edition was made from what is there now, and readers can see it or the one that is pinned.

    Raises LockedError, StoreError.
    """
    found = editions(home)
    if not found or not home.current.exists():
        return False
    if pinned(home) is None and home.current.resolve() != found[-1].resolve():
        return False
    try:
        with duckdb.connect(str(found[-1]), read_only=True) as con:
            published = con.execute("SELECT contents_hash FROM edition").fetchall()[0][0]
    except duckdb.Error:  # damaged, or from before editions said so
        return False
    with reading(home) as con:
        return published == contents_hash(
            con, home.warehouse.stem, leagues, read_withheld(home), _fits_with_draws(home)
        )


def rollback(home: Home, name: str | None) -> Path:
    """Points readers at edition `name`, or at the one before the current, and pins it. Raises UsageError."""
    with _publishing(home):
        target = _previous(home) if name is None else _named(home, name)
        (home.editions / ".pinned").write_text(target.stem)
        _point(home, target)
    return target


def unpin(home: Home) -> Path | None:
    """Lets readers see the newest edition again; returns it, or None where there is none."""
    with _publishing(home):
        (home.editions / ".pinned").unlink(missing_ok=True)
        found = editions(home)
        if found:
            _point(home, found[-1])
    return found[-1] if found else None


def pinned(home: Home) -> str | None:
    """Name of the pinned edition, or None."""
    mark = home.editions / ".pinned"
    return mark.read_text().strip() if mark.exists() else None


def editions(home: Home) -> list[Path]:
    """Paths of all editions, oldest first."""
    return sorted(home.editions.glob("ratings-*.duckdb"))


def current(home: Home) -> Path:
    """The edition readers see, its link resolved: DuckDB caches by path, so the link itself must never be opened.

    Raises StoreError where nothing was published yet.
    """
    if home.current.exists():
        return home.current.resolve()
    if editions(home):
        raise StoreError(
            f"{home.current} points to no edition.", "Run: pooltable publish, or pooltable rollback EDITION"
        )
    raise StoreError(f"Nothing is published in {home.root} yet.", "Run: pooltable nightly")


@contextmanager
def _publishing(home: Home) -> Iterator[None]:
    """Holds the lock that lets one process at a time change the folder of editions."""
    home.editions.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.editions / ".publish.lock")
    try:
        lock.acquire(timeout=home.lock_wait_seconds)
    except Timeout as error:
        raise LockedError("Another process is publishing.", "Try again when it has ended.") from error
    try:
        yield
    finally:
        lock.release()


def _build(home: Home, path: Path, name: str, leagues: list[str], now: datetime) -> None:
    con = duckdb.connect()
    try:
        con.execute(f"ATTACH '{quoted(path)}' AS edition (STORAGE_VERSION '{STORAGE_VERSION}')")
        con.execute("USE edition")
        con.execute("SET VARIABLE edition_id = ?", [name])
        con.execute("SET VARIABLE published_at_utc = ?", [now.replace(tzinfo=None)])
        con.execute("SET VARIABLE leagues = ?::VARCHAR[]", [leagues])
        withheld = read_withheld(home)
        con.execute("SET VARIABLE withheld = ?::VARCHAR[]", [withheld])
        # A fit whose draws are lost cannot be shown; its league shows the one before until it is fitted again.
        draws = _fits_with_draws(home)
        con.execute("SET VARIABLE fits_with_draws = ?::VARCHAR[]", [draws])
        with attached(home, con, "warehouse"):
            con.execute("SET VARIABLE contents_hash = ?", [contents_hash(con, "warehouse", leagues, withheld, draws)])
            _run(con, "1_results")
            _run(con, "1_memberships")
            _run(con, "1_peers")
            _run(con, "2_fits")
            _run(con, "2_schedules")
            _run(con, "2_comparisons")
            _run(con, "2_backtests")
            _run(con, "2_checks")
            _run(con, "2_history")
            _run(con, "2_forecasts")
            _copy_comments(con)
        _add_draws(home, con)
        _add_runs(home, con)
        for name in ("5_names", "5_distributions", "6_records", "6_games", "6_ratings", "6_forecasts", "7_dictionary"):
            _run(con, name)
        con.execute("USE memory")
        con.execute("CHECKPOINT edition")
        con.execute("DETACH edition")
    finally:
        con.close()


def _copy_comments(con: duckdb.DuckDBPyConnection) -> None:
    """Columns that stand in the edition as in the warehouse keep their comments, which are written once."""
    statements = con.execute((SQL / "3_comments.sql").read_text()).fetchall()
    _at_once(con, "; ".join(row[0] for row in statements))


def _fits_with_draws(home: Home) -> list[str]:
    return [path.stem for path in home.draws.glob("[!.]*.parquet")]


def _add_draws(home: Home, con: duckdb.DuckDBPyConnection) -> None:
    _run(con, "3_draws")
    fits = [row[0] for row in con.execute("SELECT fit_id FROM league WHERE fit_id IS NOT NULL").fetchall()]
    if fits:
        con.execute("SET VARIABLE draw_files = ?::VARCHAR[]", [[str(home.draws_of(fit)) for fit in fits]])
        con.execute("SET VARIABLE draws_kept = ?", [DRAWS_KEPT])
        _run(con, "3_draws_copy")


def _add_runs(home: Home, con: duckdb.DuckDBPyConnection) -> None:
    history = History(home.runs)
    for table, columns in (("run", RUN_COLUMNS), ("step", STEP_COLUMNS)):
        rows = [{name: _as_text(row[name]) for name in columns} for row in history.rows(table)]
        con.register(f"{table}_rows", pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String)).to_arrow())
    _run(con, "4_runs")


def _write_down(home: Home, edition: Path, now: datetime) -> None:
    """Records which fits the edition is the first to show."""
    with reading(home) as con:
        con.execute(f"ATTACH '{quoted(edition)}' AS edition (READ_ONLY)")
        new = con.execute(
            "SELECT fit_id, league FROM edition.league WHERE fit_id IS NOT NULL"
            " AND fit_id NOT IN (SELECT fit_id FROM publication)"
        ).fetchall()
    if new:
        rows = [(fit_id, league, edition.stem, now.replace(tzinfo=None)) for fit_id, league in new]
        with writing(home) as con:
            con.executemany("INSERT INTO publication VALUES (?, ?, ?, ?)", rows)


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)


def _run(con: duckdb.DuckDBPyConnection, name: str) -> None:
    _at_once(con, (SQL / f"{name}.sql").read_text())


def _at_once(con: duckdb.DuckDBPyConnection, statements: str) -> None:
    """Runs them in one transaction: hundreds of comments, each in its own, would take longer than the tables."""
    con.begin()
    con.execute(statements)
    con.commit()


def _settle(path: Path) -> None:
    """Makes the file read-only and waits until its bytes are on the disk."""
    path.chmod(0o444)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _point(home: Home, target: Path) -> None:
    link = home.editions / f".link-{uuid.uuid4().hex}"
    link.symlink_to(target.name)
    link.replace(home.current)
    folder = os.open(home.editions, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _new_name(home: Home, now: datetime) -> str:
    """A name that says when; where the clock was ahead for the newest there is, one right after it: names tell the
    order, and `edition.published_at_utc` the time."""
    name = _name(now)
    newest = max((path.stem for path in editions(home) if STAMPED.fullmatch(path.stem)), default="")
    if name > newest:
        return name
    return _name(datetime.strptime(newest, FORMAT).replace(tzinfo=UTC) + timedelta(milliseconds=1))


def _name(moment: datetime) -> str:
    return f"{moment:{FORMAT}}"[:-3]


def _previous(home: Home) -> Path:
    shown = current(home)
    older = [path for path in editions(home) if path.stem < shown.stem]
    if not older:
        raise UsageError(f"There is no edition before {shown.stem}.")
    return older[-1]


def _named(home: Home, name: str) -> Path:
    found = [path for path in editions(home) if path.stem == name.removesuffix(".duckdb")]
    if not found:
        kept = ", ".join(path.stem for path in editions(home)) or "none"
        raise UsageError(f'There is no edition "{name}".', f"Kept editions: {kept}.")
    return found[0]


def _prune(home: Home) -> None:
    """Deletes all but the newest editions, never the one readers see."""
    in_use = home.current.resolve()
    for path in editions(home)[:-KEPT]:
        if path != in_use:
            path.unlink()


def _sweep(home: Home) -> None:
    """Removes what a killed publication left behind; the lock says nobody else is building."""
    for path in [*home.editions.glob(".building-*"), *home.editions.glob(".link-*")]:
        path.unlink()
