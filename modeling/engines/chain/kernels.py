"""Compiled loops over units: envelope factorisation of each unit's precision, its solves and its inverse.

A unit's precision is that of its prior plus p h h' of every link (a row's part in the unit, weights h). Its Cholesky
factor L lives in the envelope: of each state, everything from the first state that it meets. For a plain walk that is
the tridiagonal algorithm; unmoving effects are full rows at the end. George and Liu (1981), Computer solution of large
sparse positive definite systems, chapter 4; inverse within the envelope: Takahashi, Fagan and Chen (1973).
Every function works on a range of units, so that threads can share a league.
"""

# ruff: noqa: ANN001, ANN201, ANN202 -- compiled: numba infers the types from the arrays

import numba
import numpy as np

jit = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"}, error_model="numpy")


@jit
def envelope(parent, link_start, link_state):
    """First state of each state's envelope."""
    first = np.arange(parent.size).astype(np.int32)
    for s in range(parent.size):
        if parent[s] >= 0:
            low, high = min(s, parent[s]), max(s, parent[s])
            first[high] = min(first[high], low)
    for link in range(link_start.size - 1):
        a, b = link_start[link], link_start[link + 1]
        low = link_state[a]
        for e in range(a + 1, b):
            low = min(low, link_state[e])
        for e in range(a, b):
            first[link_state[e]] = min(first[link_state[e]], low)
    return first


@jit
def columns(first):
    """For each state the later states whose envelope holds it: (start, states)."""
    size = first.size
    start = np.zeros(size + 1, np.int64)
    for i in range(size):
        for j in range(first[i], i):
            start[j + 1] += 1
    for j in range(size):
        start[j + 1] += start[j]
    fill = start[:-1].copy()
    state = np.empty(start[-1], np.int32)
    for i in range(size):
        for j in range(first[i], i):
            state[fill[j]] = i
            fill[j] += 1
    return start, state


@jit
def assemble(
    low, high, unit_start, parent, precision, first, start, unit_link, link_start, link_state, link_weight, p, out
):
    """Fills the envelopes of the units' precisions: prior edges, and p h h' of the links."""
    for u in range(low, high):
        for s in range(unit_start[u], unit_start[u + 1]):
            for e in range(start[s], start[s + 1]):
                out[e] = 0.0
        for s in range(unit_start[u], unit_start[u + 1]):
            q, a = precision[s], parent[s]
            out[start[s + 1] - 1] += q
            if a >= 0:
                out[start[a + 1] - 1] += q
                out[start[s] + a - first[s]] -= q
        for link in range(unit_link[u], unit_link[u + 1]):
            for e in range(link_start[link], link_start[link + 1]):
                s = link_state[e]
                for f in range(link_start[link], e + 1):
                    out[start[s] + link_state[f] - first[s]] += p[link] * link_weight[e] * link_weight[f]


@jit
def factor(low, high, unit_start, first, start, env):
    """Cholesky factors in place, with the diagonal stored as its reciprocal; returns the sum of log determinants."""
    total = 0.0
    for u in range(low, high):
        for i in range(unit_start[u], unit_start[u + 1]):
            row, fi = start[i], first[i]
            diagonal = env[start[i + 1] - 1]
            for j in range(fi, i):
                other, fj = start[j], first[j]
                value = env[row + j - fi]
                for k in range(max(fi, fj), j):
                    value -= env[row + k - fi] * env[other + k - fj]
                value *= env[start[j + 1] - 1]
                env[row + j - fi] = value
                diagonal -= value * value
            total += np.log(diagonal)
            env[start[i + 1] - 1] = 1.0 / np.sqrt(diagonal)
    return total


