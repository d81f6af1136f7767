"""What was observed: the result of each row of the likelihood, as the outcome reads it from the games' sides."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.games import Games
from modeling.outcomes.outcome import Array, Outcome
from store.errors import FitError

NO_SPREAD = 1e-9  # of the largest result: what rounding leaves where all are alike


@dataclass(frozen=True)
class Observed:
    """The sides that count, in their order, and the result of each row; `notes` say what was left out.

    A game to come has a row and no result: its `y` is 0, whatever came of it.
    """

    sides: pl.DataFrame
    y: Array
    exposure: Array
    notes: tuple[str, ...]
    is_past: NDArray[np.bool_]
    """Of each side whether it may tell how large priors and covariates are."""
    unit_sd: float
    centre: float


def observe(games: Games, outcome: Outcome) -> Observed:
    """The results as the outcome's likelihood has them.

    Raises FitError where games lack what it needs, do not have two sides where two are needed, or are all alike where
    the likelihood needs a spread.
    """
    sides, y, exposure, notes = (_entrants if outcome.row == "entrant" else _pairs)(games, outcome)
    is_past = ~_awaited(games, sides)
    if games.past_until:
        is_past &= (sides["played_on"] < games.past_until).to_numpy()
    row_is_past = is_past[::2] if outcome.row == "game" else is_past
    past, long = y[row_is_past], exposure[row_is_past]
    unit_sd = outcome.unit_sd(past, long)  # of results held out of a fit too: it is the priors' size, nothing else
    if unit_sd <= NO_SPREAD * np.abs(past).max():
        raise FitError(
            f"{games.league}: all {len(past):,} results are alike ({past[0]:g}), so that nothing can be learned of "
            f'their spread; likelihood "{outcome.likelihood}" needs one.',
            "Load more results, or run: pooltable check",
        )
    return Observed(sides, y, exposure, notes, is_past, unit_sd, outcome.centre(past, long))


def _awaited(games: Games, sides: pl.DataFrame) -> NDArray[np.bool_]:
    """Which sides are of games to come."""
    return sides["game_id"].is_in(list(games.to_come)).to_numpy()


def _results(games: Games, outcome: Outcome, sides: pl.DataFrame) -> Array:
    """The result of each side as the outcome has it: NaN where there is none, 0 where the game is to come."""
    awaited = _awaited(games, sides)
    found = np.zeros(sides.height)
    seen = (
        outcome.observe(games.league, sides.filter(~awaited)) if not awaited.all() else pl.Series([], dtype=pl.Float64)
    )
    found[~awaited] = seen.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return found


def _pairs(games: Games, outcome: Outcome) -> tuple[pl.DataFrame, Array, Array, tuple[str, ...]]:
    """Rows of games of two sides: one a game, or one a side."""
    sides = _paired(games)
    result = _results(games, outcome, sides)
    known = ~np.isnan(result)
    notes = _note(int((~known).sum()) // 2, f"games without {outcome.lacking} were left out")
    sides, result = sides.filter(known), result[known]
    if _awaited(games, sides).all():
        raise FitError(f"{games.league}: no game has a result that {outcome.name} can use.", outcome.remedy)
    exposure = sides["exposure"].cast(pl.Float64).to_numpy()
    if outcome.row == "game":
        return sides, result[::2], (exposure[::2] + exposure[1::2]) / 2, notes
    return sides, result, exposure, notes


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


def _entrants(games: Games, outcome: Outcome) -> tuple[pl.DataFrame, Array, Array, tuple[str, ...]]:
    """Rows of races. Who has no place (did not finish, was disqualified) says nothing of the others' order."""
    result = _results(games, outcome, games.sides)
    placed = games.sides.with_columns(result=pl.Series(result)).filter(~np.isnan(result))
    kept = placed.filter(pl.len().over("game_id") >= 2)
    if _awaited(games, kept).all():
        raise FitError(
            f"{games.league}: no game has two entrants with {outcome.lacking}; "
            f'outcome "{outcome.name}" needs {outcome.lacking.removeprefix("a ")}s.',
            outcome.remedy,
        )
    notes = _note(games.sides.height - placed.height, f"entrants without {outcome.lacking} were left out")
    notes += _note(placed.height - kept.height, "entrants alone in their race were left out")
    result = kept["result"].to_numpy()
    return kept.drop("result"), result, kept["exposure"].to_numpy().astype(float), notes


def _note(count: int, words: str) -> tuple[str, ...]:
    return (f"{count:,} {words}.",) if count else ()
