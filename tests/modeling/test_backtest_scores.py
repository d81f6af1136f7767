"""Scores of forecasts against their definitions, and intervals and words that say no more than is known."""

import numpy as np
import polars as pl
import pytest

from modeling.backtest import sentence
from modeling.backtest_scores import paired, recalibration, scored, summaries
from modeling.baselines.contests import DRAW, LOSS, WIN, Contests, Forecasts

SEED = 3


def contests(result: list[int], *, has_draws: bool = True, home: list[int] | None = None, margin=None) -> Contests:
    count = len(result)
    return Contests(
        np.array([f"g{n}" for n in range(count)], dtype=object), np.arange(count).astype("datetime64[D]"),
        np.zeros(count, int), np.repeat(np.arange(count), 2), np.tile([0, 1], count), np.array(home or [1] * count),
        np.array(result), np.array(margin or [np.nan] * count, float), np.full(2 * count, np.nan), 2, has_draws, {},
    )  # fmt: skip


def test_losses_of_three_results_are_as_defined():
    said = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    found = scored(Forecasts(said), contests([WIN, DRAW, LOSS]), SEED)
    assert np.allclose(found["log_loss"], -np.log([0.5, 0.3, 0.2]))
    assert np.allclose(found["brier"], [0.25 + 0.09 + 0.04, 0.25 + 0.49 + 0.04, 0.25 + 0.09 + 0.64])
    assert np.allclose(found["rps"], [(0.25 + 0.04) / 2, (0.25 + 0.04) / 2, (0.25 + 0.64) / 2])
    assert np.allclose(found["entropy"], -(said[0] * np.log(said[0])).sum())


def test_without_draws_a_tie_is_half_a_win_and_half_a_loss():
    said = np.array([[0.8, 0.0, 0.2]] * 2)
    found = scored(Forecasts(said), contests([WIN, DRAW], has_draws=False), SEED)
    assert np.allclose(found["log_loss"], [-np.log(0.8), -(np.log(0.8) + np.log(0.2)) / 2])
    assert np.allclose(found["brier"], [0.04, 0.09])
    assert found["rps"].null_count() == 2


def test_a_game_nobody_forecast_is_no_row():
    said = np.array([[0.8, 0.0, 0.2], [np.nan] * 3])
    assert scored(Forecasts(said), contests([WIN, LOSS], has_draws=False), SEED)["game_id"].to_list() == ["g0"]


def test_the_event_of_the_calibration_is_a_win_at_home():
    said = np.array([[0.5, 0.3, 0.2]] * 3)
    found = scored(Forecasts(said), contests([LOSS, LOSS, WIN], home=[1, -1, 0]), SEED)
    assert found["event_chance"].to_list() == [[0.5], [0.2], [0.5]]
    assert found["event"].to_list() == [[0.0], [1.0], [1.0]]


def test_ranks_of_margins_are_uniform_where_forecasts_are_right_even_where_ties_are_many():
    rng = np.random.default_rng(5)
    rate = rng.gamma(4, 0.4, 4000)
    drawn, true = rng.poisson(rate, (300, 4000)) - 1.0, rng.poisson(rate) - 1.0
    games = contests([WIN] * 4000, margin=list(true))
    said = Forecasts(np.tile([0.5, 0.2, 0.3], (4000, 1)), drawn.mean(axis=0), drawn)
    found = scored(said, games, SEED).with_columns(forecaster=pl.lit("model"), week=pl.lit(0).cast(pl.Int64),
                                                   season=pl.lit("s"), competition=pl.lit(None, pl.String))  # fmt: skip
    whole = summaries(found, "model", SEED).row(0, named=True)
    assert whole["coverage_50"] == pytest.approx(0.5, abs=0.03)
    assert whole["coverage_90"] == pytest.approx(0.9, abs=0.02)
    assert whole["margin_error"] == pytest.approx(np.abs(drawn.mean(axis=0) - true).mean())
    assert whole["difference_low"] is None  # all of one week


def test_a_race_is_judged_by_the_chance_of_its_winner():
    games = Contests(
        np.array(["a", "b"], dtype=object), np.arange(2).astype("datetime64[D]"), np.zeros(2, int),
        np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 0, 1]), np.zeros(2, int), np.array([2, 0]),
        np.full(2, np.nan), np.full(5, np.nan), 3, False, {},
    )  # fmt: skip
    found = scored(Forecasts(np.array([0.2, 0.3, 0.5, 0.9, 0.1])), games, SEED)
    assert np.allclose(found["log_loss"], -np.log([0.5, 0.9]))
    assert np.allclose(found["brier"], [0.04 + 0.09 + 0.25, 0.02])
    assert found["event"].to_list() == [[0.0, 0.0, 1.0], [1.0, 0.0]]
    assert found["win"].null_count() == 2


