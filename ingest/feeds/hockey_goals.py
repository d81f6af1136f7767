"""NHL goals with everyone on the ice (the hockey data of the R package gamlr, as two long tables).

Each goal is a game of its own: the side that scored won it by one to nothing, the match (`game_seq`) is its contest.
The source has no dates, so a goal's day is the last of its season with precision "season", and its number gives the
order. Who was on the ice is the companion file on_ice.csv: 8 to 12 players a goal, goalkeepers among them; players are
names, so two of one name are one here. A club that moved is one competitor under its last code. The situation
(`config`, "S5v4+" is a home power play) is kept as an attribute.
"""

import dataframely as dy
import polars as pl

from ingest.feed import Feed, Source
from ingest.frames import Parsed, attributes
from ingest.lines import read_table, rejections, sift
from ingest.two_sided import two_sided
from store.errors import FeedError

COLUMNS = [
    "goal_id", "game_seq", "season", "home_team", "away_team", "period", "home_lead_before", "playoffs", "config",
    "home_goal",
]  # fmt: skip
ON_ICE = "on_ice.csv"
MOVED = {"ATL": "WPG"}
SIDES = {"first": (1, "home"), "second": (-1, "away")}


class Goal(dy.Schema):
    """A goal we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    goal_id = dy.Int32(nullable=False, min=1)
    game_seq = dy.String(nullable=False)
    season = dy.String(nullable=False, regex=r"^\d{8}$")
    home_team = dy.String(nullable=False)
    away_team = dy.String(nullable=False)
    period = dy.Int8(nullable=False, min=1)
    home_lead_before = dy.Int16(nullable=False)
    playoffs = dy.Int8(nullable=False, min=0, max=1)
    config = dy.String(nullable=True)
    home_goal = dy.Int8(nullable=False, min=0, max=1)

    @dy.rule()
    def team_plays_itself(cls) -> pl.Expr:
        return pl.col("home_team") != pl.col("away_team")

    @dy.rule()
    def season_is_not_two_years(cls) -> pl.Expr:
        years = (pl.col("season").str.slice(start, 4).cast(pl.Int32, strict=False) for start in (0, 4))
        first, second = years
        return (second - first == 1).fill_null(False)


class OnIce(dy.Schema):
    """A player on the ice at a goal."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    goal_id = dy.Int32(nullable=False)
    player = dy.String(nullable=False)
    side = dy.Int8(nullable=False)
    is_known_goal = dy.Bool(nullable=False)
    is_first = dy.Bool(nullable=False)

    @dy.rule()
    def unknown_side(cls) -> pl.Expr:
        return pl.col("side").is_in([1, -1])

    @dy.rule()
    def no_such_goal(cls) -> pl.Expr:
        return pl.col("is_known_goal")

    @dy.rule()
    def player_is_on_the_ice_already(cls) -> pl.Expr:
        return pl.col("is_first")


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of goals.csv and on_ice.csv. Raises FeedError where on_ice.csv is not beside it."""
    table = read_table(raw, source, COLUMNS)
    moved = table.rows.with_columns(pl.col("home_team", "away_team").replace(MOVED))
    goals, rejected = sift(moved, Goal, source.slice)
    goals, repeated = _once(goals, source.slice)
    on_ice, off_ice = _on_ice(source, table.rows["goal_id"])
    for own, (sign, _) in SIDES.items():
        players = on_ice.filter(pl.col("side") == sign).group_by("goal_id").agg(_player().alias(f"{own}_players"))
        goals = goals.join(players, on="goal_id", how="left", maintain_order="left")
    broken = pl.concat([table.rejected, rejected, repeated, off_ice])
    return two_sided(_games(goals), broken, source.slice, table.rows_read)


def _once(goals: pl.DataFrame, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The goals, each number once: a second row of a number would take over the first one's players."""
    is_first = pl.col("goal_id").is_first_distinct()
    again = goals.filter(~is_first).with_columns(rule=pl.lit("goal is there already"))
    return goals.filter(is_first), rejections(again, file)


def _on_ice(source: Source, goal_ids: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who was on the ice, and the rejected rows of that file; rows of a goal that was rejected itself go with it.

    Raises FeedError where there is no such file.
    """
    if ON_ICE not in source.companions:
        raise FeedError(
            f"{source.slice} has no {ON_ICE} beside it: the goals are of no use without who was on the ice.",
            f"Give both files, or their folder, as the league's source ({ON_ICE} may be .gz).",
        )
    table = read_table(source.companions[ON_ICE], source, ["goal_id", "player", "side"], file=ON_ICE)
    known = table.rows.with_columns(
        is_known_goal=pl.col("goal_id").is_in(goal_ids.implode()),
        is_first=pl.struct("goal_id", "player").is_first_distinct(),
    )
    return sift(known, OnIce, ON_ICE)


def _player() -> pl.Expr:
    """A player of a side, at the goal from its start to its end."""
    return pl.struct(
        ("nhl:" + pl.col("player")).alias("player"),
        pl.col("player").str.replace_all("_", " ").str.to_titlecase().alias("name"),
        pl.lit(1.0).alias("share"),
        pl.lit(None, pl.String).alias("role"),
    )


def _games(goals: pl.DataFrame) -> pl.DataFrame:
    season = pl.format("{}/{}", pl.col("season").str.head(4), pl.col("season").str.tail(2))
    return goals.select(
        "line",
        "raw",
        pl.concat_str("season", "goal_id", separator="|").alias("game_key"),
        pl.concat_str("season", "game_seq", separator="|").alias("contest_id"),
        (pl.col("goal_id") - 1).alias("sequence"),
        season.alias("season"),
        pl.date(pl.col("season").str.tail(4).cast(pl.Int32), 6, 30).alias("played_on"),
        pl.lit("season").alias("played_on_precision"),
        pl.when(pl.col("playoffs") == 1).then(pl.lit("play-offs")).alias("round"),
        pl.lit("played").alias("status"),
        attributes(period=pl.col("period"), home_lead_before=pl.col("home_lead_before"), config=pl.col("config")),
        pl.lit(1).alias("home"),
        *(column for own, (_, side) in SIDES.items() for column in _side(own, side)),
    )


def _side(own: str, side: str) -> list[pl.Expr]:
    scored = pl.col("home_goal") if side == "home" else 1 - pl.col("home_goal")
    return [
        ("nhl:" + pl.col(f"{side}_team")).alias(f"{own}_team"),
        pl.col(f"{side}_team").alias(f"{own}_name"),
        scored.alias(f"{own}_score"),
        pl.col(f"{own}_players").fill_null([]),
    ]


FEED = Feed(
    name="hockey_goals",
    title="NHL goals with everyone on the ice, 2002-2014 (A. C. Thomas; R package gamlr)",
    licence="GPL-3",
    homepage="https://github.com/cran/gamlr",
    row="one goal; who was on the ice is a second file",
    parse=parse,
    slices=("goals.csv",),
    companions=(ON_ICE,),
)
