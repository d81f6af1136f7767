"""The files that put Pooltable on a machine: every command in them is one of ours and parses, every path is there."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from dashboard.app import build_app
from jobs.alerts import Channels
from jobs.cli import app
from store.home import Home, Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "jobs" / "deploy"
OPERATIONS = ROOT / "dashboard" / "handbook" / "operations.md"
UNITS = sorted(DEPLOY.glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
ROOMS = ("store", "ingest", "modeling", "dashboard", "jobs")


def values(unit: Path, name: str) -> list[str]:
    """Everything that a unit file sets a name to."""
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def parses(words: list[str]) -> None:
    """Fails where there is no such command, or it does not take those options."""
    group = get_command(app)
    command = group.commands[words[0]]  # type: ignore[attr-defined]
    command.make_context(words[0], words[1:])


def test_parsing_tells_a_command_that_is_none():
    with pytest.raises(KeyError):
        parses(["scheduel"])
    with pytest.raises(Exception, match="no-such-option"):
        parses(["serve", "--no-such-option"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_command_of_ours_within_its_memory_and_as_nobody_else(unit):
    (start,) = values(unit, "ExecStart")
    program, *words = shlex.split(start)
    assert program == "/opt/pooltable/.venv/bin/pooltable"
    parses(words)
    assert values(unit, "User") == ["pooltable"]
    assert values(unit, "ProtectSystem") == ["strict"] and values(unit, "NoNewPrivileges") == ["yes"]
    assert re.fullmatch(r"\d+G", values(unit, "MemoryMax")[0])
    assert "POOLTABLE_HOME=/var/lib/pooltable" in " ".join(values(unit, "Environment"))
    assert values(unit, "StateDirectory") == ["pooltable"], "which is /var/lib/pooltable"


def test_there_is_a_unit_a_process_and_a_timer_for_the_backup():
    assert [unit.name for unit in UNITS] == [
        "pooltable-backup.service",
        "pooltable-dashboard.service",
        "pooltable-scheduler.service",
    ]
    (timer,) = DEPLOY.glob("*.timer")
    assert timer.with_suffix(".service") in UNITS
    assert values(timer, "Persistent") == ["true"] and "UTC" in values(timer, "OnCalendar")[0]
    (backup,) = (unit for unit in UNITS if "backup" in unit.name)
    assert values(backup, "ReadWritePaths")[0] in values(backup, "ExecStart")[0]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_every_unit(tmp_path):
    """In a copy whose program is there, since systemd looks for it."""
    for unit in DEPLOY.glob("pooltable-*"):
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/pooltable/.venv/bin/pooltable", "/bin/true"))
    units = sorted(tmp_path.iterdir())
    said = subprocess.run(["systemd-analyze", "verify", *map(str, units)], capture_output=True, text=True, check=False)
    assert len(units) == 4
    assert (said.returncode, said.stderr) == (0, "")
    units[0].write_text(units[0].read_text().replace("[Service]", "[Service]\nMemoryMacs=1G"))
    said = subprocess.run(["systemd-analyze", "verify", str(units[0])], capture_output=True, text=True, check=False)
    assert "MemoryMacs" in said.stderr, "it says what it does not understand"


def test_every_variable_of_ours_is_one_that_is_read():
    """A setting, or one of the alerts', which the handbook lists."""
    text = "\n".join(path.read_text() for path in DEPLOY.iterdir())
    named = set(re.findall(r"POOLTABLE_[A-Z_]+", text))
    known = {f"POOLTABLE_{name.upper()}" for name in Settings.model_fields}
    assert "POOLTABLE_JOBS" in named & known
    assert named - known <= set(re.findall(r"POOLTABLE_[A-Z_]+", OPERATIONS.read_text()))


@pytest.mark.parametrize("name", ["scheduler", "dashboard"])
def test_a_service_runs_a_command_of_ours_within_its_memory(name):
    service = COMPOSE["services"][name]
    parses(service["command"])
    assert re.fullmatch(r"\dg", service["mem_limit"])
    assert service["cap_drop"] == ["ALL"] and service["restart"] == "unless-stopped"
    (volume,) = service["volumes"]
    assert volume.split(":")[0] in COMPOSE["volumes"]
    assert f"POOLTABLE_HOME={volume.split(':')[1]}" in DOCKERFILE and f"VOLUME {volume.split(':')[1]}" in DOCKERFILE
    built = service["build"]
    assert (DEPLOY / built["context"]).resolve() == ROOT and (ROOT / built["dockerfile"]).samefile(
        DEPLOY / "Dockerfile"
    )


def test_the_scheduler_is_told_of_every_way_in_which_it_may_tell():
    ways = {f"POOLTABLE_{name.upper()}" for name in Channels.model_fields}
    assert ways <= COMPOSE["services"]["scheduler"]["environment"].keys()


def test_the_dashboard_asks_for_a_token_and_is_reached_from_this_machine_alone():
    service = COMPOSE["services"]["dashboard"]
    assert service["environment"]["POOLTABLE_TOKEN"].startswith("${POOLTABLE_TOKEN:?"), "there is none by default"
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_health_check_is_a_program_that_asks_a_page_there_is(tmp_path):
    _, python, option, code = COMPOSE["services"]["dashboard"]["healthcheck"]["test"]
    assert (python, option) == ("python", "-c")
    compile(code, "healthcheck", "exec")
    (port, path) = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", code)[0]
    assert COMPOSE["services"]["dashboard"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"EXPOSE {port}" in DOCKERFILE
    rules = {rule.rule for rule in build_app(Home(tmp_path)).server.url_map.iter_rules()}
    assert path in rules


def test_the_scheduler_is_asked_how_it_is_by_the_doctor():
    kind, program, *words = COMPOSE["services"]["scheduler"]["healthcheck"]["test"]
    assert (kind, program, words) == ("CMD", "pooltable", ["doctor"])
    parses(words)


def test_the_image_holds_every_room_runs_as_nobody_and_has_our_python():
    copied = [
        line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY") and "--from" not in line
    ]
    sources = {source for line in copied for source in line}
    assert set(ROOMS) | {"data", "pyproject.toml", "requirements.lock"} <= sources
    assert all((ROOT / source).exists() for source in sources)
    allowed = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert allowed == sources, "what is copied is what is sent, and nothing else"
    assert re.search(r"^USER [1-9]\d+$", DOCKERFILE, re.MULTILINE)
    versions = set(re.findall(r"FROM python:([\d.]+)", DOCKERFILE))
    assert versions == {(ROOT / ".python-version").read_text().strip()}
    assert 'ENTRYPOINT ["pooltable"]' in DOCKERFILE
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert "pooltable" in scripts


def test_nothing_that_is_sent_to_the_image_is_a_home():
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert "data/home" in ignored[ignored.index("!data") :]
    assert str(Settings.model_fields["home"].default) == "data/home"


def test_the_handbook_types_commands_as_the_service_does():
    """As its user, who owns the files, and where that user can write."""
    unit = DEPLOY / "pooltable-scheduler.service"
    (typed,) = re.findall(r"^ *pooltable\(\) { (.*); }$", OPERATIONS.read_text(), re.MULTILINE)
    (user,), (start,) = values(unit, "User"), values(unit, "ExecStart")
    homes = sorted(word for line in values(unit, "Environment") for word in line.split() if "HOME=" in word)
    assert shlex.split(typed) == ["sudo", "-u", user, "env", *homes, start.split()[0], "$@"]
