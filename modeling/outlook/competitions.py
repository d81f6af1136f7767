"""Which tables a season has, who met whom in them, and what came after tables that are over.

In: a league's games as of a day and its season's rules. Out: the games of each table, played and to come; and the games
after the last of a table, which are its play-offs'.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.outcomes.outcome import Array
from modeling.outlook.fixtures import Fixtures, NothingToCome, of_next_season, of_season
from modeling.outlook.forecasts import who_of
from store.seasons import PlayOff, SeasonRules

SHORTLY = timedelta(days=30)  # since the last game of a table or its play-offs, within which they are told


@dataclass(frozen=True)
class Competition:
    """The games of one table in a season: those played, with their scores, and those to come."""

    table: str
    sides: tuple[str, ...]
    game_ids: tuple[str, ...]
    first: NDArray[np.intp]
    """Number of each game's first side: the one at home, where there is one."""
    second: NDArray[np.intp]
    scores: Array
    """Shape (games, 2), NaN of games to come."""
    turned: NDArray[np.bool_]
    """Whether that is the second in the stored order."""
    place: NDArray[np.intp]
    """Of each game its number among those to come of the league, or -1."""
    deducted: Array | None = None
    """Points taken off each side; None: off nobody."""
    last_on: date = date.min
    """Day of its last game."""
    is_whole: bool = False
    """Whether everybody has met everybody else equally often, and been at home as often as anybody, in games played or
    to come."""

    @property
    def to_come(self) -> NDArray[np.intp]:
        """Numbers of its games to come."""
        return np.flatnonzero(self.place >= 0)

    @property
    def is_over(self) -> bool:
        """Whether all of its games are played: a feed may not list those to come."""
        return self.is_whole and not len(self.to_come)


def season_to_tell(known: Fixtures, rules: SeasonRules) -> tuple[str, Fixtures]:
    """The season of the last game, while a play-off after its tables is to be told, else that of the first game to
    come; and the fixtures without games of later ones. Raises NothingToCome where there is neither."""
    if rules.play_offs and not known.seen.is_empty():
        season = str(known.seen["season"][-1])
        last = of_season(known, season)
        tables = tables_of(last, season, rules)
        if last.coming.is_empty() and _next_up(last, season, rules, tables):
            return season, last
    return of_next_season(known)


def competitions(fixtures: Fixtures, season: str, rules: SeasonRules) -> list[Competition]:
    """The tables of a season that have games to come, or a play-off that is next or was played lately, with those that
    a play-off of theirs is of too. Raises NothingToCome where there are none."""
    made = tables_of(fixtures, season, rules)
    open_still = {one.table for one in made.values() if len(one.to_come)}
    waiting = _next_up(fixtures, season, rules, made)
    needed = open_still.union(*(off.tables for off in rules.play_offs if off.tables & open_still or off in waiting))
    if not needed:
        raise NothingToCome(
            f"{fixtures.games.league}: no game to come of {season} is of a table, and no play-off is next.",
            "Its stanza says which are: [LEAGUE.season] with `rounds` and `table`.",
        )
    return sorted((one for one in made.values() if one.table in needed), key=lambda one: one.table)


def _next_up(
    fixtures: Fixtures, season: str, rules: SeasonRules, tables: Mapping[str, Competition]
) -> tuple[PlayOff, ...]:
    """The play-offs whose tables are all over, and that were not long ago."""
    return tuple(
        off for off in rules.play_offs
        if all(name in tables and tables[name].is_over for name in off.tables)
        and fixtures.as_of - _last_on(fixtures, season, [tables[name] for name in off.tables]) <= SHORTLY
    )  # fmt: skip


def _last_on(fixtures: Fixtures, season: str, tables: list[Competition]) -> date:
    """The day of the last game of tables that are over, or between two of them after that."""
    later = games_after(fixtures, season, tables)["played_on"].max()
    return max(later if isinstance(later, date) else date.min, *(one.last_on for one in tables))


def tables_of(fixtures: Fixtures, season: str, rules: SeasonRules) -> dict[str, Competition]:
    """All tables of a season, by name."""
    sides = _sides(fixtures, season).filter(
        pl.col("round").map_elements(lambda name: fnmatchcase(name, rules.rounds or "*"), return_dtype=pl.Boolean)
    )
    number = {name: k for k, name in enumerate(fixtures.coming["game_id"].unique(maintain_order=True))}
    parts = sides.group_by("table", maintain_order=True)
    return {str(name): _competition(str(name), own, number) for (name,), own in parts}


