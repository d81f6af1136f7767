"""Answers as programs want them: what comes out can be read back, stretches join up, and too much is refused."""

import csv
import io
import json
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest

from store.answer import FORMS, Question, answer
from store.errors import QueryError
from store.query import open_edition

ROWS = """
SELECT * FROM (VALUES
    ('Åland', 0.123456789, [1.0, 2.0]::FLOAT[], 3::HUGEINT, '\\xAB'::BLOB),
    (NULL, 'nan'::DOUBLE, [], NULL, NULL),
    ('a "b", c', NULL, NULL, 4, NULL)
) AS t(name, rating, draws, goals, bytes)
"""


@pytest.fixture(scope="module")
def ask(edition):
    """ask(sql, form, …): the answer's bytes and what is told of it."""
    con = open_edition(edition)

    def act(sql, form="json", **more):
        parts = []
        told = answer(con, Question(sql, form=form, **more), parts.append)
        return b"".join(parts), told

    yield act
    con.close()


def test_csv_can_be_read_back(ask):
    body, _ = ask(ROWS, "csv")
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    assert [row["name"] for row in rows] == ["Åland", "", 'a "b", c']
    assert json.loads(rows[0]["draws"]) == [1.0, 2.0]
    assert float(rows[0]["goals"]) == 3 and rows[0]["bytes"] == "ab"


@pytest.mark.parametrize("form", ["csv", "json"])
def test_nested_values_are_json_with_every_digit(ask, form):
    sql = """SELECT [0.1::FLOAT, 'nan', NULL] AS f, {'a': 'x"é' || chr(10), 'b': [1.5]::DECIMAL(9, 2)[]} AS d,
        MAP {'k': 1, 'l': NULL} AS m, 0.1::FLOAT AS one, [18446744073709551615::UBIGINT] AS u,
        NULL::INTEGER[] AS n, [[{'x': true}], NULL] AS deep, [1, 2]::INTEGER[2] AS pair, [] AS none"""
    text = ask(sql, form)[0].decode()
    if form == "json":
        (row,) = json.loads(text, parse_float=Decimal)
    else:
        (cells,) = csv.DictReader(io.StringIO(text))
        assert cells.pop("n") == "", "no value is no text"
        row = {name: json.loads(cell, parse_float=Decimal) for name, cell in cells.items()} | {"n": None}
    assert row == {
        "f": [Decimal("0.1"), None, None], "d": {"a": 'x"é\n', "b": [Decimal("1.50")]}, "m": {"k": 1, "l": None},
        "one": Decimal("0.1"), "u": [18446744073709551615], "n": None, "deep": [[{"x": True}], None],
        "pair": [1, 2], "none": [],
    }  # fmt: skip


def test_json_is_json(ask):
    body, told = ask(ROWS)
    first, second, third = json.loads(body)
    assert first == {"name": "Åland", "rating": 0.123456789, "draws": [1.0, 2.0], "goals": 3.0, "bytes": "ab"}
    assert second["rating"] is None, "not a number has no place in JSON"
    assert third["draws"] is None
    assert (told.columns, told.rows, told.has_more) == (["name", "rating", "draws", "goals", "bytes"], 3, False)


def test_parquet_and_arrow_are_the_same_rows(ask):
    parquet = pl.read_parquet(ask("FROM leaderboard", "parquet")[0])
    arrow = pl.from_arrow(pa.ipc.open_stream(ask("FROM leaderboard", "arrow")[0]).read_all())
    assert isinstance(arrow, pl.DataFrame) and parquet.equals(arrow) and parquet.height == 3


@pytest.mark.parametrize("form", FORMS)
def test_no_rows_are_an_answer_too(ask, form):
    body, told = ask("SELECT name, draws, {'a': 1} AS s FROM rating_draw WHERE false", form)
    assert told.rows == 0 and body
    assert {"json": b"[]", "csv": b"name,draws,s\n"}.get(form, body) == body


def test_a_column_named_twice_gets_a_number(ask):
    sql = "SELECT 1 AS a, 2 AS a, 3 AS b"
    assert json.loads(ask(sql)[0]) == [{"a": 1, "a_2": 2, "b": 3}]
    assert ask(sql, "csv")[0] == b"a,a_2,b\n1,2,3\n"
    assert pl.read_parquet(ask(sql, "parquet")[0]).columns == ["a", "a_2", "b"] == ask(sql)[1].columns


