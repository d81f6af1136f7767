"""Editions: built, stamped, pointed at, gone back from, pruned, and whole whatever happens in between."""

import shutil
from datetime import timedelta

import duckdb
import pytest
from filelock import FileLock

from store import edition
from store.edition import current, editions, is_up_to_date, pinned, publish, rollback, unpin
from store.errors import LockedError, StoreError, UsageError
from store.history import History, Run, StepEnd
from store.home import Home
from store.warehouse import writing


def read(path, sql):
    con = duckdb.connect(str(path), read_only=True)
    try:
        return con.execute(sql).fetchall()
    finally:
        con.close()


def test_an_edition_holds_the_leaderboard_of_the_last_accepted_fit(rated, refit, now):
    refit(rated, "f2", minutes=5, best="fifa:B")
    refit(rated, "f3", verdict="rejected", minutes=10, best="fifa:C")
    refit(rated, "f4", minutes=20, is_dated=True, best="fifa:C")
    path = publish(rated, ["alps"], now)
    assert read(path, "SELECT name, rank, fit_id FROM leaderboard ORDER BY rank LIMIT 1") == [("B", 1, "f2")]
    assert read(path, "SELECT fit_id, newest_fit_id, newest_verdict FROM league") == [("f2", "f3", "rejected")]
    assert read(path, "SELECT edition_id FROM edition") == [(path.stem,)]


def test_a_league_that_was_only_loaded_is_shown_without_ratings(rated, now):
    with writing(rated) as con:
        con.execute("DELETE FROM fit")
    path = publish(rated, ["alps"], now)
    assert read(path, "SELECT league, fit_id FROM league") == [("alps", None)]
    assert read(path, "FROM leaderboard") == []
    assert read(path, "SELECT count(*) FROM game") == [(3,)]


def test_a_league_that_was_removed_is_not_published(rated, now):
    path = publish(rated, [], now)
    for table in ("league", "game", "competitor", "leaderboard", "rating_draw", "fit"):
        assert read(path, f"SELECT count(*) FROM {table}") == [(0,)], table


def test_everything_readers_see_says_what_it_is(rated, now):
    path = publish(rated, ["alps"], now)
    assert (
        read(
            path,
            "SELECT table_name, '' FROM duckdb_tables() WHERE comment IS NULL UNION ALL"
            " SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL AND NOT internal UNION ALL"
            " SELECT function_name, '' FROM duckdb_functions()"
            " WHERE function_type LIKE '%macro' AND NOT internal AND comment IS NULL",
        )
        == []
    )


def test_an_edition_is_read_only_and_old_clients_can_open_it(rated, now):
    path = publish(rated, ["alps"], now)
    assert path.stat().st_mode & 0o777 == 0o444
    tags = read(path, "SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal")
    assert tags[0][0].startswith("v1.2")


def test_readers_get_the_file_behind_the_link(rated, now):
    path = publish(rated, ["alps"], now)
    assert rated.current.is_symlink()
    assert current(rated) == path.resolve()
    assert not rated.current.readlink().is_absolute(), "a home can be moved"


def test_a_reader_keeps_its_edition_while_a_new_one_is_published(rated, refit, now):
    first = publish(rated, ["alps"], now)
    con = duckdb.connect(str(current(rated)), read_only=True)
    refit(rated, "f2", minutes=5, best="fifa:B")
    second = publish(rated, ["alps"], now + timedelta(hours=1))
    assert con.execute("SELECT name FROM leaderboard WHERE rank = 1").fetchall() == [("A",)]
    assert read(current(rated), "SELECT name FROM leaderboard WHERE rank = 1") == [("B",)]
    con.close()
    assert editions(rated) == [first, second]


def test_two_editions_in_one_millisecond_get_two_names(rated, now):
    assert publish(rated, ["alps"], now) < publish(rated, ["alps"], now)


def test_an_edition_by_a_clock_that_was_ahead_is_not_the_newest_for_ever(rated, refit, now):
    """Else unpinning would send readers back to it, the newest would be the first deleted, and `publish --due` would
    publish every time."""
    first, ahead = publish(rated, ["alps"], now), publish(rated, ["alps"], now + timedelta(days=200))
    later = publish(rated, ["alps"], now + timedelta(days=1))
    assert editions(rated) == [first, ahead, later]
    assert current(rated) == later
    assert is_up_to_date(rated, ["alps"])
    assert rollback(rated, None) == ahead
    assert unpin(rated) == current(rated) == later
    told = read(later, "SELECT edition_id, published_at_utc FROM edition")
    assert told == [(later.stem, (now + timedelta(days=1)).replace(tzinfo=None))]


def test_rolling_back_pins_until_unpinned(rated, now):
    first, second = (publish(rated, ["alps"], now + timedelta(hours=h)) for h in (0, 1))
    assert rollback(rated, None) == first
    assert (current(rated), pinned(rated)) == (first.resolve(), first.stem)
    third = publish(rated, ["alps"], now + timedelta(hours=2))
    assert current(rated) == first.resolve(), "a pinned edition stays up"
    assert unpin(rated) == third
    assert (current(rated), pinned(rated)) == (third.resolve(), None)
    assert rollback(rated, second.name) == second


