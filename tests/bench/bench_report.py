"""The report of `make bench`: what benchmarks measure, each beside a peer, a limit or a budget of the same run.

A plugin of pytest, for every test: `report` takes the rows. At the end they are printed as one table, and written
as JSON and Markdown under the home where `--write-report` asks for it. A benchmark that was skipped or failed stands in
the report by name, so that nothing is missing in silence. QUICK=1 in the environment asks for small sizes.
"""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from store.home import Settings

QUICK = os.environ.get("QUICK", "0") not in ("", "0")
SECTIONS = ("fit", "growth", "load", "publish", "query", "page", "accuracy")
LIBRARIES = ("duckdb", "numpy", "polars", "pymc", "nutpie")
HEAD = "| what | ours | | beside | theirs | ratio | and |\n|---|--:|---|---|--:|--:|---|"
SKIPPED = "Skipped: "
KEY = pytest.StashKey["Report"]()


def sized[T](full: T, quick: T) -> T:
    """A size of the whole benchmark, or of the one of minutes."""
    return quick if QUICK else full


@dataclass(frozen=True)
class Row:
    """One measurement of ours, and the same of a peer, a limit or a budget; both in the same unit."""

    section: str
    what: str
    ours: float
    unit: str
    beside: str
    theirs: float
    also: Mapping[str, float | str]
    """What belongs beside it: accuracy, memory, sizes."""

    @property
    def ratio(self) -> float | None:
        """Ours to theirs: of times below 1 where we are faster; None where theirs is 0."""
        return self.ours / self.theirs if self.theirs else None

    def line(self) -> str:
        """A line of the table."""
        also = ", ".join(f"{name} {shown(value)}" for name, value in self.also.items())
        numbers = f"{shown(self.ours)} | {self.unit} | {self.beside} | {shown(self.theirs)} | {times(self.ratio)}"
        return f"| {self.what} | {numbers} | {also} |"


@dataclass(frozen=True)
class Missing:
    """A benchmark or peer that was not measured, and why."""

    what: str
    why: str


@dataclass
class Report:
    """Rows in the order in which they were measured."""

    rows: list[Row] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))

    def add(
        self, section: str, what: str, ours: float, unit: str, beside: str, theirs: float, **also: float | str
    ) -> None:
        """A row; ValueError for a section that no report has."""
        if section not in SECTIONS:
            raise ValueError(f"no section {section!r} in a report: {', '.join(SECTIONS)}")
        named = {name.replace("_", " "): value for name, value in also.items()}
        self.rows.append(Row(section, what, float(ours), unit, beside, float(theirs), named))

    def not_measured(self, what: str, why: str) -> None:
        """Says that something was not measured, and why."""
        self.missing.append(Missing(what, why))

    @cached_property
    def machine(self) -> dict[str, str | int | float]:
        """What it was measured on and with, told alike on screen and in both files: at its end, once."""
        return {
            "begun_utc": self.begun.isoformat(timespec="seconds"),
            "seconds": round((datetime.now(UTC) - self.begun).total_seconds()),
            "quick": QUICK,
            "cores": os.cpu_count() or 0,
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            "load_of_five_minutes": round(os.getloadavg()[1], 2),
            "platform": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        } | {name: version(name) for name in LIBRARIES}

    def markdown(self) -> str:
        """The report for people, every section in it, also one of which nothing was measured."""
        machine = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.machine.items())
        parts = ["# Benchmarks", machine + ".", "Ratio: ours to theirs; 1/20 of a time is twenty times as fast."]
        for section in SECTIONS:
            lines = [row.line() for row in self.rows if row.section == section]
            parts += [f"## {section}", "\n".join([HEAD, *lines]) if lines else "Nothing was measured."]
        if self.missing:
            parts += ["## Not measured", "\n".join(self.reasons())]
        return "\n\n".join(parts) + "\n"

    def reasons(self) -> list[str]:
        """Each reason for which something was not measured, with what that was."""
        found: dict[str, list[str]] = {}
        for one in self.missing:
            found.setdefault(one.why, []).append(one.what)
        return [f"- {why}: {', '.join(what)}" for why, what in found.items()]

    def data(self) -> dict[str, Any]:
        """The report for programs."""
        rows = [asdict(row) | {"ratio": row.ratio} for row in self.rows]
        return {"machine": self.machine, "rows": rows, "not_measured": [asdict(one) for one in self.missing]}

    def write(self, folder: Path) -> Path:
        """Writes it by its time and as the latest, both as JSON and Markdown; gives the latest Markdown file."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (self.begun.strftime("%Y%m%dT%H%M%SZ"), "latest"):
            (folder / f"{name}.json").write_text(json.dumps(self.data(), indent=1) + "\n", encoding="utf-8")
            (folder / f"{name}.md").write_text(self.markdown(), encoding="utf-8")
        return folder / "latest.md"


def not_installed(module: str, package: str) -> str | None:
    """What the report says of a peer that is not installed, or None."""
    return None if find_spec(module) else f"not installed: pip install {package}"


def need(module: str, package: str) -> None:
    """Skips a benchmark whose peer is not installed: the report says so, and how to install it."""
    if why := not_installed(module, package):
        pytest.skip(why)


def shown(value: float | str) -> str:
    """A number as people read it."""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def times(ratio: float | None) -> str:
    """A ratio as people read it: 3.2, or 1/52 for a small one."""
    if not ratio:
        return ""
    return f"{ratio:,.3g}" if ratio >= 0.1 else f"1/{1 / ratio:,.0f}"


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """Takes the rows of the benchmarks."""
    return pytestconfig.stash[KEY]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-report", action="store_true", help="write what benchmarks measured under the home")


class Recorder:
    """Prints and writes a session's report."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A benchmark that was skipped or failed is told."""
        if "bench" in report.keywords and not report.passed:
            name = report.nodeid.removeprefix("tests/bench/").removeprefix("tests/")
            self.report.not_measured(name.replace("test_bench_", ""), reason(report))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        if self.report.rows or self.report.missing:
            terminalreporter.write_line(f"\n{self.report.markdown()}")
        if config.getoption("write_report"):
            written = self.report.write(Settings().home.expanduser() / "bench")
            terminalreporter.write_line(f"Written to {written}, and as JSON beside it.")


def reason(report: pytest.TestReport) -> str:
    """Why a test did not measure, in a line."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix(SKIPPED)
    crash = getattr(report.longrepr, "reprcrash", None)
    return "failed: " + (crash.message.splitlines()[0] if crash and crash.message else "see above")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[KEY] = made = Report()
    config.pluginmanager.register(Recorder(made), "bench-recorder")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves benchmarks that cannot be made small out of a quick run, and says so."""
    for item in items:
        if QUICK and item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="left out by QUICK=1"))
