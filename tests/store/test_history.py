"""The run history: what is written is what is read, newest first, and asking makes nothing."""

from datetime import timedelta

import pytest

from store.history import History, Run


def test_asking_where_nothing_ran_makes_nothing(home):
    assert History(home.runs).rows("run") == []
    assert not home.root.exists()


def test_a_run_with_its_steps(home, now):
    history = History(home.runs)
    history.start_run(Run("r1", "manual", ("alps", "andes"), now), pid=4711)
    history.start_step("r1", 1, "alps", "pull", now)
    assert history.rows("step")[0]["state"] == "running"
    history.end_step("r1", 1, now + timedelta(seconds=2), "failed", 1, "no network", "the log")
    history.end_run("r1", now + timedelta(seconds=3), "failed", "failed: alps")
    (run,) = history.rows("run")
    (step,) = history.rows("step")
    assert (run["state"], run["message"], run["leagues"]) == ("failed", "failed: alps", '["alps", "andes"]')
    assert (step["exit_code"], step["message"], step["log"]) == (1, "no network", "the log")
    assert step["ended_at_utc"] == "2026-03-01 04:00:02.000"


def test_the_newest_come_first(home, now):
    history = History(home.runs)
    for number in range(3):
        history.start_run(Run(f"r{number}", "manual", (), now + timedelta(days=number)), pid=1)
    assert [row["run_id"] for row in history.rows("run", limit=2)] == ["r2", "r1"]


def test_only_known_tables_can_be_read(home, now):
    history = History(home.runs)
    history.start_run(Run("r1", "manual", (), now), pid=1)
    with pytest.raises(KeyError):
        history.rows("sqlite_master")
