"""Win: one of two sides wins, with a chance that is the link of the difference of their strengths.

Source of the model: Bradley and Terry (1952), "Rank analysis of incomplete block designs", Biometrika 39 (logit link);
Thurstone (1927), "A law of comparative judgment", Psychological Review 34 (probit link).
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.outcomes.links import LINKS, Link
from modeling.outcomes.noticed import noticed
from modeling.outcomes.outcome import Array, Auxiliaries, Extreme, Outcome, Results, Statistic
from modeling.outcomes.shared import density_losses, usual_shares
from modeling.outcomes.sides import less_the_other, winning
from modeling.outcomes.symbols import pt

WORDS = (
    "One of two sides wins a game. Its chance grows with its strength less the other's; two equals have a half each."
)
REMEDY = 'Games that may be drawn have outcome = "result", or "score". Otherwise run: pooltable check'


def tallies(y: Array, _exposure: Array) -> Array:
    """Wins and losses of the first side, shape (rows, 2)."""
    return np.stack([y, 1 - y], axis=1)


def with_link(link: Link) -> Outcome:
    """The family with a link: P(first side wins) = F(eta / noise)."""

    def log_density(tally: Array, eta: Array, aux: Auxiliaries) -> Array:
        x = eta / aux["noise"]
        wins, losses = tally.T
        return wins * link.log_cdf(x) + losses * link.log_cdf(-x)

    def derivatives(tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, Array, Array]:
        noise = aux["noise"]
        x, (wins, losses) = eta / noise, tally.T
        up, down = link.log_cdf_derivatives(x), link.log_cdf_derivatives(-x)
        slope = wins * up[0] - losses * down[0]
        curvature = -wins * up[1] - losses * down[1]
        return slope / noise, curvature / noise**2, (wins * up[2] - losses * down[2]) / noise**3

    def pymc(tally: Any, eta: Any, aux: Auxiliaries) -> Any:
        x = eta / aux["noise"]
        return pt.sum(tally[:, 0] * link.symbolic_log_cdf(x) + tally[:, 1] * link.symbolic_log_cdf(-x))

    def simulate(
        rng: np.random.Generator, eta: Array, _exposure: Array, aux: Auxiliaries, _game: NDArray[np.intp]
    ) -> Array:
        return (rng.random(eta.shape) < link.cdf(eta / aux["noise"])).astype(float)

    def chances(eta_first: Array, _eta_second: Array, aux: Auxiliaries) -> Array:
        win = link.cdf(eta_first / aux["noise"])
        return np.stack([win, np.zeros_like(win), 1 - win], axis=-1)

    return Outcome(
        name="win",
        likelihood=link.name,
        formula=f"P(first side wins) = F(eta / noise), F(x) = {link.formula}, eta = strength of first - of second",
        words=WORDS,
        unit=f"{link.name}s",
        row="game",
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
        losses=density_losses(log_density, tallies),
        baseline=_baseline,
        chances=chances,
        margin=lambda first, second, aux: chances(first, second, aux)[..., 0] - 0.5,
        statistics=STATISTICS,
        points=_points,
        statuses=("played", "retired"),
        lacking="a winner",
        remedy=REMEDY,
        takes_link=True,
        extremes=_extremes,
        is_coarse=True,
    )


def _observe(_league: str, sides: pl.DataFrame) -> pl.Series:
    """1 for the winner, 0 for the loser, null where there is not one of each."""
    difference = less_the_other(winning(sides))
    return pl.select(pl.when(difference > 0).then(1.0).when(difference < 0).then(0.0)).to_series()


def _baseline(results: Results, held_out: NDArray[np.bool_]) -> Array:
    return usual_shares((1 - results.y).astype(int), results.home, held_out, 2)


def _extremes(results: Results) -> dict[str, Extreme]:
    won = np.stack([results.y == 1, results.y == 0], axis=1).ravel()
    return {"total": Extreme(won, ~won, "won every game", "lost every game")}


def _points(y: Array) -> Array:
    return y


def _home_wins(results: Results) -> float:
    at_home = np.where(results.home > 0, results.y, 1 - results.y)[results.home != 0]
    return float(at_home.mean()) if at_home.size else float("nan")


def _favourites(results: Results) -> float:
    """Share of games won by the side with the higher eta."""
    assert results.eta is not None
    return float(np.mean((results.eta > 0) == (results.y == 1)))


def _heavy_favourites(results: Results) -> float:
    """The same of the quarter of games with the largest difference."""
    assert results.eta is not None
    apart = np.abs(results.eta)
    clear = apart >= np.quantile(apart, 0.75)
    return float(np.mean(((results.eta > 0) == (results.y == 1))[clear]))


# Nothing here counts wins by competitor: in a knock-out who wins plays on, so that the schedule tells of the results.
STATISTICS = (
    Statistic("home_wins", "share of home games won by the home side", _home_wins, "share", is_hard=True),
    Statistic("favourites", "share of games won by the favourite", _favourites, "share", is_hard=True, needs_eta=True),
    Statistic(
        "heavy_favourites",
        "share won by the favourite of the quarter of games with the clearest one",
        _heavy_favourites,
        "share",
        is_hard=True,
        needs_eta=True,
    ),
    *(one for one in noticed(_points, 1, has_draws=False) if one.name != "upsets"),
)
OUTCOMES = tuple(with_link(link) for link in LINKS)
