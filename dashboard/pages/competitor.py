"""The competitor page: how good one team or player is, how sure that is, where it comes from, and game by game."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import competitor_figures
from dashboard.frame import Page, View, address, guide, state, tip
from dashboard.grid import Column, fitting_grid, name_link, number, small_grid, text
from dashboard.panel import panel
from dashboard.reader import Row
from dashboard.results import faced, worded
from dashboard.sources import sources
from dashboard.wording import counted, day, decimals, percent, signed

PATH = "/competitor"
ONE = "pooltable.fixed(params.value, 1)"
CHANCE = "pooltable.chance(params.value)"
FEW = 5  # best and worst results shown
FROM = {
    "own": ("own games", "Its own results."),
    "teammates": ("team-mates", "Results of those it played beside, which say how much of a side's was theirs."),
    "opponents": ("opponents", "Results of others that say how strong those were whom it met."),
    "group": ("group", "What is known of its group: division, confederation, level."),
    "prior": ("all competitors", "How strong competitors usually are: what is said of one without results."),
}
QUERIES = (
    "competitor", "competitor_history", "competitor_games", "competitor_fixtures", "competitor_similar",
    "competitor_slopes",
)  # fmt: skip


def content(view: View) -> list[Any]:
    """Everything about the competitor that the address names, or how to find one."""
    league, asked = view.league["league"], view.query.get("competitor", "")
    found = view.answer.rows("competitor", league=league, competitor=asked)
    if not found:
        return [_nobody(league, asked)]
    who = found[0]
    values = {"league": league, "competitor": who["competitor_id"]}
    history, games, coming, similar, slopes = (view.answer.rows(name, **values) for name in QUERIES[1:])
    has_mates = who["kind"] == "player" and (view.league["players_a_side"] or 1) > 1
    mates = view.answer.rows("competitor_mates", **values) if has_mates else []
    told = [*QUERIES, *(["competitor_mates"] if has_mates else [])]
    digits = decimals([who["sd"]])
    played = [worded(row) for row in games if row["status"] != "scheduled"]
    return [
        _head(view, who),
        _stats(who, digits),
        *_over_time(view, who, history, played, digits),
        _borrowing(who),
        _extremes(league, played),
        *_coming(league, coming),
        _games(league, played),
        html.Div([*_opponents(league, played), *_mates(league, mates, digits), *_slopes(slopes, digits),
                  *_similar(league, similar, who, digits)], className="two"),
        _how_to_read(who["kind"]),
        sources(view, [(name.replace("_", " ").capitalize(), name, values) for name in told]),
    ]  # fmt: skip


def _nobody(league: str, asked: str) -> Component:
    title = f"Nobody called “{asked[:60]}” is rated here" if asked else "Which competitor?"
    link = dcc.Link("Find one on the leaderboard", href=address("/leaderboard", league=league, show="all"))
    return state(title, [html.P(link)])


def _head(view: View, who: Row) -> Component:
    compared = address("/compare", league=view.league["league"], a=who["competitor_id"])
    ranked = (
        f"Rank {who['rank']:,}, 90 % {who['rank_low']:,}–{who['rank_high']:,}"
        if who["rank"]
        else who["status"].capitalize()
    )
    return html.Div(
        [
            html.H2(who["name"]),
            html.Span(f"{who['kind']} · {ranked} · last played {day(who['last_played'])}", className="quiet"),
            dcc.Link("Compare", href=compared, className="button"),
        ],
        className="who",
    )


def _stats(who: Row, digits: int) -> Component:
    interval = f"90 % {signed(who['q5'], digits)} to {signed(who['q95'], digits)}"
    alone = "–" if who["unpooled"] is None else signed(who["unpooled"], digits)
    found = [
        _stat("Rating", signed(who["rating"], digits), interval),
        _stat("Own results alone", alone, who["unpooled_reason"] or f"{100 * who['shrinkage']:.0f} % shrinkage"),
        _stat("Games", f"{who['games']:,}", "used by the fit"),
    ]
    if who["p_top3"] is not None:
        found.append(
            _stat(
                "P(best)",
                percent(who["p_best"]),
                f"top 3 {percent(who['p_top3'])}, top 10 {percent(who['p_top10'])}",
            )
        )
    if who["attack"] is not None:
        found.append(
            _stat(
                "Attack, defence",
                f"{signed(who['attack'], digits)}, {signed(who['defence'], digits)}",
                "positive is good",
            )
        )
    if who["opponents_rating"] is not None:
        note = f"{who['schedule_rank']:,} of {who['schedules']:,} by hardness"
        found.append(_stat("Strength of schedule", signed(who["opponents_rating"], digits), note))
    if who["record_strength"] is not None:
        note = f"wins a game above an average competitor's, over {counted(who['record_games'], 'game')}"
        found.append(_stat("Strength of record", signed(who["record_strength"], 2), note))
    return html.Div(found, className="figures")


def _stat(name: str, value: str, note: str) -> Component:
    return html.Div(
        [
            html.Div(name, className="stat-name"),
            html.Div(value, className="stat-value"),
            html.Div(note, className="stat-note"),
        ],
        className="stat",
    )


def _over_time(view: View, who: Row, history: list[Row], games: list[Row], digits: int) -> list[Component]:
    """Rating and surprises, and ranks, where there is more than one day to draw: what all results tell of each day now,
    with what was said then beside it; where ratings do not walk, what was said then."""
    now = [row for row in history if row["basis"] == "smoothed"]
    then = [row for row in history if row["basis"] != "smoothed"]
    is_walk = _days(now) > 1
    shown = now if is_walk else then if _days(then) > 1 else []
    known = [row for row in games if row["surprise"] is not None]
    if not shown and not known:
        return []
    told = "How strong it was on each day as all results tell it now, later ones too." if is_walk else ""
    bars = (
        "Each bar is a game: upwards the result was better than today's ratings would have expected, downwards worse, "
        "in standard deviations of one game."
    )
    words = f"{told} {bars if known else ''}".strip()
    note = (
        None
        if shown
        else "Of earlier days no ratings are kept here. They can be fitted: "
        f"pooltable backfill {view.league['league']} --from DATE --to DATE"
    )
    beside = then if is_walk and _days(then) > 1 else []
    figure = competitor_figures.rating_history(shown, known, view.league["unit"], digits, beside)
    panels = [panel(view, "Over time", words, figure, "history-figure", note)]
    if any(row["rank"] for row in shown):
        words = (
            "The rank on each day among those ranked then, as all results tell it now."
            if is_walk
            else "The rank on each day, as it was said then or fitted later to the results before that day."
        )
        panels.append(panel(view, "Rank", words, competitor_figures.rank_history(shown), "ranks-figure"))
    return [html.Div(panels, className="panels")]


def _days(rows: list[Row]) -> int:
    return len({row["as_of"] for row in rows})


def _borrowing(who: Row) -> Component | None:
    if who["own"] is None:
        return None
    shares = {name: max(0.0, who[name]) for name in FROM}
    bars = [
        html.Div(className=f"share share-{name}", style={"width": f"{100 * share:.2f}%"})
        for name, share in shares.items()
    ]
    keys = [
        html.Span(
            [html.Span(className=f"key key-{name}"), tip(f"{words} {percent(shares[name])}", meaning)],
            className="legend-item",
        )
        for name, (words, meaning) in FROM.items() if shares[name] >= 0.005
    ]  # fmt: skip
    said = ", ".join(f"{words} {percent(shares[name])}" for name, (words, _) in FROM.items())
    return html.Section(
        [
            html.H2("Where this rating comes from"),
            html.Div(bars, className="shares", role="img", title=said),
            html.Div(keys, className="legend"),
        ],
        className="block",
    )


def _extremes(league: str, games: list[Row]) -> Component | None:
    known = sorted((row for row in games if row["surprise"] is not None), key=lambda row: row["surprise"])
    if len(known) < 2 * FEW:
        return None
    best, worst = known[::-1][:FEW], known[:FEW]
    parts = [
        html.Section([html.H2(title), small_grid(grid_id, _columns(league, games, short=True), rows, title)])
        for title, grid_id, rows in (("Best results", "best-results", best), ("Worst results", "worst-results", worst))
    ]
    return html.Div(parts, className="two block")


def _games(league: str, games: list[Row]) -> Component | None:
    if not games:
        return None
    made = "The newest 400." if len(games) >= 400 else f"{counted(len(games), 'game')}."
    table = fitting_grid("competitor-games", _columns(league, games), games, "Games")
    return html.Section([html.H2("Game by game"), html.P(made, className="quiet"), table], className="block")


def _columns(league: str, games: list[Row], *, short: bool = False) -> list[Column]:
    """Columns of games; those that nothing would be in are left out."""
    present = {key for row in games for key, value in row.items() if value is not None}
    columns: list[Column] = [text("on", "Day", "When it was played.", width=124)]
    if "opponent" in present:
        columns.append(name_link(league, "Opponent", "Whom it met.", "opponent", "opponent_id", minWidth=140, flex=1))
    if any(row["place_word"] in ("home", "away") for row in games):
        columns.append(text("place_word", "At", "home, away or neutral ground.", width=86))
    columns.append(text("result", "Result", "Own score first; of a race the place.", width=104))
    if "surprise" in present:
        columns.append(text("expected", "Expected", "By today's ratings: the margin, or the chance to win.", width=98))
    if "surprise" in present and not short:
        columns += [
            {"field": "surprise", "headerName": "Surprise", "cellRenderer": "Surprise", "cellClass": "bar",
             "width": 130,
             "headerTooltip": "How far the result was from what was expected; right: better."},
        ]  # fmt: skip
    if not short:
        columns += [
            text(key, title, meaning, **more)
            for key, title, meaning, more in (
                ("event", "Event", "Race, tournament or competition.", {"minWidth": 130, "flex": 1}),
                ("surface", "Surface", "What it was played on.", {"width": 96}),
                ("round", "Round", "Round or stage.", {"width": 110, "tooltipField": "round"}),
                ("season", "Season", "Season.", {"width": 96}),
                ("status", "Status", "How it ended.", {"width": 96}),
            )
            if key in present
        ]  # fmt: skip
    return columns


def _opponents(league: str, games: list[Row]) -> list[Component]:
    rows = faced(games)
    if not rows:
        return []
    columns = [
        name_link(league, "Opponent", "Whom it met.", "opponent", "opponent_id", minWidth=140, flex=1),
        number("games", "Games", "Games between the two.", "pooltable.whole(params.value)", width=84),
        text("record", "W–D–L", "Won, drawn, lost.", width=92),
        number(
            "surprise",
            "Surprise",
            "Mean, in standard deviations of one game.",
            "pooltable.signed(params.value, 1)",
            width=96,
        ),
    ]
    return [_part("Met most", small_grid("opponents", columns, rows, "Opponents"))]


def _mates(league: str, rows: list[Row], digits: int) -> list[Component]:
    if not rows:
        return []
    columns = [
        name_link(league, "Team-mate", "Who was on the same side.", minWidth=140, flex=1),
        number("games", "Games", "Games together.", "pooltable.whole(params.value)", width=84),
        number("rating", "Rating", "Posterior mean.", f"pooltable.signed(params.value, {digits})", width=86),
    ]
    return [_part("Beside", small_grid("team-mates", columns, rows, "Team-mates"))]


def _slopes(rows: list[Row], digits: int) -> list[Component]:
    if not rows:
        return []
    signed_by = f"pooltable.signed(params.value, {digits})"
    columns = [
        text("varies_by", "Varies by", "What the rating differs by.", width=104),
        text("value", "There", "The value of it.", minWidth=96, flex=1),
        number("rating", "Rating", "Against the mean of the ranked who have that value.", signed_by, width=86),
        number("q5", "5 %", "5 % quantile.", signed_by, width=76),
        number("q95", "95 %", "95 % quantile.", signed_by, width=76),
        number(
            "place", "Place", "By rating, among all who have that value.", "pooltable.whole(params.value)", width=76
        ),
    ]
    return [_part("Where it differs", small_grid("slopes", columns, rows, "Ratings by what they vary by"))]


def _similar(league: str, rows: list[Row], who: Row, digits: int) -> list[Component]:
    if not rows:
        return []
    columns = [
        number("rank", "Rank", "Rank.", "pooltable.whole(params.value)", width=68),
        name_link(league, "Name", "The nearest by rating.", minWidth=140, flex=1),
        number("rating", "Rating", "Posterior mean.", f"pooltable.signed(params.value, {digits})", width=86),
        number("p_better", "P(better)", f"Probability that {who['name']} is truly the better.", CHANCE, width=100),
    ]
    return [_part("Nearest by rating", small_grid("similar", columns, rows, "Similar competitors"))]


def _coming(league: str, rows: list[Row]) -> list[Component]:
    if not rows:
        return []
    place = {1: "home", -1: "away", 0: "neutral"}
    shown = [row | {"on": day(row["played_on"]), "at": place[row["place"]], "made_at_utc": None} for row in rows]
    meaning = "Dark line: 90 % of what the ratings leave open of its chance."
    drawn = {"field": "win_low", "headerName": "Chances", "cellRenderer": "Chances", "cellClass": "bar", "width": 190,
             "headerTooltip": meaning, "sortable": False}  # fmt: skip
    of_sides, has_draws = any(row["loss"] is not None for row in rows), any(row["draw"] for row in rows)
    columns = [
        text("on", "Day", "When it is to be played.", width=116),
        name_link(league, "Opponent", "Whom it meets.", "opponent", "opponent_id", minWidth=140, flex=1),
        *([text("at", "At", "home, away or neutral ground.", width=86)] if of_sides else []),
        number("win", "Win", "Chance to win.", CHANCE, width=84),
        *([number("draw", "Draw", "Chance of a draw.", CHANCE, width=84)] if has_draws else []),
        *([number("loss", "Loss", "Chance to lose.", CHANCE, width=84), drawn] if of_sides else []),
        *([] if of_sides else [number("expected_place", "Place", "Expected place.", ONE, width=84)]),
    ]  # fmt: skip
    table = small_grid("coming", columns, shown, "Games to come")
    return [html.Section([html.H2("Next games"), table], className="block")]


def _part(title: str, table: Component) -> Component:
    return html.Section([html.H2(title), table], className="block")


def _how_to_read(kind: str) -> Component:
    return guide(
        "How to read this",
        [
            f"The rating is against the average ranked {kind}, on neutral ground; its 90 % interval holds the true "
            "value with 90 % probability, given the model and the results.",
            "“Surprise” compares a result with what today's ratings would have expected of it, in standard "
            "deviations of one game: between −2 and +2 is the game's ordinary luck. Today's ratings know these games "
            "already, so that surprises are a little smaller than they were on the day. Where ratings move over time "
            "only games of the last year are compared.",
            "“Where this rating comes from” splits what is known: its own games, those of others, and what is known of "
            "anybody before a result. Much “all competitors” means few games of its own.",
            "Strength of schedule is the mean rating of the opponents met, each game counted.",
        ],
    )


def _subject(view: View) -> str:
    """Whose page it is."""
    asked = view.query.get("competitor", "")
    found = view.answer.rows("competitor", league=view.league["league"], competitor=asked)
    return found[0]["name"] if found else ""


PAGE = Page(PATH, "Competitor", content, is_tab=False, subject=_subject)
