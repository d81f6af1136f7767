"""The warehouse: the writers' DuckDB file, opened briefly, migrated by numbered SQL files.

DuckDB lets one process write or many read, and refuses at once where that clashes; here callers wait, boundedly,
and are then told who holds the file.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import duckdb

from store.errors import LockedError, StoreError
from store.home import Home

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"
DISK_FAULTS = (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException, duckdb.SerializationException)
COPIES_KEPT = 3  # of the warehouse from before its upgrades
RECORD = """
CREATE TABLE IF NOT EXISTS migration (name VARCHAR PRIMARY KEY, applied_at_utc TIMESTAMP NOT NULL, pooltable VARCHAR);
ALTER TABLE migration ADD COLUMN IF NOT EXISTS pooltable VARCHAR;
COMMENT ON TABLE migration IS 'One row a schema migration that was applied.';
COMMENT ON COLUMN migration.name IS 'Its file under store/sql/migrations.';
COMMENT ON COLUMN migration.applied_at_utc IS 'When it was applied, UTC.';
COMMENT ON COLUMN migration.pooltable IS 'The version of Pooltable that applied it; NULL where not written down.';
"""
NO_ROOM = re.compile(r"no space|too large|quota|read-only|permission|disk full", re.IGNORECASE)


@contextmanager
def writing(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse inside one transaction: all of the block is kept, or none of it.

    Makes the file and brings its schema up to date first. Raises LockedError, StoreError.
    """
    try:
        home.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{home.root} cannot be made: {error.strerror}.", "Is the disk full, or read-only?") from error
    con = connect(home.warehouse, home.lock_wait_seconds)
    try:
        with told_plainly(f"{home.warehouse} cannot be written"):
            _keep_as_it_was(home, con)
            migrate(con)
            with transaction(con):
                yield con
    finally:
        con.close()


@contextmanager
def reading(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the warehouse. Raises LockedError, and StoreError where nothing was loaded yet."""
    if not home.warehouse.exists():
        raise StoreError(f"There is no warehouse in {home.root} yet.", "Load results first: pooltable pull")
    con = connect(home.warehouse, home.lock_wait_seconds, read_only=True)
    try:
        with told_plainly(f"{home.warehouse} cannot be read"):
            if applied(con) != names():
                con.close()
                with writing(home):
                    pass
                con = connect(home.warehouse, home.lock_wait_seconds, read_only=True)
            yield con
    finally:
        con.close()


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """BEGIN, then COMMIT, or ROLLBACK where the block raises."""
    con.execute("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):  # a fault of the disk may have ended it: that fault is what is to be told
            con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")


@contextmanager
def attached(home: Home, con: duckdb.DuckDBPyConnection, alias: str) -> Iterator[None]:
    """Attaches the warehouse, read-only and up to date, to another connection. Raises LockedError, StoreError."""
    with reading(home):
        pass
    statement = f"ATTACH '{quoted(home.warehouse)}' AS {alias} (READ_ONLY)"
    _patiently(home.warehouse, home.lock_wait_seconds, lambda: con.execute(statement))
    with told_plainly(f"What is in {home.warehouse} cannot be copied"):
        try:
            yield
        finally:
            with suppress(duckdb.Error):
                con.execute(f"DETACH {alias}")


def connect(path: Path, wait_seconds: float, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Opens a DuckDB file, waiting up to `wait_seconds` for another process to let go of it.

    Raises LockedError naming the process, StoreError where the file cannot be opened at all.
    """
    return _patiently(path, wait_seconds, lambda: duckdb.connect(str(path), read_only=read_only))


def _patiently[T](path: Path, wait_seconds: float, opening: Callable[[], T]) -> T:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return opening()
        except duckdb.Error as error:
            if not re.search(r"\block\b", str(error), re.IGNORECASE):  # "block" is a word of damaged files
                raise StoreError(f"{path} cannot be opened: {_first_line(error)}", _hint(error)) from error
            if time.monotonic() >= deadline:
                raise LockedError(
                    f"{path} is held by {_holder(error)} and was not let go within {wait_seconds:g} s.",
                    "Wait for that process to end, or stop it, and try again.",
                ) from error
            time.sleep(0.05)


def migrate(con: duckdb.DuckDBPyConnection) -> None:
    """Applies every migration not yet recorded, each in one transaction with its record. Raises StoreError."""
    if newer := newer_than_this(con):
        raise StoreError(
            newer,
            "Use that version; or put the copy from before its upgrade, in the home's backups/, in the place of"
            " warehouse.duckdb: what was loaded and fitted since is not in it.",
        )
    done = applied(con)
    for name in names()[len(done) :]:
        with transaction(con):
            con.execute(RECORD)
            con.execute((MIGRATIONS / f"{name}.sql").read_text())
            con.execute(
                "INSERT INTO migration (name, applied_at_utc, pooltable) VALUES (?, now() AT TIME ZONE 'UTC', ?)",
                [name, version("pooltable")],
            )


def newer_than_this(con: duckdb.DuckDBPyConnection) -> str | None:
    """In words, what of the database this version of ours does not know; None where it knows everything."""
    done = applied(con)
    if done == names()[: len(done)]:
        return None
    unknown = [name for name in done if name not in names()] or done[-1:]
    knows = con.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'migration' AND column_name = 'pooltable'"
    ).fetchall()[0][0]
    asked = f"SELECT {'max(pooltable)' if knows else 'NULL'} FROM migration WHERE name = ?"  # noqa: S608
    made = con.execute(asked, [unknown[-1]]).fetchall()[0][0]
    return (
        f"The warehouse was upgraded by {'Pooltable ' + made if made else 'a newer Pooltable'} ({unknown[-1]});"
        f" this is {version('pooltable')}, which does not know {', '.join(unknown)}."
    )


