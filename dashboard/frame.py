"""The frame around every page: header with the pages and the leagues, the league's heading, its state, and notices.

A page is a `Page`: an address, a title, and a function from a view (the answer, the league, the query) to components.
Adding one means adding it to the list in app.py; the header finds it there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import handbook
from dashboard.attributes import aria, data
from dashboard.reader import Answer, Row
from dashboard.wording import ago, counted, day, listed

type Query = dict[str, str]
OLD = timedelta(days=8)  # age of an edition at which it looks old


@dataclass(frozen=True)
class View:
    """What a page is asked to show: one answer's edition, the league, the query of its address, and the time."""

    answer: Answer
    leagues: list[Row]
    league: Row
    query: Query
    published_at_utc: datetime
    now: datetime


@dataclass(frozen=True)
class Page:
    """A page of one league: its address, its title, and what is on it."""

    path: str
    title: str
    content: Callable[[View], list[Any]]
    needs_ratings: bool = True
    is_tab: bool = True
    """Whether the header leads to it; else only links of other pages do."""
    queries: tuple[str, ...] = ()
    """The named queries it rests on, where all of them ask for the league alone."""
    subject: Callable[[View], str] = lambda _: ""
    """What it is about just now, where the address says more than the league: who, or which view."""


def window_title(page: Page, view: View) -> str:
    """The title of the browser's window, what tells it from others first: subject, page, league."""
    parts = [page.subject(view)[:100], page.title, view.league["title"], "Pooltable"]
    return " · ".join(part for part in parts if part)


