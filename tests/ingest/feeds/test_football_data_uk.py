"""football-data.co.uk: two forms of date, Latin-1, odds of nought, columns that come and go; and the real files."""

import os
from pathlib import Path

import polars as pl
import pytest

from ingest.feed import Source, find
from ingest.frames import Parsed
from store.stanzas import Stanza
from store.warehouse import reading

FIXTURE = Path(__file__).parents[1] / "fixtures" / "football_data_uk" / "Premier.csv"
REAL = os.environ.get("POOLTABLE_REAL_DATA")
STANZA = Stanza(title="Odds", feed="football_data_uk", source=("odds",), outcome="score")
HEADER = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR,B365H"
OPEN_CLOSE = "Date,country,league,Season,HomeTeam,AwayTeam,FTHG,FTAG,HTHG,HTAG,home_close,home_open,over_2.5_open"


def parse(raw: bytes | str, file: str = "Premier.csv") -> Parsed:
    body = raw if isinstance(raw, bytes) else raw.encode()
    return find("football_data_uk").parse(body, Source("odds", file, STANZA))


def attributes_of(parsed: Parsed, game_id: str) -> dict[str, str]:
    pairs = parsed.games.filter(pl.col("game_id") == game_id)["attributes"][0].to_list()
    return {pair["key"]: pair["value"] for pair in pairs}


@pytest.fixture
def season() -> Parsed:
    return parse(FIXTURE.read_bytes())


def test_dates_of_two_and_of_four_digits_are_the_same_days(season):
    assert season.games["played_on"].cast(pl.String).to_list() == [
        "2010-08-14", "2010-08-14", "2010-08-21", "2011-01-03", "2011-04-30",
    ]  # fmt: skip
    assert season.games["season"].unique().to_list() == ["2010/11"]


def test_latin_1_is_read_and_trailing_empty_rows_and_columns_are_nothing(season):
    assert attributes_of(season, "E9|2010-08-14|E|Corse|Delos")["Referee"] == "J Niño"
    assert season.rows_read == 5 and season.rejected.is_empty()
    assert "" not in attributes_of(season, "E9|2010-08-14|E|Corse|Delos")


def test_odds_are_attributes_under_their_own_names_and_nought_is_missing(season):
    first = attributes_of(season, "E9|2010-08-14|E|Aland|Brava")
    assert (first["B365H"], first["PSCH"], first["PSCA"]) == ("3.3", "3.25", "1.87")
    second = attributes_of(season, "E9|2010-08-21|E|Brava|Corse")
    assert "B365H" not in second and second["B365D"] == "3.3"
    assert "PSCH" not in attributes_of(season, "E9|2010-08-14|E|Corse|Delos")


def test_a_nought_that_is_a_count_or_a_handicap_stays(season):
    assert attributes_of(season, "E9|2010-08-14|E|Corse|Delos")["HS"] == "0"
    assert attributes_of(season, "E9|2010-08-14|E|Aland|Brava")["BbAHh"] == "0"


def test_a_row_without_goals_is_a_fixture(season):
    assert season.games.filter(pl.col("status") == "scheduled")["game_id"].to_list() == ["E9|2011-04-30|E|Aland|Corse"]


def test_columns_that_come_and_go_make_no_difference_to_the_games(season):
    rows = "\n".join(["E9,14/08/10,Aland,Brava,3,0,H,9.9", "E9,21/08/10,Brava,Corse,0,2,A,"])
    few = parse(f"{HEADER}\n{rows}")
    order = ["game_id", "side"]
    shared = season.sides.filter(pl.col("game_id").is_in(few.games["game_id"].implode()))
    assert pl.DataFrame(few.sides).sort(order).equals(shared.sort(order))


def test_the_tiers_of_a_country_share_its_clubs_and_are_groups():
    tiers = ["E0,14/08/10,Aland,Brava,3,0,H,2", "EC,15/08/10,Corse,Delos,1,0,H,2", "SP1,15/08/10,Aland,Elba,1,0,H,2"]
    parsed = parse("\n".join([HEADER, *tiers]))
    groups = dict(parsed.memberships.select("competitor_id", "group").iter_rows())
    assert groups["football-data:E/Aland"] == "E0" and groups["football-data:E/Corse"] == "EC"
    assert groups["football-data:SP/Aland"] == "SP1"


def test_seasons_that_ran_into_july_2020_are_those_they_began_in():
    days = ["26/07/2020", "01/08/2019", "12/09/2020", "30/06/2019"]
    rows = [f"E0,{day},A{place},B,1,0,H,2" for place, day in enumerate(days)]
    assert parse("\n".join([HEADER, *rows])).games["season"].to_list() == ["2019/20", "2019/20", "2020/21", "2018/19"]


