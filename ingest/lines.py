"""Delimited text, line by line: so that one broken line never costs another, and every row knows its line.

`read_declared` reads the small tables that people keep in their home, where a mistake is theirs to mend at once.

Of a source's file, one record is one line. A quoted field may hold the delimiter, but not a line break: a line with
an odd number of quotes is rejected by itself instead of swallowing what follows. Flows: bytes -> `Table` of text
columns -> `sift`.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import dataframely as dy
import polars as pl

from ingest.feed import Source
from store.errors import FeedError, StoreError

EXPLAINED = {
    "nullability": "is missing or unreadable",
    "dtype": "is unreadable",
    "regex": "is unreadable",
    "min": "is too small",
    "max": "is too large",
    "min_exclusive": "is too small",
    "inf": "is no number",
    "nan": "is no number",
}


@dataclass(frozen=True)
class Table:
    """Text columns by header name, each row with its `line` (from 1, header counted) and its `raw` text.

    Fields are stripped; empty ones are null. `rejected` has file, line, rule, raw.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame
    rows_read: int


def read_table(
    raw: bytes,
    source: Source,
    columns: list[str],
    *,
    file: str = "",
    missing: str | tuple[str, ...] = "",
    others: bool = False,
    names: list[str] | None = None,
    latin1: bool = False,
    delimiter: str = ",",
    prefix: str = "",
) -> Table:
    """The named columns of a delimited UTF-8 file with a header; fields equal to `missing`, or one of it, are null too.

    With `others`, all further columns come behind them, each under its own name. `names` are the columns of a file
    without a header; `prefix` goes before each name, where one may be "line" or "raw". With `latin1`, lines that are
    not UTF-8 are Latin-1 instead of being rejected.

    Lines without any content are no rows. Lines that are not UTF-8, have unbalanced quotes, or other than the
    header's number of fields (empty surplus ones apart) are rejected. Raises FeedError where a column is not there.
    """
    lines = _lines(raw, latin1)
    header = names or _header(lines, columns, file or source.slice, delimiter)
    if others:
        columns = list(dict.fromkeys([*columns, *(name for name in header if name not in ("", "line", "raw"))]))
    body = (lines if names else lines.slice(1)).with_columns(fields=_fields(delimiter))
    body = _quoted_fields(body, delimiter)
    sound = body.filter(pl.col("rule").is_null()).with_columns(rule=_misfit(len(header)))
    text = [_column(header.index(name), missing).alias(prefix + name) for name in columns]
    rows = sound.filter(pl.col("rule").is_null()).select("line", "raw", *text)
    broken = pl.concat([body, sound]).filter(pl.col("rule").is_not_null())
    return Table(rows, rejections(broken, file or source.slice), body.height)


def read_declared(path: Path, header: list[str]) -> list[tuple[int, list[str]]]:
    """The rows of a small UTF-8 table of the home, each with its line; empty where there is no file.

    Blank lines are left out. Raises StoreError where it cannot be read, begins with another header, or a row has other
    than the header's number of fields.
    """
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StoreError(f"{path} cannot be read: {error}.", "Mend it, or move it away.") from error
    if not rows or rows[0][1] != header:
        raise StoreError(f"{path} must begin with the line {','.join(header)}.", "Mend it, or move it away.")
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise StoreError(f"{path}, line {line}: it has {len(row)} fields, not {len(header)}.", "Mend that line.")
    return rows[1:]


