"""The report of `make bench` has every section, tells what was not measured and why, and is written under the home."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench_limits import exponent, exponent_beyond_start
from bench_report import SECTIONS, Report

CHECKOUT = Path(__file__).parent.parent
BENCHMARKS = """
import pytest
from bench_limits import exponent, exponent_beyond_start
from bench_report import need, sized

pytestmark = pytest.mark.bench

def test_a_row(report):
    report.add("fit", "made", sized(2.0, 1.0), "s", "a limit", 4.0, log_loss=0.61234)

def test_a_peer(report):
    need("no_such_module", "no-such-package")

def test_the_peer_again(report):
    need("no_such_module", "no-such-package")

def test_a_fault():
    raise RuntimeError("the disk is full")

@pytest.mark.long
def test_of_hours(report):
    report.add("fit", "of hours", 1, "s", "a limit", 2)
"""


def bench(folder: Path, **environment: str) -> tuple[dict, str, str]:
    """(the written report's data, its Markdown, what was printed) of a session of the benchmarks above."""
    (folder / "test_made.py").write_text(BENCHMARKS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    bench\n    long\n")
    path = os.pathsep.join([str(CHECKOUT / "tests" / "bench"), str(CHECKOUT)])
    known = {**os.environ, "POOLTABLE_HOME": str(folder / "home"), "PYTHONPATH": path, **environment}
    command = [sys.executable, "-m", "pytest", "-p", "bench_report", "-p", "no:dash", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, "--write-report", "test_made.py"], cwd=folder, env=known, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr  # one of them fails
    written = folder / "home" / "bench"
    assert len(list(written.iterdir())) == 4  # by its time and as the latest, for programs and for people
    return json.loads((written / "latest.json").read_text()), (written / "latest.md").read_text(), ran.stdout


def test_a_session_writes_one_report_and_prints_it(tmp_path):
    data, page, printed = bench(tmp_path, QUICK="")
    made, long = data["rows"]
    assert (made["ours"], made["theirs"], made["ratio"], made["also"]) == (2.0, 4.0, 0.5, {"log loss": 0.61234})
    assert long["what"] == "of hours" and data["machine"]["quick"] is False
    assert "| made | 2 | s | a limit | 4 | 0.5 | log loss 0.6123 |" in page and page in printed
    assert [f"## {section}" for section in SECTIONS] == [line for line in page.splitlines() if line[:3] == "## "][:-1]


def test_what_was_not_measured_is_told_with_its_reason(tmp_path):
    data, page, _printed = bench(tmp_path, QUICK="1")
    assert data["machine"]["quick"] is True and data["rows"][0]["ours"] == 1.0
    assert {one["what"]: one["why"] for one in data["not_measured"]} == {
        "test_made.py::test_a_peer": "not installed: pip install no-such-package",
        "test_made.py::test_the_peer_again": "not installed: pip install no-such-package",
        "test_made.py::test_a_fault": "failed: RuntimeError: the disk is full",
        "test_made.py::test_of_hours": "left out by QUICK=1",
    }
    peers = "test_made.py::test_a_peer, test_made.py::test_the_peer_again"
    assert f"- not installed: pip install no-such-package: {peers}\n" in page
    assert page.count("Nothing was measured.") == len(SECTIONS) - 1


def test_a_small_ratio_is_told_as_a_fraction_and_none_beside_nothing():
    report = Report()
    report.add("fit", "made", 0.5, "s", "a peer", 26)
    report.add("query", "made", 5, "ms", "nothing", 0)
    assert "| 26 | 1/52 |" in report.markdown() and report.data()["rows"][1]["ratio"] is None


def test_a_section_that_no_report_has_is_refused():
    with pytest.raises(ValueError, match="no section 'fits' in a report: fit, growth"):
        Report().add("fits", "made", 1, "s", "a peer", 2)


def test_the_power_of_growth_is_found_beside_a_start_that_does_not_grow():
    sizes = (1e3, 1e4, 1e5, 1e6)
    assert exponent(sizes, [2 * n**1.3 for n in sizes]) == pytest.approx(1.3)
    assert exponent_beyond_start(sizes, [3 + 1e-5 * n**1.3 for n in sizes]) == pytest.approx(1.3)
    assert exponent_beyond_start(sizes[:3], [1.8, 1.7, 1.75]) < 0.1
