"""The forecasts page: how the season ends, what hangs on the next games, and the games to come."""

from itertools import groupby
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.frame import Page, View, explained, guide
from dashboard.grid import Column, grid, name_link, number, small_grid, text
from dashboard.reader import Row
from dashboard.what_if import WhatIf, choices, missed, told, what_if, with_results
from dashboard.wording import ago, counted, day, percent

CHANCE, ODDS, ONE = "pooltable.chance(params.value)", "odds(params.value)", "pooltable.fixed(params.value, 1)"
MARGIN = "pooltable.signed(params.value, 1)"
KINDS = {"player": "Players", "team": "Teams"}  # championships of races
WRAPPED = {"wrapText": True, "autoHeight": True}  # names of any length are read whole, on a phone too
FEW = 30  # rows of a table that is as high as its rows


def content(view: View) -> list[Any]:
    """The season's outlook, what hangs on the next games, and their forecasts; or how to make them."""
    league = view.league["league"]
    outlook, games, races = (
        view.answer.rows(name, league=league) for name in ("outlooks", "forecasts", "race_forecasts")
    )
    cups = view.answer.rows("cups", league=league)
    if not (outlook or games or races or cups):
        return [_nothing(league), _guide(view, has_draws=True)]
    what = what_if(view)
    return [
        _guide(view, has_draws=any(row["draw"] for row in games)),
        *([_season(view, outlook, what)] if outlook else []),
        *_hanging(league, view.answer.rows("leverages", league=league)),
        *([_games(view, games, what)] if games else []),
        *missed(view, what),
        *([_races(view, races)] if races else []),
        *(_cup(view, name, list(rows)) for name, rows in groupby(cups, key=lambda row: row["cup"])),
    ]


def _nothing(league: str) -> Component:
    return html.Section(
        [
            html.H2("Nothing is forecast yet"),
            html.P(["Games that the feed lists without a result: ", html.Code(f"pooltable forecast {league}")]),
            html.P(["Games of your own: ", html.Code(f"pooltable forecast {league} fixtures.csv")]),
            html.P(["The rest of the season: ", html.Code(f"pooltable simulate {league}")]),
            html.P(["A cup: ", html.Code(f"pooltable simulate {league} --cup cup.toml")]),
        ],
        className="block",
    )


def _guide(view: View, *, has_draws: bool) -> Component:
    middle = ", in the middle that of a draw" if has_draws else ""
    return guide(
        "How to read this",
        [
            f"In a bar, the left part is the chance of the first side{middle}, the right part that of the second. The "
            "dark line is how far the first side's chance may be off: 90 % of what the ratings leave open. The rest is "
            "the game's own luck, which no rating takes away.",
            "A season is played 10,000 times to its end, each time with other ratings that the results allow, which "
            "move on as they have moved before. Thin lines hold 90 % of the ends, thick ones half.",
            explained("forecasts", "How seasons, play-offs and cups are simulated", view),
        ],
    )


def _season(view: View, rows: list[Row], what: WhatIf) -> Component:
    first = rows[0]
    made = (
        f"Season {first['season']}, from the games before {day(first['as_of'])}, {ago(first['made_at_utc'], view.now)}."
    )
    parts: list[Any] = [html.H2("How the season ends"), html.P(made, className="quiet"), *told(view, what)]
    for table, own in groupby(with_results(what, rows), key=lambda row: row["table"]):
        parts += _table(view.league["league"], table, sorted(own, key=lambda row: row["expected_place"]))
    return html.Section(parts, className="block")


