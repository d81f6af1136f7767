"""What a leaderboard is narrowed to: a group, a number of games, an earlier day. All of it is in the address."""

from dataclasses import dataclass

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.frame import View, address
from dashboard.reader import Row
from dashboard.wording import day

PATH = "/leaderboard"
KEPT = ("kind", "view", "k", "show", "games", "group", "on", "sort")  # what a link of this page leaves as it is
MOST_GAMES = 99_999
BASES = {"as_published": "as published", "backfilled": "fitted later"}


@dataclass(frozen=True)
class Narrowed:
    """What the address asks for, of what there is: a group or "", the fewest games, an earlier day or None."""

    group: str
    least: int
    on: Row | None
    groups: list[str]
    days: list[Row]


def narrowed(view: View, kind: str) -> Narrowed:
    """What the address narrows the leaderboard of a kind to; what it does not know of is left aside."""
    league = view.league["league"]
    found = view.answer.rows("groups", league=league, kind=kind)
    groups = [f"{row['grouping']}: {row['group']}" for row in found]
    days = view.answer.rows("change_days", league=league)
    asked = view.query.get("group", "")
    on = next((row for row in days if row["as_of"].isoformat() == view.query.get("on")), None)
    return Narrowed(asked if asked in groups else "", whole(view.query.get("games"), MOST_GAMES), on, groups, days)


def whole(asked: str | None, most: int) -> int:
    """The whole number that an address asks for, at most `most`; 0 where it asks for none."""
    return min(int(asked), most) if asked and asked.isascii() and asked.isdigit() and len(asked) < 9 else 0


def fields(view: View, now: Narrowed) -> list[Component]:
    """The menus of groups and of days, where there are any, and the field of games."""
    return [
        *([_groups(view, now)] if now.groups else []),
        *([_days(view, now)] if now.days else []),
        html.Label(
            ["From ", dcc.Input(id="leaderboard-games", type="number", min=1, max=MOST_GAMES, step=1, placeholder="any",
                                value=now.least or None, debounce=True), " games"],
            className="places",
        ),
    ]  # fmt: skip


def _groups(view: View, now: Narrowed) -> Component:
    return _menu(view, "group", now.group, [("", "All groups"), *((group, group) for group in now.groups)])


def _days(view: View, now: Narrowed) -> Component:
    earlier = [(row["as_of"].isoformat(), f"As of {day(row['as_of'])}, {BASES[row['basis']]}") for row in now.days]
    chosen = now.on["as_of"].isoformat() if now.on else ""
    return _menu(view, "on", chosen, [("", f"As of {day(view.league['as_of'])}, the newest"), *earlier])


def _menu(view: View, name: str, chosen: str, choices: list[tuple[str, str]]) -> Component:
    """A menu of links to this leaderboard with another value of one part of its address."""
    links = [
        dcc.Link(words, href=_with(view, name, value), className="menu-item active" if value == chosen else "menu-item")
        for value, words in choices
    ]
    parts = [html.Summary(dict(choices)[chosen]), html.Div(links, className="menu-items")]
    return html.Details(parts, className="menu choose", id=f"leaderboard-{name}")


def _with(view: View, name: str, value: str) -> str:
    kept = {key: view.query[key] for key in KEPT if key in view.query}
    return address(PATH, **{"league": view.league["league"], **kept, name: value or None})


def told(view: View, now: Narrowed) -> Component | None:
    """That an earlier day is shown, and the way back; None where it is the newest."""
    if now.on is None:
        return None
    words = f"Ratings as of {day(now.on['as_of'])}, {BASES[now.on['basis']]}. "
    back = dcc.Link("To the newest", href=_with(view, "on", ""), className="inline")
    return html.Aside([html.Strong(words), back], className="notice", role="status")
