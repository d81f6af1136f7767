"""Expectation propagation over a whole league at given scales: units factorised, means and shared effects global.

Given sites (tau, nu) on the rows' linear predictors, means solve the exact global system; variances are those of
messages between units, p = 1 / (1/tau + the other unit's cavity variance), each unit's inverse exact. Shared effects b
are never factorised: with H the states' precision, F their values and G = H^-1 A'TF, their precision is exactly
P + F'TF - (A'TF)'G, and they add (F - A G) cov(b) (F - A G)' to every row's variance.
The evidence is that of expectation propagation with log|H| as the messages have it (Bethe's), so that at the fixed
point its derivative in a scale has no implicit term. Minka (2001); Cunningham, Hennig and Lacoste-Julien (2011).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from modeling.design import Design
from modeling.engines.chain import kernels, sites
from modeling.engines.chain.linear import Factored, conjugate_gradients, row_values, spread, state_sums
from modeling.engines.chain.structure import Structure
from modeling.outcomes.outcome import Array
from store.errors import FitError

TOLERANCE = 1e-3  # of the largest change of a mean, and of a variance, in sds
MOST_SWEEPS = 60
EXCHANGES = 2  # of messages' precisions a sweep
RELUCTANT = 0.5  # share of an update taken where the last one led away


@dataclass
class Sites:
    """Where a smoothing stands, and what the next one starts from."""

    tau: Array
    nu: Array
    p: Array
    """Precision of the message of each link."""
    x: Array
    """Means of the states at shared effects of zero, and what a unit of each shared effect takes from them (G)."""


@dataclass
class Smoothed:
    """The posterior at given scales and auxiliaries."""

    structure: Structure
    values: dict[str, float]
    sites: Sites
    factored: Factored
    mean: Array
    """Of the states."""
    variance: Array
    shared: Array
    """Means of the shared effects."""
    covariance: Array
    """Of the shared effects."""
    eta: Array
    """Mean of each row's linear predictor."""
    eta_variance: Array
    log_z: Array
    """Log predictive density of each row given all others."""
    evidence: float
    residual: float
    """Largest change of a global mean in the last sweep, in sds."""
    sweeps: int
    iterations: int
    """Iterations of conjugate gradients, all sweeps together."""
    damped: int
    held: list[int] = field(default_factory=list)
    """Rows whose sites were held at the least precision, by sweep."""

    @property
    def lift(self) -> Array:
        """What a unit of each shared effect takes from the states, shape (states, shared)."""
        return self.sites.x[:, 1:]


@dataclass
class Rows:
    """What is observed of the rows that count; a row that is left out has no precision, and stays."""

    code: int
    y: Array
    exposure: Array
    noise: Array
    auxiliary: float
    design: Design


def rows_of(design: Design, values: dict[str, float]) -> Rows:
    """The rows' results with the likelihood's own parameters at given values."""
    code = sites.code_of(design)
    assert code is not None
    return Rows(code, design.y, design.exposure, sites.noise_of(design, values), sites.auxiliary_of(design, values), design)


def first_sites(structure: Structure, rows: Rows, eta: Array | None = None) -> Sites:
    """Laplace's sites around given linear predictors (default: zero, or the logs of the rates)."""
    tau, nu = np.empty(structure.rows), np.empty(structure.rows)
    at = np.zeros(structure.rows) if eta is None else eta
    if eta is None and rows.code in (sites.POISSON, sites.NEGATIVE_BINOMIAL):
        at = np.full(structure.rows, np.log((rows.y.sum() + 0.5) / rows.exposure.sum()))
    sites.start(0, structure.rows, rows.code, rows.y, rows.exposure, rows.noise, rows.auxiliary, at, tau, nu)
    x = np.zeros((structure.size, 1 + structure.shared.shape[1]))
    return Sites(tau, nu, tau[structure.link_row] / 2, x)


def smooth(
    structure: Structure,
    values: dict[str, float],
    begin: Sites | None = None,
    tolerance: float = TOLERANCE,
    factored: Factored | None = None,
    tell: Callable[[float], None] | None = None,
) -> Smoothed:
    """The posterior at `values` of scales (scale_<block>) and auxiliaries. Raises FitError where it does not settle."""
    rows = rows_of(structure.design, values)
    work = Factored.empty(structure) if factored is None else factored
    work.precision = prior_precision(structure, values)
    now = first_sites(structure, rows) if begin is None else begin
    last: Smoothed | None = None
    inner, damping, damped, iterations = 0.1, 1.0, 0, 0
    held: list[int] = []
    for sweep in range(1, MOST_SWEEPS + 1):
        found = _sweep(structure, rows, values, now, work, inner)
        iterations += found.iterations
        found.residual, widest = (np.inf, np.inf) if last is None else _change(last, found)
        tau, nu = now.tau.copy(), now.nu.copy()
        held.append(_update(structure, rows, found, tau, nu, damping))
        found.evidence = _evidence(structure, found)
        found.sweeps, found.iterations, found.damped, found.held = sweep, iterations, damped, held
        if max(found.residual, widest) <= tolerance:
            return found
        if last is not None and found.residual > 1.5 * last.residual and damping == 1.0:
            damping, damped = RELUCTANT, damped + 1
        elif damping < 1.0:
            damping = min(1.0, damping * 1.4)
        inner = float(np.clip(0.1 * found.residual, 0.2 * tolerance, 0.1))
        now = Sites(tau, nu, found.sites.p, found.sites.x)
        last = found
        if tell is not None:
            tell(found.residual)
    raise FitError(
        f"{structure.design.league}: the chain engine did not settle in {MOST_SWEEPS} sweeps.",
        "Fit it with: --engine nuts",
    )


