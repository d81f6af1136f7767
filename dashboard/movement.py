"""What changed in a league since an earlier day, for the page and for the feeds: rows in, rows and words out."""

from datetime import date, timedelta
from typing import Any

from dashboard.reader import Answer, Row
from dashboard.results import outcome, result
from dashboard.wording import counted, day

SURE = 0.9  # probability from which somebody is said to have moved
MOVERS = 20  # named one by one; counted are all of them
WEEK = timedelta(days=7)


def earlier_day(days: list[Row], as_of: date, asked: str | None) -> Row | None:
    """The kept day that is asked for, else the newest that is a week or more before the fit's, else the first kept."""
    chosen = next((row for row in days if row["as_of"].isoformat() == asked), None)
    old = next((row for row in days if row["as_of"] <= as_of - WEEK), None)
    return chosen or old or (days[-1] if days else None)


def movers(rows: list[Row]) -> list[Row]:
    """Those who truly moved with probability 0.9 or more, the furthest first."""
    sure = [row for row in rows if row["p_moved"] is not None and row["p_moved"] >= SURE]
    return sorted(sure, key=lambda row: (-abs(row["moved"]), -row["p_moved"], row["name"]))


def came_and_went(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Those ranked now and not on the earlier day, and those ranked then and not now."""
    return [row for row in rows if row["earlier_rank"] is None], [row for row in rows if row["rank"] is None]


def with_games(answer: Answer, league: str, since: date, rows: list[Row]) -> list[Row]:
    """The rows with `played`: their games since that day in a few words."""
    asked = "\n".join(row["competitor_id"] for row in rows)
    found = answer.rows("change_games", league=league, since=since.isoformat(), competitors=asked)
    words: dict[str, list[str]] = {}
    for game in found:
        words.setdefault(game["competitor_id"], []).append(said(game))
    return [row | {"played": _short(words.get(row["competitor_id"], []))} for row in rows]


def said(game: Row) -> str:
    """A game in a few words: "W 3 – 1 Georgia", "5. on 12 May 2024"."""
    if game["entries"] > 2:
        return f"{result(game)} on {day(game['played_on'])}"
    score = "" if game["own_score"] is None else f" {result(game)}"
    return f"{outcome(game) or '–'}{score} {game['opponent'] or ''}".strip()


def _short(words: list[str], most: int = 4) -> str:
    if not words:
        return "no game: others moved"
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[-most:]) + more


def summary(rows: list[Row]) -> str:
    """What changed in one sentence, without names."""
    new, gone = came_and_went(rows)
    up = sum(row["moved"] > 0 for row in movers(rows))
    down = len(movers(rows)) - up
    if not (up or down or new or gone):
        return "Nobody's rank truly moved."
    parts: list[Any] = [f"{counted(up, 'competitor')} up", f"{down:,} down", f"{len(new):,} new", f"{len(gone):,} gone"]
    return ", ".join(parts) + "."
