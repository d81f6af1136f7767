"""What everybody knows of these sports, asked of the loaded games by SQL, as an analyst would.

A fact here is in no file as such: it comes out right only if scores, sides, homes, seasons, names and statuses do.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.pull import pull
from store.home import Home
from store.stanzas import read_catalogue
from store.warehouse import reading

REAL = os.environ.get("POOLTABLE_REAL_DATA")
pytestmark = [pytest.mark.real, pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")]
NOW = datetime(2025, 11, 1, tzinfo=UTC)
SOURCES = {
    "english_football": "club_football/*/en.1.json",
    "english_football_odds": "football_odds/england/*/Premier.csv",
    "england_history": "england_history/england.csv.gz",
    "nfl": "american_football/games.csv",
    "nfl_history": "american_football/nfl_games_538.csv",
    "international_football": "international_football",
    "formula_1": "f1",
    "atp_doubles": "tennis_atp/atp_matches_doubles_*",
}
Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Asks a question of a home with the leagues of SOURCES."""
    home = Home(tmp_path_factory.mktemp("facts"))
    for league, source in SOURCES.items():
        pull(home, league, read_catalogue()[league].model_copy(update={"source": (f"{REAL}/{source}",)}), NOW)

    def answer(sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        with reading(home) as con:
            return con.execute(sql, parameters or None).fetchall()

    return answer


CHAMPIONS = """
WITH tally AS (
    SELECT
        g.season, s.team, sum(CASE WHEN s.won THEN 3 WHEN s.won IS NULL THEN 1 ELSE 0 END)::INT AS points,
        sum(s.score - o.score)::INT AS difference, count(*) AS games
    FROM game AS g
    JOIN side AS s USING (league, game_id)
    JOIN side AS o ON o.league = g.league AND o.game_id = g.game_id AND o.side <> s.side
    WHERE g.league = $league AND g.attributes['division'] = $division AND g.season[:4] BETWEEN '2013' AND '2018'
    GROUP BY ALL
)
SELECT t.season[:4], max_by(c.name, (points, difference)), max(points), sum(points)::INT, sum(abs(difference))::INT
FROM tally AS t JOIN competitor AS c ON c.league = $league AND c.competitor_id = t.team
GROUP BY ALL ORDER BY ALL
"""


def test_three_sources_agree_on_the_premier_league_and_leicester_won_it_with_81_points(ask):
    openfootball = ask(CHAMPIONS, league="english_football", division="en.1")
    odds = ask(CHAMPIONS, league="english_football_odds", division="E0")
    history = ask(CHAMPIONS, league="england_history", division="1")
    assert [(year, points) for year, _, points, *_ in openfootball] == [
        ("2013", 86), ("2014", 87), ("2015", 81), ("2016", 93), ("2017", 100), ("2018", 98),
    ]  # fmt: skip
    assert [[(year, *tally) for year, _, *tally in of] for of in (odds, history)] == [
        [(year, *tally) for year, _, *tally in openfootball]
    ] * 2
    leicester = [of[2][1] for of in (openfootball, odds, history)]
    assert leicester == ["Leicester City FC", "Leicester", "Leicester City"]


def test_two_sources_agree_on_the_super_bowls_and_the_patriots_won_six_of_them_since_1999(ask):
    last_game = """
        SELECT g.season, c.name, s.score::INT, g.neutral
        FROM game AS g JOIN side AS s USING (league, game_id)
        JOIN competitor AS c ON c.league = g.league AND c.competitor_id = s.team
        WHERE g.league = $league AND s.won
            AND (g.season, g.played_on) IN (
                SELECT (season, max(played_on)) FROM game WHERE league = $league AND season >= '1999' GROUP BY season
            )
        ORDER BY ALL
    """
    bowls = ask(last_game, league="nfl")
    assert len(bowls) == 24 and all(neutral for *_, neutral in bowls)
    winners = [name for _, name, *_ in bowls]
    assert winners.count("NE") == 6
    assert bowls[0][:2] == ("1999", "LA")  # in St. Louis then
    newer = {"LA": "LAR"}
    others = {season: (name, points) for season, name, points, _ in ask(last_game, league="nfl_history")}
    ours = {season: (newer.get(name, name), points) for season, name, points, _ in bowls if season <= "2018"}
    assert ours == others


def test_the_world_cup_finals(ask):
    finals = """
        SELECT g.season, coalesce(g.attributes['shootout_winner'], any_value(c.name) FILTER (s.won)),
            any_value(s.team) FILTER (s.is_home)
        FROM game AS g JOIN side AS s USING (league, game_id)
        JOIN competitor AS c ON c.league = g.league AND c.competitor_id = s.team
        WHERE g.league = 'international_football' AND attributes['tournament'] = 'FIFA World Cup' AND season >= '1954'
        GROUP BY g.game_id, g.season, g.played_on, g.attributes
        QUALIFY g.played_on = max(g.played_on) OVER (PARTITION BY g.season)
        ORDER BY g.season
    """
    found = ask(finals)
    assert [winner for _, winner, _ in found] == [
        "Germany", "Brazil", "Brazil", "England", "Brazil", "Germany", "Argentina", "Italy", "Argentina", "Germany",
        "Brazil", "France", "Brazil", "Italy", "Spain", "Germany", "France", "Argentina",
    ]  # fmt: skip
    at_home = {season: team for season, _, team in found if team}
    assert at_home == {
        "1958": "fifa:Sweden", "1966": "fifa:England", "1974": "fifa:Germany", "1978": "fifa:Argentina",
        "1998": "fifa:France",
    }  # fmt: skip


def test_a_former_name_is_an_alias_with_its_days(ask):
    days = "SELECT competitor_id, valid_from::VARCHAR, valid_to::VARCHAR FROM alias WHERE alias = 'Upper Volta'"
    assert ask(days) == [("fifa:Burkina Faso", "1960-04-14", "1984-08-04")]
    assert ask("SELECT count(*) FROM competitor WHERE name = 'Upper Volta'") == [(0,)]


WINS = """
SELECT g.season, c.name, count(*) AS wins
FROM game AS g JOIN side AS s USING (league, game_id) JOIN appearance AS a USING (league, game_id, side)
JOIN competitor AS c ON c.league = g.league AND c.competitor_id = a.player
WHERE g.league = 'formula_1' AND s.won GROUP BY ALL
"""


def test_hamilton_has_won_103_races_to_2021_and_most_of_six_seasons(ask):
    best = (
        f"SELECT season, max_by(name, wins), max(wins) FROM ({WINS}) WHERE season >= '2013' GROUP BY ALL ORDER BY ALL"
    )
    assert ask(best) == [
        ("2013", "Sebastian Vettel", 13), ("2014", "Lewis Hamilton", 11), ("2015", "Lewis Hamilton", 10),
        ("2016", "Lewis Hamilton", 10), ("2017", "Lewis Hamilton", 9), ("2018", "Lewis Hamilton", 11),
        ("2019", "Lewis Hamilton", 11), ("2020", "Lewis Hamilton", 11), ("2021", "Max Verstappen", 10),
    ]  # fmt: skip
    assert ask(f"SELECT sum(wins)::INT FROM ({WINS}) WHERE name = 'Lewis Hamilton'") == [(103,)]


def test_a_shared_car_is_one_win_of_its_constructor(ask):
    constructors = """
        SELECT c.name, count(*) FROM side AS s JOIN competitor AS c ON c.league = s.league AND c.competitor_id = s.team
        WHERE s.league = 'formula_1' AND s.won GROUP BY ALL ORDER BY 2 DESC LIMIT 3
    """
    assert ask(constructors) == [("Ferrari", 238), ("McLaren", 179), ("Mercedes", 124)]


def test_pairs_won_wimbledon_together(ask):
    finals = """
        SELECT g.season, string_agg(c.name, ' and ' ORDER BY c.name)
        FROM game AS g JOIN side AS s USING (league, game_id) JOIN appearance AS a USING (league, game_id, side)
        JOIN competitor AS c ON c.league = g.league AND c.competitor_id = a.player
        WHERE g.league = 'atp_doubles' AND round = 'F' AND attributes['event'] = 'Wimbledon' AND s.won
        GROUP BY ALL ORDER BY ALL
    """
    found = dict(ask(finals))
    assert [found[season] for season in ("2011", "2012", "2018")] == [
        "Bob Bryan and Mike Bryan", "Frederik Nielsen and Jonathan Marray", "Jack Sock and Mike Bryan",
    ]  # fmt: skip


def test_where_a_game_is_not_neutral_one_side_is_at_home_and_else_none(ask):
    homes = """
        SELECT DISTINCT neutral, homes
        FROM (
            SELECT g.league, game_id, neutral, count(*) FILTER (is_home) AS homes
            FROM game AS g JOIN side USING (league, game_id) GROUP BY ALL
        ) ORDER BY ALL
    """
    assert ask(homes) == [(False, 1), (True, 0)]


def test_no_group_is_without_its_members_and_promotion_moves_a_club(ask):
    tiers = """
        SELECT season, "group" FROM membership JOIN competitor USING (league, competitor_id)
        WHERE league = 'england_history' AND grouping = 'tier' AND name = 'Leicester City' AND season >= '2007'
        ORDER BY season LIMIT 9
    """
    # relegated in 2008, back after a year, promoted in 2014
    assert ask(tiers) == [
        ("2007", "2"), ("2008", "3"), ("2009", "2"), ("2010", "2"), ("2011", "2"), ("2012", "2"), ("2013", "2"),
        ("2014", "1"), ("2015", "1"),
    ]  # fmt: skip


def test_england_history_has_the_holes_of_its_provenance(ask):
    """No seasons in the wars, two regional third tiers from 1921 to 1958, and two tiers that stopped in 2020."""
    seasons = [int(season) for (season,) in ask("SELECT DISTINCT season FROM game WHERE league = 'england_history'")]
    assert sorted(set(range(1888, 2022)) - set(seasons)) == [*range(1915, 1919), *range(1939, 1946)]
    of = "FROM game WHERE league = 'england_history' AND attributes['division']"
    assert ask(f"SELECT min(season), max(season) {of} IN ('3N', '3S')") == [("1921", "1957")]
    stopped = (
        f"SELECT attributes['division'], count(*) {of} IN ('3', '4') AND season = '2019' GROUP BY ALL ORDER BY ALL"
    )
    assert ask(stopped) == [("3", 400), ("4", 440)]
