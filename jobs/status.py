"""How each league stands: last pulled, loaded, fitted, published, next refit.

Read from the warehouse, the current edition and the run history; whatever of them is missing or held by another
process leaves its part empty and says so, since status is asked for most when something is wrong.
"""

import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from jobs.messages import in_a_line
from jobs.timetable import SLACK, last_nights, next_refit
from store.edition import current, editions, pinned
from store.errors import LockedError, PooltableError, StoreError
from store.history import History, Incident, stamp
from store.home import Home
from store.query import query
from store.stanzas import Stanza, read_each
from store.warehouse import reading

WAIT_SECONDS = 2.0
MINUTE = timedelta(minutes=1)
LOADS = """
SELECT league, coalesce(max(loaded_at_utc) FILTER (loaded_at_utc <= $until), min(loaded_at_utc)) FROM load
GROUP BY league
"""
FITS = """
SELECT league, fitted_at_utc, verdict, as_of, reasons, override_reason, current_at_utc FROM fit WHERE NOT is_dated
QUALIFY row_number() OVER (PARTITION BY league ORDER BY current_at_utc DESC) = 1
"""
SHOWN = "SELECT league, l.as_of, override_reason FROM league AS l JOIN fit USING (league, fit_id)"


@dataclass(frozen=True)
class Fit:
    """A league's newest fit."""

    fitted_at: datetime
    verdict: str
    as_of: date
    reasons: tuple[str, ...]
    override_reason: str | None = None
    """Why a person accepted it against the rules, if one did."""
    stood_at: datetime | None = None
    """When it was last made, found to be of today's inputs, or accepted by hand."""


@dataclass(frozen=True)
class Shown:
    """The fit whose ratings readers see."""

    as_of: date
    override_reason: str | None


@dataclass(frozen=True)
class LeagueStatus:
    """One league; None where a thing has not happened or cannot be seen now. Times are UTC."""

    league: str
    is_rated: bool
    last_night: datetime | None
    loaded_at: datetime | None
    pulled_at: datetime | None
    fit: Fit | None
    shown: Shown | None
    next_refit: datetime
    fresh_hours: float
    unseen: frozenset[str] = frozenset()
    """Which of the warehouse and the run history (history) could not be looked at."""

    def heard_at(self, now: datetime) -> datetime | None:
        """When it was last loaded or pulled; None where it never was. What a clock that was ahead says does not count
        where there is anything else."""
        known = [at for at in (self.loaded_at, self.pulled_at) if at]
        return max((at for at in known if at <= now + SLACK), default=min(known, default=None))

    def is_fresh(self, now: datetime) -> bool | None:
        """Whether it keeps its promise (fresh_hours); None where it was never pulled."""
        last = self.heard_at(now)
        return None if last is None else -SLACK <= now - last <= timedelta(hours=self.fresh_hours)


@dataclass(frozen=True)
class Status:
    """All leagues, the edition readers see, whether it is pinned, what could not be looked at, and what was found to
    stand wrong; `is_whole` is false where what was loaded and fitted could not be looked at."""

    leagues: tuple[LeagueStatus, ...]
    edition: str | None
    published_at: datetime | None
    is_pinned: bool
    notes: tuple[str, ...]
    incidents: tuple[Incident, ...]
    is_whole: bool


def status(home: Home, now: datetime) -> Status:
    """How every league of the home stands at `now`. Raises StanzaError where leagues.toml cannot be read; a league
    whose stanza is wrong is a note."""
    from ingest.snapshots import standing_in

    leagues = read_each(home)
    stanzas = {name: one for name, one in leagues.items() if isinstance(one, Stanza)}
    notes = [one.message for one in leagues.values() if not isinstance(one, Stanza)]
    loads, fits, is_whole = _warehouse(home, now, notes)
    edition, published_at, shown = _edition(home, notes)
    outages = {name: since for name in stanzas if (since := standing_in(home.raw / name))}
    notes += [_outage(name, since, now) for name, since in outages.items()]
    history = _history(home, now, notes)
    nights, pulls, incidents = history or ({}, {}, ())
    unseen = frozenset({"warehouse"} if not is_whole else ()) | ({"history"} if history is None else frozenset())
    for name, since in outages.items():  # what a pull went on with since then was as old as that
        pulls[name] = min(_first(since), pulls.get(name, now))
    found = [
        LeagueStatus(
            league=name,
            is_rated=bool(stanza.rate),
            last_night=nights.get(name),
            loaded_at=loads.get(name),
            pulled_at=pulls.get(name),
            fit=fits.get(name),
            shown=shown.get(name),
            next_refit=next_refit(stanza.refit, now),
            fresh_hours=stanza.fresh_hours,
            unseen=unseen,
        )
        for name, stanza in stanzas.items()
    ]
    return Status(tuple(found), edition, published_at, pinned(home) is not None, tuple(notes), incidents, is_whole)


def headline(found: Status, now: datetime) -> str:
    """One line about the edition readers see."""
    if found.edition is None or found.published_at is None:
        return "Readers see no edition."
    pin = ", pinned (release it with: pooltable publish --unpin)" if found.is_pinned else ""
    return f"Readers see {found.edition}, published {ago(found.published_at, now)}{pin}."


