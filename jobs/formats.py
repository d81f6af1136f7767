"""A frame as people or programs want it: an aligned table, CSV, JSON or Parquet."""

import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl
from polars import selectors as cs

TABLE_ROWS = 200
LIST_VALUES = 4


def as_table(frame: pl.DataFrame, width: int | None = None) -> str:
    """At most 200 rows as aligned text, and a line that says so where there are more.

    Where `width` (characters) is given and too narrow, each row is a block of lines, one a column.
    """
    shown = frame.head(TABLE_ROWS)
    rows = [[cell(value) for value in row] for row in shown.rows()]
    numeric = [dtype.is_numeric() for dtype in frame.dtypes]
    text = aligned(frame.columns, rows, numeric)
    if width and max(map(len, text.splitlines()), default=0) > width:
        text = blocks(frame.columns, rows)
    if frame.height > TABLE_ROWS:
        text += f"\n({TABLE_ROWS} of {frame.height} rows; --format csv gives all)"
    return text


def aligned(names: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool] | None = None) -> str:
    """Rows of text under their column names, columns as wide as their widest cell, numbers to the right."""
    right = numeric or [False] * len(names)
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [names, ["-" * width for width in widths], *rows]
    padded = (
        (text.rjust(width) if is_right else text.ljust(width))
        for line in lines
        for text, width, is_right in zip(line, widths, right, strict=True)
    )
    cells = list(padded)
    step = len(names)
    return "\n".join("  ".join(cells[start : start + step]).rstrip() for start in range(0, len(cells), step))


def blocks(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Each row as lines "name  value", an empty line between rows."""
    width = max(map(len, names))
    return "\n\n".join(
        "\n".join(f"{name.ljust(width)}  {text}" for name, text in zip(names, row, strict=True)) for row in rows
    )


def cell(value: Any) -> str:
    """One value as short text: six digits of a float, the first few of a list, nothing a terminal would obey."""
    match value:
        case None:
            return ""
        case float():
            return f"{value:.6g}"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case list():
            more = f", … {len(value)} in all" if len(value) > LIST_VALUES else ""
            return f"[{', '.join(cell(part) for part in value[:LIST_VALUES])}{more}]"
        case dict():
            return "{" + ", ".join(f"{key}: {cell(part)}" for key, part in value.items()) + "}"
        case str():
            return value if value.isprintable() else "".join(_harmless(letter) for letter in value)
        case _:
            return str(value)


def as_csv(frame: pl.DataFrame) -> str:
    """CSV with a header; lists and structs as JSON, bytes as hexadecimal digits."""
    flat = [_flat(column) for column in frame.get_columns()]
    return pl.DataFrame(flat).write_csv() if flat else "\n"


def as_json(frame: pl.DataFrame) -> str:
    """A JSON array with one object a row; what is not finite is null."""
    plain = frame.with_columns(cs.decimal().cast(pl.Float64))
    return json.dumps([_plain(row) for row in plain.to_dicts()], ensure_ascii=False, allow_nan=False)


def as_parquet(frame: pl.DataFrame) -> bytes:
    """A Parquet file's bytes."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def _flat(column: pl.Series) -> pl.Series:
    if not (column.dtype.is_nested() or column.dtype == pl.Binary):
        return column
    texts = [None if value is None else _flat_text(_plain(value)) for value in column.to_list()]
    return pl.Series(column.name, texts, pl.String)


def _flat_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """The value in JSON's few types."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value - value == 0 else None
        case dict():
            return {str(key): _plain(part) for key, part in value.items()}
        case list():
            return [_plain(part) for part in value]
        case bytes():
            return value.hex()
        case _:
            return str(value)


def _harmless(letter: str) -> str:
    return letter if letter.isprintable() or letter == "\n" else "�"
