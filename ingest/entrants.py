"""From "one row an entrant" to the canonical frames: races, and whatever else has more than two sides.

A feed renames and types its columns into `Entrant`; rows of one game are its entrants, and rows of one entry (a car
that two drivers shared) are one side with several players.
"""

import hashlib

import dataframely as dy
import polars as pl

from ingest.frames import Parsed, parsed
from ingest.lines import rejections
from ingest.two_sided import without_copies

GAME = ["season", "played_on", "round", "status", "sequence", "attributes"]


class Entrant(dy.Schema):
    """One row a player's entry in a game, or a team's where no player is named.

    `game_key` and `entry_key` identify the game and, within it, the entry; what is said of the game and of the entry
    stands in each of their rows. Nobody has home advantage.
    """

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    game_key = dy.String(nullable=False)
    entry_key = dy.String(nullable=False)
    sequence = dy.Int32(nullable=False, min=0)
    season = dy.String(nullable=False)
    played_on = dy.Date(nullable=False)
    status = dy.String(nullable=False)
    round = dy.String(nullable=True)
    attributes = dy.List(dy.Struct({"key": dy.String(), "value": dy.String()}), nullable=False)
    team = dy.String(nullable=True)
    team_name = dy.String(nullable=True)
    finish = dy.Int16(nullable=True, min=1)
    player = dy.String(nullable=True)
    player_name = dy.String(nullable=True)
    role = dy.String(nullable=True)


def entrants(rows: pl.DataFrame, rejected: pl.DataFrame, file: str, rows_read: int) -> Parsed:
    """The canonical frames of rows shaped as Entrant.

    A line that is the same, letter for letter, as an earlier one of its game is a copy and rejected. The first at the
    finish has won. The players of one entry have equal shares of it.
    """
    typed = pl.DataFrame(Entrant.cast(rows))
    once, copies = without_copies(typed)
    placed = _with_sides(once.rename({"game_key": "game_id"}))
    return parsed(
        rows_read,
        games=_games(placed),
        sides=_sides(placed),
        appearances=_appearances(placed),
        competitors=_competitors(placed),
        source_rows=placed.select("game_id", "line", "raw"),
        rejected=pl.concat([rejected, rejections(copies.with_columns(rule=pl.lit("copy of an earlier row")), file)]),
    )


def place(game_id: str, who: str) -> str:
    """Where an entry stands in the order of its game's sides: a seeded hash of who enters, never of the result."""
    text = f"{game_id}\n{who}".encode()
    return hashlib.blake2b(text, digest_size=8, key=b"pooltable side order").hexdigest()


def _with_sides(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the number of their side: the same whatever the order of lines.

    Only where the same players enter twice does the entry's key decide between the two.
    """
    who = pl.concat_str(pl.col("team").fill_null(""), pl.col("player").fill_null("")).unique().sort().str.join("\n")
    entries = rows.group_by("game_id", "entry_key", maintain_order=True).agg(who.alias("who"))
    places = [place(*entry) for entry in entries.select("game_id", "who").iter_rows()]
    numbered = entries.with_columns(place=pl.Series(places, dtype=pl.String)).with_columns(
        side=pl.struct("place", "entry_key").rank("ordinal").over("game_id").cast(pl.Int16)
    )
    sides = numbered.select("game_id", "entry_key", "side")
    return rows.join(sides, on=["game_id", "entry_key"], how="left", maintain_order="left")


def _games(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unique("game_id", keep="first", maintain_order=True).select(
        "game_id",
        pl.col("game_id").alias("contest_id"),
        *GAME,
        pl.lit("day").alias("played_on_precision"),
        pl.lit(True).alias("neutral"),
    )


def _sides(rows: pl.DataFrame) -> pl.DataFrame:
    is_run = pl.col("status") != "scheduled"
    return rows.unique(["game_id", "side"], keep="first", maintain_order=True).select(
        "game_id",
        "side",
        "team",
        pl.lit(False).alias("is_home"),
        pl.lit(None, pl.Float64).alias("score"),
        "finish",
        pl.when(is_run).then(pl.col("finish").eq_missing(1)).alias("won"),
        pl.lit(1.0).alias("exposure"),
    )


def _appearances(rows: pl.DataFrame) -> pl.DataFrame:
    named = rows.drop_nulls("player").unique(["game_id", "side", "player"], keep="first", maintain_order=True)
    return named.select("game_id", "side", "player", (1 / pl.len()).over("game_id", "side").alias("share"), "role")


def _competitors(rows: pl.DataFrame) -> pl.DataFrame:
    """Teams and players, each with the name it has last in the file."""
    named = [
        rows.select(
            pl.col(kind).alias("competitor_id"), pl.lit(kind).alias("kind"), pl.col(f"{kind}_name").alias("name")
        )
        for kind in ("team", "player")
    ]
    found = pl.concat(named).drop_nulls("competitor_id")
    return found.unique("competitor_id", keep="last", maintain_order=True)
