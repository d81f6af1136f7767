"""Score: what each side scored in a game or stint, from the attack of one side against the other's defence.

Poisson with a log rate: Maher (1982), "Modelling association football scores", Statistica Neerlandica 36. Its
correction for low scores is in low_scores.py. Negative binomial where scores spread more than that. Normal with
exposure for points of stints: the regularised plus-minus of offence and defence.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainccinv, gammaln, ndtr

from modeling.outcomes import margin as normal
from modeling.outcomes.counts import (
    LOG_UNIT_SD,
    POISSON_COUNTS,
    Counts,
    baseline,
    chances_of,
    count_margin,
    extremes,
    losses_of,
)
from modeling.outcomes.low_scores import DIXON_COLES
from modeling.outcomes.noticed import noticed
from modeling.outcomes.outcome import Array, Auxiliaries, Auxiliary, Outcome, Results, Statistic, exposures_of
from modeling.outcomes.shared import density_losses, usual_normal
from modeling.outcomes.sides import counts, scores
from modeling.outcomes.symbols import pt

HIGHEST_LOG_RATE = float(np.log(1e6))
NEVER = 1e-12  # a chance that is left out of sums over counts
WORDS = (
    "Each side of a game has a score of its own: it grows with the side's attack, and falls with the other side's "
    "defence. Positive is good in both."
)


def tallies(y: Array, exposure: Array) -> Array:
    """Score, exposure, and the constants of the density; shape (rows, 3)."""
    return np.stack([y, exposure, y * np.log(exposure) - gammaln(y + 1)], axis=1)


def log_density(tally: Array, eta: Array, _aux: Auxiliaries) -> Array:
    """log Poisson(y | exposure · exp(eta)), summed over the rows of a cell."""
    total, exposure, constant = tally.T
    return total * eta - exposure * np.exp(eta) + constant


def derivatives(tally: Array, eta: Array, _aux: Auxiliaries) -> tuple[Array, Array, Array]:
    """First, minus second, and third derivative of the log density with respect to eta."""
    rate = tally[:, 1] * np.exp(eta)
    return tally[:, 0] - rate, rate, -rate


def pymc(tally: Any, eta: Any, _aux: Auxiliaries) -> Any:
    """Log likelihood up to a constant; rows with the same eta may be summed, for Poisson counts exactly."""
    return pt.sum(tally[:, 0] * eta - tally[:, 1] * pt.exp(eta))


def simulate(
    rng: np.random.Generator, eta: Array, exposure: Array, _aux: Auxiliaries, _game: NDArray[np.intp]
) -> Array:
    """Simulated scores, of the shape of eta."""
    return rng.poisson(exposure * np.exp(np.minimum(eta, HIGHEST_LOG_RATE))).astype(float)


def _overdispersed_tallies(y: Array, exposure: Array) -> Array:
    """Count, score and exposure, shape (rows, 3)."""
    return np.stack([np.ones_like(y), y, exposure], axis=1)


def _overdispersed_parts(tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, Array, Array, Any]:
    count, y, exposure = tally.T
    return count, y, np.where(count > 0, exposure, 1.0) * np.exp(eta), 1 / aux["overdispersion"]


def _overdispersed_log_density(tally: Array, eta: Array, aux: Auxiliaries) -> Array:
    """log NegativeBinomial with mean m = exposure · exp(eta) and variance m + overdispersion · m^2."""
    count, y, mean, r = _overdispersed_parts(tally, eta, aux)
    mass = gammaln(y + r) - gammaln(r) - gammaln(y + 1)
    return count * (mass - r * np.log1p(mean / r) - y * np.log1p(r / mean))


def _overdispersed_derivatives(tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, Array, Array]:
    count, y, mean, r = _overdispersed_parts(tally, eta, aux)
    slope = (y - mean) * r / (r + mean)
    curvature = mean * r * (r + y) / (r + mean) ** 2
    third = curvature * (r - mean) / (r + mean)
    return count * slope, count * curvature, -count * third


def _overdispersed_pymc(tally: Any, eta: Any, aux: Auxiliaries) -> Any:
    count, y, r = tally[:, 0], tally[:, 1], 1 / aux["overdispersion"]
    mean = pt.where(pt.gt(count, 0), tally[:, 2], 1.0) * pt.exp(eta)
    mass = pt.gammaln(y + r) - pt.gammaln(r)
    return pt.sum(count * (mass - r * pt.log1p(mean / r) - y * pt.log1p(r / mean)))


def _overdispersed_simulate(
    rng: np.random.Generator, eta: Array, exposure: Array, aux: Auxiliaries, _game: NDArray[np.intp]
) -> Array:
    mean = exposure * np.exp(np.minimum(eta, HIGHEST_LOG_RATE))
    return rng.poisson(rng.gamma(1 / aux["overdispersion"], mean * aux["overdispersion"])).astype(float)


def _log_mass_overdispersed(goals: Array, rate: Array, overdispersion: Array) -> Array:
    r = 1 / overdispersion
    mass = gammaln(goals + r) - gammaln(r) - gammaln(goals + 1)
    return mass - r * np.log1p(rate / r) - goals * np.log1p(r / rate)


def _highest_overdispersed(rate: Array, overdispersion: Array) -> Array:
    """The rate of a Poisson count is itself Gamma: its highest, and a Poisson count's highest at that."""
    return POISSON_COUNTS.highest(rate * overdispersion * gammainccinv(1 / overdispersion, NEVER), overdispersion)


def scale_of_scores(y: Array, exposure: Array) -> float:
    """Standard deviation of a side's points in a full exposure."""
    return float(np.sqrt(np.mean(exposure * (y / exposure - rate_of_scores(y, exposure)) ** 2)))


