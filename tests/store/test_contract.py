"""What readers of editions rely on: names that stay, keys that hold, words for everything, examples that run."""

import re
from pathlib import Path

import duckdb
import pytest

CONTRACT = Path(__file__).with_name("edition_contract.txt")


@pytest.fixture(scope="module")
def con(two):
    with duckdb.connect(str(two.path), read_only=True) as con:
        yield con


def rows(con, sql, *values):
    return con.execute(sql, values).fetchall()


def offered(con):
    """A line a column, with its type, and a line a macro, with its parameters, and a column it answers with, sorted."""
    name = "concat_ws(' ', name || coalesce('.' || column_name, ''), type)"
    lines = rows(con, f"SELECT {name} FROM data_dictionary WHERE type IS NOT NULL")
    return sorted([*(line for (line,) in lines), *answered(con)])


def answered(con):
    tables = "SELECT function_name FROM duckdb_functions() WHERE function_type = 'table_macro' AND NOT internal"
    for (name,) in rows(con, tables):
        example = examples(con)[name][0]
        call = re.findall(rf"{name}\([^)]*\)", example)[0]
        before = example[: example.index("FROM " + call)] if example.startswith("WITH") else ""
        yield from (f"{name}().{column[0]} {column[1]}" for column in rows(con, f"DESCRIBE {before} FROM {call}"))


def test_what_an_edition_offers_only_grows(con):
    """A reader's query of today answers in every later edition: a change of meaning is a new name."""
    promised, found = CONTRACT.read_text().splitlines(), offered(con)
    gone = sorted(set(promised) - set(found))
    assert not gone, f"{gone}: a change of meaning is a new name and a CHANGELOG line; what was there stays as it was"
    new = sorted(set(found) - set(promised))
    assert not new, f"new names are promised from now on: add to {CONTRACT.name}, sorted:\n" + "\n".join(new)


def test_everything_is_in_the_dictionary_with_words(con):
    assert rows(con, "SELECT name, column_name FROM data_dictionary WHERE coalesce(comment, '') = ''") == []
    described = rows(con, "SELECT name, column_name FROM data_dictionary WHERE column_name IS NOT NULL")
    columns = rows(con, "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal")
    assert sorted(described) == sorted(columns)


def test_every_table_says_what_a_row_is_and_what_identifies_it(con):
    said = rows(con, "SELECT name, comment FROM data_dictionary WHERE object = 'table' AND column_name IS NULL")
    keyed = {name for (name,) in rows(con, "SELECT name FROM data_dictionary WHERE is_key")}
    for name, comment in said:
        assert comment.startswith("One row"), f"{name} does not begin with its grain"
        assert name in keyed, f"{name} does not end with its key"
        key = comment.split("Key: ")[1].rstrip(".").split(", ")
        assert set(key) <= {column[0] for column in rows(con, f"DESCRIBE {name}")}, f"{name}: {key}"


def test_times_are_utc_and_ids_come_with_names(con):
    found = rows(con, "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal")
    for table, column, kind in found:
        assert ("TIMESTAMP" in kind) == column.endswith("_utc"), (table, column)
        assert kind not in ("TIMESTAMP WITH TIME ZONE", "TIME"), (table, column)
    named = {table for table, column, _ in found if column == "name"}
    assert {table for table, column, _ in found if column == "competitor_id"} <= named


def test_no_parameter_of_a_macro_is_called_like_a_column(con):
    """One that is would be compared with itself, and every row chosen."""
    columns = {column for (column,) in rows(con, "SELECT column_name FROM duckdb_columns() WHERE NOT internal")}
    macros = rows(
        con,
        "SELECT function_name, parameters FROM duckdb_functions() WHERE function_type LIKE '%macro' AND NOT internal",
    )
    assert len(macros) > 15
    for name, parameters in macros:
        assert not columns & set(parameters), name


def examples(con):
    found = rows(con, "SELECT name, comment FROM data_dictionary WHERE object = 'macro'")
    return {name: re.findall(r"Example: (.*)$", comment) for name, comment in found}


def test_every_macro_shows_how_it_is_called_and_the_example_runs(con):
    for name, found in examples(con).items():
        assert len(found) == 1, f"{name} has no example"
        assert f"{name}(" in found[0]
        answer = rows(con, found[0])
        assert answer, name
        assert any(value is not None for value in answer[0]), name


def test_keys_hold(con):
    """No two rows of a table share the values of its key, and none of those is NULL."""
    listed = "SELECT name, list('\"' || column_name || '\"') FROM data_dictionary WHERE is_key GROUP BY name"
    keys = dict(rows(con, listed))
    filled = 0
    for name, columns in keys.items():
        key, nulls = ", ".join(columns), " OR ".join(f"{column} IS NULL" for column in columns)
        asked = f"SELECT count(*), count(DISTINCT row({key})), count(*) FILTER ({nulls}) FROM {name}"
        ((all_rows, different, unknown),) = rows(con, asked)
        assert (all_rows, unknown) == (different, 0), name
        filled += all_rows > 1
    assert filled >= 10
