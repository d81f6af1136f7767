"""`pooltable backtest` on a bundled league: what it prints, stores and publishes, and what it says of mistakes."""

from datetime import UTC, datetime

import duckdb
import pytest
from typer.testing import CliRunner

from ingest.pull import pull
from jobs.cli import app
from store.edition import current, publish
from store.home import Home
from store.stanzas import add_stanza
from store.warehouse import reading

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
LEAGUE = "demo_football"
runner = CliRunner()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> Home:
    home = Home(tmp_path_factory.mktemp("backtested"))
    pull(home, LEAGUE, add_stanza(home, LEAGUE), NOW)
    return home


def told(home: Home, *words: str, code: int = 0) -> str:
    done = runner.invoke(app, ["--home", str(home.root), "backtest", *words])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def days(loaded) -> tuple[str, str]:
    """First and last day of the league's last fifth."""
    with reading(loaded) as con:
        return con.execute(
            "SELECT quantile_disc(played_on, 0.8)::VARCHAR, max(played_on)::VARCHAR FROM game WHERE league = ?",
            [LEAGUE],
        ).fetchall()[0]


@pytest.fixture(scope="module")
def page(loaded, days) -> str:
    first, last = days
    return told(loaded, LEAGUE, "--from", first, "--to", last, "--every", "300d")


def rows(home: Home, sql: str) -> list[tuple]:
    with reading(home) as con:
        return con.execute(sql).fetchall()


def test_it_prints_every_forecaster_and_the_comparisons_in_words(page):
    assert "fitted (joint) to the games before each of" in page
    for title in ("our model", "our model without pooling", "Elo", "Glicko-2", "what is usual at home"):
        assert f"\n{title} " in page
    assert "Beats what is usual by " in page


def test_forecasts_are_stored_a_game_and_forecaster_and_add_up(loaded, page, days):
    found = rows(loaded, "SELECT forecaster, games, log_loss FROM backtest WHERE slice_kind = 'all'")
    own = "SELECT count(*), avg(log_loss) FROM backtest_forecast WHERE forecaster = '{}'"
    for forecaster, games, loss in found:
        ((count, mean),) = rows(loaded, own.format(forecaster))
        assert (count, mean) == (games, pytest.approx(loss)), forecaster
    played = f"SELECT count(*) FROM game WHERE status = 'played' AND played_on BETWEEN '{days[0]}' AND '{days[1]}'"
    assert rows(loaded, played) == rows(loaded, "SELECT count(*) FROM backtest_forecast WHERE forecaster = 'model'")
    assert rows(loaded, "SELECT count(*) FROM backtest_forecast WHERE cut_on > played_on") == [(0,)]
    assert rows(loaded, "SELECT max(abs(win + draw + loss - 1)) < 1e-9 FROM backtest_forecast") == [(True,)]


def test_the_same_backtest_again_takes_the_place_of_the_first_and_finds_the_same(loaded, page, days):
    before = rows(loaded, "SELECT * EXCLUDE (made_at_utc) FROM backtest ORDER BY ALL")
    assert told(loaded, LEAGUE, "--from", days[0], "--to", days[1], "--every", "300d") == page
    assert rows(loaded, "SELECT * EXCLUDE (made_at_utc) FROM backtest ORDER BY ALL") == before


def test_editions_have_it(loaded, page):
    publish(loaded, [LEAGUE], NOW)
    with duckdb.connect(str(current(loaded)), read_only=True) as con:
        shown = con.execute("SELECT count(*) FROM backtest").fetchall()
        games = con.execute("SELECT count(DISTINCT game_id) FROM backtest_forecast").fetchall()
    assert shown == rows(loaded, "SELECT count(*) FROM backtest")
    assert games == rows(loaded, "SELECT count(DISTINCT game_id) FROM backtest_forecast")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--from", "2024-02-01", "--to", "2024-01-01"), 2, "--from 2024-02-01 is after --to 2024-01-01"),
        (("--from", "2024-02-01", "--to", "2024-03-01", "--every", "4w"), 2, "for example: --every 28d"),
        (("--from", "2050-02-01", "--to", "2050-03-01"), 1, "no game with a result from 2050-02-01 to 2050-03-01"),
        (("--from", "1950-02-01", "--to", "2050-03-01"), 1, "no game before 1950-02-01 to learn from"),
    ],
)
def test_mistakes_are_told_plainly(loaded, words, code, said):
    assert said in told(loaded, LEAGUE, *words, code=code)


def test_a_league_that_was_never_loaded_is_told_so(loaded):
    add_stanza(loaded, "demo_stints")
    text = told(loaded, "demo_stints", "--from", "2024-02-01", "--to", "2024-03-01", code=1)
    assert "demo_stints: no played games are loaded" in text
    assert "pooltable pull demo_stints" in text
