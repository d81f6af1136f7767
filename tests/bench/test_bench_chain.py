"""The chain engine's speed: time against games, against peers at the same fixed point, and on all of men's tennis.

`make bench` prints; nothing here asserts on seconds. The peers are in the dependency group `bench`.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from modeling.build import build_design
from modeling.design import Design
from modeling.engines import chain
from modeling.engines.chain.draws import draw
from modeling.engines.chain.engine import maximum
from modeling.engines.chain.smooth import smooth
from modeling.engines.chain.structure import structure_of
from modeling.fit import design_of
from modeling.games import Games
from store.home import Home
from store.stanzas import Stanza, append_stanza, read_catalogue, read_stanzas

pytestmark = pytest.mark.bench
BODY = {"title": "x", "feed": "none", "source": ("none",), "outcome": "win", "walk": ("team",), "period": "week"}
VALUES = {"scale_team": 0.7, "scale_team_walk": 0.4}
ROUNDS = 5
START = date(2015, 1, 1)
REAL = os.environ.get("POOLTABLE_REAL_DATA", "")


def simulated(count: int, teams: int, link: str = "probit") -> tuple[Design, list]:
    """Games at random between teams whose strengths differ, twenty a day; of each (day, first, second, first won)."""
    rng = np.random.default_rng(1)
    strength = rng.normal(0, 0.7, teams)
    played = []
    for number in range(count):
        a, b = rng.choice(teams, 2, replace=False)
        played.append((number // 20, int(a), int(b), bool(strength[a] - strength[b] + rng.normal() > 0)))
    sides = [
        (f"g{number:06d}", START + timedelta(days=day), side, f"t{team:04d}", float(won == (side == 1)))
        for number, (day, a, b, won) in enumerate(played)
        for side, team in ((1, a), (2, b))
    ]
    frame = pl.DataFrame(sides, schema=["game_id", "played_on", "side", "team", "score"], orient="row").with_columns(
        contest_id="game_id", season=pl.lit("2015"), neutral=True, is_home=False, exposure=1.0,
        finish=pl.lit(None, pl.Int32), won=pl.lit(None, pl.Boolean),
    )  # fmt: skip
    until = START + timedelta(days=played[-1][0] + 1)
    return build_design(Stanza.model_validate(BODY | {"link": link}), Games("x", until, frame)), played


def median_seconds(work) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def test_time_grows_with_games_as_a_line_does(capsys):
    sizes, seconds = (4_000, 8_000, 16_000, 32_000), []
    for count in sizes:
        structure = structure_of(simulated(count, count // 20, "logit")[0])
        smooth(structure, VALUES)
        seconds.append(median_seconds(lambda structure=structure: smooth(structure, VALUES)))
    exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    with capsys.disabled():
        shown = ", ".join(f"{n:,}: {t:.3f} s" for n, t in zip(sizes, seconds, strict=True))
        print(f"\nsmoothing to 1e-3 sd, games: {shown}; exponent {exponent:.2f}")


def test_the_fixed_point_of_trueskill_through_time(capsys):
    peer = pytest.importorskip(
        "trueskillthroughtime", reason="the peer is not installed: pip install trueskillthroughtime"
    )
    design, played = simulated(3_000, 120)
    weeks = np.array([((START - date(1970, 1, 1)).days + day) // 7 for day, *_ in played])
    composition = [[[f"t{a:04d}"], [f"t{b:04d}"]] if won else [[f"t{b:04d}"], [f"t{a:04d}"]] for _, a, b, won in played]
    week = VALUES["scale_team_walk"] * np.sqrt(7 / 365.25)
    history = peer.History(
        composition, times=weeks.tolist(), mu=0.0, sigma=VALUES["scale_team"], beta=np.sqrt(0.5), gamma=week
    )
    began = time.perf_counter()
    _step, iterations = history.convergence(epsilon=1e-6, iterations=60, verbose=False)
    theirs = (time.perf_counter() - began) / iterations
    structure = structure_of(design)
    found = smooth(structure, VALUES, tolerance=1e-6)
    ours = median_seconds(lambda: smooth(structure, VALUES, tolerance=1e-6)) / found.sweeps
    curves = history.learning_curves()
    own = {
        level: at
        for block in design.blocks
        for level, at in zip(block.levels, structure.position[block.name], strict=True)
    }
    last = {name: curve[-1][1] for name, curve in curves.items()}
    final = {}
    for level, at in own.items():
        name = level.split("@")[0]
        final[name] = max(final.get(name, -1), int(at))
    apart = [(found.mean[at] - last[name].mu) / last[name].sigma for name, at in final.items()]
    wider = [np.sqrt(found.variance[at]) / last[name].sigma for name, at in final.items()]
    with capsys.disabled():
        print(
            f"\n3,000 games, 120 teams, weekly: theirs {theirs:.2f} s an iteration, {iterations} of them; ours "
            f"{ours:.5f} s a sweep, {found.sweeps} of them; ratio {theirs / ours:.0f} a sweep, "
            f"{theirs * iterations / ours / found.sweeps:.0f} in all; means differ by {np.abs(apart).max():.1e} sd, "
            f"sds {min(wider):.4f} to {max(wider):.4f}"
        )
    assert np.abs(apart).max() < 2e-3
    assert np.allclose(wider, 1, atol=2e-3)


def test_sweeps_beside_trueskill_through_time(capsys):
    peer = pytest.importorskip(
        "trueskillthroughtime", reason="the peer is not installed: pip install trueskillthroughtime"
    )
    design, played = simulated(60_000, 2_000)
    weeks = [((START - date(1970, 1, 1)).days + day) // 7 for day, *_ in played]
    composition = [[[f"t{a:04d}"], [f"t{b:04d}"]] if won else [[f"t{b:04d}"], [f"t{a:04d}"]] for _, a, b, won in played]
    week = VALUES["scale_team_walk"] * np.sqrt(7 / 365.25)
    history = peer.History(composition, times=weeks, mu=0.0, sigma=VALUES["scale_team"], beta=np.sqrt(0.5), gamma=week)
    began, cpu = time.perf_counter(), time.process_time()
    _step, iterations = history.convergence(epsilon=1e-6, iterations=3, verbose=False)
    theirs, theirs_cpu = (time.perf_counter() - began) / iterations, (time.process_time() - cpu) / iterations
    structure = structure_of(design)
    sweeps = smooth(structure, VALUES).sweeps
    cpu = time.process_time()
    ours = median_seconds(lambda: smooth(structure, VALUES)) / sweeps
    ours_cpu = (time.process_time() - cpu) / ROUNDS / sweeps
    with capsys.disabled():
        print(
            f"\n60,000 games, 2,000 teams, weekly: theirs {theirs:.2f} s an iteration, ours {ours:.4f} s a sweep "
            f"({sweeps} to 1e-3 sd), ratio {theirs / ours:.0f}; in CPU seconds {theirs_cpu / ours_cpu:.0f}"
        )


def test_whole_history_rating(capsys):
    whr = pytest.importorskip("whr", reason="the peer is not installed: pip install whole-history-rating")
    design, played = simulated(20_000, 400, "logit")
    peer = whr.whole_history_rating.WHR(config={"w2": 30.0})
    peer.load_games([f"t{a:04d} t{b:04d} {'B' if won else 'W'} {day}" for day, a, b, won in played])
    began = time.perf_counter()
    peer.auto_iterate()
    theirs = time.perf_counter() - began
    structure = structure_of(design)
    smooth(structure, VALUES)
    ours = median_seconds(lambda: smooth(structure, VALUES))
    with capsys.disabled():
        print(
            f"\n20,000 games, 400 teams: theirs {theirs:.2f} s, ours {ours:.3f} s with every sd, {theirs / ours:.0f}x"
        )


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory: pytest.TempPathFactory) -> Design:
    """All of men's tennis: tour, challengers, qualifying and futures, with levels, surfaces and best of five."""
    names = ("1*", "20*", "qual_chall_*", "futures_*")
    body = read_catalogue()["atp"].model_dump(mode="json", exclude_unset=True, exclude={"since", "refit"})
    body["source"] = [f"{REAL}/tennis_atp/atp_matches_{name}" for name in names]
    home = Home(tmp_path_factory.mktemp("home"))
    append_stanza(home, "pyramid", body)
    subprocess.run([sys.executable, "-m", "jobs.cli", "--home", str(home.root), "pull", "pyramid"], check=True)
    return design_of(home, "pyramid", read_stanzas(home)["pyramid"], None)[1]


