"""New rows settle among the units that they touch, before anything is done to the whole league.

A night's games change what is known of a few hundred competitors a lot, and of all others a little. Their own states
and rows are smoothed first, everybody else's beliefs held; the whole then starts where only the little is left.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from modeling.engines.chain.factored import Factored
from modeling.engines.chain.part import Part, part_of, rows_of_units, units_of
from modeling.engines.chain.smooth import Sites, prior_precision, smooth
from modeling.engines.chain.structure import Structure
from store.errors import FitError

MOST = 0.3  # of a league's rows: where new ones touch more, the whole is as well done at once
TOLERANCE = 1e-3  # in sds


def settled(s: Structure, values: dict[str, float], begin: Sites, fresh: NDArray[np.bool_], work: Factored) -> Sites:
    """Where to start from once the units of `fresh` rows have settled; `work` is filled for it."""
    units = units_of(s, fresh & s.counts)
    rows = rows_of_units(s, units)
    if not 0 < rows.mean() <= MOST:
        return begin
    work.begin(prior_precision(s, values))
    work.fill(begin.p)
    part = _apart(part_of(s, rows, units))
    try:
        found = smooth(part.structure, values, _sites_of(part, begin), TOLERANCE, _filled(part, work))
    except FitError:  # the whole says so where it does not settle either
        return begin
    now = found.sites
    for there, here in ((begin.tau, now.tau), (begin.nu, now.nu), (begin.p, now.p), (begin.eta, now.eta)):
        assert there is not None
        there[part.rows] = here
    begin.y[part.states] = now.y
    work.fill(begin.p, units)
    return begin


def _apart(part: Part) -> Part:
    """The part with its shared effects held, whose values are in the rows' linear predictors."""
    s, none = part.structure, np.zeros(0)
    knot, rise, _count = s.eras
    shared = {"shared_names": (), "shared_mean": none, "shared_sd": none, "shared_scale": none.astype(np.intp)}
    eras = np.full_like(knot, -1), rise, 0
    return replace(part, structure=replace(s, shared=np.zeros((s.rows, 0)), eras=eras, **shared))


def _sites_of(part: Part, begin: Sites) -> Sites:
    """The sites of its rows and the means of its states."""
    assert begin.eta is not None
    rows, y, lift = part.rows, begin.y[part.states], np.zeros((len(part.states), 0))
    return Sites(begin.tau[rows], begin.nu[rows], begin.p[rows], y, lift, begin.smallest, eta=begin.eta[rows])


def _filled(part: Part, work: Factored) -> Factored:
    """Room for its factors, with the variances of what lies beyond it."""
    found = Factored.empty(part.structure)
    found.nodes[:] = work.nodes[part.nodes]
    return found
