"""Ranks of results among their forecasts: uniform where the forecast is right, and exactly as often as said."""

from dataclasses import replace

import numpy as np
import pytest

from modeling.build import build_design
from modeling.engines import laplace
from modeling.pit import Uniformity, held_out_uniformity, pit_check, uniformity
from modeling.posterior import Posterior
from modeling.thresholds import USUAL

DRAWS = 200
SIZE = USUAL.share


def counts(rng: np.random.Generator, rows: int, spread: float, draws: int = DRAWS) -> np.ndarray:
    """Poisson results of leagues whose level is not known exactly, nor the strength of anybody in them."""
    level = rng.normal(0, spread, (draws, 1))
    return rng.poisson(np.exp(0.3 + level), (draws, rows)).astype(float)


def test_a_league_from_its_own_forecasts_is_rejected_no_more_often_than_said():
    """Its results share an unknown level, so a test for independent ranks would reject most; seeds fixed."""
    p_values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        leagues = counts(rng, 60, 0.3, 41)
        p_values.append(uniformity([(leagues[0], leagues[1:])], rng).p_value)
    assert 0.4 < np.mean(p_values) < 0.62
    assert np.mean(np.array(p_values) <= 0.1) < 0.17


def test_in_parts_or_whole_it_counts_the_same_rows():
    rng = np.random.default_rng(1)
    leagues = rng.normal(size=(DRAWS + 1, 900))
    whole = uniformity([(leagues[0], leagues[1:])], np.random.default_rng(2))
    parts = uniformity(
        [(leagues[0, a : a + 300], leagues[1:, a : a + 300]) for a in (0, 300, 600)], np.random.default_rng(2)
    )
    assert whole == parts and whole.rows == 900  # no two are equal, so nothing is put in random order


def test_the_distance_is_that_of_the_shares():
    """Results twice as wide as forecast: |Phi(z/2) - Phi(z)| is 0.163 at most, below the middle and above it."""
    rng = np.random.default_rng(3)
    found = uniformity([(2 * rng.normal(size=20_000), rng.normal(size=(DRAWS, 20_000)))], rng)
    assert found.distance == pytest.approx(0.325, abs=0.02)
    assert found.p_value == pytest.approx(1 / (DRAWS + 1))


@pytest.mark.parametrize(("distance", "p_value", "status"), [
    (SIZE + 0.01, 1 / 201, "fail"),
    (SIZE - 0.01, 1 / 201, "warn"),  # 100,000 games show what matters to nobody
    (SIZE + 0.01, 0.02, "warn"), (SIZE + 0.01, 0.2, "pass"), (SIZE - 0.01, 0.9, "pass"),
])  # fmt: skip
def test_it_fails_only_beyond_chance_and_beyond_what_matters(distance, p_value, status):
    assert pit_check(Uniformity(distance, p_value, 100_000)).status == status


@pytest.fixture(scope="module")
def frozen(league_maker, stanza):
    """A posterior of a simulated league's first games and which games it has not seen."""
    made = league_maker(teams=12, rounds=6)
    design = build_design(stanza, made.games)
    held_out = np.arange(design.games) >= 0.7 * design.games
    drawn = laplace.fit_fixed_scales(design, {"attack": 0.3, "defence": 0.3}, ~held_out).draws(
        np.random.default_rng(1), 400
    )
    return design, Posterior(drawn.level, drawn.fixed, drawn.blocks, {}), held_out


def test_forecasts_of_a_healthy_fit_pass(frozen):
    design, posterior, held_out = frozen
    found = held_out_uniformity(design, posterior, held_out, np.random.default_rng(1))
    assert found.rows == 2 * held_out.sum()
    assert pit_check(found).status == "pass"
    assert found == held_out_uniformity(design, posterior, held_out, np.random.default_rng(1))


def test_forecasts_that_are_too_sure_or_to_one_side_fail(frozen):
    design, posterior, held_out = frozen
    sure = replace(posterior, blocks={name: draws + 3 * draws.mean(axis=0) for name, draws in posterior.blocks.items()})
    high = replace(posterior, level=posterior.level + 0.4)
    for wrong in (sure, high):
        check = pit_check(held_out_uniformity(design, wrong, held_out, np.random.default_rng(1)))
        assert check.status == "fail" and "by more than matters" in check.message
