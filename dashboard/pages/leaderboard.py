"""The leaderboard: one row a competitor, its rating drawn in the row, everything of it in one grid."""

import math
import unicodedata
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.attributes import aria, data
from dashboard.frame import Page, View, guide, kind_links, kind_of, labelled
from dashboard.grid import Column, grid, name_link, number, text
from dashboard.pages.narrowing import (
    MOST_PLACES,
    Narrowed,
    fields,
    narrowed,
    told,
    told_of_draws,
    told_of_group,
    told_of_numbers,
    whole,
)
from dashboard.pages.orderings import OF_DRAWS, VIEWS, ordering, shown, view_links
from dashboard.sources import sources
from dashboard.wording import decimals

PATH = "/leaderboard"
ROUNDED = 4  # decimals sent to the browser; posterior quantiles of a few thousand draws are not known better
OPTIONAL = (
    "attack", "defence", "expected_margin", "chance", "truth", "p_top", "moved", "p_moved", "history", "tier",
    "opponents_rating", "record_strength", "unpooled_reason",
)  # fmt: skip
MOST_AT_ONCE = 5000  # rows above which only the ranked are sent until everybody is asked for
WITHOUT_POINTS = ("win", "result", "order")  # outcomes whose expected margin is a chance above one half
NOBODY = "Nobody matches. The switch above shows also who is not ranked."
AS_WRITTEN = {
    "caseSensitive": True
}  # keys are in small letters already: 10,000 need not be made so at each letter typed
RANKED_ONLY = {"status": {"filterType": "text", "type": "equals", "filter": "ranked"}}


def content(view: View) -> list[Any]:
    """Toolbar, legend and grid of one kind of competitor."""
    if not view.league["kinds"]:
        return [html.P("The published fit rates no competitors.", className="quiet")]
    kind = kind_of(view)
    now = narrowed(view, kind)
    query, values = _asked(view, kind, now)
    if shown(view):
        is_of_draws = shown(view) in OF_DRAWS
        narrow = html.Div(fields(view, now, has_days=not is_of_draws), className="toolbar")
        said = told_of_draws(view, now) if is_of_draws else told(view, now)
        notices = [said, told_of_group(view, now), told_of_numbers(view, now)]
        return [kind_links(PATH, view), view_links(view), *notices, narrow, *ordering(view, query, values)]
    every = with_chances(view.answer.rows(query, **values), view.league["outcome"])
    is_partial = len(every) > MOST_AT_ONCE and view.query.get("show") != "all"
    rows = [row for row in every if row["status"] == "ranked"] if is_partial else every
    return [
        kind_links(PATH, view),
        view_links(view),
        told(view, now),
        told_of_group(view, now),
        told_of_numbers(view, now),
        _toolbar(view, kind, every, now, is_partial=is_partial),
        _legend(is_newest=now.on is None, is_simulated=view.league["is_simulated"]),
        html.Div(_grid(view, kind, rows), className="grid-frame tall"),
        _how_to_read(kind),
        sources(view, [("Leaderboard", query, values)]),
        dcc.Store(id="leaderboard-file", data=_file_name(view, kind, now)),
    ]


def _asked(view: View, kind: str, now: Narrowed) -> tuple[str, dict[str, Any]]:
    """The query of what is shown, and its values: of the newest day, or but where draws are shown of an earlier one."""
    values = {"league": view.league["league"], "kind": kind, "group": now.group, "least": now.least}
    if shown(view) in OF_DRAWS:
        return "best_thirty", values
    if now.on is not None:
        return "leaderboard_on", values | {"on": now.on["as_of"].isoformat(), "basis": now.on["basis"]}
    return "leaderboard", values | {"k": places(view.query.get("k"))}


def places(asked: str | None) -> int:
    """The k of P(top k) that an address asks for; 0 where it asks for none."""
    return whole(asked, MOST_PLACES)


