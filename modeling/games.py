"""The games a fit uses, read from the warehouse.

In: a league's tables. Out: frames of games, sides and appearances in a fixed order, and their fingerprint.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import polars as pl

from store.errors import FitError

NAMES = "SELECT competitor_id, name FROM competitor WHERE league = $league"
DAYS = "SELECT min(played_on), max(played_on) FROM game WHERE league = $league AND list_contains($statuses, status)"

SEASONS = """
SELECT max(played_on) FROM game WHERE league = $league AND list_contains($statuses, status) AND played_on >= $since
GROUP BY season ORDER BY ALL
"""

# Ordered by what was known before the game alone; `side` is a seeded hash, so no order carries the result.
CHOSEN = """
g.league = $league AND list_contains($statuses, g.status) AND g.played_on >= $since AND g.played_on < $as_of
"""
SIDES = """
SELECT g.game_id, g.contest_id, g.season, g.played_on, g.neutral, {attributes}
    s.side, s.team, s.is_home, s.score, s.finish, s.won, s.exposure
FROM game g LEFT JOIN side s ON s.league = g.league AND s.game_id = g.game_id
WHERE {chosen}
ORDER BY g.played_on, g.sequence, g.game_id, s.side
"""
APPEARANCES = """
SELECT a.game_id, a.side, a.player, a.share
FROM game g JOIN appearance a ON a.league = g.league AND a.game_id = g.game_id
WHERE {chosen} AND (len($roles) = 0 OR list_contains($roles, a.role))
ORDER BY g.played_on, g.sequence, g.game_id, a.side, a.player
"""
ROLES = "SELECT DISTINCT role FROM appearance WHERE league = $league AND role IS NOT NULL ORDER BY role"
MEMBERSHIPS = """
SELECT competitor_id, season, "group" FROM membership
WHERE league = $league AND grouping = $grouping ORDER BY competitor_id, season
"""
GROUPINGS = "SELECT DISTINCT grouping FROM membership WHERE league = $league ORDER BY grouping"
PEERS = """
SELECT x.game_id, p.peer, x.first_side = 1 AS is_first, p.first_probability, coalesce(p.draw_probability, 0) AS draw,
    p.second_probability, p.first_expected_score - p.second_expected_score AS margin
FROM peer_forecast_game AS x JOIN peer_forecast AS p ON p.league = x.forecast_league AND p.forecast_id = x.forecast_id
WHERE x.league = $league ORDER BY ALL
"""
DETAILS = """
SELECT game_id, status, {attributes} FROM game WHERE league = $league AND played_on >= $since AND played_on < $until
ORDER BY played_on, sequence, game_id
"""
LISTED = """
SELECT
    game_id, status, coalesce(round, '') AS round, coalesce(attributes[$table], '') AS "table",
    attributes['shoot_out'] AS shoot_out
FROM game
WHERE league = $league
"""
WORDS = """
SELECT competitor_id, kind, unnest([competitor_id, name]) AS word FROM competitor WHERE league = $league
UNION ALL
SELECT a.competitor_id, c.kind, a.alias FROM alias AS a JOIN competitor AS c USING (league, competitor_id)
WHERE a.league = $league
"""
HAS_TEAMS = "SELECT count(team) > 0 FROM side WHERE league = $league"
LAST_SEASON = """
SELECT season FROM game WHERE league = $league AND played_on < $as_of ORDER BY played_on DESC, season DESC LIMIT 1
"""
EVERY_STATUS = ("scheduled", "played", "retired", "walkover", "abandoned", "awarded")

LABELS = """
SELECT
    game_id, season, strftime(played_on, '%Y-%m') AS month,
    CASE WHEN neutral THEN 'neutral ground' ELSE 'a home side' END AS ground, round, {attributes}
