"""Margin: the first side's score less the second's, Normal or Student-t around the difference of their strengths.

With exposure e (a stint), the margin is e · eta with a variance of e · sigma^2, as of a sum of independent moments.
Source of the model: Harville (1980), "Predictions for National Football League games via linear-model methodology",
JASA 75.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr, stdtr

from modeling.outcomes.noticed import noticed
from modeling.outcomes.outcome import Array, Auxiliaries, Auxiliary, Outcome, Results, Statistic, exposure_of
from modeling.outcomes.shared import density_losses, spread_of_margins, usual_normal
from modeling.outcomes.sides import margins
from modeling.outcomes.symbols import pt

LOG_2PI = float(np.log(2 * np.pi))
LIGHTEST_TAILS = 2.0  # degrees of freedom below which there is no variance


WORDS = "A game has a margin, one side's score less the other's. Its mean is the difference of their strengths."


def size_of_margins(y: Array, exposure: Array) -> float:
    """Root of the mean square of a margin in a full exposure, whichever side comes first."""
    return float(np.sqrt(np.mean(y**2 / exposure)))


def normal_tallies(y: Array, exposure: Array) -> Array:
    """Count, exposure, sum, sum of squares over exposure, and sum of log exposure; shape (rows, 5)."""
    return np.stack([np.ones_like(y), exposure, y, y**2 / exposure, np.log(exposure)], axis=1)


def normal_log_density(tally: Array, eta: Array, aux: Auxiliaries) -> Array:
    """log N(y | e eta, e sigma^2), summed over the rows of a cell."""
    count, exposure, total, squares, logs = tally.T
    sigma = aux["sigma"] * aux["noise"]
    away = squares - 2 * eta * total + eta**2 * exposure
    return -0.5 * away / sigma**2 - count * (np.log(sigma) + 0.5 * LOG_2PI) - 0.5 * logs


def normal_derivatives(tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, Array, Array]:
    """Derivatives of that in eta."""
    _, exposure, total, _, _ = tally.T
    variance = np.broadcast_to((aux["sigma"] * aux["noise"]) ** 2, eta.shape)
    return (total - exposure * eta) / variance, exposure / variance, np.zeros_like(eta)


def normal_pymc(tally: Any, eta: Any, aux: Auxiliaries) -> Any:
    """The same as a PyTensor scalar, up to a constant."""
    sigma = aux["sigma"] * aux["noise"]
    away = tally[:, 3] - 2 * eta * tally[:, 2] + eta**2 * tally[:, 1]
    return pt.sum(-0.5 * away / sigma**2 - tally[:, 0] * pt.log(sigma))


def normal_simulate(
    rng: np.random.Generator, eta: Array, exposure: Array, aux: Auxiliaries, _game: NDArray[np.intp]
) -> Array:
    """Simulated results, of the shape of eta."""
    return exposure * eta + np.sqrt(exposure) * aux["sigma"] * aux["noise"] * rng.standard_normal(eta.shape)


def _normal_chances(eta_first: Array, _eta_second: Array, aux: Auxiliaries) -> Array:
    win = ndtr(np.sqrt(exposure_of(aux)) * eta_first / (aux["sigma"] * aux["noise"]))
    return np.stack([win, np.zeros_like(win), 1 - win], axis=-1)


def _student_tallies(y: Array, exposure: Array) -> Array:
    """Count, exposure and result of each row, shape (rows, 3)."""
    return np.stack([np.ones_like(y), exposure, y], axis=1)


def _freedom(aux: Auxiliaries) -> Any:
    return LIGHTEST_TAILS + aux["tails"]


def _student_parts(tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, Array, Array, Any]:
    """Count, scaled residual and its scale per eta, and degrees of freedom; rows left out are zero."""
    count, exposure, total = tally.T
    root = np.sqrt(np.where(count > 0, exposure, 1.0))
    sigma = aux["sigma"] * aux["noise"]
    return count, (total - exposure * eta) / (sigma * root), root / sigma, _freedom(aux)


def _student_log_density(tally: Array, eta: Array, aux: Auxiliaries) -> Array:
    count, z, per_eta, nu = _student_parts(tally, eta, aux)
    norm = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    exposure = np.where(count > 0, tally[:, 1], 1.0)
    return count * (norm + np.log(per_eta) - np.log(exposure) - (nu + 1) / 2 * np.log1p(z**2 / nu))


def _student_derivatives(tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, Array, Array]:
    count, z, per_eta, nu = _student_parts(tally, eta, aux)
    below = nu + z**2
    slope = (nu + 1) * z / below
    curvature = (nu + 1) * (nu - z**2) / below**2
    third = (nu + 1) * 2 * z * (3 * nu - z**2) / below**3
    return count * slope * per_eta, count * curvature * per_eta**2, -count * third * per_eta**3


def _student_pymc(tally: Any, eta: Any, aux: Auxiliaries) -> Any:
    sigma, nu = aux["sigma"] * aux["noise"], _freedom(aux)
    root = pt.sqrt(pt.maximum(tally[:, 1], 1e-12))
    z = (tally[:, 2] - tally[:, 1] * eta) / (sigma * root)
    norm = pt.gammaln((nu + 1) / 2) - pt.gammaln(nu / 2) - 0.5 * pt.log(nu)
    return pt.sum(tally[:, 0] * (norm - pt.log(sigma) - (nu + 1) / 2 * pt.log1p(z**2 / nu)))


def _student_simulate(
    rng: np.random.Generator, eta: Array, exposure: Array, aux: Auxiliaries, _game: NDArray[np.intp]
) -> Array:
    noise = rng.standard_t(np.broadcast_to(_freedom(aux), eta.shape))
    return exposure * eta + np.sqrt(exposure) * aux["sigma"] * aux["noise"] * noise


def _student_chances(eta_first: Array, _eta_second: Array, aux: Auxiliaries) -> Array:
    win = stdtr(_freedom(aux), np.sqrt(exposure_of(aux)) * eta_first / (aux["sigma"] * aux["noise"]))
    return np.stack([win, np.zeros_like(win), 1 - win], axis=-1)


def _margin(eta_first: Array, _eta_second: Array, aux: Auxiliaries) -> Array:
    return exposure_of(aux) * eta_first


def _home_margin(results: Results) -> float:
    at_home = results.home_signed()
    return float(at_home.mean()) if at_home.size else float("nan")


def _points(y: Array) -> Array:
    return (1 + np.sign(y)) / 2


def _home_wins(results: Results) -> float:
    """Share of home games won by the home side; a level one counts half."""
    at_home = np.sign(results.home_signed())
    return float((1 + at_home.mean()) / 2) if at_home.size else float("nan")


def _variance(results: Results) -> float:
    return float(np.mean(results.y**2 / results.exposure))


def _largest(results: Results) -> float:
    return float(np.max(np.abs(results.y)))


STATISTICS = (
    Statistic("home_wins", "share of home games won by the home side", _home_wins, "share", is_hard=True),
    Statistic("variance", "mean square of the margin", _variance, "variance", is_hard=True),
    Statistic(
        "spread", "variance between competitors of their mean margin", spread_of_margins, "variance", is_hard=True
    ),
    Statistic("home_margin", "mean margin of the home side", _home_margin),
    Statistic("largest", "largest margin", _largest),
    *noticed(_points, 1, has_draws=False),
)


def _sigma(unit: float) -> Auxiliary:
    return Auxiliary("sigma", "standard deviation of a game's margin around the expected", 2 * unit, start=unit)


NORMAL = Outcome(
    name="margin",
    likelihood="normal",
    formula="margin ~ Normal(e eta, e (sigma noise)^2), e the exposure, eta = first - second",
    words=WORDS,
    unit="points",
    row="game",
    components=("total",),
    unit_sd=size_of_margins,
    has_intercept=False,
    observe=margins,
    auxiliaries=lambda unit: (_sigma(unit),),
    tallies=normal_tallies,
    log_density=normal_log_density,
    derivatives=normal_derivatives,
    pymc=normal_pymc,
    simulate=normal_simulate,
    losses=density_losses(normal_log_density, normal_tallies),
    baseline=usual_normal,
    chances=_normal_chances,
    margin=_margin,
    statistics=STATISTICS,
    is_density=True,
    points=_points,
)
STUDENT = Outcome(
    name="margin",
    likelihood="student",
    formula="margin ~ Student-t(2 + tails, e eta, sqrt(e) sigma noise), e the exposure, eta = first - second",
    words=WORDS,
    unit="points",
    row="game",
    components=("total",),
    unit_sd=size_of_margins,
    has_intercept=False,
    observe=margins,
    auxiliaries=lambda unit: (_sigma(unit), Auxiliary("tails", "degrees of freedom above two", 20.0, start=10.0)),
    tallies=_student_tallies,
    log_density=_student_log_density,
    derivatives=_student_derivatives,
    pymc=_student_pymc,
    simulate=_student_simulate,
    losses=density_losses(_student_log_density, _student_tallies),
    baseline=usual_normal,
    chances=_student_chances,
    margin=_margin,
    statistics=STATISTICS,
    is_density=True,
    points=_points,
    is_additive=False,
)
OUTCOMES = (NORMAL, STUDENT)
