"""A league's outlook: how its season ends, what that means, and which coming games matter; as rows of its tables."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling import record
from modeling.build import build_design
from modeling.earlier import read_accepted
from modeling.outcomes import outcome_for
from modeling.outcomes.outcome import Array
from modeling.outlook.coming import Coming, Draws, coming_of, read_draws
from modeling.outlook.competitions import Competition, competitions, games_after, season_to_tell
from modeling.outlook.fixtures import Fixtures, of_next_season, read_fixtures, with_games
from modeling.outlook.given import Names, as_sentence, read_names
from modeling.outlook.met import met_of
from modeling.outlook.play_offs import PlayOffs, out_of_bracket, play_offs_of
from modeling.outlook.races import Championship, championships
from modeling.outlook.rules import check_rules, fitting, insist_on_table, uneven, unheard
from modeling.outlook.season import Fixed, Simulated, simulate
from modeling.outlook.simulated import simulated_rows
from modeling.outlook.table import Rules, Tables, tables
from modeling.outlook.ties import as_given
from modeling.sampled import SEED, Report
from store.errors import UsageError
from store.home import Home
from store.seasons import Places, SeasonRules
from store.stanzas import Stanza
from store.warehouse import reading

QUANTILES = (5, 25, 75, 95)
RESULT = re.compile(r"\s*(.+?)\s+(\d+)\s*[-–:]\s*(\d+)\s+(.+?)\s*")
NEXT = 30  # coming games of a table whose leverage is told
LISTED = 3  # chances listed of each, those that hang on it most
MOST_MISSED = 64  # players in line-ups of games to come, above which nothing is said of a season without each
FEWEST = 100  # simulated seasons with a result, below which nothing is said of it


@dataclass(frozen=True)
class Outlook:
    """The outlook of a league's season."""

    fit_id: str
    as_of: date
    season: str
    rows: pl.DataFrame
    """As the table `outlook`, without what is the same in all rows."""
    leverage: pl.DataFrame
    fixed: int
    """How many results were given."""
    names: dict[str, str]
    """Names of competitors by id."""
    games: dict[str, str]
    """What coming games are called, by id."""
    simulated: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Rows of `simulated_table`, `simulated_game` and `simulated_play_off`; none of races."""
    without: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Rows of `outlook_without`, empty where sides have no line-ups."""
    doubts: tuple[str, ...] = ()
    """What of the season's rules is of nothing there is."""
    absent: tuple[str, ...] = ()
    """Names of the players who are missing."""


def outlook_of(
    home: Home,
    league: str,
    stanza: Stanza,
    *,
    as_of: date | None = None,
    given: tuple[str, ...] = (),
    absent: tuple[str, ...] = (),
    report: Report | None = None,
) -> Outlook:
    """How the league's season ends, from its accepted fit; `given` are results such as "City 0-2 Rovers".

    Raises UsageError where the stanza has no rules of a season, or a given result is of no game to come or of races,
    FitError where there is no fit or no game to come.
    """
    tell = report or (lambda stage, share: None)
    rules = stanza.season
    if rules is None:
        raise UsageError(
            f"{league} has no rules of a season in its stanza.",
            f"Add a table [{league}.season], for example with points = [3, 1, 0] and places = {{ champion = [1, 1] }}.",
        )
    if given and outcome_for(league, stanza).row == "entrant":
        raise UsageError(
            f"{league}: results of races cannot be given: --given is a score of two sides.",
            f"Leave it out: pooltable simulate {league}",
        )
    tell("reading the fit", 0.0)
    with reading(home) as con:
        draws = read_draws(con, home, league, as_of)
        teams, players = (read_names(con, league, kind) for kind in ("team", "player"))
    away = frozenset(_found(players, absent))
    ahead = Ahead(home, league, stanza, rules, draws, teams)
    found, line_ups = _made(ahead, away, given, tell)
    if given or absent or not found.simulated:
        return replace(found, absent=tuple(sorted(found.names.get(player, player) for player in away)))
    return replace(found, without=_without_each(ahead, line_ups, tell))


@dataclass(frozen=True)
class Ahead:
    """What outlooks of a league's season are made from."""

    home: Home
    league: str
    stanza: Stanza
    rules: SeasonRules
    draws: Draws
    teams: Names


