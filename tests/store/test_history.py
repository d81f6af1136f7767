"""The run history: what is written is what is read, newest first, and asking makes nothing."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest

from store.errors import StoreError
from store.history import SQL, UNRECORDED, History, Run, StepEnd


def test_asking_where_nothing_ran_makes_nothing(home):
    assert History(home.runs).rows("run") == []
    assert not home.root.exists()


def test_a_run_with_its_steps(home, now):
    history = History(home.runs)
    history.start_run(Run("r1", "manual", ("alps", "andes"), now), pid=4711)
    history.start_step("r1", 1, "alps", "pull", now)
    assert history.rows("step")[0]["state"] == "running"
    history.end_step("r1", 1, now + timedelta(seconds=2), StepEnd("failed", "no network", 1, "the log", 3, 7, 1 << 20))
    history.end_run("r1", now + timedelta(seconds=3), "failed", "failed: alps")
    (run,) = history.rows("run")
    (step,) = history.rows("step")
    assert (run["state"], run["message"], run["leagues"]) == ("failed", "failed: alps", '["alps", "andes"]')
    assert (step["exit_code"], step["message"], step["log"]) == (1, "no network", "the log")
    assert (step["attempts"], step["rows"], step["peak_bytes"]) == (3, 7, 1 << 20)
    assert history.steps_of("r1") == [step]
    assert step["ended_at_utc"] == "2026-03-01 04:00:02.000"


def test_a_step_whose_end_was_not_recorded_has_failed_with_its_run(home, now):
    history = History(home.runs)
    history.start_run(Run("r1", "manual", ("alps",), now), pid=1)
    for number, command in enumerate(("pull", "check"), start=1):
        history.start_step("r1", number, "alps", command, now)
    history.end_step("r1", 1, now, StepEnd("done", "well"))
    history.end_run("r1", now, "failed", "broke off: the disk is full")
    assert [(step["command"], step["state"], step["message"]) for step in history.last_steps()] == [
        ("pull", "done", "well"), ("check", "failed", UNRECORDED),
    ]  # fmt: skip


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


OLD = """
CREATE TABLE run (run_id TEXT PRIMARY KEY, kind TEXT NOT NULL, leagues TEXT NOT NULL, pid INTEGER NOT NULL,
    started_at_utc TEXT NOT NULL, ended_at_utc TEXT, state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '');
CREATE TABLE step (run_id TEXT NOT NULL REFERENCES run, number INTEGER NOT NULL, league TEXT, command TEXT NOT NULL,
    started_at_utc TEXT NOT NULL, ended_at_utc TEXT, state TEXT NOT NULL, exit_code INTEGER,
    message TEXT NOT NULL DEFAULT '', log TEXT NOT NULL DEFAULT '', PRIMARY KEY (run_id, number));
INSERT INTO run VALUES ('r0', 'manual', '["alps"]', 1, '2026-01-01 04:00:00', '2026-01-01 05:00:00', 'done', '');
INSERT INTO step VALUES ('r0', 1, 'alps', 'pull', '2026-01-01 04:00:00', '2026-01-01 04:01:00', 'done', 0, '', '');
"""


def test_a_history_from_before_versions_were_counted_is_brought_up_to_date(home, now):
    home.root.mkdir()
    with closing(sqlite3.connect(home.runs)) as con:
        con.executescript(OLD)
    history = History(home.runs)
    (step,) = history.rows("step")
    assert (step["state"], step["attempts"], step["peak_bytes"]) == ("done", 1, None)
    assert history.last_pulls(now + timedelta(days=1))["alps"].day == 1
    history.begin_incident("stale", "alps", "late", now)
    assert len(history.incidents()) == 1


FOURTH = """
INSERT INTO incident (number, kind, league, message, began_at_utc, ended_at_utc, told_at_utc, told_over_at_utc) VALUES
    (1, 'failed', 'alps', 'a', '2026-01-01', NULL, NULL, NULL),
    (2, 'stale', 'alps', 'b', '2026-01-01', NULL, '2026', NULL),
    (3, 'failed', 'andes', 'c', '2026-01-01', '2026-01-02', '2026', NULL),
    (4, 'stale', 'andes', 'd', '2026-01-01', '2026-01-02', '2026', '2027');
