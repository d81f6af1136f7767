"""Editions open in the clients that people have: real ones of DuckDB 1.2 and 1.4, in environments of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

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


@pytest.fixture(scope="module", params=["1.2.2", "1.4.4"])
def client(request, tmp_path_factory):
    """Python with that DuckDB alone. Where no index can be reached it is said by name; in CI that is a failure."""
    folder = tmp_path_factory.mktemp(f"duckdb-{request.param}")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [str(folder / "bin" / "pip"), "install", "--quiet", f"duckdb=={request.param}"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        missing = f"duckdb {request.param} cannot be installed here: {done.stderr[-300:]}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return request.param, folder / "bin" / "python"


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


def flat(value):
    """The values of nested lists and objects, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    return [part for item in value for part in flat(item)] if isinstance(value, list) else [value]


def same(value):
    """The value up to the last digits, in which versions of DuckDB differ."""
    return pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value
