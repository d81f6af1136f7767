"""The Design: one statement of the model; every engine is built from it.

For row i the linear predictor is eta_i = intercept + sum of fixed effects + sum over blocks of Z_b u_b. The effects of
a block are independent, u ~ N(0, scale_b^2), or, where the block walks, each is its predecessor's (or what the years
between have left of it) plus N(0, scale_b^2 * those years); scale_b ~ HalfNormal. See block.py.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from modeling.block import Block
from modeling.outcomes.outcome import Array, Auxiliaries, Auxiliary, Outcome, Results
from modeling.outcomes.schedule import Schedule, schedule_of
from store.thresholds import USUAL, Thresholds

FIXED_SCALES = {"none": 10.0, "complete": 1e-3}  # a scale that is not learned, in its prior's own
FIXED_PRIOR = 4.0  # prior sd of fixed effects, in the outcome's unit_sd: weak, and proper under separation
NOISE_PRIOR = 0.5  # prior sd of the log of a noise factor: a factor between 0.4 and 2.7


@dataclass(frozen=True)
class Fixed:
    """One fixed effect: beta ~ N(0, prior_sd^2)."""

    name: str
    title: str
    values: Array
    """Shape (rows,)."""
    prior_sd: float


@dataclass(frozen=True)
class Noise:
    """A factor of the noise learned for each value of an attribute but the commonest, whose factor is 1."""

    name: str
    values: tuple[str, ...]
    codes: NDArray[np.intp]
    """Of each row the number of its value from 1, or 0 for the commonest; shape (rows,)."""


@dataclass(frozen=True)
class Kind:
    """The rated competitors of one kind."""

    name: str
    competitors: tuple[str, ...]
    sides: csr_array
    """Share with which each competitor was on each side of the games, shape (sides, competitors)."""


@dataclass(frozen=True)
class Design:
    """A league's model. Rows are in order of play; rows of a game are neighbours, in the stored order of its sides."""

    league: str
    outcome: Outcome
    unit_sd: float
    y: Array
    exposure: Array
    game: NDArray[np.intp]
    """Number of each row's game, from 0."""
    home: NDArray[np.int_]
    """1 where the row's own side is at home, -1 where the other is, else 0."""
    entrant: NDArray[np.intp]
    """Number of the row's own first competitor of the first kind; `opponent` of the other side's, -1 in a race."""
    opponent: NDArray[np.intp]
    blocks: tuple[Block, ...]
    fixed: tuple[Fixed, ...]
    noise: tuple[Noise, ...]
    kinds: tuple[Kind, ...]
    side_game: NDArray[np.intp]
    """Number of each side's game, shape (sides,)."""
    played_on: NDArray[np.datetime64]
    """Of each game; so is `contest`, the number of the contest it is part of."""
    contest: NDArray[np.intp]
    notes: tuple[str, ...] = ()
    """What was left out and why, in words."""
    game_ids: tuple[str, ...] = ()
    """Of each game, its id."""
    centre: float = 0.0
    """Prior mean of the intercept."""
    own_priors: dict[str, float] = field(default_factory=dict)
    """Prior scales that the stanza sets for the intercept and for parameters of the likelihood, by name."""
    season: NDArray[np.intp] | None = None
    """Of each game, the number of its season, where it is known."""
    thresholds: Thresholds = USUAL
    """What a fit of it is held to."""

    @property
    def games(self) -> int:
        """Number of games."""
        return len(self.played_on)

    @property
    def effects(self) -> int:
        """Number of effects and states, the intercept included."""
        return sum(len(block.levels) for block in self.blocks) + len(self.fixed) + 1

    @property
    def intercept_sd(self) -> float:
        """Prior standard deviation of the intercept."""
        return self.own_priors.get("intercept", FIXED_PRIOR * self.unit_sd)

    @property
    def intercept_prior(self) -> str:
        """Prior of the intercept in words."""
        return f"Normal({self.centre:g}, {self.intercept_sd:g})"

    @cached_property
    def auxiliaries(self) -> tuple[Auxiliary, ...]:
        """The likelihood's own parameters: the outcome's, and a factor for each value that changes the noise."""
        factors = [
            Auxiliary(
                f"noise_{noise.name}_{value}", f"noise where {noise.name} is {value}, log factor", NOISE_PRIOR, True
            )
            for noise in self.noise
            for value in noise.values
        ]
        every = (*self.outcome.auxiliaries(self.unit_sd), *factors)
        return tuple(replace(one, scale=self.own_priors.get(one.name, one.scale)) for one in every)

    def likelihood_arguments(
        self, values: dict[str, Any], rows: NDArray[np.intp] | None = None, exp: Callable[[Any], Any] = np.exp
    ) -> Auxiliaries:
        """The auxiliaries' values with `noise` of the given (default: all) rows and the rows' layout.

        Values may be numbers, arrays of shape (draws, 1), or symbols with their own `exp`.
        """
        found: dict[str, Any] = {"noise": 1.0, "layout": self.layout}
        found |= {one.name: values[one.name] for one in self.outcome.auxiliaries(self.unit_sd)}
        log_factor: Any = 0.0
        for noise in self.noise:
            codes = noise.codes if rows is None else noise.codes[rows]
            for number, value in enumerate(noise.values, start=1):
                log_factor = log_factor + values[f"noise_{noise.name}_{value}"] * (codes == number).astype(float)
        if self.noise:
            found["noise"] = exp(log_factor)
        return found

    @cached_property
    def layout(self) -> Any:
        """What the outcome needs to know of how rows go together."""
        return self.outcome.layout(self.y, self.game) if self.outcome.layout else None

    @cached_property
    def cells(self) -> NDArray[np.intp]:
        """Cell of each row, shape (rows,): rows of a cell have the same eta and noise whatever the parameters."""
        if not self.outcome.is_additive:
            return np.arange(len(self.y))
        columns = [csr_array(effect.values[:, None]) for effect in self.fixed]
        columns += [csr_array(noise.codes[:, None].astype(float)) for noise in self.noise]
        empty = csr_array((len(self.y), 1))
        together = csr_array(hstack([empty, *(block.weights for block in self.blocks), *columns], format="csr"))
        together.sort_indices()
        starts, index, data = together.indptr, together.indices, together.data
        keys: dict[bytes, int] = {}
        rows = (index[a:b].tobytes() + data[a:b].tobytes() for a, b in pairwise(starts))
        return np.array([keys.setdefault(row, len(keys)) for row in rows], dtype=np.intp)

    @cached_property
    def cell_rows(self) -> NDArray[np.intp]:
        """One row of each cell, shape (cells,)."""
        return np.unique(self.cells, return_index=True)[1]

    @cached_property
    def tallies(self) -> Array:
        """Sufficient statistics of each row, shape (rows, k)."""
        return self.outcome.tallies(self.y, self.exposure)

    @cached_property
    def is_whole(self) -> bool:
        """Whether all results are whole numbers."""
        return bool((self.y == np.floor(self.y)).all())

    def collapsed(self, chosen: NDArray[np.bool_]) -> Array:
        """Sums of the tallies by cell over the chosen games, shape (cells, k)."""
        rows = chosen[self.game]
        cells, size = self.cells[rows], len(self.cell_rows)
        return np.stack([np.bincount(cells, column[rows], size) for column in self.tallies.T], axis=1)

    def results(self, y: Array | None = None, eta: Array | None = None) -> Results:
        """The games' results, or other results `y` (rows) of the same games, seen under a linear predictor or none."""
        seen = self.y if y is None else y
        return Results(seen, self.exposure, self.game, self.home, self.entrant, self.opponent, eta, self.schedule)

    @cached_property
    def schedule(self) -> Schedule | None:
        """Who met whom in which season; None of races, and where sides are of several competitors or games are parts of
        a contest."""
        single = len(self.kinds) > 0 and bool((np.diff(self.kinds[0].sides.indptr) == 1).all())
        if (
            self.outcome.points is None
            or self.season is None
            or not single
            or self.contest.max(initial=-1) + 1 < self.games
        ):
            return None
        rows = slice(0, None, 2) if self.outcome.row == "side" else slice(None)
        return schedule_of(self.entrant[rows], self.opponent[rows], self.season)

    def kind(self, name: str) -> Kind:
        """The rated competitors of a kind."""
        return next(kind for kind in self.kinds if kind.name == name)

    def as_json(self) -> dict[str, Any]:
        """The statement of the model without its games: what a fit's id and its record hold."""
        return {
            "outcome": self.outcome.name,
            "likelihood_name": self.outcome.likelihood,
            "unit": self.outcome.unit,
            "likelihood": self.outcome.formula,
            "intercept": self.intercept_prior if self.outcome.has_intercept else None,
            "auxiliaries": [{"name": a.name, "title": a.title, "prior": prior_of(a)} for a in self.auxiliaries],
            "fixed": [{"name": f.name, "title": f.title, "prior": f"Normal(0, {f.prior_sd:g})"} for f in self.fixed],
            "blocks": [
                {
                    "name": b.name,
                    "title": b.title,
                    "kind": b.kind,
                    "component": b.component,
                    "role": b.role,
                    "levels": len(b.levels),
                    "prior": b.prior,
                    "scale": b.scale_prior,
                }
                for b in self.blocks
            ],
            "notes": list(self.notes),
            "thresholds": self.thresholds.as_json,
        }

    @cached_property
    def parameters(self) -> dict[str, tuple[str, str]]:
        """Every scale that is learned, fixed effect and parameter of the likelihood: what it is, and its prior."""
        found: dict[str, tuple[str, str]] = {}
        if self.outcome.has_intercept:
            prior = f"{self.intercept_prior} and the groups' means"
            found["intercept"] = ("linear predictor of two reference sides on neutral ground", prior)
        found |= {f.name: (f.title, f"Normal(0, {f.prior_sd:g})") for f in self.fixed}
        found |= {a.name: (a.title, prior_of(a)) for a in self.auxiliaries}
        learned = [block for block in self.blocks if block.fixed_scale is None]
        return found | {f"scale_{b.name}": (_scale_title(b), b.scale_prior) for b in learned}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every array of the model: what multiplies which effect, the walks' years, the noise and results."""
        digest = hashlib.sha256()
        for block in self.blocks:
            digest.update(repr((block.name, block.levels, block.value)).encode())
            digest.update(b"" if block.persistence == 1 else repr(block.persistence).encode())
            _add(digest, block.weights, block.loading, block.owner, block.previous, block.years, block.idle)
        for one in (*self.fixed, *self.noise):
            digest.update(one.name.encode())
            _add(digest, one.values if isinstance(one, Fixed) else one.codes)
        _add(digest, self.y, self.exposure, self.game, self.home, self.contest, *(kind.sides for kind in self.kinds))
        return digest.hexdigest()[:16]


def prior_of(auxiliary: Auxiliary) -> str:
    """The prior of a parameter of the likelihood, in words."""
    return f"{'Normal(0, ' if auxiliary.is_signed else 'HalfNormal('}{auxiliary.scale:g})"


def _add(digest: Any, *arrays: NDArray[Any] | csr_array | None) -> None:
    """Adds arrays to a hash, with their shapes, integers as 64 bits wherever they come from."""
    for one in arrays:
        if isinstance(one, csr_array):
            _add(digest, one.indptr, one.indices, one.data)
        elif one is not None:
            digest.update(f"{one.shape}".encode())
            digest.update(np.asarray(one, float if one.dtype.kind == "f" else np.int64).tobytes())
        digest.update(b"|")


def _scale_title(block: Block) -> str:
    return f"drift a year of the {block.title}" if block.role == "walk" else f"spread of the {block.title}"