def sift[S: dy.Schema](rows: pl.DataFrame, schema: type[S], file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that keep the schema's rules, cast to its types, and the rejected others (file, line, rule, raw).

    `rows` and the schema have the columns line and raw.
    """
    result, failure = schema.filter(rows, cast=True)
    if not len(failure):
        return pl.DataFrame(result), rejections(rows.clear().with_columns(rule=pl.lit("")), file)
    details = failure.details()
    rules = [name for name in details.columns if name not in rows.columns]
    broken = [pl.when(pl.col(name) == "invalid").then(pl.lit(_explain(name))) for name in rules]
    named = details.with_columns(rule=pl.concat_str(broken, separator="; ", ignore_nulls=True))
    return pl.DataFrame(result), rejections(named, file)


def rejections(broken: pl.DataFrame, file: str) -> pl.DataFrame:
    """The canonical frame of rejected rows, of a frame with line, rule and raw."""
    return broken.select(pl.lit(file).alias("file"), pl.col("line").cast(pl.Int64), "rule", "raw")


def _lines(raw: bytes, latin1: bool) -> pl.DataFrame:
    """Columns line, raw, rule (null, or why the line cannot be read) of every line with content."""
    raw = raw if b"\n" in raw else raw.replace(b"\r", b"\n")
    try:
        texts, wrong = raw.decode("utf-8-sig").split("\n"), None
    except UnicodeDecodeError:
        pieces = raw.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        fine = [_is_utf8(piece) for piece in pieces]
        texts = [
            piece.decode("utf-8" if good or not latin1 else "latin-1", errors="replace")
            for piece, good in zip(pieces, fine, strict=True)
        ]
        wrong = [None if good or latin1 else "not UTF-8" for good in fine]
    frame = pl.DataFrame({"raw": pl.Series(texts, dtype=pl.String).str.strip_chars_end("\r")})
    frame = frame.with_row_index("line", offset=1).with_columns(
        rule=pl.Series(wrong, dtype=pl.String) if wrong else None
    )
    return frame.filter(pl.col("raw").str.strip_chars(', \t"\r') != "").cast({"line": pl.Int64, "rule": pl.String})


def _is_utf8(piece: bytes) -> bool:
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def header_of(raw: bytes, file: str, delimiter: str = ",") -> list[str]:
    """The names of the columns of a delimited file. Raises FeedError where it is empty."""
    return _names(_lines(raw, False), file, delimiter)


def _names(lines: pl.DataFrame, file: str, delimiter: str) -> list[str]:
    if lines.is_empty():
        raise FeedError(f"{file} is empty.", "Look at the source; nothing was loaded from it.")
    header = [name.strip() for name in _split(lines["raw"][0], delimiter) or []]
    while header and not header[-1]:
        header.pop()
    return header


def _header(lines: pl.DataFrame, columns: list[str], file: str, delimiter: str) -> list[str]:
    header = _names(lines, file, delimiter)
    absent = [name for name in columns if name not in header]
    if absent:
        raise FeedError(
            f"{file} has no column {', '.join(absent)}: its first line is {lines['raw'][0][:120]!r}.",
            "Is it the right file for this feed? If the source has changed its shape, the feed must follow.",
        )
    return header


def _fields(delimiter: str) -> pl.Expr:
    """Fields of lines without quotes; null for the others."""
    return pl.when(~pl.col("raw").str.contains('"', literal=True)).then(pl.col("raw").str.split(delimiter))


def _quoted_fields(body: pl.DataFrame, delimiter: str) -> pl.DataFrame:
    """The body with the fields of quoted lines filled in, or their rule where the quotes do not balance."""
    quoted = body.filter(pl.col("fields").is_null()).select("line", "raw")
    if quoted.is_empty():
        return body
    split = [_split(text, delimiter) for text in quoted["raw"]]
    found = quoted.select(
        "line",
        quoted_fields=pl.Series(split, dtype=pl.List(pl.String)),
        quoted_rule=pl.Series([None if fields else "unbalanced quotes" for fields in split], dtype=pl.String),
    )
    joined = body.join(found, on="line", how="left", maintain_order="left")
    return joined.with_columns(
        fields=pl.coalesce("fields", "quoted_fields"), rule=pl.coalesce("rule", "quoted_rule")
    ).drop("quoted_fields", "quoted_rule")


def _split(text: str, delimiter: str) -> list[str] | None:
    if text.count('"') % 2:
        return None
    try:
        return next(csv.reader([text], strict=True, delimiter=delimiter))
    except (csv.Error, StopIteration):
        return None


def _misfit(width: int) -> pl.Expr:
    fields = pl.col("fields")
    surplus = fields.list.slice(width).list.join("").str.strip_chars() != ""
    return (
        pl.when(fields.list.len() < width).then(pl.lit("too few fields")).when(surplus).then(pl.lit("too many fields"))
    ).cast(pl.String)


def _column(index: int, missing: str | tuple[str, ...]) -> pl.Expr:
    text = pl.col("fields").list.get(index, null_on_oob=True).str.strip_chars()
    return pl.when(~text.is_in(["", missing] if isinstance(missing, str) else ["", *missing])).then(text)


def _explain(rule: str) -> str:
    """The words of a dataframely rule: "date|nullability" is "date is missing or unreadable"."""
    column, _, kind = rule.partition("|")
    return f"{column} {EXPLAINED.get(kind, kind)}" if kind else column.replace("_", " ")