FROM game WHERE league = $league AND played_on >= $since
"""
ATTRIBUTES = "SELECT DISTINCT unnest(map_keys(attributes)) FROM game WHERE league = $league"
ATTRIBUTE_VALUES = """
SELECT attributes[$name] FROM game WHERE league = $league AND attributes[$name] IS NOT NULL
GROUP BY ALL ORDER BY count(*) DESC, 1
"""

AT_ONCE = 100_000  # rows as text in memory together
ATTRIBUTE = "attribute:"  # what the columns of attributes begin with
NO_APPEARANCES = pl.DataFrame(schema={"game_id": pl.String, "side": pl.Int16, "player": pl.String, "share": pl.Float64})
NO_MEMBERSHIPS = pl.DataFrame(schema={"competitor_id": pl.String, "season": pl.String, "group": pl.String})


@dataclass(frozen=True)
class Games:
    """Games of one league with since <= played_on < as_of.

    `sides` has one row a side: game_id, contest_id, season, played_on, neutral, the attributes asked for, side, team,
    is_home, score, finish, won, exposure; sides of a game are neighbours, games are in order of play. `appearances` has
    game_id, side, player, share; `memberships` competitor_id, season, group, of the grouping asked for.
    """

    league: str
    as_of: date
    sides: pl.DataFrame
    appearances: pl.DataFrame = field(default_factory=NO_APPEARANCES.clone)
    memberships: pl.DataFrame = field(default_factory=NO_MEMBERSHIPS.clone)
    is_dated: bool = False
    """True where the as-of date was chosen and is not simply the day after the last game."""
    names: dict[str, str] = field(default_factory=dict)
    """Names of competitors by id, for sentences."""
    to_come: frozenset[str] = frozenset()
    """Ids of the games that are to be forecast: they have no results, and keep their places in the Design."""
    past_until: date | None = None
    """Games from this day on say nothing of the sizes of priors and covariates; None: all games are past."""

    @property
    def fingerprint(self) -> str:
        """Hash of the games used: the same games have the same fingerprint."""
        digest = hashlib.sha256()
        for frame in (self.sides, self.appearances, self.memberships):
            for part in frame.iter_slices(AT_ONCE):
                digest.update(part.write_csv().encode())
        return digest.hexdigest()[:16]


def read_games(
    con: duckdb.DuckDBPyConnection,
    league: str,
    since: date | None,
    as_of: date | None,
    *,
    statuses: Sequence[str] = ("played",),
    attributes: Sequence[str] = (),
    grouping: str | None = None,
    players: bool = False,
    roles: Sequence[str] = (),
) -> Games:
    """The league's games of these statuses with since <= played_on < as_of (default: the day after the last).

    `attributes` of games become columns of the sides (NULL where a game has none); `grouping` asks for memberships,
    `players` for appearances, of these `roles` only where any are given. Raises FitError where there are no games, or
    nobody had any of the roles or is known to be in any such group.
    """
    asked = {"league": league, "statuses": list(statuses)}
    first, last = read_days(con, league, statuses)
    latest = last + timedelta(days=1)
    until = as_of or latest
    places = {f"a{number}": name for number, name in enumerate(attributes)}
    columns = "".join(f"g.attributes[${place}] AS {_quoted(ATTRIBUTE + name)}, " for place, name in places.items())
    period = asked | {"since": since or date.min, "as_of": until}
    sides = _frame(con, SIDES.format(attributes=columns, chosen=CHOSEN), period | places)
    if sides.height == 0:
        asked_for = f"from {since} up to {until}" if since else f"before {until}"
        hint = f"They were played from {first} to {last}: change `since`, or the as-of date."
        raise FitError(f"{league}: no played games {asked_for}.", hint)
    of_roles = period | {"roles": list(roles)}
    appearances = _frame(con, APPEARANCES.format(chosen=CHOSEN), of_roles) if players else NO_APPEARANCES
    if players and roles and appearances.is_empty():
        raise _nobody_in(con, league, roles)
    grouped = {"league": league, "grouping": grouping}
    memberships = _frame(con, MEMBERSHIPS, grouped) if grouping else NO_MEMBERSHIPS
    if grouping and memberships.is_empty():
        raise _no_grouping(con, league, grouping)
    return Games(
        league,
        until,
        sides,
        appearances,
        memberships,
        until != latest,
        dict(con.execute(NAMES, {"league": league}).fetchall()),
    )


def read_season_ends(
    con: duckdb.DuckDBPyConnection, league: str, since: date | None, statuses: Sequence[str]
) -> list[date]:
    """The last day played of each season, of games of these statuses, in order of time."""
    asked = {"league": league, "statuses": list(statuses), "since": since or date.min}
    return [ended for (ended,) in con.execute(SEASONS, asked).fetchall()]


def read_days(con: duckdb.DuckDBPyConnection, league: str, statuses: Sequence[str]) -> tuple[date, date]:
    """The first and the last day on which the league played. Raises FitError where it did not."""
    first, last = con.execute(DAYS, {"league": league, "statuses": list(statuses)}).fetchall()[0]
    if last is None:
        raise FitError(f"{league}: no played games are loaded.", f"Load results first: pooltable pull {league}")
    return first, last


def _nobody_in(con: duckdb.DuckDBPyConnection, league: str, roles: Sequence[str]) -> FitError:
    """The error of roles that nobody had in the games, with those there are."""
    there = [role for (role,) in con.execute(ROLES, {"league": league}).fetchall()]
    hint = f"There are: {', '.join(there[:30])}." if there else "Take `roles` out: nobody's role is known."
    return FitError(f"{league}: roles = {list(roles)}, and nobody appeared in these games in such a role.", hint)


def _no_grouping(con: duckdb.DuckDBPyConnection, league: str, grouping: str) -> FitError:
    """The error of a `group` that nobody is in, with those there are."""
    there = [name for (name,) in con.execute(GROUPINGS, {"league": league}).fetchall()]
    hint = (
        f"There are: {', '.join(there)}."
        if there
        else ("Take `group` out of the stanza, or load results that say it (`groups` in a mapping).")
    )
    return FitError(f'{league}: group = "{grouping}", and nobody is known to be in any {grouping}.', hint)


def read_details(
    con: duckdb.DuckDBPyConnection, league: str, since: date | None, until: date, attributes: Sequence[str]
) -> pl.DataFrame:
    """Status of each game with since <= played_on < until, with attributes as text: game_id, status and theirs."""
    places = {f"a{number}": name for number, name in enumerate(attributes)}
    columns = ", ".join(f"attributes[${place}] AS {_quoted(name)}" for place, name in places.items())
    asked = {"league": league, "since": since or date.min, "until": until}
    return _frame(con, DETAILS.format(attributes=columns or "NULL AS nothing"), asked | places)


def read_peers(con: duckdb.DuckDBPyConnection, league: str) -> pl.DataFrame:
    """What others forecast of the league's games: game_id, peer, is_first (their first side is the game's), chances of
    their first side's win, a draw and its loss, and its expected margin."""
    return _frame(con, PEERS, {"league": league})


