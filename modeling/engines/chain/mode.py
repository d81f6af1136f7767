"""The posterior's mode at given scales, with the curvature there: what no pooling is told by, as in smaller leagues.

Where scales are wide and results few, matched moments need not settle; Newton's method does, with the steps of rows'
linear predictors held short.
"""

from dataclasses import dataclass, replace

import numpy as np

from modeling.engines.chain.factored import Factored
from modeling.engines.chain.smooth import Sites, Smoothed, first_sites, newton, prior_precision, rows_of, sweep
from modeling.engines.chain.structure import Structure
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior, Rows
from store.errors import FitError

TOLERANCE = 0.05  # of the last change of a mean, in sds: standard errors are told to a tenth
LONGEST = 2.0  # change of a row's linear predictor in one step, in the outcome's unit_sd
MOST_STEPS = 100


@dataclass(frozen=True)
class Margins:
    """A Gaussian around the mode as its margins, messages holding competitors apart.

    A contrast of two competitors has about the sum of their variances; what shared effects move together is left out.
    """

    mean: dict[str, Array]
    """By base block, of each unit's current state; by group block, of each unit's group."""
    variance: dict[str, Array]
    eta: Array
    """Of the rows, those that were left out too."""
    eta_sd: Array
    auxiliaries: dict[str, float]
    sites: Sites
    """Where it stands, for the mode of other games of the same Design to start from."""

    def draws(self, rng: np.random.Generator, count: int) -> Posterior:
        """Draws of the rows' linear predictors, each apart from the others."""
        auxiliaries = {name: np.full(count, value) for name, value in self.auxiliaries.items()}
        return Posterior(np.zeros(count), {}, {}, {}, auxiliaries, rows=Rows(self.eta, self.eta_sd, rng))


def find_mode(structure: Structure, values: dict[str, float], near: Margins | None = None) -> Smoothed:
    """The Gaussian around the mode at `values` of scales and auxiliaries, sought from where one of other games was.

    Raises FitError where it is not found.
    """
    rows = rows_of(structure, values)
    work = Factored.empty(structure)
    work.begin(prior_precision(structure, values))
    at, now = np.zeros(structure.rows), first_sites(structure, rows)
    if near is not None:
        at, now = near.eta, replace(near.sites, **newton(rows, near.eta))
    work.fill(now.p)
    longest = LONGEST * structure.design.unit_sd
    for _ in range(MOST_STEPS):
        found, _system = sweep(structure, values, now, work, TOLERANCE)
        step = np.clip(found.eta - at, -longest, longest)
        if found.residual <= TOLERANCE and np.abs(step).max(initial=0.0) < longest:
            return found
        at = at + step
        tau, nu = newton(rows, at).values()
        now = found.sites
        now.tau, now.nu = tau, nu
    raise FitError(f"{structure.design.league}: the mode without pooling was not found in {MOST_STEPS} steps.")
