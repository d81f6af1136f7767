"""The canonical frames: what every feed makes of a source file, whatever the sport.

Two sides or forty, one player a side or eleven, a stint or a whole contest, are the same few frames. They are the
columns of the warehouse's tables without the league and the slice, which `ingest.pull` adds.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import dataframely as dy
import polars as pl

ID = dy.String
ATTRIBUTE = pl.Struct({"key": pl.String, "value": pl.String})
STATUSES = ["scheduled", "played", "retired", "walkover", "abandoned", "awarded"]


class Game(dy.Schema):
    """One row a game."""

    game_id = ID(primary_key=True)
    contest_id = ID(nullable=False)
    sequence = dy.Int32(nullable=False, min=0)
    season = dy.String(nullable=False)
    played_on = dy.Date(nullable=False)
    played_on_precision = dy.String(nullable=False)
    status = dy.String(nullable=False)
    round = dy.String(nullable=True)
    neutral = dy.Bool(nullable=False)
    attributes = dy.List(
        dy.Struct({"key": dy.String(nullable=False), "value": dy.String(nullable=False)}), nullable=False
    )

    @dy.rule()
    def known_precision(cls) -> pl.Expr:
        return pl.col("played_on_precision").is_in(["day", "month", "season"])

    @dy.rule()
    def known_status(cls) -> pl.Expr:
        return pl.col("status").is_in(STATUSES)


class Side(dy.Schema):
    """One row a side of a game: home, away, or each entrant of a race."""

    game_id = ID(primary_key=True)
    side = dy.Int16(primary_key=True, min=1)
    team = ID(nullable=True)
    is_home = dy.Bool(nullable=False)
    score = dy.Float64(nullable=True)
    finish = dy.Int16(nullable=True, min=1)
    won = dy.Bool(nullable=True)
    exposure = dy.Float64(nullable=False, min_exclusive=0)


class Appearance(dy.Schema):
    """One row a player's appearance on a side; `share` is the fraction of the game or stint played, above 0 to 1."""

    game_id = ID(primary_key=True)
    side = dy.Int16(primary_key=True, min=1)
    player = ID(primary_key=True)
    share = dy.Float64(nullable=False, min_exclusive=0, max=1)
    role = dy.String(nullable=True)


class Competitor(dy.Schema):
    """One row a team or player, with the name to show."""

    competitor_id = ID(primary_key=True)
    kind = dy.String(nullable=False)
    name = dy.String(nullable=False)

    @dy.rule()
    def known_kind(cls) -> pl.Expr:
        return pl.col("kind").is_in(["team", "player"])


class Membership(dy.Schema):
    """One row a competitor's membership of a group in a season, for example of a division."""

    competitor_id = ID(primary_key=True)
    season = dy.String(primary_key=True)
    grouping = dy.String(primary_key=True)
    group = dy.String(nullable=False)


class Alias(dy.Schema):
    """One row another name of a competitor, with the days it was in use where they are known."""

    alias = dy.String(primary_key=True)
    competitor_id = ID(primary_key=True)
    valid_from = dy.Date(nullable=True)
    valid_to = dy.Date(nullable=True)


class Truth(dy.Schema):
    """One row a true strength, known in simulated leagues only."""

    competitor_id = ID(primary_key=True)
    component = dy.String(primary_key=True)
    value = dy.Float64(nullable=False)


class PeerForecast(dy.Schema):
    """One row a game that somebody else forecast, with the peer's own names: comparison data, no result."""

    forecast_id = ID(primary_key=True)
    peer = dy.String(nullable=False)
    competition = dy.String(nullable=False)
    season = dy.String(nullable=False)
    played_on = dy.Date(nullable=False)
    number = dy.Int16(nullable=False, min=0)
    first_name = dy.String(nullable=False)
    second_name = dy.String(nullable=False)
    first_probability = dy.Float64(nullable=False, min=0, max=1)
    draw_probability = dy.Float64(nullable=True, min=0, max=1)
    second_probability = dy.Float64(nullable=False, min=0, max=1)
    first_expected_score = dy.Float64(nullable=True)
    second_expected_score = dy.Float64(nullable=True)
    result = dy.String(nullable=True)

    @dy.rule()
    def known_result(cls) -> pl.Expr:
        return pl.col("result").is_in(["first", "draw", "second"])


