"""The numbers of a page for whoever wants them elsewhere: each named query's SQL, and its answer as CSV or JSON."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.frame import View, address
from dashboard.queries import query

OF_THE_FRAME = ("edition", "leagues")
LONGEST = 7000  # characters of an address; gunicorn takes 8,190 bytes

type Source = tuple[str, str, dict[str, Any]]


def sources(view: View, found: list[Source]) -> Component:
    """A fold-out with the SQL of every part of a page. A source is a title, a query's name, and its values."""
    return sources_of(view.answer.edition_id, found)


def sources_of(edition_id: str, found: list[Source]) -> Component:
    """The same for a page of no league."""
    edition = html.P(f"Every number here is from edition {edition_id}, by these queries.", className="quiet")
    return html.Details(
        [html.Summary("The SQL of this view, CSV and JSON"), edition, *(_source(*source) for source in found)],
        className="guide wide sources",
    )


def asked(view: View) -> list[Source]:
    """The queries that this page has asked so far, each once, but for those of the frame around every page."""
    found = {(name, tuple(values.items())): values for name, values in view.answer.asked if name not in OF_THE_FRAME}
    return [(name.replace("_", " ").capitalize(), name, values) for (name, _), values in found.items()]


def _source(title: str, name: str, values: dict[str, Any]) -> Component:
    sql = query(name)
    given = {key: str(value) for key, value in values.items()}
    asked = {"sql": sql, **given}
    links: list[Any] = [
        html.A("CSV", href=address("/api/sql", **asked, _format="csv"), download=f"pooltable-{name}.csv"),
        html.A("JSON", href=address("/api/sql", **asked), target="_blank"),
        dcc.Link("Open in the console", href=address("/sql", **asked)),
    ]
    if len(links[-1].href) > LONGEST:
        links = []
    return html.Section(
        [html.H3([title, *(html.Span(link, className="source-link") for link in links)]), html.Pre(_text(sql, given))],
        className="source",
    )


def _text(sql: str, values: dict[str, str]) -> str:
    """The SQL with its values said on top."""
    said = "".join(f"-- ${name} = {value!r}\n" for name, value in values.items())
    return f"{said}{sql.strip()}"
