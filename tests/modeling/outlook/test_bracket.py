"""Knock-outs: seeds, byes, series, and the chances of all rounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling.outlook.bracket import BYE, best_of, reached, seeded
from store.errors import UsageError

CUPS = 4000


def bradley_terry(strength: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(strength[..., None, :] - strength[..., :, None]))


def exactly(slots: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Chances to reach each round, by the sum over all opponents."""
    rounds, entrants = int(np.log2(len(slots))), len(chance)
    at = np.zeros((len(slots), entrants + 1))
    at[np.arange(len(slots)), slots] = 1.0  # a bye is the last column
    found = [at[:, :entrants].sum(axis=0)]
    beats = np.zeros((entrants + 1, entrants + 1))
    beats[:entrants, :entrants] = chance
    beats[:entrants, entrants] = 1.0
    beats[entrants, entrants] = 1.0
    for _ in range(rounds):
        a, b = at[0::2], at[1::2]
        at = a * (b @ beats.T) + b * (a @ beats.T)
        at[:, entrants] = a[:, entrants] * b[:, entrants]
        found.append(at[:, :entrants].sum(axis=0))
    return np.array(found).T


def test_seeds_meet_as_late_as_they_can():
    assert seeded(4).tolist() == [0, 3, 1, 2]
    assert seeded(8).tolist() == [0, 7, 3, 4, 1, 6, 2, 5]
    assert seeded(5).tolist() == [0, BYE, 3, 4, 1, BYE, 2, BYE]
    slots = seeded(128)
    while len(slots) > 1:
        assert (slots[0::2] + slots[1::2] == len(slots) - 1).all()
        slots = np.minimum(slots[0::2], slots[1::2])


def test_one_entrant_is_no_draw():
    with pytest.raises(UsageError, match="two entrants"):
        seeded(1)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 20), st.integers(0, 2**32 - 1))
def test_chances_of_every_round_sum_to_its_places(entrants, seed):
    rng = np.random.default_rng(seed)
    slots = seeded(entrants)
    found = reached(slots, bradley_terry(rng.normal(0, 1, (1, 5, entrants))), 200, rng)
    assert np.allclose(found[:, 0], 1)
    assert np.allclose(found[:, -1].sum(), 1)
    for left in range(1, found.shape[1]):
        assert np.isclose(found[:, left].sum(), min(len(slots) >> left, entrants))
    assert (np.diff(found, axis=1) <= 1e-12).all()


@pytest.mark.parametrize("entrants", [2, 5, 16, 128])
def test_chances_agree_with_the_sum_over_all_opponents(entrants):
    rng = np.random.default_rng(entrants)
    slots = seeded(entrants)
    chance = bradley_terry(rng.normal(0, 1, entrants))
    true, found = exactly(slots, chance), reached(slots, chance[None, None], CUPS, rng)
    error = np.sqrt(np.maximum(true * (1 - true), 1e-4) / CUPS)
    assert (np.abs(found - true) < 5 * error).all()


def test_who_is_called_what_changes_nothing():
    rng = np.random.default_rng(3)
    chance, new = bradley_terry(rng.normal(0, 1, 8)), rng.permutation(8)
    before = reached(seeded(8), chance[None, None], 500, np.random.default_rng(1))
    turned = np.empty_like(chance)
    turned[np.ix_(new, new)] = chance
    after = reached(new[seeded(8)], turned[None, None], 500, np.random.default_rng(1))
    assert np.array_equal(after[new], before)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 1), st.sampled_from([1, 3, 5, 7]))
def test_a_series_is_the_sum_over_how_it_can_end(chance, games):
    needed, total = games // 2 + 1, 0.0
    ways: dict[tuple[int, int], float] = {(0, 0): 1.0}
    while ways:
        (won, lost), share = ways.popitem()
        for now, more in (((won + 1, lost), share * chance), ((won, lost + 1), share * (1 - chance))):
            if now[0] == needed:
                total += more
            elif now[1] < needed:
                ways[now] = ways.get(now, 0.0) + more
    assert best_of(np.array(chance), games) == pytest.approx(total, abs=1e-12)
    assert best_of(np.array(chance), games) + best_of(np.array(1 - chance), games) == pytest.approx(1)
