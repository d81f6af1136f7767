"""Expectation propagation over a whole league at given scales: units factorised, means and shared effects global.

Given sites (tau, nu) on the rows' linear predictors, means solve the exact global system. Variances are those of
messages between units, p = 1 / (1/tau + the other unit's cavity variance), each unit's inverse exact. Shared effects b
are never factorised: their covariance is that of the global system, and they add (F - A G) cov(b) (F - A G)' to the
variance of the rows, G what the states give way by.
The evidence is that of expectation propagation with log|H| as the messages have it (Bethe's), so that at the fixed
point its derivative in a scale has no implicit term. Minka (2001); Cunningham, Hennig and Lacoste-Julien (2011).
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from modeling.engines.chain import kernels, sites
from modeling.engines.chain.factored import Factored
from modeling.engines.chain.linear import (
    SMALLEST,
    System,
    conjugate_gradients,
    less_prior,
    row_values,
    state_sums,
)
from modeling.engines.chain.structure import Structure, cut
from modeling.engines.chain.threads import spread
from modeling.outcomes.outcome import Array
from store.errors import FitError

TOLERANCE = 1e-3  # of the largest change of a mean, and of a variance, in sds
MOST_SWEEPS = 60
REDUCTION = 0.1  # of the means' error by the global solve of one sweep; the sites move by as much anyway
LIFT_TOLERANCE = (
    20.0,
    1e-4,
    0.02,
)  # of the shared effects' lift, in sds: tolerances, at least (single precision), at most
CLOSE = 0.1  # of the tolerance: share of itself by which a message may move before its unit is factored again
STIFF, LOOSE = 0.05, 0.01  # of a site's precision, or of its row's own: what may move before the system is made again
NEAR, LIFTED = 100.0, 10.0  # tolerances: residual from which on the lift is worth being found again, and share of the
# sites' precisions that may have moved since it was
FAR = 1.0  # sds: as long as the means move by more, sites are Laplace's around them, which need no good belief
LONGEST = 2.5  # change of a row's linear predictor between Laplace's sites, in the outcome's unit_sd
RELUCTANT = 0.5  # share of an update taken where the last one led away


@dataclass
class Sites:
    """Where a smoothing stands, and what the next one starts from."""

    tau: Array
    nu: Array
    p: Array
    """Precisions of the messages of each row to its two units, shape (rows, 2)."""
    y: Array
    """Means of the states and, below them, of the shared effects."""
    lift: Array
    """What a unit of each shared effect takes from the states (G), shape (states, shared)."""
    smallest: float = SMALLEST
    """Smallest eigenvalue of the preconditioned global system."""
    variance: Array | None = None
    """Of the states, as the last sweep had it."""
    eta: Array | None = None
    """Means of the rows' linear predictors, where they are known, and their variances."""
    eta_variance: Array | None = None


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
    damped: int = 0
    held: list[int] = field(default_factory=list)
    """Rows whose sites were held at the least precision, by sweep."""


@dataclass
class Rows:
    """What is observed of the rows; one that does not count has no precision, and stays."""

    code: int
    y: Array
    exposure: Array
    noise: Array
    auxiliary: float
    counts: NDArray[np.bool_]


def rows_of(s: Structure, values: dict[str, float]) -> Rows:
    """The rows' results with the likelihood's own parameters at given values."""
    design = s.design
    code = sites.code_of(design)
    assert code is not None
    own = sites.noise_of(design, values), sites.auxiliary_of(design, values)
    return Rows(code, design.y, design.exposure, *own, s.counts)


def first_sites(structure: Structure, rows: Rows) -> Sites:
    """Laplace's sites around linear predictors of zero, or the log of the mean rate."""
    at = first_linear_predictor(rows)
    found, shared = newton(rows, np.full(structure.rows, at)), structure.shared.shape[1]
    y, lift = np.zeros(structure.size + shared), np.full((structure.size, shared), np.nan)
    return Sites(found["tau"], found["nu"], np.repeat(found["tau"][:, None] / 2, 2, axis=1), y, lift)


