"""A home that an earlier version wrote opens with this one: nothing is lost, and the next night goes on from there."""

import shutil
import sqlite3
from pathlib import Path

import duckdb
import pytest

from store.home import CHECKOUT

pytestmark = pytest.mark.timeout(600)

HOMES = Path(__file__).parent / "homes"
VERSIONS = sorted(folder.name for folder in HOMES.iterdir() if (folder / "schema.sql").exists())
KEPT = ("game", "side", "competitor", "fit", "rating", "standing", "borrowing", "load")


def test_the_first_tagged_version_is_among_them():
    assert "0.1.0" in VERSIONS


@pytest.fixture(scope="module", params=VERSIONS)
def upgraded(request: pytest.FixtureRequest, home, pooltable) -> dict[str, int]:
    """A home as that version left it; how many rows its tables had."""
    home.root.mkdir(parents=True, exist_ok=True)
    folder = shutil.copytree(HOMES / request.param, home.root / "written")
    shutil.copy(CHECKOUT / "data" / "demo" / "club" / "results.csv", folder / "results.csv")

    def said(name: str) -> str:
        return (folder / name).read_text().replace("{folder}", str(folder))

    (home.root / "leagues.toml").write_text(said("leagues.toml"))
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute(said("schema.sql"))
        con.execute(said("load.sql"))
        rows = {table: con.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in KEPT}
    with sqlite3.connect(home.root / "runs.sqlite") as history:
        history.executescript(said("history.sql"))
    return rows


def test_nothing_is_lost_and_the_next_night_goes_on(upgraded, home, pooltable, edition):
    told = pooltable("status")
    assert told.returncode == 0, told.stderr
    assert "club" in told.stdout
    assert " done " in pooltable("runs").stdout
    for words in (["pull", "club"], ["check", "club"], ["fit", "club", "--again"], ["publish"]):
        done = pooltable(*words)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        now = {table: con.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in KEPT}
    assert {table: now[table] >= count for table, count in upgraded.items()} == dict.fromkeys(KEPT, True)
    assert now["game"] == upgraded["game"] == 150
    best = edition(home, "SELECT name FROM leaderboard WHERE league = 'club' AND rank = 1").item()
    assert best == "Greta"
