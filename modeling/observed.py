"""What was observed: the result of each row of the likelihood, as the outcome reads it from the games' sides."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from modeling.games import Games
from modeling.outcomes.outcome import Array, Outcome
from store.errors import FitError

NO_SPREAD = 1e-9  # of the largest result: what rounding leaves where all are alike


@dataclass(frozen=True)
class Observed:
    """The sides that count, in their order, and the result of each row; `notes` say what was left out."""

    sides: pl.DataFrame
    y: Array
    exposure: Array
    notes: tuple[str, ...]


def observe(games: Games, outcome: Outcome) -> Observed:
    """The results as the outcome's likelihood has them.

    Raises FitError where games lack what it needs, do not have two sides where two are needed, or are all alike where
    the likelihood needs a spread.
    """
    seen = _entrants(games, outcome) if outcome.row == "entrant" else _pairs(games, outcome)
    if outcome.unit_sd(seen.y, seen.exposure) <= NO_SPREAD * np.abs(seen.y).max():
        raise FitError(
            f"{games.league}: all {len(seen.y):,} results are alike ({seen.y[0]:g}), so that nothing can be learned of "
            f'their spread; likelihood "{outcome.likelihood}" needs one.',
            "Load more results, or run: pooltable check",
        )
    return seen


def _pairs(games: Games, outcome: Outcome) -> Observed:
    """Rows of games of two sides: one a game, or one a side."""
    sides = _paired(games)
    result = outcome.observe(games.league, sides)
    known = result.is_not_null()
    notes = _note(int((~known).sum()) // 2, f"games without {outcome.lacking} were left out")
    sides, result = sides.filter(known), result.filter(known)
    if not len(result):
        raise FitError(f"{games.league}: no game has a result that {outcome.name} can use.", outcome.remedy)
    exposure = sides["exposure"].cast(pl.Float64)
    if outcome.row == "game":
        exposure = (exposure.gather_every(2) + exposure.gather_every(2, 1)) / 2
        result = result.gather_every(2)
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


def _entrants(games: Games, outcome: Outcome) -> Observed:
    """Rows of races. Who has no place (did not finish, was disqualified) says nothing of the others' order."""
    result = outcome.observe(games.league, games.sides)
    placed, result = games.sides.filter(result.is_not_null()), result.drop_nulls()
    together = placed.select(pl.len().over("game_id") >= 2).to_series()
    kept, result = placed.filter(together), result.filter(together)
    if kept.height == 0:
        raise FitError(
            f"{games.league}: no game has two entrants with {outcome.lacking}; "
            f'outcome "{outcome.name}" needs {outcome.lacking.removeprefix("a ")}s.',
            outcome.remedy,
        )
    notes = _note(games.sides.height - placed.height, f"entrants without {outcome.lacking} were left out")
    notes += _note(placed.height - kept.height, "entrants alone in their race were left out")
    return Observed(kept, result.to_numpy().astype(float), kept["exposure"].to_numpy().astype(float), notes)


def _note(count: int, words: str) -> tuple[str, ...]:
    return (f"{count:,} {words}.",) if count else ()
