"""From joint draws to ratings: contrasts to the ranked, and ranks with their uncertainty."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import rankdata

from modeling.block import Block
from modeling.design import Design
from modeling.field import Field
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior
from modeling.terms import laid_out


@dataclass(frozen=True)
class Slope:
    """A rating at one value of what it varies by: on clay, in a season, at home."""

    component: str
    units: tuple[int, ...]
    """Numbers of the competitors that have one."""
    draws: Array
    """Shape (draws, units)."""


@dataclass(frozen=True)
class Ratings:
    """Joint draws of every component of every rating of one kind, as contrasts to the reference."""

    field: Field
    components: dict[str, Array]
    """By component (attack, defence, total), each of shape (draws, competitors)."""
    reference: Array
    """What the reference's own effects add to a row of the likelihood, shape (draws,)."""
    ranks: Array
    """Rank by total among the ranked in each draw, shape (draws, ranked)."""


def blocks_of(design: Design, kind: str, component: str) -> list[Block]:
    """The blocks whose sum is a component of a kind's rating; those of every component for the total."""
    return [
        block
        for block in design.blocks
        if block.kind == kind and block.role != "slope" and not block.by and component in (block.component, "total")
    ]


def make_ratings(design: Design, posterior: Posterior, field: Field, rng: np.random.Generator) -> Ratings:
    """Ratings as ruled: eta of the competitor's side less eta of the reference's, on neutral ground, draw by draw.

    Where ratings walk, each is the state at the as-of date: the last state and what idle years may have changed since.
    """
    components: dict[str, Array] = {}
    added = np.zeros(posterior.draws)
    for component in design.outcome.components:
        blocks = blocks_of(design, field.kind, component)
        effects = _sum(current(block, posterior, rng) for block in blocks)
        mean = effects[:, field.reference].mean(axis=1)
        effects -= mean[:, None]
        components[component] = effects
        added += _side_sum(design, field.kind, component) * mean
    if len(components) > 1:
        components["total"] = _sum(iter(components.values()))
    ranks = rankdata(-components["total"][:, field.ranked], axis=1, method="ordinal")
    return Ratings(field, components, added, ranks)


def _side_sum(design: Design, kind: str, component: str) -> float:
    """What an effect that all competitors of a kind share adds to every row; 0 where it does not add the same."""
    sums = csr_array(design.kind(kind).sides.sum(axis=1)[:, None])
    each = laid_out(sums, design.outcome, component).toarray().ravel()
    return float(each[0]) if np.allclose(each, each[0]) else 0.0


def _sum(parts: Iterator[Array]) -> Array:
    """The sum of arrays of which each may be large, in a new one."""
    total = next(parts).copy()
    for part in parts:
        total += part
    return total


def current(block: Block, posterior: Posterior, rng: np.random.Generator) -> Array:
    """The block's part of each unit's state at the as-of date, shape (draws, units)."""
    state = posterior.last(block)
    if block.idle is None or not block.idle.any():
        return state
    moved = rng.standard_normal(state.shape, state.dtype)
    moved *= posterior.scales[block.name][:, None]
    moved *= np.sqrt(block.idle_variance)
    moved += state
    return moved


def slopes_of(design: Design, posterior: Posterior, ratings: Ratings, rng: np.random.Generator) -> Iterator[Slope]:
    """The total at each value that a kind's ratings vary by; the reference is of the ranked who have that value."""
    field, total = ratings.field, ratings.components["total"]
    varying = [block for block in design.blocks if block.kind == field.kind and block.by]
    for by in dict.fromkeys(block.by for block in varying):
        own = [block for block in varying if block.by == by]
        owner, value = own[0].owner, np.array(own[0].value)
        assert owner is not None
        deviation = _sum(current(block, posterior, rng) for block in own)
        for one in np.unique(value):
            units = np.flatnonzero(value == one)
            at = total[:, owner[units]] + deviation[:, units]
            chosen = field.reference[owner[units]]
            zero = at[:, chosen].mean(axis=1) if chosen.any() else np.zeros(len(at))
            yield Slope(f"{by}:{one}", tuple(owner[units].tolist()), at - zero[:, None])


def intercept_of(posterior: Posterior, ratings: list[Ratings]) -> Array:
    """Linear predictor of one reference side against another on neutral ground, shape (draws,)."""
    return posterior.level + np.sum([one.reference for one in ratings], axis=0)


def parameter_draws(design: Design, posterior: Posterior, ratings: list[Ratings]) -> dict[str, Array]:
    """Draws of every scale that is learned, fixed effect and parameter of the likelihood, each of shape (draws,)."""
    found = {"intercept": intercept_of(posterior, ratings)} if design.outcome.has_intercept else {}
    given = {block.name for block in design.blocks if block.fixed_scale is not None}
    scales = {f"scale_{name}": draws for name, draws in posterior.scales.items() if name not in given}
    return found | posterior.fixed | posterior.auxiliaries | scales


def prior_variance(design: Design, posterior: Posterior, field: Field, component: str) -> Array:
    """Prior variance of each competitor's contrast to the reference's mean, at the posterior's mean squared scales.

    Of a sum of blocks with loadings L and prior covariance C: diag(L C L') - 2 L C m + m' C m, m the reference's mean
    loading; a walk's C is that of its independent steps.
    """
    total = np.zeros(len(field.competitors))
    weight = field.reference / field.reference.sum()
    for block in blocks_of(design, field.kind, component):
        scale = float(np.mean(posterior.scales[block.name] ** 2))
        scaled = csr_array(block.reach.multiply(block.step_sd[None, :]))
        mean = weight @ scaled
        own = np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel()
        idle = block.idle_variance
        total += scale * (own - 2 * (scaled @ mean) + mean @ mean + idle * (1 - 2 * weight) + weight**2 @ idle)
    return total
