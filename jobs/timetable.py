"""What is due when: pure functions of the stanzas, the run history and the time. All times are UTC."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta

from jobs.night import DID_NOT_END, STOPPED
from store.stanzas import Stanza

DAY = timedelta(days=1)


def timetable(stanzas: Mapping[str, Stanza]) -> dict[time, tuple[str, ...]]:
    """The leagues of each refit time; leagues that share a time go into one night."""
    nights: dict[time, tuple[str, ...]] = {}
    for name, stanza in stanzas.items():
        nights[stanza.refit] = (*nights.get(stanza.refit, ()), name)
    return nights


def next_refit(refit: time, now: datetime) -> datetime:
    """The first moment after `now` at which the clock says `refit`."""
    today = datetime.combine(now.astimezone(UTC).date(), refit, UTC)
    return today if today > now else today + DAY


def last_nights(runs: Iterable[Mapping[str, object]]) -> dict[str, datetime]:
    """When each league's last night began, from rows of the run history.

    A night that did not end, or was stopped, is as if it had not been: its leagues are still to be done.
    """
    nights: dict[str, datetime] = {}
    for run in runs:
        if run["message"] in (DID_NOT_END, STOPPED):
            continue
        began = datetime.fromisoformat(str(run["started_at_utc"])).replace(tzinfo=UTC)
        for league in json.loads(str(run["leagues"])):
            nights[league] = max(began, nights.get(league, began))
    return nights


def overdue(leagues: Iterable[str], runs: Iterable[Mapping[str, object]], now: datetime) -> tuple[str, ...]:
    """The leagues whose last night began more than a day ago, or that never had one."""
    nights = last_nights(runs)
    return tuple(league for league in leagues if league not in nights or now - nights[league] > DAY)
