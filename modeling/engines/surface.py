"""The posterior of the hyperparameters from few points: a surface through values and gradients, and draws from it.

Points stand on a star around the highest one, on both sides of each axis of the curvature, and where the surface is
known least. It is the quadratic that fits them best plus a Gaussian process for what is left, both conditioned on
gradients too (Rasmussen and Williams, 2006, section 9.4); the roots' Jacobian, which no smooth surface follows, is
added to both. Draws are weighted quasi-random points.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import norm, qmc

from modeling.engines.climb import At, Climbed
from modeling.engines.hyper import Evaluated, Hypers
from modeling.outcomes.outcome import Array

REACH = 1.3  # of the star's points, in sds
DROP = (0.2, 3.0)  # nats below the top that tell of the shape; of a point at REACH sds it is 0.85
WIDE, FAR = 0.3, 3.0  # axes longer than this share of a long step have tails that a point FAR sds away must tell of
LEAST = 0.1  # of the highest point's root: what a star's point keeps to
AMONG = 300  # draws, of which a round adds those where the surface is known least, one for each such axis
ROUNDS, KNOWN = 8, 0.1  # at most, and nats that the surface may be wrong by at the points of the last
SMOOTH = 2.5  # length over which what the quadratic misses is alike, in sds
NUGGET = 1e-3  # variance in nats^2 that points may be missed by, against one of what the quadratic misses
OVER = 0.1  # nats above the highest point, which a climb ended at, that the surface may rise to
FARTHEST = 8.0  # points, in sds, that the surface goes through
WIDER = 1.5  # proposals than the quadratic
POINTS = 2**13


@dataclass(frozen=True)
class Surface:
    """Log posterior density of theta, up to the evidence, at theta = centre + axes z."""

    centre: Array
    axes: Array
    """Shape (coordinates of theta, coordinates of z); z has about unit variance."""
    top: float
    highest: float
    """Value of the highest point."""
    is_root: NDArray[np.bool_]
    """Which coordinates of theta have to be."""
    places: Array
    """z of the points, shape (points, coordinates)."""
    weights: Array
    """Of the process, by value and each gradient: shape (points, 1 + coordinates)."""

    def z(self, theta: Array) -> Array:
        """Coordinates of points, shape (..., coordinates)."""
        return np.linalg.solve(self.axes, (np.atleast_2d(theta) - self.centre).T).T

    def log_density(self, z: Array) -> Array:
        """The surface at z, shape (points,)."""
        apart = z[:, None, :] - self.places[None]
        value, slope = _alike(apart)
        found = np.einsum("qp,p->q", value, self.weights[:, 0]) + np.einsum("qpi,pi->q", slope, self.weights[:, 1:])
        roots = (self.centre + z @ self.axes.T)[:, self.is_root]
        found += self.top - 0.5 * np.sum(z**2, axis=1) + np.log(np.maximum(roots, 1e-300)).sum(axis=1)
        return np.where(np.any(roots <= 0, axis=1), -np.inf, np.minimum(found, self.highest + OVER))

    def draws(self, count: int, seed: int) -> tuple[Array, float]:
        """z of equally weighted draws, shape (count, coordinates), and the log of the density's integral over theta."""
        size = self.places.shape[1]
        if not size:
            return np.zeros((count, 0)), self.top
        uniform = qmc.Sobol(size, rng=np.random.default_rng(seed)).random(POINTS)
        z = WIDER * norm.ppf(np.clip(uniform, 1e-12, 1 - 1e-12))
        proposal = -0.5 * np.sum((z / WIDER) ** 2, axis=1) - size * np.log(WIDER * np.sqrt(2 * np.pi))
        log_weight = self.log_density(z) - proposal
        weight = np.exp(log_weight - log_weight.max())
        rng = np.random.default_rng(seed)
        order = np.argsort(z[:, 0]) if size == 1 else rng.permutation(POINTS)
        chosen = np.searchsorted(np.cumsum(weight[order]) / weight.sum(), (np.arange(count) + 0.5) / count)
        integral = np.log(weight.mean()) + log_weight.max() + np.linalg.slogdet(self.axes)[1]
        return z[rng.permutation(order[np.minimum(chosen, POINTS - 1)])], float(integral)


def star[E: Evaluated](model: Hypers, at: At[E], climbed: Climbed[E]) -> tuple[E, ...]:
    """The highest point found, and points on both sides of each axis of the curvature.

    One that says too little or too much is tried again at a better distance.
    """
    centre, found = climbed.best, [climbed.best]
    others = [one for one in climbed.tried if one is not centre]
    axes = _axes(climbed.covariance)
    top = centre.log_evidence + model.log_prior(centre.theta)

    def after(step: Array) -> E:
        theta = _along(model, centre.theta, step)
        return at(theta, _foretold([*found, *others], axes, theta))

    for axis in axes.T:
        for side in (axis, -axis):
            near = after(REACH * side)
            drop = top - near.log_evidence - model.log_prior(near.theta)
            sd = np.clip(np.sqrt(0.5 * REACH**2 / max(drop, 1e-3)), 0.3, 3.0)
            if not DROP[0] < drop < DROP[1]:
                near = after(sd * REACH * side)
            found.append(near)
            if is_wide(model, centre.theta, axis):
                found.append(after(sd * FAR * side))
    return tuple(found)


