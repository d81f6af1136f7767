"""The global Gaussian system of states x and shared effects b by conjugate gradients.

    [Q + A'TA   A'TF    ] [x]
    [F'TA     P + F'TF  ] [b]

The preconditioner is every unit's own factor, and a Galerkin correction on W = [-G; I], which follows how the states
give way to each shared effect (G = (Q + A'TA)^-1 A'TF, as far as known): W (W'HW)^-1 W'. Hestenes and Stiefel (1952);
Nicolaides (1987). The stop rule is a true one: the preconditioned residual is divided by the smallest eigenvalue of
the preconditioned matrix, from the Lanczos coefficients, since the slow directions (the common level of an era or of a
weakly linked pool) are those where the residual says least.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh_tridiagonal

from modeling.engines.chain import kernels, products
from modeling.engines.chain.factored import Factored
from modeling.engines.chain.structure import Structure
from modeling.engines.chain.threads import spread
from modeling.outcomes.outcome import Array

Columns = NDArray[np.floating[Any]]  # states and shared effects of several right-hand sides, in either precision
Single = NDArray[np.float32]

MOST_ITERATIONS = 400
LEAST = 1e-9  # eigenvalue of a coarse system over its largest: what single precision leaves of its products
SMALLEST = 0.05  # eigenvalue assumed before the iterations have shown one; leagues have 0.05 to 0.2
PAD = 8  # rows more than needed in each chunk's sums, so that threads do not write to one line of the cache


def state_sums(s: Structure, values: Columns, into: Columns | None = None) -> Columns:
    """A' values, for columns of row values; `into` is room for them."""
    out = np.empty((s.size, values.shape[1]), values.dtype) if into is None else into

    def work(_number: int, a: int, b: int) -> None:
        kernels.gather(
            a, b, s.unit_start, s.unit_node, s.node_start, s.node_state, s.node_weight, s.node_link, s.link_slot,
            s.link_factor, values, out,
        )  # fmt: skip

    spread(s.chunks, work)
    return out


def row_values(s: Structure, x: Columns) -> Columns:
    """A x, for columns of states."""
    out = np.empty((s.rows, x.shape[1]), x.dtype)
    nodes = np.zeros((len(s.node_link) - 1, x.shape[1]), x.dtype)
    own = s.unit_node, s.node_start, s.node_state, s.node_weight
    spread(s.chunks, lambda _n, a, b: kernels.node_values(a, b, *own, x, nodes))
    spread(s.row_chunks, lambda _n, a, b: kernels.row_values(a, b, s.row_node, s.row_factor, nodes, out))
    return out


def less_prior(s: Structure, precision: Array, x: Columns, out: Columns) -> None:
    """Takes Q x from `out`, in place."""
    spread(s.chunks, lambda _n, a, b: kernels.subtract_prior(a, b, s.unit_start, s.parent, s.kept, precision, x, out))


