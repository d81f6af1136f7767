"""The forward filter: one pass over a league that forecasts each game from the results of earlier days alone.

Assumed-density filtering (Opper, 1998): of every unit the mean and covariance of its current states (strength, and its
slopes); a game moves them by matching the moments of its tilted distribution. Between days a walk's variance grows by
drift^2 times the years that passed; where it forgets, it goes back to zero and to what it spreads in the long run
(block.py). Shared effects and hyperparameters are given, learned from earlier games.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from modeling.engines.chain.forward import forward
from modeling.engines.chain.scales import parameters_of
from modeling.engines.chain.smooth import rows_of, scales_of, shared_precision
from modeling.engines.chain.structure import Structure
from modeling.outcomes.outcome import Array
from modeling.periods import DAYS_A_YEAR

PRECISE = 2e-6  # of the mean log loss, where the search stops


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
    rate: Array
    """What a year takes from the logarithm of each slot's distance from zero; 0 of one that forgets nothing."""


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
    rate = np.append([-np.log(block.persistence) for block in s.design.blocks], 0.0)[walk]
    return Slots(own.astype(np.int32), start.astype(np.int32), s.scale[~later], walk.astype(np.int32), rate)


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
        s.unit_of_node, slots.of_state, slots.start, at, scales[slots.block], scales[slots.walk], slots.rate,
        rows.code, rows.y, rows.exposure, rows.noise, rows.auxiliary, s.shared @ shared, s.counts, out,
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


def learn(
    s: Structure,
    judged: NDArray[np.bool_],
    begin: dict[str, float] | None = None,
) -> Learned:
    """Hyperparameters and shared effects that maximise the prequential likelihood of the judged rows and the priors.

    The choice for forecasting, where the evidence of the smoother is the choice for looking back: Dawid (1984).
    Rows after the last judged one are never looked at.
    """
    upto = int(np.flatnonzero(judged)[-1]) + 1
    part, slots, parameters = _first_rows(s, upto), slots_of(s), parameters_of(s.design)
    pooled = {f"scale_{s.design.blocks[number].name}" for number in s.shared_scale if number >= 0}
    free = [one for one in parameters if one.name not in pooled]
    start = np.array([one.coordinate((begin or {}).get(one.name, one.start)) for one in free] + s.shared_mean.tolist())
    fixed = {one.name: one.prior for one in parameters}
    passes = [0]

    def objective(point: Array) -> float:
        values = fixed | {one.name: float(one.value(at)) for one, at in zip(free, point, strict=False)}
        shared, passes[0] = point[len(free) :], passes[0] + 1
        found = forecast(part, values, shared, slots).log_predictive[judged[:upto]].sum()
        prior = sum(float(one.log_prior(at)) for one, at in zip(free, point, strict=False))
        prior -= 0.5 * float(shared_precision(s, fixed) @ (shared - s.shared_mean) ** 2)
        return -(found + prior) / judged.sum()

    options = {"ftol": PRECISE / 10, "gtol": PRECISE, "eps": 1e-4}
    best = minimize(objective, start, method="L-BFGS-B", options=options)
    values = fixed | {one.name: float(one.value(at)) for one, at in zip(free, best.x, strict=False)}
    return Learned(values, best.x[len(free) :], float(best.fun), passes[0])


def _first_rows(s: Structure, count: int) -> Structure:
    """The structure with its first rows alone, for the filter."""
    d = s.design
    noise = tuple(replace(one, codes=one.codes[:count]) for one in d.noise)
    design = replace(d, y=d.y[:count], exposure=d.exposure[:count], game=d.game[:count], noise=noise)
    return replace(
        s, design=design, row_node=s.row_node[:count], row_factor=s.row_factor[:count], shared=s.shared[:count],
        counts=s.counts[:count],
    )  # fmt: skip
