"""How solid an order is: a caterpillar, the chances of ranks, and the table in one joint draw at a time."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import order_figures
from dashboard.attributes import aria, data
from dashboard.frame import View, guide
from dashboard.pages.narrowing import kept
from dashboard.panel import panel
from dashboard.reader import Row
from dashboard.sources import sources
from dashboard.wording import decimals, signed

VIEWS = {"": "Table", "caterpillar": "Caterpillar", "ranks": "Chances of ranks", "reshuffle": "Reshuffle"}
LINES = 200  # of a caterpillar at most
OF_DRAWS = ("ranks", "reshuffle")  # drawn from joint draws, which are kept of the newest day alone


def view_links(view: View) -> Component:
    """Links between the ways of looking at a leaderboard."""
    links = [
        dcc.Link(title, href=kept(view, "view", name), className="tab active" if name == shown(view) else "tab")
        for name, title in VIEWS.items()
    ]
    return html.Nav(links, className="tabs kinds", **aria(label="Ways of looking"), **data(keeps=""))


def shown(view: View) -> str:
    """Which of the ways the address asks for; the table where it asks for none there is."""
    asked = view.query.get("view", "")
    return asked if asked in VIEWS else ""


def ordering(view: View, query: str, values: dict[str, Any]) -> list[Any]:
    """The view that the address asks for, other than the table: of the rows of `query` with `values`."""
    rows = [row for row in view.answer.rows(query, **values) if row["rank"]]
    if not rows:
        return [html.P("Nobody ranked is left by what this is narrowed to.", className="quiet block")]
    match shown(view):
        case "ranks":
            words = (
                "How likely each of the best thirty is to be truly at each rank. A row that is dark in one place is "
                "settled; a pale, broad one is not."
            )
            note = order_figures.beyond_said(rows)
            drawn = panel(
                view, "Chances of ranks", words, order_figures.rank_chances(rows), "rank-chances-figure", note
            )
        case "reshuffle":
            drawn = _reshuffle(rows)
        case _:
            who = "Everybody ranked" if len(rows) <= LINES else f"The best {LINES} of {len(rows):,} ranked"
            words = f"{who} by mean rating, a line each: 90 % interval, 50 % interval, mean."
            figure = order_figures.caterpillar(rows[:LINES], view.league["unit"])
            drawn = panel(view, "Caterpillar", words, figure, "caterpillar-figure")
    return [
        html.Div(drawn, className="tall-figure"),
        _how_to_read(),
        sources(view, [(VIEWS[shown(view)], query, values)]),
    ]


def _how_to_read() -> Component:
    return guide(
        "How to read this",
        [
            "The table says one rank for each, by the mean of what is known. These three ways show how much of that "
            "order is settled: by the intervals of the ratings, by how often each comes out at each rank, and by whole "
            "tables that could all be the true one.",
            "Ranks are those among all the ranked, also where a group or a number of games narrows who is shown.",
        ],
    )


def _reshuffle(rows: list[Row]) -> Component:
    """The best thirty as rows that a press of the button puts in the order of one joint draw."""
    digits = decimals(row["sd"] for row in rows)
    words = (
        "Each press shows one possible truth: a joint draw of all ratings, given model and results. Who keeps his "
        "place press after press is solidly there; who jumps about is not."
    )
    items = [
        html.Div(
            [
                html.Span(f"{row['rank']}", className="shuffle-rank"),
                html.Span(row["name"], className="shuffle-name"),
                html.Span(signed(row["rating"], digits), className="shuffle-value"),
            ],
            className="shuffle-row",
            style={"transform": f"translateY({36 * place}px)"},
        )
        for place, row in enumerate(rows)
    ]
    held = {"draws": [row["draws"] for row in rows], "ranks": [row["ranks"] for row in rows], "digits": digits}
    return html.Section(
        [
            html.P(words, className="prose"),
            html.Div(
                [
                    html.Button("Reshuffle", id="reshuffle", className="button"),
                    html.Span("as ranked by the mean", id="reshuffle-said", className="quiet", role="status",
                              **aria(live="polite")),
                ],
                className="toolbar left",
            ),
            html.Div(items, id="shuffle-list", className="shuffle", style={"height": f"{36 * len(items)}px"},
                     **data(rows=str(len(items)))),
            dcc.Store(id="shuffle-draws", data=held),
        ]
    )  # fmt: skip
