"""Corrections of a source's mistakes, kept in `corrections/<league>.csv` of the home and applied at every load.

One row a correction: which game (its game_id, or the day and one competitor), which field, the right value, and why.
`field` is one of a game (played_on, season, round, status, neutral, sequence, attributes.NAME), one of a side, for
which `competitor` says whose (score, finish, won, is_home, exposure), or drop, which leaves the game out. What was
applied is kept with what was loaded: in the game's attribute `corrected`, or in the rule of a dropped game's rows.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ingest.frames import STATUSES, Parsed
from ingest.lines import read_declared
from store.errors import FeedError, StoreError
from store.home import Home

HEADER = ["game_id", "played_on", "competitor", "field", "value", "reason"]
DROPPED = "left out by correction"
ATTRIBUTE = "attributes."
NOTES = "corrected"


@dataclass(frozen=True)
class Correction:
    """One row of `file`: `value` is typed, `text` as written. The game is told by game_id, else day and competitor.

    `competitor` is a name or an id, "" where none is given.
    """

    file: str
    line: int
    game_id: str
    played_on: date | None
    competitor: str
    field: str
    value: Any
    text: str
    reason: str

    @property
    def note(self) -> str:
        """What stays with the game, or with a dropped game's rows, in words."""
        if self.field == "drop":
            return f"{DROPPED} of {self.game_id or f'{self.played_on} {self.competitor}'}: {self.reason}"
        whose = f" of {self.competitor}" if self.field in SIDE_FIELDS else ""
        return f"{self.field}{whose} is {self.text or 'empty'}: {self.reason}"

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.file}, line {self.line}"


def corrections_file(home: Home, league: str) -> Path:
    """The file of a league's corrections."""
    return home.root / "corrections" / f"{league}.csv"


def read_corrections(home: Home, league: str) -> list[Correction]:
    """A league's corrections, in the file's order; empty where there is none. Raises StoreError naming the line."""
    path = corrections_file(home, league)
    found = [_correction(path, line, row) for line, row in read_declared(path, HEADER)]
    _insist_on_one_each(path, found)
    return found


def as_frame(corrections: list[Correction]) -> pl.DataFrame:
    """The corrections as text, for the check that lists them: line, game_id, played_on, competitor, field, note."""
    rows = [[own.line, own.game_id, own.played_on, own.competitor, own.field, own.note] for own in corrections]
    schema = {"line": pl.Int64, "game_id": pl.String, "played_on": pl.Date, "competitor": pl.String}
    return pl.DataFrame(rows, schema=schema | {"field": pl.String, "note": pl.String}, orient="row")


def corrected(parsed: Parsed, corrections: list[Correction], file: str) -> Parsed:
    """The frames with the corrections that concern their games; a dropped game's rows become rejected ones of `file`.

    Where a score is corrected, who won follows from it unless `won` is corrected too, and a scheduled game is played.
    """
    for own in corrections:
        games = _games(parsed, own)
        if games.is_empty():
            continue
        if own.field == "drop":
            parsed = dropped(parsed, games, file, own.note)
        elif own.field in SIDE_FIELDS:
            parsed = _with_side(parsed, games, own)
        else:
            parsed = _with_game(parsed, games, own)
    return parsed


def dropped(parsed: Parsed, games: pl.DataFrame, file: str, rule: str) -> Parsed:
    """The frames without some games (game_id), whose rows become rejected rows of `file` by `rule`."""
    kept = {
        name: getattr(parsed, name).join(games, on="game_id", how="anti", maintain_order="left")
        for name in ("games", "sides", "appearances", "source_rows")
    }
    rows = parsed.source_rows.join(games, on="game_id", how="semi", maintain_order="left")
    rejected = rows.select(pl.lit(file).alias("file"), "line", pl.lit(rule).alias("rule"), "raw")
    return replace(parsed, **kept, rejected=pl.concat([parsed.rejected, rejected]))


