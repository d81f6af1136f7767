"""A comparison of models as text: a table for each method, what it means, and the games that weigh most."""

from collections.abc import Callable
from typing import Any

from jobs.formats import aligned

Row = dict[str, Any]
METHODS = {
    "loo": "Each game forecast from all the others (PSIS-LOO), {games} games",
    "waic": "The same by WAIC, an approximation, {games} games",
    "lfo": "Games forecast from earlier games alone, {games} games",
}
SHOWN = 10  # games of high k-hat


def compared(rows: list[Row], games: list[Row]) -> str:
    """The page: models by elpd, the best first, sentences, and at most 10 games."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    parts = [_method(method, [row for row in rows if row["method"] == method]) for method in methods]
    return "\n\n".join([*parts, *_weighty([row for row in games if row["is_high"]])])


def _method(method: str, rows: list[Row]) -> str:
    ordered = sorted(rows, key=lambda row: row["elpd"], reverse=True)
    columns: dict[str, Callable[[Row], str]] = {
        "model": lambda row: row["variant"],
        "elpd": lambda row: f"{row['elpd']:.1f}",
        "difference": lambda row: "" if row["is_own"] else f"{row['difference']:+.1f}",
        "± se": lambda row: "" if row["is_own"] else f"{row['difference_se']:.1f}",
        "parameters": lambda row: _number(row["p_eff"], ".0f"),
        "worst k": lambda row: _number(row["worst_k"], ".2f"),
        "k > 0.7": lambda row: _number(row["high_k"], ","),
        "left out": lambda row: _number(row["refitted"], ","),
        "in doubt": lambda row: f"{row['doubtful']:,}" if row["doubtful"] or row["method"] != "lfo" else "",
    }
    cells = {name: [of(row) for row in ordered] for name, of in columns.items()}
    shown = {name: column for name, column in cells.items() if any(column)}
    table = aligned(list(shown), list(zip(*shown.values(), strict=True)), [name != "model" for name in shown])
    said = [row["sentence"] for row in sorted(ordered, key=lambda row: not row["is_own"])]
    if method == "waic":
        said = said[:1]
    return "\n".join([METHODS[method].format(games=f"{rows[0]['games']:,}"), "", table, "", *said])


def _weighty(high: list[Row]) -> list[str]:
    """The games of high k-hat, where there are any."""
    if not high:
        return []
    by_game: dict[str, list[Row]] = {}
    for row in sorted(high, key=lambda row: -(row["k_hat"] or float("inf"))):
        by_game.setdefault(row["game_id"], []).append(row)
    cells = [_weighty_cells(rows) for rows in list(by_game.values())[:SHOWN]]
    more = f", {SHOWN} of {len(by_game)}" if len(by_game) > SHOWN else ""
    title = f"Games that the others say too little of (k-hat above 0.7){more}"
    return [f"{title}\n\n{aligned(('k-hat', 'day', 'game', 'result', 'by'), cells, [True, *[False] * 4])}"]


def _weighty_cells(rows: list[Row]) -> tuple[str, ...]:
    """A game and the models that it weighs on."""
    worst = rows[0]
    models = ", ".join(row["variant"] for row in rows)
    return _number(worst["k_hat"], ".2f"), str(worst["played_on"]), worst["sides"], worst["result"], models


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
