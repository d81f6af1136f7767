"""NFL games: moved clubs, neutral ground, ties, unplayed rows, quarterbacks and lines; and the real file."""

import os
from pathlib import Path

import polars as pl
import pytest

from ingest.feed import Source, find
from ingest.frames import Parsed
from store.stanzas import Stanza
from store.warehouse import reading

FIXTURE = Path(__file__).parents[1] / "fixtures" / "nflverse_games" / "games.csv"
REAL = os.environ.get("POOLTABLE_REAL_DATA")
STANZA = Stanza(title="NFL", feed="nflverse_games", source=("games.csv",), outcome="margin")


def parse(raw: bytes) -> Parsed:
    return find("nflverse_games").parse(raw, Source("nfl", "games.csv", STANZA))


def attributes_of(parsed: Parsed, game_id: str) -> dict[str, str]:
    pairs = parsed.games.filter(pl.col("game_id") == game_id)["attributes"][0].to_list()
    return {pair["key"]: pair["value"] for pair in pairs}


@pytest.fixture
def games() -> Parsed:
    return parse(FIXTURE.read_bytes())


def test_a_club_that_moved_is_one_competitor_under_either_code(games):
    assert "nfl:OAK" not in games.competitors["competitor_id"].to_list()
    assert games.sides.filter(pl.col("team") == "nfl:LV").height == 4


def test_neutral_ground_has_no_home_side_and_the_second_team_is_home_else(games):
    assert games.games.filter("neutral")["game_id"].to_list() == ["2020_21_LV_BBB"]
    assert games.sides.filter("is_home")["team"].to_list() == ["nfl:AAA", "nfl:LV", "nfl:BBB", "nfl:LV"]


def test_a_tie_has_no_winner(games):
    assert games.sides.filter(pl.col("game_id") == "2020_02_BBB_LV")["won"].to_list() == [None, None]


def test_an_unplayed_row_is_a_fixture_without_quarterbacks(games):
    assert games.games.filter(pl.col("status") == "scheduled")["game_id"].to_list() == ["2026_01_AAA_LV"]
    assert "2026_01_AAA_LV" not in games.appearances["game_id"].to_list()


def test_week_18_of_a_season_is_of_that_season_though_played_in_the_next_year(games):
    game = games.games.filter(pl.col("game_id") == "2020_18_AAA_BBB").to_dicts()[0]
    assert (game["season"], game["played_on"].year, game["round"]) == ("2020", 2021, "REG 18")


def test_the_starting_quarterbacks_appear_on_their_side(games):
    home = games.appearances.join(games.sides.filter("is_home"), on=["game_id", "side"])
    assert home["player"].to_list() == ["gsis:00-0000002", "gsis:00-0000001", "gsis:00-0000003"]
    assert games.appearances["role"].unique().to_list() == ["QB"]
    assert "Al Arm" in games.competitors.filter(pl.col("kind") == "player")["name"].to_list()


def test_closing_lines_are_attributes_and_may_be_missing(games):
    assert attributes_of(games, "2019_01_OAK_AAA")["spread_line"] == "3"
    assert attributes_of(games, "2019_01_OAK_AAA")["stadium"] == "Dome, The"
    assert "home_moneyline" not in attributes_of(games, "2020_02_BBB_LV")


def test_a_row_that_contradicts_itself_is_rejected_by_name():
    raw = FIXTURE.read_text(encoding="utf-8")
    lines = raw.splitlines()
    broken = [
        lines[1].replace(",Home,3,", ",Home,4,"),
        lines[1].replace("AAA,20", "OAK,20"),
        lines[1].replace("00-0000002", "00-0000001"),
        lines[1].replace(",Home,", ",Moon,"),
        lines[1].replace("OAK,17,", "OAK,,"),
    ]
    rejected = parse("\n".join([lines[0], *broken]).encode()).rejected
    assert rejected["rule"].to_list() == [
        "result disagrees with scores",
        "team plays itself",
        "quarterback on both sides",
        "unknown location",
        "only one side has a score",
    ]


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_the_real_file_is_6_421_games_of_32_franchises(home, load):
    pulled = load(Path(REAL or "") / "american_football" / "games.csv", league="nfl")
    assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (6_421, 0, 6_421)
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        # 35 codes of teams are 32 franchises: OAK is LV, SD is LAC, STL is LA.
        assert ask("SELECT count(*) FROM competitor WHERE kind = 'team'") == [(32,)]
        assert ask("SELECT count(*) FROM game WHERE neutral") == [(73,)]
        assert ask("SELECT count(*) FROM game WHERE round LIKE 'REG %'") == [(6_151,)]
        assert ask("SELECT min(played_on)::VARCHAR, max(played_on)::VARCHAR FROM game") == [
            ("1999-09-12", "2023-02-12")
        ]
        assert ask("SELECT count(*) // 2 FROM side WHERE won IS NULL") == [(14,)]
        assert ask("SELECT count(*) FROM game WHERE attributes['home_moneyline'] IS NULL") == [(1_981,)]
        assert ask("SELECT count(*) FROM appearance") == [(2 * 6_421,)]
        # Away and home team as game_id has them: 35 codes.
        codes = "SELECT unnest(list_slice(string_split(game_id, '_'), 3, 4)) AS code FROM game"
        assert ask(f"SELECT count(DISTINCT code) FROM ({codes})") == [(35,)]
        # The seasons end in the next year, whose games stay in them.
        later = "played_on >= make_date(season::INT + 1, 1, 1)"
        assert ask(f"SELECT count(*) FILTER (round LIKE 'REG %'), count(*) FROM game WHERE {later}") == [(218, 484)]
        margin = """
            SELECT round(avg(abs(h.score - a.score - attributes['spread_line']::DOUBLE)), 2)
            FROM game JOIN side AS h USING (game_id) JOIN side AS a USING (game_id)
            WHERE h.team = 'nfl:' || CASE split_part(game_id, '_', 4)
                WHEN 'OAK' THEN 'LV' WHEN 'SD' THEN 'LAC' WHEN 'STL' THEN 'LA' ELSE split_part(game_id, '_', 4) END
                AND a.team <> h.team
        """
        assert ask(margin) == [(10.33,)]
