"""The chain: what follows what, what stops what, and what is written down, with stand-ins for the commands."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from ingest.snapshots import note_standing_in
from jobs.locks import alone
from jobs.night import CHAIN, LOCK_WAIT_SECONDS, PUBLISH, PULLS, UNAUDITED, Step, pooltable, run_night
from jobs.status import COLUMNS, row, status
from jobs.sweep import DID_NOT_END, close_unended
from store.edition import publish
from store.errors import LockedError, StoreError
from store.history import History, Run

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


def steps_of(home):
    """(command, league, state) of every step, in order."""
    return [(row["command"], row["league"], row["state"]) for row in reversed(History(home.runs).rows("step"))]


def test_the_night_is_five_commands_each_with_a_time_limit():
    words = [("pull",), ("check",), ("fit", "--due", "--audit"), ("forecast", "--due"), ("publish", "--due")]
    assert [step.words for step in (*CHAIN, PUBLISH)] == words
    assert [step.words for step in UNAUDITED] == [("pull",), ("check",), ("fit", "--due"), ("forecast", "--due")]
    assert [step.words for step in PULLS] == [("pull",), ("check",)]
    assert all(2 * LOCK_WAIT_SECONDS < step.timeout_seconds < 24 * 3600 for step in (*CHAIN, *UNAUDITED, PUBLISH)), (
        "one that waits for the warehouse in vain says who holds it, and may be tried again"
    )


def test_a_step_is_the_command_a_person_would_type(home):
    argv = pooltable(home, ("fit", "--due", "alps"))
    assert argv[0] == sys.executable
    assert argv[-5:] == ["--home", str(home.root), "fit", "--due", "alps"]


def test_a_good_night(make_night, home):
    night = make_night({})
    outcomes = run_night(night)
    assert [(o.league, o.is_done, o.message) for o in outcomes] == [
        ("alps", True, "fit alps: well done"),
        ("andes", True, "fit andes: well done"),
        (None, True, "publish: well done"),
    ]
    assert steps_of(home) == [
        ("pull", "alps", "done"), ("check", "alps", "done"), ("fit --due", "alps", "done"),
        ("pull", "andes", "done"), ("check", "andes", "done"), ("fit --due", "andes", "done"),
        ("publish", None, "done"),
    ]  # fmt: skip
    (run,) = History(home.runs).rows("run")
    assert (run["state"], run["message"]) == ("done", "done")
    assert [state for _, state in night.listener.ended] == ["done"] * 7
    logs = sorted(path.name for path in (home.logs / night.run.run_id).iterdir())
    assert logs[0] == "01-alps-pull.log"
    assert logs[-1] == "07-all-publish.log"


def test_a_failed_check_skips_the_fit_of_that_league_only(make_night, home):
    outcomes = run_night(make_night({"check alps": "fail"}))
    assert [o.is_done for o in outcomes] == [False, True, True]
    assert outcomes[0].message == "check: it went wrong. Do something about it."
    assert steps_of(home)[2] == ("fit --due", "alps", "skipped")
    assert ("fit --due", "andes", "done") in steps_of(home)
    assert steps_of(home)[-1] == ("publish", None, "done")
    assert History(home.runs).rows("run")[0]["message"] == "failed: alps (check: it went wrong. Do something about it.)"


def test_a_failed_fit_fails_its_league_and_the_rest_goes_on_to_be_published(make_night, home):
    outcomes = run_night(make_night({"fit alps": "fail", "publish": "silent"}))
    assert [o.is_done for o in outcomes] == [False, True, False]
    why = "fit: it went wrong. Do something about it."
    assert History(home.runs).rows("run")[0]["message"] == f"failed: alps ({why}), publish"
    (fit,) = [
        row for row in History(home.runs).rows("step") if (row["command"], row["league"]) == ("fit --due", "alps")
    ]
    assert (fit["state"], fit["exit_code"]) == ("failed", 1)
    assert "it went wrong" in str(fit["log"])


def test_a_failed_first_download_skips_the_league(make_night, home):
    outcomes = run_night(make_night({"pull alps": "fail"}))
    assert [o.is_done for o in outcomes] == [False, True, True]
    assert [state for _, league, state in steps_of(home) if league == "alps"] == ["failed", "skipped", "skipped"]


def test_a_failed_download_goes_on_with_what_was_loaded_before(make_night, home):
    run_night(make_night({}))
    outcomes = run_night(make_night({"pull alps": "fail"}))
    assert not outcomes[0].is_done
    assert [state for _, league, state in steps_of(home)[7:] if league == "alps"] == ["failed", "done", "done"]


def test_a_league_whose_stanza_is_wrong_says_so_once_and_the_others_go_on(make_night, home):
    run_night(make_night({}))
    outcomes = run_night(make_night({"pull alps": "wrong"}))
    assert outcomes[0].message == 'pull: leagues.toml, league alps: unknown setting "refitt".'
    assert [state for _, league, state in steps_of(home)[7:] if league == "alps"] == ["failed", "skipped", "skipped"]
    assert [outcome.is_done for outcome in outcomes[1:]] == [True, True]


def test_nothing_loaded_means_nothing_published(make_night, home):
    outcomes = run_night(make_night({"pull alps": "fail", "pull andes": "fail"}))
    assert steps_of(home)[-1] == ("publish", None, "skipped")
    assert [o.is_done for o in outcomes] == [False, False, True]


def test_a_failed_publication_fails_the_night(make_night, home):
    outcomes = run_night(make_night({"publish": "silent"}))
    assert (outcomes[-1].is_done, outcomes[-1].message) == (False, "ended with exit code 1 and said nothing")
    assert History(home.runs).rows("run")[0]["state"] == "failed"


def test_a_child_that_dies_without_a_word_is_a_failure_with_its_signal(make_night, home):
    outcomes = run_night(make_night({"fit alps": "die"}))
    assert outcomes[0].message == "fit: was ended by SIGKILL"
    assert outcomes[1].is_done


def test_leagues_go_side_by_side(make_night):
    """Each fit waits until the other is at work: one after the other they would never end."""
    night = make_night({"fit alps": "meet fit andes", "fit andes": "meet fit alps"}, jobs=2)
    assert all(outcome.is_done for outcome in run_night(night))
    assert {"fit --due alps", "fit --due andes"} in [set(titles) for titles in night.listener.at_once]
    assert night.listener.ended[-1] == ("publish", "done")


def test_no_more_leagues_are_at_work_than_may_be(make_night):
    assert [make_night({}, jobs=jobs).at_once for jobs in (1, 2, 8)] == [1, 2, 2]
    night = make_night({}, leagues=("alps", "andes", "atlas"), jobs=2, chain=(Step(("check",), 60),))
    run_night(night)
    assert max(map(len, night.listener.at_once)) == 2


def test_what_may_pass_is_tried_again_and_told_once(make_night, home):
    outcomes = run_night(make_night({"fit alps": "busy 2"}))
    assert [o.is_done for o in outcomes] == [True, True, True]
    (fit,) = [
        row for row in History(home.runs).rows("step") if row["command"] == "fit --due" and row["league"] == "alps"
    ]
    assert (fit["state"], fit["attempts"], fit["exit_code"]) == ("done", 3, 0)


def test_what_may_pass_and_does_not_is_given_up_after_three_times(make_night, home):
    outcomes = run_night(make_night({"fit alps": "busy 9"}))
    assert [o.is_done for o in outcomes] == [False, True, True]
    assert "held by process 1" in outcomes[0].message
    assert len(list(home.logs.glob("*/*-alps-fit*.log"))) == 3


@pytest.mark.parametrize("plan", ["fail", "die", "silent"])
def test_what_will_not_pass_is_not_tried_again(make_night, home, plan):
    run_night(make_night({"fit alps": plan}, leagues=("alps",)))
    assert [row["attempts"] for row in History(home.runs).rows("step")] == [1] * 4


PEAKS = """
import sys
from pathlib import Path
from jobs.supervise import supervise
for size in (0, 600):
    print(supervise([sys.executable, "-c", f"b'x' * ({size} << 20)"], Path("log"), 60).peak_bytes)
