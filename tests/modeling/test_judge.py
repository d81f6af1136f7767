"""The judge rejects for the right reason, and lets healthy fits pass."""

from dataclasses import replace

import numpy as np

from modeling import judge
from modeling.build import build_design
from modeling.design import Design
from modeling.engines import laplace
from modeling.outcomes import outcome_of
from modeling.outcomes.outcome import Results
from modeling.posterior import Posterior
from modeling.tree import replications


def predictive_checks(design: Design, posterior: Posterior) -> list[judge.Predictive]:
    return judge.predictive_checks(design, replications(design, posterior, np.random.default_rng(3)))


def test_results_of_the_model_itself_pass_the_predictive_checks(fitted):
    design, posterior, _ = fitted
    found = predictive_checks(design, posterior)
    assert {check.statistic for check in found} >= {"home_wins", "draws", "variance"}
    assert all(check.status != "fail" for check in found)
    assert sum(check.is_hard for check in found) <= 3


def test_results_more_spread_than_poisson_fail_the_variance(fitted, league, stanza):
    import polars as pl

    wild = league.games.sides.with_columns(pl.col("score") * 3)
    design = build_design(stanza, type(league.games)("wild", league.games.as_of, wild))
    fit = laplace.fit_fixed_scales(design, {"attack": 0.3, "defence": 0.3}, np.ones(design.games, dtype=bool))
    found = predictive_checks(design, fit.draws(np.random.default_rng(1), 400))
    variance = next(check for check in found if check.statistic == "variance")
    assert variance.status == "fail"
    assert "misses it by more than matters" in variance.message


def test_a_real_but_small_difference_warns():
    statistic = next(s for s in outcome_of("score").statistics if s.name == "home_wins")
    observed = np.full(1000, 0.48)
    found = judge._judged(statistic, observed, np.random.default_rng(1).normal(0.46, 0.003, 1000))
    assert (found.status, found.p_value) == ("warn", 0.0)
    assert "too small to matter" in found.message


def test_home_wins_are_left_out_where_nobody_plays_at_home(league, stanza):
    import polars as pl

    neutral = league.games.sides.with_columns(pl.lit(False).alias("is_home"))
    design = build_design(stanza, type(league.games)("neutral", league.games.as_of, neutral))
    assert design.fixed == ()
    fit = laplace.complete_pooling(design, np.ones(design.games, dtype=bool))
    found = predictive_checks(design, fit.draws(np.random.default_rng(1), 50))
    assert "home_wins" not in {check.statistic for check in found}


def test_held_out_games_are_whole_last_days(fitted):
    design = fitted[0]
    held_out = judge.held_out_games(design)
    assert 0.05 < held_out.mean() < 0.15
    assert design.played_on[held_out].min() > design.played_on[~held_out].max()


def test_of_a_long_league_no_more_than_the_last_year_is_held_out(fitted):
    design = fitted[0]
    days = np.datetime64("1990-01-01") + np.linspace(0, 30 * 365, design.games).astype("timedelta64[D]")
    held_out = judge.held_out_games(replace(design, played_on=days))
    assert days[held_out].min() >= days[-1] - judge.HELD_OUT_DAYS
    assert 0.02 < held_out.mean() < 0.05


def test_no_future_result_changes_a_forecast(fitted, league, stanza):
    import polars as pl

    design = fitted[0]
    held_out = judge.held_out_games(design)
    late = np.repeat(held_out, 2)
    scores = league.games.sides["score"].to_numpy().copy()
    scores[late] = np.random.default_rng(5).permutation(scores[late])
    other = league.games.sides.with_columns(pl.Series("score", scores))
    changed = build_design(stanza, type(league.games)("x", league.games.as_of, other))
    for one in (laplace.no_pooling, laplace.complete_pooling):
        before, after = (
            forecast(d, one(d, ~held_out).draws(np.random.default_rng(6), 20), held_out) for d in (design, changed)
        )
        assert np.array_equal(before, after)


def forecast(design: Design, posterior: Posterior, chosen: np.ndarray) -> np.ndarray:
    """Mean chances of the chosen games."""
    eta = posterior.eta(design, np.flatnonzero(chosen[design.game]))
    return design.outcome.chances(eta[:, 0::2], eta[:, 1::2], posterior.likelihood_arguments(design)).mean(axis=0)


def test_the_baseline_gives_home_shares_and_is_fair_on_neutral_ground():
    rng = np.random.default_rng(1)
    score = rng.poisson([1.8, 1.0], (4000, 2)).astype(float)
    home = np.tile([1, -1], (4000, 1))
    home[::4] = 0
    rows = np.arange(8000)
    results = Results(score.ravel(), np.ones(8000), rows // 2, home.ravel(), rows % 2, (rows + 1) % 2)
    chosen = np.arange(4000) >= 3000
    loss = outcome_of("score").baseline(results, np.repeat(chosen, 2))
    assert loss.shape == (1000,)
    assert loss.mean() < np.log(3)
    neutral = (home[chosen, 0] == 0) & (score[chosen, 0] != score[chosen, 1])
    assert np.ptp(loss[neutral]) < 1e-12  # either side of neutral ground is as likely to win


def test_worse_than_the_baseline_beyond_noise_fails():
    rng = np.random.default_rng(1)
    partial = rng.normal(1.1, 0.3, 400)
    for gap, status in ((-0.2, "fail"), (0.0, "pass"), (0.2, "pass")):
        rows = judge.compare({"partial": partial, "baseline": partial + gap + rng.normal(0, 0.1, 400)})
        assert judge.held_out_check(rows).status == status
