"""SQL for people: what reads is answered, what does anything else is refused, mistakes show their place."""

import json
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from store.errors import EngineError, QueryError, StoreError, UsageError
from store.query import mistake, query, schema


@pytest.fixture(scope="module")
def path(edition):
    return edition


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name, rank FROM leaderboard",
        "FROM leaderboard ORDER BY rank",
        "FROM leaderboard;  -- with a comment",
        "WITH best AS (FROM leaderboard WHERE rank = 1) SELECT * FROM best",
        "DESCRIBE leaderboard",
        "SHOW TABLES",
        "SUMMARIZE leaderboard",
        "PIVOT leaderboard ON name USING max(rating) GROUP BY league",
        "EXPLAIN FROM leaderboard",
        "explain analyze FROM leaderboard",
        "/* why */ EXPLAIN (ANALYZE, FORMAT json) SELECT 1",
        "EXPLAIN (SELECT 1)",
        "EXPLAIN ANALYZE PIVOT leaderboard ON name USING max(rating)",
        "WITH a AS (PIVOT leaderboard ON name USING max(rating)) FROM a",
        "VALUES (1), (2)",
    ],
)
def test_reading_is_answered(path, sql):
    assert query(path, sql, {}).height > 0


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO league SELECT * FROM league",
        "UPDATE leaderboard SET rank = 1",
        "DELETE FROM game",
        "DROP TABLE game",
        "ALTER TABLE game ADD COLUMN x INTEGER",
        "CREATE TABLE mine AS SELECT 1",
        "CREATE TEMP TABLE mine AS SELECT 1",
        "COPY game TO '{there}/out.csv'",
        "COPY (PIVOT leaderboard ON name USING max(rating)) TO '{there}/out.csv'",
        "EXPORT DATABASE '{there}/all'",
        "ATTACH '{there}/other.duckdb' AS other",
        "SET threads = 1",
        "SET lock_configuration = false",
        "PRAGMA database_list",
        "CALL duckdb_tables()",
        "INSTALL httpfs",
        "LOAD httpfs",
        "UPDATE EXTENSIONS",
        "USE memory",
        "BEGIN",
        "PREPARE p AS SELECT 1",
        "SELECT 1; DROP TABLE game",
        "SELECT 1; SELECT 2",
        "",
        "-- nothing",
        "WITH gone AS (DELETE FROM game RETURNING *) FROM gone",
        "EXPLAIN ANALYZE DELETE FROM game",
        "EXPLAIN ANALYZE CREATE TEMP TABLE mine AS SELECT 1",
        "EXPLAIN (ANALYZE) SET VARIABLE x = 1",
        "EXPLAIN /* ( */ ANALYZE (FORMAT json) BEGIN",
        "EXPLAIN PREPARE p AS SELECT 1",
        "\u00a0EXPLAIN ANALYZE BEGIN",
        "CREATE TEMP TABLE mine AS PIVOT leaderboard ON name USING max(rating)",
        "FROM read_csv('{there}/secret.csv')",
        "FROM '{there}/secret.csv'",
        "SELECT * FROM read_text('{there}/secret.csv')",
        "SELECT * FROM glob('{there}/*')",
        "PIVOT (FROM read_csv('{there}/secret.csv')) ON a",
        "SELECT * FROM secret_frame",
        "SELECT getenv('HOME')",
    ],
)
def test_anything_else_is_refused_and_does_nothing(path, tmp_path, sql):
    secret_frame = pl.DataFrame({"a": ["secret"]})
    assert secret_frame.height == 1
    (tmp_path / "secret.csv").write_text("a\nsecret\n")
    before = {item.name for item in tmp_path.iterdir()}
    bytes_before = path.read_bytes()
    with pytest.raises(UsageError) as caught:
        query(path, sql.format(there=tmp_path), {})
    assert caught.value.exit_code == 2
    assert {item.name for item in tmp_path.iterdir()} == before
    assert path.read_bytes() == bytes_before


def test_parameters_are_bound_never_pasted(path):
    sql = "SELECT name FROM leaderboard WHERE name = $name AND rank <= $n"
    assert query(path, sql, {"name": "A", "n": "3"}).rows() == [("A",)]
    assert query(path, sql, {"name": "A' OR true --", "n": "3"}).rows() == []


def test_a_missing_and_an_unknown_parameter_are_named(path):
    with pytest.raises(UsageError, match=r"needs a value for \$league_name") as caught:
        query(path, "FROM leaderboard WHERE league = $league_name", {})
    assert "-p league_name=" in caught.value.hint
    with pytest.raises(UsageError, match=r"no parameter \$leage"):
        query(path, "FROM leaderboard", {"leage": "x"})


