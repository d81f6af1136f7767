"""`pooltable describe`: the model of a league before any fit, and what is said where there is none."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.pull import pull
from jobs.cli import app
from store.home import Home
from store.stanzas import add_stanza

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
runner = CliRunner()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("described"))
    for league in ("demo_football", "demo_stints"):
        pull(home, league, add_stanza(home, league), NOW)
    return home


def told(home: Home, *words: str, code: int = 0) -> str:
    done = runner.invoke(app, ["--home", str(home.root), "describe", *words])
    assert done.exit_code == code, done.output
    return done.output if code else done.stdout


def test_a_model_is_told_in_words_mathematics_and_priors(home):
    text = told(home, "demo_stints")
    assert "1,568 games of 224 contests, 2024-02-03 to 2025-08-09, as of 2025-08-10: 64 players." in text
    assert "(5 a side)" in text
    assert "eta(side) = intercept + home * x(side) + attack(side) - defence(other)" in text
    priors = [line.split() for line in text.splitlines()]
    assert ["attack", "base", "64", "HalfNormal(0.224)", "attack", "of", "a", "player"] in priors
    assert ["home", "Normal(0,", "2)", "home", "advantage"] in priors
    assert max(map(len, text.splitlines())) <= 100


def test_programs_get_the_design_itself(home):
    found = json.loads(told(home, "demo_football", "--format", "json"))
    assert (found["league"], found["games"], found["likelihood_name"]) == ("demo_football", 624, "poisson")
    assert [block["name"] for block in found["blocks"]] == ["attack", "defence"]


STANZA = """
[demo_football]
title = "T"
feed = "simulated_football"
source = "x.csv"
outcome = "{outcome}"
{more}
"""
MISTAKES = {
    "no game has that attribute": ("score", 'effects = ["team:divison"]', 'Did you mean "division"?'),
    "no side of the games has one": ("score", 'rate = ["player"]', 'Take "player" out'),
    "no game has two entrants with a place": ("order", "", 'choose outcome = "win"'),
    "means nothing for": ("score", 'noise = ["division"]', "Take `noise` out"),
    "needs a period": ("score", 'walk = ["team"]', 'Set period = "season"'),
    "no prior called": ("score", "priors = {atack = 1.0}", 'Did you mean "attack"?'),
    "has no likelihood": ("score", 'likelihood = "gamma"', "poisson"),
    "loaded and not rated": ("score", "rate = []", 'set rate = ["team"]'),
    "no league": ("score", "", "Did you mean"),
}


@pytest.mark.parametrize("said", MISTAKES)
def test_what_has_no_model_is_one_clear_sentence(home, tmp_path: Path, said):
    outcome, more, hint = MISTAKES[said]
    own = Home(tmp_path)
    (tmp_path / "warehouse.duckdb").symlink_to(home.warehouse)
    own.leagues_toml.write_text(STANZA.format(outcome=outcome, more=more))
    text = told(own, "demo_fotball" if said == "no league" else "demo_football", code=2 if said == "no league" else 1)
    assert said in text
    assert hint in text
    assert "Traceback" not in text


def test_a_league_without_results_says_what_to_load_first(tmp_path: Path):
    own = Home(tmp_path)
    add_stanza(own, "demo_football")
    text = told(own, "demo_football", code=1)
    assert "There is no warehouse" in text
    assert "Load results first: pooltable pull" in text


def test_a_model_with_everything_is_told(home, tmp_path: Path):
    """Groups, walks and slopes are each named in words, in the formula and among the priors."""
    own = Home(tmp_path)
    (tmp_path / "warehouse.duckdb").symlink_to(home.warehouse)
    more = 'group = "division"\nperiod = "season"\nwalk = ["team"]\neffects = ["home", "team:home"]'
    own.leagues_toml.write_text(STANZA.format(outcome="margin", more=more))
    text = told(own, "demo_football")
    for words in ("Who is new starts at the mean of its division", "Strengths move (team)", "deviations, pooled"):
        assert words in text, words
    for effect in ("team", "team_group", "team_walk", "team_home"):
        assert f"{effect}(first) - {effect}(second)" in " ".join(text.split()), effect
    assert max(map(len, text.splitlines())) <= 100
