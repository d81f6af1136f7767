"""The leagues page: every league of the edition with its three best, its freshness and its verdict."""

from datetime import datetime
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.frame import address, guide, labelled, published, simulated_badge, state
from dashboard.grid import fitting_grid, number, text
from dashboard.reader import Row
from dashboard.sources import sources_of
from dashboard.wording import counted, day

LONGEST = 100  # characters of a name that is looked for


def content(
    edition_id: str, leagues: list[Row], published_at_utc: datetime, now: datetime, words: str, found: list[Row]
) -> list[Any]:
    """A field to find a competitor in, those `found` by the words in it, and a card a league, the rated ones first."""
    heading = html.Div(
        [html.H1("Leagues"), html.P(html.Span(published(edition_id, published_at_utc, now)), className="facts")],
        className="heading",
    )
    cards = html.Div([_card(league) for league in leagues], className="cards")
    asked = [("Leagues", "leagues", {}), *([("Found", "search", {"words": words})] if words else [])]
    parts = [heading, _search(words), *([found_list(words, found)] if words else []), cards]
    return [*parts, _how_to_read(), sources_of(edition_id, asked)]


def _how_to_read() -> Component:
    return guide(
        "How to read this",
        [
            "A card is a league: one pool of results that is rated together. It shows the best three of the ratings "
            "that were last accepted, how many games they rest on, and the day they are of: games before it are in "
            "them.",
            "Every fit is judged before it is shown. Where the newest was rejected, the card says so, and the ratings "
            "are those of the last one that was accepted; the league's Fit check has the reasons.",
        ],
    )


def _search(words: str) -> Component:
    """A plain form: the words go into the address."""
    field = dcc.Input(name="q", type="search", value=words, placeholder="Find a team or a player in any league",
                      className="search", maxLength=LONGEST, autoComplete="off")  # fmt: skip
    named = labelled("Find a team or a player in any league", field)
    return html.Form([named, html.Button("Find", type="submit", className="button")], action="/leagues", method="get",
                     className="toolbar left", role="search")  # fmt: skip


def found_list(words: str, rows: list[Row]) -> Component:
    """Those found by the words in a name, and how many more there are."""
    if not rows:
        return html.P(f"Nobody rated is called “{words}”.", className="quiet")
    columns = [
        text("name", "Name", "Leads to its page.", cellRenderer="CompetitorLink", cellClass="name", minWidth=150,
             flex=1, cellRendererParams={"who": "competitor_id"}),
        text("title", "League", "Where it is rated.", minWidth=150, flex=1),
        number("rank", "Rank", "Rank in its league.", "pooltable.whole(params.value)", width=80),
        number("games", "Games", "Games used.", "pooltable.whole(params.value)", width=88),
    ]  # fmt: skip
    count, of_all = len(rows), rows[0]["of_all"]
    said = f"The first {count:,} of {of_all:,}; more of the name finds fewer." if of_all > count else None
    many = html.P(said, className="quiet") if said else None
    return html.Section([many, fitting_grid("found", columns, rows, "Found")], className="block")


def unknown(asked: str, leagues: list[Row]) -> list[Any]:
    """The state of an address that names a league the edition does not have."""
    heading = state(f"No league called “{asked[:60]}” here", [html.P("This edition has these:")])
    return [heading, html.Div([_card(league) for league in leagues], className="cards")]


def none_at_all() -> list[Any]:
    """The state of an edition without leagues."""
    return [state("This edition holds no leagues", first_steps())]


def first_steps() -> list[Component]:
    """What brings a home its first ratings, a command a line."""
    steps = (("See what there is", "pooltable leagues"), ("Add one", "pooltable add LEAGUE"),
             ("Run the night", "pooltable nightly"))  # fmt: skip
    return [html.P([f"{words}: ", html.Code(command)]) for words, command in steps]


def _card(league: Row) -> Component:
    best = [html.Li(name) for name in league["best"]]
    return dcc.Link(
        [
            html.H2([league["title"], simulated_badge(league)]),
            html.Ol(best) if best else html.P("Not rated yet.", className="quiet"),
            html.P(_freshness(league), className="quiet"),
            _verdict(league),
        ],
        href=address("/leaderboard", league=league["league"]),
        className="card",
    )


def _verdict(league: Row) -> Component | None:
    if league["newest_verdict"] == "rejected":
        return html.P("✕ Newest fit rejected", className="rejected")
    if not league["fit_id"]:
        return None
    if league["override_reason"]:
        return html.P("! Accepted by hand", className="by-hand")
    return html.P("✓ Fit accepted", className="accepted")


def _freshness(league: Row) -> str:
    if not league["fit_id"]:
        return f"{counted(league['games'] or 0, 'game')} loaded"
    return f"{counted(league['games_rated'], 'game')}, as of {day(league['as_of'])}"
