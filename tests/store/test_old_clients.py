"""Editions open in the clients that people have: Python with DuckDB 1.2 and 1.4, the shell, SQLAlchemy."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from store.edition import editions, publish
from store.home import Home
from store.query import query
from store.warehouse import writing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
README = Path(__file__).parents[2] / "README.md"
LEAGUES = ["demo_football", "nfl"]
PUBLISHED = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

CLIENT = """
import datetime, decimal, json, sys
import duckdb

path, questions = sys.argv[1], json.load(sys.stdin)

def plain(value):
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    return str(value) if isinstance(value, (datetime.date, decimal.Decimal)) else value

with duckdb.connect(path, read_only=True) as con:
    answers = [plain(con.execute(question).fetchall()) for question in questions]
with duckdb.connect() as con:  # as in a client that attaches it among others
    con.execute(f"ATTACH '{path}' AS ratings (READ_ONLY)")
    con.execute("USE ratings")
    attached = [plain(con.execute(question).fetchall()) for question in questions]
with open(sys.argv[2], "w") as file:  # an old client draws its progress on the standard output
    json.dump({"version": duckdb.__version__, "answers": answers, "attached": attached}, file)
"""


BI = """
import json, sys
from sqlalchemy import create_engine, inspect, text

engine = create_engine("duckdb:///" + sys.argv[1], connect_args={"read_only": True})
with engine.connect() as con:
    rows = con.execute(text("FROM win_probability(:league, :a, :b)"), json.load(sys.stdin))
    chances = [dict(row) for row in rows.mappings()]
    board = [list(row) for row in con.execute(text("SELECT league, name, rank FROM leaderboard ORDER BY ALL"))]
with open(sys.argv[2], "w") as file:
    json.dump({"tables": inspect(engine).get_table_names(), "chances": chances, "board": board}, file)
