"""Laplace's approximation: a Gaussian around the posterior mode, its evidence with gradient, and its mean's skewness.

Mode of log p(y | eta) - x'Qx / 2 with eta = X x: step H^-1 (X'g - Q x), H = Q + X'WX, halved until the objective rises.
Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, sections 3.4 and 5.5.1.

With C = X S X', S = H^-1, and t_i = sum_jk l_ijk C_jk / 2 (l_ijk third derivatives of the log likelihood), the mean is
the mode plus S X't to the next order: Tierney and Kadane (1986), JASA 81; and because the mode moves with theta by
S d(X'g - Qx)/d theta, the same vector carries the implicit part of the evidence's gradient.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError
from scipy.sparse import csr_array, diags_array

from modeling.design import Design
from modeling.engines.climb import climb
from modeling.engines.joint.algebra import (
    Curvature,
    factorise,
    invert,
    log_determinant_of,
    solve,
    spread_draws,
    times,
)
from modeling.engines.joint.model import Approximation, Model, model_of, theta_of
from modeling.outcomes.outcome import Array, Auxiliaries
from modeling.posterior import Posterior
from store.errors import FitError

TOLERANCE = 1e-8  # of the Newton decrement, in nats
MOST_STEPS = 100
MOST_LATENT = 12_000  # a dense factor of this size has 1.2 GB
NEAR = 1e-6  # the same at one of many hyperparameters: the evidence is off by half of it
ROUGH = 0.003  # the same for each effect where only scales are looked for: effects are right to a twentieth of a sd
CLOSE = 0.15  # of the log of a scale, from where a climb goes on by the evidence's gradient
MOST_ROUNDS, PROBES = 8, 8
WITHIN = (0.05, 3.0)  # prior scales that a climb may begin at
STEP = 1e-4  # of central differences in the likelihood's own parameters: errors of about 1e-8


@dataclass(frozen=True)
class Mode:
    """The posterior mode at one theta."""

    x: Array
    objective: float
    """log p(y | x) - x'Qx / 2."""
    curvature: Curvature
    third: Array
    prior: csr_array
    factor: Array
    """Lower Cholesky factor of H."""
    steps: int
    damped: int
    """Steps that were halved, and precisions of which only the positive part was used."""
    touched: NDArray[np.intp]
    """Cells that they were due to."""
    decrement: float


def approach(model: Model, theta: Array, rounds: int = MOST_ROUNDS) -> tuple[Array, Array]:
    """Theta and effects for a climb to begin at, from rough ones: Newton's steps in turn with steps of the scales.

    s^2 becomes u'Qu / (n - tr(S Q)), Q at s = 1: MacKay (1992), "Bayesian interpolation", Neural Computation 4. The
    trace is that of a few random signs, so that no covariance is needed. What is no scale stays as it is, and so do
    all scales where there are no rounds.
    """
    latent, learned, x = model.latent, model.learned, np.zeros(model.latent.size)
    probes = np.random.default_rng(0).choice([-1.0, 1.0], (PROBES, latent.size))
    low, high = (np.log([share * one.prior for one in model.hypers[: len(learned)]]) for share in WITHIN)
    for number in range(max(rounds, 1)):
        mode = find_mode(model, model.scales(theta), model.arguments(theta), x, max(1.0, ROUGH * latent.size))
        x = mode.x
        if number == rounds or not len(learned):
            break
        solved = solve(mode.factor, probes.T)
        traces = np.mean([latent.by_block(mode.prior, a, b) for a, b in zip(probes, solved.T, strict=True)], axis=0)
        known = np.maximum(latent.counts - traces, 0.02 * latent.counts)
        turn = 0.5 * np.log(np.maximum(latent.by_block(mode.prior, x, x), 1e-12) / known)
        before = np.log(model.scales(theta)[learned])
        after = np.clip(before + np.clip(turn[learned], -1.5, 1.5), low, high)
        scales = [one.coordinate(v) for one, v in zip(model.hypers, np.exp(after), strict=False)]
        theta = np.array([*scales, *theta[len(learned) :]], dtype=float)
        if np.max(np.abs(after - before)) < CLOSE:
            break
    return theta, x


