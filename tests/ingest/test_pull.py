"""Loading: what a pull changes, counts, refuses and leaves alone."""

import gzip
from datetime import UTC, datetime

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
    with pytest.raises(FeedError, match=r"results-2\.csv lost 40 of its 40 games"):
        load(old.parent)
    pulled = load(old.parent, accept=True)
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
