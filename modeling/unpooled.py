"""Unpooled estimates: what a competitor's own results alone say, on the zero of the pooled ratings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeling.design import Design
from modeling.engines.laplace import Laplace
from modeling.field import Field
from modeling.outcomes.outcome import Array
from modeling.ratings import Ratings, blocks_of

VAGUE = 5.0  # in prior scales: half of the sd that "no pooling" starts from, so the results said next to nothing


@dataclass(frozen=True)
class Unpooled:
    """Estimates from a competitor's own results alone, on the zero of the pooled ratings; NaN with a reason."""

    estimate: Array
    se: Array
    reason: tuple[str | None, ...]


@dataclass(frozen=True)
class Alone:
    """A component of every competitor in the unpooled fit: loadings on theta, estimates, parts of their covariance."""

    loading: Array
    """Shape (parameters, competitors)."""
    solved: Array
    """H^-1 times that."""
    estimate: Array

    @property
    def variance(self) -> Array:
        """Variance of each estimate."""
        return np.einsum("ij,ij->j", self.loading, self.solved)

    def contrast_sd(self, weight: Array) -> Array:
        """Sd of each estimate less the weighted mean of all."""
        mean = self.solved @ weight
        return np.sqrt(np.maximum(self.variance - 2 * (self.loading.T @ mean) + (self.loading @ weight) @ mean, 0))


def alone_of(design: Design, alone: Laplace, field: Field, component: str) -> Alone:
    """A component's unpooled part."""
    loading = np.zeros((len(alone.mode), len(field.competitors)))
    for block in blocks_of(design, field.kind, component):
        loading[alone.slice_of(block.name)] += block.loading.T.toarray()
    return Alone(loading, alone.solve(loading), alone.mode @ loading)


def make_unpooled(design: Design, alone: Laplace, ratings: Ratings) -> dict[str, Unpooled]:
    """Unpooled estimates by component.

    Results tell competitors apart; where all of them stand they need not tell, so nothing here looks at an estimate by
    itself. Each component is placed on the pooled zero by the weighted mean difference over the competitors whose own
    results determine how far they are from each other: well-measured competitors then stand where they stand.
    """
    parts = {one: alone_of(design, alone, ratings.field, one) for one in design.outcome.components}
    reasons = {one: _reasons(design, part, ratings.field, one) for one, part in parts.items()}
    weights = {one: _precision(part, reasons[one]) for one, part in parts.items()}
    found: dict[str, Unpooled] = {}
    for one, part in parts.items():
        shift = weights[one] @ (part.estimate - ratings.components[one].mean(axis=0))
        found[one] = _blanked(part.estimate - shift, part.contrast_sd(weights[one]), reasons[one])
    if len(parts) == 1:
        return found
    either = tuple(next((r for r in pair if r), None) for pair in zip(*reasons.values(), strict=True))
    both = alone_of(design, alone, ratings.field, "total")
    mean = np.sum([part.solved @ weights[one] for one, part in parts.items()], axis=0)
    zero = np.sum([part.loading @ weights[one] for one, part in parts.items()], axis=0)
    se = np.sqrt(np.maximum(both.variance - 2 * (both.loading.T @ mean) + zero @ mean, 0))
    estimate = np.sum([unpooled.estimate for unpooled in found.values()], axis=0)
    return {**found, "total": _blanked(estimate, se, either)}


def _precision(part: Alone, reasons: tuple[str | None, ...]) -> Array:
    """Weights that sum to one, by the precision of each own estimate less the mean of all; none where there is a
    reason."""
    determined = np.array([reason is None for reason in reasons])
    if not determined.any():
        return determined.astype(float)
    sd = part.contrast_sd(determined / determined.sum())
    weight = np.where(determined, 1 / np.maximum(sd, 1e-6) ** 2, 0.0)
    return weight / weight.sum()


def _blanked(estimate: Array, se: Array, reason: tuple[str | None, ...]) -> Unpooled:
    lost = np.array([r is not None for r in reason])
    return Unpooled(np.where(lost, np.nan, estimate), np.where(lost, np.nan, se), reason)


def _reasons(design: Design, part: Alone, field: Field, component: str) -> tuple[str | None, ...]:
    """Why each competitor has no finite unpooled estimate of a component; None where it has one."""
    base = next(block for block in blocks_of(design, field.kind, component) if block.role == "base")
    conditions: list[NDArray[np.bool_]] = [field.pool > 1]
    words = ["not connected with the largest pool"]
    extreme = design.outcome.extremes(design.results()).get(component)
    if extreme is not None:
        sides = abs(design.kind(field.kind).sides)
        for there, text in ((extreme.best, extreme.best_words), (extreme.worst, extreme.worst_words)):
            conditions.append(np.isclose(sides.T @ (~there).astype(float), 0))
            words.append(text)
    finite = ~np.any(conditions, axis=0)
    others = finite if finite.any() else np.ones(len(finite), dtype=bool)
    vague = part.contrast_sd(others / others.sum()) > VAGUE * base.prior_scale
    reasons = np.select([*conditions, vague], [*words, "its results do not determine it"], "")
    return tuple(str(reason) or None for reason in reasons)
