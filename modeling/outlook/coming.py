"""Games to come as a fit's joint draws see them: linear predictors, walked on from the as-of date to the day.

The Design of the past and of the games to come says what makes up each row; the draws of the fit say how large that
is. So a game to come has the covariates, line-ups and noise that a game played would have.
"""

from dataclasses import dataclass, replace
from datetime import date

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from modeling.block import Block, added_over, kept_over
from modeling.design import Design
from modeling.earlier import read_accepted
from modeling.games import Games
from modeling.outcomes.outcome import Array, Auxiliaries
from modeling.outlook.states import ENTRY, SLOPE, walk_of
from modeling.periods import period_years
from store.errors import FitError
from store.home import Home
from store.stanzas import Stanza


@dataclass(frozen=True)
class Draws:
    """Joint draws of a fit; element k of every array is the same draw."""

    fit_id: str
    as_of: date
    parameters: dict[str, Array]
    """By name, each of shape (draws,)."""
    states: dict[tuple[str, str], tuple[dict[str, int], Array]]
    """By kind and component: columns by competitor or level, and draws of shape (draws, columns)."""

    @property
    def count(self) -> int:
        """Number of joint draws."""
        return len(next(iter(self.parameters.values())))


def read_draws(con: duckdb.DuckDBPyConnection, home: Home, league: str, as_of: date | None = None) -> Draws:
    """The joint draws of a league's current accepted fit, or of its newest accepted one as of a date.

    Raises FitError where there is none.
    """
    kept = [found for found in read_accepted(con, league, as_of) if home.draws_of(found[0]).exists()]
    if not kept:
        when = f" as of {as_of}" if as_of else ""
        raise FitError(
            f"{league}: there is no accepted fit{when} to forecast from.",
            f"Make one: pooltable fit {league}{f' --as-of {as_of}' if as_of else ''}",
        )
    fit_id, day = kept[0]
    rows = pl.read_parquet(home.draws_of(fit_id), columns=["kind", "competitor_id", "component", "parameter", "draws"])
    found = draws_in(rows, fit_id, day)
    if not any(component.startswith(ENTRY) for _, component in found.states):
        raise FitError(
            f"{league}: fit {fit_id} was made by a version that could not forecast.", f"Run: pooltable fit {league}"
        )
    return found


def draws_in(rows: pl.DataFrame, fit_id: str, as_of: date) -> Draws:
    """The joint draws of a fit, from the rows of its draws file."""
    named = rows.filter(pl.col("parameter").is_not_null())
    states = rows.filter(pl.col("parameter").is_null(), ~_is_sum())
    return Draws(
        fit_id,
        as_of,
        {name: np.array(draws, dtype=float) for name, draws in named.select("parameter", "draws").iter_rows()},
        {
            (str(kind), str(component)): (
                {str(name): column for column, name in enumerate(own["competitor_id"])},
                np.stack(own["draws"].to_list(), axis=1).astype(float),
            )
            for (kind, component), own in states.group_by("kind", "component")
        },
    )


def _is_sum() -> pl.Expr:
    """Whether a row is a total of other components."""
    return (pl.col("component") == "total") & (pl.col("component") == "attack").any().over("kind")


@dataclass(frozen=True)
class Walking:
    """Competitors whose ratings walk on: each step leaves a share of what they moved, and adds to it (`block.py`)."""

    weights: csr_array
    """Shape (rows, competitors)."""
    competitors: int
    scale: Array
    """Shape (draws,)."""
    persistence: float


@dataclass(frozen=True)
class Part:
    """What a block of effects adds to rows of games to come."""

    weights: csr_array
    """Of each level's state in the rows, shape (rows, levels)."""
    states: Array
    """At the as-of date, shape (draws, levels)."""
    means: Array | None
    """What they go towards, of that shape; None where they do not."""
    walk: Block | None

    def at(self, rows: NDArray[np.intp], years: Array) -> Array:
        """What it adds to some rows so many years on, before anybody moves; shape (rows, draws)."""
        weights = csr_array(self.weights[rows])
        found = weights @ self.states.T
        if self.means is None or self.walk is None:
            return found
        around = weights @ self.means.T
        return around + kept_over(years, self.walk.persistence)[:, None] * (found - around)

    def on_the_day(self, rows: NDArray[np.intp], years: float) -> "Part":
        """The part of some rows, its states as they are so many years on, before anybody moves."""
        states = self.states
        if self.means is not None and self.walk is not None:
            states = self.means + kept_over(np.array([years]), self.walk.persistence) * (states - self.means)
        return Part(csr_array(self.weights[rows]), states, None, self.walk)


