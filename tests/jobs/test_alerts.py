"""Alerts: one when something begins to stand wrong, one when it is over, to whoever listens; and a heartbeat."""

import json
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jobs import alerts
from jobs.alerts import Channels, beat, look
from jobs.status import Fit, status
from store.history import History

NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
PROMISE = "and its promise is 36 hours (fresh_hours)"


def to(url):
    return Channels.model_validate({"alert_webhook": url})


def test_a_failure_is_told_once_and_so_is_its_end(night, home, hook):
    night({"check alps": "it went wrong"})
    look(home, NOW, to(hook.address))
    look(home, NOW + timedelta(hours=1), to(hook.address))
    assert hook.texts() == ["Pooltable: alps: the night failed: check: it went wrong"]
    assert {"kind": "failed", "league": "alps", "state": "began", "home": "home"}.items() <= hook.got[0].items()
    night({"check alps": "it went wrong again"}, NOW + timedelta(hours=2))
    look(home, NOW + timedelta(hours=2), to(hook.address))
    assert len(hook.got) == 1, "the second night of the same failure is no news"
    night({}, NOW + timedelta(hours=3))
    look(home, NOW + timedelta(hours=3), to(hook.address))
    assert [one["state"] for one in hook.got] == ["began", "over"]
    night({"publish": "it went wrong", "check alps": "it went wrong"}, NOW + timedelta(hours=4))
    look(home, NOW + timedelta(hours=4), to(hook.address))
    assert [(one["league"], one["state"]) for one in hook.got[2:]] == [("alps", "began"), (None, "began")]


def test_what_the_webhook_does_not_take_is_sent_again_and_never_logged_with_its_address(night, home, hook, caplog):
    night({"check alps": "it went wrong"})
    hook.answer = 503
    look(home, NOW, to(hook.address))
    assert "HTTP 503" in caplog.text
    look(home, NOW, to("http://127.0.0.1:9/secret-token"))
    look(home, NOW, to("no address/secret-token"))
    assert "secret-token" not in caplog.text
    hook.answer = 200
    look(home, NOW, to(hook.address))
    look(home, NOW, to(hook.address))
    assert len(hook.texts()) == 2
    assert "secret-token" not in repr(to(hook.address))


def test_what_was_over_before_anybody_could_be_told_is_not_told(night, home, hook):
    night({"check alps": "it went wrong"})
    look(home, NOW, Channels())
    night({}, NOW + timedelta(hours=1))
    look(home, NOW, Channels())
    look(home, NOW, to(hook.address))
    assert hook.got == []
    assert [(one.kind, one.league, one.ended_at is not None) for one in History(home.runs).incidents()] == [
        ("failed", "alps", True)
    ]


@pytest.mark.parametrize(("hours", "told"), [(35, 0), (37, 2)])
def test_a_league_that_breaks_its_promise_of_freshness_is_told(night, home, hook, hours, told):
    night({})
    look(home, NOW + timedelta(hours=hours), to(hook.address))
    assert len(hook.got) == told
    assert all("its promise is 36 hours (fresh_hours)" in text for text in hook.texts())


def test_a_pull_that_brings_nothing_new_keeps_a_league_fresh(night, home, hook):
    night({})
    night({}, NOW + timedelta(hours=30))
    look(home, NOW + timedelta(hours=60), to(hook.address))
    assert hook.got == []
    night({"pull alps": "no answer"}, NOW + timedelta(hours=67))
    look(home, NOW + timedelta(hours=67), to(hook.address))
    assert [(one["kind"], one["league"]) for one in hook.got] == [("failed", "alps"), ("stale", "alps")]


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
    look(home, NOW, to(hook.address))
    assert hook.texts() == ["Pooltable: alps: the fit was rejected: draws: too many"]
    fitted(None)
    look(home, NOW, to(hook.address))
    assert len(hook.got) == 1, "what cannot be seen for a while is not over"
    fitted("rejected")
    night({"fit alps": "out of memory"}, NOW + timedelta(hours=24))
    look(home, NOW + timedelta(hours=24), to(hook.address))
    assert hook.texts()[1:] == ["Pooltable: alps: the night failed: fit --due --audit: out of memory"], (
        "a rejection hides none"
    )
    hook.got.pop()
    fitted("accepted")
    night({}, NOW + timedelta(hours=25))
    look(home, NOW + timedelta(hours=25), to(hook.address))
    assert "Pooltable: over: alps: the fit was rejected: draws: too many" in hook.texts()


