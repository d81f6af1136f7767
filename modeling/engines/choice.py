"""Which engine takes a Design, and why: one door to all of them.

An engine that is prepared for a Design samples it for any subset of its games: a DataTree of joint draws.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from modeling.design import FIXED_SCALES, Design
from modeling.engines import laplace
from modeling.engines.chain import engine as chain
from modeling.engines.chain.mode import Margins
from modeling.engines.joint import engine as joint
from modeling.engines.laplace import Laplace
from modeling.games import Start
from store.errors import FitError

NUTS, JOINT, CHAIN = "nuts", joint.NAME, chain.NAME
CHAIN_DRAWS = 1000  # of the chain engine, for which each is a global solve
FEW_DRAWS = 200  # of what is not published but compared: standard errors are known to 5 %
WANTED = ("auto", "fast", NUTS)
WORDS = {
    JOINT: "the posterior without sampling, with its own checks; where they fail, nuts does it again.",
    CHAIN: "the same for leagues of any size, by messages between competitors' chains of states.",
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
        return Choice(JOINT, "its effects fit into one dense factor")
    refused = chain.takes(design)
    if refused is None:
        return Choice(CHAIN, f"{too_large}; every row links at most two competitors' chains")
    return Choice(NUTS, f"no fast engine can take it: {too_large}; {refused}")


@dataclass(frozen=True)
class Prepared:
    """An engine ready for a Design."""

    sample: Sampler
    unpooled: Callable[[NDArray[np.bool_], dict[str, float]], Laplace | Margins]
    """(games chosen, the likelihood's own parameters) -> the Design without pooling, every scale at ten times its
    prior's. As a Gaussian; of the chain engine as its margins."""


def prepare(engine: str, design: Design, start: Start | None) -> Prepared:
    """The engine ready for a Design; compiling a model for NUTS takes about 5 s."""
    if engine == CHAIN:
        return _chained(design, start)
    if engine == NUTS:
        from modeling.engines import nuts  # only now: importing PyMC takes seconds, and few fits need it

        compiled = nuts.compile_design(design, start)
        return Prepared(
            lambda chosen, seed, draws, tell, care: nuts.sample(
                compiled, chosen, seed, draws // nuts.CHAINS, tell, care
            ),
            partial(laplace.no_pooling, design),
        )
    return Prepared(
        lambda chosen, seed, draws, tell, _care: joint.fit(design, chosen, seed, draws, start, tell),
        partial(laplace.no_pooling, design),
    )


def _chained(design: Design, start: Start | None) -> Prepared:
    """The chain engine: each fit of some of a Design's games starts where the last one ended."""
    structure, last = chain.structure_of(design), [start.restart if start else None]
    wide = {f"scale_{block.name}": FIXED_SCALES["none"] * block.prior_scale for block in design.blocks}

    def sample(chosen: NDArray[np.bool_], seed: int, draws: int, tell: Progress, _care: float) -> xr.DataTree:
        few = CHAIN_DRAWS if chosen.all() else FEW_DRAWS
        tree = chain.fit(design, chosen, seed, min(draws, few), last[0], tell, structure)
        tree.attrs["started_from"] = start.fit_id if start and last[0] is not None else ""
        last[0] = tree
        return tree

    return Prepared(sample, lambda chosen, likely: chain.fit_mode(structure, chosen, wide | likely))
