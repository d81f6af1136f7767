"""A fit's ratings as the rows of the warehouse's tables, without league and fit_id."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from modeling.borrowing import Borrowed
from modeling.convergence import Diagnosis
from modeling.design import Design
from modeling.field import Field
from modeling.outcomes.outcome import Array, Auxiliaries
from modeling.posterior import HELD_AT_ONCE, Posterior
from modeling.ratings import Ratings, blocks_of, parameter_draws, prior_variance, slopes_of
from modeling.unpooled import Unpooled

QUANTILES = (5, 25, 50, 75, 95)
TOPS = {"best": 1, "top3": 3, "top10": 10}
SURELY = 0.9  # probability of being truly worse than the first of a tier from which on another begins
DRAWS_SCHEMA = {
    "kind": pl.String,
    "competitor_id": pl.String,
    "component": pl.String,
    "parameter": pl.String,
    "draws": pl.List(pl.Float32),
    "ranks": pl.List(pl.Int32),
}


def rating_rows(
    design: Design, posterior: Posterior, ratings: Ratings, unpooled: dict[str, Unpooled], rng: np.random.Generator
) -> pl.DataFrame:
    """One row a competitor and component, the slopes' components too: the columns of `rating`."""
    frames = [_component_rows(design, posterior, ratings, one, unpooled[one]) for one in ratings.components]
    slopes = slopes_of(design, posterior, ratings, rng)
    frames += [_summaries(ratings.field, slope.component, slope.units, slope.draws) for slope in slopes]
    return pl.concat(frames, how="diagonal").with_columns(
        pl.col("unpooled", "unpooled_se", "shrinkage", "shrinkage_by_distance").fill_nan(None)
    )


def _component_rows(
    design: Design, posterior: Posterior, ratings: Ratings, component: str, alone: Unpooled
) -> pl.DataFrame:
    field, draws = ratings.field, ratings.components[component]
    mean, variance = draws.mean(axis=0), draws.var(axis=0)
    group = _group_means(design, posterior, field, component)
    far = np.abs(alone.estimate - group) >= alone.se
    distance = 1 - (mean - group) / np.where(far, alone.estimate - group, np.nan)
    shrinkage = np.clip(variance / prior_variance(design, posterior, field, component), 0, 1)
    return _summaries(field, component, tuple(range(len(field.competitors))), draws).with_columns(
        unpooled=pl.Series(alone.estimate),
        unpooled_se=pl.Series(alone.se),
        unpooled_reason=pl.Series(alone.reason, dtype=pl.String),
        shrinkage=pl.Series(shrinkage),
        shrinkage_by_distance=pl.Series(distance),
    )


def _summaries(field: Field, component: str, units: tuple[int, ...], draws: Array) -> pl.DataFrame:
    some = np.array_split(draws, max(1, int(draws.size / HELD_AT_ONCE)), axis=1)
    quantiles = np.concatenate([np.percentile(part, QUANTILES, axis=0) for part in some], axis=1)
    return pl.DataFrame(
        {
            "kind": [field.kind] * len(units),
            "competitor_id": [field.competitors[unit] for unit in units],
            "component": [component] * len(units),
            "mean": draws.mean(axis=0),
            "sd": draws.std(axis=0),
            **{f"q{q}": quantiles[i] for i, q in enumerate(QUANTILES)},
        }
    )


def _group_means(design: Design, posterior: Posterior, field: Field, component: str) -> Array:
    """The mean that each competitor is pooled to, on the ratings' zero: its group's, or the population's."""
    total = np.zeros(len(field.competitors))
    for block in blocks_of(design, field.kind, component):
        state = posterior.last(block).mean(axis=0)
        total -= state[field.reference].mean()
        total += state if block.role == "group" else 0.0
    return total


def standing_rows(design: Design, posterior: Posterior, ratings: Ratings, intercept: Array) -> pl.DataFrame:
    """One row a competitor: the columns of `standing`."""
    field, ranked = ratings.field, ratings.field.ranked
    mean = ratings.components["total"].mean(axis=0)

    def among_ranked(values: Array) -> Array:
        spread = np.full(len(ranked), np.nan)
        spread[ranked] = values
        return spread

    low, high = np.percentile(ratings.ranks, [5, 95], axis=0, method="inverted_cdf") if ranked.any() else ([], [])
    integer = {
        "rank": among_ranked(rankdata(-mean[ranked], method="ordinal")),
        "rank_low": among_ranked(np.asarray(low)),
        "rank_high": among_ranked(np.asarray(high)),
        "tier": among_ranked(tiers(ratings.ranks, mean[ranked])),
    }
    chance = {f"p_{name}": among_ranked((ratings.ranks <= k).mean(axis=0)) for name, k in TOPS.items()}
    return pl.DataFrame(
        {
            "kind": [field.kind] * len(mean),
            "competitor_id": field.competitors,
            "status": field.status.tolist(),
            "pool": field.pool,
            **{name: pl.Series(values).fill_nan(None).cast(pl.Int32) for name, values in integer.items()},
            **{name: pl.Series(values).fill_nan(None) for name, values in chance.items()},
            "games": field.games,
            "last_played": field.last_played,
            "expected_margin": _expected_margin(design, posterior, ratings, intercept),
        }
    )


