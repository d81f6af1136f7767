"""Telling people: an alert when an incident begins and one when it is over, once each; a heartbeat after good nights.

Where to is said by the environment alone, since addresses are secrets: POOLTABLE_ALERT_WEBHOOK (a URL that JSON is
posted to), POOLTABLE_ALERT_COMMAND (a command that gets it on its standard input), POOLTABLE_HEARTBEAT_URL and
POOLTABLE_HEARTBEAT_FILE. None of them is ever logged. What cannot be sent now is sent when somebody next looks.
"""

import json
import logging
import shlex
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Thread

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from jobs.incidents import HOME, Key, follow, how_ended, sentence, standing, stood, unusable
from jobs.locks import alone
from jobs.marks import Mark, Told
from jobs.status import status
from store.errors import PooltableError, StanzaError, StoreError
from store.history import History, Incident, stamp
from store.home import Home
from store.stanzas import read_each

log = logging.getLogger(__name__)
SECONDS = 20.0
WAIT_SECONDS = 120.0
Alert = dict[str, str | None]
Way = Callable[[Alert], bool]
UNUSABLE = (OSError, sqlite3.Error)  # what a disk that is full, read-only or gone is heard as


class Channels(BaseSettings):
    """Where alerts and heartbeats go, from the environment."""

    model_config = SettingsConfigDict(env_prefix="POOLTABLE_", env_ignore_empty=True)

    alert_webhook: SecretStr | None = None
    alert_command: SecretStr | None = None
    heartbeat_url: SecretStr | None = None
    heartbeat_file: Path | None = None

    @property
    def ways(self) -> dict[str, Way]:
        """How people are told, by the channel's name; empty where nobody is. A way says whether the alert was taken,
        with a line in the log where it was not."""
        ways: dict[str, Way] = {}
        if self.alert_webhook is not None:
            ways["webhook"] = partial(_post, self.alert_webhook.get_secret_value())
        if self.alert_command is not None:
            ways["command"] = partial(_run, self.alert_command.get_secret_value())
        return ways


def look(home: Home, now: datetime, channels: Channels | None = None, mark: Mark | None = None) -> None:
    """Finds what began and what is over, records it and tells of it; what could not be told is told the next time.

    Raises LockedError where another process goes on telling, one of UNUSABLE where the home cannot be written.
    """
    channels, mark, history = channels or Channels(), mark or Mark(home.root), History(home.runs)
    with alone(home, "alerts", WAIT_SECONDS):
        _record(mark, history, now)
        follow(history, *_found(home, history, now), now)
        if _unusable(history) is None:
            mark.remove()
        for channel, tell in channels.ways.items():
            for one in history.untold(channel):
                if tell(message(home, one)):
                    if one.kind == "unusable" and one.ended_at is None:
                        _mark(mark, one, channel)
                    history.told(one.number, channel, one.ended_at is not None, now)


def _record(mark: Mark, history: History, now: datetime) -> None:
    """Records what was told of the home while nothing could be recorded."""
    told = mark.read()
    if told is None:
        return
    if not any((one.kind, one.began_at) == ("unusable", told.began_at) for one in history.incidents()):
        history.begin_incident("unusable", HOME, told.message, datetime.fromisoformat(told.began_at))
    if (one := _unusable(history)) is not None:
        for channel in told.channels:
            history.told(one.number, channel, False, now)


def _unusable(history: History) -> Incident | None:
    """That the home cannot be used, where that stands."""
    return next((one for one in history.incidents(open_only=True) if one.kind == "unusable"), None)


def _mark(mark: Mark, one: Incident, channel: str) -> None:
    """Marks that a channel took it, outside the home, where soon nothing may be recorded."""
    told = mark.read() or Told(one.message, one.began_at)
    mark.keep(replace(told, channels=(*told.channels, channel)))


def _found(home: Home, history: History, now: datetime) -> tuple[dict[Key, str], Callable[[str, str], str]]:
    """What is wrong now, and how that of it which stands no more came to be over."""
    try:
        if home.warehouse.exists() and not home.leagues_toml.exists():
            raise StanzaError(f"{home.leagues_toml} is not there")
        found, leagues = status(home, now), read_each(home)
    except StanzaError as error:  # nothing else can be seen: what stood stands on
        return stood(history) | {("unusable", HOME): error.message.rstrip(".")}, lambda _kind, _league: ""
    wrong = standing(found, leagues, history, now)
    if why := unusable(home):  # of which failed nights are only what is seen
        wrong = {key: told for key, told in wrong.items() if key[0] != "failed"} | {("unusable", HOME): why}
    return wrong, lambda kind, league: how_ended(kind, league, found, leagues)


