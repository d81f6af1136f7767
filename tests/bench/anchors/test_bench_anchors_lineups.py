"""NHL goals with everyone on the ice and NBA stints, beside a ridge on the same past.

The ridge has our Design's columns: the players', penalised, and those of home sides and situations, which are not. Its
penalty is chosen by cross-validation over whole matches of the past. Each window is forecast by everything before it,
ours refitted as `pooltable backtest` does. Intervals are by whole matches.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array, hstack
from scipy.special import expit

from modeling.backtest_contests import contests_of, read_asked
from modeling.backtest_cuts import MODEL, Window, past_and_to_come, refitted
from modeling.baselines.contests import Contests, Forecasts
from modeling.build import build_design
from modeling.design import Design
from store.home import Home
from store.stanzas import Stanza

pytestmark = [pytest.mark.bench, pytest.mark.long, pytest.mark.real, pytest.mark.timeout(14_400)]

Array = NDArray[np.float64]

SEED = 20120315
FOLDS = 5
LOOSE = 1e-3  # penalty of what is not to be penalised
GOALS = (date(2012, 7, 1), date(2013, 7, 1))  # a goal's day is its season's last: 2012-13, by ten seasons
STINTS = (date(2012, 3, 1), date(2012, 3, 22), date(2012, 4, 16))
LOGIT_PENALTIES = np.geomspace(3, 100, 6)
POINT_PENALTIES = np.geomspace(0.3, 300, 16)  # in full exposures


@dataclass(frozen=True)
class Cut:
    """A window's games: as a Design without their results, as they came, and as we forecast them."""

    design: Design
    came: Contests
    rows: NDArray[np.bool_]
    """The rows of the window; the others are the past's."""
    said: Forecasts

    @property
    def contest(self) -> NDArray[np.intp]:
        """The match of each row."""
        assert self.design.contest is not None
        return self.design.contest[self.design.game]


@pytest.fixture(scope="module")
def cuts(kept: Home, loaded: Callable[[str], Stanza]) -> Callable[..., Iterator[Cut]]:
    """cuts(league, days): a window from each of the days to the next."""

    def walk(league: str, days: tuple[date, ...]) -> Iterator[Cut]:
        stanza = loaded(league)
        asked = read_asked(kept, league, stanza, days[-1] + timedelta(days=1))
        contests = contests_of(asked)
        for first, until in pairwise(days):
            window = Window(first, until)
            given = asked.games, asked.counting, asked.known, [window], "fast", lambda _share: None
            ((_window, made),) = refitted(stanza, *given)
            design = build_design(stanza, past_and_to_come(asked.games, asked.counting, window), asked.known)
            rows = (design.played_on >= np.datetime64(first, "D"))[design.game]
            ids, said = made[MODEL]
            came = contests.between(first, until)
            assert list(ids) == list(came.game_id)
            yield Cut(design, came, rows, said)

    return walk


def columns(design: Design) -> tuple[csr_array, int]:
    """The columns of every row, those that are not penalised first, and how many they are."""
    others = [block for block in design.blocks if not block.kind]
    free = [np.ones((len(design.y), 1))] if design.outcome.has_intercept else []
    free += [one.values[:, None] for one in design.fixed] + [block.weights.toarray() for block in others]
    players = [block.weights for block in design.blocks if block.role == "base" and block.kind]
    count = sum(one.shape[1] for one in free)
    return csr_array(hstack([csr_array(np.hstack(free)), *players], format="csr")), count


