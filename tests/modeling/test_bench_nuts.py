"""Effective draws a second of our form of the score model, beside the textbook form of the same model."""

import time
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytest

from modeling.build import build_design
from modeling.design import Design
from modeling.engines import nuts
from modeling.judge import diagnose

pytestmark = pytest.mark.bench

SETTINGS = {"draws": 1000, "tune": 1000, "chains": 4, "cores": 2, "seed": 1, "progress_bar": False}


def textbook(design: Design) -> Any:
    """Every side a Poisson row, an intercept beside unconstrained effects."""
    attack, defence = (block.weights.indices for block in design.blocks)
    levels = len(design.blocks[0].levels)
    with pm.Model() as model:
        intercept = pm.Normal("intercept", 0, design.intercept_sd)
        home = pm.Normal("home", 0, design.fixed[0].prior_sd)
        effects = [
            pm.Normal(b.name, 0, pm.HalfNormal(f"scale_{b.name}", b.prior_scale), shape=levels) for b in design.blocks
        ]
        eta = intercept + home * design.fixed[0].values + effects[0][attack] - effects[1][defence]
        pm.Poisson("goals", pm.math.exp(eta), observed=design.y)
    return nutpie.compile_pymc_model(model)


def least_ess(tree: Any) -> float:
    """Smallest bulk effective sample size over scales, home and the attack contrasts that ratings are made of."""
    posterior = tree["posterior"]
    attack = posterior["attack"].to_numpy()
    contrasts = attack - attack.mean(axis=2, keepdims=True)
    single = [posterior[name].to_numpy().ravel() for name in ("home", "scale_attack", "scale_defence")]
    return min(
        diagnose("", d, 4).ess_bulk for d in [*single, *(contrasts[:, :, i].ravel() for i in range(contrasts.shape[2]))]
    )


@pytest.mark.parametrize(("teams", "rounds", "spread"), [(12, 2, 0.3), (40, 1, 0.4), (20, 8, 0.4)])
def test_effective_draws(league_maker, stanza, teams, rounds, spread, capsys):
    design = build_design(stanza, league_maker(teams=teams, rounds=rounds, spread=spread, seed=6).games)
    tally = design.collapsed(np.ones(design.games, dtype=bool))
    models = {"ours": nuts.compile_design(design).model.with_data(tally=tally), "textbook": textbook(design)}
    rate = {}
    for name, model in models.items():
        start = time.perf_counter()
        tree = nutpie.sample(model, **SETTINGS)
        rate[name] = least_ess(tree) / (time.perf_counter() - start)
    with capsys.disabled():
        print(
            f"\n{teams} teams, {design.games:,} games: {rate['ours']:,.0f} effective draws a second, "
            f"textbook {rate['textbook']:,.0f}, ratio {rate['ours'] / rate['textbook']:.1f}"
        )
