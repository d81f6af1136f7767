"""Which engine takes a Design, and why: one door to all of them.

An engine that is prepared for a Design samples it for any subset of its games: a DataTree of joint draws.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from modeling.design import Design
from modeling.engines.joint import engine as joint
from modeling.games import Start
from store.errors import FitError

NUTS = "nuts"
WANTED = ("auto", "fast", NUTS)
WORDS = {
    joint.NAME: "the posterior without sampling, with its own checks; where they fail, nuts does it again.",
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
    refused = joint.takes(design)
    if refused is None:
        return Choice(joint.NAME, "its effects fit into one dense factor")
    return Choice(NUTS, f"the fast engine cannot take it: {refused}")


def prepare(engine: str, design: Design, start: Start | None) -> Sampler:
    """The engine ready for a Design; compiling a model for NUTS takes about 5 s."""
    if engine == NUTS:
        from modeling.engines import nuts  # only now: importing PyMC takes seconds, and few fits need it

        compiled = nuts.compile_design(design, start)
        return lambda chosen, seed, draws, tell, care: nuts.sample(
            compiled, chosen, seed, draws // nuts.CHAINS, tell, care
        )
    return lambda chosen, seed, draws, tell, _care: joint.fit(design, chosen, seed, draws, start, tell)
