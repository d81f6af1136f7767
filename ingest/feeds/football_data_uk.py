"""Football with bookmakers' odds: files of football-data.co.uk, and files of average opening and closing odds.

Both are one row a match, and everything beside the score is kept as the match's attributes under the source's own
column names: B365H, PSCH, home_close ... are decimal odds, of which 0 means missing. The set of columns changes from
season to season. Clubs have no ids, so country and name are the id; a football-data.co.uk file does not name its
season, which begins on 1 July here (in 2020, when seasons ran late, on 3 August).
"""

import re
from collections.abc import Iterable
from datetime import date

import dataframely as dy
import polars as pl

from ingest.feed import Feed, Source
from ingest.frames import Parsed, attributes
from ingest.lines import Table, read_table, sift
from ingest.two_sided import two_sided

COLUMNS = ["Div", "Date", "HomeTeam", "AwayTeam", "FTHG", "FTAG", "FTR"]
OPEN_CLOSE_COLUMNS = ["Date", "country", "league", "Season", "HomeTeam", "AwayTeam", "FTHG", "FTAG", "home_close"]
NOT_ODDS = {"HTHG", "HTAG", "HTR", "HS", "AS", "HST", "AST", "HC", "AC", "HF", "AF", "HO", "AO", "HY", "AY", "HR", "AR"}
_PRICE = re.compile(r"(?:(?<!A)H|D|A|AHH|[<>]2\.5|_open|_close)$")
LATE_2020 = (date(2020, 7, 1), date(2020, 8, 2))


class Row(dy.Schema):
    """A row we can use; one without goals is a fixture still to be played."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    country = dy.String(nullable=False)
    division = dy.String(nullable=False)
    season = dy.String(nullable=False)
    date = dy.Date(nullable=False)
    home_team = dy.String(nullable=False)
    away_team = dy.String(nullable=False)
    home_goals = dy.Int16(nullable=True, min=0)
    away_goals = dy.Int16(nullable=True, min=0)
    result = dy.String(nullable=True)
    attributes = dy.List(dy.Struct({"key": dy.String(), "value": dy.String()}), nullable=False)

    @dy.rule()
    def only_one_side_has_goals(cls) -> pl.Expr:
        return pl.col("home_goals").is_null() == pl.col("away_goals").is_null()

    @dy.rule()
    def club_plays_itself(cls) -> pl.Expr:
        return pl.col("home_team") != pl.col("away_team")

    @dy.rule()
    def result_disagrees_with_goals(cls) -> pl.Expr:
        lead = pl.col("home_goals") - pl.col("away_goals")
        told = pl.when(lead > 0).then(pl.lit("H")).when(lead < 0).then(pl.lit("A")).when(lead == 0).then(pl.lit("D"))
        return (pl.col("result") == told) | pl.col("result").is_null() | told.is_null()


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of one file of either kind, told by its header."""
    if b"home_close" in raw.split(b"\n", 1)[0]:
        table = read_table(raw, source, OPEN_CLOSE_COLUMNS, others=True, latin1=True)
        typed = _open_close(table)
    else:
        table = read_table(raw, source, COLUMNS, others=True, latin1=True)
        typed = _by_division(table)
    rows, rejected = sift(typed, Row, source.slice)
    games = rows.select(
        "line",
        "raw",
        pl.concat_str(
            "division", pl.col("date").cast(pl.String), "country", "home_team", "away_team", separator="|"
        ).alias("game_key"),
        "season",
        pl.col("date").alias("played_on"),
        pl.when(pl.col("home_goals").is_null()).then(pl.lit("scheduled")).otherwise(pl.lit("played")).alias("status"),
        "attributes",
        pl.lit(1).alias("home"),
        *(
            column
            for own, side in (("first", "home"), ("second", "away"))
            for column in (
                _club(f"{side}_team").alias(f"{own}_team"),
                pl.col(f"{side}_team").alias(f"{own}_name"),
                pl.col(f"{side}_goals").alias(f"{own}_score"),
            )
        ),
    )
    broken = pl.concat([table.rejected, rejected])
    return two_sided(games, broken, source.slice, table.rows_read, memberships=_divisions(rows))


