"""Unpooled estimates: what a competitor's own results alone say, on the zero of the pooled ratings."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from modeling.design import Design
from modeling.engines.chain.mode import Margins
from modeling.engines.laplace import Laplace
from modeling.field import Field
from modeling.outcomes.outcome import Array
from modeling.ratings import Ratings, blocks_of

NOT_FOUND = "no estimate without pooling was found for its league"
VAGUE = 5.0  # in prior scales: half of the sd that "no pooling" starts from, so the results said next to nothing


@dataclass(frozen=True)
class Unpooled:
    """Estimates from a competitor's own results alone, on the zero of the pooled ratings; NaN with a reason.

    They are of the last state, whatever idle years have left of it: a competitor who is forgotten is still told by it.
    """

    estimate: Array
    se: Array
    reason: tuple[str | None, ...]


class Alone(Protocol):
    """Every competitor of a field in the unpooled fit."""

    def estimate(self, component: str) -> Array:
        """Each competitor's component; where all of them stand is another matter."""
        ...

    def sd(self, component: str, weights: dict[str, Array]) -> Array:
        """Sd of each estimate less the weighted means of the components it consists of."""
        ...


@dataclass(frozen=True)
class Solved:
    """From a Gaussian around the mode, by its dense factor."""

    mode: Array
    parts: dict[str, tuple[Array, Array]]
    """By component its loadings on theta, and H^-1 times them; both of shape (parameters, competitors)."""

    def estimate(self, component: str) -> Array:
        """Each competitor's component at the mode."""
        return self.mode @ self.parts[component][0]

    def sd(self, component: str, weights: dict[str, Array]) -> Array:
        """The root of var(a) - 2 cov(a, mean) + var(mean)."""
        loading, solved = self.parts[component]
        zero = np.sum([self.parts[one][0] @ weight for one, weight in weights.items()], axis=0)
        mean = np.sum([self.parts[one][1] @ weight for one, weight in weights.items()], axis=0)
        variance = np.einsum("ij,ij->j", loading, solved) - 2 * (loading.T @ mean) + zero @ mean
        return np.sqrt(np.maximum(variance, 0))


@dataclass(frozen=True)
class Apart:
    """From margins that hold competitors apart, where a dense factor would be too large."""

    mean: dict[str, Array]
    """By component, shape (competitors,)."""
    variance: dict[str, Array]

    def estimate(self, component: str) -> Array:
        """Each competitor's component at the mode."""
        return self.mean[component]

    def sd(self, component: str, weights: dict[str, Array]) -> Array:
        """The root of var(a) - 2 w(a) var(a) + sum of w^2 var, over the components."""
        own = {one: weight * self.variance[one] for one, weight in weights.items()}
        zero = sum(float(weights[one] @ part) for one, part in own.items())
        return np.sqrt(np.maximum(self.variance[component] - 2 * np.sum(list(own.values()), axis=0) + zero, 0))


def alone_in(design: Design, fit: Laplace | Margins, field: Field) -> Alone:
    """A field's competitors in an unpooled fit."""
    wanted = {one: blocks_of(design, field.kind, one) for one in (*design.outcome.components, "total")}
    if isinstance(fit, Margins):
        held = {one: [b.name for b in blocks if b.name in fit.mean] for one, blocks in wanted.items()}
        sums = (
            {k: np.sum([of[b] for b in names], axis=0) for k, names in held.items()} for of in (fit.mean, fit.variance)
        )
        return Apart(*sums)
    parts: dict[str, tuple[Array, Array]] = {}
    for one, blocks in wanted.items():
        loading = np.zeros((len(fit.mode), len(field.competitors)))
        for block in blocks:
            loading[fit.slice_of(block.name)] += block.last.T.toarray()
        parts[one] = loading, fit.solve(loading)
    return Solved(fit.mode, parts)


def make_unpooled(design: Design, fit: Laplace | Margins, ratings: Ratings) -> dict[str, Unpooled]:
    """Unpooled estimates by component, from the fit of the same Design without pooling.

    Results tell competitors apart; where all of them stand they need not tell, so nothing here looks at an estimate by
    itself. Each component is placed on the pooled zero by the weighted mean difference over the competitors whose own
    results determine how far they are from each other: well-measured competitors then stand where they stand.
    """
    parts, alone = design.outcome.components, alone_in(design, fit, ratings.field)
    reasons = {one: _reasons(design, alone, ratings.field, one) for one in parts}
    weights = {one: _precision(alone, one, reasons[one]) for one in parts}
    found: dict[str, Unpooled] = {}
    for one in parts:
        estimate = alone.estimate(one)
        shift = weights[one] @ (estimate - ratings.components[one].mean(axis=0))
        found[one] = _blanked(estimate - shift, alone.sd(one, {one: weights[one]}), reasons[one])
    if len(parts) == 1:
        return found
    either = tuple(next((r for r in pair if r), None) for pair in zip(*reasons.values(), strict=True))
    estimate = np.sum([unpooled.estimate for unpooled in found.values()], axis=0)
    return {**found, "total": _blanked(estimate, alone.sd("total", weights), either)}


def not_found(design: Design, ratings: Ratings) -> dict[str, Unpooled]:
    """Unpooled estimates by component of a league whose fit without pooling was not found: none, and why."""
    nobody = np.full(len(ratings.field.competitors), np.nan)
    none = Unpooled(nobody, nobody, (NOT_FOUND,) * len(nobody))
    return dict.fromkeys(ratings.components, none)


def _precision(alone: Alone, component: str, reasons: tuple[str | None, ...]) -> Array:
    """Weights that sum to one, by the precision of each own estimate less the mean of all; none where there is a
    reason."""
    determined = np.array([reason is None for reason in reasons])
    if not determined.any():
        return determined.astype(float)
    sd = alone.sd(component, {component: determined / determined.sum()})
    weight = np.where(determined, 1 / np.maximum(sd, 1e-6) ** 2, 0.0)
    return weight / weight.sum()


def _blanked(estimate: Array, se: Array, reason: tuple[str | None, ...]) -> Unpooled:
    lost = np.array([r is not None for r in reason])
    return Unpooled(np.where(lost, np.nan, estimate), np.where(lost, np.nan, se), reason)


def _reasons(design: Design, alone: Alone, field: Field, component: str) -> tuple[str | None, ...]:
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
    vague = alone.sd(component, {component: others / others.sum()}) > VAGUE * base.prior_scale
    reasons = np.select([*conditions, vague], [*words, "its results do not determine it"], "")
    return tuple(str(reason) or None for reason in reasons)
