"""How far a fit leans on its priors: power-scaling.

What the posterior would be under priors raised to a power just above or below one is told by importance weights of its
draws; how far a quantity's distribution moves, as cumulative Jensen-Shannon distance for each doubling of the power, is
its sensitivity. The same for the likelihood. Kallioinen, Paananen, Buerkner and Vehtari (2024), "Detecting and
diagnosing prior and likelihood sensitivity with power-scaling", Statistics and Computing 34.

The priors are those of scales, fixed effects and the likelihood's own parameters; that competitors come from a common
distribution is the model, and no prior of it is scaled.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
import xarray as xr
from arviz_stats.base.array import array_stats

from modeling.design import Design
from modeling.engines.choice import CHAIN
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior
from modeling.ratings import Ratings, parameter_draws

POWERS = (0.99, 1.01)
SENSITIVE = (
    0.05  # Kallioinen and others (2024), section 2.4: what a Normal mean moved by 0.3 sd for a doubling comes to
)
FEWEST_DRAWS = 400
SCHEMA = {
    "kind": pl.String, "quantity": pl.String, "prior": pl.Float64, "likelihood": pl.Float64, "diagnosis": pl.String,
}  # fmt: skip


def sensitivity_rows(design: Design, tree: xr.DataTree, posterior: Posterior, ratings: list[Ratings]) -> pl.DataFrame:
    """Rows of `prior_sensitivity`: every parameter and the rating of everyone who is ranked.

    None of a fit whose draws do not hold effects and parameters together, as those of the chain engine, and none where
    the log likelihood of fewer than 400 draws was kept.
    """
    kept = tree["log_likelihood"]["y"]
    numbers = (
        np.arange(posterior.chains)[:, None] * (posterior.draws // posterior.chains) + kept["draw"].to_numpy()
    ).ravel()
    if tree.attrs["engine"] == CHAIN or len(numbers) < FEWEST_DRAWS:
        return pl.DataFrame(schema=SCHEMA)
    likely = weights(kept.to_numpy().reshape(len(numbers), -1).sum(axis=1))
    prior = weights(log_prior_of(design, posterior)[numbers])
    rows = []
    for kind, quantity, draws in _quantities(design, posterior, ratings):
        both = [sensitivity(draws[numbers], *one) for one in (prior, likely)]
        rows.append((kind, quantity, *both, diagnosis(*both)))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _quantities(design: Design, posterior: Posterior, ratings: list[Ratings]) -> Iterator[tuple[str, str, Array]]:
    """(kind, name, draws) of every parameter, and of the rating of everyone who is ranked."""
    for name, draws in parameter_draws(design, posterior, ratings).items():
        yield "parameter", name, draws
    for one in ratings:
        for number in np.flatnonzero(one.field.ranked):
            yield one.field.kind, one.field.competitors[number], one.components["total"][:, number]


def log_prior_of(design: Design, posterior: Posterior) -> Array:
    """Log density, up to a constant, of the priors of what is learned beside the effects, shape (draws,)."""
    total = np.zeros(posterior.draws)
    for block in design.blocks:
        if block.fixed_scale is None:
            total -= 0.5 * (posterior.scales[block.name] / block.prior_scale) ** 2
    for effect in design.fixed:
        total -= 0.5 * (posterior.fixed[effect.name] / effect.prior_sd) ** 2
    for one in design.auxiliaries:
        total -= 0.5 * (posterior.auxiliaries[one.name] / one.scale) ** 2
    return total


def weights(log_density: Array) -> tuple[Array, Array]:
    """Importance weights of the draws where a part of the posterior, by its log density at each, is raised to a power
    just below one and just above; even ones where it is the same everywhere."""
    if np.ptp(log_density) == 0:
        return np.ones(len(log_density)), np.ones(len(log_density))
    lower, upper = (
        np.exp(array_stats.power_scale_lw(log_density, alpha=power))  # pyright: ignore[reportArgumentType]
        for power in POWERS
    )
    return lower, upper


def sensitivity(draws: Array, lower: Array, upper: Array) -> float:
    """How far a quantity moves under two sets of weights, for a doubling of the power; zero of what is a constant."""
    if draws.std() == 0:
        return 0.0
    return float(np.asarray(array_stats.power_scale_sense(draws[None], lower[None], upper[None], *POWERS)))


def diagnosis(prior: float, likelihood: float) -> str:
    """What the two sensitivities say, in words."""
    if prior < SENSITIVE:
        return "rests on the results"
    return "leans on the prior" if likelihood < prior else "rests on the results and on the prior"
