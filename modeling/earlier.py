"""What the warehouse knows of fits made earlier: their verdicts, their audits, and what a new one starts from."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import xarray as xr

VERDICT = "SELECT verdict, reasons, is_dated, fitted_at_utc, current_at_utc, override_reason FROM fit WHERE fit_id = ?"
AUDITED = """
SELECT
    (SELECT max(audited_at_utc) FROM audit WHERE league = $league),
    (SELECT engine FROM fit WHERE fit_id = $fit_id),
    (SELECT override_reason IS NOT NULL FROM fit WHERE fit_id = $fit_id),
    (SELECT verdict FROM audit WHERE fit_id = $fit_id),
    (SELECT message FROM audit WHERE fit_id = $fit_id)
"""
START = """
SELECT fit_id FROM fit
WHERE league = $league AND fit_id <> $fit_id AND verdict = 'accepted' AND NOT is_dated AND outcome = $outcome
    AND design::JSON ->> '$.likelihood_name' = $likelihood
ORDER BY current_at_utc DESC LIMIT 1
"""
START_PARAMETERS = "SELECT parameter, mean FROM hyperparameter WHERE fit_id = ?"
START_EFFECTS = "SELECT kind, component, competitor_id, mean FROM rating WHERE fit_id = ? AND shrinkage IS NOT NULL"
LAST = """
SELECT fit_id, design, code_hash, games, current_at_utc FROM fit
WHERE league = $league AND fit_id <> $fit_id AND verdict = 'accepted' AND NOT is_dated
ORDER BY current_at_utc DESC LIMIT 1
"""
RANKED = """
SELECT kind, competitor_id, rating.mean, rating.sd
FROM standing JOIN rating USING (fit_id, kind, competitor_id)
WHERE fit_id = ? AND component = 'total' AND status = 'ranked'
"""
CORRECTED = """
SELECT count(DISTINCT game_id) FROM game_change JOIN load USING (league, load_id) JOIN game USING (league, game_id)
WHERE league = $league AND loaded_at_utc > $since AND map_contains(attributes, 'corrected')
"""
AFTER_OTHERS = """
SELECT greatest(?, max(other.current_at_utc) + INTERVAL 1 MILLISECOND)
FROM fit AS this JOIN fit AS other ON other.league = this.league AND other.fit_id <> this.fit_id
WHERE this.fit_id = ?
"""
ACCEPTED = """
SELECT fit_id, as_of FROM fit
WHERE league = $league AND verdict = 'accepted'
    AND CASE WHEN $as_of::DATE IS NULL THEN NOT is_dated ELSE as_of = $as_of::DATE END
ORDER BY current_at_utc DESC, fit_id
"""
SPENT = """
SELECT fit_id FROM fit WHERE league = ?
QUALIFY row_number() OVER (PARTITION BY verdict, is_dated ORDER BY current_at_utc DESC, fit_id) > ?
"""
CUPS = "SELECT DISTINCT cup FROM cup_outlook WHERE league = ? ORDER BY cup"


@dataclass(frozen=True)
class Earlier:
    """What the warehouse says of a fit made earlier."""

    verdict: str
    reasons: list[str]
    is_dated: bool
    fitted_at: datetime
    """UTC."""
    current_at: datetime
    """When its inputs were last found to be today's, UTC without saying so."""
    override_reason: str | None = None
    """Why a person accepted it against the rules, if one did."""


def read_earlier(con: duckdb.DuckDBPyConnection, fit_id: str) -> Earlier | None:
    """The fit of that id, or None."""
    rows = con.execute(VERDICT, [fit_id]).fetchall()
    return Earlier(*rows[0]) if rows else None


@dataclass(frozen=True)
class Audited:
    """When a league was last audited, and of one of its fits, if it was made before, by which engine and what came of
    its own audit."""

    last: datetime | None
    engine: str | None = None
    is_overridden: bool = False
    """True where a person accepted that fit against the rules."""
    verdict: str | None = None
    message: str = ""


