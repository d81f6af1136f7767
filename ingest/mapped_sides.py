"""`feed = "csv"` with one row a side or entrant: rows of a game are gathered by its key columns.

What a game has once (day, season, round, attributes) is taken from its first row. Sides are numbered by a seeded hash
of game and competitor, so that their order carries no result.
"""

import hashlib

import dataframely as dy
import polars as pl

from ingest import mapped_rows as mapped
from ingest.feed import Source
from ingest.frames import ATTRIBUTE, Parsed, attributes, parsed
from ingest.lines import rejections, sift
from ingest.mapped_dates import insist_they_fit
from ingest.mapped_once import ANOTHER_RESULT, that_stay
from ingest.mapped_players import joined
from store.columns import Columns

RESULT = ("score", "finish", "won")


class Entrant(dy.Schema):
    """A row we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    date = dy.String(nullable=False)
    day = dy.Date(nullable=True)
    season = dy.String(nullable=False)
    round = dy.String(nullable=True)
    contest = dy.String(nullable=True)
    sequence = dy.Int32(nullable=True, min=0)
    source_status = dy.String(nullable=True)
    neutral = dy.Bool(nullable=False)
    exposure = dy.Float64(nullable=True, min_exclusive=0)
    game = dy.String(nullable=False)
    competitor = dy.String(nullable=False)
    competitor_name = dy.String(nullable=True)
    team = dy.String(nullable=True)
    score = dy.Float64(nullable=True)
    finish = dy.Int16(nullable=True, min=1)
    won = dy.Bool(nullable=True)
    is_home = dy.Bool(nullable=False)

    @dy.rule()
    def date_does_not_fit_date_format(cls) -> pl.Expr:
        return pl.col("date").is_null() | pl.col("day").is_not_null()

    @dy.rule()
    def unknown_status(cls) -> pl.Expr:
        return mapped.known_status()


def sides_of(raw: bytes, source: Source, columns: Columns) -> Parsed:
    """The canonical frames of a file of one row a side or entrant."""
    table = mapped.read_mapped(raw, source, columns)
    typed = table.rows.select(*mapped.common(columns), *_entrant(columns))
    insist_they_fit(typed, source, columns)
    sound, rejected = sift(typed, Entrant, source.slice)
    rows = sound.join(typed.select("line", "^(attribute|group):.*$"), on="line", how="left", maintain_order="left")
    rows, fractions = mapped.whole_scores(rows, source, ["score"])
    rows, misfits = _usable(rows)
    rows = _numbered(rows, source, columns)
    broken = [table.rejected, mapped.in_the_settings_words(rejected, columns), fractions]
    broken += [rejections(misfits, source.slice)]
    appearances = _own(rows) if columns.kind == "player" else _own(rows.clear())
    names = appearances.select(pl.col("player").alias("competitor_id"), pl.lit("player").alias("kind"), "name")
    if columns.appearances:
        sides = rows.select("game", "line", "side_number", pl.col("competitor").alias("side"))
        found, wrong = joined(sides, source, columns)
        appearances = _others(found, source)
        names = appearances.select(pl.col("player").alias("competitor_id"), pl.lit("player").alias("kind"), "name")
        broken.append(wrong)
    teams = rows.select(pl.col("team_id").alias("competitor_id"), pl.lit("team").alias("kind"), name="team_name")
    return parsed(
        table.rows_read,
        games=_games(rows, columns),
        sides=_sides(rows, columns),
        appearances=appearances.drop("name"),
        competitors=pl.concat([teams.drop_nulls("competitor_id"), names]).unique(
            "competitor_id", keep="last", maintain_order=True
        ),
        memberships=mapped.memberships(rows, columns, ["player_id" if columns.kind == "player" else "team_id"]),
        source_rows=rows.select(pl.col("game").alias("game_id"), "line", "raw"),
        rejected=pl.concat(broken),
    )


def _entrant(columns: Columns) -> list[pl.Expr]:
    names = ("competitor", "competitor_name", "team", "score")
    found = [mapped.optional(getattr(columns, name)).alias(name) for name in names]
    won = (
        pl.when(mapped.cell(columns.won).is_not_null()).then(_won(columns.won))
        if columns.won
        else pl.lit(None, pl.Boolean)
    )
    is_home = mapped.truth_of(columns.is_home, mapped.HOME) if columns.is_home else pl.lit(False)
    return [
        *found,
        mapped.whole(mapped.optional(columns.finish)).alias("finish"),
        won.alias("won"),
        is_home.alias("is_home"),
        mapped.neutral(columns).alias("neutral"),
        mapped.key(columns.game).alias("game"),
    ]


def _won(column: str) -> pl.Expr:
    words = {"w": True, "win": True, "won": True, "l": False, "loss": False, "lost": False}
    word = mapped.cell(column).str.to_lowercase()
    drawn = word.is_in(["d", "draw", "t", "tie", "x"])
    answer = word.replace_strict(words, default=None, return_dtype=pl.Boolean)
    return pl.when(~drawn).then(pl.coalesce(answer, mapped.truth_of(column)))


def _usable(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of games with two sides or more, each entrant once; and the others, with their rule.

    Of an entrant's rows the first with a result stays; what another says of him is not taken in silence.
    """
    told = pl.concat_str(*(pl.col(name).cast(pl.String).fill_null("") for name in RESULT), separator="|")
    has_result = pl.any_horizontal(pl.col(name).is_not_null() for name in RESULT)
    marked = rows.with_columns(result=told, has_result=has_result)
    place = ["game", "competitor"]
    marked = marked.join(that_stay(marked, place, ["result"]), on=place, how="left", maintain_order="left")
    marked = marked.with_columns(rule=pl.when(pl.col("line") != pl.col("kept_line")).then(_told_again()))
    sides = pl.col("rule").is_null().sum().over("game")
    lonely = pl.when(pl.col("rule").is_null() & (sides < 2)).then(pl.lit("the game has no other side"))
    marked = marked.with_columns(rule=pl.coalesce("rule", lonely))
    return marked.filter(pl.col("rule").is_null()).select(rows.columns), marked.filter(pl.col("rule").is_not_null())