class System:
    """The global system at given sites, in single precision: what columns of [x; b] are multiplied by and solved with.

    An answer is refined in double precision by solving again for what is left of its residual.
    """

    def __init__(self, factored: Factored, tau: Array, prior: Array, lift: Array | None) -> None:
        """`prior` is the shared effects' prior precision; `lift` an approximation of G, of shape (states, shared)."""
        s = self.structure = factored.structure
        self.size, self.shared, self.prior = s.size, len(prior), prior
        self.node_weight = s.node_weight.astype(np.float32)
        self.kept = s.kept[: s.size if (s.kept < 1).any() else 0].astype(np.float32)
        self.diagonal = np.empty(len(s.node_link) - 1, np.float32)
        self.weight, self.border = np.empty(len(s.link_slot), np.float32), np.empty((s.size, self.shared), np.float32)
        self.couple(factored, tau)
        self.knot, self.rise, self.eras = s.eras
        self.basis = self.basis_product = np.zeros((self.size + self.shared, 0), np.float32)
        self.inner, self.covariance = np.zeros((self.eras + self.shared,) * 2), np.zeros((0, 0))
        self.lift, self.reach = np.zeros((self.size, self.shared)), s.shared
        if self.shared + self.eras:
            self.deflate(self.alone(self.border) if lift is None else lift)

    def couple(self, factored: Factored, tau: Array) -> None:
        """The units' factors and the rows' weights from now on; what it corrects on stays."""
        s, self.tau = self.structure, tau
        self.env, self.precision = factored.env.astype(np.float32), factored.precision.astype(np.float32)
        own = (
            s.unit_start, s.unit_node, s.node_start, s.node_state, s.node_weight, s.node_link, s.link_slot,
            s.row_factor.ravel(), tau, s.shared, self.diagonal, self.weight, self.border,
        )  # fmt: skip
        spread(s.chunks, lambda _n, a, b: products.couple(a, b, *own))
        self.corner = s.shared.T @ (tau[:, None] * s.shared) + np.diag(self.prior)

    def deflate(self, lift: Columns) -> None:
        """Corrects on W = [-lift; I] and the eras' hats from now on."""
        self.lift = lift.astype(float)
        self.basis = np.concatenate([-lift, np.eye(self.shared)], dtype=np.float32, casting="same_kind")
        self.basis_product = self.multiply(self.basis)
        inner = self.basis.T.astype(float) @ self.basis_product.astype(float)
        self.covariance = _inverse(inner)
        among, across = self._eras()
        self.inner = _inverse(np.block([[inner, across.T], [across, among]]))

    def _eras(self) -> tuple[Array, Array]:
        """The hats' products with H among themselves and with the basis."""
        s, most = self.structure, 4 * int(np.diff(self.structure.node_start).max(initial=0))
        among = np.zeros((len(s.chunks) + len(s.row_chunks), self.eras, self.eras))
        across = np.zeros((len(s.chunks), self.eras, self.shared))
        hats, rows = (self.knot, self.rise), among[len(s.chunks) :]
        spread(
            s.chunks,
            lambda n, a, b: products.era_steps(
                a, b, s.unit_start, s.parent, s.kept, self.precision, *hats, self.basis_product, among[n], across[n]
            ),
        )
        own = s.row_node, s.row_factor, s.node_start, s.node_state, s.node_weight, self.tau, *hats, most
        spread(s.row_chunks, lambda n, a, b: products.era_rows(a, b, *own, rows[n]))
        return among.sum(axis=0), across.sum(axis=0)

    def multiply(self, y: Columns) -> Columns:
        """H y, for any number of columns."""
        out = np.empty_like(y, np.float32)
        for part in _groups(y.shape[1]):
            run = Iteration(self, y[:, part].shape[1]).begin(y[: self.size, part], y[self.size :, part])
            run.z, run.residual = run.residual, run.z
            run.advance(np.zeros(run.width), np.zeros(len(y)), np.zeros(run.width))
            run.direction_shared = run.residual_shared
            run.multiply()
            out[:, part] = np.concatenate([run.product, run.product_shared])
        return out

    def alone(self, x: Columns) -> Columns:
        """Every unit solved alone, for any number of columns."""
        out, none = np.empty_like(x), np.zeros((self.shared, x.shape[1]))
        self.inner = np.zeros_like(self.inner)
        self.basis = np.zeros((self.size + self.shared, self.shared), np.float32)
        for part in _groups(x.shape[1]):
            run = Iteration(self, x[:, part].shape[1]).begin(x[:, part], none[:, part])
            run.relax(np.zeros(run.width))
            out[:, part] = run.z
        return out


def _inverse(matrix: Array) -> Array:
    """Inverse of a positive definite matrix that rounding may have made less: where scales are wide, levels of eras and
    groups hardly tell from each other."""
    if not matrix.size:
        return matrix
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors / np.maximum(values, LEAST * values[-1])) @ vectors.T


def _groups(count: int) -> list[slice]:
    """Columns in groups that are worked on together."""
    most = products.TOGETHER
    return [slice(begin, min(begin + most, count)) for begin in range(0, count, most)]


