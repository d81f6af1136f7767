"""Who played, for `feed = "csv"`: players in columns of the results file, or in a second file joined by keys.

Both give a frame of one row a player on a side (line, side, player, name, share, role), checked row by row; a line
whose players cannot be used is rejected as a whole, a row of the second file alone.
"""

from fnmatch import fnmatchcase

import dataframely as dy
import polars as pl

from ingest import mapped_rows as mapped
from ingest.feed import Source, plain
from ingest.lines import rejections, sift
from store.columns import AppearanceColumns, Columns
from store.errors import FeedError

PLAYERS = pl.List(pl.Struct({"player": pl.String, "name": pl.String, "share": pl.Float64, "role": pl.String}))
SIDES = {"first": "home", "second": "away"}
WORDS = {"first": ("h", "home", "1"), "second": ("a", "away", "2")}


class Appearance(dy.Schema):
    """A row of the second file we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    game = dy.String(nullable=False)
    side = dy.String(nullable=False)
    player = dy.String(nullable=False)
    name = dy.String(nullable=True)
    share = dy.Float64(nullable=False, min_exclusive=0, max=1)
    role = dy.String(nullable=True)


def with_players_in_columns(
    rows: pl.DataFrame, texts: pl.DataFrame, source: Source, columns: Columns
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with first_players and second_players out of their own columns, and the rejected rows.

    `texts` holds the cells of the same lines.
    """
    cells = rows.select("line", "raw").join(texts.drop("raw"), on="line", how="left", maintain_order="left")
    long, uneven = [], []
    for own, theirs in SIDES.items():
        if getattr(columns, f"{theirs}_players"):
            lists = cells.select("line", "raw", **_lists(columns, theirs))
            is_even = pl.all_horizontal(
                pl.col(name).list.len() == pl.col("player").list.len() for name in ("name", "share")
            )
            uneven.append(
                lists.filter(~is_even).select("line", rule=pl.lit("players and their shares differ in number"))
            )
            even = lists.filter(is_even).drop("raw").explode("player", "name", "share").drop_nulls("player")
            long.append(even.with_columns(pl.lit(own).alias("side")))
    players = pl.concat(long).with_columns(
        share=pl.col("share").cast(pl.Float64, strict=False) / columns.share_unit, role=pl.lit(None, pl.String)
    )
    broken = pl.concat([*uneven, _unusable(players)]).unique("line", keep="first", maintain_order=True)
    rejected = rejections(rows.select("line", "raw").join(broken, on="line"), source.slice)
    sound = rows.join(broken, on="line", how="anti", maintain_order="left")
    return _with_lists(sound, players, source), rejected


def with_appearances(rows: pl.DataFrame, source: Source, columns: Columns) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows (line, game, first, second) with first_players and second_players, and rejected rows of both files."""
    sides = [
        rows.select("game", "line", pl.lit(own).alias("own"), words.alias("side"))
        for own in SIDES
        for words in (pl.col(own), *(pl.lit(word) for word in WORDS[own]))
    ]
    players, rejected = joined(
        pl.concat(sides).unique(["game", "side"], keep="first", maintain_order=True), source, columns
    )
    return _with_lists(rows, players.rename({"own": "side"}), source), rejected


def joined(sides: pl.DataFrame, source: Source, columns: Columns) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Appearances on the sides (game, side as the second file may write it, and more columns), and rejected rows.

    Rows about no known game are rejected where the league has one file of results; with several they are another's.
    """
    part, file, raw = _second_file(source, columns)
    table = mapped.read_mapped(raw, source, columns, part=part, file=file)
    typed = table.rows.select(
        "line", "raw",
        mapped.key(part.game).alias("game"),
        mapped.cell(part.side).alias("side"),
        mapped.cell(part.player).alias("player"),
        mapped.optional(part.player_name).alias("name"),
        _share(part, columns).alias("share"),
        mapped.optional(part.role).alias("role"),
    )  # fmt: skip
    sound, rejected = sift(typed, Appearance, file)
    known = sides.rename({"line": "game_line"})
    exact = sound.join(known, on=["game", "side"], how="inner", maintain_order="left")
    rest = sound.join(known, on=["game", "side"], how="anti", maintain_order="left")
    lower = rest.with_columns(pl.col("side").str.to_lowercase())
    loose = lower.join(known, on=["game", "side"], how="inner", maintain_order="left")
    lost = lower.join(known, on=["game", "side"], how="anti", maintain_order="left")
    if not source.is_alone:
        lost = lost.join(known, on="game", how="semi")
    found = pl.concat([exact, loose]).sort("line", maintain_order=True)
    is_again = ~pl.struct("game", "player", "game_line").is_first_distinct()
    again = found.filter(is_again)
    broken = pl.concat(
        [
            lost.select("line", "raw", rule=pl.lit("no such game or side")),
            again.select("line", "raw", rule=pl.lit("player named twice in a game")),
        ]
    )
    players = found.filter(~is_again).drop("side", "line", "raw").rename({"game_line": "line"})
    return players, pl.concat([table.rejected, rejected, rejections(broken, file)])


