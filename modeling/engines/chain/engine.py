"""The chain engine: fit a Design whose rows link two competitors' chains, at any size, with its own diagnostics."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

from modeling.block import Block
from modeling.design import Design
from modeling.engines.chain import restart, sites
from modeling.engines.chain.draws import INTEGRATED, Draws, draw
from modeling.engines.chain.linear import Columns
from modeling.engines.chain.local import settled
from modeling.engines.chain.mode import Margins, find_mode
from modeling.engines.chain.scales import Found, Objective, maximise, parameters_of
from modeling.engines.chain.smooth import rows_of
from modeling.engines.chain.sources import sources
from modeling.engines.chain.structure import (
    MOST_SHARED,
    MOST_UNITS,
    Structure,
    is_shared,
    most_units,
    structure_of,
)
from modeling.memory import give_back
from modeling.outcomes.outcome import Array
from store.errors import FitError

NAME = "chain"
KEPT = 2e7  # values of a walk's draws that are kept in full; of larger ones the current states alone
PAST_KEPT = 2e7  # values of its past states' draws that are kept
PAST_DRAWS = 200  # of which the past states of such a walk are told: a 5 % quantile is then known to 0.15 sd
QUANTILES = {
    "q5": -1.6448536269514722,
    "q25": -0.6744897501960817,
    "q75": 0.6744897501960817,
    "q95": 1.6448536269514722,
}

Progress = Callable[[float], None]


def takes(design: Design) -> str | None:
    """None where the engine can take the Design, else the reason in words."""
    if sites.code_of(design) is None:
        return f'"{design.outcome.name}" with likelihood "{design.outcome.likelihood}" has rows that are no chains\''
    units = most_units(design)
    if units > MOST_UNITS:
        return f"{units} competitors' effects meet in one row; chains take {MOST_UNITS}"
    if not any(not is_shared(block) for block in design.blocks):
        return "no competitor is rated"
    shared = sum(len(block.levels) for block in design.blocks if is_shared(block)) + len(design.fixed)
    return f"{shared} shared effects are more than {MOST_SHARED}" if shared > MOST_SHARED else None


def fit(
    design: Design,
    chosen: NDArray[np.bool_],
    seed: int,
    draws: int = 1000,
    start: xr.DataTree | None = None,
    progress: Progress | None = None,
    structure: Structure | None = None,
    past: Mapping[str, NDArray[np.intp]] | None = None,
) -> xr.DataTree:
    """Posterior of a Design that `takes` allows, given the chosen games, shape (games,).

    `posterior` has the variables that nuts has, one chain of joint draws; of a walk with more than 2e7 values only
    `<walk>_current`, each unit's last state less what is left of its entry state. `history` has mean, sd and quantiles
    of every state, `rows` the linear predictors and each row's log predictive density given all others (of games not
    chosen: their forecast), `sources` what the current states' variances are made up of, `diagnostics` how it went,
    `restart` what the next fit starts from (`start`). `structure` is the Design's, where it is there. Of a walk that is
    not kept `past` has the levels asked for in the argument of that name, entry state included, in some of the draws.
    Raises FitError where it does not settle.
    """
    if refused := takes(design):
        raise FitError(f"{design.league}: the chain engine cannot take it: {refused}.", "Fit it with: --engine nuts")
    tell = progress or (lambda share: None)
    began = time.perf_counter()
    structure = replace(structure or structure_of(design), counts=chosen[design.game])
    found, objective = maximum(structure, start, tell)
    if structure.size > INTEGRATED:
        objective.factored = found.smoothed.factored  # draws evaluate no more: room for them
        give_back()
    wanted = _wanted(structure, draws)
    states = np.concatenate([np.zeros(0, dtype=np.intp), *wanted.values()])
    long = {block.name for block in design.blocks if _is_long(block, draws)}
    further = {name: structure.position[name][levels] for name, levels in (past or {}).items() if name in long}
    nodes = np.concatenate([np.zeros(0, dtype=np.intp), *further.values()])
    few = min(PAST_DRAWS, int(PAST_KEPT / max(len(nodes), 1)))
    drawn = draw(objective, found, states, draws, seed, lambda share: tell(0.6 + 0.4 * share), nodes, few)
    groups = {
        "posterior": _posterior(structure, found, drawn, wanted),
        "history": _history(structure, found),
        "rows": _rows(found),
        "sources": _sources(structure, found),
        "diagnostics": _diagnostics(structure, found, drawn),
        "restart": restart.left_behind(structure, found),
    }
    if past and further:
        groups["past"] = _past(drawn, {name: past[name] for name in further})
    tree = xr.DataTree.from_dict(groups)
    tree.attrs |= {"engine": NAME, "seed": seed, "league": design.league}
    tree.attrs |= {"is_large": int(structure.size > INTEGRATED), "seconds": time.perf_counter() - began}
    return tree


def fit_mode(
    structure: Structure, chosen: NDArray[np.bool_], values: dict[str, float], near: Margins | None = None
) -> Margins:
    """The Gaussian around the mode at given scales and auxiliaries, given the chosen games, as margins.

    It is sought from where that of other games was, if one is given. Raises FitError where it is not found.
    """
    structure = replace(structure, counts=chosen[structure.design.game])
    found, design = find_mode(structure, values, near), structure.design
    at = dict(currents_of(structure))
    mean, variance = ({name: v[now] for name, now in at.items()} for v in (found.mean, found.factored.variances))
    names = [str(name) for name in structure.shared_names]
    for block in (b for b in design.blocks if b.role == "group"):
        mean[block.name] = block.loading @ found.shared[[names.index(one) for one in block.level_names]]
        variance[block.name] = np.zeros(len(mean[block.name]))
    auxiliaries = {one.name: values[one.name] for one in design.auxiliaries}
    return Margins(mean, variance, found.eta, np.sqrt(found.eta_variance), auxiliaries, found.sites)


def currents_of(s: Structure) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """By base block the number of each unit's current state."""
    walks = {block.name: block for block in s.design.blocks if block.role == "walk"}
    for block in (b for b in s.design.blocks if b.role == "base" and not is_shared(b)):
        walk = walks.get(f"{block.name}_walk")
        yield block.name, s.position[block.name] if walk is None else _last(s, walk)


