"""The reference engine: the Design as a PyMC model, sampled with NUTS by nutpie.

A block whose rows all have the same sum of weights is confounded with the intercept: only the sum of the two meets the
data. Independent normal effects split exactly into their mean and deviations that sum to zero, independent of each
other, so the rows see the deviations and one `level` = intercept + the blocks' mean shifts, whose prior variance is the
sum of theirs. Where rows are differences of two sides, the mean meets nothing at all and is left out. This is the same
prior on everything that ratings use, identified by construction. The deviations are free effects less their mean, which
keeps its prior and nothing else: measured on internationals, that has up to twice the effective draws of coordinates of
the space where sums are zero (PyMC's ZeroSumNormal), each of which mixes a level with all the others.

A block is sampled as it stands (centred) where the results say more about its levels than the prior does, and as scale
times standard deviations from the group (non-centred) where they say less: each avoids the funnel that the other has.
Betancourt and Girolami (2015), "Hamiltonian Monte Carlo for hierarchical models". Walks are sampled as their steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import xarray as xr
from numpy.typing import NDArray
from pytensor.configdefaults import config
from scipy.sparse import csr_array

from modeling.block import Block
from modeling.design import Design
from modeling.earlier import Start
from modeling.engines import laplace
from modeling.outcomes.outcome import Array, Auxiliary
from modeling.outcomes.symbols import pt
from store.errors import FitError

NAME = "nuts"
CHAINS = 4
TUNE = 1000
CENTRED_ABOVE = 3.0  # measured: below 2 the centred form diverges, above 4 it has several times the other's draws
FEW_ENTRIES = 4  # rows of up to so many levels are looked up instead of multiplied

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Compiled:
    """A Design compiled once, sampled for any subset of its games."""

    design: Design
    model: Any
    centred: tuple[str, ...] = ()
    """The blocks that are sampled as they stand."""
    started_from: str | None = None
    """The fit whose posterior means the chains start around."""


def compile_design(design: Design, start: Start | None = None) -> Compiled:
    """The PyMC model of a Design, compiled (about 5 s), its chains to start around an earlier fit's posterior means."""
    everything = np.ones(design.games, dtype=bool)
    centred = _centred(design, everything)
    # PyTensor leaves the source of everything it compiles behind: in a folder of ours, it goes.
    with TemporaryDirectory(prefix="pooltable-") as folder, config.change_flags(generated_src_dir=folder):
        model = _model(design, design.collapsed(everything), centred)
        points: Any = _points(design, start, {one.name for one in model.free_RVs}) if start else {}
        compiled = nutpie.compile_pymc_model(model, backend="numba", initial_points=points)
    return Compiled(design, compiled, centred, start.fit_id if start else None)


def _centred(design: Design, everything: NDArray[np.bool_]) -> tuple[str, ...]:
    """The blocks that are sampled as they stand; none where the unpooled fit that tells them is not found: what is
    not centred is right as well, if slower. Raises FitError where a Design is too large."""
    try:
        alone = laplace.no_pooling(design, everything, {one.name: one.start for one in design.auxiliaries})
    except FitError:
        if design.effects > laplace.MOST_LATENT:
            raise
        return ()
    return tuple(b.name for b in design.blocks if b.previous is None and is_centred(design, b, alone))


def _points(design: Design, start: Start, known: set[str]) -> dict[str, Any]:
    """Where the earlier fit puts this model's variables; those it does not know start at their usual place."""
    values = start.parameters
    found: dict[str, Any] = {name: values[name] for name in known & set(values)}
    if "level" in known and "intercept" in values:
        found["level"] = values["intercept"]
    grouped = {block.name.removesuffix("_group") for block in design.blocks if block.role == "group"}
    for block in design.blocks:
        means = start.effects.get((block.kind, block.component))
        scale = values.get(f"scale_{block.name}")
        if block.role != "base" or block.name in grouped or not means or not scale:
            continue
        effect = np.array([means.get(level, 0.0) for level in block.levels])
        effect -= effect.mean()
        centred = f"{block.name}_free" in known
        found[f"{block.name}_free" if centred else f"{block.name}_standard"] = effect if centred else effect / scale
    return found


