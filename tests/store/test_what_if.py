"""What if coming games end so: seasons weighed by hand."""

import duckdb
import pytest

# Two seasons end with 0, 1, 2, 3 and 5, 4, 3, 2 points of t:0 to t:3. In the first t:0 beat t:1, in the second it lost;
# that it wins had a chance of 0.8 in the first and of 0.2 in the second.


@pytest.fixture(scope="module")
def con(two):
    with duckdb.connect(str(two.path), read_only=True) as con:
        yield con


def ended(con, results):
    asked = "FROM what_if('demo_football', map($games, $results)) ORDER BY competitor_id"
    found = con.execute(asked, {"games": [*results], "results": [*results.values()]})
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_seasons_weigh_by_the_chance_they_gave_the_result_and_points_move(con):
    """With a win the first season stays; in the second t:0 has 8 points and t:1 has 1, so t:2 and t:3 go past it."""
    rows = ended(con, {"g1": "win"})
    assert [row["expected_points"] for row in rows] == pytest.approx([0.2 * 8, 1, 0.8 * 2 + 0.2 * 3, 0.8 * 3 + 0.2 * 2])
    assert [row["expected_place"] for row in rows] == pytest.approx(
        [0.8 * 4 + 0.2, 0.8 * 3 + 0.2 * 4, 2, 0.8 + 0.2 * 3]
    )
    assert [row["chances"]["champion"] for row in rows] == pytest.approx([0.2, 0, 0, 0.8])
    assert [row["chances"]["promoted"] for row in rows] == pytest.approx([0, 0, 0.8, 0.2])  # by play-offs: 2nd, 3rd
    assert [(row["points_q5"], row["points_q95"]) for row in rows] == [(0, 8), (1, 1), (2, 3), (2, 3)]
    assert rows[0]["seasons"] == pytest.approx(1 / (0.8**2 + 0.2**2))


def test_a_draw_has_the_rest_of_the_chance(con):
    """A tenth in the first season, a fifth in the second; both then have a point of the game each."""
    rows = ended(con, {"g1": "draw"})
    first, second = 1 / 3, 2 / 3
    assert rows[0]["expected_points"] == pytest.approx(first * (0 - 2) + second * (5 + 1))
    assert rows[1]["expected_points"] == pytest.approx(first * (1 + 1) + second * (4 - 2))


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ({"nobody": "win"}, 'No game "nobody" of league "demo_football" is to come'),
        ({"g1": "win", "nobody": "win"}, 'No game "nobody"'),
        ({"g1": "won"}, '"won" is no result of game "g1"'),
        ({"g1": None}, '"NULL" is no result'),
    ],
)
def test_what_is_not_to_come_or_no_result_is_refused_in_words(con, results, says):
    with pytest.raises(duckdb.Error, match=says):
        ended(con, results)


def test_where_nothing_is_asked_nothing_is_said(con):
    assert ended(con, {}) == []
