"""Normal rows, exactly: after one pass over them nothing but their Gram matrix is looked at.

With rows y_i ~ N(e_i eta_i, e_i / p), all of one p, the log likelihood is that of eta = centre plus p (x'b - x'Gx / 2),
G = X'EX and b = X'(y - E centre), so that H = Q + p G, the mean is p H^-1 b, and the evidence follows exactly:

    log p(y | theta) = log p(y | eta = centre) + log|Q| / 2 - log|H| / 2 + p b'm / 2

One block of independent effects: G's part of it is V diag(l) V', so that in the basis V its part of H is diagonal,
1 / s^2 + p l, for every scale s and every p; the few fixed effects and the intercept are what is left beside it (a
Schur complement). One eigendecomposition, and each point of theta costs as many operations as there are effects, each
joint draw at a theta of its own as many as V has entries. Importance weights then compare the surface with the
evidence itself.

Several blocks, or a walk: their prior precisions and G are not diagonal in any one basis, and each theta costs one
factor of H with its inverse, for the traces. It is still no pass over the rows.
"""

from dataclasses import dataclass

import numpy as np

from modeling.engines.joint.algebra import factorise, invert, log_determinant_of, times
from modeling.engines.joint.draws import Certificate, Draws, smoothed
from modeling.engines.joint.gram import Gram, Spectrum
from modeling.engines.joint.model import Approximation, Model
from modeling.engines.surface import Surface
from modeling.outcomes.outcome import Array

STEP = 1e-4  # of central differences in the likelihood's own parameters


@dataclass(frozen=True)
class Solved:
    """The posterior in the basis at some thetas; the first axis is theta's."""

    precision: Array
    """Of the block's part given the flat ones, shape (thetas, levels)."""
    corner: Array
    """Precision of the flat ones, shape (thetas, flat, flat)."""
    slope: Array
    """How the block's mean falls as a flat one rises, shape (thetas, levels, flat)."""
    flat_mean: Array
    mean: Array
    log_evidence: Array


def solved(model: Model, spectrum: Spectrum, theta: Array) -> Solved:
    """The posterior in the basis at thetas of shape (thetas, coordinates)."""
    weight = model.row_precision(theta)[:, None]
    prior = model.scales(theta) ** -2.0
    precision = prior + weight * spectrum.values
    slope = weight[:, :, None] * spectrum.cross / precision[:, :, None]
    corner = np.eye(len(spectrum.flat_prior)) * spectrum.flat_prior + weight[:, :, None] * spectrum.corner
    corner = corner - weight[:, :, None] * np.einsum("ni,tnj->tij", spectrum.cross, slope)
    flat_pull = weight * (spectrum.flat_pull - np.einsum("n,tnj->tj", spectrum.pull, slope))
    flat_mean = np.linalg.solve(corner, flat_pull[:, :, None])[:, :, 0]
    mean = weight * spectrum.pull / precision - np.einsum("tnj,tj->tn", slope, flat_mean)
    fitted = weight[:, 0] * (mean @ spectrum.pull + flat_mean @ spectrum.flat_pull)
    change = np.log(spectrum.flat_prior).sum() + np.log(prior / precision).sum(axis=1) - np.linalg.slogdet(corner)[1]
    return Solved(precision, corner, slope, flat_mean, mean, model.log_level(theta) + 0.5 * (change + fitted))


def _gram(model: Model) -> Gram:
    assert model.gram is not None
    return model.gram


def approximate(model: Model, theta: Array) -> Approximation:
    """The posterior at theta, with evidence and gradient.

    d log p(y | theta) / d log s_b = -n_b + m'Q_b m + tr(S Q_b); in a parameter of the likelihood it is explicit.
    """
    if model.spectrum is not None:
        return _by_spectrum(model, theta, model.spectrum)
    latent, scales, weight = model.latent, model.scales(theta), float(model.row_precision(theta[None])[0])
    prior, pull = latent.prior(scales), weight * _gram(model).pull
    factor = factorise(model.precision(prior, weight))
    change = latent.log_determinant(scales) - log_determinant_of(factor)
    covariance = invert(factor)
    mean, sd, traces = times(covariance, pull), np.sqrt(covariance.diagonal()), latent.traces(prior, covariance)
    log_evidence = float(model.log_level(theta[None])[0]) + 0.5 * (change + float(mean @ pull))
    return _stated(model, theta, mean, sd, traces, log_evidence, 1)


