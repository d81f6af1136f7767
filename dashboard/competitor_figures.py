"""Figures of competitors: rows in, a plotly figure out, as in figures.py."""

from datetime import date
from typing import Any

import plotly.graph_objects as go

from dashboard.figures import ALONE, GUIDE, POOLED, Rows, as_text, empty
from dashboard.wording import day, signed

SHADES = [[0, "rgba(59, 130, 196, 0.04)"], [1, "rgba(59, 130, 196, 0.5)"]]
BAND = "rgba(59, 130, 196, 0.18)"
COLOURS = [POOLED, ALONE, "#2f8f6b", "#9b59b6", "#c0504d", "#6b7280"]


def rating_history(rows: Rows, games: Rows, unit: str, digits: int, then: Rows | None = None) -> go.Figure:
    """Rating by day with its 90 % band above, and what was said `then` dotted; how far each game was from what was
    expected below; days shared."""
    figure = empty("", f"Rating ({unit})")
    days = [row["as_of"] for row in rows]
    if rows:
        band = {"x": days + days[::-1], "y": [row["q95"] for row in rows] + [row["q5"] for row in rows][::-1]}
        figure.add_trace(_band(band))
        said = [[day(row["as_of"]), signed(row["rating"], digits), _ranks(row)] for row in rows]
        figure.add_trace(
            go.Scatter(x=days, y=[row["rating"] for row in rows], mode=_mode(rows), name="Rating", customdata=said,
                       line={"color": POOLED, "width": 2}, marker={"size": 6},
                       hovertemplate="%{customdata[0]}<br>rating %{customdata[1]}<br>%{customdata[2]}<extra></extra>")
        )  # fmt: skip
    if then:
        figure.add_trace(
            go.Scatter(x=[row["as_of"] for row in then], y=[row["rating"] for row in then], name="As it was said then",
                       mode="lines", line={"color": ALONE, "width": 1.5, "dash": "dot"},
                       customdata=[[day(row["as_of"]), signed(row["rating"], digits)] for row in then],
                       hovertemplate="%{customdata[0]}<br>said then: %{customdata[1]}<extra></extra>")
        )  # fmt: skip
    if not any(row["surprise"] is not None for row in games):
        return figure
    figure.add_trace(_surprises(games, days))
    floor = 0.46 if rows else 1.0
    figure.update_layout(
        yaxis={"domain": [floor, 1], "visible": bool(rows)},
        yaxis2={"domain": [0, floor - 0.1 if rows else 1], "anchor": "x", "title": {"text": "Surprise"},
                "zeroline": True, "zerolinecolor": GUIDE, "gridcolor": "#e3e6ea"},
        xaxis={"anchor": "y2"},
    )  # fmt: skip
    return figure


def _surprises(games: Rows, days: list[date]) -> go.Bar:
    """A bar a game, wide enough to be seen where these days are drawn too."""
    wide = max((days[-1] - days[0]).days / 150, 6) if days else 6
    known = [row for row in games if row["surprise"] is not None]
    said = [[row["on"], as_text(row["opponent"] or ""), row["result"], f"expected {row['expected']}"] for row in known]
    return go.Bar(
        x=[row["played_on"] for row in known], y=[row["surprise"] for row in known], yaxis="y2", customdata=said,
        name="Games: better or worse than expected", width=wide * 86_400_000,
        marker={"color": [POOLED if row["surprise"] > 0 else ALONE for row in known]},
        hovertemplate="%{customdata[0]}, %{customdata[1]}<br>%{customdata[2]} (%{customdata[3]})<extra></extra>",
    )  # fmt: skip


def _band(outline: dict[str, Any]) -> go.Scatter:
    return go.Scatter(
        **outline,
        mode="lines",
        fill="toself",
        fillcolor=BAND,
        line={"width": 0},
        name="90 % interval",
        hoverinfo="skip",
    )


def _mode(rows: Rows) -> str:
    """Markers too, where they would not run into each other."""
    return "lines+markers" if len(rows) <= 60 else "lines"


def _ranks(row: dict[str, Any]) -> str:
    return f"rank {row['rank']} ({row['rank_low']}–{row['rank_high']})" if row["rank"] else "not ranked"


def rank_history(rows: Rows) -> go.Figure:
    """Rank by day, the best on top, with its 90 % interval."""
    known = [row for row in rows if row["rank"] is not None]
    figure = empty("", "Rank")
    days = [row["as_of"] for row in known]
    band = {"x": days + days[::-1], "y": [row["rank_high"] for row in known] + [row["rank_low"] for row in known][::-1]}
    figure.add_trace(_band(band))
    said = [[day(row["as_of"]), _ranks(row)] for row in known]
    figure.add_trace(
        go.Scatter(x=days, y=[row["rank"] for row in known], mode=_mode(known), name="Rank", customdata=said,
                   line={"color": POOLED, "width": 2, "shape": "hv"}, marker={"size": 6},
                   hovertemplate="%{customdata[0]}<br>%{customdata[1]}<extra></extra>")
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    ends = [row[key] for row in known for key in ("rank", "rank_low", "rank_high") if row[key] is not None]
    if ends and max(ends) - min(ends) < 10:
        figure.update_yaxes(dtick=1)  # there are no half ranks
    return figure


def posteriors(rows: Rows, unit: str) -> go.Figure:
    """The posterior of each competitor's rating as a density. Rows have name, and values and heights of the curve."""
    figure = empty(f"Rating ({unit})", "")
    for number, row in enumerate(rows):
        colour = COLOURS[number % len(COLOURS)]
        figure.add_trace(
            go.Scatter(x=row["values"], y=row["heights"], mode="lines", name=as_text(row["name"]), fill="tozeroy",
                       line={"color": colour, "width": 2}, fillcolor=_faint(colour),
                       hovertemplate=as_text(row["name"]) + "<br>%{x:.2f}<extra></extra>")
        )  # fmt: skip
    figure.update_yaxes(showticklabels=False, rangemode="tozero")
    return figure


def scores(rows: Rows, first: str, second: str) -> go.Figure:
    """The chance of every score as a matrix: first's score upwards, second's to the right."""
    figure = empty(f"{second} scores", f"{first} scores")
    most = max((max(row["a_score"], row["b_score"]) for row in rows if row["probability"] >= 0.005), default=3)
    size = range(most + 1)
    chance = {(row["a_score"], row["b_score"]): row["probability"] for row in rows}
    shown = [[100 * chance.get((a, b), 0.0) for b in size] for a in size]
    figure.add_trace(
        go.Heatmap(z=shown, x=list(size), y=list(size), colorscale=SHADES,
                   showscale=False, texttemplate="%{z:.0f}", xgap=2, ygap=2,
                   hovertemplate="%{y}–%{x}: %{z:.1f} %<extra></extra>")
    )  # fmt: skip
    figure.update_xaxes(dtick=1, showgrid=False)
    figure.update_yaxes(dtick=1, showgrid=False)
    return figure


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.12)"
