"""A file of fixtures, as a person writes one: read line by line, each mistake with its line and reason.

Columns: `date`, and `home` and `away`, or `first` and `second` on neutral ground; `season` and attributes of the games
(a surface, a number of sets) as the league's results have them. Of a race one row an entrant: `date`, `race`,
`entrant`, and `team`. Names are matched whole, whatever their case, with their aliases; ids are taken too.
"""

import csv
import difflib
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from modeling.games import ATTRIBUTE, NO_APPEARANCES, read_words
from modeling.outlook.fixtures import Given
from store.errors import UsageError

PAIRS = (("home", "away"), ("first", "second"))
TOGETHER = " / "  # between the players of one side
OWN = {"date", "season", "race", "entrant", "team", *PAIRS[0], *PAIRS[1]}
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


def read_names(con: duckdb.DuckDBPyConnection, league: str, kind: str) -> Names:
    """The names of a league's competitors."""
    names = Names(league, kind)
    for competitor, of, word in read_words(con, league):
        names.by_word.setdefault((of, word.casefold().strip()), set()).add(competitor)
        names.spelled[word.casefold().strip()] = word
    return names


def read_given(path: Path, names: Names, as_of: date, season: str, *, is_race: bool) -> tuple[Given, list[Mistake]]:
    """The games of a file and the lines that were left out. Raises UsageError where it is no such file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path} cannot be read: {said}.", "Give a CSV file of fixtures, in UTF-8.") from error
    columns = set(rows[0]) if rows else set()
    needed = ("date", "race", "entrant") if is_race else ("date", *_pair(columns))
    if not columns.issuperset(needed):
        hint = f"Its first line must name its columns, among them: {', '.join(needed)}."
        raise UsageError(f"{path} has no fixtures." if not rows else f"{path} lacks columns.", hint)
    sides: list[dict[str, object]] = []
    players: Lined = []
    mistakes: list[Mistake] = []
    for line, row in enumerate(rows, start=2):
        try:
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
    return day


def _common(row: dict[str, str], day: date, season: str, game: str) -> dict[str, object]:
    told: dict[str, object] = {
        ATTRIBUTE + name: value or None for name, value in row.items() if name and name not in OWN
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
    common = _common(row, day, season, game) | {"neutral": not at_home}
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
    common = _common(row, day, season, game) | {"neutral": True, "is_home": False, "side": side}
    if names.kind == "team":
        return [common | {"team": driver}], []
    return [common | {"team": team}], [(game, side, driver, 1.0)]
