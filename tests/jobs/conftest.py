"""A home with leagues but no rooms: the night's steps are a script that does what a plan tells it."""

import json
import logging
import shutil
import sys
import threading
import types
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.doors import utc_now
from jobs.night import Night, Step, new_run
from store.edition import publish
from store.history import History, StepEnd
from store.home import Home
from store.warehouse import writing

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
ALERTED = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
STEPS = ("pull", "check", "fit --due --audit")
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


class Webhook:
    """A webhook that remembers what it was sent, and answers as it is told to."""

    def __init__(self):
        self.got, self.answer = [], 200

    def texts(self):
        return [one["text"] for one in self.got]

    @contextmanager
    def listening(self):
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.taken(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def do_GET(self):
                self.taken({"path": self.path})

            def taken(self, one):
                webhook.got.append(one)
                self.send_response(webhook.answer)
                self.end_headers()

            def log_message(self, format, *args):
                pass

        self.handler = Handler
        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{server.server_port}/secret-token"
        yield self
        server.shutdown()
        server.server_close()


@pytest.fixture
def hook():
    with Webhook().listening() as webhook:
        yield webhook


@pytest.fixture
def night(home):
    """night({"check alps": "why"}, at): the run history of a night in which those steps failed."""

    def record(plan, at=ALERTED, leagues=("alps", "andes")):
        history, run = History(home.runs), new_run("manual", list(leagues), at)
        history.start_run(run, 1)
        steps = [(league, command) for league in leagues for command in STEPS] + [(None, "publish")]
        for number, (league, command) in enumerate(steps, start=1):
            why = plan.get(f"{command.partition(' ')[0]} {league or ''}".strip(), "")
            history.start_step(run.run_id, number, league, command, at)
            history.end_step(run.run_id, number, at, StepEnd("failed" if why else "done", why, int(bool(why))))
        history.end_run(run.run_id, at, "failed" if plan else "done", "")

    return record
