"""Macros asked for each row of a table answer as they do asked one by one, whatever the table calls its columns."""

import shutil
from datetime import date, timedelta

import duckdb
import pytest

from store.edition import publish
from store.warehouse import writing

LEAGUES = ("demo_football", "nfl")
CALLS = (
    "competitors_of({}, ['t:0', 't:2'])",
    "opponents({}, 't:0', 't:1')",
    "win_probability({}, 't:0', 't:1')",
    "head_to_head({}, 't:0', 't:1')",
    "expected_score({}, 't:0', 't:1')",
    "margin_quantile({}, 't:0', 't:1')",
    "top({}, 2)",
    "compare({}, ['t:0', 't:1', 't:2'])",
    "leaderboard_at({}, DATE '2026-03-01')",
    "rating_at({}, 't:0', DATE '2026-03-01')",
    "movement({})",
    "movement({}, basis_name := 'backfilled')",
    "outlook({})",
    "season_chances({}, 'champion')",
    "what_if({}, MAP {{'g1': 'win'}})",
    "forecast_reliability({})",
    "lineage({})",
)
TABLES = (("league", "league"), *((f"league AS {name}", f"{name}.league") for name in "bdhlo"))


@pytest.fixture(scope="module")
def con(two):
    with duckdb.connect(str(two.path), read_only=True) as con:
        yield con


def ordered(con, sql):
    """Rows by their text, numbers to nine digits: sums over draws depend on their order."""
    rows = con.execute(sql).fetchall()
    return sorted((tuple(round(x, 9) if isinstance(x, float) else x for x in row) for row in rows), key=str)


@pytest.mark.parametrize("call", CALLS)
def test_a_macro_beside_a_table_answers_as_alone(con, call):
    """Names within a macro do not catch those of its reader: ids are the same in both leagues, answers are not."""
    alone = {league: ordered(con, f"FROM {call.format(repr(league))}") for league in LEAGUES}
    assert alone["nfl"] != []
    for table, league in TABLES:
        asked = f"SELECT answer.* FROM {table}, LATERAL (FROM {call.format(league)}) AS answer"
        assert ordered(con, asked) == sorted([*alone[LEAGUES[0]], *alone[LEAGUES[1]]], key=str), table
        assert (
            ordered(con, f"{asked} WHERE {table[-1] if ' ' in table else 'league'}.league = 'nfl'") == alone["nfl"]
        ), table


@pytest.mark.timeout(60)
def test_a_table_of_days_is_answered_beside_a_long_history(two, tmp_path):
    """A join that read the history anew for each row of itself would not end."""
    path = tmp_path / "long.duckdb"
    shutil.copy(two.path, path)
    path.chmod(0o600)
    days = [date(2020, 1, 1) + timedelta(days=3 * n) for n in range(12)]
    with duckdb.connect(str(path)) as con:
        con.execute(
            "INSERT INTO rating_history SELECT h.* REPLACE ((DATE '2020-01-01' + n::INTEGER)::DATE AS as_of)"
            " FROM rating_history AS h, range(500) AS r(n) WHERE basis = 'smoothed' AND as_of = DATE '2026-03-01'"
        )
        con.execute("CREATE TEMP TABLE asked_day AS SELECT unnest($days)::DATE AS day", {"days": days})
        found = con.execute(
            "SELECT day, t.as_of FROM asked_day, LATERAL (FROM rating_at('nfl', 'KC', day)) AS t ORDER BY day"
        ).fetchall()
        boards = con.execute(
            "SELECT count(*) FROM asked_day, LATERAL (FROM leaderboard_at('nfl', day)) AS t WHERE t.as_of = day"
        ).fetchall()
    assert found == [(day, day) for day in days]
    assert boards == [(4 * len(days),)]


ALPS = [call.replace("'t:0'", "'A'").replace("'t:1'", "'B'").replace("'t:2'", "'C'") for call in CALLS]


@pytest.fixture
def mixed(rated, now):
    """An edition of a rated league and one that is only loaded, with nothing of a season's end."""
    with writing(rated) as con:
        con.execute("INSERT INTO league SELECT * REPLACE ('andes' AS league) FROM league")
    with duckdb.connect(str(publish(rated, ["alps", "andes"], now)), read_only=True) as con:
        yield con


def test_a_league_that_is_not_rated_does_not_stop_the_answer_on_another(mixed):
    asked = "SELECT l.league, w.venue FROM league AS l, LATERAL (FROM win_probability(l.league, 'A', 'B')) AS w"
    assert len(mixed.execute(f"{asked} WHERE l.league = 'alps'").fetchall()) == 3
    with pytest.raises(duckdb.Error, match='League "andes" is not rated here'):
        mixed.execute(asked).fetchall()


@pytest.mark.parametrize("league", ["andes", "apls"])
def test_a_league_that_is_not_rated_or_not_there_is_told_by_every_macro(mixed, league):
    said = 'League "andes" is not rated here' if league == "andes" else 'There is no league "apls" with ratings here'
    for call in ALPS:
        with pytest.raises(duckdb.Error, match=said):
            mixed.execute(f"FROM {call.format(repr(league))}").fetchall()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("FROM leaderboard_at('alps', '2026-03-01', basis_name := NULL)", "A basis is needed; it is NULL"),
        ("FROM rating_at('alps', 'A', '2026-03-01', basis_name := NULL)", "A basis is needed; it is NULL"),
        ("FROM compare('alps', NULL)", "A list of competitors is needed; it is NULL"),
        ("FROM what_if('alps', NULL)", "A map of games to results is needed; it is NULL"),
        ("FROM lineage(NULL)", "the league asked for is NULL"),
    ],
)
def test_what_is_null_is_told(mixed, sql, message):
    with pytest.raises(duckdb.Error, match=message):
        mixed.execute(sql).fetchall()
