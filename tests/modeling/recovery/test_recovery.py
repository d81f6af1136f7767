"""Recovery: in leagues made by the model itself, truth is inside intervals as often as they say.

At known scales with Laplace's approximation and with scales learned by the joint engine in every run; with scales
learned by NUTS in the slow run, and for one league in every run.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from modeling import judge
from modeling.convergence import diagnose
from modeling.design import Design
from modeling.engines import laplace, nuts
from modeling.engines.joint import engine as joint
from modeling.outcomes import outcomes
from modeling.posterior import Posterior, from_tree
from modeling.ratings import parameter_draws, prior_variance
from modeling.tree import replications

DRAWS = 1000
LEVELS = (0.5, 0.9)
ALIKE = 4  # ratings of a league share their scales and their zero: so many count as one in bounds
OF_EACH_LIKELIHOOD = (
    "score-group", "negative-slopes", "points-players", "dixon-coles", "student-players", "win-surfaces", "result-walk",
    "order-walk",
)  # fmt: skip
PARTS = ("player", "team beside player", "group", "walk", "slope", "covariate", "noise")


def parts_of(design: Design) -> set[str]:
    """What of PARTS a Design has."""
    kinds, roles = {kind.name for kind in design.kinds}, {block.role for block in design.blocks}
    beside = len(kinds) == 2 or any(block.kind == "" and block.name.startswith("team") for block in design.blocks)
    there = {
        "player": "player" in kinds, "team beside player": "player" in kinds and beside, "group": "group" in roles,
        "walk": "walk" in roles, "slope": "slope" in roles, "covariate": bool(design.fixed),
        "noise": bool(design.noise),
    }  # fmt: skip
    return {part for part, is_there in there.items() if is_there}


def at_known_scales(design: Design, truth: Posterior, chosen: np.ndarray, seed: int = 1) -> Posterior:
    """Joint draws at the true scales and parameters of the likelihood, by Laplace's approximation."""
    scales = {block.name: float(truth.scales[block.name][0]) for block in design.blocks}
    auxiliaries = {one.name: float(truth.auxiliaries[one.name][0]) for one in design.auxiliaries}
    draws = laplace.fit_fixed_scales(design, scales, chosen, auxiliaries).draws(np.random.default_rng(seed), DRAWS)
    given = {name: np.full(DRAWS, scale) for name, scale in scales.items()}
    return Posterior(draws.level, draws.fixed, draws.blocks, given, draws.auxiliaries)


def every_game(league) -> np.ndarray:
    return np.ones(league.design.games, dtype=bool)


def every(league, nth: int) -> np.ndarray:
    return np.arange(league.design.games) % nth == 0


def inside(league, posterior: Posterior) -> dict[float, list[bool]]:
    """For each level whether each rating's truth is inside its central interval: every component, kind and slope."""
    found: dict[float, list[bool]] = {level: [] for level in LEVELS}
    for true, estimate in zip(league.ratings(league.truth, 11), league.ratings(posterior, 12), strict=True):
        pairs = [(true.components[one], estimate.components[one]) for one in true.components]
        pairs += [
            (a.draws, b.draws)
            for a, b in zip(league.slopes(league.truth, true, 11), league.slopes(posterior, estimate, 12), strict=True)
        ]
        for value, draws in pairs:
            for level in LEVELS:
                low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
                found[level] += ((low <= value[0]) & (value[0] <= high))[draws.std(axis=0) > 0].tolist()
    return found


def assert_rates(hits: dict[float, list[bool]]) -> None:
    for level, found in hits.items():
        count = len(found) // ALIKE
        low, high = binom.interval(0.998, count, level)
        assert low / count <= np.mean(found) <= high / count, f"{level:.0%}: {np.mean(found):.1%} of {len(found)}"


def shrinkage(league, posterior: Posterior) -> float:
    """Mean share of the prior's variance that is left, over the totals of every kind."""
    return float(
        np.mean(
            np.concatenate(
                [
                    one.components["total"].var(axis=0) / prior_variance(league.design, posterior, one.field, "total")
                    for one in league.ratings(posterior)
                ]
            )
        )
    )


