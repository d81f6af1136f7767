"""The SQL page: a console over the guarded SQL of the API, with what there is to ask about beside it."""

from typing import Any

import dash_ag_grid as dag
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.attributes import aria
from dashboard.canned import Canned, canned
from dashboard.frame import Page, View, address, explained, guide
from dashboard.panel import figure_words
from store.guard import unavailable

PATH = "/sql"
FIRST = """SELECT rank, name, rating, q5, q95, games
FROM leaderboard
WHERE league = $league
ORDER BY rank NULLS LAST
LIMIT 20"""
LONGEST = 20_000  # characters that are taken from an address


def content(view: View) -> list[Any]:
    """The console; where this machine cannot guard SQL, why."""
    why = unavailable()
    if why is not None:
        return [html.Aside([html.Strong("SQL is not answered here. "), why], className="notice", role="status")]
    asked = view.query.get("sql", "")[:LONGEST]
    rows = view.answer.rows("dictionary")
    held = {
        "league": view.league["league"], "rows": [list(row.values()) for row in rows], "run": bool(asked),
        "about": figure_words(view),
        "values": {name: value for name, value in view.query.items() if name not in ("sql", "league", "x", "y")},
    }  # fmt: skip
    return [
        html.Div([_schema(view), _editor(asked or FIRST)], className="console"),
        _how_to_read(view),
        dcc.Store(id="sql-dictionary", data=held),
    ]


def _schema(view: View) -> Component:
    """Prepared questions as links; tables and macros, which the browser fills in."""
    links = [html.Li(dcc.Link(one.title, href=_address(view, one), title=one.description)) for one in canned().values()]
    return html.Aside(
        [
            html.Details([html.Summary("Prepared questions"), html.Ul(links)], className="schema-part"),
            html.Details([html.Summary("Asked before"), html.Ul(id="sql-history")], className="schema-part"),
            html.Details(
                [html.Summary("Tables and macros"), html.Div(id="sql-schema")], className="schema-part", open=True
            ),
        ],
        className="schema",
        **aria(label="What there is to ask about"),
    )


def _address(view: View, one: Canned) -> str:
    """The console with a prepared question and its usual values."""
    usual = {part.name: part.usual or "" for part in one.parameters if part.name != "league"}
    return address(PATH, league=view.league["league"], sql=one.sql, **usual)


def _editor(sql: str) -> Component:
    table = dag.AgGrid(
        id="sql-grid",
        rowData=[],
        columnDefs=[],
        defaultColDef={"sortable": True, "resizable": True, "minWidth": 90, "suppressHeaderMenuButton": True},
        dashGridOptions={
            "theme": {"function": "themeQuartz"}, "enableCellTextSelection": True, "suppressFieldDotNotation": True,
            "localeText": {"noRowsToShow": "Rows of the answer stand here."}, "pagination": True,
            "paginationPageSize": 100, "animateRows": False,
        },
        className="grid",
        style={"height": None, "width": None},
    )  # fmt: skip
    return html.Div(
        [
            html.Label("One SELECT; Ctrl+Enter runs it", htmlFor="sql-text", className="quiet"),
            html.Div(
                [
                    dcc.Textarea(id="sql-text", value=sql, spellCheck=False, rows=10, wrap="off"),
                    html.Ul(id="sql-names", className="names hidden", role="listbox"),
                ],
                className="editor",
            ),
            html.Div(id="sql-values", className="toolbar left"),
            html.Div(
                [
                    html.Button("Run", id="sql-run", className="button primary"),
                    html.A("CSV", id="sql-csv", className="button", href="#"),
                    html.A("JSON", id="sql-json", className="button", href="#", target="_blank"),
                    html.A("Parquet", id="sql-parquet", className="button", href="#"),
                    html.Button("Plot", id="sql-draw", className="button"),
                    html.Span(id="sql-said", className="quiet", role="status", **aria(live="polite")),
                ],
                className="toolbar left",
            ),
            html.Pre(id="sql-error", className="sql-error hidden", role="alert"),
            html.Div(id="sql-axes", className="toolbar left hidden"),
            html.Div(id="sql-plot"),
            html.Div(
                table, role="region", className="grid-frame middling one-page", **aria(label="Rows of the answer")
            ),
        ],
        className="query",
    )  # fmt: skip


def _how_to_read(view: View) -> Component:
    return guide(
        "How to use this",
        [
            "Anything that reads the edition may be asked: its tables, and macros such as head_to_head. $league is "
            "this page's league; other names with a dollar get a field of their own. Nothing can be changed, and what "
            "takes too long or too much memory is stopped. Numbers are shown to six digits; the files hold them all.",
            "While you type, names are offered: Tab takes the first, the arrow keys choose. The address holds the "
            "query, so that it can be shared; what you asked before stays in this browser.",
            html.P(["The same from anywhere: ", html.A("the API", href="/api"), ", or the whole edition as a ",
                    html.A("DuckDB file", href="/download/current.duckdb"), "."]),
            explained("sql", "Tables and macros in short, and how programs ask", view),
        ],
    )  # fmt: skip


PAGE = Page(PATH, "SQL", content, needs_ratings=False)
