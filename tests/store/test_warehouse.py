"""The warehouse: migrations, transactions, comments, and who holds the file."""

import importlib.metadata
import os
import resource
import signal
import subprocess
import sys

import duckdb
import pytest

from store import warehouse
from store.errors import LockedError, StoreError
from store.warehouse import applied, connect, names, quoted, reading, writing


def test_a_fresh_home_gets_every_migration(home):
    with writing(home) as con:
        assert applied(con) == names()
    with reading(home) as con:
        assert con.execute("SELECT count(*) FROM game").fetchall() == [(0,)]


def test_migrating_again_changes_nothing(home):
    with writing(home) as con:
        before = con.execute("FROM migration ORDER BY name").fetchall()
    with writing(home) as con:
        assert con.execute("FROM migration ORDER BY name").fetchall() == before


@pytest.mark.parametrize(("version", "words"), [("9.9", "by Pooltable 9.9"), (None, "by a newer Pooltable")])
def test_a_warehouse_of_a_newer_version_is_refused_and_the_version_named(home, version, words):
    with writing(home) as con:
        con.execute("INSERT INTO migration VALUES ('999_from_tomorrow', now(), ?)", [version])
    for opened in (writing, reading):
        with pytest.raises(StoreError, match="999_from_tomorrow") as caught, opened(home):
            pass
        assert words in caught.value.message and "backups/" in caught.value.hint


def test_a_newer_warehouse_that_does_not_even_say_versions_is_refused(home):
    with writing(home) as con:
        con.execute("ALTER TABLE migration DROP pooltable")
        con.execute("INSERT INTO migration VALUES ('999_from_tomorrow', now())")
    with pytest.raises(StoreError, match="by a newer Pooltable"), writing(home):
        pass


@pytest.fixture
def add_migration(tmp_path, monkeypatch):
    """add_migration(name, sql): this version has one migration more from now on."""
    copy = tmp_path / "migrations"
    copy.mkdir()
    for name in names():
        (copy / f"{name}.sql").write_text((warehouse.MIGRATIONS / f"{name}.sql").read_text())

    def add(name, sql):
        (copy / f"{name}.sql").write_text(sql)
        monkeypatch.setattr(warehouse, "MIGRATIONS", copy)

    return add


def test_an_upgrade_keeps_the_warehouse_as_it_was_and_says_who_made_it(rated, add_migration):
    before = names()
    assert not rated.backups.exists(), "a fresh warehouse is no upgrade"
    add_migration("900_more", "DROP TABLE rating;")
    with writing(rated) as con:
        told = con.execute("SELECT DISTINCT pooltable FROM migration").fetchall()
    assert told == [(importlib.metadata.version("pooltable"),)]
    (kept,) = rated.backups.iterdir()
    assert kept.name == "before-900_more.duckdb"
    with duckdb.connect(str(kept), read_only=True) as con:
        assert applied(con) == before
        assert con.execute("SELECT count(*) FROM rating").fetchall() == [(3,)]
    for number in range(901, 905):
        add_migration(f"{number}_more", "SELECT 1;")
        with writing(rated):
            pass
    kept = [path.name for path in sorted(rated.backups.iterdir())]
    assert kept == [f"before-{number}_more.duckdb" for number in (902, 903, 904)]


def test_an_upgrade_without_room_for_a_copy_does_not_begin(rated, add_migration):
    add_migration("900_more", "DROP TABLE rating;")
    rated.backups.mkdir()
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(StoreError, match="cannot be written") as caught, writing(rated):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "Nothing was changed" in caught.value.hint
    assert list(rated.backups.iterdir()) == []
    with duckdb.connect(str(rated.warehouse), read_only=True) as con:
        assert applied(con) == names()[:-1]
        assert con.execute("SELECT count(*) FROM rating").fetchall() == [(3,)]


def test_a_warehouse_that_is_not_what_its_migrations_make_is_refused_before_any_upgrade(rated, add_migration):
    """As before the first release, when tables were added to migrations that had been applied."""
    with writing(rated) as con:
        con.execute("DROP TABLE game_change")
        con.execute("ALTER TABLE load DROP etag")
    add_migration("900_more", "SELECT 1;")
    for opened in (writing, reading):
        with pytest.raises(StoreError, match="has no game_change, load as its version") as caught, opened(rated):
            pass
        assert "nightly" in caught.value.hint
    assert not rated.backups.exists()


def test_reading_an_older_warehouse_brings_it_up_to_date(home, add_migration):
    with writing(home):
        pass
    add_migration("900_more", "CREATE TABLE more (x INTEGER);")
    with reading(home) as con:
        assert applied(con)[-1] == "900_more"
        assert con.execute("SELECT count(*) FROM more").fetchall() == [(0,)]


def test_a_migration_that_breaks_leaves_no_part_of_itself(home, add_migration):
    with writing(home):
        pass
    add_migration("900_broken", "CREATE TABLE half (x INTEGER); SELECT nonsense;")
    with pytest.raises(duckdb.Error), writing(home):
        pass
    con = connect(home.warehouse, 0)
    assert "900_broken" not in applied(con)
    assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'half'").fetchall() == [(0,)]
    con.close()


def test_every_table_and_column_says_what_it_is(home):
    with writing(home):
        pass
    with reading(home) as con:
        bare = con.execute(
            "SELECT table_name, '' FROM duckdb_tables() WHERE comment IS NULL UNION ALL"
            " SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL AND NOT internal"
        ).fetchall()
    assert bare == []


def test_a_block_that_raises_leaves_nothing_written(rated):
    with pytest.raises(RuntimeError), writing(rated) as con:
        con.execute("DELETE FROM game")
        raise RuntimeError
    with reading(rated) as con:
        assert con.execute("SELECT count(*) FROM game").fetchall() == [(3,)]


def test_reading_where_nothing_was_loaded_says_what_to_do(home):
    with pytest.raises(StoreError, match="no warehouse") as caught, reading(home):
        pass
    assert "pooltable pull" in caught.value.hint
    assert not home.root.exists(), "asking must not make anything"


def test_a_file_that_is_no_database_is_named(home):
    home.root.mkdir()
    home.warehouse.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StoreError, match=r"warehouse\.duckdb cannot be opened"), writing(home):
        pass


HOLDER = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def test_a_held_file_names_the_process_that_holds_it(home):
    with writing(home):
        pass
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(LockedError, match=f"process {other.pid} "), writing(home):
            pass
        with pytest.raises(LockedError, match=f"process {other.pid} "), reading(home):
            pass
    finally:
        other.communicate()
    with writing(home):
        assert other.pid != os.getpid()


def test_a_quote_in_a_path_is_doubled(tmp_path):
    assert quoted(tmp_path / "o'clock").endswith("o''clock")


def test_damage_met_while_reading_is_told_with_the_file_and_what_to_do(home):
    with writing(home) as con:
        con.execute("CREATE TABLE big AS SELECT hash(i)::VARCHAR AS text FROM range(300000) AS t(i)")
    body = bytearray(home.warehouse.read_bytes())
    body[500_000:600_000] = b"x" * 100_000
    home.warehouse.write_bytes(body)
    with pytest.raises(StoreError) as caught, reading(home) as con:
        con.execute("SELECT count(DISTINCT text) FROM big").fetchall()
    assert caught.value.message.startswith(f"{home.warehouse} cannot be read: ")
    assert "restore a backup" in caught.value.hint


def test_a_mistake_in_a_statement_is_no_fault_of_the_disk(home):
    with pytest.raises(duckdb.CatalogException), writing(home) as con:
        con.execute("SELECT * FROM no_such_table")
