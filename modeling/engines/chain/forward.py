"""The forward filter's compiled pass over days: every row's forecast first, then every row's update."""

# ruff: noqa: ANN001, ANN201, ANN202 -- compiled: numba infers the types from the arrays

import math

import numpy as np

from modeling.engines.chain import sites
from modeling.engines.chain.kernels import jit


@jit
def _forget(i, first, width, at, rate, years, mean, cov):
    """Fades state i of a unit's mean and covariance; returns what the years count as for its drift."""
    left = math.exp(-rate * years)
    mean[first + i] *= left
    for j in range(width):
        cov[at + i * width + j] *= left
        cov[at + j * width + i] *= left
    return -math.expm1(-2 * rate * years) / (2 * rate)


@jit
def _ahead(unit, year, start, at, drift, rate, last, mean, cov):
    """Moves a unit's states on to a year: what is forgotten goes, what drifts is added."""
    years = year - last[unit]
    if years == 0:
        return
    first, width = start[unit], start[unit + 1] - start[unit]
    for i in range(width):
        added = years
        if rate[first + i] > 0:
            added = _forget(i, first, width, at[unit], rate[first + i], years, mean, cov)
        cov[at[unit] + i * width + i] += drift[first + i] ** 2 * added
    last[unit] = year


@jit
def _read(row, row_node, row_factor, node_start, node_state, node_weight, node_unit, slot, start, at, mean, cov, gain):
    """(mean, variance) of a row's units' part; the covariances with each slot go to `gain`."""
    centre, variance = 0.0, 0.0
    for side in range(2):
        node, factor = row_node[row, side], row_factor[row, side]
        if factor == 0:
            continue
        unit = node_unit[node]
        first, width = start[unit], start[unit + 1] - start[unit]
        for i in range(width):
            total = 0.0
            for e in range(node_start[node], node_start[node + 1]):
                total += cov[at[unit] + i * width + slot[node_state[e]]] * node_weight[e]
            gain[side, i] = total * factor
        for e in range(node_start[node], node_start[node + 1]):
            j = slot[node_state[e]]
            centre += factor * node_weight[e] * mean[first + j]
            variance += factor * node_weight[e] * gain[side, j]
    return centre, variance


@jit
def _write(row, shift, shrink, row_node, row_factor, node_unit, start, at, mean, cov, gain):
    """Moves the row's units: mean += gain shift, covariance -= gain gain' shrink."""
    for side in range(2):
        if row_factor[row, side] == 0:
            continue
        unit = node_unit[row_node[row, side]]
        first, width = start[unit], start[unit + 1] - start[unit]
        for i in range(width):
            mean[first + i] += gain[side, i] * shift
            for j in range(width):
                cov[at[unit] + i * width + j] -= gain[side, i] * gain[side, j] * shrink


@jit
def forward(
    ends, year, row_node, row_factor, node_start, node_state, node_weight, node_unit, slot, start, at, entry, drift,
    rate, code, y, exposure, noise, aux, offset, counts, out,
):  # fmt: skip
    """Day by day: first every row's forecast, then the update of every row that counts."""
    units = start.size - 1
    mean, cov = np.zeros(start[-1]), np.zeros(at[-1])
    last = np.full(units, year[0])
    gain = np.zeros((2, max(1, np.max(start[1:] - start[:-1]))))
    for unit in range(units):
        width = start[unit + 1] - start[unit]
        for i in range(width):
            cov[at[unit] + i * width + i] = entry[start[unit] + i] ** 2
    seen = np.zeros(units, np.bool_)
    begin = 0
    for end in ends:
        for row in range(begin, end):
            for side in range(2):
                unit = node_unit[row_node[row, side]]
                if row_factor[row, side] != 0:
                    if not seen[unit]:
                        seen[unit], last[unit] = True, year[row]
                    _ahead(unit, year[row], start, at, drift, rate, last, mean, cov)
            m, v = _read(
                row, row_node, row_factor, node_start, node_state, node_weight, node_unit, slot, start, at, mean, cov,
                gain,
            )  # fmt: skip
            out[0, row], out[1, row] = m + offset[row], v
            out[2, row] = sites.tilted(code, y[row], exposure[row], noise[row], aux, m + offset[row], v, 0.0, 0.0)[0]
        for row in range(begin, end):
            if not counts[row]:
                continue
            m, v = _read(
                row, row_node, row_factor, node_start, node_state, node_weight, node_unit, slot, start, at, mean, cov,
                gain,
            )  # fmt: skip
            m += offset[row]
            _, after, left = sites.tilted(code, y[row], exposure[row], noise[row], aux, m, v, 0.0, 0.0)
            _write(
                row, (after - m) / v, (1 - left / v) / v, row_node, row_factor, node_unit, start, at, mean, cov, gain
            )
        begin = end
