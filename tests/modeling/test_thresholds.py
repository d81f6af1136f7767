"""A league's own thresholds are part of what a fit is, and stand among its checks."""

from dataclasses import replace

import pytest

from modeling.build import build_design
from modeling.identity import fit_id
from modeling.judge import threshold_checks
from store.thresholds import USUAL


def asking(stanza, **thresholds):
    return stanza.model_copy(update={"thresholds": thresholds})


def test_the_design_carries_them_and_they_are_part_of_what_a_fit_is(stanza, league):
    plain, own = (build_design(one, league.games) for one in (stanza, asking(stanza, r_hat=1.005)))
    assert own.thresholds == replace(USUAL, r_hat=1.005)
    assert own.as_json()["thresholds"] == {"r_hat": 1.005, "reason": ""}
    assert fit_id(stanza, league.games, plain, "joint", 1) != fit_id(stanza, league.games, own, "joint", 1)


@pytest.mark.parametrize(("thresholds", "status", "says"), [
    (replace(USUAL, r_hat=1.005), "pass", "Tightened from 1.01 for this league."),
    (replace(USUAL, r_hat=1.02, reason="few games"), "warn", "Loosened from 1.01: few games"),
    (replace(USUAL, pit=0.01), "pass",
     "Tightened from 0.1 for this league. Beyond it a fit is rejected only where chance rarely goes as far: where its "
     "p-value is in a tail of p_fail too."),
])  # fmt: skip
def test_each_is_a_check_beside_the_usual_one(thresholds, status, says):
    (check,) = threshold_checks(thresholds)
    assert (check.check_name, check.status, check.message) == ("threshold", status, says)
    assert check.bound == getattr(USUAL, check.subject) != check.value
