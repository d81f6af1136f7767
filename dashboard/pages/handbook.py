"""The handbook in the app: its files as they are, and the data dictionary of the edition that is open."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import handbook
from dashboard.attributes import aria
from dashboard.frame import Page, state
from dashboard.grid import fitting_grid, text
from dashboard.reader import Row

DICTIONARY = "dictionary"
TITLES = {DICTIONARY: "Data dictionary"}


def heading(name: str) -> str:
    """The title of one of the handbook's pages."""
    if name in TITLES:
        return TITLES[name]
    return handbook.title(name) if name in (handbook.FIRST, *handbook.names()) else "No such page"


def content(name: str, league: Row | None, dictionary: list[Row]) -> list[Any]:
    """One page of the handbook. `dictionary` has the comments of the edition's tables, nothing where there is none."""
    chosen = league["league"] if league else None
    links = _contents(name, chosen)
    if name == DICTIONARY:
        body = _dictionary(dictionary)
    elif name in (handbook.FIRST, *handbook.names()):
        body = dcc.Markdown(handbook.in_app(name, chosen), className="markdown", highlight_config={"theme": "light"})
    else:
        first = html.P(html.A("To the handbook", href=handbook.address(handbook.FIRST, league=chosen)))
        return [state("No such page", [first])]
    return [html.H1(heading(name), className="heading"), links, html.Div(body, id="handbook")]


def _contents(shown: str, league: str | None) -> Component:
    """Links to all pages, of which one is shown."""
    links = [
        dcc.Link(heading(name), href=handbook.address(name, league=league),
                 className="tab active" if name == shown else "tab")
        for name in (handbook.FIRST, *handbook.names(), DICTIONARY)
    ]  # fmt: skip
    return html.Nav(links, className="tabs kinds contents", **aria(label="Pages of the handbook"))


def _dictionary(rows: list[Row]) -> Component:
    """Every table, column and macro of the edition with its comment."""
    if not rows:
        return state("Nothing is published yet", [html.P("The dictionary is of what was published.")])
    sought = {"filter": True, "floatingFilter": True, "suppressFloatingFilterButton": True}
    columns = [
        text("object", "Of", "A table, with its columns, or a macro.", width=100, **sought),
        text("heading", "What, and what it is", "Its name and type, and its comment; a table's ends in its key.",
             cellRenderer="Explained", autoHeight=True, flex=1, minWidth=220, **sought),
    ]  # fmt: skip
    told = html.P(["Written from the comments in the edition: the same as ", html.Code("pooltable sql --schema"),
                   " and the view ", html.Code("data_dictionary"), "."], className="quiet")  # fmt: skip
    return html.Div([told, fitting_grid("dictionary", columns, [_named(row) for row in rows], "Data dictionary")])


def _named(row: Row) -> Row:
    """A row of the dictionary under one name: `table.column` with its type, or a macro with its parameters."""
    name = ".".join(part for part in (row["name"], row["column_name"]) if part)
    heading = " ".join(part for part in (name, row["type"]) if part)
    return {"object": row["object"], "heading": heading, "message": row["comment"]}


PAGE = Page(handbook.PATH, "Handbook", lambda _: [], needs_ratings=False, is_tab=False)
