"""A home in one file and back: of one moment, whole or not at all, whatever happens meanwhile."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from store import backup as backups
from store.backup import backup, restore
from store.edition import current, editions, pinned, publish, rollback
from store.errors import LockedError, StoreError, UsageError
from store.history import History, Run
from store.home import Home
from store.warehouse import reading, writing

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
STANZA = '[alps]\ntitle = "Alps"\nfeed = "csv"\nsource = "a.csv"\noutcome = "score"\n'


def silent(_stage: str, _share: float) -> None:
    pass


@pytest.fixture
def lived_in(rated, refit):
    """A home with everything a home can have: two editions, one pinned, raw files, logs, history and leavings."""
    first = publish(rated, ["alps"], NOW)
    refit(rated, "f2", minutes=5, best="fifa:B")
    publish(rated, ["alps"], NOW.replace(hour=5))
    rollback(rated, first.stem)
    for name, text in {
        "leagues.toml": STANZA, "raw/alps/a.csv": "home,away", "raw/alps/a.csv.json": "{}", "logs/r1/01.log": "done",
        ".night.lock": "", "draws/.half": "half", "backups/before.duckdb": "old", "editions/.serving/x.duckdb": "copy",
    }.items():  # fmt: skip
        (rated.root / name).parent.mkdir(parents=True, exist_ok=True)
        (rated.root / name).write_text(text)
    History(rated.runs).start_run(Run("r1", "manual", ("alps",), NOW), os.getpid())
    return rated


def said(home: Home) -> dict[str, object]:
    """What the home says to whoever asks."""
    with reading(home) as con:
        rows: dict[str, object] = {
            table: con.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in ("fit", "rating", "publication")
        }
    with duckdb.connect(str(current(home)), read_only=True) as con:
        rows["leaderboard"] = con.execute("FROM leaderboard ORDER BY ALL").fetchall()
    return rows | {"runs": History(home.runs).rows("run"), "pinned": pinned(home), "current": current(home).name}


def files(home: Home) -> dict[str, str]:
    """Every file that is not the warehouse or the history, with its sum, or where it points."""
    return {
        str(path.relative_to(home.root)): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.root.rglob("*"))
        if (path.is_file() or path.is_symlink())
        and not path.name.startswith(("warehouse", "runs.sqlite"))
        and (path.name == ".pinned" or not any(part.startswith(".") for part in path.relative_to(home.root).parts))
    }


def test_a_home_comes_back_as_it_was(lived_in, tmp_path):
    path, kept = backup(lived_in, tmp_path, NOW, silent)
    assert path == tmp_path / "pooltable-20260301-040000.tar.zst"
    again = Home(tmp_path / "again")
    told, old = restore(again, path, NOW, silent)
    assert (told, old) == (kept, None)
    assert said(again) == said(lived_in)
    expected = files(lived_in)
    del expected["backups/before.duckdb"]
    assert files(again) == expected
    assert all(edition.stat().st_mode & 0o222 == 0 for edition in editions(again))
    leavings = [one.name for one in again.root.iterdir() if one.name.startswith(".") and one.name != ".backup.lock"]
    assert leavings == [], "neither locks nor halves come along"
    assert not [one for one in lived_in.root.iterdir() if one.name.startswith(".backup-")]
    publish(again, ["alps"], NOW.replace(hour=6))
    with writing(again) as con:
        con.execute("DELETE FROM finding")


def test_tar_reads_it_too_and_the_manifest_is_last(lived_in, tmp_path):
    path, kept = backup(lived_in, tmp_path / "b.tar.zst", NOW, silent)
    with pa.CompressedInputStream(path.open("rb"), "zstd") as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
        members = [(member.name, member.size) for member in tar]
    assert members[-1][0] == "manifest.json"
    assert (len(members) - 1, sum(size for _, size in members[:-1])) == (kept.files, kept.bytes)


WRITER = """
import sys
from pathlib import Path
from store.home import Home
from store.warehouse import writing

home, number = Home(Path(sys.argv[1])), 0
while True:
    number += 1
    (home.draws / f"w{number}.parquet").write_text(str(number))
    with writing(home) as con:
        for table in ("fit", "rating"):
            renamed = f"SELECT * REPLACE ('w{number}' AS fit_id) FROM {table} WHERE fit_id = 'f1'"
            con.execute(f"INSERT INTO {table} {renamed}")
    (home.draws / f"w{number - 3}.parquet").unlink(missing_ok=True)
    print(number, flush=True)
