"""The top of the posterior of the hyperparameters, by quasi-Newton steps on the evidence's analytic gradient.

BFGS: Nocedal and Wright (2006), Numerical Optimization, section 6.1, begun at the rough information that each
approximation states, steps no longer than is sensible in any coordinate, halved until the objective rises.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modeling.engines.hyper import Evaluated, Hypers
from modeling.outcomes.outcome import Array

ENOUGH = 0.01  # nats that a step would still gain: a seventh of a sd, and the surface need not stand on the very top
MOST_STEPS = 60
MOST_HALVINGS = 6

type At[E: Evaluated] = Callable[[Array, E | None], E]
"""(point, what is known nearby) -> what is known there."""


@dataclass(frozen=True)
class Climbed[E: Evaluated]:
    """Where the climb ended."""

    best: E
    covariance: Array
    """Inverse of the curvature there, as far as the steps have shown it."""
    gain: float
    """Nats that another step would gain."""
    tried: tuple[E, ...]
    """Everything that was evaluated."""


def climb[E: Evaluated](model: Hypers, at: At[E], start: Array, covariance: Array | None = None) -> Climbed[E]:
    """The highest log evidence plus log prior, from a start; `covariance` is a first guess of theta's."""

    def seen(one: E) -> tuple[float, Array]:
        return one.log_evidence + model.log_prior(one.theta), (one.slope + model.prior_slope(one.theta))

    best = at(start, None)
    tried, (value, slope), point = [best], seen(best), start
    if covariance is None:
        covariance = np.diag(1 / (best.information + model.prior_information(best.theta)))
    for _ in range(MOST_STEPS):
        step = covariance @ slope
        gain = 0.5 * float(slope @ step)
        if gain < ENOUGH:
            break
        step /= max(1.0, float(np.max(np.abs(step) / model.longest_step(best.theta))))
        for _ in range(MOST_HALVINGS):
            found = at(point + step, best)
            tried.append(found)
            reached, turned = seen(found)
            covariance = _updated(covariance, step, slope - turned)
            if reached > value:
                break
            step = step / 2
        else:
            break
        point, best, value, slope = point + step, found, reached, turned
    return Climbed(best, covariance, 0.5 * float(slope @ covariance @ slope), tuple(tried))


def _updated(covariance: Array, step: Array, bend: Array) -> Array:
    """BFGS's inverse Hessian after a step along which the slope fell by `bend`; the old one where it did not fall."""
    along = float(step @ bend)
    if along <= 1e-8 * float(np.sqrt((step @ step) * (bend @ bend))):
        return covariance
    turn = np.eye(len(step)) - np.outer(step, bend) / along
    return turn @ covariance @ turn.T + np.outer(step, step) / along
