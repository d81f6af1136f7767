"""What a fit without chains must show: each diagnostic on both sides of its bound."""

import numpy as np
import pytest
import xarray as xr

from modeling.build import build_design
from modeling.certificate import certified
from modeling.engines.joint import engine as joint


@pytest.fixture(scope="module")
def fitted(league, stanza):
    design = build_design(stanza, league.games)
    return design, joint.fit(design, np.ones(design.games, dtype=bool), 1, draws=200)


def test_a_healthy_fit_passes_and_its_hyperparameters_have_their_titles(fitted):
    checks = certified(*fitted)
    assert {check.status for check in checks} == {"pass"}
    assert [check.check_name for check in checks] == ["k_hat", "evidence", "surface", "prior_edge", "prior_edge"]
    assert checks[-1].subject == "spread of the defence of a team"


@pytest.mark.parametrize(("name", "value", "check"), [
    ("k_hat", 0.71, "k_hat"), ("gain_left", 0.06, "evidence"), ("surface_error", 0.6, "surface"),
    ("surface_error", float("nan"), "surface"),
])  # fmt: skip
def test_what_is_beyond_its_bound_fails(fitted, name, value, check):
    design, tree = fitted
    found = tree.copy()
    found["diagnostics"].attrs[name] = value
    assert [one.check_name for one in certified(design, found) if one.status == "fail"] == [check]


def test_a_scale_far_beyond_its_prior_fails(fitted):
    design, tree = fitted
    found = tree.copy(deep=True)
    scales = found["diagnostics"]["prior_scales"]
    found["diagnostics"] = xr.DataTree(
        found["diagnostics"].to_dataset().assign(prior_scales=scales + np.array([0.0, 5.0]))
    )
    failed = [one.subject for one in certified(design, found) if one.status == "fail"]
    assert failed == ["spread of the defence of a team"]