def first_linear_predictor(rows: Rows) -> float:
    """Where rows' first sites are: the log of the mean rate of counts, else 0."""
    if rows.code in (sites.POISSON, sites.NEGATIVE_BINOMIAL):
        return float(np.log((rows.y[rows.counts].sum() + 0.5) / rows.exposure[rows.counts].sum()))
    return 0.0


def newton(rows: Rows, eta: Array) -> dict[str, Array]:
    """Laplace's sites around given linear predictors."""
    tau, nu = np.empty_like(eta), np.empty_like(eta)
    own = rows.code, rows.y, rows.exposure, rows.noise, rows.auxiliary, eta, tau, nu
    spread(cut(np.arange(1, len(eta) + 1)), lambda _n, a, b: sites.laplace(a, b, *own))
    tau[~rows.counts] = nu[~rows.counts] = 0.0
    return {"tau": tau, "nu": nu}


def smooth(
    structure: Structure,
    values: dict[str, float],
    begin: Sites | None = None,
    tolerance: float = TOLERANCE,
    factored: Factored | None = None,
) -> Smoothed:
    """The posterior at `values` of scales (scale_<block>) and auxiliaries. Raises FitError where it does not settle.

    The residual that must fall below `tolerance` is the true one: the distance, in sds, of the means from the global
    solution for the sites that those means give.
    """
    rows = rows_of(structure, values)
    work = Factored.empty(structure) if factored is None else factored
    work.begin(prior_precision(structure, values))
    now = first_sites(structure, rows) if begin is None else _without(begin, rows.counts)
    if (eta := now.eta) is not None and (variance := now.eta_variance) is not None:
        now = replace(now, tau=now.tau.copy(), nu=now.nu.copy())
        _update(structure, rows, eta, variance, 1.0, now.tau, now.nu)
    if now.p is not work.p:
        work.fill(now.p.copy())
    damping, damped, iterations, before, is_near = 1.0, 0, 0, np.inf, begin is not None
    held: list[int] = []
    at, longest = np.full(structure.rows, first_linear_predictor(rows)), LONGEST * structure.design.unit_sd
    last, lifted, system = np.inf, now.tau, None
    for number in range(1, MOST_SWEEPS + 1):
        is_lifted = np.abs(now.tau - lifted).mean() <= LIFTED * tolerance * lifted.mean()
        afresh = number == 1 or (not is_lifted and last <= NEAR * tolerance)
        found, system = sweep(structure, values, now, work, tolerance, None if afresh else system)
        iterations += found.iterations
        last, lifted = max(found.residual, _widened(now, found)), now.tau if afresh else lifted
        settled = last <= tolerance and (afresh or bool(is_lifted))
        step = found.eta - at
        if not is_near and (found.residual > FAR or np.abs(step).max(initial=0.0) > longest):
            at = at + np.clip(step, -longest, longest)  # counts' rates overshoot from far below
            now = replace(found.sites, **newton(rows, at))
            continue
        tau, nu = now.tau.copy(), now.nu.copy()
        found.log_z, one = _update(structure, rows, found.eta, found.eta_variance, damping, tau, nu)
        held.append(one)
        if settled:
            found.evidence += _evidence(structure, found)
            found.sweeps, found.iterations, found.damped, found.held = number, iterations, damped, held
            return found
        if found.residual > before and damping == 1.0:
            damping, damped = RELUCTANT, damped + 1
        elif damping < 1.0:
            damping = min(1.0, damping * 1.4)
        before = found.residual if is_near else np.inf
        is_near = True
        now = replace(found.sites, tau=tau, nu=nu)
    raise FitError(
        f"{structure.design.league}: the chain engine did not settle in {MOST_SWEEPS} sweeps.",
        "Fit it with: --engine nuts",
    )


def _widened(now: Sites, found: Smoothed) -> float:
    """Largest relative change of a state's sd in the last sweep."""
    return np.inf if now.variance is None else float(np.abs(found.variance / now.variance - 1).max(initial=0.0)) / 2


