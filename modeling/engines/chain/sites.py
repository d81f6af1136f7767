"""Each row's likelihood as a Gaussian site on its linear predictor: moments of the tilted distribution, compiled.

Expectation propagation, Minka (2001). The tilted distribution is likelihood times cavity; its moments come from
Gauss-Hermite nodes placed by the belief N(m, v) itself, where likelihood over site is nearly constant: with w_i the
weights, Z = sum w_i t(x_i) / site(x_i). Probit rows are done in closed form, Normal rows are their own site.
"""

# ruff: noqa: ANN001, ANN201 -- compiled: numba infers the types from the arrays

import math

import numpy as np

from modeling.design import Design
from modeling.engines.chain.kernels import jit
from modeling.outcomes.outcome import Array

WIN_LOGIT, WIN_PROBIT, RESULT_LOGIT, RESULT_PROBIT, POISSON, NEGATIVE_BINOMIAL, NORMAL = range(7)
CODES = {
    ("win", "logit"): WIN_LOGIT,
    ("win", "probit"): WIN_PROBIT,
    ("result", "logit"): RESULT_LOGIT,
    ("result", "probit"): RESULT_PROBIT,
    ("score", "poisson"): POISSON,
    ("score", "negative_binomial"): NEGATIVE_BINOMIAL,
    ("score", "normal"): NORMAL,
    ("margin", "normal"): NORMAL,
}
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(11)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
BLOCK = 256
LEAST = 1e-10  # smallest precision of a site: log-concave rows have positive ones, rounding may not
ROOT_2 = math.sqrt(2)
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
FAR = -6.0  # below it the normal's tail by its continued fraction


@jit
def log_ndtr(x):
    """log Phi(x), with full relative accuracy in the lower tail."""
    if x > FAR:
        return math.log(0.5 * math.erfc(-x / ROOT_2))
    fraction = -x
    for k in range(24, 0, -1):
        fraction = -x + k / fraction
    return -0.5 * x * x - HALF_LOG_2PI - math.log(fraction)


@jit
def log_expit(x):
    """log of the logistic function."""
    return -math.log1p(math.exp(-x)) if x > -30 else x


@jit
def log_cdf(is_probit, x):
    """Log of the link's distribution function."""
    return log_ndtr(x) if is_probit else log_expit(x)


@jit
def log_density(code, y, exposure, eta, noise, aux):
    """Log likelihood of a row, with every constant: as the outcomes state it."""
    if code in (WIN_LOGIT, WIN_PROBIT):
        return log_cdf(code == WIN_PROBIT, (2 * y - 1) * eta / noise)
    if code in (RESULT_LOGIT, RESULT_PROBIT):
        is_probit, x = code == RESULT_PROBIT, eta / noise
        if y != 1:
            return log_cdf(is_probit, (1 - y) * x - aux)
        high, low = log_cdf(is_probit, aux - abs(x)), log_cdf(is_probit, -aux - abs(x))
        return high + math.log1p(-math.exp(low - high))
    if code == POISSON:
        rate = eta + math.log(exposure)
        return y * rate - math.exp(rate) - math.lgamma(y + 1)
    if code == NEGATIVE_BINOMIAL:
        r, rate = 1 / aux, exposure * math.exp(eta)
        mass = math.lgamma(y + r) - math.lgamma(r) - math.lgamma(y + 1)
        return mass - r * math.log1p(rate / r) - y * math.log1p(r / rate)
    variance = exposure * (aux * noise) ** 2
    return -0.5 * (y - exposure * eta) ** 2 / variance - 0.5 * math.log(variance) - HALF_LOG_2PI


@jit
def tilted_probit(y, noise, centre, variance):
    """(log Z, mean, variance) of Phi(+-eta / noise) N(centre, variance): Rasmussen and Williams (2006), eq. 3.58."""
    sign = 2 * y - 1
    spread = math.sqrt(noise * noise + variance)
    z = sign * centre / spread
    log_z = log_ndtr(z)
    ratio = math.exp(-0.5 * z * z - HALF_LOG_2PI - log_z)
    mean = centre + sign * variance * ratio / spread
    return log_z, mean, variance - variance * variance * ratio * (z + ratio) / (spread * spread)


@jit
def tilted(code, y, exposure, noise, aux, mean, variance, tau, nu):
    """(log Z, mean, variance) of the tilted distribution of a row whose belief is N(mean, variance), site (tau, nu)."""
    cavity = 1 / (1 / variance - tau)
    centre = cavity * (mean / variance - nu)
    if code == WIN_PROBIT:
        return tilted_probit(y, noise, centre, cavity)
    if code == NORMAL:
        spread = exposure * (aux * noise) ** 2
        total = 1 / (1 / cavity + exposure * exposure / spread)
        found = total * (centre / cavity + y * exposure / spread)
        seen = exposure * exposure * cavity + spread
        return -0.5 * (y - exposure * centre) ** 2 / seen - 0.5 * math.log(seen) - HALF_LOG_2PI, found, total
    root = math.sqrt(variance)
    zero, one, two = 0.0, 0.0, 0.0
    base = log_density(code, y, exposure, mean, noise, aux)
    slope, bend = nu - tau * mean, 0.5 * tau
    for i in range(NODES.size):
        step = root * NODES[i]
        ratio = log_density(code, y, exposure, mean + step, noise, aux) - base - slope * step + bend * step * step
        part = WEIGHTS[i] * math.exp(min(ratio, 300.0))
        zero += part
        one += part * step
        two += part * step * step
    one /= zero
    # what N(m, v) / site / N(m_c, v_c) is at every point, at the point m
    constant = -0.5 * math.log(cavity / variance) - 0.5 * (mean - centre) ** 2 / cavity
    return math.log(zero) + base + constant, mean + one, two / zero - one * one


