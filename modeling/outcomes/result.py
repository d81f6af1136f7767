"""Result: win, draw or loss, ordered on the difference of strengths, with a draw within a learned distance of zero.

Source of the model: Rao and Kupper (1967), "Ties in paired-comparison experiments", JASA 62 (logit); Glenn and David
(1960), "Ties in paired-comparison experiments using a modified Thurstone-Mosteller model", Biometrics 16 (probit).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.outcomes.links import LINKS, Link
from modeling.outcomes.noticed import ends_of, noticed
from modeling.outcomes.outcome import Array, Auxiliaries, Auxiliary, Extreme, Outcome, Results, Statistic
from modeling.outcomes.shared import density_losses, usual_shares, variance_of_means
from modeling.outcomes.sides import less_the_other, other, winning
from modeling.outcomes.symbols import pt

LEAST = 1e-300


def tallies(y: Array, _exposure: Array) -> Array:
    """Wins, draws and losses of the first side, shape (rows, 3)."""
    return np.stack([y == 0, y == 1, y == 2], axis=1).astype(float)


@dataclass(frozen=True)
class Ordered:
    """The likelihood with a link: P(win) = F(x - draw_width), P(loss) = F(-x - draw_width), x = eta / noise."""

    link: Link

    def chances(self, eta_first: Array, _eta_second: Array, aux: Auxiliaries) -> Array:
        """Chances of win, draw and loss."""
        x, draw = eta_first / aux["noise"], aux["draw_width"]
        win, loss = self.link.cdf(x - draw), self.link.cdf(-x - draw)
        return np.stack([win, np.maximum(1 - win - loss, 0), loss], axis=-1)

    def log_density(self, tally: Array, eta: Array, aux: Auxiliaries) -> Array:
        """Log likelihood of cells."""
        x, draw = eta / aux["noise"], aux["draw_width"]
        between = _between(self.link, x, draw)
        wins, draws, losses = tally.T
        return wins * self.link.log_cdf(x - draw) + draws * np.log(between) + losses * self.link.log_cdf(-x - draw)

    def derivatives(self, tally: Array, eta: Array, aux: Auxiliaries) -> tuple[Array, Array, Array]:
        """First, minus second and third derivative of that in eta."""
        noise, draw = aux["noise"], aux["draw_width"]
        x, (wins, draws, losses) = eta / noise, tally.T
        up, down = self.link.log_cdf_derivatives(x - draw), self.link.log_cdf_derivatives(-x - draw)
        level = _log_derivatives_between(self.link, x, draw)
        slope = wins * up[0] + draws * level[0] - losses * down[0]
        second = wins * up[1] + draws * level[1] + losses * down[1]
        third = wins * up[2] + draws * level[2] - losses * down[2]
        return slope / noise, -second / noise**2, third / noise**3

    def pymc(self, tally: Any, eta: Any, aux: Auxiliaries) -> Any:
        """The same as a PyTensor scalar."""
        x, draw = eta / aux["noise"], aux["draw_width"]
        far = -pt.abs(x)
        between = pt.log(pt.maximum(self.link.symbolic_cdf(far + draw) - self.link.symbolic_cdf(far - draw), LEAST))
        won, lost = self.link.symbolic_log_cdf(x - draw), self.link.symbolic_log_cdf(-x - draw)
        return pt.sum(tally[:, 0] * won + tally[:, 1] * between + tally[:, 2] * lost)

    def simulate(
        self, rng: np.random.Generator, eta: Array, _exposure: Array, aux: Auxiliaries, _game: NDArray[np.intp]
    ) -> Array:
        """Simulated results."""
        seen = eta / aux["noise"] + self.link.noise(rng, eta.shape)
        return 1.0 - np.where(np.abs(seen) <= aux["draw_width"], 0.0, np.sign(seen))

    def margin(self, eta_first: Array, eta_second: Array, aux: Auxiliaries) -> Array:
        """Chance to win above a half, a draw counting half."""
        each = self.chances(eta_first, eta_second, aux)
        return (each[..., 0] - each[..., 2]) / 2


def with_link(link: Link) -> Outcome:
    """The family with a link."""
    ordered = Ordered(link)
    return Outcome(
        name="result",
        likelihood=link.name,
        formula=f"P(win) = F(x - draw_width), P(loss) = F(-x - draw_width), x = eta / noise, F(x) = {link.formula}",
        words="A game is won, drawn or lost. The chances follow from one side's strength less the other's, and a draw "
        "is the likelier the nearer the two are.",
        unit=f"{link.name}s",
        row="game",
        components=("total",),
        unit_sd=lambda _y, _exposure: 1.0,
        has_intercept=False,
        observe=_observe,
        auxiliaries=lambda unit: (Auxiliary("draw_width", "half width of a draw", 2 * unit, start=0.5),),
        tallies=tallies,
        log_density=ordered.log_density,
        derivatives=ordered.derivatives,
        pymc=ordered.pymc,
        simulate=ordered.simulate,
        losses=density_losses(ordered.log_density, tallies),
        baseline=_baseline,
        chances=ordered.chances,
        margin=ordered.margin,
        statistics=STATISTICS,
        points=_points,
        takes_link=True,
        extremes=_extremes,
        is_coarse=True,
    )


def _observe(_league: str, sides: pl.DataFrame) -> pl.Series:
    """0 for a win, 1 for a draw, 2 for a loss. A played game without scores that nobody won was drawn."""
    difference = less_the_other(winning(sides))
    nobody = sides["score"].is_null() & ~sides["won"].fill_null(False)
    drawn = nobody & other(nobody)
    return pl.select(pl.when(drawn).then(1.0).otherwise(1.0 - difference.sign())).to_series()


def _log_derivatives_between(link: Link, x: Array, draw: Any) -> tuple[Array, Array, Array]:
    """First three derivatives in x of log(F(x + draw) - F(x - draw))."""
    far, sign = -np.abs(x), np.where(x > 0, -1.0, 1.0)
    chance = _between(link, x, draw)
    high, low = link.density(far + draw), link.density(far - draw)
    one, two, three = ((a - b) / chance for a, b in zip(high, low, strict=True))
    return sign * one, two - one**2, sign * (three - 3 * one * two + 2 * one**3)


def _between(link: Link, x: Array, draw: Any) -> Array:
    """Chance of a draw, from the lower tail, where the difference of two chances keeps its digits."""
    far = -np.abs(x)
    return np.maximum(link.cdf(far + draw) - link.cdf(far - draw), LEAST)


def _baseline(results: Results, held_out: NDArray[np.bool_]) -> Array:
    return usual_shares(results.y.astype(int), results.home, held_out, 3)


def _extremes(results: Results) -> dict[str, Extreme]:
    best = np.stack([results.y == 0, results.y == 2], axis=1).ravel()
    worst = np.stack([results.y == 2, results.y == 0], axis=1).ravel()
    return {"total": Extreme(best, worst, "won every game", "lost every game")}


def _points(y: Array) -> Array:
    return 1 - y / 2


def _home_wins(results: Results) -> float:
    at_home = np.where(results.home > 0, results.y == 0, results.y == 2)[results.home != 0]
    return float(at_home.mean()) if at_home.size else float("nan")


def _draws(results: Results) -> float:
    return float(np.mean(results.y == 1))


def _spread(results: Results) -> float:
    """Variance between competitors of their points a game (win 1, draw a half), of those with ten games or more."""
    ends = np.concatenate([results.entrant, results.opponent])
    return variance_of_means(ends, ends_of(results, _points))


STATISTICS = (
    Statistic("home_wins", "share of home games won by the home side", _home_wins, "share", is_hard=True),
    Statistic("draws", "share of games drawn", _draws, "share", is_hard=True),
    Statistic("spread", "variance between competitors of their points a game", _spread, "variance", is_hard=True),
    *noticed(_points, 1, has_draws=True),
)
OUTCOMES = tuple(with_link(link) for link in LINKS)
