"""Whether results and model fit together at all: effects told apart, an order that is contradicted, no season swapped.

A fit that fails here converged to an answer that means nothing: to its priors, or to the mean of two leagues.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, issparse
from scipy.sparse.csgraph import connected_components

from modeling.design import Design
from modeling.judge import Check
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior

ALONE_BELOW = 0.04  # share that would be left if nothing else moved with it
GAMES_EACH = 5.0  # games a competitor; by chance not one of so many results contradicts an order only if none can
WON_BY = {"win": (1, 0), "result": (0, 2)}  # what a row is where its first, and where its second side won
STRETCH = 50  # games
CUTS = 100  # a stretch begins and ends at
# Besides its threshold, a size that matters: sides that got better and worse in fifty years go against ratings that
# stand still for a little.
REVERSED = 0.1  # correlation, against


def consistency_checks(design: Design, posterior: Posterior) -> list[Check]:
    """Every check of this file that applies to the Design."""
    mean = average(posterior)
    return [*_identified(design, posterior, mean), *_contradicted(design), _agreeing(design, mean)]


def average(posterior: Posterior) -> Posterior:
    """A posterior of one draw, the mean of all."""
    groups = (posterior.fixed, posterior.blocks, posterior.scales, posterior.auxiliaries, posterior.currents)
    fixed, blocks, scales, auxiliaries, currents = (
        {name: draws.mean(axis=0, keepdims=True, dtype=float) for name, draws in group.items()} for group in groups
    )
    rows = posterior.rows and replace(posterior.rows, sd=np.zeros_like(posterior.rows.sd))
    return Posterior(np.array([posterior.level.mean()]), fixed, blocks, scales, auxiliaries, 1, currents, rows)


def _identified(design: Design, posterior: Posterior, mean: Posterior) -> Iterator[Check]:
    """Of each fixed effect, whether results tell it from everything that moves with it."""
    if not design.fixed:
        return
    limit = design.thresholds.identified
    eta, arguments = mean.seen(design)
    arguments = {name: one[0] if np.ndim(one) == 2 else one for name, one in arguments.items()}
    _, curvature, _ = design.outcome.derivatives(design.tallies, eta[0], arguments)
    weight = curvature.diagonal() if issparse(curvature) else curvature
    for one in design.fixed:
        alone = 1 / (1 + one.prior_sd**2 * float(weight @ one.values**2))
        left = float(posterior.fixed[one.name].var() / one.prior_sd**2)
        is_lost = left >= limit and alone < ALONE_BELOW
        of_it = f"{100 * left:.2g} % of its prior's variance is left"
        words = (
            f"Beside the other effects {of_it}, and by itself {100 * alone:.2g} % would be: they move together. Take "
            "one of them out."
            if is_lost
            else f"{of_it}: results tell it from the other effects."
            if left < limit
            else f"{of_it}: the results say little of it."
        )
        yield Check("identified", one.title, left, limit, "fail" if is_lost else "pass", words)


def _contradicted(design: Design) -> Iterator[Check]:
    """Of wins and losses alone: whether any result contradicts the order that the others give."""
    if design.outcome.name not in WON_BY:
        return
    results = design.results()
    competitors, (first, second) = len(design.kinds[0].competitors), WON_BY[design.outcome.name]
    won, lost = results.y == first, results.y == second
    beaten = np.where(won, results.opponent, results.entrant)
    winner = np.where(won, results.entrant, results.opponent)
    drawn = ~(won | lost)
    edges = np.concatenate([np.stack([winner, beaten]), np.stack([beaten, winner])[:, drawn]], axis=1)
    graph = csr_array((np.ones(edges.shape[1]), tuple(edges)), (competitors, competitors))
    _, label = connected_components(graph, directed=True, connection="strong")
    largest = int(np.bincount(label).max())
    is_one_way = largest == 1 and design.games >= GAMES_EACH * competitors
    words = (
        f"Not one of {design.games:,} results contradicts the order of the others: how far apart the ratings are is "
        "then the prior's answer alone. Does the feed put the better first, or leave out lost games?"
        if is_one_way
        else f"{largest:,} of {competitors:,} have beaten each other in circles: no one order explains all results."
    )
    yield Check("contradicted", "the order by results", largest, 1, "fail" if is_one_way else "pass", words)


def _agreeing(design: Design, mean: Posterior) -> Check:
    """Whether no stretch of games goes against the ratings: a season whose scores stand in the wrong columns does.

    Of every stretch between two of a hundred cuts, the correlation of results with linear predictors, in its standard
    errors.
    """
    limit = design.thresholds.agreeing
    cuts = np.unique(np.linspace(0, design.games, CUTS + 1).astype(int))
    until = np.concatenate([[0.0], np.cumsum(_products(design, mean))])[cuts]
    length, summed = cuts[None] - cuts[:, None], until[None] - until[:, None]
    errors = np.where(length >= STRETCH, summed / np.sqrt(np.maximum(length, 1)), np.inf)
    begin, end = np.unravel_index(np.argmin(errors), errors.shape)
    worst = -float(errors[begin, end])
    if not np.isfinite(worst):
        words = f"Fewer than {STRETCH} games: too few for a stretch of them to be told apart."
        return Check("agreeing", "stretches of games", None, limit, "pass", words)
    is_against = worst > limit and worst / np.sqrt(length[begin, end]) > REVERSED
    days = design.played_on[cuts[begin] : cuts[end]]
    words = (
        f"From {days.min()} to {days.max()} results go against the ratings of all games: are sides or scores of that "
        "time in the wrong columns?"
        if is_against
        else "No stretch of games goes against the ratings."
    )
    return Check("agreeing", "stretches of games", worst, limit, "fail" if is_against else "pass", words)


def _products(design: Design, mean: Posterior) -> Array:
    """Of each game, how much better its sides did than each other times how much better they are, both standardised, so
    that the mean of games is a correlation."""
    y, eta = (_apart(design, values) for values in (design.y / design.exposure, mean.eta(design)[0]))
    product = np.bincount(design.game, y * eta, design.games)
    if not (y.any() and eta.any()):  # results that are all alike go against nothing
        return np.zeros(design.games)
    size = float(np.sqrt((y @ y) * (eta @ eta) / design.games / np.count_nonzero(y)))
    return product / size if product.sum() >= 0 else -product / size  # some outcomes count what is bad: places, losses


def _apart(design: Design, values: Array) -> Array:
    """Of values by row: what a game's first side has more than its second, at the row of the first; of a race, what
    each entrant has more than its mean."""
    if design.outcome.row == "side":
        is_first = np.concatenate([[True], design.game[1:] != design.game[:-1]])
        apart = np.bincount(design.game, np.where(is_first, values, -values), design.games)
        return np.where(is_first, apart[design.game], 0.0)
    if design.outcome.row == "entrant":
        return values - (np.bincount(design.game, values) / np.bincount(design.game))[design.game]
    return values - values.mean()
