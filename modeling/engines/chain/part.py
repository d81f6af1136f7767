"""A part of a structure: some rows, and some units with all their states, so that it costs what it holds."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modeling.engines.chain import kernels
from modeling.engines.chain.structure import Structure

Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Part:
    """The structure of a part, and where its rows, states and nodes stand in the whole."""

    structure: Structure
    rows: Numbers
    states: Numbers
    nodes: Numbers
    """Those of its units, then those of other units that its rows meet: these have values, but no states here."""


def units_of(s: Structure, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The units that the rows have parts of."""
    met = np.zeros(s.units, dtype=bool)
    met[s.unit_of_node[s.row_node[rows][s.row_factor[rows] != 0]]] = True
    return met


def rows_of_units(s: Structure, units: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The rows that have parts of any of the units."""
    return ((s.row_factor != 0) & units[s.unit_of_node][s.row_node]).any(axis=1)


def part_of(s: Structure, chosen: NDArray[np.bool_], units: NDArray[np.bool_]) -> Part:
    """The part of `chosen` rows and of `units`, which are all that are solved for."""
    rows, states = np.flatnonzero(chosen), np.flatnonzero(np.repeat(units, np.diff(s.unit_start)))
    row_node, row_factor = s.row_node[rows], s.row_factor[rows]
    is_own = units[s.unit_of_node]
    is_beyond = np.zeros(len(is_own), dtype=bool)
    is_beyond[row_node[row_factor != 0]] = True
    nodes = np.r_[np.flatnonzero(is_own), np.flatnonzero(is_beyond & ~is_own)]
    state_at, node_at, row_at = (
        _places(kept, count) for kept, count in ((states, s.size), (nodes, len(is_own)), (rows, s.rows))
    )
    row_node = np.where(row_factor != 0, node_at[row_node], 0).astype(np.int32)
    entry_start, entries = _ragged(s.node_start, np.flatnonzero(is_own), len(nodes))
    link_start, links = _links(s, chosen, np.flatnonzero(is_own), len(nodes))
    slot = (2 * row_at[s.link_slot[links] >> 1] + (s.link_slot[links] & 1)).astype(np.int32)
    first = state_at[s.first[states]].astype(np.int32)
    column_start, column_state = kernels.columns(first)
    knot, rise, count = s.eras
    design, parent = s.design, s.parent[states]
    found = replace(
        s,
        design=replace(
            design, y=design.y[rows], exposure=design.exposure[rows], game=design.game[rows],
            noise=tuple(replace(one, codes=one.codes[rows]) for one in design.noise),
        ),
        units=int(units.sum()), unit_start=_starts(np.diff(s.unit_start)[units]),
        parent=np.where(parent < 0, -1, state_at[parent]).astype(np.int32),
        kept=s.kept[states], spread=s.spread[states], scale=s.scale[states], when=s.when[states],
        node_start=entry_start, node_state=state_at[s.node_state[entries]].astype(np.int32),
        node_weight=s.node_weight[entries], unit_node=_starts(np.diff(s.unit_node)[units]),
        node_link=link_start, link_slot=slot, link_other=row_node.ravel()[slot ^ 1],
        row_node=row_node, row_factor=row_factor, first=first,
        envelope_start=np.concatenate([[0], np.cumsum(np.arange(len(first)) - first + 1)]).astype(np.int64),
        column_start=column_start, column_state=column_state, shared=s.shared[rows], counts=s.counts[rows],
        position={}, entry={}, eras=(knot[states], rise[states], count),
    )  # fmt: skip
    return Part(found, rows, states, nodes)


def _places(kept: Numbers, count: int) -> Numbers:
    """The new number of each that is kept, -1 of the others."""
    place = np.full(count, -1)
    place[kept] = np.arange(len(kept))
    return place


def _starts(sizes: Numbers) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def _ragged(start: NDArray[np.int32], kept: Numbers, count: int) -> tuple[NDArray[np.int32], Numbers]:
    """New starts of `count` lists, of which the first are those kept and the others empty; what they held."""
    sizes = np.diff(start)[kept]
    ends = np.cumsum(sizes)
    held = np.repeat(start[kept] - (ends - sizes), sizes) + np.arange(ends[-1] if len(ends) else 0)
    return _starts(np.r_[sizes, np.zeros(count - len(kept), dtype=np.intp)]), held


def _links(s: Structure, chosen: NDArray[np.bool_], kept: Numbers, count: int) -> tuple[NDArray[np.int32], Numbers]:
    """The same of the nodes' links, without those of other rows."""
    start, held = _ragged(s.node_link, kept, count)
    stays = chosen[s.link_slot[held] >> 1]
    return np.concatenate([[0], np.cumsum(stays)])[start].astype(np.int32), held[stays]
