"""The page Runs: what ran, when, how long and with what end; and where the league's ratings come from."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.frame import Page, View, address, explained, guide
from dashboard.grid import fitting_grid, number, text
from dashboard.reader import Row
from dashboard.sources import Source, sources
from dashboard.wording import ago, counted, day

PATH = "/runs"
WHOLE = "pooltable.whole(params.value)"
LIGHTS = {"done": "pass", "failed": "fail"}  # running and skipped are neither: warn
WRAPPED = {"wrapText": True, "autoHeight": True, "cellClass": "wrapped"}


def content(view: View) -> list[Any]:
    """The last runs, the steps of the one the address names, and the lineage of the league's ratings."""
    league = view.league["league"]
    runs = view.answer.rows("runs")
    chosen = next((row for row in runs if row["run_id"] == view.query.get("run")), runs[0] if runs else None)
    asked: list[Source] = [("Runs", "runs", {})]
    parts: list[Any] = [_nothing()] if chosen is None else _run(view, runs, chosen)
    if chosen is not None:
        asked.append(("Steps", "steps", {"run": chosen["run_id"]}))
    if view.league["fit_id"] is not None:
        parts.append(_lineage(view, view.answer.rows("lineages", league=league)))
        asked.append(("Lineage", "lineages", {"league": league}))
    return [*parts, _how_to_read(view), sources(view, asked)]


def lasted(seconds: float | None) -> str:
    """A length of time in words: "48 s", "12 min", "2 h 05 min"; "still running" where it has not ended."""
    if seconds is None:
        return "still running"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _nothing() -> Component:
    words = ["Nights and what was started by hand are listed here: ", html.Code("pooltable nightly")]
    return html.Section([html.H2("Nothing has run yet"), html.P(words)], className="block")


def _run(view: View, runs: list[Row], chosen: Row) -> list[Any]:
    league = view.league["league"]
    links = [
        dcc.Link(_named(row, view), href=address(PATH, league=league, run=row["run_id"]),
                 className="tab active" if row is chosen else "tab")
        for row in runs[:12]
    ]  # fmt: skip
    steps = view.answer.rows("steps", run=chosen["run_id"])
    said = f"{chosen['kind']}, {chosen['state']}, {lasted(chosen['seconds'])}, {counted(chosen['steps'], 'step')}"
    failed = f", {chosen['failed']} failed" if chosen["failed"] else ""
    return [
        html.Nav(links, className="tabs kinds"),
        html.P([html.Strong(f"{said}{failed}. "), chosen["message"] or ""]),
        _steps(steps),
        _history(view, runs),
    ]


def _named(row: Row, view: View) -> str:
    mark = {"done": "✓", "failed": "✕"}.get(row["state"], "…")
    return f"{mark} {row['kind']}, {ago(row['started_at_utc'], view.now)}"


def _steps(rows: list[Row]) -> Component:
    shown = [
        {"number": row["number"], "light": LIGHTS.get(row["state"], "warn"), "league": row["league"] or "–",
         "lasted": lasted(row["seconds"]) if row["state"] != "skipped" else "–", "rows": row["rows"],
         "command": row["command"],
         "attempts": row["attempts"], "memory": None if row["peak_bytes"] is None else row["peak_bytes"] / 1e6,
         "message": row["message"]}
        for row in rows
    ]  # fmt: skip
    columns = [
        number("number", "Step", "Number in its run.", WHOLE, width=72, sortingOrder=["asc", "desc"]),
        {"field": "light", "headerName": "End", "cellRenderer": "Light", "width": 100,
         "headerTooltip": "pass: done. fail: failed. warn: running or skipped."},
        text("command", "Command", "What ran.", minWidth=150, flex=1),
        text("league", "League", "The league it was for.", width=150),
        text("lasted", "Took", "How long.", width=112),
        number("rows", "Rows", "Rows read, findings, or games fitted.", WHOLE, width=92),
        number("memory", "Memory", "Peak, in megabytes.", WHOLE, width=98),
        number("attempts", "Tries", "How often it was tried.", WHOLE, width=76),
        text("message", "Said", "The last line it said.", minWidth=260, flex=2, **WRAPPED),
    ]  # fmt: skip
    table = fitting_grid("steps", columns, shown, "Steps", 25)
    return html.Section([html.H2("Steps"), table], className="block")


def _history(view: View, runs: list[Row]) -> Component:
    shown = [
        {"when": ago(row["started_at_utc"], view.now), "light": LIGHTS.get(row["state"], "warn"), "kind": row["kind"],
         "lasted": lasted(row["seconds"]), "steps": row["steps"], "failed": row["failed"], "message": row["message"]}
        for row in runs
    ]  # fmt: skip
    columns = [
        text("when", "Started", "How long ago.", width=150),
        {
            "field": "light",
            "headerName": "End",
            "cellRenderer": "Light",
            "width": 100,
            "headerTooltip": "How it ended.",
        },
        text("kind", "Kind", "schedule, pull or manual.", width=110),
        text("lasted", "Took", "How long.", width=120),
        number("steps", "Steps", "How many.", WHOLE, width=84),
        number("failed", "Failed", "How many failed.", WHOLE, width=88),
        text("message", "Said", "One line about it.", minWidth=240, flex=1, **WRAPPED),
    ]
    table = fitting_grid("all-runs", columns, shown, "Runs")
    return html.Section([html.H2("Runs"), table], className="block")


def _lineage(view: View, rows: list[Row]) -> Component:
    """From the files by the fit to the edition."""
    if not rows:
        return html.Section([html.H2("Where these ratings come from"), html.P("Not kept.", className="quiet")])
    one = rows[0]
    run = one["run_id"] or "started by hand, or forgotten"
    facts = [
        ("Edition", one["edition_id"]), ("Fit", one["fit_id"]),
        ("Made", f"{ago(one['fitted_at_utc'], view.now)}, of games before {day(one['as_of'])}"),
        ("Engine", f"{one['engine']}, seed {one['seed']}"),
        ("Games", f"{one['games']:,}, fingerprint {one['games_fingerprint']}"),
        ("Code", one["code_hash"]), ("Run", run),
    ]  # fmt: skip
    listed = [part for name, value in facts for part in (html.Dt(name), html.Dd(value))]
    shown = [
        {"slice": row["slice"], "source": row["source"], "sha256": row["sha256"],
         "loaded": ago(row["loaded_at_utc"], view.now) if row["loaded_at_utc"] else "–"}
        for row in rows
    ]  # fmt: skip
    columns = [
        text("slice", "File", "Name of the file in its league.", minWidth=160, flex=1),
        text("source", "Source", "URL or name it came from.", minWidth=160, flex=1),
        text("loaded", "Loaded", "When its games were loaded.", width=150),
        text("sha256", "SHA-256", "Hash of its bytes.", minWidth=200, flex=2, tooltipField="sha256"),
    ]
    table = fitting_grid("lineage", columns, shown, "Files")
    return html.Section([html.H2("Where these ratings come from"), html.Dl(listed, className="facts-list"), table],
                        className="block")  # fmt: skip


def _how_to_read(view: View) -> Component:
    return guide(
        "How to read this",
        [
            "A night pulls results, checks them, fits the leagues that are due, makes forecasts and publishes an "
            "edition. Each is a step; where one fails the others go on, and the last good ratings stay up.",
            "The run that published this edition is still running in it. Whole logs are kept on the machine: "
            "pooltable runs.",
            "The same games, model, code and seed give the same fit: its name is a hash of them.",
            explained("operations", "How nights, alerts and backups work", view),
        ],
    )


PAGE = Page(PATH, "Runs", content, needs_ratings=False)
