"""Real games that we and others forecast in one run.

Peers are in the dependency group `bench`; the report names one that is not installed. POOLTABLE_ANCHORS_HOME names a
folder in which the leagues stay loaded from run to run.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench_report import Report
from ingest.pull import pull
from modeling.backtest_scores import paired
from store.home import Home
from store.stanzas import Stanza, read_stanzas

Array = NDArray[np.float64]

LEAGUES = Path(__file__).parents[2] / "flow" / "backtests" / "leagues.toml"
NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
SEED = 20140101
AHEAD, BEHIND = "we are ahead", "they are ahead"


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


def verdict(low: float, high: float) -> str:
    """Who is ahead by an interval of their loss less ours."""
    return AHEAD if low > 0 else BEHIND if high < 0 else "level within noise"


Anchors = Callable[..., dict[str, str]]


@pytest.fixture
def anchors(report: Report) -> Anchors:
    """anchors(title, week, {forecaster: Told}, published): rows of the report, of which ours is the first forecaster;
    returns who is ahead of whom, on the games that both forecast. A forecaster that is not there stands in words."""

    def add(
        title: str,
        week: NDArray[np.intp],
        found: Mapping[str, Told | str],
        published: Mapping[str, float] | None = None,
        loss: str = "log loss",
    ) -> dict[str, str]:
        (name, ours), *others = found.items()
        assert isinstance(ours, Told)
        ahead = {}
        for other, one in others:
            if isinstance(one, str):
                report.not_measured(f"{title}: {other}", one)
                continue
            both = np.isfinite(one.loss) & np.isfinite(ours.loss)
            apart = paired((one.loss - ours.loss)[both], week[both], SEED)
            ahead[other] = verdict(apart.low, apart.high)
            right = {} if one.right is None else {"they_are_right": float(one.right[both].mean())}
            right |= {} if ours.right is None else {"we_are_right": float(ours.right[both].mean())}
            report.add("accuracy", f"{title}: {name}", ours.loss[both].mean(), loss, other, one.loss[both].mean(),
                       games=int(both.sum()), they_less_us=apart.mean, low=apart.low, high=apart.high, **right,
                       so=ahead[other])  # fmt: skip
        for other, value in (published or {}).items():
            mean = np.nanmean(ours.loss)
            report.add("accuracy", f"{title}: {name}", mean, loss, f"{other} [published]", value)
        return ahead

    return add


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
