"""A frame as people want it: an aligned table, or a block of lines a row. store/answer.py has what programs want."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

TABLE_ROWS = 200
LIST_VALUES = 4
PLAN = ["explain_key", "explain_value"]  # what EXPLAIN answers: a drawing of many lines


def as_table(frame: pl.DataFrame, width: int | None = None) -> str:
    """At most 200 rows as aligned text, and a line that says so where there are more.

    Where `width` (characters) is given and too narrow, each row is a block of lines, one a column.
    """
    shown = frame.head(TABLE_ROWS)
    one_line = str if frame.columns == PLAN else _on_one_line
    rows = [[one_line(cell(value)) for value in row] for row in shown.rows()]
    names = [_on_one_line(cell(name)) for name in frame.columns]
    numeric = [dtype.is_numeric() for dtype in frame.dtypes]
    text = aligned(names, rows, numeric)
    if width and max(map(len, text.splitlines()), default=0) > width:
        text = blocks(names, rows)
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


def _on_one_line(text: str) -> str:
    return text.replace("\n", "\\n")


def _harmless(letter: str) -> str:
    return letter if letter.isprintable() or letter == "\n" else "�"
