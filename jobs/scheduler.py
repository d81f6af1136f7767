"""The scheduler: one process a home that starts `pooltable nightly LEAGUE…` at each league's refit time, and its pulls
between nights at its pull times, UTC.

APScheduler only keeps the time. The jobs come from leagues.toml, read again when it changes; nights run one after
another, each a supervised child; what was missed, while nothing ran or the machine slept, is found in the run history.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.cron import CronTrigger

from jobs.alerts import UNUSABLE, Watchman
from jobs.locks import alone
from jobs.messages import last_words
from jobs.night import BROKE_OFF, HOUR, Clock, pooltable, refused
from jobs.supervise import supervise
from jobs.sweep import close_unended
from jobs.timetable import Entry, overdue, timetable
from store.errors import TEMPORARY, PooltableError, StanzaError
from store.history import History
from store.home import Home
from store.stanzas import Stanza, read_each

log = logging.getLogger(__name__)
GRACE = timedelta(hours=12)  # how late a night may still start: behind another night, or after the machine slept
NIGHT_SECONDS = 23 * HOUR
POLL_SECONDS = 30
POLLS_A_LOOK = 60  # half an hour between looks at what stands wrong: a league goes stale without any night
JITTER_SECONDS = 300  # downloads begin within it, so that not every Pooltable asks a server in the same second
JUMP = timedelta(minutes=1)
Start = Callable[[tuple[str, ...], str], None]  # leagues and kind of run


class _Stop(BaseException):
    """SIGTERM came."""


def run_scheduler(home: Home, clock: Clock) -> None:
    """Keeps the timetable of a home until SIGTERM (returns) or Ctrl-C (raises KeyboardInterrupt). Where the home cannot
    be written, that is told, and waited for to be over.

    Raises LockedError naming the process where another scheduler runs for this home.
    """
    with ExitStack() as held, suppress(_Stop), _raising_on_sigterm():
        _enter(home, clock, held)
        stopping = threading.Event()

        def start(leagues: tuple[str, ...], kind: str) -> None:
            start_night(home, leagues, kind, clock(), stopping.is_set)

        scheduler = build()
        keeper = Keeper(home, scheduler, start, clock)
        try:
            keeper()
            scheduler.start()
            while True:
                time.sleep(POLL_SECONDS)
                keeper()
        finally:
            stopping.set()
            if scheduler.running:
                scheduler.shutdown()
    log.info("scheduler stopped")


def _enter(home: Home, clock: Clock, held: ExitStack) -> None:
    """Takes the scheduler's lock, as soon as the home can be written."""
    watchman, polls = Watchman(home), 0
    while True:
        try:
            held.enter_context(alone(home, "scheduler"))
            return
        except UNUSABLE as error:
            if polls % POLLS_A_LOOK == 0:
                log.error("nothing can be done in %s before it can be written; waiting: %s", home.root, error)
                watchman(clock())
        polls += 1
        time.sleep(POLL_SECONDS)


def build() -> BackgroundScheduler:
    """A scheduler, not yet started and without jobs: one night at a time, each late rather than never, and once."""
    return BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"misfire_grace_time": int(GRACE.total_seconds()), "coalesce": True, "max_instances": 1},
    )


