"""The global Gaussian system of states x and shared effects b by conjugate gradients.

    [Q + A'TA   A'TF    ] [x]
    [F'TA     P + F'TF  ] [b]

The preconditioner is every unit's own factor, and a Galerkin correction on W = [-G; I], which follows how the states
give way to each shared effect (G = (Q + A'TA)^-1 A'TF, as far as known): W (W'HW)^-1 W'. Hestenes and Stiefel (1952);
Nicolaides (1987). The stop rule is a true one: the preconditioned residual is divided by the smallest eigenvalue of
the preconditioned matrix, from the Lanczos coefficients, since the slow directions (the common level of an era or of a
weakly linked pool) are those where the residual says least.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh_tridiagonal

from modeling.engines.chain import kernels
from modeling.engines.chain.structure import Structure
from modeling.outcomes.outcome import Array

Columns = NDArray[np.floating[Any]]  # states and shared effects of several right-hand sides, in either precision

MOST_ITERATIONS = 400
SMALLEST = 0.05  # eigenvalue assumed before the iterations have shown one; leagues have 0.04 to 0.2
THREADS = 2

_POOLS: list[ThreadPoolExecutor] = []


def spread(chunks: list[tuple[int, int]], work: Callable[[int, int, int], float | None]) -> list[float]:
    """Calls work(number, low, high) for each chunk, on threads where there are several; results in order."""
    numbered = [(number, low, high) for number, (low, high) in enumerate(chunks)]
    if len(numbered) == 1 or THREADS == 1:
        return [work(*one) or 0.0 for one in numbered]
    if not _POOLS:
        _POOLS.append(ThreadPoolExecutor(THREADS))
    return [found or 0.0 for found in _POOLS[0].map(lambda one: work(*one), numbered)]


@dataclass
class Factored:
    """Every unit's precision Q + sum of p h h' factored, with its inverse within the envelope."""

    structure: Structure
    precision: Array
    """Prior precision of each state given its parent."""
    env: Array
    inverse: Array
    variances: Array
    """Of the states, in their units."""
    links: Array
    """h' Sigma h of every link."""
    log_determinant: float = 0.0

    @classmethod
    def empty(cls, s: Structure) -> "Factored":
        """Room for a structure's factors."""
        size = int(s.envelope_start[-1])
        return cls(s, np.ones(s.size), np.empty(size), np.empty(size), np.empty(s.size), np.empty(len(s.link_row)))

    def refill(self, p: Array) -> None:
        """Assembles, factors and inverts for the links' precisions p."""
        s = self.structure

        def work(_number: int, low: int, high: int) -> float:
            kernels.assemble(
                low, high, s.unit_start, s.parent, self.precision, s.first, s.envelope_start, s.unit_link,
                s.link_start, s.link_state, s.link_weight, p, self.env,
            )  # fmt: skip
            determinant = kernels.factor(low, high, s.unit_start, s.first, s.envelope_start, self.env)
            kernels.invert(
                low, high, s.unit_start, s.first, s.envelope_start, s.column_start, s.column_state, self.env,
                self.inverse, self.variances,
            )  # fmt: skip
            kernels.link_variances(
                low, high, s.unit_link, s.link_start, s.link_state, s.link_weight, s.first, s.envelope_start,
                self.inverse, self.links,
            )  # fmt: skip
            return determinant

        self.log_determinant = sum(spread(s.chunks, work))


def state_sums(s: Structure, values: Columns) -> Columns:
    """A' values, for columns of row values."""
    out = np.empty((s.size, values.shape[1]), values.dtype)

    def work(_number: int, a: int, b: int) -> None:
        kernels.gather(
            a, b, s.unit_start, s.unit_link, s.link_start, s.link_state, s.link_weight, s.link_row, values, out
        )

    spread(s.chunks, work)
    return out


def row_values(s: Structure, x: Columns) -> Columns:
    """A x, for columns of states."""
    out, e = np.empty((s.rows, x.shape[1]), x.dtype), s.entries
    spread(s.row_chunks, lambda _n, a, b: kernels.row_sums(a, b, e.indptr, e.indices, e.data, x, out))
    return out


