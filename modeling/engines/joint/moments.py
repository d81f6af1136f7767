"""Expectation propagation: a Gaussian whose moments are those that each cell of results asks for.

Each cell j has a site exp(nu_j eta - tau_j eta^2 / 2) for its likelihood p_j; q ~ prior x sites has H = Q + X'TX, mean
H^-1 X'nu. A site is right when the moments of q(eta_j) p_j / site_j are those of q(eta_j). Minka (2001), "Expectation
propagation for approximate Bayesian inference"; Rasmussen and Williams (2006), section 3.6.

Written around q's own marginal N(m, v) instead of the cavity: with r_j = p_j / site_j and E over N(m, v), the tilted
moments are E[r eta] / E[r], the evidence is sum log E[r_j] + log of the integral of prior x sites, and the nodes of
Gauss and Hermite stand where the tilted distribution is. All sites are updated at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError
from scipy.sparse import csr_array

from modeling.engines.joint.algebra import factorise, invert, log_determinant_of, times
from modeling.engines.joint.model import Approximation, Model
from modeling.engines.laplace import NEAR, STEP, find_mode
from modeling.outcomes.outcome import Array, Auxiliaries
from store.errors import FitError

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
LEAST_PRECISION = 1e-10
BELOW = 1e-6  # of an eta's own precision: what is less below zero is rounding
TOLERANCE = 5e-3  # posterior sds of the eta that is worst off; the evidence is off by the sum of all squares
MOST_STEPS = 60
SHORTENED = 0.5


@dataclass(frozen=True)
class Marginals:
    """q at some sites: the effects, and each cell's eta."""

    effects: Array
    covariance: Array
    """Lower triangle of H^-1."""
    mean: Array
    variance: Array
    log_integral: float
    """Log of the integral of prior x sites."""


@dataclass(frozen=True)
class Tilted:
    """Moments of each cell's q(eta) p / site."""

    mean: Array
    variance: Array
    log_mass: Array
    """log E[p / site]."""
    nodes: Array
    """Shape (nodes, cells); so are `shares`, the tilted distribution's weights on them."""
    shares: Array


def approximate(model: Model, theta: Array, state: tuple[Array, ...] = ()) -> Approximation:
    """The approximation at theta with evidence and gradient: at a fixed point only what is explicit counts.

    d log Z / d log s_b = -n_b + m'Q_b m + tr(S Q_b); in a parameter a of the likelihood, sum of E_tilted[dl/da].
    """
    latent, scales, arguments = model.latent, model.scales(theta), model.arguments(theta)
    prior, steps = latent.prior(scales), 0
    if not state:
        state = sites_at(model, theta, find_mode(model, scales, arguments, np.zeros(latent.size), NEAR).x)
    tau, nu = np.maximum(state[0], LEAST_PRECISION), state[1]
    residual, part, touched = np.inf, 1.0, []
    for _ in range(MOST_STEPS):
        q = _marginals(model, prior, scales, tau, nu)
        tilted, steps = tilt(model, arguments, q.mean, q.variance, tau, nu), steps + 1
        floored = _floored(model, q, tilted, tau)
        before, (residual, worst) = residual, _residual(q, tilted, floored[tau[floored] <= LEAST_PRECISION])
        if residual < TOLERANCE:
            return _stated(model, theta, prior, q, tilted, (tau, nu), steps, touched, residual)
        if residual > before:
            part, touched = part * SHORTENED, [*touched, [worst]]
        if len(floored):
            touched = [*touched, floored]
        tau, nu = _moved(q, tilted, tau, nu, part)
    raise FitError(f"{model.design.league}: moments were not matched in {MOST_STEPS} steps, {residual:.1e} sds remain.")


def sites_at(model: Model, theta: Array, x: Array) -> tuple[Array, Array]:
    """Sites that are each likelihood's curve at some effects."""
    eta = model.eta(x)
    slope, curvature, _ = model.design.outcome.derivatives(model.tally, eta, model.arguments(theta))
    assert isinstance(curvature, np.ndarray)
    tau = np.maximum(curvature, LEAST_PRECISION)
    return tau, slope + tau * eta