@dataclass(frozen=True)
class Later:
    """Games on the last day that come about by how others end: which of them, each simulated season says."""

    design: Design
    rows: NDArray[np.intp]
    """Numbers of their rows in the Design."""
    values: Array
    """Of the intercept and the fixed effects, shape (rows, effects)."""
    effects: Array
    """Their draws, shape (draws, effects)."""
    parts: tuple[Part, ...]
    parameters: dict[str, Array]
    years: float
    """From the as-of date's period to theirs."""

    def eta(self, draw: NDArray[np.intp], moved: tuple[Array, ...], chosen: NDArray[np.intp]) -> Array:
        """Linear predictors of the chosen rows, numbers of shape (len(draw), any), where competitors have moved as
        `Coming.walk` says."""
        found = np.einsum("de,dre->dr", self.effects[draw], self.values[chosen])
        ways = iter(moved)
        for part in self.parts:
            states = part.states[draw] + (0.0 if part.walk is None else next(ways))
            for column, own in enumerate(chosen.T):
                found[:, column] += csr_array(part.weights[own]).multiply(states).sum(axis=1)
        return found

    def arguments(self, draw: NDArray[np.intp]) -> Auxiliaries:
        """The likelihood's own parameters in the given draws, to go with `eta`: its games have the same attributes."""
        values = {name: draws[draw][:, None] for name, draws in self.parameters.items()}
        return self.design.likelihood_arguments(values, self.rows[:1])


@dataclass(frozen=True)
class Coming:
    """Games to come: rows of a Design, in its order, and their linear predictors."""

    design: Design
    rows: NDArray[np.intp]
    """Numbers of their rows in the Design."""
    known: Array
    """What is expected of the linear predictor, draw by draw, shape (draws, rows)."""
    walking: tuple[Walking, ...]
    years: Array
    """Years from the as-of date's period to that of each row, shape (rows,)."""
    parameters: dict[str, Array]
    later: Later | None = None

    def eta(self, draw: NDArray[np.intp], rng: np.random.Generator) -> Array:
        """Linear predictors of the given draws, shape (len(draw), rows): every repetition walks a way of its own."""
        return self.walk(draw, rng)[0]

    def walk(self, draw: NDArray[np.intp], rng: np.random.Generator) -> tuple[Array, tuple[Array, ...]]:
        """The same, and how far the competitors of each of `walking` have come by the last day: (len(draw), them)."""
        found, ways = self.known[draw], []
        steps = np.unique(self.years if self.later is None else np.append(self.years, self.later.years))
        steps = steps[steps > 0]
        for one in self.walking:
            moved = np.zeros((len(draw), one.competitors))
            for step, apart in zip(steps, np.diff(steps, prepend=0.0), strict=True):
                moved *= kept_over(apart, one.persistence)
                spread = one.scale[draw] * np.sqrt(added_over(apart, one.persistence))
                moved += rng.standard_normal(moved.shape) * spread[:, None]
                now = np.flatnonzero(self.years == step)
                found[:, now] += (csr_array(one.weights[now]) @ moved.T).T
            ways.append(moved)
        return found, tuple(ways)

    def arguments(self, draw: NDArray[np.intp]) -> Auxiliaries:
        """The likelihood's own parameters in the given draws, to go with `eta`."""
        values = {name: draws[draw][:, None] for name, draws in self.parameters.items()}
        return self.design.likelihood_arguments(values, self.rows)

    @property
    def games(self) -> NDArray[np.intp]:
        """Number of each row's game in the Design."""
        return self.design.game[self.rows]


def coming_of(
    design: Design, games: Games, stanza: Stanza, draws: Draws, rng: np.random.Generator,
    later: frozenset[str] = frozenset(),
) -> Coming:  # fmt: skip
    """The games to come of a Design that was built from the past and from them; of those of `later`, on the last day,
    what `Later` says. Raises FitError where the fit and the stanza are of different models."""
    ids = np.array(design.game_ids, dtype=object)
    rows = np.flatnonzero(np.isin(ids, list(games.to_come))[design.game])
    apart = np.isin(ids, list(later))[design.game[rows]]
    now, then = np.flatnonzero(~apart), np.flatnonzero(apart)
    _insist_same_model(design, draws)
    effects, values = _effects(design, rows, draws)
    years = _years(design, games, stanza, draws.as_of)[rows]
    parts = [_part(design, block, rows, draws, rng) for block in design.blocks if block.role in ("base", "slope")]
    total = effects @ values[now].T
    for part in parts:
        total += part.at(now, years[now]).T
    auxiliaries = {one.name: draws.parameters[one.name] for one in design.auxiliaries}
    walking = tuple(
        Walking(csr_array(one.weights[now]), one.states.shape[1], draws.parameters[f"scale_{one.walk.name}"],
                one.walk.persistence)
        for one in parts if one.walk is not None
    )  # fmt: skip
    known = Coming(design, rows[now], total, walking, years[now], auxiliaries)
    if not len(then):
        return known
    until = float(years[then].max())
    ahead = tuple(one.on_the_day(then, until) for one in parts)
    return replace(known, later=Later(design, rows[then], values[then], effects, ahead, auxiliaries, until))


