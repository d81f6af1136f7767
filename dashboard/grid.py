"""Tables: every table is an AG Grid with our settings (Dash draws large HTML tables a hundred times slower)."""

from typing import Any

import dash_ag_grid as dag
from dash import html
from dash.fingerprint import build_fingerprint

from dashboard.attributes import aria

type Column = dict[str, Any]

# AG Grid itself, which its component asks for only once it is to draw a table. Loaded before that, with the other
# scripts, it is one wait less in the way of whoever opens a table first.
SCRIPT = build_fingerprint("/_dash-component-suites/dash_ag_grid/async-community.js", dag.__version__, "0")


def grid(grid_id: str, columns: list[Column], rows: list[dict[str, Any]], label: str, **settings: Any) -> html.Div:
    """A grid with its rows inline. `label` is read by screen readers; `settings` go to AG Grid."""
    options = {
        "theme": {"function": "themeQuartz"},
        "suppressCellFocus": False,
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "suppressMovableColumns": True,
        "suppressColumnVirtualisation": False,
        "rowBuffer": 4,  # rows drawn beyond those in sight: each costs as much as one that is seen
        "animateRows": False,
        "tooltipShowDelay": 250,
        "tooltipHideDelay": 20000,
        "localeText": {"noRowsToShow": "Nothing here.", "noMatchingRows": "Nobody matches."},
        **settings,
    }
    filters = options.pop("filterModel", {})
    table = dag.AgGrid(
        id=grid_id,
        rowData=rows,
        columnDefs=columns,
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "suppressHeaderMenuButton": True,
            "suppressHeaderFilterButton": True,
            "sortingOrder": ["asc", "desc"],
        },
        dashGridOptions=options,
        filterModel=filters,
        className="grid",
        style={"height": None, "width": None},
    )
    return html.Div(table, role="region", **aria(label=label))


def small_grid(grid_id: str, columns: list[Column], rows: list[dict[str, Any]], label: str) -> html.Div:
    """A grid as high as its rows, for some dozens of them."""
    return grid(grid_id, columns, rows, label, domLayout="autoHeight")


def fitting_grid(
    grid_id: str, columns: list[Column], rows: list[dict[str, Any]], label: str, most: int = 15
) -> html.Div:
    """A grid as high as its rows where these are few, else one that scrolls."""
    if len(rows) <= most:
        return small_grid(grid_id, columns, rows, label)
    return html.Div(grid(grid_id, columns, rows, label), className="grid-frame middling")


def text(field: str, title: str, meaning: str, **more: Any) -> Column:
    """A column of words."""
    return {"field": field, "headerName": title, "headerTooltip": meaning, **more}


def number(field: str, title: str, meaning: str, formatted: str, **more: Any) -> Column:
    """A column of numbers, right aligned, drawn by one of the formatters in assets/cells.js."""
    return {
        "field": field,
        "headerName": title,
        "headerTooltip": meaning,
        "type": "rightAligned",
        "valueFormatter": {"function": formatted},
        "sortingOrder": ["desc", "asc"],
        "cellClass": "number",
        **more,
    }


def name_link(
    league: str, title: str, meaning: str, field: str = "name", key: str = "competitor_id", **more: Any
) -> Column:
    """A column of competitors' names, each a link to its page where the row's `key` says who it is."""
    return text(
        field, title, meaning, cellRenderer="CompetitorLink", cellRendererParams={"league": league, "who": key},
        cellClass="name", **more,
    )  # fmt: skip


def difference_scale(rows: list[dict[str, Any]]) -> float:
    """Half-width of the scale that holds every difference with its 90 % interval."""
    return max((abs(row["difference"]) + 1.645 * row["difference_se"] for row in rows), default=0) * 1.1 or 1.0
