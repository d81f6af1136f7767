"""A block of the linear predictor: effects of many levels that share a learned scale, independent or walking.

Of a walk that forgets (`persistence` below 1) a year leaves that share of a unit's distance x from the mean of its
group: x(t + dt) = a x(t) + N(0, scale^2 v), a = persistence^dt, v = (1 - a^2) / (2 k), k = -log(persistence), which is
the Ornstein-Uhlenbeck process seen at any times: Gillespie (1996), "Exact numerical simulation of the
Ornstein-Uhlenbeck process and its integral", Physical Review E 54. As k goes to 0 it is the random walk, a = 1 and
v = dt. The entry state e is a block of its own: x_t = persistence^(t - entry) e + w_t, where w_t = a w_(t - dt) +
N(0, scale^2 v) from w = 0, so that the two are independent.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array

from modeling.outcomes.outcome import Array

Role = Literal["base", "group", "walk", "slope"]


def kept_over(years: Array, persistence: float) -> Array:
    """What so many years leave of a distance from the mean."""
    return persistence**years


def added_over(years: Array, persistence: float) -> Array:
    """Variance that a walk gains over so many years, in squares of its scale."""
    if persistence == 1:
        return years
    rate = -np.log(persistence)
    return -np.expm1(-2 * rate * years) / (2 * rate)


@dataclass(frozen=True)
class Block:
    """Effects of many levels that share a learned scale."""

    name: str
    title: str
    kind: str
    """Kind of competitor whose rating it is part of, or "" of none."""
    component: str
    """Component of the rating it is part of: total, attack or defence."""
    role: Role
    levels: tuple[str, ...]
    weights: csr_array
    """Shape (rows, levels)."""
    prior_scale: float
    loading: csr_array
    """Weights of the levels in the current state of each unit, shape (units, levels). Units are the competitors of the
    kind; of a slope, pairs of a competitor and a value (a surface, a season), listed in `owner` and `value`."""
    owner: NDArray[np.intp] | None = None
    value: tuple[str, ...] = ()
    by: str = ""
    """Of a slope, what it varies by."""
    previous: NDArray[np.intp] | None = None
    """Of a walk, the level each level comes after, or -1 after the entry state; else None."""
    years: Array | None = None
    """Of a walk, years since that."""
    idle: Array | None = None
    """Of a walk, years from each unit's last state to the as-of date, shape (units,)."""
    fixed_scale: float | None = None
    """The scale where it is not learned but given; else None."""
    persistence: float = 1.0
    """Of a walk, what a year leaves of a distance from the mean; 1 where it forgets nothing."""
    left: Array | None = None
    """What idle years have left of each unit's last state, which is a factor of `loading`, shape (units,): of a walk
    that forgets, and of its entry states; else None."""

    @property
    def scale_prior(self) -> str:
        """The prior of its scale in words."""
        return f"HalfNormal({self.prior_scale:g})" if self.fixed_scale is None else f"fixed at {self.fixed_scale:g}"

    @property
    def level_names(self) -> list[str]:
        """Its levels by names that are unique among all blocks'."""
        return [f"{self.name}|{level}" for level in self.levels]

    @property
    def prior(self) -> str:
        """The prior of an effect in words."""
        if self.role != "walk":
            return "Normal(0, scale)"
        if self.persistence == 1:
            return "previous + Normal(0, scale sqrt(years))"
        kept, rate = f"{self.persistence:g}", f"{-2 * np.log(self.persistence):.4g}"
        return f"{kept}^years previous + Normal(0, scale sqrt((1 - {kept}^(2 years)) / {rate}))"

    @cached_property
    def row_sum(self) -> float | None:
        """Sum of the weights of every row where all rows agree: then the block's mean only shifts eta as a whole."""
        sums = np.asarray(self.weights.sum(axis=1)).ravel()
        return float(sums[0]) if self.previous is None and np.allclose(sums, sums[0]) else None

    @cached_property
    def kept(self) -> Array:
        """Of a walk, what is left of the state before in each level, shape (levels,)."""
        assert self.years is not None
        return kept_over(self.years, self.persistence)

    @cached_property
    def steps(self) -> csr_array:
        """The matrix D with D u independent: the identity, or a walk's u less what is left of those before them; shape
        (levels, levels)."""
        size = len(self.levels)
        if self.previous is None:
            return csr_array(diags_array(np.ones(size)))
        later = np.flatnonzero(self.previous >= 0)
        rows = np.concatenate([np.arange(size), later])
        columns = np.concatenate([np.arange(size), self.previous[later]])
        values = np.concatenate([np.ones(size), -self.kept[later]])
        return csr_array(coo_array((values, (rows, columns)), shape=(size, size)))

    @cached_property
    def step_sd(self) -> Array:
        """Prior sd of D u in scales, shape (levels,)."""
        return np.ones(len(self.levels)) if self.years is None else np.sqrt(added_over(self.years, self.persistence))

    @property
    def idle_variance(self) -> Array:
        """What idle years add to the variance of each unit's current state, in squares of the scale, shape (units,)."""
        if self.idle is None:
            return np.zeros(self.loading.indptr.size - 1)
        return added_over(self.idle, self.persistence)

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Of a walk, the first level of each level's chain; chains stand one after the other."""
        assert self.previous is not None
        return np.maximum.accumulate(np.where(self.previous < 0, np.arange(len(self.levels)), 0))

    @cached_property
    def since(self) -> Array:
        """Of a walk, years from the entry of its unit to each level, shape (levels,)."""
        assert self.years is not None
        total = np.cumsum(self.years)
        return total - (total - self.years)[self.starts]

    @cached_property
    def units(self) -> NDArray[np.intp]:
        """Of a walk, the unit of each level: chains stand one after the other and end where `loading` points."""
        units, last = self.loading.nonzero()
        order = np.argsort(last)
        return units[order][np.searchsorted(last[order], np.arange(len(self.levels)))]

    @cached_property
    def of_entry(self) -> csr_array:
        """Of a walk, what is left of each unit's entry state in its levels, shape (levels, units)."""
        left = kept_over(self.since, self.persistence)
        shape = len(self.levels), self.loading.indptr.size - 1
        return csr_array((left, (np.arange(len(left)), self.units)), shape=shape)

    @cached_property
    def reach(self) -> csr_array:
        """Weights of the independent parts D u in each unit's current state, shape (units, levels)."""
        if self.previous is None:
            return self.loading
        starts, ends = self.starts, coo_array(self.loading)
        count = ends.col - starts[ends.col] + 1
        columns = np.concatenate([np.zeros(0, int), *(np.arange(int(starts[end]), int(end) + 1) for end in ends.col)])
        between = np.repeat(self.since[ends.col], count) - self.since[columns]
        values = np.repeat(ends.data, count) * kept_over(between, self.persistence)
        return csr_array((values, (np.repeat(ends.row, count), columns)), shape=self.loading.shape)

    @property
    def last(self) -> csr_array:
        """Weights of the levels in the last state of each unit, shape (units, levels)."""
        return self.loading if self.left is None else csr_array(self.loading.multiply(1 / self.left[:, None]))

    def precision(self, scale: float) -> csr_array:
        """Prior precision of the block's effects at a scale, shape (levels, levels)."""
        inner = diags_array((scale * self.step_sd) ** -2.0)
        return csr_array(self.steps.T @ inner @ self.steps)


def forgetting(entry: Block, walks: list[Block], persistence: float) -> list[Block]:
    """The block of entry states and its walk, if it has one, of which a year leaves `persistence`."""
    if persistence == 1 or not walks:
        return [entry, *walks]
    (walk,) = walks
    assert walk.idle is not None
    left = kept_over(walk.idle, persistence)
    moved = replace(walk, persistence=persistence, left=left, loading=csr_array(walk.loading.multiply(left[:, None])))
    still = csr_array(entry.weights - walk.weights @ walk.of_entry)
    still.eliminate_zeros()
    at_last = left.copy()
    units, last = walk.loading.nonzero()
    at_last[units] *= kept_over(moved.since[last], persistence)
    weights = csr_array(still + moved.weights @ moved.of_entry)
    return [replace(entry, weights=weights, loading=csr_array(diags_array(at_last)), left=left), moved]
