"""The forward filter: one pass over a league that forecasts each game from the results of earlier days alone.

Assumed-density filtering (Opper, 1998): of every unit the mean and covariance of its current states (strength, and its
slopes); a game moves them by matching the moments of its tilted distribution. Between days a walk's variance grows by
drift^2 times the years that passed. Shared effects and hyperparameters are given, learned from earlier games.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

from modeling.engines.chain.forward import forward
from modeling.engines.chain.scales import parameters_of
from modeling.engines.chain.smooth import rows_of, scales_of, shared_precision
from modeling.engines.chain.structure import Structure
from modeling.engines.chain.threads import spread
from modeling.outcomes.outcome import Array
from modeling.periods import DAYS_A_YEAR

LEVEL = 5e-5  # slope of the mean log loss in any coordinate, where the search stops
NUDGE = 1e-4  # of a coordinate, for the slope
WIDE = 0.05  # and for the first curvature
FLAT = 1e-3  # the least that a first curvature is held to be
RUN_UP = np.timedelta64(3 * 365, "D")  # before the judged rows, that a first search passes over
SHORT = 0.5  # share of the rows up to which that is worth it


@dataclass(frozen=True)
class Slots:
    """The current states of the units: one for each chain, with entry and drift scales."""

    of_state: NDArray[np.int32]
    """Number of each state's chain within its unit."""
    start: NDArray[np.int32]
    """First slot of each unit, shape (units + 1,)."""
    block: NDArray[np.int32]
    """Number of the block of each slot's entry state, and of its walk (-1 of one that does not move)."""
    walk: NDArray[np.int32]


@dataclass(frozen=True)
class Forecasts:
    """Of every row what was known before its day: the linear predictor's mean and variance, and log P(result)."""

    eta: Array
    variance: Array
    log_predictive: Array


def slots_of(s: Structure) -> Slots:
    """The chains of every unit."""
    root = np.arange(s.size)
    later = s.parent >= 0
    root[later] = -1
    while (root < 0).any():
        open_ = np.flatnonzero(root < 0)
        root[open_] = root[s.parent[open_]]
    number = np.cumsum(~later) - 1
    start = np.concatenate([[0], np.cumsum(~later)])[s.unit_start]
    unit = np.repeat(np.arange(s.units), np.diff(s.unit_start))
    walk = np.full(int((~later).sum()), -1)
    walk[number[root[later]]] = s.scale[later]
    own = number[root] - start[unit]
    return Slots(own.astype(np.int32), start.astype(np.int32), s.scale[~later], walk.astype(np.int32))


def forecast(s: Structure, values: dict[str, float], shared: Array, slots: Slots | None = None) -> Forecasts:
    """Forecasts of every row at given hyperparameters and shared effects (in the order of `shared_names`).

    Rows that do not count (`Structure.counts`) are forecast, but teach nothing.
    """
    slots, rows = slots_of(s) if slots is None else slots, rows_of(s, values)
    scales = np.append(scales_of(s, values), 0.0)
    played = s.design.played_on[s.design.game].astype("datetime64[D]").astype(np.int64)
    out = np.empty((3, s.rows))
    width = np.diff(slots.start)
    at = np.concatenate([[0], np.cumsum(width**2)])
    forward(
        _ends(played), played / DAYS_A_YEAR, s.row_node, s.row_factor, s.node_start, s.node_state, s.node_weight,
        s.unit_of_node, slots.of_state, slots.start, at,
        scales[slots.block], scales[slots.walk], rows.code, rows.y, rows.exposure, rows.noise, rows.auxiliary,
        s.shared @ shared, s.counts, out,
    )  # fmt: skip
    return Forecasts(*out)


