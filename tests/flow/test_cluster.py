"""Forty leagues on a cluster of two worker processes, one of which is killed in mid-fit: the same ratings as by a pool
of processes here, to the last digit, and nothing lost."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import pytest

from jobs.pool import Wanted, fit_all
from modeling.fit import Fitted, prepare_fit
from store.errors import PooltableError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading, writing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEAGUES = [f"league_{number}" for number in range(40)]
TEAMS = 6
STANZA = Stanza(title="Small", feed="none", source=("none",), outcome="score", effects=("home",))


def load_leagues(home: Home) -> None:
    """Each league plays twice round, a game a day, by its own strengths."""
    rng = np.random.default_rng(20260101)
    games, sides = [], []
    for league in LEAGUES:
        attack, defence = rng.normal(0, 0.3, (2, TEAMS))
        pairs = [(a, b) for _ in range(2) for a in range(TEAMS) for b in range(TEAMS) if a != b]
        for number, (one, other) in enumerate(pairs):
            key = {"league": league, "game_id": f"g{number}"}
            games.append({**key, "played_on": date(2025, 1, 1) + timedelta(days=number)})
            for side, (own, rival) in enumerate([(one, other), (other, one)], 1):
                goals = rng.poisson(np.exp(0.3 + 0.2 * (side == 1) + attack[own] - defence[rival]))
                sides.append({**key, "side": side, "team": f"t:{own}", "is_home": side == 1, "score": float(goals)})
    with writing(home) as con:
        con.register("g", pl.DataFrame(games).to_arrow())
        con.register("s", pl.DataFrame(sides).to_arrow())
        league = "league, 'Small', 'none', 'score', ['none'], 'ours', true, '{}'"
        con.execute(f"INSERT INTO league SELECT DISTINCT {league}, ? FROM g", [NOW])
        con.execute("INSERT INTO competitor SELECT DISTINCT league, team, 'team', team, NULL FROM s")
        con.execute(
            "INSERT INTO game SELECT league, game_id, game_id, 0, '2025', played_on, 'day', 'played', NULL, false,"
            " MAP {}, 'all' FROM g"
        )
        con.execute("INSERT INTO side SELECT league, game_id, side, team, is_home, score, NULL, NULL, 1 FROM s")


def fit_leagues(home: Home, leagues: list[str]) -> dict[str, Fitted]:
    """Fits them and returns what came of each; every one must have come to an end."""
    wanted = [Wanted(name, partial(prepare_fit, home, name, STANZA, NOW, due=True)) for name in leagues]
    found = dict(fit_all(home, wanted, lambda _stage, _share: None))
    for outcome in found.values():
        if isinstance(outcome, Exception):
            raise outcome
    return {name: one for name, one in found.items() if isinstance(one, Fitted)}


def recorded(home: Home) -> dict[str, list[tuple]]:
    """All that tells of the fits, but for times."""
    with reading(home) as con:
        return {
            table: con.execute(f"SELECT * EXCLUDE ({without}) FROM {table} ORDER BY ALL").fetchall()
            for table, without in {
                "fit": "seconds", "rating": "league", "standing": "league", "fit_check": "league", "pooling": "league",
                "hyperparameter": "league", "borrowing": "league", "predictive_check": "league",
            }.items()
        }  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose leagues were fitted by a pool of processes on this machine."""
    home = Home(tmp_path_factory.mktemp("here"), jobs=2)
    load_leagues(home)
    found = fit_leagues(home, LEAGUES)
    assert set(found) == set(LEAGUES) and all(one.is_new for one in found.values())
    return home


def dask(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "dask", *words], stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers, on loopback."""
    about = tmp_path_factory.mktemp("cluster") / "scheduler.json"
    place = ("--host", "127.0.0.1", "--no-dashboard")
    started = [dask("scheduler", *place, "--port", "0", "--scheduler-file", str(about))]
    try:
        deadline = time.monotonic() + 120
        while not about.exists():
            assert time.monotonic() < deadline and started[0].poll() is None
            time.sleep(0.2)
        address = json.loads(about.read_text())["address"]
        words = (*place, "--nthreads", "1", "--local-directory", str(about.parent))
        started += [dask("worker", address, "--name", name, *words) for name in ("one", "two")]
        yield address
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(60)


def kill_in_mid_fit(address: str, home: Home, killed: list[int]) -> None:
    """Kills the first worker that is at work once a fit has been recorded."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(2)
        while not (home.draws.exists() and any(home.draws.glob("*.parquet"))):
            time.sleep(0.05)
        pids: Any = client.run(os.getpid)
        while not killed:
            working: Any = client.processing()
            busy = [worker for worker, tasks in working.items() if tasks and worker in pids]
            killed.extend(pids[worker] for worker in busy[:1])
        os.kill(killed[0], signal.SIGKILL)


def test_a_cluster_makes_the_same_fits_though_a_worker_is_killed(here, cluster, tmp_path):
    home = Home(tmp_path / "there", cluster=cluster)
    load_leagues(home)
    killed: list[int] = []
    killer = threading.Thread(target=kill_in_mid_fit, args=(cluster, home, killed))
    killer.start()
    found = fit_leagues(home, LEAGUES)
    killer.join(60)
    assert len(killed) == 1, "a worker was killed while it fitted"
    with pytest.raises(ProcessLookupError):
        os.kill(killed[0], 0)
    assert set(found) == set(LEAGUES)
    assert recorded(home) == recorded(here)
    for one in found.values():
        drawn, other = (pl.read_parquet(there.draws_of(one.fit_id)) for there in (home, here))
        assert drawn.equals(other)
    again = fit_leagues(home, LEAGUES)
    assert not any(one.is_new for one in again.values()), "what is done is not done again"


def test_another_machine_with_other_code_is_refused(here, monkeypatch):
    from modeling import fit as fitting

    task = prepare_fit(replace(here, jobs=1), LEAGUES[0], STANZA, NOW, again=True)
    assert not isinstance(task, Fitted)
    monkeypatch.setattr(fitting, "code_hash", lambda: "another")
    with pytest.raises(PooltableError, match="other code or libraries"):
        fitting.make_fit(task, lambda _stage, _share: None)


def test_a_cluster_that_is_not_there_is_named(here):
    home = replace(here, cluster="tcp://127.0.0.1:9")
    with pytest.raises(PooltableError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        fit_leagues(home, LEAGUES[:1])
