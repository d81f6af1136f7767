"""Loading: what a pull changes, counts, refuses and leaves alone."""

import gzip
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.pull import pull
from store.errors import FeedError, StanzaError
from store.warehouse import reading

LATER = datetime(2025, 12, 1, tzinfo=UTC)


def ask(home, sql):
    with reading(home) as con:
        return con.execute(sql).fetchall()


def counts(pulled):
    return pulled.games_new, pulled.games_changed, pulled.games_gone, pulled.games_unchanged


def test_a_first_load_brings_everything(home, load, results, rows):
    pulled = load(results(rows(20)))
    assert counts(pulled) == (80, 0, 0, 0)
    assert (pulled.rows_read, pulled.rows_rejected) == (80, 0)
    assert pulled.summary == "international_football: 80 games new, 0 changed, 0 gone, 0 unchanged; 0 rows rejected."
    assert ask(home, "SELECT count(*) FROM side") == [(160,)]
    assert ask(home, "SELECT count(*), min(kind), min(competitor_id) FROM competitor") == [(8, "team", "fifa:Aland")]
    assert ask(home, "SELECT attributes['tournament'], season, slice FROM game LIMIT 1") == [
        ("Friendly", "2024", "results.csv")
    ]


def test_the_same_bytes_change_nothing(home, load, results, rows):
    load(results(rows(20)))
    tables = ("league", "competitor", "game", "side", "load")
    before = [ask(home, f"SELECT * FROM {table} ORDER BY ALL") for table in tables]
    pulled = load(results(rows(20)))
    assert pulled.summary == "international_football: nothing new (80 games)."
    assert counts(pulled) == (0, 0, 0, 80)
    assert [ask(home, f"SELECT * FROM {table} ORDER BY ALL") for table in tables] == before


def test_a_changed_score_a_deleted_and_a_new_game_are_counted_and_applied(home, load, results, rows):
    load(results(rows(20)))
    games = rows(21)
    games[3] = games[3].replace(",Friendly", "7,Friendly")
    del games[5]
    pulled = load(results(games))
    assert counts(pulled) == (4, 1, 1, 78)
    changed = ",".join(games[3].split(",")[:3]).replace(",", "|")
    score = f"SELECT score FROM side WHERE game_id = '{changed}' AND NOT is_home"
    assert ask(home, score)[0][0] == float(games[3].split(",")[4])
    assert ask(
        home, "SELECT games_new, games_changed, games_gone, games_unchanged FROM load ORDER BY loaded_at_utc"
    ) == [
        (80, 0, 0, 0),
        (4, 1, 1, 78),
    ]


def test_a_change_of_title_alone_reaches_the_league(home, load, stanza, results, rows):
    path = results(rows(5))
    load(path)
    renamed = stanza(path).model_copy(update={"title": "Islands"})
    pulled = pull(home, "international_football", renamed, LATER)
    assert pulled.slices_loaded == 0
    assert ask(home, "SELECT title FROM league") == [("Islands",)]
    assert ask(home, "SELECT count(*) FROM load") == [(1,)]


def test_bad_rows_are_kept_with_line_rule_and_text(home, load, results, rows):
    games = rows(50)
    games[9] = "2024-02-30,Aland,Brava,1,0,Friendly,Port,Isle,FALSE"
    games[19] = "2024-03-01,Aland,Aland,1,x,Friendly,Port,Isle,FALSE"
    pulled = load(results(games))
    assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (200, 2, 198)
    assert ask(home, "SELECT feed, file, line, rule, raw FROM rejected_row ORDER BY line") == [
        ("international_football", "results.csv", 11, "date is missing or unreadable", games[9]),
        ("international_football", "results.csv", 21, "away_score is unreadable", games[19]),
    ]


def test_rejected_rows_of_an_earlier_load_do_not_pile_up(home, load, results, rows):
    games = rows(50)
    bad = [*games, "nonsense"]
    load(results(bad))
    load(results([*bad[1:], games[0]]))
    assert ask(home, "SELECT line FROM rejected_row") == [(201,)]


