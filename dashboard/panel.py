"""A panel: a figure with its title, a sentence on how to read it, and buttons that download it as a picture."""

from typing import Any

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.attributes import aria, data
from dashboard.frame import View
from dashboard.wording import day

PICTURES = ("PNG", "SVG")


def panel(view: View, title: str, words: str, figure: go.Figure, figure_id: str, note: str | None = None) -> Component:
    """A figure of the league that is shown, with its words above and a note below; as high as its
    layout says where it does.
    """
    settings: Any = {
        "displaylogo": False,
        "responsive": True,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "toImage"],
    }
    plot = dcc.Graph(id=figure_id, figure=figure, config=settings, responsive=True, style={"height": "100%"})
    height = figure.layout["height"]
    graph = html.Div(plot, className="figure", style={"height": f"{height}px"} if height else None)
    parts = [html.H2(title), html.P(words), graph, html.P(note, className="quiet") if note else None]
    return html.Section([*parts, _pictures(view, title, figure_id)], className="panel", **aria(label=title))


def _pictures(view: View, title: str, figure_id: str) -> Component:
    """Buttons that save the figure, with what says whose it is, of when and from where written into the picture."""
    said = {"title": title} | figure_words(view)
    name = f"pooltable-{view.league['league']}-{figure_id}-{view.league['as_of']}"
    buttons = [
        html.Button(form, className="as-link", **data(picture=form.lower(), name=name, **said),
                    **aria(label=f"Save “{title}” as {form}"))
        for form in PICTURES
    ]  # fmt: skip
    return html.P(["Save as ", *buttons], className="pictures")


def figure_words(view: View) -> dict[str, str]:
    """What is written into a picture below its title: `about`, the league and its day, and `source`, the edition."""
    league = view.league
    when = f" as of {day(league['as_of'])}" if league["as_of"] else ""
    source = f"Pooltable, edition {view.answer.edition_id}" + (", simulated results" if league["is_simulated"] else "")
    return {"about": f"{league['title']}{when}", "source": source}
