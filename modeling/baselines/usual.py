"""What is usual: every game gets the past's shares of results, without and with a look at who is at home."""

import numpy as np

from modeling.baselines.contests import DRAW, LOSS, WIN, Baseline, Contests, Forecasts, needs_nothing, shares
from modeling.outcomes.outcome import Array


def _shares(past: Contests, chosen: Array, both_ways: bool) -> Array:
    """Shares of results of some games, as the side has it for which 1 is chosen and -1 is the other."""
    turned = np.where(chosen[chosen != 0] < 0, LOSS - past.result[chosen != 0], past.result[chosen != 0])
    counts = np.array([(turned == one).sum() for one in (WIN, DRAW, LOSS)], dtype=float)
    if both_ways:
        counts = (counts + counts[::-1]) / 2
    if past.has_draws:
        return shares(counts)
    return np.insert(shares(np.array([counts[0] + counts[1] / 2, counts[2] + counts[1] / 2])), 1, 0.0)


def _base_rate(_settings: bool, past: Contests, to_come: Contests) -> Forecasts:
    usual = _shares(past, np.ones(past.games), both_ways=True)
    return Forecasts(np.tile(usual, (to_come.games, 1)))


def _home_rate(_settings: bool, past: Contests, to_come: Contests) -> Forecasts:
    at_home = _shares(past, past.home.astype(float), both_ways=False)
    neutral = _shares(past, (past.home == 0).astype(float), both_ways=True)
    place = to_come.home[:, None]
    return Forecasts(np.where(place > 0, at_home, np.where(place < 0, at_home[::-1], neutral)))


BASELINES = (
    Baseline("base_rate", "what is usual", False, needs_nothing, _base_rate),
    Baseline("home_rate", "what is usual at home", False, needs_nothing, _home_rate),
)
