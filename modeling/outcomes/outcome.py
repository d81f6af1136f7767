"""What every outcome family must know: its likelihood with derivatives, how to simulate, forecast and check it.

A row is what the likelihood has one of: a game (win, result, margin), a side of a game (score), or an entrant of a race
(order). `eta` is a row's linear predictor. Rows that share everything are put together into cells where the likelihood
allows it exactly: `tallies` turns each row's result into additive sufficient statistics, and everything else works on
their sums. A row that is left out has tallies of zero and adds nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from modeling.outcomes.schedule import Schedule

Array = NDArray[np.float64]
Auxiliaries = dict[str, Any]
"""The likelihood's own parameters by name; `noise` is there always: each row's factor of noise, or 1.0. In a forecast
`exposure` may be there too: that of the game to come, 1 where it is not; and `other_exposure`, where each side has its
own: that of the second."""


@dataclass(frozen=True)
class Auxiliary:
    """A parameter of the likelihood: positive with prior HalfNormal(scale), or Normal(0, scale) where `is_signed`."""

    name: str
    title: str
    scale: float
    is_signed: bool = False
    start: float = 1.0
    """A value to start from."""


@dataclass(frozen=True)
class Results:
    """Games' results as arrays, for statistics that a fan would notice."""

    y: Array
    """What was observed, shape (rows,)."""
    exposure: Array
    game: NDArray[np.intp]
    """Number of the game of each row, shape (rows,); rows of a game are neighbours."""
    home: NDArray[np.int_]
    """1 where the row's own side is at home, -1 where the other is, 0 where none is; shape (rows,)."""
    entrant: NDArray[np.intp]
    """Number of the row's own competitor, shape (rows,)."""
    opponent: NDArray[np.intp]
    """Number of the other side's competitor, shape (rows,); -1 in a race."""
    eta: Array | None = None
    """Linear predictor of each row in the draw that the results are compared under, where there is one."""
    schedule: Schedule | None = None
    """Who met whom in which season, where a side is one competitor and a game stands for itself."""

    def home_signed(self) -> Array:
        """y of games with a home side, as the home side has it (win 1, margin), for outcomes of one row a game."""
        return np.where(self.home > 0, self.y, -self.y)[self.home != 0]


@dataclass(frozen=True)
class Statistic:
    """A statistic of a league's results, for posterior predictive checks.

    `size` names the threshold (`modeling/thresholds.py`) of the smallest discrepancy that matters. `is_hard` statistics
    can reject a fit.
    """

    name: str
    title: str
    of: Callable[[Results], float]
    size: Literal["share", "variance", "dominance"] | None = None
    is_hard: bool = False
    needs_eta: bool = False
    """Whether it also looks at eta: then the observed results have one value for each draw (a discrepancy in the sense
    of Gelman, Meng and Stern, 1996), and it can be fair where results decide who plays next, as in a knock-out."""


@dataclass(frozen=True)
class Extreme:
    """Of a component, the sides whose result could not have been better or worse; shape (sides,) each.

    A competitor with nothing but such results has no finite estimate without pooling.
    """

    best: NDArray[np.bool_]
    worst: NDArray[np.bool_]
    best_words: str
    worst_words: str


@dataclass(frozen=True)
class Places:
    """The forecast of a race: `chances` of each entrant to take each place, shape (entrants, places)."""

    chances: Array

    @property
    def win(self) -> Array:
        """Chance of each entrant to come first."""
        return self.chances[:, 0]

    def top(self, k: int) -> Array:
        """Chance of each entrant to come among the first k."""
        return self.chances[:, :k].sum(axis=1)

    @property
    def expected(self) -> Array:
        """Expected place of each entrant, the first being 1."""
        return self.chances @ np.arange(1.0, self.chances.shape[1] + 1)


def exposure_of(aux: Auxiliaries) -> Array | float:
    """The exposure of the game that is forecast."""
    return aux.get("exposure", 1.0)


def exposures_of(aux: Auxiliaries) -> tuple[Array | float, Array | float]:
    """Those of its two sides."""
    return exposure_of(aux), aux.get("other_exposure", exposure_of(aux))


def no_centre(_y: Array, _exposure: Array) -> float:
    """For outcomes whose linear predictor is expected around zero."""
    return 0.0


def no_extremes(_results: Results) -> dict[str, Extreme]:
    """For outcomes whose estimates are always finite."""
    return {}


