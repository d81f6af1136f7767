"""Alerts: one when something begins to stand wrong, one when it is over, to whoever listens; and a heartbeat."""

import json
import sqlite3
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from ingest.snapshots import note_standing_in
from jobs import alerts, incidents
from jobs.alerts import Channels, Watchman, beat, beat_if_well, look
from jobs.night import new_run
from jobs.status import Fit, status
from store.history import History, StepEnd

NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
PROMISE = "and its promise is 36 hours (fresh_hours)"
COMMANDS = ("pull", "check", "fit --due --audit")


class Hook(BaseHTTPRequestHandler):
    """A webhook that remembers what it was sent, and answers as it is told to."""

    got: ClassVar[list[dict]] = []
    answer: ClassVar[int] = 200

    def do_POST(self):
        Hook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(Hook.answer)
        self.end_headers()

    def do_GET(self):
        Hook.got.append({"path": self.path})
        self.send_response(Hook.answer)
        self.end_headers()

    def log_message(self, format, *args):
        pass


@pytest.fixture
def hook():
    Hook.got, Hook.answer = [], 200
    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/secret-token"
    server.shutdown()
    server.server_close()


@pytest.fixture
def night(home):
    """night({"check alps": "why"}, at): the run history of a night in which those steps failed."""

    def record(plan, at=NOW, leagues=("alps", "andes")):
        history, run = History(home.runs), new_run("manual", list(leagues), at)
        history.start_run(run, 1)
        steps = [(league, command) for league in leagues for command in COMMANDS] + [(None, "publish")]
        for number, (league, command) in enumerate(steps, start=1):
            why = plan.get(f"{command.partition(' ')[0]} {league or ''}".strip(), "")
            history.start_step(run.run_id, number, league, command, at)
            history.end_step(run.run_id, number, at, StepEnd("failed" if why else "done", why, int(bool(why))))
        history.end_run(run.run_id, at, "failed" if plan else "done", "")

    return record


def to(url):
    return Channels.model_validate({"alert_webhook": url})


def texts():
    return [one["text"] for one in Hook.got]


def test_a_failure_is_told_once_and_so_is_its_end(night, home, hook):
    night({"check alps": "it went wrong"})
    look(home, NOW, to(hook))
    look(home, NOW + timedelta(hours=1), to(hook))
    assert texts() == ["Pooltable: alps: the night failed: check: it went wrong"]
    assert {"kind": "failed", "league": "alps", "state": "began", "home": "home"}.items() <= Hook.got[0].items()
    night({"check alps": "it went wrong again"}, NOW + timedelta(hours=2))
    look(home, NOW + timedelta(hours=2), to(hook))
    assert len(Hook.got) == 1, "the second night of the same failure is no news"
    night({}, NOW + timedelta(hours=3))
    look(home, NOW + timedelta(hours=3), to(hook))
    assert [one["state"] for one in Hook.got] == ["began", "over"]
    night({"publish": "it went wrong", "check alps": "it went wrong"}, NOW + timedelta(hours=4))
    look(home, NOW + timedelta(hours=4), to(hook))
    assert [(one["league"], one["state"]) for one in Hook.got[2:]] == [("alps", "began"), (None, "began")]


def test_what_the_webhook_does_not_take_is_sent_again_and_never_logged_with_its_address(night, home, hook, caplog):
    night({"check alps": "it went wrong"})
    Hook.answer = 503
    look(home, NOW, to(hook))
    assert "HTTP 503" in caplog.text
    look(home, NOW, to("http://127.0.0.1:9/secret-token"))
    look(home, NOW, to("no address/secret-token"))
    assert "secret-token" not in caplog.text
    Hook.answer = 200
    look(home, NOW, to(hook))
    look(home, NOW, to(hook))
    assert len(texts()) == 2
    assert "secret-token" not in repr(to(hook))


def test_what_was_over_before_anybody_could_be_told_is_not_told(night, home, hook):
    night({"check alps": "it went wrong"})
    look(home, NOW, Channels())
    night({}, NOW + timedelta(hours=1))
    look(home, NOW, Channels())
    look(home, NOW, to(hook))
    assert Hook.got == []
    assert [(one.kind, one.league, one.ended_at is not None) for one in History(home.runs).incidents()] == [
        ("failed", "alps", True)
    ]