def test_there_is_nothing_before_the_first(rated, now):
    with pytest.raises(StoreError, match="Nothing is published"):
        rollback(rated, None)
    path = publish(rated, ["alps"], now)
    with pytest.raises(UsageError, match="no edition before"):
        rollback(rated, None)
    with pytest.raises(UsageError, match="no edition") as caught:
        rollback(rated, "ratings-never")
    assert path.stem in caught.value.hint
    assert unpin(rated) == path


def test_unpinning_where_nothing_was_published_is_no_error(home):
    assert unpin(home) is None


def test_thirty_editions_are_kept_and_never_the_current_one_deleted(rated, now):
    first = publish(rated, ["alps"], now)
    rollback(rated, first.stem)
    for number in range(1, 32):  # published one by one they would take half a minute
        shutil.copy(first, first.with_name(f"ratings-{now + timedelta(minutes=number):%Y%m%d-%H%M%S}-000.duckdb"))
    publish(rated, ["alps"], now + timedelta(minutes=32))
    kept = editions(rated)
    assert len(kept) == 31
    assert kept[0] == first
    assert read(current(rated), "SELECT count(*) FROM leaderboard") == [(3,)]


@pytest.mark.parametrize("moment", ["_build", "_settle", "_point"])
def test_an_end_in_mid_publication_leaves_the_old_edition_up(rated, now, monkeypatch, moment):
    first = publish(rated, ["alps"], now)

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(edition, moment, dies)
        publish(rated, ["alps"], now + timedelta(hours=1))
    assert current(rated) == first.resolve()
    assert read(current(rated), "SELECT count(*) FROM leaderboard") == [(3,)]
    assert publish(rated, ["alps"], now + timedelta(hours=2)) == current(rated)


def test_what_a_killed_publication_left_is_swept(rated, now):
    rated.editions.mkdir(parents=True)
    for name in (".building-dead.duckdb", ".building-dead.duckdb.wal", ".link-dead"):
        (rated.editions / name).write_text("half")
    publish(rated, ["alps"], now)
    left = {path.name for path in rated.editions.iterdir()}
    assert not {name for name in left if "dead" in name}


def published_fit(path):
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute("SELECT fit_id FROM league").fetchall()[0][0]


def test_a_fit_whose_draws_are_lost_gives_way_to_the_one_before(rated, refit, now):
    refit(rated, "f2", minutes=1)
    rated.draws_of("f2").unlink()
    assert published_fit(publish(rated, ["alps"], now)) == "f1"
    rated.draws_of("f1").unlink()
    assert published_fit(publish(rated, ["alps"], now)) is None


def test_the_fit_found_current_last_is_published_whenever_it_was_made(rated, refit, now):
    """Inputs that return to an earlier state bring back the fit that was made from them."""
    refit(rated, "f2", minutes=1)
    with writing(rated) as con:
        con.execute("UPDATE fit SET current_at_utc = current_at_utc + INTERVAL 2 MINUTE WHERE fit_id = 'f1'")
    assert published_fit(publish(rated, ["alps"], now)) == "f1"


def test_two_publications_do_not_meet(rated, now):
    rated.editions.mkdir(parents=True)
    with FileLock(rated.editions / ".publish.lock", is_singleton=False), pytest.raises(LockedError, match="publishing"):
        publish(rated, ["alps"], now)
    assert publish(rated, ["alps"], now) == current(rated)


def test_loads_and_what_they_changed_or_kept_out_are_in_the_edition_without_this_machines_places(rated, now):
    with writing(rated) as con:
        con.execute("UPDATE load SET source = 'https://me:secret@example.org/a.csv?key=K7', games_changed = 1")
        con.execute("INSERT INTO load BY NAME SELECT * REPLACE ('l2' AS load_id, '/home/me/b.csv' AS source) FROM load")
        con.execute("INSERT INTO game_change VALUES ('alps', 'l1', 'g0', 'changed', '2026-02-01 A 1-0 B -> 2-0')")
        con.execute("INSERT INTO rejected_row VALUES ('l1', 'alps', 'csv', 'a.csv', 7, 'too few fields', 'x')")
        con.execute("INSERT INTO load BY NAME SELECT * REPLACE ('l3' AS load_id, 'other' AS league) FROM load LIMIT 1")
        for table in ("game_change", "rejected_row"):
            con.execute(f"INSERT INTO {table} BY NAME SELECT * REPLACE ('other' AS league) FROM {table}")
    path = publish(rated, ["alps"], now)
    assert read(path, "SELECT load_id, source, rows_read, games_new, games_changed FROM load ORDER BY load_id") == [
        ("l1", "https://example.org/a.csv?key=…", 3, 3, 1),
        ("l2", "b.csv", 3, 3, 1),
    ]
    assert read(path, "FROM game_change") == [("alps", "l1", "g0", "changed", "2026-02-01 A 1-0 B -> 2-0")]
    assert read(path, "FROM rejected_row") == [("l1", "alps", "csv", "a.csv", 7, "too few fields", "x")]


