"""How loading, fitting and publishing grow with a league: each step by its own command, as a person runs it.

A league of n games is played in a thousand days by n / 50 players, whose strengths walk by the quarter. Of each command
seconds, CPU seconds and peak memory are the operating system's own. Nothing here asserts on seconds.
"""

import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from bench_leagues import duels
from bench_limits import Cost, cost, exponent_beyond_start, timed
from bench_report import Report, sized
from store.edition import current
from store.home import CHECKOUT, Home
from store.stanzas import append_stanza

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]

SIZES = sized((1_000, 10_000, 100_000, 1_000_000), (1_000, 3_000, 9_000))
DAYS, GAMES_EACH = 1000, 50
STEPS = ("pull", "fit", "publish")
BUDGET_MB = 2000
EVEN_SO = ("--override", "a benchmark publishes what it fitted")
BODY = {
    "title": "Simulated", "feed": "csv", "outcome": "win", "walk": ["team"], "period": "quarter",
    "columns": {"date": "date", "home": "a", "away": "b", "home_score": "won", "away_score": "lost"},
}  # fmt: skip


def pooltable(home: Home, *words: str) -> Cost:
    """Runs `pooltable WORDS`; a fit that was rejected was one too. Raises CalledProcessError for others."""
    return cost([sys.executable, "-m", "jobs.cli", "--home", str(home.root), *words], CHECKOUT, accepted=(0, 1))


def written(games: int, file: Path) -> Path:
    """The file of a league."""
    matches = duels(games, games // GAMES_EACH, a_day=games // DAYS)
    first, second = matches.pair.T
    pl.DataFrame(
        {
            "date": matches.day.astype("datetime64[D]"),
            "a": np.char.add("player ", first.astype(str)),
            "b": np.char.add("player ", second.astype(str)),
            "won": matches.won.astype(int),
            "lost": 1 - matches.won.astype(int),
        }
    ).write_csv(file)
    return file


def read_into_a_table(file: Path, into: Path) -> None:
    """What loading cannot be faster than."""
    with duckdb.connect(str(into)) as con:
        con.execute("CREATE TABLE t AS FROM read_csv(?)", [str(file)])


def copied(home: Home, into: Path) -> None:
    """What publishing cannot be faster than: the draws of the edition, and nothing else, into a file."""
    with duckdb.connect(str(into)) as con:
        con.execute(f"ATTACH '{current(home)}' AS e (READ_ONLY); CREATE TABLE t AS FROM e.rating_draw")


def measured(games: int, folder: Path) -> tuple[dict[str, Cost], dict[str, float], str]:
    """By step what it took, and the seconds of its limit; by which engine it was fitted, and how the judge saw it."""
    home, file = Home(folder / "home"), written(games, folder / "games.csv")
    append_stanza(home, "simulated", BODY | {"source": [str(file)]})
    reading = timed(lambda: read_into_a_table(file, folder / "read.duckdb"))[0]
    costs = {"pull": pooltable(home, "pull", "simulated"), "fit": pooltable(home, "fit", "simulated", *EVEN_SO)}
    costs["publish"] = pooltable(home, "publish")
    costs["pull, unchanged"] = pooltable(home, "pull", "simulated")
    limits = {"pull": reading, "publish": timed(lambda: copied(home, folder / "copy.duckdb"))[0]}
    with duckdb.connect(str(current(home)), read_only=True) as con:
        (found,) = con.execute("SELECT engine, len(reasons) FROM fit").fetchall()
    return costs, limits, f"{found[0]}, {found[1]} reasons against it"


def test_how_each_step_grows_with_games(report: Report, tmp_path: Path) -> None:
    found: dict[str, list[Cost]] = {}
    for games in SIZES:
        (folder := tmp_path / str(games)).mkdir()
        try:
            costs, limits, how = measured(games, folder)
        except subprocess.CalledProcessError as ended:  # as where there is not the memory
            report.not_measured(
                f"growth: {games:,} games and more", f"{ended.cmd[5]} ended with exit code {ended.returncode}"
            )
            break
        told(report, games, costs, limits, how)
        for step in STEPS:
            found.setdefault(step, []).append(costs[step])
    what = f"{SIZES[0]:,} to {SIZES[len(found['fit']) - 1]:,} games, beyond start-up"
    for step, costs in found.items():
        for name, values in (("CPU", [one.cpu_seconds for one in costs]), ("memory", [one.peak_mb for one in costs])):
            power = exponent_beyond_start(SIZES[: len(values)], values)
            report.add("growth", f"{step}, {what}: {name}", power, "exponent", "a line", 1)


def told(report: Report, games: int, costs: dict[str, Cost], limits: dict[str, float], how: str) -> None:
    """The rows of one size."""
    beside = {"pull": "DuckDB reads the file into a table", "publish": "copying the draws alone"}
    for step in STEPS:
        one, what = costs[step], f"{step}, {games:,} games"
        limit, theirs = beside.get(step, "loading them"), limits.get(step, costs["pull"].seconds)
        by = {"by": how} if step == "fit" else {}
        report.add("growth", what, one.seconds, "s", limit, theirs, CPU_s=one.cpu_seconds, **by)
        report.add("growth", what, one.peak_mb, "MB at most", "budget", BUDGET_MB)
    if games == SIZES[-1]:
        for name in ("pull", "pull, unchanged"):
            report.add("load", f"simulated, {games:,} games: {name}", costs[name].seconds, "s", beside["pull"],
                       limits["pull"], CPU_s=costs[name].cpu_seconds, peak_MB=costs[name].peak_mb)  # fmt: skip
