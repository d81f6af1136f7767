"""Faults: a load killed at any moment, a full disk, an unreadable file, a locked warehouse, a half-written raw file.

Each leaves the warehouse as before or as after, says what is wrong in one clear line, and harms no other league.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ingest.pull import pull
from store.errors import TEMPORARY
from store.home import CHECKOUT, Home
from store.stanzas import read_catalogue
from store.warehouse import reading

DEMO = CHECKOUT / "data" / "demo" / "stints"
CHILD = Path(__file__).parent / "loading_child.py"
TABLES = ("game", "side", "appearance", "competitor", "membership", "truth", "alias")
NOW = datetime(2025, 10, 1, tzinfo=UTC)
STANZA = """
[{name}]
title = "{name}"
feed = "international_football"
source = "{source}"
outcome = "score"
"""


@pytest.fixture
def versions(tmp_path):
    """Two folders with the stints of the demo: as they are, and with other goals, a player less and fewer stints."""
    one, other = tmp_path / "a", tmp_path / "b"
    shutil.copytree(DEMO, one)
    shutil.copytree(DEMO, other)
    head, *rows = (DEMO / "stints.csv").read_text().splitlines()
    changed = [row.replace(",0,0,", ",3,1,").replace("Abelin Ilvane;", "") for row in rows[:-20]]
    (other / "stints.csv").write_text("\n".join([head, *changed]) + "\n")
    return one, other


def content(home):
    """Everything loaded of the league, and the bytes that the last load says it is of; None where nothing is."""
    if not home.warehouse.exists():
        return None
    with reading(home) as con:
        told = [
            con.execute(f"SELECT count(*), bit_xor(hash(t::VARCHAR)) FROM (SELECT * FROM {table}) AS t").fetchone()
            for table in TABLES
        ]
        last = con.execute("SELECT arg_max(sha256, loaded_at_utc) FROM load").fetchone()
    return None if last in (None, (None,)) else (told, last)


def states(tmp_path, versions):
    """What a warehouse holds after an undisturbed load of each version."""
    found = []
    for version in versions:
        home = Home(tmp_path / f"whole {version.name}")
        stanza = read_catalogue()["demo_stints"]
        sources = (str(version / "stints.csv"), str(version / "truth.csv"))
        pull(home, "demo_stints", stanza.model_copy(update={"source": sources}), NOW)
        found.append(content(home))
    return found


@contextmanager
def loading(home, versions, *hold):
    """The child that loads the versions in turn; killed at the end, as by a power cut."""
    command = [sys.executable, str(CHILD), str(home.root), *map(str, versions), *map(str, hold)]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout
        assert child.stdout.readline() == b"ready\n"
        yield child.stdout
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL


def load_again(home, version):
    sources = (str(version / "stints.csv"), str(version / "truth.csv"))
    stanza = read_catalogue()["demo_stints"].model_copy(update={"source": sources})
    pull(home, "demo_stints", stanza, datetime.now(UTC), accept=True)


def test_a_load_killed_before_its_commit_has_not_happened(home, versions, tmp_path):
    whole = states(tmp_path, versions)
    assert whole[0] != whole[1]
    for hold, expected in ((0, None), (1, whole[0]), (2, whole[1])):
        with loading(home, versions, hold) as said:
            assert [said.readline() for _ in range(hold)] == [b"loaded\n"] * hold
            assert said.readline() == b"written\n"
        assert content(home) == expected
    load_again(home, versions[0])
    assert content(home) == whole[0]


def survive(home, versions, tmp_path, kills, seed):
    """Kills a load at a random moment, again and again: each time the warehouse holds a whole version, or nothing."""
    rng = np.random.default_rng(seed)
    whole = states(tmp_path, versions)
    for _ in range(kills):
        with loading(home, versions) as said:
            began = time.monotonic()
            if rng.random() < 0.7:
                assert said.readline() == b"loaded\n"
            took = max(time.monotonic() - began, 0.2)
            time.sleep(rng.uniform(0, 1.5 * took))
        assert content(home) in [None, *whole]
    load_again(home, versions[0])
    assert content(home) == whole[0]


def test_a_load_killed_at_a_random_moment_is_there_or_not_there(home, versions, tmp_path):
    survive(home, versions, tmp_path, kills=2, seed=11)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_sixty_loads_killed_at_random_moments(home, versions, tmp_path):
    survive(home, versions, tmp_path, kills=60, seed=20251122)


@pytest.fixture
def leagues(home, results, rows):
    """leagues(first=path, second=path): writes a home with these leagues of internationals."""

    def write(**sources):
        home.root.mkdir(parents=True, exist_ok=True)
        home.leagues_toml.write_text("".join(STANZA.format(name=name, source=path) for name, path in sources.items()))
        return home

    return write


def pooltable(home, *words, largest_file=None, wait="0.5"):
    """The command as typed, optionally where no file may be larger than so many bytes, as on a disk that is full."""
    limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file,) * 2)) if largest_file else None
    return subprocess.run(
        [sys.executable, "-m", "jobs.cli", "--home", str(home.root), *words],
        capture_output=True, text=True, cwd=CHECKOUT, preexec_fn=limit,
        env=os.environ | {"POOLTABLE_LOCK_WAIT_SECONDS": wait}, check=False,
    )  # fmt: skip


def complaint(done, code=1):
    """The one error line of a command that failed."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert done.returncode == code, done.stderr
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr and "did not foresee" not in done.stderr
    return lines[0]


