"""Answers to a question in SQL as programs want them: CSV, JSON, Parquet or an Arrow stream, as rows are computed.

A connection and a question go in; bytes go to whoever writes them, and what is told of them comes back.
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
from pyarrow import ipc, parquet

from store.errors import QueryError
from store.query import Value, batches, distinct, mistake

FORMS = ("json", "csv", "parquet", "arrow")
FORMULA = re.compile(r"[=+\-@\t\r]")  # how a text begins that a spreadsheet would run


@dataclass(frozen=True)
class Question:
    """A query with its values, one of FORMS for its answer, and how much of it is wanted: rows from `offset` on."""

    sql: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    form: str = "json"
    offset: int = 0
    rows: int | None = None
    most_bytes: int | None = None


@dataclass(frozen=True)
class Told:
    """What is told of an answer: the names of its columns, how many rows it has and whether there are more."""

    columns: list[str]
    rows: int
    has_more: bool


class Stretch:
    """The record batches from row `offset` on, at most `most` rows; afterwards it knows how many, and if more came."""

    def __init__(self, reader: pa.RecordBatchReader, offset: int = 0, most: int | None = None) -> None:
        self.schema: pa.Schema = reader.schema
        self.rows = 0
        self.has_more = False
        self._reader = reader
        self._offset = offset
        self._most = most

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        skipped = 0
        for batch in self._reader:
            skip = min(self._offset - skipped, batch.num_rows)
            skipped += skip
            room = batch.num_rows if self._most is None else self._most - self.rows
            taken = batch.slice(skip, room)
            self.has_more = taken.num_rows < batch.num_rows - skip
            self.rows += taken.num_rows
            if taken.num_rows:
                yield taken
            if self.has_more:
                return


def answer(con: duckdb.DuckDBPyConnection, question: Question, write: Callable[[bytes], object]) -> Told:
    """Writes the answer and returns what is told of it.

    Raises QueryError as `store.query.batches` does, where rows cannot be computed or have no such form, and where the
    answer is larger than was wanted.
    """
    try:
        as_text = question.form in ("csv", "json")
        reader = batches(con, question.sql, question.parameters, as_text=as_text)
        found = Stretch(reader, question.offset, question.rows)
        size = 0
        for piece in pieces(question.form, found.schema, found):
            size += len(piece)
            if question.most_bytes is not None and size > question.most_bytes:
                raise _too_large(question)
            write(piece)
    except (duckdb.Error, pl.exceptions.PolarsError, pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # of the file that is written, not Arrow's word for any error
            raise
        raise mistake(error, question.sql) from error
    return Told(distinct(found.schema.names), found.rows, found.has_more)


def pieces(form: str, schema: pa.Schema, found: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """The bytes of rows in a form, a piece a batch. Repeated names of columns are numbered, but in Arrow."""
    if form == "arrow":
        return _through(schema, found, lambda sink: ipc.new_stream(sink, schema))
    if form == "parquet":
        named = pa.schema([part.with_name(name) for part, name in zip(schema, distinct(schema.names), strict=True)])
        renamed = (batch.rename_columns(named.names) for batch in found)
        return _through(named, renamed, lambda sink: parquet.ParquetWriter(sink, named))
    return _csv(schema, found) if form == "csv" else _json(found)


def as_json(value: Any) -> str:
    """The value as JSON: whole numbers and decimals with all of their digits, what is not finite as null, bytes as
    hexadecimal digits.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            return str(value)
        case float():
            return repr(value) if value - value == 0 else "null"
        case Decimal():
            return format(value, "f")
        case bytes():
            return f'"{value.hex()}"'
        case dict():
            return "{" + ", ".join(f"{as_json(key)}: {as_json(part)}" for key, part in value.items()) + "}"
        case _:
            return "[" + ", ".join(map(as_json, value)) + "]"


class _Sink(io.RawIOBase):
    """A file that cannot go back, whose bytes are taken out again as soon as they are written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        """The bytes written since the last call."""
        result = b"".join(self._parts)
        self._parts.clear()
        return result


def _through(schema: pa.Schema, found: Iterable[pa.RecordBatch], open_writer: Callable[[Any], Any]) -> Iterator[bytes]:
    sink = _Sink()
    with open_writer(sink) as writer:
        yield sink.taken()
        for batch in found:
            writer.write_batch(batch)
            yield sink.taken()
    yield sink.taken()


def _csv(schema: pa.Schema, found: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """A header and lines; lists and structs as JSON, bytes as hexadecimal digits, formulas made harmless."""
    yield _lines(schema.empty_table(), has_header=True)
    for batch in found:
        yield _lines(pa.Table.from_batches([batch]), has_header=False)


def _lines(table: pa.Table, *, has_header: bool) -> bytes:
    names = [harmless(name) for name in distinct(table.column_names)]
    columns = [_flat(column, kind) for column, kind in zip(table.columns, table.schema.types, strict=True)]
    written = pl.DataFrame(dict(zip(distinct(names), columns, strict=True)))
    return written.write_csv(include_header=has_header).encode()


def less(form: str) -> str:
    """What to do about a question that takes too long or too much in that form."""
    return "Ask for less, or for _format=parquet." if form == "csv" else "Ask for less."


def harmless(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would take it for a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def _flat(column: pa.ChunkedArray, kind: pa.DataType) -> pl.Series:
    """A column as CSV has it. Texts are made harmless; numbers are none, also those below zero."""
    if pa.types.is_string(kind):
        texts = pl.Series(column, dtype=pl.String)
        return texts.zip_with(~texts.str.contains(f"^{FORMULA.pattern}").fill_null(value=False), "'" + texts)
    if pa.types.is_nested(kind):
        texts = pl.Series(_texts(column, kind), dtype=pl.String)
        return texts.set(pl.Series(column.is_null()), None)
    return pl.Series(column).bin.encode("hex") if pa.types.is_binary(kind) else pl.Series(column)


def _texts(column: pa.ChunkedArray | pa.Array, kind: pa.DataType) -> list[str]:
    """Each value as JSON: by polars, which is some thirty times as fast as Python, where it has every digit."""
    if _is_hard(kind):
        return list(map(as_json, column.to_pylist(maps_as_pydicts="strict")))
    wrapped = pl.DataFrame({"v": pl.Series(column)}).select(pl.struct("v").struct.json_encode()).to_series()
    return wrapped.str.slice(len('{"v":')).str.head(-1).to_list()


def _is_hard(kind: pa.DataType) -> bool:
    """True for types that polars writes as no JSON number, or not at all, and for those with such in them."""
    if pa.types.is_decimal(kind) or pa.types.is_binary(kind):
        return True
    return any(_is_hard(kind.field(place).type) for place in range(kind.num_fields))


def _json(found: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """An array with one object a row."""
    before = "["
    for batch in found:
        names = [as_json(name) for name in distinct(batch.schema.names)]
        rows = zip(*map(_texts, batch.columns, batch.schema.types), strict=True)
        texts = ("{" + ", ".join(map("{}: {}".format, names, row)) + "}" for row in rows)
        yield (before + ",\n".join(texts)).encode()
        before = ",\n"
    yield b"[]" if before == "[" else b"]"


def _too_large(question: Question) -> QueryError:
    size = (question.most_bytes or 0) / 1e6
    return QueryError(
        f"The answer is larger than {size:g} MB.",
        "Ask for fewer rows or columns" + (", or for _format=parquet." if question.form == "json" else "."),
    )
