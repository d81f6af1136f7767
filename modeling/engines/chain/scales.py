"""Scales and the likelihood's own parameters: their priors, and the values that maximise evidence and prior.

Positive ones are searched for by their logarithms, with the Jacobian, so that there always is a maximum; draws are made
in coordinates of their own (hyper.py). Broyden, Fletcher, Goldfarb and Shanno's method with the evidence's gradient,
every evaluation started from the last one's sites.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeling.design import Design
from modeling.engines.chain import sites
from modeling.engines.chain.factored import Factored
from modeling.engines.chain.smooth import TOLERANCE, Rows, Sites, Smoothed, rows_of, scale_gradient, smooth
from modeling.engines.chain.structure import Structure
from modeling.engines.chain.threads import spread
from modeling.engines.hyper import Hyper, Hypers
from modeling.outcomes.outcome import Array

MOST_EVALUATIONS = 60
DECREMENT = 2e-3  # nats the maximum may still be above where the search stops
ROUGH = 1.0  # residual, in sds, that is good enough after a step of one in a logarithm
STEEP = 1.0
SHORTEST = 1e-3
LONGEST = 0.7  # step in a logarithm
NUDGE = 1e-4  # of an auxiliary, for its derivative at fixed beliefs


def parameters_of(design: Design) -> tuple[Hyper, ...]:
    """The scales that are learned, then the auxiliaries; positive ones by their logarithms."""
    learned = [block for block in design.blocks if block.fixed_scale is None]
    scales = [Hyper(f"scale_{b.name}", b.prior_scale, "log", 0.5 * b.prior_scale) for b in learned]
    own = [
        Hyper(a.name, a.scale, "signed", 0.0) if a.is_signed else Hyper(a.name, a.scale, "log", a.start)
        for a in design.auxiliaries
    ]
    return (*scales, *own)


@dataclass
class Found:
    """The maximum of evidence and prior."""

    parameters: tuple[Hyper, ...]
    point: Array
    smoothed: Smoothed
    gradient: Array
    """Of log evidence and prior in the point."""
    covariance: Array
    """Of the point, from the curvature met on the way."""
    evaluations: int
    sweeps: int
    iterations: int
    damped: int

    @property
    def decrement(self) -> float:
        """Nats that the maximum is above, by the quadratic model."""
        return 0.5 * float(self.gradient @ self.covariance @ self.gradient)


class Objective(Hypers):
    """Log evidence and prior with its gradient, each evaluation started from the last or from given sites."""

    def __init__(
        self, structure: Structure, parameters: tuple[Hyper, ...], begin: Sites | None, tell: Callable[[], None]
    ) -> None:
        self.structure, self.hypers, self.begin, self.tell = structure, parameters, begin, tell
        self.factored = Factored.empty(structure)
        self.evaluations = self.sweeps = self.iterations = self.damped = 0

    def values(self, point: Array) -> dict[str, float]:
        """The parameters by name."""
        return {one.name: float(one.value(at)) for one, at in zip(self.hypers, point, strict=True)}

    def __call__(self, point: Array, tolerance: float) -> tuple[float, Array, Smoothed]:
        """(objective, gradient, posterior) at a point."""
        found = self.smoothed(point, tolerance)
        gradient = self.evidence_gradient(found, point) + self.prior_slope(point)
        return found.evidence + self.log_prior(point), gradient, found

    def smoothed(self, point: Array, tolerance: float) -> Smoothed:
        """The posterior at a point."""
        found = smooth(self.structure, self.values(point), self.begin, tolerance, self.factored)
        self.begin = found.sites
        self.evaluations += 1
        self.sweeps += found.sweeps
        self.iterations += found.iterations
        self.damped += found.damped
        self.tell()
        return found

    def evidence_gradient(self, found: Smoothed, point: Array) -> Array:
        """In closed form for scales; for auxiliaries the change of the rows' log Z at the beliefs as they are."""
        learned = [block.fixed_scale is None for block in self.structure.design.blocks]
        slopes = [self._auxiliary_slope(found, point, i) for i in range(sum(learned), len(point))]
        by_log = [one.by_log(at) for one, at in zip(self.hypers[: sum(learned)], point.tolist(), strict=False)]
        return np.concatenate([scale_gradient(found)[learned] * by_log, np.array(slopes)])

    def _auxiliary_slope(self, found: Smoothed, point: Array, i: int) -> float:
        """From the rows that it matters to: a factor of the noise is of few."""
        step = np.zeros(len(point))
        step[i] = NUDGE
        above, below = (rows_of(self.structure, self.values(point + sign * step)) for sign in (1, -1))
        moved = self.structure.counts & ((above.noise != below.noise) | (above.auxiliary != below.auxiliary))
        return (rows_log_z(found, above, moved) - rows_log_z(found, below, moved)) / (2 * NUDGE)


