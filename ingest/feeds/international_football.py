"""Men's full internationals since 1872, from the public results file of martj42/international_results.

Its rows are one match each; "home" is only nominal on neutral ground. Teams carry today's name for all of history,
and have no ids, so the name is the id. Rows with NA scores are fixtures still to be played. Tahiti v New Caledonia on
1974-02-17 stands there twice with two scores: they are two matches (see `two_sided`), for the source has no way to
say which would be wrong. Who won a penalty shoot-out is kept as the attribute `shootout_winner` (shootouts.csv), and
former_names.csv gives a team's other names with their days.
"""

import dataframely as dy
import polars as pl

from ingest.feed import Feed, Source
from ingest.frames import Alias, Parsed, attributes
from ingest.lines import read_table, rejections, sift
from ingest.two_sided import two_sided

COLUMNS = ["date", "home_team", "away_team", "home_score", "away_score", "tournament", "city", "country", "neutral"]


SHOOTOUTS, FORMER_NAMES = "shootouts.csv", "former_names.csv"
MATCH = ["date", "home_team", "away_team"]


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


class Shootout(dy.Schema):
    """A penalty shoot-out we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    date = dy.Date(nullable=False)
    home_team = dy.String(nullable=False)
    away_team = dy.String(nullable=False)
    shootout_winner = dy.String(nullable=False)

    @dy.rule()
    def winner_is_neither_side(cls) -> pl.Expr:
        winner = pl.col("shootout_winner")
        return (winner == pl.col("home_team")) | (winner == pl.col("away_team"))


class FormerName(dy.Schema):
    """A former name we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    alias = dy.String(nullable=False)
    competitor_id = dy.String(nullable=False)
    valid_from = dy.Date(nullable=True)
    valid_to = dy.Date(nullable=True)


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of one results file, with the companions that are there."""
    table = read_table(raw, source, COLUMNS, missing="NA")
    typed = table.rows.with_columns(
        pl.col("date").str.to_date("%Y-%m-%d", strict=False),
        pl.col("neutral").replace_strict({"TRUE": True, "FALSE": False}, default=None, return_dtype=pl.Boolean),
    )
    rows, rejected = sift(typed, Row, source.slice)
    shootouts, lost = _shootouts(rows, source)
    aliases, broken = _former_names(source)
    rows = rows.join(shootouts, on=MATCH, how="left", maintain_order="left")
    games = rows.select(
        "line",
        "raw",
        pl.concat_str(pl.col("date").cast(pl.String), "home_team", "away_team", separator="|").alias("game_key"),
        pl.col("date").dt.year().cast(pl.String).alias("season"),
        pl.col("date").alias("played_on"),
        pl.when(pl.col("home_score").is_null()).then(pl.lit("scheduled")).otherwise(pl.lit("played")).alias("status"),
        attributes(**{key: pl.col(key) for key in ("tournament", "city", "country", "shootout_winner")}),
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
    rejected = pl.concat([table.rejected, rejected, lost, broken])
    return two_sided(games, rejected, source.slice, table.rows_read, aliases=aliases)


def _shootouts(rows: pl.DataFrame, source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who won each shoot-out (date, home_team, away_team, shootout_winner), and the rejected rows of the companion.

    Rows about no match are rejected where there is one file of results; with several they are another's.
    """
    empty = pl.DataFrame(schema={"date": pl.Date, **dict.fromkeys([*MATCH[1:], "shootout_winner"], pl.String)})
    if SHOOTOUTS not in source.companions:
        return empty, rejections(_no_rows(), SHOOTOUTS)
    table = read_table(source.companions[SHOOTOUTS], source, [*MATCH, "winner"], file=SHOOTOUTS)
    typed = table.rows.rename({"winner": "shootout_winner"}).with_columns(
        pl.col("date").str.to_date("%Y-%m-%d", strict=False)
    )
    sound, rejected = sift(typed, Shootout, SHOOTOUTS)
    once = sound.unique(MATCH, keep="first", maintain_order=True)
    lost = once.join(rows, on=MATCH, how="anti", maintain_order="left") if source.is_alone else once.clear()
    lost = rejections(lost.with_columns(rule=pl.lit("no such match")), SHOOTOUTS)
    return once.select(*MATCH, "shootout_winner"), pl.concat([table.rejected, rejected, lost])


def _former_names(source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The teams' former names as aliases, and the rejected rows of the companion."""
    if FORMER_NAMES not in source.companions:
        return pl.DataFrame(Alias.create_empty()), rejections(_no_rows(), FORMER_NAMES)
    columns = ["current", "former", "start_date", "end_date"]
    table = read_table(source.companions[FORMER_NAMES], source, columns, file=FORMER_NAMES)
    days = {"valid_from": "start_date", "valid_to": "end_date"}
    typed = table.rows.select(
        "line", "raw", alias="former", competitor_id="fifa:" + pl.col("current"),
        **{ours: pl.col(theirs).str.to_date("%Y-%m-%d", strict=False) for ours, theirs in days.items()},
    )  # fmt: skip
    sound, rejected = sift(typed, FormerName, FORMER_NAMES)
    aliases = sound.drop("line", "raw").unique(["alias", "competitor_id"], keep="first", maintain_order=True)
    return aliases, pl.concat([table.rejected, rejected])


def _no_rows() -> pl.DataFrame:
    return pl.DataFrame(schema={"line": pl.Int64, "raw": pl.String, "rule": pl.String})


FEED = Feed(
    name="international_football",
    title="Men's international football (martj42/international_results)",
    licence="CC0 1.0",
    homepage="https://github.com/martj42/international_results",
    row="one men's full international; the score is after extra time, without the penalty shoot-out",
    parse=parse,
    slices=("results*.csv",),
    companions=(SHOOTOUTS, FORMER_NAMES),
)
