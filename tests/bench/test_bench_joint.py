"""Seconds of the joint engine to equal effective draws beside nutpie, and beside the linear algebra it rests on.

Effective draws. Of NUTS those of the worst effect or scale (bulk ESS, the smallest of all), and the seconds of sampling
with tuning, compiling apart. The joint engine's draws are independent: as many as there are; where they were drawn
again by importance weights, their share that the weights leave (ESS of the weights over their number).

Seconds of the joint engine are the median of five runs; of NUTS, of which the hockey alone takes minutes, one.
Ratios are printed, never asserted. Run with `make bench`, for the real leagues with POOLTABLE_REAL_DATA set.
"""

import os
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.sparse import csr_array, eye_array

from ingest.pull import pull
from modeling.block import Block
from modeling.convergence import diagnose
from modeling.design import Design, Kind
from modeling.engines import nuts
from modeling.engines.joint import engine as joint
from modeling.engines.joint.algebra import factorise, invert
from modeling.engines.joint.model import model_of, theta_of
from modeling.fit import design_of
from modeling.outcomes import outcome_of
from modeling.posterior import from_tree
from store.home import Home
from store.stanzas import Stanza

REAL = os.environ.get("POOLTABLE_REAL_DATA", "")
pytestmark = [pytest.mark.bench, pytest.mark.timeout(3000)]
real = [pytest.mark.real, pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")]
LEAGUES: dict[str, dict[str, Any]] = {
    "atp_tour": {
        "feed": "tennis_sackmann", "source": ("tennis_atp/atp_matches_20*",), "outcome": "win", "rate": ("player",),
        "since": date(2019, 1, 1),
    },
    "internationals": {
        "feed": "international_football", "source": ("international_football/results.csv",), "outcome": "score",
        "since": date(2014, 1, 1), "effects": ("home",),
    },
    "nhl_goals": {
        "feed": "hockey_goals", "source": ("hockey",), "outcome": "win", "rate": ("player",),
        "effects": ("home", "team:season", "home:config"),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def real_design(tmp_path_factory) -> Callable[[str], Design]:
    """A real league's Design by its name in LEAGUES."""
    home, made = Home(tmp_path_factory.mktemp("home")), dict[str, Design]()

    def make(name: str) -> Design:
        if name not in made:
            stated = LEAGUES[name] | {"source": tuple(str(Path(REAL) / one) for one in LEAGUES[name]["source"])}
            stanza = Stanza.model_validate({"title": name, **stated})
            pull(home, name, stanza, datetime.now(UTC))
            made[name] = design_of(home, name, stanza, None)[1]
        return made[name]

    return make


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """The median of a few runs."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def every(design: Design) -> np.ndarray:
    return np.ones(design.games, dtype=bool)


def effective(tree: Any) -> float:
    """Effective draws of the joint engine."""
    posterior, found = tree["posterior"], tree["diagnostics"].attrs
    share = found["importance_ess"] / found["importance_draws"] if found["is_weighted"] else 1.0
    return posterior.sizes["draw"] * share


def least_effective(design: Design, tree: Any) -> float:
    """Effective draws of the worst effect or scale of NUTS."""
    posterior = from_tree(design, tree)
    found = list((posterior.fixed | posterior.scales | posterior.auxiliaries).values())
    found += [draws for block in posterior.blocks.values() for draws in block.T]
    return min(diagnose([""], draws[:, None], nuts.CHAINS)[0].ess_bulk for draws in found)


def factors(design: Design) -> float:
    """Seconds of twenty factors of a Design's own matrix with their inverses."""
    model = model_of(design, every(design))
    prior = model.latent.prior(model.scales(theta_of(model, {})))
    matrix = model.latent.precision(prior, np.ones(model.latent.cells))
    return 20 * seconds(lambda: invert(factorise(matrix.copy(order="F"))))


def beside_nuts(design: Design) -> str:
    """What the joint engine and NUTS took for their effective draws, in words."""
    tree = joint.fit(design, every(design), 1)
    ours, draws = seconds(lambda: joint.fit(design, every(design), 1)), effective(tree)
    bound, compiled = factors(design), nuts.compile_design(design)
    start = time.perf_counter()
    theirs = nuts.sample(compiled, every(design), 1)
    taken, ess = time.perf_counter() - start, least_effective(design, theirs)
    k_hat = tree["diagnostics"].attrs["k_hat"]
    return (
        f"\n{design.league}, {design.games:,} games: {ours:.2f} s for {draws:,.0f} effective draws, "
        f"{ours / bound:.1f} x 20 factors with inverse ({bound:.2f} s), k-hat {k_hat:.2f}; "
        f"NUTS {taken:.1f} s for {ess:,.0f}: {draws / ours / (ess / taken):,.0f} times as fast"
    )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("atp_tour", marks=real),
        pytest.param("internationals", marks=real),
        pytest.param("nhl_goals", marks=[*real, pytest.mark.slow]),
    ],
)
def test_seconds_to_equal_effective_draws(real_design, name, capsys):
    with capsys.disabled():
        print(beside_nuts(real_design(name)))


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_seconds_of_the_hockey_beside_factors_of_its_matrix(real_design, capsys):
    design = real_design("nhl_goals")
    joint.fit(design, every(design), 1)
    ours, bound = seconds(lambda: joint.fit(design, every(design), 1)), factors(design)
    with capsys.disabled():
        print(f"\nnhl_goals: {ours:.1f} s, {ours / bound:.2f} x 20 factors with inverse ({bound:.1f} s)")


def stints(count: int, players: int, seed: int) -> Design:
    """Stints of five against five with margins of a known spread."""
    rng = np.random.default_rng(seed)
    who = np.sort(rng.integers(0, players, (count, 10)), axis=1)
    while (again := np.flatnonzero((np.diff(who, axis=1) == 0).any(axis=1))).size:
        who[again] = np.sort(rng.integers(0, players, (len(again), 10)), axis=1)
    sign = rng.permuted(np.repeat([[1.0, -1.0]], 5, axis=1).repeat(count, axis=0), axis=1)
    lineups = csr_array((sign.ravel(), who.ravel(), np.arange(0, 10 * count + 1, 10)), shape=(count, players))
    exposure, outcome = rng.uniform(0.1, 1.0, count), outcome_of("margin")
    y = exposure * (lineups @ rng.normal(0, 2.5, players)) + np.sqrt(exposure) * 11.0 * rng.standard_normal(count)
    names, game, zeros = tuple(f"p{i}" for i in range(players)), np.arange(count), np.zeros(count, dtype=np.intp)
    unit, current = outcome.unit_sd(y, exposure), csr_array(eye_array(players))
    block = Block("player", "player", "player", "total", "base", names, lineups, unit / np.sqrt(5), current)
    return Design(
        "stints", outcome, unit, y, exposure, game, zeros, zeros, zeros, (block,), (), (),
        (Kind("player", names, csr_array((2 * count, players))),), np.repeat(game, 2),
        np.full(count, np.datetime64("2024-01-01")), game,
    )  # fmt: skip


def test_seconds_of_stints_beside_one_gram_matrix_and_its_spectrum(capsys):
    """250,000 stints of 1,500 players: hyperparameters, 4,000 joint draws and their certificate."""
    design = stints(250_000, 1500, 1)
    tree = joint.fit(design, every(design), 1)
    ours = seconds(lambda: joint.fit(design, every(design), 1))
    model = model_of(design, every(design))
    gram = seconds(lambda: model.latent.gram(design.exposure))
    matrix = model.latent.gram(design.exposure)
    bound = gram + seconds(lambda: eigh(matrix, driver="evd"))
    scale, sigma = (tree["posterior"][name].to_numpy().mean() for name in ("scale_player", "sigma"))
    with capsys.disabled():
        print(
            f"\n250,000 stints, 1,500 players: {ours:.2f} s, {ours / bound:.1f} x a Gram matrix ({gram:.2f} s) and its "
            f"spectrum ({bound - gram:.2f} s); scale {scale:.2f} of 2.50, sigma {sigma:.2f} of 11.00"
        )
