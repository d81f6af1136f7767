"""NBA stints 2011-12: against the file's own adjusted plus-minus, and out of sample against a ridge on the same past.

The adjusted plus-minus covers the whole season, the last 79 games too, which are not among the stints. The ridge is
the usual one of offence and defence by player, weighted by possessions; its penalty is chosen on the past alone, by
cross-validation over whole games. Prints its tables with pytest -s.
"""

from datetime import date

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from modeling.design import Design
from modeling.engines import nuts
from modeling.fit import design_of
from modeling.posterior import from_tree
from store.stanzas import read_stanzas

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(14_400)]

Array = NDArray[np.float64]

LATER = date(2012, 3, 15)  # about the last third of the games
PENALTIES = np.geomspace(0.3, 300, 31)  # in full exposures; 1 / penalty is the prior variance over the noise's
FOLDS = 10
SEED = 20120315


def test_ratings_go_with_the_files_adjusted_plus_minus(rated, real_data, show):
    totals = pl.read_csv(
        real_data / "basketball_lineups" / "nba_2011_12_player_totals.csv",
        null_values=["NULL", ""],
        infer_schema_length=None,
    )
    theirs = totals.select(
        pl.format("basketballvalue:{}", "PlayerID").alias("competitor_id"),
        pl.col("PlayerTrueName").alias("player"),
        pl.col("SimpleMin").alias("minutes"),
        pl.col("AdjustedPM").alias("adjusted"),
        pl.col("AdjustedPMStdErr").alias("se"),
    ).drop_nulls()
    both = theirs.join(rated.ratings("nba", "player"), on="competitor_id")
    regulars = both.filter(pl.col("minutes") >= 1000)
    rows = pl.DataFrame([_agreement("all who have one", both), _agreement("1,000 minutes or more", regulars)])
    show("NBA: correlation with the file's adjusted plus-minus", rows)
    best = both.sort("mean", descending=True).head(12)
    show("NBA: our first twelve", best[["player", "minutes", "mean", "sd", "unpooled", "adjusted", "se"]])
    assert (rows["weighted by 1 / se²"] > 0.75).all()


def _agreement(who: str, both: pl.DataFrame) -> dict[str, object]:
    theirs, ours, alone = (both[name].to_numpy() for name in ("adjusted", "mean", "unpooled"))
    weight = both["se"].to_numpy() ** -2.0
    covariance = np.cov(np.stack([theirs, ours]), aweights=weight)
    return {
        "players": who,
        "n": len(both),
        "pooled": np.corrcoef(theirs, ours)[0, 1],
        "weighted by 1 / se²": covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]),
        "unpooled": np.corrcoef(theirs, alone)[0, 1],
        "rank correlation": both.select(pl.corr("adjusted", "mean", method="spearman")).item(),
    }


def test_later_stints_are_forecast_no_worse_than_by_a_ridge_on_the_same_past(rated, show):
    """Squared errors a row over its exposure; the interval of their difference is a paired bootstrap over games."""
    rated.fit("nba")
    _, design = design_of(rated.home, "nba", read_stanzas(rated.home)["nba"], None)
    later = design.played_on >= np.datetime64(LATER)
    past, future = ~later[design.game], later[design.game]
    ours = _pooled(design, ~later)
    penalty, theirs = _ridge(design, past)
    usual = _always_alike(design, past)
    contest = design.contest[design.game]
    losses = {
        name: (design.y - design.exposure * eta)[future] ** 2 / design.exposure[future]
        for name, eta in (("pooled", ours), ("ridge", theirs), ("home and away alone", usual))
    }
    games = {
        name: _game_errors(design, eta, future)
        for name, eta in (("pooled", ours), ("ridge", theirs), ("home and away alone", usual))
    }
    rng = np.random.default_rng(SEED)
    low, high = _bootstrap(rng, losses["pooled"] - losses["ridge"], contest[future])
    difference = float((losses["pooled"] - losses["ridge"]).mean())
    show(
        f"NBA: {int(future.sum()):,} sides of stints from {LATER}, {len(games['ridge'])} games; penalty {penalty:.3g}",
        pl.DataFrame(
            {
                "forecast": losses.keys(),
                "mean squared error": [one.mean() for one in losses.values()],
                "root mean squared error of a game's margin": [np.sqrt((one**2).mean()) for one in games.values()],
            }
        ),
    )
    show(
        "NBA: pooled less ridge, 95 % interval",
        pl.DataFrame({"difference": [difference], "low": [low], "high": [high]}),
    )
    assert losses["pooled"].mean() < losses["home and away alone"].mean()
    assert low <= 0


