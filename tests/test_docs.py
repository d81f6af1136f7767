"""Documentation that can fail: every command that README and handbook show is run, and what exists is documented."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
import requests
import tomlkit

from dashboard import handbook
from dashboard.app import build_app
from store.home import Home

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
WALKED = "club"  # from a file to a link in a home of its own: tests/flow/test_walk_club.py
HANDBOOK = {name: handbook.text(name) for name in handbook.names() if name != WALKED}
PAGES = [README, *HANDBOOK.values()]
BLOCKING = ("serve", "schedule")
pytestmark = pytest.mark.timeout(900)


def blocks(language: str, page: str) -> list[str]:
    """The code blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def shown(language: str, *pages: str) -> list[str]:
    """Lines of the pages' code blocks of one language, comments cut."""
    lines = [line for page in pages for block in blocks(language, page) for line in block.splitlines()]
    return [line.split("    #")[0].strip() for line in lines if line.strip()]


COMMANDS = [line for line in shown("sh", *PAGES) if line.startswith("pooltable ")]
OUTLOOK = [line for line in shown("shell", README) if line.startswith("pooltable ")]  # minutes of a real league


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def words_of(line: str, home: Path) -> list[str]:
    words = [word.replace("\\$", "$") for word in shlex.split(line)]
    if words[1:] == ["add", "international_football"]:  # the same file, from where it lies here
        words += ["--source", str(Path(os.environ["POOLTABLE_REAL_DATA"]) / "international_football" / "results.csv")]
    if "club.csv" in words:
        words[words.index("club.csv")] = str(home / "club.csv")
    if words[1:] == ["add", "english_football"]:
        words += ["--source", str(Path(os.environ["POOLTABLE_REAL_DATA"]) / "club_football" / "*" / "en.*.json")]
    return [sys.executable, "-m", "jobs.cli", *words[1:]]


