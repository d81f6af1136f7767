"""How commands end: with an exit code, and a message for people instead of a traceback."""

import signal
import types
from datetime import date

import pytest

from store.errors import ClusterError, FeedError, LockedError, UnreachableError, UsageError


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["fit", "alps", "--as-of", "yesterday"], ["fit", "--engine", "magic"], ["sql"], ["sql", "a", "b"],
     ["sql", "SELECT 1", "--schema"], ["sql", "SELECT 1", "-p", "x"], ["pull", "atlas"], ["add", "atlas"],
     ["remove", "atlas"], ["rollback", "ratings-never"], ["fit", "alps", "--override", " "],
     ["runs", "r1"], ["runs", "r1", "--follow"],
     ["runs", "--since", "yesterday"], ["runs", "--limit", "0"],
     ["nightly", "atlas"], ["add", "nfl", "--feed", "nonsense"], ["add", "mine", "--from-csv", "no/such.csv"],
     ["backtest", "alps", "--from", "2022-13-01", "--to", "2023-01-01"], ["fit", "alps", "--as-of", "2022-13-01"],
     ["sql", "SELECT 1", "--edition", "ratings-never"], ["restore", "no-such-file"],
     ["backfill", "alps", "--from", "2020-01-01", "--to", "2021-01-01", "--every", "fortnight"]],
)  # fmt: skip
def test_wrong_use_ends_with_2(run, room, words):
    room("ingest.pull", pull=None)
    room("modeling.fit", prepare_fit=None)
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output


def test_a_day_that_is_none_is_told_without_the_words_of_a_parser(run):
    said = " ".join(run("fit", "alps", "--as-of", "2022-13-01").output.split())
    assert "2022-13-01 is no day." in said and "%" not in said


def test_an_error_is_a_message_and_a_hint_on_standard_error(run, room):
    def pull(*_args, **_more):
        raise FeedError("alps: a.csv is not there.", "Look for it.")

    room("ingest.pull", pull=pull)
    result = run("pull", "alps")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Error: alps: a.csv is not there.\nLook for it.\n" in result.stderr


def test_one_league_that_fails_does_not_stop_the_next(run, room):
    def pull(_home, league, _stanza, _now, *, accept):
        if league == "alps":
            raise FeedError("alps: broken")
        return types.SimpleNamespace(summary=f"{league}: loaded, accept={accept}", rows_read=1)

    room("ingest.pull", pull=pull)
    result = run("pull", "--accept")
    assert result.exit_code == 1
    assert result.stdout == "andes: loaded, accept=True\n"


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ({"alps": LockedError("held"), "andes": UnreachableError("busy")}, 75),
        ({"alps": LockedError("held")}, 75),
        ({"alps": LockedError("held"), "andes": FeedError("broken")}, 1),
        ({"alps": FeedError("broken"), "andes": UsageError("wrong")}, 2),
    ],
)
def test_what_may_pass_ends_with_75_and_only_where_all_of_it_may(run, room, errors, code):
    def pull(_home, league, _stanza, _now, *, accept):
        if league in errors:
            raise errors[league]
        return types.SimpleNamespace(summary=f"{league}: loaded", rows_read=1)

    room("ingest.pull", pull=pull)
    assert run("pull").exit_code == code


@pytest.mark.parametrize("words", ["fit alps", "backfill alps --from 2020-01-01 --to 2021-01-01 --every season"])
def test_a_cluster_that_is_not_there_may_come_back(run, room, home, monkeypatch, words):
    def nobody(address):
        raise ClusterError(f"No Dask scheduler answers at {address}")

    monkeypatch.setattr("jobs.pool._cluster", nobody)
    monkeypatch.setenv("POOLTABLE_CLUSTER__ADDRESS", "tcp://127.0.0.1:9")
    room("modeling.fit", prepare_fit=lambda *_a, **_k: None, Fitted=type("Fitted", (), {}))
    room("modeling.backfill", as_of_dates=lambda *_a, **_k: [date(2020, 6, 1)])
    result = run(*words.split())
    assert result.exit_code == 75, result.output
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in result.stderr


def test_the_unforeseen_is_one_line_with_the_place_of_its_traceback(run, room, home):
    def pull(*_args, **_more):
        raise ZeroDivisionError("oh\nno")

    room("ingest.pull", pull=pull)
    result = run("pull", "alps")
    assert result.exit_code == 1
    (line,) = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    (crash,) = home.logs.glob("crash-*.log")
    assert line == f"Error: Pooltable did not foresee this: ZeroDivisionError: oh. Details are in {crash}"
    assert "Traceback" in crash.read_text()


def test_ctrl_c_ends_quietly_with_130(run, room):
    def pull(*_args, **_more):
        signal.raise_signal(signal.SIGINT)

    # A shell that starts the tests in the background lets them ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    room("ingest.pull", pull=pull)
    try:
        result = run("pull", "alps")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.exit_code, result.output) == (130, "")