def _keep_as_it_was(home: Home, con: duckdb.DuckDBPyConnection) -> None:
    """Copies a warehouse that is about to be upgraded into the home's backups, of which the newest few are kept.

    Raises StoreError where it cannot be upgraded.
    """
    done = applied(con)
    pending = names()[len(done) :]
    if not done or not pending or newer_than_this(con):
        return
    _need_whole(home, con, done)
    home.backups.mkdir(exist_ok=True)
    kept, part = home.backups / f"before-{pending[0]}.duckdb", home.backups / ".before.part"
    _remove(part)
    try:
        ((name,),) = con.execute("SELECT current_database()").fetchall()
        copy_database(con, name, part)
        part.replace(kept)
    finally:
        _remove(part)
    for old in sorted(home.backups.glob("before-*.duckdb"))[:-COPIES_KEPT]:
        old.unlink()


def _need_whole(home: Home, con: duckdb.DuckDBPyConnection, done: list[str]) -> None:
    """Raises StoreError where a warehouse lacks some of what its migrations make: they were another's, or changed."""
    with closing(duckdb.connect()) as fresh:
        for name in done:
            fresh.execute((MIGRATIONS / f"{name}.sql").read_text())
        lacking = _columns(fresh) - _columns(con)
    if lacking:
        raise StoreError(
            f"{home.warehouse} cannot be upgraded: it has no {', '.join(sorted({table for table, _ in lacking}))} as"
            " its version should. It was made before the first release, or changed by hand.",
            "Set it aside (mv warehouse.duckdb somewhere else) and run pooltable nightly: downloads are still there and"
            " are loaded again, and readers see the edition they had until the leagues are fitted anew.",
        )


def _columns(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Tables with their columns, but for the record of migrations."""
    found = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND table_name <> 'migration'"
    return set(con.execute(found).fetchall())


def _remove(part: Path) -> None:
    """Deletes what is left of a copy that was begun, and of its log."""
    for path in part.parent.glob(f"{part.name}*"):
        path.unlink()


def copy_database(con: duckdb.DuckDBPyConnection, name: str, target: Path) -> None:
    """Copies the attached database `name` as of now into a new file, whole or not at all, and flushes it."""
    con.execute(f"ATTACH '{quoted(target)}' AS copied")
    try:
        con.execute(f'COPY FROM DATABASE "{name}" TO copied')
        con.execute("CHECKPOINT copied")
    finally:
        with suppress(duckdb.Error):  # what is told is the fault that went before
            con.execute("DETACH copied")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def quoted(path: Path) -> str:
    """A path for inside a quoted SQL literal, where no parameter is allowed (ATTACH)."""
    return str(path).replace("'", "''")


def names() -> list[str]:
    """Names of all migrations, in order."""
    return sorted(path.stem for path in MIGRATIONS.glob("*.sql"))


def applied(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the migrations this database has, in order; asking never writes."""
    known = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'migration'").fetchall()[0][0]
    return [row[0] for row in con.execute("SELECT name FROM migration ORDER BY name").fetchall()] if known else []


@contextmanager
def told_plainly(what: str) -> Iterator[None]:
    """Turns what DuckDB says of a disk that is full or failing, or of a damaged file, into a StoreError."""
    try:
        yield
    except duckdb.Error as error:
        # Of a checksum that is wrong DuckDB says so with no class of its own.
        if not isinstance(error, DISK_FAULTS) and type(error) is not duckdb.Error:
            raise
        raise StoreError(f"{what}: {_first_line(error)}", _hint(error)) from error


def _hint(error: duckdb.Error) -> str:
    if NO_ROOM.search(str(error)):
        return "Nothing was changed. Is there room on the disk, and may it be written?"
    return "Nothing was changed. If the file is damaged, restore a backup, or remove it and pull and fit again."


def _holder(error: duckdb.Error) -> str:
    found = re.search(r"held in (.+?) \(PID (\d+)\)", str(error))
    return f"process {found[2]} ({found[1]})" if found else "another process"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