def _made(ahead: Ahead, away: frozenset[str], given: tuple[str, ...], tell: Report) -> tuple[Outlook, list[str]]:
    """An outlook, and the players of the line-ups of the games to come."""
    stanza, rules, draws = ahead.stanza, ahead.rules, ahead.draws
    is_race = outcome_for(ahead.league, stanza).row == "entrant"
    known = read_fixtures(ahead.home, ahead.league, stanza, draws.as_of, absent=away, even_none=not is_race)
    insist_on_table(known, rules)
    tell("games and model", 0.2)
    if is_race:
        return _championships(ahead, known, *of_next_season(known)), []
    season, fixtures = season_to_tell(known, rules)
    tabled = competitions(fixtures, season, rules)
    doubts = check_rules(known, rules, ahead.teams, {one.table: len(one.sides) for one in tabled}, is_race=False)
    doubts += tuple(uneven(tabled))
    asked = [_deducted(one, season, ahead) for one in tabled]
    fixed = Fixed(_all_given(fixtures, ahead.teams, given))
    play_offs = play_offs_of(rules.play_offs, {one.table: one.sides for one in asked})
    after = games_after(fixtures, season, asked, fixed.scores)
    play_offs = replace(play_offs, met=met_of(play_offs.everybody, after))
    doubts += tuple(unheard(play_offs, asked, after))
    rng, names = np.random.default_rng(SEED), fixtures.games.names
    coming = _coming(ahead, fixtures, season, play_offs, away, rng)
    tell("simulating", 0.5)
    ends = simulate(coming, asked, rules, rng, draws=draws, fixed=fixed, play_offs=play_offs)
    both = list(zip(asked, ends, strict=True))
    titles = dict(pair for one in asked for pair in _titles(one, names))
    doubts += tuple(_strange(play_offs, {one.table: end.tables for one, end in both}, names))
    kept = [simulated_rows(*pair, _places(pair[0], rules), rules) for pair in both]
    lined_up = fixtures.games.appearances.filter(pl.col("game_id").is_in(list(fixtures.games.to_come)))
    return Outlook(
        draws.fit_id, draws.as_of, season, pl.concat(_rows(one, end, rules) for one, end in both),
        pl.concat(leverage(one, end, _places(one, rules)) for one, end in both), len(fixed.scores), names,
        titles, {name: pl.concat(rows[name] for rows in kept) for name in kept[0]},
        doubts=doubts,
    ), lined_up["player"].unique(maintain_order=True).to_list()  # fmt: skip


def _championships(ahead: Ahead, known: Fixtures, season: str, fixtures: Fixtures) -> Outlook:
    """An outlook of races."""
    rules, draws, rng = ahead.rules, ahead.draws, np.random.default_rng(SEED)
    coming = _coming(ahead, fixtures, season, None, frozenset(), rng)
    ended = championships(fixtures, season, coming, rules, rng)
    rows = [_race_rows(kind, one, rules) for kind, one in ended.items()]
    sides = {kind: len(one.names) for kind, one in ended.items()}
    doubts = check_rules(known, rules, ahead.teams, sides, is_race=True)
    return Outlook(draws.fit_id, draws.as_of, season, pl.concat(rows), NO_LEVERAGE.clone(), 0, fixtures.games.names,
                   {}, doubts=doubts)  # fmt: skip


def _coming(
    ahead: Ahead, fixtures: Fixtures, season: str, play_offs: PlayOffs | None, away: frozenset[str],
    rng: np.random.Generator,
) -> Coming:  # fmt: skip
    """The games to come of a season, with all those that its play-offs may come to: on the last day of these, or where
    there are none on the as-of date."""
    games, later = fixtures.games, frozenset[str]()
    if play_offs and play_offs.rules:
        day = fixtures.coming["played_on"].max()
        last_on = day if isinstance(day, date) else fixtures.as_of
        kind = "player" if games.sides["team"].is_null().all() else "team"
        added = as_given(play_offs.meetings(last_on), last_on, season, kind)
        games, later = with_games(fixtures, added, away), frozenset(added.sides["game_id"])
    design = build_design(ahead.stanza, games, fixtures.known)
    return coming_of(design, games, ahead.stanza, ahead.draws, rng, later)


def _places(one: Competition, rules: SeasonRules) -> Places:
    """What places of a competition's table mean, those that it has."""
    return fitting(rules.places_of(one.table), len(one.sides))


def _deducted(one: Competition, season: str, ahead: Ahead) -> Competition:
    """A competition with the points taken off its sides by decisions before the as-of date."""
    known = [each for each in ahead.rules.deducted if each.season == season and each.on < ahead.draws.as_of]
    points = dict.fromkeys(one.sides, 0.0)
    for each, who in zip(known, _found(ahead.teams, (each.who for each in known)), strict=True):
        if who in points:
            points[who] += each.points
    return replace(one, deducted=np.array(list(points.values())))