def _foretold[E: Evaluated](known: Sequence[E], axes: Array, theta: Array) -> E:
    """The first of the known, with where an approximation at theta may be begun: linear in theta through the known."""
    centre = known[0]
    apart = np.linalg.solve(axes, np.array([one.theta - centre.theta for one in (*known[1:], centre)]).T)
    share = np.linalg.pinv(apart, rcond=0.1) @ np.linalg.solve(axes, theta - centre.theta)
    state = [old.copy() for old in centre.state]
    for weight, one in zip(share, known[1:], strict=False):
        for new, old, other in zip(state, centre.state, one.state, strict=True):
            new += weight * (other - old)
    return replace(centre, state=tuple(state))


def is_wide(model: Hypers, theta: Array, axis: Array) -> bool:
    """Whether an axis is long beside the hyperparameters themselves, so that their posterior may be skewed."""
    relative = [abs(step) > WIDE * one.longest_step(x) for one, x, step in zip(model.hypers, theta, axis, strict=True)]
    return any(relative)


def _along(model: Hypers, theta: Array, step: Array) -> Array:
    """Theta a step further, or as far that way as roots stay above a share of what they are."""
    falling = model.is_root & (step < 0)
    share = np.min((1 - LEAST) * np.abs(theta[falling]) / -step[falling], initial=1.0)
    return theta + share * step


@dataclass(frozen=True)
class Explored[E: Evaluated]:
    """The surface, the points to draw from (the central one first), and how wrong the surface was when last tried."""

    surface: Surface
    points: tuple[E, ...]
    error: float
    """Root mean square of what the last points tried showed that the surface before did not say, in nats; or 0."""


def explore[E: Evaluated](model: Hypers, at: At[E], climbed: Climbed[E], seed: int) -> Explored[E]:
    """A star, its surface, and a few rounds of more points where wide axes leave the surface uncertain."""
    if not len(model.hypers):
        none, value = np.zeros((1, 0)), climbed.best.log_evidence
        flat = Surface(none[0], np.zeros((0, 0)), value, value, model.is_root, none, np.zeros((1, 1)))
        return Explored(flat, (climbed.best,), 0.0)
    points = star(model, at, climbed)
    others = tuple(one for one in climbed.tried if one is not climbed.best)
    wide = sum(is_wide(model, climbed.best.theta, axis) for axis in _axes(climbed.covariance).T)
    centre, axes = _quadratic(model, (*points, *others), climbed)
    surface = surface_of(model, (*points, *others), centre, axes)
    error, rounds = (np.inf, 0) if wide else (0.0, 0)
    while error > KNOWN and rounds < ROUNDS:
        z, _ = surface.draws(AMONG, seed + rounds)
        density = surface.log_density(z)
        places = least_known(surface, z[density >= np.quantile(density, 0.1)], wide)
        found = tuple(at(to, _foretold((*points, *others), axes, to)) for to in centre + places @ axes.T)
        told = np.array([one.log_evidence + model.log_prior(one.theta) for one in found])
        error, rounds = float(np.sqrt(np.mean((told - surface.log_density(places)) ** 2))), rounds + 1
        points = (*points, *found)
        surface = surface_of(model, (*points, *others), centre, axes)
    return Explored(surface, points, error)


def _axes(covariance: Array) -> Array:
    """The root of a covariance whose columns, each about a sd long, lie nearest to single coordinates."""
    sd = np.sqrt(np.maximum(covariance.diagonal(), 1e-12))
    values, vectors = np.linalg.eigh(covariance / np.outer(sd, sd)) if covariance.size else (sd, covariance)
    return sd[:, None] * ((vectors * np.sqrt(np.maximum(values, 1e-6))) @ vectors.T)


def surface_of(model: Hypers, points: Sequence[Evaluated], centre: Array, axes: Array) -> Surface:
    """The surface through all points around a centre, with axes of about a sd."""
    theta, value, slope = _known(model, points)
    highest, roots = float(value.max()), np.where(model.is_root, theta, 1.0)
    value, slope = value - np.log(roots).sum(axis=1), slope - model.is_root / roots
    z = np.linalg.solve(axes, (theta - centre).T).T
    square = np.sum(z**2, axis=1)
    near = square < FARTHEST**2
    top = float(np.average(value + 0.5 * square, weights=np.exp(-0.5 * np.minimum(square, 50.0))))
    left = np.column_stack([value - (top - 0.5 * square), slope @ axes + z])
    return Surface(centre, axes, top, highest, model.is_root, z[near], _weights(z[near], left[near]))


