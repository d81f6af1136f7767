"""The doctor: each thing that can be wrong with a home is put wrong, and named."""

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from jobs import doctor
from jobs.cli import app
from jobs.doctor import examine
from jobs.locks import alone
from jobs.sweep import sweep
from store.edition import publish
from store.history import History, Run, StepEnd
from store.home import Home
from store.warehouse import writing

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


def found(home, state, now=NOW):
    return {one.check: one.message for one in examine(home, now) if one.state == state}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home in which nothing is wrong: loaded, published, its night just done."""
    home = Home(tmp_path_factory.mktemp("made") / "home", lock_wait_seconds=0.3)
    with writing(home) as con:
        con.execute(
            "INSERT INTO load VALUES ('l', 'alps', 'a', ?, 'a', 'aa', NULL, ?, 'x', 1, 1, 0, 0, 0, 0)", [NOW, NOW]
        )
    home.leagues_toml.write_text('[alps]\ntitle = "A"\nfeed = "csv"\nsource = "a.csv"\noutcome = "score"\n')
    publish(home, ["alps"], NOW)
    run(home, NOW)
    return home


@pytest.fixture
def well(made, tmp_path):
    """A copy of it, to put wrong."""
    shutil.copytree(made.root, tmp_path / "well", symlinks=True)
    return Home(tmp_path / "well", lock_wait_seconds=0.3)


def run(home, at, state="done", command="pull", peak=None):
    history = History(home.runs)
    history.start_run(Run(f"r-{at}", "schedule", ("alps",), at), 1)
    history.start_step(f"r-{at}", 1, "alps", command, at)
    if state != "running":
        history.end_step(f"r-{at}", 1, at, StepEnd(state, "it went so", peak_bytes=peak))
        history.end_run(f"r-{at}", at, state, "")


def test_where_all_is_well_it_says_so_and_ends_with_0(well, monkeypatch):
    assert found(well, "FAIL") == {}
    assert set(found(well, "warn")) <= {"scheduler", "versions"}
    monkeypatch.setattr("jobs.doors_nights.utc_now", lambda: NOW)
    result = CliRunner().invoke(app, ["--home", str(well.root), "doctor"])
    assert result.exit_code == 0, result.output
    assert [line.split(":")[0].split()[1] for line in result.stdout.splitlines()] == list(doctor.CHECKS)


SOUND = '[alps]\ntitle = "a"\nfeed = "csv"\nsource = "a"\noutcome = "score"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[alps\n", "not TOML"),
        (SOUND.replace("csv", "nothing"), "nothing"),
        (SOUND.replace("score", "scores"), 'league alps: there is no outcome "scores". Did you mean "score"?'),
        (SOUND + 'likelihood = "poison"', 'league alps: "score" has no likelihood "poison". Did you mean "poisson"?'),
        (SOUND + 'effects = ["home", "coach:home"]', 'effect "coach:home" is of "coach", which is nobody'),
    ],
)
def test_settings(well, monkeypatch, text, told):
    well.leagues_toml.write_text(text)
    assert told in found(well, "FAIL")["settings"]
    monkeypatch.setattr("jobs.doors_nights.utc_now", lambda: NOW)
    assert CliRunner().invoke(app, ["--home", str(well.root), "doctor"]).exit_code == 1


def test_what_a_league_that_is_not_rated_says_of_its_model_is_nobodys_business(well):
    well.leagues_toml.write_text(SOUND.replace("score", "scores") + "rate = []\n")
    assert "settings" not in found(well, "FAIL")


def test_nothing_is_made(well, home):
    """No folder where there is no home, and no lock where there is one: the next to come may be another user."""
    shutil.rmtree(home.root)
    assert "disk" in found(home, "FAIL")
    assert not home.root.exists()
    for path in well.root.glob(".*.lock"):
        path.unlink()
    before = sorted(well.root.rglob("*"))
    found(well, "ok")
    assert sorted(well.root.rglob("*")) == before


def test_disk(well, monkeypatch):
    usage = doctor.shutil.disk_usage(well.root)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: usage._replace(free=100 << 20))
    assert "0.1 GB free" in found(well, "FAIL")["disk"]


def test_a_home_that_is_gone_or_no_folder(home):
    home.leagues_toml.unlink()
    home.root.rmdir()
    home.root.write_text("a file")
    failed = found(home, "FAIL")
    assert failed == {"disk": f"{home.root} cannot be used: Not a directory"}
    assert found(home, "warn")["scheduler"] == "cannot be told, for what disk says"


def test_a_run_history_that_is_damaged_is_told_once_with_what_to_do(well):
    well.runs.write_bytes(b"random bytes, and long enough to be taken for one" * 100)
    ((check, told),) = found(well, "FAIL").items()
    assert check == "history" and told.startswith(f"{well.runs} is damaged: file is not a database. Move it")
    assert "or restore a backup" in told


def test_memory(well, monkeypatch):
    monkeypatch.setattr(doctor, "free_bytes", lambda: 8 << 30)
    run(well, NOW - timedelta(hours=1), command="fit", peak=7 << 30)
    assert "fit alps took 7.0 GB" in found(well, "warn")["memory"]


def test_locks(well):
    with alone(well, "night"), alone(well, "scheduler"):
        told = found(well, "ok")
    assert f"process {os.getpid()}" in told["locks"]
    assert f"process {os.getpid()}" in told["scheduler"]
    run(well, NOW - timedelta(minutes=1), state="running")
    assert "a night was killed" in found(well, "warn")["locks"]


def test_the_warehouse(well):
    well.warehouse.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    assert "cannot be opened" in found(well, "FAIL")["locks"]


def test_the_edition(well):
    well.current.resolve().chmod(0o644)
    well.current.resolve().write_bytes(b"broken" * 1000)
    assert "edition" in found(well, "FAIL")
    well.current.resolve().unlink()
    assert "nothing is published" in found(well, "warn")["edition"]


def test_leagues_that_failed_or_are_late(well):
    assert "not fresh: last pulled 48 hours ago" in found(well, "FAIL", NOW + timedelta(days=2))["leagues"]
    run(well, NOW + timedelta(minutes=1), state="failed")
    assert "the night failed: pull: it went so" in found(well, "FAIL", NOW + timedelta(minutes=2))["leagues"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes of others are seen in /proc only")
def test_processes_left_over(well):
    """A step whose night is gone: its parent is no Pooltable."""
    orphan = "import sys, time; print('here', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", orphan, str(well.root)],
        env={**os.environ, doctor.FOLLOWS: "1"},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert f"process {process.pid} is left over" in found(well, "FAIL")["processes"]
        process.send_signal(signal.SIGKILL)
    assert "processes" not in found(well, "FAIL")


def test_files_left_over(well):
    """Told of, and deleted by the next night; so are logs of long ago."""
    well.draws.mkdir()
    part, young, log = well.draws / ".0123", well.draws / ".4567", well.logs / "r0" / "01-alps-pull.log"
    part.write_bytes(b"half")
    young.write_bytes(b"half")
    log.parent.mkdir(parents=True)
    log.write_text("said")
    for days in range(95, 0, -1):
        run(well, NOW - timedelta(days=days))
    assert "files" not in found(well, "warn"), "whoever writes it may still be at it"
    day_ago = time.time() - 90_000
    os.utime(part, (day_ago, day_ago))
    assert "left by killed processes: 1 " in found(well, "warn")["files"]
    sweep(well, NOW)
    assert (part.exists(), young.exists(), log.exists()) == (False, True, True)
    for days, ahead, stays in ((89, 0, True), (89, 200, True), (91, 0, False)):
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(log.parent, (at, at))
        sweep(well, NOW + timedelta(days=ahead))
        assert log.parent.exists() == stays, "of the last ninety days on which anything ran, whatever the clock says"


def test_versions(well, monkeypatch):
    real = doctor._installed
    monkeypatch.setattr(doctor, "_installed", lambda name: "0.1" if name == "duckdb" else real(name))
    assert "duckdb 0.1" in found(well, "warn")["versions"]


def test_the_clock(well):
    assert "and the last run began at 2026-03-01 04:00" in found(well, "FAIL", NOW - timedelta(days=1))["clock"]
    run(well, NOW - timedelta(hours=12))
    assert "clock" in found(well, "ok", NOW - timedelta(hours=11)), (
        "the next night, by a clock that is right, clears it"
    )
