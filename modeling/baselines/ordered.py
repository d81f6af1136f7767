"""Chances of win, draw and loss from a number that says how much better the first side is: an ordered logit.

P(win) = F(x - d), P(loss) = F(-x - d), F the logistic function (Rao and Kupper, 1967); d = 0 where there are no draws.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from modeling.outcomes.outcome import Array

RIDGE = 1e-3  # weight of squared coefficients, so that there is a maximum where the past is separated


@dataclass(frozen=True)
class Ordered:
    """Coefficients of the features, in logits, and half the width of a draw."""

    weights: Array
    draw: float

    def chances(self, features: Array) -> Array:
        """Chances of win, draw and loss, shape (games, 3), from features of shape (games, features)."""
        return chances(features @ self.weights, self.draw)


def chances(x: Array, draw: float) -> Array:
    """Chances of win, draw and loss, shape (games, 3), at logits x."""
    win, loss = expit(x - draw), expit(-x - draw)
    level = np.maximum(1 - win - loss, 0.0) if draw > 0 else np.zeros_like(win)  # not what rounding leaves of nothing
    return np.stack([win, level, loss], axis=-1)


def losses(found: Array, result: NDArray[np.int_]) -> Array:
    """Log loss of each result under chances of shape (games, 3); a draw that has no chance is half a win and half a
    loss."""
    logs = np.log(np.maximum(found, 1e-12))
    own = logs[np.arange(len(result)), result]
    halved = (result == 1) & (found[:, 1] == 0)
    return -np.where(halved, (logs[:, 0] + logs[:, 2]) / 2, own)


def fitted(features: Array, result: NDArray[np.int_], has_draws: bool) -> Ordered:
    """The coefficients that say most of the results."""
    size = features.shape[1]

    def objective(point: Array) -> float:
        draw = float(np.exp(point[-1])) if has_draws else 0.0
        loss = losses(chances(features @ point[:size], draw), result).mean()
        return float(loss + RIDGE * (point[:size] @ point[:size]) / len(result) ** 0.5)

    start = np.append(np.zeros(size), -0.5) if has_draws else np.zeros(size)
    best = minimize(objective, start, method="L-BFGS-B")
    return Ordered(best.x[:size], float(np.exp(best.x[-1])) if has_draws else 0.0)
