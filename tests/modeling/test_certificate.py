"""What a fit without chains must show: each diagnostic on both sides of its bound."""

import numpy as np
import pytest
import xarray as xr

from modeling.build import build_design
from modeling.certificate import certified, chain_certified
from modeling.engines.joint import engine as joint


@pytest.fixture(scope="module")
def fitted(league, stanza):
    design = build_design(stanza, league.games)
    return design, joint.fit(design, np.ones(design.games, dtype=bool), 1, draws=200)


def test_a_healthy_fit_passes_and_its_hyperparameters_have_their_titles(fitted):
    checks = certified(*fitted)
    assert {check.status for check in checks} == {"pass"}
    assert [check.check_name for check in checks] == [
        "k_hat",
        "evidence",
        "surface",
        "damped",
        "prior_edge",
        "prior_edge",
    ]
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


def test_a_rough_way_warns_with_its_number_and_place(fitted):
    design, tree = fitted
    found = tree.copy()
    found["diagnostics"].attrs |= {"damped": 20, "factorisations": 60, "damped_where": "g7 of 2024-01-01, 3 more"}
    (rough,) = [one for one in certified(design, found) if one.check_name == "damped"]
    assert (rough.status, rough.value) == ("warn", pytest.approx(1 / 3))
    assert rough.message == "20 over 60 steps to the approximations, at g7 of 2024-01-01, 3 more."


def test_a_scale_far_beyond_its_prior_fails(fitted):
    design, tree = fitted
    found = tree.copy(deep=True)
    scales = found["diagnostics"]["prior_scales"]
    found["diagnostics"] = xr.DataTree(
        found["diagnostics"].to_dataset().assign(prior_scales=scales + np.array([0.0, 5.0]))
    )
    failed = [one.subject for one in certified(design, found) if one.status == "fail"]
    assert failed == ["spread of the defence of a team"]


def chain_tree(**changes: float) -> xr.DataTree:
    """Diagnostics as the chain engine leaves them."""
    whole = {"residual": 4e-4, "decrement": 1e-4, "held_rows": 0.0, "rows": 5000.0, "damped": 1.0, "sweeps": 40.0}
    of_prior = ("parameter", np.array([0.6, changes.pop("edge", 0.4)]))
    names = ["scale_attack", "scale_defence"]
    found = xr.Dataset(whole | changes | {"of_prior": of_prior}, coords={"parameter": names})
    return xr.DataTree.from_dict({"diagnostics": found})


@pytest.mark.parametrize(("changes", "name", "status"), [
    ({"residual": 0.02}, "residual", "fail"), ({"residual": float("nan")}, "residual", "fail"),
    ({"decrement": 0.06}, "evidence", "fail"), ({"held_rows": 6.0}, "held_rows", "fail"),
    ({"damped": 12.0}, "damped", "warn"), ({"edge": 4.5}, "prior_edge", "fail"),
])  # fmt: skip
def test_a_chain_fit_passes_and_fails_beyond_each_bound(fitted, changes, name, status):
    design, _ = fitted
    assert {one.status for one in chain_certified(design, chain_tree())} == {"pass"}
    (beyond,) = [one for one in chain_certified(design, chain_tree(**changes)) if one.status != "pass"]
    assert (beyond.check_name, beyond.status) == (name, status)
    assert name != "prior_edge" or beyond.subject == "spread of the defence of a team"
