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