def test_a_rejection_that_a_person_overrode_says_so_when_it_is_over(night, home, hook, fitted):
    fitted("rejected")
    night(REJECTED)
    look(home, NOW, to(hook.address))
    fitted("accepted", "two draws by default", NOW + timedelta(minutes=9))
    look(home, NOW + timedelta(minutes=10), to(hook.address))
    assert hook.texts()[1].endswith("the fit was rejected: draws: too many (accepted by hand: two draws by default)")
    (incident,) = History(home.runs).incidents()
    assert incident.ended_message == hook.got[1]["ended_message"] == "accepted by hand: two draws by default"
    night({"fit alps": "out of memory"}, NOW + timedelta(hours=24))
    look(home, NOW + timedelta(hours=24), to(hook.address))
    assert hook.texts()[2] == "Pooltable: alps: the night failed: fit --due --audit: out of memory"
    fitted("accepted", at=NOW + timedelta(days=9))
    look(home, NOW + timedelta(hours=25), to(hook.address))
    assert len(hook.got) == 3, "a fit by a clock that was ahead mends nothing"
    fitted("accepted", at=NOW + timedelta(hours=25))
    look(home, NOW + timedelta(hours=26), to(hook.address))
    assert hook.texts()[3].startswith("Pooltable: over: alps: the night failed")


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
    both = Channels.model_validate({"alert_webhook": hook.address, "alert_command": f'{sys.executable} -c "{script}"'})

    def looked(hours):
        look(home, NOW + timedelta(hours=hours), both)
        by_command = [json.loads(line)["state"] for line in out.read_text().splitlines()] if out.exists() else []
        return [one["state"] for one in hook.got], by_command

    night({"check alps": "it went wrong"})
    assert looked(0) == looked(1) == (["began"], [])
    broken.touch()
    assert looked(2) == looked(3) == (["began"], ["began"])
    night({}, NOW + timedelta(hours=4))
    hook.answer = 503
    assert looked(4) == (["began", "over"], ["began", "over"])
    assert looked(5) == (["began", "over", "over"], ["began", "over"]), "the webhook did not take it"
    hook.answer = 200
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
    look(home, NOW, to(hook.address))
    assert len(hook.got) == 1


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

    monkeypatch.setattr(hook.handler, "do_POST", slowly)
    night({"check alps": "it went wrong"})
    try:
        look(home, NOW, to(hook.address))
        assert "no answer within 0.5 s" in caplog.text and History(home.runs).untold("webhook")
    finally:
        over.set()


def test_a_league_that_was_removed_is_not_told_of_any_more(night, home, hook):
    night({"check alps": "it went wrong"})
    look(home, NOW, to(hook.address))
    text = home.leagues_toml.read_text()
    home.leagues_toml.write_text(text[text.index("[andes]") :])
    look(home, NOW, to(hook.address))
    assert [one["state"] for one in hook.got] == ["began", "over"]
    assert hook.got[1]["ended_message"] == "the league is rated here no more"


def test_a_rejection_by_hand_is_told_by_the_command_itself(home, hook, night, monkeypatch):
    night({"check alps": "it went wrong"})
    alerts.look_if_heard(home, NOW)
    assert History(home.runs).incidents() == [], "nobody listens"
    monkeypatch.setenv("POOLTABLE_ALERT_WEBHOOK", hook.address)
    alerts.look_if_heard(home, NOW)
    assert len(hook.got) == 1


def test_the_heartbeat_is_a_file_and_a_url(home, hook, tmp_path, caplog):
    file = tmp_path / "new" / "beat"
    beat(Channels.model_validate({"heartbeat_file": file, "heartbeat_url": hook.address}), NOW)
    assert file.read_text() == "2026-03-01T04:30:00+00:00\n"
    assert hook.got == [{"path": "/secret-token"}]
    hook.answer = 500
    beat(Channels.model_validate({"heartbeat_file": tmp_path, "heartbeat_url": hook.address}), NOW)
    assert "cannot be written" in caplog.text
    assert "HTTP 500" in caplog.text
    assert "secret-token" not in caplog.text
