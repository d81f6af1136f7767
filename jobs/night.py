"""The night: for each league pull, check, fit what is due, and at the end publish, each a supervised child process.

Leagues go in, outcomes come out; every run and step is written to the run history as it happens. Leagues go side by
side, as many as cores and memory allow. One league's failure skips what would make no sense after it and never touches
another league. What may pass (exit code 75) is tried again, at most three times in all; nothing else is.
"""

import os
import sys
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from jobs.locks import alone
from jobs.memory import MARGIN, UNKNOWN_BYTES, Memory, cores
from jobs.messages import last_words, rows_of
from jobs.supervise import Ended, supervise
from jobs.sweep import close_unended, sweep
from store.errors import TEMPORARY, LockedError, StoreError, UsageError
from store.history import History, Run, StepEnd
from store.home import Home
from store.stanzas import read_each
from store.warehouse import reading

MINUTE, HOUR = 60.0, 3600.0
STOPPED, BROKE_OFF = "stopped by hand", "broke off: "
WRONG = UsageError.exit_code  # its stanza is wrong: every step would say so
RETRY_SECONDS = (60.0, 300.0)  # waits before the second and the third try of what may pass
LOCK_WAIT_SECONDS = 600  # more patient with the warehouse's lock than a person is; every step may take longer
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
Clock = Callable[[], datetime]
Peaks = dict[tuple[str | None, str], int]  # bytes by league and command


@dataclass(frozen=True)
class Step:
    """One command of the night and how long it may take. `may_fail_if_loaded`: earlier results will do instead."""

    words: tuple[str, ...]
    timeout_seconds: float
    may_fail_if_loaded: bool = False


CHAIN = (
    Step(("pull",), 30 * MINUTE, may_fail_if_loaded=True),
    Step(("check",), 30 * MINUTE),
    Step(("fit", "--due", "--audit"), 6 * HOUR),
    Step(("forecast", "--due"), 30 * MINUTE),
)
# The demo's: what matters there is how soon it is seen.
UNAUDITED = (*CHAIN[:2], Step(("fit", "--due"), 6 * HOUR), CHAIN[3])
PULLS = CHAIN[:2]  # between nights
PUBLISH = Step(("publish", "--due"), 30 * MINUTE)


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
    """One night: where it runs, what it is told by and tells to, and how many steps it has begun.

    `jobs` is how many leagues may be at work at once. Without `publish`, nothing is published at the end.
    """

    home: Home
    run: Run
    clock: Clock
    listener: Listener
    chain: tuple[Step, ...] = CHAIN
    publish: Step | None = PUBLISH
    argv: Callable[[Home, tuple[str, ...]], list[str]] = pooltable
    jobs: int = field(default_factory=cores)
    retry_seconds: tuple[float, ...] = RETRY_SECONDS
    memory: Memory = field(default_factory=Memory)
    steps: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def history(self) -> History:
        """The run history it writes to."""
        return History(self.home.runs)

    @property
    def at_once(self) -> int:
        """How many leagues are at work at once."""
        return max(1, min(self.jobs, len(self.run.leagues)))


def new_run(kind: str, leagues: list[str], now: datetime) -> Run:
    """A run of `kind` (manual, schedule or pull) that starts now; its key says when, with something of its own."""
    return Run(f"{now:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}", kind, tuple(leagues), now)


def refused(home: Home, kind: str, why: str, now: datetime, leagues: Sequence[str] = ()) -> None:
    """Records a night that could not even begin: no league has had its night. For no league in particular where
    leagues.toml cannot be read."""
    run, history = new_run(kind, list(leagues), now), History(home.runs)
    history.start_run(run, os.getpid())
    history.end_run(run.run_id, now, "failed", why)


def run_night(night: Night, wait_seconds: float = 0) -> list[Outcome]:
    """Runs the whole chain and returns what came of each league and of publishing.

    Raises LockedError where another night runs and does not end within `wait_seconds`.
    """
    with alone(night.home, "night", wait_seconds):
        close_unended(night.home, night.clock())
        sweep(night.home, night.clock())
        night.history.start_run(night.run, os.getpid())
        try:
            outcomes = _run_leagues(night)
            if night.publish:
                outcomes.append(_run_publish(night, night.publish))
        except BaseException as stop:
            night.history.end_run(night.run.run_id, night.clock(), "failed", _stopped(stop))
            raise
        failed = [outcome for outcome in outcomes if not outcome.is_done]
        night.history.end_run(night.run.run_id, night.clock(), "failed" if failed else "done", _in_brief(failed))
    return outcomes


def _in_brief(failed: list[Outcome]) -> str:
    """Who failed, and the first reason of the first of them; "done" where nobody did."""
    if not failed:
        return "done"
    names = [outcome.league or "publish" for outcome in failed]
    names[0] += f" ({failed[0].message.partition(';')[0]})"
    return f"failed: {', '.join(names)}"


def _run_leagues(night: Night) -> list[Outcome]:
    """What came of each league, in their order. Where this is interrupted, the steps that run are ended first."""
    peaks = night.history.peaks()
    with ThreadPoolExecutor(night.at_once, "league") as pool:
        coming = [pool.submit(_run_league, night, league, peaks) for league in night.run.leagues]
        try:
            return [one.result() for one in coming]
        except BaseException:
            night.stopping.set()
            pool.shutdown(cancel_futures=True)
            raise


