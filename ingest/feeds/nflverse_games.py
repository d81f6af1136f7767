"""NFL games since 1999 with closing lines and starting quarterbacks: the games table of nflverse (Lee Sharpe).

A club that moved is one competitor under its present code, whatever code a row has. Games on neutral ground have no
home side. Rows without a score are fixtures. Everything beside score and quarterbacks is kept as attributes under the
source's own names: spread_line is the expected home margin, moneylines are American odds.
"""

import dataframely as dy
import polars as pl

from ingest.feed import Feed, Source
from ingest.frames import Parsed, attributes
from ingest.lines import read_table, sift
from ingest.two_sided import two_sided

COLUMNS = [
    "game_id", "season", "game_type", "week", "gameday", "away_team", "away_score", "home_team", "home_score",
    "location", "result", "away_qb_id", "home_qb_id", "away_qb_name", "home_qb_name",
]  # fmt: skip
MOVED = {"OAK": "LV", "SD": "LAC", "STL": "LA"}


class Row(dy.Schema):
    """A row we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    game_id = dy.String(nullable=False)
    season = dy.Int16(nullable=False, min=1920)
    game_type = dy.String(nullable=False)
    week = dy.String(nullable=True)
    gameday = dy.Date(nullable=False)
    away_team = dy.String(nullable=False)
    home_team = dy.String(nullable=False)
    away_score = dy.Int16(nullable=True, min=0)
    home_score = dy.Int16(nullable=True, min=0)
    location = dy.String(nullable=False)
    result = dy.Int16(nullable=True)
    away_qb_id = dy.String(nullable=True)
    home_qb_id = dy.String(nullable=True)
    away_qb_name = dy.String(nullable=True)
    home_qb_name = dy.String(nullable=True)
    attributes = dy.List(dy.Struct({"key": dy.String(), "value": dy.String()}), nullable=False)

    @dy.rule()
    def only_one_side_has_a_score(cls) -> pl.Expr:
        return pl.col("home_score").is_null() == pl.col("away_score").is_null()

    @dy.rule()
    def result_disagrees_with_scores(cls) -> pl.Expr:
        margin = pl.col("home_score") - pl.col("away_score")
        return (pl.col("result") == margin) | pl.col("result").is_null() | margin.is_null()

    @dy.rule()
    def team_plays_itself(cls) -> pl.Expr:
        return pl.col("home_team") != pl.col("away_team")

    @dy.rule()
    def quarterback_on_both_sides(cls) -> pl.Expr:
        return (pl.col("home_qb_id") != pl.col("away_qb_id")).fill_null(True)

    @dy.rule()
    def unknown_location(cls) -> pl.Expr:
        return pl.col("location").is_in(["Home", "Neutral"])


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of one games table."""
    table = read_table(raw, source, COLUMNS, missing="NA", others=True)
    kept = [name for name in table.rows.columns if name not in ("line", "raw", *COLUMNS)]
    typed = table.rows.with_columns(
        pl.col("gameday").str.to_date("%Y-%m-%d", strict=False),
        pl.col("away_team", "home_team").replace(MOVED),
        attributes(**{name: pl.col(name) for name in ("game_type", "week", *kept)}),
    )
    rows, rejected = sift(typed, Row, source.slice)
    games = rows.select(
        "line",
        "raw",
        pl.col("game_id").alias("game_key"),
        pl.col("season").cast(pl.String),
        pl.concat_str("game_type", "week", separator=" ", ignore_nulls=True).alias("round"),
        pl.col("gameday").alias("played_on"),
        pl.when(pl.col("home_score").is_null()).then(pl.lit("scheduled")).otherwise(pl.lit("played")).alias("status"),
        "attributes",
        pl.when(pl.col("location") == "Neutral").then(0).otherwise(2).alias("home"),
        *(
            column
            for own, side in (("first", "away"), ("second", "home"))
            for column in (
                ("nfl:" + pl.col(f"{side}_team")).alias(f"{own}_team"),
                pl.col(f"{side}_team").alias(f"{own}_name"),
                pl.col(f"{side}_score").alias(f"{own}_score"),
                _quarterback(side).alias(f"{own}_players"),
            )
        ),
    )
    return two_sided(games, pl.concat([table.rejected, rejected]), source.slice, table.rows_read)


def _quarterback(side: str) -> pl.Expr:
    """A list of the starting quarterback, or of nobody where he is not named yet."""
    who = pl.col(f"{side}_qb_id")
    player = pl.struct(
        ("gsis:" + who).alias("player"),
        pl.coalesce(f"{side}_qb_name", who).alias("name"),
        pl.lit(1.0).alias("share"),
        pl.lit("QB").alias("role"),
    )
    return pl.concat_list(player).list.filter(pl.element().struct.field("player").is_not_null())


FEED = Feed(
    name="nflverse_games",
    title="NFL games with closing lines and quarterbacks (nflverse)",
    licence="CC BY 4.0 (nflverse-data); none given beside the file itself",
    homepage="https://github.com/nflverse/nfldata",
    row="one NFL game",
    parse=parse,
    slices=("games*.csv",),
)