def _table(league: str, table: str, rows: list[Row]) -> list[Component]:
    """One table: points now and at the end, and the chances of what places mean."""
    is_moved = "before" in rows[0]
    prizes = list(rows[0]["before" if is_moved else "chances"] or {})  # in the order of the season's rules
    fields = {"prize": "chances"} | ({"before": "before"} if is_moved else {})
    shown = [row | {f"{field}_{k}": (row[of] or {}).get(prize) for field, of in fields.items()
                    for k, prize in enumerate(prizes)} for row in rows]  # fmt: skip
    for row in shown:
        del row["chances"]
    low, high = min(row["points_q5"] for row in rows), max(row["points_q95"] for row in rows)
    columns: list[Column] = [
        name_link(league, "Who", "In the order of expected places.", width=178, pinned="left", tooltipField="name"),
        *(column for k, prize in enumerate(prizes) for column in _prize(k, _words(prize), is_moved=is_moved)),
        number("points", "Points", "Points now.", "params.value", width=78),
        number("expected_points", "In the end", "Expected points at the end of the season.", ONE, width=96),
        {
            "field": "points_q5", "headerName": "Points at the end", "cellRenderer": "PointsBar", "sortable": False,
            "headerTooltip": "Thin: 90 % of the simulated ends; thick: half of them; short post: the mean.",
            "cellRendererParams": {"low": low, "high": high}, "cellClass": "bar", "minWidth": 150, "flex": 1,
        },
        number("expected_place", "Place", "Expected place.", ONE, width=72, sortingOrder=["asc", "desc"]),
        number("played", "Played", "Games played.", "pooltable.whole(params.value)", width=82),
    ]  # fmt: skip
    title = [html.H3(KINDS.get(table, table))] if table else []
    return [
        *title,
        _drawn(f"outlook-{table or 'season'}".replace(".", "-"), columns, shown, f"Outlook {table}".strip()),
    ]


def _prize(k: int, words: str, *, is_moved: bool) -> list[Column]:
    """The column of a chance, and where results are given that of the chance without them."""
    whole: Column = {"wrapHeaderText": True, "autoHeaderHeight": True}
    found = [number(f"prize_{k}", words, f"Chance to end as {words.lower()}.", ODDS, width=104, **whole)]
    if is_moved:
        meaning = f"Chance to end as {words.lower()} without the given results."
        found.append(number(f"before_{k}", "before", meaning, ODDS, width=74))
    return found


def _drawn(grid_id: str, columns: list[Column], rows: list[Row], label: str) -> Component:
    """A table as high as its rows where these are few, else one that scrolls."""
    if len(rows) <= FEW:
        return small_grid(grid_id, columns, rows, label)
    return html.Div(grid(grid_id, columns, rows, label), className="grid-frame tall")


def _words(prize: str) -> str:
    return prize.replace("_", " ").capitalize()


def _hanging(league: str, rows: list[Row]) -> list[Component]:
    """The games of which most hangs."""
    if not rows:
        return []
    shown = [row | {"played_on": day(row["played_on"]), "prize": _words(row["prize"])} for row in rows]
    has_draws = any(row["if_drawn"] is not None for row in rows)
    columns = [
        text("played_on", "Day", "When it is to be played.", width=124),
        text("game", "Game", "The home side first.", minWidth=290, flex=1),
        name_link(league, "Who", "Whose chance it is.", minWidth=150, flex=1),
        text("prize", "Of", "What its place would mean.", width=112),
        number("chance", "Now", "The chance whatever comes of the game.", CHANCE, width=84),
        number("if_first_wins", "Home win", "The chance if the first side wins.", CHANCE, width=102),
        *([number("if_drawn", "Draw", "The chance if it is drawn.", CHANCE, width=84)] if has_draws else []),
        number("if_second_wins", "Away win", "The chance if the second side wins.", CHANCE, width=102),
    ]
    words = "How far a chance moves with the result of one game, in the seasons where it came so."
    table = small_grid("leverage", columns, shown, "What hangs on the next games")
    return [html.Section([html.H2("What hangs on the next games"), html.P(words, className="quiet"), table],
                         className="block")]  # fmt: skip


def how_many(shown: int, of_all: int) -> str:
    """How many games are shown, and of how many where that is not all: "The next 500 of 724 games"."""
    return f"The next {shown:,} of {counted(of_all, 'game')}" if shown < of_all else counted(shown, "game")