def find_mode(model: Model, scales: Array, arguments: Auxiliaries, start: Array, tolerance: float = TOLERANCE) -> Mode:
    """The mode at given scales and likelihood. Raises FitError where Newton's method does not converge."""
    outcome, latent = model.design.outcome, model.latent
    prior = latent.prior(scales)

    def objective(x: Array) -> tuple[float, Array]:
        with np.errstate(over="ignore", invalid="ignore"):  # of a step that is too long, and will be halved
            by_cell = outcome.log_density(model.tally, model.eta(x), arguments)
            return float(by_cell.sum() - 0.5 * x @ (prior @ x)), by_cell

    x, (value, by_cell) = start, objective(start)
    factor, before, touched = np.zeros((0, 0)), None, []
    for step_number in range(1, MOST_STEPS + 1):
        slope, curvature, third = outcome.derivatives(model.tally, model.eta(x), arguments)
        if before is None or not _same(curvature, before):
            (factor, cut), before = _positive_factor(model, prior, curvature), curvature
            touched += [cut] if len(cut) else []
        gradient = latent.transposed @ slope - prior @ x
        step = solve(factor, gradient)
        decrement = float(gradient @ step)
        if decrement < tolerance:
            cells = np.unique(np.concatenate([np.zeros(0, np.intp), *touched])).astype(np.intp)
            return Mode(x, value, curvature, third, prior, factor, step_number, len(touched), cells, decrement)
        while not (reached := objective(x + step))[0] >= value and gradient @ step > tolerance:
            step = step / 2
            touched.append(np.array([np.argmin(reached[1] - by_cell)]))
        x, (value, by_cell) = x + step, reached
    raise FitError(f"{model.design.league}: the posterior mode was not found in {MOST_STEPS} Newton steps.")


def _same(one: Curvature, other: Curvature) -> bool:
    """Whether the curvature is the same, as it always is of Normal rows."""
    return isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and np.array_equal(one, other)


def _positive_factor(model: Model, prior: csr_array, curvature: Curvature) -> tuple[Array, NDArray[np.intp]]:
    """Lower Cholesky factor of H, and no cells; where H is not positive, that of the part of it from cells whose
    likelihood is concave, and the other cells."""
    try:
        return factorise(model.latent.precision(prior, curvature)), np.zeros(0, dtype=np.intp)
    except LinAlgError:
        diagonal = curvature if isinstance(curvature, np.ndarray) else curvature.diagonal()
        return factorise(model.latent.precision(prior, np.maximum(diagonal, 0))), np.flatnonzero(diagonal < 0)


def approximate(model: Model, theta: Array, state: tuple[Array, ...] = ()) -> Approximation:
    """Laplace's approximation at theta, its mean corrected for skewness, with evidence and gradient.

    d log p(y | s) / d log s_b = -n_b + x'Q_b x + tr(S Q_b) + 2 (S X't)' Q_b x for the n_b effects of a block.
    """
    latent, scales = model.latent, model.scales(theta)
    mode = find_mode(model, scales, model.arguments(theta), state[0] if state else np.zeros(latent.size), NEAR)
    evidence = mode.objective + 0.5 * latent.log_determinant(scales) - 0.5 * log_determinant_of(mode.factor)
    covariance = invert(mode.factor)
    spread = latent.spread(covariance, mode.curvature)
    skew = times(covariance, latent.transposed @ (0.5 * _contraction(model, theta, mode, spread)))
    left = latent.counts - latent.traces(mode.prior, covariance)
    direct = latent.by_block(mode.prior, mode.x, mode.x) + 2 * latent.by_block(mode.prior, skew, mode.x)
    own = [_own_slope(model, theta, which, mode.x, spread, skew) for which in model.auxiliary]
    return Approximation(
        theta,
        evidence,
        np.array([*model.by_scale(theta, direct - left), *(slope for slope, _ in own)]),
        np.array([*model.by_scale(theta, 2 * left**2 / latent.counts, 2), *(information for _, information in own)]),
        mode.x + skew,
        np.sqrt(covariance.diagonal()),
        (mode.x,),
        mode.curvature,
        mode.steps,
        mode.damped,
        mode.touched,
        mode.decrement,
    )


def _contraction(model: Model, theta: Array, mode: Mode, spread: Curvature) -> Array:
    """Third derivatives of the log likelihood over two of their places with the covariance of eta."""
    contracted = model.design.outcome.contracted
    if contracted is None:
        assert isinstance(spread, np.ndarray)
        return mode.third * spread
    assert isinstance(spread, csr_array)
    return contracted(model.tally, model.eta(mode.x), model.arguments(theta), spread)


def _own_slope(model: Model, theta: Array, which: int, x: Array, spread: Curvature, skew: Array) -> tuple[float, float]:
    """The evidence's derivative in a parameter a of the likelihood, and its rough information.

    dl/da - tr(C dW/da) / 2 + (S X't)' X' dg/da, the derivatives in a by central differences.
    """
    eta, outcome, tally = model.eta(x), model.design.outcome, model.tally
    above, below = model.moved(theta, which, STEP)
    density = (outcome.log_density(tally, eta, above) - outcome.log_density(tally, eta, below)) / (2 * STEP)
    high, low = outcome.derivatives(tally, eta, above), outcome.derivatives(tally, eta, below)
    bent = float(_entries(spread) @ (_entries(high[1]) - _entries(low[1]))) / (2 * STEP)
    implicit = float((model.latent.x @ skew) @ (high[0] - low[0])) / (2 * STEP)
    return float(density.sum()) - 0.5 * bent + implicit, float(density @ density)


