"""A home with leagues but no rooms: the night's steps are a script that does what a plan tells it."""

import json
import logging
import shutil
import sys
import types
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.doors import utc_now
from jobs.night import Night, Step, new_run
from store.edition import publish
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


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def run(home, monkeypatch):
    """run("pull", "alps"): the command's result on the home."""
    monkeypatch.setenv("COLUMNS", "100")

    def invoke(*words, **more):
        return CliRunner().invoke(app, ["--home", str(home.root), *words], **more)

    return invoke


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A home with one league, loaded and published without ratings."""
    home = Home(tmp_path_factory.mktemp("published"))
    with writing(home) as con:
        con.execute(
            "INSERT INTO league VALUES ('alps', 'Alps', 'csv', 'score', ['a'], 'CC0', false, '{}', '2026-03-01')"
        )
    publish(home, ["alps"], utc_now())
    return home


@pytest.fixture
def published(home, made_once):
    """The edition of a home of one's own that is like that."""
    shutil.copytree(made_once.root, home.root, symlinks=True, dirs_exist_ok=True)
    return home.current.resolve()


@pytest.fixture
def room(monkeypatch):
    """room("ingest.pull", pull=f): puts a stand-in where a command will import the room."""

    def put(name, **functions):
        module = types.ModuleType(name)
        for key, function in functions.items():
            setattr(module, key, function)
        monkeypatch.setitem(sys.modules, name, module)

    return put
