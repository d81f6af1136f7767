"""A year of nights with nobody watching: an accelerated clock, the real chain over three tiny leagues, and something
wrong on a third of the nights."""

import os
import re
import subprocess
import sys
import time
from collections import Counter

import pytest

from jobs import scheduler
from jobs.alerts import Channels, Watchman
from jobs.scheduler import look_around, start_night
from store.history import History
from store.home import Home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

NIGHTS = int(os.environ.get("POOLTABLE_NIGHTS", "365"))
SHARE = 1 / 3
DAY = 86400.0
HOLD = """
import sys, time, duckdb
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""
TIGHT = "p_fail = 0.499\nshare = 0.0\nvariance = 0.0"


PAGE, STANDS_IN = b"<html>Bad gateway</html>", "UTC was used"
CAUSES = {  # what must be told of a night, by what was wrong with it
    "corrupt_file": "pull: ",
    "kill": "did not end: its process was killed|was ended by SIGKILL",
    "lock_held": "process [0-9]+",
    "rejected_fit": "misses it by more than matters",
    "disk_full": "File too large|disk I/O error|full|did not end",  # where not even its end could be written
    "bad_settings": "leagues.toml is not TOML",
    "bad_stanza": 'league andes: unknown setting "effect"',
}
KINDS = {"rejected_fit": "rejected", "bad_settings": "unusable"}  # the others fail


class Year:
    """The nights of a year, each a method that does one thing wrong, cleans up after it, and says which leagues must
    have an incident of it now ("" for one that is of no league)."""

    def __init__(self, world):
        self.world, self.rng, self.history = world, world.rng, History(world.home.runs)
        self.tally, self.told = Counter(), Counter()

    def night(self, *words, **environment):
        """What the scheduler runs: its exit code and what it said."""
        environment = {"POOLTABLE_LOCK_WAIT_SECONDS": "10", **environment}  # a busy machine lets go late
        return self.world.run("nightly", *self.world.leagues_names, "--kind", "schedule", *words, **environment)

    def failed(self):
        """The leagues of which a step failed in the newest run; "" where the run failed and none of its steps did."""
        (run,) = self.history.rows("run", 1)
        steps = self.history.steps_of(str(run["run_id"]))
        found = {str(step["league"] or "") for step in steps if step["state"] in ("failed", "running")}
        return found or ({""} if run["state"] != "done" else set())

    def well(self):
        code, said = self.night()
        assert code == 0, said
        return set()

    def feed_down(self):
        """A league's file is not there: its last snapshot stands in."""
        path = self.world.leagues.path(self.rng.choice(self.world.leagues_names))
        path.rename(path.with_suffix(".gone"))
        try:
            code, said = self.night()
        finally:
            path.with_suffix(".gone").rename(path)
        assert code == 0, said
        assert STANDS_IN in said
        return set()

    def corrupt_file(self):
        """Half a file or no text: refused, and what was loaded is rated on. A web page is a server that is down."""
        league = self.rng.choice(self.world.leagues_names)
        path = self.world.leagues.path(league)
        whole = path.read_bytes()
        spoiled = self.rng.choice([whole[: len(whole) // 2], self.rng.randbytes(2000), PAGE])
        path.write_bytes(spoiled)
        try:
            code, said = self.night()
        finally:
            path.write_bytes(whole)
        assert code == (spoiled != PAGE), said
        assert (STANDS_IN in said) == (spoiled == PAGE), said
        return {league} if code else set()

    def kill(self):
        """Killed at any moment; the scheduler sees it and tries again, or finds it missed a day later."""
        before = self.history.rows("run", 1)
        night = self.world.start("nightly", *self.world.leagues_names, "--kind", "schedule")
        time.sleep(self.rng.uniform(0.0, 8.0))
        self.world.kill(self.rng.choice(("night", "step", "all")))
        night.communicate(timeout=900)
        self.world.wait_for_quiet()
        return self.failed() if self.history.rows("run", 1)[0]["run_id"] != before[0]["run_id"] else set()

    def lock_held(self):
        """Somebody has the warehouse open: for a while, which the night outlasts, or for all of it."""
        seconds = self.rng.choice((2.0, 600.0))
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(self.world.home.warehouse), str(seconds)], stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            code, said = self.night(POOLTABLE_LOCK_WAIT_SECONDS="1")
        finally:
            holder.kill()
            holder.communicate()
        assert code in ((0, 1) if seconds < 60 else (1, 75)), said
        return self.failed() if code else set()

    def rejected_fit(self):
        """Held to what no fit can reach: rejected, and the last accepted one stays."""
        code, said = self.night_with(lambda text: text.replace("p_fail = 0.0", TIGHT, 1))
        assert code == 1, said
        assert "was rejected" in said
        return {"alps"}

    def disk_full(self):
        """No file can grow: what is to be written fails; what the night cannot record itself, the scheduler does."""
        limits = {"FILE_LIMIT": self.rng.choice((1 << 10, 100 << 10, 1 << 20)), "CLOCK_AHEAD": self.world.ahead}
        before = self.history.rows("run", 1)
        with pytest.MonkeyPatch.context() as patch, self.world.reader.lock:
            for name, value in limits.items():
                patch.setenv(f"POOLTABLE_{name}", str(value))
            patch.setattr(scheduler, "pooltable", self.world.forks.command)
            start_night(self.world.home, self.world.leagues_names, "schedule", self.world.now, lambda: False)
        self.world.wait_for_quiet()
        assert self.history.rows("run", 1) != before
        return self.failed()

    def two_schedulers(self):
        """Two nights at the same moment: the second waits, and finds nothing to do."""
        both = [self.world.start("nightly", *self.world.leagues_names, "--kind", "schedule") for _ in range(2)]
        ends = [(night.communicate(timeout=900), night.returncode) for night in both]
        self.world.wait_for_quiet()
        assert [code for _, code in ends] == [0, 0], ends
        return set()

    def clock_jump(self):
        """The clock is days ahead, or behind, for one night."""
        ahead = self.rng.choice((-2 * DAY, -6 * 3600, 6 * 3600, 3 * DAY))
        self.world.ahead += ahead
        try:
            code, said = self.night()
        finally:
            self.world.ahead -= ahead
        assert code == 0, said
        return set()

    def bad_settings(self):
        """leagues.toml is not TOML for a night: nothing runs, and the timetable stays."""
        code, said = self.night_with(lambda text: text + "[alps\n")
        assert code == 2, said
        return {""}

    def bad_stanza(self):
        """One league's stanza is wrong for a night: it fails, and the others are rated."""
        code, said = self.night_with(lambda text: text.replace("[andes]", '[andes]\neffect = "home"'))
        assert code == 1, said
        assert self.world.shown().items() >= {(name, self.world.leagues.games[name]) for name in ("alps", "atlas")}
        return {"andes"}

    def night_with(self, changed):
        """A night with another leagues.toml, and how it ended."""
        text = self.world.home.leagues_toml.read_text()
        self.world.home.leagues_toml.write_text(changed(text))
        try:
            code, said = self.night()
        finally:
            self.world.home.leagues_toml.write_text(text)
        assert "Traceback" not in said
        return code, said

    def judge(self, fault, leagues, before):
        """Every incident that there must be of a night is there, with its cause, and no other: `before` it the last
        one's number. A league may be stale too, when several nights went wrong."""
        kind, found = KINDS.get(fault, "failed"), self.history.incidents()
        of_now = {(one.kind, one.league): one for one in found if one.number > before or one.ended_at is None}
        for league in leagues:
            one = of_now[kind, league]
            assert re.search(CAUSES[fault], one.latest_message or one.message), (fault, one)
        began = {(one.kind, one.league) for one in found if one.number > before and one.kind != "stale"}
        assert began <= {(kind, league) for league in leagues}, (fault, found[-5:])
        self.told[fault] += bool(leagues)


FAULTS = (
    "feed_down", "corrupt_file", "kill", "lock_held", "rejected_fit", "disk_full", "two_schedulers", "clock_jump",
    "bad_settings", "bad_stanza",
)  # fmt: skip


def test_a_year_with_something_wrong_on_a_third_of_the_nights(make_world, capsys):
    """Some league plays every night but in the off season. After every night: readers saw whole editions only and none
    again that had been replaced, no accepted fit is lost, no lock and no process stays. At the end every league is
    fresh, nothing stands wrong, and every incident has its cause and its end in the history."""
    world = make_world(seed=365)
    year, began = Year(world), time.monotonic()
    watchman = Watchman(Home(world.home.root, 1.0), Channels())
    deck: list[str] = []
    for number in range(NIGHTS):
        world.ahead = number * DAY
        if number % 100 < 80:
            world.leagues.play(world.rng.choice(world.leagues_names))
        deck = deck or world.rng.sample(FAULTS, len(FAULTS))  # each as often as any other
        fault = deck.pop() if world.rng.random() < SHARE else "well"
        before = len(year.history.incidents())
        leagues = getattr(year, fault)()
        year.tally[fault] += 1
        with world.reader.lock:
            look_around(world.home, world.now, watchman)
        year.judge(fault, leagues, before)
        world.check(is_fresh=fault in ("well", "two_schedulers", "clock_jump"))
    world.ahead += DAY
    world.good_night()
    with world.reader.lock:
        look_around(world.home, world.now, watchman)
    incidents = year.history.incidents()
    assert [one for one in incidents if one.ended_at is None] == []
    assert all("its promise is" in one.message for one in incidents if one.kind == "stale")
    states = Counter(str(run["state"]) for run in year.history.rows("run", 10_000))
    assert "running" not in states
    with capsys.disabled():
        told = Counter(one.kind for one in incidents)
        print(
            f"\n{NIGHTS} nights in {time.monotonic() - began:.0f} s ({world.forks.cpu_seconds():.0f} s CPU):"
            f" {dict(sorted(year.tally.items()))}; runs {dict(states)};"
            f" incidents {dict(told)}, of nights {dict(sorted(year.told.items()))};"
            f" {len(world.reader.shown)} editions seen in {world.reader.looks} looks, none bad;"
            f" {len(world.accepted)} accepted fits, none lost"
        )
