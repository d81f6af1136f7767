"""Each check finds its offence, by what it says, and is quiet about sound data."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from ingest.checks import check, files
from ingest.corrections import HEADER, corrections_file
from store.warehouse import reading, writing

NOW = datetime(2025, 11, 1, tzinfo=UTC)
LEAGUE = "international_football"
SOME = "(SELECT game_id FROM game WHERE league = 'international_football' ORDER BY game_id LIMIT 1)"
COPY = """
INSERT INTO game SELECT * REPLACE (game_id || ' again' AS game_id, game_id || ' again' AS contest_id)
FROM game WHERE game_id = {some};
INSERT INTO side SELECT * REPLACE (game_id || ' again' AS game_id) FROM side WHERE game_id = {some};
"""
STRANGERS = """
INSERT INTO game SELECT * REPLACE ('strange' AS game_id, 'strange' AS contest_id) FROM game WHERE game_id = {some};
INSERT INTO side SELECT * REPLACE ('strange' AS game_id, 'fifa:Ys' || side AS team) FROM side WHERE game_id = {some};
INSERT INTO competitor VALUES ('international_football', 'fifa:Ys1', 'team', 'Ys', NULL),
    ('international_football', 'fifa:Ys2', 'team', 'Yt', NULL);
"""
OFFENCES = {
    "played_themselves": ("UPDATE side SET team = 'fifa:Brava' WHERE game_id = {some}", "Brava is on both sides."),
    "game_without_two_sides": ("DELETE FROM side WHERE game_id = {some} AND side = 2", "It has only one side."),
    "score_and_winner_disagree": (
        "UPDATE side SET score = side, won = side = 1 WHERE game_id = {some}",
        "is given as the winner with the lower score, 1.0.",
    ),
    "appearance_without_side": (
        "INSERT INTO appearance VALUES ('international_football', {some}, 7, 'p:x', 1, NULL)",
        "1 player appears on side 7, which the game does not have.",
    ),
    "future_game_with_score": (
        "UPDATE game SET played_on = '2025-11-03' WHERE game_id = {some}",
        "It has a result, but its day is 2025-11-03 (results.csv). To leave it out, add to"
        " corrections/international_football.csv: 2024-01-01|Aland|Hiva,,,drop,,its day is in the future",
    ),
    "another_result": (
        "INSERT INTO rejected_row SELECT load_id, league, 'csv', 'r.csv', 9, 'same day and sides as line 2, with"
        " another result', '2024-01-01,A,B,3,0' FROM load",
        "It is kept out, same day and sides as line 2, with another result: 2024-01-01,A,B,3,0",
    ),
    "same_game_twice": (
        COPY,
        "Aland, Hiva on 2024-01-01: the same game stands there 2 times: 2024-01-01|Aland|Hiva; 2024-01-01|Aland|Hiva"
        " again. To leave one out, add to corrections/international_football.csv: "
        '"2024-01-01|Aland|Hiva again",,,drop,,"the same game as 2024-01-01|Aland|Hiva"',
    ),
    "two_winners": (
        "UPDATE side SET won = true, score = 1 WHERE game_id = {some}",
        "It has 2 winners: ",
    ),
    "game_count_fell": (
        "INSERT INTO load BY NAME SELECT * REPLACE (load_id || 'x' AS load_id, loaded_at_utc + INTERVAL 1 DAY AS"
        " loaded_at_utc, 0 AS games_new, 79 AS games_unchanged, 1 AS games_gone) FROM load",
        "It has 79 games since 2025-11-02 and had 80 before.",
    ),
    "groups_that_never_meet": (STRANGERS, "2 competitors never meet the largest group, of 8: Ys, Yt."),
    "competitor_with_one_game": (STRANGERS, "2 competitors have one game only: Ys, Yt."),
    "missing_days_in_season": (
        "DELETE FROM side WHERE game_id IN (SELECT game_id FROM game WHERE played_on BETWEEN '2024-02-01' AND"
        " '2024-03-10'); DELETE FROM game WHERE played_on BETWEEN '2024-02-01' AND '2024-03-10'",
        "No game on the 41 days from 2024-01-30 to 2024-03-10; the longest pause is usually 7 days.",
    ),
    "implausible_score": ("UPDATE side SET score = -1 WHERE game_id = {some} AND side = 1", "has a score of -1.0."),
}


@pytest.fixture
def loaded(home, load, results, rows):
    load(results(rows(20)))
    return home


def spoil(home, sql):
    with writing(home) as con:
        con.execute(sql.format(some=SOME))


def test_sound_data_have_no_findings(loaded):
    assert check(loaded, LEAGUE, NOW) == []


def test_every_check_has_its_offence_here():
    assert {path.stem for path in files()} - {"corrected"} == set(OFFENCES), "corrections are in test_corrections"


@pytest.mark.parametrize("name", OFFENCES)
def test_a_check_finds_its_offence(loaded, name):
    sql, message = OFFENCES[name]
    spoil(loaded, sql)
    found = [finding for finding in check(loaded, LEAGUE, NOW) if finding.check_name == name]
    assert len(found) == 1
    assert message in found[0].message
    assert found[0].subject
    assert check(loaded, "another_league", NOW) == []


def test_the_folder_is_the_severity_and_stop_comes_first(loaded):
    spoil(loaded, "UPDATE side SET score = -1, won = false WHERE game_id = {some} AND side = 1")
    spoil(loaded, "UPDATE side SET team = 'fifa:Brava' WHERE game_id = {some}")
    found = [(finding.severity, finding.check_name) for finding in check(loaded, LEAGUE, NOW)]
    assert found == [("stop", "played_themselves"), ("warn", "implausible_score")]


def test_findings_are_stored_in_place_of_earlier_ones(loaded):
    spoil(loaded, "UPDATE side SET score = -1 WHERE game_id = {some} AND side = 1")
    check(loaded, LEAGUE, NOW)
    check(loaded, LEAGUE, NOW + timedelta(days=1))
    with reading(loaded) as con:
        stored = con.execute("SELECT league, check_name, severity, found_at_utc FROM finding").fetchall()
    assert stored == [(LEAGUE, "implausible_score", "warn", (NOW + timedelta(days=1)).replace(tzinfo=None))]
    spoil(loaded, "UPDATE side SET score = 0, won = NULL WHERE game_id = {some}")
    check(loaded, LEAGUE, NOW)
    with reading(loaded) as con:
        assert con.execute("SELECT * FROM finding").fetchall() == []


def the_offered_line_leaves_one_out(home, load, path):
    """A stop's own line, written down as a correction, takes one game away and with it the stop."""
    load(path)
    [found] = [found for found in check(home, LEAGUE, NOW) if found.severity == "stop"]
    file = corrections_file(home, LEAGUE)
    file.parent.mkdir()
    file.write_text(f"{','.join(HEADER)}\n{found.message.split('.csv: ')[1]}\n")
    assert load(path).games_gone == 1
    assert [found for found in check(home, LEAGUE, NOW) if found.severity == "stop"] == []


