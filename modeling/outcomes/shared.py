"""What several outcome families share: predictive losses, usual shares, Normal and categorical baselines."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from modeling.outcomes.outcome import Array, Auxiliaries, Results

LEAST_CHANCE = 1e-12


def by_game(values: Array, game: NDArray[np.intp]) -> Array:
    """Sums over the rows (last axis) of each game; games' rows are neighbours."""
    starts = np.flatnonzero(np.r_[True, game[1:] != game[:-1]])
    return np.add.reduceat(values, starts, axis=-1)


def density_losses(
    log_density: Callable[[Array, Array, Auxiliaries], Array], tallies: Callable[[Array, Array], Array]
) -> Callable[[Array, Array, Array, Auxiliaries, NDArray[np.intp]], Array]:
    """Log loss of each game: minus the log of the mean over draws of its rows' joint density."""

    def losses(y: Array, exposure: Array, eta: Array, aux: Auxiliaries, game: NDArray[np.intp]) -> Array:
        joint = by_game(log_density(tallies(y, exposure), eta, aux), game)
        return np.log(len(joint)) - logsumexp(joint, axis=0)

    return losses


def loss_of(chances: Array, result: NDArray[np.int_]) -> Array:
    """Log loss of results (numbers of the last axis of chances)."""
    return -np.log(np.maximum(chances[np.arange(len(result)), result], LEAST_CHANCE))


def usual_shares(result: NDArray[np.int_], home: NDArray[np.int_], held_out: NDArray[np.bool_], count: int) -> Array:
    """Log loss of held-out games (a row each) under the shares of home wins (draws) and away wins in the others.

    Results run from 0, a win of the first side, to count - 1, its loss. On neutral ground both sides' shares are equal.
    """
    as_home = np.where(home < 0, count - 1 - result, result)
    before, has_home = ~held_out, home != 0
    neutral = result[before & ~has_home]
    usual = np.where(
        has_home[:, None],
        _shares(as_home[before & has_home], count),
        _shares(np.concatenate([neutral, count - 1 - neutral]), count),
    )
    return loss_of(usual[held_out], as_home[held_out])


def usual_normal(results: Results, held_out: NDArray[np.bool_]) -> Array:
    """Log loss of each held-out game of Normal rows whose mean depends on who is at home, and nothing else.

    What is usual is told from the other rows with the same home; where those are fewer than two or all alike from all
    others, and where those are so too from all rows, which makes the forecasts to be beaten better than they could be.
    Where even all are alike they are taken as spread around zero.
    """
    rate, weight = results.y / results.exposure, results.exposure
    loss = np.zeros(int(held_out.sum()))
    for place in (-1, 0, 1):
        then, before = held_out & (results.home == place), ~held_out & (results.home == place)
        known = next((rows for rows in (before, ~held_out) if len(np.unique(rate[rows])) > 1), np.ones_like(then))
        differ = len(np.unique(rate[known])) > 1
        mean = np.average(rate[known], weights=weight[known]) if differ else 0.0
        variance = max(float(np.mean(weight[known] * (rate[known] - mean) ** 2)), 1e-12)
        own = variance / weight[then]
        density = -0.5 * np.log(2 * np.pi * own) - 0.5 * (rate[then] - mean) ** 2 / own - np.log(weight[then])
        loss[then[held_out]] = -density
    return by_game(loss, results.game[held_out])


def spread_of_margins(results: Results) -> float:
    """Variance between competitors of their mean margin, among those with ten rows or more."""
    ends = np.concatenate([results.entrant, results.opponent])
    return variance_of_means(ends, np.concatenate([results.y, -results.y]))


def variance_of_means(who: NDArray[np.intp], values: Array) -> float:
    """Variance between competitors of the mean of their values, among those with ten or more."""
    values, who = values[who >= 0], who[who >= 0]
    count = np.bincount(who)
    often = count >= 10
    if often.sum() < 3:
        return float("nan")
    return float(np.var(np.bincount(who, values)[often] / count[often]))


def _shares(results: NDArray[np.int_], count: int) -> Array:
    return (np.bincount(results.astype(int), minlength=count) + 1) / (len(results) + count)
