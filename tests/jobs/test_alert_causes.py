"""What an alert says is wrong: a full disk, feeds, clocks, stanzas, leagues.toml; each told once, with its cause."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from ingest.snapshots import note_standing_in
from jobs import alerts, incidents
from jobs.alerts import Channels, Watchman, beat_if_well, look
from store.history import History

NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
PROMISE = "and its promise is 36 hours (fresh_hours)"


def to(url):
    return Channels.model_validate({"alert_webhook": url})


def test_a_full_disk_is_one_alert_and_not_one_a_league(night, home, hook, monkeypatch):
    usage = incidents.shutil.disk_usage(home.root)
    monkeypatch.setattr(incidents.shutil, "disk_usage", lambda _path: usage._replace(free=3 << 20))
    night({"fit alps": "no space left", "fit andes": "no space left", "publish": "no space left"})
    look(home, NOW, to(hook.address))
    look(home, NOW, to(hook.address))
    assert len(hook.got) == 1
    assert "the home cannot be used: the disk of" in hook.texts()[0] and "is full: 3 MB are free" in hook.texts()[0]
    monkeypatch.undo()
    night({}, NOW + timedelta(hours=1))
    look(home, NOW + timedelta(hours=1), to(hook.address))
    assert [(one["kind"], one["state"]) for one in hook.got] == [("unusable", "began"), ("unusable", "over")]


def test_what_cannot_even_be_recorded_is_told_once_and_recorded_when_it_is_over(night, home, hook, monkeypatch):
    watchman = Watchman(home, to(hook.address))

    def full(*_args):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(alerts, "follow", full)
    watchman(NOW)
    watchman(NOW + timedelta(hours=1))
    assert hook.texts() == ["Pooltable: the home cannot be used: database or disk is full"]
    monkeypatch.undo()
    watchman(NOW + timedelta(hours=2))
    watchman(NOW + timedelta(hours=3))
    assert [one["state"] for one in hook.got] == ["began", "over"]
    (incident,) = History(home.runs).incidents()
    assert (incident.kind, incident.ended_at) == ("unusable", "2026-03-01 06:30:00.000")


def test_a_feed_that_is_down_makes_a_league_stale_although_its_pulls_go_on(night, home, hook):
    """Its last snapshot stands in, so that the night succeeds: what it rates is as old as that."""
    night({})
    note_standing_in(home.raw / "alps", ["https://host/a.csv"], NOW + timedelta(hours=24))
    for hours in (24, 48, 72):
        night({}, NOW + timedelta(hours=hours))
        look(home, NOW + timedelta(hours=hours), to(hook.address))
    assert [(one["kind"], one["league"], one["state"]) for one in hook.got] == [("stale", "alps", "began")]
    note_standing_in(home.raw / "alps", [], NOW + timedelta(hours=73))
    night({}, NOW + timedelta(hours=73))
    look(home, NOW + timedelta(hours=73), to(hook.address))
    assert [one["state"] for one in hook.got] == ["began", "over"]


def test_one_night_with_the_clock_ahead_silences_nothing(night, home, hook):
    """Two hundred days ahead, and right again the night after: what that night wrote is not what happened last."""
    night({})
    night({}, NOW + timedelta(days=200))
    night({"check alps": "it went wrong"}, NOW + timedelta(days=1))
    look(home, NOW + timedelta(days=1), to(hook.address))
    assert hook.texts() == ["Pooltable: alps: the night failed: check: it went wrong"]
    look(home, NOW + timedelta(days=3), to(hook.address))
    assert hook.texts()[1:] == [
        f"Pooltable: {league}: not fresh: last pulled 48 hours ago, {PROMISE}; it was not pulled since"
        for league in ("alps", "andes")
    ]


def test_a_league_that_was_only_ever_pulled_by_a_clock_that_was_ahead_is_not_fresh(night, home, hook):
    night({}, NOW + timedelta(days=200), leagues=("alps",))
    note_standing_in(home.raw / "alps", ["https://host/a.csv"], NOW + timedelta(days=200))
    note_standing_in(home.raw / "alps", ["https://host/a.csv"], NOW)
    night({}, NOW + timedelta(days=2), leagues=("alps",))
    look(home, NOW + timedelta(days=2), to(hook.address))
    assert [(one["kind"], one["league"]) for one in hook.got] == [("stale", "alps")], "its feed is down since NOW"


def test_a_wrong_stanza_is_told_as_its_leagues_failure_and_what_stood_of_it_stands_on(night, home, hook, run):
    night({})
    look(home, NOW + timedelta(hours=40), to(hook.address))
    assert [(one["kind"], one["league"]) for one in hook.got] == [("stale", "alps"), ("stale", "andes")]
    text = home.leagues_toml.read_text()
    home.leagues_toml.write_text(text.replace("refit", "refitt", 1))
    why = f'{home.leagues_toml}, line 6, league alps: unknown setting "refitt". Did you mean "refit"?'
    night({"pull alps": why}, NOW + timedelta(hours=41))
    look(home, NOW + timedelta(hours=41), to(hook.address))
    assert hook.texts()[2:] == [
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
    look(home, NOW, to(hook.address))
    home.warehouse.write_bytes(empty.read_bytes())
    text = home.leagues_toml.read_text()
    home.leagues_toml.unlink() if what is None else home.leagues_toml.write_text(what)
    assert run("nightly", "--kind", "schedule").exit_code == 2
    for hours in (1, 2):
        look(home, NOW + timedelta(hours=hours), to(hook.address))
    told = "is not there" if what is None else "is not TOML"
    assert [one["state"] for one in hook.got] == ["began", "began"]
    assert "the home cannot be used" in hook.texts()[1] and told in hook.texts()[1]
    runs = History(home.runs).rows("run")
    assert what is None or told in str(runs[0]["message"])
    home.leagues_toml.write_text(text)
    look(home, NOW + timedelta(hours=3), to(hook.address))
    assert [(one["kind"], one["state"]) for one in hook.got[2:]] == [("unusable", "over")]
    assert len(runs) == (1 if what is None else 2)


def test_an_incident_tells_what_it_began_with_and_what_is_wrong_now(night, home, hook):
    for hours, why in enumerate(("no network", "no space left", "no network", "no memory")):
        night({"check alps": why}, NOW + timedelta(hours=hours))
        look(home, NOW + timedelta(hours=hours), to(hook.address))
    (incident,) = History(home.runs).incidents()
    assert (incident.message, incident.latest_message) == ("check: no network", "check: no memory")
    assert incidents.sentence(incident) == "alps: the night failed: check: no network; now: check: no memory"
    night({}, NOW + timedelta(hours=5))
    look(home, NOW + timedelta(hours=5), to(hook.address))
    assert [one["state"] for one in hook.got] == ["began", "over"], "another cause of the same is no news"


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
