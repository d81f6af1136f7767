"""Simulation-based calibration of the fast engines: truth drawn from the prior is anywhere among posterior draws alike.

Truth, results, a fit; truth's rank among as many independent draws is uniform if, and for enough quantities only if,
the posterior is right. Talts, Betancourt, Simpson, Vehtari and Gelman (2018), arXiv:1804.06788. The log likelihood is
among the quantities, for it sees what no single parameter does: Modrák et al. (2023), Bayesian Analysis.

A fit whose own checks fail is one that is not published; those depend on results alone, and given any results truth is
a draw from their posterior, so that leaving such fits out leaves ranks uniform. Their share is bounded.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, norm, t

from modeling import engines
from modeling.build import build_design
from modeling.certificate import certified
from modeling.design import Design
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior, from_tree
from store.errors import FitError
from store.stanzas import Stanza

DRAWS, AMONG = 400, 99  # of a fit; truth has one of AMONG + 1 ranks
FALSE_ALARM = 0.01  # of a league whose posterior is right, over all its quantities: once and for all, for seeds are fixed
MOST_UNPUBLISHED = 0.05

WALK: dict[str, Any] = {"period": "season", "walk": ("team",)}
LEAGUES: dict[str, dict[str, Any]] = {
    "win": {"outcome": "win", "effects": ("home",)},
    "win-probit": {"outcome": "win", "link": "probit", "effects": ("home",)},
    "win-walk": {"outcome": "win", "effects": ("home",), **WALK},
    "result": {"outcome": "result", "effects": ("home",)},
    "margin": {"outcome": "margin", "effects": ("home",)},
    "score": {"outcome": "score", "effects": ("home",)},
    "score-walk": {"outcome": "score", "effects": ("home",), **WALK},
    "order": {"outcome": "order", "likelihood": "plackett_luce"},
}
SEASONS, TEAMS, GAMES, RACES, RACERS, USUAL_SCORE = 3, 8, 90, 20, 6, 1.4


@dataclass(frozen=True)
class Calibration:
    """Ranks of truth by quantity, each of shape (fits,), and the fits that were made and not published."""

    ranks: dict[str, NDArray[np.int_]]
    unpublished: int

    @property
    def fits(self) -> int:
        """Fits that were made."""
        return self.unpublished + len(next(iter(self.ranks.values())))


@pytest.fixture(scope="session")
def league_of(game, games) -> Callable[[str], Design]:
    """The Design of one of LEAGUES, whose results mean nothing."""

    def make(name: str) -> Design:
        rng, found = np.random.default_rng(1), []
        is_race = LEAGUES[name]["outcome"] == "order"
        size, many = (RACES, RACERS) if is_race else (GAMES, 2)
        for number in range(size):
            season, wins = number * SEASONS // size, bool(rng.random() < 0.5)
            found.append(
                game(
                    tuple(f"t{team}" for team in rng.choice(TEAMS, many, replace=False)),
                    tuple(rng.poisson(USUAL_SCORE, many).astype(float)),
                    day=365 * season + number, season=str(2021 + season), home=None if is_race else number % 2,
                    won=None if is_race else (wins, not wins), places=tuple(range(1, many + 1)) if is_race else None,
                )
            )  # fmt: skip
        stated = {"title": name, "feed": "none", "source": ("none",)}
        return build_design(Stanza.model_validate(stated | LEAGUES[name]), games(*found))

    return make


def from_prior(design: Design, rng: np.random.Generator) -> Posterior:
    """Truth: everything the model has, drawn once from its priors."""
    scales = {block.name: abs(rng.normal(0, block.prior_scale)) for block in design.blocks}
    effects = {
        block.name: np.linalg.solve(
            block.steps.toarray(), scales[block.name] * block.step_sd * rng.standard_normal(len(block.levels))
        )
        for block in design.blocks
    }
    own = {one.name: rng.normal(0, one.scale) for one in design.auxiliaries}
    return Posterior(
        rng.normal(design.centre, design.intercept_sd, 1) * design.outcome.has_intercept,
        {one.name: rng.normal(0, one.prior_sd, 1) for one in design.fixed},
        {name: effect[None] for name, effect in effects.items()},
        {name: np.array([scale]) for name, scale in scales.items()},
        {one.name: np.array([own[one.name] if one.is_signed else abs(own[one.name])]) for one in design.auxiliaries},
    )


def with_results_of(design: Design, truth: Posterior, rng: np.random.Generator) -> Design:
    """The Design with results that its outcome makes of a truth."""
    aux = design.likelihood_arguments({name: value[0] for name, value in truth.auxiliaries.items()})
    return replace(design, y=design.outcome.simulate(rng, truth.eta(design)[0], design.exposure, aux, design.game))


def quantities(design: Design, posterior: Posterior) -> dict[str, Array]:
    """What truth is ranked by, each of shape (draws,): parameters, some effects, and the results' log likelihood.

    Effects as contrasts, which every engine has alike: of the first level of a block to its mean and to the last, and
    all that the first row of the likelihood is made of.
    """
    found = {f"scale {name}": one for name, one in posterior.scales.items()} | posterior.fixed | posterior.auxiliaries
    for name, effects in posterior.blocks.items():
        found[f"{name} less mean"] = effects[:, 0] - effects.mean(axis=1)
        found[f"{name} less last"] = effects[:, 0] - effects[:, -1]
    eta, arguments = posterior.seen(design, design.cell_rows)
    found["first row"] = eta[:, 0]
    tally = design.collapsed(np.ones(design.games, dtype=bool))
    return found | {"log likelihood": design.outcome.log_density(tally, eta, arguments).sum(axis=1)}


def calibrate(
    design: Design, engine: str, fits: int, seed: int, spoil: Callable[[Posterior], Posterior] = lambda one: one
) -> Calibration:
    """Ranks of truth over as many leagues from the prior, fitted by an engine whose posteriors may be spoilt."""
    fit, ranks, unpublished = _engine(engine).fit, [], 0
    everything = np.ones(design.games, dtype=bool)
    for number in range(fits):
        rng = np.random.default_rng([seed, number])
        truth = from_prior(design, rng)
        league = with_results_of(design, truth, rng)
        try:
            tree = fit(league, everything, number, draws=DRAWS)
        except FitError:
            tree = None
        if tree is None or (engine == "joint" and any(one.status == "fail" for one in certified(league, tree))):
            unpublished += 1
            continue
        draws = quantities(league, spoil(from_tree(league, tree)).chosen(np.arange(AMONG)))
        true = quantities(league, truth)
        ranks.append({name: int(np.sum(one < true[name])) for name, one in draws.items()})
    return Calibration({name: np.array([one[name] for one in ranks]) for name in ranks[0]}, unpublished)


def p_values(calibration: Calibration) -> dict[str, float]:
    """Of each quantity, the chance that ranks are as uneven as these where the posterior is right; and of the spread
    of all quantities together, which sees intervals that are all a little too narrow or too wide."""
    found = {name: evenness(ranks) for name, ranks in calibration.ranks.items()}
    scores = norm.ppf((np.arange(AMONG + 1) + 0.5) / (AMONG + 1)) ** 2
    spread = scores[np.array(list(calibration.ranks.values()))].mean(axis=0) - scores.mean()
    statistic = spread.mean() / (spread.std(ddof=1) / np.sqrt(len(spread)))
    return found | {"spread of all": float(2 * t.sf(abs(statistic), len(spread) - 1))}


def evenness(ranks: NDArray[np.int_], simulations: int = 20_000) -> float:
    """P-value of uniform ranks: how far their empirical distribution leaves its simultaneous band.

    Säilynoja, Bürkner and Vehtari (2022), "Graphical test for discrete uniformity and its applications in
    goodness-of-fit evaluation and multiple sample comparison", Statistics and Computing 32, section 2.
    """
    levels = np.arange(1, AMONG + 1) / (AMONG + 1)
    below = np.arange(len(ranks) + 1)[:, None]
    tails = np.minimum(binom.cdf(below, len(ranks), levels), binom.sf(below - 1, len(ranks), levels))

    def farthest(counts: NDArray[np.int_]) -> Array:
        return tails[np.cumsum(counts[:, :-1], axis=1), np.arange(AMONG)].min(axis=1)

    even = np.random.default_rng(1).multinomial(len(ranks), np.full(AMONG + 1, 1 / (AMONG + 1)), simulations)
    observed = farthest(np.bincount(ranks, minlength=AMONG + 1)[None])[0]
    return float(np.mean(farthest(even) <= observed))


def assert_calibrated(calibration: Calibration) -> None:
    found = p_values(calibration)
    assert min(found.values()) > FALSE_ALARM / len(found), found
    assert calibration.unpublished <= MOST_UNPUBLISHED * calibration.fits


def _engine(name: str) -> Any:
    return importlib.import_module(f"modeling.engines.{name}.engine")


def fast_engines() -> list[str]:
    """The engines that are not NUTS, each a folder with an `engine.py`."""
    folders = [Path(folder) for folder in engines.__path__]
    return sorted(path.parent.name for folder in folders for path in folder.glob("*/engine.py"))
