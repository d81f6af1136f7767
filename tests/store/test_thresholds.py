"""A league may tighten what its fits are held to, and loosen it only with a reason that is shown."""

import pytest

from store.thresholds import ALSO, NAMES, TAILS, TIGHTER, USUAL, checked, thresholds_of


def tighter_and_looser(name: str) -> tuple[float, float]:
    usual = getattr(USUAL, name)
    if TIGHTER[name] == "lower":
        return usual / 2, usual * 2 + 1
    return usual * 2 + (name not in TAILS), usual / 2


def test_what_a_stanza_says_nothing_of_is_as_usual():
    assert thresholds_of(checked({})) == USUAL
    assert USUAL.own == {} == USUAL.as_json


@pytest.mark.parametrize("name", NAMES)
def test_every_threshold_can_be_tightened_and_not_loosened_in_silence(name):
    tighter, looser = tighter_and_looser(name)
    if tighter != getattr(USUAL, name):  # fewer divergences than none there are not
        assert thresholds_of(checked({name: tighter})).own == {name: tighter}
    with pytest.raises(ValueError, match=f"loosens {name} = "):
        checked({name: looser})
    found = thresholds_of(checked({name: looser, "reason": "few games"}))
    assert (found.own, found.reason) == ({name: looser}, "few games")


@pytest.mark.parametrize(("asked", "says"), [
    ({"rhat": 1.005}, 'there is no threshold called "rhat"; did you mean "r_hat"?'),
    ({"zzz": 1}, 'there is no threshold called "zzz"; there are r_hat, ess_bulk'),
    ({"r_hat": "low"}, "a threshold must be a number, 0 or more, and r_hat is 'low'"),
    ({"r_hat": True}, "and r_hat is True"),
    ({"r_hat": -1}, "and r_hat is -1"),
    ({"r_hat": float("inf")}, "and r_hat is inf"),
    ({"p_fail": 0.9}, "p_fail is a tail of a distribution, so it must be below 0.5"),
    ({"p_warn": 0.5}, "p_warn is a tail"),
    ({"r_hat": 2, "reason": " "}, "reason must say in words why"),
])  # fmt: skip
def test_what_is_no_threshold_is_refused_in_a_sentence(asked, says):
    with pytest.raises(ValueError) as caught:
        checked(asked)
    assert says in str(caught.value)


def test_those_that_take_two_keys_say_so():
    assert all("p-value" in ALSO[name] for name in ("pit", "pit_chain", "share", "variance", "dominance"))
    assert not ALSO["r_hat"] and not ALSO["k_hat"]
