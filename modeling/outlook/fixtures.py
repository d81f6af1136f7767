"""Games to come: those that the feed lists without a result, or a file of fixtures; with line-ups where none is known.

In: a league's tables as of a day, and what a person gives. Out: the past and the games to come as one `Games`, from
which a Design is built. Whatever came of a game of that day or later is not seen.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import polars as pl

from modeling.backtest_cuts import Window, past_and_to_come
from modeling.effects import attributes_of, needs_players, parse_effects
from modeling.games import EVERY_STATUS, NO_APPEARANCES, Games, known_attributes, read_games, read_listed
from modeling.outcomes import outcome_for
from modeling.outcomes.outcome import Outcome
from store.errors import FitError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

ALWAYS = date(9999, 1, 1)
FAR = timedelta(days=3653)  # ten years: a day so far ahead is written wrong


class NothingToCome(FitError):
    """No game is to come, nor is a play-off of a table that is over."""


@dataclass(frozen=True)
class Fixtures:
    """The past of a league and its games to come."""

    outcome: Outcome
    games: Games
    known: frozenset[str]
    """Attributes that any game has."""
    listed: pl.DataFrame
    """game_id, status, round, table (by the attribute that the season's rules name, else empty) and shoot_out (who won
    one, else null) of every game."""
    seen: pl.DataFrame
    """Sides of the games before the as-of date, whatever their status, with their results."""
    as_of: date
    overdue: frozenset[str] = frozenset()
    """Games to come of earlier days than that, which count as of that day."""

    @property
    def coming(self) -> pl.DataFrame:
        """Sides of the games to come, in order of play."""
        return self.games.sides.filter(pl.col("game_id").is_in(list(self.games.to_come)))


@dataclass(frozen=True)
class Given:
    """Games that a person adds to what the warehouse has."""

    sides: pl.DataFrame
    """As `Games.sides`, of new games."""
    appearances: pl.DataFrame = field(default_factory=NO_APPEARANCES.clone)


def read_fixtures(
    home: Home,
    league: str,
    stanza: Stanza,
    as_of: date,
    *,
    given: Given | None = None,
    absent: frozenset[str] = frozenset(),
    even_none: bool = False,
) -> Fixtures:
    """The league before a day, and its games from that day on without their results, or those `given` instead.

    Sides without a line-up have their team's last one in which nobody of `absent` was, else the last one without them.
    Raises NothingToCome where there are no games to come, unless there may be none.
    """
    outcome = outcome_for(league, stanza)
    effects = parse_effects(league, stanza, outcome)
    with reading(home) as con:
        known = frozenset(known_attributes(con, league))
        games = read_games(
            con, league, stanza.since, ALWAYS, statuses=EVERY_STATUS, attributes=attributes_of(effects, stanza),
            grouping=stanza.group, players=needs_players(effects, stanza) or outcome.row == "entrant",
            roles=stanza.roles,
        )  # fmt: skip
        listed = read_listed(con, league, (stanza.season.table if stanza.season else None) or "")
    counting = frozenset(listed.filter(pl.col("status").is_in(outcome.statuses))["game_id"])
    overdue = _overdue(games.sides, listed, as_of)
    late = pl.col("game_id").is_in(overdue.implode())
    sides = games.sides.with_columns(played_on=pl.when(late).then(pl.lit(as_of)).otherwise("played_on"))
    seen = sides.filter(pl.col("played_on") < as_of)
    if given is not None:
        sides = pl.concat([seen, given.sides], how="diagonal_relaxed")
        games = replace(games, appearances=pl.concat([games.appearances, given.appearances]))
    games = _with_entrants(replace(games, sides=sides.sort("played_on", maintain_order=True)), listed, outcome, as_of)
    last = games.sides["played_on"].max()
    if not isinstance(last, date) or last < as_of:
        if not even_none:
            raise NothingToCome(
                f"{league}: no game from {as_of} on is known.",
                f"Give a file of fixtures: pooltable forecast {league} FIXTURES.csv",
            )
        last = as_of
    whole = replace(games, sides=games.sides.filter(_is_whole(outcome)).sort("played_on", maintain_order=True))
    both = past_and_to_come(whole, counting, Window(as_of, last + timedelta(days=1)))
    foreseen = both if outcome.row == "entrant" else _as_foreseen(both, listed)
    late_to_come = foreseen.to_come & frozenset(overdue)
    return Fixtures(outcome, _with_line_ups(foreseen, absent), known, listed, seen, as_of, late_to_come)


def _overdue(sides: pl.DataFrame, listed: pl.DataFrame, as_of: date) -> pl.Series:
    """Ids of the games that wait for a new day since before the as-of date."""
    waiting = listed.filter(pl.col("status") == "scheduled")["game_id"].implode()
    return sides.filter(pl.col("game_id").is_in(waiting), pl.col("played_on") < as_of)["game_id"].unique()


def _is_whole(outcome: Outcome) -> pl.Expr:
    sides = pl.len().over("game_id")
    return sides >= 2 if outcome.row == "entrant" else sides == 2


def _with_entrants(games: Games, listed: pl.DataFrame, outcome: Outcome, as_of: date) -> Games:
    """The games, with the entrants of the last race before the as-of date where a race to come lists none yet, or is
    over by now: its entrants became known later."""
    over = listed.filter(pl.col("status") != "scheduled")["game_id"].implode()
    unknown = (pl.col("played_on") >= as_of) & (pl.col("side").is_null() | pl.col("game_id").is_in(over))
    empty = games.sides.filter(unknown).unique("game_id", maintain_order=True)
    raced = games.sides.filter(pl.col("played_on") < as_of, pl.col("side").is_not_null())
    if outcome.row != "entrant" or empty.is_empty() or raced.is_empty():
        return games
    last = raced.filter(pl.col("game_id") == raced["game_id"][-1])
    bare = empty.drop("side", "team", "is_home", "score", "finish", "won", "exposure")
    filled = bare.join(last.select("side", "team", "is_home", "exposure"), how="cross")
    drove = games.appearances.filter(pl.col("game_id") == last["game_id"][0]).drop("game_id")
    added = empty.select("game_id").join(drove, how="cross").select(games.appearances.columns)
    there = games.sides.filter(~unknown, pl.col("side").is_not_null())
    sides = pl.concat([there, filled], how="diagonal_relaxed").select(games.sides.columns)
    known = games.appearances.filter(~pl.col("game_id").is_in(empty["game_id"].implode()))
    return replace(games, sides=sides, appearances=pl.concat([known, added]))


def _as_foreseen(games: Games, listed: pl.DataFrame) -> Games:
    """The games without line-ups of teams that became known with a result which is not seen: those of games that are
    over by now. Sides without a team are their players, which were known."""
    over = listed.filter(pl.col("status") != "scheduled")["game_id"].implode()
    to_come = pl.col("game_id").is_in(list(games.to_come))
    late = games.sides.filter(to_come, pl.col("game_id").is_in(over), pl.col("team").is_not_null())
    return replace(games, appearances=games.appearances.join(late, on=["game_id", "side"], how="anti"))


def _with_line_ups(games: Games, absent: frozenset[str]) -> Games:
    """The games with line-ups for the sides to come that have none."""
    shares = games.appearances.filter(~pl.col("player").is_in(list(absent)))
    if shares.is_empty():
        return replace(games, appearances=shares)
    coming = pl.col("game_id").is_in(list(games.to_come))
    known = shares.join(games.sides.filter(coming), on=["game_id", "side"], how="semi")
    bare = games.sides.filter(coming, pl.col("team").is_not_null()).join(known, on=["game_id", "side"], how="anti")
    past = games.sides.filter(~coming, pl.col("team").is_not_null())
    lent = bare.select("game_id", "side", "team").join(_last_line_ups(past, games.appearances, absent), on="team")
    added = lent.select(shares.columns).cast(pl.Schema(shares.schema))
    return replace(games, appearances=pl.concat([shares, added]))


def _last_line_ups(past: pl.DataFrame, appearances: pl.DataFrame, absent: frozenset[str]) -> pl.DataFrame:
    """Each team's line-up in its last contest of its last season in which nobody absent was on its side: team, player,
    share. Where somebody absent always was, that of its last contest, without him. Shares of stints are weighed by
    their exposure."""
    contests = past.join(appearances, on=["game_id", "side"])
    last_season = pl.col("season") == pl.col("season").last().over("team")
    gone = pl.col("player").is_in(list(absent)).any().over("team", "contest_id")
    free = contests.filter(last_season, ~gone)
    chosen = pl.concat([free, contests.filter(~pl.col("team").is_in(free["team"].unique().implode()))])
    chosen = chosen.filter(pl.col("contest_id") == pl.col("contest_id").last().over("team"))
    long = chosen.unique(["team", "game_id"]).group_by("team").agg(whole=pl.col("exposure").sum())
    each = chosen.group_by("team", "player").agg(share=(pl.col("share") * pl.col("exposure")).sum())
    found = each.join(long, on="team").with_columns(share=pl.col("share") / pl.col("whole"))
    return found.filter(~pl.col("player").is_in(list(absent))).sort("team", "player")


def with_games(fixtures: Fixtures, given: Given, absent: frozenset[str]) -> Games:
    """The past and the games to come with those `given` behind them, with line-ups without the absent."""
    games = fixtures.games
    more = replace(
        games,
        sides=pl.concat([games.sides, given.sides], how="diagonal_relaxed"),
        appearances=pl.concat([games.appearances, given.appearances]),
        to_come=games.to_come | frozenset(given.sides["game_id"]),
    )
    return _with_line_ups(more, absent)


def of_next_season(fixtures: Fixtures) -> tuple[str, Fixtures]:
    """The season of the first game to come, and the fixtures without games of later ones. Raises NothingToCome."""
    if fixtures.coming.is_empty():
        raise NothingToCome(
            f"{fixtures.games.league}: no game from {fixtures.as_of} on is known, and no play-off is next.",
            f"Give a file of fixtures: pooltable forecast {fixtures.games.league} FIXTURES.csv",
        )
    season = str(fixtures.coming["season"][0])
    return season, of_season(fixtures, season)


def of_season(fixtures: Fixtures, season: str) -> Fixtures:
    """The fixtures without games to come of other seasons."""
    later = pl.col("game_id").is_in(list(fixtures.games.to_come)) & (pl.col("season") != season)
    sides = fixtures.games.sides.filter(~later)
    to_come = fixtures.games.to_come & frozenset(sides["game_id"])
    return replace(fixtures, games=replace(fixtures.games, sides=sides, to_come=to_come))