@pytest.mark.parametrize(("hours", "told"), [(35, 0), (37, 2)])
def test_a_league_that_breaks_its_promise_of_freshness_is_told(night, home, hook, hours, told):
    night({})
    look(home, NOW + timedelta(hours=hours), to(hook))
    assert len(Hook.got) == told
    assert all("its promise is 36 hours (fresh_hours)" in text for text in texts())


def test_a_pull_that_brings_nothing_new_keeps_a_league_fresh(night, home, hook):
    night({})
    night({}, NOW + timedelta(hours=30))
    look(home, NOW + timedelta(hours=60), to(hook))
    assert Hook.got == []
    night({"pull alps": "no answer"}, NOW + timedelta(hours=67))
    look(home, NOW + timedelta(hours=67), to(hook))
    assert [(one["kind"], one["league"]) for one in Hook.got] == [("failed", "alps"), ("stale", "alps")]


@pytest.fixture
def fitted(monkeypatch):
    """fitted("rejected"): what is seen of alps' newest fit; fitted(None): another process holds the warehouse."""
    seen: list[Fit | None] = []

    def with_a_fit(home, now):
        found, fit = status(home, now), seen[-1]
        return replace(
            found, leagues=(replace(found.leagues[0], fit=fit), *found.leagues[1:]), is_whole=fit is not None
        )

    def see(verdict, override=None, at=NOW):
        seen.append(verdict and Fit(NOW, verdict, NOW.date(), ("draws: too many",), override, at))

    monkeypatch.setattr(alerts, "status", with_a_fit)
    return see


REJECTED = {"fit alps": "alps: fit f1 was rejected: draws: too many"}


def test_a_rejected_fit_is_a_rejection_and_no_failure(night, home, hook, fitted):
    fitted("rejected")
    night(REJECTED)
    look(home, NOW, to(hook))
    assert texts() == ["Pooltable: alps: the fit was rejected: draws: too many"]
    fitted(None)
    look(home, NOW, to(hook))
    assert len(Hook.got) == 1, "what cannot be seen for a while is not over"
    fitted("rejected")
    night({"fit alps": "out of memory"}, NOW + timedelta(hours=24))
    look(home, NOW + timedelta(hours=24), to(hook))
    assert texts()[1:] == ["Pooltable: alps: the night failed: fit --due --audit: out of memory"], (
        "a rejection hides none"
    )
    Hook.got.pop()
    fitted("accepted")
    night({}, NOW + timedelta(hours=25))
    look(home, NOW + timedelta(hours=25), to(hook))
    assert "Pooltable: over: alps: the fit was rejected: draws: too many" in texts()


def test_a_rejection_that_a_person_overrode_says_so_when_it_is_over(night, home, hook, fitted):
    fitted("rejected")
    night(REJECTED)
    look(home, NOW, to(hook))
    fitted("accepted", "two draws by default", NOW + timedelta(minutes=9))
    look(home, NOW + timedelta(minutes=10), to(hook))
    assert texts()[1].endswith("the fit was rejected: draws: too many (accepted by hand: two draws by default)")
    (incident,) = History(home.runs).incidents()
    assert incident.ended_message == Hook.got[1]["ended_message"] == "accepted by hand: two draws by default"
    night({"fit alps": "out of memory"}, NOW + timedelta(hours=24))
    look(home, NOW + timedelta(hours=24), to(hook))
    assert texts()[2] == "Pooltable: alps: the night failed: fit --due --audit: out of memory"
    fitted("accepted", at=NOW + timedelta(days=9))
    look(home, NOW + timedelta(hours=25), to(hook))
    assert len(Hook.got) == 3, "a fit by a clock that was ahead mends nothing"
    fitted("accepted", at=NOW + timedelta(hours=25))
    look(home, NOW + timedelta(hours=26), to(hook))
    assert texts()[3].startswith("Pooltable: over: alps: the night failed")


def test_a_command_gets_the_alert_on_its_standard_input(night, home, tmp_path):
    night({"check alps": "it went wrong"})
    out = tmp_path / "told.json"
    command = f"{sys.executable} -c \"import sys; open('{out}', 'w').write(sys.stdin.read())\""
    look(home, NOW, Channels.model_validate({"alert_command": command}))
    assert json.loads(out.read_text())["kind"] == "failed"