class Keeper:
    """Called every half minute: makes the scheduler's jobs follow leagues.toml and the clock, and now and then looks
    for what was missed and for what stands wrong."""

    def __init__(self, home: Home, scheduler: BaseScheduler, start: Start, clock: Clock) -> None:
        self.home, self.scheduler, self.start, self.clock = home, scheduler, start, clock
        self.watchman = Watchman(home)
        self.sound: dict[str, Stanza] = {}
        self.seen: object = "nothing yet"
        self.polls = 0
        self.before = clock(), time.monotonic()

    def __call__(self) -> None:
        """One round."""
        self._follow_clock()
        self._follow_leagues()
        if self.polls % POLLS_A_LOOK == 0:
            look_around(self.home, self.clock(), self.watchman)
            self._catch_up(timedelta(0) if self.polls == 0 else GRACE)  # one that runs starts late nights by itself
        self.polls += 1

    def _follow_clock(self) -> None:
        """Has all times worked out anew where the clock was set, or stood still while the machine slept."""
        now = self.clock(), time.monotonic()
        jumped = (now[0] - self.before[0]) - timedelta(seconds=now[1] - self.before[1])
        self.before = now
        if abs(jumped) > JUMP:
            log.warning("the clock jumped by %s", jumped)
            if jumped < timedelta(0):  # else what is next would wait until the time it had been ahead is there again
                for job in self.scheduler.get_jobs():
                    job.reschedule(job.trigger)
            self.scheduler.wakeup()

    def _follow_leagues(self) -> None:
        """Reads leagues.toml if it changed and logs what is wrong; the timetable outlives a file that is no TOML."""
        now = _stamp(self.home)
        if now == self.seen:
            return
        self.seen = now
        try:
            found = read_each(self.home)
        except PooltableError as error:
            log.error("the timetable stays as it was: %s", error.message)
            return
        for name, one in found.items():
            if not isinstance(one, Stanza):
                log.error("the nights of %s will fail until this is mended: %s", name, one.message)
        entries = timetable(self._last_sound(found))
        follow(self.scheduler, entries, self.start)
        if not entries:
            log.warning("there are no leagues in %s yet: pooltable add LEAGUE", self.home.leagues_toml)

    def _last_sound(self, found: Mapping[str, Stanza | StanzaError]) -> dict[str, Stanza | StanzaError]:
        """The leagues; of one whose stanza went wrong, the one that it had, so that its night keeps its time."""
        sound = {name: one if isinstance(one, Stanza) else self.sound.get(name) for name, one in found.items()}
        self.sound = {name: one for name, one in sound.items() if one}
        return {**found, **self.sound}

    def _catch_up(self, grace: timedelta) -> None:
        try:
            leagues = self._last_sound(read_each(self.home))
            missed = overdue(leagues, History(self.home.runs).rows("run"), self.clock(), grace)
        except (PooltableError, *UNUSABLE):
            return  # logged already
        if missed:
            log.info("catching up with %s", ", ".join(missed))
            self.scheduler.add_job(self.start, args=[missed, "schedule"], id="catch-up", replace_existing=True)


def follow(scheduler: BaseScheduler, entries: list[Entry], start: Start) -> None:
    """Makes the scheduler's jobs those of the timetable, leaving alone the ones that are right already."""
    wanted = {entry.name: entry for entry in entries}
    there = {job.id: job for job in scheduler.get_jobs() if job.id != "catch-up"}
    for name in there.keys() - wanted.keys():
        scheduler.remove_job(name)
    for name, entry in wanted.items():
        if name in there:
            there[name].modify(args=[entry.leagues, entry.kind])
        else:
            at, jitter = entry.at, JITTER_SECONDS if entry.is_online else None
            trigger = CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=UTC, jitter=jitter)
            scheduler.add_job(start, trigger, args=[entry.leagues, entry.kind], id=name)
        log.info("%s UTC: %s", name, ", ".join(entry.leagues))


def start_night(home: Home, leagues: tuple[str, ...], kind: str, now: datetime, stopping: Callable[[], bool]) -> None:
    """Runs one night, or the pulls between nights, as a supervised child, to its end or until `stopping()`, and logs
    how it ended. One that ends without a word, or before it has begun, is recorded here and people are told."""
    words = ("nightly", *leagues, "--kind", kind)
    output = home.logs / f"nightly-{now:%Y%m%d-%H%M%S}.log"
    try:
        before = _newest_run(home)
        ended = supervise(pooltable(home, words), output, NIGHT_SECONDS, stopping)
        said = last_words(ended, NIGHT_SECONDS)
        has_begun = ended.exit_code in (0, TEMPORARY) or stopping() or _newest_run(home) != before
        if not has_begun:
            refused(home, kind, f"{BROKE_OFF}{said}", now, leagues)
    except (PooltableError, *UNUSABLE) as error:  # the next look tells people
        log.error("%s of %s cannot be started: %s", kind, ", ".join(leagues), error)
        return
    level = logging.INFO if ended.exit_code == 0 else logging.ERROR
    log.log(level, "%s of %s: %s", kind, ", ".join(leagues), said)
    if ended.exit_code < 0 or not has_begun:  # and so without an alert
        look_around(home, now, Watchman(home))


def _newest_run(home: Home) -> object:
    return next((run["run_id"] for run in History(home.runs).rows("run", 1)), None)


def look_around(home: Home, now: datetime, watchman: Watchman) -> None:
    """Marks what a killed night left running, and tells people what stands wrong: without a night, too."""
    with suppress(PooltableError, *UNUSABLE), alone(home, "night"):
        close_unended(home, now)
    watchman(now)


def _stamp(home: Home) -> object:
    try:
        found = home.leagues_toml.stat()
    except OSError:
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
