"""How a league's season is decided: the `[LEAGUE.season]` table of a stanza, checked."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

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
    points: float
    on: date
    """When it was decided: outlooks as of an earlier day do not know it."""


class SeasonRules(BaseModel):
    """Points, what tells equals apart, and what places mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str | None = None
    """An attribute of the games: each of its values has a table of its own; without it a season has one."""
    rounds: str | None = None
    """A pattern (`Matchday *`) of the rounds whose games count for the table; without it all do."""
    points: tuple[float, ...] = Field(default=(3.0, 1.0, 0.0), min_length=2)
    """Of a win, a draw and a loss; of a race for the first place, the second and so on."""
    order: Order = ("points", "difference", "scored")
    """What counts first, second, ...; who is still equal is told apart by lots."""
    places: Places = {"champion": (1, 1)}
    """What places mean: the first and the last of them, from 1, or from the end as -1."""
    tables: dict[str, TableRules] = {}
    """Places and order by table."""
    deducted: tuple[Deduction, ...] = ()
    """Points taken off; of tables, not of championships of races."""

    def places_of(self, table: str) -> Places:
        """What places of a table mean."""
        own = self.tables[table].places if table in self.tables else None
        return self.places if own is None else own

    def order_of(self, table: str) -> Order:
        """What counts first, second, ... in a table."""
        own = self.tables[table].order if table in self.tables else None
        return self.order if own is None else own
