"""The judge: what a fit must show before its ratings are published, each check with its value, bound and a sentence.

Three rules: it converged; no hard predictive check fails by a size that matters; on held-out games it forecasts no
worse than a baseline beyond noise.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeling.design import Design
from modeling.field import Field
from modeling.outcomes.outcome import Array, Statistic
from modeling.posterior import HELD_AT_ONCE, Posterior
from modeling.tree import REPLICATIONS, Replication
from store.thresholds import ALSO, USUAL, Thresholds, is_looser

FEWEST_HELD_OUT = 10  # games; of fewer a standard error is itself mostly chance
HELD_OUT_DAYS = np.timedelta64(365, "D")


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


def threshold_checks(thresholds: Thresholds) -> list[Check]:
    """The thresholds that the league's stanza sets itself, each beside the usual one."""
    return [_threshold_check(name, value, thresholds.reason) for name, value in thresholds.own.items()]


def _threshold_check(name: str, value: float, reason: str) -> Check:
    usual, loosened = getattr(USUAL, name), is_looser(name, value)
    words = f"Loosened from {usual:g}: {reason}" if loosened else f"Tightened from {usual:g} for this league."
    told = words if loosened else f"{words} {ALSO[name]}".strip()
    return Check("threshold", name, value, usual, "warn" if loosened else "pass", told)


def predictive_checks(design: Design, parts: Iterable[Replication]) -> list[Predictive]:
    """Every statistic of the outcome, observed and over replicated leagues, which come a few draws at a time."""
    any_eta = np.zeros(len(design.y))
    kept = [s for s in design.outcome.statistics if math.isfinite(s.of(design.results(eta=any_eta)))]
    plain = np.array([s.of(design.results(eta=any_eta)) for s in kept])
    seen, made = [], []
    for eta, y in ((eta, y) for part in parts for eta, y in zip(part.eta, part.y, strict=True)):
        observed, replicated = design.results(eta=eta), design.results(y, eta)
        seen.append([s.of(observed) if s.needs_eta else value for s, value in zip(kept, plain, strict=True)])
        made.append([s.of(replicated) for s in kept])
    numbers = zip(kept, np.array(seen).T, np.array(made).T, strict=True)
    return [_judged(*each, design.thresholds) for each in numbers]


def _judged(statistic: Statistic, seen: Array, replicated: Array, thresholds: Thresholds = USUAL) -> Predictive:
    """A statistic judged by its observed value at each draw and its replicated one, each of shape (draws,)."""
    p = float(np.mean(replicated > seen) + 0.5 * np.mean(replicated == seen))
    observed = float(np.mean(seen))
    off = observed - replicated.mean()
    size = None if statistic.size is None else float(getattr(thresholds, statistic.size))
    limit = None if size is None else size * (observed if statistic.size == "variance" else 1.0)
    matters = limit is not None and abs(off) > limit
    if statistic.is_hard and matters and thresholds.p_is_outside(p, thresholds.p_fail):
        status = "fail"
    else:
        status = "warn" if thresholds.p_is_outside(p, thresholds.p_warn) else "pass"
    low, high = np.percentile(replicated, [5, 95])
    message = _sentence(statistic, observed, float(low), float(high), status, matters)
    return Predictive(
        statistic.name, statistic.title, observed, float(replicated.mean()), float(replicated.std()), float(low),
        float(high), p, size, statistic.is_hard, status, message,
    )  # fmt: skip


def _sentence(statistic: Statistic, observed: float, low: float, high: float, status: str, matters: bool) -> str:
    where = "in the results, on average over what ratings may be" if statistic.needs_eta else "in the results"
    said = (
        f"{statistic.title[0].upper()}{statistic.title[1:]}: {observed:.3g} {where}, "
        f"{low:.3g} to {high:.3g} in leagues the model would make."
    )
    if status == "fail":
        return f"{said} The model misses it by more than matters."
    if status == "warn" and statistic.is_hard and not matters:
        return f"{said} A real difference, too small to matter."
    if status == "warn" and statistic.is_hard:
        return f"{said} Off by more than matters, as by chance one league in some is."
    return said


