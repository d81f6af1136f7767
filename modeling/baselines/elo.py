"""Elo's ratings, tuned on the past by log loss: step, home advantage, margin, draws, seasons, newcomers.

After a game each side moves by k m^a (s - e): s is 1, 1/2 or 0, e its expected value, m the margin (1 where there are
no scores). Ratings are in logits; between seasons each goes part of the way back to zero, where everybody is on
average. Elo (1978), The Rating of Chessplayers; margins as in FiveThirtyEight's and Hvattum and Arntzen (2010), "Using
ELO ratings for match result prediction in association football", International Journal of Forecasting 26.
"""

# ruff: noqa: ANN001, ANN202 -- compiled functions: numba infers the types from the arrays

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.optimize import minimize

from modeling.baselines.contests import Baseline, Contests, Forecasts
from modeling.baselines.ordered import chances, losses
from modeling.outcomes.outcome import Array

JUDGED_DAYS = np.timedelta64(5 * 365, "D")  # the last of the past, by which settings are judged
FEWEST = 50
START = np.array([np.log(0.1), 0.2, 0.3, np.log(0.3), -2.0, 0.0])
SMALL = np.array([0.5, 0.2, 0.3, 0.3, 1.0, 0.2])
CAREFUL = {"xatol": 5e-3, "fatol": 1e-5, "maxfev": 400}


@dataclass(frozen=True)
class Settings:
    """What was tuned, all in logits."""

    step: float
    home: float
    power: float
    """Of the margin."""
    draw: float
    back: float
    """Part of the way to zero that a rating goes between seasons."""
    entry: float
    """Rating of who comes after the first season."""


@njit(cache=True)
def _walk(day, season, first, second, home, score, size, step, at_home, draw, back, entry, rating, last):
    """Difference of ratings before each game; moves `rating`, and `last`, the season each was last seen in, on."""
    games = len(day)
    before, change = np.zeros(games), np.zeros(games)
    begin = 0
    while begin < games:
        end = begin
        while end < games and day[end] == day[begin]:
            end += 1
        for game in range(begin, end):
            for who in (first[game], second[game]):
                if who >= 0:
                    if last[who] < 0:
                        rating[who] = entry if season[game] > season[0] else 0.0
                    elif season[game] > last[who]:
                        rating[who] *= (1 - back) ** (season[game] - last[who])
                    last[who] = max(last[who], season[game])
            own = rating[first[game]] if first[game] >= 0 else 0.0
            other = rating[second[game]] if second[game] >= 0 else 0.0
            before[game] = own - other
            x = before[game] + at_home * home[game]
            win, loss = 1 / (1 + np.exp(draw - x)), 1 / (1 + np.exp(draw + x))
            change[game] = step * size[game] * (score[game] - (1 + win - loss) / 2)
        for game in range(begin, end):
            if first[game] >= 0:
                rating[first[game]] += change[game]
            if second[game] >= 0:
                rating[second[game]] -= change[game]
        begin = end
    return before


def ratings(past: Contests, settings: Settings) -> tuple[Array, Array, Array]:
    """(difference of ratings before each game, every rating after the last one, the season each was last seen in)."""
    rating, last = np.zeros(past.competitors), np.full(past.competitors, -1)
    size = np.maximum(np.nan_to_num(np.abs(past.margin), nan=1.0), 1.0) ** settings.power
    before = _walk(
        past.day.astype(np.int64), past.season, past.first, past.second, past.home, 1 - past.result / 2, size,
        settings.step, settings.home, settings.draw, settings.back, settings.entry, rating, last,
    )  # fmt: skip
    return before, rating, last


def _settings(point: Array, has_draws: bool) -> Settings:
    step, home, power, draw, back, entry = point
    return Settings(
        float(np.exp(step)), home, max(power, 0.0), float(np.exp(draw)) if has_draws else 0.0,
        float(1 / (1 + np.exp(-back))), entry,
    )  # fmt: skip


def _point(settings: Settings) -> Array:
    back = min(max(settings.back, 1e-4), 1 - 1e-4)
    return np.array(
        [np.log(settings.step), settings.home, settings.power, np.log(max(settings.draw, 1e-3)),
         np.log(back / (1 - back)), settings.entry]
    )  # fmt: skip


def _tune(past: Contests, before: Settings | None) -> Settings | None:
    if past.games < FEWEST:
        return None
    judged = past.day >= max(past.day[-1] - JUDGED_DAYS, past.day[past.games // 5])

    def objective(point: Array) -> float:
        tried = _settings(point, past.has_draws)
        apart = ratings(past, tried)[0][judged] + tried.home * past.home[judged]
        return float(losses(chances(apart, tried.draw), past.result[judged]).mean())

    start = START if before is None else _point(before)
    simplex = np.vstack([start, start + np.diag(SMALL if before is None else SMALL / 4)])
    best = minimize(objective, start, method="Nelder-Mead", options=CAREFUL | {"initial_simplex": simplex})
    return _settings(best.x, past.has_draws)


def _forecast(settings: Settings, past: Contests, to_come: Contests) -> Forecasts:
    _, rating, last = ratings(past, settings)
    seen = last[to_come.who] >= 0
    seasons = np.maximum(to_come.season[to_come.game] - last[to_come.who], 0)
    now: Array = np.where(seen, rating[to_come.who] * (1 - settings.back) ** seasons, settings.entry)
    now[to_come.who < 0] = 0.0
    apart = now[0::2] - now[1::2] + settings.home * to_come.home
    return Forecasts(chances(apart, settings.draw))


def _say(settings: Settings) -> str:
    return (
        f"step {settings.step:.3f}, home {settings.home:.2f}, margin to the power {settings.power:.2f}, "
        f"draws within {settings.draw:.2f}, back by {settings.back:.0%} a season, newcomers at {settings.entry:.2f}"
    )


BASELINES = (Baseline("elo", "Elo", False, _tune, _forecast, _say),)
