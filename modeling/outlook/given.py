"""A file of fixtures, as a person writes one: read line by line, each mistake with its line and reason.

Columns: `date`, and `home` and `away`, or `first` and `second` on neutral ground; `season` and attributes of the games
(a surface, a number of sets) as the league's results have them. Of a race one row an entrant: `date`, `race`,
`entrant`, and `team`. Names are matched whole, whatever their case, with their aliases; ids are taken too. `neutral`,
`status` and columns of results may stand there, and say nothing else than that: what is contrary is refused.
"""

import csv
import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from modeling.games import ATTRIBUTE, NO_APPEARANCES, attribute_values, known_attributes, read_words
from modeling.outlook.fixtures import FAR, Given
from store.errors import UsageError

PAIRS = (("home", "away"), ("first", "second"))
TOGETHER = " / "  # between the players of one side
RESULTS = ("score", "result", "winner", "finish", *(f"{side}_score" for pair in PAIRS for side in pair))
YES, NO, AHEAD = ("true", "yes", "1"), ("false", "no", "0"), ("scheduled", "unplayed", "to come")
LISTED = 8  # values of an attribute in a message
OWN = {"date", "season", "race", "entrant", "team", "neutral", "status", *PAIRS[0], *PAIRS[1], *RESULTS}
Lined = list[tuple[str, int, str, float]]  # line-ups: game, side, player, share
ID = "fixture:"  # what ids of such games begin with


@dataclass(frozen=True)
class Mistake:
    """A line of the file that was left out, and why."""

    line: int
    reason: str


@dataclass
class Names:
    """Who is who in a league: competitors by any of their names, in small letters."""

    league: str
    kind: str
    """Whether sides are teams or players."""
    by_word: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """Ids by kind and word."""
    spelled: dict[str, str] = field(default_factory=dict)
    """Words as they are written, by themselves in small letters."""
    entered: Counter[str] = field(default_factory=Counter)
    """Of each race of the file, the entrants so far."""
    attributes: frozenset[str] = frozenset()
    """Those that the league's games have."""
    values: dict[str, list[str]] = field(default_factory=dict)
    """All values of those of which a game has none but these: of a division, which a new name does not make."""

    def find(self, word: str, kind: str) -> str:
        """The id of a competitor. Raises ValueError where nobody, or more than one, is called so."""
        found = self.by_word.get((kind, word.casefold().strip()), set())
        if len(found) == 1:
            return next(iter(found))
        if found:
            raise ValueError(f'"{word}" can be {" or ".join(sorted(found))}: give the id')
        words = [other for of, other in self.by_word if of == kind]
        near = difflib.get_close_matches(word.casefold(), words, 1)
        raise ValueError(
            f'no {kind} is called "{word}"'
            + (f'; did you mean "{self.spelled.get(near[0], near[0])}"?' if near else "")
        )


def as_sentence(said: object) -> str:
    """What was said, with a full stop where it has no question mark."""
    text = str(said)
    return text if text.endswith("?") else f"{text}."


def read_names(con: duckdb.DuckDBPyConnection, league: str, kind: str) -> Names:
    """The names of a league's competitors."""
    names = Names(league, kind, attributes=frozenset(known_attributes(con, league)))
    for competitor, of, word in read_words(con, league):
        names.by_word.setdefault((of, word.casefold().strip()), set()).add(competitor)
        names.spelled[word.casefold().strip()] = word
    return names


