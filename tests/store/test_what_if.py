"""What if coming games end so: seasons weighed by hand, and those in which it came so."""

import duckdb
import pytest

from store.edition import publish
from store.warehouse import writing

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
    assert not any(row["is_exact"] for row in rows)


def test_a_draw_has_the_rest_of_the_chance(con):
    """A tenth in the first season, a fifth in the second; both then have a point of the game each."""
    rows = ended(con, {"g1": "draw"})
    first, second = 1 / 3, 2 / 3
    assert rows[0]["expected_points"] == pytest.approx(first * (0 - 2) + second * (5 + 1))
    assert rows[1]["expected_points"] == pytest.approx(first * (1 + 1) + second * (4 - 2))


@pytest.mark.parametrize(("both", "is_exact"), [(100, True), (99, False)])
def test_seasons_in_which_the_results_came_so_count_alone_where_there_are_enough(rated, now, both, is_exact):
    """A meets C twice and loses the second game, or so many times both: then it ends level with B, and behind it by
    goals. Where it won the first it is ahead, and so it would still be with its points moved."""
    lost = [season < both for season in range(both + 300)]
    ends = {
        "fifa:A": [(10, 2) if so else (13, 1) for so in lost],
        "fifa:B": [(10, 1) if so else (10, 2) for so in lost],
        "fifa:C": [(6, 3) if so else (3, 3) for so in lost],
    }
    made = "fit_id, fitted_at_utc, as_of, '2026', ''"
    with writing(rated) as con:
        for who, end in ends.items():
            con.execute(
                f"INSERT INTO simulated_table SELECT league, {made}, ?, ?, ?, [('champion', 1, 1)] FROM fit",
                [who, *map(list, zip(*end, strict=True))],
            )
        for game, results in {"g1": [2 if so else 0 for so in lost], "g2": [2 for _ in lost]}.items():
            chances = [3000 for _ in lost]
            con.execute(
                f"INSERT INTO simulated_game SELECT league, {made}, ?, 'fifa:A', 'fifa:C', [3, 1, 0], ?, ?, ? FROM fit",
                [game, results, chances, chances],
            )
    asked = "SELECT seasons, is_exact, chances['champion'] FROM what_if('alps', map($games, ['loss', 'loss']))"
    with duckdb.connect(str(publish(rated, ["alps"], now)), read_only=True) as con:
        rows = con.execute(f"{asked} ORDER BY competitor_id", {"games": ["g1", "g2"]}).fetchall()
    seasons, ahead = (both, 0) if is_exact else (both + 300, 300 / (both + 300))
    assert rows == [(pytest.approx(seasons), is_exact, pytest.approx(share)) for share in (ahead, 1 - ahead, 0)]


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