@dataclass(frozen=True)
class Outcome:
    """One outcome family with one likelihood. Arrays of draws have the draws first: eta may be (draws, rows)."""

    name: str
    likelihood: str
    formula: str
    """The likelihood in mathematics, a line."""
    words: str
    """What the family says of a game, in the words of `pooltable describe`."""
    unit: str
    row: Literal["game", "side", "entrant"]
    components: tuple[str, ...]
    """Parts a rating is the sum of: attack and defence, or just the total."""
    unit_sd: Callable[[Array, Array], float]
    """(y, exposure) -> typical size of an effect in units of eta; priors are multiples of it. Zero where results that
    are all alike do not tell it."""
    has_intercept: bool
    observe: Callable[[str, pl.DataFrame], pl.Series]
    """(league, sides of the games that count) -> result of each side or entrant, null where there is none; of
    an outcome of one row a game that of its first side counts. Raises FitError where results are not of its family."""
    auxiliaries: Callable[[float], tuple[Auxiliary, ...]]
    """unit_sd -> the likelihood's own parameters."""
    tallies: Callable[[Array, Array], Array]
    """(y, exposure) -> sufficient statistics of each row, shape (rows, k)."""
    log_density: Callable[[Array, Array, Auxiliaries], Array]
    """(tallies, eta, auxiliaries) -> log likelihood of each cell, with every constant, shape of eta."""
    derivatives: Callable[[Array, Array, Auxiliaries], tuple[Array, Array | csr_array, Array]]
    """(tallies, eta, auxiliaries) -> first, minus second, third derivative of the log likelihood in eta.

    The second is the diagonal, or a sparse matrix where rows of a game go together; the third is each row's own."""
    pymc: Callable[[Any, Any, Auxiliaries], Any]
    """(tallies, eta, auxiliaries) -> log likelihood as a PyTensor scalar, up to a constant."""
    simulate: Callable[[np.random.Generator, Array, Array, Auxiliaries, NDArray[np.intp]], Array]
    """(rng, eta, exposure, auxiliaries, game) -> simulated y of each row."""
    losses: Callable[[Array, Array, Array, Auxiliaries, NDArray[np.intp]], Array]
    """(y, exposure, eta of (draws, rows), auxiliaries of (draws, 1), game) -> log loss of each game's result under the
    mean over draws of the predictive distribution, shape (games,)."""
    baseline: Callable[[Results, NDArray[np.bool_]], Array]
    """(all results, which rows are to be forecast) -> log loss of each of those games under what is usual in the
    others."""
    chances: Callable[[Array, Array, Auxiliaries], Array]
    """(eta of the first side, of the second, auxiliaries) -> chances of win, draw, loss of the first, a new last axis.
    For an outcome of one row a game the second is unused and may be zeros. Where results grow with exposure, that
    of the auxiliaries counts."""
    margin: Callable[[Array, Array, Auxiliaries], Array]
    """(eta of the first side, of the second, auxiliaries) -> expected margin of the first, in points, or its chance to
    win above a half where there are no points."""
    statistics: tuple[Statistic, ...]
    points: Callable[[Array], Array] | None = None
    """Results y, rows last -> 1 where the first side of a game won, a half where it drew, else 0, games last; None of
    races."""
    counts: bool = False
    """Whether a row's result is a count from 0."""
    statuses: tuple[str, ...] = ("played",)
    """Which games count."""
    lacking: str = "a result"
    """What a game or an entrant that is left out has not, with its article."""
    remedy: str = "Run: pooltable check"
    """What to do where all are left out."""
    takes_link: bool = False
    """Whether its likelihoods are links: a stanza chooses one by `link`, not by `likelihood`."""
    centre: Callable[[Array, Array], float] = no_centre
    """(y, exposure) -> where the intercept's prior has its mean."""
    places: Callable[[np.random.Generator, Array, Auxiliaries], Places] | None = None
    """(rng, eta of (draws, entrants), auxiliaries of (draws, 1)) -> forecast of a race of these entrants; None where
    rows are not entrants."""
    extremes: Callable[[Results], dict[str, Extreme]] = no_extremes
    """Results -> by component, the sides that could not have done better or worse."""
    is_additive: bool = True
    """Whether tallies of rows with the same eta may be summed."""
    is_density: bool = False
    """Whether results are points of a line, whose log likelihood is of a density and not of a chance."""
    takes_noise: bool = True
    """Whether `noise` means anything to it."""
    contracted: Callable[[Array, Array, Auxiliaries, csr_array], Array] | None = None
    """(tallies, eta, auxiliaries, C) -> sum over j and k of l_ijk C_jk at each row i, l_ijk third derivatives of the
    log likelihood in eta, where rows of a game go together; C is symmetric, with the curvature's entries. None
    where rows stand alone: there it is the third derivative times the diagonal of C."""
    is_coarse: bool = False
    """Whether a single result says little more than yes or no, so that the posterior is not centred on its mode and
    deterministic inference matches moments instead."""
    layout: Callable[[Array, NDArray[np.intp]], Any] | None = field(default=None)
    """(y, game) -> what the likelihood needs to know of how rows go together, put into auxiliaries as `layout`."""