def test_who_was_told_is_not_told_again_because_another_way_failed(night, home, hook, tmp_path):
    """What began, and that it is over: the webhook first takes what the command does not, and then the other way."""
    out, broken = tmp_path / "told", tmp_path / "broken"
    script = f"import sys; open({str(broken)!r}); open({str(out)!r}, 'a').write(sys.stdin.read() + chr(10))"
    both = Channels.model_validate({"alert_webhook": hook, "alert_command": f'{sys.executable} -c "{script}"'})

    def looked(hours):
        look(home, NOW + timedelta(hours=hours), both)
        by_command = [json.loads(line)["state"] for line in out.read_text().splitlines()] if out.exists() else []
        return [one["state"] for one in Hook.got], by_command

    night({"check alps": "it went wrong"})
    assert looked(0) == looked(1) == (["began"], [])
    broken.touch()
    assert looked(2) == looked(3) == (["began"], ["began"])
    night({}, NOW + timedelta(hours=4))
    Hook.answer = 503
    assert looked(4) == (["began", "over"], ["began", "over"])
    assert looked(5) == (["began", "over", "over"], ["began", "over"]), "the webhook did not take it"
    Hook.answer = 200
    assert looked(6) == looked(7) == (["began", "over", "over", "over"], ["began", "over"])
    broken.unlink()
    night({"check andes": "it went wrong"}, NOW + timedelta(hours=8))
    looked(8)
    night({}, NOW + timedelta(hours=9))
    broken.touch()
    assert looked(9)[1] == ["began", "over"], "of what it never heard of, it need not hear that it is over"
    assert len(looked(10)[0]) == 6


@pytest.mark.parametrize("command", ["no-such-program", "false", "'"])
def test_a_command_that_does_not_run_is_tried_again(night, home, hook, command, caplog):
    night({"check alps": "it went wrong"})
    look(home, NOW, Channels.model_validate({"alert_command": command}))
    assert "alert command" in caplog.text
    look(home, NOW, to(hook))
    assert len(Hook.got) == 1


def test_a_command_that_leaves_something_running_has_taken_it(night, home, caplog, tmp_path):
    script = tmp_path / "notify"
    script.write_text("#!/bin/sh\ncat > /dev/null\nsleep 30 & echo said\n")
    script.chmod(0o755)
    night({"check alps": "it went wrong"})
    look(home, NOW, Channels.model_validate({"alert_command": str(script)}))
    assert not History(home.runs).untold("command") and "alert command" not in caplog.text


def test_a_webhook_that_answers_byte_by_byte_holds_nobody_up(night, home, hook, monkeypatch, caplog):
    monkeypatch.setattr(alerts, "SECONDS", 0.5)
    over = threading.Event()

    def slowly(self):
        while not over.wait(0.1):
            self.wfile.write(b"H")

    monkeypatch.setattr(Hook, "do_POST", slowly)
    night({"check alps": "it went wrong"})
    try:
        look(home, NOW, to(hook))
        assert "no answer within 0.5 s" in caplog.text and History(home.runs).untold("webhook")
    finally:
        over.set()


def test_a_league_that_was_removed_is_not_told_of_any_more(night, home, hook):
    night({"check alps": "it went wrong"})
    look(home, NOW, to(hook))
    text = home.leagues_toml.read_text()
    home.leagues_toml.write_text(text[text.index("[andes]") :])
    look(home, NOW, to(hook))
    assert [one["state"] for one in Hook.got] == ["began", "over"]
    assert Hook.got[1]["ended_message"] == "the league is rated here no more"


def test_a_rejection_by_hand_is_told_by_the_command_itself(home, hook, night, monkeypatch):
    night({"check alps": "it went wrong"})
    alerts.look_if_heard(home, NOW)
    assert History(home.runs).incidents() == [], "nobody listens"
    monkeypatch.setenv("POOLTABLE_ALERT_WEBHOOK", hook)
    alerts.look_if_heard(home, NOW)
    assert len(Hook.got) == 1


