"""Who met whom in which season: what final tables and runs of results are made of, the same for every replication."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SMALLEST = 4  # competitors of a table
FEWEST = 6  # games of a competitor in a table
ALIKE = 0.25  # of the median number of games: within this a competitor has played the schedule the others had
MOST = 0.9  # share of the games that must be of tables


@dataclass(frozen=True)
class Schedule:
    """Ends are the two sides of all games: first those of every first side, then those of every second."""

    order: NDArray[np.intp]
    """Ends by competitor, then in order of play; shape (2 x games,)."""
    is_start: NDArray[np.bool_]
    """Of the ends in that order, whether it is the competitor's first."""
    ends: NDArray[np.intp]
    """Ends of games in tables."""
    entry: NDArray[np.intp]
    """Of each of them, the number of the competitor's line in its table."""
    table: NDArray[np.intp]
    """Of each line, its table."""
    games: NDArray[np.float64]
    """Of each line, its games."""
    is_league: bool
    """Whether nearly all games are of tables: of a schedule that results do not change, as they do in a knock-out."""


def schedule_of(first: NDArray[np.intp], second: NDArray[np.intp], season: NDArray[np.intp]) -> Schedule:
    """The schedule of games in order of play, from the competitors of each and its season, by number.

    A table is a season's competitors who met one another, even at a remove, and all played about as many games.
    """
    who, seasons = np.concatenate([first, second]), np.concatenate([season, season])
    order = np.lexsort((np.tile(np.arange(len(first)), 2), who))
    is_start = np.r_[True, who[order][1:] != who[order][:-1]]
    lines, line = np.unique(seasons * (who.max(initial=0) + 1) + who, return_inverse=True)
    met = coo_array((np.ones(len(first)), (line[: len(first)], line[len(first) :])), shape=(len(lines), len(lines)))
    count, table = connected_components(met, directed=False)
    games = np.bincount(line, minlength=len(lines)).astype(float)
    fair = _is_fair(table, games, count)
    ends = np.flatnonzero(fair[table[line]])
    kept, entry = np.unique(line[ends], return_inverse=True)
    is_league = len(ends) >= MOST * len(who)
    return Schedule(
        order, is_start, ends, entry, np.unique(table[kept], return_inverse=True)[1], games[kept], is_league
    )


def _is_fair(table: NDArray[np.int32], games: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    """Whether each table is one: large enough, and nine in ten of its lines with much the same number of games."""
    order = np.argsort(table, kind="stable")
    parts = np.split(games[order], np.cumsum(np.bincount(table, minlength=count))[:-1])
    return np.array([_alike(part) for part in parts], dtype=bool)


def _alike(games: NDArray[np.float64]) -> bool:
    usual = float(np.median(games))
    near = np.abs(games - usual) <= ALIKE * usual
    return len(games) >= SMALLEST and usual >= FEWEST and float(near.mean()) >= MOST