"""


def installed(factory: pytest.TempPathFactory, *packages: str) -> Path:
    """The programs of an environment with these packages alone. Where no index can be reached it is said by name; in CI
    that is a failure."""
    folder = factory.mktemp(packages[0].partition("==")[0])
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [str(folder / "bin" / "pip"), "install", "--quiet", *packages]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        missing = f"{', '.join(packages)} cannot be installed here: {done.stderr[-300:]}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return folder / "bin"


@pytest.fixture(scope="module", params=["1.2.2", "1.4.4"])
def client(request, tmp_path_factory):
    """Python with that DuckDB alone."""
    return request.param, installed(tmp_path_factory, f"duckdb=={request.param}") / "python"


def asked(python: Path, path: Path, answers: Path, questions: list[str]) -> dict[str, Any]:
    words = [str(python), "-c", CLIENT, str(path), str(answers)]
    done = subprocess.run(words, input=json.dumps(questions), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(answers.read_text())


def test_every_table_and_every_example_is_answered_as_here(client, two, tmp_path):
    version, python = client
    offered = "FROM data_dictionary WHERE column_name IS NULL AND object"
    with duckdb.connect(str(two.path), read_only=True) as con:
        tables = con.execute(f"SELECT name {offered} <> 'macro' ORDER BY name").fetchall()
        examples = con.execute(
            f"SELECT split_part(comment, 'Example: ', 2) {offered} = 'macro' ORDER BY name"
        ).fetchall()
        questions = [row[0] for row in examples] + [f"SELECT count(*) FROM {name}" for (name,) in tables]
        questions += [f"FROM {name} ORDER BY ALL LIMIT 5" for (name,) in tables if name != "data_dictionary"]
        questions.append("SELECT object, name, column_name, comment, is_key FROM data_dictionary")
    here = asked(Path(sys.executable), two.path, tmp_path / "here.json", questions)
    there = asked(python, two.path, tmp_path / "there.json", questions)
    assert there["version"] == version
    for number, question in enumerate(questions):
        expected = here["answers"][number]
        for way in ("answers", "attached"):
            found = there[way][number]
            assert len(found) == len(expected), (version, way, question)
            assert flat(found) == [same(value) for value in flat(expected)], (version, way, question)
    assert len(questions) > 80


def test_macros_beside_a_table_answer_as_here_whatever_its_name(client, two, tmp_path):
    """Before 1.4 what a macro is asked is looked up within it too: no name of its own may be one that readers give."""
    _, python = client
    calls = ("top({}.league, 3)", "movement({}.league)", "leaderboard_at({}.league, DATE '2026-03-01')",
             "compare({}.league, [{}.name, 't:1'])", "win_probability({}.league, {}.name, 't:1')",
             "rating_at({}.league, {}.name, DATE '2026-03-01')", "lineage({}.league)", "outlook({}.league)",
             "margin_quantile({}.league, {}.name, 't:1')")  # fmt: skip
    best = "(SELECT league, name FROM leaderboard WHERE competitor_id = 't:0')"
    questions = [
        f"SELECT {name}.name, answer.* FROM {best} AS {name}, {call.replace('{}', name)} AS answer ORDER BY ALL"
        for call in calls
        for name in ("a", "b", "d", "h", "l", "o", "t", "league", "leaderboard")
    ]
    here = asked(Path(sys.executable), two.path, tmp_path / "here.json", questions)
    there = asked(python, two.path, tmp_path / "there.json", questions)
    for number, question in enumerate(questions):
        assert here["answers"][number] != []
        found, expected = there["answers"][number], here["answers"][number]
        assert flat(found) == [same(value) for value in flat(expected)], question


def test_the_shell_answers_what_the_readme_asks(two, tmp_path_factory):
    """All three questions of README's SQL, of a league that is here."""
    shell = installed(tmp_path_factory, "duckdb-cli") / "duckdb"
    (statements,) = re.findall(r"```sql\n(.*?)```", README.read_text(), re.DOTALL)
    for there, here in (
        ("international_football", "demo_football"), ("Spain", "Halvermoor"), ("Italy", "Jarrowmont"),
        ("data/home/editions/current.duckdb", str(two.path)),
    ):  # fmt: skip
        statements = statements.replace(there, here)
    words = [str(shell), "-bail", "-csv", "-init", os.devnull]
    done = subprocess.run(words, input=statements, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    answers = list(csv.reader(done.stdout.splitlines()))
    home = next(row for row in answers if row[0] == "a at home")
    with duckdb.connect(str(two.path), read_only=True) as con:
        asked = "SELECT win, win_q5, win_q95, skill FROM head_to_head('demo_football', 'Halvermoor', 'Jarrowmont')"
        assert [float(value) for value in home[1:]] == pytest.approx(con.execute(asked).fetchall()[0])
    assert sum(row[:1] == ["team"] and "as_published" in row for row in answers) == 4


def test_tools_that_speak_sqlalchemy_find_tables_and_answers(two, tmp_path_factory, tmp_path):
    """As Superset and notebooks do, on the DuckDB of their day."""
    python = installed(tmp_path_factory, "duckdb-engine", "duckdb==1.4.4") / "python"
    values = {"league": "nfl", "a": "KC", "b": "SF"}
    words = [str(python), "-c", BI, str(two.path), str(tmp_path / "found.json")]
    done = subprocess.run(words, input=json.dumps(values), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    with duckdb.connect(str(two.path), read_only=True) as con:
        tables = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        chances = con.execute("SELECT venue, win FROM win_probability($league, $a, $b)", values).fetchall()
        board = con.execute("SELECT league, name, rank FROM leaderboard ORDER BY ALL").fetchall()
    assert tables <= {name.rpartition(".")[2] for name in found["tables"]}
    assert [(row["venue"], row["win"]) for row in found["chances"]] == [(v, pytest.approx(win)) for v, win in chances]
    assert [tuple(row) for row in found["board"]] == board


def test_a_file_ten_editions_old_answers_as_on_its_day(two, tmp_path):
    """With today's code, while ten others were published after it from other fits."""
    home = Home(tmp_path / "home")
    shutil.copytree(two.home.root, home.root, symlinks=True)
    first = publish(home, LEAGUES, PUBLISHED)
    with duckdb.connect(str(first), read_only=True) as con:
        found = con.execute("SELECT comment FROM data_dictionary WHERE object = 'macro'").fetchall()
    examples = [comment.partition("Example: ")[2] for (comment,) in found]
    answers = [query(first, example, {}).rows() for example in examples]
    newest = first
    for number in range(1, 11):
        with writing(home) as con:
            con.execute("UPDATE rating SET mean = mean + 1")
            con.execute("UPDATE league SET title = title || '!'")
        newest = publish(home, LEAGUES, PUBLISHED + timedelta(days=number))
    assert editions(home)[-11:] == [first, *editions(home)[-10:]] and newest != first
    assert [query(first, example, {}).rows() for example in examples] == answers
    asked = "SELECT edition_id, (SELECT any_value(title) FROM league WHERE league = 'nfl') FROM edition"
    assert query(first, asked, {}).rows() == [(first.stem, "nfl")]
    assert query(newest, asked, {}).rows() == [(newest.stem, "nfl" + "!" * 10)]


def flat(value):
    """The values of nested lists and objects, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    return [part for item in value for part in flat(item)] if isinstance(value, list) else [value]


def same(value):
    """The value up to the last digits, in which versions of DuckDB differ."""
    return pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value