def test_the_heartbeat_is_a_file_and_a_url(home, hook, tmp_path, caplog):
    file = tmp_path / "new" / "beat"
    beat(Channels.model_validate({"heartbeat_file": file, "heartbeat_url": hook}), NOW)
    assert file.read_text() == "2026-03-01T04:30:00+00:00\n"
    assert Hook.got == [{"path": "/secret-token"}]
    Hook.answer = 500
    beat(Channels.model_validate({"heartbeat_file": tmp_path, "heartbeat_url": hook}), NOW)
    assert "cannot be written" in caplog.text
    assert "HTTP 500" in caplog.text
    assert "secret-token" not in caplog.text


def test_a_full_disk_is_one_alert_and_not_one_a_league(night, home, hook, monkeypatch):
    usage = incidents.shutil.disk_usage(home.root)
    monkeypatch.setattr(incidents.shutil, "disk_usage", lambda _path: usage._replace(free=3 << 20))
    night({"fit alps": "no space left", "fit andes": "no space left", "publish": "no space left"})
    look(home, NOW, to(hook))
    look(home, NOW, to(hook))
    assert len(Hook.got) == 1
    assert "the home cannot be used: the disk of" in texts()[0] and "is full: 3 MB are free" in texts()[0]
    monkeypatch.undo()
    night({}, NOW + timedelta(hours=1))
    look(home, NOW + timedelta(hours=1), to(hook))
    assert [(one["kind"], one["state"]) for one in Hook.got] == [("unusable", "began"), ("unusable", "over")]


def test_what_cannot_even_be_recorded_is_told_once_and_recorded_when_it_is_over(night, home, hook, monkeypatch):
    watchman = Watchman(home, to(hook))

    def full(*_args):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(alerts, "follow", full)
    watchman(NOW)
    watchman(NOW + timedelta(hours=1))
    assert texts() == ["Pooltable: the home cannot be used: database or disk is full"]
    monkeypatch.undo()
    watchman(NOW + timedelta(hours=2))
    watchman(NOW + timedelta(hours=3))
    assert [one["state"] for one in Hook.got] == ["began", "over"]
    (incident,) = History(home.runs).incidents()
    assert (incident.kind, incident.ended_at) == ("unusable", "2026-03-01 06:30:00.000")


def test_a_feed_that_is_down_makes_a_league_stale_although_its_pulls_go_on(night, home, hook):
    """Its last snapshot stands in, so that the night succeeds: what it rates is as old as that."""
    night({})
    note_standing_in(home.raw / "alps", ["https://host/a.csv"], NOW + timedelta(hours=24))
    for hours in (24, 48, 72):
        night({}, NOW + timedelta(hours=hours))
        look(home, NOW + timedelta(hours=hours), to(hook))
    assert [(one["kind"], one["league"], one["state"]) for one in Hook.got] == [("stale", "alps", "began")]
    note_standing_in(home.raw / "alps", [], NOW + timedelta(hours=73))
    night({}, NOW + timedelta(hours=73))
    look(home, NOW + timedelta(hours=73), to(hook))
    assert [one["state"] for one in Hook.got] == ["began", "over"]


def test_one_night_with_the_clock_ahead_silences_nothing(night, home, hook):
    """Two hundred days ahead, and right again the night after: what that night wrote is not what happened last."""
    night({})
    night({}, NOW + timedelta(days=200))
    night({"check alps": "it went wrong"}, NOW + timedelta(days=1))
    look(home, NOW + timedelta(days=1), to(hook))
    assert texts() == ["Pooltable: alps: the night failed: check: it went wrong"]
    look(home, NOW + timedelta(days=3), to(hook))
    assert texts()[1:] == [
        f"Pooltable: {league}: not fresh: last pulled 48 hours ago, {PROMISE}; it was not pulled since"
        for league in ("alps", "andes")
    ]


def test_a_league_that_was_only_ever_pulled_by_a_clock_that_was_ahead_is_not_fresh(night, home, hook):
    night({}, NOW + timedelta(days=200), leagues=("alps",))
    note_standing_in(home.raw / "alps", ["https://host/a.csv"], NOW + timedelta(days=200))
    note_standing_in(home.raw / "alps", ["https://host/a.csv"], NOW)
    night({}, NOW + timedelta(days=2), leagues=("alps",))
    look(home, NOW + timedelta(days=2), to(hook))
    assert [(one["kind"], one["league"]) for one in Hook.got] == [("stale", "alps")], "its feed is down since NOW"


