"""How good forecasts were: losses of each game, what they add up to, and how far apart two forecasters are.

In: what was said of games and what came of them. Out: a row a game and forecaster; a row a forecaster and slice.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from modeling.baselines.contests import Contests, Forecasts
from modeling.baselines.ordered import losses
from modeling.outcomes.outcome import Array

RESAMPLES = 2000
INTERVAL = (2.5, 97.5)
FEWEST_BLOCKS = 5  # weeks of play below which there is no interval: it would be of chance alone
FEWEST_GAMES = 30  # of a slice
LEVELS = (5, 25, 75, 95)
LEAST = 1e-6  # chances are held this far from nought and one in the calibration
ALIKE = 0.05  # sd of the logits of chances that are too alike for a slope

GAME_SCHEMA = {
    "game_id": pl.String, "win": pl.Float64, "draw": pl.Float64, "loss": pl.Float64, "expected_margin": pl.Float64,
    "margin_q5": pl.Float64, "margin_q25": pl.Float64, "margin_q75": pl.Float64, "margin_q95": pl.Float64,
    "margin_rank": pl.Float64, "margin_error": pl.Float64, "log_loss": pl.Float64, "brier": pl.Float64,
    "rps": pl.Float64, "entropy": pl.Float64, "event_chance": pl.List(pl.Float64), "event": pl.List(pl.Float64),
}  # fmt: skip


def scored(forecasts: Forecasts, games: Contests, seed: int) -> pl.DataFrame:
    """A row for each game that was forecast and has a result, with `GAME_SCHEMA`."""
    found = _race_rows(forecasts.chances, games) if forecasts.chances.ndim == 1 else _pair_rows(forecasts, games, seed)
    return pl.DataFrame(found, schema=GAME_SCHEMA).filter(pl.col("log_loss").is_not_nan())


def _pair_rows(forecasts: Forecasts, games: Contests, seed: int) -> dict[str, Any]:
    chances, result = forecasts.chances, games.result
    win, draw, loss = chances.T
    came = np.stack([result == k for k in range(3)], axis=1).astype(float)
    if not games.has_draws:
        came = np.where((result == 1)[:, None], [0.5, 0.0, 0.5], came)
    off = chances - came
    brier = (off**2).sum(axis=1) if games.has_draws else off[:, 0] ** 2
    rps = (off[:, 0] ** 2 + off[:, 2] ** 2) / 2 if games.has_draws else np.full(games.games, np.nan)
    at_home = np.where(games.home < 0, loss, win), np.where(games.home < 0, came[:, 2], came[:, 0])
    logs = np.log(np.maximum(chances, 1e-12))
    return {
        "game_id": games.game_id, "win": win, "draw": draw, "loss": loss,
        **_margin_rows(forecasts, games, seed),
        "log_loss": losses(chances, result), "brier": brier, "rps": _or_null(rps),
        "entropy": -(chances * logs).sum(axis=1),
        "event_chance": at_home[0][:, None].tolist(), "event": at_home[1][:, None].tolist(),
    }  # fmt: skip


def _margin_rows(forecasts: Forecasts, games: Contests, seed: int) -> dict[str, Any]:
    """What was said of the margin: its quantiles, and where among the drawn ones the true one lies, ties at random."""
    nothing: list[float | None] = [None] * games.games
    quantiles: list[Any] = [nothing] * len(LEVELS)
    expected, error, rank = nothing, nothing, nothing
    if forecasts.margin is not None:
        expected, error = _or_null(forecasts.margin), _or_null(np.abs(forecasts.margin - games.margin))
    if forecasts.margins is not None:
        quantiles = list(np.percentile(forecasts.margins, LEVELS, axis=0))
        below, same = (forecasts.margins < games.margin).mean(0), (forecasts.margins == games.margin).mean(0)
        rank = (below + np.random.default_rng(seed).random(games.games) * same).tolist()
    names = [f"margin_q{level}" for level in LEVELS]
    return {"expected_margin": expected, **dict(zip(names, quantiles, strict=True)), "margin_rank": rank,
            "margin_error": error}  # fmt: skip


def _race_rows(chances: Array, games: Contests) -> dict[str, Any]:
    nothing = [None] * games.games
    starts = np.searchsorted(games.game, np.arange(games.games + 1))
    fields = [chances[a:b] for a, b in pairwise(starts)]
    came = [np.eye(1, len(one), k)[0] for one, k in zip(fields, games.result, strict=True)]
    logs = [np.log(np.maximum(one, 1e-12)) for one in fields]
    empty = ("win", "draw", "loss", "expected_margin", *(f"margin_q{level}" for level in LEVELS), "margin_rank",
             "margin_error", "rps")  # fmt: skip
    return dict.fromkeys(empty, nothing) | {
        "game_id": games.game_id,
        "log_loss": [-float(log[k]) for log, k in zip(logs, games.result, strict=True)],
        "brier": [float(((one - won) ** 2).sum()) for one, won in zip(fields, came, strict=True)],
        "entropy": [-float(one @ log) for one, log in zip(fields, logs, strict=True)],
        "event_chance": [one.tolist() for one in fields],
        "event": [won.tolist() for won in came],
    }


def _or_null(values: Array) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


@dataclass(frozen=True)
class Difference:
    """Mean of a paired difference a game, with its interval; NaN where there are too few weeks for one."""

    mean: float
    low: float
    high: float
    games: int


def paired(difference: Array, block: NDArray[np.intp], seed: int) -> Difference:
    """Mean difference a game with its 95 % bootstrap interval, whole blocks (weeks of play) drawn together.

    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """
    blocks = np.unique(block, return_inverse=True)[1]
    sums, counts = np.bincount(blocks, difference), np.bincount(blocks)
    if len(counts) < FEWEST_BLOCKS:
        return Difference(float(difference.mean()), np.nan, np.nan, len(difference))
    drawn = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), RESAMPLES)
    low, high = np.percentile((drawn @ sums) / (drawn @ counts), INTERVAL)
    return Difference(float(difference.mean()), float(low), float(high), len(difference))


def recalibration(chance: Array, came: Array) -> tuple[float, float]:
    """(intercept, slope) of the logistic regression of events on the logits of their chances; 0 and 1 where right.

    Cox (1958), "Two further applications of a model for binary regression", Biometrika 45. NaN
    where all chances, or all events, are alike.
    """
    x = logit(np.clip(chance, LEAST, 1 - LEAST))
    if x.std() < ALIKE or came.min() == came.max():
        return np.nan, np.nan

    def objective(point: Array) -> tuple[float, Array]:
        eta = point[0] + point[1] * x
        off = expit(eta) - came
        value = float(np.mean(np.logaddexp(0, eta) - came * eta))
        return value, np.array([off.mean(), (off * x).mean()])

    best = minimize(objective, np.array([0.0, 1.0]), jac=True, method="BFGS")
    return float(best.x[0]), float(best.x[1])


def summary(games: pl.DataFrame, own: pl.DataFrame, seed: int) -> dict[str, float | int | None]:
    """What a forecaster's games add up to, beside our model's loss on the same games."""
    chance, came = (games[name].explode().to_numpy() for name in ("event_chance", "event"))
    intercept, slope = recalibration(chance, came)
    both = games.join(own.select("game_id", own_loss="log_loss"), on="game_id", maintain_order="left")
    apart = (both["log_loss"] - both["own_loss"]).to_numpy()
    difference = paired(apart, both["week"].to_numpy(), seed)
    rank = games["margin_rank"].drop_nulls()
    mean = {name: games[name].mean() for name in ("log_loss", "brier", "rps", "margin_error")}
    found = {
        "games": games.height, **mean,
        "calibration_intercept": intercept, "calibration_slope": slope,
        "coverage_50": _within(rank, 0.5), "coverage_90": _within(rank, 0.9),
        "sharpness": games["entropy"].mean(), "interval_width": (games["margin_q95"] - games["margin_q5"]).mean(),
        "model_log_loss": both["own_loss"].mean(), "difference": difference.mean,
        "difference_low": difference.low, "difference_high": difference.high,
    }  # fmt: skip
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in found.items()}  # pyright: ignore[reportReturnType]


def _within(rank: pl.Series, level: float) -> float | None:
    """Share of ranks in the central interval of a level."""
    return float(((rank - 0.5).abs() <= level / 2).mean()) if len(rank) else None  # pyright: ignore[reportArgumentType]


def summaries(scored_games: pl.DataFrame, model: str, seed: int) -> pl.DataFrame:
    """A row for each forecaster and slice: all games, each season and each competition of 30 games or more."""
    rows = []
    own = scored_games.filter(pl.col("forecaster") == model)
    for slice_kind in ("all", "season", "competition"):
        keyed = scored_games.with_columns(slice=pl.lit("all") if slice_kind == "all" else pl.col(slice_kind))
        for (forecaster, part), some in keyed.drop_nulls("slice").group_by("forecaster", "slice", maintain_order=True):
            if slice_kind == "all" or some.height >= FEWEST_GAMES:
                found = summary(some, own, seed)
                rows.append({"forecaster": forecaster, "slice_kind": slice_kind, "slice": part, **found})
    return pl.DataFrame(rows, infer_schema_length=None)
