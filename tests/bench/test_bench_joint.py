"""Seconds of the joint engine beside the factorisations it cannot do without, and beside NUTS on the same Design."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from modeling.build import build_design
from modeling.engines import nuts
from modeling.engines.joint import engine as joint
from modeling.engines.joint.algebra import factorise, invert
from modeling.engines.joint.model import model_of, theta_of
from modeling.judge import diagnose
from modeling.posterior import from_tree

pytestmark = pytest.mark.bench


def least_seconds(work: Callable[[], object], times: int = 5) -> float:
    """The least of a few runs: what the machine can do when nothing else asks for it."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


@pytest.mark.parametrize(("teams", "rounds"), [(20, 4), (60, 1), (150, 1)])
def test_seconds_beside_factorisations_and_nuts(league_maker, stanza, teams, rounds, capsys):
    design = build_design(stanza, league_maker(teams=teams, rounds=rounds, spread=0.4, seed=6).games)
    everything = np.ones(design.games, dtype=bool)
    joint.fit(design, everything, 1)
    ours = least_seconds(lambda: joint.fit(design, everything, 1))
    model = model_of(design, everything)
    theta = theta_of(model, {})
    prior, ones = model.latent.prior(model.scales(theta)), np.ones(model.latent.cells)
    bound = 20 * least_seconds(lambda: invert(factorise(model.latent.precision(prior, ones))))
    start = time.perf_counter()
    tree = nuts.sample(nuts.compile_design(design), everything, 1)
    seconds = time.perf_counter() - start
    posterior = from_tree(design, tree)
    ess = min(diagnose(name, draws, 4).ess_bulk for name, draws in (posterior.fixed | posterior.scales).items())
    with capsys.disabled():
        print(
            f"\n{teams} teams, {design.games:,} games, {model.latent.size} effects: {ours:.2f} s for 4,000 draws, "
            f"20 factorisations with inverse {bound:.2f} s; NUTS {seconds:.1f} s for {ess:,.0f} effective draws of its "
            f"worst parameter: {4000 / ours / (ess / seconds):,.0f} times as fast"
        )
