"""The fit check: can this fit be trusted? Its verdict, its checks, its parameters, and how well it forecasts."""

import math
from collections.abc import Callable
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.attributes import aria
from dashboard.frame import Page, View, address, explained, guide, notice
from dashboard.grid import Column, difference_scale, number, small_grid, text
from dashboard.handbook import meaning
from dashboard.pages import evidence
from dashboard.pages.comparison import comparison_sections
from dashboard.pages.evidence import nothing
from dashboard.reader import Row
from dashboard.sources import asked, sources
from dashboard.wording import ago, counted, day, plain, short

PATH = "/checks"
CHECKS = {
    "r_hat": "R-hat",
    "ess_bulk": "Bulk effective sample size",
    "ess_tail": "Tail effective sample size",
    "divergences": "Divergences",
    "e_bfmi": "Energy",
    "tree_depth": "Tree depth",
    "k_hat": "k-hat",
    "evidence": "Evidence",
    "surface": "Surface",
    "prior_edge": "Prior's edge",
    "audit": "Audit by NUTS",
    "sub_league": "Sub-league by another engine",
    "residual": "Residual",
    "held_rows": "Rows held",
    "damped": "Damped updates",
    "pit": "Held-out results among their forecasts",
    "residuals": "What is left of results",
    "threshold": "Threshold of this league's own",
    "held_out": "Held-out forecasts",
    "connected": "Connection",
    "identified": "Effects told apart",
    "contradicted": "Results that contradict an order",
    "agreeing": "Stretches that go against the ratings",
    "upheaval": "Order kept since the last accepted fit",
    "jumped": "Ratings kept since the last accepted fit",
    "unpooled": "Each alone",
}
SIDES = {
    "contradicted": "above",
    **dict.fromkeys(("ess_bulk", "ess_tail", "e_bfmi", "held_out", "upheaval"), "at least"),
}
EVIDENCE = {
    "forecasts": ("Forecasts", evidence.forecasts),
    "remains": ("What is left", evidence.remains),
}
WORDS = ("R-hat", "ESS", "Energy", "Tree depth", "Evidence", "Surface", "k-hat", "Predictive check", "Log loss")
POOLINGS = {
    "partial": "Partial pooling (published)",
    "none": "No pooling: each alone",
    "complete": "Complete pooling: all alike",
    "baseline": "Baseline: shares of past results",
}


def content(view: View) -> list[Any]:
    """Verdict of the chosen fit and everything it rests on."""
    league = view.league["league"]
    fits = view.answer.rows("fits", league=league)
    if not fits:
        return [html.P(["No fit of this league yet. Run: ", html.Code(f"pooltable fit {league}")], className="quiet")]
    fit = chosen(fits, view.query.get("fit"))

    def rows(name: str) -> list[Row]:
        return view.answer.rows(name, league=league, fit_id=fit["fit_id"])

    shown = view.query.get("show", "")
    heading = [
        _other_fit(view, fit),
        html.Div([_verdict(fit), _fit_menu(view, fits, fit)], className="verdict-row"),
        _facts(view, fit),
        _views(view, fit, shown),
    ]
    if shown in EVIDENCE:
        _, evidence_of = EVIDENCE[shown]
        return [*heading, *evidence_of(view, fit["fit_id"]), _how_to_read(view), sources(view, asked(view))]
    return [
        *heading,
        _checks(rows("fit_checks")),
        _predictive(rows("predictive_checks")),
        _poolings(rows("poolings")),
        *comparison_sections(view, fit["fit_id"]),
        _hyperparameters(rows("hyperparameters")),
        evidence.worst(view, fit["fit_id"]),
        _how_to_read(view),
        sources(view, asked(view)),
    ]


def _other_fit(view: View, shown: Row) -> Component | None:
    """That another fit is shown than the address asks for."""
    asked = view.query.get("fit")
    if asked in (None, shown["fit_id"]):
        return None
    which = "published" if shown["is_published"] else "newest"
    return notice(f"The fit asked for is not kept here: this is the {which} one.")


def _views(view: View, fit: Row, shown: str) -> Component:
    """Links to what stands behind the checks; figures, which are heavy, are loaded where they are looked at."""
    titles = {"": "Checks"} | {name: title for name, (title, _) in EVIDENCE.items()}
    active = shown if shown in EVIDENCE else ""
    league, fit_id = view.league["league"], fit["fit_id"]
    links = [
        dcc.Link(title, href=address(PATH, league=league, fit=fit_id, show=name or None),
                 className="tab active" if name == active else "tab")
        for name, title in titles.items()
    ]  # fmt: skip
    return html.Nav(links, className="tabs kinds", **aria(label="What to show of the fit"))


def chosen(fits: list[Row], asked: str | None) -> Row:
    """The fit asked for where the league has it, else the published one, else the newest."""
    by_id = {fit["fit_id"]: fit for fit in fits}
    published = next((fit for fit in fits if fit["is_published"]), fits[0])
    return by_id.get(asked or "", published)


