"""Corrections: what each does, that it is listed with its reason, and what a wrong one says."""

from datetime import UTC, datetime

import pytest

from ingest.checks import check
from ingest.corrections import HEADER, corrections_file, read_corrections
from store.errors import FeedError, PooltableError, StoreError
from store.warehouse import reading

LEAGUE = "international_football"
NOW = datetime(2025, 12, 1, tzinfo=UTC)
GAME = "2024-01-01|Aland|Hiva"
ROWS = ["2024-01-01,Aland,Hiva,1,0,Friendly,Port,Isle,FALSE", "2024-01-02,Brava,Corse,2,2,Cup,Port,Isle,FALSE",
        "2024-01-03,Delos,Elba,NA,NA,Cup,Port,Isle,FALSE", "2024-01-04,Aland,Brava,1,0,Cup,Port,Isle,TRUE"]  # fmt: skip


@pytest.fixture
def correct(home):
    """correct("game_id,played_on,...", ...): writes the league's corrections."""

    def write(*lines):
        path = corrections_file(home, LEAGUE)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([",".join(HEADER), *lines]) + "\n", encoding="utf-8")

    return write


def ask(home, sql):
    with reading(home) as con:
        return con.execute(sql).fetchall()


def listed(home):
    return [(found.subject, found.message) for found in check(home, LEAGUE, NOW) if found.check_name == "corrected"]


def test_a_corrected_score_decides_who_won_and_is_listed_and_goes_when_taken_out(home, load, results, correct):
    path = results(ROWS)
    load(path)
    before = ask(home, "SELECT * FROM side ORDER BY ALL")
    correct(f"{GAME},,Hiva,score,4,the federation's report says so")
    assert load(path).games_changed == 1
    assert ask(home, f"SELECT team, score, won FROM side WHERE game_id = '{GAME}' ORDER BY team") == [
        ("fifa:Aland", 1.0, False), ("fifa:Hiva", 4.0, True),
    ]  # fmt: skip
    assert listed(home) == [
        (GAME, "score of Hiva is 4: the federation's report says so (the source: 0), by line 2 of the corrections.")
    ]
    assert load(path).slices_loaded == 0
    correct()
    assert load(path).games_changed == 1
    assert ask(home, "SELECT * FROM side ORDER BY ALL") == before


def test_a_game_can_be_told_by_its_day_and_a_competitor(home, load, results, correct):
    correct(
        ",2024-01-02,Corse,score,3,typing slip", ",2024-01-02,fifa:Brava,attributes.tournament,League,wrong cup",
        ",2024-01-03,Elba,score,1,was missing", ",2024-01-03,Delos,score,0,was missing",
    )  # fmt: skip
    load(results(ROWS))
    assert ask(home, "SELECT won FROM side WHERE team = 'fifa:Corse'") == [(True,)]
    assert ask(home, "SELECT attributes['tournament'], status FROM game ORDER BY played_on") == [
        ("Friendly", "played"), ("League", "played"), ("Cup", "played"), ("Cup", "played"),
    ]  # fmt: skip


def test_fields_of_the_game(home, load, results, correct):
    correct(
        f"{GAME},,,played_on,2024-01-05,late", f"{GAME},,,neutral,true,no home", f"{GAME},,Aland,is_home,false,no home",
        f"{GAME},,,status,awarded,by decision", f"{GAME},,Aland,won,false,by decision",
        f"{GAME},,Hiva,won,true,by decision",
        f"{GAME},,,attributes.city,,unknown", f"{GAME},,,season,2023,of last season", f"{GAME},,,round,Final,",
    )  # fmt: skip
    with pytest.raises(StoreError, match="line 10: a correction needs a reason"):
        load(results(ROWS))
    path = corrections_file(home, LEAGUE)
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    load(results(ROWS))
    row = f"SELECT played_on::VARCHAR, neutral, status, season, attributes['city'] FROM game WHERE game_id = '{GAME}'"
    assert ask(home, row) == [("2024-01-05", True, "awarded", "2023", None)]
    assert ask(home, f"SELECT won FROM side WHERE game_id = '{GAME}' ORDER BY team") == [(False,), (True,)]


def test_a_dropped_game_is_a_rejected_row_with_its_reason_and_stops_nothing(home, load, results, correct):
    correct(f"{GAME},,,drop,,never took place", ",2024-01-02,Brava,drop,,never took place", ",2024-01-03,Elba,drop,,no")
    pulled = load(results(ROWS))
    assert (pulled.rows_read, pulled.games_new, pulled.rows_rejected) == (4, 1, 3)
    assert ask(home, "SELECT line, rule FROM rejected_row ORDER BY line") == [
        (2, f"left out by correction of {GAME}: never took place"),
        (3, "left out by correction of 2024-01-02 Brava: never took place"),
        (4, "left out by correction of 2024-01-03 Elba: no"),
    ]
    assert listed(home) == [
        (f"results.csv, line {line}", f"left out by correction of {told}, by line {line} of the corrections.")
        for line, told in ((2, f"{GAME}: never took place"), (3, "2024-01-02 Brava: never took place"),
                           (4, "2024-01-03 Elba: no"))
    ]  # fmt: skip


