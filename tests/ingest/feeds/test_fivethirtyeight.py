"""FiveThirtyEight's forecasts: comparison data, each quirk, the link to games, the real files."""

import math
import os
from pathlib import Path

import pytest

from ingest.feed import Source, find
from ingest.frames import Parsed
from store.errors import FeedError
from store.stanzas import read_catalogue
from store.warehouse import reading, writing

REAL = os.environ.get("POOLTABLE_REAL_DATA")
FIXTURE = Path(__file__).parent.parent / "fixtures" / "fivethirtyeight"
INTERNATIONALS = "date,home_team,away_team,home_score,away_score,tournament,city,country,neutral\n"


def parse(file: str, raw: bytes | None = None) -> Parsed:
    body = (FIXTURE / file).read_bytes() if raw is None else raw
    return find("fivethirtyeight").parse(body, Source("x", file, read_catalogue()["fivethirtyeight"]))


def results(parsed: Parsed) -> list[str | None]:
    return parsed.forecasts["result"].to_list()


@pytest.mark.parametrize("file", ["mlb_games.csv", "spi_matches.csv", "tennis_men.csv"])
def test_forecasts_are_no_games(file):
    parsed = parse(file)
    assert parsed.games.is_empty() and parsed.sides.is_empty() and parsed.competitors.is_empty()
    assert parsed.forecasts.height + parsed.outlooks.height // 7 == parsed.rows_read


def test_who_won_is_known_without_scores_and_a_tie_is_one_half_on_both_sides():
    assert results(parse("mlb_games.csv")) == ["second", "first", "first", "second", "draw", None]


def test_the_games_of_a_double_header_are_numbered_and_a_single_game_is_not():
    parsed = parse("mlb_games.csv")
    assert parsed.forecasts["number"].to_list() == [0, 0, 2, 1, 0, 0]
    assert parsed.forecasts["forecast_id"].to_list()[2:4] == [
        "MLB|2031-09-30|Skuas|Gulls|1",
        "MLB|2031-09-30|Skuas|Gulls",
    ]


def test_club_matches_without_a_score_were_unplayed_and_seasons_start_in_july():
    forecasts = parse("spi_matches.csv").forecasts
    assert forecasts["result"].to_list() == ["first", "draw", None]
    assert forecasts["season"].to_list() == ["2031", "2031", "2031"]
    assert forecasts["competition"].unique().to_list() == ["Isle Premier League"]
    assert forecasts.select("draw_probability", "first_expected_score").row(0) == (0.2921, 1.16)


def test_world_cups_are_three_way_and_keep_their_codes_for_names():
    raw = (
        b"season,league,date,team1,team2,prob1,prob1_outcome,probtie,probtie_outcome,prob2,prob2_outcome\n"
        b"2031,FIFA Women's World Cup,2031-07-04,GER,Netherlands,0.5,0.0,0.3,1.0,0.2,0.0\n"
    )
    forecasts = parse("world_cup_matches_women.csv", raw).forecasts
    assert forecasts.select("first_name", "second_name", "result").row(0) == ("GER", "Netherlands", "draw")


def test_chances_of_each_round_have_a_row_each():
    outlooks = parse("tennis_men.csv").outlooks
    assert outlooks.height == 14
    row = outlooks.filter(forecast_id="US Open, men|2031|2031-09-02|A. QUILL", stage="round 4").to_dicts()[0]
    assert (row["probability"], row["is_reached"], str(row["forecast_on"])) == (0.5, True, "2031-09-02")


def test_a_chance_that_is_none_is_rejected_in_words():
    lines = (FIXTURE / "tennis_men.csv").read_bytes().splitlines()
    spoiled = []
    for text in (b"", b"nan", b"1.5"):
        fields = lines[1].split(b",")
        fields[lines[0].split(b",").index(b"round_4")] = text
        spoiled.append(b",".join(fields))
    rules = parse("tennis_men.csv", b"\n".join([lines[0], *spoiled, lines[2]])).rejected["rule"].to_list()
    assert rules == ["a chance is missing or not from 0 to 1"] * 3


def test_probabilities_that_do_not_sum_to_one_are_rejected():
    raw = (FIXTURE / "mlb_games.csv").read_bytes().replace(b"0.55,", b"0.75,").replace(b"0.48,", b"4.8,")
    rules = parse("mlb_games.csv", raw).rejected["rule"].to_list()
    assert rules[0] == "probabilities do not sum to one" and "prob1" in rules[1] and len(rules) == 2