"""


def test_it_is_of_one_moment_while_another_process_writes(lived_in, tmp_path):
    """A writer adds a fit, its rating and its draws file together, again and again, and deletes older draws."""
    command = [sys.executable, "-c", WRITER, str(lived_in.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as writer:
        assert writer.stdout is not None
        for _ in range(5):
            assert writer.stdout.readline()
        paths = [backup(Home(lived_in.root), tmp_path / f"{n}.tar.zst", NOW, silent)[0] for n in range(3)]
        writer.kill()
    for path in paths:
        home = Home(tmp_path / path.stem)
        restore(home, path, NOW, silent)
        found = "SELECT DISTINCT fit_id[2:]::INTEGER FROM {} WHERE fit_id[1] = 'w' ORDER BY 1"
        with reading(home) as con:
            fits, rated = ([n for (n,) in con.execute(found.format(t)).fetchall()] for t in ("fit", "rating"))
        assert fits == rated == list(range(1, len(fits) + 1)) and len(fits) >= 5
        for number in fits[-3:]:
            assert (home.draws / f"w{number}.parquet").read_text() == str(number)


def test_a_home_that_is_not_empty_is_kept(lived_in, tmp_path, rated):
    path, _ = backup(lived_in, tmp_path, NOW, silent)
    before = said(lived_in)
    with pytest.raises(UsageError, match="is not empty") as caught:
        restore(lived_in, path, NOW, silent)
    assert "--force" in caught.value.hint
    lived_in.leagues_toml.write_text("[changed]")
    with writing(lived_in) as con:
        con.execute("DELETE FROM rating")
    _, old = restore(lived_in, path, NOW, silent, force=True)
    assert said(lived_in) == before and lived_in.leagues_toml.read_text() == STANZA
    assert old is not None and (old / "leagues.toml").read_text() == "[changed]"
    with reading(Home(old)) as con:
        assert con.execute("SELECT count(*) FROM rating").fetchall() == [(0,)]
    other, _ = backup(lived_in, tmp_path / "other.tar.zst", NOW, silent)
    third = Home(tmp_path / "third")
    restore(third, other, NOW, silent)
    assert not [one for one in third.root.iterdir() if "replaced" in one.name], "what was set aside is no part of it"


def damaged(path: Path, how: str) -> Path:
    body = path.read_bytes()
    other = path.with_name(f"{how}.tar.zst")
    other.write_bytes(
        {
            "cut": body[: len(body) // 2],
            "one byte short": body[:-1],
            "one bit": body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :],
            "empty": b"",
            "no archive": b"results" * 1000,
        }[how]
    )
    return other


@pytest.mark.parametrize("how", ["cut", "one byte short", "one bit", "empty", "no archive"])
def test_a_damaged_backup_changes_nothing(lived_in, tmp_path, how):
    path, _ = backup(lived_in, tmp_path / "good.tar.zst", NOW, silent)
    before = files(lived_in)
    for home, force in ((Home(tmp_path / "fresh"), False), (lived_in, True)):
        with pytest.raises(StoreError, match="is no whole backup"):
            restore(home, damaged(path, how), NOW, silent, force=force)
    assert files(lived_in) == before
    assert [one.name for one in (tmp_path / "fresh").iterdir()] == [".backup.lock"]


def repacked(path: Path, change) -> Path:
    """The same archive with members changed: (member, bytes) -> the same, or None."""
    other = path.with_name("changed.tar.zst")
    with (
        pa.CompressedInputStream(path.open("rb"), "zstd") as read, tarfile.open(fileobj=read, mode="r|") as tar,
        pa.CompressedOutputStream(other.open("wb"), "zstd") as wrote, tarfile.open(fileobj=wrote, mode="w|") as made,
    ):  # fmt: skip
        for member in tar:
            found = tar.extractfile(member) if member.isfile() else None
            if kept := change(member, found.read() if found else b""):
                member, body = kept
                member.size = len(body)
                made.addfile(member, BytesIO(body))
    return other


def test_a_file_that_is_missing_changed_or_out_of_place_is_found(lived_in, tmp_path):
    path, _ = backup(lived_in, tmp_path / "good.tar.zst", NOW, silent)

    def without(member, body):
        return None if member.name == "leagues.toml" else (member, body)

    def changed(member, body):
        return member, b"[ALPS]" if member.name == "leagues.toml" else body

    def elsewhere(member, body):
        member.name = "../outside" if member.name == "leagues.toml" else member.name
        return member, body

    for change in (without, changed, elsewhere):
        with pytest.raises(StoreError, match="is no whole backup"):
            restore(Home(tmp_path / "fresh" / "home"), repacked(path, change), NOW, silent)
    assert not list((tmp_path / "fresh").glob("outside"))


def test_a_backup_of_a_newer_version_names_it_and_changes_nothing(lived_in, tmp_path):
    with writing(lived_in) as con:
        con.execute("INSERT INTO migration VALUES ('999_from_tomorrow', now(), '9.9')")
    with pytest.raises(StoreError, match=r"upgraded by Pooltable 9\.9"):
        backup(lived_in, tmp_path, NOW, silent)
    with duckdb.connect(str(lived_in.warehouse)) as con:
        con.execute("DELETE FROM migration WHERE name = '999_from_tomorrow'")
    path, _ = backup(lived_in, tmp_path, NOW, silent)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("store.warehouse.names", lambda: ["001_results"])
        with pytest.raises(StoreError, match="does not know 002_fits"):
            restore(Home(tmp_path / "fresh"), path, NOW, silent)
    assert [one.name for one in (tmp_path / "fresh").iterdir()] == [".backup.lock"]


@contextmanager
def full_disk(after_bytes: int):
    """No file of this process grows beyond that: writing fails as on a disk that is full."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("room", [10_000, 300_000])