def read_given(path: Path, names: Names, as_of: date, season: str, *, is_race: bool) -> tuple[Given, list[Mistake]]:
    """The games of a file and the lines that were left out. Raises UsageError where it is no such file."""
    columns, rows = _read(path)
    needed = ("date", "race", "entrant") if is_race else ("date", *_pair(set(columns)))
    if not rows or not set(columns).issuperset(needed):
        found = f" It has: {', '.join(columns)}." if rows else ""
        hint = f"Its first line must name its columns, with commas, among them: {', '.join(needed)}.{found}"
        raise UsageError(f"{path} has no fixtures." if not rows else f"{path} lacks columns.", hint)
    for message, hint in _contrary(columns, is_race=is_race):
        raise UsageError(f"{path}, line 1: {message}", hint)
    sides: list[dict[str, object]] = []
    players: Lined = []
    mistakes = [Mistake(1, reason) for reason in _unknown(columns, names)]
    for line, row in rows:
        try:
            _insist_to_come(row, names)
            own, lined_up = (_entrant if is_race else _game)(row, names, as_of, season)
            if any((one["game_id"], one["side"]) == (own[0]["game_id"], own[0]["side"]) for one in sides):
                raise ValueError("the same game stands there twice")
            if any((one[0], one[2]) in {(game, player) for game, _, player, _ in players} for one in lined_up):
                raise ValueError("the same entrant stands there twice")
            sides, players = sides + own, players + lined_up
        except ValueError as error:
            mistakes.append(Mistake(line, str(error)))
    frame = pl.DataFrame(sides, infer_schema_length=None)
    if frame.height:
        frame = frame.with_columns(pl.col("side").cast(pl.Int16), pl.col("team").cast(pl.String))
    return Given(frame, pl.DataFrame(players, schema=NO_APPEARANCES.schema, orient="row")), mistakes


def insist_on_values(con: duckdb.DuckDBPyConnection, league: str, attributes: dict[str, str]) -> None:
    """Raises UsageError where an attribute, or its value, is one that no game of the league has."""
    known = known_attributes(con, league)
    for name, value in attributes.items():
        if name not in known:
            has = f"They have: {', '.join(sorted(known))}." if known else "They have none: leave `attributes` out."
            raise UsageError(f'{league}: games have no attribute "{name}".', _nearest(name, known) or has)
        values = attribute_values(con, league, name)
        if value not in values:
            raise UsageError(f'{league}: no game\'s {name} is "{value}".', _choices(value, values))


def _choices(value: str, values: list[str]) -> str:
    """Which value was meant, and which there are."""
    has = f"They have: {', '.join(values[:LISTED])}{', …' if len(values) > LISTED else ''}."
    return f"{_nearest(value, values)} {has}".lstrip()


def _nearest(word: str, words: Iterable[str]) -> str:
    """The nearest of some words as a question, empty where none is near."""
    by_word = {each.casefold(): each for each in words}
    near = difflib.get_close_matches(word.casefold(), by_word, 1)
    return f'Did you mean "{by_word[near[0]]}"?' if near else ""


def _read(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The columns of a file, and its rows with the line that each ends on. Raises UsageError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
            return list(reader.fieldnames or []), rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path} cannot be read: {said}.", "Give a CSV file of fixtures, in UTF-8.") from error


def _contrary(columns: list[str], *, is_race: bool) -> Iterator[tuple[str, str]]:
    """What of the columns contradicts itself, as message and hint."""
    for name, times in Counter(columns).items():
        if times > 1:
            yield f'the column "{name}" stands there {times} times.', "Keep the one that is meant."
    pairs = [name for pair in PAIRS for name in pair if name in columns]
    if is_race and pairs:
        yield f'the entrants of races have no "{pairs[0]}".', "A line an entrant: date, race, entrant, team."
    if len(pairs) > len(PAIRS[0]):
        yield (
            f"{', '.join(pairs[:-1])} and {pairs[-1]} name the two sides twice.",
            "Keep home and away, or on neutral ground first and second.",
        )


def _unknown(columns: list[str], names: Names) -> Iterator[str]:
    """Columns that say nothing, in words."""
    for name in columns:
        if name and name not in OWN and name not in names.attributes:
            near = _nearest(name, [*names.attributes, *OWN])
            yield f'the column "{name}" is no attribute of the games{f". {near}" if near else ""}'


