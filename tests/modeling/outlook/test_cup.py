"""Cups from their files to the chance of each round."""

from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import pytest

from modeling.outlook.cup import _ways_in, cup_of, keep_cup
from modeling.outlook.cup_file import Cup, read_cup
from modeling.record import forget_cup
from store.errors import UsageError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

DAY = "2030-06-01"


def names(*numbers: int) -> list[str]:
    return [f"Team t:{number:02d}" for number in numbers]


def chances(home: Home, stanza: Stanza, **said) -> dict[str, np.ndarray]:
    found = cup_of(home, "x", stanza, Cup.model_validate({"date": DAY} | said))
    return {name: np.array(reach) for name, reach in found.rows.select("name", "reach").iter_rows()}


def test_rounds_sum_to_their_places_and_byes_are_reached_by_all(home, stanza):
    found = chances(home, stanza, seeds=names(*range(6)))
    assert set(found) == set(names(*range(6)))
    reach = np.array(list(found.values()))
    assert reach.sum(axis=0).tolist() == pytest.approx([6, 4, 2, 1])
    assert found["Team t:00"][1] == found["Team t:01"][1] == 1.0


def test_a_cup_is_kept_once_a_day(home, stanza):
    found = cup_of(home, "x", stanza, Cup.model_validate({"date": DAY, "bracket": names(0, 1, 2, 3)}))
    for _ in range(2):
        keep_cup(home, "x", "spring", found, datetime(2026, 1, 1, tzinfo=UTC))
    with reading(home) as con:
        asked = "SELECT round, count(*), sum(chance) FROM cup_outlook WHERE cup = 'spring' GROUP BY stage, round"
        kept = con.execute(f"{asked} ORDER BY stage").fetchall()
    assert forget_cup(home, "x", "autumn") == ["spring"]
    assert forget_cup(home, "x", "spring") == ["spring"]
    assert forget_cup(home, "x", "spring") == []
    assert kept == [("last 4", 4, 4), ("last 2", 4, pytest.approx(2)), ("winner", 4, pytest.approx(1))]


def test_groups_send_their_places_into_the_bracket(home, stanza):
    groups = {"A": names(0, 1, 2), "B": names(3, 4, 5)}
    found = chances(home, stanza, groups=groups, bracket=["A1", "B2", "B1", "A2"])
    reach = np.array(list(found.values()))
    assert reach.sum(axis=0).tolist() == pytest.approx([4, 2, 1])
    assert sum(found[name][0] for name in groups["A"]) == pytest.approx(2)


def test_the_best_thirds_go_where_their_groups_may(home, stanza):
    """Of three groups of three the two best thirds: all nine stand in eight slots, or seven of them and a bye."""
    groups = {"A": names(0, 1, 2), "B": names(3, 4, 5), "C": names(6, 7, 8)}
    found = chances(home, stanza, groups=groups, bracket=["A1", "BC3", "B1", "AC3", "C1", "A2", "B2", "C2"])
    reach = np.array(list(found.values()))
    assert reach.sum(axis=0).tolist() == pytest.approx([8, 4, 2, 1])
    assert all(2 < sum(found[name][0] for name in members) < 3 for members in groups.values())
    with pytest.raises(UsageError, match="do not all find a slot"):
        chances(home, stanza, groups=groups, bracket=["A1", "BC3", "B1", "BC3", "C1", "A2", "B2", "C2"])


@pytest.mark.parametrize("groups", list(combinations("ABCDEF", 4)), ids="".join)
def test_whichever_four_thirds_of_six_go_through_find_their_slots(groups):
    """The bracket of European championships of 24: each of the fifteen sets of groups has a way in."""
    slots = {1: tuple("ADEF"), 3: tuple("DEF"), 5: tuple("ABCD"), 7: tuple("ABC")}
    found = _ways_in(slots, list(groups))
    assert sorted(found.values()) == list(groups)
    assert all(found[at] in slots[at] for at in slots)


