"""A season's rules against a league's games: what of them is of nothing there is, in words."""

from collections.abc import Iterator

from modeling.outlook.fixtures import Fixtures
from modeling.outlook.given import Names
from modeling.outlook.play_offs import missing
from store.errors import UsageError
from store.seasons import Places, SeasonRules

OF_RACES = {"points", "wins", "lots"}  # criteria that tell equals of a championship apart


def fitting(places: Places, sides: int) -> Places:
    """The meanings of places that a table of so many sides has."""
    return {name: where for name, where in places.items() if max(abs(where[0]), abs(where[1])) <= sides}


def check_rules(
    fixtures: Fixtures, rules: SeasonRules, names: Names, sides: dict[str, int], *, is_race: bool
) -> tuple[str, ...]:
    """What of the rules is of nothing there is, a sentence each; `sides` says how many each table has.

    Raises UsageError where no game has the attribute that tables are made by.
    """
    if rules.table and rules.table not in fixtures.known:
        known = f"Games have: {', '.join(sorted(fixtures.known))}." if fixtures.known else "Games have none."
        raise UsageError(f'{names.league}: `table` of its season: no game has an attribute "{rules.table}".', known)
    own = _of_races(rules) if is_race else _of_tables(fixtures, rules)
    return (
        *own,
        *_beyond(rules, sides),
        *_play_offs(rules, sides, is_race=is_race),
        *_deducted(fixtures, rules, names),
    )


def _of_races(rules: SeasonRules) -> Iterator[str]:
    for name in rules.order:
        if name not in OF_RACES:
            yield f'`order`: "{name}" tells nobody of a championship of races apart'
    if rules.deducted:
        yield "`deducted` is not known to championships of races"


def _of_tables(fixtures: Fixtures, rules: SeasonRules) -> Iterator[str]:
    there = sorted(set(fixtures.listed["table"]))
    for name in rules.tables:
        if name not in there:
            yield f'`tables`: no game is of a table "{name}"; there are {", ".join(there)}'


def _beyond(rules: SeasonRules, sides: dict[str, int]) -> Iterator[str]:
    for table, count in sides.items():
        places = rules.places_of(table)
        for name in places.keys() - fitting(places, count).keys():
            yield f"`places`: {name} is beyond the {count} of the table {table}".rstrip()


def _play_offs(rules: SeasonRules, sides: dict[str, int], *, is_race: bool) -> Iterator[str]:
    """Those that are of tables of this season, and of places that these do not have."""
    if is_race and rules.play_offs:
        yield "`play_offs` are not known to championships of races"
    for one in rules.play_offs if not is_race else ():
        gone = missing(one, sides)
        if gone and one.tables & sides.keys():
            yield f"`play_offs`: {gone[0]} is no place of its own there, so that one is not played"


def _deducted(fixtures: Fixtures, rules: SeasonRules, names: Names) -> Iterator[str]:
    seasons = set(fixtures.games.sides["season"]) | set(fixtures.seen["season"])
    for one in rules.deducted:
        if one.season not in seasons:
            yield f'`deducted`: no game is of a season "{one.season}"'
        try:
            names.find(one.who, names.kind)
        except ValueError as error:
            yield f"`deducted`: {error}"