def prior_precision(structure: Structure, values: dict[str, float]) -> Array:
    """Prior precision of each state given its parent."""
    scales = np.array([values[f"scale_{block.name}"] for block in structure.design.blocks])
    return 1 / (scales[structure.scale] ** 2 * structure.years)


def shared_precision(structure: Structure, values: dict[str, float]) -> Array:
    """Prior precision of the shared effects."""
    scales = np.array([*(values[f"scale_{block.name}"] for block in structure.design.blocks), 1.0])
    return 1 / (scales[structure.shared_scale] * structure.shared_sd) ** 2


def _sweep(s: Structure, rows: Rows, values: dict[str, float], now: Sites, work: Factored, inner: float) -> Smoothed:
    """Variances by messages, then means by the global system, at the sites as they are."""
    p, v = now.p.copy(), np.empty(len(now.p))
    work.refill(p)
    work.link_variances(v)
    for _ in range(EXCHANGES):
        sent = np.empty_like(p)
        spread(s.row_chunks, lambda _n, a, b: kernels.exchange(a, b, s.row_link, now.tau, v, p, sent))
        p = sent
        work.refill(p)
        work.link_variances(v)
    right = np.concatenate([now.nu[:, None], now.tau[:, None] * s.shared], axis=1)
    states = state_sums(s, right)
    sd = np.sqrt(work.variances)
    prior = shared_precision(s, values)
    weights = np.concatenate([[1.0], 1 / np.sqrt(prior + np.einsum("ij,ij->j", right[:, 1:], s.shared))])
    solved = conjugate_gradients(work, now.tau, states, now.x, sd[:, None] / weights, inner)
    x = solved.x
    precision = np.diag(prior) + s.shared.T @ right[:, 1:] - states[:, 1:].T @ x[:, 1:]
    covariance = cho_solve(cho_factor(precision), np.eye(len(prior))) if len(prior) else np.zeros((0, 0))
    shared = covariance @ (s.shared.T @ now.nu - states[:, 1:].T @ x[:, 0])
    fitted = row_values(s, x, np.ones(s.rows))
    reach = s.shared - fitted[:, 1:]
    eta = fitted[:, 0] + reach @ shared
    eta_variance = np.empty(s.rows)
    parts = spread(
        s.row_chunks,
        lambda _n, a, b: kernels.row_variances(a, b, s.row_link, now.tau, v, p, reach, covariance, eta_variance),
    )
    mean = x[:, 0] - x[:, 1:] @ shared
    variance = work.variances + np.einsum("ij,jk,ik->i", x[:, 1:], covariance, x[:, 1:])
    gaussian = 0.5 * (mean @ states[:, 0] + shared @ (s.shared.T @ now.nu))
    gaussian += 0.5 * (np.log(work.precision).sum() - work.log_determinant - sum(parts))
    gaussian += 0.5 * (np.log(prior).sum() + np.linalg.slogdet(covariance)[1])
    return Smoothed(
        s, values, Sites(now.tau, now.nu, p, x), work, mean, variance, shared, covariance, eta, eta_variance,
        np.empty(s.rows), float(gaussian), np.inf, 0, solved.iterations, 0,
    )  # fmt: skip


def _change(last: Smoothed, found: Smoothed) -> tuple[float, float]:
    """Largest change of a mean in sds, and of an sd in its own size."""
    sd = np.sqrt(found.variance)
    moved = np.abs(found.mean - last.mean) / sd
    widened = np.abs(found.variance / last.variance - 1) / 2
    beta = np.abs(found.shared - last.shared) / np.sqrt(np.diag(found.covariance))
    return float(max(moved.max(initial=0.0), beta.max(initial=0.0))), float(widened.max(initial=0.0))


def _update(s: Structure, rows: Rows, found: Smoothed, tau: Array, nu: Array, damping: float) -> int:
    counts = spread(
        s.row_chunks,
        lambda _n, a, b: sites.update(
            a, b, rows.code, rows.y, rows.exposure, rows.noise, rows.auxiliary, found.eta, found.eta_variance, damping,
            tau, nu, found.log_z,
        ),
    )  # fmt: skip
    return int(sum(counts))


def _evidence(s: Structure, found: Smoothed) -> float:
    now = found.sites
    terms = spread(
        s.row_chunks,
        lambda _n, a, b: kernels.site_terms(a, b, found.eta, found.eta_variance, now.tau, now.nu),
    )
    return found.evidence + sum(terms) + float(found.log_z.sum())


def scale_gradient(found: Smoothed) -> Array:
    """The evidence's gradient in the log of each block's scale."""
    s, work = found.structure, found.factored
    count = len(s.design.blocks)
    parts = np.zeros((len(s.chunks), count))
    spread(
        s.chunks,
        lambda n, a, b: kernels.step_moments(
            a, b, s.unit_start, s.parent, work.precision, s.scale, s.first, s.envelope_start, work.inverse, found.mean,
            np.ascontiguousarray(found.lift), found.covariance, parts[n],
        ),
    )  # fmt: skip
    gradient = parts.sum(axis=0)
    pooled = s.shared_scale >= 0
    second = (found.shared**2 + np.diag(found.covariance)) * shared_precision(s, found.values) - 1
    np.add.at(gradient, s.shared_scale[pooled], second[pooled])
    return gradient