def folds(cut: Cut, past: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """(rows to learn from, rows to judge by) of the past, by whole matches."""
    matches, number = np.unique(cut.contest[past], return_inverse=True)
    fold = np.random.default_rng(SEED).permutation(len(matches))[number] % FOLDS
    for one in range(FOLDS):
        yield past[fold != one], past[fold == one]


def chosen(cut: Cut, penalties: Array, fit: Callable, error: Callable) -> Array:
    """Coefficients of the past at the penalty that forecasts its left-out matches best."""
    past = np.flatnonzero(~cut.rows)
    total = np.zeros(len(penalties))
    for inside, outside in folds(cut, past):
        for i, penalty in enumerate(penalties):
            total[i] += error(fit(inside, penalty), outside)
    best = int(np.argmin(total))
    assert 0 < best < len(penalties) - 1, "the best penalty is at the edge of those that were tried"
    return fit(past, penalties[best])


def logistic_ridge(cut: Cut) -> Array:
    """Chance that the first side wins each game of the window, from the logistic ridge."""
    x, free = columns(cut.design)
    width = len(x[[0]].toarray()[0])
    y, weight = cut.design.y, np.r_[np.full(free, LOOSE), np.ones(width - free)]
    last = np.zeros(width)

    def fit(rows: NDArray[np.intp], penalty: float) -> Array:
        own, sign = x[rows], 2 * y[rows] - 1
        ridge = np.where(weight == 1, penalty, LOOSE)

        def objective(beta: Array) -> tuple[float, Array]:
            eta = sign * (own @ beta)
            value = float(np.logaddexp(0, -eta).sum() + 0.5 * ridge @ beta**2)
            return value, -own.T @ (sign * expit(-eta)) + ridge * beta

        last[:] = minimize(objective, last, jac=True, method="L-BFGS-B", options={"maxiter": 300, "gtol": 1e-3}).x
        return last.copy()

    def error(beta: Array, rows: NDArray[np.intp]) -> float:
        return float(np.logaddexp(0, -(2 * y[rows] - 1) * (x[rows] @ beta)).sum())

    return expit(x[cut.rows] @ chosen(cut, LOGIT_PENALTIES, fit, error))


def points_ridge(cut: Cut) -> Array:
    """Expected margin of the first side in each stint of the window, from the ridge weighted by possessions."""
    sparse, free = columns(cut.design)
    x, y, exposure = sparse.toarray(), cut.design.y, cut.design.exposure
    penalised = np.r_[np.full(free, 1e-9), np.ones(x.shape[1] - free)]
    known: dict[tuple[int, int], tuple[Array, Array]] = {}

    def fit(rows: NDArray[np.intp], penalty: float) -> Array:
        key = len(rows), int(rows[0])
        if key not in known:
            known[key] = x[rows].T @ (exposure[rows, None] * x[rows]), x[rows].T @ y[rows]
        inner, right = known[key]
        return np.linalg.solve(inner + np.diag(np.where(penalised == 1, penalty, 1e-9)), right)

    def error(beta: Array, rows: NDArray[np.intp]) -> float:
        return float(((y[rows] - exposure[rows] * (x[rows] @ beta)) ** 2 / exposure[rows]).sum())

    made = exposure * (x @ chosen(cut, POINT_PENALTIES, fit, error))
    return made[cut.rows][0::2] - made[cut.rows][1::2]


def test_hockey_goals(cuts, anchors, told):
    (cut,) = cuts("nhl", GOALS)
    won = 1 - cut.came.result / 2
    rows = {
        "ours": told(cut.said.chances[:, 0], won),
        "ridge on players, home and situation": told(logistic_ridge(cut), won),
    }
    match = np.unique(cut.contest[cut.rows], return_inverse=True)[1]
    found = anchors("NHL goals of 2012-13 by the ten seasons before: which side scored", match, rows)
    assert "they are ahead" not in found.values()


def test_basketball_stints(cuts, anchors, told_of):
    ours, ridge, match, before = [], [], [], 0
    for cut in cuts("nba", STINTS):
        assert cut.said.margin is not None
        exposure = cut.design.exposure[cut.rows].reshape(-1, 2).mean(axis=1)
        ours.append((cut.said.margin - cut.came.margin) ** 2 / exposure)
        ridge.append((points_ridge(cut) - cut.came.margin) ** 2 / exposure)
        match.append(before + np.unique(cut.contest[cut.rows], return_inverse=True)[1][0::2])
        before = int(match[-1].max()) + 1
    rows = {"ours": told_of(np.concatenate(ours)), "ridge by possessions": told_of(np.concatenate(ridge))}
    title = "NBA stints from 1 March 2012, each window by the games before it"
    found = anchors(title, np.concatenate(match), rows, loss="squared error of the margin over possessions")
    assert "they are ahead" not in found.values()
