"""The chain engine's speed: time against games, and against trueskillthroughtime at the same fixed point."""

import time
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from modeling.build import build_design
from modeling.design import Design
from modeling.engines.chain.smooth import smooth
from modeling.engines.chain.structure import structure_of
from modeling.games import Games
from store.stanzas import Stanza

pytestmark = pytest.mark.bench
BODY = {"title": "x", "feed": "none", "source": ("none",), "outcome": "win", "walk": ("team",), "period": "week"}
VALUES = {"scale_team": 0.7, "scale_team_walk": 0.4}
ROUNDS = 5
START = date(2015, 1, 1)


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
    history.convergence(epsilon=1e-6, iterations=60, verbose=False)
    theirs = time.perf_counter() - began
    structure = structure_of(design)
    found = smooth(structure, VALUES, tolerance=1e-6)
    ours = median_seconds(lambda: smooth(structure, VALUES, tolerance=1e-3))
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
            f"\n3,000 games, 120 teams, weekly: theirs {theirs:.2f} s, ours {ours:.4f} s converged, ratio "
            f"{theirs / ours:.0f}; means differ by {np.abs(apart).max():.1e} sd, "
            f"sds {min(wider):.4f} to {max(wider):.4f}"
        )
    assert np.abs(apart).max() < 2e-3
    assert np.allclose(wider, 1, atol=2e-3)
