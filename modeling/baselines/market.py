"""What others said before the game: the betting market's closing odds, and peers' published forecasts.

Of odds the margin is removed proportionally: the inverse odds divided by their sum.
"""

import numpy as np
import polars as pl

from modeling.baselines.contests import Baseline, Contests, Forecasts
from modeling.outcomes.outcome import Array

# By what they are called: the attributes with the odds of home win, draw and away win, and the expected home margin.
DECIMAL = {
    "Pinnacle's closing odds": ("PSCH", "PSCD", "PSCA", None),
    "closing odds": ("home_close", "draw_close", "away_close", None),
}
AMERICAN = {"closing line": ("home_moneyline", None, "away_moneyline", "spread_line")}
CLOSING_ODDS = "closing_odds"
TITLES = {CLOSING_ODDS: "the market's closing odds"}
ATTRIBUTES = tuple(name for names in (*DECIMAL.values(), *AMERICAN.values()) for name in names if name)


def closing(details: pl.DataFrame) -> Array:
    """Chances of home win, draw and away win by the first closing odds that a game has, and the expected home margin;
    NaN where there are none. `details` has the attributes as text; shape (games, 4)."""
    found = np.full((details.height, 4), np.nan)
    for sets, price in ((DECIMAL, lambda odds: 1 / odds), (AMERICAN, _american)):
        for home, draw, away, spread in sets.values():
            if home not in details.columns:
                continue
            inverse = np.stack([price(_number(details, name)) for name in (home, draw, away)], axis=1)
            if draw is None:
                inverse[:, 1] = 0.0
            own = np.column_stack([inverse / inverse.sum(axis=1, keepdims=True), _number(details, spread)])
            found = np.where(np.isnan(found[:, :1]), own, found)
    return found


def _number(details: pl.DataFrame, name: str | None) -> Array:
    if name is None or name not in details.columns:
        return np.full(details.height, np.nan)
    return details[name].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def _american(odds: Array) -> Array:
    """Inverse decimal odds of American ones: -150 wins 100 on 150, +150 wins 150 on 100."""
    return np.where(odds < 0, -odds, 100) / (np.abs(odds) + 100)


def _of(name: str) -> Baseline:
    def tune(past: Contests, _before: None) -> bool | None:
        return True if name in past.published else None

    def forecast(_settings: bool, _past: Contests, to_come: Contests) -> Forecasts:
        said = to_come.published[name]
        return Forecasts(said[:, :3], said[:, 3] if np.isfinite(said[:, 3]).any() else None)

    return Baseline(name, TITLES.get(name, name), False, tune, forecast)


def published(names: list[str]) -> tuple[Baseline, ...]:
    """A forecaster for each of those whose words are known."""
    return tuple(_of(name) for name in names)
