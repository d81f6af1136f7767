"""A season's final table: points, what tells equals apart, and the place of everybody, in many simulated seasons.

In: who plays whom, and the scores of every game in every season. Out: points and places.
"""

# ruff: noqa: ANN001, ANN202 -- compiled functions: numba infers the types from the arrays

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from modeling.outcomes.outcome import Array

POINTS, DIFFERENCE, SCORED, WINS, MET_POINTS, MET_DIFFERENCE, MET_SCORED, PLAY_OFF, LOTS = range(9)
CODES = {
    "points": (POINTS,),
    "difference": (DIFFERENCE,),
    "scored": (SCORED,),
    "wins": (WINS,),
    "head_to_head": (MET_POINTS, MET_DIFFERENCE, MET_SCORED),
    "play_off": (PLAY_OFF,),
    "lots": (LOTS,),
}
LEVEL = 1e-9  # scores less apart than this are a draw, sums of them are equal

jit = numba.njit(cache=True, nogil=True)


@dataclass(frozen=True)
class Rules:
    """How a table is made. Who is still equal after all of `order` is told apart by lots."""

    points: tuple[float, float, float]
    """Of a win, a draw and a loss."""
    order: tuple[str, ...]
    """What counts first, second and so on: keys of `CODES`. Head-to-head is points, difference and score of the games
    among those who are equal so far."""

    @property
    def codes(self) -> NDArray[np.int64]:
        """The criteria as the kernel knows them, lots at the end."""
        named = [code for name in self.order for code in CODES[name]]
        return np.array([*named, LOTS], dtype=np.int64)


@dataclass(frozen=True)
class Tables:
    """Final tables of simulated seasons."""

    points: Array
    """Shape (seasons, sides)."""
    places: NDArray[np.int16]
    """From 1, a permutation in every season; shape (seasons, sides)."""

    def chances(self) -> Array:
        """Chance of each side to take each place, shape (sides, places); rows and columns sum to one."""
        sides = self.places.shape[1]
        counts = [np.bincount(column - 1, minlength=sides) for column in self.places.T]
        return np.array(counts) / len(self.places)

    def among(self, first: int, last: int) -> NDArray[np.bool_]:
        """Whether each side is from place `first` to `last`, which may count from the end as -1; (seasons, sides)."""
        sides = self.places.shape[1]
        low, high = (place if place > 0 else sides + 1 + place for place in (first, last))
        return (self.places >= low) & (self.places <= high)


def tables(
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    scores: Array,
    keys: Array,
    rules: Rules,
    deducted: Array | None = None,
) -> Tables:
    """The final tables of seasons in which side `first[g]` met `second[g]`.

    `scores` has shape (seasons, games, 2), its first axis of length one where all seasons are alike; `keys`, of shape
    (seasons, sides, 2), decide play-offs and lots: the higher is ahead. `deducted` are points taken off each side.
    """
    off = np.zeros(keys.shape[1]) if deducted is None else deducted
    whole = np.broadcast_to(scores, (len(keys), *scores.shape[1:]))
    points, places = _tables(first, second, whole, keys, np.array(rules.points), rules.codes, off)
    return Tables(points, places)


@jit
def _tables(first, second, scores, keys, worth, codes, deducted):
    seasons, sides = keys.shape[0], keys.shape[1]
    found, places = np.empty((seasons, sides)), np.empty((seasons, sides), np.int16)
    sums = np.empty((7, sides))
    everybody = np.zeros(sides, np.int64)
    for season in range(seasons):
        _add_up(first, second, scores[season], worth, everybody, sums[:4])
        sums[POINTS] -= deducted
        found[season] = sums[POINTS]
        places[season] = _ordered(first, second, scores[season], keys[season], worth, codes, sums)
    return found, places


@jit
def _add_up(first, second, scores, worth, group, sums):
    """Points, difference, scored and wins of every side from the games of sides of one group."""
    sums[:] = 0.0
    for game in range(first.size):
        a, b = first[game], second[game]
        if group[a] != group[b]:
            continue
        x, y = scores[game, 0], scores[game, 1]
        sums[1, a] += x - y
        sums[1, b] += y - x
        sums[2, a] += x
        sums[2, b] += y
        if abs(x - y) < LEVEL:
            sums[0, a] += worth[1]
            sums[0, b] += worth[1]
        else:
            ahead, behind = (a, b) if x > y else (b, a)
            sums[0, ahead] += worth[0]
            sums[0, behind] += worth[2]
            sums[3, ahead] += 1


@jit
def _ordered(first, second, scores, keys, worth, codes, sums):
    """Places from 1: `group` is the place of the first of those still equal, and each criterion splits the groups."""
    sides = keys.shape[0]
    group, met = np.zeros(sides, np.int64), np.zeros((4, sides))
    for code in codes:
        if code == MET_POINTS:
            _add_up(first, second, scores, worth, group, met)
            sums[MET_POINTS : MET_SCORED + 1] = met[:3]
        if code == PLAY_OFF:
            value = keys[:, 0]
        elif code == LOTS:
            value = keys[:, 1]
        else:
            value = sums[code]
        if _split(group, value) == 0:
            break
    return (group + 1).astype(np.int16)


@jit
def _split(group, value):
    """Orders equals by a value; returns how many are equal to another still."""
    sides, equal = group.size, 0
    after = np.zeros(sides, np.int64)
    for a in range(sides):
        for b in range(sides):
            if group[a] == group[b] and a != b and value[b] > value[a] + LEVEL:
                after[a] += 1
    for a in range(sides):
        group[a] += after[a]
    for a in range(sides):
        for b in range(a):
            if group[a] == group[b]:
                equal += 1
    return equal
