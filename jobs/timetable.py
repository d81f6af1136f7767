"""What is due when: pure functions of the stanzas, the run history and the time. All times are UTC."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from jobs.night import BROKE_OFF, STOPPED
from jobs.sweep import DID_NOT_END
from store.errors import StanzaError
from store.stanzas import Stanza

DAY = timedelta(days=1)
SLACK = timedelta(minutes=5)  # a moment further ahead than this was written by a clock that was wrong
USUAL: time = Stanza.model_fields["refit"].default
TRIES = 3  # nights in a day that may die under a league before it waits for its time again


@dataclass(frozen=True)
class Entry:
    """What is started at one time of day: the night of some leagues, or only their pulls; whether a server is asked."""

    kind: Literal["schedule", "pull"]
    at: time
    leagues: tuple[str, ...]
    is_online: bool

    @property
    def name(self) -> str:
        """Its name among the scheduler's jobs."""
        return f"{'night' if self.kind == 'schedule' else 'pull'} {self.at:%H:%M:%S}"


def timetable(leagues: Mapping[str, Stanza | StanzaError]) -> list[Entry]:
    """All entries, by time; leagues that share a time go together. A night pulls too: none is needed beside it.

    A league whose stanza is wrong, and was never sound, has the usual time: its night writes down what is wrong.
    """
    found: dict[tuple[Literal["schedule", "pull"], time], list[str]] = {}
    stanzas = {name: one for name, one in leagues.items() if isinstance(one, Stanza)}
    if wrong := [name for name in leagues if name not in stanzas]:
        found["schedule", USUAL] = wrong
    for name, stanza in stanzas.items():
        found.setdefault(("schedule", stanza.refit), []).append(name)
        for at in stanza.pull:
            if at != stanza.refit:
                found.setdefault(("pull", at), []).append(name)
    online = {name for name, stanza in stanzas.items() if any("://" in source for source in stanza.source)}
    entries = [Entry(kind, at, tuple(names), not online.isdisjoint(names)) for (kind, at), names in found.items()]
    return sorted(entries, key=lambda entry: (entry.at, entry.kind))


def next_refit(refit: time, now: datetime) -> datetime:
    """The first moment after `now` at which the clock says `refit`."""
    today = datetime.combine(now.astimezone(UTC).date(), refit, UTC)
    return today if today > now else today + DAY


def last_refit(refit: time, now: datetime) -> datetime:
    """The last moment, `now` or before it, at which the clock said `refit`."""
    return next_refit(refit, now) - DAY


def last_nights(runs: Iterable[Mapping[str, object]]) -> dict[str, datetime]:
    """When each league's last night began, from rows of the run history.

    A night that did not end, or was stopped, is as if it had not been: its leagues are still to be done, those too that
    it had got through. A pull between nights is none.
    """
    nights: dict[str, datetime] = {}
    for run in runs:
        if _died(run) or run["message"] == STOPPED or run["kind"] == "pull":
            continue
        for league in _leagues(run):
            nights[league] = max(_began(run), nights.get(league, _began(run)))
    return nights


def overdue(
    leagues: Mapping[str, Stanza | StanzaError],
    runs: Iterable[Mapping[str, object]],
    now: datetime,
    grace: timedelta = timedelta(0),
) -> tuple[str, ...]:
    """The leagues that had no night, by hand or not, since the last time at which they were to have one.

    A night may be late by `grace`, unless one of them died since then. Nights of the future, by a clock that was wrong,
    do not count. A league whose nights died three times within a day waits for its time: something is wrong with it
    that trying does not mend.
    """
    past = [run for run in runs if _began(run) <= now + SLACK]
    nights = last_nights(past)
    died = [(league, _began(run)) for run in past if _died(run) for league in _leagues(run)]
    tries = Counter(league for league, began in died if now - began < DAY)

    def is_overdue(league: str, refit: time) -> bool:
        due = last_refit(refit, now) - SLACK  # a clock is set by as much
        has_died = any(name == league and began >= due for name, began in died)
        since = due if has_died else last_refit(refit, now - grace) - SLACK
        return tries[league] < TRIES and (league not in nights or nights[league] < since)

    refits = {name: one.refit if isinstance(one, Stanza) else USUAL for name, one in leagues.items()}
    return tuple(league for league, refit in refits.items() if is_overdue(league, refit))


def _died(run: Mapping[str, object]) -> bool:
    """Whether a night was killed, or broke off by an error that is nobody's league's."""
    return run["message"] == DID_NOT_END or str(run["message"]).startswith(BROKE_OFF)


def _began(run: Mapping[str, object]) -> datetime:
    return datetime.fromisoformat(str(run["started_at_utc"])).replace(tzinfo=UTC)


def _leagues(run: Mapping[str, object]) -> list[str]:
    return json.loads(str(run["leagues"]))
