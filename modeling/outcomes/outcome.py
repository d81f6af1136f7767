"""What every outcome family must know: its likelihood with derivatives, how to simulate, forecast and check it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sides:
    """Two-sided games as arrays, one element a game; column 0 and 1 are the two sides in stored order."""

    score: Array
    """Points of each side, shape (games, 2)."""
    is_home: NDArray[np.bool_]
    """Home advantage of each side, shape (games, 2)."""

    def by_home(self) -> tuple[Array, Array]:
        """Scores (home, away) of the games that have a home side, each of shape (games with a home side,)."""
        at_home = self.is_home.any(axis=1)
        first = self.is_home[at_home, 0]
        score = self.score[at_home]
        return np.where(first, score[:, 0], score[:, 1]), np.where(first, score[:, 1], score[:, 0])


@dataclass(frozen=True)
class Statistic:
    """A statistic of a league's results that a fan would notice, for posterior predictive checks.

    `practical_size` is the smallest discrepancy that matters: an absolute one, or a share of the observed value where
    `is_relative`. `is_hard` statistics can reject a fit.
    """

    name: str
    title: str
    of: Callable[[Sides], float]
    practical_size: float | None = None
    is_relative: bool = False
    is_hard: bool = False


@dataclass(frozen=True)
class Outcome:
    """One outcome family. `eta` is the linear predictor of each row, `y` its result, `exposure` its opportunity."""

    name: str
    unit: str
    unit_sd: float
    """Typical size of an effect in units of eta; priors are multiples of it."""
    components: tuple[str, ...]
    """Parts a rating is the sum of: attack and defence, or just the total."""
    log_density: Callable[[Array, Array, Array], Array]
    """(y, eta, exposure) -> log p(y | eta) of each row."""
    derivatives: Callable[[Array, Array, Array], tuple[Array, Array, Array]]
    """(y, eta, exposure) -> first, minus second, and third derivative of the log density with respect to eta."""
    pymc: Callable[[Any, Any, Any], Any]
    """(eta, sum of y, sum of exposure) of collapsed rows -> log likelihood as a PyTensor scalar, up to a constant."""
    simulate: Callable[[np.random.Generator, Array, Array], Array]
    """(rng, eta, exposure) -> simulated results of the same shape as eta."""
    chances: Callable[[Array, Array], Array]
    """(eta of the first side, of the second) -> chances of win, draw, loss of the first, a new last axis."""
    margin: Callable[[Array, Array], Array]
    """(eta of the first side, of the second) -> expected margin of the first."""
    statistics: tuple[Statistic, ...]
