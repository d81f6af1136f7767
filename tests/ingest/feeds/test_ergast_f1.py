"""Formula 1 from Ergast's export: each quirk of the source, and the whole real folder."""

import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ingest.checks import check
from ingest.entrants import place
from ingest.feed import Feed, Source, find
from ingest.frames import Parsed
from store.errors import FeedError, PooltableError
from store.stanzas import read_catalogue
from store.warehouse import reading

REAL = os.environ.get("POOLTABLE_REAL_DATA")
FIXTURE = Path(__file__).parent.parent / "fixtures" / "ergast_f1"
FEED, QUALIFYING = find("ergast_f1"), find("ergast_f1_qualifying")
SESSIONS = (FIXTURE / "results.csv").read_bytes(), (FIXTURE.parent / QUALIFYING.name / "qualifying.csv").read_bytes()
COMPANIONS = {name: (FIXTURE / name).read_bytes() for name in FEED.companions}


def parse(raw: bytes = SESSIONS[0], feed: Feed = FEED, **changed: bytes) -> Parsed:
    companions = COMPANIONS | {f"{name}.csv": body for name, body in changed.items()}
    return feed.parse(raw, Source("f1", feed.slices[0], read_catalogue()["formula_1"], companions))


@pytest.fixture(scope="module")
def season() -> Parsed:
    return parse()


def cars(parsed: Parsed, game: str) -> list[tuple[int | None, str, list[str]]]:
    """Finish, constructor and drivers of each car of a race, by finish."""
    sides = parsed.sides.filter(game_id=game).join(parsed.appearances, on=["game_id", "side"])
    grouped = sides.group_by("side", "finish", "team").agg(pl.col("player").sort())
    return sorted(grouped.drop("side").rows(), key=lambda car: (car[0] or 99, car[2]))


def test_a_car_is_a_side_with_its_constructor_and_its_driver(season):
    assert cars(season, "9001|race")[:2] == [
        (1, "f1:constructor-701", ["f1:driver-801"]),
        (2, "f1:constructor-702", ["f1:driver-803"]),
    ]
    names = dict(season.competitors.select("competitor_id", "name").iter_rows())
    assert (names["f1:driver-801"], names["f1:constructor-702"]) == ("Ada Quill", "Tern")


def test_drivers_who_shared_a_car_are_one_side_with_equal_shares(season):
    assert (2, "f1:constructor-701", ["f1:driver-801", "f1:driver-802"]) in cars(season, "9002|race")
    shared = season.appearances.filter(pl.col("share") < 1)
    assert shared["share"].to_list() == [0.5, 0.5] and shared["game_id"].unique().to_list() == ["9002|race"]


def test_a_driver_in_two_cars_of_one_race_is_on_two_sides(season):
    both = season.appearances.filter(game_id="9002|race", player="f1:driver-801")
    assert both["side"].n_unique() == 2


def test_one_number_for_two_cars_that_ended_apart_is_two_sides():
    raw = (FIXTURE / "results.csv").read_text().replace("2,9001,802,701,2,\\N", "2,9001,802,701,1,\\N")
    assert parse(raw.encode()).sides.filter(game_id="9001|race").height == 4


def test_the_unclassified_have_no_finish_and_say_why(season):
    out = season.sides.filter(pl.col("finish").is_null()).join(season.appearances, on=["game_id", "side"])
    assert sorted(out["role"]) == ["D: Disqualified", "F: Did not qualify", "R: Engine", "R: Engine"]
    assert set(out["won"]) == {False}
    assert set(season.appearances.join(out, on=["game_id", "side"], how="anti")["role"]) == {"driver"}


def test_backslash_n_is_missing_and_no_number_is_one_car_a_driver(season):
    assert [drivers for _, _, drivers in cars(season, "9003|race")[:2]] == [["f1:driver-804"], ["f1:driver-803"]]


def test_one_has_won_and_nobody_is_at_home(season):
    assert season.sides.filter("won").group_by("game_id").len()["len"].to_list() == [1, 1, 1]
    assert not season.sides["is_home"].any() and season.games["neutral"].all()


def test_the_order_of_sides_is_a_hash_of_the_game_and_its_entrants(season):
    assert place("9001|race", "f1:constructor-701") == "c59f1dfa9aa254bc"
    numbers = season.sides.sort("game_id", "side").group_by("game_id", maintain_order=True).agg("side")["side"]
    assert [sides.to_list() for sides in numbers] == [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3]]


def test_the_order_of_sides_does_not_change_with_the_result(season):
    raw = (FIXTURE / "results.csv").read_text()
    turned = raw.replace('1,9001,801,701,1,1,1,"1",1', '1,9001,801,701,1,1,2,"2",2').replace(
        '3,9001,803,702,3,2,2,"2",2', '3,9001,803,702,3,2,1,"1",1'
    )
    assert turned != raw
    order = [parsed.appearances.filter(game_id="9001|race").sort("side") for parsed in (season, parse(turned.encode()))]
    assert order[0]["player"].to_list() == order[1]["player"].to_list()