def cells(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as the grid gets them: numbers rounded, days as text, empty columns left out, and a key to search by."""
    kept = [
        key for key in (rows[0] if rows else {}) if key not in OPTIONAL or any(row[key] is not None for row in rows)
    ]
    return [{**{key: _cell(row[key]) for key in kept}, "key": search_key(row["name"])} for row in rows]


def with_chances(rows: list[dict[str, Any]], outcome: str) -> list[dict[str, Any]]:
    """The rows with `chance` (to win, to finish ahead) in the place of the margin where the outcome has no points."""
    if outcome not in WITHOUT_POINTS:
        return rows
    margins = [row.get("expected_margin") for row in rows]  # of earlier days there are none
    chances = [None if margin is None else 0.5 + margin for margin in margins]
    return [{**row, "expected_margin": None, "chance": chance} for row, chance in zip(rows, chances, strict=True)]


def search_key(name: str) -> str:
    """A name in small letters without accents: "curacao" finds "Curaçao". The browser does so to the search."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).lower()


def scale(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Lower and upper end of the shared scale: every 90 % bar and every truth fits, with a little room."""
    ends = [row[key] for row in rows for key in ("q5", "q95", "truth") if row.get(key) is not None]
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    room = 0.03 * (high - low) or 1.0
    return low - room, high + room


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers inside the scale, 0 among them, at most about `most`."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(index * step, 10) for index in range(first, last + 1)]


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, ROUNDED) if math.isfinite(value) else None
    return value if value is None or isinstance(value, int | str | list) else value.isoformat()


def _file_name(view: View, kind: str, now: Narrowed) -> str:
    as_of = now.on["as_of"] if now.on else view.league["as_of"]
    return f"pooltable-{view.league['league']}-{kind}-{as_of}.csv"


def _toolbar(view: View, kind: str, rows: list[dict[str, Any]], now: Narrowed, *, is_partial: bool) -> Component:
    """Search, switch, places and download. In a partial table the switch goes to the address that has everybody."""
    others = sum(row["status"] != "ranked" for row in rows)
    return html.Div(
        [
            labelled(f"Find a {kind}", dcc.Input(
                id="leaderboard-search", type="search", placeholder=f"Find a {kind}", value=_word(view.query.get("q")),
                className="search", autoComplete="off", debounce=False,
            )),
            dcc.Checklist(
                id="leaderboard-show", options=[{"label": f"Show {others:,} inactive and provisional", "value": "all"}],
                value=["all"] if view.query.get("show") == "all" else [],
                className="switch" if others else "switch hidden",
            ),
            *fields(view, now, has_days=True),
            html.Label(
                ["P(top ", dcc.Input(id="leaderboard-k", type="number", min=1, max=MOST_PLACES, step=1, placeholder="k",
                                     value=places(view.query.get("k")) or None, debounce=True), ")"],
                className="places",
            ),
            html.Span(id="leaderboard-shown", className="quiet shown", role="status", **aria(live="polite")),
            html.Button("Download CSV", id="leaderboard-csv", className="button"),
        ],
        className="toolbar",
        **data(partial=str(is_partial).lower()),
    )  # fmt: skip


def _word(value: str | None) -> str:
    return (value or "")[:100]


def _legend(*, is_newest: bool, is_simulated: bool) -> Component:
    """What is drawn in the bars: of earlier days neither estimates alone nor a truth are kept."""
    marks = [
        ("mean", "rating"),
        ("half", "50 % likely"),
        ("most", "90 % likely"),
        *([("alone", "own results alone, no pooling")] if is_newest else []),
        *([("true", "the simulator's truth")] if is_newest and is_simulated else []),
    ]
    items = [
        html.Span([html.Span(className=f"mark mark-{mark}"), words], className="legend-item") for mark, words in marks
    ]
    return html.Div(items, className="legend", **aria(hidden="true"))


def _grid(view: View, kind: str, rows: list[dict[str, Any]]) -> Component:
    found = cells(rows)
    filters: dict[str, Any] = {} if view.query.get("show") == "all" else dict(RANKED_ONLY)
    if words := search_key(_word(view.query.get("q"))):
        filters["key"] = {"filterType": "text", "type": "contains", "filter": words}
    columns = _sorted(
        _columns(rows, set(found[0]) if found else set(), kind, view.league["league"], places(view.query.get("k"))),
        _word(view.query.get("sort")),
    )
    return grid(
        "leaderboard-grid", columns, found, f"Leaderboard of {view.league['title']}", rowHeight=44, filterModel=filters,
        localeText={"noRowsToShow": "Nobody here.", "noMatchingRows": NOBODY},
        rowClassRules={"even-tier": "params.data.tier % 2 == 0"},
    )  # fmt: skip


def _sorted(columns: list[Column], asked: str) -> list[Column]:
    """The columns with the sort order the address asks for, such as "games-desc"; the rows come sorted by rank."""
    field, _, direction = asked.rpartition("-")
    if direction not in ("asc", "desc"):
        return columns
    return [{**column, "sort": direction} if column["field"] == field and column.get("colId") != "bar" else column
            for column in columns]  # fmt: skip


def _columns(rows: list[dict[str, Any]], present: set[str], kind: str, league: str, k: int) -> list[Column]:
    """The columns of what the rows have; all of them where there is no row."""
    digits = decimals(row["sd"] for row in rows)
    signed = f"pooltable.signed(params.value, {digits})"
    every = [
        *_who(kind, league),
        *_how_good(rows, digits, signed),
        *_how_sure(k),
        *_components(signed, digits),
        number("last_played", "Last played", "Day of the last game used.", "pooltable.day(params.value)", width=118),
        text("status", "Status", "ranked; provisional: too few games; inactive: has not played lately.", width=112,
             filter="agTextColumnFilter", filterParams=AS_WRITTEN),
        {"field": "key", "hide": True, "filter": "agTextColumnFilter", "filterParams": AS_WRITTEN},
    ]  # fmt: skip
    return [column for column in every if not present or column["field"] in present]


def _who(kind: str, league: str) -> list[Column]:
    moved = {
        "field": "moved", "headerName": "Moved", "cellRenderer": "Moved", "width": 84, "cellClass": "number",
        "headerTooltip": "Places up or down since a week or more ago, where it truly moved with 90 % probability.",
        "sortingOrder": ["desc", "asc"],
    }  # fmt: skip
    path = {
        "field": "history", "headerName": "So far", "cellRenderer": "Sparkline", "cellClass": "bar", "width": 110,
        "headerTooltip": "The ratings of earlier days, as published or fitted later.", "sortable": False,
        "cellDataType": False,
    }  # fmt: skip
    return [
        number("rank", "Rank", "Rank by mean rating among the ranked.", "pooltable.whole(params.value)", width=64,
               pinned="left", sortingOrder=["asc", "desc"], comparator={"function": "pooltable.nullsLast"}),
        name_link(league, kind.capitalize(), f"Name of the {kind}.", width=170, pinned="left", tooltipField="name"),
        number("rank_low", "90 % ranks", "The rank lies in here with 90 % probability, given model and results.",
               "pooltable.ranks(params.data)", width=104, sortingOrder=["asc", "desc"],
               comparator={"function": "pooltable.nullsLast"}),
        number("tier", "Tier", "Nobody in a tier is truly worse than its first with 90 % probability or more.",
               "pooltable.whole(params.value)", width=70, sortingOrder=["asc", "desc"],
               comparator={"function": "pooltable.nullsLast"}),
        moved,
        path,
    ]  # fmt: skip


def _how_good(rows: list[dict[str, Any]], digits: int, signed: str) -> list[Column]:
    low, high = scale(rows)
    drawn = {"low": low, "high": high, "ticks": ticks(low, high), "digits": digits}
    bar = {
        "field": "rating", "colId": "bar", "headerName": "Rating with its uncertainty",
        "headerTooltip": "Line: 90 % interval. Bar: 50 %. Tick: mean. Ring: own results alone (arrow: off the scale).",
        "minWidth": 150, "width": 300, "cellRenderer": "RatingBar", "cellRendererParams": drawn, "cellClass": "bar",
        "headerComponentParams": {"innerHeaderComponent": "ScaleHeader", "innerHeaderComponentParams": drawn},
        "sortingOrder": ["desc", "asc"],
    }  # fmt: skip
    return [
        number("rating", "Rating", "Posterior mean, against the average ranked competitor.", signed, width=86),
        bar,
        number("truth", "Truth", "The strength the simulator used, against the same reference.", signed, width=82),
        number("unpooled", "Alone", "Estimate from own results alone, without pooling.", signed, width=84,
               tooltipField="unpooled_reason"),
    ]  # fmt: skip


def _how_sure(k: int) -> list[Column]:
    chance = "pooltable.chance(params.value)"
    return [
        number("p_top", f"P(top {k})", f"Probability of being among the best {k}.", chance, width=98),
        number("games", "Games", "Contests played in the games used.", "pooltable.whole(params.value)", width=96),
        number("shrinkage", "Shrinkage", "0 %: rests on its own results. 100 %: rests on its group.",
               "pooltable.percent(params.value)", width=104),
        number("p_best", "P(best)", "Probability of being the best of the ranked.", chance, width=88),
        number("p_top3", "P(top 3)", "Probability of being among the best three.", chance, width=92),
        number("p_top10", "P(top 10)", "Probability of being among the best ten.", chance, width=98),
        number("opponents_rating", "Schedule", "Strength of schedule: mean rating of the opponents met.",
               "pooltable.fixed(params.value, 2)", width=98),
        number("record_strength", "Record", "Strength of record: wins a game above those that an average ranked "
               "competitor would have had against the same opponents.", "pooltable.signed(params.value, 2)", width=92),
    ]  # fmt: skip


def _components(signed: str, digits: int) -> list[Column]:
    return [
        number("attack", "Attack", "Attack part of the rating; positive is good.", signed, width=86),
        number("defence", "Defence", "Defence part of the rating; positive is good.", signed, width=94),
        number("expected_margin", "Margin", "Expected margin against an average ranked competitor, neutral ground.",
               f"pooltable.signed(params.value, {min(digits, 2)})", width=88),
        number("chance", "Chance vs average", "Chance against an average ranked competitor on neutral ground: to win, "
               "half a draw counted, or to finish a race ahead.", "pooltable.chance(params.value)", width=172),
    ]  # fmt: skip


def _how_to_read(kind: str) -> Component:
    return guide(
        "How to read this",
        [
            f"A rating says how strong a {kind} is against the average ranked {kind}, on neutral ground. Nobody knows "
            "it exactly: the tick is our best estimate, the bar holds the true value with 50 % probability, the line "
            "with 90 %.",
            "Where two bars overlap much, the order of the two is not settled. “90 % ranks” says how far up or "
            "down the list a rank could really be.",
            f"The ring is what the {kind}'s own results would say alone. With few games it swings far; partial "
            f"pooling pulls it towards the group, the more so the fewer games there are. “Shrinkage” says how "
            "much of what was uncertain before the results still is: 100 % with none, towards 0 % as they pile up.",
            "A tier begins with its best, and the next where somebody is truly worse than him with 90 % probability or "
            "more: within a tier, nobody is surely worse than its first.",
            "Ranked are those who played enough games, and played lately; the switch above shows the others.",
        ],
    )


def _subject(view: View) -> str:
    """Which view, where it is another than the table."""
    return VIEWS[shown(view)] if shown(view) else ""


PAGE = Page(PATH, "Leaderboard", content, subject=_subject)
