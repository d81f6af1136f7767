"""From a leaderboard to the bytes it came from; and no new edition where nothing changed."""

import json
from datetime import timedelta

import duckdb
import pytest

from store.contents import contents_hash
from store.edition import current, editions, is_up_to_date, publish, rollback, unpin
from store.history import History, Run, StepEnd
from store.warehouse import reading, writing

LINEAGE = "SELECT fit_id, slice, sha256, etag, run_id FROM lineage('alps')"
LOAD = "INSERT INTO load VALUES (?, ?, ?, ?, 'a.csv', ?, ?, ?, 'x', 3, 3, 0, 0, 0, 0)"


def read(path, sql):
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


def load(home, load_id, at, sha256, league="alps", file="a.csv", etag=None):
    with writing(home) as con:
        con.execute(LOAD, [load_id, league, file, at, sha256, etag, at])


def test_a_leaderboard_leads_to_the_bytes_that_were_loaded_when_it_was_fitted(rated, refit, now):
    """Also where newer bytes were loaded since and their fit was rejected, where a file is gone, with two leagues."""
    load(rated, "l2", now + timedelta(minutes=1), "bb", etag='"e2"')
    load(rated, "l3", now + timedelta(minutes=1), "cc", file="b.csv")
    load(rated, "l4", now + timedelta(minutes=2), "", file="b.csv")
    load(rated, "m1", now, "ff", league="andes")
    refit(rated, "f2", minutes=5)
    load(rated, "l5", now + timedelta(minutes=6), "dd")
    refit(rated, "f3", verdict="rejected", minutes=10)
    history, at = History(rated.runs), now + timedelta(minutes=5)
    for run, league, began in (("r1", "alps", now), ("r2", "alps", at), ("r3", "andes", at)):
        history.start_run(Run(run, "schedule", (league,), began), 1)
        history.start_step(run, 1, league, "fit --due", began)
        history.end_step(run, 1, began + timedelta(minutes=1), StepEnd("done", ""))
    path = publish(rated, ["alps"], now + timedelta(minutes=11))
    assert read(path, LINEAGE) == [("f2", "a.csv", "bb", '"e2"', "r2")]
    assert read(path, "SELECT DISTINCT fit_id FROM leaderboard WHERE league = 'alps'") == [("f2",)]
    assert read(path, "SELECT edition_id, verdict, games_fingerprint, seed, code_hash FROM lineage('alps')") == [
        (path.stem, "accepted", "f", 1, "c")
    ]
    with pytest.raises(duckdb.Error, match='There is no league "andes" with ratings here'):
        read(path, "FROM lineage('andes')")


def test_lineage_has_the_stanza_and_nothing_of_this_machine(rated, now):
    stanza = '{"title":"Alps","source":["/home/me/a b/c.csv"],"refit":"04:00","cups":["/srv/my cups/c.csv","d.csv"]}'
    touch(rated, "UPDATE league SET stanza = ? WHERE league = 'alps'", stanza)
    (said,) = {row[0] for row in read(publish(rated, ["alps"], now), "SELECT stanza FROM lineage('alps')")}
    assert json.loads(said) == {"title": "Alps", "refit": "04:00", "cups": ["c.csv", "d.csv"]}


def test_a_league_whose_loads_are_unknown_still_has_its_fit(rated, now):
    with writing(rated) as con:
        con.execute("DELETE FROM load")
    assert read(publish(rated, ["alps"], now), LINEAGE) == [("f1", None, None, None, None)]


def touch(home, statement, *values):
    with writing(home) as con:
        con.execute(statement, list(values))


def test_any_change_is_a_reason_to_publish(rated, refit, now):
    def contents():
        with reading(rated) as con:
            return contents_hash(con, "warehouse", ["alps"], [], sorted(path.stem for path in rated.draws.iterdir()))

    found = [contents()]
    for change in (
        lambda: refit(rated, "f2", minutes=5, best="fifa:B"),
        lambda: refit(rated, "f3", minutes=6, verdict="rejected"),
        lambda: load(rated, "l2", now, "bb"),
        lambda: touch(rated, "UPDATE side SET score = 9 WHERE game_id = 'g0' AND side = 1"),
        lambda: touch(rated, "UPDATE competitor SET name = 'New' WHERE competitor_id = 'fifa:A'"),
        lambda: touch(rated, "INSERT INTO finding VALUES ('alps', 'c', 'warn', 's', 'm', ?)", now),
        lambda: touch(rated, "UPDATE fit SET current_at_utc = ? WHERE fit_id = 'f1'", now + timedelta(days=1)),
        lambda: rated.draws_of("f1").unlink(),
    ):
        change()
        found.append(contents())
    assert len(set(found)) == 9


def test_what_was_only_looked_at_again_is_no_change(rated, now):
    touch(rated, "INSERT INTO finding VALUES ('alps', 'c', 'warn', 's', 'm', ?)", now)
    publish(rated, ["alps"], now)
    later = now + timedelta(days=1)
    touch(rated, "UPDATE finding SET found_at_utc = ?", later)
    touch(rated, "UPDATE fit SET current_at_utc = ?", later)
    assert is_up_to_date(rated, ["alps"])
    assert not is_up_to_date(rated, [])


def test_readers_that_see_nothing_or_something_else_are_given_an_edition(rated, now):
    assert not is_up_to_date(rated, ["alps"])
    first = publish(rated, ["alps"], now)
    publish(rated, ["alps"], now)
    rollback(rated, None)
    assert is_up_to_date(rated, ["alps"]), "pinned: a new one would be shown to nobody"
    unpin(rated)
    assert current(rated) == editions(rated)[-1]
    rated.current.unlink()
    rated.current.symlink_to(first.name)
    assert not is_up_to_date(rated, ["alps"])
    rated.current.unlink()
    assert not is_up_to_date(rated, ["alps"])
