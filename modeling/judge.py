"""The judge: what a fit must show before its ratings are published, each check with its value, bound and a sentence.

Three rules: it converged; no hard predictive check fails by a size that matters; on held-out games it forecasts no
worse than a baseline beyond noise.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray

from modeling.design import Design
from modeling.outcomes.outcome import Array, Sides, Statistic
from modeling.posterior import Posterior
from modeling.ratings import Ratings, parameter_draws

# Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), "Rank-normalization, folding, and localization", Bayesian
# Analysis 16: R-hat below 1.01 and an effective sample size above 100 a chain, here 4 chains.
R_HAT_BELOW = 1.01
ESS_ABOVE = 400
TAIL = (0.05, 0.95)
# A hard predictive check fails only outside these p-values and beyond its practical size: both rarely happen by
# chance, and a large league shows misfits that are real and too small to matter.
P_HARD = (0.005, 0.995)
P_WARN = (0.025, 0.975)
REPLICATIONS = 1000
# One-sided: a fit as good as the baseline is rejected by chance with probability 0.0013, less than once in two years.
WORSE_BY_SE = 3.0


@dataclass(frozen=True)
class Check:
    """One row of fit_check."""

    check_name: str
    subject: str
    value: float | None
    bound: float | None
    status: str
    message: str


@dataclass(frozen=True)
class Predictive:
    """One row of predictive_check."""

    statistic: str
    title: str
    observed: float
    replicated_mean: float
    replicated_sd: float
    q5: float
    q95: float
    p_value: float
    practical_size: float | None
    is_hard: bool
    status: str
    message: str


@dataclass(frozen=True)
class Diagnosis:
    """Convergence of one quantity over chains."""

    subject: str
    r_hat: float
    ess_bulk: float
    ess_tail: float


def diagnose(subject: str, draws: Array, chains: int) -> Diagnosis:
    """Rank-normalised split R-hat, bulk and tail effective sample size of draws of shape (chains x draws,)."""
    by_chain = draws.reshape(chains, -1)
    return Diagnosis(
        subject,
        np.asarray(array_stats.rhat(by_chain)).item(),
        np.asarray(array_stats.ess(by_chain, method="bulk")).item(),
        np.asarray(array_stats.ess(by_chain, method="tail", prob=TAIL)).item(),
    )


def diagnose_parameters(design: Design, posterior: Posterior, ratings: Ratings) -> dict[str, Diagnosis]:
    """Convergence of every scale and fixed effect, by its name as a parameter."""
    draws = parameter_draws(posterior, ratings)
    return {name: diagnose(title, draws[name], posterior.chains) for name, title in design.parameters.items()}


def diagnose_ratings(ratings: Ratings, chains: int, names: dict[str, str]) -> list[Diagnosis]:
    """Convergence of every component of every rating."""
    return [
        diagnose(f"{component} of {names.get(competitor, competitor)}", draws[:, i], chains)
        for component, draws in ratings.components.items()
        for i, competitor in enumerate(ratings.field.competitors)
    ]


def convergence(tree: xr.DataTree, parameters: list[Diagnosis], ratings: list[Diagnosis]) -> list[Check]:
    """R-hat and effective sample sizes of the parameters and of the worst published rating; divergences."""
    checks = []
    for name, bound in (("r_hat", R_HAT_BELOW), ("ess_bulk", ESS_ABOVE), ("ess_tail", ESS_ABOVE)):
        worst = sorted(ratings, key=lambda found: getattr(found, name), reverse=name == "r_hat")[0]
        found = [*parameters, replace(worst, subject=f"worst rating, {worst.subject}")]
        checks += [_converged(name, one, bound) for one in found]
    divergences = int(tree["sample_stats"]["diverging"].to_numpy().sum())
    words = f"{divergences} divergent transitions: the sampler lost its way." if divergences else "None."
    checks.append(Check("divergences", "all draws", divergences, 0, "fail" if divergences else "pass", words))
    return checks


def _converged(name: str, found: Diagnosis, bound: float) -> Check:
    value = getattr(found, name)
    passed = value < bound if name == "r_hat" else value > bound
    meaning = {
        "r_hat": f"The chains {'agree' if passed else 'do not agree'} on it.",
        "ess_bulk": f"Its mean rests on {'enough' if passed else 'too few'} independent draws.",
        "ess_tail": f"Its interval rests on {'enough' if passed else 'too few'} independent draws.",
    }[name]
    return Check(name, found.subject, value, bound, "pass" if passed and math.isfinite(value) else "fail", meaning)


def predictive_checks(design: Design, posterior: Posterior, rng: np.random.Generator) -> list[Predictive]:
    """Every statistic of the outcome, observed and over replicated leagues; replications are never all held at once."""
    observed = design.sides()
    kept = [s for s in design.outcome.statistics if math.isfinite(s.of(observed))]
    leagues = _replications(design, posterior.thinned(REPLICATIONS), rng)
    replicated = np.array([[s.of(sides) for s in kept] for sides in leagues])
    return [_judged(s, s.of(observed), replicated[:, i]) for i, s in enumerate(kept)]


def _replications(design: Design, posterior: Posterior, rng: np.random.Generator) -> Iterator[Sides]:
    draws = np.arange(posterior.draws)
    for some in np.array_split(draws, max(1, len(draws) // 50)):
        for eta in posterior.chosen(some).eta(design):
            yield design.sides(design.outcome.simulate(rng, eta, design.exposure))


def _judged(statistic: Statistic, observed: float, replicated: Array) -> Predictive:
    p = float(np.mean(replicated > observed) + 0.5 * np.mean(replicated == observed))
    off = observed - replicated.mean()
    size = statistic.practical_size
    limit = None if size is None else size * (observed if statistic.is_relative else 1.0)
    matters = limit is not None and abs(off) > limit
    if statistic.is_hard and matters and not P_HARD[0] <= p <= P_HARD[1]:
        status = "fail"
    else:
        status = "pass" if P_WARN[0] <= p <= P_WARN[1] else "warn"
    low, high = np.percentile(replicated, [5, 95])
    message = _sentence(statistic, observed, float(low), float(high), status, matters)
    return Predictive(
        statistic.name, statistic.title, observed, float(replicated.mean()), float(replicated.std()), float(low),
        float(high), p, size, statistic.is_hard, status, message,
    )  # fmt: skip


def _sentence(statistic: Statistic, observed: float, low: float, high: float, status: str, matters: bool) -> str:
    said = (
        f"{statistic.title[0].upper()}{statistic.title[1:]}: {observed:.3g} in the results, "
        f"{low:.3g} to {high:.3g} in leagues the model would make."
    )
    if status == "fail":
        return f"{said} The model misses it by more than matters."
    if status == "warn" and statistic.is_hard and not matters:
        return f"{said} A real difference, too small to matter."
    return said


def held_out_games(design: Design) -> NDArray[np.bool_]:
    """The last 10 % of games by day, whole days only: forecasts of a day use earlier days alone."""
    first_day = np.sort(design.played_on)[int(0.9 * design.games)]
    return design.played_on >= first_day


def log_losses(design: Design, posterior: Posterior, chosen: NDArray[np.bool_]) -> Array:
    """Log loss of win, draw and loss of each chosen game under a posterior's predictive chances, shape (chosen,)."""
    chances = forecast(design, posterior.thinned(REPLICATIONS), chosen)
    return _log_loss(chances, _results(design.sides(), chosen))


