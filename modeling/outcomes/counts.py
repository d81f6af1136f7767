"""Scores that are counts: chances of win, draw and loss by sums over the grid of scores, and losses of those."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from modeling.outcomes.outcome import Array, Auxiliaries, Extreme, Results, exposures_of
from modeling.outcomes.shared import loss_of, usual_shares

LOG_UNIT_SD = 0.5
HIGHEST_LOG_RATE = 30.0
MOST_CELLS = 1000  # of a grid of scores: beyond the first FINE_CELLS, which are single counts, a cell may hold several
FINE_CELLS = 300
AT_ONCE = 2e6  # chances of scores in memory together


@dataclass(frozen=True)
class Counts:
    """A distribution of counts. Its arguments are arrays that broadcast: counts, mean, and overdispersion."""

    log_mass: Callable[[Array, Array, Array], Array]
    """(counts, mean, overdispersion) -> log chance of each count."""
    highest: Callable[[Array, Array], Array]
    """(mean, overdispersion) -> a count that is never exceeded."""


POISSON_COUNTS = Counts(
    lambda goals, rate, _: goals * np.log(rate) - rate - gammaln(goals + 1),
    lambda rate, _: rate + 9 * np.sqrt(rate) + 12,
)


def rate_of(eta: Array) -> Array:
    """Expected counts, within what arithmetic holds."""
    return np.exp(np.clip(eta, -HIGHEST_LOG_RATE, HIGHEST_LOG_RATE))


def chances_of(counts: Counts) -> Callable[[Array, Array, Auxiliaries], Array]:
    """Chances of win, draw and loss of the first side: sums over the grid of scores; they sum to one."""

    def chances(eta_first: Array, eta_second: Array, aux: Auxiliaries) -> Array:
        (own, other), spread = map(np.log, exposures_of(aux)), aux.get("overdispersion", 0.0)
        each = np.broadcast_arrays(rate_of(eta_first + own), rate_of(eta_second + other), spread)
        first, second, spread = (one.ravel() for one in each)
        highest = counts.highest(np.maximum(first, second), spread)
        order, found = np.argsort(highest, kind="stable"), np.empty((len(first), 3))
        is_wide, many = highest[order] >= MOST_CELLS, int(AT_ONCE / MOST_CELLS)
        for chosen in (order[~is_wide], order[is_wide]):
            for part in np.array_split(chosen, range(many, len(chosen), many)):
                most = highest[part].max(initial=0)  # of those that are alike: one high rate makes no other's grid wide
                cells = np.arange(float(min(most, MOST_CELLS) // 1 + 1))
                goals, width = _held(cells, highest[part, None]) if most >= MOST_CELLS else (cells, np.ones(1))
                found[part] = _on_a_grid(counts, first[part], second[part], spread[part], goals, width)
        return found.reshape(*each[0].shape, 3)

    return chances


def _held(cells: Array, highest: Array) -> tuple[Array, Array]:
    """The middle count of each cell of a grid up to the highest count, and how many counts the cell holds."""
    beyond = np.ceil((highest - FINE_CELLS) / (MOST_CELLS - FINE_CELLS))
    start = np.minimum(cells, FINE_CELLS) + beyond * np.maximum(cells - FINE_CELLS, 0)
    width = np.where(cells < FINE_CELLS, 1.0, beyond)
    return start + (width - 1) / 2, width


def _on_a_grid(counts: Counts, first: Array, second: Array, spread: Array, goals: Array, width: Array) -> Array:
    """Chances of win, draw and loss of games, shape (games, 3): of two in the same cell either is as likely ahead."""
    own, others = (_masses(counts, rate[:, None], goals, spread[:, None], width) for rate in (first, second))
    same, draw = np.sum(own * others, axis=1), np.sum(own * others / width, axis=1)
    win = np.clip(np.sum(own * (np.cumsum(others, axis=1) - others), axis=1) + (same - draw) / 2, 0, 1)
    return np.stack([win, draw, np.maximum(1 - win - draw, 0)], axis=1)


def _masses(counts: Counts, rate: Array, goals: Array, spread: Array, width: Array) -> Array:
    """Chance of each cell of a grid, summing to one."""
    log_mass = counts.log_mass(goals, rate, spread)
    mass = width * np.exp(log_mass - log_mass.max(axis=1, keepdims=True))
    return mass / mass.sum(axis=1, keepdims=True)


def count_margin(eta_first: Array, eta_second: Array, aux: Auxiliaries) -> Array:
    """Expected margin of the first side, in goals."""
    own, other = exposures_of(aux)
    return own * np.exp(eta_first) - other * np.exp(eta_second)


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
