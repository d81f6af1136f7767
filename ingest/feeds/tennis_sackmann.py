"""Tennis matches as Jeff Sackmann publishes them: tour, qualifying and challengers, futures, doubles; men and women.

Who won is told by the columns' names (winner, loser), so the key of a match is its number in its event and the order
of sides is a coin's. The source dates an event by its Monday: a match's day is that Monday plus its round's offset,
later rather than earlier than the true day, so that no forecast sees a result too soon. Only matches of a round-robin
count a `sequence`, by their number: elsewhere a pair meets once. A walkover, retirement or default is told by the
score's text; unfinished matches have no winner.
"""

import dataframely as dy
import polars as pl

from ingest.feed import Feed, Source, plain
from ingest.frames import Parsed, attributes
from ingest.lines import Table, read_table, rejections, sift
from ingest.two_sided import two_sided

EVENT = [
    "tourney_id", "tourney_name", "surface", "draw_size", "tourney_level", "tourney_date", "match_num", "score",
    "best_of", "round",
]  # fmt: skip
SINGLES = {"first": ("winner",), "second": ("loser",)}
DOUBLES = {"first": ("winner1", "winner2"), "second": ("loser1", "loser2")}
PLACEHOLDERS = ["199999"]

# Days after the event's Monday, so that each round of an event has a day of its own; two weeks for the largest draws.
ROUNDS = ["Q1", "Q2", "Q3", "Q4", "ER", "RR", "R128", "R64", "R32", "R16", "QF", "SF", "BR", "F"]
WEEK = dict(zip(ROUNDS, [-3, -2, -1, 0, -1, 0, 0, 1, 2, 3, 4, 5, 6, 6], strict=True))
FORTNIGHT = dict(zip(ROUNDS, [-6, -5, -4, -3, -1, 0, 0, 2, 4, 6, 8, 11, 12, 13], strict=True))
LARGE_DRAW = 96


class Match(dy.Schema):
    """What a row of singles or doubles must have; `players` are the ids of all on court, each once."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    tourney_id = dy.String(nullable=False)
    tourney_name = dy.String(nullable=True)
    surface = dy.String(nullable=True)
    draw_size = dy.Int16(nullable=True)
    tourney_level = dy.String(nullable=True)
    monday = dy.Date(nullable=False)
    match_num = dy.Int32(nullable=False, min=0)
    score = dy.String(nullable=True)
    best_of = dy.String(nullable=True)
    round = dy.String(nullable=True)


class SinglesMatch(Match):
    """A row of singles we can use."""

    winner_id = dy.String(nullable=False)
    winner_name = dy.String(nullable=True)
    loser_id = dy.String(nullable=False)
    loser_name = dy.String(nullable=True)

    @dy.rule()
    def player_on_court_twice(cls) -> pl.Expr:
        return pl.col("winner_id") != pl.col("loser_id")

    @dy.rule()
    def player_is_a_placeholder(cls) -> pl.Expr:
        return ~pl.any_horizontal(pl.col("winner_id", "loser_id").is_in(PLACEHOLDERS))


class DoublesMatch(Match):
    """A row of doubles we can use."""

    winner1_id = dy.String(nullable=False)
    winner1_name = dy.String(nullable=True)
    winner2_id = dy.String(nullable=False)
    winner2_name = dy.String(nullable=True)
    loser1_id = dy.String(nullable=False)
    loser1_name = dy.String(nullable=True)
    loser2_id = dy.String(nullable=False)
    loser2_name = dy.String(nullable=True)

    @dy.rule()
    def player_on_court_twice(cls) -> pl.Expr:
        ids = pl.concat_list("winner1_id", "winner2_id", "loser1_id", "loser2_id")
        return ids.list.n_unique() == 4


def parse(raw: bytes, source: Source) -> Parsed:
    """The canonical frames of one season's file of one series."""
    is_doubles = "doubles" in plain(source.slice)
    sides, schema = (DOUBLES, DoublesMatch) if is_doubles else (SINGLES, SinglesMatch)
    people = [f"{who}_{what}" for side in sides.values() for who in side for what in ("id", "name")]
    table = read_table(raw, source, [*EVENT, *people])
    rows, rejected = sift(_typed(table), schema, source.slice)
    rows, repeats = _without_second_numbers(rows, people)
    games = rows.with_columns(unfinished=_is_unfinished()).select(
        "line",
        "raw",
        _key(is_doubles).alias("game_key"),
        pl.when(pl.col("round") == "RR").then("match_num").otherwise(0).alias("sequence"),
        pl.col("tourney_id").str.slice(0, 4).alias("season"),
        _played_on().alias("played_on"),
        "round",
        _status().alias("status"),
        _attributes(source),
        pl.lit(0).alias("home"),
        *(pl.lit(None, pl.String).alias(f"{side}_{what}") for side in sides for what in ("team", "name")),
        *(pl.lit(None, pl.Float64).alias(f"{side}_score") for side in sides),
        *(_won(side).alias(f"{side}_won") for side in sides),
        *(_players(who, plain(source.slice)).alias(f"{side}_players") for side, who in sides.items()),
    )
    broken = pl.concat([table.rejected, rejected, rejections(repeats, source.slice)])
    return two_sided(games, broken, source.slice, table.rows_read)


