"""`pooltable sql`: a query from anywhere, an answer in any format, and wrong use that is told."""

import json
import subprocess
import sys
import types
from pathlib import Path

import polars as pl
import pytest

from jobs.doors import utc_now
from store.edition import publish

CHECKOUT = Path(__file__).parents[2]


def test_sql_answers_in_each_format(run, published):
    query = "SELECT league, title, 1.5 AS x FROM league WHERE league = $name"
    assert run("sql", query, "-p", "name=alps").stdout.splitlines()[-1].split() == ["alps", "Alps", "1.5"]
    assert run("sql", query, "-p", "name=alps", "--format", "csv").stdout == "league,title,x\nalps,Alps,1.5\n"
    answer = run("sql", query, "-p", "name=alps", "--format", "json").stdout
    assert json.loads(answer) == [{"league": "alps", "title": "Alps", "x": 1.5}]
    parquet = run("sql", query, "-p", "name=alps", "--format", "parquet").stdout_bytes
    assert pl.read_parquet(parquet)["title"].to_list() == ["Alps"]


def test_sql_from_standard_input_and_from_an_older_edition(run, published, home):
    publish(home, [], utc_now())
    assert run("sql", "-", "--format", "csv", input="SELECT count(*) AS n FROM league").stdout == "n\n0\n"
    older = run("sql", "SELECT count(*) AS n FROM league", "--format", "csv", "--edition", published.stem)
    assert older.stdout == "n\n1\n"


def test_parquet_is_not_written_to_a_terminal(run, published, monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr("jobs.doors_sql.sys", types.SimpleNamespace(stdout=Terminal()))
    result = run("sql", "FROM league", "--format", "parquet")
    assert result.exit_code == 2
    assert "not for a terminal" in result.stderr


def test_sql_from_a_file_into_files_by_their_endings(run, published, tmp_path):
    (tmp_path / "q.sql").write_text("SELECT league, $n::INTEGER AS n FROM league -- the leagues")
    for ending, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet), ("json", pl.read_json)):
        to = tmp_path / f"out.{ending}"
        assert run("sql", "-f", str(tmp_path / "q.sql"), "-p", "n=7", "--output", str(to)).exit_code == 0
        assert read(to).to_dicts() == [{"league": "alps", "n": 7}]
    assert run("sql", "FROM league", "--output", str(tmp_path / "out.txt")).exit_code == 0
    assert "alps" in (tmp_path / "out.txt").read_text()


def test_a_failing_query_leaves_the_file_that_was_there(run, published, tmp_path):
    to = tmp_path / "out.csv"
    to.write_text("before")
    assert run("sql", "SELECT ('x' || range)::INTEGER FROM range(9)", "--output", str(to)).exit_code == 2
    assert (to.read_text(), list(tmp_path.glob("*.part"))) == ("before", [])
    missing = run("sql", "-f", str(tmp_path / "none.sql"))
    assert missing.exit_code == 2 and "none.sql cannot be read" in missing.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["FROM league", "--output", "out.xlsx"], ".txt, .csv, .json, .parquet, .arrow"),
        (["FROM league", "--output", "nowhere/out.csv"], "no folder nowhere"),
        (["SELECT $x", "-p", "x=1", "-p", "x=2"], '"x" is given twice'),
        (["-"], "Standard input is no UTF-8 text: byte 8"),
        (["SELECT '\udcff'"], "The query is no UTF-8 text"),
        (["SELECT $x", "-p", "x=\udcff"], "A value is no UTF-8 text"),
    ],
)
def test_what_cannot_be_asked_or_written_is_wrong_use(run, published, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    result = run("sql", *words, input=b"SELECT \xff")
    assert result.exit_code == 2 and told in result.stderr and list(tmp_path.glob("out*")) == []


def test_a_dash_is_standard_output(run, published, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("sql", "SELECT 1 AS n", "--output", "-", "--format", "csv")
    assert (result.exit_code, result.stdout, list(tmp_path.glob("-*"))) == (0, "n\n1\n", [])


def test_an_address_of_no_machine_here_is_said_by_its_host(run, published):
    result = run("serve", "--host", "192.0.2.7", "--public")
    assert result.exit_code == 1 and "192.0.2.7 is no address of this machine" in result.stderr


def test_a_reader_who_stops_reading_is_no_mistake(published, home):
    command = [
        sys.executable,
        "-m",
        "jobs.cli",
        "--home",
        str(home.root),
        "sql",
        "FROM range(500000)",
        "--format",
        "csv",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT) as asking:
        assert asking.stdout is not None and asking.stderr is not None
        assert asking.stdout.readline() == "range\n"
        asking.stdout.close()
        assert asking.stderr.read() == ""
    assert asking.returncode == 1


def test_a_table_has_what_python_has_no_value_for(run, published):
    shown = run(
        "sql", "SELECT DATE '20000-01-01' AS d, MAP {[1]: 2} AS m, INTERVAL 1 DAY AS i, TIME '24:00' AS t"
    ).stdout
    assert shown.splitlines()[-1].split() == ["20000-01-01", "{[1]:", "2}", "1", "day", "24:00:00"]


def test_a_mistake_in_sql_shows_its_place(run, published):
    result = run("sql", "SELECT nme FROM league")
    assert result.exit_code == 2
    assert "^^^" in result.stderr


def test_the_schema_says_what_there_is(run, published):
    said = run("sql", "--schema").stdout
    assert "table leaderboard: One row" in said
    assert "    rank " in said
    assert "macro competitor_of(league_name, competitor_name)" in said
