"""Figures of forecasts: rows in, a plotly figure out, as in figures.py."""

from typing import Any

import plotly.graph_objects as go

from dashboard.figures import GUIDE, POOLED, empty
from dashboard.wording import counted

Z = 1.645  # of a 90 % interval


def reliability(bins: list[dict[str, Any]]) -> go.Figure:
    """How often chances came about (y) against the chances that were given (x), with 90 % intervals of a share.

    Interval: Agresti and Coull (1998), "Approximate is better than exact", The American Statistician 52.
    """
    figure = empty("Chance that was given", "Came about")
    line = {"color": GUIDE, "width": 1.5, "dash": "dash"}
    figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", name="Right", line=line, hoverinfo="skip"))
    middles = [share_interval(row["came_about"], row["chances"]) for row in bins]
    came = [row["came_about"] for row in bins]
    up = [high - share for (_, high), share in zip(middles, came, strict=True)]
    down = [share - low for (low, _), share in zip(middles, came, strict=True)]
    figure.add_trace(
        go.Scatter(
            x=[row["mean_chance"] for row in bins], y=came, mode="markers", name="Forecasts",
            marker={"color": POOLED, "size": 10},
            error_y={"type": "data", "array": up, "arrayminus": down, "color": POOLED, "thickness": 1.5, "width": 0},
            customdata=[[counted(row["chances"], "chance")] for row in bins],
            hovertemplate="given %{x:.0%}, came %{y:.0%}<br>%{customdata[0]}<extra></extra>",
        )
    )  # fmt: skip
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    words = [f"{100 * tick:.0f} %" for tick in ticks]
    figure.update_xaxes(range=[-0.02, 1.02], tickvals=ticks, ticktext=words)
    figure.update_yaxes(range=[-0.02, 1.02], tickvals=ticks, ticktext=words)
    return figure


def share_interval(share: float, count: int) -> tuple[float, float]:
    """The 90 % interval of a share of so many, holding the share itself."""
    more = count + Z**2
    middle = (share * count + Z**2 / 2) / more
    reach = Z * (middle * (1 - middle) / more) ** 0.5
    return min(share, max(middle - reach, 0.0)), max(share, min(middle + reach, 1.0))
