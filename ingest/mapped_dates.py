"""Dates of `feed = "csv"`: how they are read, which formats fit some, and what to say where the mapping's do not."""

from datetime import date

import polars as pl

from ingest.feed import Source
from store.columns import DAYS_SINCE, Columns
from store.errors import FeedError

DAY_NUMBER = f"{DAYS_SINCE}1970-01-01"
# In the order in which they are proposed: of two that read the same dates, the first is taken.
FORMATS = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%Y", "%d.%m.%y", "%Y/%m/%d", "%Y.%m.%d",
    "%Y%m%d", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%d %H:%M:%S%:z",
    "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", DAY_NUMBER,
)  # fmt: skip
YEARS = (1000, 2999)  # a year of two digits read as one of four is none


def day(text: pl.Expr, formats: tuple[str, ...]) -> pl.Expr:
    """The day that a text stands for in the first of the formats that reads it; null where none does."""
    return pl.coalesce(as_day(text, form) for form in formats)


def as_day(text: pl.Expr, form: str) -> pl.Expr:
    """The day that a text stands for in a format; null where it does not fit."""
    if form.startswith(DAYS_SINCE):
        start = date.fromisoformat(form.removeprefix(DAYS_SINCE))
        number = text.cast(pl.Int32, strict=False)
        found = pl.lit(start) + pl.duration(days=pl.when(number.abs() < 1_000_000).then(number))
    else:
        found = text.str.to_date(form, strict=False)
    return pl.when(found.dt.year().is_between(*YEARS)).then(found)


def formats_of(values: pl.Series) -> list[str]:
    """The fewest formats, each tried on what is left, that read all the texts; empty where none do."""
    left = values.drop_nulls().unique()
    chosen: list[str] = []
    while left.len():
        known = [(form, read(left, form)) for form in FORMATS if form not in chosen]
        form, dates = max(known, key=lambda pair: pair[1].is_not_null().sum(), default=("", left.clear()))
        if not form or dates.null_count() == left.len():
            return []
        chosen.append(form)
        left = left.filter(dates.is_null())
    return chosen


def swapped(values: pl.Series, formats: list[str]) -> str | None:
    """The format with day and month the other way round, where it reads all these texts just as well, to other days."""
    if len(formats) != 1:
        return None
    [form] = formats
    other = form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
    if other not in FORMATS or other == form:
        return None
    texts = values.drop_nulls().unique()
    turned = read(texts, other)
    return other if turned.null_count() == 0 and not turned.equals(read(texts, form)) else None


def read(values: pl.Series, form: str) -> pl.Series:
    """The days of some texts in a format."""
    return values.to_frame("text").select(as_day(pl.col("text"), form).alias("text"))["text"]


def insist_they_fit(rows: pl.DataFrame, source: Source, columns: Columns) -> None:
    """Raises FeedError where more than half of the rows (line, date as text, day) have a date that no format reads."""
    misfits = rows.filter(pl.col("date").is_not_null() & pl.col("day").is_null())
    if misfits.height <= rows.height / 2:
        return
    line, text = misfits.select("line", "date").row(0)
    fits = formats_of(rows["date"])
    other = swapped(rows["date"], fits)
    better = f"[{source.league}.columns] date_format = {_toml(fits)} reads them all"
    better += f", and so does {_toml([other])}: which is it?" if other else "."
    raise FeedError(
        f"{source.slice}: {misfits.height:,} of {rows.height:,} dates do not fit date_format = "
        f'{_toml(list(columns.date_format))}, the first in line {line}: "{text[:60]}".',
        better if fits else f'Is "{columns.date}" the column of dates? See date_format in ingest/README.md.',
    )


def _toml(formats: list[str]) -> str:
    texts = [f'"{form}"' for form in formats]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