def test_of_two_forecasts_of_one_game_the_last_counts_and_a_copy_is_rejected():
    lines = (FIXTURE / "mlb_games.csv").read_bytes().splitlines()
    parsed = parse("mlb_games.csv", b"\n".join([*lines, lines[1], lines[1].replace(b"0.55,0,0.45", b"0.65,0,0.35")]))
    assert parsed.rejected["rule"].to_list() == ["copy of an earlier row"]
    assert parsed.forecasts.filter(forecast_id="MLB|2031-10-02|Gulls|Terns")["first_probability"].to_list() == [0.65]


def test_forecasts_are_replaced_by_file_and_loaded_once(home, load, tmp_path):
    path = tmp_path / "mlb_games.csv"
    path.write_bytes((FIXTURE / "mlb_games.csv").read_bytes())
    assert (load(path, league="fivethirtyeight").rows_read, load(path, league="fivethirtyeight").slices_loaded) == (
        6,
        0,
    )
    path.write_bytes(b"\n".join((FIXTURE / "mlb_games.csv").read_bytes().splitlines()[:3]))
    with pytest.raises(FeedError, match=r"mlb_games\.csv lost 4 of its 6 forecasts"):
        load(path, league="fivethirtyeight")
    load(path, league="fivethirtyeight", accept=True)
    with reading(home) as con:
        found = con.execute("SELECT first_name, slice FROM peer_forecast ORDER BY ALL").fetchall()
        assert found == [("Gulls", "mlb_games.csv"), ("Terns", "mlb_games.csv")]
        assert con.execute("SELECT count(*) FROM game").fetchall() == [(0,)]


def test_a_forecast_meets_its_game_by_day_and_names_or_aliases(home, load, tmp_path):
    path = tmp_path / "results.csv"
    games = ["2031-08-13,Port,Corse,2,1,Cup,P,I,FALSE", "2031-08-14,Elba,Faro,1,1,Cup,P,I,FALSE"]
    path.write_text(INTERNATIONALS + "\n".join(games) + "\n")
    load(path)
    load(FIXTURE / "spi_matches.csv", league="fivethirtyeight")
    linked = (
        "SELECT p.forecast_id, p.game_id, s.team FROM peer_forecast_game AS p JOIN side AS s"
        " ON s.league = p.league AND s.game_id = p.game_id AND s.side = p.first_side ORDER BY ALL"
    )
    faro = ("Isle Premier League|2031-08-14|Faro|Elba", "2031-08-14|Elba|Faro", "fifa:Faro")
    with reading(home) as con:
        assert con.execute(linked).fetchall() == [faro]
    with writing(home) as con:
        con.execute("INSERT INTO alias VALUES ('international_football', 'Port City', 'fifa:Port', NULL, NULL)")
    port = ("Isle Premier League|2031-08-13|Port City|Corse", "2031-08-13|Port|Corse", "fifa:Port")
    with reading(home) as con:
        assert con.execute(linked).fetchall() == [port, faro]


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_every_forecast_of_the_real_files_is_loaded_and_scores_as_its_provenance_says(home, load):
    pulled = load(Path(REAL or "") / "forecasts_538", league="fivethirtyeight")
    games = 7_563 + 13_278 + 1_604 + 210 + 176 + 103 + 10_108
    assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (games + 2 * 1_024, 0, 0)
    loss = "avg(-ln(if(result = 'first', first_probability, second_probability)))"
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        assert ask("SELECT count(*) FROM peer_forecast") == [(games,)]
        assert ask("SELECT count(*), count(DISTINCT forecast_id) FROM peer_outlook") == [(2 * 7 * 1_024, 2 * 1_024)]
        assert ask("SELECT count(first_expected_score) FROM peer_forecast") == [(10_108,)]
        played = "SELECT count(*) FROM peer_forecast WHERE slice = 'spi_matches.csv' AND result IS NOT NULL"
        assert ask(played) == [(9_336,)]
        ties = "FROM peer_forecast WHERE draw_probability IS NULL AND result = 'draw'"
        assert sorted(ask(f"SELECT competition, count(*) {ties} GROUP BY ALL")) == [("MLB", 1), ("NFL", 6)]
        for competition, expected in (("NBA", 0.6175), ("WNBA", 0.6180), ("MLB", 0.6733), ("NFL", 0.6277)):
            where = f"WHERE competition = '{competition}' AND result <> 'draw'"
            assert math.isclose(ask(f"SELECT {loss} FROM peer_forecast {where}")[0][0], expected, abs_tol=0.0006)
