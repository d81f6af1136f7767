"""Final tables: every season is a permutation, equals are told apart as the rules say."""

from itertools import combinations, groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling.outlook.table import CODES, Rules, tables

LEAGUE = Rules((3.0, 1.0, 0.0), ("points", "difference", "scored"))
ORDERS = st.permutations(list(CODES)).map(tuple)


def made(first: list, second: list, scores: list, rules: Rules, sides: int, seasons: int = 1, seed: int = 0):
    keys = np.random.default_rng(seed).random((seasons, sides, 2))
    return keys, tables(np.array(first), np.array(second), np.array(scores, float)[None], keys, rules)


def by_hand(games: list, sides: int, keys: np.ndarray, rules: Rules) -> list[int]:
    """Places by the rules, told without any cleverness: split the equals again and again."""

    def sums(among: set[int]) -> dict[int, tuple]:
        found = {side: [0.0, 0.0, 0.0, 0.0] for side in among}
        for a, b, x, y in games:
            if a in among and b in among:
                for own, other, scored, let in ((a, b, x, y), (b, a, y, x)):
                    result = 0 if scored > let else 1 if scored == let else 2
                    for k, add in enumerate((rules.points[result], scored - let, scored, float(result == 0))):
                        found[own][k] += add
                    assert own != other
        return {side: tuple(one) for side, one in found.items()}

    whole = sums(set(range(sides)))
    groups = [list(range(sides))]
    for name in (*rules.order, "lots"):
        values = [
            {side: (whole[side][k],) for side in range(sides)}
            for k in {"points": [0], "difference": [1], "scored": [2], "wins": [3]}.get(name, [])
        ]
        if name in ("play_off", "lots"):
            values = [{side: (float(keys[side, 0 if name == "play_off" else 1]),) for side in range(sides)}]
        if name == "head_to_head":
            met = {side: one for group in groups for side, one in sums(set(group)).items()}
            values = [{side: met[side][:3] for side in range(sides)}]
        for value in values:
            groups = [
                list(part)
                for group in groups
                for _, part in groupby(
                    sorted(group, key=lambda side, v=value: tuple(-part for part in v[side])),
                    key=lambda side, v=value: v[side],
                )
            ]
    places = {side: place for place, (side,) in enumerate(groups, start=1)}
    return [places[side] for side in range(sides)]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(2, 6), ORDERS, st.integers(0, 2**32 - 1))
def test_tables_agree_with_the_rules_told_by_hand(data, sides, order, seed):
    pairs = list(combinations(range(sides), 2)) * 2
    goals = st.lists(st.integers(0, 2), min_size=2, max_size=2)
    scores = [data.draw(goals) for _ in pairs]
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    rules = Rules((2.0, 1.0, 0.0), order)
    keys, found = made(first, second, scores, rules, sides, seed=seed)
    games = [(a, b, float(x), float(y)) for (a, b), (x, y) in zip(pairs, scores, strict=True)]
    assert found.places[0].tolist() == by_hand(games, sides, keys[0], rules)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(0, 2**32 - 1), ORDERS)
def test_places_are_a_permutation_and_chances_sum_to_one(sides, seed, order):
    rng = np.random.default_rng(seed)
    pairs = np.array(list(combinations(range(sides), 2)))
    scores = rng.poisson(1.0, (20, len(pairs), 2)).astype(float)
    found = tables(pairs[:, 0], pairs[:, 1], scores, rng.random((20, sides, 2)), Rules((3.0, 1.0, 0.0), order))
    assert (np.sort(found.places, axis=1) == np.arange(1, sides + 1)).all()
    chances = found.chances()
    assert np.allclose(chances.sum(axis=0), 1)
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.allclose(found.among(1, 1).sum(axis=1), 1)
    assert (found.among(-1, -1) == (found.places == sides)).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(3, 8), st.integers(0, 2**32 - 1))
def test_who_is_called_what_changes_nothing(sides, seed):
    rng = np.random.default_rng(seed)
    pairs = np.array(list(combinations(range(sides), 2)))
    scores, keys = rng.poisson(1.0, (5, len(pairs), 2)).astype(float), rng.random((5, sides, 2))
    new = rng.permutation(sides)
    rules = Rules((3.0, 1.0, 0.0), ("points", "head_to_head", "difference"))
    before = tables(pairs[:, 0], pairs[:, 1], scores, keys, rules)
    named = np.empty_like(keys)
    named[:, new] = keys
    after = tables(new[pairs[:, 0]], new[pairs[:, 1]], scores, named, rules)
    assert (after.places[:, new] == before.places).all()


def test_head_to_head_looks_only_at_the_games_of_the_equals():
    """0 and 1 are level on points; 1 has the better difference, and 0 beat 1."""
    first, second, scores = [0, 1], [1, 2], [(1, 0), (9, 0)]
    _, by_difference = made(first, second, scores, LEAGUE, 3)
    _, by_meeting = made(first, second, scores, Rules(LEAGUE.points, ("points", "head_to_head")), 3)
    assert by_difference.places[0].tolist() == [2, 1, 3]
    assert by_meeting.places[0].tolist() == [1, 2, 3]


def test_points_deducted_count():
    found = tables(
        np.array([0]), np.array([1]), np.array([[[1.0, 0.0]]]), np.zeros((1, 2, 2)), LEAGUE, np.array([4.0, 0.0])
    )
    assert found.points[0].tolist() == [-1, 0]
    assert found.places[0].tolist() == [2, 1]


@pytest.mark.parametrize("seed", range(3))
def test_lots_are_fair_among_those_whom_nothing_tells_apart(seed):
    keys = np.random.default_rng(seed).random((20_000, 4, 2))
    pairs = np.array(list(combinations(range(4), 2)))
    found = tables(pairs[:, 0], pairs[:, 1], np.ones((1, len(pairs), 2)), keys, LEAGUE)
    assert np.abs(found.chances() - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 20_000)
