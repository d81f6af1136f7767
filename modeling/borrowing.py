"""Borrowing: where the information of each rating came from, in the linearised posterior.

With H = X'WX + P, the precision of theta at the mode, and a contrast c, let v = H^-1 c. Its variance is
c'H^-1 c = v'Hv = sum over rows of w_i (x_i v)^2 + v'Pv: what each row of the likelihood and each prior term adds to the
estimate's precision-weighted make-up. The shares of the sum say where the information came from, and add to one. They
are the percentage weights of Riley, Ensor, Jackson and Burke (2018), "Deriving percentage study weights in
multi-parameter meta-analysis models", Statistical Methods in Medical Research 27. An opponent who is known exactly adds
nothing of its own: what is left to learn is in the games with it.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.sparse import csr_array

from modeling.design import Design
from modeling.engines.laplace import Laplace
from modeling.field import Field, incidence
from modeling.outcomes.outcome import Array
from modeling.ratings import blocks_of

SOURCES = ("own", "teammates", "opponents", "group", "prior")
CHUNK = 64  # competitors at a time: rows by these is what has to fit into memory


@dataclass(frozen=True)
class Borrowed:
    """Shares by source of each competitor's rating: its own games, other games of its teammates, other games of its
    opponents (and of theirs in turn), the others of its population or group through their common prior, its own prior.
    Each of shape (competitors,); they sum to one."""

    shares: dict[str, Array]


def borrow(design: Design, fit: Laplace, field: Field) -> Borrowed:
    """The shares of every competitor's total rating as a contrast to the reference, given the fit at fixed scales."""
    loading = np.zeros((len(fit.mode), len(field.competitors)))
    own_prior = np.zeros_like(loading, dtype=bool)
    for block in blocks_of(design, field.kind, "total"):
        span = fit.slice_of(block.name)
        loading[span] += block.loading.T.toarray()
        if block.role != "group":
            own_prior[span] |= block.reach.T.toarray() > 0
    for block in design.blocks:
        if block.kind == field.kind and block.owner is not None:
            span = fit.slice_of(block.name)
            own_prior[span] |= (block.reach.T.toarray() @ np.eye(len(field.competitors))[block.owner]) > 0
    reference = field.reference / field.reference.sum()
    solved = fit.solve(loading - (loading @ reference)[:, None])
    played, together, of_cell = _schedule(design, field)
    shares = {source: np.zeros(len(field.competitors)) for source in SOURCES}
    for start in range(0, len(field.competitors), CHUNK):
        some = slice(start, start + CHUNK)
        own, mates = _rows_of(played, together, of_cell, some)
        _add(shares, some, fit, solved[:, some], own, mates, own_prior[:, some])
    return _to_one(shares)


def borrow_by_messages(design: Design, tree: xr.DataTree, field: Field) -> Borrowed:
    """The same shares from what an engine that works by messages left of each unit (`sources` of its tree).

    Teammates share no row there. The shared effects count with the group: what is not known of groups' means.
    """
    found, size = tree["sources"], len(field.competitors)
    shares = {source: np.zeros(size) for source in SOURCES}
    names = [str(name) for name in found["shared"].to_numpy()]
    reach = np.zeros((size, len(names)))
    for block in blocks_of(design, field.kind, "total"):
        if block.role == "base":
            for source, part in (("own", "own"), ("opponents", "opponents"), ("group", "others"), ("prior", "prior")):
                shares[source] += found[f"{block.name}_{part}"].to_numpy()
            reach += found[f"{block.name}_reach"].to_numpy()
        elif block.role == "group":
            reach[:, [names.index(name) for name in block.level_names]] += block.loading.toarray()
    reach -= field.reference @ reach / field.reference.sum()
    shares["group"] += np.einsum("ij,jk,ik->i", reach, found["covariance"].to_numpy(), reach)
    return _to_one(shares)


def _to_one(shares: dict[str, Array]) -> Borrowed:
    total = np.sum(list(shares.values()), axis=0)
    return Borrowed({source: share / np.maximum(total, 1e-300) for source, share in shares.items()})


def _add(
    shares: dict[str, Array], some: slice, fit: Laplace, v: Array, own: csr_array, mates: csr_array, own_prior: Array
) -> None:
    on_rows = fit.x @ v
    by_row = on_rows * (fit.curvature @ on_rows)
    from_rows, from_own = by_row.sum(axis=0), _picked(by_row, own)
    from_mates = _picked(by_row, mates)
    by_prior = v * (fit.prior @ v)
    shares["own"][some] = from_own
    shares["teammates"][some] = from_mates
    shares["opponents"][some] = from_rows - from_own - from_mates
    shares["prior"][some] = np.where(own_prior, by_prior, 0.0).sum(axis=0)
    shares["group"][some] = by_prior.sum(axis=0) - shares["prior"][some]


def _picked(by_row: Array, chosen: csr_array) -> Array:
    """Sum of each column of `by_row` over the rows that `chosen` (columns, rows) weighs."""
    return np.asarray(chosen.multiply(by_row.T).sum(axis=1)).ravel()


def _schedule(design: Design, field: Field) -> tuple[csr_array, csr_array, csr_array]:
    """Who played in which game, who ever was on a side with whom, and the share of each game's row in its cell."""
    sides = design.kind(field.kind).sides
    played = incidence(sides, design.side_game, design.games)
    together = csr_array(abs(sides).T @ abs(sides))
    together.setdiag(0)
    together.eliminate_zeros()
    together.data[:] = 1.0
    cells = len(design.cell_rows)
    size = np.bincount(design.cells, minlength=cells)
    of_cell = csr_array((1 / size[design.cells], (design.game, design.cells)), shape=(design.games, cells))
    return played, together, of_cell


def _rows_of(played: csr_array, together: csr_array, of_cell: csr_array, some: slice) -> tuple[csr_array, csr_array]:
    """Shares of each cell's rows that are own games, and teammates' other games, of some competitors: the latter are
    most of a league's games for each, too many to hold for all at once."""
    own = csr_array(played[some])
    around = csr_array(together[some] @ played)
    around.data[:] = 1.0
    around = csr_array(around - around.multiply(own))
    return csr_array(own @ of_cell), csr_array(around @ of_cell)
