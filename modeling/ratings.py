"""From joint draws to ratings: contrasts to the ranked, ranks with their uncertainty, unpooled estimates, shrinkage."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import rankdata

from modeling.design import Block, Design
from modeling.engines.laplace import Laplace
from modeling.games import Games
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior
from store.stanzas import Stanza

QUANTILES = (5, 25, 50, 75, 95)
TOPS = {"best": 1, "top3": 3, "top10": 10}
WITHOUT_GOALS = {"attack": "never scored", "defence": "never conceded"}
VAGUE = 5.0  # in prior scales: half of the sd that "no pooling" starts from, so the results said next to nothing


@dataclass(frozen=True)
class Field:
    """Who is rated in one kind, in the order of the blocks' levels, and who of them is ranked."""

    kind: str
    competitors: tuple[str, ...]
    games: NDArray[np.int_]
    last_played: NDArray[np.datetime64]
    pool: NDArray[np.int_]
    """Connected component of the games, 1 the largest."""
    status: NDArray[np.str_]

    @property
    def ranked(self) -> NDArray[np.bool_]:
        """Who is ranked, shape (competitors,)."""
        return self.status == "ranked"

    @property
    def reference(self) -> NDArray[np.bool_]:
        """Whose mean rating is zero: the ranked, or everybody where nobody is."""
        return self.ranked if self.ranked.any() else np.ones(len(self.competitors), dtype=bool)


@dataclass(frozen=True)
class Ratings:
    """Joint draws of every component of every rating, as contrasts to the reference."""

    field: Field
    components: dict[str, Array]
    """By component (attack, defence, total), each of shape (draws, competitors)."""
    intercept: Array
    """Linear predictor of one reference side against another on neutral ground, shape (draws,)."""
    ranks: Array
    """Rank by total among the ranked in each draw, shape (draws, ranked)."""


@dataclass(frozen=True)
class Unpooled:
    """Estimates from a competitor's own results alone, on the zero of the pooled ratings; NaN with a reason."""

    estimate: Array
    se: Array
    reason: tuple[str | None, ...]


def make_field(games: Games, design: Design, stanza: Stanza) -> Field:
    """Status, games and pool of every competitor of the design's blocks."""
    block = design.blocks[0]
    seen = games.sides.group_by("team").agg(pl.col("contest_id").n_unique().alias("games"), pl.col("played_on").max())
    order = pl.DataFrame({"team": block.levels}).join(seen, on="team", how="left", maintain_order="left")
    count, last = order["games"].to_numpy(), order["played_on"].to_numpy()
    pool = _pools(design)
    since = np.datetime64(games.as_of - timedelta(days=stanza.active_days))
    status = np.where(
        last < since, "inactive", np.where((count < stanza.min_games) | (pool > 1), "provisional", "ranked")
    )
    return Field(block.kind, block.levels, count, last, pool, status)


def make_ratings(design: Design, posterior: Posterior, field: Field) -> Ratings:
    """Ratings as ruled: eta of the competitor's side less eta of the reference's, on neutral ground, draw by draw."""
    components: dict[str, Array] = {}
    intercept = posterior.level.copy()
    for block in design.blocks:
        effects = posterior.blocks[block.name]
        reference = effects[:, field.reference].mean(axis=1)
        components[block.name] = effects - reference[:, None]
        intercept += (block.row_sum or 0.0) * reference
    components["total"] = np.sum([components[block.name] for block in design.blocks], axis=0)
    ranks = rankdata(-components["total"][:, field.ranked], axis=1, method="ordinal")
    return Ratings(field, components, intercept, ranks)


def make_unpooled(design: Design, alone: Laplace, ratings: Ratings) -> dict[str, Unpooled]:
    """Unpooled estimates by component.

    A contrast's zero is free, so each component is placed on the pooled zero by the precision-weighted mean difference
    over the competitors whose own results determine it: well-measured competitors then stand where they stand.
    """
    reasons = {block.name: _reasons(design, block, alone, ratings.field) for block in design.blocks}
    weights = {name: _precision(alone, name, reasons[name]) for name in reasons}
    found: dict[str, Unpooled] = {}
    for name, weight in weights.items():
        effects = alone.mode[alone.slice_of(name)]
        estimate = effects - weight @ (effects - ratings.components[name].mean(axis=0))
        found[name] = _blanked(estimate, alone.contrast_sd([name], {name: weight}), reasons[name])
    either = tuple(next((r for r in pair if r), None) for pair in zip(*reasons.values(), strict=True))
    estimate = np.sum([unpooled.estimate for unpooled in found.values()], axis=0)
    return {**found, "total": _blanked(estimate, alone.contrast_sd(list(weights), weights), either)}


def _precision(alone: Laplace, block: str, reasons: tuple[str | None, ...]) -> Array:
    """Weights that sum to one, by the precision of each level's own estimate; none where there is a reason."""
    own = alone.covariance.diagonal()[alone.slice_of(block)]
    weight = np.where([reason is None for reason in reasons], 1 / own, 0.0)
    return weight / weight.sum() if weight.any() else weight


def _blanked(estimate: Array, se: Array, reason: tuple[str | None, ...]) -> Unpooled:
    lost = np.array([r is not None for r in reason])
    return Unpooled(np.where(lost, np.nan, estimate), np.where(lost, np.nan, se), reason)


