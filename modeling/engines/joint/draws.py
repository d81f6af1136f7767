"""Joint draws from approximations at few points of theta, and their certificate.

A draw at theta starts from the Gaussian N(0, S) of the nearest point and is moved to theta's, then bent to the
skewness that the likelihood's third derivatives give each effect, then put at theta's mean. Draws come in pairs, one on
each side.

Moving: with D the change of the prior's precision and S = H^-1, (1 + SD)^-1/2 y has the covariance (H + D)^-1 exactly.
The eigenvalues of SD lie between the smallest and the largest relative change of a block's precision, so a Chebyshev
series of few terms of (1 + t)^-1/2 on that range does it for all draws of a point at once.

Bending: a skewed marginal under a Gaussian copula, as of Martins, Simpson, Lindgren and Rue (2013), "Bayesian computing
with INLA: new features", Computational Statistics and Data Analysis 67; here each is a shifted lognormal of mean zero.
Its third cumulant is sum over cells of l''' (S X')^3, the first order of Tierney and Kadane's expansion.

Certificate: the exact joint density over that of the draws before they were moved, where it is known. Vehtari, Simpson,
Gelman, Yao and Gabry (2024), "Pareto smoothed importance sampling", JMLR 25.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from arviz_stats.base.array import array_stats
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from modeling.engines.joint.algebra import invert, log_determinant_of, solve, spread_draws
from modeling.engines.joint.model import Approximation, Model
from modeling.engines.surface import Surface, between
from modeling.outcomes.outcome import Array

AT_ONCE = 3e5  # linear predictors in memory together: what fits into a cache, and memory that is used again
EFFECTS_AT_ONCE = 32  # columns of a covariance that fit into a cache
CERTIFIED = 1.2e7  # linear predictors that the certificate looks at: 1,200 draws of 10,000 games
LEAST_DRAWS = 500
LARGEST_CHANGE = (-0.9, 9.0)  # of a block's precision, relative, over which draws are moved
CLOSE, MOST_TERMS = 0.003, 16  # of the Chebyshev series
TOGETHER = 128  # draws that are moved with one range of changes: most have small ones, which need fewer terms
MOST_SKEW = 1.5
EVEN = 0.01  # variance of the log weights below which they tell of nothing
GOOD_K, GOOD_ESS = 0.5, 1000


@dataclass(frozen=True)
class Bend:
    """Each effect's marginal from a standard normal y: sign (exp(c sign y - c^2 / 2) - 1) / sqrt(exp(c^2) - 1)."""

    sign: Array
    c: Array

    @property
    def _width(self) -> Array:
        return np.sqrt(np.expm1(self.c**2))

    def of(self, y: Array) -> Array:
        """Standardised effects, of mean zero and variance one; shape (draws, latent)."""
        return self.sign * np.expm1(self.c * self.sign * y - 0.5 * self.c**2) / self._width

    def log_slope(self, y: Array) -> Array:
        """Sum over the effects of the log of its derivative, shape (draws,)."""
        fixed = np.sum(np.log(self.c / self._width) - 0.5 * self.c**2)
        return fixed + y @ (self.c * self.sign)


@dataclass(frozen=True)
class Draws:
    """Pairs of joint draws."""

    theta: Array
    """Shape (pairs, coordinates)."""
    effects: Array
    """Shape (2, pairs, latent)."""


@dataclass(frozen=True)
class Origin:
    """Of each pair of draws what the certificate looks at."""

    point: NDArray[np.intp]
    """Number of the point each pair comes from."""
    raw: Array
    """The first of each pair at its point, in sds, before it was bent and moved; shape (pairs, latent)."""
    log_density: Array
    """Log density of that, up to a constant, shape (pairs,)."""
    bend: Bend


@dataclass(frozen=True)
class Certificate:
    """How near the draws are to the exact posterior."""

    k_hat: float
    ess: float
    weights: Array
    """Smoothed importance weights of the first pairs, shape (2, pairs); they sum to one."""


def draw(
    model: Model, surface: Surface, points: tuple[Approximation, ...], z: Array, rng: np.random.Generator
) -> tuple[Draws, Origin]:
    """A pair of joint draws at each z of the surface; the first point is the central one."""
    places, theta = surface.z(np.array([one.theta for one in points])), surface.centre + z @ surface.axes.T
    weights = between(places, z)
    sd = np.exp(weights @ np.log([one.sd for one in points]))
    point = np.argmin(np.sum((z[:, None] - places[None]) ** 2, axis=2), axis=1)
    raw, log_density = rng.standard_normal((len(z), model.latent.size)), np.zeros(len(z))
    moved, skew = np.empty_like(raw), np.zeros(model.latent.size)
    for number in np.union1d(point, [0]):
        here, one = point == number, points[number]
        factor = one.factor(model)
        log_density[here] = 0.5 * log_determinant_of(factor) - 0.5 * np.sum(raw[here] ** 2, axis=1)
        log_density[here] += np.log(one.sd).sum()
        apart = spread_draws(factor, raw[here])
        moved[here] = move(model, one, factor, theta[here], apart) / sd[here]
        raw[here] = apart / one.sd
        if number == 0:
            skew = skewness(model, one, factor)
    bend = bend_of(skew)
    mean = weights @ np.array([one.mean for one in points])
    effects = np.stack([mean + sd * bend.of(moved), mean + sd * bend.of(-moved)])
    return Draws(theta, effects), Origin(point, raw, log_density, bend)


