"""A posterior by an engine, with its ratings and what shows that it can be trusted."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from modeling import convergence
from modeling.certificate import CERTIFIED
from modeling.convergence import Diagnosis
from modeling.design import Design
from modeling.earlier import Start
from modeling.engines.choice import NUTS, Choice, Prepared, Progress, prepare
from modeling.engines.laplace import MOST_LATENT
from modeling.field import Field
from modeling.games import Games
from modeling.judge import Check
from modeling.memory import give_back
from modeling.paths import Day
from modeling.posterior import Posterior, from_tree
from modeling.ratings import Ratings, make_ratings
from store.errors import FitError

SEED = 20140101
DRAWS = 6000  # of NUTS, all chains; a fit that has not converged gets more before it is rejected
LENGTHENING = (1, 2, 4)
CARE = (0.8, 0.95, 0.99)  # target acceptance: one that diverged gets smaller steps too
INDEPENDENT = 4000  # draws of an engine whose draws are independent

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Sampled:
    """A posterior that was sampled until it converged, or as long as allowed, with its ratings and checks."""

    choice: Choice
    engine: Prepared
    tree: xr.DataTree
    posterior: Posterior
    ratings: list[Ratings]
    parameters: dict[str, Diagnosis]
    checks: list[Check]
    worst: list[Diagnosis] = field(default_factory=list)
    """Of chains, the ten quantities that agree least, of all there are."""
    past: list[list[Day]] = field(default_factory=list)
    """By kind, the days that its past is told of; empty where nothing walks or the as-of date was chosen."""


def sample(
    choice: Choice,
    design: Design,
    games: Games,
    fields: list[Field],
    start: Start | None,
    tell: Report,
    past: Mapping[str, NDArray[np.intp]] | None = None,
    *,
    may_fall_back: bool,
) -> Sampled:
    """The posterior of all games by the chosen engine, of long walks with the levels in `past`.

    Where a fast engine does not settle or its own checks fail, NUTS does it again if that is allowed and the league is
    not too large for it. Raises FitError.
    """
    may_fall_back &= design.effects <= MOST_LATENT
    if choice.engine == NUTS:
        return by_nuts(choice, design, games, fields, start, tell)
    try:
        found = once(choice, design, games, fields, start, tell, past)
        failed = [f"{one.check_name} of {one.subject}" for one in found.checks if one.status == "fail"]
        if not may_fall_back:
            return found
        if not failed:
            return replace(found, engine=or_nuts(found.engine, design, start))
        why = f"the {choice.engine} engine's own checks failed: {', '.join(failed)}"
    except FitError as error:
        if not may_fall_back:
            raise
        why = f"the {choice.engine} engine did not settle: {error}"
    return by_nuts(Choice(NUTS, why), design, games, fields, start, tell)


def or_nuts(engine: Prepared, design: Design, start: Start | None) -> Prepared:
    """The engine, and NUTS where it does not settle for some of the games."""

    def sample(chosen: NDArray[np.bool_], seed: int, draws: int, tell: Progress, care: float) -> xr.DataTree:
        try:
            return engine.sample(chosen, seed, draws, tell, care)
        except FitError:
            return prepare(NUTS, design, start).sample(chosen, seed, draws, tell, care)

    return replace(engine, sample=sample)


def once(
    choice: Choice,
    design: Design,
    games: Games,
    fields: list[Field],
    start: Start | None,
    tell: Report,
    past: Mapping[str, NDArray[np.intp]] | None = None,
) -> Sampled:
    """The posterior by a fast engine, with its own checks. Raises FitError where it does not settle."""
    engine = prepare(choice.engine, design, start, past)
    everything = np.ones(design.games, dtype=bool)
    tree = engine.sample(everything, SEED, INDEPENDENT, lambda share: tell("fitting", 0.05 + 0.45 * share), CARE[0])
    give_back()
    posterior = from_tree(design, tree)
    parameters = {
        name: Diagnosis(title, math.nan, math.nan, math.nan) for name, (title, _) in design.parameters.items()
    }
    return Sampled(
        choice,
        engine,
        tree,
        posterior,
        _rated(design, posterior, fields),
        parameters,
        CERTIFIED[choice.engine](design, tree),
    )


def by_nuts(
    choice: Choice, design: Design, games: Games, fields: list[Field], start: Start | None, tell: Report
) -> Sampled:
    """The posterior by NUTS, longer and with smaller steps until it has converged, or as long as allowed."""
    tell("compiling", 0.02)
    engine = prepare(NUTS, design, start)
    everything = np.ones(design.games, dtype=bool)
    sampled, care = None, 0
    for length in LENGTHENING:
        tree = engine.sample(
            everything, SEED, DRAWS * length, lambda share: tell("sampling", 0.1 + 0.4 * share), CARE[care]
        )
        care += int(convergence.divergences(tree) > 0)
        sampled = _diagnosed(choice, engine, design, games, tree, fields)
        if all(check.status != "fail" for check in sampled.checks):
            break
    assert sampled is not None
    return sampled


def _diagnosed(
    choice: Choice, engine: Prepared, design: Design, games: Games, tree: xr.DataTree, fields: list[Field]
) -> Sampled:
    posterior = from_tree(design, tree)
    ratings = _rated(design, posterior, fields)
    parameters = convergence.diagnose_parameters(design, posterior, ratings)
    rated = convergence.diagnose_ratings(ratings, posterior.chains, games.names)
    checks = convergence.convergence(tree, list(parameters.values()), rated, design.thresholds)
    every = [*parameters.values(), *rated, *convergence.diagnose_effects(design, posterior, games.names)]
    return Sampled(choice, engine, tree, posterior, ratings, parameters, checks, convergence.worst(every))


def _rated(design: Design, posterior: Posterior, fields: list[Field]) -> list[Ratings]:
    rng = np.random.default_rng(SEED)
    return [make_ratings(design, posterior, field, rng) for field in fields]