"""


def test_the_peak_memory_of_a_step_is_measured(tmp_path):
    """By a small parent: a child that takes little is told as large as its parent was when it was started."""
    told = subprocess.run(
        [sys.executable, "-c", PEAKS], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    small, large = map(int, told.split())
    assert large - small > 200 << 20
    assert large < 900 << 20


def is_running(pid):
    """True where the process runs; one that has ended but was not yet waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(true, what):
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def test_a_late_step_is_ended_with_everything_it_started(make_night, home):
    chain = (Step(("pull",), 60), Step(("fit", "--due"), 3))
    night = make_night({"fit alps": "sleep"}, leagues=("alps",), chain=chain)
    outcomes = run_night(night)
    assert outcomes[0].message == "fit: took longer than 3 s and was stopped"
    for pid in (home.root / "pids").read_text().split():
        wait_until(lambda pid=pid: not is_running(pid), "the late step's processes are gone")


NIGHT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from jobs.console import StepLines
from jobs.doors_nights import _stop
from jobs.night import Night, Step, new_run, run_night
from store.home import Home
import signal
signal.signal(signal.SIGTERM, _stop)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born deaf to it
home = Home(Path(sys.argv[1]))
clock = lambda: datetime.now(UTC)
run_night(Night(home, new_run("manual", ["alps"], clock()), clock, StepLines(), chain=(Step(("fit",), 60),),
                argv=lambda home, words: [sys.executable, sys.argv[2], str(home.root), sys.argv[3], *words]))