@pytest.mark.parametrize(("legs", "rounds"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_the_order_of_names_in_groups_tells_nothing(home, stanza, legs, rounds):
    """Of groups, of their members and of hosts: chances are the same to the last digit, and sum to their places."""
    groups, rng = {"A": names(0, 1, 2, 3), "B": names(4, 5)}, np.random.default_rng(10 * legs + rounds)
    rest = {"bracket": ["A1", "B2", "B1", "A2"], "legs": legs, "rounds": rounds}
    found = chances(home, stanza, groups=groups, hosts=names(1, 4), **rest)
    assert np.array(list(found.values())).sum(axis=0).tolist() == pytest.approx([4, 2, 1])
    moved = {name: rng.permutation(groups[name]).tolist() for name in rng.permutation(list(groups)).tolist()}
    again = chances(home, stanza, groups=moved, hosts=rng.permutation(names(1, 4)).tolist(), **rest)
    assert {name: reach.tolist() for name, reach in again.items()} == {
        name: reach.tolist() for name, reach in found.items()
    }


@pytest.mark.parametrize("how", [{}, {"legs": 2}, {"best_of": 5}], ids=["single", "legs", "series"])
def test_which_of_two_neighbours_stands_first_tells_nothing(home, stanza, how):
    """Of ties, of two legs and of series: within five errors; and every round sums to its places."""
    bracket = names(0, 1, 2, 3)
    one, other = (chances(home, stanza, bracket=own, **how) for own in (bracket, bracket[::-1]))
    for found in (one, other):
        assert np.array(list(found.values())).sum(axis=0).tolist() == pytest.approx([4, 2, 1])
    assert max(np.abs(one[name] - other[name]).max() for name in bracket) < 5 * np.sqrt(0.5 / 10_000)


def test_groups_play_on_neutral_ground_whatever_the_legs(home, stanza):
    """Ties of two legs change nothing about who leaves a group, and hosts are at home in its games."""
    groups = {"A": names(0, 1, 2, 3)}
    single, legs, hosted = (
        chances(home, stanza, groups=groups, bracket=["A1", "A2"], **rest)
        for rest in ({}, {"legs": 2}, {"legs": 2, "hosts": names(2)})
    )
    assert all(legs[name][0] == pytest.approx(single[name][0], abs=0.03) for name in groups["A"])
    assert hosted["Team t:02"][0] > legs["Team t:02"][0] + 0.03


def test_two_rounds_of_a_group_favour_the_stronger_more(home, stanza):
    groups = {"A": names(0, 1, 2, 3)}
    once, twice = (chances(home, stanza, groups=groups, bracket=["A1", "A2"], rounds=rounds) for rounds in (1, 2))
    spread = [np.std([found[name][0] for name in groups["A"]]) for found in (once, twice)]
    assert spread[1] > spread[0] + 0.01


@pytest.mark.slow
def test_two_legs_and_series_favour_the_stronger_more(home, stanza):
    """A single game is luckier than a tie of two, and a tie than a series of nine."""
    single = chances(home, stanza, bracket=names(0, 1, 2, 3))
    legs = chances(home, stanza, bracket=names(0, 1, 2, 3), legs=2)
    series = chances(home, stanza, bracket=names(0, 1, 2, 3), best_of=9)
    for pair in (names(0, 1), names(2, 3)):
        apart = [abs(found[pair[0]][1] - 0.5) for found in (single, legs, series)]
        assert apart[0] < apart[1] + 0.02
        assert apart[1] < apart[2] + 0.02
        for found in (single, legs, series):
            assert found[pair[0]][1] + found[pair[1]][1] == pytest.approx(1)


@pytest.mark.slow
def test_hosts_are_at_home(home, stanza):
    away, at_home = (chances(home, stanza, bracket=names(4, 5), hosts=hosts) for hosts in ([], names(4)))
    assert at_home["Team t:04"][1] > away["Team t:04"][1] + 0.03


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('bracket = ["a"]', "date"),
        ("date = 2030-06-01", "a bracket of 2, 4, 8"),
        ('date = 2030-06-01\nbracket = ["a", "b", "c"]', "a bracket of 2, 4, 8"),
        ('date = 2030-06-01\nbracket = ["a", "b"]\nbest_of = 4', "an odd number"),
        ('date = 2030-06-01\nbracket = ["a", "b"]\nlegs = 3', "legs"),
        ('date = 2030-06-01\nbrackets = ["a", "b"]', 'brackets(.|\n)*Did you mean "bracket"'),
        ('date = 2030-06-01\nbracket = ["a", "b"]\nlegs = -1', "legs"),
        ('date = 2030-06-01\nbracket = ["a", "b"]\nattributes = { surface = ["Clay"] }', "attributes.surface"),
        ('date = 2030-06-01\nbracket = ["a", "b"]\nattributes = { indoor = true }', "attributes.indoor"),
        ("date = ", "cannot be read"),
        ('date = 2030-06-01\nbracket = ["a", "b"]\npoints = [inf, 1, 0]', "points.0(.|\n)*finite"),
        ('date = 2030-06-01\nbracket = ["", ""]', "two entrants at least"),
        ('date = 2030-06-01\nseeds = ["a"]', "two entrants at least"),
        ('date = 2030-06-01\nseeds = ["a", ""]', "an entrant without a name"),
        ('date = 2030-06-01\nseeds = ["a", "b"]\n[groups]\nA = ["c", "d"]', "no way into seeds"),
        ('date = 2030-06-01\nseeds = ["a", "b"]\norder = ["points", "points"]', "each criterion stands there once"),
        ('date = 2030-06-01\nbracket = ["A1", "b"]\n[groups]\nA = ["a"]', "group A has fewer than two members"),
        ('date = 2030-06-01\nbracket = ["a", "b"]\n[groups]\nA = ["c", "d"]', "nobody of group A stands"),
        ('date = 2030-06-01\nbracket = ["A1", "A1"]\n[groups]\nA = ["a", "b"]', '"A1" stands in 2 slots'),
        ('date = 2030-06-01\nbracket = ["A1", "A4"]\n[groups]\nA = ["a", "b", "c"]', "place that group A does not"),
        ('date = 2030-06-01\nbracket = ["AB3", "AB3"]\n[groups]\nA = ["a", "b"]\nB = ["c", "d", "e"]', "2 slots take"),
        (
            'date = 2030-06-01\nbracket = ["AB3", "A3"]\n[groups]\nA = ["a", "b", "f"]\nB = ["c", "d"]',
            "of group A goes on",
        ),
    ],
)
def test_a_mistake_in_a_cups_file_is_named(tmp_path, text, says):
    path = tmp_path / "cup.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=says):
        read_cup(path)


def test_who_is_not_known_or_stands_there_twice_is_told(home, stanza):
    with pytest.raises(UsageError, match='no team is called "Nobody"'):
        chances(home, stanza, bracket=["Nobody", "Team t:01"])
    with pytest.raises(UsageError, match=r'did you mean "Team t:0\d"\?\n'):
        chances(home, stanza, bracket=["Team t:0l", "Team t:00"])
    with pytest.raises(UsageError, match="twice"):
        chances(home, stanza, bracket=[*names(1), "t:01"])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"hosts": ["Team t:05"]}, 'The host "Team t:05" does not stand in the cup'),
        ({"hosts": ["Nobody"]}, 'no team is called "Nobody"'),
        ({"attributes": {"surface": "Clay"}}, 'no attribute "surface"'),
        ({"date": "1990-01-01"}, "begins on 1990-01-01, before"),
        ({"date": "9999-12-31"}, "begins on 9999-12-31, more than ten years after"),
    ],
)
def test_what_the_league_does_not_know_is_refused(home, stanza, more, says):
    with pytest.raises(UsageError, match=says):
        chances(home, stanza, **{"bracket": names(0, 1)} | more)
