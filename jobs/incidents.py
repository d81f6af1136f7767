"""What stands wrong with a home and since when: failed nights, rejected fits, leagues that are no longer fresh.

All of it is found from the run history, the newest fits and leagues.toml, so that it matters neither who looks nor how
often: an incident begins once and ends once, and the run history keeps both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from jobs.messages import in_a_line
from jobs.status import LeagueStatus, Status, ago
from store.history import History, Incident
from store.stanzas import Stanza

Kind = Literal["failed", "rejected", "stale"]
Key = tuple[Kind, str]
WORDS: dict[str, str] = {"failed": "the night failed", "rejected": "the fit was rejected", "stale": "not fresh"}
HOME = ""  # the league of an incident that is of no league: publishing


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
    for step in history.last_nights():
        league = str(step["league"] or HOME)
        if step["state"] == "failed" and not (league in rejected and str(step["command"]).startswith("fit")):
            earlier = wrong.get(("failed", league))
            told = f"{step['command']}: {step['message']}"
            wrong["failed", league] = f"{earlier}; {told}" if earlier else told
    for one in found.leagues:
        if one.league in stanzas and (late := _late(one, stanzas[one.league], now)):
            wrong["stale", one.league] = late
    return {key: told for key, told in wrong.items() if key[1] == HOME or key[1] in stanzas}


def _late(one: LeagueStatus, stanza: Stanza, now: datetime) -> str:
    """How a league breaks its promise of freshness, in words; "" where it keeps it, or was never pulled."""
    last = max((at for at in (one.loaded_at, one.pulled_at) if at), default=None)
    promised = timedelta(hours=stanza.fresh_hours)
    if last is None or now - last <= promised:
        return ""
    return f"last pulled {ago(last, now)}, and its promise is {stanza.fresh_hours:g} hours (fresh_hours)"


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


def sentence(one: Incident) -> str:
    """An incident in one line."""
    return f"{one.league or 'publish'}: {WORDS[one.kind]}: {one.message}"
