"""The compare page: two to six competitors side by side, who is the better, and their next game."""

import math
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import competitor_figures
from dashboard.attributes import aria
from dashboard.frame import Page, View, address, guide, kind_links, kind_of, notice
from dashboard.grid import Column, name_link, number, small_grid, text
from dashboard.panel import panel
from dashboard.reader import Row
from dashboard.sources import Source, sources
from dashboard.wording import decimals, listed, percent, signed

PATH = "/compare"
PLACES = "abcdef"
CHANCE = "pooltable.chance(params.value)"
VENUES = {"home": "a at home", "neutral": "neutral", "away": "b at home"}
COUNTS = ("poisson", "negative_binomial", "dixon_coles")
SCORES_UP_TO = 15  # expected goals above which a matrix of scores is too large to read


def content(view: View) -> list[Any]:
    """The choice of competitors, and what is known of those that the address names."""
    if not view.league["kinds"]:
        return [html.P("The published fit rates no competitors.", className="quiet")]
    asked, found = _asked(view)
    kind = found[0]["kind"] if found else kind_of(view)
    left_out = _left_out(asked, found, kind)
    found = [row for row in found if row["kind"] == kind]
    return [
        kind_links(PATH, view),
        left_out,
        _choice(view, kind, found),
        *(_compared(view, found) if len(found) > 1 else _too_few(view, kind, found)),
    ]


def _asked(view: View) -> tuple[list[str], list[Row]]:
    """Who the address names, and those of them that are known, of whatever kind."""
    asked = {place: view.query.get(place, "") for place in PLACES}
    found = view.answer.rows("compare_competitors", league=view.league["league"], **asked)
    return [name for name in asked.values() if name], found


def _subject(view: View) -> str:
    """Who are compared."""
    _, found = _asked(view)
    return listed([row["name"] for row in found if row["kind"] == found[0]["kind"]])


def _left_out(asked: list[str], found: list[Row], kind: str) -> Component | None:
    """Who is asked for and not compared: nobody of that name, or of another kind than the first."""
    known = {key for row in found for key in (row["competitor_id"], row["name"])}
    unknown = [f"“{name[:60]}”" for name in asked if name not in known]
    others = [row["name"] for row in found if row["kind"] != kind]
    said = [
        *([f"Nobody rated here is called {listed(unknown)}."] if unknown else []),
        *([f"Left out of these {kind}s, as of another kind: {listed(others)}."] if others else []),
    ]
    return notice(" ".join(said)) if said else None


def _choice(view: View, kind: str, found: list[Row]) -> Component:
    """The field that competitors are chosen in; a browser callback goes to the address of the choice."""
    rows = view.answer.rows("compare_choices", league=view.league["league"], kind=kind)
    known = {row["competitor_id"]: row["name"] for row in [*found, *rows]}
    options: Any = [{"label": name, "value": key} for key, name in known.items()]
    field = html.Div(
        [
            html.Label("Compare", htmlFor="compare-who"),
            dcc.Dropdown(
                id="compare-who", options=options, value=[row["competitor_id"] for row in found], multi=True,
                placeholder=f"Two to six {kind}s", className="chooser",
            ),
            html.Span(id="compare-said", className="quiet", role="status", **aria(live="polite")),
        ],
        className="toolbar compared",
    )  # fmt: skip
    return html.Div([field, _beyond(rows, kind)])


def _beyond(rows: list[Row], kind: str) -> Component | None:
    """That more may be compared than the field offers, and how."""
    if not rows or rows[0]["of_all"] == len(rows):
        return None
    said = f"The field offers the best {len(rows):,} of {rows[0]['of_all']:,} {kind}s. "
    return html.P(f"{said}Any other is compared from its own page: find it on the leaderboard.", className="quiet")


def _too_few(view: View, kind: str, found: list[Row]) -> list[Component]:
    """How to begin, and who may be chosen."""
    told = sources(view, [("Who may be chosen", "compare_choices", {"league": view.league["league"], "kind": kind})])
    if found:
        one = html.P(f"Choose somebody to compare {found[0]['name']} with.", className="quiet block")
        return [one, _how_to_read(), told]
    rows = view.answer.rows("compare_choices", league=view.league["league"], kind=kind)[:3]
    best = {place: row["competitor_id"] for place, row in zip(PLACES, rows, strict=False)}
    link = dcc.Link("the best three", href=address(PATH, league=view.league["league"], **best))
    words = html.P(["Choose two to six of them above, or look at ", link, "."], className="quiet block")
    return [words, _how_to_read(), told]


