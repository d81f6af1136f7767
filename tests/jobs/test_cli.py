"""The command: doors that open the right room with the right words, and say what came of it."""

import json
import logging
import re
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from ingest.snapshots import note_standing_in
from jobs import console, doors_nights
from jobs.alerts import look
from jobs.cli import app
from jobs.doors import utc_now
from jobs.night import Outcome
from jobs.status import status
from store.edition import publish
from store.errors import FitError
from store.history import History, Run
from store.stanzas import read_stanzas
from store.warehouse import writing

pytestmark = pytest.mark.usefixtures("_logging_as_it_was")
COMMANDS = (
    "demo", "leagues", "add", "alias", "remove", "describe", "pull", "check", "fit", "publish", "rollback", "nightly",
    "schedule", "status", "doctor", "runs", "serve", "sql", "backtest", "backfill", "compare", "forecast",
    "simulate", "backup", "restore",
)  # fmt: skip


@dataclass
class Fitted:
    """What modeling.fit.keep_fit returns, and prepare_fit where nothing is due."""

    fit_id: str = "f1"
    verdict: str = "accepted"
    reasons: list[str] = field(default_factory=list)
    is_new: bool = True
    games: int = 3
    summary: str = "alps: accepted, 3 games"


@dataclass
class Pulled:
    """What ingest.pull.pull returns."""

    rows_read: int
    summary: str


@dataclass
class Finding:
    """What ingest.checks.check returns a list of."""

    severity: str
    check_name: str = "played_self"
    subject: str = "game g1"
    message: str = "a team played itself"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run, command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"pooltable {command}" in result.output


def test_there_are_no_other_commands():
    assert sorted(info.callback.__name__ for info in app.registered_commands if info.callback) == sorted(COMMANDS)