@jit
def invert(low, high, unit_start, first, start, column_start, column_state, env, out, variance):
    """The inverse's entries within the envelope, from the last state back, and its diagonal by itself."""
    for u in range(low, high):
        for j in range(unit_start[u + 1] - 1, unit_start[u] - 1, -1):
            inverse = env[start[j + 1] - 1]
            a, b = column_start[j], column_start[j + 1]
            diagonal = inverse
            for one in range(a, b):
                i = column_state[one]
                value = 0.0
                for two in range(a, b):
                    k = column_state[two]
                    high_, low_ = max(i, k), min(i, k)
                    value -= env[start[k] + j - first[k]] * out[start[high_] + low_ - first[high_]]
                value *= inverse
                out[start[i] + j - first[i]] = value
                diagonal -= env[start[i] + j - first[i]] * value
            out[start[j + 1] - 1] = diagonal * inverse
            variance[j] = diagonal * inverse


@jit
def link_variances(low, high, unit_link, link_start, link_state, link_weight, first, start, inverse, out):
    """h' Sigma h of every link."""
    for link in range(unit_link[low], unit_link[high]):
        total = 0.0
        for e in range(link_start[link], link_start[link + 1]):
            s = link_state[e]
            for f in range(link_start[link], e):
                total += 2 * link_weight[e] * link_weight[f] * inverse[start[s] + link_state[f] - first[s]]
            total += link_weight[e] ** 2 * inverse[start[s + 1] - 1]
        out[link] = total


def solver(width):
    """(low, high, unit_start, first, start, env, x): solves with the factors in place, for `width` columns."""

    @jit
    def solve(low, high, unit_start, first, start, env, x):
        for u in range(low, high):
            for i in range(unit_start[u], unit_start[u + 1]):
                for j in range(first[i], i):
                    value = env[start[i] + j - first[i]]
                    for c in range(width):
                        x[i, c] -= value * x[j, c]
                for c in range(width):
                    x[i, c] *= env[start[i + 1] - 1]
            for i in range(unit_start[u + 1] - 1, unit_start[u] - 1, -1):
                for c in range(width):
                    x[i, c] *= env[start[i + 1] - 1]
                for j in range(first[i], i):
                    value = env[start[i] + j - first[i]]
                    for c in range(width):
                        x[j, c] -= value * x[i, c]

    return solve


def multiplier(width):
    """out = (Q + A' T A) x of a range of units for the `width` columns of x: prior edges, then each link with its row.

    A link reads its own states and, beside them, those of the row's other unit: no pass over rows is needed.
    """

    @jit
    def multiply(
        low, high, unit_start, parent, precision, unit_link, link_start, link_state, link_weight, other_start,
        other_state, other_weight, link_tau, x, out,
    ):  # fmt: skip
        for s in range(unit_start[low], unit_start[high]):
            for c in range(width):
                out[s, c] = 0
        for s in range(unit_start[low], unit_start[high]):
            q, a = precision[s], parent[s]
            if a < 0:
                for c in range(width):
                    out[s, c] += q * x[s, c]
            else:
                for c in range(width):
                    step = q * (x[s, c] - x[a, c])
                    out[s, c] += step
                    out[a, c] -= step
        total = np.empty(width, x.dtype)
        for link in range(unit_link[low], unit_link[high]):
            total[:] = 0
            for e in range(link_start[link], link_start[link + 1]):
                for c in range(width):
                    total[c] += link_weight[e] * x[link_state[e], c]
            for e in range(other_start[link], other_start[link + 1]):
                for c in range(width):
                    total[c] += other_weight[e] * x[other_state[e], c]
            for e in range(link_start[link], link_start[link + 1]):
                factor = link_weight[e] * link_tau[link]
                for c in range(width):
                    out[link_state[e], c] += factor * total[c]

    return multiply


WIDTHS = (1, 4, 16)
SOLVE = {width: solver(width) for width in WIDTHS}
MULTIPLY = {width: multiplier(width) for width in WIDTHS}


@jit
def row_sums(low, high, row_start, column, weight, x, out):
    """The rows' weighted sums of states, for the columns of x."""
    for r in range(low, high):
        for c in range(x.shape[1]):
            out[r, c] = 0.0
        for e in range(row_start[r], row_start[r + 1]):
            for c in range(x.shape[1]):
                out[r, c] += weight[e] * x[column[e], c]


