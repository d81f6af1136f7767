"""The page What changed: who moved and by which games, who is new or gone, and what became of the fits."""

from datetime import date
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.frame import Page, View, address, guide, notice
from dashboard.grid import Column, fitting_grid, name_link, number, small_grid, text
from dashboard.movement import MOVERS, came_and_went, earlier_day, movers, summary, with_games
from dashboard.reader import Row
from dashboard.sources import Source, sources
from dashboard.wording import ago, counted, day, decimals

PATH = "/changes"
CHANCE = "pooltable.chance(params.value)"
WHOLE = "pooltable.whole(params.value)"
BASIS = {"as_published": "as it was published", "backfilled": "as it was fitted later to the results before that day"}


def content(view: View) -> list[Any]:
    """Changes since the day the address asks for, a week before the ratings where it asks for none."""
    league = view.league["league"]
    days = view.answer.rows("change_days", league=league)
    chosen = earlier_day(days, view.league["as_of"], view.query.get("since"))
    moved, asked = _moved(view, chosen, days) if chosen else ([_first(league)], [])
    fits, loads = (view.answer.rows(name, league=league) for name in ("change_fits", "change_loads"))
    asked += [("Fits", "change_fits", {"league": league}), ("Results loaded", "change_loads", {"league": league})]
    return [*moved, *_fits(view, fits), *_loads(view, loads), _feeds(league), _how_to_read(), sources(view, asked)]


def _first(league: str) -> Component:
    return html.Section(
        [
            html.H2("Only one day of ratings is kept so far"),
            html.P(["From the next published fit on, changes are shown here. Earlier days can be fitted: ",
                    html.Code(f"pooltable backfill {league} --from DATE --to DATE")]),
        ],
        className="block",
    )  # fmt: skip


def _moved(view: View, chosen: Row, days: list[Row]) -> tuple[list[Any], list[Source]]:
    league, since = view.league["league"], chosen["as_of"]
    values = {"league": league, "since": since.isoformat(), "basis": chosen["basis"]}
    rows = view.answer.rows("changes", **values)
    digits = decimals(abs(row["gained"]) for row in rows if row["gained"])
    new, gone = came_and_went(rows)
    every = movers(rows)
    sure, kinds = with_games(view.answer, league, since, every[:MOVERS]), _kinds(view)
    then = f"The ratings of {day(since)}, {BASIS[chosen['basis']]}, against today's as of {day(view.league['as_of'])}. "
    both = [row for row in rows if row["rank"] and row["earlier_rank"]]
    nobody = html.P("Nobody with 90 % probability.", className="quiet")
    others = [
        *_names(league, kinds, new, "New among the ranked", "rank"),
        *_names(league, kinds, gone, "No longer ranked", "earlier_rank"),
    ]
    parts = [
        _other_day(view.query.get("since"), since),
        _days(league, days, since.isoformat()),
        html.P([html.Strong(then), summary(rows)]),
        html.H2("Movers"),
        _first_of(every, MOVERS),
        _movers(league, kinds, sure, digits) if sure else nobody,
        html.Div(others, className="two"),
        html.H2("Everybody"),
        _everybody(league, kinds, both, digits),
    ]
    return [html.Section(parts, className="block")], [("Everybody", "changes", values)]


def _other_day(asked: str | None, since: date) -> Component | None:
    """That changes since another day are shown than since the one asked for."""
    if asked in (None, since.isoformat()):
        return None
    return notice(f"The day asked for is not kept: these are the changes since {day(since)}.")


def _days(league: str, days: list[Row], chosen: str) -> Component:
    links = [
        dcc.Link(day(row["as_of"]), href=address(PATH, league=league, since=row["as_of"].isoformat()),
                 className="tab active" if row["as_of"].isoformat() == chosen else "tab")
        for row in days[:12]
    ]  # fmt: skip
    return html.Nav([html.Span("Since", className="tab"), *links], className="tabs kinds")


def _kinds(view: View) -> list[Column]:
    """The column of kinds, each ranked by itself, where the league rates more than one."""
    several = len(view.league["kinds"]) > 1
    return [text("kind", "Kind", "Ranks are among those of one kind.", width=90)] if several else []


def _ranks() -> list[Column]:
    return [
        number("earlier_rank", "Then", "Rank on the earlier day.", WHOLE, width=76),
        number("rank", "Now", "Rank now.", WHOLE, width=76),
        {"field": "moved", "headerName": "Moved", "cellRenderer": "Moved", "width": 84, "cellClass": "number",
         "headerTooltip": "Places up or down, where it truly moved with 90 % probability."},
        number("p_moved", "P(truly)", "Probability to be truly on that side of the earlier rank.", CHANCE, width=94),
    ]  # fmt: skip


def _gained(digits: int) -> Column:
    meaning = "Rating now less the rating then; each against the ranked of its day."
    return number("gained", "Rating", meaning, f"pooltable.signed(params.value, {digits})", width=92)


