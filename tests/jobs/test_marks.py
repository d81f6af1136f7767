"""A home that cannot be written: one alert and one when it is over, whoever looks and however often; and it is in the
history afterwards."""

import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

import pytest

from jobs import marks
from jobs import scheduler as scheduling
from jobs.alerts import Channels, Watchman
from jobs.marks import Mark, Told
from jobs.scheduler import POLL_SECONDS, POLLS_A_LOOK, run_scheduler
from store.history import History

NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A temporary folder of one's own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


@pytest.fixture
def command(tmp_path):
    """An alert command that writes down what it is given."""
    script = f"import sys; open({str(tmp_path / 'told')!r}, 'a').write(sys.stdin.read() + chr(10))"
    return f'{sys.executable} -c "{script}"'


@pytest.fixture
def told(tmp_path):
    def alerts():
        lines = (tmp_path / "told").read_text().splitlines() if (tmp_path / "told").exists() else []
        return [(one["kind"], one["state"]) for one in map(json.loads, lines)]

    return alerts


@pytest.fixture
def spoil(home):
    """spoil(): from then on nothing in the home can be read or written; mend(): it is as it was."""
    away = home.root.with_name("away")

    def spoiled():
        home.root.rename(away)
        home.root.write_text("no folder")

    def mended():
        home.root.unlink()
        away.rename(home.root)

    return spoiled, mended


def by(command):
    return Channels.model_validate({"alert_command": command})


def stood(home):
    return [(one.kind, one.began_at[:16], (one.ended_at or "")[:16]) for one in History(home.runs).incidents()]


def test_processes_that_look_one_after_another_tell_it_once(home, spoil, command, told):
    """Each night by hand, and each restart of the scheduler, is a process that remembers nothing."""
    spoiled, mended = spoil
    for round_ in (0, 24):
        spoiled()
        for hours in range(3):
            Watchman(home, by(command))(NOW + (round_ + hours) * HOUR)
        assert told()[2 * (round_ > 0) :] == [("unusable", "began")]
        mended()
        for hours in range(3, 6):
            Watchman(home, by(command))(NOW + (round_ + hours) * HOUR)
        assert told()[2 * (round_ > 0) :] == [("unusable", "began"), ("unusable", "over")]
    assert stood(home) == [
        ("unusable", "2026-03-01 04:30", "2026-03-01 07:30"), ("unusable", "2026-03-02 04:30", "2026-03-02 07:30"),
    ]  # fmt: skip


def test_what_nobody_heard_of_is_recorded_all_the_same(home, spoil, temporary):
    spoiled, mended = spoil
    spoiled()
    Watchman(home, Channels())(NOW)
    mended()
    Watchman(home, Channels())(NOW + HOUR)
    assert stood(home) == [("unusable", "2026-03-01 04:30", "2026-03-01 05:30")]
    assert list(temporary.iterdir()) == []


def test_who_was_not_reached_is_told_the_next_time_and_the_others_are_not(home, spoil, command, told):
    spoiled, mended = spoil
    both = Channels.model_validate({"alert_command": command, "alert_webhook": "http://127.0.0.1:9/"})
    spoiled()
    Watchman(home, both)(NOW)
    Watchman(home, both)(NOW + HOUR)
    assert told() == [("unusable", "began")]
    mended()
    Watchman(home, both)(NOW + 2 * HOUR)
    assert told() == [("unusable", "began"), ("unusable", "over")]
    assert History(home.runs).untold("webhook") == [], "what it never heard of it need not hear the end of"


def test_a_disk_that_fills_up_first_and_then_cannot_be_written_at_all_is_one_story(
    home, spoil, command, told, monkeypatch
):
    """The first can still be recorded, and is no news in words of the second."""
    monkeypatch.setattr("jobs.incidents.FULL_BYTES", 1 << 60)
    Watchman(home, by(command))(NOW)
    monkeypatch.setattr("jobs.incidents.FULL_BYTES", 0)
    spoiled, mended = spoil
    spoiled()
    Watchman(home, by(command))(NOW + HOUR)
    mended()
    Watchman(home, by(command))(NOW + 2 * HOUR)
    assert told() == [("unusable", "began"), ("unusable", "over")]
    assert stood(home) == [("unusable", "2026-03-01 04:30", "2026-03-01 06:30")]


def test_where_the_temporary_folder_is_full_too_one_process_tells_it_once(
    home, spoil, command, told, temporary, caplog
):
    spoiled, mended = spoil
    temporary.rmdir()
    watchman = Watchman(home, by(command))
    spoiled()
    watchman(NOW)
    watchman(NOW + HOUR)
    mended()
    watchman(NOW + 2 * HOUR)
    watchman(NOW + 3 * HOUR)
    assert told() == [("unusable", "began"), ("unusable", "over")]
    assert stood(home) == [("unusable", "2026-03-01 04:30", "2026-03-01 06:30")]
    assert "by this process alone" in caplog.text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"message": "a", "began_at": "b", "channels": 1}'])
def test_a_mark_that_says_nothing_is_none(home, temporary, text):
    mark = Mark(home.root)
    mark.keep(Told("why", "2026-03-01 04:30:00.000", ("webhook",)))
    (path,) = temporary.iterdir()
    path.write_text(text)
    assert mark.read() is None


def test_a_mark_of_another_user_is_not_believed(home, monkeypatch):
    told = Told("why", "2026-03-01 04:30:00.000", ("webhook",))
    Mark(home.root).keep(told)
    assert Mark(home.root).read() == told
    assert Mark(home.root.with_name("other")).read() is None
    uid, path = marks.os.getuid(), Mark(home.root)._path()
    monkeypatch.setattr(Mark, "_path", lambda _self: path)
    monkeypatch.setattr(marks.os, "getuid", lambda: uid + 1)
    assert Mark(home.root).read() is None


def test_a_scheduler_whose_home_cannot_be_written_says_so_and_waits(home, spoil, command, told, monkeypatch, caplog):
    """Two hours, by its clock; then it goes to work."""
    monkeypatch.setenv("POOLTABLE_ALERT_COMMAND", command)
    spoiled, mended = spoil
    spoiled()
    slept, really_sleep = [], time.sleep

    def sleep(seconds):
        if seconds != POLL_SECONDS:
            return really_sleep(seconds)
        slept.append(seconds)
        if len(slept) == 4 * POLLS_A_LOOK:
            mended()
            home.leagues_toml.write_text("")
        if len(slept) > 4 * POLLS_A_LOOK:
            raise KeyboardInterrupt
        return None

    monkeypatch.setattr(scheduling.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        run_scheduler(home, lambda: NOW + len(slept) * timedelta(seconds=POLL_SECONDS))
    assert told() == [("unusable", "began"), ("unusable", "over")]
    assert caplog.text.count("before it can be written; waiting") == 4
    assert stood(home) == [("unusable", "2026-03-01 04:30", "2026-03-01 06:30")]
