"""The latent effects of a Design as one Gaussian vector: its sparse prior, its dense precision, LAPACK in place.

With eta = X x, x ~ N(0, Q^-1) and W minus the second derivative of the log likelihood in eta (or the sites of
expectation propagation), the posterior's precision is H = Q + X'WX. Only lower triangles are computed, in Fortran order
so that LAPACK's dpotrf and dpotri need no copy: a factor costs n^3/3 operations, the inverse from it 2n^3/3.

X'WX for new weights, and the variances of X S X', go through every pair of a row's entries. Where that is done
again and again the pairs stand in the order of the entries of H that they belong to: thrice as fast as row by row.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, get_blas_funcs, get_lapack_funcs
from scipy.sparse import block_diag, csr_array, diags_array, hstack

from modeling.design import Design
from modeling.outcomes.outcome import Array

Curvature = Array | csr_array
"""Minus the second derivative of the log likelihood in eta: its diagonal, or a matrix where rows go together."""
FLAT = -1
dpotrf, dpotri, dpotrs, dtrtrs = get_lapack_funcs(("potrf", "potri", "potrs", "trtrs"), dtype=np.float64)
dsymv, dsymm = get_blas_funcs(("symv", "symm"), dtype=np.float64)


@dataclass(frozen=True)
class Latent:
    """Order of x: intercept less its prior mean, fixed effects, the blocks. The prior's precision at scales s is one
    list of entries, those of block b divided by s_b^2."""

    x: csr_array
    """Design matrix of the cells, shape (cells, latent)."""
    spans: dict[str, slice]
    """Where each block's effects stand."""
    pattern: csr_array
    """Prior precision with all scales one, shape (latent, latent)."""
    owner: NDArray[np.intp]
    """Number of the block of each stored entry of the pattern, or FLAT for the intercept and fixed effects."""
    step_log_sd: float
    """Sum of the logs of the prior sds of all independent parts, with all scales one."""

    @property
    def size(self) -> int:
        """Number of latent effects."""
        return self.pattern.indptr.size - 1

    @property
    def cells(self) -> int:
        """Number of cells of results."""
        return self.x.indptr.size - 1

    @cached_property
    def counts(self) -> Array:
        """Number of effects of each block."""
        return np.array([span.stop - span.start for span in self.spans.values()], dtype=float)

    @cached_property
    def transposed(self) -> csr_array:
        """X', shape (latent, cells)."""
        return csr_array(self.x.T.tocsr())

    @cached_property
    def _places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        rows = np.repeat(np.arange(self.size), np.diff(self.pattern.indptr))
        return rows, self.pattern.indices.astype(np.intp)

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.int32], NDArray[np.intp], NDArray[np.int32], Array]:
        x = self.x
        places = csr_array((np.arange(x.nnz), x.indices, x.indptr), shape=x.shape).T.tocsr()
        return _paired(x.indptr, x.indices, x.data, places.indptr, places.indices, places.data)

    def prior(self, scales: Array) -> csr_array:
        """Prior precision Q at the blocks' scales."""
        factor = np.append(np.asarray(scales, dtype=float) ** -2.0, 1.0)
        entries = (self.pattern.data * factor[self.owner], self.pattern.indices, self.pattern.indptr)
        return csr_array(entries, shape=self.pattern.shape)

    def log_determinant(self, scales: Array) -> float:
        """log |Q|; a walk's is that of its independent steps."""
        return -2 * (self.step_log_sd + float(self.counts @ np.log(scales)))

    def by_block(self, prior: csr_array, left: Array, right: Array) -> Array:
        """left' Q_b right of each block."""
        rows, columns = self._places
        return self._sums(prior.data * left[rows] * right[columns])

    def traces(self, prior: csr_array, covariance: Array) -> Array:
        """Trace of S Q_b of each block, S of which only the lower triangle is there."""
        rows, columns = self._places
        return self._sums(prior.data * covariance[np.maximum(rows, columns), np.minimum(rows, columns)])

    def _sums(self, entries: Array) -> Array:
        return np.bincount(self.owner + 1, entries, len(self.spans) + 1)[1:]

    def with_prior(self, h: Array, prior: csr_array) -> Array:
        """A matrix, of which only the lower triangle is used, with the prior precision added in place."""
        rows, columns = self._places
        lower = rows >= columns
        h[rows[lower], columns[lower]] += prior.data[lower]
        return h

    def precision(self, prior: csr_array, curvature: Curvature) -> Array:
        """H = Q + X'WX, its lower triangle in Fortran order."""
        h = self.with_prior(np.zeros((self.size, self.size), order="F"), prior)
        x = self.x
        if isinstance(curvature, np.ndarray):
            _add_pairs(h.ravel(order="K"), *self._pairs, curvature)
        else:
            w = curvature
            _add_together(h, x.indptr, x.indices, x.data, w.indptr, w.indices, w.data)
        return h

    def gram(self, weight: Array) -> Array:
        """X'WX of a weight a row, its lower triangle in Fortran order: for weights that are looked at once."""
        found = np.zeros((self.size, self.size), order="F")
        _add_rows(found, self.x.indptr, self.x.indices, self.x.data, weight)
        return found

    def spread(self, covariance: Array, like: Curvature) -> Curvature:
        """X S X' where the curvature has entries: variances of eta, or also covariances of rows that go together."""
        x = self.x
        if isinstance(like, np.ndarray):
            return _variances(covariance.ravel(order="K"), *self._pairs, len(like))
        values = _covariances(covariance, x.indptr, x.indices, x.data, like.indptr, like.indices)
        return csr_array((values, like.indices, like.indptr), shape=like.shape)


