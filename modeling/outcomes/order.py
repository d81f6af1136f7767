"""Order: the places of a race. Plackett-Luce: the next place goes to an entrant with a chance proportional to exp(eta).

Entrants who share a place are each weighed against all who are not ahead of them (Breslow's rule). Those without a
place (did not finish, disqualified) are left out: their end says more of luck and machinery than of the order.
Plackett (1975), "The analysis of permutations", Applied Statistics 24; Luce (1959), Individual Choice Behavior.

`worst_first` is the same read from the other end: the last place goes to an entrant with a chance proportional to
exp(-eta), then the last but one. Two entrants' chances are equal in both; but here a good entrant has an occasional bad
day instead of a bad one an occasional good day, which is how motor races go.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.special import expit

from modeling.outcomes.outcome import Array, Auxiliaries, Extreme, Outcome, Places, Results, Statistic
from modeling.outcomes.shared import by_game, density_losses, variance_of_means
from modeling.outcomes.symbols import pt

FORECAST_RACES = 100_000  # simulated for a forecast: a chance's standard error is at most 0.0016


@dataclass(frozen=True)
class Races:
    """Entrants in order of their places, a row a race; `entrant` is -1 beyond the last."""

    entrant: NDArray[np.intp]
    """Row of the entrant at each place, shape (races, most entrants)."""
    first: NDArray[np.intp]
    """Place in the row of the first who shares each entrant's place."""

    @property
    def there(self) -> NDArray[np.bool_]:
        """Where there is an entrant."""
        return self.entrant >= 0


def races_of(y: Array, game: NDArray[np.intp]) -> Races:
    """The races' layout, given each row's place and race."""
    order = np.lexsort((y, game))
    race = np.unique(game[order], return_inverse=True)[1]
    starts = np.searchsorted(race, np.arange(race[-1] + 1))
    place = np.arange(len(order)) - starts[race]
    entrant = np.full((race[-1] + 1, place.max() + 1), -1)
    entrant[race, place] = order
    is_new = np.r_[True, (race[1:] != race[:-1]) | (y[order][1:] != y[order][:-1])]
    first = np.zeros_like(entrant)
    first[race, place] = np.maximum.accumulate(np.where(is_new, np.arange(len(order)), 0)) - starts[race]
    return Races(entrant, first)


def tallies(y: Array, _exposure: Array) -> Array:
    """One for each entrant that counts, and its place; shape (rows, 2)."""
    return np.stack([np.ones_like(y), y], axis=1)


def _padded(eta: Array, races: Races) -> Array:
    """eta by race and place, -inf where nobody is; shape (..., races, most entrants)."""
    return np.where(races.there, eta[..., np.maximum(races.entrant, 0)], -np.inf)


def _log_behind(padded: Array, races: Races) -> Array:
    """Log of the summed exp(eta) of those not ahead of each entrant, ties together."""
    top = padded.max(axis=-1, keepdims=True)
    behind = np.cumsum(np.exp(padded - top)[..., ::-1], axis=-1)[..., ::-1]
    first = np.broadcast_to(races.first, padded.shape)
    return np.log(np.maximum(np.take_along_axis(behind, first, axis=-1), 1e-300)) + top


def log_density(tally: Array, eta: Array, aux: Auxiliaries) -> Array:
    """Each entrant's part: its eta less the log sum of those not ahead; shape of eta."""
    races = aux.get("layout") or races_of(tally[:, 1], aux["game"])
    x = np.broadcast_to(eta / aux["noise"], eta.shape)
    padded = _padded(x, races)
    parts = np.where(races.there, padded - _log_behind(padded, races), 0.0)
    found = np.zeros_like(x)
    found[..., races.entrant[races.there]] = parts[..., races.there]
    return tally[:, 0] * found