def mean_sd(league, posterior: Posterior) -> float:
    return float(np.mean(np.concatenate([one.components["total"].std(axis=0) for one in league.ratings(posterior)])))


def without(design: Design, part: str) -> Design:
    """The Design with a part left out: a fixed effect, the noise, or the blocks of a role (bases: of a kind)."""
    return replace(
        design,
        blocks=tuple(b for b in design.blocks if part not in (b.role, f"base of {b.kind}" if b.role == "base" else "")),
        fixed=tuple(one for one in design.fixed if one.name != part),
        noise=() if part == "noise" else design.noise,
    )


def removable(design: Design) -> list[str]:
    parts = dict.fromkeys(f"base of {b.kind}" if b.role == "base" else b.role for b in design.blocks)
    return [*parts, *(one.name for one in design.fixed), *(["noise"] if design.noise else [])]


def losses_without(leagues) -> dict[str, np.ndarray]:
    """By part, what leaving it out adds to the log loss of each held-out game, over the leagues that have it."""
    found = defaultdict(list)
    for league in leagues:
        held_out = every(league, 4)

        def loss(design: Design, truth=league.truth, held_out=held_out) -> np.ndarray:
            return judge.log_losses(design, at_known_scales(design, truth, ~held_out), held_out)

        whole = loss(league.design)
        for part in removable(league.design):
            found[part].append(loss(without(league.design, part)) - whole)
    return {part: np.concatenate(some) for part, some in found.items()}


def test_every_likelihood_and_every_two_effects_are_in_some_league(simulated, names):
    leagues = [simulated(name, 0, 60).design for name in names]
    likelihoods = {(design.outcome.name, design.outcome.likelihood) for design in leagues}
    assert likelihoods == {(one.name, one.likelihood) for family in outcomes().values() for one in family}
    seen = {pair for design in leagues for pair in combinations(PARTS, 2) if set(pair) <= parts_of(design)}
    assert set(combinations(PARTS, 2)) - seen == set()


def test_there_is_one_log_likelihood_a_game_whatever_the_outcome(simulated, names):
    """They sum to that of the sufficient statistics, which is what engines sample and maximise."""
    for name in names:
        design, truth = (league := simulated(name, 1, 60)).design, league.truth
        (found,) = replications(design, truth, np.random.default_rng(1))
        likely = found.log_likelihood(design)
        assert likely.shape == (1, design.games), name
        eta, arguments = truth.seen(design, design.cell_rows)
        collapsed = design.outcome.log_density(design.collapsed(every_game(league)), eta, arguments)
        assert likely.sum() == pytest.approx(collapsed.sum(), rel=1e-9), name


def test_truth_is_inside_intervals_at_their_rates(simulated, names):
    hits: dict[float, list[bool]] = {level: [] for level in LEVELS}
    for name in names:
        league = simulated(name, 1)
        for level, found in inside(league, at_known_scales(league.design, league.truth, every_game(league))).items():
            hits[level] += found
    assert len(hits[0.5]) > 800
    assert_rates(hits)


def test_twice_the_games_make_intervals_narrower_and_shrink_less(simulated, names):
    for name in names:
        league = simulated(name, 3)
        half, whole = (at_known_scales(league.design, league.truth, every(league, nth)) for nth in (2, 1))
        assert mean_sd(league, half) > mean_sd(league, whole), name
        assert shrinkage(league, half) > shrinkage(league, whole), name


def assert_they_matter(found: dict[str, np.ndarray], parts: set[str]) -> None:
    for part in parts:
        difference = found[part]
        assert difference.mean() > 2 * difference.std(ddof=1) / np.sqrt(len(difference)), part


@pytest.mark.slow
def test_leaving_out_anything_real_forecasts_worse(simulated, names):
    """Every part but the altitude of a game, which raises the scores of both sides and hardly decides who wins."""
    found = losses_without([simulated(name, seed) for name in names for seed in (1, 2, 3)])
    assert_they_matter(found, set(found) - {"altitude"})


