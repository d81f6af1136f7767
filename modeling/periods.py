"""Periods: when a rating's walk takes its steps, as years on a line."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from modeling.outcomes.outcome import Array

STEPS_A_YEAR = {"quarter": 4, "month": 12}
DAYS_A_YEAR = 365.25


def period_years(period: str, played_on: pl.Series, season: pl.Series, as_of: date) -> tuple[Array, float]:
    """Start of each game's period and of the as-of date's, in years; the same number is the same period.

    Seasons are a year apart in the order of their labels; the as-of date is in the last one.
    """
    if period == "static":
        return np.zeros(len(played_on)), 0.0
    if period == "season":
        number = season.rank("dense").to_numpy().astype(float)
        return number, float(number.max(initial=0.0))
    last = as_of - timedelta(days=1)
    both = pl.concat([played_on, pl.Series([last], dtype=pl.Date)])
    if period == "week":
        weeks = both.to_physical().to_numpy() // 7
        years = weeks * 7 / DAYS_A_YEAR
    else:
        steps = STEPS_A_YEAR[period]
        months = both.dt.year().to_numpy() * 12 + both.dt.month().to_numpy() - 1
        years = (months // (12 // steps)) / steps
    return years[:-1], float(years[-1])


def label_of(period: str, played_on: date, season: str) -> str:
    """What people call the period of a game."""
    if period == "season":
        return season
    if period == "quarter":
        return f"{played_on.year} Q{(played_on.month + 2) // 3}"
    if period == "month":
        return f"{played_on:%Y-%m}"
    return (played_on - timedelta(days=(played_on.toordinal() - 719163) % 7)).isoformat()