def _without(now: Sites, counts: NDArray[np.bool_]) -> Sites:
    """The sites with none for rows that do not count."""
    if counts.all():
        return now
    tau, nu, p = (np.where(counts.reshape(-1, *[1] * (v.ndim - 1)), v, 0.0) for v in (now.tau, now.nu, now.p))
    return replace(now, tau=tau, nu=nu, p=p)


def scales_of(structure: Structure, values: dict[str, float]) -> Array:
    """The scale of each block: the one given, where it is not learned."""
    blocks = structure.design.blocks
    return np.array([values[f"scale_{b.name}"] if b.fixed_scale is None else b.fixed_scale for b in blocks])


def prior_precision(structure: Structure, values: dict[str, float]) -> Array:
    """Prior precision of each state given its parent."""
    scales = scales_of(structure, values)
    return 1 / (scales[structure.scale] ** 2 * structure.spread)


def shared_precision(structure: Structure, values: dict[str, float]) -> Array:
    """Prior precision of the shared effects."""
    scales = np.append(scales_of(structure, values), 1.0)
    return 1 / (scales[structure.shared_scale] * structure.shared_sd) ** 2


def sweep(
    s: Structure, values: dict[str, float], now: Sites, work: Factored, tolerance: float, system: System | None = None
) -> tuple[Smoothed, System]:
    """Variances by messages, then means by the global system, at the sites as they are; `work` is that of now.p.

    What hardly moves stays as it was: units whose messages do not, and the global system with what it is corrected on,
    the shared effects' lift, where the last sweep's is given. The residual is true all the same.
    """
    work.exchange(now.tau, CLOSE * min(tolerance, TOLERANCE))
    lifted, sd = 0, np.sqrt(work.variances)
    if system is None:
        lift = None if np.isnan(now.lift).any() else now.lift
        system = System(work, now.tau, shared_precision(s, values), lift)
        share, least, most = LIFT_TOLERANCE
        lifted = _lift(system, sd, float(np.clip(share * tolerance, least, most)))
    elif now.eta_variance is None or _has_moved(system.tau, now.tau, now.eta_variance):
        system.couple(work, now.tau)
    lift, covariance = system.lift, system.covariance
    unit = np.concatenate([sd, np.sqrt(np.diag(covariance))])
    left = residual(s, work.precision, system.prior, now)
    solved = conjugate_gradients(
        system, left[:, None], unit, 0.3 * min(tolerance, TOLERANCE), REDUCTION, smallest=now.smallest
    )
    y = now.y + solved.y[:, 0]
    moved = linear_predictors(s, solved.y[:, 0].astype(float))
    eta, eta_variance = moved + (linear_predictors(s, now.y) if now.eta is None else now.eta), np.empty(s.rows)

    def row_variances(_number: int, a: int, b: int) -> None:
        kernels.row_variances(
            a, b, s.row_node, s.row_factor, now.tau, work.nodes, work.p, system.reach, covariance, eta_variance
        )

    spread(s.row_chunks, row_variances)
    variance = work.variances + np.einsum("ij,ij->i", lift @ covariance, lift)
    reached = replace(
        now, p=work.p, y=y, lift=lift, smallest=solved.smallest, variance=variance, eta=eta, eta_variance=eta_variance
    )
    found = Smoothed(
        s, values, reached, work, y[: s.size], variance, y[s.size :], covariance, eta, eta_variance, np.empty(0),
        0.5 * float(now.nu @ eta + (system.prior * s.shared_mean) @ (y[s.size :] - s.shared_mean)),
        solved.error, 0, solved.iterations + lifted,
    )  # fmt: skip
    return found, system


def linear_predictors(s: Structure, y: Array) -> Array:
    """Those of the rows, of states and shared effects."""
    return row_values(s, y[: s.size, None])[:, 0] + s.shared @ y[s.size :]


