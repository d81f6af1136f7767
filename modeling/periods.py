"""Periods: when a rating's walk takes its steps, as years on a line."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from modeling.outcomes.outcome import Array

STEPS_A_YEAR = {"quarter": 4, "month": 12}
DAYS_A_YEAR = 365.25


def period_years(period: str, played_on: pl.Series, season: pl.Series, as_of: date) -> tuple[Array, float]:
    """Start of each game's period and of the as-of date's, in years; the same number is the same period.

    Seasons are as `season_years` has them; the as-of date is in the last one.
    """
    if period == "static":
        return np.zeros(len(played_on)), 0.0
    if period == "season":
        known = season_years(played_on, season)
        years = season.replace_strict(known, return_dtype=pl.Float64).to_numpy()
        return years, max(known.values(), default=0.0)
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


def season_years(played_on: pl.Series, season: pl.Series) -> dict[str, float]:
    """Each season's place on a line of years, by the first day it was played on, whatever its label.

    Neighbours are a year apart, or as many years as lie between their first days where that is more.
    """
    first = pl.DataFrame({"season": season, "day": played_on}).group_by("season").agg(pl.col("day").min())
    first = first.sort("day", "season")
    apart = (first["day"].diff().dt.total_days() / DAYS_A_YEAR).round().clip(lower_bound=1).fill_null(0)
    return dict(zip(first["season"], apart.cum_sum(), strict=True))


def label_of(period: str, played_on: date, season: str) -> str:
    """What people call the period of a game."""
    if period == "season":
        return season
    if period == "quarter":
        return f"{played_on.year} Q{(played_on.month + 2) // 3}"
    if period == "month":
        return f"{played_on:%Y-%m}"
    return (played_on - timedelta(days=(played_on.toordinal() - 719163) % 7)).isoformat()
