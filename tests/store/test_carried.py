"""Every type there is, through every form: what can be read back is what DuckDB had, to the last digit."""

import csv
import io
import json
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from store.answer import FORMS, Question, answer
from store.errors import QueryError
from store.query import batches, frame, open_edition, query

TYPES = [
    name for name in duckdb.connect().sql("FROM test_all_types()").columns if name not in {"hugeint", "varchar", "blob"}
]
NESTED = ("array", "struct", "map", "list")
VALUES = """
SELECT
    170141183460469231731687303715884105727::HUGEINT AS huge,
    340282366920938463463374607431768211455::UHUGEINT AS unsigned,
    9007199254740993 AS big, -1.50 AS fraction, 12345678901234567890123456789012345.678 AS long,
    TIME '24:00' AS midnight,
    '12:00:00+05'::TIMETZ AS zoned, '0101'::BIT AS bits, DATE '20000-01-01' AS late, 'infinity'::TIMESTAMP AS never,
    MAP {[1]: 2, [3]: NULL} AS by_list, MAP {DATE '20000-01-01': 1.10} AS by_date, MAP {} AS nothing,
    [1.10, NULL] AS list, {'a': TIME '24:00', 'b "c"': 'x'::BLOB} AS struct, INTERVAL 3 DAY AS gap,
    'nan'::DOUBLE AS nan, NULL AS none
"""
IN_JSON = {
    "huge": 170141183460469231731687303715884105727, "unsigned": "340282366920938463463374607431768211455",
    "big": 9007199254740993, "fraction": Decimal("-1.50"), "long": Decimal("12345678901234567890123456789012345.678"),
    "midnight": "24:00:00", "zoned": "12:00:00+05", "bits": "0101", "late": "20000-01-01", "never": "infinity",
    "by_list": {"[1]": 2, "[3]": None}, "by_date": {"20000-01-01": Decimal("1.10")}, "nothing": {},
    "list": [Decimal("1.10"), None], "struct": {"a": "24:00:00", 'b "c"': "78"},
    "gap": "3 days", "nan": None, "none": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def con(edition):
    with open_edition(edition) as con:
        yield con


@pytest.fixture(scope="module")
def theirs():
    """A DuckDB of somebody else, who reads what was sent."""
    with duckdb.connect() as con:
        con.execute("LOAD icu; SET TimeZone = 'UTC'")
        yield con


def sent(con, sql, form):
    parts = []
    answer(con, Question(sql, form=form), parts.append)
    return b"".join(parts)


def texts(rows):
    return [text for (text,) in rows]


@pytest.mark.parametrize("name", TYPES)
def test_a_type_comes_through_every_form(con, theirs, tmp_path, name):
    sql = f'SELECT "{name}" AS v FROM test_all_types()'
    wanted = texts(con.sql(f'SELECT "{name}"::VARCHAR FROM test_all_types()').fetchall())
    (tmp_path / "v.parquet").write_bytes(sent(con, sql, "parquet"))
    assert texts(theirs.sql(f"SELECT v::VARCHAR FROM '{tmp_path}/v.parquet'").fetchall()) == wanted
    table = pa.ipc.open_stream(sent(con, sql, "arrow")).read_all()
    assert texts(theirs.from_arrow(table).project("v::VARCHAR").fetchall()) == wanted
    lines = [line[0] if line else "" for line in csv.reader(io.StringIO(sent(con, sql, "csv").decode()))]
    if not any(word in name for word in NESTED):
        assert [line.removeprefix("'") for line in lines] == ["v", *(text or "" for text in wanted)]
    assert [row["v"] is None for row in json.loads(sent(con, sql, "json"))] == [text is None for text in wanted]
    assert len(frame(batches(con, sql, {}, as_text=True).read_all()).rows()) == 3, "as a terminal shows them"


def test_json_has_every_digit(con):
    (row,) = json.loads(sent(con, VALUES, "json"), parse_float=Decimal)
    assert row == IN_JSON
    assert b'"fraction": -1.50' in sent(con, VALUES, "json")


def test_a_whole_number_beyond_38_digits_fails_rather_than_being_another(con):
    sql = "SELECT 170141183460469231731687303715884105727::HUGEINT AS v"
    for form in ("parquet", "arrow"):
        with pytest.raises(QueryError, match="DECIMAL"):
            sent(con, sql, form)
    assert sent(con, sql, "csv") == b"v\n170141183460469231731687303715884105727\n"


def test_no_spreadsheet_runs_what_csv_has(con):
    shown = sent(
        con,
        """SELECT '=cmd()' AS "=1+1", '+1' AS "+a", '-1' AS "-b", '@x' AS "@c", chr(9) || '=1' AS d,
                         chr(13) || '=1' AS e, -1.5 AS f, -2 AS g, -0.5::DOUBLE AS h, 'a=1' AS i, NULL::VARCHAR AS j""",
        "csv",
    )
    header, row = csv.reader(io.StringIO(shown.decode(), newline=""))
    assert header == ["'=1+1", "'+a", "'-b", "'@c", *"defghij"]
    assert row == ["'=cmd()", "'+1", "'-1", "'@x", "'\t=1", "'\r=1", "-1.5", "-2", "-0.5", "a=1", ""]


@pytest.mark.parametrize("form", FORMS)
def test_names_and_order_stay_where_types_are_changed(con, form):
    sql = "SELECT range AS a, DATE '2024-01-01' AS a, INTERVAL 1 DAY AS b FROM range(9) ORDER BY hash(range)"
    body = sent(con, sql, form)
    if form == "arrow":
        assert pa.ipc.open_stream(body).schema.names == ["a", "a", "b"]
    wanted = texts(con.sql("SELECT range FROM range(9) ORDER BY hash(range)").fetchall())
    if form == "json":
        assert [row["a"] for row in json.loads(body)] == wanted


def test_what_is_ours_keeps_pythons_types(edition):
    assert query(edition, "SELECT DATE '2024-01-01' AS d", {}).item().year == 2024