def derivatives(tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, csr_array, Array]:
    """Slope, minus the second derivative (a block a race, as a sparse matrix), and each row's own third."""
    races: Races = aux["layout"]
    noise = np.broadcast_to(np.asarray(aux["noise"], dtype=float), eta.shape)
    padded = _padded(eta / noise, races)
    top = padded.max(axis=1, keepdims=True)
    strength = np.exp(padded - top)
    counted = np.where(races.there, tally[np.maximum(races.entrant, 0), 0], 0.0)
    behind = np.exp(_log_behind(padded, races) - top)
    once, twice, thrice = (_over_stages(counted / behind**power, races) for power in (1, 2, 3))
    inverse = np.where(races.there, 1 / noise[np.maximum(races.entrant, 0)], 0.0)
    slope = np.zeros_like(eta)
    slope[races.entrant[races.there]] = ((counted - strength * once) * inverse)[races.there]
    third = np.zeros_like(eta)
    own = strength * once - 3 * strength**2 * twice + 2 * strength**3 * thrice
    third[races.entrant[races.there]] = -(own * inverse**3)[races.there]
    return slope, _curvature(strength, once, twice, inverse, races, len(eta)), third


def _over_stages(per_entrant: Array, races: Races) -> Array:
    """At each place, the sum over the stages that the entrant there was still in: those of its place and before."""
    size = per_entrant.shape[1]
    totals = np.zeros_like(per_entrant)
    rows = np.repeat(np.arange(len(per_entrant)), size).reshape(per_entrant.shape)
    np.add.at(totals, (rows, races.first), np.where(races.there, per_entrant, 0.0))
    sums = np.cumsum(totals, axis=1)
    return np.take_along_axis(sums, races.first, axis=1)


def _curvature(strength: Array, once: Array, twice: Array, inverse: Array, races: Races, size: int) -> csr_array:
    earlier = np.minimum(races.first[:, :, None], races.first[:, None, :])
    shared = np.take_along_axis(np.broadcast_to(twice[:, None, :], earlier.shape), earlier, axis=2)
    scaled = strength * inverse
    block = -scaled[:, :, None] * scaled[:, None, :] * shared
    n = strength.shape[1]
    block[:, np.arange(n), np.arange(n)] += scaled * inverse * once
    both = races.there[:, :, None] & races.there[:, None, :]
    rows = np.broadcast_to(races.entrant[:, :, None], both.shape)[both]
    columns = np.broadcast_to(races.entrant[:, None, :], both.shape)[both]
    return csr_array(coo_array((block[both], (rows, columns)), shape=(size, size)))


def contracted(tally: Array, eta: Array, aux: Auxiliaries, covariance: csr_array) -> Array:
    """Third derivatives over two of their places with a covariance C: at a stage with chances p of the next place,
    minus the gradient of diag(C)'p - p'Cp."""
    races: Races = aux["layout"]
    noise = np.broadcast_to(np.asarray(aux["noise"], dtype=float), eta.shape)
    padded, entrant = _padded(eta / noise, races), np.maximum(races.entrant, 0)
    inverse = np.where(races.there, 1 / noise[entrant], 0.0)
    counted = np.where(races.there, tally[entrant, 0], 0.0)
    c = _by_race(covariance, races) * inverse[:, :, None] * inverse[:, None, :]
    is_in = races.there[:, None, :] & (np.arange(padded.shape[1]) >= races.first[:, :, None])
    p = np.where(is_in, np.exp(np.minimum(padded[:, None, :] - _log_behind(padded, races)[:, :, None], 0.0)), 0.0)
    own, across = c[:, None, np.arange(p.shape[2]), np.arange(p.shape[2])], p @ c
    inner = own - 2 * across
    turned = p * (inner - np.sum(p * inner, axis=2, keepdims=True))
    found = np.zeros_like(eta)
    found[races.entrant[races.there]] = -(np.einsum("rs,rsi->ri", counted, turned) * inverse)[races.there]
    return found


def _by_race(covariance: csr_array, races: Races) -> Array:
    """A matrix with entries between entrants of a race alone, by race and two places."""
    race, place = np.zeros((2, int(races.entrant.max()) + 1), dtype=int)
    where = np.nonzero(races.there)
    race[races.entrant[where]], place[races.entrant[where]] = where
    entries, size = coo_array(covariance), races.entrant.shape[1]
    dense = np.zeros((len(races.entrant), size, size))
    dense[race[entries.row], place[entries.row], place[entries.col]] = entries.data
    return dense


