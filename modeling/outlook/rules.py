"""A season's rules against a league's games: what of them is of nothing there is, in words."""

import difflib
from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from modeling.outlook.competitions import SHORTLY, Competition
from modeling.outlook.fixtures import Fixtures
from modeling.outlook.given import Names
from modeling.outlook.play_offs import PlayOffs, missing
from store.errors import UsageError
from store.seasons import Places, SeasonRules

NEAR = 0.8  # how much alike names are, from which one is taken to be meant: en.1 and en.4 are not
OF_RACES = {"points", "wins", "lots"}  # criteria that tell equals of a championship apart


def fitting(places: Places, sides: int) -> Places:
    """The meanings of places that a table of so many sides has."""
    return {name: where for name, where in places.items() if max(abs(where[0]), abs(where[1])) <= sides}


def insist_on_table(fixtures: Fixtures, rules: SeasonRules) -> None:
    """Raises UsageError where no game has the attribute that tables are made by."""
    if rules.table and rules.table not in fixtures.known:
        league, known = fixtures.games.league, sorted(fixtures.known)
        has = f"Games have: {', '.join(known)}." if known else "Games have none."
        raise UsageError(f'{league}: `table` of its season: no game has an attribute "{rules.table}".', has)


def check_rules(
    fixtures: Fixtures, rules: SeasonRules, names: Names, sides: dict[str, int], *, is_race: bool
) -> tuple[str, ...]:
    """What of the rules is of nothing there is, a sentence each; `sides` says how many each table has."""
    own = _of_races(rules) if is_race else _of_tables(fixtures, rules)
    return (
        *own,
        *_overdue(fixtures, is_race=is_race),
        *_beyond(rules, sides),
        *_play_offs(rules, sides, sorted(set(fixtures.listed["table"])), is_race=is_race),
        *(() if is_race else _cut_short(fixtures, rules, sides)),
        *_deducted(fixtures, rules, names),
    )


def _overdue(fixtures: Fixtures, *, is_race: bool) -> Iterator[str]:
    """Games that wait for a new day."""
    if count := len(fixtures.overdue):
        what = ("race" if is_race else "game") + ("s" if count > 1 else "")
        yield (
            f"{count} {what} to be played before {fixtures.as_of} {'have' if count > 1 else 'has'} no result: taken as "
            "to come on that day"
        )


def _of_races(rules: SeasonRules) -> Iterator[str]:
    for name in rules.order:
        if name not in OF_RACES:
            yield f'`order`: "{name}" tells nobody of a championship of races apart'
    if rules.deducted:
        yield "`deducted` is not known to championships of races"


def _of_tables(fixtures: Fixtures, rules: SeasonRules) -> Iterator[str]:
    there = sorted(set(fixtures.listed["table"]))
    absent = _absent(rules, there)
    for name in rules.tables:
        if name not in (*there, *absent):
            yield f"`tables`: {_no_table(name, there)}"
    if len(absent) == 1:
        yield f"`tables`: {_no_table(absent[0], there)}"
    elif absent:
        yield f"`tables`: no game is of any of {_quoted(absent)} ({_there(there)})"


def _absent(rules: SeasonRules, there: list[str]) -> list[str]:
    """Tables whose rules stand in the stanza and that no game is of, other than those that are written wrong."""
    gone = [name for name in rules.tables if name not in there]
    return [name for name in gone if not difflib.get_close_matches(name, there, 1, NEAR)]


def _no_table(name: str, there: list[str]) -> str:
    """That no game is of a table, in words, and which tables there are."""
    near = difflib.get_close_matches(name, there, 1, NEAR)
    known = f'did you mean "{near[0]}"?' if near else _there(there)
    return (f'no game is of a table "{name}"' if name else "a place is of no table") + f" ({known})"


