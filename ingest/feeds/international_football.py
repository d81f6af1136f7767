"""Men's full internationals since 1872, from the public results file of martj42/international_results.

Its rows are one match each; "home" is only nominal on neutral ground. Teams carry today's name for all of history,
and have no ids, so the name is the id. Rows with NA scores are fixtures still to be played. Tahiti v New Caledonia on
1974-02-17 stands there twice with two scores: they are two matches (see `two_sided`), for the source has no way to
say which would be wrong.
"""

import dataframely as dy
import polars as pl

from ingest.feed import Feed, Source
from ingest.frames import Parsed, attributes
from ingest.lines import read_table, sift
from ingest.two_sided import two_sided

COLUMNS = ["date", "home_team", "away_team", "home_score", "away_score", "tournament", "city", "country", "neutral"]


class Row(dy.Schema):
    """A row we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    date = dy.Date(nullable=False)
    home_team = dy.String(nullable=False)
    away_team = dy.String(nullable=False)
    home_score = dy.Int16(nullable=True, min=0)
    away_score = dy.Int16(nullable=True, min=0)
    tournament = dy.String(nullable=True)
    city = dy.String(nullable=True)
    country = dy.String(nullable=True)
    neutral = dy.Bool(nullable=False)

    @dy.rule()
    def only_one_side_has_a_score(cls) -> pl.Expr:
        return pl.col("home_score").is_null() == pl.col("away_score").is_null()

    @dy.rule()
    def team_plays_itself(cls) -> pl.Expr:
        return pl.col("home_team") != pl.col("away_team")


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of one results file."""
    table = read_table(raw, source, COLUMNS, missing="NA")
    typed = table.rows.with_columns(
        pl.col("date").str.to_date("%Y-%m-%d", strict=False),
        pl.col("neutral").replace_strict({"TRUE": True, "FALSE": False}, default=None, return_dtype=pl.Boolean),
    )
    rows, rejected = sift(typed, Row, source.slice)
    games = rows.select(
        "line",
        "raw",
        pl.concat_str(pl.col("date").cast(pl.String), "home_team", "away_team", separator="|").alias("game_key"),
        pl.col("date").dt.year().cast(pl.String).alias("season"),
        pl.col("date").alias("played_on"),
        pl.when(pl.col("home_score").is_null()).then(pl.lit("scheduled")).otherwise(pl.lit("played")).alias("status"),
        attributes(tournament=pl.col("tournament"), city=pl.col("city"), country=pl.col("country")),
        pl.when("neutral").then(0).otherwise(1).alias("home"),
        *(
            column
            for own, side in (("first", "home"), ("second", "away"))
            for column in (
                ("fifa:" + pl.col(f"{side}_team")).alias(f"{own}_team"),
                pl.col(f"{side}_team").alias(f"{own}_name"),
                pl.col(f"{side}_score").alias(f"{own}_score"),
            )
        ),
    )
    return two_sided(games, pl.concat([table.rejected, rejected]), source.slice, table.rows_read)


FEED = Feed(
    name="international_football",
    title="Men's international football (martj42/international_results)",
    licence="CC0 1.0",
    homepage="https://github.com/martj42/international_results",
    row="one men's full international; the score is after extra time, without the penalty shoot-out",
    parse=parse,
    slices=("results*.csv",),
)