class System:
    """The global system at given sites, as products and a preconditioner for columns of [x; b]."""

    def __init__(
        self, factored: Factored, tau: Array, prior: Array, lift: Array | None, dtype: type = np.float64
    ) -> None:
        """`prior` is the shared effects' prior precision; `lift` an approximation of G, of shape (states, shared)."""
        s = self.structure = factored.structure
        self.size, self.shared = s.size, len(prior)
        self.link_tau = tau[s.link_row].astype(dtype)
        self.env, self.precision = factored.env.astype(dtype), factored.precision.astype(dtype)
        weighted = tau[:, None] * s.shared
        self.border = state_sums(s, weighted).astype(dtype)
        self.corner = (s.shared.T @ weighted + np.diag(prior)).astype(dtype)
        self.basis = self.basis_product = np.zeros((self.size + self.shared, 0), dtype)
        self.basis_inverse = np.zeros((0, 0), dtype)
        if self.shared:
            self.deflate(self.locally(self.border) if lift is None else lift)

    def deflate(self, lift: Columns) -> None:
        """Corrects on [-lift; I] from now on."""
        basis = np.concatenate([-lift, np.eye(self.shared)]).astype(self.border.dtype)
        self.basis, self.basis_product = basis, self.multiply(basis)
        inner = self.basis.T.astype(float) @ self.basis_product
        self.basis_inverse = np.linalg.inv((inner + inner.T) / 2).astype(self.border.dtype)

    def multiply(self, y: Columns) -> Columns:
        """H y."""
        s, out = self.structure, np.empty_like(y)
        x, b = y[: self.size], y[self.size :]

        def work(_number: int, low: int, high: int, x: Columns, to: Columns) -> None:
            kernels.MULTIPLY[x.shape[1]](
                low, high, s.unit_start, s.parent, self.precision, s.unit_link, s.link_start, s.link_state,
                s.link_weight, s.other_start, s.other_state, s.other_weight, self.link_tau, x, to,
            )  # fmt: skip

        self._by_width(x, out, work)
        if self.shared:
            out[: self.size] += self.border @ b
            out[self.size :] = self.border.T @ x + self.corner @ b
        return out

    def precondition(self, residual: Columns) -> Columns:
        """The approximate inverse times a residual."""
        z = np.zeros_like(residual)
        z[: self.size] = self.locally(residual[: self.size])
        if self.shared:
            z += self.basis @ (self.basis_inverse @ (self.basis.T @ residual))
        return z

    def locally(self, x: Columns) -> Columns:
        """Every unit solved alone."""
        s, out = self.structure, np.empty_like(x)

        def work(_number: int, low: int, high: int, x: Columns, to: Columns) -> None:
            a, b = s.unit_start[low], s.unit_start[high]
            to[a:b] = x[a:b]
            kernels.SOLVE[x.shape[1]](low, high, s.unit_start, s.first, s.envelope_start, self.env, to)

        self._by_width(x, out, work)
        return out

    def _by_width(self, x: Columns, out: Columns, work: Callable[..., None]) -> None:
        """Works on columns in groups that the compiled widths fit."""
        count, done = x.shape[1], 0
        if count in kernels.WIDTHS and x.flags.c_contiguous:
            spread(self.structure.chunks, lambda n, a, b: work(n, a, b, x, out))
            return
        while done < count:
            width = next((w for w in kernels.WIDTHS if w >= count - done), kernels.WIDTHS[-1])
            part = np.zeros((len(x), width), x.dtype)
            taken = min(width, count - done)
            part[:, :taken] = x[:, done : done + taken]
            to = np.empty_like(part)
            spread(self.structure.chunks, lambda n, a, b, part=part, to=to: work(n, a, b, part, to))
            out[: len(x), done : done + taken] = to[:, :taken]
            done += taken


@dataclass(frozen=True)
class Solution:
    """Columns solved for, and how."""

    y: Columns
    iterations: int
    first_error: float
    """Largest error of the start in units of the answers' sds, as estimated."""
    error: float
    smallest: float
    """Smallest eigenvalue of the preconditioned matrix that was met."""


def conjugate_gradients(
    system: System,
    right: Columns,
    start: Columns | None,
    unit: Columns,
    tolerance: float,
    reduction: float = 0.0,
    smallest: float = SMALLEST,
) -> Solution:
    """Solves H y = right for columns, until no element is off by more than `tolerance` units, or `reduction` x before.

    `unit` broadcasts with y: the sd in which an error is measured.
    """
    y = np.zeros_like(right) if start is None else start.copy()
    residual = right.copy() if start is None else right - system.multiply(y)
    z = system.precondition(residual)
    direction, rho = z.copy(), _dots(residual, z)
    steps: list[tuple[Array, Array]] = []
    begun = at = float((np.abs(z) / unit).max(initial=0.0))
    while at / smallest > max(tolerance, reduction * begun / smallest) and len(steps) < MOST_ITERATIONS:
        product = system.multiply(direction)
        alpha = _ratio(rho, _dots(direction, product))
        y += direction * alpha.astype(y.dtype)
        residual -= product * alpha.astype(y.dtype)
        z = system.precondition(residual)
        before, rho = rho, _dots(residual, z)
        beta = _ratio(rho, before)
        direction *= beta.astype(y.dtype)
        direction += z
        steps.append((alpha, beta))
        at = float((np.abs(z) / unit).max(initial=0.0))
        if len(steps) > 4:
            smallest = min(smallest, _smallest(steps))
    return Solution(y, len(steps), begun / smallest, at / smallest, smallest)


def _ratio(over: Array, under: Array) -> Array:
    return np.where(under > 0, over / np.where(under > 0, under, 1), 0.0)


def _dots(a: Columns, b: Columns) -> Array:
    return np.einsum("ij,ij->j", a, b, dtype=np.float64)


def _smallest(steps: list[tuple[Array, Array]]) -> float:
    """Smallest Ritz value of the first column from the coefficients of its steps (Golub and Van Loan, 10.2.5)."""
    alpha = np.array([one[0] for one, _ in steps])
    beta = np.array([one[0] for _, one in steps])[alpha > 0]
    alpha = alpha[alpha > 0]
    if len(alpha) < 2:
        return 1.0
    diagonal = 1 / alpha
    diagonal[1:] += beta[:-1] / alpha[:-1]
    found = eigvalsh_tridiagonal(diagonal, np.sqrt(beta[:-1]) / alpha[:-1], select="i", select_range=(0, 0))
    return max(float(found[0]), 1e-6)
