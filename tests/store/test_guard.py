"""The guard: what strangers send neither reads, writes, leaks nor outlives its time, and the next is answered."""

import json
import os
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import guard as guarding
from store import guarded
from store.answer import FORMS, Question, less
from store.edition import current, publish
from store.errors import BusyError, QueryError, StoreError
from store.guard import CHECKOUT, EditionGoneError, Guard, unavailable
from store.guarded import in_words

pytestmark = pytest.mark.skipif(unavailable() is not None, reason="the guard is off here: " + str(unavailable()))

KINDS = tomllib.loads(Path(__file__).with_name("attacks.toml").read_text())
ATTACKS = [(kind, sql) for kind, told in KINDS.items() for sql in told["sql"]]
QUICK = [(kind, sql) for kind, sql in ATTACKS if not kind.startswith("time")]
WORDS = [
    "SELECT", "FROM", "leaderboard", "(", ")", "*", ",", "'", '"', "$a", "WHERE", "1", "=", "--", "/*", ";", "WITH",
    "AS", "x", "[", "{", "lambda", "::", "EXPLAIN", "PIVOT", "ON", "range(9)", "UNION", "ORDER BY", "\x00",
]  # fmt: skip
SECRET = "the-secret-in-the-file"
TOKEN = "the-token-in-the-environment"


@pytest.fixture(scope="module")
def guard():
    guard = Guard(most=2, waiting=8)
    yield guard
    guard.close()


@pytest.fixture
def alone():
    """A guard in which each question goes to the child that the last one went to, unless that was replaced."""
    guard = Guard(most=1)
    yield guard
    guard.close()


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    folder = tmp_path_factory.mktemp("there")
    (folder / "secret.csv").write_text(f"a\n{SECRET}\n")
    return folder


@pytest.fixture
def written(edition, there, monkeypatch):
    """written(sql): an attack with its places filled in."""
    monkeypatch.setenv("POOLTABLE_TOKEN", TOKEN)
    places = {
        "%there%": str(there),
        "%warehouse%": str(edition.parent.parent / "warehouse.duckdb"),
        "%open%": "(" * 20_000,
        "%close%": ")" * 20_000,
        "%long%": "x" * 90_000,
    }

    def fill(sql):
        for name, value in places.items():
            sql = sql.replace(name, value)
        return sql

    return fill


def said(guard, edition, sql, form="json"):
    """How an attack ended, and all that it got to read."""
    try:
        reply = guard.ask(edition, Question(sql, form=form, rows=5000, most_bytes=5_000_000), client=sql)
    except QueryError as error:
        is_stopped = "takes longer" in error.what or "more memory" in error.what or "larger than" in error.what
        return "stopped" if is_stopped else "refused", str(error)
    with reply.body:
        return "answered", reply.body.read().decode(errors="replace")


def lives(guard, edition):
    return said(guard, edition, "SELECT count(*) AS n FROM leaderboard") == ("answered", '[{"n": 3}]')


def traces(*folders):
    """Every file below the folders with its size and time, and the bytes of small ones."""
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=12))
def test_nothing_that_can_be_typed_breaks_it(guard, edition, words):
    ended, text = said(guard, edition, " ".join(words))
    assert ended in {"answered", "refused", "stopped"} and "broke DuckDB" not in text


def test_there_are_at_least_eighty_attacks_and_none_twice():
    assert len(set(ATTACKS)) == len(ATTACKS) >= 80


@pytest.mark.parametrize(("kind", "sql"), QUICK, ids=[f"{kind}: {sql[:40]!a}" for kind, sql in QUICK])
def test_an_attack_does_nothing(guard, edition, there, written, kind, sql):
    before = traces(edition.parent.parent, there)
    sent = written(sql)
    ended, text = said(guard, edition, sent)
    assert ended == KINDS[kind]["ends"], text
    hidden = [
        SECRET,
        TOKEN,
        str(edition.parent.parent),
        str(edition.parent),
        str(CHECKOUT),
        str(Path.home() / "x")[:-1],
    ]
    assert not [word for word in hidden if len(word) > 2 and word in text.replace(sent, "") and word not in sent]
    assert "Traceback" not in text
    assert traces(edition.parent.parent, there) == before
    assert lives(guard, edition)


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_answer_opens_a_way(guard, edition, there, form):
    for sql in (f"FROM read_text('{there}/secret.csv')", "SELECT 1; SELECT 2", "DELETE FROM game"):
        assert said(guard, edition, sql, form)[0] == "refused"
    ended, text = said(guard, edition, "SELECT path FROM duckdb_databases()", form)
    assert ended == "answered" and str(edition.parent) not in text


