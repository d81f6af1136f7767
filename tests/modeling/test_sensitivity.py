"""Power-scaling of priors against ArviZ and a Normal mean, and what it says of a league under a wrong prior."""

import arviz
import numpy as np
import pytest
import xarray as xr

from modeling import tree
from modeling.build import build_design
from modeling.engines.choice import JOINT, prepare
from modeling.field import make_field
from modeling.posterior import from_tree
from modeling.ratings import make_ratings
from modeling.sensitivity import diagnosis, log_prior_of, sensitivity, sensitivity_rows, weights

DRAWS = 4000


def normal_mean(games: int, prior_mean: float, results_mean: float) -> tuple[float, float, np.ndarray]:
    """Sensitivities of a Normal mean with prior N(prior_mean, 1) and some results of variance 1, and its draws."""
    precision = 1 + games
    mean = (prior_mean + games * results_mean) / precision
    draws = mean + np.random.default_rng(1).standard_normal(DRAWS) / precision**0.5
    prior, likelihood = -0.5 * (draws - prior_mean) ** 2, -0.5 * games * (draws - results_mean) ** 2
    return sensitivity(draws, *weights(prior)), sensitivity(draws, *weights(likelihood)), draws


def test_a_mean_of_many_results_rests_on_them_and_one_of_few_on_its_prior():
    many, _, _ = normal_mean(200, 0.0, 0.5)
    few, _, _ = normal_mean(1, 0.0, 0.5)
    apart, towards, _ = normal_mean(2, 0.0, 5.0)
    assert many < 0.05 < few < apart
    assert diagnosis(many, 1.0) == "rests on the results"
    assert diagnosis(apart, towards) == "rests on the results and on the prior"


def test_a_prior_that_says_more_than_the_results_is_leant_on():
    found, likelihood, _ = normal_mean(0, 0.0, 0.0)
    assert likelihood < 0.01 < 0.05 < found
    assert diagnosis(found, likelihood) == "leans on the prior"


def test_arviz_says_the_same():
    prior, likelihood, draws = normal_mean(3, 0.0, 2.0)
    of_prior, of_likelihood = -0.5 * draws**2, -1.5 * (draws - 2.0) ** 2
    groups = {
        "posterior": {"mean": draws[None]},
        "log_prior": {"mean": of_prior[None]},
        "log_likelihood": {"y": of_likelihood[None, :, None]},
    }
    found = xr.DataTree.from_dict(
        {
            name: xr.Dataset(
                {key: (("chain", "draw", "game")[: value.ndim], value) for key, value in group.items()},
                coords={"chain": [0], "draw": np.arange(DRAWS)},
            )
            for name, group in groups.items()
        }
    )
    for group, ours in (("prior", prior), ("likelihood", likelihood)):
        theirs = arviz.psense(found, var_names=["mean"], group=group)
        assert ours == pytest.approx(float(theirs["mean"]), rel=1e-6)


def test_what_does_not_move_is_not_sensitive():
    constant, density = np.ones(DRAWS), np.random.default_rng(1).standard_normal(DRAWS)
    assert sensitivity(constant, *weights(density)) == 0.0


def fitted(league, stanza, kept: int = 1000):
    design = build_design(stanza, league.games)
    made = prepare(JOINT, design, None).sample(np.ones(design.games, bool), 1, 1000, lambda _: None, 0.8)
    posterior = from_tree(design, made)
    room = tree.room_for(design, posterior)
    room = tree.Kept(room.draws[:kept], room.y[:kept], room.log_likelihood[:kept])
    for _ in tree.keeping(design, tree.replications(design, posterior, np.random.default_rng(1)), room):
        pass
    tree.complete(made, design, posterior, room)
    fields = [make_field(design, kind, stanza, league.games.as_of) for kind in design.kinds]
    ratings = [make_ratings(design, posterior, field, np.random.default_rng(1)) for field in fields]
    return design, made, posterior, ratings


def test_a_prior_far_too_narrow_is_found_in_its_scale_and_in_the_ratings(league, stanza):
    """Attacks that differ by 0.3 under a prior that allows 0.02, and one that suits them."""
    found = {}
    for name, priors in (("narrow", {"attack": 0.02}), ("usual", {})):
        rows = sensitivity_rows(*fitted(league, stanza.model_copy(update={"priors": priors})))
        assert rows.filter(kind="team").height == 10
        found[name] = dict(rows.select("quantity", "prior").iter_rows())
    assert found["narrow"]["scale_attack"] > 0.2 > 0.05 > found["usual"]["scale_attack"]
    teams = [key for key in found["usual"] if key.startswith("t:")]
    usual, narrow = (max(found[name][team] for team in teams) for name in ("usual", "narrow"))
    assert 3 * usual < narrow and usual < 0.01


def test_the_prior_of_what_is_learned_is_its_density_up_to_a_constant(league, stanza):
    from scipy.stats import halfnorm, norm

    design, _, posterior, _ = fitted(league, stanza)
    ours = log_prior_of(design, posterior)
    exact = norm.logpdf(posterior.fixed["home"], 0, design.fixed[0].prior_sd)
    for block in design.blocks:
        exact = exact + halfnorm.logpdf(posterior.scales[block.name], scale=block.prior_scale)
    assert np.ptp(ours - exact) < 1e-9 < np.ptp(exact)


def test_nothing_is_said_from_too_few_draws_or_of_draws_that_are_not_joint(league, stanza):
    assert sensitivity_rows(*fitted(league, stanza, kept=399)).is_empty()
    design, made, posterior, ratings = fitted(league, stanza)
    made.attrs["engine"] = "chain"
    assert sensitivity_rows(design, made, posterior, ratings).is_empty()
