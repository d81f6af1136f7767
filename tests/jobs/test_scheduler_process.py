"""The scheduler as a process: nights that die, a history it cannot read, one at a time, stopped cleanly."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest

from jobs import scheduler as scheduling
from jobs.locks import alone
from jobs.scheduler import Keeper, build, run_scheduler, start_night
from jobs.sweep import DID_NOT_END
from jobs.timetable import overdue
from store.errors import LockedError
from store.history import History, Run
from store.stanzas import Stanza

NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
STANZA = {"title": "a", "feed": "csv", "source": "a", "outcome": "score", "refit": "04:00"}


def test_a_night_that_dies_without_a_word_is_logged_and_looked_into(home, monkeypatch, caplog):
    dead = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    begun = Run("r0", "schedule", ("alps",), NOW)
    monkeypatch.setattr(scheduling, "pooltable", lambda home, _: History(home.runs).start_run(begun, 1) or dead)
    looked = []
    monkeypatch.setattr(scheduling, "Watchman", lambda home: looked.append)
    start_night(home, ("alps",), "schedule", NOW, lambda: False)
    assert looked == [NOW]
    assert "was ended by SIGKILL" in caplog.text
    assert [run["message"] for run in History(home.runs).rows("run")] == [DID_NOT_END]


@pytest.mark.parametrize(
    ("child", "found"),
    [
        ("print('Error: pooltable.toml is wrong.'); exit(2)", ["broke off: pooltable.toml is wrong."]),
        ("exit(75)", []),  # another night runs: its turn comes
    ],
)
def test_a_night_that_ends_before_it_has_begun_is_recorded_and_looked_into(home, monkeypatch, child, found):
    monkeypatch.setattr(scheduling, "pooltable", lambda home, words: [sys.executable, "-c", child])
    looked = []
    monkeypatch.setattr(scheduling, "Watchman", lambda home: looked.append)
    start_night(home, ("alps",), "schedule", NOW, lambda: False)
    rows = History(home.runs).rows("run")
    assert [run["message"] for run in rows] == found
    assert looked == [NOW] * len(found)
    assert overdue({"alps": Stanza.model_validate(STANZA)}, rows, NOW) == ("alps",), "it is no night that was had"


@pytest.mark.parametrize(("version", "why"), [(None, "file is not a database"), (99, "It was written by a newer")])
def test_a_run_history_that_cannot_be_read_starts_no_night_and_ends_no_scheduler(home, caplog, version, why):
    if version is None:
        home.runs.write_bytes(b"no database, and long enough to be taken for one" * 100)
    else:
        with closing(sqlite3.connect(home.runs)) as con:
            con.execute(f"PRAGMA user_version = {version}")
    start_night(home, ("alps",), "schedule", NOW, lambda: False)
    Keeper(home, build(), lambda *_: None, lambda: NOW)()
    assert "schedule of alps cannot be started: " in caplog.text
    assert why in caplog.text


def test_a_second_scheduler_is_refused_and_told_who_runs(home):
    with alone(home, "scheduler"), pytest.raises(LockedError, match=f"scheduler is already running.*{os.getpid()}"):
        run_scheduler(home, lambda: NOW)


def test_sigterm_stops_it_cleanly_and_lets_go_of_the_lock(home):
    home.leagues_toml.write_text("")
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
