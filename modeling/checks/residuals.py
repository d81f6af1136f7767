"""What is left of results by group: competitor, season, competition, surface; who is over- or under-predicted.

A group's residual is its mean in the results less its mean in a replicated league, draw by draw; where it depends on
who is the favourite, on the favourite of that draw (a discrepancy in the sense of Gelman, Meng and Stern, 1996).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array, vstack
from scipy.special import ndtri

from modeling.design import Design
from modeling.judge import Check
from modeling.labels import Label
from modeling.outcomes.outcome import Array
from modeling.tree import Replication

FEWEST = 10  # games of a competitor that is looked at
SHOWN = 20  # competitors of a kind that are kept: those that stand out most
BEYOND = 0.05  # chance that any group of a dimension stands out in a league of the model's own
INTERVAL = 1.645
TIMES = ("season", "month")
MEASURES = {
    "own": "Its own results were",
    "home": "Home sides' results were",
    "favourite": "Favourites' results were",
    "total": "Both sides' scores together were",
}


@dataclass(frozen=True)
class Groups:
    """Groups of games that one measure is averaged over; `names` are dimension and level of each."""

    measure: str
    names: tuple[tuple[str, str], ...]
    games: Array
    weights: csr_array
    """Shape (groups, values): means are this times the values of the games, or of a race's entrants."""


@dataclass
class Residuals:
    """Sums over draws of each group's mean in the results, its residual, and that squared."""

    design: Design
    labels: Sequence[Label]
    names: dict[str, str]
    """Of competitors, by id."""
    groups: list[Groups] = field(init=False)
    sums: list[Array] = field(init=False)
    draws: int = 0

    def __post_init__(self) -> None:
        self.groups = groups_of(self.design, self.labels, self.names)
        self.sums = [np.zeros((3, len(one.names))) for one in self.groups]

    def see(self, part: Replication) -> None:
        """Takes a few replications in."""
        for eta, y in zip(part.eta, part.y, strict=True):
            for one, sums in zip(self.groups, self.sums, strict=True):
                observed = one.weights @ values(self.design, one.measure, self.design.y, eta)
                off = observed - one.weights @ values(self.design, one.measure, y, eta)
                sums += np.stack([observed, off, off**2])
        self.draws += len(part.y)

    def tables(self) -> dict[str, pl.DataFrame]:
        """The rows of `residual`."""
        found = self.judged()
        kinds = [kind.name for kind in self.design.kinds]
        rank = pl.col("z").abs().rank("ordinal", descending=True).over("dimension")
        shown = found.filter(~pl.col("dimension").is_in(kinds) | (rank <= SHOWN)) if found.height else found
        return {"residual": shown.drop("bound", strict=False)}

    def judged(self) -> pl.DataFrame:
        """A row a group, with the bound of its dimension; none where there is nothing to group by."""
        rows = [row for one, sums in zip(self.groups, self.sums, strict=True) for row in _rows(one, sums / self.draws)]
        together: dict[str, int] = {}
        for row in rows:
            together[row["dimension"]] = together.get(row["dimension"], 0) + 1
        for row in rows:
            row["bound"] = float(-ndtri(BEYOND / (2 * together[row["dimension"]])))
            row["status"] = "warn" if abs(row["z"]) > row["bound"] else "pass"
            row["message"] = _sentence(row)
        return pl.DataFrame(rows, infer_schema_length=None)

    def checks(self) -> list[Check]:
        """Of each kind of competitor, of time, and of attributes of games: whether any group stands out, and which."""
        found = self.judged()
        if not found.height:
            return []
        kinds = [kind.name for kind in self.design.kinds]
        family = pl.col("dimension").replace_strict(
            {**{kind: kind for kind in kinds}, **dict.fromkeys(TIMES, "time")}, default="attribute of games"
        )
        named = found.with_columns(family=family)
        return [_check(str(name), rows) for (name,), rows in named.group_by("family", maintain_order=True)]


def groups_of(design: Design, labels: Sequence[Label], names: dict[str, str]) -> list[Groups]:
    """Every group of a Design's games, by measure."""
    found = [_by_competitor(design, kind.name, names) for kind in design.kinds]
    if labels:
        by_label = _by_label(design, labels)
        found.append(by_label)
        if design.outcome.points and design.home.any():
            home = design.home[_first(design)]
            found.append(_of_some(by_label, "home", home))
        if design.outcome.row == "side":
            found.append(_of_some(by_label, "total", np.ones(design.games)))
    return [one for one in found if one.names]


def values(design: Design, measure: str, y: Array, eta: Array) -> Array:
    """What a measure averages in results y: of each game of two sides its first side's margin (of wins and draws,
    points less a half), the favourite's, or the total; of a race the share of the field that each entrant has beaten,
    or the favourite."""
    if design.outcome.points is None:
        return _beaten(design, measure, y, eta)
    if measure == "total":
        return y[0::2] + y[1::2]
    if design.outcome.row == "side":
        margin, lead = y[0::2] - y[1::2], eta[0::2] - eta[1::2]
    else:
        margin, lead = y if design.outcome.name == "margin" else design.outcome.points(y) - 0.5, eta
    return margin * np.sign(lead) if measure == "favourite" else margin