def _movers(league: str, kinds: list[Column], rows: list[Row], digits: int) -> Component:
    columns = [
        name_link(league, "Name", "Who moved.", width=170, pinned="left", tooltipField="name"),
        *kinds,
        *_ranks(),
        _gained(digits),
        text("played", "Games since", "What it played since that day.", minWidth=260, flex=2, wrapText=True,
             autoHeight=True, cellClass="wrapped"),
    ]  # fmt: skip
    return small_grid("movers", columns, rows, "Movers")


def _everybody(league: str, kinds: list[Column], rows: list[Row], digits: int) -> Component:
    columns = [
        name_link(league, "Name", "Who was ranked on both days.", width=170, pinned="left", tooltipField="name"),
        *kinds,
        *_ranks(),
        _gained(digits),
        number("new_games", "Games since", "Games more than then.", WHOLE, width=124),
    ]
    return fitting_grid("everybody", columns, rows, "Everybody ranked on both days")


def _names(league: str, kinds: list[Column], rows: list[Row], title: str, rank: str) -> list[Component]:
    if not rows:
        return []
    columns = [
        name_link(league, "Name", "Who.", minWidth=140, flex=1),
        *kinds,
        number(rank, "Rank", "Rank when ranked.", WHOLE, width=84),
    ]
    shown = sorted(rows, key=lambda row: row[rank])
    table = small_grid(rank, columns, shown[:15], title)
    return [html.Section([html.H2(title), _first_of(rows, 15), table], className="block")]


def _first_of(rows: list[Row], shown: int) -> Component | None:
    """How many are shown and of how many, where not all are."""
    return html.P(f"The first {shown} of {len(rows):,}.", className="quiet") if len(rows) > shown else None


def _fits(view: View, rows: list[Row]) -> list[Component]:
    league = view.league["league"]
    shown = [
        {
            "when": ago(row["fitted_at_utc"], view.now),
            "as_of": day(row["as_of"]),
            "verdict": row["verdict"] + (", shown" if row["is_published"] else ""),
            "why": "; ".join(row["reasons"]) or ("" if row["override_reason"] is None else row["override_reason"]),
            "games": row["games"],
        }
        for row in rows
    ]
    columns = [
        text("when", "Fitted", "How long ago.", width=150),
        text("as_of", "As of", "The day whose results it knows.", width=124),
        text("verdict", "Verdict", "accepted or rejected, and which is shown.", width=150),
        number("games", "Games", "Games it used.", WHOLE, width=88),
        text("why", "Why", "Why it was rejected, or accepted by hand.", minWidth=240, flex=1, wrapText=True,
             autoHeight=True, cellClass="wrapped"),
    ]  # fmt: skip
    link = dcc.Link("The evidence", href=address("/checks", league=league), className="inline")
    return [
        html.Section(
            [html.H2("Verdicts"), html.P(link), small_grid("verdicts", columns, shown, "Verdicts")], className="block"
        )
    ]


def _loads(view: View, rows: list[Row]) -> list[Component]:
    if not rows:
        return []
    shown = [row | {"when": ago(row["loaded_at_utc"], view.now), "loaded_at_utc": None} for row in rows]
    columns = [
        text("when", "Loaded", "How long ago.", width=150),
        text("slice", "File", "Which file of results.", minWidth=180, flex=1),
        number("games_new", "New", "Games that were not there before.", WHOLE, width=84),
        number("games_changed", "Changed", "Games whose content differs: corrections.", WHOLE, width=98),
        number("games_gone", "Gone", "Games the file no longer holds.", WHOLE, width=84),
        number("rows_rejected", "Kept out", "Rows that broke a rule.", WHOLE, width=98),
    ]
    table = fitting_grid("loads", columns, shown, "Results loaded", 8)
    return [
        html.Section(
            [
                html.H2("Results"),
                html.P(f"The newest {counted(len(rows), 'load')} that changed something.", className="quiet"),
                table,
            ],
            className="block",
        )
    ]


def _feeds(league: str) -> Component:
    atom, json = (
        html.A(name, href=f"/feeds/{league}.{ending}") for name, ending in (("Atom", "atom"), ("JSON", "json"))
    )
    return html.P(["As a feed: ", atom, ", ", json, "."], className="quiet block")


def _how_to_read() -> Component:
    return guide(
        "How to read this",
        [
            "A rank moves a little all the time. An arrow stands only where the competitor is truly on that side of "
            "its earlier rank with 90 % probability, by the ranks in today's joint draws.",
            "Somebody may move without playing: ratings learn from the games of others too.",
            "Ratings of two days are each against the mean of those ranked on that day; where many came or went, "
            "compare ranks rather than ratings.",
        ],
    )


PAGE = Page(PATH, "What changed", content)