def read_listed(con: duckdb.DuckDBPyConnection, league: str, table: str) -> pl.DataFrame:
    """Of every game game_id, status, round, as `table` the value of the attribute called so ("" where none is), and
    shoot_out, the id of who won one (null where nobody is said to)."""
    return _frame(con, LISTED, {"league": league, "table": table})


def read_words(con: duckdb.DuckDBPyConnection, league: str) -> list[tuple[str, str, str]]:
    """What competitors are called: (competitor_id, kind, word), the word an id, a name or another name."""
    return con.execute(WORDS, {"league": league}).fetchall()


def is_of_teams(con: duckdb.DuckDBPyConnection, league: str) -> bool:
    """Whether the sides of the league's games are teams; else they are players."""
    return con.execute(HAS_TEAMS, {"league": league}).fetchall()[0][0]


def season_before(con: duckdb.DuckDBPyConnection, league: str, as_of: date) -> str:
    """The season of the last game before a day."""
    return con.execute(LAST_SEASON, {"league": league, "as_of": as_of}).fetchall()[0][0]


def known_attributes(con: duckdb.DuckDBPyConnection, league: str) -> set[str]:
    """The attributes that any of the league's games has."""
    return {name for (name,) in con.execute(ATTRIBUTES, {"league": league}).fetchall()}


def attribute_values(con: duckdb.DuckDBPyConnection, league: str, name: str) -> list[str]:
    """What the league's games have of an attribute, the commonest first."""
    asked = {"league": league, "name": name}
    return [value for (value,) in con.execute(ATTRIBUTE_VALUES, asked).fetchall()]


def read_labels(con: duckdb.DuckDBPyConnection, league: str, since: date | None, names: Sequence[str]) -> pl.DataFrame:
    """Of each game, in no order: season, month, ground, round, and those of the named attributes that any game has."""
    known = known_attributes(con, league)
    places = {f"a{number}": name for number, name in enumerate(name for name in names if name in known)}
    columns = "".join(f"attributes[${place}] AS {_quoted(name)}, " for place, name in places.items())
    asked = {"league": league, "since": since or date.min}
    return _frame(con, LABELS.format(attributes=columns), asked | places)


def _frame(con: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, object]) -> pl.DataFrame:
    frame = pl.from_arrow(con.sql(query, params=parameters).to_arrow_table())
    assert isinstance(frame, pl.DataFrame)
    return frame


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
