"""Compiled steps of conjugate gradients on the global system, each one pass over the units, in single precision.

A pass does all that it can with what it reads: three passes are one iteration. Rows link the nodes of two units, so a
product with A'TA is sums over each node's links of weight times the other node's value. Of many columns, inner loops
run over columns whose number is not known when they are compiled: only then are they compiled to vector code.
"""

# ruff: noqa: ANN001, ANN201, ANN202 -- compiled: numba infers the types from the arrays

import numpy as np

from modeling.engines.chain.kernels import jit

TOGETHER = 16  # most columns at once: a cache line of each row


@jit
def couple(
    low, high, unit_start, unit_node, node_start, node_state, node_weight, node_link, slot, row_factor, tau, shared,
    diagonal, weight, border,
):  # fmt: skip
    """Each link's weight, tau times both its factors; each node's sum of tau times its own factor squared; and the
    border A'TF, F the shared effects' values."""
    for s in range(unit_start[low], unit_start[high]):
        border[s] = 0
    along = np.empty(shared.shape[1])
    for node in range(unit_node[low], unit_node[high]):
        total = 0.0
        along[:] = 0
        for link in range(node_link[node], node_link[node + 1]):
            row, own = slot[link] >> 1, row_factor[slot[link]]
            part = tau[row] * own
            total += part * own
            weight[link] = part * row_factor[slot[link] ^ 1]
            for k in range(shared.shape[1]):
                along[k] += part * shared[row, k]
        diagonal[node] = total
        for e in range(node_start[node], node_start[node + 1]):
            for k in range(shared.shape[1]):
                border[node_state[e], k] += node_weight[e] * along[k]


def advancer(is_one):
    """z += basis coef; direction = z + beta direction, and its nodes' values; `peak` takes the largest |z| in units."""

    @jit
    def advance(
        low, high, unit_start, unit_node, node_start, node_state, node_weight, basis, coef, z, beta, scale, own,
        direction, v, peak,
    ):  # fmt: skip
        width = 1 if is_one else z.shape[1]
        value = np.empty(width, np.float32)
        for s in range(unit_start[low], unit_start[high]):
            for c in range(width):
                value[c] = z[s, c]
            for k in range(coef.shape[0]):
                for c in range(width):
                    value[c] += basis[s, k] * coef[k, c]
            for c in range(width):
                direction[s, c] = value[c] + beta[c] * direction[s, c]
            for c in range(width):
                size = abs(value[c]) * scale[s] * own[c]
                peak[c] = size if size > peak[c] else peak[c]
        for node in range(unit_node[low], unit_node[high]):
            for c in range(width):
                v[node, c] = 0
            for e in range(node_start[node], node_start[node + 1]):
                for c in range(width):
                    v[node, c] += node_weight[e] * direction[node_state[e], c]

    return advance


def multiplier(is_one):
    """out = (Q + A'TA) x + border b, given the nodes' values v of x; `sums` takes x'out and below it border'x."""

    @jit
    def multiply(
        low, high, unit_start, parent, precision, unit_node, node_start, node_state, node_weight, node_link, diagonal,
        weight, other, border, b, x, v, out, sums,
    ):  # fmt: skip
        width = 1 if is_one else x.shape[1]
        for s in range(unit_start[low], unit_start[high]):
            for c in range(width):
                out[s, c] = 0
            for k in range(b.shape[0]):
                for c in range(width):
                    out[s, c] += border[s, k] * b[k, c]
                    sums[k + 1, c] += border[s, k] * x[s, c]
        for s in range(unit_start[low], unit_start[high]):
            q, a = precision[s], parent[s]
            if a < 0:
                for c in range(width):
                    out[s, c] += q * x[s, c]
            else:
                for c in range(width):
                    out[s, c] += q * (x[s, c] - x[a, c])
                for c in range(width):
                    out[a, c] -= q * (x[s, c] - x[a, c])
        total = np.empty(width, np.float32)
        for node in range(unit_node[low], unit_node[high]):
            for c in range(width):
                total[c] = diagonal[node] * v[node, c]
            for link in range(node_link[node], node_link[node + 1]):
                factor, there = weight[link], other[link]
                for c in range(width):
                    total[c] += factor * v[there, c]
            for e in range(node_start[node], node_start[node + 1]):
                for c in range(width):
                    out[node_state[e], c] += node_weight[e] * total[c]
        for s in range(unit_start[low], unit_start[high]):
            for c in range(width):
                sums[0, c] += x[s, c] * out[s, c]

    return multiply


def relaxer(is_one):
    """y += alpha direction, residual -= alpha product, z = every unit solved alone; residual'z and basis'residual."""

    @jit
    def relax(
        low, high, unit_start, first, start, env, basis, alpha, direction, product, y, residual, z, sums,
    ):  # fmt: skip
        width = 1 if is_one else z.shape[1]
        for s in range(unit_start[low], unit_start[high]):
            for c in range(width):
                y[s, c] += alpha[c] * direction[s, c]
            for c in range(width):
                residual[s, c] -= alpha[c] * product[s, c]
                z[s, c] = residual[s, c]
            for k in range(basis.shape[1]):
                for c in range(width):
                    sums[k + 1, c] += basis[s, k] * residual[s, c]
        for i in range(unit_start[low], unit_start[high]):
            for j in range(first[i], i):
                factor = env[start[i] + j - first[i]]
                for c in range(width):
                    z[i, c] -= factor * z[j, c]
            inverse = env[start[i + 1] - 1]
            for c in range(width):
                z[i, c] *= inverse
            for c in range(width):
                sums[0, c] += z[i, c] * z[i, c]
        for i in range(unit_start[high] - 1, unit_start[low] - 1, -1):
            inverse = env[start[i + 1] - 1]
            for c in range(width):
                z[i, c] *= inverse
            for j in range(first[i], i):
                factor = env[start[i] + j - first[i]]
                for c in range(width):
                    z[j, c] -= factor * z[i, c]

    return relax


ADVANCE, MULTIPLY, RELAX = ([make(False), make(True)] for make in (advancer, multiplier, relaxer))
