"""How far two fits of one Design agree, beside how far the draws' own error alone would set them apart."""

from dataclasses import dataclass

import numpy as np
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from modeling.design import Design
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior
from modeling.ratings import Ratings, parameter_draws, slopes_of

TOP = 60  # of the ranked whose P(a > b) are compared: 1,770 pairs
CHANCE = 0.01  # with which draws of one and the same posterior differ by more than is allowed for
SHIFT = 0.1  # sds by which means may differ without that being held against the order of near equals
SHUFFLES = 500
CONSTANT = 1e-9  # of the largest sd: what varies less is a constant, as the contrast of an only one ranked


@dataclass(frozen=True)
class Drawn:
    """What two fits are compared in. Arrays have shape (draws, quantities), chain after chain in equal shares."""

    effects: Array
    """Every component of every rating, slopes too, as contrasts; then the intercept and the fixed effects."""
    effect_names: tuple[str, ...]
    parameters: Array
    """Learned scales and the likelihood's own parameters; of those that are positive the logarithms."""
    parameter_names: tuple[str, ...]
    totals: tuple[Array, ...]
    """By kind, the totals of the ranked."""
    chains: int

    def half(self, number: int) -> "Drawn":
        """The first (0) or the second (1) half of each chain."""
        length = len(self.effects) // self.chains
        own = np.arange(length // 2) + number * (length // 2)
        chosen = (np.arange(self.chains)[:, None] * length + own).ravel()
        effects, parameters, *totals = (values[chosen] for values in (self.effects, self.parameters, *self.totals))
        return Drawn(effects, self.effect_names, parameters, self.parameter_names, tuple(totals), self.chains)


@dataclass(frozen=True)
class Apart:
    """How some quantities of a fit lie from those of a reference."""

    means: float
    """Largest |difference| of means, in sds of the reference."""
    means_p99: float
    """The 99th percentile of it."""
    sd_low: float
    """Smallest ratio of sds."""
    sd_high: float
    """Largest ratio of sds."""


@dataclass(frozen=True)
class Differences:
    """How a fit differs from a reference."""

    effects: Apart
    parameters: Apart
    chances: float
    """Largest |difference| of P(a > b) over pairs of the first 60 ranked, from joint draws."""
    rank_correlation: float
    """Spearman's, of the mean totals of the ranked; the least over kinds."""


@dataclass(frozen=True)
class Agreement:
    """How a fit differs from a reference, and what that is to be seen beside."""

    found: Differences
    floor: Differences
    """How the second halves of the reference's chains differ from the first."""
    error: Differences
    """How far draws of one and the same posterior may lie apart: see `allowance`."""
    worst_effect: str
    """Whose means differ most."""
    worst_parameter: str


def drawn_of(
    design: Design, posterior: Posterior, ratings: list[Ratings], names: dict[str, str] | None = None
) -> Drawn:
    """The quantities that fits of the Design are compared in: the same in number and order whatever the engine.

    `names` are those of competitors by id, for what is called worst.
    """
    values = parameter_draws(design, posterior, ratings)
    shared = ["intercept"] * design.outcome.has_intercept + list(posterior.fixed)
    signed = {one.name for one in design.auxiliaries if one.is_signed}
    own = [name for name in values if name not in shared]
    published = [part for one in ratings for part in _published(design, posterior, one, names or {})]
    return Drawn(
        np.hstack([*(draws for _, draws in published), *(values[name][:, None] for name in shared)]),
        (*(name for labels, _ in published for name in labels), *shared),
        np.array([values[name] if name in signed else np.log(values[name]) for name in own]).reshape(len(own), -1).T,
        tuple(own),
        tuple(one.components["total"][:, one.field.ranked] for one in ratings),
        posterior.chains,
    )


def _published(
    design: Design, posterior: Posterior, ratings: Ratings, names: dict[str, str]
) -> list[tuple[list[str], Array]]:
    """Names and draws of each component and slope of a kind's ratings."""
    who = [names.get(one, one) for one in ratings.field.competitors]
    parts = [(name, range(len(who)), draws) for name, draws in ratings.components.items()]
    slopes = slopes_of(design, posterior, ratings, np.random.default_rng(0))
    parts += [(one.component, one.units, one.draws) for one in slopes]
    return [([f"{name} of {who[unit]}" for unit in units], draws) for name, units, draws in parts]


def agree(fit: Drawn, reference: Drawn) -> Agreement:
    """How far a fit agrees with a reference of the same Design."""
    return Agreement(
        differences(fit, reference),
        differences(reference.half(1), reference.half(0)),
        allowance(fit, reference),
        _worst(fit.effects, reference.effects, reference.effect_names),
        _worst(fit.parameters, reference.parameters, reference.parameter_names),
    )


def differences(fit: Drawn, reference: Drawn) -> Differences:
    """How a fit differs from a reference of the same Design, with nothing allowed for."""
    kinds = list(zip(fit.totals, reference.totals, strict=True))
    return Differences(
        _apart(fit.effects, reference.effects),
        _apart(fit.parameters, reference.parameters),
        max(
            (float(np.abs(_chances(a, _first(b)) - _chances(b, _first(b))).max(initial=0)) for a, b in kinds),
            default=0.0,
        ),
        min((float(_same_order(a.mean(axis=0), b.mean(axis=0))) for a, b in kinds), default=1.0),
    )


def allowance(fit: Drawn, reference: Drawn) -> Differences:
    """What draws of one and the same posterior keep to, each number with probability 0.99 or more.

    The squared standard error of a difference of means is sd² / ESS, summed over both fits, with the effective sample
    size of each mean; of a log sd it is a quarter of the relative variance of the squared deviations over their ESS; of
    a chance p(1 - p) over the smaller ESS of the two competitors. The largest of q differences stays below
    Phi^-1(1 - 0.01 / 2q) standard errors, independent or not, and by Markov's inequality the 99th percentile below that
    of q = 100. The order is what is left of it where these errors, and shifts of 0.1 sd that matter to nobody, move the
    means.
    """
    kinds = list(zip(fit.totals, reference.totals, strict=True))
    chains = (fit.chains, reference.chains)
    return Differences(
        _apart_by_chance(fit.effects, reference.effects, chains),
        _apart_by_chance(fit.parameters, reference.parameters, chains),
        max((_chances_by_chance(a, b, chains) for a, b in kinds), default=0.0),
        min((_order_by_chance(a, b, chains) for a, b in kinds), default=1.0),
    )


def _apart(fit: Array, reference: Array) -> Apart:
    fit, reference = _varying(fit, reference)
    if not reference.size:
        return Apart(0.0, 0.0, 1.0, 1.0)
    means, ratio = np.abs(_shifts(fit, reference)), fit.std(axis=0) / reference.std(axis=0)
    return Apart(float(means.max()), float(np.percentile(means, 99)), float(ratio.min()), float(ratio.max()))


def _apart_by_chance(fit: Array, reference: Array, chains: tuple[int, int]) -> Apart:
    fit, reference = _varying(fit, reference)
    if not reference.size:
        return Apart(0.0, 0.0, 1.0, 1.0)
    mean = _mean_errors(fit, reference, chains)
    log_sd = _largest(np.hypot(_log_sd_errors(fit, chains[0]), _log_sd_errors(reference, chains[1])))
    largest, share = _largest(mean), float(-ndtri(CHANCE * 0.01 / 2) * mean.max())
    return Apart(largest, min(largest, share), float(np.exp(-log_sd)), float(np.exp(log_sd)))


def _varying(fit: Array, reference: Array) -> tuple[Array, Array]:
    """The quantities that are not constants of the reference."""
    sd = reference.std(axis=0)
    kept = sd > CONSTANT * sd.max(initial=0)
    return fit[:, kept], reference[:, kept]


def _shifts(fit: Array, reference: Array) -> Array:
    return (fit.mean(axis=0) - reference.mean(axis=0)) / reference.std(axis=0)


def _worst(fit: Array, reference: Array, names: tuple[str, ...]) -> str:
    """The name of the quantity whose means differ most, "" where there is none."""
    sd = reference.std(axis=0)
    kept = np.flatnonzero(sd > CONSTANT * sd.max(initial=0))
    return names[kept[np.argmax(np.abs(_shifts(fit[:, kept], reference[:, kept])))]] if len(kept) else ""


def _ess(draws: Array, chains: int) -> Array:
    """Effective sample size of the mean of each column, at most the number of draws."""
    by_chain = draws.reshape(chains, -1, draws.shape[1])
    found = array_stats.ess(by_chain, chain_axis=0, draw_axis=1, method="mean")
    return np.minimum(np.asarray(found, dtype=float), len(draws))


def _mean_errors(fit: Array, reference: Array, chains: tuple[int, int]) -> Array:
    """Standard error of each difference of means, in the reference's sds."""
    ratio = fit.std(axis=0) / reference.std(axis=0)
    return np.sqrt(ratio**2 / _ess(fit, chains[0]) + 1 / _ess(reference, chains[1]))


def _log_sd_errors(draws: Array, chains: int) -> Array:
    """Standard error of the log of each column's sd."""
    squared = (draws - draws.mean(axis=0)) ** 2
    return 0.5 * squared.std(axis=0) / squared.mean(axis=0) / np.sqrt(_ess(squared, chains))


def _largest(errors: Array) -> float:
    """What the largest of normal variates with these standard errors exceeds with probability CHANCE at most."""
    return float(-ndtri(CHANCE / (2 * errors.size)) * errors.max()) if errors.size else 0.0


def _first(totals: Array) -> NDArray[np.intp]:
    """Who leads by mean total, 60 at most."""
    return np.argsort(-totals.mean(axis=0), kind="stable")[:TOP]


def _chances(totals: Array, who: NDArray[np.intp]) -> Array:
    """P(a > b) of each pair, shape (pairs,)."""
    first, second = np.triu_indices(len(who), 1)
    chosen = totals[:, who]
    return np.array([(chosen[:, a] > chosen[:, b]).mean() for a, b in zip(first, second, strict=True)])


def _chances_by_chance(fit: Array, reference: Array, chains: tuple[int, int]) -> float:
    who = _first(reference)
    first, second = np.triu_indices(len(who), 1)
    if not len(first):
        return 0.0
    p = _chances(reference, who)
    sizes = [_ess(one[:, who], own) for one, own in zip((fit, reference), chains, strict=True)]
    worse = [np.minimum(ess[first], ess[second]) for ess in sizes]
    return _largest(np.sqrt(p * (1 - p) * (1 / worse[0] + 1 / worse[1])))


def _same_order(first: Array, second: Array) -> Array:
    """Spearman's correlation of the last axes; 1 where there is nothing to order."""
    if first.shape[-1] < 2:
        return np.ones(first.shape[:-1])
    one, other = (rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2 for values in (first, second))
    return (one * other).sum(axis=-1) / np.sqrt((one**2).sum(axis=-1) * (other**2).sum(axis=-1))


def _order_by_chance(fit: Array, reference: Array, chains: tuple[int, int]) -> float:
    if reference.shape[1] < 2:
        return 1.0
    mean, sd = reference.mean(axis=0), reference.std(axis=0)
    off = sd * np.hypot(_mean_errors(fit, reference, chains), SHIFT)
    moved = mean + off * np.random.default_rng(0).standard_normal((SHUFFLES, len(mean)))
    return float(np.percentile(_same_order(moved, mean), 100 * CHANCE))
