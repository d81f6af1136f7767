"""Homes, stanzas, a small file of internationals and a server for the ingest tests."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ingest.pull import Pulled, pull
from store.home import CHECKOUT, Home
from store.stanzas import Stanza, read_catalogue

HEADER = "date,home_team,away_team,home_score,away_score,tournament,city,country,neutral"
START = datetime(2025, 11, 1, 4, 0, tzinfo=UTC)
TEAMS = ["Aland", "Brava", "Corse", "Delos", "Elba", "Faro", "Gozo", "Hiva"]


def internationals(days: int = 20) -> list[str]:
    """Rows of a small results file: `days` rounds of eight teams, so four games a day."""
    rows = []
    for day in range(days):
        date = (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=7 * day)).date()
        ring = TEAMS[day % 8 :] + TEAMS[: day % 8]
        rows += [
            f"{date},{ring[place]},{ring[7 - place]},{(day + place) % 4},{day % 3},Friendly,Port,Isle,FALSE"
            for place in range(4)
        ]
    return rows


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def stanza() -> Callable[..., Stanza]:
    """A maker of stanzas of a catalogue league with other sources."""

    def make(*source: Path | str, league: str = "international_football") -> Stanza:
        found = read_catalogue()[league]
        sources = source or tuple(item if "://" in item else CHECKOUT / item for item in found.source)
        return found.model_copy(update={"source": tuple(str(item) for item in sources)})

    return make


@pytest.fixture
def results(tmp_path: Path) -> Callable[[list[str]], Path]:
    """A writer of results.csv."""

    def write(rows: list[str], name: str = "results.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def load(home: Home, stanza: Callable[..., Stanza]) -> Callable[..., Pulled]:
    """Pulls the sources into the home, each time an hour later than before."""
    clock = iter(START + timedelta(hours=hour) for hour in range(1000))

    def go(*source: Path | str, league: str = "international_football", accept: bool = False) -> Pulled:
        return pull(home, league, stanza(*source, league=league), next(clock), accept=accept)

    return go


@pytest.fixture
def rows() -> Callable[[int], list[str]]:
    return internationals


@dataclass
class Server:
    """A server that gives its answers in turn, the last one for ever, and remembers what it was asked."""

    answers: list[tuple[int, dict[str, str], bytes]]
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    running: list[ThreadingHTTPServer] = []

    def start(*answers: tuple[int, dict[str, str], bytes]) -> Server:
        server = Server(list(answers))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(dict(self.headers))
                status, headers, body = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    if value:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        running.append(http)
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        server.url = f"http://127.0.0.1:{http.server_port}/some/results.csv"
        return server

    yield start
    for http in running:
        http.shutdown()
        http.server_close()
