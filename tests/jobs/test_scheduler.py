"""What is due when, with the clock in the test's hand; and one scheduler, stopped cleanly."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.executors.base import run_job
from apscheduler.schedulers.blocking import BlockingScheduler
from hypothesis import given
from hypothesis import strategies as st

from jobs.locks import alone
from jobs.night import DID_NOT_END
from jobs.scheduler import Watch, build, run_scheduler
from jobs.timetable import DAY, last_nights, next_refit, overdue, timetable
from store.errors import LockedError
from store.history import History, Run
from store.stanzas import read_stanzas

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # the night Europe's clocks change
STANZA = '[{name}]\ntitle = "{name}"\nfeed = "csv"\nsource = "a.csv"\noutcome = "score"\nrefit = "{refit}"\n'


def write(home, **refits):
    home.leagues_toml.write_text("\n".join(STANZA.format(name=name, refit=at) for name, at in refits.items()))


def ran(league, began, message="done"):
    return {"leagues": json.dumps([league]), "started_at_utc": str(began.replace(tzinfo=None)), "message": message}


def nights(scheduler):
    return {job.id: job.args[0] for job in scheduler.get_jobs() if job.id.startswith("night ")}


def test_leagues_that_share_a_time_share_a_night(home):
    write(home, alps="04:00", andes="04:00", atlas="05:30")
    table = timetable(read_stanzas(home))
    assert {at.hour: leagues for at, leagues in table.items()} == {4: ("alps", "andes"), 5: ("atlas",)}


@given(
    st.times().map(lambda at: at.replace(microsecond=0)),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
)
def test_the_next_refit_is_within_a_day_and_at_its_time(refit, now):
    found = next_refit(refit, now)
    assert timedelta(0) < found - now <= DAY
    assert found.time() == refit


def test_a_league_is_overdue_after_a_day_or_without_any_night():
    runs = [ran("alps", NOW - timedelta(hours=20)), ran("alps", NOW - timedelta(days=9)), ran("andes", NOW - 2 * DAY)]
    assert overdue(["alps", "andes", "atlas"], runs, NOW) == ("andes", "atlas")
    assert last_nights(runs)["alps"] == NOW - timedelta(hours=20)


def test_a_night_that_did_not_end_is_still_to_be_done():
    assert overdue(["alps"], [ran("alps", NOW - timedelta(hours=1), DID_NOT_END)], NOW) == ("alps",)


def test_a_night_that_failed_is_not_tried_again_before_its_time():
    assert overdue(["alps"], [ran("alps", NOW - timedelta(hours=1), "failed: alps")], NOW) == ()


def test_the_scheduler_keeps_utc_through_a_change_of_clocks(home):
    write(home, alps="01:30")
    scheduler = build(home, lambda: NOW, lambda leagues: None)
    (job,) = [job for job in scheduler.get_jobs() if job.id == "night 01:30:00"]
    first = job.trigger.get_next_fire_time(None, NOW)
    second = job.trigger.get_next_fire_time(first, first + timedelta(seconds=1))
    assert (first, second - first) == (NOW + timedelta(hours=1), DAY)


def test_a_late_night_still_starts_and_starts_once(home, monkeypatch):
    write(home, alps="01:30")
    started = []
    scheduler = build(home, lambda: NOW, started.append)
    monkeypatch.setattr(BlockingScheduler, "_main_loop", lambda _self: None)
    scheduler.start(paused=True)
    job = scheduler.get_job("night 01:30:00")
    scheduler.shutdown()
    assert job is not None
    hours_ago = datetime.now(UTC) - timedelta(hours=3)
    run_job(job, "default", [hours_ago], "apscheduler.executors.default")
    assert started == [("alps",)]
    assert (job.coalesce, job.max_instances) == (True, 1)


def test_what_was_missed_is_run_at_once_and_only_that(home):
    write(home, alps="04:00", andes="04:00")
    history = History(home.runs)
    history.start_run(Run("r1", "schedule", ("alps",), NOW - timedelta(hours=3)), 1)
    history.end_run("r1", NOW - timedelta(hours=2), "done", "done")
    scheduler = build(home, lambda: NOW, lambda leagues: None)
    (job,) = [job for job in scheduler.get_jobs() if job.id == "catch-up"]
    assert job.args[0] == ("andes",)


def test_a_reboot_in_mid_night_is_caught_up_with(home):
    write(home, alps="04:00")
    History(home.runs).start_run(Run("r1", "schedule", ("alps",), NOW - timedelta(hours=1)), 1)
    scheduler = build(home, lambda: NOW, lambda leagues: None)
    assert [job.args[0] for job in scheduler.get_jobs() if job.id == "catch-up"] == [("alps",)]
    assert History(home.runs).rows("run")[0]["message"] == DID_NOT_END


def test_a_running_night_is_not_taken_for_a_dead_one(home):
    write(home, alps="04:00")
    History(home.runs).start_run(Run("r1", "manual", ("alps",), NOW - timedelta(hours=1)), 1)
    with alone(home, "night"):
        scheduler = build(home, lambda: NOW, lambda leagues: None)
    assert not [job for job in scheduler.get_jobs() if job.id == "catch-up"]
    assert History(home.runs).rows("run")[0]["state"] == "running"


def test_a_changed_leagues_toml_is_followed_and_a_broken_one_is_not(home, caplog):
    write(home, alps="04:00")
    scheduler = build(home, lambda: NOW, lambda leagues: None)
    watch = Watch(home, scheduler, lambda leagues: None)
    watch()
    write(home, alps="04:00", andes="04:00", atlas="05:30")
    watch()
    assert nights(scheduler) == {"night 04:00:00": ("alps", "andes"), "night 05:30:00": ("atlas",)}
    home.leagues_toml.write_text("[alps\n")
    watch()
    assert len(nights(scheduler)) == 2
    assert "stays as it was" in caplog.text
    write(home, atlas="05:30")
    watch()
    assert nights(scheduler) == {"night 05:30:00": ("atlas",)}
    home.leagues_toml.unlink()
    watch()
    assert nights(scheduler) == {}


def test_a_second_scheduler_is_refused_and_told_who_runs(home):
    with alone(home, "scheduler"), pytest.raises(LockedError, match=f"scheduler is already running.*{os.getpid()}"):
        run_scheduler(home, lambda: NOW)


def test_sigterm_stops_it_cleanly_and_lets_go_of_the_lock(home):
    write(home)
    command = [sys.executable, "-m", "jobs.cli", "--home", str(home.root), "schedule"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not (home.root / ".scheduler.pid").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode in (0, -signal.SIGTERM), said
    assert process.returncode == 0, said
    with alone(home, "scheduler"):
        pass