def _second_file(source: Source, columns: Columns) -> tuple[AppearanceColumns, str, bytes]:
    part = columns.appearances
    names = [name for name in source.companions if part and fnmatchcase(plain(name), part.file)]
    if not part or not names:
        raise FeedError(
            f'There is no file "{part.file if part else ""}" of appearances among its sources.',
            "Add it to the stanza's source.",
        )
    return part, names[0], source.companions[names[0]]


def _share(part: AppearanceColumns, columns: Columns) -> pl.Expr:
    if not part.share:
        return pl.lit(1.0)
    return mapped.cell(part.share).cast(pl.Float64, strict=False) / columns.share_unit


def _lists(columns: Columns, side: str) -> dict[str, pl.Expr]:
    """Lists of one side's players, names and shares as text, of equal length where the row is sound."""
    players = getattr(columns, f"{side}_players")
    listed = _list(players, columns)
    names, shares = getattr(columns, f"{side}_player_names"), getattr(columns, f"{side}_shares")
    whole = listed.list.eval(pl.lit(str(columns.share_unit)))
    return {
        "player": listed,
        "name": _list(names, columns) if names else listed,
        "share": _list(shares, columns) if shares else whole,
    }


def _list(names: tuple[str, ...], columns: Columns) -> pl.Expr:
    if len(names) == 1 and columns.player_delimiter:
        parts = mapped.cell(names[0]).str.split(columns.player_delimiter).list.eval(pl.element().str.strip_chars())
        return parts.list.eval(pl.when(pl.element() != "").then(pl.element())).fill_null([])
    return pl.concat_list(*(mapped.cell(name) for name in names))


def _unusable(players: pl.DataFrame) -> pl.DataFrame:
    """Lines (line, rule) with a player whose share makes no sense, or who is named twice."""
    share = players.filter(pl.col("share").is_null() | (pl.col("share") <= 0) | (pl.col("share") > 1))
    twice = players.filter(pl.struct("line", "player").is_duplicated())
    return pl.concat(
        [
            share.select("line", rule=pl.lit("a player's share is missing, unreadable or not above 0 to 1")),
            twice.select("line", rule=pl.lit("player named twice")),
        ]
    )


def _with_lists(rows: pl.DataFrame, players: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The rows with the players of each side as lists; null where there are none."""
    for own in SIDES:
        mine = players.filter(pl.col("side") == own).select(
            "line",
            pl.struct(
                mapped.competitor_id(source, "player", pl.col("player")).alias("player"),
                pl.coalesce("name", "player").alias("name"), "share", "role",
            ).alias(f"{own}_players"),
        )  # fmt: skip
        rows = rows.join(mine.group_by("line", maintain_order=True).all(), on="line", how="left", maintain_order="left")
    return rows