def move(model: Model, point: Approximation, factor: Array, theta: Array, apart: Array) -> Array:
    """Draws of N(0, S) at a point, shape (draws, latent), as draws of the Gaussians at thetas, shape (draws, ...)."""
    change = np.clip((model.scales(point.theta) / model.scales(theta)) ** 2 - 1, *LARGEST_CHANGE)
    order = np.argsort(np.max(np.abs(change), axis=1, initial=0.0))
    prior, moved = model.latent.prior(model.scales(point.theta)), np.empty_like(apart)
    for some in np.array_split(order, max(1, round(len(order) / TOGETHER))):
        moved[some] = _moved(model, prior, factor, change[some], apart[some])
    return moved


def _moved(model: Model, prior: csr_array, factor: Array, change: Array, apart: Array) -> Array:
    """Draws of N(0, S), shape (draws, latent), under relative changes of each block's prior precision."""
    low, high = min(0.0, change.min(initial=0.0)), max(0.0, change.max(initial=0.0))
    if high - low < CLOSE:
        return apart
    by_row = np.zeros((model.latent.size, len(change)))
    for number, span in enumerate(model.latent.spans.values()):
        by_row[span] = change[:, number]

    def turned(y: Array) -> Array:
        """2 (SD y - low) / (high - low) - y, whose eigenvalues lie between -1 and 1."""
        return (2 * solve(factor, by_row * (prior @ y)) - (high + low) * y) / (high - low)

    return _series(low, high, turned, np.asfortranarray(apart.T)).T


def _series(low: float, high: float, turned: Callable[[Array], Array], y: Array) -> Array:
    """The Chebyshev series of (1 + t)^-1/2 between low and high, by Clenshaw's recurrence."""
    terms = np.polynomial.Chebyshev.interpolate(lambda t: (1 + t) ** -0.5, MOST_TERMS, [low, high]).coef
    count = max(1, int(np.flatnonzero(np.abs(terms) > CLOSE).max()))
    after, later = terms[count] * y, np.zeros_like(y)
    for term in terms[count - 1 : 0 : -1]:
        after, later = term * y + 2 * turned(after) - later, after
    return terms[0] * y + turned(after) - later


def skewness(model: Model, point: Approximation, factor: Array) -> Array:
    """Skewness of each effect at a point; its factor is used up."""
    is_alone = model.design.outcome.contracted is None
    if model.gram is not None:
        return np.zeros(model.latent.size)
    eta = model.eta(point.mean)
    third = model.design.outcome.derivatives(model.tally, eta, model.arguments(point.theta))[2]
    if not third.any():
        return np.zeros(model.latent.size)
    covariance = invert(factor)
    covariance = covariance + np.tril(covariance, -1).T
    return (_cubes(covariance, model.latent.x, third) if is_alone else _along(model, point, covariance)) / point.sd**3


def _along(model: Model, point: Approximation, covariance: Array) -> Array:
    """Third derivatives of the log likelihood along each effect's column of S, by central differences of an sd."""
    x, arguments = model.latent.x, model.arguments(point.theta)
    found = np.zeros(len(covariance))
    for some in _parts(np.arange(len(found)), model.latent.cells):
        along = (x @ (covariance[:, some] / point.sd[some])).T
        at = [
            model.design.outcome.log_density(model.tally, model.eta(point.mean) + step * along, arguments).sum(axis=1)
            for step in (-2, -1, 1, 2)
        ]
        found[some] = 0.5 * (at[3] - 2 * at[2] + 2 * at[1] - at[0]) * point.sd[some] ** 3
    return found


def _parts(some: NDArray[np.intp], cells: int) -> list[NDArray[np.intp]]:
    """Draws, or effects, in parts whose linear predictors are as many as may be in memory together; none is empty."""
    return np.array_split(some, min(max(len(some), 1), 1 + int(len(some) * cells / AT_ONCE)))