def test_a_row_that_cannot_be_used_is_rejected_by_name():
    bad = ["E0,14/08/10,A,A,1,0,H,2", "E0,2010,A,B,1,0,H,2", "E0,14/08/10,A,B,1,0,A,2", "E0,14/08/10,A,C,1,,,2"]
    assert parse("\n".join([HEADER, *bad])).rejected["rule"].to_list() == [
        "club plays itself",
        "season is missing or unreadable; date is missing or unreadable",
        "result disagrees with goals",
        "only one side has goals",
    ]


def test_opening_and_closing_odds_come_with_a_kick_off():
    parsed = parse(f"{OPEN_CLOSE}\n2009-08-07 20:30:00,elbia,first,2009-2010,Aland,Brava,2,0,0,0,1.9,1.95,1.61")
    game = parsed.games.to_dicts()[0]
    assert (game["season"], game["played_on"].isoformat(), game["game_id"]) == (
        "2009/10", "2009-08-07", "first|2009-08-07|elbia|Aland|Brava",
    )  # fmt: skip
    found = attributes_of(parsed, game["game_id"])
    assert (found["kick_off"], found["home_close"], found["home_open"]) == ("20:30", "1.9", "1.95")
    assert parsed.sides.filter("is_home")["team"].to_list() == ["football-data:elbia/Aland"]


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
class TestReal:
    def test_the_english_files_are_23_520_rows_of_which_the_half_season_is_a_repeat(self, home, load):
        pulled = load(Path(REAL or "") / "football_odds" / "england", league="english_football_odds")
        assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (23_520, 228, 23_520 - 228)
        with reading(home) as con:
            ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
            assert ask("SELECT file, rule, count(*) FROM rejected_row GROUP BY ALL") == [
                ("2013-2014/League1.csv", "game is in another file already", 228)
            ]
            assert ask("SELECT count(*) FROM competitor") == [(143,)]
            assert ask("SELECT count(DISTINCT season), min(season), max(season) FROM game") == [
                (9, "2010/11", "2018/19")
            ]
            assert ask('SELECT DISTINCT "group" FROM membership ORDER BY 1') == [
                ("E0",), ("E1",), ("E2",), ("E3",), ("EC",),
            ]  # fmt: skip
            none = """
                SELECT season, attributes['division'], count(*) FROM game WHERE attributes['B365D'] IS NULL GROUP BY ALL
            """
            # 5 rows have home odds of 0 at Bet365, and 36 Conference rows of 2011-12 none at all.
            assert ask(none) == [("2011/12", "EC", 36)]
            assert ask(
                "SELECT count(*) FROM game WHERE attributes['B365D'] IS NOT NULL AND attributes['B365H'] IS NULL"
            ) == [(5,)]
            closing = """
                SELECT
                    division, count(*),
                    round(avg(-ln((1 / CASE WHEN won THEN h WHEN won IS NULL THEN d ELSE a END)
                        / (1 / h + 1 / d + 1 / a))), 3)
                FROM (
                    SELECT game_id, attributes['division'] AS division, attributes['PSCH']::DOUBLE AS h,
                        attributes['PSCD']::DOUBLE AS d, attributes['PSCA']::DOUBLE AS a FROM game
                ) JOIN side USING (game_id) WHERE is_home AND h IS NOT NULL GROUP BY ALL ORDER BY ALL
            """
            assert [(division, loss) for division, _, loss in ask(closing)] == [
                ("E0", 0.943), ("E1", 1.024), ("E2", 1.037), ("E3", 1.042), ("EC", 1.036),
            ]  # fmt: skip
            assert ask(closing)[0][1] == 1_520

    def test_three_foreign_leagues_are_14_887_rows(self, home, load):
        pulled = load(Path(REAL or "") / "football_odds" / "open_close", league="european_football_odds")
        assert (pulled.rows_read, pulled.rows_rejected) == (4_293 + 5_299 + 5_295, 0)
        with reading(home) as con:
            sizes = "SELECT attributes['division'], count(*) FROM game GROUP BY ALL ORDER BY ALL"
            assert con.execute(sizes).fetchall() == [("bundesliga", 4_293), ("laliga", 5_295), ("serie-a", 5_299)]
            assert con.execute("SELECT count(*) FROM competitor").fetchall() == [(108,)]
            loss = """
                SELECT division, round(avg(-ln((1 / CASE WHEN won THEN h WHEN won IS NULL THEN d ELSE a END)
                    / (1 / h + 1 / d + 1 / a))), 3)
                FROM (
                    SELECT game_id, attributes['division'] AS division, attributes['home_' || $when]::DOUBLE AS h,
                        attributes['draw_' || $when]::DOUBLE AS d, attributes['away_' || $when]::DOUBLE AS a FROM game
                ) JOIN side USING (game_id) WHERE is_home GROUP BY ALL ORDER BY ALL
            """
            # PROVENANCE rounds Spain's opening 0.9555 up.
            told = [con.execute(loss, {"when": when}).fetchall() for when in ("open", "close")]
            assert told == [
                [("bundesliga", 0.994), ("laliga", 0.955), ("serie-a", 0.966)],
                [("bundesliga", 0.990), ("laliga", 0.949), ("serie-a", 0.956)],
            ]
