"""Retrosheet's game logs: no header, double-headers, designated hitters, forfeits, a moved club; and the real logs."""

import os
from pathlib import Path

import polars as pl
import pytest

from ingest.feed import Source, find
from ingest.frames import Parsed
from store.stanzas import Stanza
from store.warehouse import reading

FIXTURE = Path(__file__).parents[1] / "fixtures" / "retrosheet_gamelog" / "GL2011.TXT"
REAL = os.environ.get("POOLTABLE_REAL_DATA")
STANZA = Stanza(title="MLB", feed="retrosheet_gamelog", source=("logs",), outcome="win")


def parse(raw: bytes) -> Parsed:
    return find("retrosheet_gamelog").parse(raw, Source("mlb", "GL2011.TXT", STANZA))


def one(parsed: Parsed, game_id: str) -> dict:
    return parsed.games.filter(pl.col("game_id") == game_id).to_dicts()[0]


def attributes_of(parsed: Parsed, game_id: str) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in one(parsed, game_id)["attributes"]}


def roles(parsed: Parsed, game_id: str) -> list[list[str]]:
    """The roles of the visitors' and of the home team's players."""
    players = parsed.appearances.filter(pl.col("game_id") == game_id).join(parsed.sides, on=["game_id", "side"])
    return [players.filter(pl.col("is_home") == home)["role"].sort().to_list() for home in (False, True)]


@pytest.fixture
def log() -> Parsed:
    return parse(FIXTURE.read_bytes())


def test_without_a_header_the_first_line_is_a_game(log):
    assert (log.rows_read, log.games.height, log.source_rows["line"].min()) == (7, 7, 1)


def test_the_games_of_a_double_header_are_two_in_their_order(log):
    first, second = one(log, "2011-04-06|MIA|1"), one(log, "2011-04-06|MIA|2")
    assert (first["sequence"], second["sequence"]) == (0, 1)


def test_the_line_up_plays_with_a_designated_hitter_or_with_its_pitcher(log):
    fielders = ["1B", "2B", "3B", "C", "CF", "LF", "RF", "SP", "SS"]
    assert roles(log, "2011-04-05|BBB|0") == [sorted([*fielders, "DH"])] * 2
    assert roles(log, "2011-04-06|MIA|1") == [fielders] * 2


def test_players_are_told_by_id_and_named(log):
    players = dict(log.competitors.filter(pl.col("kind") == "player").select("competitor_id", "name").iter_rows())
    assert players["retrosheet:aaap020"] == "AAA Player 20"


def test_a_suspended_game_stands_under_its_first_day_and_a_level_one_has_no_winner(log):
    tie = one(log, "2011-06-10|CCC|0")
    assert tie["played_on"].isoformat() == "2011-06-10" and tie["status"] == "played"
    assert attributes_of(log, tie["game_id"])["completed"] == "20110611,CCC01,2,2,33"
    assert log.sides.filter(pl.col("game_id") == tie["game_id"])["won"].to_list() == [None, None]


def test_a_forfeit_is_awarded_and_a_protest_is_noted(log):
    forfeit = one(log, "2011-07-02|MIA|0")
    assert forfeit["status"] == "awarded" and attributes_of(log, forfeit["game_id"])["protest"] == "H"
    winner = log.sides.filter((pl.col("game_id") == forfeit["game_id"]) & pl.col("won"))
    assert winner["team"].to_list() == ["retrosheet:AAA"]


def test_a_no_decision_has_no_winner():
    raw = FIXTURE.read_text(encoding="utf-8").replace('"V","H"', '"T",""')
    parsed = parse(raw.encode())
    assert one(parsed, "2011-07-02|MIA|0")["status"] == "abandoned"
    assert parsed.sides.filter(pl.col("game_id") == "2011-07-02|MIA|0")["won"].to_list() == [None, None]


def test_a_home_team_that_batted_first_is_told(log):
    assert attributes_of(log, "2011-07-03|AAA|0")["home_batted_first"] == "true"
    assert "home_batted_first" not in attributes_of(log, "2011-04-05|BBB|0")


def test_a_club_that_moved_is_one_competitor_and_leagues_are_groups(log):
    teams = log.competitors.filter(pl.col("kind") == "team")["competitor_id"].sort().to_list()
    assert teams == ["retrosheet:AAA", "retrosheet:BBB", "retrosheet:CCC", "retrosheet:MIA"]
    groups = set(log.memberships.filter(pl.col("season") == "2012").select("competitor_id", "group").iter_rows())
    assert groups == {("retrosheet:MIA", "NL"), ("retrosheet:BBB", "AL")}


def test_the_notice_is_the_licence():
    assert "copyrighted by Retrosheet" in find("retrosheet_gamelog").licence


def test_a_line_that_cannot_be_used_is_rejected_by_name():
    good = FIXTURE.read_text(encoding="utf-8").splitlines()[0]
    broken = [
        good.replace('"20110405"', '"2011-04-05"'),
        good.replace('"BBB"', '"AAA"', 1),
        good.replace('"0"', '"7"', 1),
        good.replace("bbbp020", "aaap020"),
        good.rsplit(",", 3)[0],
    ]
    rejected = parse("\n".join([good, *broken]).encode()).rejected.sort("line")
    assert rejected["rule"].to_list() == [
        "date is missing or unreadable",
        "team plays itself",
        "unknown number of game",
        "player on both sides",
        "too few fields",
    ]


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_the_real_logs_are_17_007_games_of_30_clubs(home, load):
    pulled = load(Path(REAL or "") / "baseball", league="mlb")
    assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (17_007, 0, 17_007)
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        assert ask("SELECT season, count(*) FROM game GROUP BY ALL ORDER BY ALL") == [
            ("2010", 2_430), ("2011", 2_429), ("2012", 2_430), ("2013", 2_431), ("2014", 2_430), ("2015", 2_429),
            ("2016", 2_428),
        ]  # fmt: skip
        # 31 codes of teams are 30 clubs: FLO became MIA in 2012.
        assert ask("SELECT count(*) FROM competitor WHERE kind = 'team'") == [(30,)]
        ties = "SELECT count(DISTINCT game_id) FROM side WHERE won IS NULL"
        assert ask(ties) == [(1,)]
        # ten a side with a designated hitter, nine where the pitcher bats
        sizes = "SELECT game_id, side, count(*) AS n, bool_or(role = 'DH') AS dh FROM appearance GROUP BY ALL"
        assert ask(f"SELECT DISTINCT n, dh FROM ({sizes}) ORDER BY ALL") == [(9, False), (10, True)]
        # 15 games were suspended and finished on another day, 12 played under protest; none was forfeited.
        told = ", ".join(f"count(attributes['{name}'])" for name in ("completed", "protest", "forfeit"))
        assert ask(f"SELECT {told} FROM game") == [(15, 12, 0)]
        best = """
            SELECT season, team, count(*) FILTER (won) AS w, count(*) FILTER (NOT won)
            FROM game JOIN side USING (league, game_id) WHERE season >= '2015' GROUP BY season, team
            QUALIFY row_number() OVER (PARTITION BY season ORDER BY w DESC) = 1 ORDER BY ALL
        """
        assert ask(best) == [("2015", "retrosheet:SLN", 100, 62), ("2016", "retrosheet:CHN", 103, 58)]
        assert ask("SELECT sequence, count(*) FROM game GROUP BY ALL ORDER BY ALL") == [(0, 16_671 + 168), (1, 168)]
