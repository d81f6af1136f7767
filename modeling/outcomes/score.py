"""Score: what each side scored in a game is Poisson, its log rate the attack of one side against the other's defence.

Source of the model: Maher (1982), "Modelling association football scores", Statistica Neerlandica 36.
"""

from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from scipy.special import gammaln

from modeling.outcomes.outcome import Array, Outcome, Sides, Statistic

HIGHEST_RATE = 30.0  # beyond it a game's result is certain to all digits shown; keeps the grid of scores finite


def log_density(y: Array, eta: Array, exposure: Array) -> Array:
    """log Poisson(y | exposure · exp(eta)) of each row."""
    return y * (eta + np.log(exposure)) - exposure * np.exp(eta) - gammaln(y + 1)


def derivatives(y: Array, eta: Array, exposure: Array) -> tuple[Array, Array, Array]:
    """First, minus second, and third derivative of the log density with respect to eta."""
    rate = exposure * np.exp(eta)
    return y - rate, rate, -rate


def pymc(eta: Any, y: Any, exposure: Any) -> Any:
    """Log likelihood up to a constant; rows with the same eta may be summed, for Poisson counts exactly."""
    return pt.sum(y * eta - exposure * pt.exp(eta))


def simulate(rng: np.random.Generator, eta: Array, exposure: Array) -> Array:
    """Simulated scores, of the shape of eta."""
    return rng.poisson(exposure * np.exp(np.minimum(eta, np.log(1e6)))).astype(float)


def chances(eta_first: Array, eta_second: Array) -> Array:
    """Chances of win, draw and loss of the first side: sums over the grid of scores; they sum to one."""
    fastest = float(np.exp(max(np.max(eta_first, initial=0.0), np.max(eta_second, initial=0.0))))
    goals = np.arange(_top(min(fastest, HIGHEST_RATE)) + 1)
    first, second = _score_chances(eta_first, goals), _score_chances(eta_second, goals)
    below = np.cumsum(second, axis=-1) - second
    win = np.sum(first * below, axis=-1)
    draw = np.sum(first * second, axis=-1)
    return np.stack([win, draw, np.maximum(1 - win - draw, 0)], axis=-1)


def margin(eta_first: Array, eta_second: Array) -> Array:
    """Expected margin of the first side, in goals."""
    return np.exp(eta_first) - np.exp(eta_second)


def _top(rate: float) -> int:
    """A score that is never exceeded at this rate, to double precision."""
    return int(rate + 9 * np.sqrt(rate) + 12)


def _score_chances(eta: Array, goals: NDArray[np.int_]) -> Array:
    """Poisson chances of each number of goals on a new last axis, summing to one."""
    rate = np.exp(np.minimum(eta, np.log(HIGHEST_RATE)))[..., None]
    mass = np.exp(goals * np.log(np.maximum(rate, 1e-12)) - rate - gammaln(goals + 1))
    return mass / mass.sum(axis=-1, keepdims=True)


def _home_win_share(sides: Sides) -> float:
    home, away = sides.by_home()
    return float(np.mean(home > away)) if home.size else float("nan")


def _draw_share(sides: Sides) -> float:
    return float(np.mean(sides.score[:, 0] == sides.score[:, 1]))


def _variance(sides: Sides) -> float:
    return float(np.var(sides.score))


def _goalless_share(sides: Sides) -> float:
    return float(np.mean(sides.score.sum(axis=1) == 0))


def _blow_out_share(sides: Sides) -> float:
    return float(np.mean(np.abs(sides.score[:, 0] - sides.score[:, 1]) >= 5))


def _goals_a_game(sides: Sides) -> float:
    return float(np.mean(sides.score.sum(axis=1)))


def _highest_score(sides: Sides) -> float:
    return float(np.max(sides.score))


OUTCOME = Outcome(
    name="score",
    unit="log goals",
    unit_sd=0.5,
    components=("attack", "defence"),
    log_density=log_density,
    derivatives=derivatives,
    pymc=pymc,
    simulate=simulate,
    chances=chances,
    margin=margin,
    statistics=(
        Statistic("home_wins", "share of home games won by the home side", _home_win_share, 0.05, is_hard=True),
        Statistic("draws", "share of games drawn", _draw_share, 0.05, is_hard=True),
        Statistic("variance", "variance of goals by a side", _variance, 0.15, is_relative=True, is_hard=True),
        Statistic("goals", "goals a game", _goals_a_game),
        Statistic("goalless", "share of games without a goal", _goalless_share),
        Statistic("blow_outs", "share of games won by five goals or more", _blow_out_share),
        Statistic("highest", "most goals by a side in one game", _highest_score),
    ),
)
