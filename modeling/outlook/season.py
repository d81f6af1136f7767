"""The rest of a season: every game to come simulated many times over from joint draws, and the tables that follow.

Each simulated season takes the next joint draw, walks its ratings on to each game's day in a way of its own, and plays
the games. Where results are given, seasons are drawn again by how likely those results were in them: what is given
tells of the ratings too (importance resampling; Gordon, Salmond and Smith, 1993, IEE Proceedings F 140).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from modeling.outcomes.outcome import Array
from modeling.outcomes.shared import by_game
from modeling.outlook.coming import Coming, Draws
from modeling.outlook.competitions import Competition, turned_round
from modeling.outlook.forecasts import of_rows
from modeling.outlook.play_offs import Gained, PlayOffs, decide
from modeling.outlook.table import Rules, Tables, tables
from modeling.posterior import HELD_AT_ONCE
from store.errors import FitError
from store.seasons import Places, SeasonRules

SEASONS = 10_000
EDGE = 1e-6
LEAST = 100  # effective number of seasons, below which given results tell too little
TOLD = (4000, 30)  # seasons and next games of a table whose chances are told: for what-if questions


@dataclass(frozen=True)
class Simulated:
    """Simulated ends of a season."""

    tables: Tables
    results: NDArray[np.int8]
    """0 where the first side of a game to come won, 1 for a draw, 2 where it lost; shape (seasons, games to come)."""
    chances: Array
    """Chances of these three in the next games, by the ratings of the first seasons: as many of both as `TOLD` says;
    shape (seasons, games, 3)."""
    gained: tuple[Gained, ...] = ()
    """What play-offs decided in the table."""

    def prizes(self, places: Places) -> dict[str, NDArray[np.bool_]]:
        """Who has what places mean, or has gained it in a play-off, by its name; each of shape (seasons, sides)."""
        found = {name: self.tables.among(*where) for name, where in places.items()}
        for one in self.gained:
            own = self.tables.places == one.places[:, None]
            found[one.prize] = found[one.prize] | own if one.prize in found else own
        return found


@dataclass(frozen=True)
class Fixed:
    """Results that are taken as given, by game: the scores of its sides in their stored order."""

    scores: dict[str, tuple[float, float]] = field(default_factory=dict)


def simulate(
    coming: Coming,
    asked: list[Competition],
    rules: SeasonRules,
    rng: np.random.Generator,
    *,
    draws: Draws | None = None,
    fixed: Fixed | None = None,
    play_offs: PlayOffs | None = None,
    seasons: int = SEASONS,
) -> list[Simulated]:
    """Simulated ends of each competition's season, with what `play_offs` decide (`coming` has their games as `later`).

    `draws` are needed where play-offs tell equals apart. With results `fixed`, seasons are drawn again by their
    likelihood. Raises FitError where these are next to impossible.
    """
    points = (rules.points[0], rules.points[1], rules.points[2])
    how = [Rules(points, rules.order_of(one.table)) for one in asked]
    given = fixed or Fixed()
    parts: list[list[Simulated]] = [[] for _ in asked]
    weight = []
    strength = [
        _neutral(coming, one, draws) if "play_off" in own.order else None for one, own in zip(asked, how, strict=True)
    ]
    for draw in _shares(len(coming.known), len(coming.rows), seasons):
        eta, moved = coming.walk(draw, rng)
        scores, likely = _played(coming, draw, eta, given, rng)
        told = max(0, TOLD[0] - sum(map(len, weight)))
        weight.append(likely)
        ended: dict[str, Simulated] = {}
        for number, one in enumerate(asked):
            chances = _chances(coming, one, draw[:told], eta[:told])
            ended[one.table] = _ended(one, scores, chances, how[number], draw, strength[number], rng)
        gained = _decided(coming, play_offs, ended, draw, moved, rng)
        for part, (table, end) in zip(parts, ended.items(), strict=True):
            part.append(replace(end, gained=gained.get(table, ())))
    log_weight = np.concatenate(weight)
    chosen = np.arange(seasons) if not given.scores else _again(log_weight, rng)
    return [_chosen(part, chosen) for part in parts]


def _shares(draws: int, rows: int, seasons: int) -> Iterator[NDArray[np.intp]]:
    """Numbers of the joint draws of simulated seasons, some at a time, each draw as often as any other."""
    whole = np.arange(seasons) % draws
    yield from np.array_split(whole, max(1, int(seasons * rows / HELD_AT_ONCE)))


def _played(
    coming: Coming, draw: NDArray[np.intp], eta: Array, given: Fixed, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Scores of all games to come, shape (seasons, games, 2), and the log likelihood of those given."""
    design, outcome = coming.design, coming.design.outcome
    arguments, exposure = coming.arguments(draw), design.exposure[coming.rows]
    y = outcome.simulate(rng, eta, exposure, arguments, coming.games)
    likely = np.zeros(len(draw))
    games = np.unique(coming.games)
    for number, game in enumerate(games):
        score = given.scores.get(design.game_ids[game])
        if score is not None:
            rows = np.arange(2 * number, 2 * number + 2) if outcome.row == "side" else np.array([number])
            y[:, rows] = _as_seen(outcome.name, score)
            likely += _log_likelihood(coming, y[0], eta, arguments, rows)
    return as_scores(outcome.name, y), likely


