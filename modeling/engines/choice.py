"""Which engine takes a Design, and why: one door to all of them.

An engine that is prepared for a Design samples it for any subset of its games: a DataTree of joint draws.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from modeling.design import FIXED_SCALES, Design
from modeling.earlier import Start
from modeling.engines import laplace
from modeling.engines.chain import engine as chain
from modeling.engines.chain.mode import Margins
from modeling.engines.chain.structure import Structure
from modeling.engines.joint import engine as joint
from modeling.engines.laplace import Laplace
from modeling.memory import give_back
from modeling.posterior import Posterior, Rows, from_tree
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
Forecaster = Callable[[NDArray[np.bool_], int, int, Progress], Posterior]
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
    by_rows: Forecaster | None = None
    """The posterior as far as `forecast` needs it, where `sample` would draw more: (games, seed, draws, progress)."""

    def forecast(
        self, design: Design, chosen: NDArray[np.bool_], seed: int, draws: int, tell: Progress, care: float
    ) -> Posterior:
        """The posterior given the chosen games, for forecasts of the others. Raises FitError."""
        if self.by_rows is not None:
            return self.by_rows(chosen, seed, draws, tell)
        return from_tree(design, self.sample(chosen, seed, draws, tell, care))


def prepare(
    engine: str, design: Design, start: Start | None, past: Mapping[str, NDArray[np.intp]] | None = None
) -> Prepared:
    """The engine ready for a Design; compiling a model for NUTS takes about 5 s.

    `past` are levels of walks that draws are wanted of even where a walk is too long for draws of all.
    """
    if engine == CHAIN:
        return _chained(design, start, past)
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


def _chained(design: Design, start: Start | None, past: Mapping[str, NDArray[np.intp]] | None) -> Prepared:
    """The chain engine: each fit of some of a Design's games starts where the last one ended."""
    structure, last = chain.structure_of(design), [start.restart if start else None]
    give_back()
    alone: list[Margins | None] = [None]
    wide = {f"scale_{block.name}": FIXED_SCALES["none"] * block.prior_scale for block in design.blocks}

    def sample(chosen: NDArray[np.bool_], seed: int, draws: int, tell: Progress, _care: float) -> xr.DataTree:
        few, wanted = (CHAIN_DRAWS, past) if chosen.all() else (FEW_DRAWS, None)
        tree = chain.fit(design, chosen, seed, min(draws, few), last[0], tell, structure, wanted)
        tree.attrs["started_from"] = start.fit_id if start and last[0] is not None else ""
        last[0] = tree
        return tree

    def by_rows(chosen: NDArray[np.bool_], seed: int, draws: int, tell: Progress) -> Posterior:
        return _believed(replace(structure, counts=chosen[design.game]), seed, min(draws, FEW_DRAWS), last[0], tell)

    def unpooled(chosen: NDArray[np.bool_], likely: dict[str, float]) -> Margins:
        alone[0] = chain.fit_mode(structure, chosen, wide | likely, alone[0])
        return alone[0]

    is_long = any(block.role == "walk" and len(block.levels) * FEW_DRAWS > chain.KEPT for block in design.blocks)
    return Prepared(sample, unpooled, by_rows if is_long else None)


def _believed(structure: Structure, seed: int, draws: int, start: xr.DataTree | None, tell: Progress) -> Posterior:
    """What the chain engine believes of each row of a walk too long for draws of all its states; no draw is solved for,
    since forecasts would use none."""
    found, objective = chain.maximum(structure, start, lambda share: tell(share / 0.6))
    rng, one, size = np.random.default_rng(seed), found.smoothed, (draws, len(found.point))
    points = found.point + rng.standard_normal(size) @ np.linalg.cholesky(found.covariance).T
    values = {hyper.name: hyper.value(at) for hyper, at in zip(objective.hypers, points.T, strict=True)}
    auxiliaries = {auxiliary.name: values[auxiliary.name] for auxiliary in structure.design.auxiliaries}
    believed = Rows(one.eta, np.sqrt(one.eta_variance), rng)
    return Posterior(np.zeros(draws), {}, {}, {}, auxiliaries, rows=believed)