class Iteration:
    """Columns being solved for: y, what is left of the residual, the preconditioner's z of it, and the direction.

    Shared effects stand apart, in double precision. Each method is one pass over the units; sums are in the order of
    chunks, so that they do not depend on the number of threads.
    """

    def __init__(self, system: System, width: int) -> None:
        self.system, self.width = system, width
        n, k = system.size, system.shared
        self.y, self.z, self.direction, self.product, self.residual = (
            np.zeros((n, width), np.float32) for _ in range(5)
        )
        self.nodes = np.zeros((len(system.diagonal), width), np.float32)
        self.y_shared, self.direction_shared, self.product_shared, self.residual_shared = (
            np.zeros((k, width)) for _ in range(4)
        )
        self.coef = np.zeros((len(system.inner), width))

    def begin(self, right: Columns | float, right_shared: Columns) -> "Iteration":
        """Starts from zero on new right-hand sides, in the room that is there."""
        self.residual[:], self.residual_shared[:] = right, right_shared
        self.y[:], self.y_shared[:] = 0, 0
        return self

    def _sums(self) -> Array:
        return np.zeros((len(self.system.structure.chunks), len(self.system.inner) + 1 + PAD, self.width))

    def relax(self, alpha: Array) -> Array:
        """A step of length alpha along the direction; returns residual'z of the new z, whose W part waits in coef."""
        system, sums = self.system, self._sums()
        s, kernel, step = system.structure, products.RELAX[self.width == 1], alpha.astype(np.float32)

        def work(n: int, low: int, high: int) -> None:
            kernel(
                low, high, s.unit_start, s.first, s.envelope_start, system.env, system.basis, system.knot,
                system.rise, step, self.direction, self.product, self.y, self.residual, self.z, sums[n],
            )  # fmt: skip

        spread(s.chunks, work)
        total = sums.sum(axis=0)
        self.y_shared += alpha * self.direction_shared
        self.residual_shared -= alpha * self.product_shared
        along = total[1 : len(system.inner) + 1]
        along[: system.shared] += self.residual_shared
        self.coef = system.inner @ along
        return total[0] + np.einsum("ij,ij->j", along, self.coef)

    def advance(self, beta: Array, scale: Array, own: Array) -> float:
        """The next direction z + beta direction; returns the largest |z|, times `scale` by row, `own` by column."""
        system, coef, turn = self.system, self.coef.astype(np.float32), beta.astype(np.float32)
        s, kernel = system.structure, products.ADVANCE[self.width == 1]
        by_row, by_column = scale.astype(np.float32), own.astype(np.float32)
        peak = np.zeros((len(s.chunks), self.width + PAD), np.float32)

        def work(n: int, low: int, high: int) -> None:
            kernel(
                low, high, s.unit_start, s.unit_node, s.node_start, s.node_state, system.node_weight, system.basis,
                system.knot, system.rise, coef, self.z, turn, by_row, by_column, self.direction, self.nodes, peak[n],
            )  # fmt: skip

        spread(s.chunks, work)
        worst = float(peak.max(initial=0.0))
        on_shared = self.coef[: system.shared]
        self.direction_shared = on_shared + beta * self.direction_shared
        return max(worst, float((np.abs(on_shared) * own * scale[system.size :, None]).max(initial=0.0)))

    def multiply(self) -> Array:
        """The product H direction; returns direction'H direction."""
        system, sums = self.system, self._sums()
        s, kernel, b = system.structure, products.MULTIPLY[self.width == 1], self.direction_shared.astype(np.float32)

        def work(n: int, low: int, high: int) -> None:
            kernel(
                low, high, s.unit_start, s.parent, system.kept, system.precision, s.unit_node, s.node_start,
                s.node_state, system.node_weight, s.node_link, system.diagonal, system.weight, s.link_other,
                system.border, b, self.direction, self.nodes, self.product, sums[n],
            )  # fmt: skip

        spread(s.chunks, work)
        total = sums.sum(axis=0)
        self.product_shared = total[1 : system.shared + 1] + system.corner @ self.direction_shared
        return total[0] + np.einsum("ij,ij->j", self.direction_shared, self.product_shared)


@dataclass(frozen=True)
class Solution:
    """Columns solved for, and how."""

    y: Columns
    iterations: int
    error: float
    """Largest error of zero in units of the answers' sds: the answer's size, and at most what it still lacks."""
    smallest: float
    """Smallest eigenvalue of the preconditioned matrix that was met."""


def conjugate_gradients(
    system: System,
    right: Columns,
    unit: Array,
    tolerance: float,
    reduction: float = 0.0,
    smallest: float = SMALLEST,
    own: Array | None = None,
) -> Solution:
    """Solves H y = right for columns, until no element is off by more than `tolerance` units, or `reduction` x before.

    Near the answer the reduction is by as much more as the start was nearer than one unit, so that slow directions are
    not left to ever new starts. An error is measured in `unit` of its row times `own` of its column. Single precision:
    six digits at best.
    """
    columns = np.ones(right.shape[1]) if own is None else own
    y, iterations, error = np.empty(right.shape, np.float32), 0, 0.0
    for part in _groups(right.shape[1]):
        run = Iteration(system, right[:, part].shape[1]).begin(right[: system.size, part], right[system.size :, part])
        count, left, smallest = solve(run, 1 / unit, 1 / columns[part], tolerance, reduction, smallest)
        y[: system.size, part], y[system.size :, part] = run.y, run.y_shared
        size = float((np.abs(y[:, part]) / unit[:, None] / columns[part]).max(initial=0.0))
        iterations, error = iterations + count, max(error, size + left)
    return Solution(y, iterations, error, smallest)


def solve(
    run: Iteration,
    scale: Array,
    own: Array,
    tolerance: float,
    reduction: float,
    smallest: float,
) -> tuple[int, float, float]:
    """Solves for the columns that have begun; returns the iterations, the largest error left (at most, in units) and
    the smallest eigenvalue met. The answer is in run.y and run.y_shared."""
    steps, none = list[tuple[Array, Array]](), np.zeros(run.width)
    rho = run.relax(none)
    begun = at = run.advance(none, scale, own)
    goal = max(tolerance * smallest, reduction * begun * min(1.0, begun / smallest))
    while at > goal and len(steps) < MOST_ITERATIONS:
        alpha = _ratio(rho, run.multiply())
        before, rho = rho, run.relax(alpha)
        beta = _ratio(rho, before)
        at = run.advance(beta, scale, own)
        steps.append((alpha, beta))
        if len(steps) > 4:
            smallest = min(smallest, _smallest(steps))
    return len(steps), at / smallest, smallest


def _ratio(over: Array, under: Array) -> Array:
    return np.where(under > 0, over / np.where(under > 0, under, 1), 0.0)


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
