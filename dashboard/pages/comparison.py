"""Sections of the fit check: how other models of the league forecast, and how far the fit leans on its priors."""

from itertools import groupby
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.frame import View
from dashboard.grid import Column, difference_scale, number, small_grid, text
from dashboard.reader import Row
from dashboard.wording import ago, counted, day

METHODS = {
    "loo": "Each game was forecast from all the others",
    "lfo": "Blocks of games were forecast from earlier games alone",
}
ONE, TWO = "pooltable.fixed(params.value, 1)", "pooltable.fixed(params.value, 2)"


def comparison_sections(view: View, fit_id: str) -> list[Component]:
    """The newest comparisons of the league's models, and what the shown fit's priors do."""
    league = view.league["league"]
    rows = view.answer.rows("comparisons", league=league)
    sensitivities = view.answer.rows("prior_sensitivities", league=league, fit_id=fit_id)
    return [_comparisons(view, league, rows), _sensitivity(sensitivities)]


def _comparisons(view: View, league: str, rows: list[Row]) -> Component:
    words = (
        "Other models of the same games, and how well each forecasts games it was not shown. Higher is better; right "
        "of the line, a model forecasts better than the league's own."
    )
    if not rows:
        nothing = html.P(["No models were compared yet. Run: ", html.Code(f"pooltable compare {league}")])
        return _section("Would another model forecast better?", words, [nothing])
    parts = [_comparison(view, name, list(own)) for name, own in groupby(rows, key=lambda row: row["comparison_id"])]
    return _section("Would another model forecast better?", words, parts)


def _comparison(view: View, comparison_id: str, rows: list[Row]) -> Component:
    """One comparison: what it means, its models, and the games that weigh most on them."""
    first = rows[0]
    made = (
        f"{METHODS[first['method']]}: {counted(first['games'], 'game')} before {day(first['as_of'])}, "
        f"{ago(first['made_at_utc'], view.now)}."
    )
    sentences = [row["sentence"] for row in sorted(rows, key=lambda row: not row["is_own"])]
    games = view.answer.rows("influential_games", league=view.league["league"], comparison_id=comparison_id)
    parts = [
        html.P([html.Strong(sentences[0]), " " + " ".join(sentences[1:])]),
        html.P(made, className="quiet"),
        small_grid(f"comparison-{comparison_id}", _columns(rows), rows, "Models by how well they forecast"),
        _games(comparison_id, games),
    ]
    return html.Div(parts, className="block")


def _columns(rows: list[Row]) -> list[Column]:
    by_loo = rows[0]["method"] == "loo"
    columns = [
        text("variant", "Model", "By what distinguishes it.", minWidth=200, flex=1, tooltipField="settings"),
        number("elpd", "Log density", "Summed over the games, of what happened; higher is better.", ONE, width=116),
        number("difference", "Difference", "From the league's own model; above 0 it forecasts better.",
               "pooltable.signed(params.value, 1)", width=106),
        {
            "field": "difference_se",
            "headerName": "Difference with its 90 % interval",
            "headerTooltip": "Right of the line: forecasts better than the league's own model.",
            "cellRenderer": "Difference",
            "cellRendererParams": {"half": difference_scale(rows)},
            "cellClass": "bar",
            "sortable": False,
            "width": 260,
        },
    ]  # fmt: skip
    if by_loo:
        columns += [
            number("waic", "WAIC", "The same by another approximation (Watanabe, 2010).", ONE, width=100),
            number("p_eff", "Parameters", "Their effective number.", "pooltable.whole(params.value)", width=108),
            number("doubtful", "In doubt", "Games whose forecast is not to be relied on: k-hat above 0.7 and no fit "
                   "without them.", "pooltable.whole(params.value)", width=96),
        ]  # fmt: skip
    return columns


def _games(comparison_id: str, rows: list[Row]) -> Component | None:
    """The games that the others say too little of, and those that the models expected least."""
    if not rows:
        return None
    columns = [
        number("k_hat", "k-hat", "How unevenly draws are weighed when the game is left out; above 0.7 the weights are "
               "not to be trusted.", TWO, width=84),
        text("played_on", "Day", "When it was played.", width=110),
        text("sides", "Game", "Who played.", minWidth=200, flex=1),
        text("result", "Result", "How it ended.", width=150),
        number("elpd", "Log density", "That was forecast for it, by the model that did worst.", ONE, width=116),
        text("variants", "Of", "The models that it is listed for.", width=220),
    ]  # fmt: skip
    return html.Details(
        [
            html.Summary(f"{counted(len(rows), 'game')} that weigh most, or were expected least"),
            small_grid(f"weighty-{comparison_id}", columns, rows, "Games that weigh most"),
        ],
        className="guide wide",
    )


def _sensitivity(rows: list[Row]) -> Component:
    words = (
        "How far would answers move if the priors were a little stronger or weaker? Above 0.05 a parameter or a rating "
        "leans on its prior, and not on the results alone."
    )
    if not rows:
        nothing = "This fit has none on record: its engine's draws do not tell."
        return _section("Do the priors decide?", words, [html.P(nothing, className="quiet")])
    shown = sum(row["kind"] != "parameter" for row in rows)
    leaning = f"{rows[0]['leaning']:,} of {counted(rows[0]['rated'], 'rating')} lean on the priors."
    said = f"{leaning} Shown are every parameter and {_which(shown, rows[0]['rated'])}."
    columns = [
        text("title", "What", "A parameter, or whose rating.", minWidth=220, flex=1, wrapText=True, autoHeight=True,
             cellClass="wrapped", tooltipField="quantity"),
        text("kind", "Kind", "A parameter, or the kind of competitor.", width=104),
        number("prior", "Prior", "How far it moves for a doubling of the priors' weight.",
               "pooltable.fixed(params.value, 3)", width=92),
        number("likelihood", "Results", "How far it moves for a doubling of the results' weight.",
               "pooltable.fixed(params.value, 3)", width=92),
        text("diagnosis", "Meaning", "What the two say together.", width=280),
    ]  # fmt: skip
    table = small_grid("prior-sensitivity", columns, rows, "Parameters and ratings by how far they lean on priors")
    return _section("Do the priors decide?", words, [html.P(said), table])


def _which(shown: int, rated: int) -> str:
    return "every rating" if shown == rated else f"the {shown} of {rated:,} ratings that priors move most"


def _section(title: str, words: str, parts: list[Any]) -> Component:
    return html.Section([html.H2(title), html.P(words, className="quiet"), *parts], className="block")
