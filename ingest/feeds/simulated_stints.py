"""The bundled five-a-side league of stints, written by `ingest.simulator`, with its players' true strengths.

A stint is a stretch of a match between substitutions: a game of its own here, with the match as its contest and the
five players of each side as appearances.
"""

import dataframely as dy
import polars as pl

from ingest import simulated
from ingest.feed import Feed, Source
from ingest.frames import Parsed, attributes
from ingest.lines import read_table, sift
from ingest.two_sided import two_sided

COLUMNS = [
    "match", "season", "round", "date", "stint", "home", "away", "minutes", "home_goals", "away_goals",
    "home_players", "away_players",
]  # fmt: skip
MATCH_MINUTES = 40


class Row(dy.Schema):
    """A row we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    match = dy.String(nullable=False)
    season = dy.String(nullable=False)
    round = dy.String(nullable=False)
    date = dy.Date(nullable=False)
    stint = dy.Int32(nullable=False, min=1)
    home = dy.String(nullable=False)
    away = dy.String(nullable=False)
    minutes = dy.Int16(nullable=False, min=1)
    home_goals = dy.Int16(nullable=False, min=0)
    away_goals = dy.Int16(nullable=False, min=0)
    home_players = dy.List(dy.String(), nullable=False, min_length=1)
    away_players = dy.List(dy.String(), nullable=False, min_length=1)

    @dy.rule()
    def team_plays_itself(cls) -> pl.Expr:
        return pl.col("home") != pl.col("away")

    @dy.rule()
    def player_named_twice(cls) -> pl.Expr:
        everyone = pl.concat_list("home_players", "away_players")
        return everyone.list.n_unique() == everyone.list.len()


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of the stints file, and the truths of truth.csv where it is there."""
    table = read_table(raw, source, COLUMNS)
    typed = table.rows.with_columns(
        pl.col("date").str.to_date("%Y-%m-%d", strict=False),
        pl.col("home_players", "away_players").str.split(";"),
    )
    rows, rejected = sift(typed, Row, source.slice)
    truth, rejected_truth = simulated.read_truth(source)
    games = rows.select(
        "line",
        "raw",
        pl.concat_str("match", pl.col("stint").cast(pl.String), separator="|").alias("game_key"),
        pl.col("match").alias("contest_id"),
        (pl.col("stint") - 1).alias("sequence"),
        "season",
        "round",
        pl.col("date").alias("played_on"),
        pl.lit("played").alias("status"),
        attributes(minutes=pl.col("minutes")),
        pl.lit(1).alias("home"),
        (pl.col("minutes") / MATCH_MINUTES).alias("exposure"),
        *simulated.sides("home", "away", "home_goals", "away_goals"),
        _players("home_players").alias("first_players"),
        _players("away_players").alias("second_players"),
    )
    broken = pl.concat([table.rejected, rejected, rejected_truth])
    return two_sided(games, broken, source.slice, table.rows_read, truth=truth)


def _players(column: str) -> pl.Expr:
    name = pl.element()
    whole_stint = pl.struct(
        ("sim:" + name).alias("player"),
        name.alias("name"),
        pl.lit(1.0).alias("share"),
        pl.lit(None, pl.String).alias("role"),
    )
    return pl.col(column).list.eval(whole_stint)


FEED = Feed(
    name="simulated_stints",
    title="Simulated five-a-side league of stints (bundled)",
    licence=simulated.LICENCE,
    homepage="demo/README.md",
    row="one simulated stint: a stretch of a match without substitutions, with the minutes played and ten players",
    parse=parse,
    slices=("stints*.csv",),
    companions=(simulated.TRUTH,),
    is_simulated=True,
)
