"""What is known of a play-off's ties once some of their games are played: who is ahead, and who went through.

Any two meet in one tie of a knock-out at most, so its games are those of the two after their tables' ends. A tie that
is level after its last game was won by who won the shoot-out, or else by whoever plays later in the play-offs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.outcomes.outcome import Array
from modeling.outlook.table import LEVEL
from modeling.outlook.ties import AT_FIRST, AT_SECOND


@dataclass(frozen=True)
class Met:
    """Games played between each two sides, all of shape (sides, sides); the lower number is the row, and the first."""

    games: NDArray[np.intp]
    """How many."""
    lead: Array
    """By how much the first is ahead in them."""
    left: NDArray[np.intp]
    """Whose ground a second game is at, after the last played: `AT_FIRST` or `AT_SECOND`."""
    through: Array
    """Where it is level: 1 where the first is known to have gone through, 0 where the second is, else NaN."""
    known: NDArray[np.bool_]
    """Whether a game between them is known, played or to come: both are in its round."""

    def settled(self, low: NDArray[np.intp], high: NDArray[np.intp], level: Array | float) -> Array:
        """Chance of the first of each two to have gone through after all games, if those known are all; who is level
        did with the chance `level` where it is not known."""
        lead, through = self.lead[low, high], self.through[low, high]
        even = np.where(np.isnan(through), level, through)
        return np.where(np.abs(lead) < LEVEL, even, lead > 0)


def met_of(sides: Sequence[str], after: pl.DataFrame) -> Met:
    """What is known of each two of some sides, whose numbers are their places here, from the games after their tables
    (`competitions.games_after`)."""
    number = {side: k for k, side in enumerate(sides)}
    shape = (len(sides), len(sides))
    found = Met(np.zeros(shape, np.intp), np.zeros(shape), np.zeros(shape, np.intp), np.full(shape, np.nan),
                np.zeros(shape, np.bool_))  # fmt: skip
    shoot_out: dict[tuple[int, int], int | None] = {}
    last_on: dict[int, date] = {}
    known = after.filter(pl.col("who").is_in(list(number)).all().over("game_id"))
    for _, rows in groupby(known.iter_rows(named=True), key=lambda row: row["game_id"]):
        low, high = sorted(rows, key=lambda row: number[row["who"]])
        pair = number[low["who"]], number[high["who"]]
        last_on[pair[0]] = last_on[pair[1]] = low["played_on"]
        found.known[pair] = True
        if low["value"] is not None:
            found.games[pair] += 1
            found.lead[pair] += low["value"] - high["value"]
            found.left[pair] = AT_SECOND if low["is_home"] else AT_FIRST
            shoot_out[pair] = number.get(low["shoot_out"])
    for pair, winner in shoot_out.items():
        found.through[pair] = _through(winner, pair, last_on)
    return found


def _through(winner: int | None, pair: tuple[int, int], last_on: dict[int, date]) -> float:
    """Whether the first of two went through where they are level; NaN where nothing tells."""
    if winner in pair:
        return float(winner == pair[0])
    first, second = (last_on[side] for side in pair)
    return np.nan if first == second else float(first > second)
