"""What is started when, with the clock in the test's hand: late, after sleep, reboot and a clock that was wrong; and
one scheduler, stopped cleanly."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from hypothesis import given
from hypothesis import strategies as st

from jobs import scheduler as scheduling
from jobs.locks import alone
from jobs.night import STOPPED
from jobs.scheduler import GRACE, JITTER_SECONDS, POLL_SECONDS, POLLS_A_LOOK, Keeper, build
from jobs.sweep import DID_NOT_END
from jobs.timetable import DAY, last_nights, next_refit, overdue, timetable
from store.errors import StanzaError
from store.history import History, Run
from store.stanzas import Stanza, read_stanzas

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # the night Europe's clocks change
HOUR = timedelta(hours=1)
STANZA = '[{name}]\ntitle = "{name}"\nfeed = "csv"\nsource = "{source}"\noutcome = "score"\n{more}\n'


def write(home, source="a.csv", **settings):
    """leagues.toml with those leagues, each with its refit time or with more lines of TOML."""
    lines = {name: one if "=" in one else f'refit = "{one}"' for name, one in settings.items()}
    text = "\n".join(STANZA.format(name=name, source=source, more=more) for name, more in lines.items())
    home.leagues_toml.write_text(text)


def ran(league, began, message="done", kind="schedule"):
    return {
        "leagues": json.dumps([league]), "started_at_utc": str(began.replace(tzinfo=None)), "message": message,
        "kind": kind,
    }  # fmt: skip


class World:
    """A scheduler whose clock the test sets; what it starts is written into the run history, and done at once."""

    def __init__(self, home, monkeypatch):
        world = self
        self.home, self.now, self.monotonic, self.started, self.ends = home, NOW, 0.0, [], "done"
        self.polls = 0

        class Moment(datetime):
            @classmethod
            def now(cls, tz=None):
                return world.now.astimezone(tz)

        for module in ("schedulers.base", "executors.base", "triggers.date"):
            monkeypatch.setattr(f"apscheduler.{module}.datetime", Moment)
        monkeypatch.setattr(scheduling.time, "monotonic", lambda: world.monotonic)
        monkeypatch.setattr(scheduling, "ThreadPoolExecutor", lambda _count: DebugExecutor())
        monkeypatch.setattr(scheduling, "Watchman", lambda _home: lambda _now: None)
        monkeypatch.setattr(BackgroundScheduler, "_main_loop", lambda _self: None)
        self.scheduler = build()

    def boot(self):
        """Starts the scheduler, as after a reboot."""
        self.stop()
        self.scheduler = build()
        self.keeper = Keeper(self.home, self.scheduler, self.start, lambda: self.now)
        self.keeper()
        self.scheduler.start()
        self.scheduler._process_jobs()

    def stop(self):
        if self.scheduler.running:
            self.scheduler.shutdown()

    def start(self, leagues, kind):
        self.started.append((self.now, leagues, kind))
        history, run = History(self.home.runs), Run(f"r{len(self.started)}", kind, leagues, self.now)
        history.start_run(run, 1)
        if self.ends != "running":
            history.end_run(run.run_id, self.now, "done" if self.ends == "done" else "failed", self.ends)

    def wait(self, span, step=timedelta(minutes=10)):
        """Lets time pass, the scheduler awake."""
        end = self.now + span
        while self.now < end:
            self.now += step
            self.monotonic += step.total_seconds()
            self.polls += 1
            self.keeper.polls = POLLS_A_LOOK if self.polls % 3 == 0 else 1
            self.keeper()
            self.scheduler._process_jobs()

    def jump(self, span):
        """Sets the clock, or lets the machine sleep; then the scheduler is awake for a minute."""
        self.now += span
        self.wait(timedelta(minutes=1), timedelta(minutes=1))

    @property
    def times(self):
        return [f"{at:%d %H:%M}" for at, _, _ in self.started]


@pytest.fixture
def world(home, monkeypatch):
    world = World(home, monkeypatch)
    yield world
    world.stop()


def jobs(world):
    return {job.id: job.args[0] for job in world.scheduler.get_jobs() if job.id != "catch-up"}


def had_a_night(home, began, *leagues):
    history = History(home.runs)
    history.start_run(Run(f"before-{began}", "schedule", leagues, began), 1)
    history.end_run(f"before-{began}", began, "done", "done")


def test_leagues_that_share_a_time_share_a_night(home):
    write(home, alps="04:00", andes="04:00", atlas="05:30")
    found = [(entry.name, entry.leagues, entry.is_online) for entry in timetable(read_stanzas(home))]
    assert found == [("night 04:00:00", ("alps", "andes"), False), ("night 05:30:00", ("atlas",), False)]


def test_pulls_between_nights_have_their_times_and_a_night_needs_none_beside_it(home):
    alps = 'refit = "04:00"\npull = ["04:00", "12:00", "18:30"]'
    write(home, "https://host/a.csv", alps=alps, andes='refit = "04:00"\npull = "12:00"')
    found = [(entry.name, entry.leagues, entry.is_online) for entry in timetable(read_stanzas(home))]
    assert found == [
        ("night 04:00:00", ("alps", "andes"), True),
        ("pull 12:00:00", ("alps", "andes"), True),
        ("pull 18:30:00", ("alps",), True),
    ]


@given(
    st.times().map(lambda at: at.replace(microsecond=0)),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
)
def test_the_next_refit_is_within_a_day_and_at_its_time(refit, now):
    found = next_refit(refit, now)
    assert timedelta(0) < found - now <= DAY
    assert found.time() == refit


def leagues(**refits):
    """Stanzas with these refit times."""
    rest = {"title": "a", "feed": "csv", "source": "a", "outcome": "score"}
    return {name: Stanza.model_validate(rest | {"refit": refit}) for name, refit in refits.items()}


ALPS = leagues(alps="04:00")
DUE = NOW - 20 * HOUR - timedelta(minutes=30)  # 04:00 of the day before


def test_a_league_is_overdue_that_had_no_night_since_its_time():
    runs = [ran("alps", DUE), ran("alps", DUE - 9 * DAY), ran("andes", DUE - HOUR)]
    three = leagues(alps="04:00", andes="04:00", atlas="23:00")
    assert overdue(three, runs, NOW) == ("andes", "atlas")
    assert overdue(three, runs, NOW, GRACE) == ("andes", "atlas")
    assert overdue(three, runs, DUE + GRACE - HOUR, GRACE) == ("atlas",), "it may still be late"
    assert overdue({"alps": StanzaError("wrong")}, runs[1:], NOW) == ("alps",)
    assert last_nights(runs)["alps"] == DUE


@pytest.mark.parametrize(
    ("runs", "now", "found"),
    [
        ([ran("alps", DUE, DID_NOT_END), ran("alps", DUE - DAY)], DUE + timedelta(minutes=2), ("alps",)),
        ([ran("alps", DUE - 13 * HOUR, kind="manual"), ran("alps", DUE - DAY)], DUE + 4 * HOUR, ("alps",)),
        ([ran("alps", DUE - DAY + timedelta(minutes=5))], DUE + timedelta(minutes=2), ("alps",)),
        ([ran("alps", DUE + timedelta(minutes=4))], DUE + DAY - timedelta(minutes=1), ()),
        ([ran("alps", DUE + HOUR, kind="manual")], DUE + 4 * HOUR, ()),
        ([ran("alps", DUE + timedelta(minutes=4), "")], DUE + timedelta(minutes=9), ()),
    ],
    ids=["killed", "by hand the day before", "the night before", "jitter", "by hand since", "at work"],
)
def test_a_machine_that_was_off_at_the_time_of_a_night_makes_up_for_it(runs, now, found):
    assert overdue(ALPS, runs, now) == found


def test_a_night_that_died_is_not_waited_for():
    runs = [ran("alps", DUE, DID_NOT_END), ran("alps", DUE - DAY)]
    assert overdue(ALPS, runs, DUE + HOUR, GRACE) == ("alps",)
    assert overdue(ALPS, [ran("alps", DUE + HOUR), *runs], DUE + 2 * HOUR, GRACE) == ()
    assert overdue(ALPS, [ran("alps", DUE + HOUR), *runs], DUE + DAY + timedelta(minutes=1), GRACE) == (), "it begins"


@pytest.mark.parametrize(
    ("message", "kind", "found"),
    [
        (DID_NOT_END, "schedule", ("alps",)),
        ("broke off: disk I/O error", "schedule", ("alps",)),
        (STOPPED, "schedule", ("alps",)),
        ("done", "pull", ("alps",)),
        ("failed: alps", "schedule", ()),  # not tried again before its time
    ],
)
def test_what_counts_as_a_night_that_was_had(message, kind, found):
    assert overdue(ALPS, [ran("alps", NOW - HOUR, message, kind)], NOW) == found


def test_a_league_whose_nights_die_is_not_tried_for_ever():
    died = [ran("alps", NOW - hours * HOUR, DID_NOT_END) for hours in (1, 2, 3)]
    assert overdue(ALPS, died[:2], NOW) == ("alps",)
    assert overdue(ALPS, died, NOW) == ()
    assert overdue(ALPS, died, NOW + DAY) == ("alps",)


def test_nights_of_the_future_do_not_count():
    assert overdue(ALPS, [ran("alps", NOW + 300 * DAY), ran("alps", NOW - 2 * DAY)], NOW) == ("alps",)


def test_a_week_of_nights_and_pulls_through_a_change_of_clocks(world, home):
    had_a_night(home, NOW, "alps", "andes")
    write(home, alps='refit = "01:30"\npull = "13:00"', andes="02:30")
    world.boot()
    world.wait(7 * DAY, timedelta(minutes=30))
    nights = [at for at, leagues, kind in world.started if (leagues, kind) == (("alps",), "schedule")]
    assert nights == [NOW + HOUR + day * DAY for day in range(7)]
    assert [kind for _, _, kind in world.started].count("pull") == 7
    assert len(world.started) == 21


@pytest.mark.parametrize("source", ["a.csv", "https://host/a.csv"])
def test_only_downloads_are_jittered_and_by_minutes(world, home, source):
    had_a_night(home, NOW, "alps")
    write(home, source, alps="01:00")
    world.boot()
    (job,) = world.scheduler.get_jobs()
    times = [job.trigger.get_next_fire_time(None, NOW) for _ in range(50)]
    late = [(at - NOW - timedelta(minutes=30)).total_seconds() for at in times]
    assert 0 <= min(late) <= max(late) <= JITTER_SECONDS
    assert (max(late) > 60) == ("://" in source)


def test_a_late_night_still_starts_and_starts_once(world, home):
    had_a_night(home, NOW, "alps")
    write(home, alps="01:30")
    world.boot()
    world.jump(3 * HOUR)  # a sleep, or another night that took long
    world.wait(20 * HOUR)
    assert world.times == ["29 03:31"]


@pytest.mark.parametrize(("asleep", "starts"), [(5.5 * DAY, 1), (1.4 * DAY, 1), (0.6 * DAY, 1)])
def test_nights_slept_through_are_caught_up_with_by_one(world, home, asleep, starts):
    """Later than APScheduler may start a night it is found in the run history."""
    had_a_night(home, NOW - 23 * HOUR, "alps")
    write(home, alps="01:30")
    world.boot()
    world.jump(asleep)
    world.wait(HOUR)
    assert len(world.started) == starts


def test_a_clock_that_was_ahead_does_not_stop_the_nights(world, home):
    """Four years ahead for an hour, as after a flat battery: what is next must not wait for those years."""
    had_a_night(home, NOW, "alps")
    write(home, alps="01:30")
    world.boot()
    world.jump(4 * 365 * DAY)
    world.wait(HOUR)
    before = len(world.started)
    world.jump(-4 * 365 * DAY)
    world.wait(3 * DAY)
    assert [f"{at:%Y-%m-%d %H:%M}" for at, _, _ in world.started[before:]] == [
        "2026-03-29 13:42", "2026-03-30 01:32", "2026-03-31 01:32", "2026-04-01 01:32",
    ], "the first for the night whose time came while the clock was ahead"  # fmt: skip


def test_a_clock_set_back_by_hours_runs_no_night_twice_within_them(world, home):
    had_a_night(home, NOW, "alps")
    write(home, alps="01:30")
    world.boot()
    world.wait(2 * HOUR)
    world.jump(timedelta(minutes=-20))
    world.wait(20 * HOUR)
    assert world.times == ["29 01:30"]


def test_what_was_missed_is_run_at_once_and_only_that(world, home):
    write(home, alps="04:00", andes="04:00")
    had_a_night(home, NOW - 3 * HOUR, "alps")
    world.boot()
    assert [leagues for _, leagues, _ in world.started] == [("andes",)]


def test_a_reboot_in_mid_night_is_caught_up_with(world, home):
    write(home, alps="04:00")
    History(home.runs).start_run(Run("r0", "schedule", ("alps",), NOW - HOUR), 1)
    world.boot()
    assert [leagues for _, leagues, _ in world.started] == [("alps",)]
    assert DID_NOT_END in [row["message"] for row in History(home.runs).rows("run")]


def test_nights_that_take_the_machine_down_are_tried_three_times(world, home):
    write(home, alps="04:00")
    world.ends = "running"
    for _ in range(6):
        world.boot()
        world.now += timedelta(minutes=10)
    assert len(world.started) == 3


def test_a_running_night_is_not_taken_for_a_dead_one(world, home):
    write(home, alps="04:00")
    History(home.runs).start_run(Run("r0", "manual", ("alps",), NOW - HOUR), 1)
    with alone(home, "night"):
        world.boot()
    assert world.started == []
    assert History(home.runs).rows("run")[0]["state"] == "running"


def test_a_changed_leagues_toml_is_followed_and_a_broken_one_is_not(world, home, caplog):
    write(home, alps="04:00")
    world.boot()
    write(home, alps="04:00", andes="04:00", atlas='refit = "05:30"\npull = "12:00"')
    world.keeper()
    both = {"night 04:00:00": ("alps", "andes"), "night 05:30:00": ("atlas",), "pull 12:00:00": ("atlas",)}
    assert jobs(world) == both
    home.leagues_toml.write_text("[alps\n")
    world.keeper()
    assert jobs(world) == both
    assert "stays as it was" in caplog.text
    write(home, atlas="05:30")
    world.keeper()
    assert jobs(world) == {"night 05:30:00": ("atlas",)}
    home.leagues_toml.unlink()
    world.keeper()
    assert jobs(world) == {}
    assert "there are no leagues" in caplog.text


def test_a_league_whose_stanza_is_wrong_has_its_night_all_the_same(world, home):
    """It fails there, which is told; and the others keep their times."""
    had_a_night(home, NOW, "alps", "andes")
    write(home, alps="01:30", andes='refitt = "02:30"')
    world.boot()
    assert jobs(world) == {"night 01:30:00": ("alps",), "night 04:00:00": ("andes",)}


def test_a_stanza_that_goes_wrong_is_told_at_once_and_its_league_keeps_its_times(world, home, caplog):
    had_a_night(home, NOW, "alps", "andes")
    alps = 'refit = "01:30"\npull = "13:00"'
    write(home, alps=alps, andes="02:30")
    world.boot()
    before = jobs(world)
    write(home, alps=f"{alps}\nrates = []", andes="02:30")
    world.wait(12 * HOUR)
    assert jobs(world) == before
    (told,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert 'line 8, league alps: unknown setting "rates"' in told.getMessage()
    assert [(at, who) for at, who, _ in world.started] == [(NOW + HOUR, ("alps",)), (NOW + 2 * HOUR, ("andes",))]


def test_a_league_that_is_added_has_its_first_night_within_the_hour(world, home):
    had_a_night(home, NOW, "alps")
    write(home, alps="04:00")
    world.boot()
    write(home, alps="04:00", andes="23:00")
    world.wait(HOUR)
    assert [leagues for _, leagues, _ in world.started] == [("andes",)]


def test_the_numbers_fit_together():
    assert GRACE < DAY, "else yesterday's night would run beside today's"
    assert 60 <= POLL_SECONDS * POLLS_A_LOOK <= 3600