def row(league: LeagueStatus, now: datetime) -> list[str]:
    """One league's line of the status table, in the order of COLUMNS; "?" for what cannot be seen."""
    fit, is_dark = league.fit, "warehouse" in league.unseen
    fresh = None if is_dark else league.is_fresh(now)
    is_known = not league.unseen or fresh  # a pull that brought nothing new is in the run history alone
    return [
        league.league,
        "?" if "history" in league.unseen else ago(league.last_night, now),
        "?" if is_dark else ago(league.loaded_at, now),
        {None: "", True: "yes", False: f"no: over {league.fresh_hours:g} h"}[fresh] if is_known else "?",
        ago(fit.fitted_at, now) if fit else "not rated" if not league.is_rated else "?" if is_dark else "never",
        _verdict(fit) if fit else "",
        str(fit.as_of) if fit else "",
        str(league.shown.as_of) if league.shown else "",
        f"{league.next_refit:%Y-%m-%d %H:%M}",
    ]


def _verdict(fit: Fit) -> str:
    return "by hand" if fit.override_reason else fit.verdict


def remarks(league: LeagueStatus) -> list[str]:
    """What is to be known of a league's verdicts: why the newest fit was rejected, or why a person accepted it."""
    fit, shown, found = league.fit, league.shown, []
    if fit and fit.override_reason:
        why = in_a_line(fit.reasons)
        found.append(
            f"{league.league}: the newest fit was accepted by hand: {fit.override_reason}. The rules say: {why}"
        )
    elif fit and fit.verdict == "rejected":
        found.append(f"{league.league}: the newest fit was rejected: {in_a_line(fit.reasons)}")
    if shown and shown.override_reason and not (fit and fit.override_reason == shown.override_reason):
        found.append(f"{league.league}: the fit that readers see was accepted by hand: {shown.override_reason}")
    return found


COLUMNS = ["league", "last night", "loaded", "fresh", "fitted", "verdict", "as of", "shown as of", "next refit (UTC)"]


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, in minutes, hours or days; "never" for None."""
    if moment is None:
        return "never"
    if moment > now + SLACK:
        return f"{_span(moment - now)} ahead of the clock"
    return f"{_span(now - moment)} ago" if now - moment >= MINUTE else "just now"


def _span(span: timedelta) -> str:
    """How long, a minute at least, in the largest unit that fits; in days from the third on, as freshness is promised
    in hours."""
    units = ((3, timedelta(days=1), "day"), (1, timedelta(hours=1), "hour"), (1, MINUTE, "minute"))
    size, unit = next((size, unit) for least, size, unit in units if span >= least * size)
    count = span // size
    return f"{count} {unit}{'s' if count > 1 else ''}"


def _warehouse(home: Home, now: datetime, notes: list[str]) -> tuple[dict[str, datetime], dict[str, Fit], bool]:
    """When each league was loaded, its newest fit, and whether that could be seen."""
    if not home.warehouse.exists():
        notes.append("Nothing was loaded here yet: pooltable nightly")
        return {}, {}, True
    try:
        with reading(replace(home, lock_wait_seconds=min(WAIT_SECONDS, home.lock_wait_seconds))) as con:
            loads = con.execute(LOADS, {"until": (now + SLACK).replace(tzinfo=None)}).fetchall()
            fits = con.execute(FITS).fetchall()
    except (LockedError, StoreError) as error:
        notes.append(f"What was loaded and fitted cannot be seen now: {error.message}")
        return {}, {}, False
    newest = {
        name: Fit(_utc(at), verdict, as_of, tuple(why), own, _utc(stood))
        for name, at, verdict, as_of, why, own, stood in fits
    }
    return {name: _utc(at) for name, at in loads}, newest, True


def _history(
    home: Home, now: datetime, notes: list[str]
) -> tuple[dict[str, datetime], dict[str, datetime], tuple[Incident, ...]] | None:
    """When each league had its last night and pull, and what stands wrong; None where that cannot be seen."""
    history = History(home.runs)
    try:
        nights = last_nights(run for run in history.rows("run") if str(run["started_at_utc"]) <= stamp(now + SLACK))
        return nights, history.last_pulls(now + SLACK), tuple(history.incidents(open_only=True))
    except StoreError as error:
        notes.append(f"The run history cannot be read: {error.message} {error.hint}")
    except (sqlite3.Error, OSError) as error:  # SQLite needs room to read
        notes.append(f"The run history cannot be read: {error}. Is the disk full, read-only or gone?")
    return None


def _outage(league: str, since: dict[str, str], now: datetime) -> str:
    """Since when some of the league's sources cannot be had, in words."""
    first = _first(since)
    which = f"{next(iter(since))}{f' and {len(since) - 1:,} more' if len(since) > 1 else ''}"
    return f"{league}: the last snapshots stand in since {first:%Y-%m-%d %H:%M} UTC ({ago(first, now)}) for {which}."


def _first(since: dict[str, str]) -> datetime:
    return _utc(datetime.fromisoformat(min(since.values())))


def _edition(home: Home, notes: list[str]) -> tuple[str | None, datetime | None, dict[str, Shown]]:
    try:
        path = current(home)
        published_at = query(path, "SELECT published_at_utc FROM edition", {}).item()
        shown = query(path, SHOWN, {}).rows()
    except PooltableError as error:
        if not editions(home):
            return None, None, {}  # the headline says that nothing is published
        notes.append(f"The edition readers see cannot be read: {error.message}")
        return None, None, {}
    return path.stem, _utc(published_at), {league: Shown(*fit) for league, *fit in shown}


def _utc(moment: Any) -> datetime:
    return moment.replace(tzinfo=UTC)