def _told_again() -> pl.Expr:
    """Why a row of an entrant who has another one stays out."""
    line = pl.concat_str(pl.lit("same game and entrant as line "), pl.col("kept_line").cast(pl.String))
    return (
        pl.when(pl.col("raw") == pl.col("kept_raw"))
        .then(pl.lit("copy of an earlier row"))
        .when(pl.col("result") == pl.col("kept_result"))
        .then(line + ", with the same result")
        .when(~pl.col("has_result"))
        .then(line + ", without a result")
        .otherwise(line + f", {ANOTHER_RESULT}")
    )


def _numbered(rows: pl.DataFrame, source: Source, columns: Columns) -> pl.DataFrame:
    """The rows with side_number, and the ids and names of team and player."""
    hashes = [
        hashlib.blake2b(f"{game}\n{who}".encode(), digest_size=8, key=b"pooltable side order").hexdigest()
        for game, who in rows.select("game", "competitor").iter_rows()
    ]
    number = pl.col("hash").rank("ordinal").over("game").cast(pl.Int16)
    who, name = pl.col("competitor"), pl.coalesce("competitor_name", "competitor")
    is_player = columns.kind == "player"
    team = pl.col("team") if is_player else who
    return rows.with_columns(hash=pl.Series(hashes, dtype=pl.String)).with_columns(
        number.alias("side_number"),
        mapped.competitor_id(source, "team", team).alias("team_id"),
        (team if is_player else name).alias("team_name"),
        (mapped.competitor_id(source, "player", who) if is_player else pl.lit(None, pl.String)).alias("player_id"),
        name.alias("player_name"),
    )


def _games(rows: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    has_result = pl.any_horizontal(pl.col(name).is_not_null() for name in RESULT)
    result = pl.when(has_result.any().over("game")).then(pl.lit("played")).otherwise(pl.lit("scheduled"))
    first = rows.with_columns(
        status=pl.coalesce("source_status", result), nobody_home=~pl.col("is_home").any().over("game")
    ).unique("game", keep="first", maintain_order=True)
    return first.select(
        pl.col("game").alias("game_id"),
        pl.coalesce("contest", "game").alias("contest_id"),
        pl.col("sequence").fill_null(0),
        "season",
        pl.col("day").alias("played_on"),
        pl.lit("day").alias("played_on_precision"),
        "status",
        "round",
        (pl.col("neutral") | pl.col("nobody_home")).alias("neutral"),
        attributes(**mapped.attribute_columns(columns))
        if columns.attributes
        else pl.lit([], pl.List(ATTRIBUTE)).alias("attributes"),
    )


def _sides(rows: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    best = pl.col("score").max().over("game")
    is_level = (pl.col("score") == best).sum().over("game") > 1
    by_score = pl.when((pl.len().over("game") == 2) & ~is_level).then(pl.col("score") == best)
    by_result = pl.when(pl.col("finish").is_not_null().any().over("game")).then(
        pl.col("finish").eq_missing(pl.lit(1, pl.Int16))
    )
    won = pl.col("won") if columns.won else by_result.otherwise(by_score)
    return rows.select(
        pl.col("game").alias("game_id"),
        pl.col("side_number").alias("side"),
        pl.col("team_id").alias("team"),
        (pl.col("is_home") & ~pl.col("neutral").any().over("game")).alias("is_home"),
        "score",
        "finish",
        won.alias("won"),
        mapped.exposure(columns).alias("exposure"),
    )


def _own(rows: pl.DataFrame) -> pl.DataFrame:
    """The entrants who are players, each alone on a side."""
    return rows.select(
        pl.col("game").alias("game_id"), pl.col("side_number").alias("side"), pl.col("player_id").alias("player"),
        pl.lit(1.0).alias("share"), pl.lit(None, pl.String).alias("role"), pl.col("player_name").alias("name"),
    )  # fmt: skip


def _others(found: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The players of the second file on their sides."""
    return found.select(
        pl.col("game").alias("game_id"),
        pl.col("side_number").alias("side"),
        mapped.competitor_id(source, "player", pl.col("player")).alias("player"),
        "share",
        "role",
        pl.coalesce("name", "player").alias("name"),
    )
