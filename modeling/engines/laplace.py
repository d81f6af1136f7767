"""Posterior at fixed scales by Newton's method and Laplace's approximation: no pooling and complete pooling.

Mode of log p(y | eta) - theta' P theta / 2 with eta = X theta: step H^-1 (X'g - P theta), H = X'WX + P, halved until
the objective rises. Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, section 3.4.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.sparse import csr_array, hstack

from modeling.design import Design
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior
from store.errors import FitError

TOLERANCE = 1e-8  # of the Newton decrement, in nats
MOST_STEPS = 100


@dataclass(frozen=True)
class Laplace:
    """A Gaussian around the mode. Order of theta: intercept, fixed effects, then the blocks that were kept."""

    design: Design
    blocks: tuple[str, ...]
    mode: Array
    factor: Array
    """Lower Cholesky factor of the precision H."""

    def slice_of(self, block: str) -> slice:
        """Where a block's effects stand in theta."""
        start = 1 + len(self.design.fixed)
        for other in self.design.blocks:
            if other.name == block:
                return slice(start, start + len(other.levels))
            start += len(other.levels) if other.name in self.blocks else 0
        raise KeyError(block)

    @cached_property
    def covariance(self) -> Array:
        """Posterior covariance of theta."""
        return cho_solve((self.factor, True), np.eye(len(self.mode)))

    def contrast_sd(self, blocks: list[str], weights: dict[str, Array]) -> Array:
        """Sd of each level's effect, summed over `blocks`, less the weighted mean that `weights` gives by block."""
        covariance, weight = self.covariance, np.zeros(len(self.mode))
        for block, values in weights.items():
            weight[self.slice_of(block)] = values
        spans = [self.slice_of(block) for block in blocks]
        cross = covariance @ weight
        own = np.sum([covariance[a, b].diagonal() for a in spans for b in spans], axis=0)
        shared = np.sum([cross[span] for span in spans], axis=0)
        return np.sqrt(np.maximum(own - 2 * shared + weight @ cross, 0))

    def draws(self, rng: np.random.Generator, count: int) -> Posterior:
        """Joint draws of the Gaussian."""
        noise = rng.standard_normal((len(self.mode), count))
        return self._posterior(self.mode + solve_triangular(self.factor, noise, lower=True, trans=1).T)

    def at_mode(self) -> Posterior:
        """The mode itself, as a single draw."""
        return self._posterior(self.mode[None])

    def _posterior(self, theta: Array) -> Posterior:
        fixed = {effect.name: theta[:, 1 + i] for i, effect in enumerate(self.design.fixed)}
        blocks = {name: theta[:, self.slice_of(name)] for name in self.blocks}
        return Posterior(theta[:, 0], fixed, blocks, {}, 1)


def no_pooling(design: Design, chosen: NDArray[np.bool_]) -> Laplace:
    """Each competitor alone: the same Design with its scales fixed at ten times their prior."""
    return fit_fixed_scales(design, {block.name: 10 * block.prior_scale for block in design.blocks}, chosen)


def complete_pooling(design: Design, chosen: NDArray[np.bool_]) -> Laplace:
    """All competitors alike: the Design without its blocks."""
    return fit_fixed_scales(design, {}, chosen)


def fit_fixed_scales(design: Design, scales: dict[str, float], chosen: NDArray[np.bool_]) -> Laplace:
    """The Laplace posterior given the chosen games, shape (games,); blocks without a scale are left out.

    Raises FitError where Newton's method does not converge.
    """
    x, precision = _matrix(design, scales)
    y, exposure = design.collapsed(chosen)
    used = exposure > 0
    x, y, exposure = csr_array(x[used]), y[used], exposure[used]
    derivatives, log_density = design.outcome.derivatives, design.outcome.log_density

    def objective(theta: Array) -> float:
        return float(log_density(y, x @ theta, exposure).sum() - 0.5 * theta @ (precision * theta))

    theta = np.zeros(len(precision))
    value = objective(theta)
    for _ in range(MOST_STEPS):
        slope, curvature, _third = derivatives(y, x @ theta, exposure)
        gradient = x.T @ slope - precision * theta
        hessian = np.asarray((x.T @ x.multiply(curvature[:, None])).todense()) + np.diag(precision)
        factor, _ = cho_factor(hessian, lower=True)
        step = cho_solve((factor, True), gradient)
        if gradient @ step < TOLERANCE:
            return Laplace(design, tuple(scales), theta, np.tril(factor))
        while (reached := objective(theta + step)) < value and gradient @ step > TOLERANCE:
            step = step / 2
        theta, value = theta + step, reached
    raise FitError(f"{design.league}: the posterior mode was not found in {MOST_STEPS} Newton steps.")


def _matrix(design: Design, scales: dict[str, float]) -> tuple[csr_array, Array]:
    """Design matrix of the cells, and prior precision of each column."""
    rows = design.cell_rows
    columns = [csr_array(np.ones((len(rows), 1)))]
    columns += [csr_array(fixed.values[rows][:, None]) for fixed in design.fixed]
    columns += [block.weights[rows] for block in design.blocks if block.name in scales]
    sds = [np.array([design.intercept_sd, *(fixed.prior_sd for fixed in design.fixed)])]
    sds += [np.full(len(block.levels), scales[block.name]) for block in design.blocks if block.name in scales]
    return csr_array(hstack(columns, format="csr")), np.concatenate(sds) ** -2.0
