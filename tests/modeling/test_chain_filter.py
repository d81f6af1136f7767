"""The forward filter: it knows no future, and is exact where the model is Gaussian."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from modeling.build import build_design
from modeling.design import Design
from modeling.engines.chain import filter as filter_module
from modeling.engines.chain.filter import forecast, learn
from modeling.engines.chain.structure import structure_of
from store.stanzas import Stanza

BODY = {"title": "x", "feed": "none", "source": ("none",), "outcome": "win", "period": "month"}
STANZA = Stanza.model_validate(BODY | {"walk": ("team",), "effects": ("team:surface",), "noise": ("best_of",)})


def played(game, games, count: int = 300, outcome: str = "win", stanza: Stanza = STANZA) -> Design:
    rng = np.random.default_rng(6)
    strength = rng.normal(0, 1, 8)
    found = []
    for number in range(count):
        a, b = rng.choice(8, 2, replace=False)
        margin = strength[a] - strength[b] + rng.logistic()
        scores = (float(margin > 0), float(margin <= 0)) if outcome == "win" else (float(np.round(margin, 3)), 0.0)
        where = {"surface": "clay" if rng.random() < 0.5 else "hard", "best_of": "5" if number % 4 == 0 else "3"}
        found.append(game((f"t{a}", f"t{b}"), scores, day=date(2023, 1, 1) + timedelta(days=number // 3), **where))
    return build_design(stanza, games(*found))


def values_of(design: Design) -> dict[str, float]:
    found = {f"scale_{block.name}": 0.8 * block.prior_scale for block in design.blocks}
    return found | {one.name: 0.1 if one.is_signed else one.start for one in design.auxiliaries}


def test_no_forecast_of_a_day_knows_its_results_or_later_ones(game, games):
    design = played(game, games)
    days = design.played_on[design.game]
    middle = days[150]
    later = days >= middle
    rng = np.random.default_rng(3)
    shuffled = design.y.copy()
    shuffled[later] = rng.permutation(1 - shuffled[later])
    one, other = (
        forecast(structure_of(d), values_of(design), np.zeros(0)) for d in (design, replace(design, y=shuffled))
    )
    known = days <= middle
    assert np.array_equal(one.eta[known], other.eta[known])
    assert np.array_equal(one.variance[known], other.variance[known])
    assert not np.array_equal(one.eta[~known], other.eta[~known])


def test_it_is_exact_where_rows_are_normal(game, games):
    stanza = Stanza.model_validate(BODY | {"outcome": "margin", "period": "static", "effects": ("team:surface",)})
    design = played(game, games, 60, "margin", stanza)
    values = {"scale_team": 1.1, "scale_team_surface": 0.6, "sigma": 1.7}
    found = forecast(structure_of(design), values, np.zeros(0))
    x = np.hstack([block.weights.toarray() for block in design.blocks])
    prior = np.concatenate(
        [np.full(len(block.levels), values[f"scale_{block.name}"] ** -2.0) for block in design.blocks]
    )
    # units are filtered apart: exact for the first game of every pair of newcomers, and for whoever meets only them
    first = np.flatnonzero(np.cumsum(np.abs(x[:, :8]), axis=0).max(axis=1) <= 1)
    assert len(first)
    for row in first:
        before = x[:row]
        covariance = np.linalg.inv(np.diag(prior) + before.T @ before / values["sigma"] ** 2)
        mean = covariance @ (before.T @ design.y[:row]) / values["sigma"] ** 2
        assert found.eta[row] == pytest.approx(x[row] @ mean, abs=1e-9)
        assert found.variance[row] == pytest.approx(x[row] @ covariance @ x[row], rel=1e-9)


def test_a_walk_that_forgets_moves_mean_and_covariance_on_by_hand(game, games):
    """a meets b, half a year later c, and a day after d: by the posterior of the games before, of all four together."""
    stanza = Stanza.model_validate(BODY | {"outcome": "margin", "walk": ("team",), "persistence": 0.4})
    days = [date(2023, 1, 1), date(2023, 7, 2), date(2023, 7, 3)]
    pairs = [("a", "b"), ("a", "c"), ("a", "d")]
    some = [game(two, (float(5 - n), 1.0), day=day) for n, (two, day) in enumerate(zip(pairs, days, strict=True))]
    design = build_design(stanza, games(*some))
    tau, drift, sigma = 1.5, 2.0, 1.7
    found = forecast(structure_of(design), {"scale_team": tau, "scale_team_walk": drift, "sigma": sigma}, np.zeros(0))
    years = np.array([(day - days[0]).days for day in days]) / 365.25
    left = 0.4 ** np.abs(years[:, None] - years)
    spread = (1 - 0.4 ** (2 * np.minimum(years[:, None], years))) / (-2 * np.log(0.4))
    of_a = left * (0.4 ** (2 * np.minimum(years[:, None], years)) * tau**2 + drift**2 * spread)
    prior = of_a + tau**2 * np.eye(3)  # every other team is new
    sign = np.where(np.array(design.entrant) == 0, 1.0, -1.0)  # which side is stored first
    for row in range(3):
        known = prior[:row, :row] + sigma**2 * np.eye(row)
        gain = prior[row, :row] @ np.linalg.inv(known)
        assert sign[row] * found.eta[row] == pytest.approx(gain @ (sign * design.y)[:row], abs=1e-12)
        assert found.variance[row] == pytest.approx(prior[row, row] - gain @ prior[:row, row], rel=1e-12)


def test_where_strengths_are_forgotten_who_knows_how_fast_forecasts_better(game, games):
    """Simulated: every year keeps a half. Hyperparameters of each are those that forecast its own past best."""
    rng, strength, found = np.random.default_rng(8), np.zeros(16), []
    for season in range(14):
        strength = 0.5 * strength + rng.normal(0, 3.0, 16)
        for number in range(128):
            a, b = rng.choice(16, 2, replace=False)
            margin = float(strength[a] - strength[b] + rng.normal(0, 4))
            day = date(2000 + season, 9, 1) + timedelta(days=number // 2)
            found.append(game((f"t{a}", f"t{b}"), (margin, 0.0), day=day, season=str(2000 + season)))
    settings = {"outcome": "margin", "period": "season", "walk": ("team",)}
    losses = {}
    for kept in (1.0, 0.5, 0.1):
        design = build_design(Stanza.model_validate(BODY | settings | {"persistence": kept}), games(*found))
        s, day = structure_of(design), design.played_on[design.game]
        past = (day > np.datetime64("2002-01-01")) & (day < np.datetime64("2009-01-01"))
        learned = learn(s, past)
        later = forecast(s, learned.values, learned.shared).log_predictive[day > np.datetime64("2009-01-01")]
        losses[kept] = -later.mean()
    assert losses[0.5] < losses[1.0] - 0.005
    assert losses[0.5] < losses[0.1] - 0.005


def test_learning_looks_at_nothing_after_the_last_judged_row_and_forecasts_better(game, games):
    design = played(game, games)
    s = structure_of(design)
    judged = np.zeros(len(design.y), dtype=bool)
    judged[60:200] = True
    altered = design.y.copy()
    altered[200:] = 1 - altered[200:]
    one, other = (learn(structure_of(d), judged) for d in (design, replace(design, y=altered)))
    assert one.values == other.values
    begin = {"scale_team": 0.05, "scale_team_walk": 2.0, "scale_team_surface": 1.5, "noise_best_of_5": 0.0}
    worse = forecast(s, begin, np.zeros(0)).log_predictive[judged].mean()
    assert forecast(s, one.values, one.shared).log_predictive[judged].mean() > worse


def test_a_search_that_begins_where_the_last_one_ended_finds_the_same_in_fewer_passes(game, games, monkeypatch):
    monkeypatch.setattr(filter_module, "RUN_UP", np.timedelta64(10, "D"))
    s = structure_of(played(game, games))
    judged = np.zeros(s.rows, dtype=bool)
    judged[-60:] = True  # so few of its rows that the league is first searched without its early ones
    told: list[int] = []
    first = learn(s, judged, tell=told.append)
    again = learn(s, judged, first)
    assert again.passes < first.passes / 3 and told[-1] == first.passes and told == sorted(told)
    assert again.log_loss <= first.log_loss + 1e-9
    assert again.values == pytest.approx(first.values, rel=0.02)
