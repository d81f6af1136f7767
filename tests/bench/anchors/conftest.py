"""The table of peers: rows of games that we and others forecast in one run, printed together at the end.

`make bench` (or pytest -m bench tests/bench/anchors) prints it. Peers are in the dependency group `bench`; one that is
not installed is named in the table. POOLTABLE_ANCHORS_HOME names a folder in which the leagues
stay loaded from run to run.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.pull import pull
from modeling.backtest_scores import paired
from store.home import Home
from store.stanzas import Stanza, read_stanzas

Array = NDArray[np.float64]

LEAGUES = Path(__file__).parents[2] / "flow" / "backtests" / "leagues.toml"
NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
SEED = 20140101
HEAD = "| forecaster | games | {loss} | right | they less us | 95 % interval | |\n|---|--:|--:|--:|--:|--:|---|"
AHEAD, BEHIND = "we are ahead", "they are ahead"
KEY = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class Told:
    """What came of one forecaster's forecasts of a row's games: NaN where it said nothing."""

    loss: Array
    right: Array | None = None
    """1 where the likeliest result came, a half where it was a toss-up."""


def _told(chance: Array, won: Array) -> Told:
    """Log loss and hits of chances that the first side wins."""
    own = np.where(won == 1, chance, 1 - chance)
    return Told(-np.log(np.maximum(own, 1e-12)), np.where(own == 0.5, 0.5, (own > 0.5).astype(float)))


def line(name: str, one: Told, ours: Told, week: NDArray[np.intp]) -> tuple[float, str, str]:
    """(log loss, the line of the table, who is ahead) of a forecaster beside ours, on the games that both forecast."""
    both = np.isfinite(one.loss) & np.isfinite(ours.loss)
    mean = float(one.loss[both].mean())
    right = f"{one.right[both].mean():.1%}" if one.right is not None else ""
    apart, verdict = " |  | ", ""
    if one is not ours:
        found = paired((one.loss - ours.loss)[both], week[both], SEED)
        apart = f" {found.mean:+.4f} | {found.low:+.4f} to {found.high:+.4f} |"
        verdict = AHEAD if found.low > 0 else BEHIND if found.high < 0 else "level within noise"
    return mean, f"| {name} | {both.sum():,} | {mean:.4f} | {right} |{apart} {verdict} |", verdict


Anchors = Callable[..., dict[str, str]]


@pytest.fixture
def anchors(request: pytest.FixtureRequest) -> Anchors:
    """anchors(title, week, {forecaster: Told}, published): adds a row of the table, of which ours is the first
    forecaster, and returns who is ahead of whom; a forecaster that is not there stands in words."""
    lines = request.config.stash.setdefault(KEY, [])

    def add(
        title: str,
        week: NDArray[np.intp],
        found: Mapping[str, Told | str],
        published: Mapping[str, float] | None = None,
        loss: str = "log loss",
    ) -> dict[str, str]:
        ours = next(iter(found.values()))
        assert isinstance(ours, Told)
        there = {name: line(name, one, ours, week) for name, one in found.items() if isinstance(one, Told)}
        absent = [f"| {name} | {one} | | | | | |" for name, one in found.items() if isinstance(one, str)]
        printed = [f"| {name} [published] | | {value:.4f} | | | | |" for name, value in (published or {}).items()]
        rows = [text for _mean, text, _who in sorted(there.values())]
        lines.append("\n".join([f"### {title}", "", HEAD.format(loss=loss), *rows, *printed, *absent, ""]))
        print(f"\n{lines[-1]}")
        return {name: who for name, (_mean, _text, who) in there.items()}

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for text in config.stash.get(KEY, []):
        terminalreporter.write_line(f"\n{text}")


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real results."""
    folder = os.environ.get("POOLTABLE_REAL_DATA")
    if not folder:
        pytest.skip("POOLTABLE_REAL_DATA is not set: no real results here")
    return Path(folder)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory, real: Path) -> Home:
    """The home of the leagues."""
    folder = os.environ.get("POOLTABLE_ANCHORS_HOME")
    home = Home(Path(folder) if folder else tmp_path_factory.mktemp("anchors"))
    home.root.mkdir(parents=True, exist_ok=True)
    home.leagues_toml.write_text(LEAGUES.read_text().replace("REAL", str(real)))
    return home


@pytest.fixture(scope="session")
def loaded(kept: Home) -> Callable[[str], Stanza]:
    """loaded(league): its stanza, once its results are in the warehouse."""

    def load(league: str) -> Stanza:
        stanza = read_stanzas(kept)[league]
        pull(kept, league, stanza, NOW)
        return stanza

    return load


@pytest.fixture(scope="session")
def absent() -> Callable[[str, str], str | None]:
    """absent(module, package): what the table says of a peer that is not installed."""
    return lambda module, package: None if find_spec(module) else f"not installed: pip install {package}"


@pytest.fixture(scope="session")
def told() -> Callable[[Array, Array], Told]:
    """told(chance, won): log loss and hits of chances that the first side wins."""
    return _told


@pytest.fixture(scope="session")
def told_of() -> Callable[[Array], Told]:
    """told_of(losses): losses that were worked out elsewhere."""
    return Told


@pytest.fixture(scope="session")
def clubs() -> dict[str, str]:
    """By FiveThirtyEight's name of an NFL club its code."""
    return tomllib.loads((LEAGUES.parent / "clubs.toml").read_text())
