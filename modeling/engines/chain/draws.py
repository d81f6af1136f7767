"""Joint draws by perturbing and solving, over draws of the hyperparameters.

H^-1 (Q^1/2 e + A'T^1/2 e') has covariance H^-1 exactly (Papandreou and Yuille, 2010): one global solve for each draw,
some dozens at a time and in single precision, which is ample for a draw. In small leagues the hyperparameters are
integrated over a surface through few points (surface.py): a draw at hyperparameters comes from the nearest point, with
the mean and spread of where it is put, of what lies between the points. In large leagues every solve gives two draws,
mirrored at the mean (Hammersley and Morton, 1956): chances and means are known at least as well as from as many solves.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modeling.engines.chain import kernels, products
from modeling.engines.chain.linear import SMALLEST, Columns, Iteration, Single, System, solve, state_sums
from modeling.engines.chain.scales import Found, Objective
from modeling.engines.chain.smooth import Sites, Smoothed, shared_precision
from modeling.engines.chain.threads import spread
from modeling.engines.climb import climb
from modeling.engines.hyper import Evaluated, Hyper
from modeling.engines.surface import between, explore
from modeling.outcomes.outcome import Array

SMALL = 1e-12  # what no precision or variance is below, so that it has a logarithm
LIFT, SHARED = 2, 6  # where a point's state has the lift, and the logarithm of the shared effects' covariance
TOLERANCE = 1.0  # of a draw, in sds, as estimated by the slowest direction; the true error is a tenth of it
CLOSE = 1e-2  # residual at a point of the hyperparameters, in sds
INTEGRATED = 50_000  # states up to which hyperparameters are integrated over; of larger leagues sds are a few per cent
NOTHING = np.zeros(0, dtype=np.intp)
FEW, WELL_KNOWN = 12, 0.7  # levels of a block, and share of them that the results determine: its scale by its logarithm


@dataclass(frozen=True)
class Draws:
    """Joint draws: hyperparameters, and chosen states with the shared effects below them."""

    values: Array
    """Shape (draws, parameters)."""
    y: NDArray[np.float32]
    """Shape (draws, chosen states + shared effects)."""
    surface_error: float
    """Nats that the surface of the hyperparameters was wrong by where it was known least; 0 where none was needed."""
    evaluations: int
    """Points of the hyperparameters that the surface took."""
    past: Columns
    """Further states, of some of the draws, shape (some draws, further states)."""
    of_past: NDArray[np.intp]
    """The numbers of those draws."""


def perturbations(
    found: Smoothed, count: int, rng: np.random.Generator, chosen: NDArray[np.intp]
) -> Iterator[NDArray[np.float32]]:
    """`count` draws of chosen states and shared effects at given hyperparameters, a few at a time, shape (chosen, up to
    products.TOGETHER)."""
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
    own = s.unit_start, s.parent, s.kept, precision
    spread(s.chunks, lambda _n, a, b: kernels.add_steps(a, b, *own, steps, run.residual))


def draw(
    objective: Objective,
    found: Found,
    states: NDArray[np.intp],
    count: int,
    seed: int,
    tell: Callable[[float], None],
    further: NDArray[np.intp] = NOTHING,
    few: int = 0,
) -> Draws:
    """Joint draws of hyperparameters, chosen states and shared effects, and of `few` of them `further` states."""
    rng = np.random.default_rng(seed)
    if objective.structure.size > INTEGRATED or not len(found.point):
        points = found.point + rng.standard_normal((count, len(found.point))) @ np.linalg.cholesky(found.covariance).T
        half, first = -(-count // 2), min(few, count) // 2
        y = np.empty((count, len(states) + objective.structure.shared.shape[1]), np.float32)
        past = np.empty((2 * first, len(further)), np.float32)
        every, at = np.concatenate([states, further]), slice(len(states), len(states) + len(further))
        begin, twice = 0, 2 * _chosen(found.smoothed, every)
        for part in _parts(found.smoothed, every, half, rng, tell):
            _put(y, half, begin, np.delete(part, at, axis=1), np.delete(twice, at))
            _put(past, first, begin, part[:, at], twice[at])
            begin += len(part)
        return Draws(_values(objective.hypers, points), y, 0.0, 0, past, np.r_[:first, half : half + first])
    return _integrated(objective, found, states, count, seed, tell, further, few)


def _put(into: Columns, half: int, begin: int, part: Columns, twice: Columns) -> None:
    """Puts draws in their place, and their mirror images after the first half, as many as there is room for."""
    there, mirrored = part[: max(half - begin, 0)], part[: max(len(into) - half - begin, 0)]
    into[begin : begin + len(there)] = there
    into[half + begin : half + begin + len(mirrored)] = twice - mirrored


def _chosen(found: Smoothed, states: NDArray[np.intp]) -> NDArray[np.float32]:
    """Means of chosen states and the shared effects."""
    return np.concatenate([found.mean[states], found.shared]).astype(np.float32)


def _parts(
    found: Smoothed, states: NDArray[np.intp], count: int, rng: np.random.Generator, tell: Callable[[float], None]
) -> Iterator[Columns]:
    """Draws of chosen states and shared effects at given hyperparameters, a few at a time, shape (draws, ...)."""
    s, done = found.structure, 0
    chosen = np.concatenate([states, np.arange(s.size, s.size + s.shared.shape[1])])
    for part in perturbations(found, count, rng, chosen):
        yield part.T
        done += part.shape[1]
        tell(done / count)


def _values(hypers: tuple[Hyper, ...], points: Array) -> Array:
    """Hyperparameters at points, shape (points, hyperparameters)."""
    return np.array([one.value(at) for one, at in zip(hypers, points.T, strict=True)]).T.reshape(points.shape)


def _integrated(
    objective: Objective,
    found: Found,
    chosen: NDArray[np.intp],
    count: int,
    seed: int,
    tell: Callable[[float], None],
    further: NDArray[np.intp],
    few: int,
) -> Draws:
    """Draws over the surface of the hyperparameters."""
    states, of_past = np.concatenate([chosen, further]), np.linspace(0, count - 1, min(few, count)).astype(np.intp)
    known = _Known(objective, states)
    theta, covariance = _reformed(objective, found)
    explored = explore(objective, known.at, climb(objective, known.at, theta, covariance), seed)
    tell(0.5)
    surface, points = explored.surface, explored.points
    z, _ = surface.draws(count, seed)
    places = surface.z(np.array([one.theta for one in points]))
    nearest = np.argmin(np.sum((z[:, None] - places[None]) ** 2, axis=2), axis=1)
    weights, rng = between(places, z), np.random.default_rng(seed)
    mean, spreads = np.array([one.mean for one in points]), _Spreads(points, states)
    y = np.empty((count, mean.shape[1]), np.float32)
    for done, number in enumerate(used := np.unique(nearest)):
        one, left = points[number], np.flatnonzero(nearest == number)
        for part in _parts(known.smoothed(one.theta, one), states, len(left), rng, lambda _: None):
            here, left = left[: len(part)], left[len(part) :]
            y[here] = weights[here] @ mean + spreads.moved(part - one.mean, number, weights[here])
        tell(0.5 + 0.5 * done / len(used))
    at = np.arange(len(chosen), len(states))
    past, values = y[np.ix_(of_past, at)], _values(objective.hypers, surface.centre + z @ surface.axes.T)
    own = y if not len(at) else np.delete(y, at, axis=1)
    return Draws(values, own, explored.error, known.count, past, of_past)


def _reformed(objective: Objective, found: Found) -> tuple[Array, Array]:
    """The maximum and its covariance in the coordinates to integrate in, which the objective takes on.

    Of n levels whose results determine a share s, the logarithm of the scale has the information 2 n s^2.
    """
    blocks = [block for block in objective.structure.design.blocks if block.fixed_scale is None]
    levels = np.full(len(found.point), np.inf)
    levels[: len(blocks)] = [len(block.levels) for block in blocks]
    information = np.linalg.inv(found.covariance).diagonal() - objective.prior_information(found.point)
    is_few = (levels < FEW) & (information > 2 * levels * WELL_KNOWN**2)
    values = objective.values(found.point)
    objective.hypers = tuple(
        replace(one, form="root") if one.form == "log" and not few else one
        for one, few in zip(objective.hypers, is_few, strict=True)
    )
    theta = np.array([one.coordinate(values[one.name]) for one in objective.hypers])
    turn = [one.by_log(at) for one, at in zip(objective.hypers, theta.tolist(), strict=True)]
    return theta, found.covariance / np.outer(turn, turn)


class _Spreads:
    """How draws spread at each point of the hyperparameters: shared effects together, each state given them.

    Each effect by itself would be wrong: what a level and the groups' means have in common cancels in every row, and is
    known a hundred times less well than the rows are.
    """

    def __init__(self, points: Sequence[Evaluated], states: NDArray[np.intp]) -> None:
        self.log_sd = np.log([one.sd[: len(states)] for one in points])
        self.lift = [one.state[LIFT][states] for one in points]
        self.shared = np.array([one.state[SHARED] for one in points])

    def moved(self, apart: Columns, number: int, weights: Array) -> Array:
        """Draws about zero at one of the points, spread as at others: these weights of the points; shape as given."""
        count, lift = self.log_sd.shape[1], self.lift[number]
        states, shared = apart[:, :count].astype(float), apart[:, count:].astype(float)
        states += shared @ lift.T
        states *= np.exp(weights @ self.log_sd - self.log_sd[number])
        standard = shared @ _root(-self.shared[number])
        shared = np.einsum("dij,dj->di", _root(np.tensordot(weights, self.shared, 1)), standard)
        return np.concatenate([states - shared @ lift.T, shared], axis=1)


def _logarithm(covariance: Array) -> Array:
    """Logarithm of a covariance matrix."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.log(np.maximum(values, SMALL))) @ vectors.T


