"""Leagues of the catalogue that are read through a mapping: made-up rows in their source's columns, and the real files.

England's is in test_csv.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ingest.checks import check
from ingest.feed import Source, find
from ingest.frames import Parsed
from store.stanzas import read_catalogue
from store.warehouse import reading

REAL = os.environ.get("POOLTABLE_REAL_DATA")
real = [pytest.mark.real, pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")]
NOW = datetime(2025, 11, 1, tzinfo=UTC)
ODDS = read_catalogue()["grand_slam_odds"]
SLAM = {
    "Tournament": "Open of Nowhere", "Date": "2010-01-18", "Surface": "Hard", "Round": "1st Round", "Best.of": "5",
    "Winner": "Zed A.", "Loser": "Ann B.", "Wsets": "3", "Lsets": "1", "Comment": "Completed", "PSW": "1.5", "PSL": "3",
}  # fmt: skip
NFL_HEADER = "date,season,neutral,playoff,team1,team2,elo1,elo2,elo_prob1,score1,score2,result1"


def slam(*matches: dict[str, str]) -> Parsed:
    """The frames of matches that differ from `SLAM`; its columns without a value are empty."""
    mapping = ODDS.columns
    assert mapping is not None
    frame = pl.DataFrame([dict.fromkeys(mapping.attributes, "") | SLAM | match for match in matches])
    return find("csv").parse(frame.write_csv().encode(), Source("slams", "x.csv", ODDS))


def attributes_of(parsed: Parsed, game_id: str) -> dict[str, str]:
    [found] = parsed.games.filter(pl.col("game_id") == game_id)["attributes"].to_list()
    return {pair["key"]: pair["value"] for pair in found}


def winners(parsed: Parsed) -> list[tuple[str, str, float | None]]:
    sides = parsed.appearances.join(parsed.sides, on=["game_id", "side"]).filter("won")
    return sorted(sides.select("game_id", "player", "score").rows())


def test_a_match_with_odds_is_known_by_its_day_and_players_not_by_who_won():
    upset = {"Winner": "Ann B.", "Loser": "Zed A."}
    first, other = slam({}), slam(upset)
    assert first.games["game_id"].to_list() == other.games["game_id"].to_list() == ["2010-01-18|Ann B.|Zed A."]
    assert winners(first) == [("2010-01-18|Ann B.|Zed A.", "slams-player:Zed A.", 3)]
    assert winners(other) == [("2010-01-18|Ann B.|Zed A.", "slams-player:Ann B.", 3)]
    assert first.games["neutral"].to_list() == [True]
    told = attributes_of(first, "2010-01-18|Ann B.|Zed A.")
    assert (told["PSW"], told["PSL"], told["Surface"]) == ("1.5", "3", "Hard")
    assert "B365W" not in told


def test_a_match_with_odds_that_was_not_played_out_has_its_winner_and_its_status():
    parsed = slam(
        {"Comment": "Retired", "Wsets": "1", "Lsets": "2"},
        {"Comment": "Walkover", "Wsets": "", "Lsets": "", "Date": "2010-01-19"},
        {"Comment": "Disqualified", "Wsets": "0", "Lsets": "0", "Date": "2010-01-20"},
        {"Comment": "Sched", "Date": "2010-01-21"},
        {"Comment": "Rain", "Date": "2010-01-22"},
    )
    assert parsed.games.sort("played_on")["status"].to_list() == ["retired", "walkover", "awarded", "played"]
    assert [score for _, _, score in winners(parsed)] == [1, None, 0, 3]
    assert parsed.rejected.select("line", "rule").rows() == [(6, "unknown status")]


def test_a_peers_probability_stays_with_the_game_that_it_is_about():
    lines = [
        NFL_HEADER,
        "1925-10-04,1925,0,0,AAA,ZZZ,1500,1400,0.7,7,7,0.5",
        "1926-01-10,1925,1,1,ZZZ,AAA,1500,1400,0.6,3,14,0",
    ]
    stanza = read_catalogue()["nfl_history"]
    parsed = find("csv").parse("\n".join(lines).encode(), Source("nfl", "nfl_games.csv", stanza))
    assert parsed.games.select("game_id", "season", "neutral").rows() == [
        ("1925-10-04|AAA|ZZZ", "1925", False), ("1926-01-10|ZZZ|AAA", "1925", True),
    ]  # fmt: skip
    assert attributes_of(parsed, "1926-01-10|ZZZ|AAA") == {
        "playoff": "1", "elo1": "1500", "elo2": "1400", "elo_prob1": "0.6",
    }  # fmt: skip
    assert parsed.sides.filter("is_home").select("team", "won").rows() == [("nfl:AAA", None)]
    assert parsed.sides.filter("won")["team"].to_list() == ["nfl:AAA"]


class TestRealFiles:
    pytestmark = real

    def test_tennis_odds_is_11_049_matches_of_four_tournaments(self, home, load):
        pulled = load(Path(REAL or "") / "tennis_odds" / "atp_odds.csv", league="grand_slam_odds")
        assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (11_049, 0, 11_049)
        with reading(home) as con:
            ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
            # Of the three "other" comments two stand for finals played to the end, and one for a disqualification.
            assert ask("SELECT status, count(*) FROM game GROUP BY ALL ORDER BY ALL") == [
                ("awarded", 1), ("played", 10_571 + 2), ("retired", 443), ("walkover", 32),
            ]  # fmt: skip
            assert ask("SELECT kind, count(*) FROM competitor GROUP BY ALL") == [("player", 853)]
            assert ask("SELECT count(*) FROM appearance") == [(2 * 11_049,)]
            assert ask("SELECT min(played_on)::VARCHAR, max(played_on)::VARCHAR FROM game") == [
                ("2000-01-17", "2021-09-12")
            ]
            tournaments = "SELECT attributes['Tournament'] AS t, count(*) FROM game GROUP BY ALL ORDER BY ALL"
            assert ask(tournaments) == [
                ("Australian Open", 22 * 127), ("French Open", 22 * 127),
                ("US Open", 22 * 127), ("Wimbledon", 21 * 127),
            ]  # fmt: skip
            assert ask("SELECT count(*) FROM game WHERE season = '2020'") == [(381,)]
            # PROVENANCE calls the date the true day: it is so from 2003; before that it is the tournament's first.
            days = "SELECT season < '2003', max(days), min(days) FROM (%s) GROUP BY ALL ORDER BY ALL"
            of_a_year = "SELECT season, count(DISTINCT played_on) AS days FROM game GROUP BY ALL"
            assert ask(days % of_a_year) == [(False, 52, 40), (True, 4, 4)]
            # Best of five, it says; 19 rows say three.
            assert ask("SELECT count(*) FROM game WHERE attributes['Best.of'] = '3'") == [(19,)]
            # The winner's side is side 1 as often as side 2, whatever the columns' names tell.
            assert 0.48 < ask("SELECT avg((side = 1)::INT) FROM side WHERE won")[0][0] < 0.52
            assert ask("SELECT count(*) FROM side WHERE won") == [(11_049,)]
            # Pinnacle's benchmark, where both odds are above 1: PROVENANCE's matches and the final marked "Sched".
            pinnacle = """
                SELECT count(*), round(avg(-ln((1 / w) / (1 / w + 1 / l))), 3)
                FROM (
                    SELECT status, attributes['PSW']::DOUBLE AS w, attributes['PSL']::DOUBLE AS l FROM game
                )
                WHERE status = 'played' AND w > 1 AND l > 1
            """
            assert ask(pinnacle) == [(8_091 + 1, 0.478)]
        assert {finding.severity for finding in check(home, "grand_slam_odds", NOW)} == {"warn"}

    def test_the_nfl_since_1920_is_16_274_games_and_the_peers_log_loss_is_as_published(self, home, load):
        pulled = load(Path(REAL or "") / "american_football" / "nfl_games_538.csv", league="nfl_history")
        assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (16_274, 0, 16_274)
        with reading(home) as con:
            ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
            assert ask("SELECT DISTINCT status FROM game") == [("played",)]
            assert ask("SELECT kind, count(*) FROM competitor GROUP BY ALL") == [("team", 123)]
            assert ask("SELECT min(season), max(season), count(DISTINCT season) FROM game") == [("1920", "2018", 99)]
            assert ask("SELECT min(played_on)::VARCHAR, max(played_on)::VARCHAR FROM game") == [
                ("1920-09-26", "2019-02-03")
            ]
            assert ask("SELECT count(*) FILTER (neutral), count(*) FROM game") == [(85, 16_274)]
            assert ask("SELECT count(*) FROM side WHERE is_home") == [(16_274 - 85,)]
            assert ask("SELECT count(*) // 2 FROM side WHERE won IS NULL") == [(314,)]
            peer = """
                SELECT round(avg(loss), 3), round(avg(loss) FILTER (season >= '2000'), 3)
                FROM (
                    SELECT season, -ln(if(won, p, 1 - p)) AS loss
                    FROM (
                        SELECT game_id, season, attributes['elo_prob1']::DOUBLE AS p,
                            'nfl_history:' || split_part(game_id, '|', 2) AS team
                        FROM game
                    ) JOIN side USING (game_id, team) WHERE won IS NOT NULL
                )
            """
            assert ask(peer) == [(0.610, 0.629)]
        assert {finding.severity for finding in check(home, "nfl_history", NOW)} == {"warn"}
