"""Held-out results among their forecasts: the probability integral transform, and whether it is uniform.

A result's rank among results drawn from its forecast is uniform if the forecast is right; equals are put in random
order (Czado, Gneiting and Held, 2009, "Predictive model assessment for count data", Biometrics 65).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeling.design import Design
from modeling.judge import Check
from modeling.outcomes.outcome import Array, Auxiliaries
from modeling.posterior import HELD_AT_ONCE, Posterior
from modeling.thresholds import USUAL, Thresholds

REPLICATIONS = 200  # the least p-value is one in 201: just below that of a hard check


@dataclass(frozen=True)
class Uniformity:
    """How far ranks of results among their forecasts are from uniform."""

    distance: float
    """Largest |share of results between two quantiles of their forecasts - what it should be| (Kuiper's distance): as
    large for forecasts that are too sure or too wide as for those to one side."""
    p_value: float
    """Share of leagues drawn from the forecasts that are as far from uniform, or farther."""
    rows: int


@dataclass(frozen=True)
class Forecast:
    """What some games to come were forecast to come to: rows of the Design, and of every draw the linear predictor, the
    likelihood's parameters and the results, eta and results of shape (draws, rows)."""

    rows: NDArray[np.intp]
    eta: Array
    arguments: Auxiliaries
    y: Array


def forecasts(
    design: Design, posterior: Posterior, chosen: NDArray[np.bool_], rng: np.random.Generator
) -> Iterator[Forecast]:
    """What every joint draw of a frozen fit forecasts of the chosen games, some games at a time."""
    rows = np.flatnonzero(chosen[design.game])
    pieces = max(1, int(len(rows) * posterior.draws / HELD_AT_ONCE))
    for games in np.array_split(np.unique(design.game[rows]), pieces):
        part = rows[np.isin(design.game[rows], games)]
        eta, arguments = posterior.seen(design, part)
        y = design.outcome.simulate(rng, eta, design.exposure[part], arguments, design.game[part])
        yield Forecast(part, eta, arguments, y)


def alike[T: np.floating](design: Design, y: NDArray[T]) -> NDArray[T]:
    """Replicated results as finely told as the league's: to whole numbers where all of those are.

    Points that a Normal likelihood stands for are counts; what matters is how often there are two, not how often 2.3.
    """
    return np.round(y) if design.is_whole else y


def rank_counts(members: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """How often each member (members, rows), the first being the results, has each rank among all; shape (members,
    members)."""
    return _counted(_ranks(members, rng))


def uniformity(counts: NDArray[np.intp]) -> Uniformity:
    """Whether results rank among replicated ones as each of those does among the others, from their counts of ranks.

    Results of a league are not independent: they share what is not known of its ratings. So each replicated league
    takes the place of the real one in turn, which makes the p-value exact at any size.
    """
    below = np.cumsum(counts, axis=1)
    members, rows = len(below), int(below[0, -1])
    off = below / rows - np.arange(1, members + 1) / members  # its last column is zero
    distance = off.max(axis=1) - off.min(axis=1)
    return Uniformity(float(distance[0]), float(np.mean(distance >= distance[0])), rows)


def _counted(ranks: NDArray[np.intp]) -> NDArray[np.intp]:
    """How often each member has each rank, shape (members, members)."""
    members = len(ranks)
    at = np.arange(members)[:, None] * members + ranks
    return np.bincount(at.ravel(), minlength=members**2).reshape(members, members)


def _ranks(members: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rank of each member in its column, from 0; of equals in random order."""
    order = np.lexsort((rng.random(members.shape), members), axis=0)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(members))[:, None], axis=0)
    return ranks


def pit_check(found: Uniformity, thresholds: Thresholds = USUAL, *, of_chain: bool = False) -> Check:
    """The ranks as a check: it fails where they are off by more than chance explains and by more than matters."""
    said = (
        f"Of {found.rows:,} held-out results, the share within any interval of their forecasts is as it should be to "
        f"{found.distance:.3f} (p = {found.p_value:.3f})."
    )
    is_real, bound = found.p_value < thresholds.p_fail, thresholds.pit_chain if of_chain else thresholds.pit
    if is_real and found.distance > bound:
        status, said = "fail", f"{said} Forecasts are too sure, too wide or to one side, by more than matters."
    elif is_real:
        status, said = "warn", f"{said} A real difference, too small to reject the fit."
    else:
        status = "pass" if found.p_value >= thresholds.p_warn else "warn"
    return Check("pit", "games it had not seen", found.distance, bound, status, said)