def test_a_race_has_the_day_the_season_the_round_and_the_circuit_of_the_calendar(season):
    race = season.games.filter(game_id="9002|race").to_dicts()[0]
    assert (str(race["played_on"]), race["season"], race["round"]) == ("2031-03-23", "2031", "2")
    assert {pair["key"]: pair["value"] for pair in race["attributes"]} == {
        "session": "race",
        "race": "Grand Prix of Corse",
        "circuit": "Corse, Old Road",
    }


def test_a_race_of_the_calendar_after_the_last_one_run_is_scheduled_without_sides(season):
    scheduled = season.games.filter(status="scheduled").to_dicts()
    assert [(race["game_id"], str(race["played_on"]), race["season"], race["round"]) for race in scheduled] == [
        ("9004|race", "2031-04-20", "2031", "4")
    ]
    assert {"key": "circuit", "value": "Corse, Old Road"} in scheduled[0]["attributes"]
    assert "9004|race" not in {*season.sides["game_id"], *season.appearances["game_id"]}


def test_a_race_before_the_last_one_run_that_has_no_results_is_no_game():
    kept = [line for line in SESSIONS[0].splitlines() if b",9002," not in line]
    assert parse(b"\n".join(kept)).games["game_id"].to_list() == ["9001|race", "9003|race", "9004|race"]


def test_a_calendar_without_any_results_is_no_games():
    assert parse(SESSIONS[0].splitlines()[0] + b"\n").games.is_empty()


def test_a_scheduled_race_stops_nothing_and_is_the_same_game_once_it_is_run(home, load, tmp_path):
    for name, raw in {**COMPANIONS, "results.csv": SESSIONS[0]}.items():
        (tmp_path / name).write_bytes(raw)
    load(tmp_path, league="formula_1")
    stops = [found for found in check(home, "formula_1", datetime(2031, 4, 10, tzinfo=UTC)) if found.severity == "stop"]
    assert stops == []
    rows = (
        b'96,9004,803,702,3,1,1,"1",1,0,50,\\N,\\N,\\N,\\N,\\N,\\N,1\n97,9004,801,701,1,2,2,"2",2,0,50,'
        + b"\\N," * 6
        + b"1\n"
    )
    (tmp_path / "results.csv").write_bytes(SESSIONS[0].rstrip() + b"\n" + rows)
    pulled = load(tmp_path, league="formula_1")
    assert (pulled.games_new, pulled.games_changed, pulled.games_gone) == (0, 1, 0)
    assert pulled.shown == ("2031-04-20 9004|race without entrants -> Tern beat Gull",)


def test_qualifying_is_a_game_of_its_own():
    parsed = parse(SESSIONS[1], QUALIFYING)
    assert parsed.games.select("game_id", "sequence").rows() == [("9001|qualifying", 0)]
    assert parsed.sides["finish"].sort().to_list() == [1, 2, 3]


def test_each_feed_refuses_the_others_file():
    with pytest.raises(FeedError, match=r"results\.csv has no column positionText, positionOrder, statusId"):
        parse(SESSIONS[1])
    with pytest.raises(FeedError, match=r"qualifying\.csv has no column qualifyId"):
        parse(SESSIONS[0], QUALIFYING)


def test_of_one_folder_races_and_qualifying_are_loaded_into_leagues_of_their_own(home, load, tmp_path):
    for name, raw in {**COMPANIONS, "results.csv": SESSIONS[0], "qualifying.csv": SESSIONS[1]}.items():
        (tmp_path / name).write_bytes(raw)
    assert load(tmp_path, league="formula_1").games_new == 4
    assert load(tmp_path, league="formula_1_qualifying").games_new == 1
    with reading(home) as con:
        sessions = "SELECT league, attributes['session'], count(*) FROM game GROUP BY ALL ORDER BY ALL"
        assert con.execute(sessions).fetchall() == [("formula_1", "race", 4), ("formula_1_qualifying", "qualifying", 1)]


def test_results_without_a_calendar_are_refused():
    with pytest.raises(FeedError, match=r"results\.csv needs races\.csv"):
        FEED.parse((FIXTURE / "results.csv").read_bytes(), Source("f1", "results.csv", read_catalogue()["formula_1"]))


def test_a_race_not_in_the_calendar_is_rejected():
    parsed = parse(races=b"raceId,year,round,circuitId,name,date\n9001,2031,1,91,Port,2031-03-09\n9002,2031,2,9,X,soon")
    assert set(parsed.rejected.filter(file="results.csv")["rule"]) == {"race is not in the calendar"}
    assert parsed.rejected.filter(file="races.csv")["rule"].to_list() == ["date is missing or unreadable"]
    assert parsed.games.height == 1