def _marginals(model: Model, prior: csr_array, scales: Array, tau: Array, nu: Array) -> Marginals:
    latent = model.latent
    try:
        factor = factorise(latent.precision(prior, tau))
    except LinAlgError as error:
        raise FitError(f"{model.design.league}: the precision of the effects is not positive definite.") from error
    log_determinant = log_determinant_of(factor)
    covariance, shift = invert(factor), latent.transposed @ nu
    effects = times(covariance, shift)
    variance = latent.spread(covariance, tau)
    assert isinstance(variance, np.ndarray)
    integral = 0.5 * (latent.log_determinant(scales) - log_determinant + float(shift @ effects))
    return Marginals(effects, covariance, model.eta(effects), variance, integral)


def tilt(model: Model, arguments: Auxiliaries, mean: Array, variance: Array, tau: Array, nu: Array) -> Tilted:
    """Moments of N(mean, variance) x likelihood / site of each cell, by quadrature."""
    root = np.sqrt(variance)
    eta = mean + root * NODES[:, None]
    ratio = model.design.outcome.log_density(model.tally, eta, arguments) + (0.5 * tau * eta - nu) * eta
    top = ratio.max(axis=0)
    shares = WEIGHTS[:, None] * np.exp(ratio - top)
    mass = shares.sum(axis=0)
    shares /= mass
    apart = NODES @ shares
    spread = (NODES**2) @ shares - apart**2
    return Tilted(mean + root * apart, variance * spread, top + np.log(mass), eta, shares)


def _residual(q: Marginals, tilted: Tilted, at_floor: NDArray[np.intp]) -> tuple[float, int]:
    """The largest distance of a cell's moments from those asked for, in sds, and the cell; a site that already is at
    the floor has none that is better."""
    if not q.mean.size:
        return 0.0, 0
    apart = np.abs(tilted.mean - q.mean) / np.sqrt(q.variance)
    apart = np.maximum(apart, 0.5 * np.abs(tilted.variance / q.variance - 1))
    apart[at_floor] = 0.0
    return float(apart.max()), int(apart.argmax())


def _floored(model: Model, q: Marginals, tilted: Tilted, tau: Array) -> NDArray[np.intp]:
    """Cells of chosen games whose site would have a precision below zero: their results make eta less certain."""
    wanted = tau + 1 / tilted.variance - 1 / q.variance
    return np.flatnonzero((wanted < -BELOW / q.variance) & model.tally.any(axis=1))


def _moved(q: Marginals, tilted: Tilted, tau: Array, nu: Array, part: float) -> tuple[Array, Array]:
    """Sites that would give each cell's marginal the moments asked for, or a part of the way there."""
    wanted = np.maximum(tau + 1 / tilted.variance - 1 / q.variance, LEAST_PRECISION)
    natural = nu + tilted.mean / tilted.variance - q.mean / q.variance
    return tau + part * (wanted - tau), nu + part * (natural - nu)


def _stated(
    model: Model,
    theta: Array,
    prior: csr_array,
    q: Marginals,
    tilted: Tilted,
    sites: tuple[Array, Array],
    steps: int,
    touched: Sequence[Sequence[int] | NDArray[np.intp]],
    residual: float,
) -> Approximation:
    latent = model.latent
    left = latent.counts - latent.traces(prior, q.covariance)
    direct = latent.by_block(prior, q.effects, q.effects)
    own = [_own_slope(model, theta, which, tilted) for which in model.auxiliary]
    return Approximation(
        theta,
        q.log_integral + float(tilted.log_mass.sum()),
        np.array([*model.by_scale(theta, direct - left), *(slope for slope, _ in own)]),
        np.array([*model.by_scale(theta, 2 * left**2 / latent.counts, 2), *(information for _, information in own)]),
        q.effects,
        np.sqrt(q.covariance.diagonal()),
        _moved(q, tilted, *sites, 1.0),
        sites[0],
        steps,
        len(touched),
        np.unique(np.concatenate([np.zeros(0, np.intp), *touched])).astype(np.intp),
        residual,
    )


def _own_slope(model: Model, theta: Array, which: int, tilted: Tilted) -> tuple[float, float]:
    """Sum over cells of the tilted mean of the log density's derivative in a parameter, and a rough information."""
    outcome = model.design.outcome
    above, below = (outcome.log_density(model.tally, tilted.nodes, at) for at in model.moved(theta, which, STEP))
    slopes = np.sum(tilted.shares * (above - below), axis=0) / (2 * STEP)
    return float(slopes.sum()), float(slopes @ slopes)
