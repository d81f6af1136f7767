"""SQL for people: one reading statement on one edition, without a way to files, settings or other databases.

A query and its named parameters go in, record batches or a frame come out. This guards against mistakes and against a
query that was copied from somewhere; what strangers send over the web also needs a process of its own with limits of
its own, which is store/guard.py.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from difflib import get_close_matches
from itertools import chain, islice, product
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from store.carried import carried
from store.errors import EngineError, Place, QueryError, StoreError
from store.lasting import writing

type Config = dict[str, str | bool | int | float | list[str]]
type Value = str | int | float | Decimal | bool | None

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
WORD = re.compile(r"\S+")
LONGEST_WORD = 200  # characters of a word that are repeated to its asker
GUESS = ' does not exist!\nDid you mean "'  # DuckDB's, however far off
PIVOTING = {"", "FROM", "PIVOT", "PIVOT_WIDER", "SELECT", "SUMMARIZE", "WITH"}
SCHEMA = "FROM data_dictionary"
BATCH_ROWS = 8192
FRACTION = re.compile(r"[+-]?\d{0,18}\.\d{1,18}", re.ASCII)  # as a DECIMAL it keeps every digit
WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
FLOATING = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
FEW_PARAMETERS = 5  # of which every choice is tried
SHOWN_CHARACTERS = 100  # of the line that holds a mistake
TAKEN = {"sql", "token"}  # by addresses of the API, as is what begins with _
OWN_ERRORS = ("INTERNAL", "FATAL")  # DuckDB's words for what no query should bring about
ADVICE = re.compile(r'\s*Use "SET [^"]*" to [^.\n]*\.')  # settings are locked
ROOTS = (Path(sys.prefix), Path(sys.prefix).resolve(), Path(sys.base_prefix), Path(__file__).resolve().parents[1])
PLACES = "|".join(re.escape(str(root)) for root in ROOTS if root != root.parent)
# Of the machine; whatever DuckDB still says of it is taken out, but where the query itself says it.
INSIDE = re.compile(
    rf"""(?:{PLACES})[^\s"']*|[^\s"']*(?:site-packages|\.so\b)[^\s"']*|0x[0-9a-f]{{6,}}""", re.IGNORECASE
)
WHERE_TO_LOOK = "See the tables and columns: pooltable sql --schema, or /api/queries/schema"


def query(path: Path, sql: str, parameters: Mapping[str, Value], *, as_text: bool = False) -> pl.DataFrame:
    """The rows of one reading statement on the edition at `path`, as `batches` has them; columns named apart.

    Raises QueryError as `batches` does; StoreError where the file cannot be opened.
    """
    con = open_edition(path)
    try:
        return frame(batches(con, sql, parameters, as_text=as_text).read_all())
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


def batches(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Value], *, as_text: bool
) -> pa.RecordBatchReader:
    """The rows of one reading statement, as they are computed, with `$name` bound to parameters["name"], in types that
    text or else Arrow holds exactly (see `store.carried`).

    SELECT, FROM-first queries, DESCRIBE, SHOW TABLES, SUMMARIZE, PIVOT and EXPLAIN of these read. A text takes the type
    that its place in the query wants, and is a number where only a number fits (as in `$n + 1`); one such as 1.5 is a
    number before it is a text. Other values are what they are. Raises QueryError for anything else, for a missing or
    unknown parameter and for a mistake in the SQL, with its place. What only shows while rows are computed the reader
    raises, as duckdb.Error or pa.ArrowException: see `mistake`.
    """
    try:
        _check(con, sql, parameters)
        return _reader(con, sql, parameters, as_text)
    except (duckdb.Error, pa.ArrowException) as error:
        raise mistake(error, sql) from error


def frame(table: pa.Table) -> pl.DataFrame:
    """The same rows in polars, which wants each name once."""
    result = pl.from_arrow(table.rename_columns(distinct(table.column_names)))
    assert isinstance(result, pl.DataFrame)
    return result


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
    what = _near(WORD.sub(lambda found: _short(found[0]), ADVICE.sub("", what)))
    what = INSIDE.sub(lambda found: found[0] if found[0] in sql else "…", what)
    if what.startswith(OWN_ERRORS):
        first = what.partition(": ")[2].partition("\n")[0].rstrip(".")
        return EngineError(f"DuckDB met an error of its own with this query: {first}.", "Write it another way.")
    hint = WHERE_TO_LOOK if what.startswith(("Binder", "Catalog", "Parser")) else ""
    return QueryError(what, hint, None if place is None else _place(sql, *place))


def _short(word: str) -> str:
    return word if len(word) <= LONGEST_WORD else word[:LONGEST_WORD] + "…"


def _near(what: str) -> str:
    """The message without a guess at a name that is not like it. Its words are short: comparing them takes a while."""
    before, told, after = what.partition(GUESS)
    guess, _, rest = after.partition('"?')
    is_near = not told or get_close_matches(before.split()[-1] if before.split() else "", [guess])
    return what if is_near else before + GUESS.partition("\n")[0] + rest


def _check(con: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Value]) -> None:
    """Raises QueryError unless `sql` is one reading statement whose parameters are exactly the given ones."""
    if name := writing(sql):
        raise QueryError(f"{name} is not allowed: nothing may outlive a query.", "Leave it out, also from texts.")
    statements = con.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"One statement is wanted; here are {len(statements)}.", "Send them one at a time.")
    if refused := _refused(con, statements[0], sql):
        raise QueryError(
            f"{refused} statements are not allowed: an edition is only read.",
            "Use SELECT, FROM, DESCRIBE, SHOW TABLES, SUMMARIZE, PIVOT or EXPLAIN.",
        )
    wanted = set(statements[0].named_parameters)
    if missing := sorted(wanted - set(parameters)):
        name = missing[0]
        is_taken = name in TAKEN or name.startswith("_")
        over_http = "over HTTP that name is taken: send it in a POST's params" if is_taken else f"or ?{name}=VALUE"
        raise QueryError(f"The query needs a value for ${name}.", f"Give it: -p {name}=VALUE, {over_http}")
    if unknown := sorted(set(parameters) - wanted):
        raise QueryError(f"The query has no parameter ${unknown[0]}.", f"Write ${unknown[0]} where its value goes.")


def _refused(con: duckdb.DuckDBPyConnection, statement: duckdb.Statement, sql: str) -> str:
    """What the statement is that does not only read, in a word; "" where it reads.

    EXPLAIN ANALYZE does what it explains, so that is looked at as well, and a pivot may make a table on its way.
    """
    kind, (word, rest) = _kind(statement), _first(sql)
    if kind not in READING:
        return kind.name if kind else "Such"
    if word == "EXPLAIN":
        explained = _explained(con, rest)
        return _refused(con, con.extract_statements(explained)[0], explained)
    is_reading = kind is duckdb.StatementType.SELECT or (kind is duckdb.StatementType.MULTI and word in PIVOTING)
    return "" if is_reading else word or "Such"


def _first(sql: str) -> tuple[str, str]:
    """The first word after comments, in capitals ("" where it is none, as a parenthesis), and what comes after it."""
    text = sql.encode()
    starts = [start for start, kind in duckdb.tokenize(sql) if kind != duckdb.token_type.comment]
    shown = text[starts[0] :].decode() if starts else ""
    end = next((place for place, letter in enumerate(shown) if not letter.isalpha()), len(shown))
    return shown[:end].upper(), shown[end:]


def _explained(con: duckdb.DuckDBPyConnection, rest: str) -> str:
    """What comes after EXPLAIN, without ANALYZE and without options in parentheses."""
    word, after = _first(rest)
    if word == "ANALYZE":
        return _explained(con, after)
    with suppress(duckdb.ParserException):
        con.extract_statements(rest)
        return rest
    return rest.partition(")")[2]


def _kind(statement: duckdb.Statement) -> duckdb.StatementType | None:
    """The statement's type; None for those, such as UPDATE EXTENSIONS, that DuckDB's own list of types lacks."""
    try:
        return statement.type
    except ValueError:
        return None


def _reader(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Value], as_text: bool
) -> pa.RecordBatchReader:
    """The rows with the values bound: each as the first of what it may be, or else the fewest as their second.

    A text takes any type, but fits no arithmetic, and where a whole number is wanted DuckDB rounds it. So 1.5 is tried
    as a number first; among names that does not do, which may only show with the first rows.
    """
    first, *others = _ways({name: _readings(value) for name, value in parameters.items()})
    try:
        reader = carried(_bound(con, sql, first), as_text=as_text).to_arrow_reader(BATCH_ROWS)
        return _begun(reader) if others else reader
    except (duckdb.Error, pa.ArrowException):
        for values in others:
            with suppress(duckdb.Error, pa.ArrowException):
                return _begun(carried(con.sql(sql, params=values), as_text=as_text).to_arrow_reader(BATCH_ROWS))
        raise


def _begun(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The same batches, of which the first is there."""
    first = list(islice(reader, 1))
    return pa.RecordBatchReader.from_batches(reader.schema, chain(first, reader))