def test_what_is_listed_is_what_was_loaded_and_where_the_file_differs_it_is_said(home, load, results, correct):
    path = results(ROWS)
    correct(f"{GAME},,Hiva,score,4,the report", ",2024-01-02,Corse,score,3,typing slip")
    load(path)
    loaded = [
        (GAME, "score of Hiva is 4: the report (the source: 0), by line 2 of the corrections."),
        ("2024-01-02|Brava|Corse", "score of Corse is 3: typing slip (the source: 2), by line 3 of the corrections."),
    ]
    assert listed(home) == loaded
    wrong = f"{GAME},,Nobody,score,4,the report"
    correct(f"{GAME},,Hiva,score,4,the report", ",2024-01-04,Aland,drop,,never played", wrong)
    with pytest.raises(FeedError):
        load(path)
    assert listed(home) == [
        loaded[0],
        ("2024-01-04|Aland|Brava", f"Line 3 of the corrections is not loaded yet, pooltable pull {LEAGUE}: left out by"
         " correction of 2024-01-04 Aland: never played"),
        (GAME, f"Line 4 of the corrections is not loaded yet, pooltable pull {LEAGUE}: score of Nobody is 4: the"
         " report"),
        ("2024-01-02|Brava|Corse", "score of Corse is 3: typing slip (the source: 2). The corrections do not say so any"
         f" more: pooltable pull {LEAGUE}"),
    ]  # fmt: skip


def test_a_game_corrected_twice_says_both_and_one_told_by_its_old_day_is_still_known(home, load, results, correct):
    correct(",2024-01-02,Corse,score,3,slip", ",2024-01-02,Corse,played_on,2024-01-06,postponed")
    load(results(ROWS))
    assert ask(home, "SELECT attributes['corrected'] FROM game WHERE attributes['corrected'] IS NOT NULL") == [
        ("score of Corse is 3: slip (the source: 2)\nplayed_on is 2024-01-06: postponed (the source: 2024-01-02)",)
    ]
    game = "2024-01-02|Brava|Corse"
    assert listed(home) == [
        (game, "score of Corse is 3: slip (the source: 2), by line 2 of the corrections."),
        (game, "played_on is 2024-01-06: postponed (the source: 2024-01-02), by line 3 of the corrections."),
    ]


def test_a_correction_that_fits_no_game_is_said_and_one_of_another_file_is_fine(home, load, results, correct, rows):
    correct("2030-01-01|A|B,,,season,2030,who knows", f"{GAME},,,season,2023,of last season")
    old = results(ROWS, "s/results-1.csv")
    load(old.parent)
    results(rows(5)[4:], "s/results-2.csv")
    load(old.parent)
    assert listed(home) == [
        ("2030-01-01|A|B", "Line 2 of the corrections fits no game: season is 2030: who knows"),
        (GAME, "season is 2023: of last season (the source: 2024), by line 3 of the corrections."),
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("a,b", "line 2: it has 2 fields, not 6"),
        (f"{GAME},,,scores,1,x", 'there is no field "scores"'),
        (f"{GAME},,,score,1,x", '"score" is of one side: say of which competitor'),
        (f"{GAME},,Aland,score,many,x", '"many" cannot be score'),
        (f"{GAME},,Aland,score,nan,x", "out of range"),
        (f"{GAME},,Aland,exposure,0,x", "out of range"),
        (f"{GAME},,Aland,finish,0,x", "out of range"),
        (f"{GAME},,Aland,exposure,,x", '"exposure" cannot be empty'),
        (f"{GAME},,,status,lost,x", "there are scheduled, played"),
        (f"{GAME},,,neutral,perhaps,x", "say true or false"),
        (",2024-01-01,,season,2024,x", "say which game"),
        (",yesterday,Aland,season,2024,x", "yesterday"),
        (",2016/09/01,Aland,score,1,x", '"2016/09/01" cannot be played_on: write it as 2024-05-31'),
        (
            f"{GAME},,Hiva,score,1,x\n{GAME},,Aland,score,1,x\n{GAME},,Hiva,score,2,y",
            "lines 2 and 4: both say score of Hiva of one game",
        ),
        (
            f"{GAME},,Brava,score,1,x",
            f'corrections/international_football.csv, line 2: "Brava" has 0 sides in {GAME}',
        ),
        (",2024-01-04,Brava,score,1,x\n,2024-01-04,Nobody,score,1,x\n,,,x,,", "line 4"),
    ],
)
def test_a_wrong_correction_is_one_clear_line_and_changes_nothing(home, load, results, correct, line, complaint):
    path = results(ROWS)
    load(path)
    before = ask(home, "SELECT * FROM side ORDER BY ALL")
    correct(line)
    with pytest.raises(PooltableError) as error:
        load(path)
    assert complaint in error.value.message
    assert "\n" not in error.value.message
    assert ask(home, "SELECT * FROM side ORDER BY ALL") == before


def test_a_day_and_competitor_that_fit_two_games_need_the_id(load, results, correct):
    correct(",2024-01-04,Aland,season,2024,x")
    complaint = r"corrections/international_football\.csv, line 2: 2024-01-04 and Aland fit 2 games"
    with pytest.raises(FeedError, match=complaint) as error:
        load(results([*ROWS, "2024-01-04,Corse,Aland,1,0,Cup,Port,Isle,TRUE"]))
    assert error.value.hint == "Nothing was loaded. Say which in that line, by its game_id."


def test_without_a_file_there_are_none_and_another_header_is_refused(home, correct):
    assert read_corrections(home, LEAGUE) == []
    corrections_file(home, LEAGUE).parent.mkdir(parents=True)
    corrections_file(home, LEAGUE).write_text("id,what\n")
    with pytest.raises(StoreError, match="must begin with the line game_id,played_on"):
        read_corrections(home, LEAGUE)
