"""The Design: one statement of the model, built from a league's stanza and its games; every engine is built from it.

For row i the linear predictor is eta_i = intercept + sum of fixed effects + sum over blocks of Z_b u_b, with
u_b ~ N(0, scale_b^2) and scale_b ~ HalfNormal. For a score, a row is a side of a game: attack of that side less defence
of the other.
"""

import difflib
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from modeling.games import Games
from modeling.outcomes import outcome_of
from modeling.outcomes.outcome import Array, Outcome, Sides
from store.errors import FitError
from store.stanzas import Stanza

FIXED_PRIOR = 4.0  # prior sd of fixed effects, in the outcome's unit_sd: weak, and proper under separation


@dataclass(frozen=True)
class Block:
    """Effects of many levels that share a learned scale: u ~ N(0, scale^2), scale ~ HalfNormal(prior_scale)."""

    name: str
    title: str
    kind: str
    levels: tuple[str, ...]
    weights: csr_array
    """Shape (rows, levels)."""
    prior_scale: float

    @cached_property
    def row_sum(self) -> float | None:
        """Sum of the weights of every row where all rows agree: then the block's mean only shifts eta as a whole."""
        sums = np.asarray(self.weights.sum(axis=1)).ravel()
        return float(sums[0]) if np.allclose(sums, sums[0]) else None


@dataclass(frozen=True)
class Fixed:
    """One fixed effect: beta ~ N(0, prior_sd^2)."""

    name: str
    title: str
    values: Array
    """Shape (rows,)."""
    prior_sd: float


@dataclass(frozen=True)
class Design:
    """A league's model. Rows of game g are 2g and 2g + 1, in the stored order of its sides."""

    league: str
    outcome: Outcome
    y: Array
    exposure: Array
    blocks: tuple[Block, ...]
    fixed: tuple[Fixed, ...]
    is_home: NDArray[np.bool_]
    played_on: NDArray[np.datetime64]

    @property
    def games(self) -> int:
        """Number of games."""
        return len(self.y) // 2

    @cached_property
    def cells(self) -> NDArray[np.intp]:
        """Cell of each row, shape (rows,): rows of a cell have the same linear predictor whatever the parameters."""
        columns = [csr_array(effect.values[:, None]) for effect in self.fixed]
        together = csr_array(hstack([*(block.weights for block in self.blocks), *columns], format="csr"))
        together.sort_indices()
        starts, index, data = together.indptr, together.indices, together.data
        keys: dict[bytes, int] = {}
        rows = (index[a:b].tobytes() + data[a:b].tobytes() for a, b in pairwise(starts))
        return np.array([keys.setdefault(row, len(keys)) for row in rows], dtype=np.intp)

    @cached_property
    def cell_rows(self) -> NDArray[np.intp]:
        """One row of each cell, shape (cells,)."""
        return np.unique(self.cells, return_index=True)[1]

    def collapsed(self, chosen: NDArray[np.bool_]) -> tuple[Array, Array]:
        """Sums of y and of exposure by cell over the chosen games, each of shape (cells,)."""
        rows = np.repeat(chosen, 2)
        cells, size = self.cells[rows], len(self.cell_rows)
        return np.bincount(cells, self.y[rows], size), np.bincount(cells, self.exposure[rows], size)

    def sides(self, y: Array | None = None) -> Sides:
        """The games' results, or other results `y` (rows) of the same games."""
        score = self.y if y is None else y
        return Sides(score.reshape(-1, 2), self.is_home.reshape(-1, 2))

    def as_json(self) -> dict[str, Any]:
        """The statement of the model without its games: what a fit's id and its record hold."""
        return {
            "outcome": self.outcome.name,
            "unit": self.outcome.unit,
            "likelihood": "Poisson, log link",
            "intercept": f"Normal(0, {self.intercept_sd:g})",
            "fixed": [{"name": f.name, "title": f.title, "prior": f"Normal(0, {f.prior_sd:g})"} for f in self.fixed],
            "blocks": [
                {
                    "name": b.name,
                    "title": b.title,
                    "kind": b.kind,
                    "levels": len(b.levels),
                    "prior": "Normal(0, scale)",
                    "scale": f"HalfNormal({b.prior_scale:g})",
                }
                for b in self.blocks
            ],
        }

    @property
    def parameters(self) -> dict[str, str]:
        """Every scale and fixed effect by name, in words."""
        titles = {"intercept": "log rate between two average sides on neutral ground"}
        titles |= {effect.name: effect.title for effect in self.fixed}
        return titles | {f"scale_{block.name}": f"spread of the {block.title}" for block in self.blocks}

    @property
    def intercept_sd(self) -> float:
        """Prior standard deviation of the intercept."""
        return FIXED_PRIOR * self.outcome.unit_sd


