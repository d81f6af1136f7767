"""Prepared questions: dashboard/sql/canned/<name>.sql, each with its title, description and parameters on top.

The first comment line is the title; those after it are the description, until lines such as `$n = 10: how many`, one a
parameter. One without a value after `=` must be given; of choices (`$kind = any | team`) the first is usual.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from store.errors import UsageError

FOLDER = Path(__file__).parent / "sql" / "canned"
PARAMETER = re.compile(r"\$(?P<name>\w+)(?: = (?P<usual>[^:]*))?: (?P<meaning>.+)")


@dataclass(frozen=True)
class Parameter:
    """A value that a prepared question takes; `usual` is None where it must be given."""

    name: str
    usual: str | None
    meaning: str
    choices: tuple[str, ...] = ()


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
        """The values to bind: those given, else the usual ones. Raises UsageError for what is missing or unknown."""
        known = {parameter.name: parameter.usual for parameter in self.parameters}
        if unknown := sorted(set(given) - set(known)):
            raise UsageError(
                f'"{self.name}" has no parameter "{unknown[0]}".', f"It has: {', '.join(known) or 'none'}."
            )
        values = {**known, **given}
        if missing := [name for name, value in values.items() if value is None]:
            raise UsageError(f'"{self.name}" needs a value for "{missing[0]}".', f"Add {missing[0]}=VALUE.")
        for one in self.parameters:
            if one.choices and values[one.name] not in one.choices:
                raise UsageError(
                    f'"{one.name}" cannot be "{values[one.name]}".', f"It can be: {', '.join(one.choices)}."
                )
        return {name: value for name, value in values.items() if value is not None}


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


def _parameter(name: str, usual: str | None, meaning: str) -> Parameter:
    first, *others = (usual or "").split(" | ")
    return Parameter(name, None if usual is None else first, meaning, (first, *others) if others else ())
