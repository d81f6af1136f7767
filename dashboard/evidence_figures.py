"""Figures of a fit's evidence: ranks of results, calibration, rootogram and drift; rows of a query in, a figure out."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard.figures import ALONE, GUIDE, POOLED, Rows, as_text, empty
from dashboard.wording import counted, plain, signed

BAND = "rgba(139, 148, 158, 0.25)"
THIRD = "#2a8f6d"
KINDS = {"held_out": "Games not seen", "loo": "Each game left out", "in_sample": "Games seen"}
EVENTS = {"win": ("Win", POOLED, "circle"), "draw": ("Draw", THIRD, "diamond"), "loss": ("Loss", ALONE, "square")}
MEASURES = {
    "home": ("Home sides", POOLED, "circle"),
    "favourite": ("Favourites", ALONE, "square"),
    "total": ("Both sides' scores", THIRD, "diamond"),
}


def ranks_figure(rows: Rows) -> go.Figure:
    """Shares of results (y, over what they should be) by where they lie in their forecast (x, per cent of it).

    Bars and the band are those of held-out games, or of the first kind there is; other kinds are lines.
    """
    figure = empty("Place in the forecast, low to high", "Share, over what it should be")
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    for number, kind in enumerate(kinds):
        own = [row for row in rows if row["kind"] == kind]
        middles = [100 * (row["bin"] - 0.5) / len(own) for row in own]
        heights = [row["observed"] / row["expected"] for row in own]
        name = f"{KINDS[kind]} ({counted(own[0]['results'], 'result')})"
        hover = "%{x:.0f} % of the way up: %{y:.2f} times what it should be<extra></extra>"
        if number == 0:
            figure.add_trace(_band(own))
            figure.add_trace(go.Bar(x=middles, y=heights, name=name, marker={"color": POOLED, "opacity": 0.75},
                                    hovertemplate=hover))  # fmt: skip
        else:
            colour, dash = ((ALONE, "solid"), (THIRD, "dot"))[number - 1]
            line = {"color": colour, "width": 1.5, "shape": "hvh", "dash": dash}
            figure.add_trace(go.Scatter(x=middles, y=heights, name=name, mode="lines", line=line, hovertemplate=hover))
    figure.add_trace(_level(0, 100, 1.0, "As it should be"))
    figure.update_xaxes(range=[0, 100], ticksuffix=" %")
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(bargap=0.08)
    return figure


def calibration_figure(rows: Rows) -> go.Figure:
    """How often each event came (y) against the chance that was forecast (x); bars are where luck alone leads."""
    figure = empty("Chance that was forecast", "How often it came")
    figure.add_trace(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", name="Forecasts taken at their word",
                   line={"color": GUIDE, "width": 1.5, "dash": "dash"}, hoverinfo="skip")
    )  # fmt: skip
    for event, (name, colour, symbol) in EVENTS.items():
        own = [row for row in rows if row["event"] == event]
        if own:
            figure.add_trace(_reach(own, colour))
            figure.add_trace(_points(own, name, colour, symbol))
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(range=[-0.02, 1.02], tickformat=".0%", nticks=6)
    return figure


def rootogram_figure(rows: Rows) -> go.Figure:
    """Sides that scored each count (bars) and that would (dots, with their 90 % interval), on a scale of roots."""
    figure = empty("Score of a side", "Sides (scale of square roots)")
    x = [f"{row['count']}{'+' if row['is_or_more'] else ''}" for row in rows]
    seen, made = [row["observed"] for row in rows], [row["expected"] for row in rows]
    figure.add_trace(
        go.Bar(x=x, y=_roots(seen), name="In the results", marker={"color": POOLED, "opacity": 0.75},
               customdata=[f"{value:,.0f}" for value in seen], hovertemplate="%{x}: %{customdata} sides<extra></extra>")
    )  # fmt: skip
    reach = {
        "array": [h - m for h, m in zip(_roots([row["high"] for row in rows]), _roots(made), strict=True)],
        "arrayminus": [m - low for low, m in zip(_roots([row["low"] for row in rows]), _roots(made), strict=True)],
        "symmetric": False, "color": ALONE, "thickness": 1.5, "width": 4,
    }  # fmt: skip
    figure.add_trace(
        go.Scatter(x=x, y=_roots(made), mode="markers", name="In leagues the model makes", error_y=reach,
                   marker={"color": ALONE, "size": 7}, customdata=[f"{value:,.0f}" for value in made],
                   hovertemplate="%{x}: %{customdata} sides expected<extra></extra>")
    )  # fmt: skip
    most = max([*seen, *(row["high"] for row in rows)], default=1)
    ticks = [value for value in (10, 100, 1000, 10_000, 100_000) if value <= 0.8 * most] + [most]
    figure.update_yaxes(tickvals=_roots(ticks), ticktext=[f"{value:,.0f}" for value in ticks])
    figure.update_xaxes(type="category")
    return figure


def drift_figure(rows: Rows) -> go.Figure:
    """What is left of results (y) season by season or month by month (x), with 90 % intervals, a trace a measure."""
    levels = sorted({row["level"] for row in rows})
    figure = empty("", "Results less the model's, a game")
    measures = [name for name in MEASURES if any(row["measure"] == name for row in rows)]
    for number, measure in enumerate(measures):
        own = [row for row in rows if row["measure"] == measure]
        apart = 0.22 * (number - (len(measures) - 1) / 2)
        figure.add_trace(_residuals(own, [levels.index(row["level"]) + apart for row in own], *MEASURES[measure]))
    figure.add_trace(_level(-0.5, len(levels) - 0.5, 0.0, "As the model says"))
    every = max(1, -(-len(levels) // 12))
    words = [as_text(one) for one in levels[::every]]  # as long as they are: Plotly is to find the room for them
    figure.update_xaxes(tickvals=list(range(0, len(levels), every)), ticktext=words, automargin=True)
    return figure


def _residuals(rows: Rows, x: list[float], name: str, colour: str, symbol: str) -> go.Scatter:
    labels = [
        [
            as_text(row["level"]),
            signed(row["mean"], 2),
            signed(row["low"], 2),
            signed(row["high"], 2),
            f"{row['games']:,}",
        ]
        for row in rows
    ]
    reach = {"array": [row["high"] - row["mean"] for row in rows], "color": colour, "thickness": 1, "width": 0}
    return go.Scatter(
        x=x,
        y=[row["mean"] for row in rows],
        mode="markers",
        name=name,
        error_y=reach,
        marker={"color": colour, "size": 7, "symbol": symbol},
        customdata=labels,
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]} (%{customdata[2]} to %{customdata[3]}), "
        "%{customdata[4]} games<extra></extra>",
    )


def _band(rows: Rows) -> go.Scatter:
    edges = [100 * row["bin"] / len(rows) for row in rows]
    starts = [0.0, *edges[:-1]]
    x = [value for pair in zip(starts, edges, strict=True) for value in pair]
    high = [row["high"] / row["expected"] for row in rows for _ in range(2)]
    low = [row["low"] / row["expected"] for row in rows for _ in range(2)]
    return go.Scatter(
        x=[*x, *x[::-1]], y=[*high, *low[::-1]], fill="toself", mode="none", fillcolor=BAND,
        name="Where luck leaves them", hoverinfo="skip",
    )  # fmt: skip


def _level(start: float, end: float, height: float, name: str) -> go.Scatter:
    line = {"color": GUIDE, "width": 1.5, "dash": "dash"}
    return go.Scatter(x=[start, end], y=[height, height], mode="lines", name=name, line=line, hoverinfo="skip")


def _reach(rows: Rows, colour: str) -> go.Scatter:
    x = [value for row in rows for value in (row["forecast"], row["forecast"], None)]
    y = [value for row in rows for value in (row["low"], row["high"], None)]
    line = {"color": colour, "width": 1}
    return go.Scatter(x=x, y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip")


def _points(rows: Rows, name: str, colour: str, symbol: str) -> go.Scatter:
    """The bins; those outside of where luck leads are open."""
    return go.Scatter(
        x=[row["forecast"] for row in rows],
        y=[row["observed"] for row in rows],
        mode="markers",
        name=name,
        customdata=[
            [*(plain(100 * row[key], 2) for key in ("forecast", "observed")), f"{row['games']:,}"] for row in rows
        ],
        hovertemplate="forecast %{customdata[0]} %, came %{customdata[1]} % of %{customdata[2]}<extra></extra>",
        marker={
            "color": colour, "size": 8, "line": {"width": 1.5},
            "symbol": [symbol if row["low"] <= row["observed"] <= row["high"] else f"{symbol}-open" for row in rows],
        },
    )  # fmt: skip


def _roots(values: Sequence[Any]) -> list[float]:
    return [float(value) ** 0.5 for value in values]
