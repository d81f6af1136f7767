"""SQL for people: one reading statement on one edition, without a way to files, settings or other databases.

A query and its named parameters go in, record batches or a frame come out. This guards against mistakes and against a
query that was copied from somewhere; what strangers send over the web also needs a process of its own with limits of
its own, which is store/guard.py.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, combinations
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from store.errors import Place, QueryError, StoreError

type Config = dict[str, str | bool | int | float | list[str]]

LOCKED: Config = {
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
SCHEMA = "FROM data_dictionary"
BATCH_ROWS = 8192
FRACTION = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
FEW_PARAMETERS = 5  # of which every choice is tried
SHOWN_CHARACTERS = 100  # of the line that holds a mistake
WHERE_TO_LOOK = "See the tables and columns: pooltable sql --schema, or /api/queries/schema"


def query(path: Path, sql: str, parameters: dict[str, str]) -> pl.DataFrame:
    """The rows of one reading statement on the edition at `path`, as `batches` has them; columns named apart.

    Raises QueryError as `batches` does; StoreError where the file cannot be opened.
    """
    con = open_edition(path)
    try:
        return frame(batches(con, sql, parameters).read_all())
    except pa.ArrowException as error:
        raise mistake(error, sql) from error
    finally:
        con.close()


def schema(path: Path) -> pl.DataFrame:
    """What an edition offers: object ("table", "view" or "macro"), name, column_name, type, comment, is_key.

    A table has one row without a column name, for its own comment, then one row a column; a macro has one row with
    its parameters as its type. Raises StoreError where the file cannot be opened, or is older than its dictionary.
    """
    try:
        return query(path, SCHEMA, {})
    except QueryError as error:
        raise StoreError(f"{path.stem} has no data dictionary: it is older.", "Run: pooltable publish") from error


def open_edition(path: Path, config: Config | None = None) -> duckdb.DuckDBPyConnection:
    """The edition at `path`, read-only and locked down, with more settings if given. Raises StoreError."""
    try:
        return duckdb.connect(str(path), read_only=True, config={**LOCKED, "errors_as_json": True, **(config or {})})
    except duckdb.Error as error:
        raise StoreError(f"{path} cannot be opened: {_told(error)[0].splitlines()[0]}") from error


def batches(con: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, str]) -> pa.RecordBatchReader:
    """The rows of one reading statement, as they are computed, with `$name` bound to parameters["name"].

    SELECT, FROM-first queries, DESCRIBE, SHOW TABLES, SUMMARIZE, PIVOT and EXPLAIN read. A value takes the type that
    its place in the query wants; one with a decimal point is a number, and one of digits is where that is wanted (as
    in `$n + 1`). Raises QueryError for anything else, for a missing or unknown parameter and for a mistake in the SQL,
    with its place. What only shows while rows are computed the reader raises, as duckdb.Error or pa.ArrowException:
    see `mistake`.
    """
    try:
        _check(con, sql, parameters)
        return _relation(con, sql, parameters).to_arrow_reader(BATCH_ROWS)
    except (duckdb.Error, pa.ArrowException) as error:
        raise mistake(error, sql) from error


def frame(table: pa.Table) -> pl.DataFrame:
    """The same rows in polars, which wants each name once and has neither intervals nor unions (QueryError)."""
    need_plain_types(table.schema)
    result = pl.from_arrow(table.rename_columns(distinct(table.column_names)))
    assert isinstance(result, pl.DataFrame)
    return result


def need_plain_types(schema: pa.Schema) -> None:
    """Raises QueryError where a column has a type that nothing but DuckDB and Arrow knows."""
    foreign = [field for field in schema if _is_foreign(field.type)]
    if foreign:
        raise QueryError(f'The column "{foreign[0].name}" has a type that is only known to DuckDB.', "Add ::VARCHAR.")


def distinct(names: list[str]) -> list[str]:
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


def mistake(error: Exception, sql: str) -> QueryError:
    """What is wrong with a query in words, with the place in `sql` where DuckDB names one."""
    what, place = _told(error)
    hint = WHERE_TO_LOOK if what.startswith(("Binder", "Catalog", "Parser")) else ""
    return QueryError(what, hint, None if place is None else _place(sql, *place))


def _check(con: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, str]) -> None:
    """Raises QueryError unless `sql` is one reading statement whose parameters are exactly the given ones."""
    statements = con.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"One statement is wanted; here are {len(statements)}.", "Send them one at a time.")
    kind = _kind(statements[0])
    if kind not in READING:
        raise QueryError(
            f"{kind.name if kind else 'Such'} statements are not allowed: an edition is only read.",
            "Use SELECT, FROM, DESCRIBE, SHOW TABLES, SUMMARIZE, PIVOT or EXPLAIN.",
        )
    wanted = set(statements[0].named_parameters)
    if missing := sorted(wanted - set(parameters)):
        name = missing[0]
        raise QueryError(f"The query needs a value for ${name}.", f"Give it: -p {name}=VALUE, or ?{name}=VALUE")
    if unknown := sorted(set(parameters) - wanted):
        raise QueryError(f"The query has no parameter ${unknown[0]}.", f"Write ${unknown[0]} where its value goes.")


def _kind(statement: duckdb.Statement) -> duckdb.StatementType | None:
    """The statement's type; None for those, such as UPDATE EXTENSIONS, that DuckDB's own list of types lacks."""
    try:
        return statement.type
    except ValueError:
        return None


def _relation(con: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, str]) -> duckdb.DuckDBPyRelation:
    """The query with its values bound: fractions as numbers, for DuckDB rounds a text where it wants a whole number;
    the others as texts, which take any type, or where no function takes a text, the fewest as numbers.
    """
    values = {name: float(value) if FRACTION.fullmatch(value) else value for name, value in parameters.items()}
    try:
        return _bound(con, sql, values)
    except duckdb.BinderException as error:
        if "STRING_LITERAL" not in str(error):
            raise
        numbers = {name: int(value) for name, value in parameters.items() if WHOLE.fullmatch(value)}
        for names in _choices(list(numbers)):
            with suppress(duckdb.BinderException):
                return con.sql(sql, params={**values, **{name: numbers[name] for name in names}})
        raise


def _choices(names: list[str]) -> Iterator[tuple[str, ...]]:
    """Which of the names to choose, the fewest first; all at once where there are many."""
    sizes = range(1, len(names) + 1) if len(names) <= FEW_PARAMETERS else [len(names)]
    return chain.from_iterable(combinations(names, size) for size in sizes)


def _bound(con: duckdb.DuckDBPyConnection, sql: str, values: dict[str, str | float]) -> duckdb.DuckDBPyRelation:
    try:
        return con.sql(sql, params=values) if values else con.sql(sql)
    except duckdb.Error:
        con.execute(sql, values or None)  # raises it again, with the place that con.sql leaves out
        raise


def _told(error: Exception) -> tuple[str, tuple[int, int] | None]:
    """DuckDB's message without its JSON, and the first byte and length of the place in the query it is about."""
    kind, _, rest = str(error).strip().partition(": ")
    try:
        told = json.loads(rest)
        start, length = json.loads(told.get("location", "null")) or (None, 0)
        return f"{kind}: {told['exception_message']}", None if start is None else (start, length)
    except (ValueError, KeyError, TypeError, AttributeError):
        return str(error).strip(), None


def _place(sql: str, start: int, length: int) -> Place | None:
    """Line, column and a caret for `length` bytes from byte `start` of the query; None where that is not in it."""
    text = sql.encode()
    if not 0 <= start <= len(text):
        return None
    before = text[:start].decode(errors="ignore")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
    wide = len(text[start : start + length].decode(errors="ignore"))
    return Place(line, column + 1, _caret(sql.split("\n")[line - 1], line, column, wide))


def _caret(text: str, line: int, column: int, wide: int) -> str:
    """The part of a line around a mistake, what a terminal would obey blanked, and carets below the mistake."""
    first = max(0, column - SHOWN_CHARACTERS // 2)
    shown = "".join(letter if letter.isprintable() else " " for letter in text[first : first + SHOWN_CHARACTERS])
    lead = f"LINE {line}: " + ("…" if first else "")
    marked = max(1, min(wide, len(shown) - (column - first)))
    return f"{lead}{shown}\n{' ' * (len(lead) + column - first)}{'^' * marked}"


def _is_foreign(kind: pa.DataType) -> bool:
    inner = (kind.field(number).type for number in range(kind.num_fields))
    return pa.types.is_interval(kind) or pa.types.is_union(kind) or any(_is_foreign(part) for part in inner)