def _root(logarithm: Array) -> Array:
    """Square roots of covariance matrices whose logarithms are given, shape (..., k, k)."""
    values, vectors = np.linalg.eigh(logarithm)
    return (vectors * np.exp(values / 2)[..., None, :]) @ np.swapaxes(vectors, -1, -2)


class _Known:
    """Evaluations of an objective as the climb and the surface take them."""

    def __init__(self, objective: Objective, states: NDArray[np.intp]) -> None:
        self.objective, self.states, self.count = objective, states, 0

    def at(self, theta: Array, near: Evaluated | None) -> Evaluated:
        """What is known at theta, sought from where it stands nearby."""
        found, self.count = self.smoothed(theta, near), self.count + 1
        slope = self.objective.evidence_gradient(found, theta)
        mean = np.concatenate([found.mean[self.states], found.shared])
        sd = np.sqrt(np.concatenate([found.factored.variances[self.states], found.covariance.diagonal()]))
        now = found.sites
        positive = [np.log(np.maximum(one, SMALL)) for one in (now.tau, now.p, found.variance)]
        state = (now.nu, now.y, now.lift, *positive, _logarithm(found.covariance))
        return Evaluated(theta, found.evidence, slope, np.zeros(0), mean, sd, state)

    def smoothed(self, theta: Array, near: Evaluated | None) -> Smoothed:
        """The posterior at theta."""
        if near is not None:
            nu, y, lift = near.state[:3]
            tau, p, variance = (np.exp(one) for one in near.state[3:6])
            smallest = self.objective.begin.smallest if self.objective.begin else SMALLEST
            self.objective.begin = Sites(tau, nu, p, y, lift, smallest, variance)
        return self.objective.smoothed(theta, CLOSE)
