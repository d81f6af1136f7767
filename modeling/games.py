"""The games a fit uses, read from the warehouse; the only file of this room that asks it questions.

In: a league's tables. Out: frames of games and sides in a fixed order, and their fingerprint.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import polars as pl

from store.errors import FitError

NAMES = "SELECT competitor_id, name FROM competitor WHERE league = $league"
VERDICT = "SELECT verdict, reasons, is_dated FROM fit WHERE fit_id = ?"
LAST_DAY = "SELECT max(played_on) FROM game WHERE league = $league AND status = 'played'"

# Ordered by what was known before the game alone; `side` is a seeded hash, so no order carries the result.
SIDES = """
SELECT
    g.game_id, g.contest_id, g.season, g.played_on, g.neutral,
    s.side, s.team, s.is_home, s.score, s.exposure
FROM game AS g
JOIN side AS s USING (league, game_id)
WHERE g.league = $league AND g.status = 'played' AND g.played_on >= $since AND g.played_on < $as_of
ORDER BY g.played_on, g.sequence, g.game_id, s.side
"""


@dataclass(frozen=True)
class Games:
    """Games of one league with since <= played_on < as_of.

    `sides` has one row a side: game_id, contest_id, season, played_on, neutral, side, team, is_home, score, exposure;
    sides of a game are neighbours, games are in order of play.
    """

    league: str
    as_of: date
    sides: pl.DataFrame
    is_dated: bool = False
    """True where the as-of date was chosen and is not simply the day after the last game."""
    names: dict[str, str] = field(default_factory=dict)
    """Names of competitors by id, for sentences."""

    @property
    def fingerprint(self) -> str:
        """Hash of the games used: the same games have the same fingerprint."""
        return hashlib.sha256(self.sides.write_csv().encode()).hexdigest()[:16]


def read_games(con: duckdb.DuckDBPyConnection, league: str, since: date | None, as_of: date | None) -> Games:
    """The league's played games from `since` up to, not including, `as_of` (default: the day after the last one).

    Raises FitError where there are none.
    """
    last = con.execute(LAST_DAY, {"league": league}).fetchall()[0][0]
    if last is None:
        raise FitError(f"{league}: no played games are loaded.", f"Load results first: pooltable pull {league}")
    latest = last + timedelta(days=1)
    until = as_of or latest
    parameters = {"league": league, "since": since or date.min, "as_of": until}
    sides = con.sql(SIDES, params=parameters).to_arrow_table()
    if sides.num_rows == 0:
        raise FitError(f"{league}: no played games from {since} up to {until}.", "Change `since`, or the as-of date.")
    frame = pl.from_arrow(sides)
    assert isinstance(frame, pl.DataFrame)
    names = dict(con.execute(NAMES, {"league": league}).fetchall())
    return Games(league, until, frame, until != latest, names)


@dataclass(frozen=True)
class Earlier:
    """What the warehouse says of a fit made earlier."""

    verdict: str
    reasons: list[str]
    is_dated: bool


def read_earlier(con: duckdb.DuckDBPyConnection, fit_id: str) -> Earlier | None:
    """The fit of that id, or None."""
    rows = con.execute(VERDICT, [fit_id]).fetchall()
    return Earlier(*rows[0]) if rows else None