def _entries(curvature: Curvature) -> Array:
    return curvature if isinstance(curvature, np.ndarray) else curvature.data


@dataclass(frozen=True)
class Laplace:
    """A Gaussian around the mode. Order of theta: intercept less its prior mean, fixed effects, the blocks kept."""

    design: Design
    blocks: tuple[str, ...]
    auxiliaries: dict[str, float]
    x: csr_array
    """Design matrix of the cells, shape (cells, parameters)."""
    prior: csr_array
    """Prior precision of theta."""
    tally: Array
    mode: Array
    curvature: csr_array
    """Minus the second derivative of the log likelihood in eta at the mode, shape (cells, cells)."""
    factor: Array
    """Lower Cholesky factor of the precision H."""
    evidence: float
    """Log of the marginal likelihood at these scales and auxiliaries, by Laplace's approximation."""
    spans: dict[str, slice]

    def slice_of(self, block: str) -> slice:
        """Where a block's effects stand in theta."""
        return self.spans[block]

    @cached_property
    def covariance(self) -> Array:
        """Posterior covariance of theta."""
        return self.solve(np.eye(len(self.mode)))

    def solve(self, right: Array) -> Array:
        """H^-1 times a matrix."""
        return solve(self.factor, right)

    def draws(self, rng: np.random.Generator, count: int) -> Posterior:
        """Joint draws of the Gaussian."""
        return self._posterior(self.mode + spread_draws(self.factor, rng.standard_normal((count, len(self.mode)))))

    def _posterior(self, theta: Array) -> Posterior:
        auxiliaries = {name: np.full(len(theta), value) for name, value in self.auxiliaries.items()}
        return effects_of(self.design, self.spans, theta, {}, auxiliaries)


def effects_of(
    design: Design, spans: dict[str, slice], x: Array, scales: dict[str, Array], auxiliaries: dict[str, Array]
) -> Posterior:
    """Draws of the latent vector, shape (draws, latent), by the names of what they are."""
    first = int(design.outcome.has_intercept)
    fixed = {effect.name: x[:, first + i] for i, effect in enumerate(design.fixed)}
    blocks = {name: x[:, span] for name, span in spans.items()}
    level = x[:, 0] + design.centre if first else np.zeros(len(x))
    return Posterior(level, fixed, blocks, scales, auxiliaries)


def no_pooling(design: Design, chosen: NDArray[np.bool_], auxiliaries: dict[str, float] | None = None) -> Laplace:
    """Each competitor alone: the same Design with its scales fixed at ten times their prior."""
    return fit_fixed_scales(
        design, {block.name: 10 * block.prior_scale for block in design.blocks}, chosen, auxiliaries
    )


def complete_pooling(design: Design, chosen: NDArray[np.bool_]) -> Laplace:
    """All competitors alike: the Design without its blocks."""
    return fit_fixed_scales(design, {}, chosen)


def fit_fixed_scales(
    design: Design,
    scales: dict[str, float],
    chosen: NDArray[np.bool_],
    auxiliaries: dict[str, float] | None = None,
) -> Laplace:
    """The Laplace posterior given the chosen games, shape (games,); blocks without a scale are left out.

    Without `auxiliaries`, they maximise the evidence under their priors. Raises FitError where Newton's method does not
    converge, or the Design has more parameters than a dense factor can hold.
    """
    model = model_of(design, chosen, scales)
    latent = model.latent
    if latent.size > MOST_LATENT:
        raise FitError(
            f"{design.league}: {latent.size:,} effects are more than this engine can hold ({MOST_LATENT:,}).",
            "Set a later `since` or a longer period.",
        )
    theta, start = theta_of(model, auxiliaries or {}), np.zeros(latent.size)
    if auxiliaries is None and len(theta):
        best = climb(model, lambda at, near: approximate(model, at, near.state if near else ()), theta).best
        theta, (start,) = best.theta, best.state
    own = model.values(theta) if auxiliaries is None else auxiliaries
    mode = find_mode(model, model.scales(theta), model.arguments(theta), start, TOLERANCE)
    evidence = mode.objective + 0.5 * latent.log_determinant(model.scales(theta))
    w = csr_array(diags_array(mode.curvature)) if isinstance(mode.curvature, np.ndarray) else mode.curvature
    return Laplace(
        design, tuple(latent.spans), own, latent.x, mode.prior, model.tally, mode.x, w, mode.factor,
        evidence - 0.5 * log_determinant_of(mode.factor), latent.spans,
    )  # fmt: skip
