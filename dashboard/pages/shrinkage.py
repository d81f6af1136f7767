"""The shrinkage page: what partial pooling did to each competitor's estimate, and why."""

import math
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import figures
from dashboard.frame import Page, View, explained, kind_links, kind_of
from dashboard.panel import panel
from dashboard.sources import sources
from dashboard.wording import counted, decimals, signed

PATH = "/shrinkage"
MOST_DOTS = 1500  # of a figure
MOST_LINES = 24


def content(view: View) -> list[Any]:
    """The idea in words with an example from the league, then the figures."""
    if not view.league["kinds"]:
        return [html.P("The published fit rates no competitors.", className="quiet")]
    kind, unit = kind_of(view), view.league["unit"]
    values = {"league": view.league["league"], "kind": kind}
    rows = view.answer.rows("estimates", **values)
    digits = decimals(row["sd"] for row in rows)
    curve = view.answer.rows("populations", **values)
    drawn = thinned(rows)
    known = [row for row in rows if row["truth"] is not None]
    return [
        kind_links(PATH, view),
        _idea(view, rows, kind, digits),
        html.Div(
            [
                *_poolings(view, rows, digits),
                *_population(view, rows, curve, kind, digits),
                panel(view, "Pulled towards the middle",
                       "Each dot is a competitor. On the dashed line nothing was pulled. The flatter the cloud at its "
                       "ends, the more the extremes were pulled in.",
                       figures.pooled_against_unpooled(drawn, unit, digits), "pooled-figure", _missing(rows, kind)),
                panel(view, "More games, less pull",
                       "Shrinkage is how much of what was uncertain before the results still is: 100 % with no games, "
                       "towards 0 % as a competitor's own results pile up.",
                       figures.shrinkage_by_games(drawn, digits), "games-figure", _thinned(rows, kind)),
                *([_truthpanel(view, known, unit, digits)] if known else []),
            ],
            className="panels",
        ),
        sources(view, [("Estimates", "estimates", values), ("Population", "populations", values)]),
    ]  # fmt: skip


def thinned(rows: list[dict[str, Any]], most: int = MOST_DOTS) -> list[dict[str, Any]]:
    """At most about `most` of the rows, evenly by rating: more dots than that hide one another and slow the page."""
    step = math.ceil(len(rows) / most)
    return rows[::step] if step > 1 else rows


def spread(rows: list[dict[str, Any]], most: int = MOST_LINES) -> list[dict[str, Any]]:
    """At most `most` of the rows that have an estimate alone, evenly from the lowest of these to the highest."""
    alone = sorted((row for row in rows if row["unpooled"] is not None), key=lambda row: row["unpooled"])
    if len(alone) <= most:
        return alone
    return [alone[round(place * (len(alone) - 1) / (most - 1))] for place in range(most)]


