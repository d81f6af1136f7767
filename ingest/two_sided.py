"""From "one row a game of two sides" to the canonical frames: the step most feeds share.

A feed renames and types its columns into `TwoSided`; here they become games, sides, appearances and competitors.
"""

import hashlib

import dataframely as dy
import polars as pl

from ingest.frames import Parsed, parsed
from ingest.lines import rejections

SIDES = ("first", "second")
_SEEDED = hashlib.blake2b(digest_size=1, key=b"pooltable side order")
_PLAYER = pl.Struct({"player": pl.String, "name": pl.String, "share": pl.Float64, "role": pl.String})


class TwoSided(dy.Schema):
    """One row a game of two sides, "first" and "second" as the source writes them.

    `game_key` is what identifies the game at the source: never its result, nor an order of sides that tells the
    result. `home` is the side with home advantage, 1 or 2, and 0 on neutral ground. A side has a team, players, or
    both. `won` is null for a draw, or where it is not known yet. `exposure` is of both sides, where a side has none of
    its own.
    """

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    game_key = dy.String(nullable=False)
    contest_id = dy.String(nullable=True)
    sequence = dy.Int32(nullable=False, min=0)
    season = dy.String(nullable=False)
    played_on = dy.Date(nullable=False)
    played_on_precision = dy.String(nullable=False)
    status = dy.String(nullable=False)
    round = dy.String(nullable=True)
    attributes = dy.List(dy.Struct({"key": dy.String(), "value": dy.String()}), nullable=False)
    home = dy.Int8(nullable=False, min=0, max=2)
    exposure = dy.Float64(nullable=False, min_exclusive=0)
    first_exposure = dy.Float64(nullable=True, min_exclusive=0)
    second_exposure = dy.Float64(nullable=True, min_exclusive=0)
    first_team = dy.String(nullable=True)
    first_name = dy.String(nullable=True)
    first_score = dy.Float64(nullable=True)
    first_won = dy.Bool(nullable=True)
    second_team = dy.String(nullable=True)
    second_name = dy.String(nullable=True)
    second_score = dy.Float64(nullable=True)
    second_won = dy.Bool(nullable=True)
    first_players = dy.Any()
    second_players = dy.Any()


DEFAULTS = {
    "contest_id": pl.lit(None, pl.String),
    "sequence": pl.lit(0),
    "played_on_precision": pl.lit("day"),
    "round": pl.lit(None, pl.String),
    "exposure": pl.lit(1.0),
    "first_exposure": pl.lit(None, pl.Float64),
    "second_exposure": pl.lit(None, pl.Float64),
    "first_won": pl.col("first_score") > pl.col("second_score"),
    "second_won": pl.col("second_score") > pl.col("first_score"),
    "first_players": pl.lit([], pl.List(_PLAYER)),
    "second_players": pl.lit([], pl.List(_PLAYER)),
}


def two_sided(
    rows: pl.DataFrame,
    rejected: pl.DataFrame,
    file: str,
    rows_read: int,
    *,
    memberships: pl.DataFrame | None = None,
    aliases: pl.DataFrame | None = None,
    truth: pl.DataFrame | None = None,
) -> Parsed:
    """The canonical frames of rows shaped as TwoSided; columns that have a default may be left out.

    Repeated keys: a line that is the same, letter for letter, as an earlier one with its key is a copy and rejected;
    otherwise both are games (a pair can meet twice in a day): in the file's order the first keeps the key, the others
    get "#2", "#3" ... behind it, and `sequence` counts on.
    """
    full = rows.with_columns(**{name: value for name, value in DEFAULTS.items() if name not in rows.columns})
    full = full.with_columns(*_no_winner_in_a_draw(rows.columns))
    full = pl.DataFrame(TwoSided.cast(full))
    once, copies = without_copies(full)
    keyed = _side_order(numbered(once))
    sides = pl.concat([_sides(keyed, 1), _sides(keyed, 2)])
    players = pl.concat([_players(keyed, 1), _players(keyed, 2)])
    frames = {"memberships": memberships, "aliases": aliases, "truth": truth}
    return parsed(
        rows_read,
        games=_games(keyed),
        sides=sides.drop("name", "line"),
        appearances=players.drop("name", "line"),
        competitors=_competitors(sides, players),
        source_rows=keyed.select("game_id", "line", "raw"),
        rejected=pl.concat([rejected, rejections(copies.with_columns(rule=pl.lit("copy of an earlier row")), file)]),
        **{name: frame for name, frame in frames.items() if frame is not None},
    )