def test_too_many_rejected_rows_are_refused_before_good_data_are_replaced(home, load, results, rows):
    load(results(rows(20)))
    broken = [row if number % 10 else row.replace("2024-", "24/") for number, row in enumerate(rows(20))]
    with pytest.raises(FeedError, match=r"8 of 80 rows of results\.csv cannot be used: date is missing") as error:
        load(results(broken))
    assert "pooltable pull international_football --accept" in error.value.hint
    assert "first is line 2" in error.value.message
    assert ask(home, "SELECT count(*) FROM game") == [(80,)]
    assert counts(load(results(broken), accept=True)) == (0, 0, 8, 72)


def test_one_bad_row_does_not_stop_a_tiny_league_but_a_file_of_nothing_else_does(home, load, results, rows):
    assert load(results([*rows(2), "nonsense"])).rows_rejected == 1
    with pytest.raises(FeedError, match="2 of 2 rows"):
        load(results(["nonsense", "more of it"], "other/results.csv"))


def test_a_file_that_lost_its_games_is_refused(home, load, results, rows):
    load(results(rows(20)))
    with pytest.raises(FeedError, match=r"results\.csv lost 40 of its 80 games"):
        load(results(rows(10)))
    assert ask(home, "SELECT count(*) FROM game") == [(80,)]
    assert load(results(rows(10)), accept=True).games_gone == 40
    assert ask(home, "SELECT count(*) FROM side") == [(80,)]


def test_a_file_with_other_games_in_place_of_most_is_refused(home, load, results, rows):
    load(results(rows(20)))
    other = [row.replace("2024-", "2023-") for row in rows(20)]
    with pytest.raises(FeedError, match=r"80 of the 80 games of results\.csv are gone and 80 others are there"):
        load(results(other))
    assert ask(home, "SELECT DISTINCT season FROM game") == [("2024",)]
    assert load(results(other), accept=True).games_new == 80


def turned(rows):
    """The rows with the scores of both sides exchanged."""
    fields = [row.split(",") for row in rows]
    return [",".join([*row[:3], row[4], row[3], *row[5:]]) for row in fields]


def test_a_file_with_other_results_of_most_games_is_refused(home, load, results, rows):
    load(results(rows(20)))
    decided = sum(row.split(",")[3] != row.split(",")[4] for row in rows(20))
    with pytest.raises(FeedError, match=rf"{decided} of the 80 games of results\.csv have another result"):
        load(results(turned(rows(20))))
    few = [*turned(rows(20)[:30]), *rows(20)[30:]]
    assert load(results(few)).games_changed > 5
    assert load(results(turned(rows(20))), accept=True).games_changed > 30


def test_fixtures_that_were_played_are_no_changed_results(load, results, rows):
    played = rows(20)
    open_ones = [",".join([*row.split(",")[:3], "NA", "NA", *row.split(",")[5:]]) for row in played]
    load(results(open_ones))
    assert load(results(played)).games_changed == 80


def test_other_code_may_change_every_result(load, results, rows, monkeypatch):
    load(results(rows(20)))
    monkeypatch.setattr("ingest.pull.loader_hash", lambda *_: "other code")
    assert load(results(turned(rows(20)))).games_changed > 30


BAD_ANSWERS = [b'{"error": "rate limit"}', b"Service unavailable", b"Down for maintenance.\nBack at six.\n"]