def _ends(day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each day's rows end; rows are in order of play."""
    return np.append(np.flatnonzero(day[1:] != day[:-1]) + 1, len(day))


@dataclass(frozen=True)
class Learned:
    """Hyperparameters and shared effects that forecast best, and their mean log loss on the judged rows."""

    values: dict[str, float]
    shared: Array
    log_loss: float
    passes: int
    point: Array
    """The same as coordinates of the search: hyperparameters that are free, then shared effects."""
    bend: Array
    """Inverse of the curvature of the mean log loss there, as far as the search has met it."""


def learn(
    s: Structure,
    judged: NDArray[np.bool_],
    begin: Learned | None = None,
    tell: Callable[[int], None] = lambda _passes: None,
) -> Learned:
    """Hyperparameters and shared effects that maximise the prequential likelihood of the judged rows and the priors.

    The choice for forecasting, where the evidence of the smoother is the choice for looking back: Dawid (1984). Rows
    after the last judged one are never looked at. Without a `begin` a long league is first searched on the judged rows
    with some years before them, so that few passes go over all of its past. `tell` is told how many passes there were.
    """
    own = np.flatnonzero(judged)
    upto, day = int(own[-1]) + 1, s.design.played_on[s.design.game]
    since = int(np.searchsorted(day, day[own[0]] - RUN_UP))
    search = _Search(s, judged, tell)
    point, bend = search.start if begin is None else begin.point, None if begin is None else begin.bend
    if begin is None and since > upto * (1 - SHORT):
        best = search.minimise(since, upto, point, None)
        point, bend = best.x, best.hess_inv
    best = search.minimise(0, upto, point, bend)
    values, shared = search.read(best.x)
    return Learned(values, shared, float(best.fun), search.passes, best.x, best.hess_inv)


class _Search:
    """The mean loss of judged rows, priors included, as a function of coordinates, and its minimum."""

    def __init__(self, s: Structure, judged: NDArray[np.bool_], tell: Callable[[int], None]) -> None:
        self.structure, self.judged, self.slots, self.tell, self.passes = s, judged, slots_of(s), tell, 0
        parameters = parameters_of(s.design)
        pooled = {f"scale_{s.design.blocks[number].name}" for number in s.shared_scale if number >= 0}
        self.free = [one for one in parameters if one.name not in pooled]
        self.fixed = {one.name: one.prior for one in parameters}

    @property
    def start(self) -> Array:
        """Where to begin when nothing is known."""
        return np.array([one.coordinate(one.start) for one in self.free] + self.structure.shared_mean.tolist())

    def read(self, point: Array) -> tuple[dict[str, float], Array]:
        """Hyperparameters and shared effects at a point."""
        values = {one.name: float(one.value(at)) for one, at in zip(self.free, point, strict=False)}
        return self.fixed | values, point[len(self.free) :]

    def minimise(self, low: int, high: int, start: Array, bend: Array | None) -> OptimizeResult:
        """The least mean loss of the judged rows by passes over rows low to high; `bend` is a first inverse Hessian."""
        part, judged = _rows(self.structure, low, high), self.judged[low:high]

        def loss(point: Array) -> float:
            values, shared = self.read(point)
            found = forecast(part, values, shared, self.slots).log_predictive[judged].sum()
            prior = sum(float(one.log_prior(at)) for one, at in zip(self.free, point, strict=False))
            prior -= 0.5 * float(shared_precision(part, self.fixed) @ (shared - part.shared_mean) ** 2)
            return -(found + prior) / judged.sum()

        def losses(points: Array) -> Array:
            found = spread([(k, k + 1) for k in range(len(points))], lambda k, _low, _high: loss(points[k]))
            self.passes += len(points)
            self.tell(self.passes)
            return np.array(found)

        def with_slope(point: Array) -> tuple[float, Array]:
            found = losses(point + NUDGE * np.eye(len(point) + 1, len(point), -1))  # the point itself, then each nudged
            return found[0], (found[1:] - found[0]) / NUDGE

        if bend is None:
            away = WIDE * np.eye(len(start))
            at, above, below = np.split(
                losses(np.concatenate([start[None], start + away, start - away])), [1, len(start) + 1]
            )
            bend = np.diag(1 / np.maximum((above - 2 * at + below) / WIDE**2, FLAT))
        options = {"gtol": LEVEL, "hess_inv0": (bend + bend.T) / 2}
        return minimize(with_slope, start, jac=True, method="BFGS", options=options)


def _rows(s: Structure, low: int, high: int) -> Structure:
    """The structure with some of its rows alone, for the filter."""
    d, of = s.design, slice(low, high)
    noise = tuple(replace(one, codes=one.codes[of]) for one in d.noise)
    design = replace(d, y=d.y[of], exposure=d.exposure[of], game=d.game[of], noise=noise)
    return replace(
        s, design=design, row_node=s.row_node[of], row_factor=s.row_factor[of], shared=s.shared[of], counts=s.counts[of]
    )