def sample(
    compiled: Compiled,
    chosen: NDArray[np.bool_],
    seed: int,
    draws: int = 1000,
    progress: Progress | None = None,
    target_accept: float = 0.8,
) -> xr.DataTree:
    """Posterior of the Design given the chosen games, shape (games,): a DataTree with posterior and sample_stats.

    Variables: level, scale_<block>, <block> (deviations; of a walk, distance from the entry state), each fixed effect
    and each parameter of the likelihood; 4 chains x `draws` after 1,000 of tuning. Raises FitError where sampling
    cannot start.
    """
    options: dict[str, Any] = {"progress_bar": False}
    if progress is not None:
        options |= {"progress_callback": _reporting(progress, draws)}
    try:
        tree = nutpie.sample(
            compiled.model.with_data(tally=compiled.design.collapsed(chosen)),
            draws=draws,
            tune=TUNE,
            chains=CHAINS,
            cores=2,
            seed=seed,
            target_accept=target_accept,
            save_warmup=False,
            **options,
        )
    except RuntimeError as error:
        raise FitError(f"{compiled.design.league}: NUTS could not sample: {error}") from error
    assert isinstance(tree, xr.DataTree)
    tree.attrs |= {"engine": NAME, "sampler": f"nutpie {nutpie.__version__}", "seed": seed, "tune": TUNE}
    tree.attrs |= {"target_accept": target_accept}
    tree.attrs |= {"league": compiled.design.league, "centred": ", ".join(compiled.centred)}
    tree.attrs |= {"started_from": compiled.started_from or ""}
    return tree


def _model(design: Design, tally: Array, centred: tuple[str, ...]) -> pm.Model:
    coords = {f"{block.name}_level": list(block.levels) for block in design.blocks}
    rows = design.cell_rows
    with pm.Model(coords=coords) as model:
        seen = pm.Data("tally", tally)
        eta: Any = pt.zeros(len(rows))
        level_variance: Any = design.intercept_sd**2
        for block in design.blocks:
            effect, variance = _walk(block) if block.previous is not None else _block(block, block.name in centred)
            level_variance += variance
            eta += _times(csr_array(block.weights[rows]), effect)
        if design.outcome.has_intercept:
            eta += pm.Normal("level", design.centre, pt.sqrt(level_variance))
        for fixed in design.fixed:
            eta += pt.as_tensor(fixed.values[rows]) * pm.Normal(fixed.name, 0.0, fixed.prior_sd)
        values = {one.name: _auxiliary(one) for one in design.auxiliaries}
        arguments = design.likelihood_arguments(values, rows, exp=pt.exp)
        pm.Potential("likelihood", design.outcome.pymc(seen, eta, arguments))
    return model


def _auxiliary(one: Auxiliary) -> Any:
    return pm.Normal(one.name, 0.0, one.scale) if one.is_signed else pm.HalfNormal(one.name, one.scale)


def _block(block: Block, centred: bool) -> tuple[Any, Any]:
    """The block's effects, and the prior variance that its mean adds to the level."""
    scale = _scale(block)
    dims, confounded = f"{block.name}_level", block.row_sum is not None and len(block.levels) > 1
    if centred:
        free = pm.Normal(f"{block.name}_free", sigma=scale, dims=dims)
    else:
        free = scale * pm.Normal(f"{block.name}_standard", sigma=1.0, dims=dims)
    effect = pm.Deterministic(block.name, free - free.mean() if confounded else free, dims=dims)
    return effect, (block.row_sum or 0.0) ** 2 * scale**2 / len(block.levels) if confounded else 0.0


def _scale(block: Block) -> Any:
    """The block's scale: learned, or as given."""
    name = f"scale_{block.name}"
    if block.fixed_scale is None:
        return pm.HalfNormal(name, block.prior_scale)
    return pm.Deterministic(name, pt.constant(block.fixed_scale))


def _walk(block: Block) -> tuple[Any, Any]:
    """The walk's states less what is left of the entry states: sums of the steps of each chain, which stand one after
    the other, or of what is left of them."""
    scale = _scale(block)
    dims = f"{block.name}_level"
    steps = scale * block.step_sd * pm.Normal(f"{block.name}_standard", dims=dims)
    if block.persistence < 1:
        return pm.Deterministic(block.name, _fading_sums(block, steps), dims=dims), 0.0
    sums = pt.concatenate([pt.zeros(1), pt.cumsum(steps)])
    return pm.Deterministic(block.name, sums[1:] - sums[block.starts], dims=dims), 0.0