def rows_log_z(found: Smoothed, rows: Rows, chosen: NDArray[np.bool_]) -> float:
    """Sum of chosen rows' log Z at other auxiliaries, sites and cavities staying."""
    now = found.sites
    given = rows.code, rows.y, rows.exposure, rows.noise, rows.auxiliary, found.eta, found.eta_variance

    def work(_number: int, a: int, b: int) -> float:
        return sites.log_evidences(a, b, *given, now.tau, now.nu, chosen)

    return sum(spread(found.structure.row_chunks, work))


def maximise(objective: Objective, point: Array, covariance: Array | None) -> Found:
    """The maximum from a point on, to within `DECREMENT` nats; `covariance` is a first guess of the point's.

    On the way nothing converges that will move again anyway: the sweeps at a point end as soon as their residual is
    below ROUGH times the step that led there, and where a step seems the last, at the true tolerance.
    The objective's own value is not needed (and is nats off before the last sweeps): a step is shortened where the
    slope along it has turned by more than STEEP times what it was.
    """
    inverse = np.diag(_first_variances(objective)) if covariance is None else covariance.copy()
    tolerance = ROUGH if covariance is None else TOLERANCE
    _value, gradient, found = objective(point, tolerance)
    while objective.evaluations < MOST_EVALUATIONS:
        if 0.5 * gradient @ inverse @ gradient < DECREMENT:
            if tolerance == TOLERANCE:
                break
            tolerance = TOLERANCE
            _value, gradient, found = objective(point, tolerance)
            continue
        step = inverse @ gradient
        step *= min(1.0, LONGEST / np.abs(step).max())
        tolerance = max(TOLERANCE, ROUGH * float(np.abs(step).max()))
        while True:
            _value, slope, then = objective(point + step, tolerance)
            inverse = _updated(inverse, step, gradient - slope)
            if slope @ step > -STEEP * (gradient @ step) or np.abs(step).max() < SHORTEST:
                break
            step = step * (gradient @ step) / ((gradient - slope) @ step)
        point, gradient, found = point + step, slope, then
    return Found(
        objective.hypers, point, found, gradient, inverse, objective.evaluations, objective.sweeps,
        objective.iterations, objective.damped,
    )  # fmt: skip


SEEN = {"base": 0.3, "group": 0.4, "walk": 0.05, "slope": 0.06}  # of a level's two degrees of freedom for its scale
SEEN_OF_NOISE = 0.13  # information of a row on the log of its noise


def _first_variances(objective: Objective) -> Array:
    """Rough variances of the point, by what leagues' results told of such parameters: the first step's size."""
    s = objective.structure
    learned = [block for block in s.design.blocks if block.fixed_scale is None]
    information = [2 + SEEN[block.role] * len(block.levels) for block in learned]
    rows = [s.rows] * len(s.design.outcome.auxiliaries(s.design.unit_sd))
    rows += [int((noise.codes == k).sum()) for noise in s.design.noise for k in range(1, len(noise.values) + 1)]
    own = objective.hypers[len(information) :]
    information += [
        (one.prior**-2 if one.form == "signed" else 2.0) + SEEN_OF_NOISE * count
        for one, count in zip(own, rows, strict=True)
    ]
    return 1 / np.array(information)


def _updated(inverse: Array, step: Array, fall: Array) -> Array:
    """The inverse of minus the Hessian after a step along which the gradient fell; unchanged where it did not."""
    along = float(step @ fall)
    if along <= 1e-12:
        return inverse
    left = np.eye(len(step)) - np.outer(step, fall) / along
    return left @ inverse @ left.T + np.outer(step, step) / along