def with_numbers(rows: list[Row], *names: str, written: Callable[[float | None], str] = plain) -> list[Row]:
    """Rows with the named numbers written out beside them, as `<name>_text`, for cells and for sorting by value."""
    finite = [
        {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in row.items()} for row in rows
    ]
    return [{**row, **{f"{name}_text": written(row[name]) for name in names}} for row in finite]


def _verdict(fit: Row) -> Component:
    accepted = fit["verdict"] == "accepted"
    words, reasons = "Rejected: not shown as a leaderboard.", fit["reasons"]
    if fit["override_reason"]:
        words = f"Accepted by hand: “{fit['override_reason']}”. The rules reject it:"
    elif accepted:
        words = "Accepted: converged, and nothing it must reproduce is off."
    is_clean = accepted and not fit["override_reason"]
    return html.Div(
        [
            html.P([html.Span(_mark(fit), className="verdict-mark", **aria(hidden="true")), words],
                   className="verdict-line"),
            html.Ul([html.Li(reason) for reason in reasons]) if reasons else None,
        ],
        className=f"verdict {fit['verdict'] if is_clean or not accepted else 'overridden'}", role="status",
    )  # fmt: skip


def _mark(fit: Row) -> str:
    if fit["verdict"] != "accepted":
        return "✕"
    return "!" if fit["override_reason"] else "✓"


def _fit_menu(view: View, fits: list[Row], shown: Row) -> Component:
    links = [
        dcc.Link(
            [
                html.Span(f"{_mark(fit)} ", className=fit["verdict"]),
                f"as of {day(fit['as_of'])}",
                html.Span(
                    f"{fit['engine']}, {ago(fit['fitted_at_utc'], view.now)}"
                    + (", by hand" if fit["override_reason"] else "")
                    + (", published" if fit["is_published"] else ""),
                    className="quiet",
                ),
            ],
            href=address(PATH, league=view.league["league"], fit=fit["fit_id"]),
            className="menu-item active" if fit is shown else "menu-item",
        )
        for fit in fits
    ]
    summary = html.Summary(f"{counted(len(fits), 'fit')} kept")
    return html.Details([summary, html.Div(links, className="menu-items")], className="menu right", id="fit-menu")


def _facts(view: View, fit: Row) -> Component:
    published = "published" if fit["is_published"] else "not published"
    facts = [
        f"Fit {fit['fit_id'][:12]}, {published}",
        f"as of {day(fit['as_of'])}",
        f"{counted(fit['games'], 'game')} from {day(fit['first_game_on'])} to {day(fit['last_game_on'])}",
        counted(fit["competitors"], "competitor"),
        f"{fit['draws']:,} draws by {fit['engine']} in {fit['seconds']:,.0f} s, {ago(fit['fitted_at_utc'], view.now)}",
    ]
    return html.P([html.Span(fact) for fact in facts], className="facts")


def _section(title: str, words: str, body: Any) -> Component:
    return html.Section([html.H2(title), html.P(words, className="quiet"), body], className="block")


def _status(meaning: str) -> Column:
    return text("status", "Status", meaning, width=92, cellRenderer="Light")


def _written(field: str, title: str, meaning: str, **more: Any) -> Column:
    return number(field, title, meaning, f"params.data.{field}_text", **more)


def _explained(title: str, meaning: str) -> Column:
    """A column that says what a row is about and, below, what it means."""
    return text("heading", title, meaning, cellRenderer="Explained", autoHeight=True, flex=1, minWidth=250)


def _checks(rows: list[Row]) -> Component:
    named = [
        {
            **row,
            "heading": f"{CHECKS.get(row['check_name'], row['check_name'])}: {row['subject']}",
            "bound_text": bound_of(row),
        }
        for row in rows
    ]
    columns = [
        _status("pass, warn (shown) or fail (rejects the fit)."),
        _explained("Check", "What was checked, of what, and what it means."),
        _written("value", "Value", "The value found.", width=110),
        _written("bound", "Bound", "Where the value must lie to pass. Some checks fail only if chance does not explain "
                 "it either: their sentences say so.", width=160, sortable=False),
    ]  # fmt: skip
    body = (
        small_grid("fit-checks", columns, with_numbers(named, "value", written=short), "Checks of the fit")
        if rows
        else None
    )
    return _section("Checks", "Did the computation converge, and did it forecast?", body or nothing("checks"))


def bound_of(row: Row) -> str:
    """The bound with the side of it that is right: "at least 400", "at most 1.01"."""
    if row["bound"] is None or not math.isfinite(row["bound"]):
        return "–"
    side = "usually" if row["check_name"] == "threshold" else SIDES.get(row["check_name"], "at most")
    return f"{side} {short(row['bound'])}"