def _insist_to_come(row: dict[str, str], names: Names) -> None:
    """Raises ValueError where a line says that the game is over, or whose ground it is against its own columns."""
    if None in row:
        raise ValueError("it has more values than there are columns")
    said = {name: (value or "").strip() for name, value in row.items() if name not in names.attributes}
    for name in RESULTS:
        if said.get(name):
            raise ValueError(f'{name} says "{said[name]}": a game to come has no result')
    if (status := said.get("status", "").casefold()) not in ("", *AHEAD):
        raise ValueError(f'its status is "{status}": only games to come are forecast')
    neutral, at_home = said.get("neutral", "").casefold(), _pair(set(row)) == PAIRS[0]
    if neutral not in ("", *YES, *NO):
        raise ValueError(f'neutral is "{neutral}": write true or false')
    if names.kind == "team" and "entrant" not in row and neutral in (YES if at_home else NO):
        now, then = (PAIRS[0], PAIRS[1]) if at_home else (PAIRS[1], PAIRS[0])
        raise ValueError(
            f'neutral is "{neutral}", yet its sides are {" and ".join(now)}: call them {" and ".join(then)}'
        )


def _pair(columns: set[str]) -> tuple[str, str]:
    return next((pair for pair in PAIRS if columns.issuperset(pair)), PAIRS[0])


def _day(row: dict[str, str], as_of: date) -> date:
    text = (row["date"] or "").strip()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is no date: write 2031-08-24') from None
    if day < as_of:
        raise ValueError(f"{day} is before {as_of}, up to when the ratings know what came of the games")
    if day - as_of > FAR:
        raise ValueError(f"{day} is more than ten years after {as_of}: is its year right?")
    return day


def _common(row: dict[str, str], names: Names, day: date, season: str, game: str) -> dict[str, object]:
    for name, values in names.values.items():
        if (value := (row.get(name) or "").strip()) and value not in values:
            raise ValueError(f'no game\'s {name} is "{value}". {_choices(value, values).removesuffix(".")}')
    told: dict[str, object] = {
        ATTRIBUTE + name: value or None for name, value in row.items() if name in names.attributes
    }
    return told | {
        "game_id": game, "contest_id": game, "season": (row.get("season") or "").strip() or season, "played_on": day,
        "exposure": 1.0,
    }  # fmt: skip


def _game(row: dict[str, str], names: Names, as_of: date, season: str) -> tuple[list[dict[str, object]], Lined]:
    pair = _pair(set(row))
    day = _day(row, as_of)
    who = [[names.find(word, names.kind) for word in (row[side] or "").split(TOGETHER)] for side in pair]
    if set(who[0]) & set(who[1]):
        raise ValueError("it meets itself")
    if names.kind == "team" and any(len(one) > 1 for one in who):
        raise ValueError("a side is one team")
    game = f"{ID}{day}|{'+'.join(who[0])}|{'+'.join(who[1])}"
    at_home = pair == PAIRS[0] and names.kind == "team"
    common = _common(row, names, day, season, game) | {"neutral": not at_home}
    is_team = names.kind == "team"
    sides = [common | {"side": n + 1, "team": one[0] if is_team else None, "is_home": at_home and n == 0}
             for n, one in enumerate(who)]  # fmt: skip
    lined = [] if is_team else [(game, n + 1, player, 1.0) for n, one in enumerate(who) for player in one]
    return sides, lined


def _entrant(row: dict[str, str], names: Names, as_of: date, season: str) -> tuple[list[dict[str, object]], Lined]:
    day, race = _day(row, as_of), (row["race"] or "").strip()
    driver = names.find(row["entrant"] or "", names.kind)
    team = names.find(row["team"], "team") if (row.get("team") or "").strip() and names.kind == "player" else None
    game = f"{ID}{day}|{race}"
    names.entered[game] += 1
    side = names.entered[game]
    common = _common(row, names, day, season, game) | {"neutral": True, "is_home": False, "side": side}
    if names.kind == "team":
        return [common | {"team": driver}], []
    return [common | {"team": team}], [(game, side, driver, 1.0)]
