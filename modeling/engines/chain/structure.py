"""From a Design to the arrays of the chain engine: states, units, rows' entries, and which parts of a unit meet.

A unit is all that one competitor owns of one component: the states of its walk and its slopes, with the walks of those.
Its states z are the entry state plus the walk's displacement, so that z_0 ~ N(0, s^2) and z_k ~ N(z_parent, d^2 years).
A row is eta = sum of weights times states of at most two units + shared effects. Effects that many units' rows have
(intercept, fixed effects, group means, home advantage by a value) are shared and never factorised.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, hstack

from modeling.design import Block, Design
from modeling.engines.chain import kernels
from modeling.outcomes.outcome import Array

Index = NDArray[np.int32]

MOST_SHARED = 64  # shared effects have a dense covariance, and a column in every global solve
MOST_UNITS = 2  # more units on a row (line-ups) are correlated in ways that factorised messages miss
ROUNDING = 6  # decimals of a year: states of one period stand together


@dataclass(frozen=True)
class States:
    """The states of one chain block, or of one with its walk, before they are put in order of units."""

    unit: NDArray[np.intp]
    """Unit of each state, numbered over the whole league."""
    when: Array
    """Years before the as-of date, negative; +inf of an effect that does not move."""
    parent: NDArray[np.intp]
    """Number of the state each comes after, or -1."""
    years: Array
    scale: NDArray[np.intp]
    """Number of the scale of each state's prior."""
    weights: csr_array
    """Shape (rows, states)."""


@dataclass(frozen=True)
class Structure:
    """A Design as the kernels want it: states of a unit are neighbours, in order of time, unmoving ones last."""

    design: Design
    units: int
    unit_start: Index
    """First state of each unit and the end of the last, shape (units + 1,)."""
    parent: Index
    years: Array
    """Of each state, years since its parent; 1 of an entry state."""
    scale: Index
    """Number of the scale of each state's prior among the Design's blocks."""
    when: Array
    entries: csr_array
    """Weights of the rows, shape (rows, states)."""
    link_start: Index
    """A link is a row's part in one unit, in order of units: where its entries start in link_state, link_weight."""
    link_state: Index
    link_weight: Array
    link_row: Index
    other_start: Index
    """Of each link, the entries of its row's other unit."""
    other_state: Index
    other_weight: Array
    unit_link: Index
    """First link of each unit, shape (units + 1,)."""
    row_link: Index
    """The links of each row, shape (rows, 2), -1 where there is none."""
    first: Index
    """First state, not before its unit's, that each state meets or that lies between: the envelope of the precision."""
    envelope_start: NDArray[np.int64]
    column_start: NDArray[np.int64]
    column_state: Index
    """Below each state, the later ones whose envelope holds it."""
    shared: Array
    """Values of the shared effects, shape (rows, shared)."""
    shared_names: tuple[str, ...]
    shared_mean: Array
    """Prior mean of each."""
    shared_sd: Array
    """Prior sd of each, in units of its scale."""
    shared_scale: NDArray[np.intp]
    """Number of its scale among the Design's blocks, or -1."""
    position: dict[str, NDArray[np.intp]]
    """By base, slope and walk block, the state of each of its levels (of a walk, entry state plus displacement)."""
    entry: dict[str, NDArray[np.intp]]
    """By walk block, the entry state of each of its units."""

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.parent)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.row_link)

    @cached_property
    def chunks(self) -> list[tuple[int, int]]:
        """Ranges of units of about equal work: the same on every machine, so that sums come out the same."""
        work = np.diff(self.unit_link) + np.diff(self.unit_start)
        return cut(np.cumsum(work))

    @cached_property
    def row_chunks(self) -> list[tuple[int, int]]:
        """Ranges of rows."""
        return cut(np.arange(1, self.rows + 1))


