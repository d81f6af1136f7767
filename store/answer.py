"""Answers to a question in SQL as programs want them: CSV, JSON, Parquet or an Arrow stream, as rows are computed.

A connection and a question go in; bytes go to whoever writes them, and what is told of them comes back.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
from polars import selectors as cs
from pyarrow import ipc, parquet

from store.errors import QueryError
from store.query import batches, distinct, frame, mistake, need_plain_types

FORMS = ("json", "csv", "parquet", "arrow")


@dataclass(frozen=True)
class Question:
    """A query with its values, one of FORMS for its answer, and how much of it is wanted: rows from `offset` on."""

    sql: str
    parameters: dict[str, str] = field(default_factory=dict)
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
        found = Stretch(batches(con, question.sql, question.parameters), question.offset, question.rows)
        size = 0
        for piece in pieces(question.form, found.schema, found):
            size += len(piece)
            if question.most_bytes is not None and size > question.most_bytes:
                raise _too_large(question)
            write(piece)
    except (duckdb.Error, pl.exceptions.PolarsError, pa.ArrowException, OSError) as error:
        raise mistake(error, question.sql) from error
    return Told(distinct(found.schema.names), found.rows, found.has_more)


def pieces(form: str, schema: pa.Schema, found: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """The bytes of rows in a form, a piece a batch. Repeated names of columns are numbered, but in Arrow."""
    if form == "arrow":
        return _through(schema, found, lambda sink: ipc.new_stream(sink, schema))
    need_plain_types(schema)
    if form == "parquet":
        named = pa.schema([part.with_name(name) for part, name in zip(schema, distinct(schema.names), strict=True)])
        renamed = (batch.rename_columns(named.names) for batch in found)
        return _through(named, renamed, lambda sink: parquet.ParquetWriter(sink, named))
    return _csv(schema, found) if form == "csv" else _json(found)


def plain(value: Any) -> Any:
    """The value in JSON's few types: what is not finite is null, bytes are hexadecimal digits, times are text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value - value == 0 else None
        case dict():
            return {str(key): plain(part) for key, part in value.items()}
        case list():
            return [plain(part) for part in value]
        case bytes():
            return value.hex()
        case _:
            return str(value)


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
    """A header and lines; lists and structs as JSON, bytes as hexadecimal digits."""
    yield _lines(schema.empty_table(), has_header=True)
    for batch in found:
        yield _lines(pa.Table.from_batches([batch]), has_header=False)


def _lines(table: pa.Table, *, has_header: bool) -> bytes:
    columns = [_flat(column) for column in frame(table).get_columns()]
    return pl.DataFrame(columns).write_csv(include_header=has_header).encode()


def _json(found: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """An array with one object a row."""
    before = "["
    for batch in found:
        rows = frame(pa.Table.from_batches([batch])).with_columns(cs.decimal().cast(pl.Float64))
        texts = (json.dumps(plain(row), ensure_ascii=False, allow_nan=False) for row in rows.iter_rows(named=True))
        yield (before + ",\n".join(texts)).encode()
        before = ",\n"
    yield b"[]" if before == "[" else b"]"


def _flat(column: pl.Series) -> pl.Series:
    if not (column.dtype.is_nested() or column.dtype == pl.Binary):
        return column
    texts = [None if value is None else _flat_text(plain(value)) for value in column.to_list()]
    return pl.Series(column.name, texts, pl.String)


def _flat_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _too_large(question: Question) -> QueryError:
    size = (question.most_bytes or 0) / 1e6
    return QueryError(
        f"The answer is larger than {size:g} MB.",
        "Ask for fewer rows or columns" + (", or for _format=parquet." if question.form == "json" else "."),
    )
