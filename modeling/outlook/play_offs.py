"""Play-offs between places of final tables: who wins them, in every simulated season.

In: a season's rules, and the sides of its tables. Out first: every game that the play-offs may come to, for the Design;
then, once tables are simulated, the place that gained what a play-off decides. What is played of them stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from modeling.outcomes.outcome import Array, Auxiliaries
from modeling.outlook.coming import Later
from modeling.outlook.met import Met
from modeling.outlook.table import Tables
from modeling.outlook.ties import AT_FIRST, AT_SECOND, SINGLE, Meeting, decided, second_leg, two_legs
from store.seasons import PlayOff

ID = "play_off:"
GAMES = {"two_legs": (AT_FIRST, AT_SECOND), "better": (AT_FIRST, AT_SECOND), "neutral": (SINGLE,)}
BYE = -1
Key = tuple[int, int, int]


@dataclass(frozen=True)
class Gained:
    """What a play-off decided in a table, season by season."""

    prize: str
    number: int
    """Of the play-off, from 1."""
    places: NDArray[np.int16]
    """The place that has it, 0 where nobody of the table does; shape (seasons,)."""


@dataclass(frozen=True)
class PlayOffs:
    """A season's play-offs, and all sides that may come to play in them."""

    rules: dict[int, PlayOff]
    """By number, from 1."""
    sides: dict[str, tuple[str, ...]]
    """The sides of each table, in the order that the tables' places have."""
    met: Met | None = None
    """What is known of games between `everybody` that are played already."""

    @property
    def everybody(self) -> list[str]:
        """All sides; their numbers are those of `games`."""
        return sorted({side for one in self.sides.values() for side in one})

    @property
    def games(self) -> list[Key]:
        """Every game that there may be: the numbers of its sides, the lower first, and which of their games it is."""
        number, found = {side: k for k, side in enumerate(self.everybody)}, set()
        for one in self.rules.values():
            held = [slot[0] for slot in one.slots if slot]
            kinds = {game for how in one.rounds for game in GAMES[how]}
            for table, other in {tuple(sorted(pair)) for pair in combinations(held, 2)}:
                pairs = ((a, b) for a in self.sides[table] for b in self.sides[other] if a != b)
                meet = {tuple(sorted((number[a], number[b]))) for a, b in pairs}
                found |= {(a, b, kind) for a, b in meet for kind in kinds}
        return sorted(found)

    def meetings(self, day: date) -> list[Meeting]:
        """Those games, on a day."""
        sides = self.everybody
        ground = {AT_FIRST: 1, AT_SECOND: 2, SINGLE: 0}
        return [
            Meeting(f"{ID}{day}|{a:04d}|{b:04d}|{kind}", sides[a], sides[b], ground[kind]) for a, b, kind in self.games
        ]


def play_offs_of(rules: Sequence[PlayOff], sides: dict[str, tuple[str, ...]]) -> PlayOffs:
    """The play-offs whose places the tables have."""
    sizes = {table: len(own) for table, own in sides.items()}
    there = {number: one for number, one in enumerate(rules, start=1) if not missing(one, sizes)}
    held = {table for one in there.values() for table in one.tables}
    return PlayOffs(there, {table: own for table, own in sides.items() if table in held})


def missing(one: PlayOff, sizes: dict[str, int]) -> list[str]:
    """Places of a play-off that tables of so many sides do not have, or that stand there twice (16 and -3 of 18)."""
    found, seen = [], set[tuple[str, int]]()
    for table, place in (slot for slot in one.slots if slot):
        size = sizes.get(table, 0)
        key = table, place if place > 0 else size + 1 + place
        if abs(place) > size or key in seen:
            found.append(f"{table} {place}".strip())
        seen.add(key)
    return found


@dataclass(frozen=True)
class Knockout:
    """A play-off in simulated seasons: who stands in its slots."""

    how: PlayOff
    who: NDArray[np.intp]
    """Number of the side of each slot, shape (seasons, slots)."""
    places: NDArray[np.int16]
    """The place that each slot is of, from 1; 0 of byes; shape (slots,)."""


@dataclass(frozen=True)
class Games:
    """The games that the play-offs may come to, in simulated seasons."""

    row: NDArray[np.intp]
    """Their rows among those of `later`, by the numbers of their sides and which of their games it is."""
    later: Later
    draw: NDArray[np.intp]
    moved: tuple[Array, ...]
    met: Met | None

    @property
    def arguments(self) -> Auxiliaries:
        """The likelihood's own parameters."""
        return self.later.arguments(self.draw)

    def chance(
        self, low: NDArray[np.intp], high: NDArray[np.intp], grounds: Sequence[NDArray[np.intp] | int],
        level: Array | float,
    ) -> Array:  # fmt: skip
        """Chance of `low` to go through against `high` in a game at each of the grounds, none of which is played."""
        outcome = self.later.design.outcome
        games = [self.both(low, high, ground) for ground in grounds]
        first, second = two_legs(outcome, *zip(*games, strict=True)) if len(games) > 1 else games[0]
        return decided(outcome, first, second, self.arguments, legs=len(games), level=level)

    def both(
        self, low: NDArray[np.intp], high: NDArray[np.intp], ground: NDArray[np.intp] | int
    ) -> tuple[Array, Array]:
        """Linear predictors of both sides of a game of each season and tie."""
        game = self.row[low, high, ground]
        if self.later.design.outcome.row == "side":
            own, other = (self.later.eta(self.draw, self.moved, 2 * game + side) for side in (0, 1))
            return own, other
        first = self.later.eta(self.draw, self.moved, game)
        return first, np.zeros_like(first)