PRAGMA user_version = 4;
"""


def test_what_was_told_before_channels_were_told_apart_is_not_told_again(home):
    home.root.mkdir()
    with closing(sqlite3.connect(home.runs)) as con:
        con.executescript("".join(file.read_text() for file in sorted(SQL.glob("00[1-4]_*.sql"))) + FOURTH)
    history = History(home.runs)
    assert [[one.number for one in history.untold(channel)] for channel in ("webhook", "command")] == [[1, 3]] * 2


def test_a_history_of_a_newer_version_is_refused_and_left_as_it_is(home, now):
    History(home.runs).start_run(Run("r1", "manual", (), now), pid=1)
    with closing(sqlite3.connect(home.runs)) as con:
        con.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"(?s)version 99.*newer"):
        History(home.runs).rows("run")


def test_many_processes_may_bring_it_up_to_date_at_once(home, now):
    home.root.mkdir()
    with closing(sqlite3.connect(home.runs)) as con:
        con.executescript(OLD)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: len(History(home.runs).rows("step")), range(8)))
    assert found == [1] * 8


def test_a_pull_between_nights_does_not_hide_how_the_last_fit_ended(home, now):
    history = History(home.runs)
    for name, kind, plan in (
        ("r1", "schedule", [("pull", "done"), ("fit --due", "failed")]),
        ("r2", "pull", [("pull", "done")]),
    ):
        history.start_run(Run(name, kind, ("alps",), now), pid=1)
        for number, (command, state) in enumerate(plan):
            history.start_step(name, number, "alps", command, now)
            history.end_step(name, number, now, StepEnd(state, f"{name} {state}"))
        history.end_run(name, now, "done", "")
        now += timedelta(hours=6)
    assert [(row["command"], row["message"]) for row in history.last_steps()] == [
        ("fit --due", "r1 failed"), ("pull", "r2 done"),
    ]  # fmt: skip


def test_the_peak_of_a_command_is_the_largest_of_its_last_five(home, now):
    history = History(home.runs)
    history.start_run(Run("r1", "manual", ("alps",), now), pid=1)
    for number, peak in enumerate((900, 100, 200, 300, None, 250, 150)):
        history.start_step("r1", number, "alps", "fit", now + timedelta(minutes=number))
        history.end_step("r1", number, now, StepEnd("done", "", peak_bytes=peak))
    assert history.peaks() == {("alps", "fit"): 300}


def test_logs_are_forgotten_and_what_they_said_last_is_not(home, now):
    history = History(home.runs)
    history.start_run(Run("r1", "manual", ("alps",), now), pid=1)
    for number in (1, 2):
        history.start_step("r1", number, "alps", "pull", now + timedelta(days=number))
        history.end_step("r1", number, now, StepEnd("failed", "no network", 1, "a log"))
    history.forget_logs(now + timedelta(days=2))
    assert [(step["log"], step["message"]) for step in history.steps_of("r1")] == [
        ("", "no network"), ("a log", "no network"),
    ]  # fmt: skip


def test_the_last_days_are_those_on_which_something_ran_whatever_the_clock_said(home, now):
    history = History(home.runs)
    assert history.since(3) is None
    for number, days in enumerate((0, 0.2, 1, 200, 2, 2.1, -9000, 3)):
        history.start_run(Run(f"r{number}", "manual", (), now + timedelta(days=days)), pid=1)
    assert [history.since(days) for days in (1, 2, 3, 6, 7)] == [
        now + timedelta(days=days) for days in (3, -9000, -9000, -9000)
    ] + [None]
    assert [row["run_id"] for row in history.rows("run", 2)] == ["r7", "r6"], "the last are those written last"
