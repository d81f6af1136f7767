"""NBA stints: overtime, stints without possessions, players told by id; and the real file."""

import os
from pathlib import Path

import polars as pl
import pytest

from ingest.feed import Source, find
from ingest.frames import Parsed
from store.stanzas import Stanza
from store.warehouse import reading

FIXTURE = Path(__file__).parents[1] / "fixtures" / "basketball_stints" / "stints.csv"
REAL = os.environ.get("POOLTABLE_REAL_DATA")
STANZA = Stanza(title="NBA", feed="basketball_stints", source=("stints.csv",), outcome="score")
FIRST = "20111226AAABBB"


def parse(raw: bytes) -> Parsed:
    return find("basketball_stints").parse(raw, Source("nba", "stints.csv", STANZA))


@pytest.fixture
def stints() -> Parsed:
    return parse(FIXTURE.read_bytes())


def test_stints_share_their_match_and_follow_the_clock_into_overtime(stints):
    match = stints.games.filter(pl.col("contest_id") == FIRST).sort("sequence")
    assert match["sequence"].to_list() == [0, 480, 489, 1680, 2880, 3000]
    assert match["game_id"].to_list()[-1] == f"{FIRST}|3000"
    assert set(match.select("season", pl.col("played_on").cast(pl.String)).iter_rows()) == {("2011/12", "2011-12-26")}


def test_exposure_is_each_sides_own_possessions_and_half_a_one_where_there_is_none(stints):
    exposure = stints.sides.filter(pl.col("game_id") == f"{FIRST}|480").sort("is_home")["exposure"]
    assert (exposure * 92).round(9).to_list() == [0.5, 0.5]
    first = stints.sides.filter(pl.col("game_id") == f"{FIRST}|0").sort("is_home")["exposure"]
    assert (first * 92).round(9).to_list() == [30.0, 30.0]


def test_a_stint_without_possessions_keeps_its_points(stints):
    assert stints.sides.filter((pl.col("game_id") == f"{FIRST}|480") & pl.col("is_home"))["score"].to_list() == [2.0]


def test_five_players_a_side_are_told_by_id_though_two_share_a_name(stints):
    assert stints.appearances.group_by("game_id", "side").len()["len"].unique().to_list() == [5]
    same = stints.competitors.filter(pl.col("name") == "Player1")["competitor_id"].sort().to_list()
    assert same == ["basketballvalue:1", "basketballvalue:11"]


def test_the_home_side_is_the_home_team(stints):
    assert set(stints.sides.filter("is_home")["team"]) == {"nba:BBB", "nba:AAA"}


def test_totals_of_players_are_not_read_from_a_folder():
    feed = find("basketball_stints")
    assert feed.is_known("nba_2011_12_stints.csv") and not feed.is_known("nba_2011_12_player_totals.csv")


def test_a_row_that_contradicts_itself_is_rejected_by_name():
    header, first, *_ = FIXTURE.read_text(encoding="utf-8").splitlines()
    fields = first.split(",")
    broken = [[*fields], [*fields], [*fields]]
    broken[0][-4] = str(int(fields[-4]) + 1)
    broken[1][9] = fields[8]
    broken[2][4] = "0:48"
    rejected = parse("\n".join([header, *(",".join(row) for row in broken)]).encode()).rejected
    assert rejected["rule"].to_list() == [
        "points disagree with scores",
        "not ten different players",
        "StartTime is missing or unreadable",
    ]


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_the_real_file_is_23_190_stints_of_804_games(home, load):
    pulled = load(Path(REAL or "") / "basketball_lineups", league="nba_stints")
    assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (23_190, 0, 23_190)
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        assert ask("SELECT count(DISTINCT contest_id) FROM game") == [(804,)]
        assert ask("SELECT kind, count(*) FROM competitor GROUP BY ALL ORDER BY ALL") == [("player", 467), ("team", 30)]
        assert ask("SELECT count(*) FROM appearance") == [(231_900,)]
        assert ask("SELECT min(played_on)::VARCHAR, max(played_on)::VARCHAR FROM game") == [
            ("2011-12-25", "2012-04-14")
        ]
        none = "attributes['home_possessions'] = '0' AND attributes['away_possessions'] = '0'"
        assert ask(f"SELECT count(*) FROM game WHERE {none}") == [(642,)]
        rate = """
            SELECT is_home, round(sum(score) / sum(attributes[if(is_home, 'home', 'away') || '_possessions']::INT), 3)
            FROM side JOIN game USING (league, game_id) GROUP BY ALL ORDER BY ALL
        """
        assert ask(rate) == [(False, 1.026), (True, 1.057)]
        seconds = "SELECT sum(attributes['seconds']::INT) AS s FROM game GROUP BY contest_id"
        # One game lasts 2,860 seconds and one 3,167; the others 48 minutes and whole overtimes of five.
        odd = f"SELECT s FROM ({seconds}) WHERE s NOT IN (2880, 3180, 3480, 3780) ORDER BY s"
        assert ask(odd) == [(2_860,), (3_167,)]
        # Names are not unique: 467 players have 383 short names.
        assert ask("SELECT count(DISTINCT name) FROM competitor WHERE kind = 'player'") == [(383,)]
        # The points of the stints are the games' final scores, as everybody knows those of Christmas.
        christmas = """
            SELECT contest_id, sum(score) FILTER (is_home)::INT, sum(score) FILTER (NOT is_home)::INT
            FROM game JOIN side USING (league, game_id) WHERE played_on = '2011-12-25' GROUP BY ALL ORDER BY ALL
        """
        assert ask(christmas) == [
            ("20111225BOSNYK", 106, 104), ("20111225CHILAL", 87, 88), ("20111225LACGSW", 86, 105),
            ("20111225MIADAL", 94, 105), ("20111225ORLOKC", 97, 89),
        ]  # fmt: skip
