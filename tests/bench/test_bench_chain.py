"""The chain engine's speed: time against games, against peers at the same fixed point, and on all of men's tennis.

Nothing here asserts on seconds. The peers are in the dependency group `bench`.
"""

import importlib
import os
import resource
import subprocess
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bench_leagues import Matches, duels, games_of
from bench_limits import exponent, factor_seconds, median_seconds, precision_of, reading_seconds, timed
from bench_report import Report, need, sized
from modeling.build import build_design
from modeling.design import Design
from modeling.engines import chain
from modeling.engines.chain.draws import draw
from modeling.engines.chain.engine import maximum
from modeling.engines.chain.smooth import smooth
from modeling.engines.chain.structure import Structure, structure_of
from modeling.fit import design_of
from store.home import Home
from store.stanzas import Stanza, append_stanza, read_catalogue, read_stanzas

pytestmark = pytest.mark.bench
BODY = {"title": "x", "feed": "none", "source": ("none",), "outcome": "win", "walk": ("team",), "period": "week"}
VALUES = {"scale_team": 0.7, "scale_team_walk": 0.4}
REAL = os.environ.get("POOLTABLE_REAL_DATA", "")


def simulated(count: int, teams: int, link: str = "probit") -> tuple[Design, Matches]:
    """A league of matches whose strengths stay, as a Design with a weekly walk."""
    matches = duels(count, teams, probit=link == "probit")
    return build_design(Stanza.model_validate(BODY | {"link": link}), games_of(matches)), matches


def winner_first(matches: Matches) -> list[list[list[str]]]:
    """Teams' names of each match as TrueSkill Through Time wants them."""
    names = np.array([f"t{number:05d}" for number in range(matches.players)])
    order = np.where(matches.won[:, None] == 1, matches.pair, matches.pair[:, ::-1])
    return names[order][:, :, None].tolist()


def through_time() -> ModuleType:
    """TrueSkill Through Time, or a skip where it is not installed."""
    need("trueskillthroughtime", "trueskillthroughtime")
    return importlib.import_module("trueskillthroughtime")


def bytes_of(structure: Structure) -> int:
    """Of the arrays of a league's structure, which every pass reads."""
    return sum(one.nbytes for one in vars(structure).values() if isinstance(one, np.ndarray))


def test_smoothing_beside_one_factorisation_and_reading_its_rows(report: Report):
    """Beside what any exact posterior needs once, and beside what any pass over the rows needs."""
    sizes = sized((4_000, 8_000, 16_000, 32_000), (2_000, 4_000, 8_000))
    designs = [simulated(count, count // 20, "logit")[0] for count in sizes]
    structures = [structure_of(design) for design in designs]
    seconds = [median_seconds(lambda one=one: smooth(one, VALUES)) for one in structures]
    size, states = bytes_of(structures[-1]), structures[-1].size
    for beside, limit in (
        ("one sparse factorisation", factor_seconds(precision_of(designs[-1]))),
        ("reading its arrays once", reading_seconds(size)),
    ):
        report.add("fit", f"smoothing {sizes[-1]:,} games to 1e-3 sd", seconds[-1], "s", beside, limit, states=states,
                   MB=size / 1e6)  # fmt: skip
    what = f"smoothing, {sizes[0]:,} to {sizes[-1]:,} games"
    report.add("growth", what, exponent(sizes, seconds), "exponent", "a line", 1)


def weekly(matches: Matches) -> Any:
    """TrueSkill Through Time's history of the same games under the same values, a batch a week; else a skip."""
    week = VALUES["scale_team_walk"] * np.sqrt(7 / 365.25)
    return through_time().History(
        winner_first(matches),
        times=(matches.day // 7).tolist(),
        mu=0.0,
        sigma=VALUES["scale_team"],
        beta=np.sqrt(0.5),
        gamma=week,
    )


def test_the_fixed_point_of_trueskill_through_time(report: Report):
    design, matches = simulated(3_000, 120)
    history = weekly(matches)
    theirs, (_step, iterations) = timed(lambda: history.convergence(epsilon=1e-6, iterations=60, verbose=False))
    theirs /= iterations
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
    report.add("fit", "the same fixed point, 3,000 games, 120 teams, weekly", ours * found.sweeps, "s",
               "TrueSkill Through Time", theirs * iterations, sweeps=found.sweeps, their_iterations=iterations,
               means_apart_at_most_in_sd=float(np.abs(apart).max()), sd_ratio_at_most=float(max(wider)))  # fmt: skip
    assert np.abs(apart).max() < 2e-3
    assert np.allclose(wider, 1, atol=2e-3)


def test_sweeps_beside_trueskill_through_time(report: Report):
    games, teams = sized((60_000, 2_000), (6_000, 200))
    design, matches = simulated(games, teams)
    history = weekly(matches)
    theirs, (_step, iterations) = timed(lambda: history.convergence(epsilon=1e-6, iterations=3, verbose=False))
    structure = structure_of(design)
    sweeps = smooth(structure, VALUES).sweeps
    ours = median_seconds(lambda: smooth(structure, VALUES)) / sweeps
    report.add("fit", f"one pass, {games:,} games, {teams:,} teams, weekly", ours, "s", "TrueSkill Through Time",
               theirs / iterations, passes_to_1e_3_sd=sweeps)  # fmt: skip


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
@pytest.mark.long
def test_the_pyramid(pyramid: Design, report: Report):
    chosen = np.arange(pyramid.games) < pyramid.games - 500
    _seconds, before = timed(lambda: chain.fit(pyramid, chosen, 1, draws=16))
    structure_s, structure = timed(lambda: structure_of(pyramid))
    cold_s, (found, objective) = timed(lambda: maximum(structure, None, lambda share: None))
    warm_s, (again, warm) = timed(lambda: maximum(structure, before, lambda share: None))
    draws_s, _ = timed(lambda: draw(objective, found, np.arange(1000), 128, 1, lambda share: None))
    for name, seconds, at, work in (("cold", cold_s, found, objective), ("500 games more", warm_s, again, warm)):
        report.add("fit", f"men's tennis, {structure.rows:,} games, {name}", seconds, "s", "reading its arrays once",
                   reading_seconds(bytes_of(structure)), states=structure.size, evaluations=work.evaluations,
                   sweeps=work.sweeps, iterations=work.iterations, residual_in_sd=at.smoothed.residual)  # fmt: skip
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    report.add("fit", "men's tennis, 1,000 joint draws", draws_s * 1000 / 128, "s", "its structure", structure_s,
               peak_GB=memory)  # fmt: skip
    seconds = []
    for share in (8, 4, 2, 1):
        part = structure_of(first_games(pyramid, pyramid.games // share))
        parameters = objective.values(found.point)
        seconds.append(timed(lambda part=part, values=parameters: smooth(part, values))[0])
    grown = exponent([1 / 8, 1 / 4, 1 / 2, 1], seconds)
    report.add("growth", "smoothing men's tennis, an eighth to all", grown, "exponent", "a line", 1)