def games_after(
    fixtures: Fixtures, season: str, tables: Iterable[Competition],
    given: Mapping[str, tuple[float, float]] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Sides of the season's games between any of tables that are over, after the last game of both sides' tables: in
    order of play game_id, played_on, who, value (of the result; null of games to come), is_home, shoot_out.

    With results `given` of games to come, by game in the stored order. Games that were to come as of the day and are
    over by now were not known, unless one is given.
    """
    ended = {side: one.last_on for one in tables if one.is_over for side in one.sides}
    results = [(game, side, score) for game, pair in (given or {}).items() for side, score in enumerate(pair, start=1)]
    named = pl.DataFrame(results, {"game_id": pl.String, "side": pl.Int16, "given": pl.Float64}, orient="row")
    sides = _sides(fixtures, season).join(named, on=["game_id", "side"], how="left", maintain_order="left")
    last = pl.col("who").replace_strict(ended, default=None, return_dtype=pl.Date)
    own = sides.with_columns(value=pl.coalesce("given", "value")).filter(
        (pl.col("played_on") > last).fill_null(False).all().over("game_id"),
        pl.col("value").is_not_null() | (pl.col("status") == "scheduled"),
    )
    return own.select("game_id", "played_on", "who", "value", "is_home", "shoot_out")


def _sides(fixtures: Fixtures, season: str) -> pl.DataFrame:
    """Sides of the season's games that have a result or are to come, with `who` they are, the `value` of the result,
    and what `listed` says of the game."""
    done = fixtures.listed.filter(pl.col("status").is_in([*fixtures.outcome.statuses, "awarded"]))["game_id"].implode()
    played = fixtures.seen.filter(
        pl.col("season") == season, pl.col("game_id").is_in(done), pl.len().over("game_id") == 2, _has_result()
    )
    both = pl.concat([played, fixtures.coming], how="diagonal_relaxed")
    found = both.join(fixtures.listed, on="game_id", how="inner", maintain_order="left")
    value = pl.coalesce(pl.col("score"), pl.col("won").cast(pl.Float64))
    return found.with_columns(who=who_of(found, fixtures.games)["who"], value=value).filter(pl.col("who").is_not_null())


def _has_result() -> pl.Expr:
    known = pl.col("score").is_not_null() | pl.col("won").is_not_null()
    return known.all().over("game_id")


def _competition(table: str, sides: pl.DataFrame, number: dict[str, int]) -> Competition:
    names = tuple(sorted(sides["who"].unique()))
    code = sides["who"].replace_strict(names, list(range(len(names))), return_dtype=pl.Int64).to_numpy()
    games = sides["game_id"].gather_every(2)
    scores = sides["value"].to_numpy().astype(float).reshape(-1, 2)
    home = sides["is_home"].to_numpy()
    turned = home[1::2] & ~home[0::2]
    first, second = np.where(turned, code[1::2], code[0::2]), np.where(turned, code[0::2], code[1::2])
    place = np.array([number.get(name, -1) for name in games])
    last = sides["played_on"].max()
    assert isinstance(last, date)
    return Competition(
        table, names, tuple(games), first, second, turned_round(scores, turned), turned, place, last_on=last,
        is_whole=_is_whole(first, second, code[home], len(names)),
    )  # fmt: skip


def _is_whole(first: NDArray[np.intp], second: NDArray[np.intp], at_home: NDArray[np.intp], sides: int) -> bool:
    """Whether everybody met everybody else equally often, and was at home as often as anybody."""
    met = np.zeros((sides, sides), np.intp)
    np.add.at(met, (first, second), 1)
    often = (met + met.T)[~np.eye(sides, dtype=bool)]
    home = np.bincount(at_home, minlength=sides)
    return bool(often.min(initial=1) > 0 and np.ptp(often) == 0 and np.ptp(home) == 0)


def turned_round(scores: Array, turned: NDArray[np.bool_]) -> Array:
    """Scores of games, shape (..., games, 2), the other way round where a game is turned."""
    return np.where(turned[:, None], scores[..., ::-1], scores)