def _games(parsed: Parsed, own: Correction) -> pl.DataFrame:
    """The games (game_id) a correction concerns: one, or none where it concerns another file. Raises FeedError."""
    if own.game_id:
        return parsed.games.filter(pl.col("game_id") == own.game_id).select("game_id")
    sides = _sides(parsed, own.competitor).select("game_id").unique()
    found = parsed.games.filter(pl.col("played_on") == own.played_on).join(sides, on="game_id", how="semi")
    if found.height > 1:
        raise FeedError(
            f"{own.place}: {own.played_on} and {own.competitor} fit {found.height} games:"
            f" {', '.join(found['game_id'].sort())}.",
            "Nothing was loaded. Say which in that line, by its game_id.",
        )
    return found.select("game_id")


def _sides(parsed: Parsed, competitor: str) -> pl.DataFrame:
    """The sides (game_id, side) of a competitor, given by name or id."""
    named = pl.any_horizontal(pl.col("competitor_id") == competitor, pl.col("name") == competitor)
    ids = parsed.competitors.filter(named)["competitor_id"].implode()
    teams = parsed.sides.filter(pl.col("team").is_in(ids)).select("game_id", "side")
    players = parsed.appearances.filter(pl.col("player").is_in(ids)).select("game_id", "side")
    return pl.concat([teams, players]).unique()


def _with_side(parsed: Parsed, games: pl.DataFrame, own: Correction) -> Parsed:
    game_id = games["game_id"][0]
    own_sides = _sides(parsed, own.competitor).filter(pl.col("game_id") == game_id)["side"]
    if own_sides.len() != 1:
        raise FeedError(
            f'{own.place}: "{own.competitor}" has {own_sides.len()} sides in {game_id}.',
            "Nothing was loaded. Give a name or an id that is on one side of that game.",
        )
    is_game = pl.col("game_id") == game_id
    is_side = is_game & (pl.col("side") == own_sides[0])
    before = parsed.sides.filter(is_side)[own.field][0]
    value = pl.lit(own.value).cast(parsed.sides.schema[own.field])
    sides = parsed.sides.with_columns(pl.when(is_side).then(value).otherwise(pl.col(own.field)).alias(own.field))
    games_frame = _noted(parsed.games, game_id, own, before)
    if own.field == "score":
        sides = sides.with_columns(won=pl.when(is_game).then(_won()).otherwise("won"))
        if sides.filter(is_game)["score"].null_count() == 0:
            was_open = is_game & (pl.col("status") == "scheduled")
            games_frame = games_frame.with_columns(status=pl.when(was_open).then(pl.lit("played")).otherwise("status"))
    return replace(parsed, sides=sides, games=games_frame)


def _won() -> pl.Expr:
    """Whether a side of two has the higher score; null in a draw, and where a score is missing."""
    other = pl.col("score").sum().over("game_id") - pl.col("score")
    both = pl.col("score").count().over("game_id") == 2
    return pl.when(both & (pl.col("score") != other)).then(pl.col("score") > other)


def _with_game(parsed: Parsed, games: pl.DataFrame, own: Correction) -> Parsed:
    game_id = games["game_id"][0]
    is_game = pl.col("game_id") == game_id
    if own.field.startswith(ATTRIBUTE):
        key = own.field.removeprefix(ATTRIBUTE)
        pairs = parsed.games.filter(is_game)["attributes"][0]
        before = next((pair["value"] for pair in pairs if pair["key"] == key), None)
        value, column = _attributes(key, own.value), "attributes"
    else:
        before = parsed.games.filter(is_game)[own.field][0]
        value, column = pl.lit(own.value).cast(parsed.games.schema[own.field]), own.field
    frame = parsed.games.with_columns(pl.when(is_game).then(value).otherwise(pl.col(column)).alias(column))
    return replace(parsed, games=_noted(frame, game_id, own, before))


