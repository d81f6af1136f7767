"""What stands wrong, found from the run history."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.snapshots import note_standing_in
from jobs.alerts import Channels, Watchman, look
from jobs.incidents import sentence
from jobs.night import BROKE_OFF, STOPPED, refused
from jobs.sweep import DID_NOT_END, close_unended
from store.history import History, Run, StepEnd

NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def stands(home, at):
    look(home, at, Channels())
    return [sentence(one) for one in History(home.runs).incidents(open_only=True) if one.kind == "failed"]


def begin(home, at, *leagues, kind="schedule"):
    run = Run(f"{kind}-{at:%d-%H}-{'-'.join(leagues)}", kind, leagues, at)
    History(home.runs).start_run(run, 1)
    return run


def end(home, run, state="done", message="done"):
    History(home.runs).end_run(run.run_id, run.started_at, state, message)


def test_a_night_that_was_killed_between_its_steps_stands_wrong_until_its_leagues_had_another(home):
    """No step of it can tell; and neither a pull nor the night of another league mends it."""
    begin(home, NOW, "alps", "andes")
    close_unended(home, NOW)
    assert stands(home, NOW) == [f"the night failed: {DID_NOT_END}"]
    end(home, begin(home, NOW + HOUR, "alps", "andes", kind="pull"))
    end(home, begin(home, NOW + HOUR, "alps"))
    assert stands(home, NOW + HOUR) == [f"the night failed: {DID_NOT_END}"]
    end(home, begin(home, NOW + 2 * HOUR, "andes"))
    assert stands(home, NOW + 2 * HOUR) == []


def test_a_night_that_was_killed_in_a_step_is_told_by_that_step_alone(home):
    run = begin(home, NOW, "alps", "andes")
    History(home.runs).start_step(run.run_id, 1, "alps", "pull", NOW)
    close_unended(home, NOW)
    assert stands(home, NOW) == [f"alps: the night failed: pull: {DID_NOT_END}"]


def test_a_night_that_was_killed_after_one_that_could_not_publish_is_told_beside_it(home):
    run, history = begin(home, NOW, "alps", "andes"), History(home.runs)
    history.start_step(run.run_id, 1, None, "publish --due", NOW)
    history.end_step(run.run_id, 1, NOW, StepEnd("failed", "the warehouse is held"))
    end(home, run, "failed", "failed: publish")
    assert stands(home, NOW) == ["the night failed: publish --due: the warehouse is held"]
    begin(home, NOW + HOUR, "alps", "andes")
    close_unended(home, NOW + HOUR)
    assert stands(home, NOW + HOUR) == [f"the night failed: publish --due: the warehouse is held; {DID_NOT_END}"]


def test_a_night_that_never_began_stands_wrong(home):
    refused(home, "schedule", f"{BROKE_OFF}pooltable.toml is wrong", NOW, ("alps",))
    assert stands(home, NOW) == ["the night failed: broke off: pooltable.toml is wrong"]
    run = begin(home, NOW + HOUR, "alps", "andes")
    History(home.runs).start_step(run.run_id, 1, "alps", "pull", NOW)
    History(home.runs).end_step(run.run_id, 1, NOW, StepEnd("done", "2 games"))
    end(home, run)
    assert stands(home, NOW + HOUR) == []


def stop(home, at, earlier=""):
    """A night that was stopped in the forecast of alps, as a restart of the scheduler does."""
    history, run = History(home.runs), begin(home, at, "alps", "andes")
    steps = [("pull", earlier), ("forecast --due", STOPPED), ("publish --due", f"skipped: forecast: {STOPPED}")]
    for number, (command, message) in enumerate(steps, start=1):
        state = "done" if not message else "skipped" if "skipped" in message else "failed"
        history.start_step(run.run_id, number, "alps", command, at)
        history.end_step(run.run_id, number, at, StepEnd(state, message))
    end(home, run, "failed", STOPPED)


def test_a_night_that_was_stopped_by_hand_is_no_incident_and_ends_none(home):
    stop(home, NOW)
    end(home, begin(home, NOW + HOUR, "andes"), "failed", STOPPED)  # between two steps
    assert stands(home, NOW + HOUR) == []
    run = begin(home, NOW + 2 * HOUR, "alps")
    History(home.runs).start_step(run.run_id, 1, "alps", "forecast --due", NOW)
    History(home.runs).end_step(run.run_id, 1, NOW, StepEnd("failed", "no memory"))
    end(home, run, "failed", "failed: alps (forecast: no memory)")
    stop(home, NOW + 3 * HOUR, earlier="no network")
    wrong = {"forecast --due: no memory", "pull: no network"}
    (told,) = stands(home, NOW + 3 * HOUR)
    assert set(told.removeprefix("alps: the night failed: ").split("; ")) == wrong
    end(home, begin(home, NOW + 4 * HOUR, "alps", "andes"), "failed", "broke off: disk I/O error")
    stop(home, NOW + 5 * HOUR)
    assert "the night failed: broke off: disk I/O error" in stands(home, NOW + 5 * HOUR)


def test_a_stanza_that_is_wrong_stands_wrong_before_its_night_and_is_one_incident_with_it(home):
    text = home.leagues_toml.read_text()
    home.leagues_toml.write_text(text.replace("refit", "refitt", 1))
    why = f'{home.leagues_toml}, line 6, league alps: unknown setting "refitt". Did you mean "refit"?'
    assert stands(home, NOW) == [f"alps: its next night will fail: {why}"]
    run, history = begin(home, NOW, "alps"), History(home.runs)
    history.start_step(run.run_id, 1, "alps", "pull", NOW)
    history.end_step(run.run_id, 1, NOW, StepEnd("failed", f"{why}."))
    end(home, run, "failed", "failed: alps")
    assert stands(home, NOW + HOUR) == [f"alps: its next night will fail: {why}; now: pull: {why}."]
    home.leagues_toml.write_text(text)
    end(home, run := begin(home, NOW + HOUR, "alps"))
    history.start_step(run.run_id, 1, "alps", "pull", NOW)
    history.end_step(run.run_id, 1, NOW, StepEnd("done", "well"))
    assert stands(home, NOW + HOUR) == []


GONE = "/data/alps.csv cannot be read: No such file or directory."


@pytest.mark.parametrize(("state", "why", "told"), [
    ("failed", GONE, f"the last pull failed: {GONE[:-1]}"),
    ("done", f"nothing new (380 games). {GONE} The snapshot of 2026-03-01 was used.",
     f"the last pull said: nothing new (380 games). {GONE} The snapshot of 2026-03-01 was used"),
])  # fmt: skip
def test_a_league_that_is_not_fresh_says_why(home, state, why, told):
    history = History(home.runs)
    for hours, end_of_pull in ((0, StepEnd("done", "380 games")), (30, StepEnd(state, why))):
        at = NOW + hours * HOUR
        run = begin(home, at, "alps")
        history.start_step(run.run_id, 1, "alps", "pull", at)
        history.end_step(run.run_id, 1, at, end_of_pull)
        end(home, run)
    if state == "done":
        note_standing_in(home.raw / "alps", ["/data/alps.csv"], NOW + HOUR)
    look(home, NOW + 47 * HOUR, Channels())
    (stale,) = [one for one in history.incidents(open_only=True) if one.kind == "stale"]
    hours = 46 if state == "done" else 47
    assert sentence(stale) == (
        f"alps: not fresh: last pulled {hours} hours ago, and its promise is 36 hours (fresh_hours); {told}"
    )


def test_a_run_history_that_is_damaged_is_told_and_is_in_the_one_that_begins_anew(home, tmp_path):
    out = tmp_path / "alerts"
    watchman = Watchman(home, Channels.model_validate({"alert_command": f"tee -a {out}"}))
    home.runs.write_bytes(b"random bytes, and long enough to be taken for one" * 100)
    for hours in (0, 1):
        watchman(NOW + hours * HOUR)
    home.runs.unlink()
    watchman(NOW + 2 * HOUR)
    began, over = out.read_text().split("Pooltable: ")[1:]
    assert began.startswith(f"the home cannot be used: {home.runs} is damaged: file is not a database. Move it")
    assert over.startswith("over: ")
    assert [one.kind for one in History(home.runs).incidents()] == ["unusable"]