def build_design(stanza: Stanza, games: Games) -> Design:
    """The Design of a league. Raises FitError where the stanza asks for what the games or this model cannot give."""
    outcome = outcome_of(stanza.outcome)
    _refuse_what_is_not_modelled(games.league, stanza)
    sides = _paired(games)
    teams, codes = np.unique(sides["team"].to_numpy(), return_inverse=True)
    priors = _priors(games.league, stanza, outcome)
    against = codes.reshape(-1, 2)[:, ::-1].ravel()
    levels = tuple(str(team) for team in teams)
    attack = Block("attack", "attack of a team", "team", levels, _one_hot(codes, len(teams), 1.0), priors["attack"])
    defence = Block(
        "defence", "defence of a team", "team", levels, _one_hot(against, len(teams), -1.0), priors["defence"]
    )
    is_home = sides["is_home"].to_numpy()
    home = Fixed("home", "home advantage", is_home.astype(float), priors["home"])
    return Design(
        league=games.league,
        outcome=outcome,
        y=sides["score"].to_numpy().astype(float),
        exposure=sides["exposure"].to_numpy().astype(float),
        blocks=(attack, defence),
        fixed=(home,) if "home" in stanza.effects and is_home.any() else (),
        is_home=is_home,
        played_on=sides["played_on"].to_numpy()[::2],
    )


def _priors(league: str, stanza: Stanza, outcome: Outcome) -> dict[str, float]:
    defaults = {
        "attack": outcome.unit_sd,
        "defence": outcome.unit_sd,
        "home": FIXED_PRIOR * outcome.unit_sd,
    }
    for name in stanza.priors:
        if name not in defaults:
            near = difflib.get_close_matches(name, defaults, 1)
            hint = f'Did you mean "{near[0]}"?' if near else f"Priors can be set for {', '.join(defaults)}."
            raise FitError(f'{league}: there is no prior called "{name}".', hint)
    return defaults | stanza.priors


def _refuse_what_is_not_modelled(league: str, stanza: Stanza) -> None:
    asked = {
        "rate": [item for item in stanza.rate if item != "team"],
        "effects": [item for item in stanza.effects if item != "home"],
        "group": [stanza.group] if stanza.group else [],
        "period": [stanza.period] if stanza.period != "static" else [],
        "walk": list(stanza.walk),
        "noise": list(stanza.noise),
    }
    for setting, values in asked.items():
        if values:
            raise FitError(
                f"{league}: {setting} = {values} cannot be modelled by this version.",
                f"Take {values} out of `{setting}` in leagues.toml.",
            )


def _paired(games: Games) -> pl.DataFrame:
    """The sides, checked to be two a game with a team and a score each."""
    counts = games.sides.group_by("game_id", maintain_order=True).len().filter(pl.col("len") != 2)
    if len(counts):
        game, found = counts.row(0)
        raise FitError(f"{games.league}: game {game} has {found} side(s); a score needs two.", "Run: pooltable check")
    gaps = games.sides.filter(pl.col("score").is_null() | pl.col("team").is_null())
    if len(gaps):
        raise FitError(
            f"{games.league}: {len(gaps)} side(s) of played games lack a team or a score, first {gaps['game_id'][0]}.",
            "Run: pooltable check",
        )
    return games.sides


def _one_hot(codes: NDArray[np.intp], levels: int, weight: float) -> csr_array:
    rows = np.arange(len(codes))
    return csr_array((np.full(len(codes), weight), (rows, codes)), shape=(len(codes), levels))