def _chances(coming: Coming, one: Competition, draw: NDArray[np.intp], eta: Array) -> Array:
    """Chances of a win, a draw and a loss in a competition's next games, shape (len(draw), games, 3)."""
    outcome, games = coming.design.outcome, one.to_come[: TOLD[1]]
    width = 2 if outcome.row == "side" else 1
    rows = (width * one.place[games][:, None] + np.arange(width)).ravel()
    own = of_rows(coming.arguments(draw), rows, eta.shape[1])
    own["exposure"] = coming.design.exposure[coming.rows[rows]][::width]
    first = eta[:, rows[::width]]
    second = eta[:, rows[1::2]] if width == 2 else np.zeros_like(first)
    chances = outcome.chances(first, second, own)
    return np.where(one.turned[games][:, None], chances[..., ::-1], chances)


def _as_seen(outcome: str, score: tuple[float, float]) -> Array:
    """A score as the outcome observes it."""
    apart = score[0] - score[1]
    return np.array(
        {"score": list(score), "margin": [apart], "win": [float(apart > 0)], "result": [1 - np.sign(apart)]}[outcome]
    )


def as_scores(outcome: str, y: Array) -> Array:
    """Simulated results as scores of both sides, shape (seasons, games, 2)."""
    if outcome == "score":
        return y.reshape(len(y), -1, 2)
    first = {"win": y, "result": 1 - y / 2, "margin": y}[outcome]
    second = np.zeros_like(y) if outcome == "margin" else 1 - first
    return np.stack([first, second], axis=-1)


def _log_likelihood(coming: Coming, y: Array, eta: Array, arguments: dict, rows: NDArray[np.intp]) -> Array:
    """Log likelihood of one game's result in each season; a game without draws that ended level says nothing."""
    outcome, exposure = coming.design.outcome, coming.design.exposure[coming.rows]
    own = of_rows(arguments, rows, eta.shape[1])
    each = outcome.log_density(outcome.tallies(y[rows], exposure[rows]), eta[:, rows], own)
    return by_game(each, np.zeros(len(rows), int))[:, 0]


def _ended(
    one: Competition, scores: Array, chances: Array, rules: Rules, draw: NDArray[np.intp], strength: Array | None,
    rng: np.random.Generator,
) -> Simulated:  # fmt: skip
    """Final tables of a competition in some seasons."""
    to_come = one.to_come
    whole = np.repeat(one.scores[None], len(draw), axis=0)
    whole[:, to_come] = turned_round(scores[:, one.place[to_come]], one.turned[to_come])
    keys = rng.random((len(draw), len(one.sides), 2))
    if strength is not None:
        keys[..., 0] = strength[draw] - np.log(-np.log(keys[..., 0]))
    results = (1 - np.sign(whole[:, to_come, 0] - whole[:, to_come, 1])).astype(np.int8)
    return Simulated(tables(one.first, one.second, whole, keys, rules, one.deducted), results, chances)


def _decided(
    coming: Coming, play_offs: PlayOffs | None, ended: dict[str, Simulated], draw: NDArray[np.intp],
    moved: tuple[Array, ...], rng: np.random.Generator,
) -> dict[str, tuple[Gained, ...]]:  # fmt: skip
    """What play-offs decide in each table."""
    if play_offs is None or coming.later is None:
        return {}
    return decide(play_offs, {table: end.tables for table, end in ended.items()}, coming.later, draw, moved, rng)


def _neutral(coming: Coming, one: Competition, draws: Draws | None) -> Array:
    """Logit of each side's chance to beat an average one on neutral ground, shape (draws, sides): two of these, each
    with a standard Gumbel, are in order with the chance that their difference has (Bradley and Terry, 1952)."""
    outcome = coming.design.outcome
    assert draws is not None
    parts = []
    for component in outcome.components:
        total = np.zeros((draws.count, len(one.sides)))
        for kind in coming.design.kinds:
            columns, known = draws.states[(kind.name, component)]
            there = [k for k, side in enumerate(one.sides) if side in columns]
            total[:, there] += known[:, [columns[one.sides[k]] for k in there]]
        parts.append(total)
    level = draws.parameters["intercept"][:, None] if outcome.has_intercept else 0.0
    first = level + parts[0]
    second = level - parts[1] if len(parts) > 1 else np.zeros_like(first)
    arguments = {name: value[:, None] for name, value in coming.parameters.items()} | {"noise": 1.0}
    chances = outcome.chances(first, second, arguments)
    decided = chances[..., 0] / np.maximum(chances[..., 0] + chances[..., 2], EDGE)
    return logit(np.clip(decided, EDGE, 1 - EDGE))


def _again(log_weight: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Numbers of seasons drawn again by their weights, evenly."""
    weight = np.exp(log_weight - log_weight.max())
    if not np.isfinite(weight).all():
        raise FitError("The results that are given are impossible by the ratings.", "Mend --given.")
    seasons = weight.sum() ** 2 / (weight**2).sum()
    if seasons < LEAST:
        raise FitError(
            f"By the ratings the results that are given are next to impossible: they leave {seasons:.0f} of "
            f"{len(weight):,} simulated seasons to tell of.",
            "Give results that are less of a surprise.",
        )
    steps = (np.arange(len(weight)) + rng.random()) / len(weight)
    return np.minimum(np.searchsorted(np.cumsum(weight / weight.sum()), steps), len(weight) - 1)


def _chosen(parts: list[Simulated], chosen: NDArray[np.intp]) -> Simulated:
    points, places = (np.concatenate([getattr(one.tables, name) for one in parts]) for name in ("points", "places"))
    results, chances = (np.concatenate([getattr(one, name) for one in parts]) for name in ("results", "chances"))
    gained = tuple(
        Gained(each[0].prize, each[0].number, np.concatenate([one.places for one in each])[chosen])
        for each in zip(*(one.gained for one in parts), strict=True)
    )
    return Simulated(Tables(points[chosen], places[chosen]), results[chosen], chances, gained)
