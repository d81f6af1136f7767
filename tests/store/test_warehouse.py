"""The warehouse: migrations, transactions, comments, and who holds the file."""

import os
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


def test_a_warehouse_of_a_newer_version_is_refused(home):
    with writing(home) as con:
        con.execute("INSERT INTO migration VALUES ('999_from_tomorrow', now())")
    with pytest.raises(StoreError, match="999_from_tomorrow") as caught, writing(home):
        pass
    assert "newer Pooltable" in caught.value.hint


def test_reading_an_older_warehouse_brings_it_up_to_date(home, tmp_path, monkeypatch):
    with writing(home):
        pass
    copy = tmp_path / "migrations"
    copy.mkdir()
    for name in names():
        (copy / f"{name}.sql").write_text((warehouse.MIGRATIONS / f"{name}.sql").read_text())
    (copy / "900_more.sql").write_text("CREATE TABLE more (x INTEGER);")
    monkeypatch.setattr(warehouse, "MIGRATIONS", copy)
    with reading(home) as con:
        assert applied(con)[-1] == "900_more"
        assert con.execute("SELECT count(*) FROM more").fetchall() == [(0,)]


def test_a_migration_that_breaks_leaves_no_part_of_itself(home, tmp_path, monkeypatch):
    with writing(home):
        pass
    copy = tmp_path / "migrations"
    copy.mkdir()
    for name in names():
        (copy / f"{name}.sql").write_text((warehouse.MIGRATIONS / f"{name}.sql").read_text())
    (copy / "900_broken.sql").write_text("CREATE TABLE half (x INTEGER); SELECT nonsense;")
    monkeypatch.setattr(warehouse, "MIGRATIONS", copy)
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