def test_weeks_are_drawn_together_so_that_a_shared_swing_makes_the_interval_wide():
    rng = np.random.default_rng(1)
    swing = np.repeat(rng.normal(0, 1, 60), 20)
    together, apart = paired(swing, np.repeat(np.arange(60), 20), SEED), paired(swing, np.arange(1200), SEED)
    assert together.mean == apart.mean == pytest.approx(swing.mean())
    assert together.high - together.low == pytest.approx(2 * 1.96 * swing[::20].std() / np.sqrt(60), rel=0.1)
    assert together.high - together.low > 3 * (apart.high - apart.low)
    assert paired(swing, np.repeat(np.arange(60), 20), SEED) == together


def test_the_interval_covers_as_often_as_it_says():
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        difference = 0.1 + np.repeat(rng.normal(0, 0.3, 50), 8) + rng.normal(0, 1, 400)
        found = paired(difference, np.repeat(np.arange(50), 8), seed)
        covered += found.low <= 0.1 <= found.high
    assert 0.85 <= covered / 60 <= 0.99


def test_recalibration_finds_how_far_chances_are_from_right():
    rng = np.random.default_rng(2)
    x = rng.normal(0, 1, 40_000)
    came = (rng.random(len(x)) < 1 / (1 + np.exp(-(0.3 + 0.7 * x)))).astype(float)
    intercept, slope = recalibration(1 / (1 + np.exp(-x)), came)
    assert intercept == pytest.approx(0.3, abs=0.05)
    assert slope == pytest.approx(0.7, abs=0.05)
    assert np.isnan(recalibration(np.full(100, 0.4), came[:100])).all()


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.007, 0.018, "Beats Elo by 0.012 [0.007, 0.018] a game on 1,520 games."),
        (-0.003, 0.027, "Level with Elo within noise: +0.012 [-0.003, +0.027] a game on 1,520 games."),
        (None, None, "Too few weeks of play to set our model against Elo: +0.012 a game on 1,520 games."),
    ],
)
def test_a_comparison_in_words(low, high, words):
    row = {"forecaster": "elo", "title": "Elo", "games": 1520, "difference": 0.012, "log_loss": 0.97}
    assert sentence(row | {"difference_low": low, "difference_high": high}) == words
    lost = row | {"difference": -0.012, "difference_low": -0.018, "difference_high": -0.007}
    assert sentence(lost) == "Behind Elo by 0.012 [0.007, 0.018] a game on 1,520 games."


def test_slices_have_thirty_games_or_more_and_differences_are_from_the_same_games():
    count = 70
    rng = np.random.default_rng(4)
    frame = pl.DataFrame(
        {
            "game_id": [f"g{n}" for n in range(count)], "week": np.arange(count) // 7,
            "season": ["a"] * 40 + ["b"] * 30, "competition": ["x"] * 45 + ["y"] * 25,
        }
    )  # fmt: skip
    games = contests(list(rng.integers(0, 3, count)))
    ours = scored(Forecasts(np.tile([0.4, 0.3, 0.3], (count, 1))), games, SEED).with_columns(forecaster=pl.lit("model"))
    theirs = scored(Forecasts(np.tile([0.5, 0.2, 0.3], (count, 1))), games, SEED).head(60)
    both = pl.concat([ours, theirs.with_columns(forecaster=pl.lit("other"))]).join(frame, on="game_id")
    found = summaries(both, "model", SEED)
    sliced = found.filter(pl.col("forecaster") == "model")
    assert set(sliced.select("slice_kind", "slice").rows()) == {
        ("all", "all"), ("season", "a"), ("season", "b"), ("competition", "x"),
    }  # fmt: skip
    other = found.filter(pl.col("forecaster") == "other", pl.col("slice_kind") == "all").row(0, named=True)
    assert other["games"] == 60
    assert other["model_log_loss"] == pytest.approx(ours["log_loss"].head(60).mean())
    assert other["difference"] == pytest.approx(other["log_loss"] - other["model_log_loss"])