def without_copies(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without those that repeat an earlier row's key and raw text, and those copies."""
    again = rows.with_row_index("place").filter(pl.col("game_key").is_duplicated())
    copies = again.filter(~pl.struct("game_key", "raw").is_first_distinct())
    is_copy = pl.int_range(pl.len(), dtype=pl.UInt32).is_in(copies["place"].implode())
    return rows.filter(~is_copy) if copies.height else rows, copies.drop("place")


def numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with their game_id: the key, and "#2", "#3" ... for later rows of the same key, in the file's order."""
    if not rows["game_key"].is_duplicated().any():
        return rows.with_columns(game_id="game_key")
    earlier = pl.int_range(pl.len(), dtype=pl.Int32).over("game_key")
    return rows.with_columns(
        game_id=pl.when(earlier == 0)
        .then("game_key")
        .otherwise(pl.concat_str("game_key", pl.lit("#"), (earlier + 1).cast(pl.String))),
        sequence=pl.col("sequence") + earlier,
    )


def coin(game_id: str) -> bool:
    """A fair coin tossed by a seeded hash of the game's id: the same on every machine and in every version."""
    toss = _SEEDED.copy()  # half the time of seeding a hash for each of a million games
    toss.update(game_id.encode())
    return bool(toss.digest()[0] & 1)


def _no_winner_in_a_draw(given: list[str]) -> list[pl.Expr]:
    drawn = pl.col("first_score") == pl.col("second_score")
    return [pl.when(~drawn).then(pl.col(name)).alias(name) for name in ("first_won", "second_won") if name not in given]


def _side_order(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(first_side=pl.Series([1 if coin(key) else 2 for key in rows["game_id"]], dtype=pl.Int16))


def _number(which: int) -> pl.Expr:
    return pl.col("first_side") if which == 1 else 3 - pl.col("first_side")


def _games(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "game_id", pl.coalesce("contest_id", "game_id").alias("contest_id"), "sequence", "season", "played_on",
        "played_on_precision", "status", "round", (pl.col("home") == 0).alias("neutral"), "attributes",
    )  # fmt: skip


def _sides(rows: pl.DataFrame, which: int) -> pl.DataFrame:
    own = SIDES[which - 1]
    return rows.select(
        "game_id",
        _number(which).cast(pl.Int16).alias("side"),
        pl.col(f"{own}_team").alias("team"),
        (pl.col("home") == which).alias("is_home"),
        pl.col(f"{own}_score").alias("score"),
        pl.lit(None, pl.Int16).alias("finish"),
        pl.col(f"{own}_won").alias("won"),
        pl.coalesce(f"{own}_exposure", "exposure").alias("exposure"),
        pl.col(f"{own}_name").alias("name"),
        "line",
    )


def _players(rows: pl.DataFrame, which: int) -> pl.DataFrame:
    players = f"{SIDES[which - 1]}_players"
    listed = rows.filter(pl.col(players).list.len() > 0)
    return (
        listed.select("game_id", _number(which).cast(pl.Int16).alias("side"), pl.col(players).alias("of"), "line")
        .explode("of")
        .unnest("of")
    )


def _competitors(sides: pl.DataFrame, players: pl.DataFrame) -> pl.DataFrame:
    """Teams and players, each with the name it has last in the file."""
    named = [
        sides.select(pl.col("team").alias("competitor_id"), pl.lit("team").alias("kind"), "name", "line"),
        players.select(pl.col("player").alias("competitor_id"), pl.lit("player").alias("kind"), "name", "line"),
    ]
    in_order = pl.concat(named).drop_nulls("competitor_id").sort("line", maintain_order=True)
    return in_order.unique("competitor_id", keep="last", maintain_order=True).drop("line")
