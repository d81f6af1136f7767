"""Posterior at fixed scales by Newton's method and Laplace's approximation: no pooling and complete pooling.

Mode of log p(y | eta) - theta' P theta / 2 with eta = X theta: step H^-1 (X'g - P theta), H = X'WX + P, halved until
the objective rises. The likelihood's own parameters maximise Laplace's evidence under their priors.
Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, section 3.4.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.sparse import block_diag, csr_array, diags_array, hstack

from modeling.design import Design
from modeling.outcomes.outcome import Array, Auxiliary
from modeling.posterior import Posterior
from store.errors import FitError

TOLERANCE = 1e-8  # of the Newton decrement, in nats
MOST_STEPS = 100
MOST_LATENT = 12_000  # a dense factor of this size has 1.2 GB


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

    def slice_of(self, block: str) -> slice:
        """Where a block's effects stand in theta."""
        start = _unblocked(self.design)
        for other in self.design.blocks:
            if other.name == block:
                return slice(start, start + len(other.levels))
            start += len(other.levels) if other.name in self.blocks else 0
        raise KeyError(block)

    @cached_property
    def covariance(self) -> Array:
        """Posterior covariance of theta."""
        return cho_solve((self.factor, True), np.eye(len(self.mode)))

    def solve(self, right: Array) -> Array:
        """H^-1 times a matrix."""
        return cho_solve((self.factor, True), right)

    def draws(self, rng: np.random.Generator, count: int) -> Posterior:
        """Joint draws of the Gaussian."""
        noise = rng.standard_normal((len(self.mode), count))
        if not len(self.mode):
            return self._posterior(np.zeros((count, 0)))
        return self._posterior(self.mode + solve_triangular(self.factor, noise, lower=True, trans=1).T)

    def _posterior(self, theta: Array) -> Posterior:
        count, first = len(theta), int(self.design.outcome.has_intercept)
        fixed = {effect.name: theta[:, first + i] for i, effect in enumerate(self.design.fixed)}
        blocks = {name: theta[:, self.slice_of(name)] for name in self.blocks}
        level = theta[:, 0] + self.design.centre if first else np.zeros(count)
        return Posterior(
            level, fixed, blocks, {}, {name: np.full(count, value) for name, value in self.auxiliaries.items()}
        )


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
    x, prior = _matrix(design, scales)
    latent = prior.diagonal().size
    if latent > MOST_LATENT:
        raise FitError(
            f"{design.league}: {latent:,} effects are more than this engine can hold ({MOST_LATENT:,}).",
            "Set a later `since` or a longer period.",
        )
    tally = design.collapsed(chosen)
    last = np.zeros(latent)

    def at(values: dict[str, float]) -> Laplace:
        nonlocal last
        found = _newton(design, scales, values, x, prior, tally, last)
        last = found.mode
        return found

    return at(_best_auxiliaries(design.auxiliaries, at) if auxiliaries is None else auxiliaries)


def _best_auxiliaries(wanted: tuple[Auxiliary, ...], at: Callable[[dict[str, float]], Laplace]) -> dict[str, float]:
    """Values that maximise evidence and prior; positive ones are searched for by their logarithms."""
    if not wanted:
        return {}

    def values_of(point: Array) -> dict[str, float]:
        return {
            one.name: float(value if one.is_signed else np.exp(value)) for one, value in zip(wanted, point, strict=True)
        }

    def objective(point: Array) -> float:
        values = values_of(point)
        prior = sum(-0.5 * (values[one.name] / one.scale) ** 2 for one in wanted)
        return -(at(values).evidence + prior)

    start = np.array([one.start if one.is_signed else np.log(one.start) for one in wanted])
    steps = start + np.vstack([np.zeros(len(start)), np.diag([0.3 * (o.scale if o.is_signed else 1) for o in wanted])])
    options = {"initial_simplex": steps, "xatol": 1e-3, "fatol": 1e-3, "maxfev": 60 * len(wanted)}
    return values_of(minimize(objective, start, method="Nelder-Mead", options=options).x)


def _newton(
    design: Design,
    scales: dict[str, float],
    values: dict[str, float],
    x: csr_array,
    prior: csr_array,
    tally: Array,
    start: Array,
) -> Laplace:
    arguments = design.likelihood_arguments(values, design.cell_rows)
    derivatives, log_density = design.outcome.derivatives, design.outcome.log_density

    def objective(theta: Array) -> float:
        return float(log_density(tally, x @ theta + design.centre, arguments).sum() - 0.5 * theta @ (prior @ theta))

    theta, value = start, objective(start)
    for _ in range(MOST_STEPS):
        slope, curvature, _third = derivatives(tally, x @ theta + design.centre, arguments)
        w = csr_array(diags_array(curvature)) if isinstance(curvature, np.ndarray) else curvature
        gradient = x.T @ slope - prior @ theta
        factor = _factor(x, w, prior)
        step = cho_solve((factor, True), gradient) if len(theta) else gradient
        decrement = float(gradient @ step)
        if decrement < TOLERANCE:
            evidence = value - np.log(factor.diagonal()).sum() + 0.5 * _log_determinant(design, scales)
            return Laplace(design, tuple(scales), values, x, prior, tally, theta, w, factor, float(evidence))
        while not (reached := objective(theta + step)) >= value and gradient @ step > TOLERANCE:
            step = step / 2
        theta, value = theta + step, reached
    raise FitError(f"{design.league}: the posterior mode was not found in {MOST_STEPS} Newton steps.")


def _factor(x: csr_array, w: csr_array, prior: csr_array) -> Array:
    """Lower Cholesky factor of X'WX + P; where a likelihood is not log-concave, of its concave part."""
    inner = (x.T @ (w @ x) + prior).toarray()
    if not inner.size:
        return inner
    try:
        return np.tril(cho_factor(inner, lower=True)[0])
    except LinAlgError:
        concave = csr_array(diags_array(np.maximum(w.diagonal(), 0)))
        return np.tril(cho_factor((x.T @ (concave @ x) + prior).toarray(), lower=True)[0])


def _log_determinant(design: Design, scales: dict[str, float]) -> float:
    """Log determinant of the prior precision; a walk's is that of its independent steps."""
    sds = [np.array([design.intercept_sd] * int(design.outcome.has_intercept) + [f.prior_sd for f in design.fixed])]
    sds += [scales[block.name] * block.step_sd for block in design.blocks if block.name in scales]
    return -2 * float(np.log(np.concatenate(sds)).sum())


def _unblocked(design: Design) -> int:
    return int(design.outcome.has_intercept) + len(design.fixed)


def _matrix(design: Design, scales: dict[str, float]) -> tuple[csr_array, csr_array]:
    """Design matrix of the cells, and prior precision of its columns."""
    rows = design.cell_rows
    kept = [block for block in design.blocks if block.name in scales]
    columns = [csr_array((len(rows), 0))]
    columns += [csr_array(np.ones((len(rows), 1)))] if design.outcome.has_intercept else []
    columns += [csr_array(fixed.values[rows][:, None]) for fixed in design.fixed]
    columns += [csr_array(block.weights[rows]) for block in kept]
    sds = [design.intercept_sd] * int(design.outcome.has_intercept) + [fixed.prior_sd for fixed in design.fixed]
    parts = [csr_array(diags_array(np.array(sds, dtype=float) ** -2.0))] if sds else []
    parts += [block.precision(scales[block.name]) for block in kept]
    prior = csr_array(block_diag(parts, format="csr")) if parts else csr_array((0, 0))
    return csr_array(hstack(columns, format="csr")), prior
