"""FiveThirtyEight's published forecasts: comparison data, kept as a peer's forecasts and never as results or games.

A file of games says who was expected to win (two-way, or three-way with a draw), and who did, without a score; the
second game of a double-header is told by `dh`. spi_matches.csv adds expected scores; a match without a score had not
been played when the file was saved. The tennis files give a player's chance to reach each round, on each day of one
tournament. Newest rows come first. Names are the peer's own: `peer_forecast_game` links them through aliases.
"""

from collections.abc import Callable

import dataframely as dy
import polars as pl

from ingest.feed import Feed, Source, plain
from ingest.frames import Parsed, parsed
from ingest.lines import header_of, read_table, rejections, sift

PEER = "FiveThirtyEight"
GAME = ["date", "team1", "team2", "prob1", "prob2"]
GAME_TOO = ["season", "league", "dh", "probtie", "prob1_outcome", "probtie_outcome", "prob2_outcome", "proj_score1",
            "proj_score2", "score1", "score2"]  # fmt: skip
NUMBERS = [*GAME[3:], *GAME_TOO[3:]]
ROUNDS = range(1, 8)
OUTLOOK = ["season", "forecast_date", "player"]
CHANCES = [name for number in ROUNDS for name in (f"round_{number}", f"round_{number}_outcome")]
COMPETITIONS = {
    "mlb_games": "MLB",
    "nba_games": "NBA",
    "nfl_games": "NFL",
    "wnba_games": "WNBA",
    "tennis_men": "US Open, men",
    "tennis_women": "US Open, women",
}
TOLERANCE = 0.01


def _chance() -> dy.Float64:
    return dy.Float64(nullable=False, min=0, max=1)


class GameRow(dy.Schema):
    """A forecast of a game we can use; columns that a file does not have are null."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    season = dy.String(nullable=False)
    competition = dy.String(nullable=False)
    date = dy.Date(nullable=False)
    team1 = dy.String(nullable=False)
    team2 = dy.String(nullable=False)
    dh = dy.Int16(nullable=False, min=0)
    prob1 = _chance()
    prob2 = _chance()
    probtie = dy.Float64(nullable=True, min=0, max=1)
    prob1_outcome = dy.Float64(nullable=True, min=0, max=1)
    probtie_outcome = dy.Float64(nullable=True, min=0, max=1)
    prob2_outcome = dy.Float64(nullable=True, min=0, max=1)
    proj_score1 = dy.Float64(nullable=True)
    proj_score2 = dy.Float64(nullable=True)
    score1 = dy.Float64(nullable=True)
    score2 = dy.Float64(nullable=True)

    @dy.rule()
    def probabilities_do_not_sum_to_one(cls) -> pl.Expr:
        return (pl.sum_horizontal("prob1", "probtie", "prob2") - 1).abs() <= TOLERANCE


class OutlookRow(dy.Schema):
    """A player's chances on one day we can use."""

    line = dy.Int64(nullable=False)
    raw = dy.String(nullable=False)
    season = dy.String(nullable=False)
    forecast_date = dy.Date(nullable=False)
    player = dy.String(nullable=False)
    chances = dy.List(dy.Float64(nullable=True, allow_inf=True, allow_nan=True), nullable=False)

    @dy.rule()
    def a_chance_is_missing_or_not_from_0_to_1(cls) -> pl.Expr:
        return pl.col("chances").list.eval(pl.element().is_between(0, 1).fill_null(False)).list.all()


def parse(raw: bytes, source: Source) -> Parsed:
    """The peer's forecasts of one file, of games or of a tournament's rounds."""
    header = header_of(raw, source.slice)
    return _outlooks(raw, source) if "round_1" in header else _games(raw, source, header)


def _games(raw: bytes, source: Source, header: list[str]) -> Parsed:
    table = read_table(raw, source, [*GAME, *(name for name in GAME_TOO if name in header)])
    rows, rejected = sift(_typed(table.rows, source), GameRow, source.slice)
    keyed = rows.with_columns(
        forecast_id=pl.concat_str("competition", "date", "team1", "team2", separator="|")
        + pl.when(pl.col("dh") > 0).then(pl.concat_str(pl.lit("|"), "dh")).otherwise(pl.lit(""))
    )
    return _parsed(keyed, pl.concat([table.rejected, rejected]), source.slice, table.rows_read, forecasts=_forecasts)


