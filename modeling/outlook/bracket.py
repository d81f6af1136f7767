"""Knock-outs: who reaches which round of a draw, in many simulated cups.

A draw is a list of slots, a power of two of them; neighbours meet, then the winners of neighbours. An empty slot is a
bye. In: a chance for every meeting there can be, in every cup. Out: how far each entrant comes.
"""

# ruff: noqa: ANN001, ANN202 -- compiled functions: numba infers the types from the arrays

from math import comb

import numba
import numpy as np
from numpy.typing import NDArray

from modeling.outcomes.outcome import Array
from store.errors import UsageError

BYE = -1
jit = numba.njit(cache=True, nogil=True)


def seeded(entrants: int) -> NDArray[np.intp]:
    """Slots of a draw in which seed k is entrant k - 1: the best two can meet only in the final, and so on.

    Seeds of a round sum to one more than its slots; who is beyond the last entrant is a bye, so that the best seeds
    have them. Raises UsageError where there are not two.
    """
    if entrants < 2:
        raise UsageError("A draw needs two entrants at least.")
    slots = np.array([0])
    while len(slots) < entrants:
        slots = np.stack([slots, 2 * len(slots) - 1 - slots], axis=1).ravel()
    return np.where(slots < entrants, slots, BYE)


def best_of(chance: Array, games: int) -> Array:
    """Chance to win a series of `games` (an odd number) whose single games are won with a chance, of its shape.

    As if all were played: sum over k from (games + 1) / 2 of C(games, k) p^k (1 - p)^(games - k).
    """
    most = range(games // 2 + 1, games + 1)
    return np.sum([comb(games, k) * chance**k * (1 - chance) ** (games - k) for k in most], axis=0)


def reached(slots: NDArray[np.intp], chance: Array, cups: int, rng: np.random.Generator) -> Array:
    """Chance of each entrant to reach each round, shape (entrants, rounds + 1): the first round, ..., to have won.

    `slots` are those of every cup, or a row a cup. `chance[r, d, a, b]` is entrant a's chance to knock b out in round
    r, given draw d; each cup takes the next draw. A single round or draw stands for all. Chances of a round sum to the
    number of slots in it, byes apart.
    """
    size, entrants = slots.shape[-1], chance.shape[-1]
    rounds = int(np.log2(size))
    whole = np.broadcast_to(chance, (rounds, *chance.shape[1:]))
    counts = np.zeros((entrants, rounds + 1), np.int64)
    _play(np.broadcast_to(slots, (cups, size)), whole, rng.random((cups, size - 1)), counts)
    return counts / cups


@jit
def _play(slots, chance, luck, counts):
    draws = chance.shape[1]
    for cup in range(luck.shape[0]):
        left, size, match = slots[cup].copy(), slots.shape[1], 0
        for slot in left:
            if slot >= 0:
                counts[slot, 0] += 1
        for stage in range(chance.shape[0]):
            size //= 2
            for pair in range(size):
                a, b = left[2 * pair], left[2 * pair + 1]
                if a < 0 or b < 0:
                    winner = max(a, b)
                elif luck[cup, match] < chance[stage, cup % draws, a, b]:
                    winner = a
                else:
                    winner = b
                match += 1
                left[pair] = winner
                if winner >= 0:
                    counts[winner, stage + 1] += 1
