"""A league may tighten what its fits are held to, and loosen it only with a reason that is shown."""

from dataclasses import replace

import pytest

from modeling.build import build_design
from modeling.judge import threshold_checks
from modeling.thresholds import NAMES, TAILS, TIGHTER, USUAL, thresholds_for
from store.errors import FitError


def asking(stanza, **thresholds):
    return stanza.model_copy(update={"thresholds": thresholds})


def test_what_a_stanza_says_nothing_of_is_as_usual(stanza):
    assert thresholds_for("x", stanza) == USUAL
    assert USUAL.own == {} == USUAL.as_json


@pytest.mark.parametrize("name", NAMES)
def test_every_threshold_can_be_tightened_and_not_loosened_in_silence(stanza, name):
    usual = getattr(USUAL, name)
    tighter = usual / 2 if TIGHTER[name] == "lower" else usual * 2 + (name not in TAILS)
    looser = usual * 2 + 1 if TIGHTER[name] == "lower" else usual / 2
    if tighter != usual:  # fewer divergences than none there are not
        assert thresholds_for("x", asking(stanza, **{name: tighter})).own == {name: tighter}
    with pytest.raises(FitError, match=f"loosens {name} = "):
        thresholds_for("x", asking(stanza, **{name: looser}))
    found = thresholds_for("x", asking(stanza, **{name: looser}, reason="few games"))
    (check,) = threshold_checks(found)
    assert (check.check_name, check.subject, check.value, check.bound) == ("threshold", name, looser, usual)
    assert check.status == "warn" and check.message.endswith(": few games")


def test_a_name_that_is_none_is_refused_with_the_nearest(stanza):
    with pytest.raises(FitError) as caught:
        thresholds_for("x", asking(stanza, rhat=1.005))
    assert 'x: there is no threshold called "rhat".' in caught.value.message
    assert caught.value.hint == 'Did you mean "r_hat"?'


def test_the_design_carries_them_and_they_are_part_of_what_a_fit_is(stanza, league):
    plain, own = (build_design(one, league.games) for one in (stanza, asking(stanza, r_hat=1.005)))
    assert own.thresholds == replace(USUAL, r_hat=1.005)
    assert plain.as_json() != own.as_json()
    assert own.as_json()["thresholds"] == {"r_hat": 1.005, "reason": ""}
    (check,) = threshold_checks(own.thresholds)
    assert check.status == "pass" and check.message == "Tightened from 1.01 for this league."


@pytest.mark.parametrize("name", ["p_fail", "p_warn"])
def test_a_tail_that_is_more_than_half_is_refused(stanza, name):
    with pytest.raises(FitError, match="no tail of a distribution"):
        thresholds_for("x", asking(stanza, **{name: 0.9}))
