"""What if coming games end so, or a player is missing? What an address gives, and what it makes of the season's tables.

Results are in it as `given=GAME=win;GAME=loss`, a player as `without=PLAYER`: looked up among those the edition knows.
"""

import math
from dataclasses import dataclass
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.frame import View, address
from dashboard.reader import Row
from dashboard.wording import counted

WITHIN = 1.645  # standard errors that hold 90 %
FEWEST = 100  # simulated seasons below which nothing is said
BETWEEN, IS = ";", "="
RESULTS = {"win": "{first} win against {second}", "draw": "{first} draw with {second}",
           "loss": "{first} lose to {second}"}  # fmt: skip
Key = tuple[str, str]


@dataclass(frozen=True)
class WhatIf:
    """Results that are given, and how the season ends with them."""

    games: dict[str, Row]
    """The games whose result may be given, by id."""
    given: dict[str, str]
    """win, draw or loss of the first side, by game."""
    unknown: int
    """How many others the address gives."""
    ended: dict[Key, Row]
    """By table and competitor; empty where nothing is given or too few seasons tell of it."""
    seasons: float
    """The effective number of simulated seasons that tell of the results; 0 where none is given."""
    is_exact: bool
    """Whether those are the seasons in which the results came so; else all, weighed and with their points moved."""
    players: dict[str, str]
    """Names of the players without whom the season was simulated too, by id."""
    without: str | None
    """Which of them is missing; then no results are given."""


def what_if(view: View) -> WhatIf:
    """What the address gives, answered from the simulated seasons of the newest outlook."""
    league = view.league["league"]
    games = {row["game_id"]: row for row in view.answer.rows("simulated_games", league=league)}
    players = {row["player_id"]: row["player"] for row in view.answer.rows("missed", league=league)}
    if (without := view.query.get("without", "")) in players:
        rows = view.answer.rows("outlooks_without", league=league, player=without)
        return WhatIf(games, {}, 0, _by_key(rows), 0.0, False, players, without)
    said = [pair.rpartition(IS) for pair in view.query.get("given", "").split(BETWEEN) if pair]
    given = {game: result for game, _, result in said if game in games and result in RESULTS}
    rows = view.answer.rows("what_if", league=league, games=[*given], results=[*given.values()]) if given else []
    seasons = min((row["seasons"] for row in rows), default=0.0)
    ended = _by_key(rows) if seasons >= FEWEST else {}
    is_exact = any(row["is_exact"] for row in rows)
    return WhatIf(games, given, len(said) - len(given), ended, seasons, is_exact, players, None)


def _by_key(rows: list[Row]) -> dict[Key, Row]:
    return {(row["table"], row["competitor_id"]): row for row in rows}


def told(view: View, what: WhatIf) -> list[Component]:
    """What is given, in words, each result with a link that takes it back."""
    parts: list[Any] = []
    if what.without:
        said = ", whose side has its last line-up of the season in which he was not. "
        parts += [html.Strong(f"Without {what.players[what.without]}"), said, _link(view, {}, "Take back")]
    if what.given:
        parts += [html.Strong("If "), *_results(view, what), f" {_worth(what)} ", _link(view, {}, "Take all back")]
    if what.unknown:
        parts.append(html.Div(f"{counted(what.unknown, 'result')} of the address: no such game is to come soon."))
    return [html.Aside(parts, className="notice", role="status")] if parts else []


def missed(view: View, what: WhatIf) -> list[Component]:
    """Links to the season without each player."""
    if not what.players:
        return []
    path, league = "/forecasts", view.league["league"]
    links = [html.Li(dcc.Link(name, href=address(path, league=league, without=player), className="inline"))
             for player, name in what.players.items()]  # fmt: skip
    words = "Choose who is missing from all games to come: the season above is shown as it would be then."
    parts = [
        html.H2("What if a player is missing?"),
        html.P(words, className="quiet"),
        html.Ul(links, className="in-columns"),
    ]
    return [html.Section(parts, className="block")]


def with_results(what: WhatIf, rows: list[Row]) -> list[Row]:
    """The rows of an outlook as they are with the results; `before` has their chances without."""
    found = [(row, what.ended.get((row["table"], row["competitor_id"]))) for row in rows]
    return [row if ended is None else row | ended | {"before": row["chances"]} for row, ended in found]


def choices(what: WhatIf, row: Row) -> Row:
    """A forecast's row with whether its result may be given, and which one is."""
    return row | {"is_open": row["game_id"] in what.games, "given": what.given.get(row["game_id"])}


def _results(view: View, what: WhatIf) -> list[Any]:
    parts: list[Any] = []
    for number, (game, result) in enumerate(what.given.items()):
        others = {name: own for name, own in what.given.items() if name != game}
        between = "" if not number else " and " if number == len(what.given) - 1 else ", "
        parts += [between, RESULTS[result].format(**what.games[game]), " (", _link(view, others, "take back"), ")"]
    return [*parts, "."]


def _link(view: View, given: dict[str, str], words: str) -> Component:
    text = BETWEEN.join(f"{game}{IS}{result}" for game, result in given.items()) or None
    href = address("/forecasts", league=view.league["league"], given=text)
    return dcc.Link(words, href=href, className="inline")


def _worth(what: WhatIf) -> str:
    whole = next(iter(what.games.values()))["seasons"]
    if not what.ended:
        return (
            "By the ratings that is next to impossible: too few simulated seasons tell what would follow, so the "
            "season is shown without it."
        )
    if what.is_exact:
        off = math.ceil(100 * WITHIN * 0.5 / math.sqrt(what.seasons))
        return (
            f"The ratings learn from it too: these are the {what.seasons:,.0f} of {whole:,} simulated seasons in which "
            f"it came so. Nine chances of ten are within {off} points of what more seasons would give."
        )
    return (
        f"The ratings learn from it too. It came so in too few of {whole:,} simulated seasons: all are weighed so that "
        f"they are worth {what.seasons:,.0f}. Sides that end level are placed as in the simulated season: in a tight "
        "race a chance may be 20 points off; pooltable simulate with --given plays the season again."
    )
