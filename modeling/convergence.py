"""Whether chains converged: R-hat and effective sample sizes of every quantity, and how the sampler moved.

In: draws over chains. Out: checks of scales, fixed effects, parameters of the likelihood and the worst published
rating, which can reject; and the ten worst of all quantities by name, effects that are no rating of their own among
them, which are only shown: of thousands some exceed any bound by chance.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import xarray as xr
from arviz_stats.base.array import array_stats

from modeling.design import Design
from modeling.judge import Check
from modeling.outcomes.outcome import Array
from modeling.posterior import HELD_AT_ONCE, Posterior
from modeling.ratings import Ratings, parameter_draws
from store.thresholds import USUAL, Thresholds

TAIL = (0.05, 0.95)
WORST = 10

Family = Literal["parameter", "rating", "effect"]


@dataclass(frozen=True)
class Diagnosis:
    """Convergence of one quantity over chains."""

    subject: str
    r_hat: float
    ess_bulk: float
    ess_tail: float
    family: Family = "parameter"


def diagnose(subjects: Sequence[str], draws: Array, chains: int, family: Family = "parameter") -> list[Diagnosis]:
    """Rank-normalised split R-hat, bulk and tail effective sample size of each column of draws, of shape
    (chains x draws, quantities)."""
    pieces = max(1, int(draws.size / HELD_AT_ONCE))
    parts = [part for part in np.array_split(draws, pieces, axis=1) if part.size]
    numbers = np.concatenate([_numbers(part.reshape(chains, -1, part.shape[1])) for part in parts], axis=1)
    return [
        Diagnosis(subject, r_hat, bulk, tail, family)
        for subject, (r_hat, bulk, tail) in zip(subjects, numbers.T.tolist(), strict=True)
    ]


def _numbers(by_chain: Array) -> Array:
    """R-hat, bulk and tail sample sizes, shape (3, quantities), of draws of shape (chains, draws, quantities)."""
    axes: Any = {"chain_axis": 0, "draw_axis": 1}
    found: list[Any] = [
        array_stats.rhat(by_chain, **axes),
        array_stats.ess(by_chain, method="bulk", **axes),
        array_stats.ess(by_chain, method="tail", prob=TAIL, **axes),
    ]
    return np.array(found, dtype=float)


def diagnose_parameters(design: Design, posterior: Posterior, ratings: list[Ratings]) -> dict[str, Diagnosis]:
    """Convergence of every scale, fixed effect and parameter of the likelihood, by its name."""
    draws = parameter_draws(design, posterior, ratings)
    together = np.stack([draws[name] for name in design.parameters], axis=1)
    titles = [title for title, _ in design.parameters.values()]
    return dict(zip(design.parameters, diagnose(titles, together, posterior.chains), strict=True))


def diagnose_ratings(ratings: list[Ratings], chains: int, names: dict[str, str]) -> list[Diagnosis]:
    """Convergence of every component of every rating."""
    found: list[Diagnosis] = []
    for one in ratings:
        who = [names.get(competitor, competitor) for competitor in one.field.competitors]
        for component, draws in one.components.items():
            found += diagnose([f"{component} of {name}" for name in who], draws, chains, "rating")
    return found


def diagnose_effects(design: Design, posterior: Posterior, names: dict[str, str]) -> list[Diagnosis]:
    """Convergence of every effect that ratings are not the same as: groups, slopes, past states of walks."""
    found: list[Diagnosis] = []
    for block in design.blocks:
        if block.role != "base" and block.name in posterior.blocks and len(block.levels):
            subjects = [f"{block.title}: {_called(level, names)}" for level in block.levels]
            found += diagnose(subjects, posterior.blocks[block.name], posterior.chains, "effect")
    return [one for one in found if math.isfinite(one.r_hat)]


def _called(level: str, names: dict[str, str]) -> str:
    """A level by its competitor's name: "Ann, 2014" of "x:1@2014"."""
    who, _, value = level.partition("@")
    return f"{names.get(who, who)}, {value}" if value else names.get(who, who)


def convergence(
    tree: xr.DataTree, parameters: list[Diagnosis], ratings: list[Diagnosis], thresholds: Thresholds = USUAL
) -> list[Check]:
    """R-hat and effective sample sizes of the parameters and of the worst published rating; how the sampler moved."""
    checks: list[Check] = []
    for name in ("r_hat", "ess_bulk", "ess_tail"):
        worst = sorted(ratings, key=lambda found: getattr(found, name), reverse=name == "r_hat")[0]
        found = [*parameters, replace(worst, subject=f"worst rating, {worst.subject}")]
        checks += [_converged(name, one, getattr(thresholds, name)) for one in found]
    return checks + _moves(tree, thresholds)


def _converged(name: str, found: Diagnosis, bound: float) -> Check:
    value = getattr(found, name)
    passed = value < bound if name == "r_hat" else value > bound
    meaning = {
        "r_hat": f"The chains {'agree' if passed else 'do not agree'} on it.",
        "ess_bulk": f"Its mean rests on {'enough' if passed else 'too few'} independent draws.",
        "ess_tail": f"Its interval rests on {'enough' if passed else 'too few'} independent draws.",
    }[name]
    return Check(name, found.subject, value, bound, "pass" if passed and math.isfinite(value) else "fail", meaning)


def divergences(tree: xr.DataTree) -> int:
    """Number of divergent transitions."""
    return int(tree["sample_stats"]["diverging"].to_numpy().sum())


def _moves(tree: xr.DataTree, thresholds: Thresholds) -> list[Check]:
    """Divergent transitions, energies and tree depths of the sampler."""
    lost, stats = divergences(tree), tree["sample_stats"]
    words = f"{lost} divergent transitions: the sampler lost its way." if lost else "None."
    failed = "fail" if lost > thresholds.divergences else "pass"
    checks = [Check("divergences", "all draws", lost, thresholds.divergences, failed, words)]
    slowest = float(np.min(array_stats.bfmi(stats["energy"].to_numpy())))
    is_free = slowest >= thresholds.e_bfmi
    words = (
        "The chains moved freely between the middle and the tails."
        if is_free
        else "The chains moved slowly between the middle and the tails; the sample sizes above say what came of it."
    )
    checks.append(Check("e_bfmi", "slowest chain", slowest, thresholds.e_bfmi, "pass" if is_free else "warn", words))
    share = float(stats["maxdepth_reached"].to_numpy().mean())
    is_short = share <= thresholds.tree_depth
    words = (
        "Hardly a step was cut short."
        if is_short
        else "Steps were cut short at the largest tree: slow, not wrong; more draws make up for it."
    )
    checks.append(
        Check("tree_depth", "share of draws", share, thresholds.tree_depth, "pass" if is_short else "warn", words)
    )
    return checks


def worst(found: Iterable[Diagnosis]) -> list[Diagnosis]:
    """The ten quantities whose chains agree least: by R-hat, to three decimals, then by the fewest effective draws."""
    return sorted(found, key=lambda one: (-round(one.r_hat, 3), min(one.ess_bulk, one.ess_tail)))[:WORST]