def rate_of_scores(y: Array, exposure: Array) -> float:
    """Mean of a side's points in a full exposure."""
    return float(y.sum() / exposure.sum())


def _normal_chances(eta_first: Array, eta_second: Array, aux: Auxiliaries) -> Array:
    own, other = exposures_of(aux)
    win = ndtr(_normal_margin(eta_first, eta_second, aux) / (np.sqrt(own + other) * aux["sigma"]))
    return np.stack([win, np.zeros_like(win), 1 - win], axis=-1)


def _normal_margin(eta_first: Array, eta_second: Array, aux: Auxiliaries) -> Array:
    own, other = exposures_of(aux)
    return own * eta_first - other * eta_second


def _pairs(results: Results) -> Array:
    return results.y.reshape(-1, 2)


def _by_home(results: Results) -> tuple[Array, Array]:
    """Scores (home, away) of the games that have a home side, each of shape (games with a home side,)."""
    return results.y[results.home > 0], results.y[results.home < 0]


def _points(y: Array) -> Array:
    return (1 + np.sign(y[..., 0::2] - y[..., 1::2])) / 2


def _home_win_share(results: Results) -> float:
    home, away = _by_home(results)
    return float(np.mean(home > away)) if home.size else float("nan")


def _draw_share(results: Results) -> float:
    scores = _pairs(results)
    return float(np.mean(scores[:, 0] == scores[:, 1]))


def _variance(results: Results) -> float:
    return float(np.var(results.y))


def _goalless_share(results: Results) -> float:
    return float(np.mean(_pairs(results).sum(axis=1) == 0))


def _blow_out_share(results: Results) -> float:
    scores = _pairs(results)
    return float(np.mean(np.abs(scores[:, 0] - scores[:, 1]) >= 5))


def _total(results: Results) -> float:
    return float(np.mean(_pairs(results).sum(axis=1)))


def _highest_score(results: Results) -> float:
    return float(np.max(results.y))


def _rate(results: Results) -> float:
    return float(results.y.sum() / results.exposure.sum())


def _rate_variance(results: Results) -> float:
    rate = results.y / results.exposure
    return float(np.mean(results.exposure * (rate - np.average(rate, weights=results.exposure)) ** 2))


COUNT_STATISTICS = (
    Statistic("home_wins", "share of home games won by the home side", _home_win_share, "share", is_hard=True),
    Statistic("draws", "share of games drawn", _draw_share, "share", is_hard=True),
    Statistic("variance", "variance of a side's score", _variance, "variance", is_hard=True),
    Statistic("total", "both sides' scores together, a game", _total),
    Statistic("goalless", "share of games in which nobody scored", _goalless_share),
    Statistic("blow_outs", "share of games won by five or more", _blow_out_share),
    Statistic("highest", "highest score of a side", _highest_score),
    *noticed(_points, 2, has_draws=True),
)
RATE_STATISTICS = (
    Statistic("rate_variance", "variance of a full exposure's points", _rate_variance, "variance", is_hard=True),
    Statistic("rate", "points in a full exposure", _rate),
    *noticed(_points, 2, has_draws=False),
)

POISSON = Outcome(
    name="score",
    likelihood="poisson",
    formula="score ~ Poisson(e exp(eta)), e the exposure, eta = attack of the side - defence of the other",
    words=WORDS,
    unit="log score",
    row="side",
    components=("attack", "defence"),
    unit_sd=lambda _y, _exposure: LOG_UNIT_SD,
    has_intercept=True,
    observe=counts,
    auxiliaries=lambda _unit: (),
    tallies=tallies,
    log_density=log_density,
    derivatives=derivatives,
    pymc=pymc,
    simulate=simulate,
    losses=losses_of(chances_of(POISSON_COUNTS)),
    baseline=baseline,
    chances=chances_of(POISSON_COUNTS),
    margin=count_margin,
    statistics=COUNT_STATISTICS,
    points=_points,
    counts=True,
    extremes=extremes,
    takes_noise=False,
)
OVERDISPERSED_COUNTS = Counts(_log_mass_overdispersed, _highest_overdispersed)
OVERDISPERSED = replace(
    POISSON,
    likelihood="negative_binomial",
    formula="score ~ NegativeBinomial(mean m = e exp(eta), variance m + overdispersion m^2), eta = attack - defence",
    auxiliaries=lambda _unit: (
        Auxiliary("overdispersion", "variance beyond Poisson, per squared mean", 0.5, start=0.1),
    ),
    tallies=_overdispersed_tallies,
    log_density=_overdispersed_log_density,
    derivatives=_overdispersed_derivatives,
    pymc=_overdispersed_pymc,
    simulate=_overdispersed_simulate,
    losses=losses_of(chances_of(OVERDISPERSED_COUNTS)),
    chances=chances_of(OVERDISPERSED_COUNTS),
    is_additive=False,
)
NORMAL = replace(
    normal.NORMAL,
    name="score",
    formula="score ~ Normal(e eta, e sigma^2), e the exposure, eta = attack of the side - defence of the other",
    words=WORDS,
    row="side",
    components=("attack", "defence"),
    unit_sd=scale_of_scores,
    has_intercept=True,
    observe=scores,
    centre=rate_of_scores,
    auxiliaries=lambda unit: (
        Auxiliary("sigma", "standard deviation of a full exposure's points around the expected", 2 * unit, start=unit),
    ),
    losses=density_losses(normal.normal_log_density, normal.normal_tallies),
    baseline=usual_normal,
    chances=_normal_chances,
    margin=_normal_margin,
    statistics=RATE_STATISTICS,
    points=_points,
    counts=False,
    takes_noise=False,
)
OUTCOMES = (POISSON, OVERDISPERSED, NORMAL, replace(POISSON, **DIXON_COLES))