def _has_moved(before: Array, tau: Array, variance: Array) -> bool:
    """Whether any site's precision has by more than a little of itself and of what is known of its row."""
    return bool((np.abs(tau - before) > STIFF * before + LOOSE / variance).any())


def residual(s: Structure, precision: Array, prior: Array, now: Sites) -> Array:
    """What is left of the global system's right-hand side, of states and shared effects: it vanishes at the means."""
    x, b = now.y[: s.size, None], now.y[s.size :]
    pull = now.nu - now.tau * (linear_predictors(s, now.y) if now.eta is None else now.eta)
    left = state_sums(s, pull[:, None])
    less_prior(s, precision, x, left)
    return np.concatenate([left[:, 0], s.shared.T @ pull - prior * (b - s.shared_mean)]).astype(float)


def _lift(system: System, sd: Array, tolerance: float) -> int:
    """Finds G and the covariance of the shared effects from the columns H^-1 [0; I] = [-G; I] cov(b); iterations."""
    if not system.shared:
        return 0
    own, inner = np.sqrt(np.diag(system.covariance)), system.covariance.astype(np.float32)
    right = -system.basis_product @ inner
    right[system.size :] += np.eye(system.shared, dtype=np.float32)
    solved = conjugate_gradients(system, right, np.concatenate([sd, own]), tolerance, own=own)
    if solved.iterations:
        y = (system.basis @ inner + solved.y).astype(float)
        system.deflate(-y[: system.size] @ np.linalg.inv(y[system.size :]))
    system.reach = system.structure.shared - row_values(system.structure, system.lift)
    return solved.iterations


def _update(
    s: Structure, rows: Rows, eta: Array, variance: Array, damping: float, tau: Array, nu: Array
) -> tuple[Array, int]:
    """New sites in place; returns the rows' log Z, and how many were held at the least precision."""
    log_z = np.empty(s.rows)
    given = eta, variance, damping, tau, nu, log_z

    def work(_number: int, a: int, b: int) -> int:
        if rows.code == sites.WIN_LOGIT:
            return sites.update_logit(a, b, rows.y, rows.noise, *given)
        return sites.update(a, b, rows.code, rows.y, rows.exposure, rows.noise, rows.auxiliary, *given)

    held = int(sum(spread(s.row_chunks, work)))
    tau[~rows.counts] = nu[~rows.counts] = 0.0
    return log_z, held


def _evidence(s: Structure, found: Smoothed) -> float:
    """What the evidence has beside half of m'A'nu."""
    now, work = found.sites, found.factored

    def terms(_number: int, a: int, b: int) -> float:
        sites_ = kernels.site_terms(a, b, found.eta, found.eta_variance, now.tau, now.nu)
        return sites_ - 0.5 * kernels.row_determinants(a, b, s.row_node, s.row_factor, now.tau, work.nodes, now.p)

    gaussian = np.log(work.precision).sum() - work.determinants.sum()
    gaussian += np.log(shared_precision(s, found.values)).sum() + np.linalg.slogdet(found.covariance)[1]
    return sum(spread(s.row_chunks, terms)) + float(found.log_z[s.counts].sum()) + 0.5 * float(gaussian)


def scale_gradient(found: Smoothed) -> Array:
    """The evidence's gradient in the log of each block's scale."""
    s, work = found.structure, found.factored
    count = len(s.design.blocks)
    parts = np.zeros((len(s.chunks), count))
    spread(
        s.chunks,
        lambda n, a, b: kernels.step_moments(
            a, b, s.unit_start, s.parent, s.kept, work.precision, s.scale, s.first, s.envelope_start, work.inverse,
            found.mean, found.sites.lift, found.covariance, parts[n],
        ),
    )  # fmt: skip
    gradient = parts.sum(axis=0)
    pooled = s.shared_scale >= 0
    second = (found.shared**2 + np.diag(found.covariance)) * shared_precision(s, found.values) - 1
    np.add.at(gradient, s.shared_scale[pooled], second[pooled])
    return gradient
