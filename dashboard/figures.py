"""Figures: rows of a query in, a plotly figure out. Those of the fit check's evidence are in evidence_figures.py.

Colours are mid-tones that keep their contrast on light and dark; backgrounds and text are the light theme's, so that
a downloaded picture is readable anywhere, and the style sheet overrides them on screen.
"""

from html import escape
from typing import Any

import plotly.graph_objects as go

from dashboard.wording import counted, signed

type Rows = list[dict[str, Any]]

POOLED, ALONE, GUIDE = "#3b82c4", "#c8720a", "#8b949e"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
NAMED = "<b>%{customdata[0]}</b><br>"


def pooled_against_unpooled(rows: Rows, unit: str, digits: int) -> go.Figure:
    """Pooled rating (y) against the unpooled one (x), a dot a competitor, larger with more games.

    Competitors without an unpooled estimate are left out.
    """
    shown = [row for row in rows if row["unpooled"] is not None]
    figure = empty(f"From results alone ({unit})", f"After partial pooling ({unit})")
    figure.add_trace(_diagonal([row["unpooled"] for row in shown]))
    figure.add_trace(
        _dots(
            [row["unpooled"] for row in shown],
            [row["rating"] for row in shown],
            "A competitor (larger: more games)",
            POOLED,
            _labels(shown, digits),
            NAMED + "alone %{customdata[1]}, pooled %{customdata[2]}<br>%{customdata[3]}, shrinkage %{customdata[4]}",
            sizes=_sizes(shown),
        )
    )
    return figure


def three_poolings(rows: Rows, unit: str, digits: int) -> go.Figure:
    """A line a competitor from its estimate alone over the pooled one to the common mean, thinner with fewer games; in
    a simulated league on to a dot for the truth.
    """
    columns = ["No<br>pooling", "Partial<br>pooling", "Complete<br>pooling"]
    is_known = rows[0]["truth"] is not None
    figure = empty("", f"Estimate ({unit})")
    most = max(row["games"] for row in rows) or 1
    for row, label in zip(rows, _labels(rows, digits), strict=True):
        template = f"<b>{label[0]}</b>, {label[3]}<br>%{{x}}: %{{y:+.{digits}f}}<extra></extra>"
        values = [row["unpooled"], row["rating"], 0.0]
        width = 0.75 + 2.75 * (row["games"] / most) ** 0.5
        figure.add_trace(
            go.Scatter(x=columns, y=values, mode="lines+markers", hovertemplate=template, opacity=0.75,
                       showlegend=False, line={"color": POOLED, "width": width},
                       marker={"size": 6, "color": [ALONE, POOLED, GUIDE]})
        )  # fmt: skip
        if is_known:
            figure.add_trace(
                go.Scatter(x=["Truth"], y=[row["truth"]], mode="markers", hovertemplate=template, showlegend=False,
                           marker={"size": 7, "color": GUIDE, "symbol": "diamond"})
            )  # fmt: skip
    figure.update_xaxes(
        categoryorder="array", categoryarray=[*columns, *(["Truth"] if is_known else [])], showgrid=False, tickangle=0
    )
    return figure


def population(rows: Rows, curve: Rows, unit: str) -> go.Figure:
    """The learned distribution of ratings with its 90 % interval over a histogram of the estimates.

    Rows have `rating`; those of the curve x, a distance from the mean of all ratings, and the density there.
    """
    figure = empty(f"Rating ({unit})", "")
    ratings = [row["rating"] for row in rows]
    middle = sum(ratings) / len(ratings)
    centres, width, heights = _histogram(ratings)
    figure.add_trace(
        go.Bar(x=centres, y=heights, width=width, name="Estimates", opacity=0.45, hoverinfo="skip",
               marker={"color": POOLED})
    )  # fmt: skip
    at = [middle + row["x"] for row in curve]
    band = [row["density_q5"] for row in curve] + [row["density_q95"] for row in reversed(curve)]
    figure.add_trace(
        go.Scatter(x=at + at[::-1], y=band, mode="lines", fill="toself", name="90 % interval", hoverinfo="skip",
                   line={"width": 0}, fillcolor="rgba(200, 114, 10, 0.22)")
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(x=at, y=[row["density"] for row in curve], mode="lines", name="Learned", hoverinfo="skip",
                   line={"color": ALONE, "width": 2})
    )  # fmt: skip
    figure.update_yaxes(showticklabels=False, rangemode="tozero")
    return figure


def _histogram(values: list[float]) -> tuple[list[float], float, list[float]]:
    """Middles of equal bins, their width, and the density in each; about as many bins as twice the cube root."""
    low, high = min(values), max(values)
    bins = min(60, max(5, round(2 * len(values) ** (1 / 3))))
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / width))] += 1
    middles = [low + (k + 0.5) * width for k in range(bins)]
    return middles, width, [count / (len(values) * width) for count in counts]