def _without_each(ahead: Ahead, players: list[str], tell: Report) -> pl.DataFrame:
    """The rows of outlooks without each of the players in turn; none where they are too many."""
    parts = []
    for number, player in enumerate(players if len(players) <= MOST_MISSED else []):
        tell("without each player", 0.5 + 0.5 * number / len(players))
        found, _ = _made(ahead, frozenset((player,)), (), lambda stage, share: None)
        parts.append(found.rows.with_columns(player=pl.lit(player)).drop("played", "remaining", "points", "place",
                                                                         "place_chances"))  # fmt: skip
    return pl.concat(parts) if parts else pl.DataFrame()


def _strange(play_offs: PlayOffs, ends: dict[str, Tables], names: dict[str, str]) -> Iterator[str]:
    """Games of play-offs that are played otherwise than places say."""
    for pair in out_of_bracket(play_offs, ends)[:1]:
        one, other = (names.get(side, side) for side in pair)
        yield (
            f"`play_offs`: {one} and {other} have met after their table's end, and by its places only one of them "
            "stands in a bracket: what is simulated is not what is played (points taken off belong into `deducted`)"
        )


def _titles(one: Competition, names: dict[str, str]) -> list[tuple[str, str]]:
    """Id and title of each of the competition's games."""
    called = [names.get(side, side) for side in one.sides]
    pairs = zip(one.game_ids, one.first.tolist(), one.second.tolist(), strict=True)
    return [(game, f"{called[first]} - {called[second]}") for game, first, second in pairs]


def keep(home: Home, league: str, found: Outlook, now: datetime) -> None:
    """Stores an outlook without given results, and its simulated seasons in place of the league's older ones."""
    keys = {"league": league, "fit_id": found.fit_id, "made_at_utc": now.replace(tzinfo=None), "as_of": found.as_of,
            "season": found.season}  # fmt: skip
    record.record_outlook(home, keys, {"outlook": found.rows, "leverage": found.leverage},
                          found.simulated | {"outlook_without": found.without})  # fmt: skip


def is_fitted(home: Home, league: str) -> bool:
    """Whether a league has an accepted fit."""
    with reading(home) as con:
        return bool(read_accepted(con, league, None))


def end(home: Home, league: str) -> None:
    """Takes back the outlook of a league's accepted fit, where nothing of what it told of is to come any more."""
    with reading(home) as con:
        accepted = read_accepted(con, league, None)
    if accepted:
        record.end_outlook(home, league, accepted[0][1])


def _found(names: Names, words: Iterable[str]) -> list[str]:
    """Ids of competitors by any of their names. Raises UsageError."""
    try:
        return [names.find(word, names.kind) for word in words]
    except ValueError as error:
        if not any(kind == names.kind for kind, _ in names.by_word):
            raise UsageError(f"{names.league} knows of no {names.kind}s.", "Its results have no line-ups.") from error
        said = f"{names.league}: {as_sentence(error)}"
        raise UsageError(said, "Give a name as the league has it, or an id.") from error


