"""The page Data health: how fresh the results of each league are, what the checks found, and what was kept out."""

from datetime import date
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.frame import Page, View, guide
from dashboard.grid import Column, fitting_grid, number, text
from dashboard.reader import Row
from dashboard.sources import Source, sources
from dashboard.wording import ago, counted, day

WHOLE = "pooltable.whole(params.value)"
WRAPPED = {"wrapText": True, "autoHeight": True, "cellClass": "wrapped"}
LATE = 14  # days after the last game from which a league is said to rest or to be late
PARTS = (
    ("All leagues", "health_leagues"),
    ("Findings", "health_findings"),
    ("Rows kept out", "health_rejections"),
    ("Files", "health_loads"),
    ("Corrections", "health_corrections"),
)


def content(view: View) -> list[Any]:
    """All leagues in a table, then findings, rows kept out, files and corrections of the league."""
    league = view.league["league"]
    every = view.answer.rows("health_leagues")
    found = {name: view.answer.rows(name, league=league) for _, name in PARTS[1:]}
    own = next(row for row in every if row["league"] == league)
    asked: list[Source] = [(title, name, {} if row_of_all(name) else {"league": league}) for title, name in PARTS]
    return [
        _in_words(view, own),
        _findings(found["health_findings"]),
        _rejections(found["health_rejections"]),
        _files(view, found["health_loads"]),
        *_corrections(view, found["health_corrections"]),
        _every(view, every),
        _how_to_read(),
        sources(view, asked),
    ]


def row_of_all(name: str) -> bool:
    """True of the query that is of all leagues."""
    return name == "health_leagues"


def freshness(last_played_on: date | None, next_on: date | None, today: date) -> str:
    """Whether results are up to date, in a few words: no more can be said than the feed's own fixtures allow."""
    if last_played_on is None:
        return "no result yet"
    if next_on is not None and next_on < today:
        return f"late: a game of {day(next_on)} has no result"
    days = (today - last_played_on).days
    if days <= LATE:
        return "up to date"
    return f"nothing for {counted(days, 'day')}" + (f", next on {day(next_on)}" if next_on else "")


def _in_words(view: View, own: Row) -> Component:
    fresh = freshness(own["last_played_on"], own["next_on"], view.now.date())
    loaded = f"loaded {ago(own['loaded_at_utc'], view.now)}" if own["loaded_at_utc"] else "never loaded"
    stops = (
        html.Strong(
            f"{counted(own['stops'], 'finding')} must be mended before it is fitted again. ", className="rejected"
        )
        if own["stops"]
        else "Nothing stops the next fit. "
    )
    said = f"{counted(own['warns'], 'warning')}, {counted(own['rejected'], 'row')} kept out. "
    return html.P([stops, said, f"Last game {day(own['last_played_on'])} ({fresh}), {loaded}."], className="block")


def _findings(rows: list[Row]) -> Component:
    columns = [
        {"field": "light", "headerName": "Severity", "cellRenderer": "Light", "width": 110,
         "headerTooltip": "fail: stops the next fit. warn: worth a look."},
        text("rule", "Check", "Which check.", width=190),
        text("subject", "What", "A game, a competitor, a day.", minWidth=150, flex=1, **WRAPPED),
        text("message", "Message", "What is wrong.", minWidth=240, flex=2, **WRAPPED),
    ]  # fmt: skip
    shown = [
        {"light": "fail" if row["severity"] == "stop" else "warn", "rule": row["rule"].replace("_", " "),
         "subject": row["subject"], "message": row["message"]} for row in rows
    ]  # fmt: skip
    return _part("Findings", "The data checks found nothing.", "findings", columns, shown)


def _rejections(rows: list[Row]) -> Component:
    columns = [
        text("rule", "Rule", "The rule the rows broke.", width=200),
        text("file", "File", "The file they stand in.", minWidth=150, flex=1),
        number("rows_rejected", "Rows", "How many.", WHOLE, width=84),
        text("first_at", "First", "File and line of the first.", minWidth=170, flex=1),
        text("first_row", "As it stands there", "The first of the rows.", minWidth=220, flex=2, **WRAPPED),
    ]
    return _part("Rows kept out", "Every row of the last loads was taken.", "rejections", columns, rows)


