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
HIGH_SHOWN, LOW_SHOWN = 10, 5  # games of high k-hat; games that the league's own model expected least


def compared(rows: list[Row], games: list[Row]) -> str:
    """The page: models by elpd, the best first, sentences, and the games that weigh most or were expected least."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    parts = [_method(method, [row for row in rows if row["method"] == method]) for method in methods]
    high = sorted((row for row in games if row["is_high"]), key=lambda row: -(row["k_hat"] or float("inf")))
    weighty = _listed("Games that the others say too little of (k-hat above 0.7)", high, HIGH_SHOWN)
    own = [row for row in games if row["variant"] == next(one["variant"] for one in rows if one["is_own"])]
    unexpected = _listed(
        "Games that were expected least", sorted(own, key=lambda row: row["elpd"])[:LOW_SHOWN], LOW_SHOWN
    )
    return "\n\n".join([*parts, *weighty, *unexpected])


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


def _listed(title: str, rows: list[Row], shown: int) -> list[str]:
    """Games under a title, each once with the models that its row is of, in the order of their first rows; nothing
    where there are none."""
    by_game: dict[str, list[Row]] = {}
    for row in rows:
        by_game.setdefault(row["game_id"], []).append(row)
    if not by_game:
        return []
    cells = [_cells(own) for own in list(by_game.values())[:shown]]
    more = f", {shown} of {len(by_game)}" if len(by_game) > shown else ""
    numbers = ("log density", "k-hat")
    table = aligned(("day", "game", "result", *numbers, "by"), cells, [False, False, False, True, True, False])
    return [f"{title}{more}\n\n{table}"]


def _cells(rows: list[Row]) -> tuple[str, ...]:
    """A game, as the first of its rows has it, and the models."""
    first, models = rows[0], ", ".join(row["variant"] for row in rows)
    numbers = _number(first["elpd"], ".1f"), _number(first["k_hat"], ".2f")
    return str(first["played_on"]), first["sides"], first["result"], *numbers, models


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
