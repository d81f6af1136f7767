"""Figures of orders: rows in, a plotly figure out, as in figures.py."""

from typing import Any

import plotly.graph_objects as go

from dashboard.figures import POOLED, Rows, as_text, empty
from dashboard.wording import percent

LINE_PX = 18
LONGEST = 19  # letters of a name beside a figure, so that a phone has room for the figure
LEAST_PX = 420
RANKS = 40  # at most, in the heat map
WIDEST_PX = 7.5  # of a letter of these labels, at 11 px: few names are of capitals alone


def caterpillar(rows: Rows, unit: str) -> go.Figure:
    """Every rating with its 90 and 50 % interval, the best on top."""
    figure = empty(f"Rating ({unit})", "")
    names = [_label(row) for row in rows]
    for low, high, width, name in (("q5", "q95", 2, "90 %"), ("q25", "q75", 6, "50 %")):
        ends = [value for row in rows for value in (row[low], row[high], None)]
        at = [value for name in names for value in (name, name, None)]
        figure.add_trace(go.Scatter(x=ends, y=at, mode="lines", line={"color": POOLED, "width": width}, name=name,
                                    opacity=0.7, hoverinfo="skip"))  # fmt: skip
    figure.add_trace(
        go.Scatter(x=[row["rating"] for row in rows], y=names, mode="markers", name="Mean",
                   marker={"color": POOLED, "size": 5}, customdata=[as_text(row["name"]) for row in rows],
                   hovertemplate="%{customdata}: %{x:.2f}<extra></extra>")
    )  # fmt: skip
    # Close around the rows: the room that Plotly leaves by itself is a share of the height, which is large here.
    figure.update_yaxes(range=[len(rows) - 0.3, -0.7], tickfont={"size": 11}, dtick=1)
    figure.update_layout(legend={"y": 1})
    figure.update_layout(height=max(LEAST_PX, LINE_PX * len(rows) + 120), margin={"l": _room(rows)})
    return figure


def rank_chances(rows: Rows) -> go.Figure:
    """The chance of each rank (across) for each competitor (down), as a heat map of the first ranks.

    Rows have `at_rank` and `chance`, lists of the same length.
    """
    figure = empty("Rank", "")
    names = [_label(row) for row in rows]
    ranks = range(1, min(RANKS, max(rank for row in rows for rank in row["at_rank"])) + 1)
    chances = [dict(zip(row["at_rank"], row["chance"], strict=True)) for row in rows]
    shown = [[100 * chance.get(rank, 0.0) for rank in ranks] for chance in chances]
    shades = [[0, "rgba(59, 130, 196, 0)"], [0.15, "rgba(59, 130, 196, 0.35)"], [1, POOLED]]
    figure.add_trace(
        go.Heatmap(z=shown, x=list(ranks), y=names, colorscale=shades, showscale=False, xgap=1, ygap=1,
                   hovertemplate="%{y}: rank %{x} with %{z:.0f} %<extra></extra>")
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", tickfont={"size": 11}, showgrid=False, dtick=1)
    figure.update_xaxes(showgrid=False)
    figure.update_layout(height=max(LEAST_PX, 20 * len(names) + 120), margin={"l": _room(rows)})
    return figure


def beyond_said(rows: Rows) -> str | None:
    """What the heat map leaves out: how many may be at a rank beyond it, and whose chance of that is the largest."""
    chances = [
        float(sum(c for rank, c in zip(row["at_rank"], row["chance"], strict=True) if rank > RANKS)) for row in rows
    ]
    count, most = sum(chance > 0 for chance in chances), max(chances, default=0.0)
    if not count:
        return None
    name = rows[chances.index(most)]["name"]
    return f"Drawn to rank {RANKS}. {count} of these may be further down, {name} most likely: {percent(most)}."


def _room(rows: Rows) -> int:
    """Pixels that the labels of all rows need beside a figure."""
    return 12 + round(
        WIDEST_PX * max((len(str(row["rank"])) + 2 + min(len(row["name"]), LONGEST) for row in rows), default=4)
    )


def _label(row: dict[str, Any]) -> str:
    """Rank and name beside a figure, a long name cut short."""
    name = row["name"]
    return f"{row['rank']}. {as_text(name if len(name) <= LONGEST else name[: LONGEST - 1].rstrip() + '…')}"
