"""What a fit leaves for the next one: the sites of its rows and the means of its states, found again by their keys.

A state's key is a hash of its block and label, a row's of its states, shared values, noise and result: rows may have
come or gone anywhere. Rows of the same key (the same two meeting twice in a period, with the same result) share a site.
"""

import numpy as np
import polars as pl
import xarray as xr
from numpy.typing import NDArray

from modeling.engines.chain.scales import Found
from modeling.engines.chain.smooth import Rows, Sites, linear_predictors, newton
from modeling.engines.chain.structure import Structure
from modeling.engines.hyper import Hyper
from modeling.outcomes.outcome import Array

Keys = NDArray[np.uint64]
ODD = np.uint64(0x9E3779B97F4A7C15)


def keys_of(structure: Structure) -> tuple[Keys, Keys]:
    """Keys of the states and of the rows."""
    states = np.zeros(structure.size, np.uint64)
    for block in structure.design.blocks:
        if block.name in structure.position:
            labels = pl.Series(block.levels, dtype=pl.String)
            states[structure.position[block.name]] = (block.name + "|" + labels).hash(seed=1).to_numpy()
    weighted = states[structure.node_state] * _bits(structure.node_weight)
    nodes = np.add.reduceat(weighted, structure.node_start[:-1]) * ODD
    rows = (nodes[structure.row_node] * _bits(structure.row_factor)).sum(axis=1, dtype=np.uint64)
    design = structure.design
    for column in (design.y, design.exposure, *(one.codes for one in design.noise), *structure.shared.T):
        rows = (rows ^ np.ascontiguousarray(column, dtype=float).view(np.uint64)) * ODD
    return states, rows


def _bits(weights: Array) -> Keys:
    """Weights as whole numbers to multiply keys by."""
    return np.round(weights * 1024).astype(np.int64).astype(np.uint64)


def left_behind(structure: Structure, found: Found) -> xr.Dataset:
    """The dataset `restart` of a fit's tree."""
    now = found.smoothed.sites
    states, rows = keys_of(structure)
    by_key, of_states = (np.argsort(one, kind="stable") for one in (rows, states))
    by_key = by_key[structure.counts[by_key]]
    return xr.Dataset(
        {
            "row_key": ("row", rows[by_key]),
            "site_precision": ("row", now.tau[by_key]),
            "site_shift": ("row", now.nu[by_key]),
            "message_precision": (("row", "unit_of_row"), now.p[by_key]),
            "state_key": ("state", states[of_states]),
            "mean": ("state", now.y[: structure.size][of_states]),
            "lift": (("state", "shared"), now.lift[of_states]),
            "shared_mean": ("shared", now.y[structure.size :]),
            "point": ("parameter", found.point),
            "covariance": (("parameter", "parameter_"), found.covariance),
        },
        coords={"shared": list(structure.shared_names), "parameter": [one.name for one in found.parameters]},
        attrs={"smallest": now.smallest},
    )


def pick_up(structure: Structure, rows: Rows, left: xr.Dataset) -> tuple[Sites, NDArray[np.bool_]] | None:
    """Sites to start from and which rows are new, or None where the shared effects are others than before."""
    if list(left["shared"].to_numpy()) != list(structure.shared_names):
        return None
    states, keys = keys_of(structure)
    place, known = _found(states, left["state_key"].to_numpy())
    shared = len(structure.shared_names)
    y, lift = np.zeros(structure.size + shared), np.zeros((structure.size, shared))
    y[: structure.size][known], lift[known] = left["mean"].to_numpy()[place], left["lift"].to_numpy()[place]
    y[structure.size :] = left["shared_mean"].to_numpy()
    stands = known | (structure.parent < 0)
    while not stands.all():  # a new state starts where the one before it stands, or what is left of that
        new = np.flatnonzero(~stands & stands[structure.parent])
        before, share = structure.parent[new], structure.kept[new]
        y[new], lift[new], stands[new] = share * y[before], share[:, None] * lift[before], True
    eta = linear_predictors(structure, y)
    sites = newton(rows, eta)
    p = np.repeat(sites["tau"][:, None] / 2, 2, axis=1)
    place, known = _found(keys, left["row_key"].to_numpy())
    sites["tau"][known], sites["nu"][known] = (
        left["site_precision"].to_numpy()[place],
        left["site_shift"].to_numpy()[place],
    )
    p[known] = left["message_precision"].to_numpy()[place]
    return Sites(sites["tau"], sites["nu"], p, y, lift, float(left.attrs["smallest"]), eta=eta), ~known


def where_it_was(parameters: tuple[Hyper, ...], left: xr.Dataset) -> tuple[Array, Array] | None:
    """The point and covariance of the hyperparameters, or None where they are others than before."""
    if list(left["parameter"].to_numpy()) != [one.name for one in parameters]:
        return None
    return left["point"].to_numpy(), left["covariance"].to_numpy()


def _found(wanted: Keys, there: Keys) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each wanted key that is there stands, in order as they are, and which those are."""
    place = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
    known = there[place] == wanted
    return place[known], known
