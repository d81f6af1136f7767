"""Prepared questions: dashboard/sql/canned/<name>.sql, each with its title, description and parameters on top.

The first comment line is the title; those after it are the description, until lines such as
`$n (count) = 10: how many`, one a parameter. One without a value after `=` must be given; of choices
(`$kind = any | team`) the first is usual. A count is a whole number, a day is a date; what is usual need not be one.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from store.errors import UsageError

MOST_DIGITS = 9  # of a count: it fits every whole number of SQL
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
FOLDER = Path(__file__).parent / "sql" / "canned"
PARAMETER = re.compile(r"\$(?P<name>\w+)(?: \((?P<kind>count|day)\))?(?: = (?P<usual>[^:]*))?: (?P<meaning>.+)")


@dataclass(frozen=True)
class Parameter:
    """A value that a prepared question takes; `usual` is None where it must be given."""

    name: str
    usual: str | None
    meaning: str
    choices: tuple[str, ...] = ()
    kind: str | None = None
    """"count" or "day"; None for a text."""

    def check(self, value: str) -> None:
        """Raises UsageError for a value that it cannot have."""
        if self.choices and value not in self.choices:
            raise UsageError(f'"{self.name}" cannot be "{value}".', f"It can be: {', '.join(self.choices)}.")
        if self.kind == "count" and not (value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS):
            raise UsageError(
                f'"{self.name}" must be a whole number from 0 to {10**MOST_DIGITS - 1:,}; it is "{value}".',
                self.meaning,
            )
        if self.kind == "day" and value != self.usual and not _is_day(value):
            raise UsageError(
                f'"{self.name}" must be a day of the calendar; it is "{value}".', "Write it as 2026-01-31."
            )


@dataclass(frozen=True)
class Canned:
    """A prepared question."""

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    sql: str

    @property
    def is_of_a_league(self) -> bool:
        """True where it asks about one league."""
        return any(parameter.name == "league" for parameter in self.parameters)

    def values(self, given: dict[str, str]) -> dict[str, str]:
        """The values to bind: those given, else the usual ones. Raises UsageError for what is missing, unknown or none
        that the parameter can have.
        """
        known = {parameter.name: parameter.usual for parameter in self.parameters}
        if unknown := sorted(set(given) - set(known)):
            raise UsageError(
                f'"{self.name}" has no parameter "{unknown[0]}".', f"It has: {', '.join(known) or 'none'}."
            )
        values = {**known, **given}
        if missing := [name for name, value in values.items() if value is None]:
            raise UsageError(f'"{self.name}" needs a value for "{missing[0]}".', f"Add {missing[0]}=VALUE.")
        complete = {name: value for name, value in values.items() if value is not None}
        for one in self.parameters:
            one.check(complete[one.name])
        return complete


@cache
def canned() -> dict[str, Canned]:
    """All prepared questions by name."""
    return {path.stem: read(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.sql"))}


def find(name: str) -> Canned:
    """The prepared question of that name. Raises UsageError, with the nearest name, where there is none."""
    found = canned().get(name)
    if found is None:
        near = get_close_matches(name, canned(), n=1)
        raise UsageError(
            f'There is no prepared question "{name}".',
            f'Did you mean "{near[0]}"?' if near else "See: /api/queries",
        )
    return found


def read(name: str, text: str) -> Canned:
    """The prepared question that a file's text is."""
    lines = text.splitlines()
    count = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    title, *others = [line.removeprefix("--").strip() for line in lines[:count]]
    matches = [PARAMETER.fullmatch(line) for line in others]
    description = " ".join(line for line, match in zip(others, matches, strict=True) if match is None)
    parameters = tuple(_parameter(**match.groupdict()) for match in matches if match)
    return Canned(name, title, description, parameters, "\n".join(lines[count:]))


def _parameter(name: str, kind: str | None, usual: str | None, meaning: str) -> Parameter:
    first, *others = (usual or "").split(" | ")
    return Parameter(name, None if usual is None else first, meaning, (first, *others) if others else (), kind)


def _is_day(text: str) -> bool:
    with suppress(ValueError):
        return DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    return False
