"""The posterior of the hyperparameters from few points: a surface through values and gradients, and draws from it.

Points stand on a star around the highest one, at both ends of each axis of the curvature. The surface is the quadratic
that fits them best plus a Gaussian process for what is left, both conditioned on gradients too (Rasmussen and Williams,
2006, section 9.4); far from all points it is the quadratic. Draws are weighted quasi-random points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import norm, qmc

from modeling.engines.joint_climb import Climbed
from modeling.engines.joint_model import Approximation, Model
from modeling.outcomes.outcome import Array

REACH = 1.3  # of the star's points, in sds
DROP = (0.2, 3.0)  # nats below the top that tell of the shape; of a point at REACH sds it is 0.85
SMOOTH = 2.5  # length over which what the quadratic misses is alike, in sds
NUGGET = 1e-5  # variance in nats^2 of the evidence's own error, against one of what the quadratic misses
WIDER = 1.25  # proposals than the quadratic
POINTS = 2**13


@dataclass(frozen=True)
class Surface:
    """Log posterior density of theta, up to the evidence, at theta = centre + axes z."""

    centre: Array
    axes: Array
    """Shape (coordinates of theta, coordinates of z); z has about unit variance."""
    top: float
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
        near = np.exp(-0.5 * np.sum(apart**2, axis=2) / SMOOTH**2)
        linear = self.weights[:, 0] + np.einsum("qpi,pi->qp", apart, self.weights[:, 1:]) / SMOOTH**2
        return self.top - 0.5 * np.sum(z**2, axis=1) + np.sum(near * linear, axis=1)

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
        chosen = np.searchsorted(np.cumsum(weight) / weight.sum(), (np.arange(count) + 0.5) / count)
        integral = np.log(weight.mean()) + log_weight.max() + np.linalg.slogdet(self.axes)[1]
        return z[np.minimum(chosen, POINTS - 1)], float(integral)


def star(
    model: Model, at: Callable[[Array, Approximation], Approximation], climbed: Climbed
) -> tuple[Approximation, ...]:
    """The highest point found, and two on each axis of the curvature; one that says too little or too much, again."""
    centre, found = climbed.best, [climbed.best]
    top = centre.log_evidence + model.log_prior(centre.theta)
    for axis in _axes(climbed.covariance).T:
        for side in (REACH, -REACH):
            one = at(centre.theta + side * axis, centre)
            drop = top - one.log_evidence - model.log_prior(one.theta)
            if not DROP[0] < drop < DROP[1]:
                again = np.clip(np.sqrt(0.5 * REACH**2 / max(drop, 1e-3)), 0.3, 3.0)
                one = at(centre.theta + again * side * axis, centre)
            found.append(one)
    return tuple(found)


def _axes(covariance: Array) -> Array:
    """Principal axes of a covariance, each a sd long, as columns."""
    values, vectors = np.linalg.eigh(covariance) if covariance.size else (np.zeros(0), covariance)
    return vectors * np.sqrt(np.maximum(values, 1e-12))


def surface_of(model: Model, points: Sequence[Approximation], climbed: Climbed) -> Surface:
    """The surface through all points."""
    if not len(climbed.best.theta):
        return Surface(np.zeros(0), np.zeros((0, 0)), climbed.best.log_evidence, np.zeros((1, 0)), np.zeros((1, 1)))
    theta = np.array([one.theta for one in points])
    value = np.array([one.log_evidence + model.log_prior(one.theta) for one in points])
    slope = np.array([one.slope + model.prior_slope(one.theta) for one in points])
    centre, axes, top = _quadratic(theta, value, slope, climbed)
    z = np.linalg.solve(axes, (theta - centre).T).T
    left = np.column_stack([value - (top - 0.5 * np.sum(z**2, axis=1)), slope @ axes + z])
    near = np.sum(z**2, axis=1) < 16 + 2 * z.shape[1]
    return Surface(centre, axes, top, z[near], _weights(z[near], left[near]))


def _quadratic(theta: Array, value: Array, slope: Array, climbed: Climbed) -> tuple[Array, Array, float]:
    """Centre, axes and top of the quadratic that fits values and gradients best, near points before far ones."""
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
    top = value.max() + found[0] + 0.5 * float(shift @ (vectors * values) @ vectors.T @ shift)
    return climbed.best.theta + start @ shift, start @ (vectors / np.sqrt(values)), top


def _weights(z: Array, left: Array) -> Array:
    """The process's weights on values and gradients."""
    count, size = z.shape
    apart = z[:, None, :] - z[None]
    near = np.exp(-0.5 * np.sum(apart**2, axis=2) / SMOOTH**2)
    k = np.zeros((count, 1 + size, count, 1 + size))
    k[:, 0, :, 0] = near
    k[:, 0, :, 1:] = near[:, :, None] * apart / SMOOTH**2
    k[:, 1:, :, 0] = -(near[:, :, None] * apart / SMOOTH**2).transpose(0, 2, 1)
    across = np.eye(size) / SMOOTH**2 - apart[..., :, None] * apart[..., None, :] / SMOOTH**4
    k[:, 1:, :, 1:] = (near[..., None, None] * across).transpose(0, 2, 1, 3)
    matrix = k.reshape(count * (1 + size), -1) + NUGGET * np.eye(count * (1 + size))
    return cho_solve(cho_factor(matrix, lower=True), left.ravel()).reshape(count, 1 + size)