def _typed(rows: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The rows with every column of GameRow: a season starts in July where the file does not name it."""
    absent = [pl.lit(None, pl.String).alias(name) for name in GAME_TOO if name not in rows.columns]
    full = rows.with_columns(pl.col("date").str.to_date("%Y-%m-%d", strict=False), *absent)
    return full.with_columns(
        pl.coalesce("season", pl.col("date").dt.offset_by("-6mo").dt.year().cast(pl.String)).alias("season"),
        pl.coalesce("league", pl.lit(_competition(source))).alias("competition"),
        pl.col("dh").fill_null("0").str.to_integer(strict=False),
        *(pl.col(name).cast(pl.Float64, strict=False) for name in NUMBERS if name in full.columns and name != "dh"),
    ).drop("league")


def _forecasts(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "forecast_id",
        pl.lit(PEER).alias("peer"),
        "competition",
        "season",
        pl.col("date").alias("played_on"),
        _number().alias("number"),
        pl.col("team1").alias("first_name"),
        pl.col("team2").alias("second_name"),
        pl.col("prob1").alias("first_probability"),
        pl.col("probtie").alias("draw_probability"),
        pl.col("prob2").alias("second_probability"),
        pl.col("proj_score1").alias("first_expected_score"),
        pl.col("proj_score2").alias("second_expected_score"),
        _result().alias("result"),
    )


def _number() -> pl.Expr:
    """Which game of the day: `dh` counts on from 0, which also stands where there is one game only."""
    meetings = pl.len().over("date", "competition", "team1", "team2")
    return pl.when(meetings > 1).then(pl.col("dh") + 1).otherwise(0)


def _result() -> pl.Expr:
    """What came of it; a tie of a two-way forecast is one half on both sides."""
    first = pl.coalesce(pl.col("prob1_outcome"), _beats("score1", "score2"))
    second = pl.coalesce(pl.col("prob2_outcome"), _beats("score2", "score1"))
    decided = pl.when(first == 1).then(pl.lit("first")).when(second == 1).then(pl.lit("second"))
    return decided.when(first.is_not_null() & second.is_not_null()).then(pl.lit("draw"))


def _beats(own: str, other: str) -> pl.Expr:
    return (pl.col(own) > pl.col(other)).cast(pl.Float64)


def _outlooks(raw: bytes, source: Source) -> Parsed:
    table = read_table(raw, source, [*OUTLOOK, *CHANCES])
    typed = table.rows.select(
        "line", "raw", "season", "player",
        pl.col("forecast_date").str.to_date("%Y-%m-%d", strict=False),
        pl.concat_list(pl.col(CHANCES).cast(pl.Float64, strict=False)).alias("chances"),
    )  # fmt: skip
    rows, rejected = sift(typed, OutlookRow, source.slice)
    named = rows.with_columns(competition=pl.lit(_competition(source)))
    keyed = named.with_columns(
        forecast_id=pl.concat_str("competition", "season", "forecast_date", "player", separator="|")
    )
    broken = pl.concat([table.rejected, rejected])
    return _parsed(keyed, broken, source.slice, table.rows_read, outlooks=_rounds)


def _rounds(rows: pl.DataFrame) -> pl.DataFrame:
    """A row a player, day and round."""
    pairs = [
        rows.select(
            "forecast_id",
            pl.lit(f"round {number}").alias("stage"),
            pl.lit(PEER).alias("peer"),
            "competition",
            "season",
            pl.col("forecast_date").alias("forecast_on"),
            pl.col("player").alias("name"),
            pl.col("chances").list.get(2 * number - 2).alias("probability"),
            (pl.col("chances").list.get(2 * number - 1) == 1).alias("is_reached"),
        )
        for number in ROUNDS
    ]
    return pl.concat(pairs)


def _parsed(
    keyed: pl.DataFrame,
    broken: pl.DataFrame,
    file: str,
    rows_read: int,
    **frames: Callable[[pl.DataFrame], pl.DataFrame],
) -> Parsed:
    """The frames of rows with a forecast_id: a line that is there twice is a copy, else the last of two counts."""
    is_copy = ~pl.struct("forecast_id", "raw").is_first_distinct()
    marked = keyed.with_columns(is_copy=is_copy)
    once = marked.filter(~pl.col("is_copy"))
    copies = marked.filter("is_copy").with_columns(rule=pl.lit("copy of an earlier row"))
    last = once.unique("forecast_id", keep="last", maintain_order=True)
    return parsed(
        rows_read,
        source_rows=once.select(pl.col("forecast_id").alias("game_id"), "line", "raw"),
        rejected=pl.concat([broken, rejections(copies, file)]),
        **{name: make(last) for name, make in frames.items()},
    )


def _competition(source: Source) -> str:
    """The competition where the rows do not name it: the file does."""
    stem = plain(source.slice).rsplit(".", 1)[0]
    return COMPETITIONS.get(stem, stem)


FEED = Feed(
    name="fivethirtyeight",
    title="FiveThirtyEight's forecasts (comparison data, no results)",
    licence="CC BY 4.0; the copy of spi_matches.csv states none",
    homepage="https://github.com/fivethirtyeight/checking-our-work-data",
    row="one game with the probabilities published before it, or a player's chances in a tournament on one day",
    parse=parse,
    slices=("*_games.csv", "world_cup_matches_*.csv", "spi_matches.csv", "tennis_men.csv", "tennis_women.csv"),
)