def games(home):
    with reading(home) as con:
        return dict(con.execute("SELECT league, count(*) FROM game GROUP BY ALL").fetchall())


def test_what_a_pull_did_is_said_in_one_line_and_once(leagues, results, rows):
    home = leagues(fine=results(rows(5)))
    for said, counted in (
        ("fine: 20 games new, 0 changed, 0 gone, 0 unchanged; 0 rows rejected.", 20),
        ("fine: nothing new (20 games).", 0),
    ):
        done = pooltable(home, "pull")
        assert done.stdout == said + "\n"
        assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == [f"pull fine: {counted} rows"]


def test_a_disk_too_full_for_the_download_harms_no_other_league(leagues, results, rows):
    big = results(rows(500), "big/results.csv")
    home = leagues(big=big, small=results(rows(5), "small/results.csv"))
    pull_small = pooltable(home, "pull", "small")
    assert pull_small.returncode == 0, pull_small.stderr
    done = pooltable(home, "pull", "big", largest_file=50_000)
    assert "cannot be written: File too large" in complaint(done)
    assert games(home) == {"small": 20}
    assert not list(home.raw.glob("big/*"))
    assert pooltable(home, "pull").returncode == 0
    assert games(home) == {"big": 2000, "small": 20}


def test_a_disk_too_full_for_a_new_download_is_not_taken_for_a_fault_of_its_source(leagues, results, rows):
    home = leagues(fine=results(rows(5)))
    assert pooltable(home, "pull").returncode == 0
    results(rows(500))
    done = pooltable(home, "pull", largest_file=20_000)
    assert str(home.raw) in complaint(done) and "cannot be written: File too large" in complaint(done)
    assert "Is the disk full, or read-only?" in done.stderr
    assert games(home) == {"fine": 20}


def test_a_disk_too_full_for_what_check_finds_is_said(leagues, results, rows):
    home = leagues(fine=results([*rows(5), "2024-12-01,Aland,Nowhere,99,0,Friendly,Port,Isle,FALSE"]))
    assert pooltable(home, "pull").returncode == 0
    done = pooltable(home, "check", largest_file=16)
    assert f"{home.warehouse} cannot be written" in complaint(done)
    assert "Is there room on the disk" in done.stderr


def test_a_disk_too_full_for_the_warehouse_leaves_it_as_it_was(leagues, results, rows):
    big = results(rows(5000), "big/results.csv")
    home = leagues(small=results(rows(5), "small/results.csv"), big=big)
    assert pooltable(home, "pull", "small").returncode == 0
    limit = max(big.stat().st_size, home.warehouse.stat().st_size) + 50_000
    done = pooltable(home, "pull", "big", largest_file=limit)
    assert f"{home.warehouse} cannot be written" in complaint(done)
    assert "Is there room on the disk" in done.stderr
    assert games(home) == {"small": 20}
    again = pooltable(home, "pull")
    assert again.returncode == 0, again.stderr
    assert games(home) == {"big": 20_000, "small": 20}


def test_an_unreadable_file_is_one_line_and_the_next_league_goes_on(leagues, results, rows, tmp_path):
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    home = leagues(broken=loop, fine=results(rows(5)))
    line = complaint(pooltable(home, "pull"))
    assert f"{loop} cannot be read" in line
    assert games(home) == {"fine": 20}


def test_a_pipe_is_not_waited_for(leagues, results, rows, tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert f"{pipe} is not a file" in complaint(pooltable(leagues(broken=pipe), "pull"))


def test_a_locked_warehouse_is_waited_for_and_then_named(leagues, results, rows):
    home = leagues(fine=results(rows(5)))
    assert pooltable(home, "pull").returncode == 0
    code = f"import duckdb, time; held = duckdb.connect({str(home.warehouse)!r}); print('held'); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        line = complaint(pooltable(home, "pull"), code=TEMPORARY)
        holder.kill()
    assert f"held by process {holder.pid}" in line
    assert pooltable(home, "pull").returncode == 0


def test_a_half_written_raw_file_is_fetched_again_or_said(leagues, results, rows):
    source = results(rows(5), "one/results.csv")
    home = leagues(half=source, fine=results(rows(5), "two/results.csv"))
    assert pooltable(home, "pull").returncode == 0
    (raw,) = (home.raw / "half").glob("*.csv")
    raw.write_bytes(raw.read_bytes()[:100])
    (home.raw / "half" / ".part-left-by-a-crash").write_bytes(b"half")
    assert pooltable(home, "pull").returncode == 0
    assert raw.stat().st_size == source.stat().st_size
    raw.write_bytes(raw.read_bytes()[:100])
    source.unlink()
    line = complaint(pooltable(home, "pull"))
    assert f"{source} cannot be read: No such file or directory. Its snapshot of " in line
    assert f" cannot stand in: {raw} is damaged." in line
    assert games(home) == {"half": 20, "fine": 20}


def test_a_warehouse_that_lost_its_end_is_said(leagues, results, rows):
    home = leagues(fine=results(rows(500)))
    assert pooltable(home, "pull").returncode == 0
    with home.warehouse.open("r+b") as file:
        file.truncate(300_000)
    for command in ("pull", "check"):
        done = pooltable(home, command)
        assert str(home.warehouse) in complaint(done)
        assert "restore a backup, or remove it" in done.stderr


def test_a_warehouse_that_is_no_database_is_said(leagues, results, rows):
    home = leagues(fine=results(rows(5)))
    home.warehouse.write_bytes(b"not a database" * 1000)
    assert f"{home.warehouse} cannot be opened" in complaint(pooltable(home, "pull"))