def _fading_sums(block: Block, steps: Any) -> Any:
    """The states u = kept * the one before + step, from every state together with the 1, 2, 4, … before it: a scan in
    as many rounds as the logarithm of the longest chain, of factors that never exceed 1.

    Hillis and Steele (1986), "Data parallel algorithms", Communications of the ACM 29.
    """
    numbers = np.arange(len(block.levels))
    longest = int((numbers - block.starts).max(initial=0)) + 1
    factor, apart = np.where(numbers > block.starts, block.kept, 0.0), 1
    while apart < longest:
        steps = steps + pt.concatenate([pt.zeros(apart), pt.as_tensor(factor[apart:]) * steps[:-apart]])
        factor = np.concatenate([np.zeros(apart), factor[apart:] * factor[:-apart]])
        apart *= 2
    return steps


def is_centred(design: Design, block: Block, alone: laplace.Laplace) -> bool:
    """Whether the results say much more about the block's levels than their common prior, judged from the unpooled fit.

    The variance between levels, less what the estimates' own errors explain, over those errors' variance; levels that
    the results hardly determine are left out. A group's estimate is the mean of its members', its error theirs over
    their number; a member's is its distance from that mean.
    """
    if block.fixed_scale is not None:
        return block.fixed_scale > block.prior_scale
    effects, error = _estimates(design, block, alone)
    known = error <= 4 * np.median(error)
    typical = max(error[known].mean(), 1e-12)
    return float((effects[known].var() - typical) / typical) > CENTRED_ABOVE


def _estimates(design: Design, block: Block, alone: laplace.Laplace) -> tuple[Array, Array]:
    """Unpooled estimate of each level and the variance of its error."""
    if block.role not in ("base", "group"):
        return _totals([block], np.eye(len(block.levels)), alone)
    family = [
        b for b in design.blocks if b.name in (block.name, f"{block.name}_group", block.name.removesuffix("_group"))
    ]
    group = next((b for b in family if b.role == "group"), None)
    totals, error = _totals(family, None, alone)
    if group is None:
        return totals, error
    members = np.maximum(np.asarray(group.loading.sum(axis=0)).ravel(), 1)
    means = np.asarray(group.loading.T @ totals).ravel() / members
    apart = totals - group.loading @ means
    if block.role == "base":
        return apart, error
    return means, np.asarray(group.loading.T @ apart**2).ravel() / members**2


def _totals(blocks: list[Block], loadings: Array | None, alone: laplace.Laplace) -> tuple[Array, Array]:
    """Sums of blocks' effects by unit in the unpooled fit, and the variance of their contrasts to the mean."""
    units = len(blocks[0].loading.indptr) - 1
    loading = np.zeros((len(alone.mode), units))
    for block in blocks:
        of_units = np.eye(units) if block.role == "base" else block.loading.T.toarray()
        loading[alone.slice_of(block.name)] += of_units if loadings is None else loadings
    solved, mean = alone.solve(loading), loading.mean(axis=1)
    error = np.einsum("ij,ij->j", loading, solved) - 2 * (mean @ solved) + mean @ solved.mean(axis=1)
    return alone.mode @ loading, error


def _times(weights: csr_array, effect: Any) -> Any:
    """Z u; look-ups where every row has the same few levels, as most have."""
    entries = np.diff(weights.indptr)
    if len(entries) and entries.min() == entries.max() and 0 < entries[0] <= FEW_ENTRIES:
        data, index = weights.data.reshape(-1, entries[0]), weights.indices.reshape(-1, entries[0])
        return sum(pt.as_tensor(data[:, k]) * effect[index[:, k]] for k in range(entries[0]))
    # As fast as PyTensor's product with a sparse constant, which its rewrites of logarithms cannot look into (3.3.7).
    rows = np.repeat(np.arange(len(entries)), entries)
    return pt.inc_subtensor(pt.zeros(len(entries))[rows], pt.as_tensor(weights.data) * effect[weights.indices])


def _reporting(progress: Progress, draws: int) -> Callable[[list[Any]], None]:
    total = CHAINS * (TUNE + draws)
    return lambda chains: progress(sum(chain.finished_draws for chain in chains) / total)
