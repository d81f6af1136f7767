"""Seconds of the joint engine to equal effective draws beside nutpie, and beside the linear algebra it rests on.

Effective draws. Of NUTS those of the worst effect or scale (bulk ESS, the smallest of all), and the seconds of sampling
with tuning, compiling apart. The joint engine's draws are independent: as many as there are; where they were drawn
again by importance weights, their share that the weights leave (ESS of the weights over their number).

Seconds of the joint engine are the median of five runs; of NUTS, of which the hockey alone takes minutes, one.
Ratios are never asserted. The real leagues need POOLTABLE_REAL_DATA.
"""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.sparse import csr_array, eye_array

from bench_limits import median_seconds, timed
from bench_report import Report, sized
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
    return 20 * median_seconds(lambda: invert(factorise(matrix.copy(order="F"))))


def beside_factors(design: Design, report: Report) -> float:
    """Seconds of a fit, which the report has beside the linear algebra it rests on."""
    ours = median_seconds(lambda: joint.fit(design, every(design), 1))
    report.add("fit", f"{design.league}, {design.games:,} games", ours, "s", "20 dense factors with inverse",
               factors(design), effects=design.effects)  # fmt: skip
    return ours


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("atp_tour", marks=real),
        pytest.param("internationals", marks=real),
        pytest.param("nhl_goals", marks=real),
    ],
)
@pytest.mark.long
def test_seconds_to_equal_effective_draws(real_design: Callable[[str], Design], name: str, report: Report):
    design = real_design(name)
    tree, ours = joint.fit(design, every(design), 1), beside_factors(design, report)
    compiled = nuts.compile_design(design)
    taken, theirs = timed(lambda: nuts.sample(compiled, every(design), 1))
    ess = least_effective(design, theirs)
    report.add("fit", f"{name}, 1,000 effective draws", 1000 * ours / effective(tree), "s", "NUTS (nutpie)",
               1000 * taken / ess, k_hat=tree["diagnostics"].attrs["k_hat"], their_effective_draws=ess)  # fmt: skip


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


def test_seconds_of_stints_beside_one_gram_matrix_and_its_spectrum(report: Report):
    """Hyperparameters, 4,000 joint draws and their certificate."""
    count, players = sized((250_000, 1500), (50_000, 500))
    design = stints(count, players, 1)
    tree = joint.fit(design, every(design), 1)
    ours = median_seconds(lambda: joint.fit(design, every(design), 1))
    model = model_of(design, every(design))
    matrix = model.latent.gram(design.exposure)
    bound = median_seconds(lambda: model.latent.gram(design.exposure))
    bound += median_seconds(lambda: eigh(matrix, driver="evd"))
    scale, sigma = (tree["posterior"][name].to_numpy().mean() for name in ("scale_player", "sigma"))
    report.add("fit", f"{count:,} stints, {players:,} players", ours, "s", "one Gram matrix and its spectrum", bound,
               scale=scale, scale_told=2.5, sigma=sigma, sigma_told=11.0)  # fmt: skip
