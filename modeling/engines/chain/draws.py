"""Joint draws by perturbing and solving, over hyperparameters drawn and weighted by their evidence.

H^-1 (Q^1/2 e + A'T^1/2 e') has covariance H^-1 exactly (Papandreou and Yuille, 2010): one global solve for each draw,
some dozens at a time and in single precision, which is ample for a draw. In small leagues the hyperparameters are
integrated over: quasi-random points from a Gaussian at the maximum, each weighted by evidence and prior over density.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import qmc

from modeling.engines.chain import kernels, products
from modeling.engines.chain.linear import Columns, Iteration, Single, System, solve, spread, state_sums
from modeling.engines.chain.scales import Found, Objective
from modeling.engines.chain.smooth import Smoothed, shared_precision
from modeling.outcomes.outcome import Array

TOLERANCE = 1.0  # of a draw, in sds, as estimated by the slowest direction; the true error is a tenth of it
CLOSE = 1e-2  # residual at a point of the hyperparameters, in sds
NODES = 32  # points of the hyperparameters
INTEGRATED = 50_000  # states up to which they are integrated over; in larger leagues their sds are a few per cent
WIDER = 1.1  # the points' spread over the Gaussian's, so that weights stay even


@dataclass(frozen=True)
class Draws:
    """Joint draws: hyperparameters as points of the search, and chosen states with the shared effects below them."""

    points: Array
    """Shape (draws, parameters)."""
    y: NDArray[np.float32]
    """Shape (draws, chosen states + shared effects)."""
    efficiency: float
    """Effective share of the hyperparameters' points; 1 where they were plugged in."""


def perturbed(found: Smoothed, count: int, rng: np.random.Generator) -> Columns:
    """Draws of all states and shared effects at given hyperparameters, shape (states + shared, count)."""
    size, shared = found.structure.size, found.structure.shared.shape[1]
    return np.concatenate(list(perturbations(found, count, rng, np.arange(size + shared))), axis=1)


def perturbations(
    found: Smoothed, count: int, rng: np.random.Generator, chosen: NDArray[np.intp]
) -> Iterator[NDArray[np.float32]]:
    """`count` such draws a few at a time, of chosen elements, shape (chosen, at most products.TOGETHER)."""
    s, prior = found.structure, shared_precision(found.structure, found.values)
    system = System(found.factored, found.sites.tau, prior, found.sites.lift)
    scale = 1 / np.sqrt(np.concatenate([found.variance, np.diag(found.covariance)]))
    run = Iteration(system, min(products.TOGETHER, count))
    own, mean = np.ones(run.width), found.sites.y[chosen].astype(np.float32)[:, None]
    rows, root = np.empty((s.rows, run.width), np.float32), np.sqrt(found.sites.tau).astype(np.float32)
    of_states = chosen < s.size
    for begin in range(0, count, run.width):
        _perturb(run, rng, found.factored.precision, prior, root, rows)
        solve(run, scale, own, TOLERANCE, 0.0, found.sites.smallest)
        part = np.empty((len(chosen), run.width), np.float32)
        part[of_states], part[~of_states] = run.y[chosen[of_states]], run.y_shared[chosen[~of_states] - s.size]
        yield (part + mean)[:, : count - begin]


def _perturb(
    run: Iteration, rng: np.random.Generator, precision: Array, prior: Array, root: Single, rows: Single
) -> None:
    """Begins on columns with covariance H; `rows` is room for noise of shape (rows, columns)."""
    s, steps = run.system.structure, run.product
    streams, bounds = rng.spawn(len(s.row_chunks)), np.linspace(0, s.size, len(s.row_chunks) + 1).astype(int)
    on_shared = np.zeros((len(s.row_chunks), len(prior), run.width))

    def fill(n: int, low: int, high: int) -> None:
        streams[n].standard_normal(out=rows[low:high], dtype=np.float32)
        streams[n].standard_normal(out=steps[bounds[n] : bounds[n + 1]], dtype=np.float32)
        products.weigh(low, high, root, s.shared, rows, on_shared[n])

    spread(s.row_chunks, fill)
    run.begin(0.0, np.sqrt(prior)[:, None] * rng.standard_normal((len(prior), run.width)) + on_shared.sum(axis=0))
    state_sums(s, rows, run.residual)
    own = s.unit_start, s.parent, precision
    spread(s.chunks, lambda _n, a, b: kernels.add_steps(a, b, *own, steps, run.residual))


def draw(
    objective: Objective,
    found: Found,
    states: NDArray[np.intp],
    count: int,
    seed: int,
    tell: Callable[[float], None],
) -> Draws:
    """Joint draws of hyperparameters, chosen states and shared effects."""
    rng = np.random.default_rng(seed)
    s = objective.structure
    if s.size > INTEGRATED or not len(found.point):
        points = found.point + rng.standard_normal((count, len(found.point))) @ np.linalg.cholesky(found.covariance).T
        y = np.empty((count, len(states) + s.shared.shape[1]), np.float32)
        chosen, begin = np.concatenate([states, np.arange(s.size, s.size + s.shared.shape[1])]), 0
        for part in perturbations(found.smoothed, count, rng, chosen):
            y[begin : begin + part.shape[1]] = part.T
            begin += part.shape[1]
            tell(begin / count)
        return Draws(points, y, 1.0)
    nodes, weights = _nodes(objective, found, seed, lambda share: tell(0.5 * share))
    efficiency = float(1 / np.sum(weights**2) / len(weights))
    each = np.bincount(_systematic(weights, count, rng), minlength=len(nodes))
    parts, places = [], np.repeat(np.arange(len(nodes)), each)
    for number, (node, wanted) in enumerate(zip(nodes, each, strict=True)):
        if wanted:
            part = perturbed(objective(node, CLOSE)[2], int(wanted), rng)
            parts.append(np.concatenate([part[states], part[s.size :]]).T)
        tell(0.5 + 0.5 * number / len(nodes))
    order = rng.permutation(count)
    return Draws(nodes[places][order], np.concatenate(parts)[order], efficiency)


def _nodes(objective: Objective, found: Found, seed: int, tell: Callable[[float], None]) -> tuple[Array, Array]:
    """Points of the hyperparameters and their weights."""
    size = len(found.point)
    standard = qmc.MultivariateNormalQMC(np.zeros(size), rng=seed).random(NODES)
    factor = np.linalg.cholesky(found.covariance)
    nodes, logs = found.point + WIDER * standard @ factor.T, np.empty(NODES)
    for number, node in enumerate(nodes):
        logs[number] = objective(node, CLOSE)[0] + 0.5 * standard[number] @ standard[number]
        tell(number / NODES)
    return nodes, np.exp(logs - logsumexp(logs))


def _systematic(weights: Array, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Systematic resampling: each item as often as its weight says, to within one."""
    at = (rng.random() + np.arange(count)) / count
    return np.minimum(np.searchsorted(np.cumsum(weights), at), len(weights) - 1)
