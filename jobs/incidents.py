"""What stands wrong with a home and since when: failed nights, rejected fits, leagues that are no longer fresh, and a
home that cannot be used, which is told in their place.

All of it is found from the run history, the newest fits and leagues.toml, so that it matters neither who looks nor how
often: an incident begins once and ends once, and the run history keeps both.
"""

import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from tempfile import TemporaryFile
from typing import Literal

from jobs.messages import in_a_line
from jobs.night import STOPPED
from jobs.status import Fit, LeagueStatus, Status, ago
from store.errors import StanzaError
from store.history import History, Incident, stamp
from store.home import Home
from store.stanzas import Stanza

Kind = Literal["failed", "rejected", "stale", "unusable"]
Key = tuple[str, str]  # a Kind, and a league
WORDS: dict[str, str] = {
    "failed": "the night failed",
    "rejected": "the fit was rejected",
    "stale": "not fresh",
    "unusable": "the home cannot be used",
}
WILL_FAIL = "its next night will fail: "
OF_WAREHOUSE = ("rejected", "stale")
HOME = ""  # the league of an incident that is of no league: publishing, the home itself
FULL_BYTES = 64 << 20  # with less free than this, what fails does so for want of room


def standing(
    found: Status, leagues: Mapping[str, Stanza | StanzaError], history: History, now: datetime
) -> dict[Key, str]:
    """What is wrong now, in words, by kind and league. A night that was stopped by hand tells only of what went wrong
    before: it is made up for, or its leagues go stale. What stood of fits and freshness stands on where it cannot be
    seen: another process writes the warehouse, or it is damaged, or the league's stanza is wrong."""
    seen = {one.league for one in found.leagues} if found.is_whole else set()
    wrong = {key: told for key, told in stood(history).items() if key[0] in OF_WAREHOUSE and key[1] not in seen}
    steps = history.last_steps(without=STOPPED)
    wrong |= _of_warehouse(found, steps, now) if found.is_whole else {}
    fits = {one.league: one.fit for one in found.leagues}
    for step in steps:
        league = str(step["league"] or HOME)
        is_told = ("rejected", league) in wrong if not found.is_whole else _tells_of(fits.get(league), step, now)
        if step["state"] == "failed" and not (is_told and str(step["command"]).startswith("fit")):
            _add(wrong, league, f"{step['command']}: {step['message']}")
    if died := _died(history, leagues):
        _add(wrong, HOME, died)
    for league, error in leagues.items():
        if isinstance(error, StanzaError) and error.message.rstrip(".") not in wrong.get(("failed", league), ""):
            _add(wrong, league, f"{WILL_FAIL}{error.message.rstrip('.')}")
    return {key: told for key, told in wrong.items() if key[1] == HOME or key[1] in leagues}


def _add(wrong: dict[Key, str], league: str, told: str) -> None:
    """Says one more thing of a league's failure."""
    earlier = wrong.get(("failed", league))
    wrong["failed", league] = f"{earlier}; {told}" if earlier else told


def _died(history: History, leagues: Collection[str]) -> str:
    """How the last night of any league ended that broke off, or never began, and no step of it tells why; else ""."""
    done: set[str] = set()
    for run in history.rows("run"):
        if run["state"] == "running" or run["kind"] == "pull" or run["message"] == STOPPED:
            continue
        last = set(json.loads(str(run["leagues"]))) & set(leagues) - done
        done |= last
        if last and run["state"] == "failed" and not any(_has_failed(history, run)):
            return str(run["message"])
    return ""


def _has_failed(history: History, run: Mapping[str, object]) -> Iterator[bool]:
    return (step["state"] == "failed" for step in history.steps_of(str(run["run_id"])))


def _tells_of(fit: Fit | None, step: Mapping[str, object], now: datetime) -> bool:
    """Whether a league's newest fit says what became of a step that failed to fit it: it was rejected then, or made,
    or accepted by hand, since. One of the future, by a clock that was wrong, mends nothing."""
    if fit is None or fit.stood_at is None:
        return False
    if fit.verdict == "rejected":
        return stamp(fit.stood_at) >= str(step["started_at_utc"])
    return fit.stood_at <= now and stamp(fit.stood_at) >= str(step["ended_at_utc"])


def _of_warehouse(found: Status, steps: list[dict[str, object]], now: datetime) -> dict[Key, str]:
    """Fits that were rejected, and leagues that are not fresh."""
    wrong: dict[Key, str] = {}
    pulls = {str(step["league"]): step for step in steps if step["command"] == "pull"}
    for one in found.leagues:
        if one.fit and one.fit.verdict == "rejected":
            wrong["rejected", one.league] = in_a_line(one.fit.reasons) or "the last accepted ratings stay"
        if one.is_fresh(now) is False:
            wrong["stale", one.league] = _late(one, pulls.get(one.league), now)
    return wrong


def stood(history: History) -> dict[Key, str]:
    """What stood when somebody last looked."""
    return {(one.kind, one.league): one.message for one in history.incidents(open_only=True)}


def _late(one: LeagueStatus, pull: Mapping[str, object] | None, now: datetime) -> str:
    """How a league breaks its promise of freshness, in words, and what its last pull said if one came to nothing."""
    heard = one.heard_at(now)
    late = f"last pulled {ago(heard, now)}, and its promise is {one.fresh_hours:g} hours (fresh_hours)"
    if pull is None or (heard and str(pull["ended_at_utc"]) <= stamp(heard)):
        return f"{late}; it was not pulled since"
    said = f"{'said' if pull['state'] == 'done' else 'failed'}: {str(pull['message']).rstrip('.')}"
    return f"{late}; the last pull {said}"


def how_ended(kind: str, league: str, found: Status, leagues: Collection[str]) -> str:
    """How it came that an incident stands no more, where there is more to say than that all is well again."""
    if league != HOME and league not in leagues:
        return "the league is rated here no more"
    fits = [one.fit for one in found.leagues if one.league == league and one.fit]
    by_hand = [fit.override_reason for fit in fits if kind == "rejected" and fit.override_reason]
    return f"accepted by hand: {by_hand[0]}" if by_hand else ""


def follow(history: History, wrong: Mapping[Key, str], ended_by: Callable[[str, str], str], now: datetime) -> None:
    """Records what began, what is now wrong of what stands, and what ended; `ended_by` says how."""
    before = {(one.kind, one.league): one for one in history.incidents(open_only=True)}
    for key in sorted(wrong.keys() - before.keys(), key=lambda key: (key[1] == HOME, key)):
        history.begin_incident(*key, wrong[key], now)
    for key in before.keys() & wrong.keys():
        if wrong[key] != (before[key].latest_message or before[key].message):
            history.change_incident(before[key].number, wrong[key])
    for key in sorted(before.keys() - wrong.keys()):
        history.end_incident(before[key].number, now, ended_by(*key))


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


def in_words(kind: str, message: str) -> str:
    """What stands wrong, in words: that a night failed is said of those alone that were."""
    return message if message.startswith(WILL_FAIL) else f"{WORDS[kind]}: {message}"


def sentence(one: Incident) -> str:
    """An incident in one line, with how it ended where that is known."""
    how = f" ({one.ended_message})" if one.ended_message else ""
    latest = one.latest_message or one.message
    is_all = one.kind == "stale" or latest.startswith(one.message)
    what = f"{in_words(one.kind, latest if is_all else f'{one.message}; now: {latest}')}{how}"
    return f"{one.league}: {what}" if one.league else what
