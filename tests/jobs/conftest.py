"""A home with leagues but no rooms: the night's steps are a script that does what a plan tells it."""

import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.night import Night, Step, new_run
from store.home import Home
from store.warehouse import writing

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
FAKE = Path(__file__).parent / "fake_pooltable.py"
CHAIN = (Step(("pull",), 60, may_fail_if_loaded=True), Step(("check",), 60), Step(("fit", "--due"), 60))
STANZA = '[{name}]\ntitle = "{name}"\nfeed = "csv"\nsource = "a.csv"\noutcome = "score"\nrefit = "{refit}"\n'


class Heard:
    """A listener that remembers what it was told, and when who was at work."""

    def __init__(self):
        self.running = []
        self.ended = []
        self.at_once = []

    def begins(self, title):
        self.running.append(title)
        self.at_once.append(list(self.running))

    def ends(self, title, state, seconds, message):
        self.running.remove(title)
        assert seconds >= 0
        self.ended.append((title, state))


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home", lock_wait_seconds=0.3)
    home.root.mkdir()
    home.leagues_toml.write_text("\n".join(STANZA.format(name=name, refit="04:00") for name in ("alps", "andes")))
    return home


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """A warehouse in which nothing is loaded yet."""
    home = Home(tmp_path_factory.mktemp("empty"))
    with writing(home):
        pass
    return home.warehouse


@pytest.fixture
def make_night(home, empty):
    """make_night(plan, …): a night whose steps do what `plan` says of them, such as {"fit alps": "fail"}."""

    def make(plan, leagues=("alps", "andes"), chain=CHAIN, jobs=1, retry_seconds=(0.0, 0.0)):
        if not home.warehouse.exists():
            shutil.copy(empty, home.warehouse)
        path = home.root / "plan.json"
        path.write_text(json.dumps(plan))
        return Night(
            home=home,
            run=new_run("manual", list(leagues), NOW),
            clock=lambda: datetime.now(UTC),
            listener=Heard(),
            chain=chain,
            publish=Step(("publish",), 60),
            argv=lambda home, words: [sys.executable, str(FAKE), str(home.root), str(path), *words],
            jobs=jobs,
            retry_seconds=retry_seconds,
        )

    return make