def read_audited(con: duckdb.DuckDBPyConnection, league: str, fit_id: str) -> Audited:
    """What the warehouse says of a league's audits and of the one of a fit."""
    asked = {"league": league, "fit_id": fit_id}
    last, engine, is_overridden, verdict, message = con.execute(AUDITED, asked).fetchall()[0]
    return Audited(last and last.replace(tzinfo=UTC), engine, bool(is_overridden), verdict, message or "")


@dataclass(frozen=True)
class Start:
    """Posterior means of a league's last accepted fit, for a new one to start from."""

    fit_id: str
    parameters: dict[str, float]
    effects: dict[tuple[str, str], dict[str, float]]
    """By kind and component, ratings by competitor."""
    restart: xr.DataTree | None = None
    """What the chain engine left behind, of the league's last fit by it."""


def read_start(con: duckdb.DuckDBPyConnection, league: str, fit_id: str, outcome: str, likelihood: str) -> Start | None:
    """The last accepted fit of a league with the same likelihood, other than the one that is to be made; or None.

    A fit that is made again so starts where it did before, and comes out the same.
    """
    asked = {"league": league, "fit_id": fit_id, "outcome": outcome, "likelihood": likelihood}
    found = con.execute(START, asked).fetchall()
    if not found:
        return None
    start = found[0][0]
    effects: dict[tuple[str, str], dict[str, float]] = {}
    for kind, component, competitor, mean in con.execute(START_EFFECTS, [start]).fetchall():
        effects.setdefault((kind, component), {})[competitor] = mean
    return Start(start, dict(con.execute(START_PARAMETERS, [start]).fetchall()), effects)


@dataclass(frozen=True)
class Before:
    """The league's last accepted fit, as far as an upheaval is told by it."""

    fit_id: str
    design: dict[str, Any]
    """Its model, as `Design.as_json` states it."""
    code_hash: str
    games: int
    corrected: int
    """Games that corrections of ours changed since."""
    ratings: dict[str, dict[str, tuple[float, float]]]
    """By kind and ranked competitor, mean and sd."""


def read_before(con: duckdb.DuckDBPyConnection, league: str, fit_id: str) -> Before | None:
    """The last accepted fit of a league, other than the one that is to be made; or None."""
    found = con.execute(LAST, {"league": league, "fit_id": fit_id}).fetchall()
    if not found:
        return None
    last, design, code, games, at = found[0]
    corrected = con.execute(CORRECTED, {"league": league, "since": at}).fetchall()[0][0]
    ratings: dict[str, dict[str, tuple[float, float]]] = {}
    for kind, competitor, mean, sd in con.execute(RANKED, [last]).fetchall():
        ratings.setdefault(kind, {})[competitor] = mean, sd
    return Before(last, json.loads(design), code, games, corrected, ratings)


def read_accepted(con: duckdb.DuckDBPyConnection, league: str, as_of: date | None) -> list[tuple[str, date]]:
    """Accepted fits of a league with their as-of dates, the newest first: those of a date, or of none in particular."""
    return con.execute(ACCEPTED, {"league": league, "as_of": as_of}).fetchall()


def spent_fits(con: duckdb.DuckDBPyConnection, league: str, kept: int) -> list[str]:
    """Fits of a league other than its newest few of each sort: accepted or rejected, as of a chosen date or not."""
    return [fit_id for (fit_id,) in con.execute(SPENT, [league, kept]).fetchall()]


def after_others(con: duckdb.DuckDBPyConnection, fit_id: str, now: datetime) -> datetime:
    """Now, or where another fit of its league is dated later, a moment after that."""
    return con.execute(AFTER_OTHERS, [now, fit_id]).fetchall()[0][0]


def kept_cups(con: duckdb.DuckDBPyConnection, league: str) -> list[str]:
    """Names of the cups of a league of which chances are kept, in their order."""
    return [name for (name,) in con.execute(CUPS, [league]).fetchall()]