@pytest.mark.parametrize("bad", BAD_ANSWERS)
def test_an_answer_that_is_no_data_changes_nothing_and_is_gone_with_the_next(home, load, results, rows, stanza, bad):
    path = results(rows(20))
    load(path)
    path.write_bytes(bad)
    with pytest.raises(FeedError, match=r"results\.csv has no column date") as error:
        load(path)
    assert f"results.csv was fetched 2025-11-01T05:00:00 UTC from {path}." in error.value.message
    assert "What was fetched 2025-11-01 04:00:00 UTC stays loaded" in error.value.hint
    offline = pull(home, "international_football", stanza(path), LATER, offline=True)
    assert offline.summary == "international_football: nothing new (80 games)."
    path.unlink()
    stale = load(path)
    assert (stale.games_unchanged, stale.slices_loaded) == (80, 0)
    assert "The snapshot of 2025-11-01T04:00:00 UTC was used." in stale.summary
    assert load(results(rows(21))).games_new == 4


def test_a_snapshot_that_stands_in_and_cannot_be_read_says_why_it_had_to(load, results):
    path = results([])
    path.write_bytes(BAD_ANSWERS[0])
    with pytest.raises(FeedError, match="no column date"):
        load(path)
    path.unlink()
    with pytest.raises(FeedError, match=r"no column date.*cannot be read: No such file or directory\. The snapshot of"):
        load(path)


def test_a_folder_that_is_gone_for_a_night_changes_nothing_and_is_said_once(load, results, rows):
    folder = results(rows(10), "s/results-1.csv").parent
    results(rows(20)[40:], "s/results-2.csv")
    load(folder)
    folder.rename(folder.with_name("elsewhere"))
    pulled = load(folder)
    assert pulled.summary == (
        "international_football: nothing new (80 games)."
        f" The folder {folder} is gone. The last snapshots of its 2 files were used."
    )
    folder.with_name("elsewhere").rename(folder)
    assert load(folder).notes == ()


def test_rows_of_companion_files_are_counted_and_judged_by_file(home, load, results, rows, tmp_path):
    games = [*rows(50), "nonsense"]
    other_names = tmp_path / "former_names.csv"
    names = ["current,former,start_date,end_date", *(f"Aland,Old {n},1950-01-01,1960-12-31" for n in range(9))]
    other_names.write_text("\n".join([*names, "Aland,,1950-01-01,1960-12-31"]))
    pulled = load(results(games), other_names)
    assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (201 + 10, 2, 200)
    assert ask(home, "SELECT rows_read, rows_rejected FROM load") == [(211, 2)]
    assert ask(home, "SELECT file, count(*) FROM rejected_row GROUP BY ALL ORDER BY 1") == [
        ("former_names.csv", 1),
        ("results.csv", 1),
    ]
    other_names.write_text("\n".join([*names, *["Aland,,1950-01-01,1960-12-31"] * 4]))
    with pytest.raises(
        FeedError, match=r"4 of 13 rows of former_names\.csv cannot be used: .* The first is line 11 of former"
    ):
        load(results(games), other_names)


def test_a_companion_file_that_is_gone_is_refused(load, results, rows):
    folder = results(rows(20), "s/results.csv").parent
    names = folder / "former_names.csv"
    names.write_text("current,former,start_date,end_date\nAland,Old Aland,1950-01-01,1960-12-31\n")
    load(folder)
    names.unlink()
    with pytest.raises(FeedError, match=rf"former_names\.csv, read along with the results, is gone from {folder}\."):
        load(folder)
    assert "Accepted: former_names.csv, read along" in load(folder, accept=True).summary
    assert load(folder).notes == ()


