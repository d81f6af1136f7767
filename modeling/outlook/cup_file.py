"""A file of a cup: who plays, in which groups and slots. What makes no cup is refused in words."""

import difflib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import tomlkit
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError
from tomlkit.exceptions import TOMLKitError

from store.errors import UsageError
from store.seasons import Order

BYE_NAME = ""
THIRD = 3  # the place of which the best of several groups go through


def _as_text(value: object) -> object:
    """Numbers as results have them: as text."""
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else value


class Cup(BaseModel):
    """What a file of a cup says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: date
    bracket: tuple[str, ...] = ()
    """Who stands in which slot, neighbours meeting first: a name, a place of a group as A1, the third of one of some
    groups as ABC3, or "" for a bye. Of the thirds as many go through as there are such slots, the best of them."""
    seeds: tuple[str, ...] = ()
    """Or the entrants by seed, the best first: the draw keeps them apart, and the best have the byes."""
    groups: dict[str, tuple[str, ...]] = {}
    """Entrants of each group."""
    rounds: Literal[1, 2] = 1
    """How often all of a group meet: once, on neutral ground, or twice, each at home once."""
    points: tuple[FiniteFloat, FiniteFloat, FiniteFloat] = (3.0, 1.0, 0.0)
    order: Order = ("points", "difference", "scored", "head_to_head")
    hosts: tuple[str, ...] = ()
    """Who is at home against somebody who is not, in every game but those that are played home and away."""
    legs: Literal[1, 2] = 1
    """Two: a tie is decided by both scores together, each side being at home once; the last one is a single game."""
    best_of: Annotated[int, Field(ge=1, le=99)] = 1
    """Games of a series (an odd number): who has won most of them goes through."""
    attributes: dict[str, Annotated[str, BeforeValidator(_as_text)]] = {}
    """Attributes of all its games, as the league's results have them: a surface, a number of sets."""

    def place(self, slot: str) -> tuple[str, int] | None:
        """The group and the place that a slot stands for; None where it is a name."""
        group, place = slot[:-1], slot[-1:]
        return (group, int(place)) if group in self.groups and place.isdecimal() and place != "0" else None

    def groups_of_third(self, slot: str) -> tuple[str, ...]:
        """The groups of one of which a slot takes the third; none where it is of another kind."""
        of = slot[:-1]
        some = slot[-1:] == str(THIRD) and len(of) > 1 and slot not in self.groups
        return tuple(of) if some and of not in self.groups and all(name in self.groups for name in of) else ()

    @property
    def with_thirds(self) -> list[str]:
        """Names of the groups that have a third."""
        return sorted(name for name, members in self.groups.items() if len(members) >= THIRD)


def read_cup(path: Path) -> Cup:
    """The cup that a file says. Raises UsageError naming the mistake."""
    try:
        cup = Cup.model_validate(tomlkit.parse(path.read_text(encoding="utf-8")).unwrap())
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path} cannot be read: {said}.", "Give a TOML file with `date` and `bracket`.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        near = difflib.get_close_matches(where, Cup.model_fields, 1) if first["type"] == "extra_forbidden" else []
        hint = f'Did you mean "{near[0]}"?' if near else "The handbook's page on forecasts says what a cup is."
        raise UsageError(f'{path}: "{where}": {first["msg"]}.', hint) from error
    for message, hint in _mistakes(cup):
        raise UsageError(f"{path}: {message}", hint)
    return cup


def _mistakes(cup: Cup) -> Iterator[tuple[str, str]]:
    """What is wrong with a cup, as message and hint."""
    size = len(cup.bracket)
    if bool(cup.bracket) == bool(cup.seeds) or (size and (size & (size - 1) or size < 2)):
        yield "a cup has a bracket of 2, 4, 8, … slots, or seeds.", 'An empty slot, "", is a bye.'
    if len(cup.seeds) + sum(slot != BYE_NAME for slot in cup.bracket) < 2:
        yield "a cup has two entrants at least.", "Add names to `bracket` or `seeds`."
    if BYE_NAME in (*cup.seeds, *(name for members in cup.groups.values() for name in members)):
        yield "an entrant without a name stands in its seeds or groups.", "Byes are slots of a bracket."
    if cup.best_of % 2 == 0 or (cup.best_of > 1 and cup.legs > 1):
        yield "a series has an odd number of games, and no legs.", "For example: best_of = 7"
    yield from _mistakes_of_groups(cup)


def _mistakes_of_groups(cup: Cup) -> Iterator[tuple[str, str]]:
    if cup.groups and cup.seeds:
        yield "groups have no way into seeds.", "Give a bracket with places of groups, as A1."
    for name, members in cup.groups.items():
        if len(members) < 2:
            yield f"group {name} has fewer than two members.", "A group has two at least."
        ways = [((cup.place(slot) or ("",))[0], *cup.groups_of_third(slot)) for slot in cup.bracket]
        if cup.bracket and not any(name in way for way in ways):
            yield f"nobody of group {name} stands in the bracket.", f"Give a slot to a place of it, as {name}1."
    for slot, times in Counter(cup.bracket).items():
        place = cup.place(slot)
        if place and times > 1:
            yield f'the place "{slot}" stands in {times} slots.', "Whoever takes it goes on once: mend `bracket`."
        if place and place[1] > len(cup.groups[place[0]]):
            yield f'the slot "{slot}" is of a place that group {place[0]} does not have.', "Mend `bracket`."
    yield from _mistakes_of_thirds(cup)


def _mistakes_of_thirds(cup: Cup) -> Iterator[tuple[str, str]]:
    slots = [slot for slot in cup.bracket if cup.groups_of_third(slot)]
    if len(slots) > len(cup.with_thirds):
        yield (
            f"{len(slots)} slots take thirds, of {len(cup.with_thirds)} groups with three members or more.",
            "Mend `bracket` or the groups.",
        )
    fixed = {place[0] for slot in cup.bracket if (place := cup.place(slot)) and place[1] == THIRD}
    for slot in slots:
        if twice := fixed & set(cup.groups_of_third(slot)):
            yield f'the third of group {min(twice)} goes on by a slot of its own and by "{slot}".', "Mend `bracket`."
