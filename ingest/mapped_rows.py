"""What the two shapes of `feed = "csv"` share: reading the mapped columns, and typing what both have.

Bytes and mapping go in; out comes a frame with our names for the columns, still one row a line of the file, and the
text of every attribute and group column under `attribute:NAME` and `group:NAME`.
"""

import difflib
from typing import Any

import polars as pl
from pydantic import BaseModel

from ingest import mapped_dates
from ingest.feed import Source
from ingest.frames import STATUSES
from ingest.lines import Table, header_of, read_table, rejections
from store.columns import AppearanceColumns, Columns
from store.errors import FeedError, StanzaError

DELIMITERS = (",", ";", "\t", "|")
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8"}
CELL = "cell:"
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
    """The file's lines with the `cell` of every column that the mapping (or its `part` about appearances) names.

    Optional columns that the file does not have are null. Raises FeedError naming a column that is not there, or is
    there twice, with the setting that names it and the nearest there is, or the encoding or delimiter that would fit.
    """
    file = file or source.slice
    text = _as_utf8(raw, columns.encoding, file, source.league)
    there = header_of(text, file, columns.delimiter)
    wanted = _named(part or columns)
    absent = [column for column in wanted if column not in there]
    needed = [column for column in absent if column not in columns.optional]
    if needed:
        raise _no_column(text, file, source, columns, needed[0], wanted)
    for column, setting in wanted.items():
        if there.count(column) > 1:
            raise FeedError(
                f'{file} has {there.count(column)} columns "{column}" ({setting}).', "Give each a name of its own."
            )
    present = [column for column in wanted if column in there]
    table = read_table(
        text, source, present, file=file, missing=columns.missing, delimiter=columns.delimiter, prefix=CELL
    )
    _insist_on_utf8(table, raw, file, source)
    nothing = [pl.lit(None, pl.String).alias(f"{CELL}{column}") for column in absent]
    return Table(table.rows.with_columns(nothing), table.rejected, table.rows_read)


def whole(text: pl.Expr) -> pl.Expr:
    """The text of a whole number, which spreadsheets write with a fraction of nothing ("2.0") beside empty cells."""
    return text.str.replace(r"\.0+$", "")


def cell(column: str) -> pl.Expr:
    """The text in one of the file's own columns, which may be called like one of ours ("line", say)."""
    return pl.col(f"{CELL}{column}")


def optional(column: str | None) -> pl.Expr:
    """The text in a column of the file; null where the mapping names none."""
    return cell(column) if column else pl.lit(None, pl.String)


def key(names: tuple[str, ...]) -> pl.Expr:
    """The text of a game's key columns together; null where one is empty."""
    return pl.concat_str(*(cell(name) for name in names), separator="|")


def common(columns: Columns) -> list[pl.Expr]:
    """Our columns that a row of either shape has: date as text and as day, status in our words, the rest as text."""
    own = [optional(getattr(columns, name)).alias(name) for name in ("contest", "round", "exposure")]
    own.append(whole(optional(columns.sequence)).alias("sequence"))
    day = mapped_dates.day(cell(columns.date), columns.date_format)
    year = day.dt.year().cast(pl.String).fill_null("")  # without a day the row is rejected for its date alone
    season = cell(columns.season) if columns.season else year
    return [
        pl.col("line"), pl.col("raw"), cell(columns.date).alias("date"), day.alias("day"), season.alias("season"),
        _status(columns).alias("source_status"), *own,
        *(cell(name).alias(f"attribute:{name}") for name in columns.attributes),
        *(cell(name).alias(f"group:{name}") for name in columns.groups),
    ]  # fmt: skip


def truth_of(column: str, more: dict[str, bool] | None = None) -> pl.Expr:
    """True, false or null (unreadable) of a column's words, and of `more` words; no word at all is false."""
    words = dict.fromkeys(YES, True) | dict.fromkeys(NO, False) | (more or {})
    return cell(column).fill_null("no").str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)


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