def _predictive(rows: list[Row]) -> Component:
    named = [{**row, **titled(row), "hard": "hard" if row["is_hard"] else "shown"} for row in rows]
    columns = [
        _status("pass, warn (shown) or fail (rejects the fit)."),
        _explained("Statistic", "A number computed from the results, and how the real one compares."),
        _written("observed", "Observed", "In the real results. What looks at the ratings too, such as how often the "
                 "favourite lost, is a mean over what they may be.", width=98),
        {
            "field": "replicated_mean",
            "headerName": "Against replicated",
            "headerTooltip": "Bar: where 90 % of the results replicated from the fit fall. Dot: the real results.",
            "cellRenderer": "Replicated",
            "cellClass": "bar",
            "sortable": False,
            "width": 200,
        },
        number("p_value", "p", "Share of replications at or above the observed value; near 0 or 1 is suspicious.",
               "pooltable.fixed(params.value, 3)", width=84),
        text("hard", "Kind", "hard: failing rejects the fit. shown: failing warns.", width=90),
    ]  # fmt: skip
    words = "If the fit were right, would it produce results like the real ones? Each row asks that of one statistic."
    body = (
        small_grid("predictive-checks", columns, with_numbers(named, "observed", written=short), "Predictive checks")
        if rows
        else None
    )
    return _section("Predictive checks", words, body or nothing("predictive checks"))


def titled(row: Row) -> Row:
    """The statistic's title as a heading, and its sentence without it."""
    title = row["title"][:1].upper() + row["title"][1:]
    return {"heading": title, "message": row["message"].removeprefix(f"{title}: ")}


def _poolings(rows: list[Row]) -> Component:
    named = [{**row, "title": POOLINGS.get(row["pooling"], row["pooling"])} for row in rows]
    four = "pooltable.fixed(params.value, 4)"
    meaning = (
        "Log loss less that of the published model on the same games; above 0: the published one forecasts better."
    )
    columns = [
        text("title", "Way of pooling", "How much competitors inform each other.", width=280),
        number("log_loss", "Log loss", "Mean over the held-out games; lower is better.", four, width=104),
        number("log_loss_se", "± se", "Its standard error.", four, width=90),
        number("difference", "Difference", meaning, "pooltable.signed(params.value, 4)", width=116),
        {
            "field": "difference_se",
            "headerName": "Paired difference with its 90 % interval",
            "headerTooltip": "Right of the line: partial pooling forecasts better.",
            "cellRenderer": "Difference",
            "cellRendererParams": {"half": difference_scale(rows)},
            "cellClass": "bar",
            "sortable": False,
            "minWidth": 220,
            "flex": 1,
        },
    ]
    games = counted(rows[0]["held_out_games"], "game") if rows else "games"
    words = f"One frozen fit of earlier games forecast the last 10 %, a year at most: {games}, the same for each way."
    body = small_grid("poolings", columns, named, "Ways of pooling") if rows else None
    return _section("Does pooling help?", words, body or nothing("comparison of poolings"))


def _hyperparameters(rows: list[Row]) -> Component:
    whole = "pooltable.whole(params.value)"
    of_chains = [
        number("r_hat", "R-hat", "1 where all chains agree; above 1.01 they do not.",
               "pooltable.fixed(params.value, 3)", width=86),
        number("ess_bulk", "ESS", "Effective number of draws, bulk.", whole, width=84),
        number("ess_tail", "ESS tail", "Effective number of draws, tails.", whole, width=96),
    ]  # fmt: skip
    wrapped = {"wrapText": True, "autoHeight": True, "cellClass": "wrapped"}
    columns = [
        text("title", "Parameter", "A scale or a fixed effect.", minWidth=220, flex=1, **wrapped),
        text("prior", "Prior", "What was assumed before the results.", width=190, **wrapped),
        _written("mean", "Mean", "Posterior mean, in units of the linear predictor.", width=92),
        _written("sd", "sd", "Posterior standard deviation.", width=84),
        _written("q5", "5 %", "Posterior 5 % quantile.", width=84),
        _written("q95", "95 %", "Posterior 95 % quantile.", width=84),
        *(of_chains if any(row["r_hat"] is not None for row in rows) else []),  # a fast engine has no chains
    ]
    shown = with_numbers(rows, "mean", "sd", "q5", "q95")
    body = small_grid("hyperparameters", columns, shown, "Hyperparameters") if rows else None
    return _section(
        "What the model learned", "Scales and fixed effects: prior and posterior.", body or nothing("parameters")
    )


def _how_to_read(view: View) -> Component:
    return guide(
        "How to read this",
        [
            "A fit is published only if the computation converged, no hard predictive check fails, and it forecasts "
            "games it has not seen at least as well as simple shares of past results. Otherwise it is rejected and "
            "kept here, and the leaderboard stays with the last accepted fit.",
            *(meaning(word) for word in WORDS),
            explained("rejected", "Why is my fit rejected? Every check, and what to do", view),
            explained("glossary", "The words of all pages", view),
        ],
    )


PAGE = Page(PATH, "Fit check", content, needs_ratings=False)
