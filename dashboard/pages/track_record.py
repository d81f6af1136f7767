"""The track record page: what was forecast before the day, and what came of it."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import outlook_figures
from dashboard.frame import Page, View, guide
from dashboard.grid import fitting_grid, name_link, number, text
from dashboard.panel import panel
from dashboard.reader import Row
from dashboard.wording import counted, day

CHANCE = "pooltable.chance(params.value)"
FEWEST = 30  # games below which nothing is made of a difference
FAR = 2.0  # standard errors


def content(view: View) -> list[Any]:
    """The record in words, how reliable chances were, and the games."""
    league = view.league["league"]
    rows = view.answer.rows("track_records", league=league)
    if not rows:
        return [_nothing(league), _how_to_read()]
    bins = view.answer.rows("reliabilities", league=league)
    parts: list[Any] = [_record(rows)]
    if bins:
        words = (
            "Of the games in which a side was given some chance to win, how often it won. On the dashed line chances "
            "are right; the lines are 90 % intervals of what so few games can show."
        )
        figure = outlook_figures.reliability(bins)
        parts.append(html.Div([panel(view, "Chances and what came", words, figure, "reliability")], className="panels"))
    return [*parts, _games(league, rows), _how_to_read()]


def _nothing(league: str) -> Component:
    return html.Section(
        [
            html.H2("No record yet"),
            html.P(
                [
                    "A forecast counts from the day after it was made: only what was said before a game's day is "
                    "scored, by itself, when the result arrives. Make some: ",
                    html.Code(f"pooltable forecast {league}"),
                ]
            ),
        ],
        className="block",
    )


def _how_to_read() -> Component:
    return guide(
        "How to read this",
        [
            "Log loss is how surprised the forecasts were by what came: of a game whose result was given 50 %, 0.69; "
            "of one given 80 %, 0.22; less is better. Forecasts also say how surprised they expect to be. A record "
            "that is much worse than that was too sure of itself, one that is much better not sure enough.",
            "Chances are right where, of all games in which somebody was given about 30 %, about 30 % were won.",
        ],
    )


def _record(rows: list[Row]) -> Component:
    losses, expected = [row["log_loss"] for row in rows], [row["expected_log_loss"] for row in rows]
    count = len(rows)
    mean, said = sum(losses) / count, sum(expected) / count
    of_all = rows[0]["of_all"]
    games = counted(count, "game") if of_all == count else f"the newest {count:,} of {of_all:,} games"
    sentences: list[Any] = [
        html.Strong(f"Log loss {mean:.3f} a game"),
        f" over {games} forecast before their day, {day(rows[-1]['played_on'])} to "
        f"{day(rows[0]['played_on'])}. The forecasts themselves expected {said:.3f}. {_verdict(losses, expected)}",
    ]
    inside = [row["is_in_90"] for row in rows if row["is_in_90"] is not None]
    if inside:
        sentences.append(f" {100 * sum(inside) / len(inside):.0f} % of the margins lie in their 90 % intervals.")
    return html.Section([html.H2("How good were they?"), html.P(sentences)], className="block")


def _verdict(losses: list[float], expected: list[float]) -> str:
    """What the difference from what was expected means: a z test of its mean."""
    count = len(losses)
    if count < FEWEST:
        return "That is too few games to judge."
    apart = [loss - own for loss, own in zip(losses, expected, strict=True)]
    mean = sum(apart) / count
    error = (sum((one - mean) ** 2 for one in apart) / (count - 1) / count) ** 0.5
    if not error or abs(mean) <= FAR * error:
        return "The two agree within noise: chances were about right."
    return "They were surer than they should be." if mean > 0 else "They were less sure than they could be."


def _games(league: str, rows: list[Row]) -> Component:
    has_draws = any(row["draw"] for row in rows)
    columns = [
        text("played_on", "Day", "When it was played.", width=132),
        name_link(league, "Home", "The home side, or the first; of a race its winner.", "first", "first_id",
                  minWidth=150, flex=1),
        name_link(league, "Away", "The other side.", "second", "second_id", minWidth=150, flex=1),
        number("win", "Home win", "Chance that was given to the first side.", CHANCE, width=102),
        *([number("draw", "Draw", "Chance that was given to a draw.", CHANCE, width=84)] if has_draws else []),
        number("loss", "Away win", "Chance that was given to the second side.", CHANCE, width=102),
        text("came", "Result", "What came of it.", width=104),
        number("log_loss", "Log loss", "Minus the logarithm of the chance that was given to what came.",
               "pooltable.fixed(params.value, 2)", width=100),
    ]  # fmt: skip
    kept = [column["field"] for column in columns] + ["first_id", "second_id"]
    told = [row | {"played_on": day(row["played_on"]), "came": _came(row)} for row in rows]
    shown = [{name: row[name] for name in kept} for row in told]
    table = fitting_grid("track-record", columns, shown, "Forecasts and what came of them")
    return html.Section([html.H2("Game by game"), table], className="block")


def _came(row: Row) -> str:
    if row["first_score"] is None:
        return "won"
    return f"{row['first_score']:g} – {row['second_score']:g}"


PAGE = Page("/track-record", "Track record", content, queries=("track_records", "reliabilities"))