def _by_spectrum(model: Model, theta: Array, spectrum: Spectrum) -> Approximation:
    at = solved(model, spectrum, theta[None])
    rooted = at.slope[0] @ np.linalg.inv(np.linalg.cholesky(at.corner[0])).T
    variance = spectrum.squares @ (1 / at.precision[0]) + np.sum((spectrum.vectors @ rooted) ** 2, axis=1)
    sd = np.sqrt(np.append(np.linalg.inv(at.corner[0]).diagonal(), variance))
    traces = (np.sum(1 / at.precision[0]) + np.sum(rooted**2)) * model.scales(theta) ** -2.0
    mean = np.append(at.flat_mean[0], spectrum.vectors @ at.mean[0])
    return _stated(model, theta, mean, sd, traces, float(at.log_evidence[0]), 0)


def _stated(
    model: Model, theta: Array, mean: Array, sd: Array, traces: Array, log_evidence: float, factors: int
) -> Approximation:
    latent = model.latent
    prior = latent.prior(model.scales(theta))
    left = latent.counts - traces
    direct = latent.by_block(prior, mean, mean)
    flat = latent.size - int(latent.counts.sum())
    determined = latent.size - float(traces.sum()) - float(prior.diagonal()[:flat] @ sd[:flat] ** 2)
    own = [_own_slope(model, theta, which, mean, float(mean @ (prior @ mean)), determined) for which in model.auxiliary]
    return Approximation(
        theta,
        log_evidence,
        np.array([*model.by_scale(theta, direct - left), *(slope for slope, _ in own)]),
        np.array([*model.by_scale(theta, 2 * left**2 / latent.counts, 2), *(information for _, information in own)]),
        mean,
        sd,
        (),
        model.row_precision(theta[None]).item(),
        factors,
        0,
        np.zeros(0, dtype=np.intp),
        0.0,
    )


def _own_slope(
    model: Model, theta: Array, which: int, mean: Array, prior_square: float, determined: float
) -> tuple[float, float]:
    """The evidence's derivative in a parameter of the likelihood, and its rough information.

    d log p(y | eta = centre) + dp (b'm - m'Gm / 2 - tr(S G) / 2), p m'Gm = p b'm - m'Qm, p tr(S G) = n - tr(S Q).
    """
    gram, near = _gram(model), theta + STEP * np.eye(len(theta))[which] * np.array([[1.0], [-1.0], [0.0]])
    weight, level = model.row_precision(near), model.log_level(near)
    relative = float(weight[0] - weight[1]) / (2 * STEP * weight[2])
    fitted = weight[2] * float(mean @ gram.pull)
    slope = float(level[0] - level[1]) / (2 * STEP) + 0.5 * relative * (fitted + prior_square - determined)
    return slope, 0.5 * relative**2 * (gram.rows - determined)


def draw(
    model: Model, surface: Surface, spectrum: Spectrum, z: Array, rng: np.random.Generator
) -> tuple[Draws, Certificate]:
    """A pair of joint draws at each z, exact given theta, and the weights of the evidence itself over the surface.

    Noise is turned into the basis before it is scaled: then it does not matter which of a basis's signs, or which basis
    of players who always played together, a linear algebra library finds.
    """
    theta = surface.centre + z @ surface.axes.T
    at = solved(model, spectrum, theta)
    flat = rng.standard_normal((len(z), len(spectrum.flat_prior), 1))
    flat = np.linalg.solve(np.linalg.cholesky(at.corner).transpose(0, 2, 1), flat)[:, :, 0]
    noise = rng.standard_normal(at.mean.shape) @ spectrum.vectors
    apart = noise / np.sqrt(at.precision) - np.einsum("tnj,tj->tn", at.slope, flat)
    mean = np.column_stack([at.flat_mean, at.mean @ spectrum.vectors.T])
    apart = np.column_stack([flat, apart @ spectrum.vectors.T])
    prior = np.array([model.log_prior(one) for one in theta])
    ratio = at.log_evidence + prior - surface.log_density(z)
    return Draws(theta, np.stack([mean + apart, mean - apart])), smoothed(np.stack([ratio, ratio]))
