"""Every engine and every peer on the same games: seconds of a fit, and how well it forecasts.

Walking forward, the games of each window are forecast by everybody from the games before it, taught anew. Seconds are
of the last teaching, without compiling. Of the drift that our engines learn, peers that cannot learn it are told the
truth. Log losses are of the same games, differences with 95 % intervals by weeks. How the fast engine agrees with
NUTS is told in sds of NUTS, as audits have it. Ratios are never asserted; only that forecasts are better than none.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import poisson

import bench_peers as peers
from bench_leagues import Matches, duels, games_of, goals
from bench_limits import factor_seconds, precision_of, timed
from bench_report import Report, need, sized
from modeling.agreement import agree, drawn_of
from modeling.backtest_cuts import MODEL, Window, past_and_to_come, refitted
from modeling.backtest_scores import paired
from modeling.build import build_design
from modeling.design import Design
from modeling.engines.choice import choose, prepare
from modeling.field import make_field
from modeling.games import Games
from modeling.posterior import Posterior, from_tree
from modeling.ratings import make_ratings
from store.stanzas import Stanza

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

Array = NDArray[np.float64]

SEED, DRAWS, DRIFT, SPREAD = 1, 1000, 0.5, 0.7
WINDOWS, WINDOW_DAYS = sized(4, 1), 28
COMMON = {"title": "Simulated", "feed": "none", "source": ("none",), "min_games": 1}
WALK = Stanza.model_validate(COMMON | {"outcome": "win", "walk": ("team",), "period": "quarter"})
GOALS = Stanza.model_validate(COMMON | {"outcome": "score", "effects": ("home",)})
REPEATS = {"fast": 5, "nuts": 1}  # of which the median counts
GOALS_MOST = 15  # of a side, beyond which nothing is counted


@dataclass(frozen=True)
class Made:
    """What a forecaster took, and its log losses of the games of all windows."""

    seconds: float
    loss: Array


@dataclass(frozen=True)
class League:
    """A simulated league, with the matches to be forecast."""

    stanza: Stanza
    games: Games
    matches: Matches
    scores: NDArray[np.int_] | None = None

    @property
    def windows(self) -> list[NDArray[np.bool_]]:
        """Of each window, which matches are in it: the last days."""
        last = self.matches.day[-1] + 1
        starts = last - WINDOW_DAYS * np.arange(WINDOWS, 0, -1)
        return [(self.matches.day >= one) & (self.matches.day < one + WINDOW_DAYS) for one in starts]

    @property
    def judged(self) -> NDArray[np.bool_]:
        """The matches of all windows."""
        return np.any(self.windows, axis=0)

    @property
    def result(self) -> NDArray[np.int_]:
        """0, 1, 2 of a win, draw or loss of the first side."""
        if self.scores is None:
            return np.where(self.matches.won == 1, 0, 2)
        return 1 - np.sign(self.scores[:, 0] - self.scores[:, 1])

    def loss(self, chances: list[Array]) -> Array:
        """Log losses of chances of win, draw and loss, by window."""
        said, came = np.concatenate(chances), self.result[self.judged]
        return -np.log(np.maximum(said[np.arange(len(came)), came], 1e-12))

    def design(self) -> Design:
        """Everything before the last window."""
        counting, window = frozenset(self.matches.ids), self.as_windows()[-1]
        return build_design(self.stanza, past_and_to_come(self.games, counting, window), ())

    def as_windows(self) -> list[Window]:
        """The windows by days."""
        firsts = [date(1970, 1, 1) + timedelta(days=int(self.matches.day[one][0])) for one in self.windows]
        return [Window(first, first + timedelta(days=WINDOW_DAYS)) for first in firsts]


def ours(league: League, wanted: str) -> tuple[Made, Posterior]:
    """An engine of ours: forecasts, and the seconds and the posterior of the last fit."""
    counting = frozenset(league.matches.ids)
    made = refitted(league.stanza, league.games, counting, (), league.as_windows(), wanted, lambda _: None)
    chances = [one[MODEL][1].chances for _window, one in made]
    design = league.design()
    engine = prepare(choose(design, wanted).engine, design, None)
    past = design.played_on < np.datetime64(league.as_windows()[-1].first, "D")
    taught = [timed(lambda: engine.sample(past, SEED, DRAWS, lambda _: None, 0.8)) for _ in range(REPEATS[wanted])]
    seconds = statistics.median(one for one, _tree in taught)
    return Made(seconds, league.loss(chances)), from_tree(design, taught[-1][1])


def peer(league: League, ask: Callable[[Matches, NDArray[np.int32], Array], Array]) -> Made:
    """A peer that is taught the matches before each window and asked for the chances of its pairs."""
    seconds, chances = 0.0, []
    for window in league.windows:
        past = league.matches.of(league.matches.day < league.matches.day[window][0])
        pair, day = league.matches.pair[window], league.matches.day[window].astype(float)
        seconds, won = timed(lambda past=past, pair=pair, day=day: ask(past, pair, day))
        chances.append(np.stack([won, np.zeros(len(won)), 1 - won], axis=1))
    return Made(seconds, league.loss(chances))


def agreement(league: League, fast: Posterior, nuts: Posterior) -> dict[str, float]:
    """How far the fast engine lies from NUTS, in NUTS's sds."""
    design, drawn = league.design(), []
    for posterior in (fast, nuts):
        fields = [make_field(design, kind, league.stanza, league.games.as_of) for kind in design.kinds]
        ratings = [make_ratings(design, posterior, field, np.random.default_rng(SEED)) for field in fields]
        drawn.append(drawn_of(design, posterior, ratings))
    told = agree(*drawn)
    found, chance = told.found.effects, told.error.effects
    return {"means apart at most, sds": found.means, "by chance": chance.means, "sd ratio from": found.sd_low,
            "to": found.sd_high, "by chance to": chance.sd_high}  # fmt: skip


