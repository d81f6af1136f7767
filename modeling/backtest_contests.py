"""From a league's tables to what a backtest needs: all games, which of them count, and the contests baselines see."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.baselines.contests import Contests
from modeling.baselines.market import ATTRIBUTES, CLOSING_ODDS, closing
from modeling.effects import attributes_of, needs_players, parse_effects
from modeling.games import EVERY_STATUS, Games, known_attributes, read_details, read_games, read_peers
from modeling.outcomes import outcome_for
from modeling.outcomes.outcome import Array, Outcome
from modeling.outcomes.sides import winning
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

COMPETITIONS = ("division", "competition", "tournament", "series", "session")


@dataclass(frozen=True)
class Asked:
    """All games of a league up to a day, whatever came of them."""

    outcome: Outcome
    games: Games
    counting: frozenset[str]
    """Games whose status counts."""
    known: frozenset[str]
    """Attributes that any game has."""
    listed: pl.DataFrame
    """game_id, played_on, season, competition of every game."""
    details: pl.DataFrame
    """game_id, status, and the attributes asked for."""
    peers: pl.DataFrame

    @property
    def is_race(self) -> bool:
        """Whether games are races."""
        return self.outcome.row == "entrant"


def read_asked(home: Home, league: str, stanza: Stanza, until: date) -> Asked:
    """The games before a day, from the warehouse. Raises FitError."""
    outcome = outcome_for(league, stanza)
    effects = parse_effects(league, stanza, outcome)
    with reading(home) as con:
        known = known_attributes(con, league)
        read_games(con, league, stanza.since, until, statuses=outcome.statuses)  # refuses where none was played
        games = read_games(
            con, league, stanza.since, until,
            statuses=EVERY_STATUS,
            attributes=attributes_of(effects, stanza),
            grouping=stanza.group,
            players=needs_players(effects, stanza) or outcome.row == "entrant",
            roles=stanza.roles,
        )  # fmt: skip
        wanted = [name for name in (*COMPETITIONS, *ATTRIBUTES) if name in known]
        details = read_details(con, league, stanza.since, until, wanted)
        peers = read_peers(con, league)
    counting = frozenset(details.filter(pl.col("status").is_in(outcome.statuses))["game_id"])
    sides = games.sides.filter(_is_whole(outcome))
    games = Games(league, until, sides, games.appearances, games.memberships, True, games.names)
    competition = next((pl.col(name) for name in COMPETITIONS if name in known), pl.lit(None, pl.String))
    first = sides.unique("game_id", keep="first", maintain_order=True).select("game_id", "played_on", "season")
    listed = first.join(details.select("game_id", competition.alias("competition")), on="game_id", how="left")
    return Asked(outcome, games, counting, frozenset(known), listed, details, peers)


def _is_whole(outcome: Outcome) -> pl.Expr:
    """Whether a game has the sides that its outcome needs."""
    sides = pl.len().over("game_id")
    return sides >= 2 if outcome.row == "entrant" else sides == 2


def contests_of(asked: Asked) -> Contests:
    """The games that count and have a result, as baselines see them."""
    has_score = asked.outcome.name in ("margin", "score")
    sides = asked.games.sides.filter(pl.col("game_id").is_in(list(asked.counting)))
    value = sides["score"] if has_score else winning(sides) if not asked.is_race else -sides["finish"].cast(pl.Float64)
    sides = sides.with_columns(value=value).filter(_has_result(asked.is_race))
    first = sides.unique("game_id", keep="first", maintain_order=True)
    game = sides["game_id"].rle_id().to_numpy().astype(np.intp)
    who, competitors = _who(asked, sides)
    seasons = first.group_by("season").agg(pl.col("played_on").min()).sort("played_on", "season")["season"]
    came = sides["value"].to_numpy()
    result, margin, share = _races(sides, game) if asked.is_race else _pairs(came, has_score)
    home = sides["is_home"].to_numpy().astype(int)
    return Contests(
        np.array(first["game_id"].to_list(), dtype=object),
        first["played_on"].to_numpy().astype("datetime64[D]"),
        first["season"].replace_strict(seasons, pl.int_range(len(seasons), eager=True)).to_numpy().astype(np.intp),
        game, who,
        np.zeros(first.height, int) if asked.is_race else home[0::2] - home[1::2],
        result, margin, share, competitors, _has_draws(asked.outcome),
        {} if asked.is_race else _published(asked, first["game_id"], home[0::2] - home[1::2]),
    )  # fmt: skip


def _has_result(is_race: bool) -> pl.Expr:
    """Whether a game came to an end that says who won; of a race, who came first."""
    there = pl.col("value").is_not_null()
    return there.any().over("game_id") if is_race else there.all().over("game_id")


def _pairs(value: Array, has_score: bool) -> tuple[NDArray[np.int_], Array, Array]:
    """Result, margin and share of the points of games of two sides."""
    apart = value[0::2] - value[1::2]
    result = (1 - np.sign(apart)).astype(int)
    share = np.stack([1 - result / 2, result / 2], axis=1).ravel()
    return result, apart if has_score else np.full(len(result), np.nan), share


def _races(sides: pl.DataFrame, game: NDArray[np.intp]) -> tuple[NDArray[np.int_], Array, Array]:
    """Winner, no margin, and share of the others that each entrant was ahead of, of those with a place."""
    ahead = (pl.col("value").rank("average") - 1).over("game_id") / (pl.col("value").count().over("game_id") - 1)
    share = sides.select(ahead).to_series().cast(pl.Float64).fill_null(np.nan).to_numpy()
    value = sides["value"].fill_null(-np.inf).to_numpy()
    starts = np.searchsorted(game, np.arange(game[-1] + 2))
    winner = [int(np.argmax(value[a:b])) for a, b in pairwise(starts)]
    return np.array(winner), np.full(len(winner), np.nan), share


def _who(asked: Asked, sides: pl.DataFrame) -> tuple[NDArray[np.intp], int]:
    """Number of each side's competitor: of games of two sides its team, else its players as one; of races the driver,
    else the team."""
    together = pl.col("player").sort().str.join("+").alias("players")
    players = asked.games.appearances.group_by("game_id", "side").agg(together)
    found = sides.join(players, on=["game_id", "side"], how="left", maintain_order="left")
    order = ("players", "team") if asked.is_race else ("team", "players")
    names = found.select(pl.coalesce(*order)).to_series()
    known = names.drop_nulls().unique().sort()
    codes = names.replace_strict(known, pl.int_range(len(known), eager=True), default=-1).fill_null(-1)
    return codes.to_numpy().astype(np.intp), len(known)


def _has_draws(outcome: Outcome) -> bool:
    """Whether the outcome gives draws a chance of their own."""
    if outcome.row == "entrant":
        return False
    aux = {one.name: np.array([one.start]) for one in outcome.auxiliaries(1.0)} | {"noise": 1.0}
    return bool(outcome.chances(np.zeros(1), np.zeros(1), aux)[0, 1] > 0)


def _published(asked: Asked, games: pl.Series, home: NDArray[np.int_]) -> dict[str, Array]:
    """Closing odds and peers' forecasts of each game, as its first side has them; those that say anything at all."""
    details = games.to_frame().join(asked.details, on="game_id", how="left", maintain_order="left")
    at_home = closing(details)
    found = {CLOSING_ODDS: np.where(home[:, None] < 0, _turned(at_home), at_home)}
    for (peer,), said in asked.peers.group_by("peer", maintain_order=True):
        own = games.to_frame().join(
            said.unique("game_id", keep="first"), on="game_id", how="left", maintain_order="left"
        )
        told = own.select("first_probability", "draw", "second_probability", "margin").fill_null(np.nan).to_numpy()
        found[str(peer)] = np.where(own["is_first"].fill_null(True).to_numpy()[:, None], told, _turned(told))
    return {name: of for name, of in found.items() if np.isfinite(of[:, 0]).any()}


def _turned(said: Array) -> Array:
    """What was said of one side, of the other."""
    return said[:, [2, 1, 0, 3]] * np.array([1, 1, 1, -1])
