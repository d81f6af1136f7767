"""Terms: who and what was on each side of the games, as sparse matrices of sides by units, and their rows' layout.

A unit is a competitor, or a competitor on one surface, in one season, at home. A block of effects is a term laid out
over the rows of the likelihood.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from modeling.outcomes.outcome import Array, Outcome


@dataclass(frozen=True)
class Term:
    """Share with which each unit was on each side, shape (sides, units)."""

    matrix: csr_array
    owner: NDArray[np.intp]
    """Competitor of each unit, shape (units,)."""
    value: tuple[str, ...] = ()
    """What of the competitor each unit is; empty where units are the competitors themselves."""


@dataclass(frozen=True)
class Walk:
    """A term's states after the entry state, one level each time a unit plays in a new period."""

    matrix: csr_array
    """Shape (sides, levels)."""
    unit: NDArray[np.intp]
    year: Array
    """When each level's period starts, in years."""
    previous: NDArray[np.intp]
    years: Array
    loading: csr_array
    """The last state of each unit, shape (units, levels); no entry where the unit is still in its entry state."""
    idle: Array


def team_term(sides: pl.DataFrame) -> tuple[Term, tuple[str, ...]]:
    """One team on each side, and the teams' ids; a side without one has no entry."""
    known = sides["team"].drop_nulls().unique().sort()
    codes = (
        sides["team"].replace_strict(known, pl.int_range(len(known), eager=True), default=-1).fill_null(-1).to_numpy()
    )
    rows = np.flatnonzero(codes >= 0)
    return _identity(_matrix(rows, codes[rows], np.ones(len(rows)), (len(codes), len(known)))), tuple(known)


def player_term(sides: pl.DataFrame, appearances: pl.DataFrame) -> tuple[Term, tuple[str, ...]]:
    """The players of each side with the share they played, and the players' ids."""
    place = sides.select("game_id", "side").with_row_index("row")
    found = place.join(appearances, on=["game_id", "side"], how="inner", maintain_order="left")
    known = found["player"].unique().sort()
    codes = (
        found["player"].replace_strict(known, pl.int_range(len(known), eager=True), return_dtype=pl.Int64).to_numpy()
    )
    matrix = _matrix(found["row"].to_numpy(), codes, found["share"].to_numpy(), (sides.height, len(known)))
    return _identity(matrix), tuple(known)


def home_term(sides: pl.DataFrame) -> Term:
    """A single unit, the home side."""
    rows = np.flatnonzero(sides["is_home"].to_numpy())
    return _identity(_matrix(rows, np.zeros(len(rows), int), np.ones(len(rows)), (sides.height, 1)))


def varied(term: Term, values: pl.Series) -> Term:
    """The term split by a value of each side, shape (sides,); sides without a value have no entry."""
    names = values.drop_nulls().unique().sort()
    code = values.replace_strict(names, pl.int_range(len(names), eager=True), default=-1).fill_null(-1).to_numpy()
    entries = coo_array(term.matrix)
    there = code[entries.row] >= 0
    row, data = entries.row[there], entries.data[there]
    pair = entries.col[there].astype(np.int64) * len(names) + code[row]
    pairs, unit = np.unique(pair, return_inverse=True)
    owner = term.owner[pairs // max(len(names), 1)]
    return Term(
        _matrix(row, unit, data, (len(values), len(pairs))),
        owner,
        tuple(str(names[int(number)]) for number in pairs % max(len(names), 1)),
    )


def scaled(term: Term, numbers: Array) -> Term:
    """The term with each side's entries multiplied by a number of the side; sides without a number count zero."""
    matrix = csr_array(term.matrix.multiply(np.nan_to_num(numbers)[:, None]))
    return Term(matrix, term.owner, ("slope",) * len(term.owner))


def walk_of(term: Term, year: Array, as_of: float) -> Walk:
    """The states of each unit of a term in the periods it played in, given each side's period in years."""
    entries = coo_array(term.matrix)
    order = np.lexsort((year[entries.row], entries.col))
    unit, when = entries.col[order], year[entries.row][order]
    is_new = np.r_[True, (unit[1:] != unit[:-1]) | (when[1:] != when[:-1])][: len(unit)]
    state = np.cumsum(is_new) - 1
    state_unit, state_year = unit[is_new], when[is_new]
    is_entry = np.r_[True, state_unit[1:] != state_unit[:-1]][: len(state_unit)]
    level = np.cumsum(~is_entry) - 1
    later = ~is_entry
    previous = np.where(is_entry[np.flatnonzero(later) - 1], -1, level[np.flatnonzero(later) - 1])
    of_entry = level[state]
    kept = later[state]
    count, units = int(later.sum()), len(term.owner)
    matrix = _matrix(entries.row[order][kept], of_entry[kept], entries.data[order][kept], (len(year), count))
    last = np.zeros(units, int)
    last[state_unit] = np.arange(len(state_unit))
    moved = later[last]
    loading = _matrix(np.flatnonzero(moved), level[last[moved]], np.ones(int(moved.sum())), (units, count))
    years = (state_year - np.r_[0.0, state_year[:-1]][: len(state_year)])[later]
    return Walk(matrix, state_unit[later], state_year[later], previous, years, loading, as_of - state_year[last])


def laid_out(matrix: csr_array, outcome: Outcome, component: str) -> csr_array:
    """A matrix of sides as one of the likelihood's rows: differences of two sides, attack or defence, or entrants."""
    if outcome.row == "game":
        return csr_array(matrix[0::2] - matrix[1::2])
    if outcome.row == "side" and component == "defence":
        swapped = np.arange(len(matrix.indptr) - 1) ^ 1
        return csr_array(-matrix[swapped])
    return csr_array(matrix)


def _identity(matrix: csr_array) -> Term:
    return Term(matrix, np.arange(matrix.tocsc().indptr.size - 1))


def _matrix(rows: NDArray[np.intp], columns: NDArray[np.intp], values: Array, shape: tuple[int, int]) -> csr_array:
    # 32 bits are enough for sides and states, and a third of a large league's Design is indices.
    places = rows.astype(np.int32), columns.astype(np.int32)
    matrix = csr_array(coo_array((values, places), shape=shape))
    matrix.sum_duplicates()
    return matrix