def _effects(design: Design, rows: NDArray[np.intp], draws: Draws) -> tuple[Array, Array]:
    """Draws of the intercept, where there is one, and of the fixed effects, shape (draws, effects), and their values in
    some rows, shape (rows, effects)."""
    held = {"intercept": np.ones(len(rows))} if design.outcome.has_intercept else {}
    held |= {fixed.name: fixed.values[rows] for fixed in design.fixed}
    effects = np.array([draws.parameters[name] for name in held]).reshape(len(held), draws.count)
    return effects.T, np.array(list(held.values())).reshape(len(held), len(rows)).T


def _part(design: Design, block: Block, rows: NDArray[np.intp], draws: Draws, rng: np.random.Generator) -> Part:
    """What a block adds to some rows."""
    walk = walk_of(design, block)
    weights, used = _used(_whole(block, walk), rows)
    states = _states(design, block, used, draws, rng)
    if walk is None or walk.persistence == 1:
        return Part(weights, states, None, walk)
    return Part(
        weights, states, np.stack([_mean(design, block, level, draws) for level in used.tolist()], axis=1), walk
    )


def _insist_same_model(design: Design, draws: Draws) -> None:
    missing = [name for name in design.parameters if name not in draws.parameters and not name.endswith("_walk")]
    if missing:
        raise FitError(
            f"{design.league}: the stanza asks for {missing[0]}, which fit {draws.fit_id} does not have.",
            f"Its model was changed since: pooltable fit {design.league}",
        )


def _whole(block: Block, walk: Block | None) -> csr_array:
    """Weights of each level's whole state in the rows: of a walk that forgets, a row has less of the entry state."""
    if walk is None or walk.persistence == 1:
        return block.weights
    gone = walk.of_entry.copy()
    gone.data = 1 - gone.data
    return csr_array(block.weights + walk.weights @ gone)


def _used(weights: csr_array, rows: NDArray[np.intp]) -> tuple[csr_array, NDArray[np.intp]]:
    """The weights in some rows, of the levels that they have, and those levels."""
    weights = csr_array(weights[rows])
    used = np.unique(weights.indices)
    return csr_array(weights[:, used]), used.astype(np.intp)


def _states(design: Design, block: Block, used: NDArray[np.intp], draws: Draws, rng: np.random.Generator) -> Array:
    """Draws of some levels at the as-of date, shape (draws, levels); whom the fit does not know is drawn from the
    prior: a newcomer around the mean of his group, a deviation around none."""
    component = f"{SLOPE}{block.name}" if block.role == "slope" else block.component
    columns, known = draws.states.get((block.kind, component), ({}, np.zeros((draws.count, 0))))
    scale = draws.parameters.get(f"scale_{block.name}")
    found = np.empty((draws.count, len(used)))
    for number, level in enumerate(used.tolist()):
        label = block.levels[level]
        if label in columns:
            found[:, number] = known[:, columns[label]]
        else:
            spread = np.full(draws.count, block.fixed_scale or 0.0) if scale is None else scale
            found[:, number] = _mean(design, block, level, draws) + spread * rng.standard_normal(draws.count)
    return found


def _mean(design: Design, block: Block, level: int, draws: Draws) -> Array:
    """What a level that the fit does not know is drawn around."""
    if block.role == "slope":
        return np.zeros(draws.count)
    columns, means = draws.states[(block.kind, f"{ENTRY}{block.component}")]
    group = next((one for one in design.blocks if one.name == f"{block.name}_group"), None)
    label = "" if group is None else _group_of(group, level)
    return means[:, columns[label]] if label in columns else means.mean(axis=1)


def _group_of(group: Block, level: int) -> str:
    members = csr_array(group.loading)[[level]].indices
    return group.levels[int(members[0])] if len(members) else ""


def _years(design: Design, games: Games, stanza: Stanza, as_of: date) -> Array:
    """Years from the period of the day before `as_of` to that of each row of the Design; 0 of the past."""
    first = games.sides.unique("game_id", keep="first", maintain_order=True)
    year, last = period_years(stanza.period, first["played_on"], first["season"], as_of)
    if stanza.period == "season":
        past = (first["played_on"] < as_of).to_numpy()
        last = float(year[past].max(initial=0.0))
    by_game = dict(zip(first["game_id"], np.maximum(year - last, 0.0).tolist(), strict=True))
    return np.array([by_game[name] for name in design.game_ids])[design.game]