def test_a_mistake_keeps_the_caret(path):
    with pytest.raises(UsageError) as caught:
        query(path, "SELECT nme\nFROM leaderboard", {})
    assert "LINE 1: SELECT nme" in caught.value.message
    assert "^^^" in caught.value.message
    with pytest.raises(UsageError, match='Did you mean "leaderboard"'):
        query(path, "FROM leaderbord", {})
    far = (
        r'Catalog Error: {"exception_message": "Table with name schedule does not exist!\nDid you mean \"residual\"?"}'
    )
    assert mistake(duckdb.Error(far), "").what == "Catalog Error: Table with name schedule does not exist!"
    with pytest.raises(UsageError, match="syntax error"):
        query(path, "SELEC 1", {})


INTERNAL = (
    'INTERNAL Error: {"exception_type":"INTERNAL","exception_message":"Conflicting binding for #[619.0]\\nStack",'
    '"stack_trace":"\\n/opt/x/site-packages/_duckdb.abi3.so(_ZN6duckdb9E) [0x7f717ce4524a]"}\n\n'
    "Stack Trace:\n/lib/a.so(f) [0x7f71]"
)


@pytest.mark.parametrize(
    "text",
    [
        INTERNAL,
        INTERNAL.replace("INTERNAL", "FATAL"),
        f"Invalid Input Error: Attempting to fetch from an unsuccessful query result\nError: {INTERNAL[16:]}",
        "Invalid Input Error: " + json.dumps({"exception_message": f"deleter failed: {INTERNAL[16:]}"}),
    ],
)
def test_an_error_of_duckdbs_own_is_one_sentence(text):
    found = mistake(duckdb.Error(text), "SELECT 1")
    assert isinstance(found, EngineError) and found.exit_code == 1
    assert found.message == "DuckDB met an error of its own with this query: Conflicting binding for #[619.0]."
    assert found.hint == "Write it another way."


def test_an_error_tells_nothing_of_the_installation_but_what_the_query_says():
    ours = Path(__file__).resolve().parents[2]
    places = f"{sys.prefix}/lib/x {ours}/store [0x7f717ce4524a] /any/site-packages/duckdb/a.py"
    told = mistake(duckdb.Error(f"IO Error: {places} is no {{"), "SELECT 1").what
    assert told == "IO Error: … … […] … is no {"
    typed = mistake(duckdb.Error("Binder Error: no 0x7f717ce4524a"), "SELECT 0x7f717ce4524a")
    assert typed.what.endswith("0x7f717ce4524a")


def test_advice_on_settings_is_left_out(path):
    with pytest.raises(QueryError) as caught:
        query(path, "SELECT " + "+".join(["1"] * 3000), {})
    assert "depth limit" in caught.value.what and "SET " not in str(caught.value)


def test_a_long_word_is_cut_and_costs_no_more_than_its_length(path, monkeypatch):
    compared = []
    monkeypatch.setattr("store.query.get_close_matches", lambda word, others: compared.extend([word, *others]))
    long = "x" * 90_000
    with pytest.raises(QueryError) as caught:
        query(path, f"WITH a{long}b AS (SELECT 1) FROM a{long}c", {})
    assert "does not exist" in caught.value.what and len(caught.value.what) < 1000
    assert all(len(word) < 300 for word in compared)
    sent = "1" * 90_000 + "x"
    assert query(path, "SELECT length($v) AS n", {"v": sent}).item() == len(sent)


def test_a_guess_is_told_only_where_it_is_like_what_was_meant(path):
    for name, is_told in (("leaderbord", True), ("zzqx", False)):
        with pytest.raises(QueryError) as caught:
            query(path, f"FROM {name}", {})
        assert f"{name} does not exist!" in caught.value.what
        assert ("Did you mean" in caught.value.what) == is_told


def test_a_column_named_twice_gets_a_number(path):
    assert query(path, "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a", {}).rows(named=True) == [
        {"a": 1, "a_3": 2, "a_2": 3, "a_4": 4}
    ]


def test_every_published_table_can_be_read(path):
    tables = schema(path).filter(object="table")["name"].unique().to_list()
    assert "leaderboard" in tables
    for name in tables:
        counted = query(path, f"SELECT count(*) AS rows FROM {name}", {}).item()
        assert query(path, f"FROM {name}", {}).height == counted


def test_the_schema_names_tables_columns_and_macros_with_their_sentences(path):
    found = schema(path)
    assert {"leaderboard", "game", "edition", "competitor_of"} <= set(found["name"])
    assert found.filter(name="leaderboard", column_name="rank")["type"].to_list() == ["INTEGER"]
    assert found["comment"].null_count() == 0


def test_an_edition_older_than_its_dictionary_says_so(tmp_path):
    older = tmp_path / "older.duckdb"
    with duckdb.connect(str(older)) as con:
        con.execute("CREATE TABLE league (league VARCHAR)")
    with pytest.raises(StoreError, match="older has no data dictionary") as caught:
        schema(older)
    assert caught.value.hint == "Run: pooltable publish"


def test_a_file_that_is_no_edition_is_named(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        query(tmp_path / "none.duckdb", "SELECT 1", {})