def pymc(tally: Any, eta: Any, aux: Auxiliaries) -> Any:
    """The same as a PyTensor scalar."""
    races: Races = aux["layout"]
    x = (eta / aux["noise"])[np.maximum(races.entrant, 0)]
    there = races.there.astype(float)
    top = pt.max(pt.where(races.there, x, -1e30), axis=1, keepdims=True)
    strength = pt.exp(pt.where(races.there, x - top, -1e3)) * there
    behind = pt.cumsum(strength[:, ::-1], axis=1)[:, ::-1]
    rows = np.broadcast_to(np.arange(len(there))[:, None], there.shape)
    log_behind = pt.log(pt.maximum(behind[rows, races.first], 1e-300)) + top
    counted = tally[:, 0][np.maximum(races.entrant, 0)] * there
    return pt.sum(counted * (x - log_behind))


def simulate(rng: np.random.Generator, eta: Array, _exposure: Array, aux: Auxiliaries, game: NDArray[np.intp]) -> Array:
    """Simulated places: the order of eta plus Gumbel noise, which is Plackett-Luce."""
    seen = eta / aux["noise"] + rng.gumbel(size=eta.shape)
    race = np.unique(game, return_inverse=True)[1]
    starts = np.searchsorted(race, np.arange(race[-1] + 1))
    places = np.empty_like(eta)
    for one, into in zip(seen.reshape(-1, len(race)), places.reshape(-1, len(race)), strict=True):
        into[np.lexsort((-one, race))] = np.arange(len(race)) - starts[race] + 1
    return places


def losses(y: Array, exposure: Array, eta: Array, aux: Auxiliaries, game: NDArray[np.intp]) -> Array:
    """Log loss of each race's whole order."""
    own = {**aux, "layout": races_of(y, game)}
    return density_losses(lambda tally, eta, _: log_density(tally, eta, own), tallies)(y, exposure, eta, aux, game)


def chances(eta_first: Array, eta_second: Array, aux: Auxiliaries) -> Array:
    """Chances that the first is ahead of the second, and behind."""
    ahead = expit((eta_first - eta_second) / aux["noise"])
    return np.stack([ahead, np.zeros_like(ahead), 1 - ahead], axis=-1)