def test_the_line_that_a_future_game_offers_leaves_it_out(home, load, results, rows):
    path = results([*rows(20), '2030-01-01,"Aland, isle",Brava,1,0,Cup,Port,Isle,TRUE'])
    the_offered_line_leaves_one_out(home, load, path)


def test_a_large_score_is_implausible_where_there_are_enough_to_judge_by(home, load, results, rows):
    load(results([*rows(50), "2025-01-01,Aland,Brava,99,0,Cup,Port,Isle,TRUE"]))
    found = [finding.message for finding in check(home, LEAGUE, NOW)]
    assert found == ["Aland has a score of 99.0."]


def test_two_meetings_on_one_day_with_two_scores_are_not_one_game_twice(home, load, results, rows):
    twice = ["2025-01-01,Aland,Brava,1,0,Cup,Port,Isle,TRUE", "2025-01-01,Aland,Brava,2,0,Cup,Port,Isle,TRUE"]
    load(results([*rows(20), *twice]))
    [found] = check(home, LEAGUE, NOW)
    assert (found.severity, found.check_name, found.subject) == ("warn", "another_result", "2025-01-01|Aland|Brava#2")
    assert "results.csv has this game twice, with two results, and both are loaded" in found.message


def test_one_game_of_players_alone_and_one_of_many_sides_stand_there_twice(loaded):
    spoil(
        loaded,
        """
        INSERT INTO game SELECT * REPLACE ('duel' AS game_id, 'duel' AS contest_id) FROM game WHERE game_id = {some};
        INSERT INTO game SELECT * REPLACE ('race' AS game_id, 'race' AS contest_id) FROM game WHERE game_id = {some};
        INSERT INTO side SELECT 'international_football', 'duel', n, NULL, false, NULL, NULL, n = 1, 1
        FROM range(1, 3) AS r(n);
        INSERT INTO side SELECT 'international_football', 'race', n, 'fifa:Car' || n % 3, false, NULL, n, n = 1, 1
        FROM range(1, 13) AS r(n);
        INSERT INTO appearance SELECT league, game_id, side, 'p:' || side, 1, NULL FROM side
        WHERE game_id IN ('duel', 'race');
        CREATE TEMP TABLE again AS SELECT * REPLACE (game_id || ' again' AS game_id, game_id || ' again' AS contest_id)
        FROM game WHERE game_id IN ('duel', 'race');
        INSERT INTO game FROM again;
        INSERT INTO side SELECT * REPLACE (game_id || ' again' AS game_id, (13 - side)::SMALLINT AS side) FROM side
        WHERE game_id IN ('duel', 'race');
        INSERT INTO appearance SELECT * REPLACE (game_id || ' again' AS game_id, (13 - side)::SMALLINT AS side)
        FROM appearance WHERE game_id IN ('duel', 'race');
    """,
    )
    found = [found.subject for found in check(loaded, LEAGUE, NOW) if found.check_name == "same_game_twice"]
    assert found == ["duel", "race"]
    spoil(loaded, "UPDATE side SET finish = 20 WHERE game_id = 'race' AND finish = 12")
    spoil(loaded, "UPDATE appearance SET player = 'p:x' WHERE game_id = 'duel' AND side = 2")
    assert [found for found in check(loaded, LEAGUE, NOW) if found.check_name == "same_game_twice"] == []


