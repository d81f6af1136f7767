"""A home with three tiny leagues, the real night on it in forks of one process, a reader who never stops looking, and
what must hold whatever was done to them."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from jobs.locks import alone
from store.edition import current
from store.errors import PooltableError
from store.history import History
from store.home import Home
from store.warehouse import reading, writing

LEAGUES = ("alps", "andes", "atlas")
TEAMS = 6
SEEN = """
SELECT
    edition_id,
    (SELECT count(*) FROM leaderboard JOIN league USING (league, fit_id) WHERE rank IS NOT NULL),
    (SELECT count(*) FROM rating_draw WHERE component = 'total')
FROM edition
"""
HEAD = "date,home,away,home_score,away_score"
STANZA = """
[{name}]
title = "{name}"
feed = "csv"
source = "{source}"
outcome = "score"
effects = ["home"]
refit = "04:00"
[{name}.columns]
date = "date"
home = "home"
away = "away"
home_score = "home_score"
away_score = "away_score"
[{name}.thresholds]
reason = "some sixty games of teams alike: one night in fifty would be rejected by chance"
pit = 1.0
p_fail = 0.0
agreeing = 99
upheaval = 0
worse_by_se = 99
"""


def wait_until(true, what, seconds=120):
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)
    return found


class Forks:
    """The server whose forks run the commands."""

    def __init__(self, folder):
        self.folder = folder
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        script = Path(__file__).with_name("fork_server.py")
        self.log = (folder / "log").open("wb")
        self.server = subprocess.Popen(
            [sys.executable, str(script), str(folder / "socket")], env=environment, stdout=self.log, stderr=self.log
        )
        wait_until((folder / "ready").exists, "the server is ready", 300)

    def start(self, home, *words, ahead=0.0, **environment):
        """A command as a child of ours (its stand-in; the command itself is `running(home)`)."""
        environment = {**os.environ, **environment, "POOLTABLE_CLOCK_AHEAD": str(ahead)}
        command = self.command(home, words)
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def command(self, home, words):
        """The command line of a command."""
        return [str(self.folder / "python"), "-m", "jobs.cli", "--home", str(home.root), *words]

    def running(self):
        """The processes of commands that run, the night first and then its steps."""
        children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text().split()
        return sorted(int(pid) for pid in children if not is_zombie(pid))

    def cpu_seconds(self):
        """What it and its ended children took of the processor."""
        fields = Path(f"/proc/{self.server.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def is_zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


@dataclass
class Leagues:
    """The leagues' files, and how many games are in each."""

    home: Home
    rng: random.Random
    games: dict[str, int] = field(default_factory=dict)
    last: date = date(2025, 1, 1)

    def make(self):
        self.home.root.mkdir(parents=True)
        for name in LEAGUES:
            self.path(name).write_text(HEAD + "\n")
            for _ in range(10):
                self.play(name)
        self.home.leagues_toml.write_text("".join(STANZA.format(name=name, source=self.path(name)) for name in LEAGUES))
        return self

    def path(self, name):
        return self.home.root / f"{name}.csv"

    def play(self, name):
        """One round: every team once."""
        teams = list(range(TEAMS))
        self.rng.shuffle(teams)
        self.last += timedelta(days=1)
        with self.path(name).open("a") as file:
            for one, other in zip(teams[::2], teams[1::2], strict=True):
                goals = self.rng.choices(range(5), (30, 34, 20, 11, 5), k=2)
                file.write(f"{self.last},{name}{one},{name}{other},{goals[0]},{goals[1]}\n")
        self.games[name] = self.games.get(name, 0) + TEAMS // 2


