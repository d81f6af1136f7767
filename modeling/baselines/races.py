"""Races: who wins, by what is usual, by the share of starts won, and by last season's table."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from modeling.baselines.contests import Baseline, Contests, Forecasts, needs_nothing
from modeling.baselines.last_table import tables
from modeling.outcomes.outcome import Array

FEWEST = 10  # races of the past to learn from
AS_IF = 2.0  # starts that everybody is given with the usual share of wins
MOST = 30.0  # logits of a share of points


@dataclass(frozen=True)
class Slope:
    """Logits of a share of the points, learned on the past."""

    slope: float


def _sizes(games: Contests) -> Array:
    """Entrants of each side's race."""
    return np.bincount(games.game, minlength=games.games)[games.game].astype(float)


def _within(games: Contests, weight: Array) -> Array:
    """Weights as shares of their race."""
    return weight / np.bincount(games.game, weight, games.games)[games.game]


def _all_alike(_settings: bool, _past: Contests, to_come: Contests) -> Forecasts:
    return Forecasts(1 / _sizes(to_come))


def _starts(_settings: bool, past: Contests, to_come: Contests) -> Forecasts:
    first = np.searchsorted(past.game, np.arange(past.games))
    who = past.who[past.who >= 0]
    starts = np.bincount(who, minlength=past.competitors)
    winners = past.who[first + past.result]
    wins = np.bincount(winners[winners >= 0], minlength=past.competitors)
    usual = past.games / max(len(past.who), 1)
    rate = (wins + AS_IF * usual) / (starts + AS_IF)
    return Forecasts(_within(to_come, np.where(to_come.who < 0, usual, rate[to_come.who])))


def _standing(games: Contests, table: Array) -> Array:
    """Last season's share of points of each entrant; of who was not there the least of the race's, else a half."""
    before = np.vstack([np.full(table.shape[1], np.nan), table])[games.season[games.game], games.who]
    least = np.full(games.games, np.inf)
    np.fmin.at(least, games.game, before)
    fallback = np.where(np.isfinite(least), least, 0.5)[games.game]
    return np.where(np.isnan(before), fallback, before)


def _tune(past: Contests, _before: Slope | None) -> Slope | None:
    judged = past.season > past.season.min(initial=0)
    if judged.sum() < FEWEST:
        return None
    standing = _standing(past, tables(past, int(past.season.max()) + 1))
    winner = np.searchsorted(past.game, np.arange(past.games)) + past.result

    def loss(slope: float) -> float:
        return -float(np.log(_within(past, np.exp(slope * standing))[winner][judged]).mean())

    return Slope(float(minimize_scalar(loss, bounds=(0, MOST), method="bounded").x))  # pyright: ignore[reportAttributeAccessIssue]


def _forecast(settings: Slope, past: Contests, to_come: Contests) -> Forecasts:
    table = tables(past, int(max(past.season.max(), to_come.season.max())) + 1)
    return Forecasts(_within(to_come, np.exp(settings.slope * _standing(to_come, table))))


def _say(settings: Slope) -> str:
    return f"{settings.slope:.1f} logits for all the points rather than none"


BASELINES = (
    Baseline("base_rate", "what is usual: everybody alike", True, needs_nothing, _all_alike),
    Baseline("wins_of_starts", "share of starts won", True, needs_nothing, _starts),
    Baseline("last_table", "last season's table", True, _tune, _forecast, _say),
)
