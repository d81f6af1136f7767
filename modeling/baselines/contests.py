"""What baselines see: contests in order of play as plain arrays, with results or without, and what they answer.

Who played is one number a side: the team, or where sides have none the players as one (a pair in doubles).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeling.outcomes.outcome import Array

WIN, DRAW, LOSS, UNKNOWN = 0, 1, 2, -1


@dataclass(frozen=True)
class Contests:
    """Games in order of play. Of a game of two sides all is said as its first side has it."""

    game_id: NDArray[np.object_]
    day: NDArray[np.datetime64]
    """Of each game, in days."""
    season: NDArray[np.intp]
    """Number of its season, in order of their first days."""
    game: NDArray[np.intp]
    """Of each side, the number of its game, from 0; two sides a game, or a race's entrants."""
    who: NDArray[np.intp]
    """Of each side, the number of its competitor, or -1 where nobody is known."""
    home: NDArray[np.int_]
    """Of each game 1 where the first side is at home, -1 where the second is, else 0."""
    result: NDArray[np.int_]
    """Of each game of two sides WIN, DRAW or LOSS, of a race which of its entrants won; UNKNOWN before it."""
    margin: Array
    """Of each game the first side's score less the second's, NaN where there are no scores or no result."""
    share: Array
    """Of each side what part of the others it was ahead of, a tie being half; NaN without a result."""
    competitors: int
    """Competitors of the whole league."""
    has_draws: bool
    """Whether a draw is a result of its own; else it counts as half a win."""
    published: Mapping[str, Array]
    """By name what others said of each game before it, NaN where they did not: chances of win, draw and loss, and
    their expected margin; shape (games, 4)."""

    @property
    def games(self) -> int:
        """Number of games."""
        return len(self.day)

    @property
    def first(self) -> NDArray[np.intp]:
        """Competitor of the first side, of games of two sides; `second` of the other."""
        return self.who[0::2]

    @property
    def second(self) -> NDArray[np.intp]:
        """Competitor of the second side."""
        return self.who[1::2]

    def between(self, first: date | None, until: date) -> "Contests":
        """The games with first <= day < until."""
        a = 0 if first is None else int(np.searchsorted(self.day, np.datetime64(first, "D")))
        b = int(np.searchsorted(self.day, np.datetime64(until, "D")))
        sides = slice(*np.searchsorted(self.game, [a, b]))
        return replace(
            self, game_id=self.game_id[a:b], day=self.day[a:b], season=self.season[a:b], game=self.game[sides] - a,
            who=self.who[sides], home=self.home[a:b], result=self.result[a:b], margin=self.margin[a:b],
            share=self.share[sides], published={name: of[a:b] for name, of in self.published.items()},
        )  # fmt: skip

    def fixtures(self) -> "Contests":
        """The same games before they were played."""
        return replace(
            self,
            result=np.full(self.games, UNKNOWN),
            margin=np.full(self.games, np.nan),
            share=np.full(len(self.who), np.nan),
        )


@dataclass(frozen=True)
class Forecasts:
    """What somebody says of games to come."""

    chances: Array
    """Of games of two sides chances of win, draw and loss of the first, shape (games, 3); of races that of each entrant
    to win, shape (sides,). NaN where nothing is said."""
    margin: Array | None = None
    """Expected margin of the first side, shape (games,)."""
    margins: Array | None = None
    """Margins drawn from the forecast, shape (draws, games)."""

    def of(self, ids: Sequence[str], games: Contests) -> "Forecasts":
        """What is said of some games, where `ids` are the games of the chances."""
        wanted = set(games.game_id)
        kept = np.array([one in wanted for one in ids], dtype=bool)
        return Forecasts(
            self.chances[kept],
            None if self.margin is None else self.margin[kept],
            None if self.margins is None else self.margins[:, kept],
        )


@dataclass(frozen=True)
class Baseline:
    """A forecaster that knows no model of ours."""

    name: str
    title: str
    of_races: bool
    """Whether it forecasts races; else games of two sides."""
    tune: Callable[[Contests, Any], Any]
    """(games of the past, what was found for fewer of them or None) -> its settings, chosen by those games alone. None
    where it cannot say anything."""
    forecast: Callable[[Any, Contests, Contests], Forecasts]
    """(settings, games of the past, games to come) -> forecasts."""
    say: Callable[[Any], str] = lambda _settings: ""
    """Settings in words."""


def needs_nothing(past: Contests, _before: bool | None) -> bool | None:
    """True where there is a past at all: settings of a baseline that has none."""
    return True if past.games else None


def shares(counts: Array, more: float = 1.0) -> Array:
    """Counts as shares along the last axis, each count raised a little so that nothing is impossible."""
    return (counts + more) / (counts + more).sum(axis=-1, keepdims=True)
