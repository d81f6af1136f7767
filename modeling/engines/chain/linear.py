"""The global Gaussian system (Q + A' T A) x = b by conjugate gradients, preconditioned by every unit's own factor.

Hestenes and Stiefel (1952), for several right-hand sides at once. The stop rule is a true one: the preconditioned
residual is divided by the smallest eigenvalue of the preconditioned matrix, from the Lanczos coefficients, since the
slow directions (the common level of an era or of a weakly linked pool) are those where the residual says least.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from modeling.engines.chain import kernels
from modeling.engines.chain.structure import Structure
from modeling.outcomes.outcome import Array
from scipy.linalg import eigvalsh_tridiagonal

MOST_ITERATIONS = 400
THREADS = 2


def spread(chunks: list[tuple[int, int]], work: Callable[[int, int, int], float | None]) -> list[float]:
    """Calls work(number, low, high) for each chunk, on threads where there are several; results in order."""
    numbered = [(number, low, high) for number, (low, high) in enumerate(chunks)]
    if len(numbered) == 1 or THREADS == 1:
        return [work(*one) or 0.0 for one in numbered]
    return [found or 0.0 for found in _pool().map(lambda one: work(*one), numbered)]


_POOLS: list[ThreadPoolExecutor] = []


def _pool() -> ThreadPoolExecutor:
    if not _POOLS:
        _POOLS.append(ThreadPoolExecutor(THREADS))
    return _POOLS[0]


@dataclass
class Factored:
    """Every unit's precision Q + sum of p h h' factored, with variances where asked for."""

    structure: Structure
    precision: Array
    """Prior precision of each state given its parent."""
    env: Array
    inverse: Array
    log_determinant: float = 0.0

    @classmethod
    def empty(cls, structure: Structure) -> "Factored":
        size = int(structure.envelope_start[-1])
        return cls(structure, np.ones(structure.size), np.empty(size), np.empty(size))

    def refill(self, p: Array) -> None:
        """Assembles and factors for the links' precisions p."""
        s = self.structure

        def work(_number: int, low: int, high: int) -> float:
            kernels.assemble(
                low, high, s.unit_start, s.parent, self.precision, s.first, s.envelope_start, s.unit_link,
                s.link_start, s.link_state, s.link_weight, p, self.env,
            )  # fmt: skip
            return kernels.factor(low, high, s.unit_start, s.first, s.envelope_start, self.env)

        self.log_determinant = sum(spread(s.chunks, work))

    def link_variances(self, out: Array) -> None:
        """Inverts within the envelope and writes h' Sigma h of every link."""
        s = self.structure

        def work(_number: int, low: int, high: int) -> None:
            kernels.invert(
                low, high, s.unit_start, s.first, s.envelope_start, s.column_start, s.column_state, self.env,
                self.inverse,
            )  # fmt: skip
            kernels.link_variances(
                low, high, s.unit_link, s.link_start, s.link_state, s.link_weight, s.first, s.envelope_start,
                self.inverse, out,
            )  # fmt: skip

        spread(s.chunks, work)

    @property
    def variances(self) -> Array:
        """Variance of every state."""
        return self.inverse[self.structure.envelope_start[1:] - 1]

    def solve(self, x: Array) -> None:
        """Solves for the columns of x in place."""
        s = self.structure
        spread(
            s.chunks, lambda _n, a, b: kernels.solve(a, b, s.unit_start, s.first, s.envelope_start, self.env, x)
        )


@dataclass
class Solution:
    """Columns solved for, and how."""

    x: Array
    iterations: int
    error: float
    """Largest error of the first column in sds of the states, as estimated."""
    smallest: float
    """Smallest eigenvalue of the preconditioned matrix that was met."""


def row_values(s: Structure, x: Array, tau: Array, out: Array | None = None) -> Array:
    """tau times (A x) of the columns of x, shape (rows, columns)."""
    sums = np.empty((s.rows, x.shape[1]), x.dtype) if out is None else out
    e = s.entries
    spread(s.row_chunks, lambda _n, a, b: kernels.row_sums(a, b, e.indptr, e.indices, e.data, tau, x, sums))
    return sums


def state_sums(s: Structure, values: Array) -> Array:
    """A' values for columns of row values."""
    out = np.zeros((s.size, values.shape[1]), values.dtype)
    spread(
        s.chunks,
        lambda _n, a, b: kernels.gather(
            a, b, s.unit_link, s.link_start, s.link_state, s.link_weight, s.link_row, values, out
        ),
    )
    return out


def conjugate_gradients(
    factored: Factored, tau: Array, right: Array, start: Array | None, sd: Array, tolerance: float
) -> Solution:
    """Solves (Q + A' T A) x = right for its columns, until no state is off by more than `tolerance` of its sd.

    sd has shape (states,) or (states, columns): the unit in which each column's error is measured.
    """
    s = factored.structure
    shape = right.shape
    x = np.zeros_like(right) if start is None else start.copy()
    sums, product = np.empty((s.rows, shape[1]), right.dtype), np.empty_like(right)
    dots = np.empty((len(s.chunks), shape[1]))

    def multiply(v: Array) -> Array:
        row_values(s, v, tau, sums)
        spread(
            s.chunks,
            lambda n, a, b: kernels.multiply(
                a, b, s.unit_start, s.parent, factored.precision, s.unit_link, s.link_start, s.link_state,
                s.link_weight, s.link_row, sums, v, product, dots[n],
            ),
        )  # fmt: skip
        return dots.sum(axis=0)

    residual = right.copy()
    if start is not None:
        multiply(x)
        residual -= product
    z = residual.copy()
    factored.solve(z)
    direction, rho = z.copy(), _dots(residual, z)
    alphas: list[Array] = []
    betas: list[Array] = []
    smallest, error = 1.0, np.inf
    for iteration in range(MOST_ITERATIONS + 1):
        error = float((np.abs(z) / sd).max(initial=0.0)) / smallest
        if error <= tolerance or iteration == MOST_ITERATIONS:
            return Solution(x, iteration, error, smallest)
        curvature = multiply(direction)
        alpha = np.where(curvature > 0, rho / np.where(curvature > 0, curvature, 1), 0.0)
        x += direction * alpha.astype(x.dtype)
        residual -= product * alpha.astype(x.dtype)
        z[:] = residual
        factored.solve(z)
        after = _dots(residual, z)
        beta = np.where(rho > 0, after / np.where(rho > 0, rho, 1), 0.0)
        direction *= beta.astype(x.dtype)
        direction += z
        rho = after
        alphas.append(alpha)
        betas.append(beta)
        smallest = _smallest(np.array(alphas), np.array(betas))
    raise AssertionError


def _dots(a: Array, b: Array) -> Array:
    return np.einsum("ij,ij->j", a, b)


def _smallest(alphas: Array, betas: Array) -> float:
    """Smallest Ritz value over columns from the coefficients of conjugate gradients (Golub and Van Loan, 10.2.5)."""
    found = 1.0
    for alpha, beta in zip(alphas.T, betas.T, strict=True):
        alpha = alpha[alpha > 0]
        if len(alpha):
            beta = beta[: len(alpha)]
            diagonal = 1 / alpha
            diagonal[1:] += beta[:-1] / alpha[:-1]
            found = min(found, float(eigvalsh_tridiagonal(diagonal, np.sqrt(beta[:-1]) / alpha[:-1])[0]))
    return max(found, 1e-6)