def latent_of(design: Design, blocks: tuple[str, ...]) -> Latent:
    """The latent vector of a Design with some of its blocks."""
    rows, kept = design.cell_rows, [block for block in design.blocks if block.name in blocks]
    columns = [csr_array((len(rows), 0))]
    columns += [csr_array(np.ones((len(rows), 1)))] if design.outcome.has_intercept else []
    columns += [csr_array(fixed.values[rows][:, None]) for fixed in design.fixed]
    columns += [csr_array(block.weights[rows]) for block in kept]
    x = csr_array(hstack(columns, format="csr"))
    x.sum_duplicates()
    flat = np.array([design.intercept_sd] * int(design.outcome.has_intercept) + [f.prior_sd for f in design.fixed])
    parts = [csr_array(diags_array(flat**-2.0))] if len(flat) else []
    parts += [block.precision(1.0) for block in kept]
    pattern = csr_array(block_diag(parts, format="csr")) if parts else csr_array((0, 0))
    pattern.sort_indices()
    ends = np.cumsum([len(flat), *(len(block.levels) for block in kept)])
    spans = {block.name: slice(int(a), int(b)) for block, a, b in zip(kept, ends[:-1], ends[1:], strict=True)}
    by_row = np.repeat(np.arange(len(kept) + 1) - 1, np.diff(ends, prepend=0))
    step_log_sd = float(np.log(flat).sum() + sum(np.log(block.step_sd).sum() for block in kept))
    return Latent(x, spans, pattern, np.repeat(by_row, np.diff(pattern.indptr)), step_log_sd)


def factorise(precision: Array) -> Array:
    """Lower Cholesky factor, in place of the precision; the upper triangle is zero. Raises LinAlgError."""
    if not precision.size:
        return precision
    factor, info = dpotrf(precision, lower=1, clean=0, overwrite_a=1)
    if info:
        raise LinAlgError(f"not positive definite at {info}")
    return factor


def log_determinant_of(factor: Array) -> float:
    """Log determinant of the matrix that was factorised."""
    return 2 * float(np.log(factor.diagonal()).sum())


def solve(factor: Array, right: Array) -> Array:
    """H^-1 times a vector or matrix, by the factor of H."""
    return dpotrs(factor, right, lower=1)[0].reshape(right.shape) if factor.size else right


def invert(factor: Array) -> Array:
    """Lower triangle of H^-1, in place of the factor of H."""
    return dpotri(factor, lower=1, overwrite_c=1)[0] if factor.size else factor