def _files(view: View, rows: list[Row]) -> Component:
    shown = [
        row
        | {"when": ago(row["loaded_at_utc"], view.now), "sha256": (row["sha256"] or "")[:12]}
        | {"fetched": ago(row["fetched_at_utc"], view.now) if row["fetched_at_utc"] else "–"}
        | {"loaded_at_utc": None, "fetched_at_utc": None}
        for row in rows
    ]
    columns = [
        text("slice", "File", "Name of the file in its league.", minWidth=170, flex=1),
        text("source", "Source", "URL or name it came from.", minWidth=150, flex=1),
        text("fetched", "Fetched", "When its bytes came.", width=150),
        text("when", "Loaded", "When it last changed anything.", width=150),
        number("rows_read", "Rows", "Rows read.", WHOLE, width=92),
        number("rows_rejected", "Kept out", "Rows that broke a rule.", WHOLE, width=98),
        number("games_changed", "Changed", "Games that it changed when it was loaded.", WHOLE, width=98),
        text("sha256", "SHA-256", "The beginning of its hash.", width=130),
    ]
    return _part("Files", "No file has been loaded.", "files", columns, shown)


def _corrections(view: View, rows: list[Row]) -> list[Component]:
    if not rows:
        return []
    shown = [row | {"when": ago(row["loaded_at_utc"], view.now), "loaded_at_utc": None} for row in rows]
    columns = [
        text("when", "Noticed", "When the load came that changed it.", width=128),
        text("change", "Change", "changed or gone.", width=100),
        text("game_id", "Game", "The game.", minWidth=170, flex=1),
        text("description", "What", "What it was, and is.", minWidth=220, flex=2, **WRAPPED),
    ]
    return [_part("What sources corrected", "", "corrections", columns, shown)]


def _every(view: View, rows: list[Row]) -> Component:
    today = view.now.date()
    shown = [
        {"title": row["title"], "games": row["games"], "stops": row["stops"], "warns": row["warns"],
         "rejected": row["rejected"], "last": day(row["last_played_on"]),
         "fresh": freshness(row["last_played_on"], row["next_on"], today),
         "loaded": ago(row["loaded_at_utc"], view.now) if row["loaded_at_utc"] else "–",
         "fitted": ago(row["fitted_at_utc"], view.now) if row["fitted_at_utc"] else "–"}
        for row in rows
    ]  # fmt: skip
    columns = [
        text("title", "League", "The league.", minWidth=200, flex=1),
        number("stops", "Stops", "Findings that stop the next fit.", WHOLE, width=84),
        number("warns", "Warnings", "Findings worth a look.", WHOLE, width=104),
        number("rejected", "Kept out", "Rows that broke a rule.", WHOLE, width=98),
        number("games", "Games", "Contests played.", WHOLE, width=92),
        text("last", "Last game", "Day of the last game with a result.", width=124),
        text("fresh", "Freshness", "By the feed's own fixtures.", minWidth=230, flex=1),
        text("loaded", "Loaded", "When results last changed.", width=150),
        text("fitted", "Fitted", "When the published fit was made.", width=150),
    ]
    return _part("All leagues", "", "all-leagues", columns, shown)


def _part(title: str, nothing: str, grid_id: str, columns: list[Column], rows: list[Any]) -> Component:
    """A section with its table, as high as its rows where these are few."""
    if not rows:
        return html.Section([html.H2(title), html.P(nothing, className="quiet")], className="block")
    table = fitting_grid(grid_id, columns, rows, title)
    return html.Section([html.H2(title), table], className="block")


def _how_to_read() -> Component:
    return guide(
        "How to read this",
        [
            "A finding that stops keeps the league's next fit back until it is mended or corrected; the ratings shown "
            "stay up. A warning does not.",
            "A row that breaks a rule is kept out and kept here, never dropped silently. Nothing that was downloaded "
            "is ever changed: corrections are kept apart, with their reasons.",
            "“Late” is said only where the feed itself lists a game of an earlier day without a result.",
        ],
    )


PAGE = Page("/data-health", "Data health", content, needs_ratings=False)