def maximum(structure: Structure, start: xr.DataTree | None, tell: Progress) -> tuple[Found, Objective]:
    """The hyperparameters' maximum, smoothed to the last tolerance there."""
    parameters = parameters_of(structure.design)
    point, covariance = np.array([one.coordinate(one.start) for one in parameters]), None
    done = [0]

    def count() -> None:
        done[0] += 1
        tell(0.6 * done[0] / (done[0] + 6))

    objective = Objective(structure, parameters, None, count)
    if start is not None and (was := restart.where_it_was(parameters, start["restart"].to_dataset())):
        point, covariance = was
        values = objective.values(point)
        if there := restart.pick_up(structure, rows_of(structure, values), start["restart"].to_dataset()):
            objective.begin = settled(structure, values, *there, objective.factored)
    found = maximise(objective, point, covariance)
    last = found.smoothed
    factored = last.factored.copy()
    return replace(found, smoothed=replace(last, factored=factored, sites=replace(last.sites, p=factored.p))), objective


def _wanted(s: Structure, draws: int) -> dict[str, NDArray[np.intp]]:
    """By block the states that draws are kept of: all of its own, of a walk too long for that each unit's last."""
    return {
        block.name: _last(s, block) if _is_long(block, draws) else s.position[block.name]
        for block in s.design.blocks
        if block.name in s.position
    }


def _is_long(block: Block, draws: int) -> bool:
    return block.role == "walk" and len(block.levels) * draws > KEPT


def _last(s: Structure, walk: Block) -> NDArray[np.intp]:
    """The last state of each unit of a walk."""
    last = s.entry[walk.name].copy()
    units, levels = walk.loading.nonzero()
    last[units] = s.position[walk.name][levels]
    return last


def _posterior(s: Structure, found: Found, drawn: Draws, wanted: dict[str, NDArray[np.intp]]) -> xr.Dataset:
    """The draws as variables with dimensions (chain, draw, ...): views of what was drawn, for a large league leaves
    no room for more. A walk's states become displacements from the entry state there."""
    count, design = len(drawn.y), s.design
    *parts, shared = np.split(drawn.y, np.cumsum([len(states) for states in wanted.values()]), axis=1)
    drawn_of = dict(zip(wanted, parts, strict=True))
    data: dict[str, tuple[tuple[str, ...], Columns]] = {}
    coords: dict[str, list[str]] = {}

    def put(name: str, values: Columns, *dims: str) -> None:
        data[name] = (("chain", "draw", *dims), values[None])

    for number, name in enumerate(s.shared_names):
        if "|" not in name:
            put(name, shared[:, number].astype(float))
    for block in (block for block in design.blocks if block.fixed_scale is not None):
        put(f"scale_{block.name}", np.full(count, block.fixed_scale))
    for number, one in enumerate(found.parameters):
        put(one.name, drawn.values[:, number])
    for block in design.blocks:
        dims = f"{block.name}_level"
        if is_shared(block):
            columns = [i for i, name in enumerate(s.shared_names) if name.startswith(f"{block.name}|")]
            put(block.name, shared[:, columns], dims)
        elif block.role != "walk":
            put(block.name, drawn_of[block.name], dims)
        else:
            base, own = block.name.removesuffix("_walk"), drawn_of[block.name]
            if _is_long(block, count):
                own -= drawn_of[base] if block.left is None else drawn_of[base] * _left_of_entry(block, own)
                own *= 1 if block.left is None else block.left.astype(own.dtype)
                put(f"{block.name}_current", own, f"{base}_level")
                continue
            own -= drawn_of[base][:, block.units] * block.of_entry.data.astype(own.dtype)
            put(f"{block.name}_current", (csr_array(block.loading).astype(own.dtype) @ own.T).T, f"{base}_level")
            put(block.name, own, dims)
        coords[dims] = list(block.levels)
    return xr.Dataset(data, coords={"chain": [0], "draw": np.arange(count), **coords})


