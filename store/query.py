"""SQL for people: one reading statement on one edition, without a way to files, settings or other databases.

A query and its named parameters go in, a frame comes out. This guards against mistakes and against a query that was
copied from somewhere; what strangers send over the web also needs a process of its own with limits of its own.
"""

from collections import Counter
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from store.errors import StoreError, UsageError

LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    "temp_directory": "",
    "lock_configuration": True,
}
# MULTI is how DuckDB types PIVOT without an IN list: it first makes a temporary enum of the values it finds.
READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI}


def query(path: Path, sql: str, parameters: dict[str, str]) -> pl.DataFrame:
    """The rows of one SELECT-like statement on the edition at `path`, with `$name` bound to parameters["name"].

    FROM-first queries, DESCRIBE, SHOW TABLES, SUMMARIZE, PIVOT and EXPLAIN count as SELECT-like. A column whose name
    comes twice gets a number. Raises UsageError for anything else, for a missing or unknown parameter, for a type
    that polars has not, and for a mistake in the SQL, with DuckDB's caret under its place; StoreError where the file
    cannot be opened.
    """
    con = _open(path)
    try:
        _check(con, sql, parameters)
        return _frame(_relation(con, sql, parameters).to_arrow_table())
    except (duckdb.Error, pl.exceptions.PolarsError, pa.ArrowException) as error:
        raise UsageError(str(error).strip(), "See the tables and columns: pooltable sql --schema") from error
    finally:
        con.close()


def schema(path: Path) -> pl.DataFrame:
    """What an edition offers: object ("table", "view" or "macro"), name, column_name, type, comment, is_key.

    A table has one row without a column name, for its own comment, then one row a column; a macro has one row with
    its parameters as its type. Raises StoreError where the file cannot be opened, or is older than its dictionary.
    """
    con = _open(path)
    try:
        return con.sql("FROM data_dictionary").pl()
    except duckdb.CatalogException as error:
        raise StoreError(f"{path.stem} has no data dictionary: it is older.", "Run: pooltable publish") from error
    finally:
        con.close()


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=True, config=LOCKED)
    except duckdb.Error as error:
        raise StoreError(f"{path} cannot be opened: {str(error).splitlines()[0]}") from error


def _check(con: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, str]) -> None:
    """Raises UsageError unless `sql` is one reading statement whose parameters are exactly the given ones."""
    statements = con.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError(f"One statement is wanted; here are {len(statements)}.", "Send them one at a time.")
    statement = statements[0]
    if statement.type not in READING:
        raise UsageError(
            f"{statement.type.name} statements are not allowed: an edition is only read.",
            "Use SELECT, FROM, DESCRIBE, SHOW TABLES, SUMMARIZE, PIVOT or EXPLAIN.",
        )
    wanted = set(statement.named_parameters)
    if missing := sorted(wanted - set(parameters)):
        raise UsageError(f"The query needs a value for ${missing[0]}.", f"Give it: -p {missing[0]}=VALUE")
    if unknown := sorted(set(parameters) - wanted):
        raise UsageError(f"The query has no parameter ${unknown[0]}.", f"Write ${unknown[0]} where its value goes.")


def _relation(con: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, str]) -> duckdb.DuckDBPyRelation:
    try:
        return con.sql(sql, params=parameters) if parameters else con.sql(sql)
    except duckdb.Error:
        con.execute(sql, parameters or None)  # raises it again, with the caret that con.sql leaves out
        raise


def _frame(table: pa.Table) -> pl.DataFrame:
    """The same rows in polars, which wants each name once and has neither intervals nor unions."""
    foreign = [field for field in table.schema if _is_foreign(field.type)]
    if foreign:
        raise UsageError(f'The column "{foreign[0].name}" has a type that is only known to DuckDB.', "Add ::VARCHAR.")
    frame = pl.from_arrow(table.rename_columns(_distinct(table.column_names)))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _is_foreign(kind: pa.DataType) -> bool:
    inner = (kind.field(number).type for number in range(kind.num_fields))
    return pa.types.is_interval(kind) or pa.types.is_union(kind) or any(_is_foreign(part) for part in inner)


def _distinct(names: list[str]) -> list[str]:
    """The names, repeated ones numbered from _2 on, without colliding with a name that is already there."""
    seen: Counter[str] = Counter()
    taken = set(names)
    result = []
    for name in names:
        seen[name] += 1
        new = name
        while seen[name] > 1 and new in taken:
            new = f"{name}_{seen[name]}"
            seen[name] += new in taken
        taken.add(new)
        result.append(new)
    return result