def test_stretches_join_up_to_the_whole(ask):
    sql = "SELECT range AS n FROM range(20000) ORDER BY n DESC"
    found, offset = [], 0
    while True:
        body, told = ask(sql, offset=offset, rows=7000)
        found += [row["n"] for row in json.loads(body)]
        offset += told.rows
        if not told.has_more:
            break
    assert found == list(range(19999, -1, -1))


def test_a_last_page_that_is_full_says_that_nothing_follows(ask):
    assert ask("FROM range(16384)", rows=8192, offset=8192)[1].has_more is False
    assert ask("FROM range(16385)", rows=8192, offset=8192)[1].has_more is True
    assert ask("FROM range(5)", rows=3, offset=9)[1].rows == 0


def test_more_bytes_than_wanted_are_refused(ask):
    with pytest.raises(QueryError, match=r"larger than 0\.01 MB"):
        ask("FROM range(100000)", "csv", most_bytes=10_000)


def test_a_mistake_that_shows_late_has_its_place_too(ask):
    sql = "SELECT CASE WHEN range > 50000 THEN 'x' ELSE '1' END::INTEGER AS n\nFROM range(100000)"
    with pytest.raises(QueryError, match="Could not convert string 'x' to INT32") as caught:
        ask(sql, "csv")
    assert caught.value.place is not None and caught.value.place.line == 1


@pytest.mark.parametrize(
    ("sql", "line", "column", "under"),
    [
        ("SELECT nme\nFROM leaderboard", 1, 8, "nme"),
        ("SELECT name\nFROM\n  leaderbord", 3, 3, "leaderbord"),
        ("SELECT 'é€😀' AS x,\n  'é' || nme FROM leaderboard", 2, 10, "nme"),
        ("SELECT 1 +", 1, 10, "+"),
        ("SELECT " + "1 + " * 100 + "nme FROM leaderboard", 1, 408, "nme"),
        ("SELECT\tnme, '\x1b[31m' FROM leaderboard", 1, 8, "nme"),
    ],
)
def test_a_mistake_has_its_place_and_a_caret_below_it(ask, sql, line, column, under):
    with pytest.raises(QueryError) as caught:
        ask(sql)
    place = caught.value.place
    assert place is not None and (place.line, place.column) == (line, column)
    shown, carets = place.caret.split("\n")
    start = carets.index("^")
    assert shown[start : start + carets.count("^")].startswith(under)
    assert shown.isprintable() and len(shown) < 130


@pytest.mark.parametrize(
    ("sql", "value", "wanted"),
    [
        ("SELECT 10 > $v AS x", "9.5", True),
        ("SELECT 10 = $v AS x", "9.7", False),
        ("SELECT 2 * $v AS x", "1.5", 3.0),
        ("SELECT $v + 1 AS x", "2", 3),
        ("SELECT quantile_cont(range, $v) AS x FROM range(3)", ".5", 1.0),
        ("SELECT count(*) AS x FROM leaderboard WHERE rank <= $v", "1.5", 1),
        ("SELECT $v AS x", "007", "007"),
        ("SELECT $v::VARCHAR AS x", "1.50", "1.50"),
        ("SELECT count(*) AS x FROM (VALUES ('Real'), ('1.50'), ('007')) AS t(name) WHERE name = $v", "1.50", 1),
        ("SELECT count(*) AS x FROM (VALUES ('Real'), ('1.50'), ('007')) AS t(name) WHERE name IN ($v)", "007", 1),
        ("SELECT count(*) AS x FROM (VALUES ('Real'), ('1.50')) AS t(name) WHERE name LIKE $v", "1.50", 1),
        ("SELECT upper($v) AS x", "1.50", "1.50"),
        ("SELECT $v AS x", 7, 7),
        ("SELECT $v IS NULL AS x", None, True),
        ("SELECT $v AND true AS x", True, True),
    ],
)
def test_a_value_takes_the_type_that_its_place_wants(ask, sql, value, wanted):
    assert json.loads(ask(sql, parameters={"v": value})[0]) == [{"x": wanted}]


def test_values_are_read_each_for_itself(ask):
    sql = "SELECT $n + 1 AS n, $f * 2 AS f, name FROM leaderboard WHERE rank <= $n AND name <> $name LIMIT $n"
    body, _ = ask(sql, parameters={"n": "2", "f": "1.5", "name": "18.60"})
    assert json.loads(body)[0] == {"n": 3, "f": 3.0, "name": "A"}
