"""Where the information of each unit's current state came from, by the messages of the last sweep.

As in `modeling/borrowing.py`, with v = H_u^-1 e the current state's column of its unit's covariance: v'H_u v is the sum
over the unit's links of p (h v)^2 and of its prior's terms. A link's message has 1/p = 1/tau + V, V the other unit's
variance apart from this row: the row itself gives the share p / tau of the link's part, the rest is what is known of
the other unit, from its own results and others' priors in turn. Exact where no loop of games leads back. What shared
effects add to the variance of a contrast is for the reader, who knows the reference: `reach` has what they move.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeling.engines.chain.linear import System
from modeling.engines.chain.smooth import Smoothed, shared_precision
from modeling.outcomes.outcome import Array

ROUNDS = 50  # of opponents' opponents: what is left after them is 1e-6 where a tenth of each is its own prior's


@dataclass(frozen=True)
class Sources:
    """Variances by source, each of shape (units,): own results, others' results, others' priors, own prior."""

    own: Array
    opponents: Array
    others: Array
    prior: Array
    reach: Array
    """What a unit of each shared effect takes from the current states, shape (units, shared)."""


def sources(found: Smoothed, current: NDArray[np.intp]) -> Sources:
    """The make-up of the variance of each unit's state number `current`, shape (units,), at given shared effects."""
    s, work, lift = found.structure, found.factored, found.sites.lift
    tau, p = found.sites.tau[s.link_slot >> 1], found.sites.p.ravel()[s.link_slot]
    e = np.zeros((s.size, 1), np.float32)
    e[current] = 1.0
    v = System(work, found.sites.tau, shared_precision(s, found.values), lift).alone(e)[:, 0].astype(float)
    node = np.repeat(np.arange(len(s.node_link) - 1), np.diff(s.node_link))
    unit_of_node = np.repeat(np.arange(s.units), np.diff(s.unit_node))
    on_node = np.add.reduceat(s.node_weight * v[s.node_state], s.node_start[:-1])
    part = p * (s.row_factor.ravel()[s.link_slot] * on_node[node]) ** 2
    itself = part * np.divide(p, tau, out=np.zeros_like(p), where=tau > 0)
    unit, other = unit_of_node[node], unit_of_node[s.link_other]
    step = v - np.where(s.parent >= 0, s.kept * v[s.parent], 0.0)
    of_state = np.repeat(np.arange(s.units), np.diff(s.unit_start))
    prior = np.bincount(of_state, work.precision * step**2, minlength=s.units)
    own = np.bincount(unit, itself, minlength=s.units)
    opponents, others = _others(unit, other, part - itself, own, prior)
    return Sources(own, opponents, others, prior, -lift[current])


def _others(
    unit: NDArray[np.intp], other: NDArray[np.intp], learned: Array, own: Array, prior: Array
) -> tuple[Array, Array]:
    """What was learned of the others by unit, over links: from results, and from priors."""
    units = len(own)
    everything = np.bincount(unit, learned, minlength=units)
    whole, of_results = own + prior + everything, np.ones(units)
    theirs = everything
    for _ in range(ROUNDS):
        theirs = np.bincount(unit, learned * of_results[other], minlength=units)
        of_results = np.divide(own + theirs, whole, out=np.zeros(units), where=whole > 0)
    return theirs, everything - theirs