def _games(view: View, rows: list[Row], what: WhatIf) -> Component:
    first = rows[0]
    age = ago(first["made_at_utc"], view.now)
    made = f"{how_many(len(rows), first['of_all'])}, from the games before {day(first['as_of'])}, {age}."
    league = view.league["league"]
    columns = [
        text("played_on", "Day", "When it is to be played.", width=124),
        name_link(league, "Home", "The home side, or on neutral ground the first.", "first", "first_id", minWidth=150,
                  flex=1, **WRAPPED),
        name_link(league, "Away", "The other side.", "second", "second_id", minWidth=150, flex=1, **WRAPPED),
        _result("win", "Home win", "Chance that the first side wins.", 102),
        *([_result("draw", "Draw", "Chance of a draw.", 84)] if any(row["draw"] for row in rows) else []),
        _result("loss", "Away win", "Chance that the second side wins.", 102),
        {
            "field": "win_low", "headerName": "Chances", "cellRenderer": "Chances", "cellClass": "bar",
            "headerTooltip": "Dark line: 90 % of what the ratings leave open of the first side's chance.",
            "sortable": False, "width": 190,
        },
        *_of_scores(rows),
    ]  # fmt: skip
    shown = [
        choices(what, row) | {"played_on": day(row["played_on"]), "score": _score(row), "likely": _likely(row)}
        for row in rows
    ]
    for row in shown:
        del row["likely_scores"], row["of_all"]
    table = _drawn("forecasts", columns, shown, "Games to come")
    how = "What if? Choose the chance of a result, or several: the season above is shown as it would be then."
    words = [html.P(made, className="quiet"), *([html.P(how)] if what.games else [])]
    return html.Section([html.H2("Games to come"), *words, table], className="block")


def _result(field: str, title: str, meaning: str, width: int) -> Column:
    """The column of the chance of a result, which may be given by choosing it."""
    return number(field, title, meaning, CHANCE, width=width, cellRenderer="WhatIf")


def _of_scores(rows: list[Row]) -> list[Column]:
    """Columns of what only some outcomes have."""
    found: list[Column] = []
    if rows[0]["expected_first"] is not None:
        found.append(text("score", "Expected", "Expected score.", width=104))
    if rows[0]["expected_margin"] is not None:
        found.append(number("expected_margin", "Margin", "Expected margin of the first side.", MARGIN, width=92))
    if rows[0]["likely_scores"]:
        found.append(text("likely", "Likeliest", "The likeliest scores with their chances.", width=220))
    return found


def _score(row: Row) -> str | None:
    return None if row["expected_first"] is None else f"{row['expected_first']:.1f} – {row['expected_second']:.1f}"


def _likely(row: Row) -> str:
    best = (row["likely_scores"] or [])[:3]
    return ", ".join(f"{one['first']}–{one['second']} {percent(one['chance'])}" for one in best)


def _races(view: View, rows: list[Row]) -> Component:
    made = f"From the races before {day(rows[0]['as_of'])}, {ago(rows[0]['made_at_utc'], view.now)}."
    columns = [
        text("played_on", "Day", "When it is to be held.", width=116),
        text("race", "Race", "Which race.", minWidth=170, flex=1),
        name_link(
            view.league["league"],
            "Entrant",
            "By expected place; who raced last where no entries are known yet.",
            "entrant",
            "entrant_id",
            minWidth=150,
            flex=1,
        ),
        number("win", "Win", "Chance to come first.", CHANCE, width=84),
        number("top3", "Top 3", "Chance to come among the first three.", CHANCE, width=84),
        number("top10", "Top 10", "Chance to come among the first ten.", CHANCE, width=92),
        number("expected_place", "Place", "Expected place.", ONE, width=84),
    ]
    shown = [row | {"played_on": day(row["played_on"])} for row in rows]
    table = _drawn("race-forecasts", columns, shown, "Races to come")
    return html.Section([html.H2("Races to come"), html.P(made, className="quiet"), table], className="block")


def _cup(view: View, name: str, rows: list[Row]) -> Component:
    first = rows[0]
    made = f"By the ratings from the games before {day(first['as_of'])}, {ago(first['made_at_utc'], view.now)}."
    shown = [
        {"name": row["name"], "competitor_id": row["competitor_id"]}
        | {f"round_{k}": chance for k, chance in enumerate(row["chances"])}
        for row in rows
    ]
    columns = [
        name_link(view.league["league"], "Who", "By the chance to win it.", width=178, pinned="left",
                  tooltipField="name"),
        *(number(f"round_{k}", words.capitalize(), f"Chance to reach it: {words}.", ODDS, minWidth=104, flex=1)
          for k, words in enumerate(first["rounds"])),
    ]  # fmt: skip
    grid_id = f"cup-{name}".replace(".", "-")
    table = _drawn(grid_id, columns, shown, f"Cup {_words(name)}")
    return html.Section([html.H2(_words(name)), html.P(made, className="quiet"), table], className="block")


QUERIES = ("outlooks", "leverages", "forecasts", "race_forecasts", "cups")
PAGE = Page("/forecasts", "Forecasts", content, queries=QUERIES)