class PeerOutlook(dy.Schema):
    """One row a stage that a competitor may reach, with the chance a peer gave him on one day."""

    forecast_id = ID(primary_key=True)
    stage = dy.String(primary_key=True)
    peer = dy.String(nullable=False)
    competition = dy.String(nullable=False)
    season = dy.String(nullable=False)
    forecast_on = dy.Date(nullable=False)
    name = dy.String(nullable=False)
    probability = dy.Float64(nullable=False, min=0, max=1)
    is_reached = dy.Bool(nullable=True)


class SourceRow(dy.Schema):
    """One row a line of the file that went into a game (or a race's many lines, each with the race's game_id).

    Of a line that is a peer's forecast, game_id is its forecast_id.
    """

    game_id = ID(nullable=False)
    line = dy.Int64(nullable=False, min=1)
    raw = dy.String(nullable=False)


class Rejected(dy.Schema):
    """One row a line of a file that broke a rule and was kept out."""

    file = dy.String(nullable=False)
    line = dy.Int64(nullable=False, min=1)
    rule = dy.String(nullable=False)
    raw = dy.String(nullable=False)


SCHEMAS: dict[str, type[dy.Schema]] = {
    "games": Game,
    "sides": Side,
    "appearances": Appearance,
    "competitors": Competitor,
    "memberships": Membership,
    "aliases": Alias,
    "truth": Truth,
    "forecasts": PeerForecast,
    "outlooks": PeerOutlook,
    "source_rows": SourceRow,
    "rejected": Rejected,
}


@dataclass(frozen=True)
class Parsed:
    """What a feed read from one file: the canonical frames, the rows it rejected and how many data rows there were.

    rows_read counts the data rows of the main file: each is in `source_rows` or in `rejected` (rejected rows of a
    companion file come on top and are told by their `file`).
    """

    rows_read: int
    games: pl.DataFrame
    sides: pl.DataFrame
    appearances: pl.DataFrame
    competitors: pl.DataFrame
    memberships: pl.DataFrame
    aliases: pl.DataFrame
    truth: pl.DataFrame
    forecasts: pl.DataFrame
    outlooks: pl.DataFrame
    source_rows: pl.DataFrame
    rejected: pl.DataFrame


def parsed(rows_read: int, **frames: pl.DataFrame) -> Parsed:
    """A Parsed of the given frames, each cast to its schema's types; those not given are empty.

    The schemas' rules are held against all files of a load together (`ingest.slices.staged`), for a tenth of the time.
    """
    typed: dict[str, Any] = {
        name: schema.cast(frames[name]) if name in frames else _empty(name) for name, schema in SCHEMAS.items()
    }
    return Parsed(rows_read=rows_read, **typed)


@cache
def _empty(name: str) -> pl.DataFrame:
    """The empty frame of a schema, made once: most files have six of them."""
    return SCHEMAS[name].create_empty()


def attributes(**columns: pl.Expr) -> pl.Expr:
    """An `attributes` column of the given text expressions; keys whose value is null are left out."""
    values = pl.struct(value.cast(pl.String).alias(key) for key, value in columns.items())
    return values.map_batches(_pairs, return_dtype=pl.List(ATTRIBUTE), is_elementwise=True).alias("attributes")


def _pairs(values: pl.Series) -> pl.Series:
    """Lists of key and value, in the keys' order. Gathered in one go: lists built row by row take ten times as long."""
    wide = values.struct.unnest().with_row_index("row")
    long = wide.unpivot(index="row", variable_name="key").drop_nulls("value").sort("row", maintain_order=True)
    listed = long.group_by("row", maintain_order=True).agg(pl.struct("key", "value").alias("pairs"))
    return wide.select("row").join(listed, on="row", how="left", maintain_order="left")["pairs"].fill_null([])
