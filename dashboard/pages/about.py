"""About a league: where its results come from and under which licence, what a rating means, and the model's card."""

import json
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.frame import Page, View, address, explained, guide
from dashboard.grid import small_grid, text
from dashboard.reader import Row
from dashboard.sources import asked, sources
from dashboard.wording import ago, counted, day, listed

ROLES: dict[Any, str] = {
    "base": "strength",
    "group": "group's mean",
    "walk": "moves over time",
    "slope": "deviation",
    "fixed": "fixed effect",
}
UNITS = {
    "logits": "1 better is a chance of 73 % to beat the other, 2 better one of 88 %",
    "probits": "1 better is a chance of 84 % to beat the other, 2 better one of 98 %",
    "log score": "0.1 better is to score about 10 % more than the other in their game, 0.7 better twice as much",
    "points": "the difference of two is the margin to expect in their game",
}


def content(view: View) -> list[Any]:
    """Results, ratings and model of one league."""
    row = view.answer.rows("about", league=view.league["league"])[0]
    design = json.loads(row["design"]) if row["design"] else {}
    return [
        _facts("Results", _results(view, row)),
        *([_facts("Ratings", _ratings(view, row))] if row["fit_id"] else []),
        *([_card(view, design)] if design.get("blocks") else []),
        _how_to_read(view),
        sources(view, asked(view)),
    ]


def _how_to_read(view: View) -> Component:
    return guide(
        "How to read this",
        [
            "What is rated is strength, in the unit given here, as a difference from the average ranked competitor. "
            "The model card lists every term that a game's result was explained by, with what was assumed of it "
            "before any result was seen. Normal(0, scale) means that the term's values differ around zero, and the "
            "results decide how much.",
            explained("outcomes", "Outcomes, and every setting of a model", view),
            explained("methodology", "The mathematics", view),
        ],
    )


def _facts(title: str, pairs: list[tuple[str, Any]]) -> Component:
    """Names and what they are, one a line; what is not known is left out."""
    parts = [part for name, what in pairs if what for part in (html.Dt(name), html.Dd(what))]
    return html.Section([html.H2(title), html.Dl(parts, className="facts-list")], className="block")


def _results(view: View, row: Row) -> list[tuple[str, Any]]:
    found = row["source"] or []
    games = counted(row["games"] or view.league["games"] or 0, "game")
    span = (
        f", {day(row['first_on'])} to {day(row['last_on'])}, {counted(row['seasons'], 'season')}"
        if row["games"]
        else ""
    )
    return [
        ("Source", html.Ul([html.Li(_source(one)) for one in found[:20]], className="plain")),
        ("", f"and {len(found) - 20} more" if len(found) > 20 else None),
        ("Read by", f"feed {row['feed']}"),
        ("Licence", row["licence"]),
        ("Shared", None if row["is_shared"] else "Ratings and forecasts only: the licence keeps the results here."),
        ("Loaded", f"{games}{span}"),
        ("Last change", ago(row["loaded_at_utc"], view.now) if row["loaded_at_utc"] else None),
        ("Made by", "our simulator: nobody played these games" if view.league["is_simulated"] else None),
    ]


def _source(one: str) -> Any:
    """A link where it is an address of the web, else its name as text."""
    return html.A(one, href=one, rel="noreferrer") if one.startswith(("https://", "http://")) else one


def _ratings(view: View, row: Row) -> list[tuple[str, Any]]:
    kinds = listed([f"{kind}s" for kind in view.league["kinds"]]) or "competitors"
    link = dcc.Link("its checks", href=address("/checks", league=view.league["league"], fit=row["fit_id"]))
    meaning = UNITS.get(row["unit"])
    return [
        ("Unit", row["unit"] + (f": {meaning}" if meaning else "")),
        (
            "Reference",
            f"0 is the mean of the ranked {kinds}, kind by kind, in every joint draw; games are on neutral ground",
        ),
        ("From", f"{counted(row['games_used'], 'game')}, {day(row['first_game_on'])} to {day(row['last_game_on'])}"),
        ("As of", f"{day(row['as_of'])}: games before this day, 00:00 UTC"),
        ("Computed by", f"engine {row['engine']}, {row['draws']:,} joint draws"),
        ("Verdict", [f"{row['verdict']}: ", link]),
    ]


def _card(view: View, design: dict[str, Any]) -> Component:
    """The model as it was fitted: likelihood, every term with its prior."""
    columns = [
        text("title", "Term", "What it is of.", minWidth=190, flex=2, wrapText=True, autoHeight=True,
             cellClass="wrapped"),
        text("role", "Role", "What it does in the model.", width=150),
        text("levels", "How many", "Values it has, each with its own unknown.", width=106, type="rightAligned"),
        text("prior", "Prior", "What was assumed before any result.", minWidth=190, flex=2, wrapText=True,
             autoHeight=True, cellClass="wrapped"),
        text("scale", "Prior of its scale", "How much its values were assumed to differ; learned from the results.",
             minWidth=150, flex=1),
    ]  # fmt: skip
    return html.Section(
        [
            html.H2("Model card"),
            html.P(html.Code(design["likelihood"])) if design.get("likelihood") else None,
            small_grid("model-card", columns, terms(design), f"Terms of the model of {view.league['title']}"),
            *(html.P(note, className="quiet") for note in design.get("notes", [])),
            html.P("Whatever is pooled learns from all results how much its values differ: that is its scale. The fit "
                   "check shows what was learned. Its limits: what is no term here it does not know, such as injuries "
                   "or who rests.", className="quiet"),
        ],
        className="block",
    )  # fmt: skip


def terms(design: dict[str, Any]) -> list[dict[str, Any]]:
    """A row a term of a fit's design: intercept, fixed effects, pooled effects, the likelihood's own parameters."""
    intercept = design.get("intercept")
    return [
        *([_term("level of two reference sides", "intercept", intercept)] if intercept else []),
        *(_term(one["title"], "fixed effect", one["prior"]) for one in design.get("fixed", [])),
        *(_term(one["title"], ROLES.get(one["role"], str(one["role"])), one["prior"], f"{one['levels']:,}",
                one["scale"])
          for one in design["blocks"]),
        *(_term(one["title"], "of the outcome", one["prior"]) for one in design.get("auxiliaries", [])),
    ]  # fmt: skip


def _term(title: str, role: str, prior: str, levels: str = "1", scale: str | None = None) -> dict[str, Any]:
    return {"title": title[:1].upper() + title[1:], "role": role, "prior": prior, "levels": levels, "scale": scale}


PAGE = Page("/about", "About", content, needs_ratings=False, is_tab=False)
