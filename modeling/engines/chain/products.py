"""Compiled steps of conjugate gradients on the global system, each one pass over the units, in single precision.

A pass does all that it can with what it reads: three passes are one iteration. Rows link the nodes of two units, so a
product with A'TA is sums over each node's links of weight times the other node's value. Of many columns, inner loops
run over columns whose number is not known when they are compiled: only then are they compiled to vector code.
"""

# ruff: noqa: ANN001, ANN201, ANN202 -- compiled: numba infers the types from the arrays

import numpy as np

from modeling.engines.chain.kernels import jit

TOGETHER = 32  # most columns at once: two cache lines of each row


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


@jit
def weigh(low, high, root, shared, rows, out):
    """Multiplies each row of `rows` by its `root` in place; adds shared'rows to `out`."""
    for r in range(low, high):
        for c in range(rows.shape[1]):
            rows[r, c] *= root[r]
        for k in range(shared.shape[1]):
            for c in range(rows.shape[1]):
                out[k, c] += shared[r, k] * rows[r, c]


@jit
def _put(eras, values, count, knot, rise, value):
    """Adds `value` times a state's two hats to a list of eras; returns its new length."""
    for k in range(2):
        at = 0
        while at < count and eras[at] != knot + k:
            at += 1
        if at == count:
            eras[at], values[at], count = knot + k, 0.0, count + 1
        values[at] += (rise if k else 1 - rise) * value
    return count


@jit
def _square(eras, values, count, weight, out):
    """Adds weight times the list's outer product."""
    for i in range(count):
        if values[i] != 0:
            for j in range(count):
                out[eras[i], eras[j]] += weight * values[i] * values[j]


@jit
def era_steps(low, high, unit_start, parent, kept, precision, knot, rise, basis_product, out, across):
    """Adds the hats' products with Q to `out`, and with columns to `across`."""
    eras, values = np.empty(4, np.int64), np.empty(4)
    for s in range(unit_start[low], unit_start[high]):
        a, count = parent[s], 0
        if knot[s] >= 0:
            count = _put(eras, values, count, knot[s], rise[s], 1.0)
            for k in range(across.shape[1]):
                across[knot[s], k] += (1 - rise[s]) * basis_product[s, k]
                across[knot[s] + 1, k] += rise[s] * basis_product[s, k]
        if a >= 0 and knot[a] >= 0:
            count = _put(eras, values, count, knot[a], rise[a], -kept[s])
        _square(eras, values, count, precision[s], out)


@jit
def era_rows(low, high, row_node, row_factor, node_start, node_state, node_weight, tau, knot, rise, most, out):
    """Adds the hats' products with A'TA, `most` the most entries of a row; rows within one era have none."""
    eras, values = np.empty(2 * most, np.int64), np.empty(2 * most)
    for r in range(low, high):
        count = 0
        for side in range(2):
            node = row_node[r, side]
            if row_factor[r, side] != 0:
                for e in range(node_start[node], node_start[node + 1]):
                    s = node_state[e]
                    if knot[s] >= 0:
                        value = row_factor[r, side] * node_weight[e]
                        count = _put(eras, values, count, knot[s], rise[s], value)
        _square(eras, values, count, tau[r], out)


def advancer(is_one):
    """z += basis coef; direction = z + beta direction, and its nodes' values; `peak` takes the largest |z| in units."""

    @jit
    def advance(
        low, high, unit_start, unit_node, node_start, node_state, node_weight, basis, knot, rise, coef, z, beta, scale,
        own, direction, v, peak,
    ):  # fmt: skip
        width, shared = 1 if is_one else z.shape[1], basis.shape[1]
        value = np.empty(width, np.float32)
        for s in range(unit_start[low], unit_start[high]):
            for c in range(width):
                value[c] = z[s, c]
            for k in range(shared):
                for c in range(width):
                    value[c] += basis[s, k] * coef[k, c]
            if knot[s] >= 0:
                up, k = rise[s], shared + knot[s]
                for c in range(width):
                    value[c] += coef[k, c] + up * (coef[k + 1, c] - coef[k, c])
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
    """out = (Q + A'TA) x + border b, given the nodes' values v of x; `sums` takes x'out and below it border'x.

    `kept` may be empty where no walk forgets: that is a tenth faster."""

    @jit
    def multiply(
        low, high, unit_start, parent, kept, precision, unit_node, node_start, node_state, node_weight, node_link,
        diagonal, weight, other, border, b, x, v, out, sums,
    ):  # fmt: skip
        width, forgets = 1 if is_one else x.shape[1], kept.size > 0
        for s in range(unit_start[low], unit_start[high]):
            for c in range(width):
                out[s, c] = 0
            for k in range(b.shape[0]):
                for c in range(width):
                    out[s, c] += border[s, k] * b[k, c]
                    sums[k + 1, c] += border[s, k] * x[s, c]
        for s in range(unit_start[low], unit_start[high]):
            q, a, share = precision[s], parent[s], kept[s] if forgets else np.float32(1)
            if a < 0:
                for c in range(width):
                    out[s, c] += q * x[s, c]
            else:
                for c in range(width):
                    out[s, c] += q * (x[s, c] - share * x[a, c])
                for c in range(width):
                    out[a, c] -= share * q * (x[s, c] - share * x[a, c])
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
        low, high, unit_start, first, start, env, basis, knot, rise, alpha, direction, product, y, residual, z, sums,
    ):  # fmt: skip
        width, shared = 1 if is_one else z.shape[1], basis.shape[1]
        for s in range(unit_start[low], unit_start[high]):
            for c in range(width):
                y[s, c] += alpha[c] * direction[s, c]
            for c in range(width):
                residual[s, c] -= alpha[c] * product[s, c]
                z[s, c] = residual[s, c]
            for k in range(shared):
                for c in range(width):
                    sums[k + 1, c] += basis[s, k] * residual[s, c]
            if knot[s] >= 0:
                up, k = rise[s], shared + 1 + knot[s]
                for c in range(width):
                    sums[k, c] += (1 - up) * residual[s, c]
                    sums[k + 1, c] += up * residual[s, c]
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


ADVANCE = [advancer(False), advancer(True)]
MULTIPLY = [multiplier(False), multiplier(True)]
RELAX = [relaxer(False), relaxer(True)]