def test_a_full_disk_is_told_and_leaves_no_half_file(lived_in, tmp_path, room):
    """With little room the copy of the warehouse fails, with more the archive itself."""
    (lived_in.root / "raw" / "noise.bin").write_bytes(os.urandom(4_000_000))
    out = tmp_path / "out"
    out.mkdir()
    before = files(lived_in)
    with full_disk(room), pytest.raises(StoreError) as caught:
        backup(lived_in, out, NOW, silent)
    assert "room on the disk" in caught.value.hint or "full" in caught.value.hint
    assert list(out.iterdir()) == [] and files(lived_in) == before
    assert not [one for one in lived_in.root.iterdir() if one.name.startswith(".backup-")]


def test_a_disk_that_fills_while_restoring_leaves_the_home_as_it_was(lived_in, tmp_path):
    path, _ = backup(lived_in, tmp_path, NOW, silent)
    before = files(lived_in)
    with full_disk(20_000), pytest.raises(StoreError, match="cannot be written"):
        restore(lived_in, path, NOW, silent, force=True)
    assert files(lived_in) == before
    assert not [one for one in lived_in.root.iterdir() if one.name.startswith((".restoring", ".replaced"))]


def test_a_damaged_run_history_is_named_and_is_no_full_disk(lived_in, tmp_path):
    lived_in.runs.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match=r"runs\.sqlite is damaged: [^\n]*\n.*aside, and the run history begins"):
        backup(lived_in, tmp_path / "b.tar.zst", NOW, silent)
    assert list(tmp_path.glob("*b.tar.zst*")) == []


def test_places_that_will_not_do_are_named(lived_in, tmp_path):
    (tmp_path / "there").write_text("mine")
    for target, words in (
        (tmp_path / "there", "there already"),
        (tmp_path / "nowhere" / "b", "no folder"),
        (lived_in.root / "b.tar.zst", "lies in the home itself"),
    ):
        with pytest.raises(UsageError, match=words):
            backup(lived_in, target, NOW, silent)
    assert (tmp_path / "there").read_text() == "mine"
    path, _ = backup(lived_in, lived_in.backups, NOW, silent)
    assert path.parent == lived_in.backups
    with pytest.raises(StoreError, match="no home"):
        backup(Home(tmp_path / "none"), tmp_path, NOW, silent)
    with pytest.raises(UsageError, match="no file"):
        restore(Home(tmp_path / "none"), tmp_path / "none.tar.zst", NOW, silent)


def test_two_at_a_time_are_refused_and_a_killed_one_is_swept(lived_in, tmp_path):
    (lived_in.root / ".backup-killed").mkdir()
    with backups._alone(lived_in), pytest.raises(LockedError, match="already"):
        backup(lived_in, tmp_path, NOW, silent)
    backup(lived_in, tmp_path, NOW, silent)
    assert not (lived_in.root / ".backup-killed").exists()


def test_a_disk_without_second_names_gets_copies(lived_in, tmp_path, monkeypatch):
    def no_links(*_):
        raise PermissionError("not here")

    monkeypatch.setattr(os, "link", no_links)
    path, _ = backup(lived_in, tmp_path, NOW, silent)
    again = Home(tmp_path / "again")
    restore(again, path, NOW, silent)
    assert said(again) == said(lived_in)


def test_the_command_says_what_it_wrote_and_what_it_set_aside(lived_in, tmp_path):
    def pooltable(*words: str) -> str:
        command = [sys.executable, "-m", "jobs.cli", "--home", str(lived_in.root), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    wrote = pooltable("backup", str(tmp_path / "b.tar.zst"))
    assert wrote.startswith(f"Wrote {tmp_path / 'b.tar.zst'} (")
    told = pooltable("restore", str(tmp_path / "b.tar.zst"), "--force").splitlines()
    assert told[0].startswith(f"Restored {lived_in.root} as of 20")
    assert f"{lived_in.root}/.replaced-" in told[1]