"""


@pytest.fixture
def sleeping_night(home):
    """A night in a process of its own that is in the middle of a long step; with the step's processes."""
    (home.root / "plan.json").write_text('{"fit alps": "sleep"}')
    fake = os.path.join(os.path.dirname(__file__), "fake_pooltable.py")  # noqa: PTH118, PTH120
    night = subprocess.Popen([sys.executable, "-c", NIGHT, str(home.root), fake, str(home.root / "plan.json")])
    wait_until((home.root / "pids").exists, "the step begins")
    yield night, (home.root / "pids").read_text().split()
    night.kill()
    night.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_night_stops_its_step_and_says_so(sleeping_night, home, number):
    night, pids = sleeping_night
    night.send_signal(number)
    night.wait(60)
    for pid in pids:
        wait_until(lambda pid=pid: not is_running(pid), "the step is gone")
    assert steps_of(home) == [("fit", "alps", "failed")]
    assert History(home.runs).rows("step")[0]["message"] == "stopped by hand"
    assert History(home.runs).rows("run")[0]["state"] == "failed"


def test_a_killed_night_leaves_no_process_and_the_next_one_closes_its_books(sleeping_night, home, make_night):
    night, pids = sleeping_night
    night.kill()
    night.wait()
    for pid in pids:
        wait_until(lambda pid=pid: not is_running(pid), "the step follows its parent")
    assert steps_of(home) == [("fit", "alps", "running")]
    run_night(make_night({}, leagues=("andes",)))
    rows = History(home.runs).rows("run")
    assert sorted(str(row["state"]) for row in rows) == ["done", "failed"]
    assert DID_NOT_END in [row["message"] for row in rows]
    assert ("fit", "alps", "failed") in steps_of(home)


def test_a_second_night_is_refused_and_told_who_runs(sleeping_night, make_night, home):
    night, _ = sleeping_night
    with pytest.raises(LockedError, match=f"process {night.pid}"):
        run_night(make_night({}))
    assert len(History(home.runs).rows("run")) == 1


def test_the_lock_is_let_go_of_at_the_end(home):
    with alone(home, "night"):
        pass
    with alone(home, "night"):
        pass


def test_closing_the_books_touches_only_what_did_not_end(home):
    history = History(home.runs)
    history.start_run(Run("done", "manual", ("alps",), NOW), 1)
    history.end_run("done", NOW, "done", "done")
    history.start_run(Run("dead", "manual", ("alps",), NOW), 1)
    history.start_step("dead", 3, "alps", "fit --due", NOW)
    (home.logs / "dead").mkdir(parents=True)
    (home.logs / "dead" / "03-alps-fit.log").write_text("sampling\n")
    close_unended(home, NOW + timedelta(hours=1))
    assert {str(row["run_id"]): row["state"] for row in history.rows("run")} == {"done": "done", "dead": "failed"}
    (step,) = history.rows("step")
    assert (step["state"], step["message"], step["log"]) == ("failed", DID_NOT_END, "sampling\n")


def test_a_night_that_fell_back_on_an_earlier_file_says_so(make_night, home):
    note_standing_in(home.raw / "alps", ["/data/alps.csv"], NOW)
    outcomes = run_night(make_night({}))
    fell_back = "with an earlier file in place of a source: pull alps: well done; fit alps: well done"
    assert [outcome.message for outcome in outcomes[:2]] == [fell_back, "fit andes: well done"]


def test_a_warehouse_that_cannot_be_read_is_not_taken_for_an_empty_one(make_night, home):
    """Nothing was loaded, or nobody can tell: what is to publish says which."""
    night = make_night({"pull alps": "fail", "publish": "fail"}, leagues=("alps",))
    with closing(duckdb.connect(home.warehouse)) as con:
        con.execute("INSERT INTO migration (name, applied_at_utc) VALUES ('999_of_a_newer_one', now())")
    assert [outcome.is_done for outcome in run_night(night)] == [False, False]
    assert steps_of(home)[-1] == ("publish", None, "failed")
    with pytest.raises(StoreError, match="999_of_a_newer_one"):
        publish(home, ["alps"], NOW)
    (alps, _), (note,) = status(home, NOW).leagues, [n for n in status(home, NOW).notes if "999_of_a_newer_one" in n]
    assert note.startswith("What was loaded and fitted cannot be seen now")
    assert (
        dict(zip(COLUMNS, row(alps, NOW), strict=True)).items() >= {"loaded": "?", "fresh": "?", "fitted": "?"}.items()
    )
