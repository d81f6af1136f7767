"""The night: for each league pull, check, fit what is due, and at the end publish, each a supervised child process.

Leagues go in, outcomes come out; every run and step is written to the run history as it happens. One league's failure
skips what would make no sense after it and never touches another league.
"""

import os
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from jobs.locks import alone
from jobs.messages import last_words
from jobs.supervise import Ended, supervise, tail
from store.errors import LockedError, StoreError
from store.history import History, Run
from store.home import Home
from store.stanzas import read_stanzas
from store.warehouse import reading

MINUTE, HOUR = 60.0, 3600.0
DID_NOT_END = "did not end: its process was killed or the machine stopped"
STOPPED = "stopped by hand"
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Step:
    """One command of the night and how long it may take. `may_fail_if_loaded`: earlier results will do instead."""

    words: tuple[str, ...]
    timeout_seconds: float
    may_fail_if_loaded: bool = False


CHAIN = (
    Step(("pull",), 30 * MINUTE, may_fail_if_loaded=True),
    Step(("check",), 10 * MINUTE),
    Step(("fit", "--due", "--audit"), 6 * HOUR),
    Step(("forecast", "--due"), 30 * MINUTE),
)
UNAUDITED = (*CHAIN[:2], Step(("fit", "--due"), 6 * HOUR))  # the demo's: what matters there is how soon it is seen
PUBLISH = Step(("publish",), 30 * MINUTE)


@dataclass(frozen=True)
class Outcome:
    """What came of one league, or of publishing (league None), in one line."""

    league: str | None
    is_done: bool
    message: str


class Listener(Protocol):
    """Is told about steps as they begin and end."""

    def begins(self, title: str) -> None:
        """A step has begun."""

    def ends(self, title: str, state: str, seconds: float, message: str) -> None:
        """A step has ended: done, failed or skipped."""


def pooltable(home: Home, words: tuple[str, ...]) -> list[str]:
    """The command line that runs a `pooltable` command on `home` with this Python."""
    return [sys.executable, "-P", "-m", "jobs.cli", "--home", str(home.root), *words]


@dataclass
class Night:
    """One night: where it runs, what it is told by and tells to, and how many steps it has begun."""

    home: Home
    run: Run
    clock: Clock
    listener: Listener
    chain: tuple[Step, ...] = CHAIN
    publish: Step = PUBLISH
    argv: Callable[[Home, tuple[str, ...]], list[str]] = pooltable
    steps: int = 0

    @property
    def history(self) -> History:
        """The run history it writes to."""
        return History(self.home.runs)


def new_run(kind: str, leagues: list[str], now: datetime) -> Run:
    """A run of `kind` (manual or schedule) that starts now; its key says when, with something to make it its own."""
    return Run(f"{now:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}", kind, tuple(leagues), now)


def run_night(night: Night, wait_seconds: float = 0) -> list[Outcome]:
    """Runs the whole chain and returns what came of each league and of publishing.

    Raises LockedError where another night runs and does not end within `wait_seconds`.
    """
    with alone(night.home, "night", wait_seconds):
        close_unended(night.home, night.clock())
        night.history.start_run(night.run, os.getpid())
        try:
            outcomes = [_run_league(night, league) for league in night.run.leagues]
            outcomes.append(_run_publish(night))
        except BaseException as stop:
            night.history.end_run(night.run.run_id, night.clock(), "failed", _stopped(stop))
            raise
        failed = [outcome for outcome in outcomes if not outcome.is_done]
        message = f"failed: {', '.join(outcome.league or 'publish' for outcome in failed)}" if failed else "done"
        night.history.end_run(night.run.run_id, night.clock(), "failed" if failed else "done", message)
    return outcomes


def close_unended(home: Home, now: datetime) -> None:
    """Marks runs and steps as failed that a killed night left running. Call it only while holding the night's lock."""
    history = History(home.runs)
    for step in history.rows("step"):
        if step["state"] == "running":
            run_id, number = str(step["run_id"]), int(str(step["number"]))
            log = next((home.logs / run_id).glob(f"{number:02d}-*.log"), None)
            history.end_step(run_id, number, now, "failed", None, DID_NOT_END, tail(log) if log else "")
    for run in history.rows("run"):
        if run["state"] == "running":
            history.end_run(str(run["run_id"]), now, "failed", DID_NOT_END)


def _run_league(night: Night, league: str) -> Outcome:
    """Runs the chain for one league; after a failure the rest is skipped, or goes on with what was loaded before."""
    failures: list[str] = []
    message = ""
    is_over = False
    for step in night.chain:
        if is_over:
            _skip(night, step, league, f"skipped: {failures[-1]}")
            continue
        ended, message = _run_step(night, step, league)
        if ended.exit_code != 0:
            failures.append(f"{step.words[0]}: {message}")
            is_over = not (step.may_fail_if_loaded and _is_loaded(night.home, {league}))
    return Outcome(league, not failures, "; ".join(failures) or message)


def _run_publish(night: Night) -> Outcome:
    if not _is_loaded(night.home, set(read_stanzas(night.home))):
        _skip(night, night.publish, None, "skipped: nothing is loaded")
        return Outcome(None, True, "nothing is loaded, so nothing was published")
    ended, message = _run_step(night, night.publish, None)
    return Outcome(None, ended.exit_code == 0, message)


def _run_step(night: Night, step: Step, league: str | None) -> tuple[Ended, str]:
    """Runs one step as a child and records it; returns how it ended and its last words."""
    number, title, began = _begin(night, step, league)
    words = (*step.words, league) if league else step.words
    record = night.history
    try:
        log = _log_file(night, number, step, league)
        ended = supervise(night.argv(night.home, words), log, step.timeout_seconds)
    except BaseException as stop:
        record.end_step(night.run.run_id, number, night.clock(), "failed", None, _stopped(stop), "")
        raise
    message = last_words(ended, step.timeout_seconds).removeprefix(f"{league}: ")
    state = "done" if ended.exit_code == 0 else "failed"
    now = night.clock()
    record.end_step(night.run.run_id, number, now, state, ended.exit_code, message, ended.tail)
    night.listener.ends(title, state, (now - began).total_seconds(), message)
    return ended, message


def _skip(night: Night, step: Step, league: str | None, reason: str) -> None:
    number, title, began = _begin(night, step, league)
    night.history.end_step(night.run.run_id, number, began, "skipped", None, reason, "")
    night.listener.ends(title, "skipped", 0.0, reason)


def _begin(night: Night, step: Step, league: str | None) -> tuple[int, str, datetime]:
    night.steps += 1
    command = " ".join(step.words)
    title = f"{command} {league}" if league else command
    began = night.clock()
    night.history.start_step(night.run.run_id, night.steps, league, command, began)
    night.listener.begins(title)
    return night.steps, title, began


def _log_file(night: Night, number: int, step: Step, league: str | None) -> Path:
    return night.home.logs / night.run.run_id / f"{number:02d}-{league or 'all'}-{step.words[0]}.log"


def _is_loaded(home: Home, leagues: set[str]) -> bool:
    """True where the warehouse holds results of any of the leagues."""
    if not home.warehouse.exists():
        return False
    try:
        with reading(home) as con:
            loaded = {row[0] for row in con.execute("SELECT DISTINCT league FROM load").fetchall()}
    except LockedError:
        return True  # nobody can tell now; the next step waits again and says who holds it
    except StoreError:
        return False  # the pull that failed has said what is wrong with it
    return bool(loaded & leagues)


def _stopped(stop: BaseException) -> str:
    return STOPPED if isinstance(stop, KeyboardInterrupt | SystemExit) else f"broke off: {stop}"