def places(rng: np.random.Generator, eta: Array, aux: Auxiliaries) -> Places:
    """Chances of every place by simulation: some races of each joint draw, so that what is uncertain counts."""
    draws, size = eta.shape
    repeats, taken = -(-FORECAST_RACES // draws), np.zeros((size, size))
    for _ in range(repeats):
        order = np.argsort(-eta / aux["noise"] - rng.gumbel(size=eta.shape), axis=1)
        taken += np.bincount((order * size + np.arange(size)).ravel(), minlength=size**2).reshape(size, size)
    return Places(taken / (repeats * draws))


def _observe(_league: str, sides: pl.DataFrame) -> pl.Series:
    """Places among those of the race that are there: a race may be known in part, its sixth, tenth and twelfth."""
    return sides.select(pl.col("finish").rank("min").over("game_id")).to_series()


def _baseline(results: Results, held_out: NDArray[np.bool_]) -> Array:
    """Log loss of each held-out race where every order is as likely."""
    y, game = results.y[held_out], results.game[held_out]
    aux = {"noise": 1.0, "layout": races_of(y, game)}
    return -by_game(log_density(tallies(y, y), np.zeros(len(y)), aux), game)


def _extremes(results: Results) -> dict[str, Extreme]:
    starts = np.flatnonzero(np.r_[True, results.game[1:] != results.game[:-1]])
    race = np.unique(results.game, return_inverse=True)[1]
    first, last = np.minimum.reduceat(results.y, starts)[race], np.maximum.reduceat(results.y, starts)[race]
    return {"total": Extreme(results.y == first, results.y == last, "won every race", "came last in every race")}


def _spread(results: Results) -> float:
    """Variance between competitors of their mean place, as a share of the field, among those with ten races or more."""
    field = np.bincount(results.game)[results.game]
    return variance_of_means(results.entrant, (results.y - 1) / np.maximum(field - 1, 1))


def _winners(results: Results) -> NDArray[np.intp]:
    """Who won, where a competitor of the first kind stands for the entrant."""
    return results.entrant[(results.y == 1) & (results.entrant >= 0)]


def _winners_share(results: Results) -> float:
    """Share of races won by whoever won most."""
    won = np.bincount(_winners(results))
    return float(won.max() / won.sum()) if won.size else float("nan")


def _podium(results: Results) -> float:
    """Share of the first three places that the three who took most of them took."""
    taken = np.bincount(results.entrant[(results.y <= 3) & (results.entrant >= 0)])
    return float(np.sort(taken)[-3:].sum() / taken.sum()) if taken.size else float("nan")


def _different_winners(results: Results) -> float:
    return float(len(np.unique(_winners(results))))


def _from_behind(y: Array, game: NDArray[np.intp]) -> Races:
    return races_of(-y, game)


def _worst_first_log_density(tally: Array, eta: Array, aux: Auxiliaries) -> Array:
    return log_density(tally, -eta, aux)


def _worst_first_derivatives(tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, csr_array, Array]:
    slope, curvature, third = derivatives(tally, -eta, aux)
    return -slope, curvature, -third


def _worst_first_contracted(tally: Array, eta: Array, aux: Auxiliaries, covariance: csr_array) -> Array:
    return -contracted(tally, -eta, aux, covariance)


def _worst_first_simulate(
    rng: np.random.Generator, eta: Array, exposure: Array, aux: Auxiliaries, game: NDArray[np.intp]
) -> Array:
    from_last = simulate(rng, -eta, exposure, aux, game)
    return np.bincount(game)[game] + 1 - from_last


def _worst_first_places(rng: np.random.Generator, eta: Array, aux: Auxiliaries) -> Places:
    return Places(places(rng, -eta, aux).chances[:, ::-1])


def _worst_first_losses(y: Array, exposure: Array, eta: Array, aux: Auxiliaries, game: NDArray[np.intp]) -> Array:
    return losses(-y, exposure, -eta, aux, game)


BEST_FIRST = Outcome(
    name="order",
    likelihood="plackett_luce",
    formula="P(next place to i) = exp(eta_i / noise) / sum of those not yet placed",
    words="A race has an order. Of any two the stronger finishes ahead with the greater chance, whoever else is in it.",
    unit="logits",
    row="entrant",
    components=("total",),
    unit_sd=lambda _y, _exposure: 1.0,
    has_intercept=False,
    observe=_observe,
    auxiliaries=lambda _unit: (),
    tallies=tallies,
    log_density=log_density,
    derivatives=derivatives,
    pymc=pymc,
    simulate=simulate,
    losses=losses,
    baseline=_baseline,
    chances=chances,
    margin=lambda first, second, aux: chances(first, second, aux)[..., 0] - 0.5,
    statistics=(
        Statistic("spread", "variance between competitors of their mean place", _spread, "variance", is_hard=True),
        Statistic("dominance", "share of races won by whoever won most", _winners_share, "dominance", is_hard=True),
        Statistic("winners", "different winners", _different_winners),
        Statistic("podium", "share of the first three places taken by the three who took most", _podium),
    ),
    extremes=_extremes,
    lacking="a place",
    remedy='For games of two sides choose outcome = "win", "result", "margin" or "score".',
    places=places,
    is_additive=False,
    contracted=contracted,
    layout=races_of,
)
WORST_FIRST = replace(
    BEST_FIRST,
    likelihood="worst_first",
    formula="P(last of those left is i) = exp(-eta_i / noise) / sum over those left, from the last place up",
    log_density=_worst_first_log_density,
    derivatives=_worst_first_derivatives,
    pymc=lambda tally, eta, aux: pymc(tally, -eta, aux),
    simulate=_worst_first_simulate,
    places=_worst_first_places,
    losses=_worst_first_losses,
    contracted=_worst_first_contracted,
    layout=_from_behind,
)
OUTCOMES = (BEST_FIRST, WORST_FIRST)
