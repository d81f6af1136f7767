"""Ranks of results among their forecasts: uniform where the forecast is right, and exactly as often as said."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modeling.build import build_design
from modeling.checks.calibration import held_out as held_out_checks
from modeling.engines import laplace
from modeling.pit import Uniformity, alike, pit_check, rank_counts, uniformity
from modeling.posterior import Posterior
from store.thresholds import USUAL

DRAWS = 200
SIZE = USUAL.pit


def counts(rng: np.random.Generator, rows: int, spread: float, draws: int = DRAWS) -> np.ndarray:
    """Poisson results of leagues whose level is not known exactly, nor the strength of anybody in them."""
    level = rng.normal(0, spread, (draws, 1))
    return rng.poisson(np.exp(0.3 + level), (draws, rows)).astype(float)


def test_a_league_from_its_own_forecasts_is_rejected_no_more_often_than_said():
    """Its results share an unknown level, so a test for independent ranks would reject most; seeds fixed."""
    p_values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        p_values.append(uniformity(rank_counts(counts(rng, 60, 0.3, 41))).p_value)
    assert 0.4 < np.mean(p_values) < 0.62
    assert np.mean(np.array(p_values) <= 0.1) < 0.17


def test_in_parts_or_whole_it_counts_the_same_rows():
    rng = np.random.default_rng(1)
    leagues = rng.normal(size=(DRAWS + 1, 900))
    whole = rank_counts(leagues)
    np.testing.assert_allclose(whole, sum(rank_counts(leagues[:, a : a + 300]) for a in (0, 300, 600)), atol=1e-9)
    assert uniformity(whole).rows == 900


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hnp.arrays(float, st.tuples(st.integers(2, 7), st.integers(1, 5)), elements=st.sampled_from([0.0, 1.0, 2.0])))
def test_equals_share_the_ranks_that_they_take_together(members):
    """By hand: of each column, a member has a part of every rank from those below it to those not above it."""
    expected = np.zeros((len(members), len(members)))
    for column in members.T:
        for own, value in enumerate(column):
            first, many = int((column < value).sum()), int((column == value).sum())
            expected[own, first : first + many] += 1 / many
    np.testing.assert_allclose(rank_counts(members), expected, atol=1e-9)


def test_the_distance_is_that_of_the_shares():
    """Results twice as wide as forecast: |Phi(z/2) - Phi(z)| is 0.163 at most, below the middle and above it."""
    rng = np.random.default_rng(3)
    members = np.vstack([2 * rng.normal(size=20_000), rng.normal(size=(DRAWS, 20_000))])
    found = uniformity(rank_counts(members))
    assert found.distance == pytest.approx(0.325, abs=0.02)
    assert found.p_value == pytest.approx(1 / (DRAWS + 1))


@pytest.mark.parametrize(("distance", "p_value", "status"), [
    (SIZE + 0.01, 1 / 201, "fail"),
    (SIZE - 0.01, 1 / 201, "warn"),  # 100,000 games show what matters to nobody
    (SIZE + 0.01, 0.02, "warn"), (SIZE + 0.01, 0.2, "pass"), (SIZE - 0.01, 0.9, "pass"),
])  # fmt: skip
def test_it_fails_only_beyond_chance_and_beyond_what_matters(distance, p_value, status):
    assert pit_check(Uniformity(distance, p_value, 100_000)).status == status


def test_of_the_chain_engine_less_is_allowed():
    assert pit_check(Uniformity(USUAL.pit_chain + 0.01, 1 / 201, 100_000), of_chain=True).status == "fail"


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
    found = held_out_checks(design, posterior, held_out, np.random.default_rng(1))
    assert found.pit["results"].unique().to_list() == [2 * held_out.sum()]
    assert found.check.status == "pass"
    again = held_out_checks(design, posterior, held_out, np.random.default_rng(1))
    assert again.check == found.check and again.pit.equals(found.pit)


def test_other_draws_of_the_same_forecasts_are_told_alike(frozen):
    """Where a fit started, its draws differ by chance; results in random order among equals would differ by 0.05."""
    design, posterior, held_out = frozen
    found = [held_out_checks(design, posterior, held_out, np.random.default_rng(seed)).check.value for seed in range(6)]
    assert np.ptp(np.array(found, dtype=float)) < 0.02


def test_of_a_handful_of_games_nothing_is_told(frozen):
    design, posterior, held_out = frozen
    few = held_out & (np.cumsum(held_out) <= 4)
    check = held_out_checks(design, posterior, few, np.random.default_rng(1)).check
    assert (check.status, check.value, check.bound) == ("warn", None, None)
    assert "Only 4 of the last games" in check.message


def test_a_histogram_of_a_healthy_fit_is_a_whole_and_within_its_band(frozen):
    design, posterior, held_out = frozen
    rows = held_out_checks(design, posterior, held_out, np.random.default_rng(1)).pit
    assert rows.height == 20 and rows["observed"].sum() == pytest.approx(1) == rows["expected"].sum()
    assert ((rows["low"] <= rows["observed"]) & (rows["observed"] <= rows["high"])).all()


def test_forecasts_that_are_too_sure_or_to_one_side_fail(frozen):
    design, posterior, held_out = frozen
    sure = replace(posterior, blocks={name: draws + 3 * draws.mean(axis=0) for name, draws in posterior.blocks.items()})
    high = replace(posterior, level=posterior.level + 0.4)
    for wrong in (sure, high):
        found = held_out_checks(design, wrong, held_out, np.random.default_rng(1))
        assert found.check.status == "fail" and "by more than matters" in found.check.message
        assert ((found.pit["observed"] < found.pit["low"]) | (found.pit["observed"] > found.pit["high"])).any()


def test_whole_results_are_told_no_finer_than_they_are(frozen):
    """Binomial points under a Normal forecast of the same mean and variance: between whole numbers there are none."""
    rng, design = np.random.default_rng(4), frozen[0]
    made, seen = rng.normal(3, 1.5**0.5, (DRAWS, 4000)), rng.binomial(6, 0.5, 4000).astype(float)
    raw, told = (uniformity(rank_counts(np.vstack([seen, y]))) for y in (made, alike(design, made)))
    assert raw.distance > USUAL.pit > 2 * told.distance
    assert np.array_equal(alike(replace(design, y=design.y + 0.5), made), made)
