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
    s, p, tau = found.structure, found.sites.p, found.sites.tau
    e = np.zeros((s.size, 1))
    e[current] = 1.0
    v = System(found.factored, tau, shared_precision(s, found.values), found.sites.lift).locally(e)[:, 0]
    unit = np.repeat(np.arange(s.units), np.diff(s.unit_link))
    on_link = np.add.reduceat(s.link_weight * v[s.link_state], s.link_start[:-1]) if len(unit) else np.zeros(0)
    part = p * on_link**2
    itself = part * np.divide(p, tau[s.link_row], out=np.zeros_like(p), where=tau[s.link_row] > 0)
    step = v - np.where(s.parent >= 0, v[s.parent], 0.0)
    of_state = np.repeat(np.arange(s.units), np.diff(s.unit_start))
    prior = np.bincount(of_state, found.factored.precision * step**2, minlength=s.units)
    own = np.bincount(unit, itself, minlength=s.units)
    opponents, others = _others(found, unit, part - itself, own, prior)
    return Sources(own, opponents, others, prior, -found.sites.lift[current])


def _others(found: Smoothed, unit: NDArray[np.intp], learned: Array, own: Array, prior: Array) -> tuple[Array, Array]:
    """What was learned of the others, by unit: from results, and from priors."""
    s = found.structure
    pair = s.row_link[s.link_row]
    other = np.where(pair[:, 0] == np.arange(len(unit)), pair[:, 1], pair[:, 0])
    other_unit = unit[np.maximum(other, 0)]
    whole = own + prior + np.bincount(unit, learned, minlength=s.units)
    of_results = np.ones(s.units)
    for _ in range(ROUNDS):
        theirs = np.bincount(unit, learned * of_results[other_unit], minlength=s.units)
        of_results = np.divide(own + theirs, whole, out=np.zeros(s.units), where=whole > 0)
    theirs = np.bincount(unit, learned * of_results[other_unit], minlength=s.units)
    return theirs, np.bincount(unit, learned, minlength=s.units) - theirs