def decide(
    play_offs: PlayOffs, ends: dict[str, Tables], later: Later, draw: NDArray[np.intp], moved: tuple[Array, ...],
    rng: np.random.Generator,
) -> dict[str, tuple[Gained, ...]]:  # fmt: skip
    """What is decided in each table, in seasons that ended as `ends` says, with ratings that walked as `moved` does."""
    games = play_offs.games
    row = np.zeros((len(play_offs.everybody), len(play_offs.everybody), SINGLE + 1), np.intp)
    row[tuple(np.array(games).T)] = np.arange(len(games))
    found: dict[str, tuple[Gained, ...]] = {}
    for number, one in play_offs.rules.items():
        knockout = _placed(play_offs, one, ends)
        won = _played(knockout, Games(row, later, draw, moved, play_offs.met), rng)
        for prizes, slot in ((one.won, won), (one.lost, 1 - won)):
            for table, prize in prizes.items():
                own = np.array([held is not None and held[0] == table for held in one.slots])
                gained = Gained(prize, number, np.where(own, knockout.places, 0).astype(np.int16)[slot])
                found[table] = (*found.get(table, ()), gained)
    return found


def out_of_bracket(play_offs: PlayOffs, ends: dict[str, Tables]) -> list[tuple[str, str]]:
    """Who met after tables that are over though by their places one of the two stands in a play-off and the other does
    not: the places are others than those of the play-offs that were played."""
    if play_offs.met is None:
        return []
    everybody = play_offs.everybody
    standing = {
        side for one in play_offs.rules.values() for side in np.unique(_placed(play_offs, one, ends).who).tolist()
    }
    pairs = np.argwhere(play_offs.met.games).tolist()
    return [(everybody[a], everybody[b]) for a, b in pairs if (a in standing) != (b in standing)]


def _placed(play_offs: PlayOffs, one: PlayOff, ends: dict[str, Tables]) -> Knockout:
    """Who stands in the slots of a play-off in each season."""
    seasons = len(next(iter(ends.values())).places)
    everybody = play_offs.everybody
    who, places = np.full((seasons, len(one.slots)), BYE), np.zeros(len(one.slots), np.int16)
    for at, slot in enumerate(one.slots):
        if slot is not None:
            sides = play_offs.sides[slot[0]]
            places[at] = slot[1] if slot[1] > 0 else len(sides) + 1 + slot[1]
            number = np.array([everybody.index(side) for side in sides])
            who[:, at] = number[(ends[slot[0]].places == places[at]).argmax(axis=1)]
    return Knockout(one, who, places)


def _played(knockout: Knockout, games: Games, rng: np.random.Generator) -> NDArray[np.intp]:
    """The slot whose side wins, in each season: shape (seasons,)."""
    left = np.broadcast_to(np.arange(len(knockout.places)), knockout.who.shape)
    known = _known_round(knockout, games.met)
    for number, how in enumerate(knockout.how.rounds):
        one, other = left[:, 0::2], left[:, 1::2]
        chance = _chance(knockout, how, one, other, games, rng)
        later, its = (np.take_along_axis(known, slot, axis=1) > number for slot in (one, other))
        chance = np.where(later != its, later, chance)
        chance = np.where(knockout.places[other] == 0, 1.0, np.where(knockout.places[one] == 0, 0.0, chance))
        left = np.where(rng.random(chance.shape) < chance, one, other)
    return left[:, 0]


def _known_round(knockout: Knockout, met: Met | None) -> NDArray[np.intp]:
    """The last round, from 0, that each slot's side is known to be in as a game of it is, by season; of the shape of
    `who`."""
    found = np.zeros_like(knockout.who)
    if met is None:
        return found
    for pair in combinations(range(knockout.who.shape[1]), 2):
        low, high = np.sort(knockout.who[:, pair], axis=1).T
        meet = (pair[0] ^ pair[1]).bit_length() - 1
        is_known = met.known[low, high] & (low != BYE)
        found[:, pair] = np.maximum(found[:, pair], np.where(is_known, meet, 0)[:, None])
    return found


def _chance(
    knockout: Knockout, how: str, one: NDArray[np.intp], other: NDArray[np.intp], games: Games,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """Chance of the side of slot `one` to go through against that of `other`; of their shape, (seasons, ties)."""
    own, its = (np.take_along_axis(knockout.who, slot, axis=1) for slot in (one, other))
    turned = own > its
    low, high = np.maximum(np.minimum(own, its), 0), np.maximum(own, its)
    is_low_better = (knockout.places[one] < knockout.places[other]) != turned
    level = is_low_better.astype(float) if knockout.how.level == "better" else 0.5
    grounds = [np.where(is_low_better, AT_FIRST, AT_SECOND)] if how == "better" else GAMES[how]
    chance = games.chance(low, high, grounds, level)
    if games.met is not None:
        chance = _known(games, games.met, low, high, chance, level, len(grounds), rng)
    return np.where(turned, 1 - chance, chance)


def _known(
    games: Games, met: Met, low: NDArray[np.intp], high: NDArray[np.intp], chance: Array, level: Array | float,
    legs: int, rng: np.random.Generator,
) -> Array:  # fmt: skip
    """The chances of ties, those of which games are played by their results."""
    played = met.games[low, high]
    if legs > 1 and (played == 1).any():
        both = games.both(low, high, met.left[low, high])
        again = second_leg(games.later.design.outcome, *both, met.lead[low, high], games.arguments, rng, level=level)
        chance = np.where(played == 1, again, chance)
    return np.where(played >= legs, met.settled(low, high, level), chance)
