"""The reference engine: the Design as a PyMC model, sampled with NUTS by nutpie.

A block whose rows all have the same sum of weights is confounded with the intercept: only the sum of the two meets the
data. Independent normal effects split exactly into their mean and deviations that sum to zero, independent of each
other, so the model samples the deviations and one `level` = intercept + the blocks' mean shifts, whose prior variance
is the sum of theirs. This is the same prior on everything that ratings use, identified by construction.

A block is sampled as it stands (centred) where the results say more about its levels than the prior does, and as scale
times standard deviations from the group (non-centred) where they say less: each avoids the funnel that the other has.
Betancourt and Girolami (2015), "Hamiltonian Monte Carlo for hierarchical models".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from numpy.typing import NDArray
from pytensor.sparse import as_sparse_variable, structured_dot
from scipy.sparse import csr_array, csr_matrix

from modeling.design import Block, Design
from modeling.engines import laplace
from modeling.outcomes.outcome import Array
from store.errors import FitError

NAME = "nuts"
CHAINS = 4
TUNE = 1000
CENTRED_ABOVE = 3.0  # measured: below 2 the centred form diverges, above 4 it has several times the other's draws

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Compiled:
    """A Design compiled once, sampled for any subset of its games."""

    design: Design
    model: Any


def compile_design(design: Design) -> Compiled:
    """The PyMC model of a Design, compiled (about 5 s)."""
    everything = np.ones(design.games, dtype=bool)
    return Compiled(design, nutpie.compile_pymc_model(_model(design, *design.collapsed(everything)), backend="numba"))


def sample(
    compiled: Compiled,
    chosen: NDArray[np.bool_],
    seed: int,
    draws: int = 1000,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Posterior of the Design given the chosen games, shape (games,): a DataTree with posterior and sample_stats.

    Variables: level, scale_<block>, <block> (deviations), and each fixed effect; 4 chains x `draws` after 1,000 of
    tuning. Raises FitError where sampling cannot start.
    """
    y, exposure = compiled.design.collapsed(chosen)
    options: dict[str, Any] = {"progress_bar": False}
    if progress is not None:
        options |= {"progress_callback": _reporting(progress, draws)}
    try:
        tree = nutpie.sample(
            compiled.model.with_data(y=y, exposure=exposure),
            draws=draws,
            tune=TUNE,
            chains=CHAINS,
            cores=2,
            seed=seed,
            save_warmup=False,
            **options,
        )
    except RuntimeError as error:
        raise FitError(f"{compiled.design.league}: NUTS could not sample: {error}") from error
    assert isinstance(tree, xr.DataTree)
    tree.attrs |= {"engine": NAME, "sampler": f"nutpie {nutpie.__version__}", "seed": seed, "tune": TUNE}
    return tree


def _model(design: Design, y: Array, exposure: Array) -> pm.Model:
    coords = {f"{block.name}_level": list(block.levels) for block in design.blocks}
    with pm.Model(coords=coords) as model:
        counts, opportunity = pm.Data("y", y), pm.Data("exposure", exposure)
        eta, level_variance = 0.0, design.intercept_sd**2
        alone = laplace.no_pooling(design, np.ones(design.games, dtype=bool))
        for block in design.blocks:
            effect, variance = _block(block, alone)
            level_variance += variance
            eta += _times(block, design.cell_rows, effect)
        level = pm.Normal("level", 0.0, pt.sqrt(level_variance))
        for fixed in design.fixed:
            eta += pt.as_tensor(fixed.values[design.cell_rows]) * pm.Normal(fixed.name, 0.0, fixed.prior_sd)
        pm.Potential("likelihood", design.outcome.pymc(level + eta, counts, opportunity))
    return model


def _block(block: Block, alone: laplace.Laplace) -> tuple[Any, Any]:
    """The block's effects, and the prior variance that its mean adds to the level."""
    scale = pm.HalfNormal(f"scale_{block.name}", block.prior_scale)
    dims = f"{block.name}_level"
    normal = pm.Normal if block.row_sum is None else pm.ZeroSumNormal
    if is_centred(block, alone):
        effect = normal(block.name, sigma=scale, dims=dims)
    else:
        effect = pm.Deterministic(block.name, scale * normal(f"{block.name}_standard", sigma=1.0, dims=dims), dims=dims)
    return effect, (block.row_sum or 0.0) ** 2 * scale**2 / len(block.levels)


def is_centred(block: Block, alone: laplace.Laplace) -> bool:
    """Whether the results say much more about the block's levels than their group, judged from the unpooled fit.

    The variance between levels, less what the estimates' own errors explain, over those errors' variance; levels that
    the results hardly determine are left out.
    """
    effects = alone.mode[alone.slice_of(block.name)]
    error = alone.contrast_sd([block.name], {block.name: np.full(len(effects), 1 / len(effects))}) ** 2
    known = error <= 4 * np.median(error)
    typical = error[known].mean()
    return float((effects[known].var() - typical) / typical) > CENTRED_ABOVE


def _times(block: Block, rows: NDArray[np.intp], effect: Any) -> Any:
    """Z u for the given rows; a look-up where every row has one level, as most have."""
    weights = csr_array(block.weights[rows])
    if np.all(np.diff(weights.indptr) == 1):
        return pt.as_tensor(weights.data) * effect[weights.indices]
    return pt.flatten(structured_dot(as_sparse_variable(csr_matrix(weights)), effect[:, None]))


def _reporting(progress: Progress, draws: int) -> Callable[[list[Any]], None]:
    total = CHAINS * (TUNE + draws)
    return lambda chains: progress(sum(chain.finished_draws for chain in chains) / total)
