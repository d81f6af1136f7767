"""Held-out forecasts against what came: ranks of results among their forecasts, and how often what was forecast came.

Both stand against leagues drawn from the same forecasts, which share what is not known of the ratings: bands are exact
however dependent games are (of reliability diagrams: Broecker and Smith, 2007, "Increasing the reliability of
reliability diagrams", Weather and Forecasting 22).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.checks.ranks import BEYOND, BINS, pit_rows
from modeling.design import Design
from modeling.judge import Check
from modeling.outcomes.outcome import Array
from modeling.pit import REPLICATIONS, Forecast, alike, forecasts, pit_check, rank_counts, uniformity
from modeling.posterior import Posterior

MOST_BINS = 10
FEWEST = 20  # forecasts of a bin
SCHEMA = {
    "event": pl.String, "bin": pl.Int32, "games": pl.Int32, "forecast": pl.Float64, "observed": pl.Float64,
    "low": pl.Float64, "high": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True)
class HeldOut:
    """What held-out games show of forecasts: the check, and rows of `pit` and `calibration`."""

    check: Check
    pit: pl.DataFrame
    calibration: pl.DataFrame


@dataclass(frozen=True)
class Event:
    """Something that games may come to: its chance in each forecast, shape (forecasts,), and whether it came, shape
    (members, forecasts); the first member is the results, the others are leagues drawn from the forecasts."""

    name: str
    chance: Array
    came: NDArray[np.bool_]


def held_out(
    design: Design, posterior: Posterior, chosen: NDArray[np.bool_], rng: np.random.Generator, *, of_chain: bool = False
) -> HeldOut:
    """How the chosen games' results lie among what at most 200 joint draws of a frozen fit of the others forecast."""
    is_race, members = design.outcome.points is None, posterior.evenly(REPLICATIONS)
    drawn = posterior if is_race else posterior.thinned(REPLICATIONS)  # chances of races are shares of draws
    counts: list[NDArray[np.intp]] = []
    parts: list[list[Event]] = []
    for part in forecasts(design, drawn, chosen, rng):
        results = np.vstack([design.y[part.rows], part.y[members] if is_race else alike(design, part.y)])
        counts.append(rank_counts(results, rng))
        parts.append(list(_events(design, part, results)))
    together = [
        Event(same[0].name, np.concatenate([e.chance for e in same]), np.concatenate([e.came for e in same], axis=1))
        for same in zip(*parts, strict=True)
    ]
    rows = [row for event in together for row in bins_of(event)]
    ranks = np.sum(counts, axis=0)
    check = pit_check(uniformity(ranks), design.thresholds, of_chain=of_chain)
    return HeldOut(check, rank_histogram(ranks), pl.DataFrame(rows, SCHEMA, orient="row"))


def rank_histogram(counts: NDArray[np.intp]) -> pl.DataFrame:
    """Rows of `pit` from counts of ranks (members, ranks): the results', with the band that 95 % of the other members
    keep to in every bin."""
    members, rows = len(counts), int(counts[0].sum())
    of_bin = np.arange(members) * BINS // members
    shares = np.stack([np.bincount(of_bin, one, BINS) for one in counts]) / rows
    expected, sd = np.bincount(of_bin, minlength=BINS) / members, shares[1:].std(axis=0)
    farthest = np.max(np.abs(shares[1:] - expected) / np.maximum(sd, 1e-12), axis=1)
    reach = float(np.quantile(farthest, 1 - BEYOND)) * sd
    return pit_rows("held_out", rows, shares[0], expected, np.maximum(expected - reach, 0), expected + reach)


def _events(design: Design, part: Forecast, results: Array) -> Iterator[Event]:
    """What the part's games may come to."""
    if design.outcome.points is None:
        yield Event("win", (part.y == 1).mean(axis=0), results == 1)
        return
    chances, points = _chances(design, part), design.outcome.points(results)
    is_turned = design.home[part.rows][:: _step(design)] < 0
    turned = np.where(is_turned[:, None], chances[:, ::-1], chances)
    own = np.where(is_turned, 1 - points, points)
    for number, (name, value) in enumerate((("win", 1.0), ("draw", 0.5), ("loss", 0.0))):
        if name == "win" or (turned[:, 1] > 0).any():
            yield Event(name, turned[:, number], own == value)


def _chances(design: Design, part: Forecast) -> Array:
    """Chances of win, draw and loss of each game's first side, means over draws, shape (games, 3)."""
    step = _step(design)
    second = part.eta[:, 1::2] if step == 2 else np.zeros_like(part.eta)
    exposure = design.exposure[part.rows]
    own = part.arguments | {"exposure": exposure[::step], "other_exposure": exposure[step - 1 :: step]}
    return design.outcome.chances(part.eta[:, ::step], second, own).mean(axis=0)


def _step(design: Design) -> int:
    return 2 if design.outcome.row == "side" else 1


def bins_of(event: Event) -> Iterator[tuple[str, int, int, float, float, float, float]]:
    """Rows of `calibration`: forecasts in bins of as many as can be, from the lowest chance."""
    count = int(np.clip(len(event.chance) // FEWEST, 1, MOST_BINS))
    order = np.argsort(event.chance, kind="stable")
    for number, some in enumerate(np.array_split(order, count), start=1):
        shares = event.came[:, some].mean(axis=1)
        low, high = np.percentile(shares[1:], [5, 95])
        yield event.name, number, len(some), float(event.chance[some].mean()), float(shares[0]), float(low), float(high)