def tiers(ranks: Array, mean: Array) -> Array:
    """Tier of each of the ranked, from 1, given their ranks in every draw (draws, ranked) and their mean ratings.

    A tier begins with the best, and again with the next below who is truly worse than the first of the present tier
    with probability `SURELY` or more: within a tier nobody is surely worse than its first.
    """
    order = np.argsort(-mean, kind="stable")
    found, tier, first = np.ones(len(mean)), 1, 0
    for place in range(1, len(order)):
        if (ranks[:, order[first]] < ranks[:, order[place]]).mean() >= SURELY:
            tier, first = tier + 1, place
        found[order[place]] = tier
    return found


def _expected_margin(design: Design, posterior: Posterior, ratings: Ratings, intercept: Array) -> Array:
    """Mean margin against a reference side on neutral ground."""
    arguments = {"noise": 1.0} | {name: draws[:, None] for name, draws in posterior.auxiliaries.items()}
    count = len(ratings.field.competitors)
    some = np.array_split(np.arange(count), max(1, int(count * len(intercept) / HELD_AT_ONCE)))
    return np.concatenate([_margins(design, ratings, one, intercept, arguments) for one in some])


def _margins(
    design: Design, ratings: Ratings, some: NDArray[np.intp], intercept: Array, arguments: Auxiliaries
) -> Array:
    parts = {name: draws[:, some] for name, draws in ratings.components.items()}
    if "attack" in parts:
        first, second = intercept[:, None] + parts["attack"], intercept[:, None] - parts["defence"]
    else:
        first, second = parts["total"], np.zeros_like(parts["total"])
    return design.outcome.margin(first, second, arguments).mean(axis=0)


def borrowing_rows(field: Field, borrowed: Borrowed) -> pl.DataFrame:
    """One row a competitor: the columns of `borrowing`."""
    who = {"kind": [field.kind] * len(field.competitors), "competitor_id": field.competitors}
    return pl.DataFrame(who | borrowed.shares)


def hyperparameter_rows(
    design: Design, posterior: Posterior, ratings: list[Ratings], found: dict[str, Diagnosis]
) -> pl.DataFrame:
    """One row a scale, fixed effect or parameter of the likelihood: the columns of `hyperparameter`."""
    draws = parameter_draws(design, posterior, ratings)
    return pl.DataFrame(
        [
            {"parameter": name, "title": title, "prior": prior}
            | {"mean": float(draws[name].mean()), "sd": float(draws[name].std())}
            | {f"q{q}": float(np.percentile(draws[name], q)) for q in QUANTILES}
            | {key: getattr(found[name], key) for key in ("r_hat", "ess_bulk", "ess_tail")}
            for name, (title, prior) in design.parameters.items()
        ]
    ).with_columns(pl.col("r_hat", "ess_bulk", "ess_tail").fill_nan(None))


def draw_rows(design: Design, posterior: Posterior, ratings: list[Ratings]) -> Iterator[pl.DataFrame]:
    """The draws file of a fit, some rows at a time: rating draws, then parameter draws (`parameter` is not NULL)."""
    for one in ratings:
        ranks = dict(zip(np.flatnonzero(one.field.ranked).tolist(), one.ranks.T, strict=True))
        for component, draws in one.components.items():
            pieces = max(1, int(draws.size / HELD_AT_ONCE))
            for some in np.array_split(np.arange(draws.shape[1]), pieces):
                yield _rating_draws(one.field, component, draws, ranks if component == "total" else {}, some)
    parameters = parameter_draws(design, posterior, ratings)
    rows = [{"parameter": name, "draws": draws.astype(np.float32)} for name, draws in parameters.items()]
    yield pl.DataFrame(rows, schema=DRAWS_SCHEMA)


def _rating_draws(
    field: Field, component: str, draws: Array, ranks: Mapping[int, NDArray[np.integer]], some: NDArray[np.intp]
) -> pl.DataFrame:
    rows = [
        {
            "kind": field.kind,
            "competitor_id": field.competitors[i],
            "component": component,
            "draws": draws[:, i].astype(np.float32),
            "ranks": ranks[i].astype(np.int32) if i in ranks else None,
        }
        for i in some.tolist()
    ]
    return pl.DataFrame(rows, schema=DRAWS_SCHEMA)
