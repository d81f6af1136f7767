"""A panel: a figure with its title, a sentence on how to read it, and a name for the picture that is downloaded."""

from typing import Any

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.attributes import aria
from dashboard.frame import View


def panel(view: View, title: str, words: str, figure: go.Figure, figure_id: str, note: str | None = None) -> Component:
    """A figure of the league that is shown, with its words above and a note below; as high as its
    layout says where it does.
    """
    league = view.league
    name = f"pooltable-{league['league']}-{figure_id}-{league['as_of']}"
    settings: Any = {
        "displaylogo": False,
        "responsive": True,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": name},
    }
    plot = dcc.Graph(id=figure_id, figure=figure, config=settings, responsive=True, style={"height": "100%"})
    height = figure.to_dict()["layout"].get("height")
    graph = html.Div(plot, className="figure", style={"height": f"{height}px"} if height else None)
    parts = [html.H2(title), html.P(words), graph, html.P(note, className="quiet") if note else None]
    return html.Section(parts, className="panel", **aria(label=title))
