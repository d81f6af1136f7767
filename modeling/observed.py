"""What was observed: the result of each row of the likelihood, out of the sides' scores, winners and places."""

from dataclasses import dataclass

import polars as pl

from modeling.games import Games
from modeling.outcomes.outcome import Array, Outcome
from store.errors import FitError


@dataclass(frozen=True)
class Observed:
    """The sides that count, in their order, and the result of each row; `notes` say what was left out."""

    sides: pl.DataFrame
    y: Array
    exposure: Array
    notes: tuple[str, ...]


def observe(games: Games, outcome: Outcome) -> Observed:
    """The results as the outcome's likelihood has them.

    Raises FitError where games lack what it needs, or do not have two sides where two are needed.
    """
    if outcome.row == "entrant":
        return _placed(games)
    sides = _paired(games)
    result = _RESULTS[outcome.name](games.league, sides)
    known = result.is_not_null()
    lacking = "a winner" if outcome.name == "win" else "a result"
    notes = _note(int((~known).sum()) // 2, f"games without {lacking} were left out")
    sides, result = sides.filter(known), result.filter(known)
    exposure = sides["exposure"].cast(pl.Float64)
    if outcome.row == "game":
        exposure = (exposure.gather_every(2) + exposure.gather_every(2, 1)) / 2
        result = result.gather_every(2)
    if not len(result):
        raise FitError(f"{games.league}: no game has a result that {outcome.name} can use.", "Run: pooltable check")
    return Observed(sides, result.to_numpy().astype(float), exposure.to_numpy().astype(float), notes)


def _paired(games: Games) -> pl.DataFrame:
    """The sides, checked to be two a game."""
    counts = games.sides.group_by("game_id", maintain_order=True).len().filter(pl.col("len") != 2)
    if len(counts):
        game, found = counts.row(0)
        raise FitError(
            f"{games.league}: game {game} has {found} side(s); this outcome needs two.",
            'Races of many entrants have outcome = "order". Otherwise run: pooltable check',
        )
    return games.sides


def _placed(games: Games) -> Observed:
    """Entrants with a place. Who has none (did not finish, was disqualified) says nothing of the others' order."""
    placed = games.sides.filter(pl.col("finish").is_not_null())
    kept = placed.filter(pl.len().over("game_id") >= 2)
    if kept.height == 0:
        raise FitError(
            f'{games.league}: no game has two entrants with a place; outcome "order" needs places.',
            'For games of two sides choose outcome = "win", "result", "margin" or "score".',
        )
    notes = _note(games.sides.height - placed.height, "entrants without a place were left out")
    notes += _note(placed.height - kept.height, "entrants alone in their race were left out")
    finish = kept["finish"].to_numpy().astype(float)
    return Observed(kept, finish, kept["exposure"].to_numpy().astype(float), notes)


def _note(count: int, words: str) -> tuple[str, ...]:
    return (f"{count:,} {words}.",) if count else ()


def _scores(league: str, sides: pl.DataFrame) -> pl.Series:
    gaps = sides.filter(pl.col("score").is_null())
    if len(gaps):
        raise FitError(
            f"{league}: {len(gaps)} side(s) of played games lack a score, first {gaps['game_id'][0]}.",
            'Where games have winners and no scores choose outcome = "win". Otherwise run: pooltable check',
        )
    return sides["score"]


def _margins(league: str, sides: pl.DataFrame) -> pl.Series:
    return _less_the_other(_scores(league, sides))


def _won(_league: str, sides: pl.DataFrame) -> pl.Series:
    """1 for the winner, 0 for the loser, null where there is not one of each."""
    difference = _less_the_other(_winning(sides))
    return pl.select(pl.when(difference > 0).then(1.0).when(difference < 0).then(0.0)).to_series()


def _results(_league: str, sides: pl.DataFrame) -> pl.Series:
    """0 for a win, 1 for a draw, 2 for a loss."""
    return pl.select(1.0 - _less_the_other(_winning(sides)).sign()).to_series()


def _winning(sides: pl.DataFrame) -> pl.Series:
    """Something that is larger on the winner's side: who won, else the score."""
    won = sides["won"].cast(pl.Float64)
    decided = (won + _other(won)).fill_null(0) == 1
    return pl.select(pl.when(decided).then(won).otherwise(sides["score"])).to_series()


def _less_the_other(values: pl.Series) -> pl.Series:
    return values - _other(values)


def _other(values: pl.Series) -> pl.Series:
    """The value of the other side of each side's game."""
    return values.gather(pl.int_range(len(values), eager=True) + pl.Series([1, -1] * (len(values) // 2)))


_RESULTS = {"win": _won, "result": _results, "margin": _margins, "score": _scores}
