"""The reference engine on real internationals: beside the textbook form of its model, and from last month's fit.

Effective draws are of the worst of the scales, home advantage and the ratings. Of the machine they are counted by CPU
seconds and by gradients, which do not depend on what else it does; ratios are never asserted. Needs
POOLTABLE_REAL_DATA.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytest

from bench_report import Report
from ingest.pull import pull
from modeling.convergence import diagnose, diagnose_ratings
from modeling.design import Design
from modeling.earlier import Start
from modeling.engines import nuts
from modeling.field import make_field
from modeling.fit import design_of
from modeling.games import Games
from modeling.posterior import Posterior, from_tree
from modeling.ratings import Ratings, make_ratings, parameter_draws
from store.home import Home
from store.stanzas import Stanza, read_catalogue

REAL = os.environ.get("POOLTABLE_REAL_DATA")
pytestmark = [
    pytest.mark.bench,
    pytest.mark.long,
    pytest.mark.real,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set"),
]
LEAGUE = "international_football"
CHAINS = 4

Rated = Callable[..., "League"]


@dataclass(frozen=True)
class League:
    """Games and Design, and how to see a posterior's ratings."""

    games: Games
    design: Design
    stanza: Stanza

    def ratings(self, posterior: Posterior) -> list[Ratings]:
        """Ratings of every kind."""
        fields = (make_field(self.design, kind, self.stanza, self.games.as_of) for kind in self.design.kinds)
        return [make_ratings(self.design, posterior, field, np.random.default_rng(1)) for field in fields]


@dataclass(frozen=True)
class Run:
    """What sampling gave and took."""

    tree: Any
    cpu_seconds: float

    @property
    def gradients(self) -> tuple[int, int]:
        """Evaluations of the gradient while tuning, and after."""
        groups = (self.tree["warmup_sample_stats"], self.tree["sample_stats"])
        tuning, sampling = (int(group["n_steps"].sum()) for group in groups)
        return tuning, sampling

    @property
    def divergences(self) -> int:
        return int(self.tree["sample_stats"]["diverging"].sum())


@pytest.fixture(scope="module")
def league(tmp_path_factory) -> Rated:
    """(since, as of) -> the internationals of that time."""
    home, file = Home(tmp_path_factory.mktemp("home")), Path(REAL or "") / LEAGUE / "results.csv"
    stanza = read_catalogue()[LEAGUE].model_copy(update={"source": (str(file),), "group": None})
    pull(home, LEAGUE, stanza, datetime.now(UTC))

    def make(since: date, as_of: date | None = None) -> League:
        chosen = stanza.model_copy(update={"since": since})
        games, design = design_of(home, LEAGUE, chosen, as_of)
        return League(games, design, chosen)

    return make


def run(model: Any, tune: int = 1000, seed: int = 1) -> Run:
    began = time.process_time()
    tree = nutpie.sample(
        model, draws=1000, tune=tune, chains=CHAINS, cores=2, seed=seed, save_warmup=True, progress_bar=False
    )
    return Run(tree, time.process_time() - began)


def every_game(compiled: nuts.Compiled) -> Any:
    tally = compiled.design.collapsed(np.ones(compiled.design.games, dtype=bool))
    return compiled.model.with_data(tally=tally)


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
    many = [contrasts[:, :, i].ravel() for i in range(contrasts.shape[2])]
    return min(diagnose([""], draws[:, None], CHAINS)[0].ess_bulk for draws in [*single, *many])


def assert_alike(first: np.ndarray, *others: np.ndarray) -> None:
    """Means of one posterior's draws, of some hundred independent ones each: within a quarter of its sd."""
    for other in others:
        assert abs(other.mean() - first.mean()) < 0.25 * first.std()


@pytest.mark.parametrize("since", [date(2023, 1, 1), date(2020, 1, 1), date(2014, 1, 1)])
def test_effective_draws_beside_the_textbook(league: Rated, since: date, report: Report):
    design = league(since).design
    models = {"ours": every_game(nuts.compile_design(design)), "textbook": textbook(design)}
    rate, home = {}, []
    for name, model in models.items():
        found = run(model)
        home.append(found.tree["posterior"]["home"].to_numpy())
        rate[name] = least_ess(found.tree) / found.cpu_seconds
    report.add("fit", f"NUTS, internationals, {design.games:,} games, 1,000 effective draws", 1000 / rate["ours"],
               "CPU s", "NUTS, the textbook's form", 1000 / rate["textbook"], teams=len(design.blocks[0].levels)
               )  # fmt: skip
    assert_alike(*home)


def start_of(league: League, tree: Any) -> Start:
    """The posterior means of a fit, as they are read from its record."""
    posterior = from_tree(league.design, tree)
    ratings = league.ratings(posterior)
    means = {name: float(draws.mean()) for name, draws in parameter_draws(league.design, posterior, ratings).items()}
    effects = {
        (one.field.kind, component): dict(zip(one.field.competitors, draws.mean(axis=0).tolist(), strict=True))
        for one in ratings
        for component, draws in one.components.items()
    }
    return Start("before", means, effects)


def worst(league: League, tree: Any) -> tuple[float, float]:
    """Largest R-hat and smallest bulk effective sample size of the parameters and the ratings."""
    posterior = from_tree(league.design, tree)
    ratings = league.ratings(posterior)
    parameters = parameter_draws(league.design, posterior, ratings).values()
    found = [diagnose([""], draws[:, None], CHAINS)[0] for draws in parameters] + diagnose_ratings(ratings, CHAINS, {})
    return max(one.r_hat for one in found), min(one.ess_bulk for one in found)


def test_what_a_start_from_last_months_fit_saves(league: Rated, report: Report):
    now = league(date(2014, 1, 1))
    before = league(date(2014, 1, 1), now.games.as_of - timedelta(days=28))
    start = start_of(before, run(every_game(nuts.compile_design(before.design))).tree)
    models = {name: every_game(nuts.compile_design(now.design, one)) for name, one in (("cold", None), ("warm", start))}
    home = []
    for tune in (1000, 500, 250, 100):
        cost = {}
        for name, model in models.items():
            found = run(model, tune)
            r_hat, ess = worst(now, found.tree)
            cost[name] = {"gradients": 1000 * sum(found.gradients) / ess, "R-hat": r_hat, "ESS": ess,
                          "divergences": found.divergences}  # fmt: skip
            home.append(found.tree["posterior"]["home"].to_numpy())
        also = {f"{name} {what}": value for name, one in cost.items() for what, value in one.items()}
        report.add("fit", f"NUTS from last month's fit, tuning {tune:,}, 1,000 effective draws",
                   cost["warm"]["gradients"], "gradients", "from nowhere", cost["cold"]["gradients"], **also
                   )  # fmt: skip
    assert_alike(home[0], *home[1:4])
