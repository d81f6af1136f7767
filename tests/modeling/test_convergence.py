"""Chains that did not converge are told by name and by the right number; those that did pass."""

from dataclasses import replace

import numpy as np
import xarray as xr

from modeling import convergence
from modeling.build import build_design
from modeling.engines import laplace
from modeling.judge import Check
from modeling.posterior import Posterior
from store.thresholds import USUAL


def tree(divergences: int = 0, slow: bool = False, cut: float = 0.0) -> xr.DataTree:
    diverging = np.zeros((4, 1000), dtype=bool)
    diverging[0, :divergences] = True
    rng = np.random.default_rng(0)
    energy = rng.normal(size=(4, 1000))
    stats = {"diverging": diverging, "energy": energy.cumsum(axis=1) if slow else energy}
    stats["maxdepth_reached"] = rng.random((4, 1000)) < cut
    sampled = xr.Dataset({name: (("chain", "draw"), values) for name, values in stats.items()})
    return xr.DataTree.from_dict({"sample_stats": sampled})


def statuses(checks: list[Check]) -> dict[tuple[str, str], str]:
    return {(check.check_name, check.subject): check.status for check in checks}


def converge(fitted, posterior=None, divergences=0, thresholds=USUAL, **moves):
    design, healthy, ratings = fitted
    parameters = convergence.diagnose_parameters(design, posterior or healthy, ratings)
    rated = convergence.diagnose_ratings(ratings, 4, {})
    return convergence.convergence(tree(divergences, **moves), list(parameters.values()), rated, thresholds)


def test_independent_draws_converge(fitted):
    assert {check.status for check in converge(fitted)} == {"pass"}


def test_a_chain_elsewhere_fails_r_hat_and_names_the_parameter(fitted):
    posterior = fitted[1]
    home = posterior.fixed["home"].copy()
    home[:1000] += 3 * home.std()
    moved = Posterior(posterior.level, {"home": home}, posterior.blocks, posterior.scales, {}, 4)
    found = statuses(converge(fitted, moved))
    assert found["r_hat", "home advantage"] == "fail"
    assert found["r_hat", "spread of the attack of a team"] == "pass"


def test_sluggish_draws_fail_the_effective_sample_size(fitted):
    posterior = fitted[1]
    slow = {"attack": np.repeat(posterior.scales["attack"][:40], 100), "defence": posterior.scales["defence"]}
    found = statuses(converge(fitted, Posterior(posterior.level, posterior.fixed, posterior.blocks, slow, {}, 4)))
    assert found["ess_bulk", "spread of the attack of a team"] == "fail"


def test_divergences_fail(fitted):
    assert statuses(converge(fitted, divergences=2))["divergences", "all draws"] == "fail"


def test_chains_that_cross_energies_slowly_warn(fitted):
    found = statuses(converge(fitted, slow=True))
    assert found["e_bfmi", "slowest chain"] == "warn"


def test_steps_that_are_cut_short_warn(fitted):
    assert statuses(converge(fitted, cut=0.05))["tree_depth", "share of draws"] == "warn"


def test_a_tightened_bound_is_the_one_that_counts(fitted):
    found = converge(fitted, thresholds=replace(USUAL, ess_bulk=1e6))
    assert {one.bound for one in found if one.check_name == "ess_bulk"} == {1e6}
    assert {one.status for one in found if one.check_name == "ess_bulk"} == {"fail"}


def test_the_worst_ten_are_named_wherever_they_are(fitted):
    design, posterior, ratings = fitted
    healthy = list(convergence.diagnose_parameters(design, posterior, ratings).values())
    rated = convergence.diagnose_ratings(ratings, 4, {"t:03": "Third"})
    apart = ratings[0].components["attack"].copy()
    apart[:1000, 3] += 3
    sick = convergence.diagnose([f"attack of {i}" for i in range(apart.shape[1])], apart, 4, "rating")
    worst = convergence.worst([*healthy, *rated, *sick])
    assert len(worst) == convergence.WORST
    assert worst[0].subject == "attack of 3" and worst[0].r_hat > 1.5
    assert any(one.subject == "attack of Third" for one in rated)


def test_every_effect_that_is_no_rating_is_diagnosed(league, stanza):
    """A slope's effects, by the competitor's name and the value."""
    design = build_design(stanza.model_copy(update={"effects": ("home", "team:home")}), league.games)
    rng = np.random.default_rng(1)
    draws = laplace.fit_fixed_scales(
        design, {block.name: 0.3 for block in design.blocks}, np.ones(design.games, dtype=bool)
    ).draws(rng, 400)
    posterior = Posterior(draws.level, draws.fixed, draws.blocks, {}, {}, 4)
    found = convergence.diagnose_effects(design, posterior, {"t:00": "Alpha"})
    slopes = [block for block in design.blocks if block.role == "slope"]
    assert len(found) == sum(len(block.levels) for block in slopes)
    assert any(one.subject.endswith(": Alpha, home") for one in found)
    assert {one.family for one in found} == {"effect"}


def test_many_at_once_are_as_one_by_one():
    draws = np.random.default_rng(3).normal(size=(4000, 5))
    together = convergence.diagnose(list("abcde"), draws, 4)
    alone = [convergence.diagnose([name], draws[:, [i]], 4)[0] for i, name in enumerate("abcde")]
    assert together == alone