class Fits:
    """The rows of one league: ours beside NUTS, a limit and each peer."""

    def __init__(self, league: League, name: str, report: Report) -> None:
        self.league, self.report, self.what = league, report, f"{name}, {len(league.matches.ids):,} games"
        self.ours, fast = ours(league, "fast")
        nuts, self.nuts = ours(league, "nuts")
        self.beside("NUTS (PyMC, nutpie)", nuts, **agreement(league, fast, self.nuts))
        limit = factor_seconds(precision_of(league.design()))
        report.add("fit", self.what, self.ours.seconds, "s", "one sparse factorisation", limit)
        assert self.ours.loss.mean() < np.log(2 if league.scores is None else 3)

    def beside(self, name: str, made: Made, **also: float) -> None:
        """A row of a peer's seconds and log losses."""
        week = self.league.matches.day[self.league.judged] // 7
        apart = paired(made.loss - self.ours.loss, week, SEED)
        losses = {"our_log_loss": self.ours.loss.mean(), "their_log_loss": made.loss.mean()}
        self.report.add("fit", self.what, self.ours.seconds, "s", name, made.seconds, **losses,
                        they_less_us=apart.mean, low=apart.low, high=apart.high, **also)  # fmt: skip


@pytest.fixture(scope="module")
def walks(report: Report) -> Fits:
    """Players whose strengths drift, and who wins."""
    matches = duels(*sized((10_000, 120), (3_000, 50)), drift=DRIFT)
    return Fits(League(WALK, games_of(matches), matches), "who wins, drifting", report)


@pytest.fixture(scope="module")
def scored(report: Report) -> Fits:
    """Teams that score goals at home and away."""
    matches = duels(*sized((4_000, 60), (1_500, 24)))
    scores = goals(matches)
    return Fits(League(GOALS, games_of(matches, scores, home=True), matches, scores), "goals", report)


