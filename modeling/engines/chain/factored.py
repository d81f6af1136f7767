"""Every unit factored by itself: the exact half of the engine, and the preconditioner of the global one."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modeling.engines.chain import kernels
from modeling.engines.chain.structure import Structure
from modeling.engines.chain.threads import spread
from modeling.outcomes.outcome import Array


@dataclass
class Factored:
    """Every unit's precision Q + sum of p h h' factored, with its inverse within the envelope."""

    structure: Structure
    precision: Array
    """Prior precision of each state given its parent."""
    p: Array
    """Precisions of the rows' messages to their two units, which the factors are of, shape (rows, 2)."""
    env: Array
    inverse: Array
    variances: Array
    """Of the states, in their units."""
    nodes: Array
    """h' Sigma h of every node."""
    determinants: Array
    """Log determinant of each unit."""
    is_filled: bool = False
    """Whether the factors are of the prior's precisions as they are."""

    @classmethod
    def empty(cls, s: Structure) -> "Factored":
        """Room for a structure's factors."""
        size = int(s.envelope_start[-1])
        env, inverse, variances = np.empty(size), np.empty(size), np.empty(s.size)
        nodes, determinants = np.empty(len(s.node_link) - 1), np.empty(s.units)
        return cls(s, np.ones(s.size), np.zeros((0, 2)), env, inverse, variances, nodes, determinants)

    def copy(self) -> "Factored":
        """The same apart from what is written over next."""
        arrays = "p", "env", "inverse", "variances", "nodes", "determinants"
        return replace(self, **{name: getattr(self, name).copy() for name in arrays})

    def begin(self, precision: Array) -> None:
        """Takes over prior precisions; where they are others, the next filling is of all units."""
        self.is_filled = self.is_filled and np.array_equal(precision, self.precision)
        self.precision = precision

    def exchange(self, tau: Array, close: float) -> None:
        """Messages anew for sites of precision tau, shape (rows,), and the units of which one has moved by more than
        `close` of itself: all where the prior's precisions are others."""
        s, p = self.structure, np.empty_like(self.p)
        stale = np.full(s.units + 1, not self.is_filled)
        own = s.row_node, s.row_factor, tau, self.nodes, self.p, close, s.unit_of_node, stale, p
        spread(s.row_chunks, lambda _n, a, b: kernels.exchange(a, b, *own))
        self._refill(p, stale)

    def fill(self, p: Array, stale: NDArray[np.bool_] | None = None) -> None:
        """Assembles, factors and inverts for the messages' precisions p, shape (rows, 2), which it keeps: all units, or
        those alone whose messages are others."""
        self.p = p
        self._refill(p, np.ones(self.structure.units, np.bool_) if stale is None else stale)

    def _refill(self, p: Array, stale: NDArray[np.bool_]) -> None:
        """Assembles, factors and inverts stale units for the messages' precisions p."""
        s, self.is_filled = self.structure, True

        def work(_number: int, low: int, high: int) -> None:
            kernels.adopt(low, high, stale, s.unit_node, s.node_link, s.link_slot, p.ravel(), self.p.ravel())
            kernels.assemble(
                low, high, stale, s.unit_start, s.parent, s.kept, self.precision, s.first, s.envelope_start,
                s.unit_node, s.node_start, s.node_state, s.node_weight, s.node_link, s.link_slot, s.row_factor.ravel(),
                self.p.ravel(), self.env,
            )  # fmt: skip
            own = s.unit_start, s.first, s.envelope_start
            kernels.factor(low, high, stale, *own, self.env, self.determinants)
            columns = s.column_start, s.column_state
            kernels.invert(low, high, stale, *own, *columns, self.env, self.inverse, self.variances)
            nodes = s.unit_node, s.node_start, s.node_state, s.node_weight
            kernels.node_variances(
                low, high, stale, *nodes, s.first, s.envelope_start, self.inverse, self.nodes
            )  # fmt: skip

        spread(s.chunks, work)