def test_what_commands_said_is_in_the_edition_without_this_machines_places(rated, now):
    history = History(rated.runs)
    history.start_run(Run("r1", "manual", ("alps",), now), pid=1)
    said = 'Error: "/home/me/x/a.csv" (/srv/b.csv) and https://me:secret@example.org/c/d.csv are lost: 1/2, n/a'
    history.start_step("r1", 1, "alps", "pull", now)
    history.end_step("r1", 1, now, StepEnd("failed", said, 1, said))
    history.end_run("r1", now, "failed", said)
    path = publish(rated, ["alps"], now)
    for found in (read(path, "SELECT message FROM run"), read(path, "SELECT message FROM step")):
        assert "https://example.org/c/d.csv" in found[0][0]
        assert found[0][0].endswith("1/2, n/a")
        assert not [place for place in ("/home", "/srv", "secret") if place in found[0][0]]


def test_what_others_forecast_is_in_the_edition_with_the_games_it_is_of(rated, now):
    with writing(rated) as con:
        con.execute("INSERT INTO league BY NAME SELECT * REPLACE ('peer' AS league) FROM league")
        con.execute(
            "INSERT INTO peer_forecast VALUES ('peer', 'p1', 'Peer', 'Alps Cup', '2026', DATE '2026-02-01', 0, 'A',"
            " 'B', 0.5, 0.3, 0.2, NULL, NULL, 'first', 'p.csv')"
        )
        con.execute(
            "INSERT INTO peer_outlook VALUES"
            " ('peer', 'o1', 'Peer', 'Alps Cup', '2026', DATE '2026-02-01', 'A', 'final', 0.4, NULL, 'p.csv')"
        )
    path = publish(rated, ["alps", "peer"], now)
    assert read(path, "SELECT first_name, first_probability FROM peer_forecast") == [("A", 0.5)]
    assert read(path, "SELECT name, stage, probability FROM peer_outlook") == [("A", "final", 0.4)]
    assert read(path, "FROM peer_forecast_game") == [("peer", "p1", "alps", "g0", 1, 2)]
    path = publish(rated, ["alps"], now + timedelta(hours=1))
    assert [read(path, f"SELECT count(*) FROM {name}") for name in ("peer_forecast", "peer_forecast_game")] == [
        [(0,)]
    ] * 2


STANZA = '[{}]\ntitle = "T"\nfeed = "csv"\nsource = "a.csv"\noutcome = "score"\nshare = {}\n'
COMING = {"forecast", "forecast_place", "leverage", "simulated_game"}  # their games are not played yet


def test_a_league_that_is_not_shared_has_ratings_and_no_games(two, tmp_path, now):
    """No table that has games, of today or added later, holds a row of that league."""
    home = Home(tmp_path / "home")
    shutil.copytree(two.home.root, home.root, symlinks=True)
    with writing(home) as con:
        con.execute(
            "INSERT INTO rejected_row BY NAME"
            " SELECT 'l' AS load_id, league, '' AS feed, 'a' AS file, 1 AS line, 'r' AS rule, 'KC' AS raw FROM league"
        )
        con.execute(
            "INSERT INTO game_change BY NAME"
            " SELECT 'l' AS load_id, league, 'g' AS game_id, 'gone' AS change, 'KC 12' AS description FROM league"
        )
    home.leagues_toml.write_text(STANZA.format("nfl", "true"))
    before = publish(home, ["demo_football", "nfl"], now + timedelta(days=1))
    assert is_up_to_date(home, ["demo_football", "nfl"])
    home.leagues_toml.write_text(STANZA.format("nfl", "false"))
    assert not is_up_to_date(home, ["demo_football", "nfl"])
    after = publish(home, ["demo_football", "nfl"], now + timedelta(days=2))
    of_games = "SELECT table_name FROM duckdb_columns() WHERE column_name = 'game_id' OR table_name LIKE 'peer_%'"
    tables = {name for (name,) in read(after, of_games)} - COMING | {"rejected_row"}
    counts = "SELECT count(*) FILTER (league = 'nfl'), count(*) FILTER (league = 'demo_football') FROM {}"
    found = {name: read(before, counts.format(name))[0] for name in tables}
    assert {name for name, (own, _) in found.items() if own} == {
        "competitor_game", "game", "game_change", "rejected_row", "track_record",
    }  # fmt: skip
    assert {name: read(after, counts.format(name))[0] for name in tables} == {
        name: (0, other) for name, (_, other) in found.items()
    }
    assert read(after, "SELECT league, is_shared FROM league ORDER BY ALL") == [("demo_football", True), ("nfl", False)]
    assert read(after, counts.format("leaderboard")) == [(4, 4)]
