"""Who is rated: every competitor of a kind with its games, its pool, and whether it is ranked."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_array, coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from modeling.design import Design, Kind
from store.stanzas import Stanza


@dataclass(frozen=True)
class Field:
    """Who is rated in one kind, in the order of the blocks' units, and who of them is ranked."""

    kind: str
    competitors: tuple[str, ...]
    games: NDArray[np.int_]
    """Contests played."""
    last_played: NDArray[np.datetime64]
    pool: NDArray[np.int_]
    """Connected component of the games, 1 the largest."""
    status: NDArray[np.str_]

    @cached_property
    def ranked(self) -> NDArray[np.bool_]:
        """Who is ranked, shape (competitors,)."""
        return self.status == "ranked"

    @property
    def reference(self) -> NDArray[np.bool_]:
        """Whose mean rating is zero: the ranked, or everybody where nobody is."""
        return self.ranked if self.ranked.any() else np.ones(len(self.competitors), dtype=bool)


def make_field(design: Design, kind: Kind, stanza: Stanza, as_of: date) -> Field:
    """Status, contests and pool of every competitor of a kind."""
    played = incidence(kind.sides, design.side_game, design.games)
    contests = design.contest.max(initial=-1) + 1
    of_contest = csr_array((np.ones(design.games), (np.arange(design.games), design.contest)), (design.games, contests))
    count = np.diff(csr_array(played @ of_contest).indptr)
    last = np.array([design.played_on[row].max() for row in np.split(played.indices, played.indptr[1:-1])])
    pool = _pools(played)
    since = np.datetime64(as_of - timedelta(days=stanza.active_days))
    status = np.where(
        last < since, "inactive", np.where((count < stanza.min_games) | (pool > 1), "provisional", "ranked")
    )
    return Field(kind.name, kind.competitors, count, last, pool, status)


def incidence(sides: csr_array, side_game: NDArray[np.intp], games: int) -> csr_array:
    """Who played in which game, shape (competitors, games), ones and zeros."""
    entries = coo_array(sides)
    matrix = csr_array(
        coo_array((np.ones(entries.nnz), (entries.col, side_game[entries.row])), (sides.tocsc().indptr.size - 1, games))
    )
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _pools(played: csr_array) -> NDArray[np.int_]:
    """Connected component of every competitor, numbered by size from 1: competitors and games are the nodes."""
    size = played.indptr.size - 1
    count, label = connected_components(block_array([[None, played], [played.T, None]]), directed=False)
    sizes = np.bincount(label[:size], minlength=count)
    number = np.empty(count, dtype=int)
    number[np.argsort(-sizes, kind="stable")] = np.arange(1, count + 1)
    return number[label[:size]]