def _compared(view: View, found: list[Row]) -> list[Any]:
    league, digits = view.league["league"], decimals(row["sd"] for row in found)
    values = {"league": league} | {
        place: found[k]["competitor_id"] if k < len(found) else "" for k, place in enumerate(PLACES)
    }
    pairs, met = (view.answer.rows(name, **values) for name in ("compare_pairs", "compare_opponents"))
    curves = [{"name": row["name"], "values": row["x_values"], "heights": row["heights"]} for row in found]
    words = "Each curve is how likely each value of the rating is. The more two curves overlap, the less is settled."
    asked: list[Source] = [
        (title, name, values) for title, name in (("Ratings", "compare_competitors"), ("Pairs", "compare_pairs"),
                                                  ("Opponents", "compare_opponents"))
    ]  # fmt: skip
    next_game, more = _next_game(view, found)
    return [
        html.Div([panel(view, "How good each is", words, competitor_figures.posteriors(curves, view.league["unit"]),
                        "posteriors-figure"), _pairs(found, pairs)], className="panels"),
        _table(league, found, digits),
        *next_game,
        *_opponents(league, found, met),
        _how_to_read(),
        sources(view, [*asked, *more]),
    ]  # fmt: skip


def _pairs(found: list[Row], pairs: list[Row]) -> Component:
    """P(row above column) as a small grid, a panel of its own."""
    chance = agreeing({(row["a_id"], row["b_id"]): row["probability"] for row in pairs})
    ids = [row["competitor_id"] for row in found]
    rows = [
        {"name": row["name"]} | {f"p{k}": chance.get((row["competitor_id"], other)) for k, other in enumerate(ids)}
        for row in found
    ]
    columns = [
        text("name", "Is … above …?", "The one whose chance it is.", minWidth=120, flex=1.6, cellClass="name"),
        *(number(f"p{k}", row["name"], f"Probability to be rated above {row['name']}.", CHANCE, minWidth=66, flex=1,
                 sortable=False) for k, row in enumerate(found)),
    ]  # fmt: skip
    words = "The probability that the one on the left is truly the better: a share of the joint draws."
    return html.Section(
        [
            html.H2("Who is the better?"),
            html.P(words),
            small_grid("pairs", columns, rows, "Probability to be the better"),
        ],
        className="panel",
    )