def test_without_tables_of_names_ids_are_the_names():
    companions = {"races.csv": COMPANIONS["races.csv"]}
    raw = (FIXTURE / "results.csv").read_bytes()
    parsed = FEED.parse(raw, Source("f1", "results.csv", read_catalogue()["formula_1"], companions))
    assert parsed.competitors.filter(competitor_id="f1:driver-801")["name"].to_list() == ["801"]


def test_a_row_of_a_companion_without_key_or_name_or_that_stands_there_again_is_rejected():
    drivers = COMPANIONS["drivers.csv"] + b"".join(
        [rb"\N,a,1,AAA,Al,Ay,\N,X,u" b"\n", rb"804,b,1,BBB,\N,\N,\N,X,u" b"\n", rb"801,c,1,CCC,Ada,New,\N,X,u" b"\n"]
    )
    parsed = parse(drivers=drivers)
    assert sorted(parsed.rejected.filter(file="drivers.csv")["rule"]) == [
        "driverId is missing",
        "driverId stands there again",
        "the driver's name is missing",
    ]
    assert parsed.competitors.filter(competitor_id="f1:driver-801")["name"].to_list() == ["Ada New"]
    assert parse().rejected.is_empty()


def test_a_companion_that_lost_its_keys_or_its_rows_is_refused_and_nobody_loses_his_name(home, load, tmp_path):
    for name, raw in {**COMPANIONS, "results.csv": SESSIONS[0]}.items():
        (tmp_path / name).write_bytes(raw)
    load(tmp_path, league="formula_1")
    lines = COMPANIONS["drivers.csv"].decode().splitlines(keepends=True)
    without_keys = "".join([lines[0], *("\\N," + line.split(",", 1)[1] for line in lines[1:])])
    for spoiled, message in ((without_keys, "rows of drivers.csv cannot be used"), (lines[0], "header and no rows")):
        (tmp_path / "drivers.csv").write_text(spoiled)
        with pytest.raises(PooltableError, match=message):
            load(tmp_path, league="formula_1")
        with reading(home) as con:
            names = con.execute("SELECT name FROM competitor WHERE competitor_id = 'f1:driver-801'").fetchall()
        assert names == [("Ada Quill",)]


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_every_race_is_loaded_of_the_whole_folder_with_the_calendar_and_no_qualifying(home, load):
    """PROVENANCE: 25,400 results of 1,057 races with 853 drivers and 210 constructors.

    The calendar has 1,080 races: the 23 without a result, all of 2022, are scheduled games without sides.
    """
    pulled = load(Path(REAL or "") / "f1", league="formula_1")
    assert (pulled.rows_rejected, pulled.games_new) == (0, 1_080)
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        assert ask("SELECT kind, count(*) FROM competitor GROUP BY ALL ORDER BY ALL") == [
            ("player", 853),
            ("team", 210),
        ]
        assert ask("SELECT DISTINCT attributes['session'] FROM game") == [("race",)]
        days = (
            "SELECT status, count(*), min(played_on)::VARCHAR, max(played_on)::VARCHAR FROM game GROUP BY 1 ORDER BY 1"
        )
        assert ask(days) == [
            ("played", 1_057, "1950-05-13", "2021-12-12"),
            ("scheduled", 23, "2022-03-20", "2022-11-20"),
        ]
        assert ask("SELECT count(DISTINCT game_id) FROM side") == [(1_057,)]
        assert ask("SELECT count(*), count(*) - count(DISTINCT (game_id, player)) FROM appearance") == [(25_400, 91)]
        wins = """
            SELECT c.name, count(*) FROM side JOIN appearance USING (league, game_id, side)
            JOIN competitor AS c ON c.competitor_id = player WHERE won GROUP BY ALL ORDER BY 2 DESC LIMIT 3
        """
        assert ask(wins) == [("Lewis Hamilton", 103), ("Michael Schumacher", 91), ("Sebastian Vettel", 53)]
    stops = [found for found in check(home, "formula_1", datetime(2022, 1, 1, tzinfo=UTC)) if found.severity == "stop"]
    assert stops == []


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_every_qualifying_is_loaded_of_the_whole_folder_and_no_race(home, load):
    """PROVENANCE: 9,135 rows of qualifying; they are of 426 weekends."""
    pulled = load(Path(REAL or "") / "f1", league="formula_1_qualifying")
    assert (pulled.rows_rejected, pulled.games_new) == (0, 426)
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        assert ask("SELECT DISTINCT attributes['session'] FROM game") == [("qualifying",)]
        assert ask("SELECT count(*), count(finish) FROM side") == [(9_135, 9_135)]
        assert ask("SELECT count(*) FROM appearance") == [(9_135,)]