def _cubes(covariance: Array, x: csr_array, third: Array) -> Array:
    """Sum over rows of third (X S)^3, a few effects at a time so that their part of S stays in the cache."""
    found = np.empty(len(covariance))
    for some in np.array_split(np.arange(len(found)), max(1, len(found) // EFFECTS_AT_ONCE)):
        part = np.ascontiguousarray(covariance[:, some])
        found[some] = _summed_cubes(part, x.indptr, x.indices, x.data, third)
    return found


@njit(cache=True)
def _summed_cubes(s, starts, columns, values, third):  # noqa: ANN001, ANN202
    found, along = np.zeros(s.shape[1]), np.empty(s.shape[1])
    for row in range(len(third)):
        along[:] = 0.0
        for k in range(starts[row], starts[row + 1]):
            value, of = values[k], s[columns[k]]
            for i in range(len(along)):
                along[i] += value * of[i]
        for i in range(len(along)):
            found[i] += third[row] * along[i] * along[i] * along[i]
    return found


def bend_of(skew: Array) -> Bend:
    """The lognormal marginals of a skewness, (exp(c^2) + 2) sqrt(exp(c^2) - 1), solved for c by bisection."""
    wanted = np.minimum(np.abs(skew), MOST_SKEW)
    low, high = np.full_like(wanted, 1e-6), np.ones_like(wanted)
    for _ in range(40):
        middle = (low + high) / 2
        less = (np.exp(middle**2) + 2) * np.sqrt(np.expm1(middle**2)) < wanted
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    return Bend(np.where(skew < 0, -1.0, 1.0), low)


def certify(model: Model, surface: Surface, points: tuple[Approximation, ...], drawn: Origin) -> Certificate:
    """Importance weights of some or all pairs against the exact joint density, Pareto-smoothed, with k-hat."""
    cells, pairs = max(model.latent.cells, 1), len(drawn.raw)
    some = np.arange(min(pairs, max(int(CERTIFIED / cells / 2), LEAST_DRAWS // 2)))
    theta, mean, sd = (np.array([getattr(one, name) for one in points]) for name in ("theta", "mean", "sd"))
    at_points = surface.log_density(surface.z(theta))
    ratios = []
    for part in _parts(some, cells):
        point = drawn.point[part]
        known = at_points[point] + drawn.log_density[part] - np.log(sd).sum(axis=1)[point]
        for y in (drawn.raw[part], -drawn.raw[part]):
            effects = mean[point] + sd[point] * drawn.bend.of(y)
            ratios.append(_log_joint(model, theta[point], effects) - known + drawn.bend.log_slope(y))
    both = [np.concatenate(ratios[0::2]), np.concatenate(ratios[1::2])]
    return smoothed(np.array(both))


def smoothed(log_ratios: Array) -> Certificate:
    """Pareto-smoothed weights of log ratios of shape (2, pairs)."""
    flat = log_ratios.ravel()
    if flat.var() < EVEN:
        return Certificate(0.0, float(flat.size), np.full(log_ratios.shape, 1 / flat.size))
    with np.errstate(all="ignore"):
        smoothed, k_hat = array_stats.psislw(-flat)  # it wants log likelihoods, of which weights are the inverse
    if not np.isfinite(smoothed).all():
        smoothed = flat
    weight = np.exp(smoothed - smoothed.max())
    weight /= weight.sum()
    return Certificate(float(np.nan_to_num(k_hat)), float(1 / (weight @ weight)), weight.reshape(log_ratios.shape))


def _log_joint(model: Model, theta: Array, effects: Array) -> Array:
    """log p(y, effects, theta) of draws, with theta's Jacobian, up to a constant."""
    latent, total = model.latent, model.log_likelihood(theta, effects)
    log_scales = np.log(model.scales(theta))
    flat = latent.size - int(latent.counts.sum())
    inner = effects.T * (latent.pattern @ effects.T)
    total -= 0.5 * inner[:flat].sum(axis=0) + log_scales @ latent.counts
    for span, log_scale in zip(latent.spans.values(), log_scales.T, strict=True):
        total -= 0.5 * np.exp(-2 * log_scale) * inner[span].sum(axis=0)
    return total + sum(one.log_prior(theta[:, i]) for i, one in enumerate(model.hypers))


def resample(drawn: Draws, certificate: Certificate, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Numbers of the draws to keep of (2, pairs) in one row, in no order: by their weights where that helps."""
    both = 2 * len(drawn.theta)
    if not is_better_weighted(drawn, certificate):
        return rng.permutation(both)[:count]
    weight = np.zeros((2, len(drawn.theta)))
    weight[:, : certificate.weights.shape[1]] = certificate.weights
    chosen = np.searchsorted(np.cumsum(weight), (np.arange(count) + rng.random()) / count)
    return rng.permutation(np.minimum(chosen, both - 1))


def is_better_weighted(drawn: Draws, certificate: Certificate) -> bool:
    """Whether the weights take away more bias than they add noise.

    Where the approximation is exact, the weighted mean is off by chance alone, by a variance of 1 / ESS.
    """
    if not (certificate.k_hat < GOOD_K and certificate.ess >= GOOD_ESS):
        return False
    effects, seen = drawn.effects, certificate.weights.shape[1]
    weighted = sum(weight @ half[:seen] for weight, half in zip(certificate.weights, effects, strict=True))
    apart = (weighted - effects.mean(axis=(0, 1))) / effects.std(axis=(0, 1))
    return bool(np.mean(apart**2) > 2 / certificate.ess)
