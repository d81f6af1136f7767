"""What a fit's draws say beside its ratings: deviations by what ratings vary by, and where newcomers enter."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.design import Block, Design
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior
from modeling.ratings import Ratings, blocks_of, current
from modeling.tables import DRAWS_SCHEMA

SLOPE, ENTRY = "slope:", "entry:"  # what the components of such rows begin with


def state_rows(
    design: Design, posterior: Posterior, ratings: list[Ratings], rng: np.random.Generator
) -> Iterator[pl.DataFrame]:
    """Rows for a fit's draws file, as `modeling.tables.draw_rows` has them.

    `slope:BLOCK` has a level of a block of deviations (of the ranked, where its competitors are rated) at the as-of
    date; `entry:COMPONENT` the mean that newcomers of a group ("" without groups) are drawn around, as a rating.
    """
    for block in design.blocks:
        if block.role == "slope":
            yield _rows(block.kind, f"{SLOPE}{block.name}", *_deviations(design, block, posterior, ratings, rng))
    for one in ratings:
        for component in design.outcome.components:
            blocks = blocks_of(design, one.field.kind, component)
            group = next((block for block in blocks if block.role == "group"), None)
            zero = sum(posterior.last(block)[:, one.field.reference].mean(axis=1) for block in blocks)
            means = np.zeros((posterior.draws, 1)) if group is None else posterior.blocks[group.name]
            labels = ("",) if group is None else group.levels
            yield _rows(one.field.kind, f"{ENTRY}{component}", labels, means - np.asarray(zero)[:, None])


def _deviations(
    design: Design, block: Block, posterior: Posterior, ratings: list[Ratings], rng: np.random.Generator
) -> tuple[tuple[str, ...], Array]:
    """Levels of a block and their draws at the as-of date, its walk included."""
    walk = walk_of(design, block)
    state = posterior.last(block) + (0.0 if walk is None else current(walk, posterior, rng))
    rated = next((one.field for one in ratings if one.field.kind == block.kind), None)
    assert block.owner is not None
    kept = np.ones(len(block.owner), bool) if rated is None else rated.ranked[block.owner]
    return tuple(np.array(block.levels, dtype=object)[kept]), state[:, kept]


def walk_of(design: Design, block: Block) -> Block | None:
    """The walk of a block of competitors or of deviations, or None."""
    own = (block.kind, block.component, block.by, block.value)
    walks = [one for one in design.blocks if one.role == "walk" and (one.kind, one.component, one.by, one.value) == own]
    return next((one for one in walks if _same(one.owner, block.owner)), None)


def _same(one: NDArray[np.intp] | None, other: NDArray[np.intp] | None) -> bool:
    return (one is None and other is None) or (one is not None and other is not None and np.array_equal(one, other))


def _rows(kind: str, component: str, labels: tuple[str, ...], draws: Array) -> pl.DataFrame:
    rows = [
        {"kind": kind, "competitor_id": label, "component": component, "draws": column.astype(np.float32)}
        for label, column in zip(labels, draws.T, strict=True)
    ]
    return pl.DataFrame(rows, schema=DRAWS_SCHEMA)
