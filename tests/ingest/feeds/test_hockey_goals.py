"""NHL goals: no dates, everyone on the ice, penalties and pulled goalkeepers, a moved club; and the real files."""

import os
from pathlib import Path

import polars as pl
import pytest

from ingest.feed import Source, find
from ingest.frames import Parsed
from store.errors import FeedError
from store.stanzas import Stanza
from store.warehouse import reading

FIXTURES = Path(__file__).parents[1] / "fixtures" / "hockey_goals"
GOALS, ON_ICE = (FIXTURES / "goals.csv").read_bytes(), (FIXTURES / "on_ice.csv").read_bytes()
REAL = os.environ.get("POOLTABLE_REAL_DATA")
STANZA = Stanza(title="NHL", feed="hockey_goals", source=("hockey",), outcome="win")


def parse(goals: bytes = GOALS, on_ice: bytes = ON_ICE) -> Parsed:
    return find("hockey_goals").parse(goals, Source("nhl", "goals.csv", STANZA, {"on_ice.csv": on_ice}))


def with_rows(*rows: str) -> bytes:
    return ON_ICE + "".join(f"{row}\n" for row in rows).encode()


def test_each_goal_is_a_game_won_by_the_side_that_scored_and_its_match_is_the_contest():
    parsed = parse()
    assert parsed.games["contest_id"].to_list()[:3] == ["20102011|1", "20102011|1", "20102011|2"]
    home = parsed.sides.filter("is_home")
    assert home["score"].to_list() == [1, 0, 0, 1, 1, 0]
    assert home["won"].to_list() == [True, False, False, True, True, False]


def test_without_dates_the_day_is_the_seasons_last_with_its_precision_and_the_order_is_the_rows():
    games = parse().games
    assert games["played_on"].cast(pl.String).unique().sort().to_list() == ["2011-06-30", "2012-06-30"]
    assert games["played_on_precision"].unique().to_list() == ["season"]
    assert games["sequence"].to_list() == [0, 1, 2, 3, 4, 5]
    assert games["season"].unique().sort().to_list() == ["2010/11", "2011/12"]


def test_everyone_on_the_ice_appears_goalkeepers_too_and_a_penalty_leaves_one_fewer():
    parsed = parse()
    counts = parsed.appearances.group_by("game_id").len().sort("game_id")["len"].to_list()
    assert counts == [12, 11, 12, 12, 12, 12]
    keepers = parsed.appearances.filter(pl.col("player").str.ends_with("KEEPER"))
    assert keepers.height == 12
    assert "Aaa Keeper" in parsed.competitors["name"].to_list()


def test_players_are_on_the_side_they_are_listed_for():
    parsed = parse()
    home = parsed.appearances.join(parsed.sides.filter("is_home"), on=["game_id", "side"])
    first = home.filter(pl.col("game_id") == "20102011|1")["player"]
    assert first.str.starts_with("nhl:AAA_").all() and first.len() == 6


def test_a_club_that_moved_is_one_competitor():
    teams = parse().competitors.filter(pl.col("kind") == "team")["competitor_id"].sort().to_list()
    assert teams == ["nhl:AAA", "nhl:BBB", "nhl:WPG"]


def test_the_situation_and_the_play_offs_are_kept():
    games = parse().games
    assert {"key": "config", "value": "S5v3+|SNG+"} in games["attributes"][3].to_list()
    assert games["round"].to_list() == [None] * 5 + ["play-offs"]


def test_rows_of_the_ice_that_cannot_be_used_are_rejected_by_name():
    rejected = parse(on_ice=with_rows("1,AAA_KEEPER,1", "1,AAA_KEEPER,-1", "999,NOBODY,1", "1,NEWCOMER,0")).rejected
    assert rejected["file"].unique().to_list() == ["on_ice.csv"]
    assert rejected["rule"].to_list() == [
        "player is on the ice already",
        "player is on the ice already",
        "no such goal",
        "unknown side",
    ]


def test_goals_that_cannot_be_used_are_rejected_by_name():
    bad = ["7,5,20112013,AAA,BBB,1,0,0,,1", "8,5,20112012,AAA,AAA,1,0,0,,1", "9,5,20112012,AAA,BBB,1,0,0,,2"]
    bad += ["1,1,20102011,AAA,BBB,1,0,0,,1"]
    rejected = parse(GOALS + "".join(f"{row}\n" for row in bad).encode()).rejected
    assert rejected["rule"].to_list() == [
        "season is not two years",
        "team plays itself",
        "home_goal is too large",
        "goal is there already",
    ]


def test_goals_without_the_ice_are_a_clear_error():
    with pytest.raises(FeedError, match=r"on_ice\.csv"):
        find("hockey_goals").parse(GOALS, Source("nhl", "goals.csv", STANZA))


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_the_real_files_are_64_569_goals_with_746_095_players_on_the_ice(home, load):
    pulled = load(Path(REAL or "") / "hockey", league="nhl_goals")
    assert (pulled.rows_rejected, pulled.games_new) == (0, 64_569)
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        assert ask("SELECT count(*) FROM appearance") == [(746_095,)]
        # 31 codes of teams are 30 clubs: ATL became WPG in 2011.
        assert ask("SELECT kind, count(*) FROM competitor GROUP BY ALL ORDER BY ALL") == [
            ("player", 2_302),
            ("team", 30),
        ]
        assert ask("SELECT count(DISTINCT contest_id) FROM game") == [(11_772,)]
        sizes = "SELECT game_id, count(*) AS n FROM appearance GROUP BY ALL"
        assert ask(f"SELECT n, count(*) FROM ({sizes}) GROUP BY ALL ORDER BY ALL") == [
            (8, 27), (9, 680), (10, 4_309), (11, 17_967), (12, 41_586),
        ]  # fmt: skip
        assert ask("SELECT sum(score) FROM side WHERE is_home") == [(33_978,)]
        seasons = [season for (season,) in ask("SELECT DISTINCT season FROM game ORDER BY 1")]
        # No 2004/05: it was not played. The short one of 2012/13 has the fewest goals.
        assert seasons[:3] == ["2002/03", "2003/04", "2005/06"] and len(seasons) == 10
        fewest = "SELECT season, count(*) FROM game GROUP BY ALL ORDER BY 2 LIMIT 1"
        assert ask(fewest) == [("2012/13", 4_245)]