def test_what_a_source_corrected_is_listed_and_a_first_load_is_not(home, load, results, rows):
    first = [
        *rows(20),
        "2024-06-01,Aland,Brava,2,1,Cup,Port,Isle,FALSE",
        "2024-06-02,Brava,Corse,0,0,Cup,Port,Isle,FALSE",
    ]
    load(results(first))
    assert ask(home, "FROM game_change") == []
    later = [first[-2].replace("2,1", "2,2"), "2024-06-03,Elba,Delos,1,0,Cup,Port,Isle,FALSE"]
    retold = rows(20)[0].replace("Friendly", "Cup")
    pulled = load(results([retold, *rows(20)[1:], *later]))
    assert counts(pulled) == (1, 2, 1, 79)
    assert ask(home, "SELECT change, description FROM game_change ORDER BY description DESC") == [
        ("gone", "2024-06-02 Brava 0-0 Corse"),
        ("changed", "2024-06-01 Aland 2-1 Brava -> 2-2"),
        ("changed", "2024-01-01 Aland 0-0 Hiva (attributes)"),
    ]
    assert pulled.summary == (
        "international_football: 1 games new, 2 changed, 1 gone, 79 unchanged; 0 rows rejected. Changed or gone:"
        " 2024-06-02 Brava 0-0 Corse is gone; 2024-06-01 Aland 2-1 Brava -> 2-2;"
        " 2024-01-01 Aland 0-0 Hiva (attributes)."
    )
    assert ask(home, "SELECT DISTINCT games_new FROM game_change JOIN load USING (load_id)") == [(1,)]


def test_of_many_changes_a_bounded_number_is_listed_for_a_year(home, load, results, rows, stanza, monkeypatch):
    monkeypatch.setattr("ingest.loading.LISTED_AT_MOST", 4)
    load(results(rows(20)))
    pulled = load(results([row.replace("Friendly", "Cup") for row in rows(20)]))
    assert pulled.games_changed == 80
    assert "; and 77 more." in pulled.summary
    assert ask(home, "SELECT count(*) FROM game_change") == [(4,)]
    path = results([*rows(20)[1:], rows(20)[0].replace("Friendly", "Cup")])
    pull(home, "international_football", stanza(path), datetime(2027, 1, 1, tzinfo=UTC))
    assert ask(home, "SELECT count(DISTINCT load_id), count(*) FROM game_change") == [(1, 4)]


def test_changes_of_stints_and_of_players_are_told_by_their_names(home, load, tmp_path, stanza):
    sources = stanza(league="demo_stints").source
    stints = tmp_path / "stints.csv"
    head, *rest = Path(sources[0]).read_text().splitlines()
    load(league="demo_stints")
    stints.write_text("\n".join([head, *rest[1:]]) + "\n")
    load(stints, *sources[1:], league="demo_stints")
    ((description,),) = ask(home, "SELECT description FROM game_change")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d .+ \d+-\d+ .+", description), description


def test_a_renamed_team_is_not_a_loss(load, results, rows):
    load(results(rows(20)))
    pulled = load(results([row.replace("Hiva", "Hiwa") for row in rows(20)]))
    assert (pulled.games_new, pulled.games_gone) == (20, 20)


def test_competitors_that_no_game_mentions_any_more_go(home, load, results, rows):
    load(results(rows(20)))
    load(results([row.replace("Hiva", "Hiwa") for row in rows(20)]))
    assert ask(home, "SELECT name FROM competitor WHERE name LIKE 'Hi%'") == [("Hiwa",)]


def test_a_new_season_file_loads_only_its_slice(home, load, results, rows):
    old = results(rows(10), "s/results-1.csv")
    load(old.parent)
    results(rows(20)[40:], "s/results-2.csv")
    pulled = load(old.parent)
    assert (pulled.slices_loaded, pulled.slices_unchanged) == (1, 1)
    assert counts(pulled) == (40, 0, 0, 40)


def test_a_file_gone_from_the_folder_is_refused_and_then_removed(home, load, results, rows):
    old = results(rows(10), "s/results-1.csv")
    new = results(rows(20)[40:], "s/results-2.csv")
    load(old.parent)
    new.unlink()
    with pytest.raises(FeedError, match=rf"results-2\.csv is gone from {old.parent}, and 40 games with it") as error:
        load(old.parent)
    assert "--accept" in error.value.hint
    assert ask(home, "SELECT count(*) FROM game") == [(80,)]
    pulled = load(old.parent, accept=True)
    assert pulled.summary.endswith(f" Accepted: results-2.csv is gone from {old.parent}, and 40 games with it.")
    assert (pulled.slices_gone, pulled.games_gone, pulled.games_unchanged) == (1, 40, 40)
    assert ask(home, "SELECT DISTINCT slice FROM game") == [("results-1.csv",)]
    assert load(old.parent).slices_gone == 0
    results(rows(20)[40:], "s/results-2.csv")
    assert load(old.parent).games_new == 40


