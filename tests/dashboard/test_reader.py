"""Editions are opened read-only from our own copy, switched when the link moves, and never mixed."""

import re
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboard.queries import names, query
from dashboard.reader import Answer, Reader
from store.edition import current, publish, rollback
from store.errors import StoreError
from store.history import History, Run
from store.home import Home
from store.warehouse import writing

SOME_OF_EVERYTHING = """
INSERT INTO fit SELECT * REPLACE ('dated' AS fit_id, true AS is_dated, DATE '2023-12-01' AS as_of)
    FROM fit WHERE fit_id = 'nations-good';
INSERT INTO standing SELECT * REPLACE ('dated' AS fit_id) FROM standing WHERE fit_id = 'nations-good';
INSERT INTO rating SELECT * REPLACE ('dated' AS fit_id) FROM rating WHERE fit_id = 'nations-good';
INSERT INTO rating SELECT * REPLACE ('surface:Clay' AS component)
    FROM rating WHERE fit_id = 'nations-good' AND component = 'total';
INSERT INTO load VALUES
    ('l', 'nations', 'a', TIMESTAMP '2024-01-02', 'games.csv', 'h', NULL, TIMESTAMP '2024-01-02',
     'v', 9, 2, 1, 0, 0, 1);
INSERT INTO rejected_row VALUES ('l', 'nations', 'csv', 'games.csv', 12, 'no_score', 'a,b,');
INSERT INTO game_change VALUES ('nations', 'l', 'g0', 'changed', 'score 1–1, was 2–1');
INSERT INTO finding VALUES ('nations', 'played_self', 'stop', 'g0', 'A side met itself.', TIMESTAMP '2024-01-02');
INSERT INTO competitor VALUES ('nations', 'p:1', 'player', 'One', NULL), ('nations', 'p:2', 'player', 'Two', NULL);
INSERT INTO appearance VALUES ('nations', 'g0', 1, 'p:1', 1, NULL), ('nations', 'g0', 1, 'p:2', 1, NULL);
"""
HOSTILE = "' OR 1=1 --"


def test_every_query_runs_and_its_values_are_bound(compared_and_foretold: Home, made: Any) -> None:
    home = compared_and_foretold
    with writing(home) as con:
        con.execute(
            "INSERT INTO forecast_place BY NAME SELECT league, fit_id, 'race' AS game_id, made_at_utc, as_of, as_of + 1"
            " AS played_on, season, first AS entrant, first_name AS entrant_name, win, 1 AS top3, 1 AS top10, 1 AS"
            " expected_place, [win] AS place_chances FROM forecast"
        )
        con.execute(SOME_OF_EVERYTHING)
    history = History(home.runs)
    history.start_run(Run("r1", "manual", ("nations",), made.NOW), 1)
    history.start_step("r1", 1, "nations", "pull", made.NOW)
    publish(home, made.LEAGUES, made.NOW + timedelta(minutes=1))
    values: dict[str, Any] = {
        "league": "nations", "kind": "team", "fit_id": "nations-good", "comparison_id": "c0", "competitor": "t:1",
        "a": "t:1", "b": "t:2", "c": "", "d": "", "e": "", "f": "", "venue": "neutral", "k": 4, "since": "2023-12-01",
        "basis": "as_published", "competitors": "t:1", "run": "r1", "words": "NATIONS 2", "games": ["next"],
        "results": ["win"], "group": "side: North", "least": 1, "on": "2024-01-01",
    }  # fmt: skip
    numbers = {"k", "since", "least", "on"}  # are compared as numbers and days: text that is neither is refused by name
    with Reader(home).answer() as answer:
        values["player"] = answer.rows("missed", league="nations")[0]["player_id"]
        for name in names():
            known = values | ({"competitor": "p:1"} if name == "competitor_mates" else {})
            wanted = {key: value for key, value in known.items() if re.search(rf"\${key}\b", query(name))}
            assert answer.rows(name, **wanted), name
            hostile = {key: value if key in numbers else _hostile(value) for key, value in wanted.items()}
            assert not wanted or nothing_or_refused(answer, name, hostile), name


def _hostile(value: Any) -> Any:
    return [HOSTILE] if isinstance(value, list) else HOSTILE


def nothing_or_refused(answer: Answer, name: str, values: dict[str, Any]) -> bool:
    """True where nobody is found, or a macro says in words that there is no such league."""
    try:
        return answer.rows(name, **values) == []
    except duckdb.InvalidInputException as error:
        return "There is no league" in str(error) or "No rated competitor" in str(error)


def test_every_query_answers_for_one_league_only(home: Home) -> None:
    with Reader(home).answer() as answer:
        board = answer.rows("leaderboard", league="cup", kind="team", k=0, group="", least=0)
        assert len(board) == 20 and all(row["name"].startswith("Simulated cup") for row in board)
        assert {row["fit_id"] for row in answer.rows("fits", league="cup")} == {"cup-good"}
        assert answer.rows("fit_checks", league="cup", fit_id="nations-good") == []