def _known(model: Hypers, points: Sequence[Evaluated]) -> tuple[Array, Array, Array]:
    """Thetas, log posterior densities and their gradients of points."""
    theta = np.array([one.theta for one in points])
    value = np.array([one.log_evidence + model.log_prior(one.theta) for one in points])
    return theta, value, np.array([one.slope + model.prior_slope(one.theta) for one in points])


def _quadratic[E: Evaluated](model: Hypers, points: Sequence[E], climbed: Climbed[E]) -> tuple[Array, Array]:
    """Centre and axes of the quadratic that fits values and gradients best, near points before far ones."""
    theta, value, slope = _known(model, points)
    start = _axes(climbed.covariance)
    z = np.linalg.solve(start, (theta - climbed.best.theta).T).T
    size, count = z.shape[1], len(z)
    pairs: NDArray[np.intp] = np.array([(i, j) for i in range(size) for j in range(i, size)])
    first, second = pairs.T
    square = z[:, first] * z[:, second] * np.where(first == second, 0.5, 1.0)
    rows = [np.column_stack([np.ones(count), z, square])]
    for i in range(size):
        turned = (first == i) * z[:, second] + ((second == i) & (first != i)) * z[:, first]
        rows.append(np.column_stack([np.zeros(count), np.tile(np.eye(size)[i], (count, 1)), turned]))
    weight = np.exp(-0.25 * np.maximum(np.sum(z**2, axis=1) - REACH**2, 0))
    matrix, wanted = np.concatenate(rows), np.concatenate([value - value.max(), *(slope @ start).T])
    each = np.tile(weight, 1 + size)
    found = np.linalg.lstsq(matrix * each[:, None], wanted * each, rcond=None)[0]
    bend = np.zeros((size, size))
    bend[first, second] = bend[second, first] = found[1 + size :]
    values, vectors = np.linalg.eigh(-bend)
    values = np.clip(values, 0.1, 10.0)
    shift = vectors @ ((vectors.T @ found[1 : 1 + size]) / values)
    shift *= min(1.0, 2.0 / max(float(np.linalg.norm(shift)), 1e-12))
    covariance = start @ (vectors / values) @ vectors.T @ start.T
    return climbed.best.theta + start @ shift, _axes(covariance)


def _bells(apart: Array) -> tuple[Array, Array]:
    """How alike what the quadratic misses is at places so far apart: in all coordinates together, and in each."""
    each = np.exp(-0.5 * (apart / SMOOTH) ** 2)
    return np.prod(each, axis=-1), each


def _alike(apart: Array) -> tuple[Array, Array]:
    """The process's covariance of two values, and of a value with the other's gradient.

    A sum of one process of all coordinates and one of each: tails are mostly those of single hyperparameters.
    """
    both, each = _bells(apart)
    return both + each.sum(axis=-1), (both[..., None] + each) * apart / SMOOTH**2


def _covariance(z: Array) -> Array:
    """The process's covariance of values and gradients at places, with the nugget."""
    count, size = z.shape
    apart = z[:, None, :] - z[None]
    value, slope = _alike(apart)
    both, each = _bells(apart)
    outer = apart[..., :, None] * apart[..., None, :] / SMOOTH**4
    bend = both[..., None, None] * (np.eye(size) / SMOOTH**2 - outer)
    bend += each[..., None] * np.eye(size) * (1 / SMOOTH**2 - outer)
    k = np.zeros((count, 1 + size, count, 1 + size))
    k[:, 0, :, 0] = value
    k[:, 0, :, 1:] = slope
    k[:, 1:, :, 0] = -slope.transpose(0, 2, 1)
    k[:, 1:, :, 1:] = bend.transpose(0, 2, 1, 3)
    return k.reshape(count * (1 + size), -1) + NUGGET * np.eye(count * (1 + size))


def _weights(z: Array, left: Array) -> Array:
    """The process's weights on values and gradients."""
    return cho_solve(cho_factor(_covariance(z), lower=True), left.ravel()).reshape(left.shape)


def least_known(surface: Surface, z: Array, count: int) -> Array:
    """So many of the draws z, those where the surface is known least, each chosen as if those before were known."""
    places = surface.places
    for _ in range(count):
        value, slope = _alike(z[:, None, :] - places[None])
        with_known = np.concatenate([value[..., None], slope], axis=2).reshape(len(z), -1)
        root = np.linalg.solve(np.linalg.cholesky(_covariance(places)), with_known.T)
        places = np.vstack([places, z[np.argmin(np.sum(root**2, axis=0))]])
    return places[len(surface.places) :]


def between(places: Array, z: Array) -> Array:
    """Weights of the points in what lies at each z: the least squares curve 1, z_i, z_i^2; shape (z, points)."""

    def basis(at: Array) -> Array:
        near = np.clip(at, -3, 3)
        return np.column_stack([np.ones(len(at)), near, near**2])

    return basis(z) @ np.linalg.pinv(basis(places))