@jit
def update(low, high, code, y, exposure, noise, aux, mean, variance, damping, tau, nu, log_z):
    """New sites and log Z of rows; returns how many were held at the least precision."""
    held = 0
    for r in range(low, high):
        log_z[r], m, v = tilted(code, y[r], exposure[r], noise[r], aux, mean[r], variance[r], tau[r], nu[r])
        precision = 1 / v - (1 / variance[r] - tau[r])
        shift = m / v - (mean[r] / variance[r] - nu[r])
        if not precision > LEAST:
            held += 1
            precision, shift = LEAST, shift
        tau[r] += damping * (precision - tau[r])
        nu[r] += damping * (shift - nu[r])
    return held


@jit
def exponential(x):
    """exp(x) between -60 and 60 to 1e-10, without branches so that loops over it become vector code."""
    y = min(max(x, -60.0), 60.0) * (1 / 256)
    z = 1 + y * (1 + y / 2 * (1 + y / 3 * (1 + y / 4 * (1 + y / 5 * (1 + y / 6 * (1 + y / 7))))))
    z *= z
    z *= z
    z *= z
    z *= z
    z *= z
    z *= z
    z *= z
    return z * z


@jit
def update_logit(low, high, y, noise, mean, variance, damping, tau, nu, log_z):
    """`update` for wins with the logit link, the bulk of the largest leagues: blocks of rows, node by node."""
    held = 0
    zero, one, two = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    root, rate = np.empty(BLOCK), np.empty(BLOCK)
    for begin in range(low, high, BLOCK):
        count = min(BLOCK, high - begin)
        for k in range(count):
            r = begin + k
            zero[k], one[k], two[k] = 0.0, 0.0, 0.0
            root[k], rate[k] = math.sqrt(variance[r]), (1 - 2 * y[r]) / noise[r]
        for i in range(NODES.size):
            node, weight = NODES[i], WEIGHTS[i]
            for k in range(count):
                r = begin + k
                step = root[k] * node
                odds = exponential(rate[k] * (mean[r] + step))
                part = weight * exponential((0.5 * tau[r] * (step + 2 * mean[r]) - nu[r]) * step) / (1 + odds)
                zero[k] += part
                one[k] += part * step
                two[k] += part * step * step
        for k in range(count):
            r = begin + k
            old = 1 / variance[r] - tau[r]
            pull = mean[r] / variance[r] - nu[r]
            shift = one[k] / zero[k]
            inverse = 1 / (two[k] / zero[k] - shift * shift)
            apart = mean[r] - pull / old
            log_z[r] = math.log(zero[k] * math.sqrt(old * variance[r])) - 0.5 * apart * apart * old
            precision = inverse - old
            if not precision > LEAST:
                held += 1
                precision = LEAST
            tau[r] += damping * (precision - tau[r])
            nu[r] += damping * ((mean[r] + shift) * inverse - pull - nu[r])
    return held


@jit
def log_evidences(low, high, code, y, exposure, noise, aux, mean, variance, tau, nu, counts):
    """Sum of log Z of the rows that count at given beliefs and sites: what auxiliaries are differentiated by."""
    total = 0.0
    for r in range(low, high):
        if counts[r]:
            total += tilted(code, y[r], exposure[r], noise[r], aux, mean[r], variance[r], tau[r], nu[r])[0]
    return total


@jit
def laplace(low, high, code, y, exposure, noise, aux, mean, tau, nu):
    """Laplace's sites of rows around given linear predictors, by differences of the log density."""
    for r in range(low, high):
        h = 1e-3
        at = log_density(code, y[r], exposure[r], mean[r], noise[r], aux)
        up = log_density(code, y[r], exposure[r], mean[r] + h, noise[r], aux)
        down = log_density(code, y[r], exposure[r], mean[r] - h, noise[r], aux)
        tau[r] = max((2 * at - up - down) / (h * h), 1e-4)
        nu[r] = (up - down) / (2 * h) + tau[r] * mean[r]


def code_of(design: Design) -> int | None:
    """The number of the Design's likelihood, or None where there is none for it here."""
    return CODES.get((design.outcome.name, design.outcome.likelihood))


def noise_of(design: Design, values: dict[str, float]) -> Array:
    """Each row's factor of the noise."""
    arguments = design.likelihood_arguments(values) if design.noise else {"noise": 1.0}
    return np.ascontiguousarray(np.broadcast_to(arguments["noise"], design.y.shape), dtype=float)


def auxiliary_of(design: Design, values: dict[str, float]) -> float:
    """The likelihood's own parameter: draw width, overdispersion or sigma; 1 where it has none."""
    names = [one.name for one in design.outcome.auxiliaries(design.unit_sd)]
    return values[names[0]] if names else 1.0
