"""What a fan would notice of any games of two sides: upsets, runs of wins, how far final tables are spread.

Each is one pass over the games. Of runs and tables only leagues tell: in a knock-out who wins plays on, so that the
schedule has the results in it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from modeling.outcomes.outcome import Array, Results, Statistic

Points = Callable[[Array], Array]
CLEAREST = 0.75  # quantile of the difference between sides from which a favourite is a clear one


def noticed(points: Points, rows: int, *, has_draws: bool) -> tuple[Statistic, ...]:
    """The statistics of an outcome whose `points` (1, a half, 0) go to the first side, with `rows` rows a game."""
    upsets = Statistic(
        "upsets",
        "share lost by the favourite of the quarter of games with the clearest one",
        lambda results: _upsets(results, points, rows),
        needs_eta=True,
    )
    wins = Statistic("winning_run", "longest run of wins of anybody", lambda results: _longest(results, points, 1.0))
    unbeaten = Statistic(
        "unbeaten_run", "longest run of anybody without a defeat", lambda results: _longest(results, points, 0.5)
    )
    tables = (
        Statistic("table_spread", "spread of points a game in final tables", lambda one: _spread(one, points)),
        Statistic("champions", "points a game of whoever came first in a table", lambda one: _champions(one, points)),
    )
    return (upsets, wins, *((unbeaten,) if has_draws else ()), *tables)


def ends_of(results: Results, points: Points) -> Array:
    """Points of every first side, then of every second."""
    first = points(results.y)
    return np.concatenate([first, 1 - first])


def _upsets(results: Results, points: Points, rows: int) -> float:
    assert results.eta is not None
    lead = results.eta if rows == 1 else results.eta[0::2] - results.eta[1::2]
    apart = np.abs(lead)
    clear = apart >= np.quantile(apart, CLEAREST)
    lost = points(results.y)[clear] == np.where(lead[clear] > 0, 0.0, 1.0)
    return float(lost.mean())


def _longest(results: Results, points: Points, least: float) -> float:
    """The longest run of at least so many points a game."""
    schedule = results.schedule
    if schedule is None or not schedule.is_league:
        return float("nan")
    return float(longest_run(ends_of(results, points)[schedule.order] >= least, schedule.is_start))


def longest_run(hit: NDArray[np.bool_], is_start: NDArray[np.bool_]) -> int:
    """The most hits in a row; no run goes on past a start."""
    so_far = np.cumsum(hit)
    before = np.maximum.accumulate(np.where(hit, np.where(is_start, so_far - 1, 0), so_far))
    return int(np.max(so_far - before, initial=0))


def _lines(results: Results, points: Points) -> Array | None:
    """Points a game of every line of every table; None where the games are of none."""
    schedule = results.schedule
    if schedule is None or not schedule.is_league:
        return None
    of_ends = ends_of(results, points)[schedule.ends]
    return np.bincount(schedule.entry, of_ends, len(schedule.games)) / schedule.games


def _spread(results: Results, points: Points) -> float:
    """Root of the mean square distance of a line's points a game from the mean of its table."""
    lines = _lines(results, points)
    if lines is None or results.schedule is None:
        return float("nan")
    table = results.schedule.table
    mean = np.bincount(table, lines) / np.bincount(table)
    return float(np.sqrt(np.mean((lines - mean[table]) ** 2)))


def _champions(results: Results, points: Points) -> float:
    lines = _lines(results, points)
    if lines is None or results.schedule is None:
        return float("nan")
    best = np.zeros(results.schedule.table.max() + 1)
    np.maximum.at(best, results.schedule.table, lines)
    return float(best.mean())
