"""What stands wrong with a home and since when: failed nights, rejected fits, leagues that are no longer fresh, and a
home that cannot be used, which is told in their place.

All of it is found from the run history, the newest fits and leagues.toml, so that it matters neither who looks nor how
often: an incident begins once and ends once, and the run history keeps both.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import Literal

from jobs.messages import in_a_line
from jobs.status import LeagueStatus, Status, ago
from store.history import History, Incident
from store.home import Home
from store.stanzas import Stanza

Kind = Literal["failed", "rejected", "stale", "unusable"]
Key = tuple[Kind, str]
WORDS: dict[str, str] = {
    "failed": "the night failed",
    "rejected": "the fit was rejected",
    "stale": "not fresh",
    "unusable": "the home cannot be used",
}
HOME = ""  # the league of an incident that is of no league: publishing, the home itself
FULL_BYTES = 64 << 20  # with less free than this, what fails does so for want of room


@dataclass(frozen=True)
class Changed:
    """What began and what ended since somebody last looked, and what stands."""

    began: tuple[Incident, ...]
    ended: tuple[Incident, ...]
    standing: tuple[Incident, ...]


def standing(found: Status, stanzas: Mapping[str, Stanza], history: History, now: datetime) -> dict[Key, str]:
    """What is wrong now, in words, by kind and league."""
    wrong: dict[Key, str] = {}
    rejected = {one.league: one.fit for one in found.leagues if one.fit and one.fit.verdict == "rejected"}
    for name, fit in rejected.items():
        wrong["rejected", name] = in_a_line(fit.reasons) or "the last accepted ratings stay"
    for step in history.last_steps():
        league = str(step["league"] or HOME)
        if step["state"] == "failed" and not (league in rejected and str(step["command"]).startswith("fit")):
            earlier = wrong.get(("failed", league))
            told = f"{step['command']}: {step['message']}"
            wrong["failed", league] = f"{earlier}; {told}" if earlier else told
    for one in found.leagues:
        if one.league in stanzas and one.is_fresh(now) is False:
            wrong["stale", one.league] = _late(one, now)
    return {key: told for key, told in wrong.items() if key[1] == HOME or key[1] in stanzas}


def _late(one: LeagueStatus, now: datetime) -> str:
    """How a league breaks its promise of freshness, in words."""
    last = max(at for at in (one.loaded_at, one.pulled_at) if at)
    return f"last pulled {ago(last, now)}, and its promise is {one.fresh_hours:g} hours (fresh_hours)"


def follow(history: History, wrong: Mapping[Key, str], now: datetime) -> Changed:
    """Records what began and what ended, and returns it with all that stands now."""
    before = {(one.kind, one.league): one for one in history.incidents(open_only=True)}
    for key in sorted(wrong.keys() - before.keys(), key=lambda key: (key[1] == HOME, key)):
        history.begin_incident(*key, wrong[key], now)
    for key in sorted(before.keys() - wrong.keys()):
        history.end_incident(before[key].number, now)
    after = history.incidents(open_only=True)
    began = tuple(one for one in after if (one.kind, one.league) not in before)
    ended = tuple(one for key, one in before.items() if key not in wrong)
    return Changed(began, ended, tuple(after))


def unusable(home: Home) -> str:
    """Why the home cannot be used (its disk is full, read-only or gone), in words; "" where it can."""
    try:
        with TemporaryFile(dir=home.root) as file:
            file.write(bytes(1 << 16))
            file.flush()
        free = shutil.disk_usage(home.root).free
    except OSError as error:
        return f"{home.root} cannot be written: {error.strerror}"
    return f"the disk of {home.root} is full: {free >> 20} MB are free" if free < FULL_BYTES else ""


def sentence(one: Incident) -> str:
    """An incident in one line."""
    what = f"{WORDS[one.kind]}: {one.message}"
    return what if one.kind == "unusable" else f"{one.league or 'publish'}: {what}"
