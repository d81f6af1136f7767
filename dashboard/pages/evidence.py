"""What stands behind a fit's checks: how held-out forecasts did, what is left of results, what converged least."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import evidence_figures as figures
from dashboard.frame import View
from dashboard.grid import number, small_grid, text
from dashboard.panel import panel
from dashboard.reader import Row
from dashboard.wording import counted, short, signed

FAMILIES = {"parameter": "parameter: can reject", "rating": "published rating: can reject", "effect": "shown only"}


def nothing(what: str) -> Component:
    """What stands where a fit has none of something."""
    return html.P(f"This fit has no {what} on record.", className="quiet")


def forecasts(view: View, fit_id: str) -> list[Any]:
    """Ranks of results, calibration and rootogram, each with how to read it."""
    ranks, calibration, counts = (_rows(view, name, fit_id) for name in ("pits", "calibrations", "rootograms"))
    parts = []
    if ranks:
        parts.append(
            panel(
                view,
                "Are forecasts as wide as they should be?",
                "Each result has a place in the range that was forecast for it, from lowest to highest. Good: every "
                "twentieth of the range holds a twentieth of the results, so that bars end at the dashed line, as "
                "nearly as the grey band allows. High at both ends: forecasts were too sure. High in the middle: too "
                "cautious. A slope: too low or too high.",
                figures.ranks_figure(ranks),
                "ranks-figure",
                "Lines are of games that the fit has seen, and of each of up to 1,000 of them as if it had not; they "
                "flatter the fit, the first more.",
            )
        )
    if calibration:
        parts.append(
            panel(
                view,
                "Does what was given 30 % come 30 times in 100?",
                "Games the model had not seen, put together by the chance it gave. Good: dots lie on the dashed line. "
                "The thin upright lines show where luck alone puts nine in ten of them; an open dot is outside.",
                figures.calibration_figure(calibration),
                "calibration-figure",
                f"{inside(calibration)} Win, draw and loss are the home side's; on neutral ground, those of the side "
                "that a lot puts first.",
            )
        )
    if counts:
        parts.append(
            panel(
                view,
                "Are there as many 0s, 1s and 2s as the model makes?",
                "Bars: how many sides scored so much. Dots: how many do in leagues the model makes, with lines where "
                "nine in ten of those leagues lie. Good: bars end within those lines.",
                figures.rootogram_figure(counts),
                "counts-figure",
            )
        )
    return [html.Div(parts, className="panels")] if parts else [nothing("forecasts of games it had not seen")]


def inside(rows: list[Row]) -> str:
    """How many groups of forecasts lie where luck leaves them, in words."""
    within = sum(row["low"] <= row["observed"] <= row["high"] for row in rows)
    return f"{within} of {counted(len(rows), 'dot')} lie where luck leaves nine in ten."


def remains(view: View, fit_id: str) -> list[Any]:
    """Drift over time, and the groups of games that stand out."""
    drift, rows = _rows(view, "drift", fit_id), _rows(view, "residuals", fit_id)
    if not rows:
        return [nothing("residuals")]
    parts: list[Any] = []
    if drift:
        figure = panel(
            view,
            "Has something changed that the model does not know of?",
            "Results less what the model makes of them, time by time, with the lines that chance leaves open. Good: "
            "every line crosses the dashed one. Many in a row on one side: home advantage, the favourites' edge or "
            "scoring has drifted.",
            figures.drift_figure(drift),
            "drift-figure",
        )
        parts.append(html.Div([figure], className="panels"))
    return [*parts, _residuals(rows)]


def _residuals(rows: list[Row]) -> Component:
    half = max(abs(row["z"]) for row in rows) + 2.2
    named = [{**row, "heading": f"{row['level']} ({row['dimension']})"} for row in rows]
    written = [
        {
            **row,
            "mean_text": signed(row["mean"], 2),
            "reach_text": f"{signed(row['low'], 2)} to {signed(row['high'], 2)}",
        }
        for row in named
    ]
    columns = [
        text("status", "Status", "warn: farther out than the farthest of its kind by chance.", width=92,
             cellRenderer="Light"),
        text("heading", "Games of", "Which games, and what stands out.", cellRenderer="Explained", autoHeight=True,
             flex=1, minWidth=250),
        number("games", "Games", "Games of the group.", "pooltable.whole(params.value)", width=88),
        number("mean", "Over the model", "Mean a game in the results, less that in leagues the model makes.",
               "params.data.mean_text", width=140),
        {
            "field": "z",
            "headerName": "In sizes of chance",
            "headerTooltip": "Line: its 90 % interval. Left of the middle: less than the model says; right: more.",
            "cellRenderer": "Residual",
            "cellRendererParams": {"half": half},
            "cellClass": "bar",
            "width": 220,
        },
    ]  # fmt: skip
    words = (
        "Games are put together by who played, when and where; shown are the twenty groups that stand out most. Good: "
        "most lines touch the middle and nothing warns. A warning is nobody's fault: it says what the model leaves out."
    )
    grid = small_grid("residuals", columns, written, "What is left of results")
    return html.Section([html.H2("What is left"), html.P(words, className="quiet"), grid], className="block")


def worst(view: View, fit_id: str) -> Component | None:
    """The ten quantities that converged least; None of a fit without chains."""
    rows = _rows(view, "diagnoses", fit_id)
    if not rows:
        return None
    named = [{**row, "kind": FAMILIES[row["family"]]} for row in rows]
    whole = "pooltable.whole(params.value)"
    columns = [
        text("quantity", "Quantity", "What it is.", flex=1, minWidth=220, tooltipField="quantity"),
        text("kind", "Kind", "Whether it can reject the fit.", width=210),
        number("r_hat", "R-hat", "1 where chains agree.", "pooltable.fixed(params.value, 4)", width=92),
        number("ess_bulk", "ESS", "Effective draws for its mean.", whole, width=84),
        number("ess_tail", "ESS tail", "Effective draws for its interval.", whole, width=96),
    ]
    words = (
        f"Of every quantity the chains drew, these {len(rows)} agree least (worst R-hat {short(rows[0]['r_hat'])}). "
        "Good: R-hat near 1.00 and hundreds of effective draws even here."
    )
    grid = small_grid("worst", columns, named, "What converged least")
    return html.Section([html.H2("What converged least"), html.P(words, className="quiet"), grid], className="block")


def _rows(view: View, name: str, fit_id: str) -> list[Row]:
    return view.answer.rows(name, league=view.league["league"], fit_id=fit_id)
