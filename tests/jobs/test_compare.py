"""`pooltable compare`: what it prints of a league's models, and what it says to what makes no sense."""

from datetime import UTC, date, datetime

import pytest
from typer.testing import CliRunner

from ingest.pull import pull
from jobs.cli import app
from jobs.comparisons import HIGH_SHOWN, compared
from store.home import Home
from store.stanzas import add_stanza
from store.warehouse import reading

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
runner = CliRunner()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("compared"))
    pull(home, "demo_football", add_stanza(home, "demo_football"), NOW)
    return home


def told(home: Home, *words: str, code: int = 0) -> str:
    done = runner.invoke(app, ["--home", str(home.root), "compare", *words])
    assert done.exit_code == code, done.output
    return done.output if code else done.stdout


def test_ways_of_pooling_are_compared_printed_and_stored(home: Home) -> None:
    text = told(home, "demo_football")
    lines = text.splitlines()
    assert lines[0] == "Each game forecast from all the others (PSIS-LOO), 624 games"
    assert [line.split("  ")[0] for line in lines[4:7]] == ["partial pooling", "no pooling", "complete pooling"]
    assert "Complete pooling forecasts worse than partial pooling by " in text
    assert "The same by WAIC" in text and "k-hat above 0.7" not in text
    with reading(home) as con:
        stored = con.execute("SELECT sentence FROM comparison WHERE method = 'loo'").fetchall()
    assert all(sentence in text for (sentence,) in stored) and len(stored) == 3


def test_variants_of_the_stanza_are_asked_for_as_toml(home: Home) -> None:
    text = told(home, "demo_football", "--with", 'effects = []; likelihood = "negative_binomial"')
    assert "Negative binomial, without home forecasts worse than poisson, with home by " in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["demo_footbal"], 2, 'Did you mean "demo_football"?'),
        (["demo_football", "--with", "efects = []"], 2, 'Did you mean "effects"?'),
        (["demo_football", "--with", "effects = ["], 2, "'effects = [' cannot be read as settings."),
        (["demo_football", "--with", 'effects = ["altitude"]'], 2, 'asks for "altitude"'),
        (["demo_football", "--with", 'likelihood = "normal"'], 2, "one gives results a density"),
        (["demo_football", "--with", 'likelihood = "guess"'], 2, "There are: poisson, negative_binomial"),
        (["demo_football", "--method", "guess"], 2, "'guess' is not one of"),
        (["demo_football", "--engine", "guess"], 2, "'guess' is not one of"),
    ],
)
def test_mistakes_are_told_plainly(home: Home, words: list[str], code: int, message: str) -> None:
    assert message in told(home, *words, code=code)


def test_games_of_high_k_hat_are_listed_once_and_not_without_end() -> None:
    row = {
        "variant": "poisson", "is_own": True, "elpd": -10.0, "difference": None, "difference_se": None, "p_eff": 2.0,
        "worst_k": 0.9, "high_k": 12, "refitted": 0, "doubtful": 12, "games": 50, "method": "loo", "sentence": "Said.",
    }  # fmt: skip
    games = [
        {"game_id": f"g{n}", "played_on": date(2001, 4, 11), "sides": "Australia – American Samoa", "result": f"{n}–0",
         "k_hat": n / 10, "elpd": -float(n), "is_high": n > 7, "variant": model}
        for n in range(31) for model in ("poisson", "normal")
    ]  # fmt: skip
    weighty, unexpected = compared([row], games).split("Games that were expected least")
    assert f"(k-hat above 0.7), {HIGH_SHOWN} of 23" in weighty
    shown = [line.split() for line in weighty.splitlines() if "American" in line]
    game = ["2001-04-11", "Australia", "–", "American", "Samoa", "30–0", "-30.0", "3.00", "poisson"]
    assert len(shown) == HIGH_SHOWN and shown[0] == [*game[:-1], "poisson,", "normal"]
    assert next(line.split() for line in unexpected.splitlines() if "American" in line) == game