def stopped_at_once(guard, edition, attacks):
    """Lets two at a time run, and asserts that each is stopped and that the next question is answered."""
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda attack: (attack, said(guard, edition, attack)), attacks))
    assert [attack for attack, (ended, _) in ends if ended != "stopped"] == []
    assert lives(guard, edition)


def test_what_takes_too_long_is_stopped(guard, edition):
    stopped_at_once(guard, edition, KINDS["time"]["sql"])


@pytest.mark.parametrize(("form", "way"), [("csv", "_format=parquet"), ("json", "less"), ("parquet", "less")])
def test_what_takes_too_long_as_csv_is_told_of_parquet(form, way):
    told = in_words(QueryError("INTERRUPT Error: Interrupted!"), 3.0, less(form))
    assert "longer than 3 seconds" in told["what"] and way in told["hint"]


@pytest.mark.slow
def test_whatever_takes_too_long_is_stopped(edition):
    guard = Guard()
    stopped_at_once(guard, edition, KINDS["time_slow"]["sql"] + KINDS["time"]["sql"])
    guard.close()


def hidden(path):
    """A query that registers something for others to find, by a name that its text does not show."""
    called = f"ster_external_resource(''duckdb'', ''mine'', MAP {{''path'': {path}}})"
    return f"FROM query('FROM regi' || '{called}')"


def test_the_next_client_finds_nothing_of_the_one_before(alone, edition):
    for _ in range(3):  # in each of the children
        assert said(alone, edition, hidden("''what I look for''")) == ("answered", '[{"Success": true}]')
        assert said(alone, edition, "FROM duckdb_external_resources()") == ("answered", "[]")
    drawn = [said(alone, edition, f"SELECT {seeded}random() AS r") for seeded in ("setseed(0.5), ", "", "")]
    assert len({text for _, text in drawn}) == 3


def test_memory_comes_back_after_an_answer(alone, edition):
    kept = []
    for _ in range(3):
        assert said(alone, edition, hidden("repeat(''x'', 60000000)"))[0] == "answered"
        assert lives(alone, edition)
        kept.append(max(int(child.joinpath("statm").read_text().split()[0]) for child in children()))
    assert (kept[-1] - kept[0]) * os.sysconf("SC_PAGE_SIZE") < 60_000_000


@pytest.mark.parametrize(("most", "letters"), [(0, b"LFF"), (1 << 60, b"DEF")])
def test_a_child_whose_memory_stays_taken_says_that_it_is_the_last_time(monkeypatch, most, letters):
    sent = []
    for letter in b"DEF":
        monkeypatch.setattr(guarded, "answered", lambda *_, letter=letter: (bytes([letter]), {}))
        asked = {"edition": "", "seconds": 3.0, "sql": "SELECT 1"}
        guarded.reply(guarded.Editions(), asked, lambda letter, data: sent.append(letter), most)
    assert b"".join(sent) == letters


def test_a_child_in_which_duckdb_failed_is_replaced_and_nothing_of_it_is_told(alone, edition):
    told = {"exception_type": "INTERNAL", "exception_message": "an assertion", "stack_trace": "/a.so(f) [0x7f71]"}
    assert lives(alone, edition)
    before = {child.name for child in children()}
    with pytest.raises(QueryError) as caught:
        alone.ask(edition, Question(f"SELECT error('INTERNAL Error: {json.dumps(told)}')"))
    assert caught.value.what == "DuckDB met an error of its own with this query: an assertion."
    assert "another way" in caught.value.hint and len({child.name for child in children()} - before) == 1
    assert lives(alone, edition)


def test_an_answer_is_of_the_edition_that_was_asked(guard, home, rated, refit, now):
    first = publish(home, ["alps"], now)
    refit(home, "f2", minutes=5, best="fifa:C")
    second = publish(home, ["alps"], now.replace(hour=5))
    for edition, best in [(first, "A"), (second, "C")] * 4:
        assert said(guard, edition, "SELECT name FROM leaderboard WHERE rank = 1") == (
            "answered",
            f'[{{"name": "{best}"}}]',
        )
    assert current(home) == second
    assert sorted(path.name for path in home.editions.iterdir() if path.name.startswith(".part")) == []


def test_an_edition_that_is_gone_or_broken_is_said_without_its_place(guard, edition, tmp_path):
    with pytest.raises(EditionGoneError):
        guard.ask(tmp_path / "ratings-gone.duckdb", Question("SELECT 1"))
    broken = tmp_path / "ratings-broken.duckdb"
    broken.write_text("no database")
    with pytest.raises(StoreError, match="the edition") as caught:
        guard.ask(broken, Question("SELECT 1"))
    assert str(tmp_path) not in str(caught.value) and "/proc" not in str(caught.value)
    with pytest.raises(QueryError, match="the edition"):
        guard.ask(edition, Question("SELECT error((SELECT max(path) FROM duckdb_databases()))"))
    assert lives(guard, edition)