def _run_league(night: Night, league: str, peaks: Peaks) -> Outcome:
    """Runs the chain for one league; after a failure the rest is skipped, or goes on with what was loaded before."""
    from ingest.snapshots import standing_in

    failures: list[str] = []
    told: list[str] = []
    is_over = False
    for step in night.chain:
        if is_over:
            _skip(night, step, league, f"skipped: {failures[-1]}")
            continue
        ended, message = _run_step(night, step, league, peaks)
        told.append(message)
        if ended.exit_code != 0:
            failures.append(f"{step.words[0]}: {message}")
            goes_on = step.may_fail_if_loaded and ended.exit_code != WRONG and _is_loaded(night.home, {league})
            is_over = night.stopping.is_set() or not goes_on
    brief = told[len(PULLS) :] or told[-1:]  # that it was loaded and checked goes without saying
    if standing_in(night.home.raw / league):
        brief = [f"with an earlier file in place of a source: {told[0].rstrip('.')}", *brief]
    return Outcome(league, not failures, "; ".join(failures or brief))


def _run_publish(night: Night, publish: Step) -> Outcome:
    if not _is_loaded(night.home, set(read_each(night.home)), if_unreadable=True):  # it says itself what is wrong
        _skip(night, publish, None, "skipped: nothing is loaded")
        return Outcome(None, True, "nothing is loaded, so nothing was published")
    ended, message = _run_step(night, publish, None, {})
    return Outcome(None, ended.exit_code == 0, message)


def _run_step(night: Night, step: Step, league: str | None, peaks: Peaks) -> tuple[Ended, str]:
    """Runs one step as a child, again where it may pass, and records it; returns how it ended and its last words."""
    number, title, began = _begin(night, step, league)
    attempts = 0
    try:
        while True:
            attempts += 1
            ended = _try_step(night, step, league, _log_file(night, number, step, league, attempts), peaks)
            is_last = ended.exit_code != TEMPORARY or attempts > len(night.retry_seconds)
            if is_last or night.stopping.wait(night.retry_seconds[attempts - 1]):
                break
    except BaseException as stop:
        night.history.end_step(night.run.run_id, number, night.clock(), StepEnd("failed", _stopped(stop)))
        raise
    message = last_words(ended, step.timeout_seconds).removeprefix(f"{league}: ")
    if ended.exit_code != 0 and night.stopping.is_set():
        message = STOPPED
    state = "done" if ended.exit_code == 0 else "failed"
    now = night.clock()
    end = StepEnd(state, message, ended.exit_code, ended.tail, attempts, rows_of(ended), ended.peak_bytes or None)
    night.history.end_step(night.run.run_id, number, now, end)
    night.listener.ends(title, state, max(0.0, (now - began).total_seconds()), message)
    return ended, message


def _try_step(night: Night, step: Step, league: str | None, log: Path, peaks: Peaks) -> Ended:
    words = (*step.words, league) if league else step.words
    expected = round(MARGIN * peaks[league, _command(step)]) if (league, _command(step)) in peaks else UNKNOWN_BYTES
    threads = str(max(1, cores() // night.at_once))  # else every league's linear algebra would take all cores
    environment = {name: os.environ.get(name, threads) for name in THREADS}
    environment["POOLTABLE_LOCK_WAIT_SECONDS"] = os.environ.get("POOLTABLE_LOCK_WAIT_SECONDS", str(LOCK_WAIT_SECONDS))
    with night.memory.taken(expected, night.stopping.is_set):
        argv = night.argv(night.home, words)
        return supervise(argv, log, step.timeout_seconds, night.stopping.is_set, environment)


def _skip(night: Night, step: Step, league: str | None, reason: str) -> None:
    number, title, began = _begin(night, step, league)
    night.history.end_step(night.run.run_id, number, began, StepEnd("skipped", reason))
    night.listener.ends(title, "skipped", 0.0, reason)


def _begin(night: Night, step: Step, league: str | None) -> tuple[int, str, datetime]:
    with night.lock:
        night.steps += 1
        number = night.steps
    title = f"{_command(step)} {league}" if league else _command(step)
    began = night.clock()
    night.history.start_step(night.run.run_id, number, league, _command(step), began)
    night.listener.begins(title)
    return number, title, began


def _command(step: Step) -> str:
    return " ".join(step.words)


def _log_file(night: Night, number: int, step: Step, league: str | None, attempt: int) -> Path:
    again = f"-{attempt}" if attempt > 1 else ""
    return night.home.logs / night.run.run_id / f"{number:02d}-{league or 'all'}-{step.words[0]}{again}.log"


def _is_loaded(home: Home, leagues: set[str], *, if_unreadable: bool = False) -> bool:
    """True where the warehouse holds results of any of the leagues; `if_unreadable` where it cannot be read."""
    if not home.warehouse.exists():
        return False
    try:
        with reading(home) as con:
            loaded = {row[0] for row in con.execute("SELECT DISTINCT league FROM load").fetchall()}
    except LockedError:
        return True  # nobody can tell now; the next step waits again and says who holds it
    except StoreError:
        return if_unreadable
    return bool(loaded & leagues)


def _stopped(stop: BaseException) -> str:
    return STOPPED if isinstance(stop, KeyboardInterrupt | SystemExit) else f"{BROKE_OFF}{stop}"
