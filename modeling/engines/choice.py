"""Which engine takes a Design, and why: one door to all of them.

An engine that is prepared for a Design samples it for any subset of its games: a DataTree of joint draws.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from modeling.design import FIXED_SCALES, Design
from modeling.engines import laplace
from modeling.engines.chain import engine as chain
from modeling.engines.joint import engine as joint
from modeling.engines.laplace import Laplace
from modeling.games import Start
from modeling.posterior import Posterior, from_tree
from store.errors import FitError

NUTS = "nuts"
CHAIN_DRAWS = 1000  # of the chain engine, for which each is a global solve
FEW_DRAWS = 200  # of what is not published but compared: standard errors are known to 5 %
WANTED = ("auto", "fast", NUTS)
WORDS = {
    joint.NAME: "the posterior without sampling, with its own checks; where they fail, nuts does it again.",
    chain.NAME: "the same for leagues of any size, by messages between competitors' chains of states.",
    NUTS: "PyMC, sampled by nutpie.",
}
Progress = Callable[[float], None]
Sampler = Callable[[NDArray[np.bool_], int, int, Progress, float], xr.DataTree]
"""(games chosen, seed, joint draws, progress, target acceptance) -> the posterior; only NUTS has an acceptance."""


@dataclass(frozen=True)
class Choice:
    """An engine, and why it was chosen, in words."""

    engine: str
    why: str


def choose(design: Design, wanted: str) -> Choice:
    """The engine for a Design: the one asked for, or the fastest that takes it.

    Raises FitError where there is no such engine.
    """
    if wanted not in WANTED:
        raise FitError(f'There is no engine "{wanted}".', f"Engines: {', '.join(WANTED)}.")
    if wanted == NUTS:
        return Choice(NUTS, "asked for")
    too_large = joint.takes(design)
    if too_large is None:
        return Choice(joint.NAME, "its effects fit into one dense factor")
    refused = chain.takes(design)
    if refused is None:
        return Choice(chain.NAME, f"{too_large}; every row links at most two competitors' chains")
    return Choice(NUTS, f"no fast engine can take it: {too_large}; {refused}")


def prepare(engine: str, design: Design, start: Start | None) -> Sampler:
    """The engine ready for a Design; compiling a model for NUTS takes about 5 s."""
    if engine == NUTS:
        from modeling.engines import nuts  # only now: importing PyMC takes seconds, and few fits need it

        compiled = nuts.compile_design(design, start)
        return lambda chosen, seed, draws, tell, care: nuts.sample(
            compiled, chosen, seed, draws // nuts.CHAINS, tell, care
        )
    if engine == chain.NAME:
        return _chained(design, start.restart if start else None)
    return lambda chosen, seed, draws, tell, _care: joint.fit(design, chosen, seed, draws, start, tell)


def _chained(design: Design, start: xr.DataTree | None) -> Sampler:
    """The chain engine: each fit of some of a Design's games starts where the last one ended."""
    structure, last = chain.structure_of(design), [start]

    def sampled(chosen: NDArray[np.bool_], seed: int, draws: int, tell: Progress, _care: float) -> xr.DataTree:
        few = CHAIN_DRAWS if chosen.all() else FEW_DRAWS
        tree = chain.fit(design, chosen, seed, min(draws, few), last[0], tell, structure)
        last[0] = tree
        return tree

    return sampled


def unpooled(engine: str, design: Design, chosen: NDArray[np.bool_], likely: dict[str, float]) -> Laplace | Posterior:
    """The Design without pooling given the chosen games: every scale at ten times its prior's.

    As a Gaussian with the likelihood's own parameters at `likely`; of the engine for the largest leagues as joint draws,
    with those parameters learned.
    """
    if engine != chain.NAME:
        return laplace.no_pooling(design, chosen, likely)
    blocks = tuple(replace(block, fixed_scale=FIXED_SCALES["none"] * block.prior_scale) for block in design.blocks)
    return from_tree(design, chain.fit(replace(design, blocks=blocks), chosen, 0, FEW_DRAWS))
