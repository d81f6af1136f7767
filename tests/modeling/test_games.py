"""What is said where the warehouse does not have the games or the players that are asked for."""

from collections.abc import Sequence
from datetime import date, timedelta

import duckdb
import pytest

from modeling.games import Games, read_games
from store.errors import FitError
from store.home import Home
from store.warehouse import writing

PLAYED = """
INSERT INTO game BY NAME SELECT 'x' AS league, 'g' || i AS game_id, 'g' || i AS contest_id, 0 AS sequence,
    '2024' AS season, DATE '2024-01-01' + CAST(i AS INT) AS played_on, 'day' AS played_on_precision,
    'played' AS status, true AS neutral, MAP {} AS attributes, 'all' AS slice
FROM range(3) t(i);
INSERT INTO side BY NAME SELECT 'x' AS league, 'g' || i AS game_id, s AS side, 't' || s AS team, false AS is_home,
    i AS score
FROM range(3) t(i), range(1, 3) u(s);
"""


@pytest.fixture
def con(tmp_path):
    with writing(Home(tmp_path)) as con:
        con.execute(PLAYED)
        yield con


def read(con: duckdb.DuckDBPyConnection, since: date | None, as_of: date | None, roles: Sequence[str] = ()) -> Games:
    return read_games(con, "x", since, as_of, players=bool(roles), roles=roles)


@pytest.mark.parametrize(
    ("since", "as_of", "said"),
    [
        (None, date(1990, 1, 1), "x: no played games before 1990-01-01."),
        (date(2090, 1, 1), None, "x: no played games from 2090-01-01 up to 2024-01-04."),
    ],
)
def test_a_time_without_games_is_told_with_the_days_there_are(con, since, as_of, said):
    with pytest.raises(FitError) as caught:
        read(con, since, as_of)
    assert caught.value.message == said
    assert "from 2024-01-01 to 2024-01-03" in str(caught.value.hint)


def test_a_group_that_nobody_is_in_is_told_with_those_there_are(con):
    with pytest.raises(FitError) as caught:
        read_games(con, "x", None, None, grouping="divison")
    assert caught.value.message == 'x: group = "divison", and nobody is known to be in any divison.'
    assert "Take `group` out" in caught.value.hint
    con.execute("INSERT INTO membership BY NAME SELECT 'x' AS league, 't' AS competitor_id, '1' AS season,"
                " unnest(['division', 'country']) AS grouping, 'a' AS \"group\"")  # fmt: skip
    with pytest.raises(FitError) as caught:
        read_games(con, "x", None, None, grouping="divison")
    assert caught.value.hint == "There are: country, division."


def test_a_role_that_nobody_had_is_told_with_those_there_are(con):
    con.execute("INSERT INTO appearance SELECT 'x', 'g' || i, 1, 'p' || i, 1, 'G' || i FROM range(2) t(i)")
    assert read(con, None, None, ["G1"]).appearances["player"].to_list() == ["p1"]
    with pytest.raises(FitError) as caught:
        read(con, None, None, ["SP"])
    assert caught.value.message == "x: roles = ['SP'], and nobody appeared in these games in such a role."
    assert caught.value.hint == "There are: G0, G1."
    con.execute("UPDATE appearance SET role = NULL")
    with pytest.raises(FitError) as caught:
        read(con, None, None, ["SP"])
    assert "nobody's role is known" in str(caught.value.hint)


def test_games_are_those_up_to_the_day_before(con):
    found = read(con, date(2024, 1, 2), date(2024, 1, 3))
    assert found.sides["game_id"].unique().to_list() == ["g1"]
    assert found.as_of - timedelta(days=1) == date(2024, 1, 2)