def shrinkage_by_games(rows: Rows, digits: int) -> go.Figure:
    """Shrinkage (y, 0 to 1) against games played (x, log), a dot a competitor."""
    shown = [row for row in rows if row["games"] > 0]
    figure = empty("Games played (log scale)", "Shrinkage")
    figure.add_trace(
        _dots(
            [row["games"] for row in shown],
            [row["shrinkage"] for row in shown],
            "A competitor",
            POOLED,
            _labels(shown, digits),
            NAMED + "%{customdata[3]}, shrinkage %{customdata[4]}",
        )
    )
    figure.update_xaxes(type="log", tickvals=_round_numbers(shown), tickangle=0)
    shares = [0, 0.2, 0.4, 0.6, 0.8, 1]
    figure.update_yaxes(range=[0, 1.03], tickvals=shares, ticktext=[f"{100 * share:.0f} %" for share in shares])
    figure.update_layout(showlegend=False)
    return figure


def estimates_against_truth(rows: Rows, unit: str, digits: int) -> go.Figure:
    """Both estimates (y) against the simulator's truth (x); a perfect estimate lies on the dashed line."""
    known = [row for row in rows if row["truth"] is not None]
    alone = [row for row in known if row["unpooled"] is not None]
    figure = empty(f"True strength ({unit})", f"Estimate ({unit})")
    figure.add_trace(_diagonal([row["truth"] for row in known], "A perfect estimate"))
    for shown, key, name, colour, symbol in (
        (alone, "unpooled", "From results alone", ALONE, "circle-open"),
        (known, "rating", "After partial pooling", POOLED, "circle"),
    ):
        template = NAMED + f"truth %{{x:.{digits}f}}, estimate %{{y:.{digits}f}}<br>%{{customdata[3]}}"
        x, y = [row["truth"] for row in shown], [row[key] for row in shown]
        figure.add_trace(_dots(x, y, name, colour, _labels(shown, digits), template, symbol=symbol))
    return figure


def empty(x_title: str, y_title: str) -> go.Figure:
    """A figure of nothing yet. Its margins have room for numbers beside the axes: with margins that Plotly finds by
    itself (automargin) it draws everything twice, which is half of the time until a figure is seen.
    """
    axis = {"zeroline": False, "gridcolor": "#e3e6ea", "ticks": ""}
    return go.Figure(
        layout={
            "xaxis": {**axis, "title": {"text": as_text(x_title)}},
            "yaxis": {**axis, "title": {"text": as_text(y_title)}},
            "font": {"family": FONT, "size": 13, "color": "#1c2128"},
            "paper_bgcolor": "#ffffff",
            "plot_bgcolor": "#ffffff",
            "margin": {"l": 76 if y_title else 48, "r": 20, "t": 36, "b": 56 if x_title else 44},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "hoverlabel": {"font": {"family": FONT}},
            "hovermode": "closest",
        }
    )


def _dots(
    x: list[Any], y: list[Any], name: str, colour: str, labels: list[list[str]], template: str,
    sizes: list[float] | float = 8, symbol: str = "circle",
) -> go.Scatter:  # fmt: skip
    line = 1.5 if symbol.endswith("open") else 0
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        name=name,
        customdata=labels,
        hovertemplate=template + "<extra></extra>",
        marker={"color": colour, "size": sizes, "opacity": 0.75, "symbol": symbol, "line": {"width": line}},
    )


def _diagonal(values: list[float], name: str = "No shrinkage") -> go.Scatter:
    ends = [min(values), max(values)] if values else []
    line = {"color": GUIDE, "width": 1.5, "dash": "dash"}
    return go.Scatter(x=ends, y=ends, mode="lines", name=name, line=line, hoverinfo="skip")


def as_text(text: str) -> str:
    """A text that plotly shows letter by letter: it reads some HTML, though not every name of a quotation mark."""
    return escape(text, quote=False)


def _labels(rows: Rows, digits: int) -> list[list[str]]:
    """Texts of a row's hover box."""
    return [
        [
            as_text(row["name"]),
            "–" if row["unpooled"] is None else signed(row["unpooled"], digits),
            signed(row["rating"], digits),
            counted(row["games"], "game"),
            f"{100 * row['shrinkage']:.0f} %",
        ]
        for row in rows
    ]


def _sizes(rows: Rows) -> list[float]:
    most = max((row["games"] for row in rows), default=1) or 1
    return [5 + 11 * (row["games"] / most) ** 0.5 for row in rows]


def _round_numbers(rows: Rows) -> list[int]:
    """1, 3, 10, 30 … from below the fewest games to above the most."""
    games = [row["games"] for row in rows] or [1]
    candidates = [step * 10**power for power in range(7) for step in (1, 3)]
    inside = [value for value in candidates if min(games) <= value <= max(games)]
    around = [value for value in candidates if min(games) / 3 <= value <= max(games) * 1.5]
    return around if len(inside) > 1 else sorted({min(games), max(games)})
