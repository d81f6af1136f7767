"""Homes, stanzas and a small file of internationals for the ingest tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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
