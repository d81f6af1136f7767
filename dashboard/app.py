"""The web application: pages, addresses, headers and the health endpoint around one reader of editions."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import dash
import duckdb
import flask
from dash import Dash, html
from dash.development.base_component import Component

from dashboard import grid, interactions
from dashboard.access import Access, knows, protect_by_token
from dashboard.api import api
from dashboard.bundle import serve_smaller
from dashboard.feeds import feeds
from dashboard.frame import Page, View, league_body, shell, state, window_title
from dashboard.handbook import FIRST
from dashboard.headers import protect
from dashboard.pages import (
    about,
    changes,
    checks,
    compare,
    competitor,
    console,
    data_health,
    forecasts,
    handbook,
    leaderboard,
    leagues,
    runs,
    shrinkage,
    track_record,
)
from dashboard.reader import Reader, Row
from dashboard.sources import sources
from store.errors import PooltableError
from store.guard import Guard
from store.home import Home

log = logging.getLogger(__name__)

SHOWN = (
    leaderboard, competitor, compare, forecasts, changes, shrinkage, checks, track_record, data_health, runs, console,
    about,
)  # fmt: skip
PAGES = [page.PAGE for page in SHOWN]
LEAGUES = Page("/leagues", "Leagues", lambda _: [], needs_ratings=False)
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<meta name="color-scheme" content="light dark">
<title>{%title%}</title>
{%favicon%}
{%css%}
<script src="SCRIPTS"></script>
</head>
<body>
{%app_entry%}
{%config%}{%scripts%}{%renderer%}
</body>
</html>"""

type Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def build_app(home: Home, clock: Clock = utc_now, access: Access | None = None) -> Dash:
    """The dashboard of one home. Nothing is opened before the first request, so that servers may fork first."""
    guard, access = Guard(), access or Access()
    reader = Reader(home, guard.prepare)
    app = Dash(
        "pooltable",
        assets_folder=str(interactions.ASSETS),
        assets_ignore=r".*\.js",
        external_scripts=[grid.SCRIPT],
        use_pages=True,
        pages_folder="",
        suppress_callback_exceptions=True,
        title="Pooltable",
        update_title="",
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.server.config.update(READER=reader, CLOCK=clock, GUARD=guard)
    _register()
    app.layout = html.Div(dash.page_container)
    app.index_string = INDEX.replace("SCRIPTS", interactions.serve_scripts(app.server))
    interactions.register(app)
    app.server.add_url_rule("/health", "health", lambda: health(reader, clock(), is_known=knows(access)))
    app.server.add_url_rule("/edition", "edition", lambda: edition(reader))
    app.server.register_blueprint(api(reader, guard, access))
    app.server.register_blueprint(feeds(reader))
    serve_smaller(app.server)
    protect_by_token(app.server, access)
    protect(app)
    return app


def health(reader: Reader, now: datetime, *, is_known: bool) -> flask.Response:
    """200 with the edition and its age, or 503 with the reason why there is none.

    Whoever is not known learns the status and the age, so that a probe needs no secret.
    """
    try:
        with reader.answer() as answer:
            edition = answer.rows("edition")[0]
    except PooltableError as error:
        reason = error.message.replace(str(reader.home.root), "the home")
        said = {"reason": reason, "hint": error.hint} if is_known else {}
        response = flask.jsonify(status="unavailable", **said)
        response.status_code = 503
        return response
    published = edition["published_at_utc"]
    age = (now.replace(tzinfo=None) - published).total_seconds()
    named = {"edition": edition["edition_id"], "published_at_utc": f"{published.isoformat()}Z"} if is_known else {}
    return flask.jsonify(status="ok", age_seconds=round(age), **named)


def edition(reader: Reader) -> flask.Response:
    """The name of the edition readers see, for open pages that ask whether there is a newer one; 503 where none is."""
    try:
        with reader.answer() as answer:
            return flask.Response(answer.edition_id, mimetype="text/plain")
    except PooltableError:
        return flask.Response("", status=503, mimetype="text/plain")


def render(reader: Reader, now: datetime, page: Page | None, query: dict[str, Any]) -> Component:
    """A whole page for one address. Trouble becomes a page too, never a traceback.

    `page` is None at "/": the leaderboard where one league is rated or one is asked for, else the choice of leagues.
    """
    try:
        if page is handbook.PAGE:
            return _handbook(reader, query)
        return _answered(reader, now, page, {key: value for key, value in query.items() if isinstance(value, str)})
    except PooltableError as error:
        log.warning("%s", error.message)
        return _alone(_unavailable(reader.home, error))
    except (duckdb.CatalogException, duckdb.BinderException):
        log.exception("The edition lacks what the page %s asks for", page.path if page else "/")
        return _alone(_of_other_version())
    except Exception:
        log.exception("The page %s failed", page.path if page else "/")
        return _alone(state("Something went wrong here", [html.P("The server's log has the details.")]))


def _answered(reader: Reader, now: datetime, page: Page | None, query: dict[str, str]) -> Component:
    with reader.answer() as answer:
        edition, found = answer.rows("edition")[0], answer.rows("leagues")
        published = edition["published_at_utc"]
        if not found:
            return _alone(*leagues.none_at_all())
        if page is None:
            is_clear = "league" in query or sum(row["fit_id"] is not None for row in found) == 1
            page = leaderboard.PAGE if is_clear else LEAGUES
        if page is LEAGUES:
            words = query.get("q", "").strip()[: leagues.LONGEST]
            named = answer.rows("search", words=words) if words else []
            return shell(
                PAGES, None, found, None, leagues.content(answer.edition_id, found, published, now, words, named)
            )
        league = _league(found, query.get("league"))
        if league is None:
            return shell(PAGES, None, found, None, leagues.unknown(query["league"], found))
        view = View(answer, found, league, query, published, now)
        flask.g.title = window_title(page, view)
        return shell(PAGES, page.path, found, league, [*league_body(page, view), *_sources(page, view)])


def _handbook(reader: Reader, query: dict[str, Any]) -> Component:
    """A page of the handbook, which is there before anything is published too."""
    name = query.get("name", FIRST)
    flask.g.title = " · ".join(dict.fromkeys([handbook.heading(name), handbook.PAGE.title, "Pooltable"]))
    try:
        with reader.answer() as answer:
            found = answer.rows("leagues")
            league = _league(found, query["league"]) if "league" in query else None
            dictionary = answer.rows("dictionary") if name == handbook.DICTIONARY else []
            return shell(PAGES, None, found, league, handbook.content(name, league, dictionary))
    except PooltableError:
        return _alone(*handbook.content(name, None, []))


def _sources(page: Page, view: View) -> list[Component]:
    """The SQL of a page whose queries are all of the league alone; others say theirs themselves."""
    if not page.queries or view.league["fit_id"] is None:
        return []
    values = {"league": view.league["league"]}
    return [sources(view, [(name.replace("_", " ").capitalize(), name, values) for name in page.queries])]


def _league(found: list[Row], asked: str | None) -> Row | None:
    """The league asked for, the first where none is asked for, None where there is no such league."""
    return found[0] if asked is None else next((row for row in found if row["league"] == asked), None)


def _alone(*body: Component) -> Component:
    return shell(PAGES, None, [], None, list(body))


def _unavailable(home: Home, error: PooltableError) -> Component:
    if home.current.exists():
        return state("The ratings cannot be read", [html.P("The server's log has the details.")])
    words = html.P("Ratings appear here by themselves as soon as there are some.")
    return state("Nothing is published yet", [words, *leagues.first_steps()])


def _of_other_version() -> Component:
    words = "These ratings were published by another version of Pooltable than the one that shows them."
    return state("This page cannot read them", [html.P(words), html.P(["Run: ", html.Code("pooltable publish")])])


def _register() -> None:
    """Registers the pages afresh: Dash keeps them in one registry for the whole process, whatever app they belong to.

    So they ask the app that is answering for its reader.
    """

    def layout_of(page: Page | None) -> Callable[..., Component]:
        def layout(**query: Any) -> Component:
            config = flask.current_app.config
            return render(config["READER"], config["CLOCK"](), page, query)

        return layout

    dash.page_registry.clear()
    for page in [*PAGES, LEAGUES]:
        _add(page.path.strip("/"), page.path, page.title, layout_of(page))
    _add("handbook", handbook.PAGE.path, "Handbook", layout_of(handbook.PAGE), path_template="/handbook/<name>")
    _add("home", "/", "Leagues", layout_of(None))
    missing = state("No such page", [html.P(html.A("To the leagues", href="/leagues"))])
    _add("not_found_404", "/404", "Not found", lambda **_: _alone(missing))


def _add(name: str, path: str, title: str, layout: Callable[..., Component], **more: Any) -> None:
    dash.register_page(name, path=path, name=title, title=lambda **_: flask.g.get("title") or f"{title} · Pooltable",
                       layout=layout, **more)  # fmt: skip