def _noted(frame: pl.DataFrame, game_id: str, own: Correction, before: Any) -> pl.DataFrame:
    """The games, one of which says in its attributes what was corrected and what the source has."""
    is_game = pl.col("game_id") == game_id
    pairs = frame.filter(is_game)["attributes"][0]
    earlier = [pair["value"] for pair in pairs if pair["key"] == NOTES]
    note = f"{own.note} (the source: {_written(before)})"
    noted = _attributes(NOTES, "\n".join([*earlier, note]))
    return frame.with_columns(attributes=pl.when(is_game).then(noted).otherwise("attributes"))


def _written(value: Any) -> str:
    """A source's value as a person would write it."""
    if value is None:
        return "empty"
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _attributes(key: str, value: str | None) -> pl.Expr:
    """The attributes with one set to its value, or without it where the value is empty."""
    others = pl.col("attributes").list.filter(pl.element().struct.field("key") != key)
    if value is None:
        return others
    pair = pl.struct(pl.lit(key).alias("key"), pl.lit(value).alias("value"))
    return pl.concat_list(others, pair)


def _correction(path: Path, line: int, row: list[str]) -> Correction:
    def wrong(why: str) -> StoreError:
        return StoreError(f"{path}, line {line}: {why}.", "Mend that line; nothing was changed.")

    game_id, day, competitor, field, text, reason = (" ".join(part.split()) for part in row)
    if not reason:
        raise wrong("a correction needs a reason")
    if not game_id and not (day and competitor):
        raise wrong("say which game: by game_id, or by played_on and competitor")
    if field in SIDE_FIELDS and not competitor:
        raise wrong(f'"{field}" is of one side: say of which competitor')
    known = GAME_FIELDS | SIDE_FIELDS | {"drop": lambda _: None}
    read = str if field.startswith(ATTRIBUTE) else known.get(field)
    if read is None:
        raise wrong(f'there is no field "{field}": there are {", ".join(known)} and attributes.NAME')
    try:
        played_on = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise wrong(f'"{day}" cannot be played_on: write it as 2024-05-31') from error
    try:
        value = read(text) if text else None
        if isinstance(value, float | int) and not (value >= _LEAST.get(field, -math.inf) and math.isfinite(value)):
            raise ValueError("out of range")
    except ValueError as error:
        raise wrong(f'"{text}" cannot be {field}: {error}') from error
    if value is None and field in _NEVER_EMPTY:
        raise wrong(f'"{field}" cannot be empty')
    return Correction(f"corrections/{path.name}", line, game_id, played_on, competitor, field, value, text, reason)


def _insist_on_one_each(path: Path, corrections: list[Correction]) -> None:
    """Raises StoreError where two lines correct one field of one game or side: only one of them can be right."""
    lines: dict[tuple[str, ...], int] = {}
    for own in corrections:
        game = (own.game_id,) if own.game_id else ("", str(own.played_on), own.competitor)
        key = (*game, own.competitor if own.field in SIDE_FIELDS else "", own.field)
        if lines.setdefault(key, own.line) != own.line:
            whose = f" of {own.competitor}" if own.field in SIDE_FIELDS else ""
            raise StoreError(
                f"{path}, lines {lines[key]} and {own.line}: both say {own.field}{whose} of one game.",
                "Keep one of the two lines; nothing was changed.",
            )


def _bool(text: str) -> bool:
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError as error:
        raise ValueError("say true or false") from error


def _status(text: str) -> str:
    if text not in STATUSES:
        raise ValueError(f"there are {', '.join(STATUSES)}")
    return text


GAME_FIELDS: dict[str, Callable[[str], Any]] = {
    "played_on": date.fromisoformat, "season": str, "round": str, "status": _status, "neutral": _bool, "sequence": int,
}  # fmt: skip
SIDE_FIELDS: dict[str, Callable[[str], Any]] = {
    "score": float, "finish": int, "won": _bool, "is_home": _bool, "exposure": float,
}  # fmt: skip
_LEAST = {"finish": 1, "sequence": 0, "exposure": 1e-9}
_NEVER_EMPTY = {"played_on", "season", "status", "neutral", "sequence", "is_home", "exposure"}