def test_help_opens_no_room():
    code = (
        "import sys; from jobs.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'pymc', 'duckdb', 'polars', 'dash', 'pydantic', 'ingest', 'modeling'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_checks_that_stop_end_with_1_and_warnings_do_not(run, room):
    room("ingest.checks", check=lambda home, league, now: [Finding("warn")])
    assert run("check", "alps").stdout.splitlines()[-1] == "alps: nothing stops it; one warning"
    room("ingest.checks", check=lambda home, league, now: [Finding("warn"), Finding("stop")])
    result = run("check", "alps")
    assert result.exit_code == 1
    assert "alps: stop: played_self: game g1: a team played itself" in result.stdout


def test_fitting_hands_everything_on(run, room):
    asked = {}

    def prepare_fit(home, league, stanza, now, **options):
        asked.update(league=league, **options)
        return "task"

    def make_fit(task, tell):
        assert task == "task"
        tell("sampling", 0.5)
        return "made"

    def keep_fit(_home, made, _tell):
        assert made == "made"
        return Fitted()

    room("modeling.fit", prepare_fit=prepare_fit, make_fit=make_fit, keep_fit=keep_fit, Fitted=Fitted)
    words = "fit alps --due --as-of 2023-12-31 --engine nuts --audit --again --override"
    result = run(*words.split(), "I know")
    assert (result.exit_code, result.stdout) == (0, "alps: accepted, 3 games\n")
    assert asked == {
        "league": "alps", "as_of": date(2023, 12, 31), "engine": "nuts", "due": True, "override": "I know",
        "audited": True, "again": True,
    }  # fmt: skip
    assert [json.loads(line)["message"] for line in result.stderr.splitlines()] == [
        "fit alps: games and model (0 % done)",
        "fit alps: sampling (50 % done)",
        "fit alps: 3 rows",
    ]


@pytest.mark.parametrize("command", ["pull", "check", "fit"])
@pytest.mark.parametrize("names", [(), ("alps", "andes")])
def test_one_stanza_that_is_wrong_is_told_at_the_end_and_the_other_leagues_go_on(run, room, home, command, names):
    home.leagues_toml.write_text(home.leagues_toml.read_text().replace("refit", "refitt", 1))
    asked = []

    def giving(result):
        return lambda _home, league, *_a, **_k: asked.append(league) or result

    room("ingest.checks", check=giving([]))
    room("ingest.pull", pull=giving(Pulled(1, "andes: done")))
    room("modeling.fit", prepare_fit=giving(Fitted(summary="andes: done")), make_fit=None, keep_fit=None, Fitted=Fitted)
    result = run(command, *names)
    assert (result.exit_code, asked) == (2, ["andes"])
    assert result.stdout.startswith("andes: ")
    assert 'league alps: unknown setting "refitt". Did you mean "refit"?' in result.stderr.splitlines()[-1]
    assert run(command, "alps").exit_code == 2


def test_leagues_lists_those_that_are_sound_and_names_the_others(run, home):
    home.leagues_toml.write_text(home.leagues_toml.read_text().replace("refit", "refitt", 1))
    result = run("leagues")
    assert result.exit_code == 2
    assert [line.split()[0] for line in result.stdout.splitlines() if line.endswith("yes")] == ["andes"]
    assert "league alps: unknown setting" in result.stderr


def test_a_rejected_fit_ends_with_1_and_its_reasons(run, room):
    rejected = Fitted(verdict="rejected", reasons=["R-hat 1.2", "too few"])
    room("modeling.fit", prepare_fit=lambda *_a, **_k: rejected, make_fit=None, keep_fit=None, Fitted=Fitted)
    result = run("fit", "alps")
    assert result.exit_code == 1
    assert "alps: fit f1 was rejected: R-hat 1.2; too few" in result.stderr
    stands = Fitted(verdict="rejected", reasons=["R-hat 1.2"], is_new=False)
    room("modeling.fit", prepare_fit=lambda *_a, **_k: stands, make_fit=None, keep_fit=None, Fitted=Fitted)
    assert "alps: fit f1 was rejected, of the same games as before: R-hat 1.2" in run("fit", "alps").stderr


def test_a_league_without_ratings_is_loaded_and_not_fitted(run, room, home):
    def prepare_fit(*_args, **_more):
        raise FitError("must not be called")

    room("modeling.fit", prepare_fit=prepare_fit)
    home.leagues_toml.write_text(home.leagues_toml.read_text().replace("[andes]", "[andes]\nrate = []"))
    result = run("fit", "andes")
    assert (result.exit_code, result.stdout) == (0, "andes: loaded but not rated (rate = [] in its stanza)\n")


def test_adding_and_removing_a_league(run, home, tmp_path):
    (tmp_path / "results.csv").write_text("")
    assert run("add", "international_football", "--source", str(tmp_path / "results.csv")).exit_code == 0
    assert "international_football" in read_stanzas(home)
    assert "international_football" in run("leagues").stdout
    assert run("remove", "international_football").exit_code == 0
    assert "international_football" not in read_stanzas(home)


def test_publishing_rolling_back_and_unpinning(run, published, home):
    assert run("publish").exit_code == 0
    back = run("rollback")
    assert (back.exit_code, published.stem in back.stdout) == (0, True)
    assert f"readers still see {published.stem}" in run("publish").stdout
    assert "still" not in run("publish", "--unpin").stdout
    assert home.current.resolve() != published


def test_publishing_nothing_is_an_error(run):
    result = run("publish")
    assert result.exit_code == 1
    assert "no warehouse" in result.stderr


def test_status_in_an_empty_home_and_after_publishing(run, home):
    first = run("status")
    assert first.exit_code == 0
    assert "Readers see no edition" in first.stdout
    assert "never" in first.stdout
    with writing(home) as con:
        con.execute(
            "INSERT INTO league VALUES ('alps', 'Alps', 'csv', 'score', ['a'], 'CC0', false, '{}', '2026-03-01')"
        )
        con.execute(
            "INSERT INTO load VALUES ('l', 'alps', 'a', now() AT TIME ZONE 'UTC' - INTERVAL 3 DAY, 'a', 'aa', NULL,"
            " now(), 'x', 1, 1, 0, 0, 0, 0)"
        )
    path = publish(home, ["alps"], utc_now())
    second = run("status").stdout
    assert "3 days ago" in second
    assert f"Readers see {path.stem}, published just now." in second
    home.runs.write_bytes(b"damaged" * 1000)
    third = run("status")
    assert (third.exit_code, "3 days ago" in third.stdout) == (0, True)
    assert f"The run history cannot be read: {home.runs} is damaged: file is not a database. Move it" in third.stdout
    assert third.stdout.splitlines()[2].split()[:2] == ["alps", "?"], "nobody knows of its last night"


def test_status_says_since_when_snapshots_stand_in_for_a_source(home):
    began, asked = datetime(2026, 3, 1, 4, 0, tzinfo=UTC), datetime(2026, 3, 3, 5, 0, tzinfo=UTC)
    note_standing_in(home.raw / "alps", ["https://host/a.csv", "https://host/b.csv"], began)
    since = (
        "alps: the last snapshots stand in since 2026-03-01 04:00 UTC (49 hours ago) for https://host/a.csv and 1 more."
    )
    assert since in status(home, asked).notes
    note_standing_in(home.raw / "alps", [], asked)
    assert not any("stand in" in note for note in status(home, asked).notes)


HOLDER = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def test_status_works_while_another_process_holds_the_warehouse(run, home, published, monkeypatch):
    monkeypatch.setenv("POOLTABLE_LOCK_WAIT_SECONDS", "0.2")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        result = run("status")
        other.communicate()
    assert result.exit_code == 0
    assert f"process {other.pid}" in result.stdout
    assert published.stem in result.stdout


@pytest.mark.parametrize("is_done", [True, False])
def test_a_night_says_a_line_a_league_and_ends_as_it_went(run, home, monkeypatch, is_done):
    monkeypatch.setattr(
        "jobs.night.run_night",
        lambda night, wait: [Outcome(name, is_done, f"{name} went") for name in night.run.leagues],
    )
    result = run("nightly", "alps")
    assert result.exit_code == (0 if is_done else 1)
    assert result.stdout == f"alps: {'done' if is_done else 'FAILED'}: alps went\n"


def test_runs_lists_nights_and_steps(run, home, make_night):
    from jobs.night import run_night

    assert run("runs").stdout == "Nothing ran here yet.\n"
    night = make_night({"check alps": "fail"}, leagues=("alps",))
    run_night(night)
    assert night.run.run_id in run("runs").stdout
    steps = run("runs", night.run.run_id).stdout
    assert "it went wrong" in steps
    assert "skipped" in steps
    assert "failed: alps (check: it went wrong" in run("runs").stdout
    assert run("runs", "--incidents").stdout == "Nothing has stood wrong here.\n"
    look(home, night.run.started_at)
    assert "  alps: the night failed: check: it went wrong" in run("runs", "--incidents").stdout


def test_runs_are_shown_of_a_league_from_a_day_on_and_so_many(run, home):
    history = History(home.runs)
    for number, leagues in enumerate((("alps", "andes"), ("alps",), ("andes",), ("alps",)), 1):
        began = datetime(2026, 3, number, 4, 0, tzinfo=UTC)
        history.start_run(Run(f"r{number}", "manual", leagues, began), 1)
        history.end_run(f"r{number}", began, "failed", "leagues.toml is not TOML")
        history.begin_incident("failed", leagues[0], "why", began)
        history.end_incident(number, began)

    def shown(*words):
        return re.findall(r"r\d(?= )|2026-03-0\d(?= 04:00  2)", run("runs", *words).stdout)

    assert shown() == ["r4", "r3", "r2", "r1"]
    assert shown("--league", "andes") == ["r3", "r1"]
    assert shown("--since", "2026-03-02", "--limit", "2") == ["r4", "r3"]
    assert shown("--incidents", "--league", "alps", "--since", "2026-03-02") == ["2026-03-02", "2026-03-04"]
    assert shown("--incidents", "--limit", "1") == ["2026-03-04"]
    assert "leagues.toml is not TOML" in run("runs", "r1").stdout, "a run that had no step says why"
    assert run("runs", "r1", "--follow").exit_code == 0


def test_a_taken_port_is_told_before_any_work(run, home, monkeypatch):
    monkeypatch.setattr(doors_nights, "_run", lambda *_: pytest.fail("work was begun"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("demo", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert "--port" in result.stderr


def test_regenerating_the_demo_only_writes_files(run, room, tmp_path, home):
    written = []
    room("ingest.simulator", write_demo=written.append)
    assert run("demo", "--regenerate", str(tmp_path / "new")).exit_code == 0
    assert written == [tmp_path / "new"]
    assert not home.warehouse.exists()


def test_retries_are_not_logged_in_the_words_of_urllib3(capfd):
    console.set_up_logging()
    logging.getLogger("urllib3.connectionpool").warning("Retrying (Retry(total=3)) after connection broken by ...")
    logging.getLogger("ingest.pull").info("ours")
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "ours"


def test_log_lines_are_json_off_a_terminal():
    record = logging.LogRecord("jobs.night", logging.INFO, "f", 1, "Åland: %s", ("2\n3",), None)
    line = console.JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "Åland: 2\n3"