def run(line: str, home: Path) -> str:
    environment = {**os.environ, "POOLTABLE_HOME": str(home)}
    done = subprocess.run(
        words_of(line, home), capture_output=True, text=True, env=environment, timeout=600, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def start_and_stop(line: str, home: Path) -> None:
    """Starts a command that runs until stopped, waits until it is at work, and stops it as a service manager does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    extra = ["--port", str(port)] if "serve" in line else []
    environment = {**os.environ, "POOLTABLE_HOME": str(home)}
    process = subprocess.Popen(
        [*words_of(line, home), *extra], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not at_work(line, port, home):
            assert process.poll() is None, process.communicate()
            time.sleep(0.2)
        assert at_work(line, port, home)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def at_work(line: str, port: int, home: Path) -> bool:
    if "schedule" in line:
        return any(home.rglob("*sched*lock*"))
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.mark.real
def test_every_command_of_the_readme_runs_in_its_order(home):
    if not os.environ.get("POOLTABLE_REAL_DATA"):
        pytest.skip("POOLTABLE_REAL_DATA is not set: the README's real league has no file here")
    (results,), (mapped,) = blocks("csv", README), blocks("toml", README)
    (home / "club.csv").write_text(results)
    for line in COMMANDS:
        if line == "pooltable pull club":
            mend(home, mapped)
        if line.split()[1] in BLOCKING:
            start_and_stop(line, home)
            continue
        if line.split()[1] == "rollback":
            run("pooltable publish", home)  # so that there is an edition to go back to
        run(line, home)
    (statements,), (script,) = blocks("sql", README), blocks("python", README)
    more = "".join(block for page in HANDBOOK.values() for block in blocks("sql", page))
    answers_what_was_asked((statements + more).replace("data/home/editions", str(home / "editions")))
    script = script.replace("data/home/editions", str(home / "editions"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    for word in ("a at home: Spain wins with", "earlier_rank"):
        assert word in done.stdout
    answers_by_curl(home)


def mend(home: Path, stanza: str) -> None:
    """Puts the stanza that the README shows in the place of the one that was proposed."""
    file, wanted = home / "leagues.toml", tomlkit.parse(stanza)["club"]
    there = tomlkit.parse(file.read_text())
    proposed = there["club"].unwrap()
    assert {name: proposed[name] for name in ("feed", "outcome", "columns")} == {
        name: wanted.unwrap()[name] for name in ("feed", "outcome", "columns")
    }
    wanted["source"] = proposed["source"]
    there["club"] = wanted
    file.write_text(tomlkit.dumps(there))


def answers_by_curl(home: Path) -> None:
    """What `curl` is told of the real league is what SQL says."""
    client = build_app(Home(home)).server.test_client()
    lines = [line for line in shown("sh", README) if line.startswith("curl ")]
    answers = [client.get(shlex.split(line)[-1].removeprefix("http://127.0.0.1:8050")) for line in lines]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "a at home" in answers[0].text and "earlier_rank" in answers[1].text


@pytest.mark.slow
@pytest.mark.real
def test_the_readmes_outlook_is_what_its_commands_say(home):
    """Its numbers to a hundredth or two of a chance, and half a point: other processors draw other seasons."""
    if not os.environ.get("POOLTABLE_REAL_DATA"):
        pytest.skip("POOLTABLE_REAL_DATA is not set: the README's real league has no file here")
    said = {line: told(run(line, home)) for line in OUTLOOK}
    free, given = (said[line] for line in OUTLOOK if "simulate" in line)
    shown_there = told(README.partition("```\nen.1:\n")[2].partition("```")[0])
    assert len(shown_there) == 5
    for name, numbers in shown_there.items():
        assert free[name] == pytest.approx(numbers, abs=2), name
    assert given["Liverpool FC"][-2] < free["Liverpool FC"][-2] and f"{given['Liverpool FC'][-2]:.0f} %" in README


def told(page: str) -> dict[str, list[float]]:
    """The numbers of each row of tables on the screen, by name: empty, <1% and >99% are 0, 0.5 and 99.5."""
    found = {}
    for line in page.splitlines():
        name, *cells = re.split(r"\s{2,}", line.strip())
        if re.search(r"\d", line) and cells and re.fullmatch(r"[A-Z].* (FC|AFC)|AFC .*", name):
            numbers = " ".join(cells).replace("<1%", "0.5%").replace(">99%", "99.5%")
            found[name] = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", numbers)]
    return found


def answers_what_was_asked(statements: str) -> None:
    """Who would win at home, how sure, and what changed since last week."""
    with duckdb.connect() as con:
        found = []
        for statement in con.extract_statements(statements):
            cursor = con.execute(statement)
            names = [column[0] for column in cursor.description or []]
            found += [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    (at_home,) = [row for row in found if row.get("venue") == "a at home"]
    assert at_home["win_q5"] < at_home["win"] < at_home["win_q95"] and 0 < at_home["skill"] < 1
    moved = [row for row in found if "p_up" in row]
    assert len(moved) == 5 and all(row["rating"] != row["earlier_rating"] and row["p_up"] > 0 for row in moved)
    assert {(row["basis"], str(row["since"]), row["note"]) for row in moved} == {("backfilled", "2023-12-10", None)}
    assert [row["rank"] for row in found if "rank_low" in row] == [1, 2, 3, 4, 5]


def test_the_readme_shows_commands_at_all():
    assert len(COMMANDS) >= 30
    assert {"make demo", "make test"} <= set(shown("sh", README))


def test_every_make_target_that_is_shown_exists():
    targets = set(re.findall(r"(?:`|^)make ([a-z-]+)", "\n".join(PAGES), re.MULTILINE))
    for target in targets:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=True)


def test_every_command_has_help_with_an_example():
    from typer.main import get_command

    from jobs.cli import app

    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        assert command.help, name
        assert "Example: pooltable" in (command.epilog or ""), name


def test_every_table_of_an_edition_is_in_the_handbook(tmp_path):
    from datetime import UTC, datetime

    from store.edition import publish
    from store.warehouse import writing

    home = Home(tmp_path)
    with writing(home):
        pass
    edition = publish(home, [], datetime(2026, 1, 1, tzinfo=UTC))
    with duckdb.connect(str(edition), read_only=True) as con:
        tables = {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    documented = set(re.findall(r"`([a-z_]+)`", HANDBOOK["sql"].partition("| table |")[2]))
    assert tables <= documented, tables - documented


def test_each_room_has_a_readme():
    for room in ("store", "ingest", "modeling", "dashboard", "jobs"):
        assert (ROOT / room / "README.md").exists(), room
