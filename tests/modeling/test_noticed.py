"""Runs, upsets and final tables, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling.outcomes.noticed import ends_of, longest_run, noticed
from modeling.outcomes.outcome import Results
from modeling.outcomes.schedule import schedule_of


def plain(y):
    return y


def of(name):
    return next(one for one in noticed(plain, 1, has_draws=True) if one.name == name).of


def results(first, second, season, y, eta=None):
    first, second, season, y = (np.asarray(one) for one in (first, second, season, y))
    nothing = np.zeros(len(y), dtype=int)
    schedule = schedule_of(first, second, season)
    return Results(y.astype(float), np.ones(len(y)), np.arange(len(y)), nothing, first, second, eta, schedule)


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=12), min_size=1, max_size=6))
def test_the_longest_run_is_that_of_counting(runs):
    def by_hand(one):
        best = now = 0
        for hit in one:
            now = now + 1 if hit else 0
            best = max(best, now)
        return best

    hit = np.array([value for one in runs for value in one])
    is_start = np.array([number == 0 for one in runs for number in range(len(one))])
    assert longest_run(hit, is_start) == max(by_hand(one) for one in runs)


@pytest.fixture(scope="module")
def season():
    """Two seasons of four teams, each pair six times, in which 0 beats all, 1 and 2 draw and 3 loses to all."""
    pairs = [(a, b) for _ in range(3) for a in range(4) for b in range(4) if a != b]
    first, second = np.array(pairs * 2).T
    points = np.array([1.0, 0.5, 0.5, 0.0])
    y = (1 + np.sign(points[first] - points[second])) / 2
    return results(first, second, np.repeat([0, 1], len(pairs)), y)


def test_runs_go_on_from_season_to_season_and_end_with_the_competitor(season):
    assert of("winning_run")(season) == 36
    assert of("unbeaten_run")(season) == 36


def test_tables_are_spread_as_their_points_say(season):
    lines = np.array([1.0, 0.5, 0.5, 0.0])  # 1 and 2 win six, draw six and lose six of eighteen
    assert of("table_spread")(season) == pytest.approx(lines.std())
    assert of("champions")(season) == 1.0


def test_the_favourite_of_the_clearest_quarter_loses_as_often_as_counted():
    rng = np.random.default_rng(1)
    eta, y = rng.normal(size=400), rng.integers(0, 2, 400).astype(float)
    clear = np.abs(eta) >= np.quantile(np.abs(eta), 0.75)
    lost = np.where(eta > 0, y == 0, y == 1)[clear].mean()
    found = results(rng.integers(0, 5, 400), 5 + rng.integers(0, 5, 400), np.zeros(400, int), y, eta)
    assert of("upsets")(found) == pytest.approx(lost)


def test_of_a_knock_out_there_are_no_runs_and_no_tables():
    """Sixteen players, eight seasons: who wins plays on, so that the schedule tells of the results."""
    first, second, seasons = [], [], []
    for season in range(8):
        left = np.random.default_rng(season).permutation(16)
        while len(left) > 1:
            first += list(left[0::2])
            second += list(left[1::2])
            seasons += [season] * (len(left) // 2)
            left = left[0::2]
    found = results(first, second, seasons, np.ones(len(first)))
    assert found.schedule is not None and not found.schedule.is_league
    assert all(np.isnan(of(name)(found)) for name in ("winning_run", "unbeaten_run", "table_spread", "champions"))


def test_divisions_that_do_not_meet_are_tables_of_their_own():
    pairs = [(a, b) for _ in range(2) for a in range(4) for b in range(4) if a != b]
    first, second = np.array(pairs + [(a + 10, b + 10) for a, b in pairs]).T
    schedule = schedule_of(first, second, np.zeros(len(first), dtype=int))
    assert schedule.is_league and schedule.table.max() == 1
    assert np.array_equal(np.bincount(schedule.table), [4, 4])


def test_the_ends_of_a_game_share_its_points():
    found = results([0, 1], [1, 2], [0, 0], [1.0, 0.5])
    assert np.array_equal(ends_of(found, plain), [1.0, 0.5, 0.0, 0.5])
