"""`feed = "csv"` with one row a game: the mapped columns become rows of `ingest.two_sided`."""

import dataframely as dy
import polars as pl

from ingest import mapped_rows as mapped
from ingest.feed import Source
from ingest.frames import ATTRIBUTE, Parsed, attributes
from ingest.lines import rejections, sift
from ingest.mapped_dates import insist_they_fit
from ingest.mapped_once import once, told_apart
from ingest.mapped_players import PLAYERS, with_appearances, with_players_in_columns
from ingest.two_sided import two_sided
from store.columns import Columns

WORDS = {"first": ("h", "home", "1"), "second": ("a", "away", "2"), "neither": ("d", "draw", "x", "tie")}


NO_ATTRIBUTES = pl.lit([], pl.List(ATTRIBUTE)).alias("attributes")


class Game(dy.Schema):
    """A row we can use; `first` and `second` are the sides as the file writes them, home or winner first."""

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
    first_name = dy.String(nullable=True)
    second_name = dy.String(nullable=True)
    first = dy.String(nullable=False)
    second = dy.String(nullable=False)
    first_score = dy.Float64(nullable=True)
    second_score = dy.Float64(nullable=True)
    winner = dy.String(nullable=True)

    @dy.rule()
    def only_one_side_has_a_score(cls) -> pl.Expr:
        return pl.col("first_score").is_null() == pl.col("second_score").is_null()

    @dy.rule()
    def competitor_plays_itself(cls) -> pl.Expr:
        return pl.col("first") != pl.col("second")

    @dy.rule()
    def date_does_not_fit_date_format(cls) -> pl.Expr:
        return pl.col("date").is_null() | pl.col("day").is_not_null()

    @dy.rule()
    def unknown_status(cls) -> pl.Expr:
        return mapped.known_status()

    @dy.rule()
    def winner_is_neither_side(cls) -> pl.Expr:
        return pl.col("winner").is_null() | pl.col("winner").is_in(list(WORDS))


def games_of(raw: bytes, source: Source, columns: Columns) -> Parsed:
    """The canonical frames of a file of one row a game."""
    table = mapped.read_mapped(raw, source, columns)
    typed = table.rows.select(*mapped.common(columns), *_sides(columns))
    insist_they_fit(typed, source, columns)
    sound, rejected = sift(typed, Game, source.slice)
    extra = typed.select("line", "^(attribute|group):.*$")
    rows = sound.join(extra, on="line", how="left", maintain_order="left").with_columns(game=_key(columns))
    rows, fractions = mapped.whole_scores(rows, source, ["first_score", "second_score"])
    broken = [table.rejected, mapped.in_the_settings_words(rejected, columns), fractions]
    if columns.home_players or columns.away_players:
        rows, wrong = with_players_in_columns(rows, table.rows, source, columns)
        broken.append(wrong)
    rows, again = once(rows, columns)
    broken.append(rejections(again, source.slice))
    if columns.appearances:
        rows, wrong = with_appearances(rows, source, columns)
        broken.append(wrong)
    rows = told_apart(rows)
    ids = [mapped.competitor_id(source, columns.kind, pl.col(side)).alias(f"{side}_id") for side in ("first", "second")]
    rows = rows.with_columns(ids)
    groups = mapped.memberships(rows, columns, ["first_id", "second_id"])
    games = rows.select(_game(columns))
    return two_sided(games, pl.concat(broken), source.slice, table.rows_read, memberships=groups)


def _sides(columns: Columns) -> list[pl.Expr]:
    """Our columns of the two sides: who, by what name, with what score, who won, and on neutral ground or not."""
    names = {"first": "winner", "second": "loser"} if columns.loser else {"first": "home", "second": "away"}
    found = []
    for own, theirs in names.items():
        for ending in ("", "_name", "_score"):
            column = getattr(columns, theirs + ending)
            found.append(mapped.optional(column).alias(own + ending))
    game = mapped.key(columns.game) if columns.game else pl.lit("")
    return [
        *found,
        _winner(columns).alias("winner"),
        mapped.neutral(columns).alias("neutral"),
        game.alias("game"),
    ]


def _winner(columns: Columns) -> pl.Expr:
    """first, second, neither, or null; what is none of these stays as it is, for the rule to reject."""
    if columns.loser:
        return pl.lit("first")
    if not columns.winner:
        return pl.lit(None, pl.String)
    word = mapped.cell(columns.winner)
    lower = word.str.to_lowercase()
    answer = pl.when(word == mapped.cell(str(columns.home))).then(pl.lit("first"))
    answer = answer.when(word == mapped.cell(str(columns.away))).then(pl.lit("second"))
    for meaning, words in WORDS.items():
        answer = answer.when(lower.is_in(words)).then(pl.lit(meaning))
    return answer.otherwise(word)


def _key(columns: Columns) -> pl.Expr:
    """What identifies a game: the mapped columns, else day, contest and sides, in an order that tells no result."""
    if columns.game:
        return pl.col("game")
    contest = [pl.col("contest").fill_null("")] if columns.contest else []
    pair = [pl.col("first"), pl.col("second")]
    if columns.loser or columns.neutral is True:
        pair = [pl.min_horizontal(pair), pl.max_horizontal(pair)]
    return pl.concat_str(pl.col("day").cast(pl.String), *contest, *pair, separator="|")


def _game(columns: Columns) -> list[pl.Expr]:
    """The columns of a row of `ingest.two_sided`."""
    has_result = pl.col("first_score").is_not_null() | pl.col("winner").is_not_null()
    result = pl.when(has_result).then(pl.lit("played")).otherwise(pl.lit("scheduled"))
    found = [
        pl.col("line"),
        pl.col("raw"),
        pl.col("game").alias("game_key"),
        pl.col("contest").alias("contest_id"),
        pl.col("sequence"),
        pl.col("season"),
        pl.col("day").alias("played_on"),
        pl.coalesce("source_status", result).alias("status"),
        pl.col("round"),
        attributes(**mapped.attribute_columns(columns)) if columns.attributes else NO_ATTRIBUTES,
        pl.when("neutral").then(0).otherwise(1).alias("home"),
        mapped.exposure(columns).alias("exposure"),
    ]
    for own, other in (("first", "second"), ("second", "first")):
        found += _side(columns, own, other)
    return found


def _side(columns: Columns, own: str, other: str) -> list[pl.Expr]:
    name = pl.coalesce(f"{own}_name", own)
    by_score = pl.when(pl.col(f"{own}_score") != pl.col(f"{other}_score")).then(
        pl.col(f"{own}_score") > pl.col(f"{other}_score")
    )
    by_name = pl.when(pl.col("winner") != "neither").then(pl.col("winner") == own)
    won = pl.when(pl.col("winner").is_null()).then(by_score).otherwise(by_name)
    found = [pl.col(f"{own}_score"), won.alias(f"{own}_won")]
    if columns.kind == "player":
        alone = pl.struct(
            pl.col(f"{own}_id").alias("player"), name.alias("name"), share=pl.lit(1.0), role=pl.lit(None, pl.String)
        )
        none = pl.lit(None, pl.String)
        return [
            *found,
            none.alias(f"{own}_team"),
            none.alias(f"{own}_name"),
            pl.concat_list(alone).alias(f"{own}_players"),
        ]
    found += [pl.col(f"{own}_id").alias(f"{own}_team"), name.alias(f"{own}_name")]
    if columns.appearances or columns.home_players or columns.away_players:
        found.append(pl.col(f"{own}_players").fill_null(pl.lit([], PLAYERS)))
    return found
