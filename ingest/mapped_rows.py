"""What the two shapes of `feed = "csv"` share: reading the mapped columns, and typing what both have.

Bytes and mapping go in; out comes a frame with our names for the columns, still one row a line of the file, and the
text of every attribute and group column under `attribute:NAME` and `group:NAME`.
"""

import difflib
from datetime import date
from typing import Any

import polars as pl
from pydantic import BaseModel

from ingest.feed import Source
from ingest.frames import STATUSES
from ingest.lines import Table, header_of, read_table
from store.columns import DAYS_SINCE, AppearanceColumns, Columns
from store.errors import FeedError, StanzaError

PLAIN = ("contest", "sequence", "season", "round", "status", "exposure")
YES = ("true", "t", "yes", "y", "1")
NO = ("false", "f", "no", "n", "0")
NEUTRAL = {"neutral": True, "home": False, "away": False}
HOME = {"home": True, "h": True, "away": False, "a": False, "neutral": False}
NOT_COLUMNS = {
    "rows", "kind", "delimiter", "encoding", "missing", "optional", "date_format", "statuses", "exposure_unit",
    "share_unit", "player_delimiter", "appearances", "file",
}  # fmt: skip


def columns_of(source: Source) -> Columns:
    """The mapping in the league's stanza. Raises StanzaError where there is none."""
    if source.stanza.columns is None:
        raise StanzaError(
            f'{source.league}: feed = "csv" needs a mapping, [{source.league}.columns].',
            "Let a file propose one: pooltable add LEAGUE --from-csv FILE",
        )
    return source.stanza.columns


def read_mapped(
    raw: bytes, source: Source, columns: Columns, *, part: AppearanceColumns | None = None, file: str = ""
) -> Table:
    """The file's lines with every column that the mapping (or its `part` about appearances) names.

    Optional columns that the file does not have are null. Raises FeedError naming a column that is not there, the
    setting that names it and the nearest column there is.
    """
    file = file or source.slice
    text = _as_utf8(raw, columns.encoding, file)
    there = header_of(text, file, columns.delimiter)
    wanted = _named(part or columns)
    for column, setting in wanted.items():
        if column not in there and column not in columns.optional:
            raise FeedError(f'{file} has no column "{column}" ({setting}).', _nearest(column, there))
    present = [column for column in wanted if column in there]
    table = read_table(text, source, present, file=file, missing=columns.missing, delimiter=columns.delimiter)
    absent = [pl.lit(None, pl.String).alias(column) for column in wanted if column not in there]
    return Table(table.rows.with_columns(absent), table.rejected, table.rows_read)


def common(columns: Columns) -> list[pl.Expr]:
    """Our columns that a row of either shape has: the date typed, status in our words, the rest as text."""
    own = [_optional(getattr(columns, name)).alias(name) for name in PLAIN if name not in ("season", "status")]
    day = _date(columns)
    season = pl.col(columns.season) if columns.season else day.dt.year().cast(pl.String)
    return [
        pl.col("line"), pl.col("raw"), day.alias("date"), season.alias("season"),
        _status(columns).alias("source_status"), *own,
        *(pl.col(name).alias(f"attribute:{name}") for name in columns.attributes),
        *(pl.col(name).alias(f"group:{name}") for name in columns.groups),
    ]  # fmt: skip


def truth_of(column: str, more: dict[str, bool] | None = None) -> pl.Expr:
    """True, false or null (unreadable) of a column's words, and of `more` words; no word at all is false."""
    words = dict.fromkeys(YES, True) | dict.fromkeys(NO, False) | (more or {})
    return (
        pl.col(column).fill_null("no").str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
    )


def neutral(columns: Columns) -> pl.Expr:
    """Whether a row's game is on neutral ground."""
    if isinstance(columns.neutral, str):
        return truth_of(columns.neutral, NEUTRAL)
    return pl.lit(columns.neutral or bool(columns.loser))


def known_status() -> pl.Expr:
    """Whether the status in our words is one of ours, or not given."""
    return pl.col("source_status").is_null() | pl.col("source_status").is_in(STATUSES)


def exposure(columns: Columns) -> pl.Expr:
    """Exposure in units of a full game; 1 where no column says."""
    return pl.col("exposure").fill_null(columns.exposure_unit) / columns.exposure_unit


def attribute_columns(columns: Columns) -> dict[str, pl.Expr]:
    """The attributes' texts by key, for `ingest.frames.attributes`."""
    return {name: pl.col(f"attribute:{name}") for name in columns.attributes}


def memberships(rows: pl.DataFrame, columns: Columns, entrants: list[str]) -> pl.DataFrame:
    """Each entrant's group of each kind in each season: that of its last row. `entrants` are columns of ids."""
    frames = [
        rows.select(
            "line", pl.col(entrant).alias("competitor_id"), "season",
            pl.lit(name).alias("grouping"), pl.col(f"group:{name}").alias("group"),
        )
        for name in columns.groups for entrant in entrants
    ]  # fmt: skip
    if not frames:
        names = ["competitor_id", "season", "grouping", "group"]
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    all_of_them = pl.concat(frames).drop_nulls(["group", "competitor_id"]).sort("line", maintain_order=True)
    return all_of_them.unique(["competitor_id", "season", "grouping"], keep="last", maintain_order=True).drop("line")


def competitor_id(source: Source, kind: str, name: pl.Expr) -> pl.Expr:
    """The id of a name or id in the file: teams and players have namespaces of their own."""
    return pl.lit(f"{source.league}:" if kind == "team" else f"{source.league}-player:") + name


def _as_utf8(raw: bytes, encoding: str, file: str) -> bytes:
    if encoding == "utf-8":
        return raw
    try:
        return raw.decode(encoding).encode()
    except UnicodeError as error:
        raise FeedError(f"{file} is not {encoding}: {error}.", 'Set "encoding" in the mapping.') from error


def _named(settings: BaseModel) -> dict[str, str]:
    """Each column that the mapping names, with the setting that names it first."""
    found: dict[str, str] = {}
    for setting, value in settings:
        names: Any = value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()
        if setting not in NOT_COLUMNS:
            for name in names:
                found.setdefault(name, setting)
    return found


def _nearest(column: str, there: list[str]) -> str:
    lower = {name.lower(): name for name in there}
    near = difflib.get_close_matches(column.lower(), lower, n=1, cutoff=0.5)
    return f'The nearest is "{lower[near[0]]}".' if near else f"There are: {', '.join(there)}."


def _optional(column: str | None) -> pl.Expr:
    return pl.col(column) if column else pl.lit(None, pl.String)


def _date(columns: Columns) -> pl.Expr:
    return pl.coalesce(_date_as(pl.col(columns.date), form) for form in columns.date_format)


def _date_as(text: pl.Expr, form: str) -> pl.Expr:
    if form.startswith(DAYS_SINCE):
        start = date.fromisoformat(form.removeprefix(DAYS_SINCE))
        return pl.lit(start) + pl.duration(days=text.cast(pl.Int32, strict=False))
    return text.str.to_date(form, strict=False)


def _status(columns: Columns) -> pl.Expr:
    status = _optional(columns.status)
    return status.replace(columns.statuses) if columns.statuses else status