def message(home: Home, one: Incident) -> Alert:
    """An alert as JSON: `text` is a line for people (and for chats, whose webhooks read it), the rest for programs."""
    is_over = one.ended_at is not None
    text = f"Pooltable: {'over: ' if is_over else ''}{sentence(one)}"
    return {
        "text": text,
        "state": "over" if is_over else "began",
        "kind": one.kind,
        "league": one.league or None,
        "message": one.message,
        "latest_message": one.latest_message or None,
        "began_at_utc": one.began_at,
        "ended_at_utc": one.ended_at,
        "ended_message": one.ended_message or None,
        "home": home.root.resolve().name,
    }


def beat_if_well(home: Home, channels: Channels, now: datetime) -> None:
    """Says that a night went well, unless what failed in another still stands."""
    if not any(one.kind in ("failed", "unusable") for one in History(home.runs).incidents(open_only=True)):
        beat(channels, now)


def beat(channels: Channels, now: datetime) -> None:
    """Touches the heartbeat's file, asks for its URL. What fails is logged."""
    if channels.heartbeat_file is not None:
        try:
            channels.heartbeat_file.parent.mkdir(parents=True, exist_ok=True)
            channels.heartbeat_file.write_text(f"{now.isoformat()}\n")
        except OSError as error:
            log.error("the heartbeat's file cannot be written: %s", error.strerror)
    if channels.heartbeat_url is not None and (why := _asked("GET", channels.heartbeat_url.get_secret_value())):
        log.error("the heartbeat was not taken: %s", why)


def _post(url: str, alert: Alert) -> bool:
    if why := _asked("POST", url, alert):
        log.error("an alert was not taken by the webhook: %s", why)
    return not why


def _asked(method: str, url: str, alert: Alert | None = None) -> str:
    """Why the address did not take it, without the address; empty where it did.

    In a thread that is left alone after SECONDS: requests limits each read, which a server that answers byte by byte
    outlives, and whoever looks has other things to do. What is answered is not read.
    """
    import requests

    why = [f"no answer within {SECONDS:g} s"]

    def ask() -> None:
        try:
            with requests.request(method, url, json=alert, timeout=SECONDS, stream=True) as answer:
                answer.raise_for_status()
            why[0] = ""
        except (requests.RequestException, ValueError) as error:
            why[0] = _brief(error)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(SECONDS)
    return why[0]


def _run(command: str, alert: Alert) -> bool:
    """Whether the command ended well. What it prints, and what it leaves running, is its own."""
    nowhere = subprocess.DEVNULL
    try:
        ended = subprocess.run(
            shlex.split(command), input=json.dumps(alert).encode(), stdout=nowhere, stderr=nowhere, timeout=SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        log.error("the alert command did not run: %s", type(error).__name__)
        return False
    if ended.returncode:
        log.error("the alert command ended with exit code %d", ended.returncode)
    return ended.returncode == 0


def _brief(error: Exception) -> str:
    """What went wrong without the address, which requests puts into every message."""
    answer = getattr(error, "response", None)
    return f"HTTP {answer.status_code}" if answer is not None else type(error).__name__


def look_if_heard(home: Home, now: datetime) -> None:
    """A look where anybody is told at all: for commands typed by hand."""
    if Channels().ways:
        Watchman(home)(now)


def look_quietly(home: Home, now: datetime) -> None:
    """`look`, for those who have something else to do: what stops it is logged."""
    try:
        look(home, now)
    except PooltableError as error:
        log.error("alerts wait: %s", error.message)
    except UNUSABLE as error:
        log.error("alerts wait: the home cannot be used: %s", error)


class Watchman:
    """Looks, again and again. Where the home cannot be written (its disk is full, read-only or gone) nothing can be
    recorded there: that is told with a mark outside of it, once by whoever looks, and once when it is over."""

    def __init__(self, home: Home, channels: Channels | None = None) -> None:
        self.home, self.channels, self.mark = home, channels or Channels(), Mark(home.root)

    def __call__(self, now: datetime) -> None:
        """One look."""
        try:
            look(self.home, now, self.channels, self.mark)
        except StoreError as error:  # the run history is damaged, or of a newer version
            log.error("the home cannot be used: %s", error.message)
            self._tell(unusable(self.home) or f"{error.message} {error.hint}".strip(), now)
        except PooltableError as error:
            log.error("alerts wait: %s", error.message)
        except UNUSABLE as error:
            log.error("the home cannot be used: %s", error)
            self._tell(unusable(self.home) or str(error), now)

    def _tell(self, why: str, now: datetime) -> None:
        """Tells those who do not know yet."""
        told = self.mark.read() or Told(why, stamp(now))
        self.mark.keep(told)
        one = Incident(0, "unusable", HOME, told.message, told.began_at, None)
        for channel, tell in self.channels.ways.items():
            if channel not in told.channels and tell(message(self.home, one)):
                _mark(self.mark, one, channel)
