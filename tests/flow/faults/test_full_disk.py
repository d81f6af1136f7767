"""A disk that is full, or cannot be written: one alert that says so, nothing lost, and all well again after."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from jobs.alerts import Channels, Watchman
from jobs.scheduler import look_around
from store.history import History
from store.home import Home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ALERT = "import sys; open({!r}, 'a').write(sys.stdin.read() + chr(10))"


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, of 256 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256m", "none", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a disk of its own needs the right to mount: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def told(tmp_path):
    """The alerts so far: kind and state, and the channels they came by."""
    file = tmp_path / "alerts"
    command = f'{sys.executable} -c "{ALERT.format(str(file))}"'

    def alerts():
        lines = file.read_text().splitlines() if file.exists() else []
        return [(one["kind"], one["state"], one["text"]) for one in map(json.loads, lines)]

    return alerts, Channels.model_validate({"alert_command": command})


def look(world, channels):
    """Each by somebody who remembers nothing, as after a restart."""
    with world.reader.lock:
        look_around(world.home, world.now, Watchman(Home(world.home.root, 1.0), channels))


def schedule(world):
    """Starts a scheduler, and stops it when it has said something; what it said."""
    scheduler = world.start("schedule")
    assert scheduler.stderr is not None
    said = scheduler.stderr.readline()
    for pid in world.forks.running():
        os.kill(pid, signal.SIGTERM)
    scheduler.communicate(timeout=60)
    return said


def spoil(disk, how):
    """Makes the disk full to the last byte, or nearly so, or read-only; returns how to undo it."""
    if how == "read-only":
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        return lambda: subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    left = 0 if how == "full" else 300_000
    with (disk / "filler").open("wb") as file:
        try:
            while shutil.disk_usage(disk).free > left:
                file.write(bytes(min(1 << 20, shutil.disk_usage(disk).free - left)))
                file.flush()
        except OSError:
            pass
    return (disk / "filler").unlink


@pytest.mark.parametrize("how", ["full", "nearly full", "read-only"])
def test_a_disk_that_cannot_be_written_is_one_alert_and_no_damage(make_world, disk, told, how):
    alerts, channels = told
    world = make_world(9, disk / "home")
    world.leagues.play("alps")
    undo = spoil(disk, how)
    for _ in range(2):
        code, said = world.run("nightly", "alps", "andes", "atlas", "--kind", "schedule")
        assert code != 0
        assert "Traceback" not in said
        look(world, channels)
    assert [(kind, state) for kind, state, _ in alerts()] == [("unusable", "began")], alerts()
    assert ("read-only" if how == "read-only" else "no space left") in alerts()[0][2].lower()
    if how == "read-only":
        assert "nothing can be done" in schedule(world)
    assert not world.reader.wrong
    undo()
    world.good_night()
    look(world, channels)
    look(world, channels)
    assert [(kind, state) for kind, state, _ in alerts()] == [("unusable", "began"), ("unusable", "over")]
    (incident,) = History(world.home.runs).incidents()
    assert incident.kind == "unusable" and incident.ended_at
