"""Scores that are counts: chances of win, draw and loss by sums over the grid of scores, and losses of those."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from modeling.outcomes.outcome import Array, Auxiliaries, Extreme, Results
from modeling.outcomes.shared import loss_of, usual_shares

LOG_UNIT_SD = 0.5
HIGHEST_RATE = 300.0  # beyond it a game's result is certain to all digits shown; keeps the grid of scores finite

LogMass = Callable[[Array, Array, Auxiliaries], Array]
"""(counts, rates on a last axis of one, auxiliaries) -> log chance of each count."""


def log_mass_poisson(goals: Array, rate: Array, _aux: Auxiliaries) -> Array:
    """log Poisson(goals | rate)."""
    return goals * np.log(rate) - rate - gammaln(goals + 1)


def rate_of(eta: Array) -> Array:
    """Expected counts with a last axis for the counts' grid, kept where the grid can hold them."""
    return np.clip(np.exp(np.minimum(eta, np.log(HIGHEST_RATE))), 1e-12, None)[..., None]


def grid_for(*etas: Array) -> Array:
    """Counts from 0 to one that is never exceeded at these rates, to double precision."""
    fastest = min(float(np.exp(max(np.max(eta, initial=-50.0) for eta in etas))), HIGHEST_RATE)
    return np.arange(int(fastest + 9 * np.sqrt(fastest) + 12) + 1, dtype=float)


def masses(log_mass: LogMass, eta: Array, goals: Array, aux: Auxiliaries) -> Array:
    """Chance of each number of goals on a new last axis, summing to one."""
    mass = np.exp(log_mass(goals, rate_of(eta), aux))
    return mass / mass.sum(axis=-1, keepdims=True)


def chances_of(log_mass: LogMass) -> Callable[[Array, Array, Auxiliaries], Array]:
    """Chances of win, draw and loss of the first side: sums over the grid of scores; they sum to one."""

    def chances(eta_first: Array, eta_second: Array, aux: Auxiliaries) -> Array:
        goals = grid_for(eta_first, eta_second)
        first, second = masses(log_mass, eta_first, goals, aux), masses(log_mass, eta_second, goals, aux)
        below = np.cumsum(second, axis=-1) - second
        win = np.sum(first * below, axis=-1)
        draw = np.sum(first * second, axis=-1)
        return np.stack([win, draw, np.maximum(1 - win - draw, 0)], axis=-1)

    return chances


def count_margin(eta_first: Array, eta_second: Array, _aux: Auxiliaries) -> Array:
    """Expected margin of the first side, in goals."""
    return np.exp(eta_first) - np.exp(eta_second)


def losses_of(
    chances: Callable[[Array, Array, Auxiliaries], Array],
) -> Callable[[Array, Array, Array, Auxiliaries, NDArray[np.intp]], Array]:
    """Log loss of win, draw or loss of each game under the mean of the chances over draws."""

    def losses(y: Array, exposure: Array, eta: Array, aux: Auxiliaries, _game: NDArray[np.intp]) -> Array:
        rates = eta + np.log(exposure)
        return loss_of(chances(rates[:, 0::2], rates[:, 1::2], aux).mean(axis=0), results_of(y))

    return losses


def results_of(y: Array) -> NDArray[np.int_]:
    """0 where the first side won, 1 for a draw, 2 where it lost."""
    return (1 - np.sign(y[0::2] - y[1::2])).astype(int)


def baseline(results: Results, held_out: NDArray[np.bool_]) -> Array:
    """Log loss of the held-out games under the shares of home wins, draws and away wins of the others."""
    return usual_shares(results_of(results.y), results.home[0::2], held_out[0::2], 3)


def extremes(results: Results) -> dict[str, Extreme]:
    """Sides that scored nothing, and sides that conceded nothing."""
    scoreless = results.y == 0
    kept_out = scoreless[np.arange(len(scoreless)) ^ 1]
    never = np.zeros_like(scoreless)
    return {
        "attack": Extreme(never, scoreless, "", "never scored"),
        "defence": Extreme(kept_out, never, "never conceded", ""),
    }
