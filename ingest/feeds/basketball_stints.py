"""NBA stints: stretches of play without a substitution, with the ten players, the points and the possessions.

A stint is a game of its own with its match as contest, ordered by the seconds played before it. A side's exposure is
its possessions in fractions of a full game's; a stint without any, seconds long, counts as half a possession, for
points from free throws happen there too. Players are told by id: short names are not unique.
"""

import dataframely as dy
import polars as pl

from ingest.feed import Feed, Source
from ingest.frames import Parsed, attributes
from ingest.lines import read_table, sift
from ingest.two_sided import two_sided

SIDES = {"first": "Home", "second": "Away"}
FIVE = range(1, 6)
COLUMNS = [
    "GameID", "Date", "AwayT", "HomeT", "StartTime", "EndTime", "ElapsedSecs",
    "StartScoreHome", "StartScoreAway", "EndScoreHome", "EndScoreAway", "PointsScoredHome", "PointsScoredAway",
    "PossessionsHome", "PossessionsAway",
]  # fmt: skip
IDS = {side: [f"{side}Player{place}ID" for place in FIVE] for side in SIDES.values()}
NAMES = {side: [f"{side}Player{place}Name" for place in FIVE] for side in SIDES.values()}
PLAYER_COLUMNS = [column for columns in (*IDS.values(), *NAMES.values()) for column in columns]
GAME_SECONDS = 48 * 60
GAME_POSSESSIONS = 92
LEAST_POSSESSIONS = 0.5


class Row(dy.Schema):
    """A stint we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    GameID = dy.String(nullable=False)
    Date = dy.Date(nullable=False)
    HomeT = dy.String(nullable=False)
    AwayT = dy.String(nullable=False)
    StartTime = dy.Int32(nullable=False, max=GAME_SECONDS)
    EndTime = dy.Int32(nullable=False, max=GAME_SECONDS)
    ElapsedSecs = dy.Int32(nullable=False, min=0)
    StartScoreHome = dy.Int16(nullable=False, min=0)
    StartScoreAway = dy.Int16(nullable=False, min=0)
    EndScoreHome = dy.Int16(nullable=False, min=0)
    EndScoreAway = dy.Int16(nullable=False, min=0)
    PointsScoredHome = dy.Int16(nullable=False, min=0)
    PointsScoredAway = dy.Int16(nullable=False, min=0)
    PossessionsHome = dy.Int16(nullable=False, min=0)
    PossessionsAway = dy.Int16(nullable=False, min=0)
    HomePlayers = dy.List(dy.Struct({"id": dy.String(), "name": dy.String()}), nullable=False)
    AwayPlayers = dy.List(dy.Struct({"id": dy.String(), "name": dy.String()}), nullable=False)

    @dy.rule()
    def team_plays_itself(cls) -> pl.Expr:
        return pl.col("HomeT") != pl.col("AwayT")

    @dy.rule()
    def points_disagree_with_scores(cls) -> pl.Expr:
        return pl.all_horizontal(
            pl.col(f"EndScore{side}") - pl.col(f"StartScore{side}") == pl.col(f"PointsScored{side}")
            for side in SIDES.values()
        )

    @dy.rule()
    def not_ten_different_players(cls) -> pl.Expr:
        ids = pl.concat_list("HomePlayers", "AwayPlayers").list.eval(pl.element().struct.field("id"))
        return ids.list.drop_nulls().list.n_unique() == 2 * len(FIVE)


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of one file of stints."""
    table = read_table(raw, source, [*COLUMNS, *PLAYER_COLUMNS])
    typed = table.rows.with_columns(
        pl.col("Date").str.to_date("%Y%m%d", strict=False),
        _seconds("StartTime"),
        _seconds("EndTime"),
        *(_five(side).alias(f"{side}Players") for side in SIDES.values()),
    )
    rows, rejected = sift(typed, Row, source.slice)
    played_before = GAME_SECONDS - pl.col("StartTime")
    games = rows.select(
        "line",
        "raw",
        pl.concat_str("GameID", played_before.cast(pl.String), separator="|").alias("game_key"),
        pl.col("GameID").alias("contest_id"),
        played_before.alias("sequence"),
        _season().alias("season"),
        pl.col("Date").alias("played_on"),
        pl.lit("played").alias("status"),
        attributes(
            seconds=pl.col("ElapsedSecs"),
            home_lead_before=pl.col("StartScoreHome") - pl.col("StartScoreAway"),
            home_possessions=pl.col("PossessionsHome"),
            away_possessions=pl.col("PossessionsAway"),
        ),
        pl.lit(1).alias("home"),
        *(column for own, side in SIDES.items() for column in _side(own, side)),
    )
    return two_sided(games, pl.concat([table.rejected, rejected]), source.slice, table.rows_read)


def _seconds(column: str) -> pl.Expr:
    """Seconds left of the 48 minutes, below zero in overtime, of "0:47:10" or "-00:02:34"; null where unreadable."""
    part = pl.col(column).str.extract_groups(r"^(-?)(\d{1,2}):(\d\d):(\d\d)$").struct
    hours, minutes, seconds = (part.field(str(place)).cast(pl.Int32) for place in (2, 3, 4))
    left = 3600 * hours + 60 * minutes + seconds
    return pl.when(part.field("1") == "-").then(-left).otherwise(left).alias(column)


def _five(side: str) -> pl.Expr:
    players = zip(IDS[side], NAMES[side], strict=True)
    return pl.concat_list(
        pl.struct(pl.col(who).alias("id"), pl.coalesce(name, who).alias("name")) for who, name in players
    )


def _season() -> pl.Expr:
    start = pl.col("Date").dt.offset_by("-6mo").dt.year()
    return pl.format("{}/{}", start, ((start + 1) % 100).cast(pl.String).str.zfill(2))


def _side(own: str, side: str) -> list[pl.Expr]:
    who = pl.element().struct
    whole_stint = pl.struct(
        ("basketballvalue:" + who.field("id")).alias("player"),
        who.field("name"),
        pl.lit(1.0).alias("share"),
        pl.lit(None, pl.String).alias("role"),
    )
    possessions = pl.max_horizontal(pl.col(f"Possessions{side}"), pl.lit(LEAST_POSSESSIONS))
    return [
        ("nba:" + pl.col(f"{side}T")).alias(f"{own}_team"),
        pl.col(f"{side}T").alias(f"{own}_name"),
        pl.col(f"PointsScored{side}").alias(f"{own}_score"),
        (possessions / GAME_POSSESSIONS).alias(f"{own}_exposure"),
        pl.col(f"{side}Players").list.eval(whole_stint).alias(f"{own}_players"),
    ]


FEED = Feed(
    name="basketball_stints",
    title="NBA stints of 2011-12 with the ten players (BasketballValue, by way of Habet/CSE270)",
    licence="none given",
    homepage="https://github.com/Habet/CSE270",
    row="one stretch of a match without substitution, with points and possessions of both sides and the ten players",
    parse=parse,
    slices=("*stints*.csv",),
)
