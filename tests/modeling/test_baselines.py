"""Baselines: each by hand or by its paper where that can be, and better than what is usual where there is strength."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling.baselines import baselines
from modeling.baselines import elo as elo_ratings
from modeling.baselines import glicko2 as glicko
from modeling.baselines.contests import DRAW, LOSS, WIN, Contests
from modeling.baselines.last_table import tables
from modeling.baselines.market import closing
from modeling.baselines.ordered import fitted, losses

NAMED = {(one.name, one.of_races): one for one in baselines()}


def league(seed: int = 1, seasons: int = 3, teams: int = 10, spread: float = 0.8, has_draws: bool = True) -> Contests:
    """Everybody against everybody at home and away in each season, five games a day."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, spread, teams)
    pairs = [(a, b) for a in range(teams) for b in range(teams) if a != b]
    who = np.concatenate([rng.permutation(pairs) for _ in range(seasons)])
    count = len(who)
    home = np.where(rng.random(count) < 0.2, 0, rng.choice([-1, 1], count))
    latent = strength[who[:, 0]] - strength[who[:, 1]] + 0.4 * home + rng.logistic(size=count)
    draw = 0.6 if has_draws else 0.0
    result = np.where(latent > draw, WIN, np.where(latent < -draw, LOSS, DRAW))
    share = np.stack([1 - result / 2, result / 2], axis=1).ravel()
    return Contests(
        np.array([f"g{n}" for n in range(count)], dtype=object), (np.arange(count) // 5).astype("datetime64[D]"),
        np.arange(count) // len(pairs), np.repeat(np.arange(count), 2), who.ravel(), home, result,
        np.full(count, np.nan), share, teams, has_draws, {},
    )  # fmt: skip


def split(games: Contests) -> tuple[Contests, Contests]:
    at = games.day[int(0.7 * games.games)].astype(object)
    return games.between(None, at), games.between(at, games.day[-1].astype(object)).fixtures()


def said(name: str, past: Contests, to_come: Contests, of_races: bool = False) -> np.ndarray:
    one = NAMED[name, of_races]
    return one.forecast(one.tune(past, None), past, to_come).chances


@pytest.mark.parametrize("has_draws", [True, False])
@pytest.mark.parametrize("name", ["base_rate", "home_rate", "last_table", "elo", "glicko2"])
def test_chances_are_chances_and_mirror_where_sides_change_places(name, has_draws):
    past, to_come = split(league(has_draws=has_draws))
    found = said(name, past, to_come)
    assert np.allclose(found.sum(axis=1), 1) and (found >= 0).all()
    assert has_draws == bool(found[:, 1].any())
    turned = replace(to_come, who=to_come.who.reshape(-1, 2)[:, ::-1].ravel(), home=-to_come.home)
    assert np.allclose(said(name, past, turned), found[:, ::-1])


@pytest.mark.parametrize("name", ["last_table", "elo", "glicko2"])
def test_what_knows_who_plays_forecasts_better_than_what_is_usual(name):
    games = league(seed=3)
    past, to_come = split(games)
    result = games.result[past.games : past.games + to_come.games]
    assert losses(said(name, past, to_come), result).mean() < losses(said("home_rate", past, to_come), result).mean()


def test_usual_shares_by_hand():
    games = league()
    past = replace(games.between(None, games.day[10].astype(object)), has_draws=True)
    past = replace(
        past, home=np.array([1, -1] * 5), result=np.array([WIN, LOSS, WIN, DRAW, LOSS, LOSS, WIN, DRAW, WIN, WIN])
    )
    to_come = games.between(games.day[10].astype(object), games.day[20].astype(object)).fixtures()
    assert np.allclose(said("home_rate", past, to_come)[to_come.home > 0], np.array([7, 3, 3]) / 13)
    assert np.allclose(said("base_rate", past, to_come)[0], np.array([5, 3, 5]) / 13)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_games_of_a_day_never_inform_each_other(seed):
    games, rng = league(seed=2, seasons=1), np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(5) + 5 * day for day in range(games.games // 5)])
    other = replace(
        games, who=games.who.reshape(-1, 2)[order].ravel(), result=games.result[order], home=games.home[order]
    )
    chosen = elo_ratings.Settings(0.2, 0.3, 0.0, 0.5, 0.2, -0.1)
    before, rating, _ = elo_ratings.ratings(games, chosen)
    again, same, _ = elo_ratings.ratings(other, chosen)
    assert np.allclose(again, before[order], atol=1e-12)
    assert np.allclose(rating, same, atol=1e-12)


def test_glicko_2_repeats_the_example_of_its_paper():
    """Glickman (2013), "Example of the Glicko-2 system": 1500/200 beats 1400/30 and loses to 1550/100, 1700/300."""
    mean = (np.array([1500.0, 1400, 1550, 1700]) - 1500) / glicko.SCALE
    deviation, volatility = np.array([200.0, 30, 100, 300]) / glicko.SCALE, np.full(4, 0.06)
    who = np.array([0, 0, 0]), np.array([1, 2, 3])
    glicko._walk(np.zeros(3, int), *who, np.array([1.0, 0, 0]), 0.06, mean, deviation, volatility, np.zeros(4, int))
    assert 1500 + glicko.SCALE * mean[0] == pytest.approx(1464.06, abs=0.02)
    assert glicko.SCALE * deviation[0] == pytest.approx(151.52, abs=0.02)
    assert volatility[0] == pytest.approx(0.05999, abs=1e-5)


def test_elo_learns_what_the_results_were_made_with():
    games = league(seed=8, seasons=8, teams=12)
    chosen = NAMED["elo", False].tune(games, None)
    assert chosen.home == pytest.approx(0.4, abs=0.15)
    assert chosen.draw == pytest.approx(0.6, abs=0.1)
    assert chosen.step < 0.3 and chosen.back < 0.2  # strengths never move


def test_a_table_is_shares_of_the_points():
    games = league(seasons=2, teams=4)
    found = tables(games, 2)[:, :4]
    first = games.season[games.game] == 0
    for team in range(4):
        own = games.share[first & (games.who == team)]
        assert found[0, team] == pytest.approx(own.mean())
    assert np.isnan(tables(games, 3)[2]).all()


def test_who_is_new_is_not_taken_for_somebody_else():
    games = league(seasons=3, teams=8)
    nobody = replace(games, who=np.where(games.who == 3, -1, games.who))
    assert np.isnan(tables(nobody, 3)[:, 3]).all()
    past, to_come = split(nobody)
    for name in ("elo", "glicko2", "last_table"):
        assert np.isfinite(said(name, past, to_come)).all(), name


def test_odds_become_chances_without_the_bookmakers_share():
    details = pl.DataFrame(
        {"PSCH": ["2.0", None, None], "PSCD": ["4.0", None, None], "PSCA": ["4.0", None, None],
         "home_moneyline": [None, "-150", None], "away_moneyline": [None, "130", None],
         "spread_line": [None, "3.5", None]}
    )  # fmt: skip
    found = closing(details)
    assert np.allclose(found[0, :3], [0.5, 0.25, 0.25])
    inverse = np.array([150 / 250, 100 / 230])
    assert np.allclose(found[1], [*(inverse / inverse.sum())[:1], 0.0, (inverse / inverse.sum())[1], 3.5])
    assert np.isnan(found[2]).all()


def test_an_ordered_logit_finds_its_coefficients():
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (20_000, 2))
    latent = x @ np.array([1.2, -0.5]) + rng.logistic(size=len(x))
    result = np.where(latent > 0.7, WIN, np.where(latent < -0.7, LOSS, DRAW))
    found = fitted(x, result, has_draws=True)
    assert np.allclose(found.weights, [1.2, -0.5], atol=0.05)
    assert found.draw == pytest.approx(0.7, abs=0.03)


def races(seed: int = 1, count: int = 120, entrants: int = 6) -> Contests:
    rng = np.random.default_rng(seed)
    strength = np.linspace(1.5, -1.5, entrants)
    order = np.argsort(-(strength + rng.gumbel(size=(count, entrants))), axis=1)
    place = np.argsort(order, axis=1)
    return Contests(
        np.array([f"r{n}" for n in range(count)], dtype=object), np.arange(count).astype("datetime64[D]"),
        np.arange(count) // 20, np.repeat(np.arange(count), entrants), np.tile(np.arange(entrants), count),
        np.zeros(count, int), order[:, 0], np.full(count, np.nan), (1 - place / (entrants - 1)).ravel(), entrants,
        False, {},
    )  # fmt: skip


@pytest.mark.parametrize("name", ["base_rate", "wins_of_starts", "last_table"])
def test_chances_to_win_a_race_sum_to_one_and_know_who_is_strong(name):
    games = races()
    past, to_come = (
        games.between(None, games.day[100].astype(object)),
        games.between(games.day[100].astype(object), games.day[-1].astype(object)),
    )
    found = said(name, past, to_come.fixtures(), of_races=True).reshape(-1, 6)
    assert np.allclose(found.sum(axis=1), 1)
    if name != "base_rate":
        assert (found[:, 0] > 2 * found[:, -1]).all()


def test_nothing_can_be_said_of_too_short_a_past():
    games = league()
    none = games.between(None, games.day[0].astype(object))
    assert all(
        one.tune(none if not one.of_races else races().between(None, races().day[0].astype(object)), None) is None
        for one in baselines()
    )