@jit
def gather(low, high, unit_start, unit_link, link_start, link_state, link_weight, link_row, values, out):
    """Every state's weighted sums of its rows' values, for the columns of them."""
    for s in range(unit_start[low], unit_start[high]):
        for c in range(values.shape[1]):
            out[s, c] = 0
    for link in range(unit_link[low], unit_link[high]):
        r = link_row[link]
        for e in range(link_start[link], link_start[link + 1]):
            for c in range(values.shape[1]):
                out[link_state[e], c] += link_weight[e] * values[r, c]


@jit
def exchange(low, high, row_link, tau, v, p, out):
    """Each row's messages to its units: p = 1 / (1/tau + the other unit's cavity variance)."""
    for r in range(low, high):
        a, b = row_link[r, 0], row_link[r, 1]
        va = v[a] / (1 - p[a] * v[a]) if a >= 0 else 0.0
        vb = v[b] / (1 - p[b] * v[b]) if b >= 0 else 0.0
        if a >= 0:
            out[a] = tau[r] / (1 + tau[r] * vb)
        if b >= 0:
            out[b] = tau[r] / (1 + tau[r] * va)


@jit
def row_variances(low, high, row_link, tau, v, p, reach, covariance, out):
    """Variance of every row's linear predictor.

    Given the shared effects it is 1 / (1/V + tau), V the sum of the units' cavity variances; what the shared effects
    add is exact: reach' covariance reach, with `reach` = their values less what the states take up of them.
    """
    for r in range(low, high):
        cavity = 0.0
        for side in range(row_link.shape[1]):
            link = row_link[r, side]
            if link >= 0:
                cavity += v[link] / (1 - p[link] * v[link])
        variance = cavity / (1 + tau[r] * cavity)
        for i in range(reach.shape[1]):
            inner = 0.0
            for j in range(reach.shape[1]):
                inner += covariance[i, j] * reach[r, j]
            variance += reach[r, i] * inner
        out[r] = variance


@jit
def row_determinants(low, high, row_link, tau, v, p):
    """What the rows add to the units' log determinants in Bethe's approximation of log|H|; exact without loops."""
    total = 0.0
    for r in range(low, high):
        cavity, parts = 0.0, 1.0
        for side in range(row_link.shape[1]):
            link = row_link[r, side]
            if link >= 0:
                one = v[link] / (1 - p[link] * v[link])
                cavity += one
                parts *= 1 + p[link] * one
        total += np.log((1 + tau[r] * cavity) / parts)
    return total


@jit
def site_terms(low, high, mean, variance, tau, nu):
    """Sum over rows of what the sites add to the evidence beside log Z."""
    total = 0.0
    for r in range(low, high):
        cavity = 1 / (1 / variance[r] - tau[r])
        centre = cavity * (mean[r] / variance[r] - nu[r])
        one = 1 + tau[r] * cavity
        total += np.log(one) + (centre * centre * tau[r] - 2 * centre * nu[r] - nu[r] * nu[r] * cavity) / one
    return 0.5 * total


@jit
def step_moments(low, high, unit_start, parent, precision, scale, first, start, inverse, mean, lift, covariance, out):
    """Adds to each scale the sum over its steps d of E[d^2] / prior variance - 1: the gradient in its log."""
    count = lift.shape[1]
    for s in range(unit_start[low], unit_start[high]):
        a = parent[s]
        step, variance = mean[s], inverse[start[s + 1] - 1]
        if a >= 0:
            step -= mean[a]
            variance += inverse[start[a + 1] - 1] - 2 * inverse[start[s] + a - first[s]]
        for i in range(count):
            for j in range(count):
                left = lift[s, i] - (lift[a, i] if a >= 0 else 0.0)
                right = lift[s, j] - (lift[a, j] if a >= 0 else 0.0)
                variance += left * covariance[i, j] * right
        out[scale[s]] += (step * step + variance) * precision[s] - 1