def forecast(design: Design, posterior: Posterior, chosen: NDArray[np.bool_]) -> Array:
    """Chances of win, draw and loss of the first side of each chosen game, shape (chosen, 3), averaged over draws."""
    found = []
    for part in np.array_split(np.flatnonzero(chosen), max(1, chosen.sum() // 100)):
        first, second = posterior.eta(design, 2 * part), posterior.eta(design, 2 * part + 1)
        found.append(design.outcome.chances(first, second).mean(axis=0))
    return np.concatenate(found)


def baseline_log_losses(design: Design, chosen: NDArray[np.bool_]) -> Array:
    """Log loss of the chosen games under the shares of home wins, draws and away wins of the other games."""
    before, sides = ~chosen, design.sides()
    results, home_first, home_second = _results(sides), sides.is_home[:, 0], sides.is_home[:, 1]
    flipped = np.where(home_second, 2 - results, results)
    at_home = home_first | home_second
    home_share = _shares(flipped[before & at_home])
    neutral = _shares(np.concatenate([results[before & ~at_home], 2 - results[before & ~at_home]]))
    chances = np.where(at_home[:, None], home_share, neutral)
    return _log_loss(chances[chosen], flipped[chosen])


def _results(sides: Sides, chosen: NDArray[np.bool_] | slice = slice(None)) -> NDArray[np.int_]:
    """0 where the first side won, 1 for a draw, 2 where it lost."""
    return (1 - np.sign(sides.score[chosen, 0] - sides.score[chosen, 1])).astype(int)


def _shares(results: NDArray[np.int_]) -> Array:
    return (np.bincount(results, minlength=3) + 1) / (len(results) + 3)


def _log_loss(chances: Array, results: NDArray[np.int_]) -> Array:
    return -np.log(np.maximum(chances[np.arange(len(results)), results], 1e-12))


@dataclass(frozen=True)
class Pooling:
    """One row of pooling."""

    pooling: str
    held_out_games: int
    log_loss: float
    log_loss_se: float
    difference: float
    difference_se: float


def compare(losses: dict[str, Array]) -> list[Pooling]:
    """Held-out log loss of each way of pooling, and the paired difference from partial pooling."""

    def se(values: Array) -> float:
        return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0

    partial = losses["partial"]
    return [
        Pooling(name, len(loss), float(loss.mean()), se(loss), float((loss - partial).mean()), se(loss - partial))
        for name, loss in losses.items()
    ]


def held_out_check(poolings: list[Pooling]) -> Check:
    """Rule three: partial pooling is not worse than the baseline by more than noise."""
    baseline = next(row for row in poolings if row.pooling == "baseline")
    bound = -WORSE_BY_SE * baseline.difference_se
    passed = baseline.difference >= bound
    words = (
        f"On the last {baseline.held_out_games} games its log loss is {abs(baseline.difference):.3f} "
        f"{'lower' if baseline.difference >= 0 else 'higher'} than that of always saying the usual shares."
    )
    return Check("held_out", "against the baseline", baseline.difference, bound, "pass" if passed else "fail", words)


def connection_check(ratings: Ratings) -> Check:
    """Whether all competitors are connected by games; a warning, for the others are simply not ranked."""
    outside = int((ratings.field.pool > 1).sum())
    words = (
        "All competitors are connected by games."
        if outside == 0
        else (f"{outside} competitors never met the largest pool, even at a remove; they are not ranked.")
    )
    return Check("connected", "all competitors", outside, 0, "pass" if outside == 0 else "warn", words)