def _past(drawn: Draws, levels: Mapping[str, NDArray[np.intp]]) -> xr.Dataset:
    """By walk the states at some of its levels, `<walk>_at`, in the draws of the numbers `past_draw`."""
    parts = np.split(drawn.past, np.cumsum([len(at) for at in levels.values()])[:-1], axis=1)
    data = {name: (("past_draw", f"{name}_at"), part) for name, part in zip(levels, parts, strict=True)}
    return xr.Dataset(data, coords={"past_draw": drawn.of_past, **{f"{name}_at": at for name, at in levels.items()}})


def _left_of_entry(walk: Block, like: Columns) -> Columns:
    """What is left of each unit's entry state in its last one, shape (units,)."""
    left = np.ones(like.shape[1], like.dtype)
    units, last = walk.loading.nonzero()
    left[units] = walk.of_entry.data[last]
    return left


def _history(s: Structure, found: Found) -> xr.Dataset:
    """Mean, sd and quantiles of every state: by block, its levels (of a walk, entry state plus displacement)."""
    mean, sd = found.smoothed.mean, np.sqrt(found.smoothed.variance)
    data: dict[str, tuple[str, Columns]] = {}
    for name, at in s.position.items():
        own = {"mean": mean[at], "sd": sd[at]} | {q: mean[at] + z * sd[at] for q, z in QUANTILES.items()}
        data |= {f"{name}_{what}": (f"{name}_level", values.astype(np.float32)) for what, values in own.items()}
    return xr.Dataset(data)


def _sources(s: Structure, found: Found) -> xr.Dataset:
    """What the variance of each unit's current state is made up of, by base block, apart from what idle years add."""
    walks = {block.name: block for block in s.design.blocks if block.left is not None}
    data: dict[str, tuple[tuple[str, ...], Array]] = {"covariance": (("shared", "shared_"), found.smoothed.covariance)}
    for name, at in currents_of(s):
        unit, current = np.searchsorted(s.unit_start, at, side="right") - 1, s.unit_start[:-1].astype(np.intp)
        current[unit] = at
        made, walk = sources(found.smoothed, current), walks.get(f"{name}_walk")
        left = np.ones(len(unit)) if walk is None or walk.left is None else walk.left
        for part in ("own", "opponents", "others", "prior"):
            data[f"{name}_{part}"] = ((f"{name}_level",), left**2 * getattr(made, part)[unit])
        data[f"{name}_reach"] = ((f"{name}_level", "shared"), left[:, None] * made.reach[unit])
    return xr.Dataset(data, coords={"shared": list(s.shared_names)})


def _rows(found: Found) -> xr.Dataset:
    """Each row's linear predictor and log predictive density given all others."""
    one = found.smoothed
    return xr.Dataset(
        {"eta": ("row", one.eta), "eta_sd": ("row", np.sqrt(one.eta_variance)), "log_predictive": ("row", one.log_z)}
    )


def _diagnostics(s: Structure, found: Found, drawn: Draws) -> xr.Dataset:
    """How the fit went, in numbers that a gate can read; by parameter, how sure the maximum is."""
    one, sds = found.smoothed, np.sqrt(np.diag(found.covariance))
    prior = np.array([float(p.value(at)) / p.prior for p, at in zip(found.parameters, found.point, strict=True)])
    numbers = {
        "residual": one.residual, "evidence": one.evidence, "decrement": found.decrement,
        "evaluations": found.evaluations, "sweeps": found.sweeps, "iterations": found.iterations,
        "damped": found.damped, "held_rows": sum(one.held), "smallest_eigenvalue": one.sites.smallest,
        "states": s.size, "rows": s.rows, "surface_error": drawn.surface_error,
        "surface_evaluations": drawn.evaluations,
    }  # fmt: skip
    by_parameter = {
        "gradient": found.gradient,
        "gradient_in_sds": found.gradient * sds,
        "sd_of_point": sds,
        "of_prior": prior,
    }
    return xr.Dataset(
        {name: float(value) for name, value in numbers.items()}
        | {name: ("parameter", values) for name, values in by_parameter.items()},
        coords={"parameter": [p.name for p in found.parameters]},
    )
