"""Glicko-2: ratings with deviations and volatilities, moved once a month by all of its games.

Chances follow from a side's rating less the other's, drawn together by the deviations of both, and from home, by an
ordered logit learned on the past. Glickman (2013), "Example of the Glicko-2 system"; steps are numbered as there.
"""

# ruff: noqa: ANN001, ANN202 -- compiled functions: numba infers the types from the arrays

from dataclasses import dataclass

import numpy as np
from numba import njit

from modeling.baselines.contests import Baseline, Contests, Forecasts
from modeling.baselines.ordered import Ordered, fitted, losses
from modeling.outcomes.outcome import Array

FEWEST = 50
JUDGED_DAYS = np.timedelta64(5 * 365, "D")
SCALE = 173.7178  # points of a rating in a unit
ENTRY_DEVIATION = 350 / SCALE
TAU = 0.5
TOLERANCE = 1e-6
VOLATILITIES = (0.03, 0.06, 0.1, 0.15)  # of a newcomer, of which the past chooses one
DAYS = 30  # of a rating period


@dataclass(frozen=True)
class Settings:
    """What was chosen."""

    volatility: float
    ordered: Ordered


@njit(cache=True)
def _damping(deviation):
    """g of step 3."""
    return 1 / np.sqrt(1 + 3 * deviation**2 / np.pi**2)


@njit(cache=True)
def _new_volatility(delta, deviation, variance, volatility):
    """Step 5, by the Illinois algorithm."""
    a = np.log(volatility**2)

    def f(x):
        e = np.exp(x)
        return (
            e * (delta**2 - deviation**2 - variance - e) / (2 * (deviation**2 + variance + e) ** 2) - (x - a) / TAU**2
        )

    low = a
    if delta**2 > deviation**2 + variance:
        high = np.log(delta**2 - deviation**2 - variance)
    else:
        k = 1
        while f(a - k * TAU) < 0:
            k += 1
        high = a - k * TAU
    f_low, f_high = f(low), f(high)
    while abs(high - low) > TOLERANCE:
        middle = low + (low - high) * f_low / (f_high - f_low)
        f_middle = f(middle)
        if f_middle * f_high <= 0:
            low, f_low = high, f_high
        else:
            f_low /= 2
        high, f_high = middle, f_middle
    return np.exp(low / 2)


@njit(cache=True)
def _walk(period, first, second, score, entry_volatility, mean, deviation, volatility, seen):
    """Damped difference of ratings before each game; moves mean, deviation, volatility and `seen`, the period that
    each was last moved in, on. Periods without games widen the deviation (step 6)."""
    games = len(period)
    apart = np.zeros(games)
    information, pull = np.zeros(len(mean)), np.zeros(len(mean))
    begin = 0
    while begin < games:
        end = begin
        while end < games and period[end] == period[begin]:
            end += 1
        for game in range(begin, end):
            for who in (first[game], second[game]):
                if who >= 0 and seen[who] < 0:
                    mean[who], deviation[who], volatility[who] = 0.0, ENTRY_DEVIATION, entry_volatility
                    seen[who] = period[game]
                elif who >= 0 and seen[who] < period[game]:
                    idle = period[game] - seen[who] - 1
                    wide = np.sqrt(deviation[who] ** 2 + idle * volatility[who] ** 2)
                    deviation[who], seen[who] = min(wide, ENTRY_DEVIATION), period[game]
        for game in range(begin, end):
            a, b = first[game], second[game]
            if a < 0 or b < 0:
                continue
            apart[game] = _damping(np.sqrt(deviation[a] ** 2 + deviation[b] ** 2)) * (mean[a] - mean[b])
            for own, other, s in ((a, b, score[game]), (b, a, 1 - score[game])):
                g = _damping(deviation[other])
                e = 1 / (1 + np.exp(-g * (mean[own] - mean[other])))
                information[own] += g * g * e * (1 - e)
                pull[own] += g * (s - e)
        for game in range(begin, end):
            for who in (first[game], second[game]):
                if who >= 0 and information[who] > 0:
                    variance = 1 / information[who]
                    volatility[who] = _new_volatility(variance * pull[who], deviation[who], variance, volatility[who])
                    wide = deviation[who] ** 2 + volatility[who] ** 2
                    deviation[who] = 1 / np.sqrt(1 / wide + information[who])
                    mean[who] += deviation[who] ** 2 * pull[who]
                    information[who] = pull[who] = 0.0
        begin = end
    return apart


def ratings(past: Contests, volatility: float) -> tuple[Array, Array, Array, Array, Array]:
    """(damped difference before each game; of each competitor mean, deviation, volatility and last period)."""
    mean, deviation = np.zeros(past.competitors), np.full(past.competitors, ENTRY_DEVIATION)
    own, seen = np.full(past.competitors, volatility), np.full(past.competitors, -1)
    period = past.day.astype(np.int64) // DAYS
    apart = _walk(period, past.first, past.second, 1 - past.result / 2, volatility, mean, deviation, own, seen)
    return apart, mean, deviation, own, seen


def _tune(past: Contests, _before: Settings | None) -> Settings | None:
    if past.games < FEWEST:
        return None
    judged = past.day >= max(past.day[-1] - JUDGED_DAYS, past.day[past.games // 5])
    tried = []
    for volatility in VOLATILITIES:
        features = np.column_stack([ratings(past, volatility)[0], past.home.astype(float)])[judged]
        ordered = fitted(features, past.result[judged], past.has_draws)
        tried.append((losses(ordered.chances(features), past.result[judged]).mean(), Settings(volatility, ordered)))
    return min(tried, key=lambda one: one[0])[1]


def _forecast(settings: Settings, past: Contests, to_come: Contests) -> Forecasts:
    _, mean, deviation, volatility, seen = ratings(past, settings.volatility)
    idle = np.maximum(to_come.day.astype(np.int64)[to_come.game] // DAYS - seen[to_come.who] - 1, 0)
    wide = np.sqrt(deviation[to_come.who] ** 2 + idle * volatility[to_come.who] ** 2)
    is_known = (to_come.who >= 0) & (seen[to_come.who] >= 0)
    wide = np.where(is_known, np.minimum(wide, ENTRY_DEVIATION), ENTRY_DEVIATION)
    rating = np.where(is_known, mean[to_come.who], 0.0)
    both = np.sqrt(wide[0::2] ** 2 + wide[1::2] ** 2)
    apart = (rating[0::2] - rating[1::2]) / np.sqrt(1 + 3 * both**2 / np.pi**2)
    return Forecasts(settings.ordered.chances(np.column_stack([apart, to_come.home.astype(float)])))


def _say(settings: Settings) -> str:
    return f"newcomers' volatility {settings.volatility:g}, a rating period of {DAYS} days"


BASELINES = (Baseline("glicko2", "Glicko-2", False, _tune, _forecast, _say),)