def cut(total: NDArray[np.intp], at_least: int = 20_000, most: int = 32) -> list[tuple[int, int]]:
    """Ranges of items with about equal shares of a running total."""
    count = int(np.clip(total[-1] // at_least, 1, most)) if len(total) else 1
    ends = np.searchsorted(total, np.linspace(0, total[-1], count + 1)[1:]) + 1 if len(total) else np.array([0])
    bounds = np.unique(np.r_[0, np.minimum(ends, len(total))])
    return [(int(a), int(b)) for a, b in pairwise(bounds)] or [(0, 0)]


def is_shared(block: Block) -> bool:
    """Whether a block's effects are shared ones: groups' means, and what belongs to no rated competitor."""
    return block.role == "group" or (block.kind == "" and len(block.levels) <= MOST_SHARED)


def structure_of(design: Design) -> Structure:
    """The arrays of a Design that the engine can take."""
    numbers = {block.name: number for number, block in enumerate(design.blocks)}
    found: list[States] = []
    position: dict[str, NDArray[np.intp]] = {}
    entry: dict[str, NDArray[np.intp]] = {}
    family: dict[tuple[str, str], int] = {}
    units = size = 0
    for block in (b for b in design.blocks if b.role != "walk" and not is_shared(b)):
        key = (block.kind, block.component) if block.kind else (block.name, "")
        if key not in family:
            family[key] = units
            units += len(design.kind(block.kind).competitors) if block.kind else len(block.levels)
        own = np.arange(len(block.levels)) if block.owner is None or not block.kind else block.owner
        walk = next((w for w in design.blocks if w.name == f"{block.name}_walk"), None)
        states = _chains(block, walk, own + family[key], numbers, size)
        position[block.name] = size + np.arange(len(block.levels))
        if walk is not None:
            position[walk.name] = size + len(block.levels) + np.arange(len(walk.levels))
            entry[walk.name] = position[block.name]
        found.append(states)
        size += len(states.unit)
    return _ordered(design, found, units, position, entry)


def _chains(block: Block, walk: Block | None, unit: NDArray[np.intp], numbers: dict[str, int], offset: int) -> States:
    """The states of a block: its levels as entry states, then those of its walk."""
    count = len(block.levels)
    first = np.full(count, -1), np.ones(count), np.full(count, numbers[block.name])
    if walk is None:
        return States(unit, np.full(count, np.inf), *first, block.weights)
    assert walk.previous is not None and walk.years is not None and walk.idle is not None
    owner = owners_of(walk)
    before = np.bincount(owner, walk.years, minlength=count)
    since = np.cumsum(walk.years) - (np.cumsum(walk.years) - walk.years)[walk.starts]
    entered = -walk.idle - before
    chain = csr_array((np.ones(len(owner)), (np.arange(len(owner)), owner)), shape=(len(owner), count))
    still = csr_array(block.weights - walk.weights @ chain)
    still.eliminate_zeros()
    parent = offset + np.where(walk.previous < 0, owner, count + walk.previous)
    return States(
        np.r_[unit, unit[owner]],
        np.r_[entered, entered[owner] + since],
        np.r_[first[0], parent],
        np.r_[first[1], walk.years],
        np.r_[first[2], np.full(len(owner), numbers[walk.name])],
        csr_array(hstack([still, walk.weights], format="csr")),
    )


def owners_of(walk: Block) -> NDArray[np.intp]:
    """The unit of each level of a walk; chains stand one after the other and end where `loading` points."""
    units, last = walk.loading.nonzero()
    order = np.argsort(last)
    return units[order][np.searchsorted(last[order], np.arange(len(walk.levels)))]


def _ordered(
    design: Design,
    found: list[States],
    units: int,
    position: dict[str, NDArray[np.intp]],
    entry: dict[str, NDArray[np.intp]],
) -> Structure:
    unit = np.concatenate([s.unit for s in found])
    when = np.concatenate([s.when for s in found])
    order = np.lexsort((np.arange(len(unit)), np.round(when, ROUNDING), unit))
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    parent = np.concatenate([s.parent for s in found])[order]
    parent = np.where(parent < 0, -1, place[parent]).astype(np.int32)
    entries = coo_array(hstack([s.weights for s in found]))
    matrix = csr_array(coo_array((entries.data, (entries.row, place[entries.col])), shape=entries.shape))
    matrix.sum_duplicates()
    unit = unit[order]
    start = np.searchsorted(unit, np.arange(units + 1)).astype(np.int32)
    links = _links(matrix, unit, units)
    first = kernels.envelope(parent, links["link_start"], links["link_state"])
    envelope_start = np.concatenate([[0], np.cumsum(np.arange(len(first)) - first + 1)]).astype(np.int64)
    return Structure(
        design=design,
        units=units,
        unit_start=start,
        parent=parent,
        years=np.concatenate([s.years for s in found])[order],
        scale=np.concatenate([s.scale for s in found])[order].astype(np.int32),
        when=when[order],
        entries=matrix,
        **links,
        first=first,
        envelope_start=envelope_start,
        **dict(zip(("column_start", "column_state"), kernels.columns(first), strict=True)),
        **_shared(design),
        position={name: place[at] for name, at in position.items()},
        entry={name: place[at] for name, at in entry.items()},
    )


def _links(matrix: csr_array, unit: NDArray[np.intp], units: int) -> dict[str, Any]:
    """Runs of a row's entries that are of one unit, in order of units: the fields of Structure from link_start on."""
    row = np.repeat(np.arange(len(matrix.indptr) - 1), np.diff(matrix.indptr))
    owner = unit[matrix.indices]
    begins = np.r_[True, (row[1:] != row[:-1]) | (owner[1:] != owner[:-1])][: len(row)]
    begin = np.flatnonzero(begins)
    order = np.argsort(owner[begin], kind="stable")
    length = np.diff(np.r_[begin, len(row)])[order]
    start = np.concatenate([[0], np.cumsum(length)])
    entry = np.repeat(begin[order] - start[:-1], length) + np.arange(len(row))
    link_row = row[begin][order]
    number = np.empty(len(order), dtype=np.intp)
    number[order] = np.arange(len(order))
    slot = np.arange(len(begin)) - np.searchsorted(row[begin], row[begin])
    row_link = np.full((len(matrix.indptr) - 1, MOST_UNITS), -1, dtype=np.int32)
    row_link[row[begin], slot] = number
    unit_link = np.searchsorted(owner[begin][order], np.arange(units + 1))
    own = start.astype(np.int32), matrix.indices[entry].astype(np.int32), matrix.data[entry]
    other = row_link[link_row[np.arange(len(order))], 1 - slot[order]]
    found = dict(zip(("link_start", "link_state", "link_weight"), own, strict=True))
    found |= dict(zip(("other_start", "other_state", "other_weight"), _picked(*own, other), strict=True))
    found |= {"link_row": link_row.astype(np.int32), "unit_link": unit_link.astype(np.int32), "row_link": row_link}
    return found


def _picked(start: Index, state: Index, weight: Array, link: Index) -> tuple[Index, Index, Array]:
    """The entries of given links (none where -1), as start, state and weight."""
    length = np.where(link >= 0, np.diff(start)[link], 0)
    begin = np.concatenate([[0], np.cumsum(length)])
    entry = np.repeat(np.where(link >= 0, start[link], 0) - begin[:-1], length) + np.arange(begin[-1])
    return begin.astype(np.int32), state[entry], weight[entry]


def _shared(design: Design) -> dict[str, Any]:
    """Values, names, prior sds and scales of the shared effects."""
    columns = [np.ones((len(design.y), 1))] if design.outcome.has_intercept else []
    names = ["level"] if design.outcome.has_intercept else []
    sds = [design.intercept_sd] if design.outcome.has_intercept else []
    columns += [fixed.values[:, None] for fixed in design.fixed]
    names += [fixed.name for fixed in design.fixed]
    sds += [fixed.prior_sd for fixed in design.fixed]
    scales = [-1] * len(names)
    for number, block in enumerate(design.blocks):
        if is_shared(block):
            columns.append(block.weights.toarray())
            names += [f"{block.name}|{level}" for level in block.levels]
            sds += [1.0] * len(block.levels)
            scales += [number] * len(block.levels)
    values = np.concatenate([np.zeros((len(design.y), 0)), *columns], axis=1)
    return {
        "shared": np.ascontiguousarray(values),
        "shared_names": tuple(names),
        "shared_mean": np.array([design.centre if name == "level" else 0.0 for name in names]),
        "shared_sd": np.array(sds, dtype=float),
        "shared_scale": np.array(scales, dtype=np.intp),
    }


def most_units(design: Design) -> int:
    """The largest number of units that meet in one row."""
    each = np.zeros(len(design.y), dtype=np.intp)
    seen: dict[tuple[str, str], csr_array] = {}
    for block in design.blocks:
        if block.role == "base" or (block.role == "slope" and not is_shared(block)):
            key = (block.kind, block.component) if block.kind else (block.name, "")
            if key not in seen:
                seen[key] = block.weights
                each += np.diff(block.weights.indptr)
    return int(each.max(initial=0))