def whole_scores(rows: pl.DataFrame, source: Source, scores: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows, and the rejected ones: where the outcome is a count of goals, scores that are none.

    Points of the other outcomes, and of scores with a Normal likelihood, may be fractions, and below zero.
    """
    if source.stanza.outcome != "score" or source.stanza.likelihood == "normal":
        return rows, rejections(rows.clear().with_columns(rule=pl.lit("")), source.slice)
    counts = pl.all_horizontal(
        pl.col(name).is_null() | (pl.col(name) >= 0) & (pl.col(name) == pl.col(name).floor()) for name in scores
    )
    broken = rows.filter(~counts).with_columns(rule=pl.lit('a score is no whole number from 0 (outcome = "score")'))
    return rows.filter(counts), rejections(broken, source.slice)


def in_the_settings_words(rejected: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """The rejected rows, their rules in the words of the mapping's settings."""
    first, second = ("winner", "loser") if columns.loser else ("home", "away")
    rule = pl.col("rule").str.replace("date format", "date_format", literal=True)
    rule = rule.str.replace_all(r"\bfirst", first).str.replace_all(r"\bsecond", second)
    return rejected.with_columns(rule=rule)


def _as_utf8(raw: bytes, encoding: str, file: str, league: str) -> bytes:
    """The file's text as UTF-8 bytes. Raises FeedError where its own marks or bytes speak of another encoding."""
    marked = next((name for mark, name in MARKS.items() if raw.startswith(mark)), encoding)
    if marked != encoding:
        raise FeedError(f"{file} is not {encoding}: it begins with the mark of {marked}.", _set(league, marked))
    if encoding == "utf-8":
        return raw
    if encoding == "utf-16" and raw and b"\0" not in raw:  # any bytes in pairs are letters of some script
        raise FeedError(f"{file} is not utf-16.", _set(league, "utf-8"))
    try:
        return raw.decode(encoding).encode()
    except UnicodeError as error:
        raise FeedError(f"{file} is not {encoding}: {error}.", _set(league, "utf-8")) from error


def _insist_on_utf8(table: Table, raw: bytes, file: str, source: Source) -> None:
    """Raises FeedError where most of the lines with letters beyond ASCII are not UTF-8, and are more than a few."""
    broken = table.rejected.filter(pl.col("rule") == "not UTF-8")
    if broken.height <= max(0.02 * table.rows_read, min(3, table.rows_read / 2)):
        return
    sound = table.rows["raw"].str.contains(r"[^\x00-\x7F]").sum()
    if broken.height > sound:
        line = broken["line"][0]
        text = raw.split(b"\n")[line - 1].decode("latin-1").strip()[:80]
        raise FeedError(
            f"{file}: {broken.height:,} of {table.rows_read:,} lines are not UTF-8, the first is line {line}.",
            f"{_set(source.league, 'latin-1')} reads it as: {text}",
        )


def _set(league: str, encoding: str) -> str:
    return f'[{league}.columns] encoding = "{encoding}"'


def _no_column(
    text: bytes, file: str, source: Source, columns: Columns, column: str, wanted: dict[str, str]
) -> FeedError:
    """What to say of a column that is not there: often another delimiter would give it."""
    message = f'{file} has no column "{column}" ({wanted[column]}).'
    needed = set(wanted) - set(columns.optional)
    for mark in DELIMITERS:
        if needed <= set(header_of(text, file, mark)):
            written = "\\t" if mark == "\t" else mark
            return FeedError(message, f'[{source.league}.columns] delimiter = "{written}" gives them all.')
    near = _nearest(column, header_of(text, file, columns.delimiter))
    others = f" If {file} is no file of results, list those that are in [{source.league}] source."
    return FeedError(message, near if source.is_alone else near + others)


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
    return (
        f'The nearest is "{lower[near[0]]}".'
        if near
        else f"There are: {', '.join(there[:30])}{' ...' if len(there) > 30 else ''}."
    )


def _status(columns: Columns) -> pl.Expr:
    status = optional(columns.status)
    return status.replace(columns.statuses) if columns.statuses else status
