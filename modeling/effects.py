"""What a stanza's `effects` ask for: each a word of its own, parsed and checked against the games.

"home" is home advantage. "rest_days", or the name of an attribute of the games that holds numbers, is a covariate.
"A:B", with A of team, player or home, is A's deviation by B (home, season, or an attribute), pooled to zero.
"""

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import polars as pl

from modeling.games import ATTRIBUTE
from modeling.outcomes.outcome import Outcome
from store.errors import FitError
from store.stanzas import Stanza

ENTITIES = ("team", "player", "home")
BUILT_IN = ("home", "season", "rest_days")


@dataclass(frozen=True)
class Effect:
    """One effect: whose it is ("" of the game as a whole) and by what it varies."""

    entity: Literal["", "team", "player", "home"]
    by: str

    @property
    def name(self) -> str:
        """As the stanza writes it."""
        return f"{self.entity}:{self.by}" if self.entity else self.by


def parse_effects(league: str, stanza: Stanza, outcome: Outcome) -> list[Effect]:
    """The stanza's effects. Raises FitError where one cannot be read or makes no sense for the outcome."""
    found = [_parsed(league, text) for text in dict.fromkeys(stanza.effects)]
    for effect in found:
        if outcome.row == "entrant" and "home" in (effect.entity, effect.by):
            raise FitError(
                f'{league}: effect "{effect.name}" needs a home side; "{outcome.name}" has races of many entrants.',
                f'Take "{effect.name}" out of `effects`, or use an outcome of two sides.',
            )
    return found


def attributes_of(effects: list[Effect], stanza: Stanza) -> list[str]:
    """Attributes of games that the model needs, each once."""
    return list(dict.fromkeys([e.by for e in effects if e.by not in BUILT_IN] + list(stanza.noise)))


def needs_players(effects: list[Effect], stanza: Stanza) -> bool:
    """Whether the model has anything of players."""
    return "player" in stanza.rate or any(effect.entity == "player" for effect in effects)


def insist_on_attributes(
    league: str, effects: list[Effect], stanza: Stanza, sides: pl.DataFrame, known: Collection[str]
) -> None:
    """Raises FitError where the model needs an attribute that no game has, with the nearest that there is."""
    for name in attributes_of(effects, stanza):
        if sides[ATTRIBUTE + name].null_count() == sides.height:
            near = difflib.get_close_matches(name, [*known, *BUILT_IN], 1)
            there = f"The games have: {', '.join(sorted(known)[:30])}." if known else "The games have no attributes."
            raise FitError(
                f'{league}: the model asks for "{name}", and no game has that attribute.',
                f'Did you mean "{near[0]}"?' if near else there,
            )


def numbers_of(sides: pl.DataFrame, name: str) -> pl.Series | None:
    """An attribute of each side's game as numbers, null where a game has none; None where it is not of numbers.

    "nan" and "inf" are no numbers: a game has none then.
    """
    column = sides[ATTRIBUTE + name]
    numbers = column.cast(pl.Float64, strict=False)
    if numbers.null_count() > column.null_count() or not numbers.is_finite().any():
        return None
    return pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series()


def _parsed(league: str, text: str) -> Effect:
    entity, _, by = text.rpartition(":")
    if entity and entity not in ENTITIES:
        near = difflib.get_close_matches(entity, ENTITIES, 1)
        hint = f'Did you mean "{near[0]}:{by}"?' if near else f"It can be of {', '.join(ENTITIES)}."
        raise FitError(f'{league}: effect "{text}" is of "{entity}", which is nobody\'s.', hint)
    if (
        not by
        or (entity == "home" and by in ("home", "rest_days"))
        or (not entity and by in ("season", "team", "player"))
    ):
        raise FitError(
            f'{league}: effect "{text}" cannot be read.',
            'Write "home", the name of an attribute, or "team:…", "player:…" or "home:…" with one.',
        )
    return Effect(entity, by)  # pyright: ignore[reportArgumentType]