def _there(there: list[str]) -> str:
    return f"there are {_quoted(filter(None, there))}" if any(there) else "a season has one"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _beyond(rules: SeasonRules, sides: dict[str, int]) -> Iterator[str]:
    for table, count in sides.items():
        places = rules.places_of(table)
        for name in places.keys() - fitting(places, count).keys():
            yield f"`places`: {name} is beyond the {count} of the table {table}".rstrip()


def _play_offs(rules: SeasonRules, sides: dict[str, int], there: list[str], *, is_race: bool) -> Iterator[str]:
    """Those of tables that no season has, or of this season's and of places that these do not have."""
    if is_race:
        yield from ["`play_offs` are not known to championships of races"] if rules.play_offs else []
        return
    told = {*there, *_absent(rules, there)}
    for table in sorted({table for one in rules.play_offs for table in one.tables} - told):
        yield f"`play_offs`: {_no_table(table, there)}: what it is of is not played"
    for one in rules.play_offs:
        gone = missing(one, sides)
        if gone and one.tables & sides.keys() and one.tables <= set(there):
            yield f"`play_offs`: {gone[0]} is no place of its own there, so that one is not played"


def _cut_short(fixtures: Fixtures, rules: SeasonRules, sides: dict[str, int]) -> Iterator[str]:
    """Play-offs that would be next, of tables that lack games."""
    done = fixtures.seen.filter(pl.col("season") == pl.col("season").last()).join(fixtures.listed, on="game_id")
    ended = dict(done.group_by("table").agg(pl.col("played_on").max()).iter_rows())
    for one in rules.play_offs:
        is_left_out = one.tables.isdisjoint(sides) and one.tables <= ended.keys()
        if is_left_out and fixtures.as_of - max(ended[table] for table in one.tables) <= SHORTLY:
            over = " and ".join(sorted(filter(None, one.tables))) or "the table"
            slots = ", ".join(filter(None, one.bracket))
            yield (
                f"`play_offs`: no game of {over} is to come, and not everybody there has met everybody equally often: "
                f"its play-off ({slots}) is not simulated"
            )


def uneven(tables: Iterable[Competition]) -> Iterator[str]:
    """Tables whose sides have unequal numbers of games, in words: games that are none of the table's count, or are
    missing."""
    for one in tables:
        games = np.bincount(np.concatenate([one.first, one.second]), minlength=len(one.sides))
        if np.ptp(games):
            of = f"of {one.table} " if one.table else ""
            yield (
                f"sides {of}have from {games.min()} to {games.max()} games, played and to come: some are not listed, "
                "or a play-off's count too (`rounds` says which rounds do)"
            )


def unheard(play_offs: PlayOffs, tables: Iterable[Competition], after: pl.DataFrame) -> Iterator[str]:
    """Play-offs of tables that are over of which no game is known, in words: a feed may list none. `after` has the
    games after the tables (`competitions.games_after`)."""
    over = {one.table: one for one in tables if one.is_over}
    for one in play_offs.rules.values():
        own = [over[table] for table in sorted(one.tables) if table in over]
        sides = [side for table in own for side in table.sides]
        met = after.filter(pl.col("who").is_in(sides).all().over("game_id"))
        if len(own) == len(one.tables) and met.is_empty():
            name = " and ".join(table.table for table in own if table.table) or "the table"
            slots = ", ".join(filter(None, one.bracket))
            yield (
                f"`play_offs`: no game of that of {slots} is in the results since {name} ended on "
                f"{max(table.last_on for table in own)}: it is simulated as if none were played"
            )


def _deducted(fixtures: Fixtures, rules: SeasonRules, names: Names) -> Iterator[str]:
    seasons = set(fixtures.games.sides["season"]) | set(fixtures.seen["season"])
    for one in rules.deducted:
        if one.season not in seasons:
            yield f'`deducted`: no game is of a season "{one.season}"'
        try:
            names.find(one.who, names.kind)
        except ValueError as error:
            yield f"`deducted`: {error}"
