"""How well a model forecasts games from earlier ones alone: leave-future-out, for ratings that move over time.

The last fifth of the games, of at most two years, in eight blocks of whole days: each block is forecast by a fit of all
games before its first day. Buerkner, Gabry and Vehtari (2020), "Approximate leave-future-out cross-validation for
Bayesian time series models", Journal of Statistical Computation and Simulation 90; fitted anew at every block, so that
nothing is approximated.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modeling.design import Design
from modeling.engines.choice import Prepared
from modeling.loo import log_likelihood, log_predictive
from modeling.outcomes.outcome import Array
from modeling.posterior import HELD_AT_ONCE, Posterior, from_tree
from store.errors import FitError

SHARE, MOST_DAYS = 0.2, np.timedelta64(730, "D")
BLOCKS = 8
DRAWS = 2000

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Block:
    """Games that are forecast together: those from `first` on, before the next block."""

    first: np.datetime64
    games: NDArray[np.intp]


def blocks_of(league: str, played_on: NDArray[np.datetime64]) -> list[Block]:
    """The blocks of games, by day; as even as whole days allow. Raises FitError where all games are of one day."""
    days = np.sort(played_on)
    first = max(days[int((1 - SHARE) * len(days))], days[-1] - MOST_DAYS)
    if first == days[0]:
        raise FitError(f"{league}: its games are of too few days: none can be forecast from earlier ones.")
    to_come = days[days >= first]
    cuts = np.unique(to_come[np.linspace(0, len(to_come), BLOCKS, endpoint=False).astype(int)])
    ends = [*cuts[1:], days[-1] + np.timedelta64(1, "D")]
    return [
        Block(cut, np.flatnonzero((played_on >= cut) & (played_on < end))) for cut, end in zip(cuts, ends, strict=True)
    ]


def left_future_out(
    design: Design, engine: Prepared, blocks: list[Block], seed: int, tell: Progress, care: float
) -> Array:
    """Log predictive density of each game of the blocks, in their order."""
    found = []
    for number, block in enumerate(blocks):
        tree = engine.sample(design.played_on < block.first, seed + number, DRAWS, lambda share: None, care)
        found.append(_forecast(design, from_tree(design, tree), block.games))
        tell((number + 1) / len(blocks))
    return np.concatenate(found)


def _forecast(design: Design, posterior: Posterior, games: NDArray[np.intp]) -> Array:
    pieces = 1 + int(len(games) * posterior.draws / HELD_AT_ONCE)
    some = (part for part in np.array_split(games, pieces) if len(part))
    return np.concatenate([log_predictive(log_likelihood(design, posterior, part)) for part in some])