def pulled_most(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The row whose pooled estimate lies furthest from its own results alone, among those pulled inwards."""
    inwards = [row for row in rows if row["unpooled"] is not None and abs(row["rating"]) < abs(row["unpooled"])]
    return max(inwards, key=lambda row: abs(row["unpooled"] - row["rating"]), default=None)


def typical_error(rows: list[dict[str, Any]], estimate: str) -> float | None:
    """Root mean square distance of an estimate from the truth, over the rows that have both estimates."""
    both = [row for row in rows if row["truth"] is not None and row["unpooled"] is not None]
    if not both:
        return None
    return math.sqrt(sum((row[estimate] - row["truth"]) ** 2 for row in both) / len(both))


def _idea(view: View, rows: list[dict[str, Any]], kind: str, digits: int) -> Component:
    parts = [
        html.H2("How to read this"),
        html.P(
            f"A {kind} with a handful of games can look brilliant or hopeless by luck alone. Believing those results "
            "outright (no pooling) swings wildly; calling everybody average (complete pooling) throws away what is "
            "known. Partial pooling goes between, and the data decide how far: it learns how much competitors really "
            "differ, then trusts each one's own results as far as there are games to support them."
        ),
    ]
    example = pulled_most(rows)
    if example is not None:
        parts.append(_example(example, digits))
    parts.append(explained("methodology", "The same as mathematics", view, "#three-ways-of-pooling"))
    return html.Section(parts, className="prose")


def _example(row: dict[str, Any], digits: int) -> Component:
    return html.P(
        [
            html.Strong(row["name"]),
            f" played {counted(row['games'], 'game')}. Those results alone say ",
            html.Strong(signed(row["unpooled"], digits), className="alone"),
            "; knowing how competitors usually differ, the model says ",
            html.Strong(signed(row["rating"], digits), className="pooled"),
            f" (90 % interval {signed(row['q5'], digits)} to {signed(row['q95'], digits)}). ",
            _way(row["shrinkage_by_distance"]),
        ],
        className="example",
    )


def _way(distance: float | None) -> str:
    return f"It was pulled {100 * distance:.0f} % of the way to the group." if distance and 0 < distance < 1 else ""


def _poolings(view: View, rows: list[dict[str, Any]], digits: int) -> list[Component]:
    """The three ways of pooling side by side, and in a simulated league the truth."""
    shown = spread(rows)
    if len(shown) < 2:
        return []
    words = (
        "Left: everyone alone, no pooling. Right: all alike, complete pooling. In the middle: what partial pooling "
        "makes of them. Thin lines are of few games: they are pulled the most."
    )
    if shown[0]["truth"] is not None:
        words += " Far right: the truth, which the simulator knows."
    figure = figures.three_poolings(shown, view.league["unit"], digits)
    note = (
        f"{len(shown)} of {len(rows):,}, evenly from the lowest alone to the highest."
        if len(shown) < len(rows)
        else None
    )
    return [panel(view, "Three ways to estimate", words, figure, "poolings-figure", note)]


def _population(
    view: View, rows: list[dict[str, Any]], curve: list[dict[str, Any]], kind: str, digits: int
) -> list[Component]:
    """How much competitors differ, as it was learned, and where the estimates lie; nothing where it was not learned."""
    if not curve or len(rows) < 2:
        return []
    one, unit = curve[0], view.league["unit"]
    words = (
        f"The curve is what was learned of how {kind}s differ: a spread of {one['scale']:.{digits}f} {unit} (90 % "
        f"interval {one['scale_q5']:.{digits}f} to {one['scale_q95']:.{digits}f}). It is what is said of "
        "somebody without a game, and what everybody is pulled towards. The bars are the estimates."
    )
    note = "The curve is of newcomers: from then on ratings move." if one["is_walk"] else None
    return [
        panel(view, "How much they differ", words, figures.population(rows, curve, unit), "population-figure", note)
    ]


def _thinned(rows: list[dict[str, Any]], kind: str) -> str | None:
    drawn = len(thinned(rows))
    return f"{drawn:,} of {counted(len(rows), kind)} are drawn, evenly by rating." if drawn < len(rows) else None


def _missing(rows: list[dict[str, Any]], kind: str) -> str | None:
    missing = sum(row["unpooled"] is None for row in rows)
    if not missing:
        return None
    return f"{counted(missing, kind)} without a finite estimate from own results alone (unbeaten, say) cannot be drawn."


def _truthpanel(view: View, rows: list[dict[str, Any]], unit: str, digits: int) -> Component:
    pooled, alone = typical_error(rows, "rating"), typical_error(rows, "unpooled")
    words = "These results are simulated, so the truth is known. "
    if pooled is not None and alone is not None:
        words += (
            f"Partial pooling misses it by {pooled:.{digits}f} {unit} typically, results alone by {alone:.{digits}f} "
            "(root mean square)."
        )
    figure = figures.estimates_against_truth(thinned(rows), unit, digits)
    return panel(view, "Closer to the truth", words, figure, "truth-figure")


PAGE = Page(PATH, "Shrinkage", content)