def _typed(table: Table) -> pl.DataFrame:
    return table.rows.with_columns(
        pl.col("tourney_date").str.to_date("%Y%m%d", strict=False).alias("monday"),
        pl.col("draw_size").str.to_integer(strict=False),
    ).drop("tourney_date")


def _without_second_numbers(rows: pl.DataFrame, people: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without matches that stand there again under another number, and those.

    Outside a round-robin the same players cannot meet twice in a round, and with the same score they did not. Where
    one of the rows lacks the score, it is the one that goes.
    """
    what = ["tourney_id", "round", *(name for name in people if name.endswith("_id"))]
    has_a_scored_twin = pl.col("score").is_null() & (pl.col("score").count().over(what) > 0)
    again = (~pl.struct(*what, "score").is_first_distinct() | has_a_scored_twin) & (pl.col("round") != "RR")
    marked = rows.with_columns(again=again.fill_null(False))
    repeats = marked.filter("again").with_columns(rule=pl.lit("same match under another match_num"))
    return marked.filter(~pl.col("again")).drop("again"), repeats


def _key(is_doubles: bool) -> pl.Expr:
    """The event and the match's number in it; of doubles, qualifying has numbers of its own."""
    if not is_doubles:
        return pl.concat_str("tourney_id", "match_num", separator="|")
    stage = pl.when(pl.col("round").str.starts_with("Q") & (pl.col("round") != "QF")).then(pl.lit("Q"))
    return pl.concat_str("tourney_id", pl.lit("|doubles|"), stage.otherwise(pl.lit("")), "match_num")


def _played_on() -> pl.Expr:
    day = pl.col("round").replace_strict
    week, fortnight = (day(table, default=0, return_dtype=pl.Int64) for table in (WEEK, FORTNIGHT))
    is_long = (pl.col("draw_size") >= LARGE_DRAW) | (pl.col("tourney_level") == "G")
    return pl.col("monday") + pl.duration(days=pl.when(is_long).then(fortnight).otherwise(week))


def _status() -> pl.Expr:
    score = pl.col("score").str.to_lowercase()
    found = pl.when(score.str.contains(r"w/o|walkover")).then(pl.lit("walkover"))
    found = found.when(score.str.contains(r"\bret?\b")).then(pl.lit("retired"))
    found = found.when(score.str.contains(r"\bdef")).then(pl.lit("awarded"))
    return found.when("unfinished").then(pl.lit("abandoned")).otherwise(pl.lit("played"))


def _is_unfinished() -> pl.Expr:
    return pl.col("score").str.to_lowercase().str.contains(r"abandoned|unfinished|\bab[dn]\b|\bunp\b").fill_null(False)


def _won(side: str) -> pl.Expr:
    return pl.when(~pl.col("unfinished")).then(pl.lit(side == "first"))


def _players(who: tuple[str, ...], file: str) -> pl.Expr:
    """One player or a pair, each on court throughout."""
    league = "wta:" if file.startswith("wta") else "atp:"
    return pl.concat_list(
        pl.struct(
            (league + pl.col(f"{player}_id")).alias("player"),
            pl.coalesce(f"{player}_name", f"{player}_id").alias("name"),
            pl.lit(1.0).alias("share"),
            pl.lit(None, pl.String).alias("role"),
        )
        for player in who
    )


def _attributes(source: Source) -> pl.Expr:
    name = plain(source.slice)
    series = next((series for series in ("futures", "qual_chall", "qual_itf", "doubles") if series in name), "tour")
    return attributes(
        series=pl.lit(series),
        event=pl.col("tourney_name"),
        level=pl.col("tourney_level"),
        surface=pl.col("surface"),
        best_of=pl.col("best_of"),
        score=pl.when(pl.col("score").str.contains(r"\d|W/O|RET|[A-Za-z]{3}")).then(pl.col("score")),
    )


FEED = Feed(
    name="tennis_sackmann",
    title="ATP and WTA matches (Jeff Sackmann, Tennis Abstract)",
    licence="CC BY-NC-SA 4.0",
    homepage="https://github.com/JeffSackmann/tennis_atp",
    row="one match, singles or doubles; the winner is told by the columns' names",
    parse=parse,
    slices=("*_matches_*.csv",),
)
