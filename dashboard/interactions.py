"""What happens in the browser without asking the server: search, filter, address and download of the leaderboard.

Each is a named function of assets/interactions.js, so the content policy needs no inline script for it.
"""

import hashlib
from pathlib import Path

import flask
from dash import ClientsideFunction, Dash, Input, Output, State

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = "/assets/pooltable.js"
NAMESPACE = "pooltable_leaderboard"
# Parts of pages that the browser looks at as soon as they are there, and the functions that do so.
WIRED = ((NAMESPACE, "leaderboard-grid"), ("pooltable_forecasts", "forecasts"), ("pooltable_handbook", "handbook"))


def serve_scripts(server: flask.Flask) -> str:
    """Serves all scripts of ours as one, and returns its address: a page asks once instead of a dozen times.

    The theme comes first, before anything is painted. Browsers keep what is at an address for ever: it changes with
    the scripts.
    """
    files = sorted(ASSETS.glob("*.js"), key=lambda path: (path.stem != "theme", path.stem))
    scripts = "".join(path.read_text(encoding="utf-8") for path in files)
    server.add_url_rule(SCRIPTS, "scripts", lambda: flask.Response(scripts, mimetype="text/javascript"))
    return f"{SCRIPTS}?m={hashlib.sha256(scripts.encode()).hexdigest()[:16]}"


def register(app: Dash) -> None:
    """Adds the browser's callbacks to the app."""
    app.clientside_callback(
        ClientsideFunction(NAMESPACE, "filter"),
        Output("leaderboard-grid", "filterModel"),
        Input("leaderboard-search", "value"),
        Input("leaderboard-show", "value"),
        prevent_initial_call=True,  # the table comes filtered as its address says
    )
    for namespace, part in WIRED:
        app.clientside_callback(ClientsideFunction(namespace, "wire"), Output(part, "id"), Input(part, "id"))
    app.clientside_callback(
        ClientsideFunction(NAMESPACE, "download"),
        Output("leaderboard-csv", "title"),
        Input("leaderboard-csv", "n_clicks"),
        State("leaderboard-file", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("pooltable_compare", "choose"),
        Output("compare-who", "id"),
        Input("compare-who", "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("pooltable_orderings", "reshuffle"),
        Output("reshuffle-said", "children"),
        Input("reshuffle", "n_clicks"),
        State("shuffle-draws", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("pooltable_orderings", "places"),
        Output("leaderboard-k", "id"),
        Input("leaderboard-k", "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("pooltable_orderings", "games"),
        Output("leaderboard-games", "id"),
        Input("leaderboard-games", "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("pooltable_console", "open"),
        Output("sql-dictionary", "id"),
        Input("sql-dictionary", "data"),
    )