class Reader(threading.Thread):
    """Looks at what readers see, again and again: there is always a whole edition, and never an older one."""

    def __init__(self, home):
        super().__init__(daemon=True)
        self.home, self.looks, self.shown, self.wrong = home, 0, [], []
        self.stopping = threading.Event()
        self.lock = threading.Lock()  # one process cannot open a file in two ways at once: ours is asked by others too

    def run(self):
        while not self.stopping.wait(0.25):
            with self.lock:
                self.look()

    def look(self):
        try:
            path = current(self.home)
            with duckdb.connect(str(path), read_only=True) as con:
                name, ranked, draws = con.execute(SEEN).fetchall()[0]
        except (duckdb.Error, PooltableError, OSError) as error:
            self.wrong.append(f"an edition that cannot be read: {error}")
            return
        self.looks += 1
        if (ranked, draws) != (len(LEAGUES) * TEAMS, len(LEAGUES) * TEAMS):
            self.wrong.append(f"{name} is partial: {ranked} ranked, {draws} with draws")
        if name not in self.shown:
            self.shown.append(name)
        if name != self.shown[-1]:  # by their order, not by their names: a clock may have been wrong
            self.wrong.append(f"{name} was seen again after {self.shown[-1]}")


class World:
    """The home, its leagues, its commands, its reader; and what is known to have been accepted."""

    def __init__(self, forks, root, seed):
        self.forks, self.home, self.rng = forks, Home(root, lock_wait_seconds=5.0), random.Random(seed)
        self.leagues = Leagues(self.home, self.rng).make()
        self.accepted: dict[str, str] = {}
        self.reader = Reader(self.home)
        self.ahead = 0.0
        self.tally: Counter[str] = Counter()
        self.leagues_names = LEAGUES

    @property
    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def start(self, *words, **environment):
        return self.forks.start(self.home, *words, ahead=self.ahead, **environment)

    def run(self, *words, **environment):
        """A command to its end: exit code and what it said."""
        process = self.start(*words, **environment)
        said = "".join(process.communicate(timeout=900))
        self.wait_for_quiet()
        return process.returncode, said

    def good_night(self):
        """A night that must succeed for every league, and what must hold after it."""
        code, said = self.run("nightly")
        assert code == 0, said
        self.check(is_fresh=True)

    def check(self, *, is_fresh):
        """What must hold whenever nothing runs."""
        with alone(self.home, "night"), writing(self.home):
            pass  # no lock stays
        assert not [row for row in History(self.home.runs).rows("run", 50) if row["state"] == "running"] or not is_fresh
        with reading(self.home) as con:
            accepted = dict(con.execute("SELECT fit_id, league FROM fit WHERE verdict = 'accepted'").fetchall())
        lost = self.accepted.keys() - accepted.keys()
        assert not lost, f"accepted fits are lost: {lost}"
        self.accepted = accepted
        assert not self.reader.wrong, self.reader.wrong[:5]
        if is_fresh:
            assert self.shown() == self.leagues.games, "every league shows the fit of all its games"

    def shown(self):
        """How many games of each league are in the fit that readers see."""
        with self.reader.lock, duckdb.connect(str(current(self.home)), read_only=True) as con:
            return dict(con.execute("SELECT league, games_rated FROM league").fetchall())

    def wait_for_quiet(self):
        wait_until(lambda: not self.forks.running(), "everything the command started is gone")

    def last_step(self):
        """The command of the newest run that had not ended well, to tell where it was when it was killed."""
        history = History(self.home.runs)
        run = history.rows("run", 1)[0]["run_id"]
        steps = [step for step in history.steps_of(str(run)) if step["state"] != "done"]
        return str(steps[0]["command"]).split()[0] if steps else "between steps"

    def kill(self, whom):
        """Kills the night, one of its steps, or everything at once; False where nothing of it ran any more."""
        running = self.forks.running()
        chosen = {"night": running[:1], "step": [self.rng.choice(running[1:])] if running[1:] else [], "all": running}
        for pid in chosen[whom]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(chosen[whom])


@pytest.fixture(scope="module")
def forks(tmp_path_factory):
    forks = Forks(tmp_path_factory.mktemp("forks"))
    yield forks
    forks.server.kill()
    forks.server.wait()
    forks.log.close()


@pytest.fixture
def make_world(forks, tmp_path):
    """make_world(seed): three leagues after their first night, with a reader at work."""
    worlds = []

    def make(seed, name="home"):
        world = World(forks, tmp_path / name, seed)
        worlds.append(world)
        code, said = world.run("nightly")
        assert code == 0, said
        world.reader.start()
        return world

    yield make
    for world in worlds:
        world.reader.stopping.set()
        world.reader.join()
