"""Simulated leagues for benchmarks, the same for us and for every peer."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.games import Games

Array = NDArray[np.float64]

START = date(2015, 1, 1)
SPREAD = 0.7  # sd of strengths


@dataclass(frozen=True)
class Matches:
    """Matches in order of play; of each its day, both players by number, and 1 where the first one won (else 0)."""

    ids: NDArray[np.object_]
    day: NDArray[np.int64]
    pair: NDArray[np.int32]
    won: Array
    players: int

    def of(self, chosen: NDArray[np.bool_]) -> "Matches":
        """Some of them."""
        return replace(self, ids=self.ids[chosen], day=self.day[chosen], pair=self.pair[chosen], won=self.won[chosen])


def pairs(rng: np.random.Generator, count: int, players: int) -> NDArray[np.int32]:
    """Two different players of each match, shape (count, 2)."""
    first = rng.integers(0, players, count)
    second = (first + rng.integers(1, players, count)) % players
    return np.stack([first, second], axis=1).astype(np.int32)


def duels(
    count: int, players: int, drift: float = 0.0, probit: bool = False, a_day: int = 20, seed: int = 1
) -> Matches:
    """Matches at random, so many a day, between players whose strengths differ and drift (sd of a year's change)."""
    rng = np.random.default_rng(seed)
    pair, day = pairs(rng, count, players), np.arange(count) // a_day
    strength = rng.normal(0, SPREAD, players)[None]
    if drift:
        steps = rng.normal(0, drift / np.sqrt(365.25), (day[-1] + 1, players))
        strength = strength + np.cumsum(steps, axis=0)
    at = day if drift else np.zeros(count, dtype=int)
    noise = rng.normal(size=count) if probit else rng.logistic(size=count)
    won = strength[at, pair[:, 0]] - strength[at, pair[:, 1]] + noise > 0
    ids = np.array([f"g{number:07d}" for number in range(count)], dtype=object)
    first = (START - date(1970, 1, 1)).days
    return Matches(ids, first + day, pair, won.astype(float), players)


def games_of(matches: Matches, scores: NDArray[np.int_] | None = None, home: bool = False) -> Games:
    """The matches as the models see them; `scores`, shape (matches, 2), stand in for who won."""
    points = np.stack([matches.won, 1 - matches.won], axis=1) if scores is None else scores
    count = len(matches.ids)
    frame = pl.DataFrame(
        {
            "game_id": np.repeat(matches.ids, 2).tolist(),
            "played_on": np.repeat(matches.day.astype("datetime64[D]"), 2),
            "side": np.tile([1, 2], count),
            "team": [f"t{number:05d}" for number in matches.pair.ravel().tolist()],
            "score": points.ravel().astype(float),
            "is_home": np.tile([home, False], count),
        }
    ).with_columns(
        contest_id="game_id", season=pl.lit("2015"), neutral=not home, exposure=1.0,
        finish=pl.lit(None, pl.Int32), won=pl.lit(None, pl.Boolean),
    )  # fmt: skip
    until = date(1970, 1, 1) + timedelta(days=int(matches.day[-1]) + 1)
    return Games("simulated", until, frame)


def goals(matches: Matches, seed: int = 1) -> NDArray[np.int_]:
    """Goals of both sides of a match, the first at home, by attacks and defences of their own, shape (matches, 2)."""
    rng = np.random.default_rng(seed)
    attack, defence = rng.normal(0, 0.3, (2, matches.players))
    first, second = matches.pair.T
    rates = np.exp(0.1 + np.stack([0.25 + attack[first] - defence[second], attack[second] - defence[first]], axis=1))
    return rng.poisson(rates)
