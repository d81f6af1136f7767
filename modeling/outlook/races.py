"""A championship of races: the races to come simulated many times over, and the points that follow.

A race to come is run by the entrants of the last one, where it lists none yet. Who does not finish scores nothing: in
each race everybody does so with the share that did in the season before the as-of date and in it.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.outcomes.outcome import Array
from modeling.outlook.coming import Coming
from modeling.outlook.fixtures import Fixtures
from modeling.outlook.forecasts import who_of
from modeling.outlook.season import SEASONS
from modeling.outlook.table import Tables
from store.seasons import SeasonRules

NEVER = 1e6  # a place behind all others


@dataclass(frozen=True)
class Championship:
    """How a championship of races stands, and its simulated ends; all arrays are of its competitors."""

    names: tuple[str, ...]
    points: Array
    """So far."""
    raced: NDArray[np.int64]
    """In how many races of the season each has been."""
    to_race: NDArray[np.int64]
    """In how many to come each is."""
    ends: Tables


def championships(
    fixtures: Fixtures,
    season: str,
    coming: Coming,
    rules: SeasonRules,
    rng: np.random.Generator,
    seasons: int = SEASONS,
) -> dict[str, Championship]:
    """By championship (player, team), its standing and its simulated ends."""
    raced = fixtures.seen.filter(pl.col("side").is_not_null())
    to_come = fixtures.coming
    places = _places(coming, _unclassified(raced), rng, seasons)
    earlier = raced.filter(pl.col("season") == season)
    found = {}
    for kind in (one.name for one in coming.design.kinds):
        before, after = (_competitors(sides, fixtures, kind) for sides in (earlier, to_come))
        names = tuple(sorted({name for name in [*before, *after] if name is not None}))
        scored, won = _so_far(earlier, before, names, rules)
        points = _worth(places, rules)
        onto = np.array([names.index(name) if name is not None else -1 for name in after])
        total, wins = (np.repeat(value[None], seasons, axis=0) for value in (scored, won))
        for row, who in enumerate(onto.tolist()):
            if who >= 0:
                total[:, who] += points[:, row]
                wins[:, who] += places[:, row] == 1
        ran, runs = (_races(sides, who, names) for sides, who in ((earlier, before), (to_come, after)))
        found[kind] = Championship(names, scored, ran, runs, Tables(total, _ranked(total, wins, rules, rng)))
    return found


def _competitors(sides: pl.DataFrame, fixtures: Fixtures, kind: str) -> list[str | None]:
    who = who_of(sides, fixtures.games)
    return who["team" if kind == "team" else "who"].to_list()


def _races(sides: pl.DataFrame, who: list[str | None], names: tuple[str, ...]) -> NDArray[np.int64]:
    """The number of races of each of `names`: one in which a team has two is one."""
    found = (
        sides.select("game_id", who=pl.Series(who, dtype=pl.String)).group_by("who").agg(pl.col("game_id").n_unique())
    )
    count = dict(found.iter_rows())
    return np.array([count.get(name, 0) for name in names], np.int64)


def _unclassified(raced: pl.DataFrame) -> float:
    """Share of entrants without a place in the last two seasons that were raced in."""
    last = raced["season"].unique(maintain_order=True)[-2:]
    return raced.filter(pl.col("season").is_in(last.implode()))["finish"].is_null().to_numpy().mean()


def _places(coming: Coming, unclassified: float, rng: np.random.Generator, seasons: int) -> NDArray[np.int16]:
    """Place of each row's entrant in every simulated season, 0 where it did not finish; shape (seasons, rows)."""
    draw = np.arange(seasons) % len(coming.known)
    eta, arguments = coming.eta(draw, rng), coming.arguments(draw)
    y = coming.design.outcome.simulate(rng, eta, np.ones(eta.shape[1]), arguments, coming.games)
    out = rng.random(y.shape) < unclassified
    found = np.empty(y.shape, np.int16)
    for game in np.unique(coming.games):
        own = np.flatnonzero(coming.games == game)
        order = np.argsort(np.argsort(np.where(out[:, own], NEVER + y[:, own], y[:, own]), axis=1), axis=1)
        found[:, own] = np.where(out[:, own], 0, order + 1)
    return found


def _worth(places: NDArray[np.int16], rules: SeasonRules) -> Array:
    """Points of places; 0 is no place."""
    table = np.zeros(max(int(places.max(initial=0)), len(rules.points)) + 1)
    table[1 : len(rules.points) + 1] = rules.points
    return table[places]


def _so_far(
    sides: pl.DataFrame, who: list[str | None], names: tuple[str, ...], rules: SeasonRules
) -> tuple[Array, Array]:
    """Points and wins of the season's races before the as-of date."""
    finish = sides["finish"].fill_null(0).to_numpy().astype(np.int16)
    points, total, wins = _worth(finish, rules), np.zeros(len(names)), np.zeros(len(names))
    for name, scored, place in zip(who, points.tolist(), finish.tolist(), strict=True):
        if name is not None:
            total[names.index(name)] += scored
            wins[names.index(name)] += place == 1
    return total, wins


def _ranked(points: Array, wins: Array, rules: SeasonRules, rng: np.random.Generator) -> NDArray[np.int16]:
    """Places from 1 by the rules' order, then by lots."""
    values = {"points": points, "wins": wins}
    keys = [rng.random(points.shape), *(-values[name] for name in reversed(rules.order) if name in values)]
    order = np.lexsort(np.stack(keys), axis=1)
    places = np.empty(points.shape, np.int16)
    np.put_along_axis(places, order, np.arange(1, points.shape[1] + 1, dtype=np.int16)[None], axis=1)
    return places
