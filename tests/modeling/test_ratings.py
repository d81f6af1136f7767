"""Ratings as ruled: contrasts to the ranked, ranks, status, pools, unpooled estimates, shrinkage."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from modeling.build import build_design
from modeling.engines import laplace
from modeling.field import make_field
from modeling.games import Games
from modeling.posterior import Posterior
from modeling.ratings import intercept_of, make_ratings
from modeling.tables import draw_rows, rating_rows, standing_rows, tiers
from modeling.unpooled import make_unpooled
from store.stanzas import Stanza


@pytest.fixture(scope="module")
def mixed(league_maker, side_row):
    """A league of ten, a newcomer with one game, a team that stopped playing, and a pair that never met the others."""
    sides = league_maker(teams=10, rounds=2).games.sides
    last = sides["played_on"].max()
    long_ago = last - timedelta(days=900)

    def game(name, day, first, second, score, other):
        return [side_row(name, day, 1, first, True, score), side_row(name, day, 2, second, False, other)]

    rows = [
        *[r for i in range(6) for r in game(f"old{i}", long_ago, "t:gone", f"t:0{i}", 1.0, 2.0)],
        *game("new", last, "t:new", "t:00", 0.0, 3.0),
        *[r for i in range(6) for r in game(f"isle{i}", last, "t:isle", "t:rock", 2.0, 1.0)],
    ]
    together = pl.concat([pl.DataFrame(rows), sides]).sort("played_on", "game_id", "side")
    return Games("mixed", last + timedelta(days=1), together)


@pytest.fixture(scope="module")
def rated(mixed, stanza):
    """Ratings from a Laplace posterior at known scales: fast, and joint."""
    design = build_design(stanza, mixed)
    everything = np.ones(design.games, dtype=bool)
    fit = laplace.fit_fixed_scales(design, {"attack": 0.3, "defence": 0.3}, everything)
    draws = fit.draws(np.random.default_rng(1), 4000)
    scales = {name: np.full(4000, 0.3) for name in ("attack", "defence")}
    posterior = Posterior(draws.level, draws.fixed, draws.blocks, scales, {}, 4)
    field = make_field(design, design.kind("team"), stanza, mixed.as_of)
    ratings = make_ratings(design, posterior, field, np.random.default_rng(3))
    unpooled = make_unpooled(design, laplace.no_pooling(design, everything), ratings)
    return design, posterior, ratings, unpooled


def of(frame: pl.DataFrame, competitor: str, component: str | None = None) -> dict:
    chosen = frame.filter(pl.col("competitor_id") == competitor)
    if component:
        chosen = chosen.filter(pl.col("component") == component)
    return chosen.row(0, named=True)


def standings(rated) -> pl.DataFrame:
    design, posterior, ratings, _ = rated
    return standing_rows(design, posterior, ratings, intercept_of(posterior, [ratings]))


def test_the_mean_of_the_ranked_is_zero_in_every_draw(rated):
    ratings = rated[2]
    for draws in ratings.components.values():
        assert np.abs(draws[:, ratings.field.ranked].mean(axis=1)).max() < 1e-12
    assert np.allclose(ratings.components["total"], ratings.components["attack"] + ratings.components["defence"])


def test_a_rating_is_the_difference_of_linear_predictors_against_the_reference(rated):
    """eta of the side against an average opponent less eta of that opponent, on neutral ground, is the total."""
    _design, posterior, ratings, _ = rated
    intercept = intercept_of(posterior, [ratings])
    own = intercept[:, None] + ratings.components["attack"]
    other = intercept[:, None] - ratings.components["defence"]
    assert np.allclose(own - other, ratings.components["total"])


def test_the_intercept_and_ratings_give_back_the_linear_predictor(rated):
    design, posterior, ratings, _ = rated
    attack, defence = design.blocks
    rows = np.arange(20)
    eta = posterior.eta(design, rows) - np.outer(posterior.fixed["home"], design.fixed[0].values[rows])
    again = (
        intercept_of(posterior, [ratings])[:, None]
        + (attack.weights[rows] @ ratings.components["attack"].T).T
        + (defence.weights[rows] @ ratings.components["defence"].T).T
    )
    assert np.allclose(eta, again)


def test_status_and_pools(rated):
    standing = standings(rated)
    assert of(standing, "t:05")["status"] == "ranked"
    assert of(standing, "t:gone") | {"status": "inactive", "rank": None, "p_best": None} == of(standing, "t:gone")
    assert of(standing, "t:new")["status"] == "provisional"
    assert (of(standing, "t:isle")["pool"], of(standing, "t:isle")["status"]) == (2, "provisional")
    assert of(standing, "t:new")["games"] == 1
    assert of(standing, "t:gone")["last_played"] < date(2023, 1, 1)
    assert sorted(standing["rank"].drop_nulls()) == list(range(1, 11))


def test_ranks_follow_means_and_their_chances_are_consistent(rated):
    design, posterior, ratings, unpooled = rated
    standing = standings(rated).filter(pl.col("rank").is_not_null()).sort("rank")
    means = rating_rows(design, posterior, ratings, unpooled, np.random.default_rng(4)).filter(
        pl.col("component") == "total"
    )
    assert standing.join(means, on="competitor_id", maintain_order="left")["mean"].is_sorted(descending=True)
    assert standing["p_best"].sum() == pytest.approx(1)
    assert standing["p_top3"].sum() == pytest.approx(3)
    assert standing["p_top10"].to_list() == [1.0] * 10
    assert (standing["rank_low"] <= standing["rank_high"]).all()
    assert standing["rank_low"].min() == 1 and standing["rank_high"].max() == 10


def test_few_games_shrink_more(rated):
    design, posterior, ratings, unpooled = rated
    rows = rating_rows(design, posterior, ratings, unpooled, np.random.default_rng(4))
    shrinkage = [of(rows, name, "total")["shrinkage"] for name in ("t:05", "t:gone", "t:new")]
    assert shrinkage[0] < 0.25 < shrinkage[1] < shrinkage[2] <= 1


def test_unpooled_estimates_are_wider_apart_and_blank_with_a_reason(rated):
    design, posterior, ratings, unpooled = rated
    rows = rating_rows(design, posterior, ratings, unpooled, np.random.default_rng(4))
    core = rows.filter(pl.col("competitor_id").str.starts_with("t:0"), pl.col("component") == "total")
    assert np.std(core["unpooled"].to_numpy()) > np.std(core["mean"].to_numpy())
    assert core["unpooled_reason"].null_count() == 10
    assert np.abs((core["unpooled"] - core["mean"]).to_numpy()).max() < 0.5
    newcomer = of(rows, "t:new", "attack")
    assert newcomer["unpooled"] is None and newcomer["unpooled_reason"] == "never scored"
    assert of(rows, "t:isle", "total")["unpooled_reason"] == "not connected with the largest pool"
    assert of(rows, "t:05", "total")["unpooled"] == pytest.approx(
        of(rows, "t:05", "attack")["unpooled"] + of(rows, "t:05", "defence")["unpooled"]
    )


def test_the_unpooled_standard_error_is_that_of_the_contrast(rated):
    """Against draws of the unpooled posterior itself."""
    design, _, _, unpooled = rated
    alone = laplace.no_pooling(design, np.ones(design.games, dtype=bool)).draws(np.random.default_rng(2), 8000)
    finite = np.array([reason is None for reason in unpooled["attack"].reason])
    attack = alone.blocks["attack"]
    weight = np.zeros(len(finite))
    weight[finite] = (attack[:, finite] - attack[:, finite].mean(axis=1)[:, None]).var(axis=0) ** -1.0
    contrast = attack - (attack @ (weight / weight.sum()))[:, None]
    assert unpooled["attack"].se[finite] == pytest.approx(contrast.std(axis=0)[finite], rel=0.05)


def test_the_draws_file_holds_joint_draws_and_ranks(rated):
    design, posterior, ratings, _ = rated
    rows = pl.concat(draw_rows(design, posterior, [ratings]))
    total = rows.filter(pl.col("component") == "total")
    assert total["draws"].list.len().unique().to_list() == [4000]
    assert set(rows["parameter"].drop_nulls()) == {"intercept", "home", "scale_attack", "scale_defence"}
    assert rows.filter(pl.col("component") == "attack")["ranks"].null_count() == len(total)
    assert total.filter(pl.col("competitor_id") == "t:new")["ranks"].null_count() == 1
    ranks = np.array(total["ranks"].drop_nulls().to_list())
    assert (np.sort(ranks, axis=0) == np.arange(1, 11)[:, None]).all()


def test_a_tier_begins_with_whoever_is_surely_worse_than_its_first():
    """Two who are level, two who are level and always behind them, and one between whose rating is next to unknown."""
    rng = np.random.default_rng(7)
    draws = rng.normal([9.0, 8.9, 4.1, 4.0, 8.5], [0.5, 0.5, 0.5, 0.5, 9.0], size=(4000, 5))
    ranks = (np.argsort(np.argsort(-draws, axis=1), axis=1) + 1).astype(np.float64)
    assert tiers(ranks, draws.mean(axis=0)).tolist() == [1, 1, 2, 2, 1]
    assert tiers(ranks[:, :1], draws[:, :1].mean(axis=0)).tolist() == [1]
    assert tiers(ranks[:, :0], draws[:, :0].mean(axis=0)).tolist() == []


def test_tiers_go_down_with_ranks_and_only_the_ranked_have_one(rated):
    standing = standings(rated).sort("rank", nulls_last=True)
    ranked = standing.filter(pl.col("rank").is_not_null())["tier"].to_list()
    assert ranked == sorted(ranked) and ranked[0] == 1 and set(ranked) == set(range(1, ranked[-1] + 1))
    assert standing.filter(pl.col("rank").is_null())["tier"].null_count() == len(standing) - len(ranked)


def test_a_league_where_nobody_is_ranked_still_has_ratings(league, stanza):
    strict = stanza.model_copy(update={"min_games": 10_000})
    design = build_design(strict, league.games)
    fit = laplace.fit_fixed_scales(design, {"attack": 0.3, "defence": 0.3}, np.ones(design.games, dtype=bool))
    field = make_field(design, design.kind("team"), strict, league.games.as_of)
    draws = fit.draws(np.random.default_rng(1), 50)
    ratings = make_ratings(design, draws, field, np.random.default_rng(3))
    standing = standing_rows(design, draws, ratings, intercept_of(draws, [ratings]))
    assert standing["rank"].null_count() == len(standing) == 10
    assert np.abs(ratings.components["total"].mean(axis=1)).max() < 1e-12


SMALL = {"title": "x", "feed": "none", "source": ("none",), "active_days": 9999, "min_games": 1}


def unpooled_of(design, stanza, as_of):
    everything = np.ones(design.games, dtype=bool)
    fit = laplace.fit_fixed_scales(design, {block.name: block.prior_scale for block in design.blocks}, everything)
    drawn = fit.draws(np.random.default_rng(1), 200)
    posterior = replace(drawn, scales={block.name: np.full(200, block.prior_scale) for block in design.blocks})
    field = make_field(design, design.kind("team"), stanza, as_of)
    ratings = make_ratings(design, posterior, field, np.random.default_rng(3))
    return make_unpooled(design, laplace.no_pooling(design, everything, fit.auxiliaries), ratings)


@pytest.mark.parametrize("outcome", ["win", "result", "margin", "score"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"group": "division"},
        {"walk": "team", "period": "season"},
        {"walk": "team", "period": "season", "effects": ("team:surface", "team:home")},
    ],
)
def test_results_that_tell_competitors_apart_have_unpooled_estimates_whatever_is_common(game, games, outcome, settings):
    """Where all stand together, a division or a season, is what the results of so few do not say."""
    rng = np.random.default_rng(2)
    pairs = [(a, b) for a in "abcd" for b in "abcd" if a != b] * 10
    some = [
        game(
            pair, tuple(rng.poisson(2, 2)), day=n, season=str(2020 + n // 60), home=0, surface="wet" if n % 2 else "dry"
        )
        for n, pair in enumerate(pairs)
    ]
    divisions = {(team, "2020"): "upper" if team in "ab" else "lower" for team in "abcd"}
    found = games(*some, groups=divisions)
    stanza = Stanza.model_validate(SMALL | {"outcome": outcome} | settings)
    for component in unpooled_of(build_design(stanza, found), stanza, found.as_of).values():
        assert component.reason == (None,) * 4
        assert (component.se > 0).all() and np.isfinite(component.estimate).all()


def test_what_results_do_not_tell_apart_has_no_unpooled_estimate(game, games):
    """Of two teams, the attack of one cannot be told from the defence of the other."""
    rng = np.random.default_rng(2)
    some = games(*(game("ab", tuple(rng.poisson(2, 2)), day=n) for n in range(40)))
    stanza = Stanza.model_validate(SMALL | {"outcome": "score"})
    found = unpooled_of(build_design(stanza, some), stanza, some.as_of)
    assert found["attack"].reason == found["defence"].reason == ("its results do not determine it",) * 2
