"""How long seasons and cups take to simulate, beside plain NumPy that draws as many goals and does nothing else.

Nothing here asserts on seconds.
"""

import resource
import time
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from bench_report import Report
from modeling.build import build_design
from modeling.games import Games
from modeling.outlook.bracket import reached, seeded
from modeling.outlook.coming import Coming, Draws, coming_of
from modeling.outlook.play_offs import PlayOffs, play_offs_of
from modeling.outlook.season import Competition, simulate
from modeling.outlook.ties import as_given
from store.seasons import SeasonRules
from store.stanzas import Stanza

pytestmark = pytest.mark.bench
TEAMS, SEASONS, DRAWS = 20, 10_000, 1000
LIMIT_SECONDS = 2.0
RULES = SeasonRules.model_validate(
    {
        "order": ("points", "difference", "scored", "head_to_head"),
        "play_offs": [{"bracket": ("3", "6", "4", "5"), "rounds": ("two_legs", "neutral"), "won": {"": "promoted"}}],
    }
)


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of the quicker of two runs."""
    found = []
    for _ in range(2):
        wall, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        act()
        after = resource.getrusage(resource.RUSAGE_SELF)
        found.append((time.perf_counter() - wall, after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime))
    return min(found)


def whole_season() -> tuple[Coming, Competition, PlayOffs]:
    """A double round robin of twenty of which no game is played, with a thousand joint draws, and play-offs of four."""
    rng, start = np.random.default_rng(1), date(2030, 8, 1)
    pairs = [(a, b) for a in range(TEAMS) for b in range(TEAMS) if a != b]
    played = [(f"p{n:03d}", start - timedelta(days=400 - n), pair) for n, pair in enumerate(pairs)]
    ahead = [(f"s{n:03d}", start + timedelta(days=n), pair) for n, pair in enumerate(pairs)]
    rows = [
        {"game_id": game, "contest_id": game, "season": "x", "played_on": day, "neutral": False, "side": side,
         "team": f"t{who:02d}", "is_home": side == 1, "score": float(rng.poisson(1.4)) if game[0] == "p" else None,
         "finish": None, "won": None, "exposure": 1.0}
        for game, day, pair in (*played, *ahead) for side, who in enumerate(pair, start=1)
    ]  # fmt: skip
    names, teams = [game for game, _, _ in ahead], tuple(f"t{k:02d}" for k in range(TEAMS))
    off = play_offs_of(RULES.play_offs, {"": teams})
    last = start + timedelta(days=len(pairs))
    later = as_given(off.meetings(last), last, "x", "team").sides
    both = pl.concat([pl.DataFrame(rows), later], how="diagonal_relaxed")
    games = Games("x", start + timedelta(days=500), both, to_come=frozenset([*names, *later["game_id"]]))
    stanza = Stanza.model_validate(
        {"title": "x", "feed": "none", "source": "none", "outcome": "score", "effects": ("home",)}
    )
    design = build_design(stanza, games)
    columns = {team: k for k, team in enumerate(teams)}
    states = {("team", side): (columns, rng.normal(0.1, 0.3, (DRAWS, TEAMS))) for side in ("attack", "defence")}
    draws = Draws("f", start, {name: rng.normal(0.2, 0.05, DRAWS) for name in design.parameters}, states)
    coming = coming_of(design, games, stanza, draws, rng, frozenset(later["game_id"]))
    first, second = np.array(pairs).T
    one = Competition("", teams, tuple(names), first, second,
                      np.full((len(pairs), 2), np.nan), np.zeros(len(pairs), bool), np.arange(len(pairs)))  # fmt: skip
    return coming, one, off


def test_ten_thousand_seasons_of_twenty(report: Report) -> None:
    coming, one, off = whole_season()
    rng = np.random.default_rng(1)
    simulate(coming, [one], RULES, rng, seasons=10, play_offs=off)  # compiles
    wall, cpu = timed(lambda: simulate(coming, [one], RULES, rng, seasons=SEASONS))
    more, more_cpu = timed(lambda: simulate(coming, [one], RULES, rng, seasons=SEASONS, play_offs=off))
    rates = np.exp(coming.known)
    plain, plain_cpu = timed(lambda: [rng.poisson(rates) for _ in range(SEASONS // DRAWS)])
    what = "20 teams x 380 games x 10,000 seasons"
    report.add("query", what, wall, "s", "budget", LIMIT_SECONDS)
    for name, seconds, spent in ((what, wall, cpu), (f"{what}, with play-offs", more, more_cpu)):
        report.add("query", name, seconds, "s", "the goals alone, by NumPy's Poisson", plain, CPU_s=spent,
                   their_CPU_s=plain_cpu)  # fmt: skip


def test_a_draw_of_128(report: Report) -> None:
    rng = np.random.default_rng(1)
    strength = rng.normal(0, 1, (200, 128))
    chance = 1 / (1 + np.exp(strength[:, None, :] - strength[:, :, None]))[None]
    reached(seeded(128), chance, 10, rng)
    wall, cpu = timed(lambda: reached(seeded(128), chance, 10_000, rng))
    random, random_cpu = timed(lambda: rng.random((10_000, 127)))
    report.add("query", "a draw of 128, 10,000 times", wall, "s", "as many random numbers", random, CPU_s=cpu,
               their_CPU_s=random_cpu)  # fmt: skip
