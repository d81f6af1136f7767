"""From a Design to the arrays of the chain engine: states, units, rows' entries, and which parts of a unit meet.

A unit is all that one competitor owns of one component: the states of its walk and its slopes, with the walks of those.
Its states z are what is left of the entry state plus the walk's displacement, so that z_0 ~ N(0, s^2) and
z_k ~ N(kept z_parent, d^2 spread), where kept is 1 and spread the years between unless the walk forgets (block.py).
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

from modeling.block import Block
from modeling.design import Design
from modeling.engines.chain import kernels
from modeling.outcomes.outcome import Array

Index = NDArray[np.int32]

MOST_SHARED = 64  # shared effects have a dense covariance, and a column in every global solve
MOST_UNITS = 2  # more units on a row (line-ups) are correlated in ways that factorised messages miss
ERAS = 32  # knots of time between which the global solve corrects the common level of all chains at once
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
    kept: Array
    """What is left of that state in it, and its variance given it in squares of the scale."""
    spread: Array
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
    kept: Array
    """What is left of its parent in each state; 1 where nothing is forgotten, and of an entry state."""
    spread: Array
    """Prior variance of each state given its parent, in squares of its scale; 1 of an entry state."""
    scale: Index
    """Number of the scale of each state's prior among the Design's blocks."""
    when: Array
    node_start: Index
    """A node is a unit's part in rows: weights on some of its states, in order of units. Where each one's entries
    start in node_state, node_weight, shape (nodes + 1,)."""
    node_state: Index
    node_weight: Array
    unit_node: Index
    """First node of each unit, shape (units + 1,)."""
    node_link: Index
    """A link is a row's part in one node, in order of nodes: where each one's links start, shape (nodes + 1,)."""
    link_slot: Index
    """Of each link, 2 row + side of the row."""
    link_other: Index
    """Of each link, the node of the row's other side."""
    row_node: Index
    """The nodes of each row, shape (rows, 2)."""
    row_factor: Array
    """What each one's weights are multiplied by, 0 of a side that is not there."""
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
    counts: NDArray[np.bool_]
    """Whether each row is learned from; of the others, which stay in their places, there are forecasts."""
    eras: tuple[Index, NDArray[np.float32], int]
    """Hats over time, which all moving states share: of each state the knot before it, numbered by walk, or -1;
    how far it is on the way to the next one; and how many knots there are."""

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.parent)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.row_node)

    @cached_property
    def chunks(self) -> list[tuple[int, int]]:
        """Ranges of units of about equal work: the same on every machine, so that sums come out the same."""
        links = np.diff(self.node_link[self.unit_node])
        return cut(np.cumsum(links + np.diff(self.unit_start)))

    @cached_property
    def link_factor(self) -> Array:
        """Of each link, what its node's weights are multiplied by."""
        return self.row_factor.ravel()[self.link_slot]

    @cached_property
    def unit_of_node(self) -> Index:
        """Of each node its unit; `units` of one that lies beyond a part (part.py)."""
        of_node = np.repeat(np.arange(self.units, dtype=np.int32), np.diff(self.unit_node))
        return np.r_[of_node, np.full(len(self.node_link) - 1 - len(of_node), self.units, np.int32)]

    @cached_property
    def row_chunks(self) -> list[tuple[int, int]]:
        """Ranges of rows."""
        return cut(np.arange(1, self.rows + 1))


def cut(total: NDArray[np.intp], at_least: int = 20_000, most: int = 16) -> list[tuple[int, int]]:
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
    first = np.full(count, -1), np.ones(count), np.ones(count), np.full(count, numbers[block.name])
    if walk is None:
        return States(unit, np.full(count, np.inf), *first, block.weights)
    assert walk.previous is not None and walk.years is not None and walk.idle is not None
    owner = walk.units
    before = np.bincount(owner, walk.years, minlength=count)
    entered = -walk.idle - before
    still = csr_array(block.weights - walk.weights @ walk.of_entry)
    still.eliminate_zeros()
    parent = offset + np.where(walk.previous < 0, owner, count + walk.previous)
    return States(
        np.r_[unit, unit[owner]],
        np.r_[entered, entered[owner] + walk.since],
        np.r_[first[0], parent],
        np.r_[first[1], walk.kept],
        np.r_[first[2], walk.step_sd**2],
        np.r_[first[3], np.full(len(owner), numbers[walk.name])],
        csr_array(hstack([still, walk.weights], format="csr")),
    )


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
    matrix = coo_array(hstack([s.weights for s in found]))
    matrix = csr_array(coo_array((matrix.data, (matrix.row, place[matrix.col])), shape=matrix.shape))
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    unit = unit[order]
    start = np.searchsorted(unit, np.arange(units + 1)).astype(np.int32)
    nodes = _nodes(matrix, unit, units)
    first = kernels.envelope(parent, nodes["node_start"], nodes["node_state"])
    position, entry = ({name: place[at] for name, at in one.items()} for one in (position, entry))
    envelope_start = np.concatenate([[0], np.cumsum(np.arange(len(first)) - first + 1)]).astype(np.int64)
    return Structure(
        design=design,
        units=units,
        unit_start=start,
        parent=parent,
        kept=np.concatenate([s.kept for s in found])[order],
        spread=np.concatenate([s.spread for s in found])[order],
        scale=np.concatenate([s.scale for s in found])[order].astype(np.int32),
        when=when[order],
        **nodes,
        first=first,
        envelope_start=envelope_start,
        **dict(zip(("column_start", "column_state"), kernels.columns(first), strict=True)),
        **_shared(design),
        counts=np.ones(len(design.y), dtype=bool),
        position=position,
        entry=entry,
        eras=_eras(when[order], position, entry),
    )


def _eras(
    when: Array, position: dict[str, NDArray[np.intp]], entry: dict[str, NDArray[np.intp]]
) -> tuple[Index, NDArray[np.float32], int]:
    """The hats over time, their knots at quantiles of each walk's states."""
    knot, rise, count = np.full(len(when), -1, np.int32), np.zeros(len(when), np.float32), 0
    for name, entered in entry.items():
        at = np.concatenate([np.unique(entered), position[name]])
        years = np.round(when[at], ROUNDING)
        knots = np.unique(np.quantile(years, np.linspace(0, 1, ERAS), method="nearest")) if len(years) else years
        if len(knots) > 1:
            before = np.minimum(np.searchsorted(knots, years, side="right") - 1, len(knots) - 2)
            knot[at] = count + before
            rise[at] = (years - knots[before]) / np.diff(knots)[before]
            count += len(knots)
    return knot, rise, count


def _nodes(matrix: csr_array, unit: NDArray[np.intp], units: int) -> dict[str, Any]:
    """The fields of Structure from node_start to row_factor, of the rows' entries in order of states."""
    entries = matrix.indptr, matrix.indices, matrix.data
    begin, end, node_link, slot, row_node, factor = kernels.nodes(*entries, unit, len(unit))
    start = np.concatenate([[0], np.cumsum(end - begin)]).astype(np.int32)
    entry = np.repeat(begin - start[:-1], end - begin) + np.arange(start[-1])
    return {
        "node_start": start,
        "node_state": matrix.indices[entry].astype(np.int32),
        "node_weight": matrix.data[entry] / np.repeat(matrix.data[begin], end - begin),
        "unit_node": np.searchsorted(unit[matrix.indices[begin]], np.arange(units + 1)).astype(np.int32),
        "node_link": node_link,
        "link_slot": slot,
        "link_other": row_node.ravel()[slot ^ 1],
        "row_node": row_node,
        "row_factor": factor,
    }


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
