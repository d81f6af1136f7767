"""Held-out results among their forecasts: the probability integral transform, and whether it is uniform.

A result's rank among results drawn from its forecast is uniform if the forecast is right; equals share their ranks
evenly (Czado, Gneiting and Held, 2009, "Predictive model assessment for count data", Biometrics 65, section 2.1): in
random order, how far few results are from uniform would be told by chance.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeling.design import Design
from modeling.judge import Check
from modeling.outcomes.outcome import Array, Auxiliaries
from modeling.posterior import HELD_AT_ONCE, Posterior
from store.thresholds import USUAL, Thresholds

REPLICATIONS = 1000
FEWEST = 200  # replications of the most results: the least p-value is one in 201, just below that of a hard check
REPLICATED_VALUES = 2e6
ROUNDING = 1e-9  # of sums of shares
SUBJECT = "games it had not seen"


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


def rank_counts(members: Array) -> Array:
    """How often each member (members, rows), the first being the results, has each rank among all, shape (members,
    members); one that equals others has a part of each of the ranks that they take together."""
    count = len(members)
    order = np.argsort(members, axis=0)
    ordered = np.take_along_axis(members, order, axis=0)
    is_first = np.vstack([np.ones_like(ordered[:1], dtype=bool), ordered[1:] != ordered[:-1]])
    is_last = np.vstack([is_first[1:], is_first[:1]])
    place = np.arange(count)[:, None]
    first = np.maximum.accumulate(np.where(is_first, place, 0), axis=0)
    last = np.minimum.accumulate(np.where(is_last, place, count)[::-1], axis=0)[::-1]
    share, own = (1 / (last - first + 1)).ravel(), order * (count + 1)
    begun, ended = (np.bincount((own + at).ravel(), share, count * (count + 1)) for at in (first, last + 1))
    return np.cumsum((begun - ended).reshape(count, count + 1), axis=1)[:, :-1]


def uniformity(counts: Array) -> Uniformity:
    """Whether results rank among replicated ones as each of those does among the others, from their counts of ranks.

    Results of a league are not independent: they share what is not known of its ratings. So each replicated league
    takes the place of the real one in turn, which makes the p-value exact at any size.
    """
    below = np.cumsum(counts, axis=1)
    members, rows = len(below), round(below[0, -1])
    off = below / rows - np.arange(1, members + 1) / members  # its last column is zero
    distance = off.max(axis=1) - off.min(axis=1)
    return Uniformity(float(distance[0]), float(np.mean(distance >= distance[0] - ROUNDING)), rows)


def members_of(rows: int) -> int:
    """How many leagues results of so many rows are compared with: fewer of more rows, whose ranks chance moves less."""
    return int(np.clip(REPLICATED_VALUES / max(rows, 1), FEWEST, REPLICATIONS))


def too_few_check(games: int) -> Check:
    """The check where so few games were held out that ranks say nothing."""
    words = (
        f"Only {games} of the last games could be held out: too few to tell forecasts that are too sure or too wide."
    )
    return Check("pit", SUBJECT, None, None, "warn", words)


def pit_check(found: Uniformity, thresholds: Thresholds = USUAL, *, of_chain: bool = False) -> Check:
    """The ranks as a check: it fails where they are off by more than chance explains and by more than matters."""
    is_real, bound = found.p_value < thresholds.p_fail, thresholds.pit_chain if of_chain else thresholds.pit
    said = (
        f"Of {found.rows:,} held-out results, the share within any interval of their forecasts is off by "
        f"{found.distance:.3f} at most; {_share(found.p_value)} of leagues made from the forecasts are as far off."
    )
    if is_real and found.distance > bound:
        status, said = "fail", f"{said} Forecasts are too sure, too wide or to one side, by more than matters."
    elif is_real:
        status, said = "warn", f"{said} A real difference, too small to reject the fit."
    else:
        status, chance = ("pass", "often") if found.p_value >= thresholds.p_warn else ("warn", "now and then")
        said += f" That is more than the bound, and comes by chance {chance}." if found.distance > bound else ""
    return Check("pit", SUBJECT, found.distance, bound, status, said)


def _share(p_value: float) -> str:
    return f"{100 * p_value:.{0 if p_value > 0.05 else 1}f} %"
