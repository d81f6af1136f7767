"""Writes what a small home of this version holds into a folder, as text: `python tests/flow/homes/write.py 0.1.0`.

Done once, when a version is tagged, from that version's checkout; test_upgrade.py makes a home of it again and goes on
with whatever version it is of. Draws are left out for their size.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

CHECKOUT = Path(__file__).parents[3]
RESULTS = CHECKOUT / "data" / "demo" / "club" / "results.csv"
FOLDER = "{folder}"  # stands for wherever the files lie


def write(folder: Path) -> None:
    """Makes a home of the bundled club, lets one night pass, and writes what it holds into the folder."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        for words in (["add", "club", "--from-csv", str(RESULTS)], ["nightly", "club"]):
            command = [sys.executable, "-m", "jobs.cli", "--home", str(home), *words]
            subprocess.run(command, check=True, cwd=CHECKOUT, env={**os.environ, "POOLTABLE_REAL_DATA": ""})
        with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as con:
            con.execute(f"EXPORT DATABASE '{folder}' (FORMAT csv)")
        with sqlite3.connect(home / "runs.sqlite") as history:
            (version,) = history.execute("PRAGMA user_version").fetchone()
            said = [*history.iterdump(), f"PRAGMA user_version = {version};"]  # which the dump leaves out
            (folder / "history.sql").write_text("\n".join(said) + "\n")
        (folder / "leagues.toml").write_text((home / "leagues.toml").read_text())
        for file in folder.iterdir():
            said = file.read_text().replace(str(folder), FOLDER).replace(str(home), FOLDER)
            file.write_text(said.replace(str(RESULTS), f"{FOLDER}/results.csv").replace(str(CHECKOUT), FOLDER))


if __name__ == "__main__":
    write(Path(__file__).parent / sys.argv[1])