def _by_division(table: Table) -> pl.DataFrame:
    """Rows of football-data.co.uk: two forms of date, and a code of country and tier ("E0", "EC", "SP1")."""
    text = pl.col("Date")
    day = pl.coalesce(
        pl.when(text.str.len_chars() == 8).then(text.str.to_date("%d/%m/%y", strict=False)),
        pl.when(text.str.len_chars() == 10).then(text.str.to_date("%d/%m/%Y", strict=False)),
    )
    return table.rows.select(
        "line",
        "raw",
        pl.col("Div").str.replace(r"^([A-Z]+?)(?:\d+|C)$", "$1").alias("country"),
        pl.col("Div").alias("division"),
        _season(day).alias("season"),
        day.alias("date"),
        *_teams_and_goals(),
        pl.col("FTR").alias("result"),
        _rest(table, COLUMNS, pl.col("Div")),
    )


def _open_close(table: Table) -> pl.DataFrame:
    """Rows of opening and closing odds: a date with its kick-off, and a season in words ("2009-2010")."""
    season = pl.col("Season").str.extract_groups(r"^(\d{4})-\d\d(\d\d)$")
    return table.rows.select(
        "line",
        "raw",
        "country",
        pl.col("league").alias("division"),
        pl.concat_str(season.struct.field("1"), season.struct.field("2"), separator="/").alias("season"),
        pl.col("Date").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.date().alias("date"),
        *_teams_and_goals(),
        pl.lit(None, pl.String).alias("result"),
        _rest(table, OPEN_CLOSE_COLUMNS[:-1], pl.col("league"), kick_off=pl.col("Date").str.slice(11, 5)),
    )


def _teams_and_goals() -> list[pl.Expr]:
    names = {"HomeTeam": "home_team", "AwayTeam": "away_team", "FTHG": "home_goals", "FTAG": "away_goals"}
    return [pl.col(column).alias(name) for column, name in names.items()]


def _rest(table: Table, used: list[str], division: pl.Expr, **more: pl.Expr) -> pl.Expr:
    """All further columns as attributes; odds of 0 are missing ones."""
    rest = [name for name in table.rows.columns if name not in ("line", "raw", *used)]
    return attributes(division=division, **more, **{name: _told(name) for name in rest})


def _told(name: str) -> pl.Expr:
    value = pl.col(name)
    if name in NOT_ODDS or not _PRICE.search(name):
        return value
    return pl.when(value.cast(pl.Float64, strict=False).fill_null(1) != 0).then(value)


def _season(day: pl.Expr) -> pl.Expr:
    begins_later = day.is_between(*LATE_2020) | (day.dt.month() < 7)
    start = day.dt.year() - begins_later.cast(pl.Int32)
    return pl.format("{}/{}", start, ((start + 1) % 100).cast(pl.String).str.zfill(2))


def _club(name: str) -> pl.Expr:
    return pl.concat_str(pl.lit("football-data:"), "country", pl.lit("/"), name)


def _divisions(rows: pl.DataFrame) -> pl.DataFrame:
    """Which division each club plays in, season by season: the one of its last row."""
    clubs: Iterable[pl.DataFrame] = (
        rows.select(_club(name).alias("competitor_id"), "season", "division", "line")
        for name in ("home_team", "away_team")
    )
    last = pl.concat(clubs).sort("line").unique(["competitor_id", "season"], keep="last", maintain_order=True)
    return last.select(
        "competitor_id", "season", pl.lit("division").alias("grouping"), pl.col("division").alias("group")
    )


FEED = Feed(
    name="football_data_uk",
    title="Football with odds (football-data.co.uk)",
    licence="free to download (football-data.co.uk); files of opening and closing odds: none given",
    homepage="https://www.football-data.co.uk",
    row="one match, with bookmakers' odds as attributes",
    parse=parse,
)
