"""Joint posterior draws of a Design's parameters, whatever engine they come from, and what follows from them."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

from modeling.block import Block
from modeling.design import Design
from modeling.outcomes.outcome import Array, Auxiliaries

HELD_AT_ONCE = 1e6  # linear predictors in memory together


@dataclass(frozen=True)
class Rows:
    """What an engine believes of each row's linear predictor, for leagues whose states' draws are too many to hold.

    Draws of a row are then those of its own belief, apart from other rows: what is said of one game is as it would be
    from joint draws, and statistics of a whole league vary a little less.
    """

    mean: Array
    sd: Array
    noise: np.random.Generator


@dataclass(frozen=True)
class Past:
    """Past states of a walk that is too long for draws of all its levels."""

    levels: NDArray[np.intp]
    """In rising order."""
    states: Array
    """What is left of the entry state included, shape (some of the draws, levels)."""


@dataclass(frozen=True)
class Posterior:
    """Joint draws; element k of every array is the same draw. Chains follow one another in equal shares."""

    level: Array
    """Intercept, with whatever constant the blocks' means add to every row; shape (draws,); 0 where there is none."""
    fixed: dict[str, Array]
    """Fixed effects by name, each of shape (draws,)."""
    blocks: dict[str, Array]
    """Effects by block, each of shape (draws, levels)."""
    scales: dict[str, Array]
    """Learned scales by block, each of shape (draws,); empty where they were not learned."""
    auxiliaries: dict[str, Array] = field(default_factory=dict)
    """The likelihood's own parameters by name, each of shape (draws,)."""
    chains: int = 1
    currents: dict[str, Array] = field(default_factory=dict)
    """Of walks that are not among the blocks, what each unit's last state has moved by, shape (draws, units)."""
    rows: Rows | None = None
    """Where there are `currents`, what the rows' linear predictors are drawn from."""
    past: dict[str, Past] = field(default_factory=dict)
    """Of `currents` whose past was asked for, that."""
    of_past: NDArray[np.intp] | None = None
    """The numbers of the draws that it is of."""

    @property
    def draws(self) -> int:
        """Number of joint draws."""
        return len(self.level)

    @property
    def likely(self) -> dict[str, float]:
        """Posterior means of the likelihood's own parameters, by name."""
        return {name: float(draws.mean()) for name, draws in self.auxiliaries.items()}

    def evenly(self, most: int) -> NDArray[np.intp]:
        """Numbers of at most `most` draws (one a chain where that is more), evenly spaced and as many of each chain."""
        length = self.draws // self.chains
        spaced = np.linspace(0, length - 1, min(max(most // self.chains, 1), length)).astype(int)
        return (np.arange(self.chains)[:, None] * length + spaced).ravel()

    def thinned(self, most: int) -> "Posterior":
        """At most `most` draws, evenly spaced and as many of each chain."""
        return replace(self.chosen(self.evenly(most)), chains=self.chains)

    def chosen(self, chosen: NDArray[np.intp]) -> "Posterior":
        """Some of the draws, by number."""
        groups = (self.fixed, self.blocks, self.scales, self.auxiliaries, self.currents)
        fixed, blocks, scales, auxiliaries, currents = (
            {name: value[chosen] for name, value in group.items()} for group in groups
        )
        return Posterior(self.level[chosen], fixed, blocks, scales, auxiliaries, currents=currents, rows=self.rows)

    def last(self, block: Block) -> Array:
        """The block's part of each unit's last state, shape (draws, units)."""
        if block.name in self.currents:
            return self.currents[block.name]
        effects = self.blocks[block.name]
        return (csr_array(block.loading).astype(effects.dtype) @ effects.T).T

    def eta(self, design: Design, rows: NDArray[np.intp] | None = None) -> Array:
        """Linear predictor of the given (default: all) rows of the design in every draw, shape (draws, rows)."""
        rows = np.arange(len(design.y)) if rows is None else rows
        if self.rows is not None:
            return self.rows.mean[rows] + self.rows.sd[rows] * self.rows.noise.standard_normal((self.draws, len(rows)))
        total = np.repeat(self.level[:, None], len(rows), axis=1)
        for fixed in design.fixed:
            total += self.fixed[fixed.name][:, None] * fixed.values[rows]
        for block in design.blocks:
            if block.name in self.blocks:
                total += (csr_array(block.weights[rows]) @ self.blocks[block.name].T).T
        return total

    def likelihood_arguments(self, design: Design, rows: NDArray[np.intp] | None = None) -> Auxiliaries:
        """The likelihood's own parameters of every draw, to go with `eta` of the same rows."""
        return design.likelihood_arguments({name: one[:, None] for name, one in self.auxiliaries.items()}, rows)

    def seen(self, design: Design, rows: NDArray[np.intp] | None = None) -> tuple[Array, Auxiliaries]:
        """Linear predictor and parameters of the likelihood of the given (default: all) rows in every draw."""
        return self.eta(design, rows), self.likelihood_arguments(design, rows)


def from_tree(design: Design, tree: xr.DataTree) -> Posterior:
    """The draws of an engine's DataTree as arrays."""
    group = tree["posterior"]
    held = [block.name for block in design.blocks if block.name in group]
    currents = [block.name for block in design.blocks if block.name not in group]

    def flat(name: str) -> Array:
        values = group[name].to_numpy()
        return values.reshape(-1, *values.shape[2:])

    chains = group.sizes["chain"]
    count = chains * group.sizes["draw"]
    return Posterior(
        flat("level") if design.outcome.has_intercept else np.zeros(count),
        {fixed.name: flat(fixed.name) for fixed in design.fixed},
        {name: flat(name) for name in held},
        {block.name: flat(f"scale_{block.name}") for block in design.blocks},
        {one.name: flat(one.name) for one in design.auxiliaries},
        chains,
        {name: flat(f"{name}_current") for name in currents},
        _rows_of(tree) if currents else None,
        **(_past_of(tree) if "past" in tree.children else {}),
    )


def _past_of(tree: xr.DataTree) -> dict[str, Any]:
    found = tree["past"].to_dataset()
    past = {str(name): Past(found[f"{name}_at"].to_numpy(), found[name].to_numpy()) for name in found.data_vars}
    return {"past": past, "of_past": found["past_draw"].to_numpy()}


def _rows_of(tree: xr.DataTree) -> Rows:
    found = tree["rows"]
    noise = np.random.default_rng(int(tree.attrs["seed"]))
    return Rows(found["eta"].to_numpy(), found["eta_sd"].to_numpy(), noise)