def test_a_wrong_stanza_is_told_as_its_leagues_failure_and_what_stood_of_it_stands_on(night, home, hook, run):
    night({})
    look(home, NOW + timedelta(hours=40), to(hook))
    assert [(one["kind"], one["league"]) for one in Hook.got] == [("stale", "alps"), ("stale", "andes")]
    text = home.leagues_toml.read_text()
    home.leagues_toml.write_text(text.replace("refit", "refitt", 1))
    why = f'{home.leagues_toml}, line 6, league alps: unknown setting "refitt". Did you mean "refit"?'
    night({"pull alps": why}, NOW + timedelta(hours=41))
    look(home, NOW + timedelta(hours=41), to(hook))
    assert texts()[2:] == [
        f"Pooltable: over: andes: not fresh: last pulled 40 hours ago, {PROMISE}; it was not pulled since",
        f"Pooltable: alps: the night failed: pull: {why}",
    ]
    said = run("status").output
    assert why in " ".join(said.split())
    assert "alps: the night failed" in said
    assert any(line.startswith("andes") for line in said.splitlines())


@pytest.mark.parametrize("what", ["[alps\n", None])
def test_where_leagues_toml_cannot_be_read_one_alert_says_so_and_nothing_is_over(night, home, hook, run, empty, what):
    night({"check alps": "it went wrong"})
    look(home, NOW, to(hook))
    home.warehouse.write_bytes(empty.read_bytes())
    text = home.leagues_toml.read_text()
    home.leagues_toml.unlink() if what is None else home.leagues_toml.write_text(what)
    assert run("nightly", "--kind", "schedule").exit_code == 2
    for hours in (1, 2):
        look(home, NOW + timedelta(hours=hours), to(hook))
    told = "is not there" if what is None else "is not TOML"
    assert [one["state"] for one in Hook.got] == ["began", "began"]
    assert "the home cannot be used" in texts()[1] and told in texts()[1]
    runs = History(home.runs).rows("run")
    assert what is None or told in str(runs[0]["message"])
    home.leagues_toml.write_text(text)
    look(home, NOW + timedelta(hours=3), to(hook))
    assert [(one["kind"], one["state"]) for one in Hook.got[2:]] == [("unusable", "over")]
    assert len(runs) == (1 if what is None else 2)


def test_an_incident_tells_what_it_began_with_and_what_is_wrong_now(night, home, hook):
    for hours, why in enumerate(("no network", "no space left", "no network", "no memory")):
        night({"check alps": why}, NOW + timedelta(hours=hours))
        look(home, NOW + timedelta(hours=hours), to(hook))
    (incident,) = History(home.runs).incidents()
    assert (incident.message, incident.latest_message) == ("check: no network", "check: no memory")
    assert incidents.sentence(incident) == "alps: the night failed: check: no network; now: check: no memory"
    night({}, NOW + timedelta(hours=5))
    look(home, NOW + timedelta(hours=5), to(hook))
    assert [one["state"] for one in Hook.got] == ["began", "over"], "another cause of the same is no news"


def test_how_late_a_league_is_is_told_as_of_now(night, home):
    night({})
    for hours in (40, 100):
        look(home, NOW + timedelta(hours=hours), Channels())
    told = [incidents.sentence(one) for one in History(home.runs).incidents(league="alps")]
    assert told == [f"alps: not fresh: last pulled 4 days ago, {PROMISE}; it was not pulled since"]


def test_no_heart_beats_while_a_failure_stands(night, home, tmp_path):
    """The night of one league may go well while another's has failed."""
    file = tmp_path / "beat"
    channels = Channels.model_validate({"heartbeat_file": file})
    night({"check alps": "it went wrong"})
    night({}, NOW + timedelta(hours=1), leagues=("andes",))
    look(home, NOW + timedelta(hours=1), Channels())
    beat_if_well(home, channels, NOW)
    assert not file.exists()
    night({}, NOW + timedelta(hours=2))
    look(home, NOW + timedelta(hours=2), Channels())
    beat_if_well(home, channels, NOW)
    assert file.exists()
