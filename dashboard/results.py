"""Games of a competitor in words: results, what was expected of them, and records against opponents."""

from collections import defaultdict
from statistics import fmean

from dashboard.reader import Row
from dashboard.wording import day, percent, signed

PLACES = {1: "home", -1: "away", 0: "neutral"}
MOST_FACED = 12


def worded(row: Row) -> Row:
    """The row of a game as grids get it: the day, the place, the result and what was expected in words."""
    is_race = row["entries"] > 2
    return row | {
        "on": day(row["played_on"]),
        "played_on": row["played_on"].isoformat(),
        "place_word": None if is_race else PLACES[row["place"]],
        "result": result(row),
        "expected": expected(row),
    }


def result(row: Row) -> str:
    """What came: the score, own side first, else won or lost, of a race the place; a dash where nothing did."""
    if row["entries"] > 2 or (row["finish"] is not None and row["own_score"] is None):
        return "–" if row["finish"] is None else f"{row['finish']}."
    if row["own_score"] is not None and row["other_score"] is not None:
        return f"{row['own_score']:g} – {row['other_score']:g}"
    return {True: "won", False: "lost"}.get(row["won"], "–")


def expected(row: Row) -> str:
    """What was expected: a margin, or a chance to win; a dash where nothing was."""
    if row["expected_margin"] is not None:
        return signed(row["expected_margin"], 1)
    return "–" if row["expected_chance"] is None else percent(row["expected_chance"])


def outcome(row: Row) -> str | None:
    """W, D or L; None where nobody won and nothing was drawn."""
    own, other = row["own_score"], row["other_score"]
    if own is not None and other is not None:
        return "W" if own > other else "L" if own < other else "D"
    return {True: "W", False: "L"}.get(row["won"])


def faced(games: list[Row]) -> list[Row]:
    """One row an opponent met: games, won–drawn–lost and the mean surprise, the most met first."""
    met: dict[str, list[Row]] = defaultdict(list)
    for row in games:
        if row["opponent_id"] is not None and row["status"] not in ("walkover", "awarded", "abandoned"):
            met[row["opponent_id"]].append(row)
    rows = [_faced(rows) for rows in met.values()]
    return sorted(rows, key=lambda row: (-row["games"], row["opponent"] or ""))[:MOST_FACED]


def _faced(games: list[Row]) -> Row:
    outcomes = [outcome(row) for row in games]
    surprises = [row["surprise"] for row in games if row["surprise"] is not None]
    return {
        "opponent_id": games[0]["opponent_id"],
        "opponent": games[0]["opponent"],
        "games": len(games),
        "record": "–".join(str(outcomes.count(one)) for one in "WDL"),
        "surprise": fmean(surprises) if surprises else None,
    }
