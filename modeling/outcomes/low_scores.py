"""Dixon and Coles's correction: 0-0, 1-0, 0-1 and 1-1 come more or less often than two independent Poisson counts say.

The joint chance of the scores x and y at rates l and m is multiplied by t: 1 - l m r for 0-0, 1 + l r for 0-1,
1 + m r for 1-0, 1 - r for 1-1, and 1 else, with r the parameter `low_scores`.
Dixon and Coles (1997), "Modelling association football scores and inefficiencies in the football betting market",
Applied Statistics 46, equation 4.2.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.special import gammaln

from modeling.outcomes.counts import POISSON_COUNTS, chances_of, count_margin, losses_of, rate_of
from modeling.outcomes.outcome import Array, Auxiliaries, Auxiliary, exposures_of
from modeling.outcomes.symbols import pt

LEAST = 1e-10
_poisson_chances = chances_of(POISSON_COUNTS)


def tallies(y: Array, exposure: Array) -> Array:
    """Count, score and exposure of each row, shape (rows, 3)."""
    return np.stack([np.ones_like(y), y, exposure], axis=1)


def _rates(tally: Array, eta: Array) -> tuple[Array, Array, Array]:
    """Count, score and rate of each row; rows left out have a rate that changes nothing."""
    count, y, exposure = tally.T
    return count, y, np.where(count > 0, exposure, 1.0) * np.exp(eta)


def _corrections(
    low: Any, x: Any, y: Any, first: Any, second: Any, where: Any = np.where, equal: Any = np.equal
) -> Any:
    """t - 1; and the parts of it proportional to the first rate, to the second, and to both. Arrays or symbols."""
    no_first, no_second = equal(x, 0), equal(y, 0)
    one_first, one_second = equal(x, 1), equal(y, 1)
    zero_zero = where(no_first & no_second, -first * second * low, 0.0)
    zero_one = where(no_first & one_second, first * low, 0.0)
    one_zero = where(one_first & no_second, second * low, 0.0)
    one_one = where(one_first & one_second, -low, 0.0)
    return zero_zero + zero_one + one_zero + one_one, (zero_zero + zero_one, zero_zero + one_zero, zero_zero)


def log_density(tally: Array, eta: Array, aux: Auxiliaries) -> Array:
    """log of the joint density of a game's two scores, the correction standing with the first row."""
    count, y, rate = _rates(tally, eta)
    plain = count * (y * np.log(rate) - rate - gammaln(y + 1))
    more, _ = _corrections(aux["low_scores"], y[0::2], y[1::2], rate[..., 0::2], rate[..., 1::2])
    plain[..., 0::2] += count[0::2] * np.log(np.maximum(1 + more, LEAST))
    return plain


def derivatives(tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, csr_array, Array]:
    """Slope, minus the second derivative (the two rows of a game go together), and each row's own third."""
    count, y, rate, a, b, c = _parts(tally, eta, aux)
    slope = count * (y - rate)
    slope[0::2] += a
    slope[1::2] += b
    diagonal = count * rate
    diagonal[0::2] -= a - a**2
    diagonal[1::2] -= b - b**2
    third = -count * rate
    third[0::2] += (1 - 2 * a) * (a - a**2)
    third[1::2] += (1 - 2 * b) * (b - b**2)
    across = -(c - a * b)
    first, size = np.arange(0, len(y), 2), len(y)
    rows = np.concatenate([np.arange(size), first, first + 1])
    columns = np.concatenate([np.arange(size), first + 1, first])
    values = np.concatenate([diagonal, across, across])
    return slope, csr_array(coo_array((values, (rows, columns)), shape=(size, size))), third


def _parts(tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, ...]:
    """Count, score, rate; and the parts of t that are proportional to the first rate, the second and both, over t."""
    count, y, rate = _rates(tally, eta)
    more, parts = _corrections(aux["low_scores"], y[0::2], y[1::2], rate[0::2], rate[1::2])
    t = 1 + more
    # flat where the chance is cut off at its least
    counted = np.where(t > LEAST, count[0::2] / np.maximum(t, LEAST), 0.0)
    return count, y, rate, *(counted * part for part in parts)