def times(lower: Array, vector: Array) -> Array:
    """Symmetric matrix, of which the lower triangle is there, times a vector."""
    return dsymv(1.0, lower, vector, lower=1) if lower.size else vector


def products(lower: Array, rows: Array) -> Array:
    """Symmetric matrix, of which the lower triangle is there, times each row; shape (rows, latent)."""
    return dsymm(1.0, lower, rows.T, lower=1).T if lower.size else rows


def spread_draws(factor: Array, noise: Array) -> Array:
    """Draws of N(0, H^-1) from standard normal ones, shape (draws, latent): L^-T z."""
    if not factor.size:
        return noise
    return dtrtrs(factor, noise.T, lower=1, trans=1)[0].T


@njit(cache=True)
def _add_rows(h, starts, columns, values, weight):  # noqa: ANN001, ANN202
    for i in range(len(starts) - 1):
        for b in range(starts[i], starts[i + 1]):
            part = weight[i] * values[b]
            for a in range(b, starts[i + 1]):
                h[columns[a], columns[b]] += part * values[a]


@njit(cache=True)
def _add_together(h, starts, columns, values, w_starts, w_columns, w):  # noqa: ANN001, ANN202
    for i in range(len(starts) - 1):
        for k in range(w_starts[i], w_starts[i + 1]):
            j = w_columns[k]
            for b in range(starts[j], starts[j + 1]):
                part = w[k] * values[b]
                for a in range(starts[i], starts[i + 1]):
                    if columns[a] >= columns[b]:
                        h[columns[a], columns[b]] += part * values[a]


@njit(cache=True)
def _paired(starts, columns, values, by_column, rows, places):  # noqa: ANN001, ANN202
    """Every pair of entries of a row, by the place in X'X that it adds to: (place, first pair; row, product)."""
    size, count = len(by_column) - 1, 0
    for i in range(len(starts) - 1):
        count += (starts[i + 1] - starts[i]) * (starts[i + 1] - starts[i] + 1) // 2
    most = min(count, size * (size + 1) // 2)
    target, first = np.empty(most, np.int32), np.empty(most + 1, np.int64)
    row, product = np.empty(count, np.int32), np.empty(count)
    following, targets, done = np.zeros(size, np.int64), 0, 0
    for j in range(size):
        for k in range(by_column[j], by_column[j + 1]):
            for a in range(places[k], starts[rows[k] + 1]):
                following[columns[a]] += 1
        for p in range(j, size):
            if following[p]:
                target[targets], first[targets], targets = j * size + p, done, targets + 1
                following[p], done = done, done + following[p]
        for k in range(by_column[j], by_column[j + 1]):
            for a in range(places[k], starts[rows[k] + 1]):
                place = following[columns[a]]
                row[place], product[place] = rows[k], values[places[k]] * values[a]
                following[columns[a]] += 1
        following[:] = 0
    first[targets] = done
    return target[:targets], first[: targets + 1], row, product


@njit(cache=True)
def _add_pairs(h, target, first, row, product, weight):  # noqa: ANN001, ANN202
    for t in range(len(target)):
        total = 0.0
        for k in range(first[t], first[t + 1]):
            total += weight[row[k]] * product[k]
        h[target[t]] += total


@njit(cache=True)
def _variances(s, target, first, row, product, rows):  # noqa: ANN001, ANN202
    found, size = np.zeros(rows), int(np.sqrt(len(s)))
    for t in range(len(target)):
        value = s[target[t]]
        if target[t] % (size + 1):
            value *= 2
        for k in range(first[t], first[t + 1]):
            found[row[k]] += value * product[k]
    return found


@njit(cache=True)
def _covariances(s, starts, columns, values, w_starts, w_columns):  # noqa: ANN001, ANN202
    found = np.zeros(len(w_columns))
    for i in range(len(w_starts) - 1):
        for k in range(w_starts[i], w_starts[i + 1]):
            j = w_columns[k]
            for b in range(starts[j], starts[j + 1]):
                for a in range(starts[i], starts[i + 1]):
                    p, q = columns[a], columns[b]
                    found[k] += values[a] * values[b] * (s[p, q] if p >= q else s[q, p])
    return found