def _reasons(design: Design, block: Block, alone: Laplace, field: Field) -> tuple[str | None, ...]:
    """Why each competitor has no finite unpooled estimate of a component; None where it has one."""
    goals = abs(block.weights).T @ design.y
    sd = np.sqrt(alone.covariance.diagonal()[alone.slice_of(block.name)])
    vague = sd > VAGUE * block.prior_scale
    reasons = np.select(
        [field.pool > 1, goals == 0, vague],
        ["not connected with the largest pool", WITHOUT_GOALS[block.name], "its results do not determine it"],
        "",
    )
    return tuple(str(reason) or None for reason in reasons)


def _pools(design: Design) -> NDArray[np.int_]:
    """Connected component of every competitor, numbered by size from 1."""
    teams = design.blocks[0].weights.indices.reshape(-1, 2)
    size = len(design.blocks[0].levels)
    links = coo_array((np.ones(len(teams)), (teams[:, 0], teams[:, 1])), shape=(size, size))
    count, label = connected_components(links, directed=False)
    by_size = np.argsort(-np.bincount(label, minlength=count), kind="stable")
    number = np.empty(count, dtype=int)
    number[by_size] = np.arange(1, count + 1)
    return number[label]


def rating_rows(design: Design, posterior: Posterior, ratings: Ratings, unpooled: dict[str, Unpooled]) -> pl.DataFrame:
    """One row a competitor and component: the columns of the warehouse's rating, without league and fit_id."""
    frames = []
    for component, draws in ratings.components.items():
        blocks = [block for block in design.blocks if component in (block.name, "total")]
        alone = unpooled[component]
        mean, variance = draws.mean(axis=0), draws.var(axis=0)
        group = -sum(posterior.blocks[block.name][:, ratings.field.reference].mean() for block in blocks)
        far = np.abs(alone.estimate - group) >= alone.se
        distance = 1 - (mean - group) / np.where(far, alone.estimate - group, np.nan)
        quantiles = np.percentile(draws, QUANTILES, axis=0)
        frame = pl.DataFrame(
            {
                "kind": ratings.field.kind,
                "competitor_id": ratings.field.competitors,
                "component": component,
                "mean": mean,
                "sd": np.sqrt(variance),
                **{f"q{q}": quantiles[i] for i, q in enumerate(QUANTILES)},
                "unpooled": alone.estimate,
                "unpooled_se": alone.se,
                "unpooled_reason": pl.Series(alone.reason, dtype=pl.String),
                "shrinkage": np.clip(variance / prior_variance(blocks, posterior, ratings.field), 0, 1),
                "shrinkage_by_distance": distance,
            }
        )
        frames.append(frame)
    return pl.concat(frames).with_columns(pl.col("unpooled", "unpooled_se", "shrinkage_by_distance").fill_nan(None))


def prior_variance(blocks: list[Block], posterior: Posterior, field: Field) -> Array:
    """Prior variance of each competitor's contrast to the mean of the m of the reference: scale^2 (1 -+ 1/m)."""
    scale = sum(float(np.mean(posterior.scales[block.name] ** 2)) for block in blocks)
    m = field.reference.sum()
    own = np.where(field.reference, 1 - 1 / m, 1 + 1 / m) if m > 1 else np.ones(len(field.competitors))
    return scale * own


def standing_rows(design: Design, ratings: Ratings) -> pl.DataFrame:
    """One row a competitor: the columns of the warehouse's standing, without league and fit_id."""
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
    }
    chance = {f"p_{name}": among_ranked((ratings.ranks <= k).mean(axis=0)) for name, k in TOPS.items()}
    return pl.DataFrame(
        {
            "kind": field.kind,
            "competitor_id": field.competitors,
            "status": pl.Series(field.status.tolist()),
            "pool": field.pool,
            **{name: pl.Series(values).fill_nan(None).cast(pl.Int32) for name, values in integer.items()},
            **{name: pl.Series(values).fill_nan(None) for name, values in chance.items()},
            "games": field.games,
            "last_played": field.last_played,
            "expected_margin": _expected_margin(design, ratings),
        }
    )


def _expected_margin(design: Design, ratings: Ratings) -> Array:
    """Mean margin against a reference side on neutral ground."""
    for_it, against_it = ratings.components["attack"], -ratings.components["defence"]
    intercept = ratings.intercept[:, None]
    return design.outcome.margin(intercept + for_it, intercept + against_it).mean(axis=0)


def parameter_draws(posterior: Posterior, ratings: Ratings) -> dict[str, Array]:
    """Draws of the intercept between reference sides, the fixed effects and the scales, each of shape (draws,)."""
    scales = {f"scale_{name}": draws for name, draws in posterior.scales.items()}
    return {"intercept": ratings.intercept, **posterior.fixed, **scales}


def draw_rows(ratings: Ratings, posterior: Posterior) -> pl.DataFrame:
    """The draws file of a fit: rows of rating draws, then of parameter draws (where `parameter` is not NULL)."""
    field = ratings.field
    total_ranks = np.zeros(ratings.components["total"].shape, dtype=np.int32)
    total_ranks[:, field.ranked] = ratings.ranks
    rows = [
        {
            "kind": field.kind,
            "competitor_id": competitor,
            "component": component,
            "parameter": None,
            "draws": draws[:, i].astype(np.float32),
            "ranks": total_ranks[:, i] if component == "total" and field.ranked[i] else None,
        }
        for component, draws in ratings.components.items()
        for i, competitor in enumerate(field.competitors)
    ]
    parameters = parameter_draws(posterior, ratings)
    rows += [{"parameter": name, "draws": draws.astype(np.float32)} for name, draws in parameters.items()]
    schema = {
        "kind": pl.String,
        "competitor_id": pl.String,
        "component": pl.String,
        "parameter": pl.String,
        "draws": pl.List(pl.Float32),
        "ranks": pl.List(pl.Int32),
    }
    return pl.DataFrame(rows, schema=schema)