def _all_given(fixtures: Fixtures, names: Names, given: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """The scores given, by game. Raises UsageError where one game has two."""
    found: dict[str, tuple[float, float]] = {}
    for text in given:
        game, score = _given(fixtures, names, text)
        if game in found:
            raise UsageError(
                f'--given "{text}": two results are given of one game.',
                "Where two sides meet twice, name the side at home first.",
            )
        found[game] = score
    return found


def _given(fixtures: Fixtures, names: Names, text: str) -> tuple[str, tuple[float, float]]:
    """The game to come that a result such as "City 0-2 Rovers" is of, and its score in the stored order: the one at
    the first's ground where they meet more than once, the next of these."""
    said = RESULT.fullmatch(text)
    if not said:
        raise UsageError(f'--given "{text}" cannot be read.', 'Write, for example: --given "City 0-2 Rovers"')
    one, other = _found(names, (said[1], said[4]))
    own = pl.col("team") == one
    meetings = fixtures.coming.filter(pl.col("team").is_in([one, other])).filter((pl.len().over("game_id") == 2) & own)
    if meetings.is_empty():
        raise UsageError(f'"{said[1]}" and "{said[4]}" have no game to come.', "See: pooltable forecast LEAGUE")
    game = meetings.sort("is_home", descending=True, maintain_order=True).row(0, named=True)
    scored, let = float(said[2]), float(said[3])
    return game["game_id"], (scored, let) if game["side"] == 1 else (let, scored)


def _rows(one: Competition, end: Simulated, rules: SeasonRules) -> pl.DataFrame:
    """One row a competitor of a table."""
    to_come = one.place >= 0
    ends = np.concatenate([one.first, one.second])
    still = np.bincount(ends[np.tile(to_come, 2)], minlength=len(one.sides))
    whole = np.bincount(ends, minlength=len(one.sides))
    points = (rules.points[0], rules.points[1], rules.points[2])
    keys = np.zeros((1, len(one.sides), 2))
    now = tables(
        one.first[~to_come], one.second[~to_come], one.scores[None, ~to_come], keys,
        Rules(points, rules.order_of(one.table)), one.deducted,
    )  # fmt: skip
    meant = end.prizes(_places(one, rules))
    return _told(one.table, one.sides, whole - still, still, now.points[0], now.places[0], end.tables, meant)


def _race_rows(kind: str, one: Championship, rules: SeasonRules) -> pl.DataFrame:
    place = np.argsort(np.argsort(-one.points, kind="stable"), kind="stable") + 1
    meant = {name: one.ends.among(*where) for name, where in fitting(rules.places_of(kind), len(one.names)).items()}
    return _told(kind, one.names, one.raced, one.to_race, one.points, place, one.ends, meant)


def _told(
    table: str, names: tuple[str, ...], played: NDArray[Any], remaining: NDArray[Any], points: Array,
    place: NDArray[Any], end: Tables, meant: dict[str, NDArray[np.bool_]],
) -> pl.DataFrame:  # fmt: skip
    chances, prizes = end.chances(), {name: reached.mean(axis=0) for name, reached in meant.items()}
    quantiles = np.percentile(end.points, QUANTILES, axis=0)
    return pl.DataFrame(
        {
            "table": [table] * len(names), "competitor_id": names, "played": played, "remaining": remaining,
            "points": points, "place": place, "expected_points": end.points.mean(axis=0),
            **{f"points_q{q}": quantiles[k] for k, q in enumerate(QUANTILES)},
            "expected_place": chances @ np.arange(1.0, len(names) + 1),
            "place_chances": pl.Series(chances.tolist(), dtype=pl.List(pl.Float32)),
            "chances": pl.Series([[{"prize": name, "chance": float(of[k])} for name, of in prizes.items()]
                                  for k in range(len(names))], dtype=CHANCES),
        }
    ).sort("expected_place", maintain_order=True)  # fmt: skip


CHANCES = pl.List(pl.Struct({"prize": pl.String, "chance": pl.Float64}))


LEVERAGE: dict[str, Any] = {
    "table": pl.String, "game_id": pl.String, "competitor_id": pl.String, "prize": pl.String, "chance": pl.Float64,
    "if_first_wins": pl.Float64, "if_drawn": pl.Float64, "if_second_wins": pl.Float64, "swing": pl.Float64,
}  # fmt: skip
NO_LEVERAGE = pl.DataFrame(schema=LEVERAGE)


def leverage(one: Competition, end: Simulated, places: Places) -> pl.DataFrame:
    """How chances hang on the next games: those of each game that it moves most."""
    prizes = end.prizes(fitting(places, len(one.sides)))
    found: list[dict[str, Any]] = []
    for column, game in enumerate(one.to_come[:NEXT].tolist()):
        result = end.results[:, column]
        own = [_hanging(name, reached, result) for name, reached in prizes.items()]
        listed = sorted((pair for pairs in own for pair in pairs), key=lambda pair: -pair[2]["swing"])[:LISTED]
        found += [
            {"table": one.table, "game_id": one.game_ids[game], "competitor_id": one.sides[side], "prize": name} | told
            for name, side, told in listed
        ]
    return pl.DataFrame(found, schema=LEVERAGE)


def _hanging(name: str, reached: NDArray[np.bool_], result: NDArray[np.int8]) -> list[tuple[str, int, dict[str, Any]]]:
    """Of each side, its chance of a prize by the result of a game, where the game moves it at all."""
    given = [result == k for k in range(3)]
    by_result = [reached[one].mean(axis=0) if one.sum() >= FEWEST else None for one in given]
    known = np.array([one for one in by_result if one is not None])
    swing = known.max(axis=0) - known.min(axis=0)
    chance = reached.mean(axis=0)
    names = ("if_first_wins", "if_drawn", "if_second_wins")
    return [
        (name, side, {"chance": float(chance[side]), "swing": float(swing[side])}
         | {key: None if one is None else float(one[side]) for key, one in zip(names, by_result, strict=True)})
        for side in np.flatnonzero(swing > 0).tolist()
    ]  # fmt: skip