def first_games(design: Design, count: int) -> Design:
    """The Design with the rows of its first games; states without a row keep their prior."""
    rows = np.flatnonzero(design.game < count)
    return replace(
        design, y=design.y[rows], exposure=design.exposure[rows], game=design.game[rows],
        blocks=tuple(replace(block, weights=block.weights[rows]) for block in design.blocks),
        fixed=tuple(replace(one, values=one.values[rows]) for one in design.fixed),
        noise=tuple(replace(one, codes=one.codes[rows]) for one in design.noise),
    )  # fmt: skip


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
@pytest.mark.timeout(3600)
def test_the_pyramid(pyramid, capsys):
    def timed(work: Callable[[], Any]) -> tuple[float, Any]:
        began = time.perf_counter()
        found = work()
        return time.perf_counter() - began, found

    lines, chosen = [], np.arange(pyramid.games) < pyramid.games - 500
    _seconds, before = timed(lambda: chain.fit(pyramid, chosen, 1, draws=16))
    structure_s, structure = timed(lambda: structure_of(pyramid))
    cold_s, (found, objective) = timed(lambda: maximum(structure, None, lambda share: None))
    warm_s, (again, warm) = timed(lambda: maximum(structure, before, lambda share: None))
    draws_s, _ = timed(lambda: draw(objective, found, np.arange(1000), 128, 1, lambda share: None))
    for name, seconds, at, work in (("cold", cold_s, found, objective), ("500 games more", warm_s, again, warm)):
        lines.append(
            f"{name}: {seconds:.2f} s, {work.evaluations} evaluations, {work.sweeps} sweeps, {work.iterations} "
            f"iterations, residual {at.smoothed.residual:.0e} sd, decrement {at.decrement:.0e}"
        )
    seconds = []
    for share in (8, 4, 2, 1):
        part = structure_of(first_games(pyramid, pyramid.games // share))
        parameters = objective.values(found.point)
        seconds.append(timed(lambda part=part, values=parameters: smooth(part, values))[0])
    exponent = np.polyfit(np.log([1 / 8, 1 / 4, 1 / 2, 1]), np.log(seconds), 1)[0]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    with capsys.disabled():
        print(f"\n{structure.rows:,} rows, {structure.size:,} states; structure {structure_s:.2f} s", *lines, sep="\n")
        print(f"1,000 joint draws {draws_s * 1000 / 128:.0f} s; at most {memory:.2f} GB")
        print("smoothing of 1/8, 1/4, 1/2, 1:", [round(s, 2) for s in seconds], f"exponent {exponent:.2f}")
