"""The bundled two-division football league, written by `ingest.simulator`, with its true strengths."""

import dataframely as dy
import polars as pl

from ingest import simulated
from ingest.feed import Feed, Source
from ingest.frames import Parsed, attributes
from ingest.lines import read_table, sift
from ingest.two_sided import two_sided

COLUMNS = ["season", "division", "round", "date", "home", "away", "home_goals", "away_goals"]


class Row(dy.Schema):
    """A row we can use; one without goals is a fixture still to be played."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    season = dy.String(nullable=False)
    division = dy.String(nullable=False)
    round = dy.String(nullable=False)
    date = dy.Date(nullable=False)
    home = dy.String(nullable=False)
    away = dy.String(nullable=False)
    home_goals = dy.Int16(nullable=True, min=0)
    away_goals = dy.Int16(nullable=True, min=0)

    @dy.rule()
    def only_one_side_has_goals(cls) -> pl.Expr:
        return pl.col("home_goals").is_null() == pl.col("away_goals").is_null()

    @dy.rule()
    def club_plays_itself(cls) -> pl.Expr:
        return pl.col("home") != pl.col("away")


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of the results file, and the truths of truth.csv where it is there."""
    table = read_table(raw, source, COLUMNS)
    typed = table.rows.with_columns(pl.col("date").str.to_date("%Y-%m-%d", strict=False))
    rows, rejected = sift(typed, Row, source.slice)
    truth, rejected_truth = simulated.read_truth(source)
    games = rows.select(
        "line",
        "raw",
        pl.concat_str("season", "home", "away", separator="|").alias("game_key"),
        "season",
        "round",
        pl.col("date").alias("played_on"),
        pl.when(pl.col("home_goals").is_null()).then(pl.lit("scheduled")).otherwise(pl.lit("played")).alias("status"),
        attributes(division=pl.col("division")),
        pl.lit(1).alias("home"),
        *simulated.sides("home", "away", "home_goals", "away_goals"),
    )
    broken = pl.concat([table.rejected, rejected, rejected_truth])
    return two_sided(games, broken, source.slice, table.rows_read, memberships=_divisions(rows), truth=truth)


def _divisions(rows: pl.DataFrame) -> pl.DataFrame:
    """Which division each club plays in, season by season: the one of its last row."""
    clubs = [rows.select(pl.col(side).alias("club"), "season", "division") for side in ("home", "away")]
    last = pl.concat(clubs).unique(["club", "season"], keep="last", maintain_order=True)
    return last.select(
        ("sim:" + pl.col("club")).alias("competitor_id"),
        "season",
        pl.lit("division").alias("grouping"),
        pl.col("division").alias("group"),
    )


FEED = Feed(
    name="simulated_football",
    title="Simulated football league (bundled)",
    licence=simulated.LICENCE,
    homepage="demo/README.md",
    row="one simulated match; a fixture still to be played has no goals",
    parse=parse,
    slices=("results*.csv",),
    companions=(simulated.TRUTH,),
    is_simulated=True,
)