def test_games_of_one_day_whose_written_scores_differ_are_two_and_one_without_is_the_same(loaded):
    """A day told by the round may be that of two events: then only the sets tell two matches apart."""
    spoil(loaded, COPY)
    for one, other, expected in (("6-3 6-0", "6-3 7-5", []), ("6-3 6-0", "6-3 6-0", ["x"]), ("6-3 6-0", None, ["x"])):
        written = "map {}" if other is None else f"map {{'score': '{other}'}}"
        with writing(loaded) as con:
            con.execute(f"UPDATE game SET attributes = map {{'score': '{one}'}} WHERE game_id NOT LIKE '% again'")
            con.execute(f"UPDATE game SET attributes = {written} WHERE game_id LIKE '% again'")
        found = [found for found in check(loaded, LEAGUE, NOW) if found.check_name == "same_game_twice"]
        assert len(found) == len(expected), (one, other)


def test_the_line_that_a_game_there_twice_offers_leaves_one_out(home, load, results, rows):
    twice = ['2025-01-01,"Aland, isle",Brava,1,0,Cup,Port,Isle,TRUE', '2025-01-01,Brava,"Aland, isle",0,1,C,P,I,TRUE']
    path = results([*rows(20), *twice])
    the_offered_line_leaves_one_out(home, load, path)


def test_a_dead_heat_is_no_game_of_two_winners(loaded):
    spoil(loaded, "UPDATE side SET won = true, score = NULL, finish = 1 WHERE game_id = {some}")
    assert [found for found in check(loaded, LEAGUE, NOW) if found.severity == "stop"] == []


def test_everyone_in_one_race_has_met(loaded):
    spoil(
        loaded,
        """
        INSERT INTO game SELECT * REPLACE ('race' AS game_id, 'race' AS contest_id) FROM game WHERE game_id = {some};
        INSERT INTO side SELECT 'international_football', 'race', n, 'fifa:Car' || n, false, NULL, n, n = 1, 1
        FROM range(1, 13) AS r(n);
        INSERT INTO competitor SELECT 'international_football', 'fifa:Car' || n, 'team', 'Car ' || n, NULL
        FROM range(1, 13) AS r(n);
    """,
    )
    [found] = [found.message for found in check(loaded, LEAGUE, NOW) if found.check_name == "groups_that_never_meet"]
    assert found.startswith("8 competitors never meet the largest group, of 12: Aland, Brava")


def test_one_game_written_from_both_sides_is_found(home, load, results, rows):
    twice = ["2025-01-01,Aland,Brava,1,0,Cup,Port,Isle,TRUE", "2025-01-01,Brava,Aland,0,1,Friendly,Port,Isle,TRUE"]
    load(results([*rows(20), *twice]))
    assert [finding.check_name for finding in check(home, LEAGUE, NOW)] == ["same_game_twice"]


def test_a_chain_of_games_links_groups(home, load, results):
    names = [f"N{number:02d}" for number in range(30)]
    pairs = [*itertools.pairwise(names), ("Ys", "Yt"), ("Yt", "Yu"), ("Yu", "Ys")]
    load(results([f"2025-01-01,{one},{other},1,0,Cup,Port,Isle,TRUE" for one, other in pairs]))
    found = [finding.message for finding in check(home, LEAGUE, NOW) if finding.check_name == "groups_that_never_meet"]
    assert found == ["3 competitors never meet the largest group, of 30: Ys, Yt, Yu."]


def test_a_pause_every_season_has_is_usual_and_one_that_only_one_has_is_not(home, load, results, rows):
    """A season a year: each rests for July, but one for June as well."""
    dates = {row.split(",")[0]: row.replace("2024", "{year}") for row in rows(50)}
    games = []
    for year in range(2019, 2024):
        rest = ("-06-", "-07-") if year == 2021 else ("-07-",)
        games += [row.format(year=year) for day, row in dates.items() if not any(month in day for month in rest)]
    load(results(games))
    found = [finding for finding in check(home, LEAGUE, NOW) if finding.check_name == "missing_days_in_season"]
    assert [finding.subject for finding in found] == []
    fewer = [row for row in games if not row.startswith(("2021-04", "2021-05", "2021-08"))]
    load(results(fewer), accept=True)
    found = [finding for finding in check(home, LEAGUE, NOW) if finding.check_name == "missing_days_in_season"]
    assert [finding.subject for finding in found] == ["season 2021"]
    assert (
        "No game on the 160 days from 2021-03-26 to 2021-09-01; the longest pause is usually 42 days."
        in found[0].message
    )


def test_the_demo_leagues_are_sound(home, load):
    for league in ("demo_football", "demo_stints"):
        load(league=league)
        assert check(home, league, NOW) == []


def test_every_check_says_what_it_finds_at_its_top():
    for path in files():
        assert path.read_text(encoding="utf-8").startswith("-- "), path