@dataclass(frozen=True)
class Fitted:
    """A league sampled with all its games and with every fourth."""

    name: str
    league: Any
    whole: Posterior
    quarter: Posterior

    def parameters(self, posterior: Posterior) -> dict[str, np.ndarray]:
        """Scales, fixed effects and parameters of the likelihood; an intercept where all rows sum alike."""
        ratings = self.league.ratings(posterior)
        found = parameter_draws(self.league.design, posterior, ratings)
        if any(block.role == "base" and block.row_sum is None for block in self.league.design.blocks):
            found.pop("intercept", None)
        return found


def fitted_by_nuts(league: Any, name: str) -> Fitted:
    compiled = nuts.compile_design(league.design)
    whole, quarter = (
        from_tree(league.design, nuts.sample(compiled, chosen, seed=5, draws=500))
        for chosen in (every_game(league), every(league, 4))
    )
    return Fitted(name, league, whole, quarter)


def assert_fitted(fits: list[Fitted]) -> None:
    """Chains agree; truth is inside at its rates, parameters nearly always; less data is wider and more shrunk."""
    hits: dict[float, list[bool]] = {level: [] for level in LEVELS}
    outside, wider, count = [], [], 0
    for one in fits:
        for posterior in (one.whole, one.quarter):
            for level, found in inside(one.league, posterior).items():
                hits[level] += found
            draws, truth = one.parameters(posterior), one.parameters(one.league.truth)
            for parameter, found in draws.items():
                low, high = np.quantile(found, [0.005, 0.995])
                count += 1
                if not low <= truth[parameter][0] <= high:
                    outside.append((one.name, parameter))
        for draws in one.parameters(one.whole).values():
            assert diagnose([one.name], draws[:, None], 4)[0].r_hat < 1.05, one.name
        wider.append(np.log(mean_sd(one.league, one.quarter) / mean_sd(one.league, one.whole)))
        assert shrinkage(one.league, one.quarter) > shrinkage(one.league, one.whole), one.name
    assert np.mean(wider) > 0.1  # on average: a scale learned from less may come out smaller
    assert_rates(hits)
    assert len(outside) <= binom.ppf(0.999, count, 0.01), outside


def test_nuts_recovers_a_league_and_its_scales(simulated):
    assert_fitted([fitted_by_nuts(simulated("margin-walk", 1), "margin-walk")])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nuts_recovers_every_league_and_its_scales(simulated, names):
    assert_fitted([fitted_by_nuts(simulated(name, 1), name) for name in names])


@pytest.mark.slow
def test_the_joint_engine_takes_every_likelihood_and_truth_is_inside_at_its_rates(simulated):
    assert_joint({name: simulated(name, 1) for name in OF_EACH_LIKELIHOOD})


@pytest.mark.slow
def test_the_joint_engine_takes_every_league_and_truth_is_inside_at_its_rates(simulated, names):
    assert_joint({name: simulated(name, 1) for name in names})


def assert_joint(leagues) -> None:
    hits: dict[float, list[bool]] = {level: [] for level in LEVELS}
    ranks = []
    for name, league in leagues.items():
        assert joint.takes(league.design) is None
        tree = joint.fit(league.design, every_game(league), 3, draws=4000)
        posterior, found = from_tree(league.design, tree), tree["diagnostics"].attrs
        assert found["gain_left"] < 0.01, name
        assert found["k_hat"] < 0.7, name
        for level, some in inside(league, posterior).items():
            hits[level] += some
        draws = parameter_draws(league.design, posterior, league.ratings(posterior))
        truth = parameter_draws(league.design, league.truth, league.ratings(league.truth))
        ranks += [np.mean(draws[one] < truth[one][0]) for one in draws if one != "intercept"]
    assert_rates(hits)
    assert np.sum((np.array(ranks) < 0.005) | (np.array(ranks) > 0.995)) <= binom.ppf(0.999, len(ranks), 0.01)