def test_leagues_know_their_three_best_and_the_rejected_fit(home: Home) -> None:
    with Reader(home).answer() as answer:
        leagues = {row["league"]: row for row in answer.rows("leagues")}
    assert leagues["nations"]["best"][:2] == ["Nations 1", "Nations 2"] and len(leagues["nations"]["best"]) == 3
    assert leagues["nations"]["newest_verdict"] == "rejected" and leagues["nations"]["newest_reasons"]
    assert leagues["waiting"]["fit_id"] is None and leagues["waiting"]["kinds"] == []
    assert list(leagues)[-1] == "waiting"


def test_truth_is_a_contrast_to_the_ranked(home: Home) -> None:
    with Reader(home).answer() as answer:
        cup = answer.rows("leaderboard", league="cup", kind="team", k=0, group="", least=0)
        nations = answer.rows("leaderboard", league="nations", kind="team", k=0, group="", least=0)
    ranked = [row["truth"] for row in cup if row["status"] == "ranked"]
    assert sum(ranked) / len(ranked) == pytest.approx(0, abs=1e-9)
    assert all(row["truth"] is None for row in nations)


def test_nothing_published_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="published"), Reader(Home(tmp_path)).answer():
        pass


def test_the_copy_is_ours_and_the_edition_stays_free(own_home: Home) -> None:
    reader = Reader(own_home)
    with reader.answer() as answer:
        assert answer.edition_id == current(own_home).stem
    copies = list((own_home.editions / ".serving").glob("*.duckdb"))
    assert [copy.name for copy in copies] == [current(own_home).name]
    # Somebody who forgets -readonly opens the edition itself in another process; we must go on answering, afresh too.
    holding = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", holding, str(current(own_home))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        with Reader(own_home).answer() as answer:
            assert answer.rows("edition")
    finally:
        process.communicate()


def test_a_new_edition_is_seen_and_an_answer_under_way_keeps_its_own(own_home: Home, made: Any) -> None:
    reader = Reader(own_home)
    with reader.answer() as old:
        before = old.edition_id
        publish(own_home, ["cup"], made.NOW + timedelta(hours=1))
        with reader.answer() as new:
            assert new.edition_id != before
            assert [row["league"] for row in new.rows("leagues")] == ["cup"]
        assert len(old.rows("leagues")) == 3
        assert old.rows("edition")[0]["edition_id"] == before
    publish(own_home, ["cup"], made.NOW + timedelta(hours=2))
    with Reader(own_home).answer():
        copies = sorted(path.stem[-10:-4] for path in (own_home.editions / ".serving").glob("*.duckdb"))
    assert copies == ["060000", "070000"], "the new one, and the one before for who is still at it"


def test_a_rollback_is_seen_though_its_copy_was_pruned(own_home: Home, made: Any) -> None:
    reader = Reader(own_home)
    with reader.answer() as answer:
        first = answer.edition_id
    publish(own_home, ["cup"], made.NOW + timedelta(hours=1))
    with reader.answer() as answer:
        assert answer.edition_id != first
    rollback(own_home, first)
    with reader.answer() as answer:
        assert answer.edition_id == first and len(answer.rows("leagues")) == 3


def test_threads_never_see_two_editions_in_one_answer(own_home: Home, made: Any) -> None:
    reader, mixed, seen, stop = Reader(own_home), [], set(), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            with reader.answer() as answer:
                edition = answer.rows("edition")[0]["edition_id"]
                found = len(answer.rows("leagues"))
                seen.add(edition)
                if edition != answer.edition_id or found != (3 if edition == first else 1):
                    mixed.append((edition, answer.edition_id, found))

    first = current(own_home).stem
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for hours in range(1, 4):
        publish(own_home, ["cup"], made.NOW + timedelta(hours=hours))
    stop.set()
    for thread in threads:
        thread.join()
    with reader.answer() as answer:
        assert answer.edition_id == current(own_home).stem
    assert not mixed and seen


def test_a_broken_new_edition_leaves_the_old_one_up(own_home: Home) -> None:
    reader = Reader(own_home)
    with reader.answer() as answer:
        good = answer.edition_id
    broken = own_home.editions / "ratings-20990101-000000-000.duckdb"
    broken.write_bytes(b"not a database" * 1000)
    own_home.current.unlink()
    own_home.current.symlink_to(broken.name)
    with reader.answer() as answer:
        assert answer.edition_id == good and answer.rows("leagues")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE made_up (x INTEGER)",
        "DELETE FROM leaderboard",
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/pooltable_should_not_be.csv'",
        "ATTACH '/tmp/pooltable_should_not_be.duckdb'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ],
)
def test_the_connection_is_locked_down(home: Home, statement: str) -> None:
    with Reader(home).answer() as answer, pytest.raises(duckdb.Error):
        answer.con.execute(statement)