def held_out_games(design: Design) -> NDArray[np.bool_]:
    """The last 10 % of games by day, whole days only, of a long league those of the last year: forecasts of a day use
    earlier days alone, and a fit that is years old is asked for none."""
    days = np.sort(design.played_on)
    return design.played_on >= max(days[int(0.9 * design.games)], days[-1] - HELD_OUT_DAYS)


def log_losses(design: Design, posterior: Posterior, chosen: NDArray[np.bool_]) -> Array:
    """Log loss of each chosen game's result under the mean over draws of its forecast, shape (chosen,).

    The result is what the outcome forecasts: who won, win or draw or loss, the margin, the order of a race.
    """
    thinned = posterior.thinned(REPLICATIONS)
    rows, per_game = np.flatnonzero(chosen[design.game]), max(1, int(HELD_AT_ONCE / thinned.draws / 4))
    starts = np.flatnonzero(np.r_[True, design.game[rows][1:] != design.game[rows][:-1]])
    cuts = [cut[0] for cut in np.array_split(starts, max(1, len(rows) // per_game))[1:] if len(cut)]
    return np.concatenate([_losses(design, thinned, part) for part in np.split(rows, cuts)])


def _losses(design: Design, posterior: Posterior, rows: NDArray[np.intp]) -> Array:
    eta, arguments = posterior.seen(design, rows)
    return design.outcome.losses(design.y[rows], design.exposure[rows], eta, arguments, design.game[rows])


def baseline_log_losses(design: Design, chosen: NDArray[np.bool_]) -> Array:
    """Log loss of the chosen games under what is usual in the others, shape (chosen,)."""
    return design.outcome.baseline(design.results(), chosen[design.game])


@dataclass(frozen=True)
class Pooling:
    """One row of pooling."""

    pooling: str
    held_out_games: int
    log_loss: float
    log_loss_se: float
    difference: float
    difference_se: float


def compare(losses: dict[str, Array], published: str = "partial") -> list[Pooling]:
    """Held-out log loss of each way of pooling, and the paired difference from the one that is published."""

    def se(values: Array) -> float:
        return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0

    return [
        Pooling(name, len(loss), float(loss.mean()), se(loss), float((loss - own).mean()), se(loss - own))
        for name, loss in losses.items()
        for own in [losses[published]]
    ]


def unpooled_check(games: str, why: str) -> Check:
    """That each competitor alone was not found of some games: a warning, for the ratings do not rest on it."""
    words = f"What each competitor's own results alone say was not found: {why} Nothing stands beside the ratings."
    return Check("unpooled", games, None, None, "warn", words)


def held_out_check(poolings: list[Pooling], thresholds: Thresholds = USUAL) -> Check:
    """Rule three: the published model is not worse than the baseline by more than noise.

    A warning where nothing could be held out; ratings of a first day of play are wide, and say so themselves.
    """
    if not poolings:
        words = "All games are of one day: none could be held out, so no forecast was tested."
        return Check("held_out", "against the baseline", None, None, "warn", words)
    baseline = next(row for row in poolings if row.pooling == "baseline")
    if baseline.held_out_games < FEWEST_HELD_OUT:
        words = f"Only {baseline.held_out_games} of the last games could be held out: too few for a verdict."
        return Check("held_out", "against the baseline", baseline.difference, None, "warn", words)
    bound = -thresholds.worse_by_se * baseline.difference_se
    passed = baseline.difference >= bound
    words = (
        f"On the last {baseline.held_out_games} games its log loss is {abs(baseline.difference):.3f} "
        f"{'lower' if baseline.difference >= 0 else 'higher'} than that of always saying what is usual."
    )
    return Check("held_out", "against the baseline", baseline.difference, bound, "pass" if passed else "fail", words)


def connection_check(field: Field, is_required: bool) -> Check:
    """Whether all competitors are connected by games: else the others are not ranked, or the fit is not published where
    the stanza requires it."""
    outside = int((field.pool > 1).sum())
    words = (
        f"All {field.kind}s are connected by games."
        if outside == 0
        else (f"{outside} {field.kind}s never met the largest pool, even at a remove; they are not ranked.")
    )
    if outside and is_required:
        words += " The league's stanza says require_connected: are the games that connect them missing?"
    status = "pass" if outside == 0 else "fail" if is_required else "warn"
    return Check("connected", f"all {field.kind}s", outside, 0, status, words)