def agreeing(chances: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """The chances of pairs as they are shown: in whole per cents but at the ends, and of both orders adding up to one
    (50.5 and 49.5 would each be rounded up).
    """
    shown: dict[tuple[str, str], float] = {}
    for (a, b), chance in chances.items():
        is_whole = 0.005 < chance < 0.995
        own = math.floor(100 * chance + 0.5) / 100 if is_whole else chance
        shown[a, b] = round(1 - shown[b, a], 6) if (b, a) in shown else own
    return shown


def _table(league: str, found: list[Row], digits: int) -> Component:
    signs = f"pooltable.signed(params.value, {digits})"
    whole = "pooltable.whole(params.value)"
    columns: list[Column] = [
        name_link(league, "Name", "Whose line it is.", minWidth=140, flex=1, pinned="left"),
        number("rank", "Rank", "Rank by mean rating.", whole, width=72),
        number(
            "rank_low",
            "90 % ranks",
            "The rank lies in here with 90 % probability.",
            "pooltable.ranks(params.data)",
            width=104,
        ),
        number("rating", "Rating", "Posterior mean.", signs, width=88),
        number("q5", "5 %", "5 % quantile.", signs, width=84),
        number("q95", "95 %", "95 % quantile.", signs, width=84),
        number("p_best", "P(best)", "Probability of being the best of the ranked.", CHANCE, width=88),
        number("games", "Games", "Games used.", whole, width=84),
        number(
            "shrinkage", "Shrinkage", "0 %: rests on its own results.", "pooltable.percent(params.value)", width=104
        ),
        number("opponents_rating", "Schedule", "Mean rating of the opponents met.", signs, width=100),
    ]
    rows = [
        {key: value for key, value in row.items() if key not in ("x_values", "heights", "last_played")} for row in found
    ]
    return html.Section(
        [html.H2("Side by side"), small_grid("compared", columns, rows, "Side by side")], className="block"
    )


def can_meet(league: Row, kind: str) -> bool:
    """True where two of a kind can meet in a game of their own: teams, or players who play alone."""
    return league["likelihood"] is not None and (kind == "team" or (league["players_a_side"] or 1) <= 1)


def _next_game(view: View, found: list[Row]) -> tuple[list[Component], list[Source]]:
    """The next game of the first two at the venue of the address, and its queries."""
    if not can_meet(view.league, found[0]["kind"]):
        return [], []
    a, b = found[:2]
    values = {"league": view.league["league"], "a": a["competitor_id"], "b": b["competitor_id"]}
    rows = {row["venue"]: row for row in view.answer.rows("compare_game", **values)}
    asked = VENUES.get(view.query.get("venue", ""), "neutral")
    venue = asked if asked in rows else next(iter(rows))
    chosen = values | {"venue": venue}
    row, figure_of = rows[venue], _kind_of_figure(view.league, rows[venue])
    parts: list[Any] = [html.H2("The next game"), _venues(view, found, rows, venue), _chances(a, b, row)]
    more: list[Source] = [("The next game", "compare_game", values)]
    if figure_of == "scores":
        found_scores = view.answer.rows("compare_scores", **chosen)
        words = f"The chance of each score in per cent: {a['name']} upwards, {b['name']} to the right."
        figure = competitor_figures.scores(found_scores, a["name"], b["name"])
        parts.append(html.Div([panel(view, "Scores", words, figure, "scores-figure")], className="panels"))
        more.append(("Scores", "compare_scores", chosen))
    if figure_of == "margins":
        parts.append(_margins(view.answer.rows("compare_margins", **chosen), a["name"]))
        more.append(("Margins", "compare_margins", chosen))
    return [html.Section(parts, className="block")], more


def _kind_of_figure(league: Row, row: Row) -> str:
    """Which picture the outcome allows: a matrix of scores, quantiles of a margin, or none."""
    if row["margin"] is None:
        return "none"
    if league["likelihood"] in COUNTS:
        return "scores" if max(row["a_expected"], row["b_expected"]) <= SCORES_UP_TO else "none"
    return "margins"


def _venues(view: View, found: list[Row], rows: dict[str, Row], venue: str) -> Component | None:
    if len(rows) < 2:
        return None
    kept = {place: row["competitor_id"] for place, row in zip(PLACES, found, strict=False)}
    words = {"home": f"{found[0]['name']} at home", "neutral": "Neutral ground", "away": f"{found[1]['name']} at home"}
    links = [
        dcc.Link(words[key], href=address(PATH, league=view.league["league"], **kept, venue=key),
                 className="tab active" if VENUES[key] == venue else "tab")
        for key in words if VENUES[key] in rows
    ]  # fmt: skip
    return html.Nav(links, className="tabs kinds")


def _chances(a: Row, b: Row, row: Row) -> Component:
    """The chances of the next game as a bar with its words."""
    shares = [("share-own", row["win"], f"{a['name']} {percent(row['win'])}"),
              ("share-prior", row["draw"], f"draw {percent(row['draw'])}"),
              ("share-opponents", row["loss"], f"{b['name']} {percent(row['loss'])}")]  # fmt: skip
    shown = [share for share in shares if share[1] > 0.0005]
    bars = [html.Div(className=f"share {name}", style={"width": f"{100 * size:.2f}%"}) for name, size, _ in shown]
    keys = [html.Span([html.Span(className=f"key {name}"), words], className="legend-item") for name, _, words in shown]
    reach = (
        f"The ratings leave {a['name']}'s chance open between {percent(row['win_q5'])} and {percent(row['win_q95'])}"
    )
    score = ""
    if row["a_expected"] is not None:
        score = f" Expected score {row['a_expected']:.1f} – {row['b_expected']:.1f}."
    elif row["margin"] is not None:
        score = f" Expected margin {signed(row['margin'], 1)}."
    return html.Div(
        [
            html.Div(bars, className="shares", role="img", title=", ".join(words for _, _, words in shown)),
            html.Div(keys, className="legend"),
            html.P(f"{reach} (90 %); the rest is the game's own luck.{score}"),
        ]
    )


def _margins(rows: list[Row], name: str) -> Component:
    at = {round(row["level"], 2): signed(row["margin"], 0) for row in rows}
    half, most = f"between {at[0.25]} and {at[0.75]}", f"between {at[0.05]} and {at[0.95]}"
    return html.P(f"{name}'s margin: half of the time {half}, nine times in ten {most}.")


def _opponents(league: str, found: list[Row], met: list[Row]) -> list[Component]:
    """Their games against one another, and against those whom all of them have met."""
    parts = [
        _record(league, found, [row for row in met if row["is_compared"] is among], grid_id, title)
        for among, grid_id, title in ((True, "meetings", "Against one another"), (False, "common", "Common opponents"))
    ]
    shown = [part for part in parts if part is not None]
    return [html.Div(shown, className="two")] if shown else []


def _record(league: str, found: list[Row], met: list[Row], grid_id: str, title: str) -> Component | None:
    if not met:
        return None
    places = {row["competitor_id"]: k for k, row in enumerate(found)}
    rows: dict[str, dict[str, Any]] = {}
    for one in met:
        row = rows.setdefault(one["opponent_id"], {"opponent_id": one["opponent_id"], "opponent": one["opponent"]})
        row[f"r{places[one['competitor_id']]}"] = f"{one['won']}–{one['drawn']}–{one['lost']}"
    columns = [
        name_link(league, "Against", "Whom they met.", "opponent", "opponent_id", minWidth=130, flex=1.6),
        *(text(f"r{k}", row["name"], f"Won, drawn, lost by {row['name']}.", minWidth=84, flex=1)
          for k, row in enumerate(found)),
    ]  # fmt: skip
    table = small_grid(grid_id, columns, list(rows.values())[:15], title)
    return html.Section([html.H2(title), html.P("Won–drawn–lost.", className="quiet"), table], className="block")


def _how_to_read() -> Component:
    return guide(
        "How to read this",
        [
            "“Who is the better” is about strength, “the next game” about one result: a better side "
            "often loses one. Both come from the same joint draws: in each, all ratings are one "
            "possible truth that goes together.",
            "Whatever else is rated beside the two, such as a driver's car, is taken as equal; what varies by surface "
            "or season is left out of the next game.",
        ],
    )


PAGE = Page(PATH, "Compare", content, subject=_subject)