def test_games_that_two_files_hold_are_kept_once_and_come_back_with_the_other(home, load, results, rows):
    whole = results(rows(10), "s/results-1.csv")
    results(rows(5), "s/results-2.csv")
    pulled = load(whole.parent)
    assert (pulled.games_new, pulled.rows_rejected) == (40, 20)
    assert ask(home, "SELECT DISTINCT rule, file FROM rejected_row") == [
        ("game is in another file already", "results-2.csv")
    ]
    whole.unlink()
    pulled = load(whole.parent, accept=True)
    assert (pulled.games_gone, pulled.games_unchanged) == (20, 20)
    assert ask(home, "SELECT slice, count(*) FROM game GROUP BY ALL") == [("results-2.csv", 20)]


def test_a_file_under_a_new_name_is_the_same_games(load, results, rows):
    load(results(rows(10)))
    assert counts(load(results(rows(10), "results-all.csv"))) == (0, 0, 0, 40)


def test_gzip_is_read_like_plain(load, results, rows, tmp_path):
    packed = tmp_path / "results.csv.gz"
    packed.write_bytes(gzip.compress(results(rows(10)).read_bytes()))
    assert load(packed).games_new == 40


def test_rows_without_scores_are_fixtures(home, load, results, rows):
    load(results([*rows(5), "2026-06-11,Aland,Gozo,NA,NA,Cup,Port,Isle,TRUE"]))
    found = "SELECT score, won, is_home FROM side JOIN game USING (league, game_id) WHERE status = 'scheduled'"
    assert ask(home, found) == [(None, None, False)] * 2


def test_another_league_is_left_alone(home, load, results, rows):
    load(results(rows(10)))
    load(league="demo_football")
    load(league="demo_stints")
    assert ask(home, "SELECT league, count(*) FROM game GROUP BY ALL ORDER BY league") == [
        ("demo_football", 792),
        ("demo_stints", 1568),
        ("international_football", 40),
    ]


def test_truth_and_divisions_come_with_the_simulated_league(home, load):
    load(league="demo_football")
    assert ask(home, "SELECT count(*) FROM truth") == [(26 * 3,)]
    orphans = "SELECT count(*) FROM truth ANTI JOIN competitor USING (league, competitor_id)"
    assert ask(home, orphans) == [(0,)]
    assert ask(home, "SELECT count(*) FROM membership WHERE grouping = 'division'") == [(72,)]
    assert ask(home, "SELECT is_simulated FROM league") == [(True,)]


def test_a_changed_companion_alone_is_loaded(home, load, tmp_path, stanza):
    sources = stanza(league="demo_football").source
    truth = tmp_path / "truth.csv"
    truth.write_text("name,attack,defence\nYaldermoor,1.5,-0.5\n")
    load(league="demo_football")
    pulled = load(sources[0], truth, league="demo_football")
    assert (pulled.slices_loaded, pulled.games_unchanged) == (1, 792)
    assert ask(home, "SELECT component, value FROM truth ORDER BY ALL") == [
        ("attack", 1.5),
        ("defence", -0.5),
        ("total", 1.0),
    ]


def test_an_unknown_feed_is_named_with_the_nearest(home, stanza, results, rows):
    wrong = stanza(results(rows(1))).model_copy(update={"feed": "internatonal_football"})
    with pytest.raises(StanzaError, match='Did you mean "international_football"'):
        pull(home, "x", wrong, LATER)


def test_only_companions_are_not_results(load, tmp_path):
    truth = tmp_path / "truth.csv"
    truth.write_text("name,attack,defence\n")
    with pytest.raises(FeedError, match="no results among the files: truth"):
        load(truth, league="demo_football")
