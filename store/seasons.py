"""How a league's season is decided: the `[LEAGUE.season]` table of a stanza, checked."""

import re
from collections import Counter
from datetime import date
from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

TieBreak = Literal["points", "difference", "scored", "wins", "head_to_head", "play_off", "lots"]


def _once(value: tuple[TieBreak, ...]) -> tuple[TieBreak, ...]:
    if not value or len(set(value)) < len(value):
        raise ValueError("each criterion stands there once, the first that counts first")
    return value


Order = Annotated[tuple[TieBreak, ...], AfterValidator(_once)]


def _in_order(place: tuple[int, int]) -> tuple[int, int]:
    first, last = place
    if 0 in place or (first > last and first * last > 0):
        raise ValueError("places are the first and the last of them, from 1, or from the end as -1: [1, 4], [-3, -1]")
    return place


def _among(place: int, where: tuple[int, int]) -> bool:
    """Whether a place is one of some, of a table whose size is not known: the last are behind all that are counted."""
    last = 1_000_000
    first, until, own = (one if one > 0 else last + one for one in (*where, place))
    return first <= own <= until


Places = dict[str, Annotated[tuple[int, int], AfterValidator(_in_order)]]


class TableRules(BaseModel):
    """Rules of one table where they are other than those of the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    places: Places | None = None
    order: Order | None = None


class Deduction(BaseModel):
    """Points taken off somebody in a season, or given back where negative."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    season: str
    who: str
    """A name or an id, as the league has it."""
    points: FiniteFloat
    on: date
    """When it was decided: outlooks as of an earlier day do not know it."""


SLOT = re.compile(r"(?:(.*\S)\s+)?(-?[1-9]\d*)")
BYE_SLOT = ""


class PlayOff(BaseModel):
    """A knock-out between places of a table, or of several, once these are over."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bracket: tuple[str, ...]
    """Who stands in which slot, neighbours meeting first: a table and a place of it (`"en.2 3"`; `"3"` where the season
    has one table), from the end as -3, or "" for a bye."""
    rounds: tuple[Literal["two_legs", "neutral", "better"], ...]
    """How each round is played: home and away, one game on neutral ground, or one at the better placed's."""
    level: Literal["lots", "better"] = "lots"
    """Who goes through where it is level after extra time: whom lots (penalties) choose, or the better placed."""
    won: dict[str, str] = {}
    """What who wins it gains, by the table that he is of."""
    lost: dict[str, str] = {}
    """The same of who loses a play-off of two."""

    @property
    def slots(self) -> tuple[tuple[str, int] | None, ...]:
        """Table and place of each slot, None of byes."""
        found = [SLOT.fullmatch(slot.strip()) for slot in self.bracket]
        return tuple((one[1] or "", int(one[2])) if one else None for one in found)

    @property
    def tables(self) -> frozenset[str]:
        """The tables whose places stand in it."""
        return frozenset(slot[0] for slot in self.slots if slot)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        size = len(self.bracket)
        entrants = [slot for slot in self.slots if slot]
        if size < 2 or size & (size - 1) or len(self.rounds) != size.bit_length() - 1:
            raise ValueError("a bracket has 2, 4, 8, ... slots, and each round of it is one of `rounds`")
        for text, slot in zip(self.bracket, self.slots, strict=True):
            if slot is None and text.strip() != BYE_SLOT:
                raise ValueError(f'"{text}" is no place: write a table and a place of it, such as "en.2 3"')
        if twice := [place for place, times in Counter(entrants).items() if times > 1]:
            raise ValueError(f'the place "{" ".join(map(str, twice[0])).strip()}" stands in two slots')
        if any(not any(pair) for pair in zip(self.slots[::2], self.slots[1::2], strict=True)):
            raise ValueError("of two slots that meet one is of somebody")
        if len(self.tables) > 1 and ("better" in self.rounds or self.level == "better"):
            raise ValueError("who is better placed is said of places of one table")
        if strange := sorted({*self.won, *self.lost} - self.tables):
            raise ValueError(f'nobody of a table "{strange[0]}" stands in it: mend `won` or `lost`')
        if not (self.won or self.lost) or (self.lost and size > 2):
            raise ValueError("it decides something: `won` by table, or `lost` where two play it")
        if same := [table for table, prize in self.won.items() if self.lost.get(table) == prize]:
            raise ValueError(f'who of a table "{same[0]}" wins it has "{self.won[same[0]]}", and who loses it too')
        return self

    def prizes_of(self, table: str) -> set[str]:
        """What it decides in a table."""
        return {prizes[table] for prizes in (self.won, self.lost) if table in prizes}


class SeasonRules(BaseModel):
    """Points, what tells equals apart, and what places mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str | None = None
    """An attribute of the games: each of its values has a table of its own; without it a season has one."""
    rounds: str | None = None
    """A pattern (`Matchday *`) of the rounds whose games count for the table; without it all do."""
    points: tuple[FiniteFloat, ...] = Field(default=(3.0, 1.0, 0.0), min_length=2)
    """Of a win, a draw and a loss; of a race for the first place, the second and so on."""
    order: Order = ("points", "difference", "scored")
    """What counts first, second, ...; who is still equal is told apart by lots."""
    places: Places = {"champion": (1, 1)}
    """What places mean: the first and the last of them, from 1, or from the end as -1."""
    tables: dict[str, TableRules] = {}
    """Places and order by table."""
    play_offs: tuple[PlayOff, ...] = ()
    """What is decided between places of the final tables; of tables, not of championships of races."""
    deducted: tuple[Deduction, ...] = ()
    """Points taken off; of tables, not of championships of races."""

    @model_validator(mode="after")
    def _has_each_prize_once(self) -> Self:
        for one in self.play_offs:
            for table, place in (slot for slot in one.slots if slot):
                for prize, where in (self._said_of(table) or {}).items():
                    if prize in one.prizes_of(table) and _among(place, where):
                        slot = f"{table} {place}".strip()
                        raise ValueError(f'"{slot}" has "{prize}" by `places` ({prize} = {list(where)}) and plays for '
                                         f'it in the play-off of {", ".join(filter(None, one.bracket))}: '
                                         "mend one of them")  # fmt: skip
        return self

    @model_validator(mode="after")
    def _has_each_place_once_for_a_prize(self) -> Self:
        for one, other in combinations(self.play_offs, 2):
            for table, place in (slot for slot in one.slots if slot and slot in other.slots):
                for prize in sorted(one.prizes_of(table) & other.prizes_of(table)):
                    slot = f"{table} {place}".strip()
                    raise ValueError(f'"{slot}" plays for "{prize}" in two play-offs: mend one of them')
        return self

    def _said_of(self, table: str) -> Places | None:
        """What the stanza itself says that places of a table mean."""
        own = self.tables[table].places if table in self.tables else None
        return own if own is not None else self.places if "places" in self.model_fields_set else None

    def places_of(self, table: str) -> Places:
        """What places of a table mean; where the stanza does not say, as usual, without what a play-off decides."""
        if (said := self._said_of(table)) is not None:
            return said
        decided = set[str]().union(*(one.prizes_of(table) for one in self.play_offs))
        return {prize: where for prize, where in self.places.items() if prize not in decided}

    def order_of(self, table: str) -> Order:
        """What counts first, second, ... in a table."""
        own = self.tables[table].order if table in self.tables else None
        return self.order if own is None else own
