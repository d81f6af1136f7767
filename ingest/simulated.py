"""What the feeds of the bundled simulated leagues share: the file of true strengths beside the results."""

import dataframely as dy
import polars as pl

from ingest.feed import Source
from ingest.lines import read_table, sift

LICENCE = "MIT (simulated by Pooltable)"
TRUTH = "truth.csv"


class Strength(dy.Schema):
    """A competitor's true strengths, log goals."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    name = dy.String(primary_key=True)
    attack = dy.Float64(nullable=False, allow_inf=False, allow_nan=False)
    defence = dy.Float64(nullable=False, allow_inf=False, allow_nan=False)


def read_truth(source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The canonical truth frame (attack, defence and their total) and the rejected rows of truth.csv.

    Both are empty where the league has no such file.
    """
    table = read_table(
        source.companions.get(TRUTH, b"name,attack,defence"), source, ["name", "attack", "defence"], file=TRUTH
    )
    rows, rejected = sift(table.rows, Strength, TRUTH)
    totals = rows.with_columns(total=pl.col("attack") + pl.col("defence"))
    truth = totals.select(("sim:" + pl.col("name")).alias("competitor_id"), "attack", "defence", "total").unpivot(
        index="competitor_id", variable_name="component", value_name="value"
    )
    return truth, pl.concat([table.rejected, rejected])


def sides(home: str, away: str, home_goals: str, away_goals: str) -> list[pl.Expr]:
    """The TwoSided columns of teams and scores, the home team first; a club's name is its id."""
    named = (("first", home, home_goals), ("second", away, away_goals))
    return [
        column
        for own, team, goals in named
        for column in (
            ("sim:" + pl.col(team)).alias(f"{own}_team"),
            pl.col(team).alias(f"{own}_name"),
            pl.col(goals).alias(f"{own}_score"),
        )
    ]
