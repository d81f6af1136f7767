"""Cups from their files to the chance of each round."""

from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import pytest

from modeling.outlook.cup import Cup, _ways_in, cup_of, keep_cup, read_cup
from store.errors import UsageError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

DAY = "2030-06-01"


def names(*numbers: int) -> list[str]:
    return [f"Team t:{number:02d}" for number in numbers]


def chances(home: Home, stanza: Stanza, **settings) -> dict[str, np.ndarray]:
    found = cup_of(home, "x", stanza, Cup.model_validate({"date": DAY} | settings))
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
        ('date = 2030-06-01\nbrackets = ["a", "b"]', "brackets"),
        ("date = ", "cannot be read"),
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
    with pytest.raises(UsageError, match="twice"):
        chances(home, stanza, bracket=[*names(1), "t:01"])
    with pytest.raises(UsageError, match='"A4" is of a place that group A does not have'):
        chances(home, stanza, groups={"A": names(0, 1, 2)}, bracket=["A1", "A4"])
