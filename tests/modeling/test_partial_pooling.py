"""Partial pooling on Rubin's (1981) eight schools: the engines against the algebra and against exact integration.

What the handbook's walk through them says is what the engines find (`dashboard/handbook/eight_schools.md`).
"""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import halfnorm

from modeling.block import Block
from modeling.design import Design, Kind
from modeling.engines import laplace, nuts
from modeling.engines.joint import engine as joint
from modeling.outcomes import outcome_of
from modeling.posterior import from_tree

EFFECT = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
ERROR = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
UNIT_SD = 10.0
EVERYTHING = np.ones(8, dtype=bool)

LEVELS = tuple("ABCDEFGH")
WALK = Path(__file__).parents[2] / "dashboard" / "handbook" / "eight_schools.md"


@pytest.fixture(scope="module")
def schools(known_sigma) -> Design:
    """A row is a school: a stint whose exposure is its precision, under the real Normal outcome of known sigma."""
    outcome = known_sigma(outcome_of("score", "normal"), UNIT_SD)
    exposure = (UNIT_SD / ERROR) ** 2
    identity, eight = csr_array(np.eye(8)), np.arange(8)
    block = Block("school", "effect of a school", "team", "attack", "base", LEVELS, identity, UNIT_SD, identity)
    days = np.array(["2024-01-01"] * 8, dtype="datetime64[D]")
    return Design(
        "schools", outcome, UNIT_SD, exposure * EFFECT, exposure, eight, np.zeros(8, int), eight, np.full(8, -1),
        (block,), (), (), (Kind("team", LEVELS, identity),), eight, days, eight,
    )  # fmt: skip


def conditional(scale: float, intercept_sd: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Exact posterior mean and variance of (intercept + school effect) and the evidence, at a given scale."""
    prior = np.full((8, 8), intercept_sd**2) + scale**2 * np.eye(8)
    total = prior + np.diag(ERROR**2)
    gain = prior @ np.linalg.inv(total)
    evidence = -0.5 * EFFECT @ np.linalg.solve(total, EFFECT) - 0.5 * np.linalg.slogdet(total)[1]
    return gain @ EFFECT, np.diag(prior - gain @ prior), evidence


def test_at_a_known_scale_each_school_is_a_weighted_mean(schools):
    """theta_j = w_j y_j + (1 - w_j) mu with w_j = tau^2 / (tau^2 + sigma_j^2)."""
    fit = laplace.fit_fixed_scales(schools, {"school": 8.0}, EVERYTHING)
    mu, effects = fit.mode[0], fit.mode[1:]
    weight = 8.0**2 / (8.0**2 + ERROR**2)
    assert mu + effects == pytest.approx(weight * EFFECT + (1 - weight) * mu, abs=1e-8)
    exact, variance, _ = conditional(8.0, schools.intercept_sd)
    assert mu + effects == pytest.approx(exact, abs=1e-8)
    covariance = fit.covariance
    assert covariance[0, 0] + 2 * covariance[0, 1:] + np.diag(covariance)[1:] == pytest.approx(variance, rel=1e-8)


def test_the_weight_goes_to_one_with_the_scale_and_schools_agree_without_it(schools):
    apart = laplace.fit_fixed_scales(schools, {"school": 1e4}, EVERYTHING)
    alike = laplace.complete_pooling(schools, EVERYTHING)
    assert apart.mode[0] + apart.mode[1:] == pytest.approx(EFFECT, abs=0.01)
    precision = ERROR**-2.0
    shrunk = precision.sum() / (precision.sum() + schools.intercept_sd**-2)
    assert alike.mode[0] == pytest.approx(shrunk * np.average(EFFECT, weights=precision))


def test_schools_measured_worse_shrink_more(schools):
    fit = laplace.fit_fixed_scales(schools, {"school": 8.0}, EVERYTHING)
    kept = fit.mode[1:] / (EFFECT - fit.mode[0])
    assert np.argsort(-kept).tolist()[0] == np.argmin(ERROR)
    assert np.all(np.diff(kept[np.argsort(ERROR)]) <= 1e-12)


@pytest.fixture(scope="module")
def exact(schools) -> dict[str, np.ndarray]:
    """Mean and sd of each school and the scale's mean, by integration over the scale on a fine grid."""
    grid = np.linspace(0.01, 60, 3000)
    parts = [conditional(scale, schools.intercept_sd) for scale in grid]
    mass = np.exp(np.array([p[2] for p in parts]) + halfnorm.logpdf(grid, scale=UNIT_SD))
    mass /= mass.sum()
    mean = mass @ np.array([p[0] for p in parts])
    second = mass @ np.array([p[1] + p[0] ** 2 for p in parts])
    return {"mean": mean, "sd": np.sqrt(second - mean**2), "scale": mass @ grid}


def sampled(schools: Design, seed: int):
    return nuts.sample(nuts.compile_design(schools), EVERYTHING, seed=seed, draws=2000)


@pytest.mark.parametrize("engine", ["nuts", "joint"])
def test_an_engine_finds_the_exact_posterior(schools, exact, engine):
    """Tolerances are four Monte Carlo standard errors."""
    tree = sampled(schools, 4) if engine == "nuts" else joint.fit(schools, EVERYTHING, 4, draws=8000)
    posterior = from_tree(schools, tree)
    draws = posterior.level[:, None] + posterior.blocks["school"]
    assert np.abs(draws.mean(axis=0) - exact["mean"]).max() < 0.09 * exact["sd"].max()
    assert draws.std(axis=0) == pytest.approx(exact["sd"], rel=0.08)
    assert posterior.scales["school"].mean() == pytest.approx(exact["scale"], rel=0.08)
    assert tree.attrs["sampler"].startswith("nutpie" if engine == "nuts" else "exact")


def test_the_walk_through_says_what_the_engines_find(schools, exact):
    """The handbook's table to its last digit; partial pooling within a Monte Carlo error of the last."""
    apart = laplace.fit_fixed_scales(schools, {"school": 1e4}, EVERYTHING).mode
    alike = laplace.complete_pooling(schools, EVERYTHING).mode[0]
    weight = exact["scale"] ** 2 / (exact["scale"] ** 2 + ERROR**2)
    table = re.findall(r"^([A-H]) +(.+?)$", WALK.read_text(), re.MULTILINE)
    assert [row[0] for row in table] == list(LEVELS)
    for number, (_, cells) in enumerate(table):
        effect, error, *found = re.findall(r"-?\d+\.?\d*", cells)
        assert (float(effect), float(error)) == (EFFECT[number], ERROR[number])
        said = (apart[0] + apart[1 + number], alike, exact["mean"][number], weight[number])
        assert found == [f"{said[0]:.1f}", f"{said[1]:.1f}", f"{said[2]:.1f}", f"{said[3]:.2f}"]


def test_james_stein_shrinkage_beats_separate_estimates():
    """Total squared error over many simulated sets of eight means, scale known: partial pooling wins."""
    rng = np.random.default_rng(8)
    truth = rng.normal(0, 8, (2000, 8))
    seen = truth + rng.normal(0, ERROR, (2000, 8))
    weight = 8.0**2 / (8.0**2 + ERROR**2)
    centre = np.average(seen, axis=1, weights=1 / (8.0**2 + ERROR**2))[:, None]
    pooled = weight * seen + (1 - weight) * centre
    assert ((pooled - truth) ** 2).sum() < 0.6 * ((seen - truth) ** 2).sum()
