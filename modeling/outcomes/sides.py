"""What was observed of games of two sides. Frames have the two sides of a game as neighbours, in their stored order."""

import polars as pl

from store.errors import FitError


def scores(league: str, sides: pl.DataFrame) -> pl.Series:
    """Each side's score. Raises FitError where one is missing."""
    gaps = sides.filter(pl.col("score").is_null())
    if len(gaps):
        raise FitError(
            f"{league}: {len(gaps)} side(s) of played games lack a score, first {gaps['game_id'][0]}.",
            'Where games have winners and no scores choose outcome = "win". Otherwise run: pooltable check',
        )
    return sides["score"]


def counts(league: str, sides: pl.DataFrame) -> pl.Series:
    """Each side's score as a count. Raises FitError where one is none, or is missing."""
    found = scores(league, sides)
    wrong = sides.filter((found < 0) | (found != found.floor()))
    if len(wrong):
        raise FitError(
            f"{league}: {len(wrong)} side(s) have a score that is no whole number from 0, first {wrong['score'][0]:g} "
            f"in {wrong['game_id'][0]}; this likelihood counts.",
            'For points choose likelihood = "normal", or outcome = "margin".',
        )
    return found


def margins(league: str, sides: pl.DataFrame) -> pl.Series:
    """Each side's score less the other's. Raises FitError where one is missing."""
    return less_the_other(scores(league, sides))


def winning(sides: pl.DataFrame) -> pl.Series:
    """Something that is larger on the winner's side: who won, else the score."""
    won = sides["won"].cast(pl.Float64)
    decided = (won + other(won)).fill_null(0) == 1
    return pl.select(pl.when(decided).then(won).otherwise(sides["score"])).to_series()


def less_the_other(values: pl.Series) -> pl.Series:
    """Each side's value less that of the other."""
    return values - other(values)


def other(values: pl.Series) -> pl.Series:
    """The value of the other side of each side's game."""
    return values.gather(pl.int_range(len(values), eager=True) + pl.Series([1, -1] * (len(values) // 2)))
