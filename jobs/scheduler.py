"""The scheduler: one process a home that starts `pooltable nightly LEAGUE…` at each league's refit time, UTC.

APScheduler only keeps the time. The jobs come from leagues.toml, read again when it changes; nights run one after
another, each a supervised child; what was missed while nothing ran is found in the run history.
"""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, time

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger

from jobs.alerts import look_quietly
from jobs.locks import alone
from jobs.messages import last_words
from jobs.night import HOUR, Clock, close_unended, pooltable
from jobs.supervise import supervise
from jobs.timetable import overdue, timetable
from store.errors import LockedError, PooltableError
from store.history import History
from store.home import Home
from store.stanzas import read_stanzas

log = logging.getLogger(__name__)
GRACE_SECONDS = 12 * 3600  # how late a night may still start: behind another night, or after the machine slept
NIGHT_SECONDS = 23 * HOUR
POLL_SECONDS = 30
LOOK_SECONDS = 1800  # between looks at what stands wrong: a league goes stale without any night
NightOf = Callable[[tuple[str, ...]], None]


class _Stop(BaseException):
    """SIGTERM came."""


def run_scheduler(home: Home, clock: Clock) -> None:
    """Keeps the timetable of a home until SIGTERM (returns) or Ctrl-C (raises KeyboardInterrupt).

    Raises LockedError naming the process where another scheduler runs for this home.
    """
    with alone(home, "scheduler"):
        stopping = threading.Event()
        scheduler = build(home, clock, lambda leagues: start_night(home, leagues, clock(), stopping.is_set))
        with suppress(_Stop), _raising_on_sigterm():
            try:
                scheduler.start()
            finally:
                stopping.set()
                scheduler.shutdown()
        log.info("scheduler stopped")


def build(home: Home, clock: Clock, night: NightOf) -> BlockingScheduler:
    """A scheduler, not yet started, with a job a refit time, one that watches leagues.toml, and what is overdue."""
    scheduler = BlockingScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(1), "watching": ThreadPoolExecutor(1)},
        job_defaults={"misfire_grace_time": GRACE_SECONDS, "coalesce": True, "max_instances": 1},
    )
    watch = Watch(home, scheduler, night)
    watch()
    scheduler.add_job(watch, "interval", seconds=POLL_SECONDS, id="watch", executor="watching")
    scheduler.add_job(
        lambda: look_around(home, clock()), "interval", seconds=LOOK_SECONDS, id="alerts", executor="watching"
    )
    if missed := _missed(home, clock()):
        log.info("catching up with %s", ", ".join(missed))
        scheduler.add_job(night, args=[missed], id="catch-up")
    return scheduler


class Watch:
    """Called now and then: makes the scheduler's jobs follow leagues.toml where that has changed."""

    def __init__(self, home: Home, scheduler: BaseScheduler, night: NightOf) -> None:
        self.home = home
        self.scheduler = scheduler
        self.night = night
        self.seen: object = "nothing yet"

    def __call__(self) -> None:
        """Reads leagues.toml if it changed; a mistake in it is logged, and the timetable stays as it was."""
        now = _stamp(self.home)
        if now == self.seen:
            return
        self.seen = now
        try:
            follow(self.scheduler, timetable(read_stanzas(self.home)), self.night)
        except PooltableError as error:
            log.error("the timetable stays as it was: %s", error.message)


def follow(scheduler: BaseScheduler, nights: dict[time, tuple[str, ...]], night: NightOf) -> None:
    """Makes the scheduler's nights those of the timetable, leaving alone the ones that are right already."""
    wanted = {f"night {at:%H:%M:%S}": (at, leagues) for at, leagues in nights.items()}
    there = {job.id: job for job in scheduler.get_jobs() if job.id.startswith("night ")}
    for name in there.keys() - wanted.keys():
        scheduler.remove_job(name)
    for name, (at, leagues) in wanted.items():
        if name in there:
            there[name].modify(args=[leagues])
        else:
            trigger = CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=UTC)
            scheduler.add_job(night, trigger, args=[leagues], id=name)
        log.info("%s UTC: %s", name, ", ".join(leagues))


def start_night(home: Home, leagues: tuple[str, ...], now: datetime, stopping: Callable[[], bool]) -> None:
    """Runs one night as a supervised child, to its end or until `stopping()`, and logs how it ended."""
    words = ("nightly", *leagues, "--kind", "schedule")
    output = home.logs / f"nightly-{now:%Y%m%d-%H%M%S}.log"
    ended = supervise(pooltable(home, words), output, NIGHT_SECONDS, stopping)
    level = logging.INFO if ended.exit_code == 0 else logging.ERROR
    log.log(level, "night of %s: %s", ", ".join(leagues), last_words(ended, NIGHT_SECONDS))
    if ended.exit_code < 0:  # it died without a word, and so without an alert
        look_around(home, now)


def look_around(home: Home, now: datetime) -> None:
    """Marks what a killed night left running, and tells people what stands wrong: without a night, too."""
    with suppress(LockedError), alone(home, "night"):
        close_unended(home, now)
    look_quietly(home, now)


def _missed(home: Home, now: datetime) -> tuple[str, ...]:
    """The leagues to run at once, after marking what a killed night left running."""
    with suppress(LockedError), alone(home, "night"):
        close_unended(home, now)
    try:
        leagues = read_stanzas(home)
    except PooltableError:
        return ()  # the watch has logged it
    return overdue(leagues, History(home.runs).rows("run"), now)


def _stamp(home: Home) -> object:
    try:
        found = home.leagues_toml.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@contextmanager
def _raising_on_sigterm() -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        raise _Stop

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
