"""What is shown beside the checks: flat, level and empty where the model is right, and telling where it is not."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from modeling.build import build_design
from modeling.checks.calibration import Event, bins_of
from modeling.checks.calibration import held_out as held_out_checks
from modeling.checks.closer import evidence_of, watched, watchers_of
from modeling.checks.ranks import left_out_weights
from modeling.checks.residuals import Residuals
from modeling.checks.rootogram import Rootogram
from modeling.convergence import Diagnosis
from modeling.engines import laplace
from modeling.games import Games
from modeling.labels import Label, labels_of
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior
from modeling.tree import replications

SEASONS = ("one", "two", "three", "four")


@pytest.fixture(scope="module")
def posterior_of():
    def made(design, draws: int = 200):
        scales = {block.name: 0.3 for block in design.blocks}
        fit = laplace.fit_fixed_scales(design, scales, np.ones(design.games, dtype=bool))
        drawn = fit.draws(np.random.default_rng(1), draws)
        return Posterior(drawn.level, drawn.fixed, drawn.blocks, {}, {}, 1)

    return made


@pytest.fixture(scope="module")
def design(league_maker, stanza):
    return build_design(stanza, league_maker(teams=12, rounds=4).games)


@pytest.fixture(scope="module")
def seasons(design):
    quarter = np.arange(design.games) * 4 // design.games
    return Label("season", SEASONS, quarter.astype(np.int16))


def seen(design, posterior, labels=()):
    """The tables of a Design's evidence, and the residuals' checks."""
    residuals, watchers = watchers_of(design, labels, {}, np.random.default_rng(2))
    for _ in watched(replications(design, posterior, np.random.default_rng(3)), watchers):
        pass
    return evidence_of(watchers, None, []), residuals.checks()


def with_scores(design, games: Games, change):
    """The same games with other scores."""
    scores = pl.Series("score", change(games.sides["score"].to_numpy().copy()))
    return replace(games, sides=games.sides.with_columns(scores))


def test_of_a_right_model_histograms_keep_to_their_bands(design, posterior_of):
    pit = seen(design, posterior_of(design))[0]["pit"]
    assert set(pit["kind"]) == {"in_sample", "loo"}
    assert pit.group_by("kind").agg(pl.col("observed").sum())["observed"].to_list() == pytest.approx([1, 1])
    assert pit.filter((pl.col("observed") < pl.col("low")) | (pl.col("observed") > pl.col("high"))).is_empty()


def test_scores_more_spread_than_poisson_are_heaped_at_both_ends(league_maker, stanza, posterior_of):
    games = league_maker(teams=12, rounds=4).games
    wild = build_design(stanza, with_scores(None, games, lambda scores: 3 * scores))
    pit = seen(wild, posterior_of(wild))[0]["pit"].filter(kind="loo")
    ends = pit.filter(pl.col("bin").is_in([1, 20]))
    assert (ends["observed"] > ends["high"]).all()


def test_weights_of_a_game_left_out_are_those_of_its_absence():
    """Normal mean of known variance: the posterior without one of its observations, in closed form."""
    rng, y, variance = np.random.default_rng(1), np.array([0.3, 1.5, -0.4, 0.9, 0.2, -0.1, 0.6, 0.8]), 1.0
    draws = rng.normal(y.mean(), (variance / len(y)) ** 0.5, 40_000)
    weights = left_out_weights(norm.logpdf(y, draws[:, None], 1.0))
    assert weights.sum(axis=0) == pytest.approx(np.ones(len(y)))
    without = [np.delete(y, i).mean() for i in range(len(y))]
    assert draws @ weights == pytest.approx(without, abs=0.01)


def test_a_rootogram_counts_every_side_once(design, posterior_of):
    rows = seen(design, posterior_of(design))[0]["rootogram"]
    last = rows.height - 1
    assert rows["observed"].sum() == len(design.y) == pytest.approx(rows["expected"].sum())
    assert rows["observed"].to_list()[:-1] == [int((design.y == k).sum()) for k in range(last)]
    assert rows["observed"][-1] == (design.y >= last).sum()
    assert rows["is_or_more"].to_list() == [False] * last + [True]
    assert ((rows["low"] <= rows["expected"]) & (rows["expected"] <= rows["high"])).all()


def test_only_what_counts_has_a_rootogram(stanza, league, posterior_of):
    margins = build_design(stanza.model_copy(update={"outcome": "margin"}), league.games)
    assert not any(isinstance(one, Rootogram) for one in watchers_of(margins, (), {}, np.random.default_rng(1))[1])


def test_a_right_model_leaves_nothing(design, posterior_of, seasons):
    tables, checks = seen(design, posterior_of(design), [seasons])
    assert {one.subject: one.status for one in checks} == {"by team": "pass", "by time": "pass"}
    rows = tables["residual"]
    assert set(rows["measure"]) == {"own", "home", "favourite", "total"}
    assert set(rows.filter(dimension="season")["level"]) == set(SEASONS)
    assert rows.filter(dimension="season", measure="total")["games"].sum() == design.games
    assert ((rows["low"] < rows["mean"]) & (rows["mean"] < rows["high"])).all()


def test_a_season_of_more_goals_stands_out_and_is_named(league_maker, stanza, posterior_of, seasons):
    games = league_maker(teams=12, rounds=4).games

    def more(scores: Array) -> Array:
        late = np.repeat(seasons.codes == 3, 2)
        scores[late] += np.random.default_rng(5).random(late.sum()) < 0.7
        return scores

    changed = build_design(stanza, with_scores(None, games, more))
    tables, checks = seen(changed, posterior_of(changed), [seasons])
    time = next(one for one in checks if one.subject == "by time")
    assert time.status == "warn" and "most four: both sides' scores together were" in time.message
    row = tables["residual"].filter(level="four", measure="total").row(0, named=True)
    assert row["status"] == "warn" and row["mean"] > 0.3 and row["low"] > 0
    before = tables["residual"].filter(level="two", measure="total").row(0, named=True)
    assert before["mean"] < 0


def test_the_mean_of_a_group_is_that_of_its_games(design, posterior_of, seasons):
    residuals = Residuals(design, [seasons], {"t:01": "Second"})
    for part in replications(design, posterior_of(design, 20), np.random.default_rng(3)):
        residuals.see(part)
    rows = residuals.judged()
    margin, home = design.y[0::2] - design.y[1::2], design.home[0::2]
    first = seasons.codes == 0
    found = rows.filter(level="one", measure="home")["observed"].item()
    assert found == pytest.approx(np.mean((margin * home)[first]))
    team = design.kind("team").competitors.index("t:01")
    own = np.concatenate([margin[design.entrant[0::2] == team], -margin[design.entrant[1::2] == team]])
    assert rows.filter(level="Second")["observed"].item() == pytest.approx(own.mean())


@pytest.mark.parametrize("outcome", ["win", "result", "margin", "order"])
def test_every_outcome_has_its_evidence(outcome, stanza, games, game, posterior_of):
    rng = np.random.default_rng(1)
    if outcome == "order":
        made = [game(tuple(f"t{i}" for i in range(5)), places=tuple(rng.permutation(5) + 1), day=n) for n in range(60)]
    else:
        pairs = [tuple(rng.choice(6, 2, replace=False)) for _ in range(240)]
        made = [game((f"t{a}", f"t{b}"), tuple(rng.choice(9, 2, replace=False)), day=n, home=n % 2)
                for n, (a, b) in enumerate(pairs)]  # fmt: skip
    effects = () if outcome == "order" else ("home",)
    asked = stanza.model_copy(update={"outcome": outcome, "effects": effects})
    design = build_design(asked, games(*made))
    posterior = posterior_of(design) if outcome != "margin" else with_sigma(posterior_of(design))
    posterior = replace(
        posterior, auxiliaries={one.name: np.full(200, 0.4) for one in design.auxiliaries} | posterior.auxiliaries
    )
    label = Label("season", ("a", "b"), (np.arange(design.games) % 2).astype(np.int16))
    tables, checks = seen(design, posterior, [label])
    assert {one.subject for one in checks} == {"by team", "by time"}
    assert set(tables["residual"]["measure"]) == ({"own", "favourite"} | ({"home"} if effects else set()))
    late = np.arange(design.games) >= 0.7 * design.games
    found = held_out_checks(design, posterior, late, np.random.default_rng(2))
    events = {"win": {"win"}, "order": {"win"}, "margin": {"win"}, "result": {"win", "draw", "loss"}}[outcome]
    assert set(found.calibration["event"]) == events
    assert found.calibration.filter(event="win")["games"].sum() == (late.sum() if effects else 5 * late.sum())


def with_sigma(posterior):
    return replace(posterior, auxiliaries={"sigma": np.full(200, 4.0)})


def test_calibration_bins_hold_the_shares_they_say():
    chance = np.linspace(0.05, 0.95, 200)
    came = np.random.default_rng(1).random((201, 200)) < chance
    rows = pl.DataFrame(list(bins_of(Event("win", chance, came))), orient="row")
    assert rows.height == 10 and rows["column_2"].to_list() == [20] * 10
    assert rows["column_3"][0] == pytest.approx(chance[:20].mean())
    assert rows["column_4"][0] == pytest.approx(came[0, :20].mean())
    assert (rows["column_5"] <= rows["column_6"]).all()


def test_groups_that_put_all_games_together_or_hardly_any_are_none():
    told = pl.DataFrame(
        {
            "game_id": [f"g{i}" for i in range(400)],
            "season": [str(i // 100) for i in range(400)],
            "month": [str(i // 40) for i in range(400)],
            "series": ["tour"] * 400,
            "round": [str(i % 40) for i in range(400)],
            "surface": ["clay" if i % 3 else "grass" for i in range(399)] + [None],
        }
    )
    found = {one.name: one for one in labels_of([f"g{i}" for i in range(399, -1, -1)], told)}
    assert set(found) == {"season", "surface"}  # of four seasons, months are not looked at
    assert found["surface"].codes[0] == -1 and found["surface"].values == ("clay", "grass")
    assert found["season"].codes[0] == 3


def test_what_converged_least_is_numbered(design, posterior_of):
    _, watchers = watchers_of(design, (), {}, np.random.default_rng(2))
    for _ in watched(replications(design, posterior_of(design, 20), np.random.default_rng(3)), watchers):
        pass
    rows = evidence_of(watchers, None, [Diagnosis("home", 1.2, 10.0, 12.0), Diagnosis("x", 1.1, 20.0, 22.0, "effect")])
    assert rows["diagnosis"].select("place", "quantity", "family").rows() == [
        (1, "home", "parameter"),
        (2, "x", "effect"),
    ]
    assert rows["calibration"].is_empty()
