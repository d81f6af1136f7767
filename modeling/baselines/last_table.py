"""Last season's table: who took the larger share of the points then is likelier to win now.

A side that was not there stands apart: how it does is learned too. Shares count a win 1 and a draw a half.
"""

import numpy as np
from numpy.typing import NDArray

from modeling.baselines.contests import Baseline, Contests, Forecasts
from modeling.baselines.ordered import Ordered, fitted
from modeling.outcomes.outcome import Array

FEWEST = 30  # games of the past to learn from


def tables(past: Contests, seasons: int) -> Array:
    """Share of the points of each competitor in each season, NaN where he was not there; shape (seasons, who)."""
    at = (
        past.season[past.game] * (past.competitors + 1) + past.who
    )  # nobody's number, -1, is the last of the row before
    at = np.where(past.who < 0, (past.season[past.game] + 1) * (past.competitors + 1) - 1, at)
    size, has_place = seasons * (past.competitors + 1), ~np.isnan(past.share)
    points, games = np.bincount(at[has_place], past.share[has_place], size), np.bincount(at[has_place], minlength=size)
    with np.errstate(invalid="ignore"):
        return (points / games).reshape(seasons, -1)


def _features(games: Contests, table: Array) -> Array:
    """Difference of last season's shares, of being new, and home, shape (games, 3)."""
    before = np.vstack([np.full(table.shape[1], np.nan), table])[games.season[games.game], games.who]
    was_there = ~np.isnan(before)
    known = np.where(was_there, before, 0.5)
    parts = [known[0::2] - known[1::2], was_there[0::2].astype(float) - was_there[1::2]]
    return np.stack([*parts, games.home.astype(float)], axis=1)


def _judged(past: Contests) -> NDArray[np.bool_]:
    """Games of the past that have a season before them."""
    return past.season > past.season.min(initial=0)


def _tune(past: Contests, _before: Ordered | None) -> Ordered | None:
    judged = _judged(past) if past.games else np.zeros(0, bool)
    if judged.sum() < FEWEST:
        return None
    table = tables(past, int(past.season.max()) + 1)
    return fitted(_features(past, table)[judged], past.result[judged], past.has_draws)


def _forecast(settings: Ordered, past: Contests, to_come: Contests) -> Forecasts:
    table = tables(past, int(max(past.season.max(), to_come.season.max())) + 1)
    return Forecasts(settings.chances(_features(to_come, table)))


BASELINES = (Baseline("last_table", "last season's table", False, _tune, _forecast),)