def contracted(tally: Array, eta: Array, aux: Auxiliaries, covariance: csr_array) -> Array:
    """Third derivatives over two of their places with a covariance, at each row.

    With a, b, c the parts of t over t: da/d1 = a - a^2, da/d2 = c - ab, dc/d1 = c - ac and so on.
    """
    count, _, rate, a, b, c = _parts(tally, eta, aux)
    own, across = covariance.diagonal(), np.asarray(covariance[np.arange(0, len(eta), 2), np.arange(1, len(eta), 2)])
    found = -count * rate * own
    joint = c - a * b
    first, second = a - a**2, b - b**2
    to_first = c - a * c - first * b - a * joint
    to_second = c - b * c - second * a - b * joint
    found[0::2] += own[0::2] * (1 - 2 * a) * first + own[1::2] * (1 - 2 * b) * joint + 2 * across * to_first
    found[1::2] += own[1::2] * (1 - 2 * b) * second + own[0::2] * (1 - 2 * a) * joint + 2 * across * to_second
    return found


def pymc(tally: Any, eta: Any, aux: Auxiliaries) -> Any:
    """The same as a PyTensor scalar, up to a constant."""
    count, y = tally[:, 0], tally[:, 1]
    log_rate = eta + pt.log(pt.where(pt.gt(count, 0), tally[:, 2], 1.0))
    rate = pt.exp(log_rate)
    x, z = y[0::2], y[1::2]

    more, _ = _corrections(aux["low_scores"], x, z, rate[0::2], rate[1::2], pt.where, pt.eq)
    corrected = count[0::2] * pt.log(pt.maximum(1 + more, LEAST))
    return pt.sum(count * (y * log_rate - rate)) + pt.sum(corrected)


def simulate(rng: np.random.Generator, eta: Array, exposure: Array, aux: Auxiliaries, _game: NDArray[np.intp]) -> Array:
    """Simulated scores by rejection: pairs of Poisson counts, kept with chance t over its largest value."""
    rate = exposure * np.exp(np.minimum(eta, np.log(1e6)))
    first, second = rate[..., 0::2], rate[..., 1::2]
    low = np.broadcast_to(np.asarray(aux["low_scores"]), first.shape)
    corners = [1 - first * second * low, 1 + first * low, 1 + second * low, 1 - low, np.ones_like(first)]
    largest = np.max(corners, axis=0)
    drawn = rng.poisson(rate).astype(float)
    waiting = np.ones(first.shape, dtype=bool)
    while waiting.any():
        x, y = drawn[..., 0::2], drawn[..., 1::2]
        more, _ = _corrections(low, x, y, first, second)
        waiting &= rng.random(first.shape) >= np.maximum(1 + more, 0) / largest
        again = np.repeat(waiting, 2, axis=-1)
        drawn[again] = rng.poisson(rate[again])
    return drawn


def chances(eta_first: Array, eta_second: Array, aux: Auxiliaries) -> Array:
    """Chances of win, draw and loss of the first side: those of Poisson scores, corrected.

    What 1-0 and 0-1 win or lose is l m r exp(-l - m) each, and so is what 0-0 and 1-1 lose or win.
    """
    own, other = map(np.log, exposures_of(aux))
    first, second = rate_of(eta_first + own), rate_of(eta_second + other)
    more = aux["low_scores"] * first * second * np.exp(-first - second)
    each = _poisson_chances(eta_first, eta_second, aux) + more[..., None] * np.array([1.0, -2.0, 1.0])
    each = np.maximum(each, 0)
    return each / each.sum(axis=-1, keepdims=True)


DIXON_COLES: dict[str, Any] = {
    "likelihood": "dixon_coles",
    "formula": "scores ~ Poisson(e exp(eta)), corrected at 0-0, 1-0, 0-1, 1-1 by low_scores; eta = attack - defence",
    "auxiliaries": lambda _unit: (Auxiliary("low_scores", "correction of low scores (rho)", 0.1, True, start=0.0),),
    "tallies": tallies,
    "log_density": log_density,
    "derivatives": derivatives,
    "pymc": pymc,
    "simulate": simulate,
    "losses": losses_of(chances),
    "chances": chances,
    "margin": count_margin,
    "contracted": contracted,
    "is_additive": False,
}