def _beaten(design: Design, measure: str, y: Array, eta: Array) -> Array:
    field_size = np.bincount(design.game)[design.game]
    share = 1 - (y - 1) / np.maximum(field_size - 1, 1)
    if measure != "favourite":
        return share
    starts = np.flatnonzero(np.r_[True, design.game[1:] != design.game[:-1]])
    best = np.maximum.reduceat(eta, starts)
    first = np.flatnonzero(eta == best[design.game])
    return share[first[np.unique(design.game[first], return_index=True)[1]]]


def _first(design: Design) -> slice:
    return slice(0, None, 2) if design.outcome.row == "side" else slice(None)


def _by_competitor(design: Design, kind: str, names: dict[str, str]) -> Groups:
    """Own results of every competitor of ten games or more, by the share it had in them."""
    sides = csr_array(design.kind(kind).sides)
    played = np.diff(sides.tocsc().indptr)
    signed = sides if design.outcome.points is None else csr_array(sides[0::2] - sides[1::2])
    kept = np.flatnonzero(played >= FEWEST)
    share = np.asarray(abs(signed).sum(axis=0)).ravel()[kept]
    weights = csr_array(diags_array(1 / np.maximum(share, 1e-12)) @ csr_array(signed.T)[kept])
    competitors = [design.kind(kind).competitors[i] for i in kept]
    called = _called(competitors, names)
    return Groups("own", tuple((kind, name) for name in called), played[kept].astype(float), weights)


def _called(competitors: Sequence[str], names: dict[str, str]) -> list[str]:
    """Names of competitors, with the id where two are called alike."""
    called = [names.get(one, one) for one in competitors]
    often = {name for name in called if called.count(name) > 1} if len(set(called)) < len(called) else set()
    return [f"{name} ({one})" if name in often else name for name, one in zip(called, competitors, strict=True)]


def _by_label(design: Design, labels: Sequence[Label]) -> Groups:
    """Favourites' results of every group of games."""
    parts, names = [], []
    for label in labels:
        games = np.flatnonzero(label.codes >= 0)
        shape = (len(label.values), design.games)
        parts.append(csr_array(coo_array((np.ones(len(games)), (label.codes[games], games)), shape=shape)))
        names += [(label.name, value) for value in label.values]
    together = csr_array(vstack(parts, format="csr"))
    return _of_some(Groups("favourite", tuple(names), np.zeros(0), together), "favourite", np.ones(design.games))


def _of_some(groups: Groups, measure: str, sign: NDArray[np.number]) -> Groups:
    """The groups' games whose sign is not 0, each with that sign; groups without any are left out."""
    counted = csr_array(csr_array(groups.weights != 0).astype(float) @ csr_array(diags_array(sign.astype(float))))
    games = np.asarray(abs(counted).sum(axis=1)).ravel()
    kept = np.flatnonzero(games)
    weights = csr_array(diags_array(1 / games[kept]) @ counted[kept])
    return Groups(measure, tuple(groups.names[i] for i in kept), np.asarray(games[kept], dtype=float), weights)


def _rows(one: Groups, means: Array) -> list[dict[str, Any]]:
    observed, off, squared = means
    sd = np.sqrt(np.maximum(squared - off**2, 0.0))
    z = np.divide(off, sd, out=np.zeros_like(off), where=sd > 1e-12)
    numbers = zip(
        one.names, one.games, observed, observed - off, off, off - INTERVAL * sd, off + INTERVAL * sd, z, strict=True
    )
    keys = ("observed", "expected", "mean", "low", "high", "z")
    return [
        {"dimension": dimension, "level": level, "measure": one.measure, "games": int(games)}
        | {key: float(value) for key, value in zip(keys, each, strict=True)}
        for (dimension, level), games, *each in numbers
    ]


def _sentence(row: dict[str, Any]) -> str:
    said = f"{MEASURES[row['measure']]} {abs(row['mean']):.2g} a game {'above' if row['mean'] > 0 else 'below'}"
    meant = "more than chance explains" if row["status"] == "warn" else "no more than chance explains"
    return f"{said} what the model makes of them, {meant}."


def _check(family: str, rows: pl.DataFrame) -> Check:
    worst = rows.sort(pl.col("z").abs() - pl.col("bound"), descending=True).row(0, named=True)
    out = int((rows["status"] == "warn").sum())
    words = (
        f"{out} of {rows.height:,} groups of games stand out beyond chance" if out else "No group of games stands out"
    )
    most = f", most {worst['level']}: {worst['message'][0].lower()}{worst['message'][1:]}" if out else "."
    return Check(
        "residuals", f"by {family}", abs(worst["z"]), worst["bound"], "warn" if out else "pass", f"{words}{most}"
    )