def test_a_child_that_died_is_replaced(guard, edition):
    assert lives(guard, edition)
    for child in children():
        os.kill(int(child.name), 9)
    assert lives(guard, edition)


def children():
    """The folders under /proc of this process's guarded children."""
    return [path for path in Path("/proc").iterdir() if path.name.isdigit() and is_child(path)]


def is_child(path):
    try:
        parent = path.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1]
        return parent == str(os.getpid()) and b"store.guarded" in path.joinpath("cmdline").read_bytes()
    except OSError:
        return False


def test_children_have_the_limits_and_nothing_of_ours(edition):
    others, fresh = set(children()), Guard()
    assert lives(fresh, edition)
    found = set(children()) - others
    assert found
    for child in found:
        limits = {
            line[:25].strip(): line[26:].split()[:2] for line in child.joinpath("limits").read_text().splitlines()
        }
        assert limits["Max address space"] == [str(2 << 30)] * 2
        assert limits["Max file size"] == limits["Max core file size"] == ["0", "0"]
        pages = int(child.joinpath("statm").read_text().split()[0])
        assert pages * os.sysconf("SC_PAGE_SIZE") < 1.3 * (1 << 30), "libraries leave a query too little of its 2 GiB"
        environment = child.joinpath("environ").read_bytes()
        assert b"POOLTABLE" not in environment and b"HOME=" not in environment
        assert len(list(child.joinpath("fd").iterdir())) <= 12
    fresh.close()


def test_an_honest_query_has_room(guard, edition):
    sql = "SELECT count(DISTINCT h) AS n FROM (SELECT hash(range) AS h FROM range(1000000) ORDER BY h)"
    assert said(guard, edition, sql) == ("answered", '[{"n": 1000000}]')


def test_too_many_of_one_client_are_told_to_come_back_and_others_are_answered(edition):
    guard = Guard(most=2, waiting=0)
    assert lives(guard, edition)
    begun, busy = threading.Barrier(3), []

    def bomb():
        begun.wait()
        try:
            assert said(guard, edition, KINDS["time"]["sql"][0])[0] == "stopped"
        except BusyError as error:
            busy.append(error)

    with ThreadPoolExecutor(2) as pool:
        bombs = [pool.submit(bomb) for _ in range(2)]
        begun.wait()
        assert lives(guard, edition)
        for done in bombs:
            done.result()
    assert len(busy) == 1 and "of yours" in busy[0].message
    guard.close()


def test_elsewhere_than_on_linux_the_guard_is_off_and_says_why(monkeypatch, guard, edition):
    monkeypatch.setattr(guarding.sys, "platform", "darwin")
    with pytest.raises(StoreError, match="only answered on Linux"):
        guard.ask(edition, Question("SELECT 1"))


def test_a_query_that_is_too_long_is_not_even_sent(guard, edition):
    with pytest.raises(QueryError, match="longer than"):
        guard.ask(edition, Question("SELECT '" + "x" * 100_000 + "'"))


def test_errors_come_through_with_their_place(guard, edition):
    with pytest.raises(QueryError) as caught:
        guard.ask(edition, Question("SELECT name,\n  nme FROM leaderboard"))
    place = caught.value.place
    assert place is not None and (place.line, place.column) == (2, 3)
    reply = guard.ask(edition, Question("SELECT name FROM leaderboard WHERE rank = $n", {"n": "2"}, rows=1))
    with reply.body:
        assert json.loads(reply.body.read()) == [{"name": "B"}]
    assert (reply.told.columns, reply.told.rows, reply.told.has_more) == (["name"], 1, False)


def test_a_prepared_edition_is_open_before_the_first_question_on_it(edition, tmp_path):
    """Even where its file is gone meanwhile; and whoever still asks about the one before gets that."""
    guard = Guard(most=1)
    new = tmp_path / "new.duckdb"
    new.write_bytes(edition.read_bytes())
    try:
        guard.prepare(new)  # nothing has started yet: nothing to do
        guard.ask(edition, Question("FROM edition")).body.close()
        guard.prepare(new)
        new.unlink()
        for path in (edition, new, edition, new):
            guard.ask(path, Question("FROM edition")).body.close()
        guard.prepare(tmp_path / "never.duckdb")
        assert guard.ask(edition, Question("SELECT 1")).told.rows == 1
    finally:
        guard.close()
