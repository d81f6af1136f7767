"""What would outlive a query: every function of DuckDB that is more than a calculation is known, and those that write
are refused.
"""

import re

import duckdb
import pytest

from store.lasting import may_hide, writing

READING = re.compile(
    r"(read|parquet|pragma|duckdb|test|python|json|current)_\w+|\w+_scan(_dumb)?|repeat(_row)?|range|generate_series|glob"
    r"|unnest|sniff_csv|summary|which_secret|query(_table)?|icu_calendar_names|pg_timezone_names|histogram(_values)?"
)
HARMLESS = {  # a seed is the question's own, and an edition has no sequences and is opened to be read
    "checkpoint", "currval", "error", "force_checkpoint", "gen_random_uuid", "nextval", "random", "setseed", "setval",
    "sleep_ms", "stats", "uuid", "uuidv4", "uuidv7", "vector_type",
}  # fmt: skip
CALLED = (
    "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro') "
    "OR has_side_effects AND function_name NOT LIKE 'current_%'"
)


def test_every_function_that_may_do_more_than_calculate_is_known():
    with duckdb.connect() as con:
        names = {name for (name,) in con.execute(CALLED).fetchall()}
    refused = {name for name in names if writing(f"FROM {name}()")}
    assert {"register_external_resource", "write_log", "enable_logging"} <= refused
    assert not {name for name in names - refused - HARMLESS if not READING.fullmatch(name)}, "does it write?"


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("FROM leaderboard", ""),
        ("SELECT 1 AS checkpoint", ""),
        ("FROM duckdb_external_resources()", ""),
        ("FROM \"Register_External_Resource\"('a')", "register_external_resource"),
        ("EXPLAIN ANALYZE FROM enable_logging\n()", "enable_logging"),
        ("SELECT 'write_log'", "write_log"),
    ],
)
def test_a_name_is_found_however_it_is_written(sql, name):
    assert writing(sql) == name


@pytest.mark.parametrize("sql", ["FROM query($a)", "FROM \"QUERY\"('FROM a')", "FROM json_execute_serialized_sql('')"])
def test_a_query_made_of_values_may_hide_a_name(sql):
    assert may_hide(sql) and not may_hide("SELECT current_query(), query_id FROM subquery")