def address(path: str, **query: str | None) -> str:
    """A deep link: the path with the query values that are not None."""
    given = {key: value for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def shell(pages: list[Page], active: str | None, leagues: list[Row], league: Row | None, body: list[Any]) -> Component:
    """A whole page: skip link, header, body, footer."""
    return html.Div(
        [
            html.A("Skip to content", href="#content", className="skip"),
            _header(pages, active, leagues, league),
            html.Main(body, id="content", className="content", tabIndex=-1),
            _footer(league),
        ],
        className="page",
    )


def _footer(league: Row | None) -> Component:
    """What this is, and where it is explained: on every page."""
    name = league["league"] if league else None
    links = [dcc.Link("Handbook", href=handbook.address(handbook.FIRST, league=name)), html.A("API", href="/api")]
    return html.Footer([html.Span("Pooltable: partial pooling for league tables."), *links], className="footer")


def explained(name: str, words: str, view: View, anchor: str = "") -> Component:
    """A link to the page of the handbook that tells more, for the end of a "How to read this"."""
    return html.P(dcc.Link(words, href=handbook.address(name, anchor, view.league["league"]), className="inline"))


def league_body(page: Page, view: View) -> list[Any]:
    """Heading, notices and content of one league's page, or the state that says why there is none."""
    by_hand = _by_hand(view.league) if page.needs_ratings else []  # the fit check says so itself
    parts = [_heading(view), *_notices(view), *by_hand]
    if page.needs_ratings and view.league["fit_id"] is None:
        return [*parts, unrated(view.league)]
    return [*parts, *page.content(view)]


def unrated(league: Row) -> Component:
    """The state of a league whose results are loaded and that has no accepted fit yet."""
    if not league["is_rated"]:
        said = [html.Code("rate = []"), " in its stanza says so; its results are here for SQL and for the data checks."]
        return state("Loaded, not rated", [html.P([counted(league["games"] or 0, "game"), " loaded. ", *said])])
    rejected = league["newest_verdict"] == "rejected"
    why = (
        "Its newest fit was rejected, so there is nothing we can stand behind."
        if rejected
        else "It waits for its first fit."
    )
    return state(
        "Not rated yet",
        [
            html.P([counted(league["games"] or 0, "game"), " loaded. ", why]),
            html.Ul([html.Li(reason) for reason in league["newest_reasons"]]) if rejected else None,
            dcc.Link("See the rejected fit", href=address("/checks", league=league["league"]), className="button")
            if rejected
            else html.P([html.Code(f"pooltable fit {league['league']}"), " rates it, or says why it cannot."]),
        ],
    )


def state(title: str, parts: list[Any]) -> Component:
    """A designed empty or error state: a title and what to do."""
    return html.Section([html.Div(className="state-mark"), html.H2(title), *parts], className="state")


def notice(words: str, *more: Any) -> Component:
    """A sentence that nobody should miss, such as that another thing is shown than was asked for."""
    return html.Aside([html.Strong(words), *more], className="notice", role="status")


def tip(word: str, meaning: str) -> Component:
    """A word with its meaning shown on hover and on keyboard focus."""
    return html.Span(
        [word, html.Span(meaning, className="tip-text", role="tooltip")],
        className="tip",
        tabIndex=0,
    )


def guide(title: str, sentences: list[Any], *, is_open: bool = False) -> Component:
    """A fold-out "How to read this"."""
    paragraphs = [sentence if isinstance(sentence, Component) else html.P(sentence) for sentence in sentences]
    return html.Details(
        [html.Summary(title), html.Div(paragraphs, className="guide-body")], className="guide", open=is_open
    )


def labelled(words: str, field: Component) -> Component:
    """A field with a label that is heard and not seen: what is in the field says as much to the eye."""
    return html.Label([html.Span(words, className="unseen"), field], className="labelled")


def kind_of(view: View) -> str:
    """The kind the address asks for where the league has it, else the league's first."""
    kinds: list[str] = view.league["kinds"]
    asked = view.query.get("kind", "")
    return asked if asked in kinds else kinds[0]


def kind_links(path: str, view: View) -> Component | None:
    """Links between the kinds (teams, players) of a league that rates more than one."""
    kinds = view.league["kinds"]
    if len(kinds) < 2:
        return None
    return html.Nav(
        [_tab(f"{kind.capitalize()}s", address(path, league=view.league["league"], kind=kind), kind == kind_of(view))
         for kind in kinds],
        className="tabs kinds", **aria(label="Kind of competitor"),
    )  # fmt: skip


def simulated_badge(league: Row) -> Component | None:
    """The badge of a league whose results were made by a simulator."""
    if not league["is_simulated"]:
        return None
    return html.Span("simulated", className="badge", title="These results come from our simulator; nobody played them.")


def _header(pages: list[Page], active: str | None, leagues: list[Row], league: Row | None) -> Component:
    query = {"league": league["league"]} if league else {}
    shown = [page for page in pages if page.is_tab] if league else []
    tabs = [_tab(page.title, address(page.path, **query), page.path == active) for page in shown]
    return html.Header(
        [
            dcc.Link([html.Span(className="brand-mark"), "Pooltable"], href="/", className="brand"),
            _league_menu(next((page.path for page in shown if page.path == active), "/leaderboard"), leagues, league),
            html.Button(
                html.Span(className="theme-mark"), className="icon-button", title="Light or dark",
                **data(action="theme"), **aria(label="Switch between light and dark"),
            ),
            html.Nav(tabs, className="tabs", **aria(label="Pages")) if tabs else None,
        ],
        className="header",
    )  # fmt: skip


def _tab(title: str, href: str, is_active: bool) -> Component:
    return dcc.Link(title, href=href, className="tab active" if is_active else "tab")


def _league_menu(path: str, leagues: list[Row], league: Row | None) -> Component | None:
    if not leagues:
        return None
    links = [
        dcc.Link(
            [
                row["title"],
                simulated_badge(row),
                html.Span("not rated", className="quiet") if not row["fit_id"] else None,
            ],
            href=address(path, league=row["league"]),
            className="menu-item active" if league and row["league"] == league["league"] else "menu-item",
        )
        for row in leagues
    ]
    everything = dcc.Link("All leagues", href="/leagues", className="menu-item all")
    name = league["title"] if league else "Leagues"
    menu = html.Div([*links, everything], className="menu-items")
    return html.Details([html.Summary(name), menu], className="menu")


def _heading(view: View) -> Component:
    league = view.league
    return html.Div(
        [
            html.H1([league["title"], simulated_badge(league)]),
            html.P(_facts(view), className="facts"),
        ],
        className="heading",
        **data(edition=view.answer.edition_id),
    )


def _facts(view: View) -> list[Any]:
    league = view.league
    age = published(view.answer.edition_id, view.published_at_utc, view.now)
    about = html.Span(dcc.Link("about this league", href=address("/about", league=league["league"])))
    if league["fit_id"] is None:
        return [html.Span(f"{counted(league['games'] or 0, 'game')} loaded"), html.Span(age), about]
    kinds = listed([f"{kind}s" for kind in league["kinds"]]) or "competitors"
    reference = tip(
        "average ranked competitor",
        f"0 is the mean of the ranked {kinds}, kind by kind; a rating is the difference from it on neutral ground.",
    )
    return [
        html.Span(["as of ", html.Strong(day(league["as_of"]))]),
        html.Span([f"in {league['unit']}, against the ", reference]),
        html.Span(f"{league['rated']:,} {kinds} rated by {counted(league['games_rated'], 'game')}"),
        html.Span(age),
        about,
    ]


def published(edition_id: str, published_at_utc: datetime, now: datetime) -> Component:
    """The edition's age; of one that is old, so that it is seen, with what that may mean."""
    words = f"published {ago(published_at_utc, now)}"
    if now.replace(tzinfo=None) - published_at_utc.replace(tzinfo=None) < OLD:
        return tip(words, f"Edition {edition_id}.")
    meaning = "For more than a week nothing was published: nothing new came, or no night was run. Data health says."
    return html.Strong(tip(words, f"{meaning} Edition {edition_id}."), className="stale")


def _notices(view: View) -> list[Component]:
    league = view.league
    is_seen = view.query.get("fit") == league["newest_fit_id"]  # then the page itself says so
    if league["newest_verdict"] != "rejected" or league["fit_id"] is None or is_seen:
        return []
    link = dcc.Link(
        "See that fit",
        href=address("/checks", league=league["league"], fit=league["newest_fit_id"]),
        className="inline",
    )
    return [
        html.Aside(
            [
                html.Strong("The newest fit was rejected. "),
                f"The ratings shown are from the last accepted one, as of {day(league['as_of'])}. ",
                html.Ul([html.Li(reason) for reason in league["newest_reasons"]]),
                link,
            ],
            className="notice",
            role="status",
        )
    ]


def _by_hand(league: Row) -> list[Component]:
    """The notice that a person accepted the published fit against the rules, why, and what the rules say."""
    if not league["override_reason"]:
        return []
    link = dcc.Link("See its checks", href=address("/checks", league=league["league"]), className="inline")
    return [
        html.Aside(
            [
                html.Strong("Accepted by hand. "),
                f"The rules reject the fit that these ratings come from; a person accepted it: "
                f"“{league['override_reason']}”. What the rules say: ",
                html.Ul([html.Li(reason) for reason in league["overridden_reasons"]]),
                link,
            ],
            className="notice",
            role="status",
        )
    ]