def _readings(value: Value) -> list[Value]:
    """What a value may be, the likeliest first."""
    if not isinstance(value, str):
        return [value]
    if FRACTION.fullmatch(value):
        return [Decimal(value), value]
    if WHOLE.fullmatch(value):
        return [value, int(value)]
    return [value, float(value)] if FLOATING.fullmatch(value) else [value]


def _ways(readings: dict[str, list[Value]]) -> list[dict[str, Value]]:
    """The ways to read the values together, those with the fewest second readings first; where many may be read twice,
    all by their first and all by their second.
    """
    doubtful = [name for name, found in readings.items() if len(found) > 1]
    every = product((0, 1), repeat=len(doubtful))
    ways = every if len(doubtful) <= FEW_PARAMETERS else [(0,) * len(doubtful), (1,) * len(doubtful)]
    chosen = [dict(zip(doubtful, way, strict=True)) for way in sorted(ways, key=sum)]
    return [{name: found[way.get(name, 0)] for name, found in readings.items()} for way in chosen]


def _bound(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, Value]) -> duckdb.DuckDBPyRelation:
    try:
        return con.sql(sql, params=dict(values)) if values else con.sql(sql)
    except duckdb.Error:
        con.execute(sql, dict(values) or None)  # raises it again, with the place that con.sql leaves out
        raise


def _told(error: Exception) -> tuple[str, tuple[int, int] | None]:
    """DuckDB's message without its JSON, and the first byte and length of the place in the query it is about."""
    text = str(error).strip()
    kind, _, rest = text.partition(": ")
    try:
        told = json.JSONDecoder().raw_decode(rest)[0]
        start, length = json.loads(told.get("location", "null")) or (None, 0)
        return _inmost(kind, told["exception_message"]), None if start is None else (start, length)
    except (ValueError, KeyError, TypeError, AttributeError):
        return _inmost("", text), None


def _inmost(kind: str, message: str) -> str:
    """The message behind its kind. Where it holds another error's JSON, that one's: JSON has traces and addresses."""
    before, brace, rest = message.partition('{"exception_type"')
    if not brace:
        return f"{kind}: {message}" if kind else message
    try:
        told = json.JSONDecoder().raw_decode(brace + rest)[0]
        return _inmost(f"{told['exception_type']} Error", told["exception_message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{kind}: {before}" if kind else before


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