WHO_WINS: dict[str, tuple[str, str, Callable[[Matches, NDArray[np.int32], Array], Array]]] = {
    "TrueSkill Through Time": (
        "trueskillthroughtime", "trueskillthroughtime",
        lambda past, pair, day: peers.through_time(past, pair, day, SPREAD, DRIFT),
    ),
    "whole-history-rating": (
        "whr", "whole-history-rating", lambda past, pair, day: peers.whole_history(past, pair, DRIFT)
    ),
    "openskill, Plackett-Luce": ("openskill", "openskill", lambda past, pair, day: peers.openskill_frozen(past, pair)),
    "choix, Bradley-Terry": ("choix", "choix", lambda past, pair, day: peers.choix(past, pair)),
} | {
    name: (
        "riix", "riix",
        lambda past, pair, day, name=name: peers.riix_frozen(name, past, pair, int(day[0]) - 2 * WINDOW_DAYS),
    )
    for name in peers.RIIX
}  # fmt: skip


@pytest.mark.parametrize("name", WHO_WINS)
def test_who_wins(walks: Fits, name: str) -> None:
    module, package, ask = WHO_WINS[name]
    need(module, package)
    walks.beside(name, peer(walks.league, ask))


def three_ways(first: Array, second: Array) -> Array:
    """Chances of win, draw and loss from rates of goals."""
    of_first, of_second = (poisson.pmf(np.arange(GOALS_MOST), rate[:, None]) for rate in (first, second))
    score = of_first[:, :, None] * of_second[:, None, :]
    draw = np.trace(score, axis1=1, axis2=2)
    loss = np.triu(score, 1).sum(axis=(1, 2))
    return np.stack([1 - draw - loss, draw, loss], axis=1)


def names(pair: NDArray[np.int32]) -> tuple[list[str], list[str]]:
    """Names of the first and the second teams."""
    first, second = pair.T.tolist()
    return [f"t{one:05d}" for one in first], [f"t{one:05d}" for one in second]


def test_goals_beside_penaltyblog(scored: Fits) -> None:
    need("penaltyblog", "penaltyblog")
    league, seconds, chances = scored.league, 0.0, []
    assert league.scores is not None
    for window in league.windows:
        past = league.matches.day < league.matches.day[window][0]
        coming = list(zip(*names(league.matches.pair[window]), strict=True))
        seconds, said = peers.penaltyblog(*names(league.matches.pair[past]), league.scores[past], coming)
        chances.append(said)
    scored.beside("penaltyblog, Poisson", Made(seconds, league.loss(chances)))


@pytest.mark.parametrize("package", ["lme4", "glmmTMB", "rstan"])
def test_goals_beside_r(scored: Fits, package: str, tmp_path: Path) -> None:
    if why := peers.missing_in_r(package):
        pytest.skip(why)
    league, fits, chances = scored.league, [], []
    for window in league.windows:
        past = league.matches.day < league.matches.day[window][0]
        fits.append(found := peers.in_r(package, rows_of(league, past), tmp_path))
        first, second = league.matches.pair[window].T
        at_home = np.exp(found.intercept + found.at_home + found.attack[first] + found.defence[second])
        chances.append(three_ways(at_home, np.exp(found.intercept + found.attack[second] + found.defence[first])))
    apart = attack_apart(scored.nuts, fits[-1].attack)
    scored.beside(f"{package} (R)", Made(fits[-1].seconds, league.loss(chances)), **apart)


def attack_apart(nuts: Posterior, attack: Array) -> dict[str, float]:
    """How far a peer's attacks lie from those of NUTS, in its sds, as contrasts to the mean of all."""
    draws = nuts.blocks["attack"] - nuts.blocks["attack"].mean(axis=1, keepdims=True)
    return {"attacks apart from NUTS at most, sds": float(
        np.abs((attack - attack.mean() - draws.mean(axis=0)) / draws.std(axis=0)).max()
    )}  # fmt: skip


def rows_of(league: League, chosen: NDArray[np.bool_]) -> pl.DataFrame:
    """Rows of goals, a side each."""
    assert league.scores is not None
    first, second = names(league.matches.pair[chosen])
    scores = league.scores[chosen]
    sides = [
        pl.DataFrame({"goals": scores[:, k], "at_home": 1 - k, "attack": one, "defence": other})
        for k, (one, other) in enumerate([(first, second), (second, first)])
    ]
    return pl.concat(sides)