def _pooled(design: Design, chosen: NDArray[np.bool_]) -> Array:
    """Posterior mean of every row's linear predictor given the chosen games."""
    tree = nuts.sample(nuts.compile_design(design), chosen, SEED, 500)
    return from_tree(design, tree).eta(design).mean(axis=0)


def _columns(design: Design) -> tuple[csr_array, Array]:
    """The players' columns, offence and defence, and the two that are not penalised: one, and home."""
    players = csr_array(hstack([block.weights for block in design.blocks], format="csr"))
    return players, np.column_stack([np.ones(len(design.y)), *(fixed.values for fixed in design.fixed)])


def _ridge(design: Design, past: NDArray[np.bool_]) -> tuple[float, Array]:
    """The penalty chosen by cross-validation over the past's games, and every row's fitted value."""
    players, free = _columns(design)
    x = np.hstack([free, players.toarray()])
    contests = np.unique(design.contest[design.game][past])
    fold_of = dict(zip(contests, np.random.default_rng(SEED).permutation(len(contests)) % FOLDS, strict=True))
    fold = np.array([fold_of.get(contest, -1) for contest in design.contest[design.game]])
    error = np.zeros(len(PENALTIES))
    for number in range(FOLDS):
        inside, left_out = past & (fold != number), past & (fold == number)
        for i, beta in enumerate(
            _solutions(x[inside], design.y[inside], design.exposure[inside], free.shape[1], PENALTIES)
        ):
            away = design.y[left_out] - design.exposure[left_out] * (x[left_out] @ beta)
            error[i] += (away**2 / design.exposure[left_out]).sum()
    best = int(np.argmin(error))
    assert 0 < best < len(PENALTIES) - 1
    (beta,) = _solutions(x[past], design.y[past], design.exposure[past], free.shape[1], PENALTIES[[best]])
    return float(PENALTIES[best]), x @ beta


def _solutions(x: Array, y: Array, exposure: Array, free: int, penalties: Array) -> list[Array]:
    """Minimisers of sum (y - e x b)² / e + penalty |b|², the first `free` coefficients not penalised."""
    inner, right = x.T @ (exposure[:, None] * x), x.T @ y
    penalised = np.r_[np.zeros(free), np.ones(x.shape[1] - free)]
    return [np.linalg.solve(inner + np.diag(penalty * penalised + 1e-9), right) for penalty in penalties]


def _always_alike(design: Design, past: NDArray[np.bool_]) -> Array:
    _, free = _columns(design)
    (beta,) = _solutions(free[past], design.y[past], design.exposure[past], free.shape[1], np.zeros(1))
    return free @ beta


def _game_errors(design: Design, eta: Array, future: NDArray[np.bool_]) -> Array:
    """Each game's home margin less its forecast, given the possessions."""
    away = (design.y - design.exposure * eta) * design.home
    contest = np.unique(design.contest[design.game][future], return_inverse=True)[1]
    return np.bincount(contest, away[future])


def _bootstrap(rng: np.random.Generator, difference: Array, contest: NDArray[np.intp]) -> tuple[float, float]:
    """95 % interval of the mean difference over games drawn with replacement."""
    number = np.unique(contest, return_inverse=True)[1]
    total, rows = np.bincount(number, difference), np.bincount(number)
    chosen = rng.integers(len(total), size=(10_000, len(total)))
    low, high = np.percentile(total[chosen].sum(axis=1) / rows[chosen].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)
