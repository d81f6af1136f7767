"""Where results lie among what the fit makes of them: histograms of the randomised probability integral transform.

In-sample the fit has seen each result; leave-one-out weighs the draws by what each game tells of them (Vehtari, Gelman
and Gabry, 2017, "Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC", Statistics and
Computing 27). Results that are equal are put in random order (Czado, Gneiting and Held, 2009, Biometrics 65).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray
from scipy.stats import binom

from modeling.design import Design
from modeling.outcomes.outcome import Array
from modeling.pit import alike
from modeling.tree import Replication

BINS = 20
LEFT_OUT = 1000  # games: a histogram of more says nothing more to the eye
SEEN = 20_000
SMOOTHED = 100  # draws below which there is no tail to smooth
ALIKE = 1e-9
BEYOND = 0.05  # chance that any bin of a histogram is outside its band


@dataclass
class Ranks:
    """Ranks of some games' results among their replications, and among those weighted as if the game were left out."""

    design: Design
    rng: np.random.Generator
    rows: NDArray[np.intp] = field(init=False)
    """Rows of at most 20,000 games; of the first 1,000 of them, `few`, weights are kept."""
    few: NDArray[np.intp] = field(init=False)
    below: Array = field(init=False)
    """How many replications were lower, and how many equal; shape (2, rows)."""
    draws: int = 0
    kept: list[NDArray[np.float32]] = field(default_factory=list)
    likely: list[Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        chosen = self.rng.permutation(self.design.games)[:SEEN]
        self.rows, self.few = self._rows_of(chosen), self._rows_of(chosen[:LEFT_OUT])
        self.below = np.zeros((2, len(self.rows)))

    def _rows_of(self, games: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.flatnonzero(np.isin(self.design.game, games))

    def see(self, part: Replication) -> None:
        """Takes a few replications in."""
        made, seen = alike(self.design, part.y[:, self.rows]), self.design.y[self.rows]
        self.below += np.stack([(made < seen).sum(axis=0), (made == seen).sum(axis=0)])
        self.draws += len(made)
        self.kept.append(np.asarray(part.y[:, self.few], dtype=np.float32))
        self.likely.append(part.log_likelihood(self.design, self.few))

    def tables(self) -> dict[str, pl.DataFrame]:
        """The rows of `pit` in-sample and leave-one-out."""
        lower, equal = self.below / self.draws
        seen = _placed(lower, equal, self.rng)
        left_out = _placed(*self._left_out(), self.rng)
        return {"pit": pl.concat([histogram("in_sample", seen), histogram("loo", left_out)])}

    def _left_out(self) -> tuple[Array, Array]:
        """Weighted shares of replications that are lower, and equal; shape (few,) each."""
        made, seen = alike(self.design, np.concatenate(self.kept)), self.design.y[self.few]
        weights = left_out_weights(np.concatenate(self.likely))
        games = np.unique(self.design.game[self.few], return_inverse=True)[1]
        each = weights[:, games]
        return np.sum(each * (made < seen), axis=0), np.sum(each * (made == seen), axis=0)


def left_out_weights(log_likelihood: Array) -> Array:
    """Pareto-smoothed weights of draws (draws, games) for each game's absence, summing to one over the draws."""
    log_weights = -log_likelihood.T
    told = np.ptp(log_weights, axis=1) > ALIKE  # a game of which all draws say the same leaves them as they are
    if len(log_likelihood) >= SMOOTHED and told.any():
        # It wants log likelihoods, of which weights are the inverse.
        log_weights[told] = np.asarray(array_stats.psislw(-log_weights[told], axis=-1)[0])
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True)).T


def _placed(lower: Array, equal: Array, rng: np.random.Generator) -> Array:
    return lower + rng.random(len(lower)) * equal


def histogram(kind: str, places: Array) -> pl.DataFrame:
    """Rows of `pit`: shares of places (0 to 1) by bin, with a band that all keep together in 95 % of such samples of
    independent results."""
    count = len(places)
    observed = np.histogram(places, BINS, (0, 1))[0] / count
    tail = BEYOND / (2 * BINS)
    low, high = (binom.ppf(q, count, 1 / BINS) / count for q in (tail, 1 - tail))
    return pit_rows(kind, count, observed, np.full(BINS, 1 / BINS), np.full(BINS, low), np.full(BINS, high))


def pit_rows(kind: str, results: int, observed: Array, expected: Array, low: Array, high: Array) -> pl.DataFrame:
    """The columns of `pit`."""
    bins: Sequence[int] = range(1, len(observed) + 1)
    shares = {"observed": observed, "expected": expected, "low": low, "high": high}
    return pl.DataFrame({"bin": bins, **shares}).with_columns(
        pl.col("bin").cast(pl.Int32), kind=pl.lit(kind), results=pl.lit(results, pl.Int32)
    )
