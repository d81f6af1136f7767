"""How well a model forecasts each game from all the others, without fitting it anew for each: PSIS-LOO and WAIC.

Both take the log likelihood of one game at a time in every joint draw. They are for games that are exchangeable given
the model: where ratings walk, a game's neighbours in time tell of it, and games to come are forecast instead.

PSIS-LOO: Vehtari, Gelman and Gabry (2017), "Practical Bayesian model evaluation using leave-one-out cross-validation
and WAIC", Statistics and Computing 27; its k-hat: Vehtari, Simpson, Gelman, Yao and Gabry (2024), JMLR 25. WAIC:
Watanabe (2010), "Asymptotic equivalence of Bayes cross validation and widely applicable
information criterion", JMLR 11.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray
from scipy.special import logsumexp

from modeling.design import Design
from modeling.engines.choice import Prepared
from modeling.field import incidence
from modeling.outcomes.outcome import Array
from modeling.outcomes.shared import by_game
from modeling.posterior import HELD_AT_ONCE, Posterior, from_tree

HIGH_K = 0.7  # Vehtari and others (2024): above it the game's own weight is not to be trusted
HIGH_VARIANCE = 0.4  # Vehtari, Gelman and Gabry (2017), section 2.2: above it WAIC fails for the game
MOST_DRAWS = 4000
EVEN = 1e-10  # variance of the log likelihood below which every draw says the same of a game
MOST_ROUNDS = 10  # of fits anew without the games whose k-hat is high
AT_ONCE = 0.01  # share of the games that are left out together: the fit without them is all but the fit without one
ROUND_DRAWS = 4000

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Pointwise:
    """Of each game, shape (games,)."""

    elpd: Array
    """Log predictive density of its result given the other games."""
    k_hat: Array
    """Of its importance weights; infinite where they tell nothing."""
    lppd: Array
    """Log predictive density given all games, itself included."""
    variance: Array
    """Posterior variance of its log likelihood."""
    is_refitted: NDArray[np.bool_]
    """True where the elpd comes from a fit without the game, and not from weights."""

    @property
    def waic(self) -> Array:
        """Log predictive density given the other games, by WAIC."""
        return self.lppd - self.variance

    @property
    def is_doubtful(self) -> NDArray[np.bool_]:
        """Games whose k-hat is high and that no fit left out."""
        return (self.k_hat > HIGH_K) & ~self.is_refitted


def pointwise(design: Design, posterior: Posterior, tell: Progress = lambda share: None) -> Pointwise:
    """PSIS-LOO and WAIC of every game, a block of games at a time."""
    thinned = posterior.thinned(MOST_DRAWS)
    parts = []
    for games, likely in _blocks(design, thinned):
        parts.append(_pointwise(likely))
        tell((games[-1] + 1) / design.games)
    elpd, k_hat, lppd, variance = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Pointwise(elpd, k_hat, lppd, variance, np.zeros(design.games, dtype=bool))


def _blocks(design: Design, posterior: Posterior) -> Iterator[tuple[NDArray[np.intp], Array]]:
    """(games, log likelihood of shape (draws, games)), some games at a time."""
    pieces = max(1, int(len(design.y) * posterior.draws / HELD_AT_ONCE))
    for games in np.array_split(np.arange(design.games), min(pieces, design.games)):
        yield games, log_likelihood(design, posterior, games)


def log_likelihood(design: Design, posterior: Posterior, games: NDArray[np.intp]) -> Array:
    """Log likelihood of some games' results, in order of play, shape (draws, games)."""
    rows = np.flatnonzero(np.isin(design.game, games))
    eta, arguments = posterior.seen(design, rows)
    if design.outcome.layout:
        arguments["layout"] = design.outcome.layout(design.y[rows], design.game[rows])
    return by_game(design.outcome.log_density(design.tallies[rows], eta, arguments), design.game[rows])


def log_predictive(likely: Array) -> Array:
    """Log of the mean over draws of the likelihood, shape (games,), of log likelihoods of shape (draws, games)."""
    return logsumexp(likely, axis=0) - np.log(len(likely))


def _pointwise(likely: Array) -> tuple[Array, Array, Array, Array]:
    variance = likely.var(axis=0, ddof=1)
    elpd, k_hat = -log_predictive(-likely), np.zeros(likely.shape[1])
    uneven = np.flatnonzero(variance > EVEN)
    if len(uneven):
        weights, k_hat[uneven] = array_stats.psislw(np.ascontiguousarray(likely[:, uneven].T))
        elpd[uneven] = logsumexp(weights.T + likely[:, uneven], axis=0)
    return elpd, np.nan_to_num(k_hat, nan=np.inf), log_predictive(likely), variance


def refitted(design: Design, engine: Prepared, found: Pointwise, seed: int, tell: Progress, care: float) -> Pointwise:
    """The same with the games of high k-hat forecast by fits without them, as many as ten fits leave out.

    Games that are left out together share no competitor, and are one in a hundred at most.
    """
    rounds = rounds_of(design, found.k_hat)
    elpd, done = found.elpd.copy(), np.zeros(design.games, dtype=bool)
    for number, games in enumerate(rounds):
        kept = np.ones(design.games, dtype=bool)
        kept[games] = False
        tree = engine.sample(kept, seed + number, ROUND_DRAWS, lambda share: None, care)
        elpd[games] = log_predictive(log_likelihood(design, from_tree(design, tree), games))
        done[games] = True
        tell((number + 1) / len(rounds))
    return replace(found, elpd=elpd, is_refitted=done)


def rounds_of(design: Design, k_hat: Array) -> list[NDArray[np.intp]]:
    """Games of high k-hat in sets to leave out together, the highest first; at most ten sets."""
    played = incidence(design.kinds[0].sides, design.side_game, design.games).tocsc()
    high = np.flatnonzero(k_hat > HIGH_K)
    most = max(1, int(AT_ONCE * design.games))
    rounds: list[list[int]] = []
    taken: list[set[int]] = []
    for game in high[np.argsort(-k_hat[high], kind="stable")].tolist():
        who = set(played.indices[played.indptr[game] : played.indptr[game + 1]].tolist())
        free = (i for i, others in enumerate(taken) if len(rounds[i]) < most and not who & others)
        number = next(free, len(rounds))
        if number == MOST_ROUNDS:
            continue
        if number == len(rounds):
            rounds, taken = [*rounds, []], [*taken, set()]
        rounds[number].append(game)
        taken[number] |= who
    return [np.sort(np.array(one, dtype=np.intp)) for one in rounds]
