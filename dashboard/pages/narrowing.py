"""What a leaderboard is narrowed to: a group, a number of games, an earlier day. All of it is in the address."""

from dataclasses import dataclass

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.attributes import data
from dashboard.frame import View, address, notice
from dashboard.reader import Row
from dashboard.wording import day

PATH = "/leaderboard"
KEPT = ("kind", "view", "q", "k", "show", "games", "group", "on", "sort")  # what a link of this page leaves as it is
MOST_GAMES = 99_999
MOST_PLACES = 999
BASES = {"as_published": "as published", "backfilled": "fitted later", "smoothed": "as all results tell it now"}


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
    days = view.answer.rows("leaderboard_days", league=league, kind=kind)
    asked = view.query.get("group", "")
    least = whole(view.query.get("games"), MOST_GAMES)
    return Narrowed(asked if asked in groups else "", least, _on(days, view.query.get("on")), groups, days)


def _on(days: list[Row], asked: str | None) -> Row | None:
    """The kept day that is asked for: by its name, or by its date alone."""
    exact = next((row for row in days if _name(row) == asked), None)
    return exact or next((row for row in days if row["as_of"].isoformat() == asked), None)


def _name(row: Row) -> str:
    """A kept day in an address: what all results tell of it now is another thing than what was said then."""
    return row["as_of"].isoformat() + ("-smoothed" if row["basis"] == "smoothed" else "")


def whole(asked: str | None, most: int) -> int:
    """The whole number that an address asks for, at most `most`; 0 where it asks for none."""
    return min(int(asked), most) if asked and asked.isascii() and asked.isdigit() and len(asked) < 9 else 0


def fields(view: View, now: Narrowed, *, has_days: bool) -> list[Component]:
    """The menus of groups and of days, where there are any, and the field of games."""
    return [
        *([_groups(view, now)] if now.groups else []),
        *([_days(view, now)] if now.days and has_days else []),
        html.Label(
            ["From ", dcc.Input(id="leaderboard-games", type="number", min=1, max=MOST_GAMES, step=1, placeholder="any",
                                value=now.least or None, debounce=True), " games"],
            className="places",
        ),
    ]  # fmt: skip


def _groups(view: View, now: Narrowed) -> Component:
    return _menu(view, "group", now.group, [("", "All groups"), *((group, group) for group in now.groups)])


def _days(view: View, now: Narrowed) -> Component:
    earlier = [(_name(row), f"As of {day(row['as_of'])}, {BASES[row['basis']]}") for row in now.days]
    chosen = _name(now.on) if now.on else ""
    return _menu(view, "on", chosen, [("", f"As of {day(view.league['as_of'])}, the newest"), *earlier])


def _menu(view: View, name: str, chosen: str, choices: list[tuple[str, str]]) -> Component:
    """A menu of links to this leaderboard with another value of one part of its address."""
    links = [
        dcc.Link(words, href=kept(view, name, value), className="menu-item active" if value == chosen else "menu-item")
        for value, words in choices
    ]
    parts = [html.Summary(dict(choices)[chosen]), html.Div(links, className="menu-items")]
    return html.Details(parts, className="menu choose", id=f"leaderboard-{name}", **data(keeps=""))


def kept(view: View, name: str, value: str) -> str:
    """The address of this leaderboard with one part of it changed, or without it."""
    as_it_is = {key: view.query[key] for key in KEPT if key in view.query}
    return address(PATH, **{"league": view.league["league"], **as_it_is, name: value or None})


def told(view: View, now: Narrowed) -> Component | None:
    """Which day is shown where another than the newest is asked for, and the way back; None where the newest is."""
    asked = view.query.get("on")
    if not asked:
        return None
    if now.on is not None:
        words = f"Ratings as of {day(now.on['as_of'])}, {BASES[now.on['basis']]}. "
        return notice(words, dcc.Link("To the newest", href=kept(view, "on", ""), className="inline"))
    return notice(f"The day asked for is not kept: these are the newest ratings, as of {day(view.league['as_of'])}.")


def told_of_draws(view: View, now: Narrowed) -> Component | None:
    """That the newest day is shown though an earlier one is asked for: joint draws are kept of the newest alone."""
    if now.on is None:
        return told(view, now)
    words = f"This is of the newest ratings, as of {day(view.league['as_of'])}, not of {day(now.on['as_of'])}. "
    link = dcc.Link("See that day as a table", href=kept(view, "view", ""), className="inline")
    return notice(words, "It needs joint draws, and those of earlier days are not kept. ", link)


def told_of_numbers(view: View, now: Narrowed) -> Component | None:
    """That a number asked for is none that can be taken, or that P(top k) is not known of the day that is shown."""
    said = [
        _taken(words, asked, most)
        for name, words, most in (("k", "k of P(top k)", MOST_PLACES), ("games", "games", MOST_GAMES))
        if (asked := view.query.get(name)) and asked.lstrip("0") != str(whole(asked, most))
    ]
    if now.on is not None and whole(view.query.get("k"), MOST_PLACES):
        said.append("P(top k) is left out: it needs joint draws, and those of earlier days are not kept.")
    return notice(" ".join(said)) if said else None


def _taken(words: str, asked: str, most: int) -> str:
    instead = f"{most:,} is taken" if whole(asked, most) else "it is left aside"
    return f"“{asked[:20]}” is no number for {words}, which is a whole one from 1 to {most:,}: {instead}."


def told_of_group(view: View, now: Narrowed) -> Component | None:
    """That everybody is shown where the group asked for is not one of this league's."""
    asked = view.query.get("group", "")
    if asked == now.group:
        return None
    return notice(f"There is no group “{asked[:60]}” here: everybody is shown.")
