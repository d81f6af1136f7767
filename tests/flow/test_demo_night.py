"""The whole night, offline, on the bundled demo leagues; then what the next nights make of changed inputs."""

import json
import re

import numpy as np
import pytest

from store.edition import current, editions

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def demo(pooltable):
    done = pooltable("demo", "--no-serve")
    assert done.returncode == 0, done.stderr
    return done


def test_it_ends_with_a_published_leaderboard(demo, home, edition):
    board = edition(home, "FROM leaderboard WHERE league = 'demo_football'")
    assert board["rank"].drop_nulls().sort().to_list() == list(range(1, board["rank"].count() + 1))
    leagues = dict(edition(home, "SELECT league, is_simulated AND (fit_id IS NOT NULL) FROM league").rows())
    assert leagues == {"demo_football": True, "demo_stints": True}
    assert edition(home, "SELECT DISTINCT kind FROM leaderboard WHERE league = 'demo_stints'").item() == "player"


def test_every_result_of_the_files_is_in_the_edition(demo, home, edition):
    counts = dict(edition(home, "SELECT league, count(*) FROM game GROUP BY ALL").rows())
    assert counts == {"demo_football": 792, "demo_stints": 1568}
    assert edition(home, "SELECT count(*) FROM data_health WHERE severity = 'stop'").item() == 0


@pytest.mark.parametrize(
    ("league", "rated", "least90", "bounds50"),
    [("demo_football", 26, 19, (6, 21)), ("demo_stints", 64, 51, (21, 43))],
)
def test_the_fit_recovers_the_strengths_the_simulator_used(demo, home, edition, league, rated, least90, bounds50):
    """50 and 90 % intervals hold the truth at those rates (bounds with P < 0.01 of a healthy fit outside)."""
    rows = edition(
        home,
        f"""
        SELECT b.q5, b.q25, b.q75, b.q95, b.rating, t.value
             - avg(t.value) FILTER (WHERE b.rank IS NOT NULL) OVER () AS truth
        FROM leaderboard AS b
        JOIN truth AS t ON (t.league, t.competitor_id, t.component) = (b.league, b.competitor_id, 'total')
        WHERE b.league = '{league}'
        """,
    )
    inside90 = ((rows["q5"] <= rows["truth"]) & (rows["truth"] <= rows["q95"])).sum()
    inside50 = ((rows["q25"] <= rows["truth"]) & (rows["truth"] <= rows["q75"])).sum()
    assert len(rows) == rated
    assert inside90 >= least90
    assert bounds50[0] <= inside50 <= bounds50[1]
    assert np.corrcoef(rows["rating"], rows["truth"])[0, 1] > 0.75


def test_the_newcomer_is_pulled_to_the_middle_more_than_the_others(demo, home, edition):
    football = "SELECT name, games, shrinkage FROM leaderboard WHERE league = 'demo_football' ORDER BY games"
    board = edition(home, football)
    assert board["games"][0] == 8
    assert board["shrinkage"][0] == board["shrinkage"].max()
    assert board["shrinkage"][0] > 2 * board["shrinkage"].median()


def test_the_night_is_recorded_step_by_step(demo, home, edition, pooltable):
    steps = edition(home, "SELECT league, command, state FROM step ORDER BY number").rows()
    own = [step for step in steps if step[0] == "demo_football"]  # leagues go side by side
    assert own == [("demo_football", c, "done") for c in ("pull", "check", "fit --due", "forecast --due")]
    assert steps[-1] == (None, "publish --due", "running")  # the edition is written by that step
    assert "done" in pooltable("runs").stdout


@pytest.fixture(scope="module")
def first_night(demo, home, edition, pooltable):
    """The demo itself does not wait for NUTS; the first night audits what it has fitted."""
    assert edition(home, "SELECT count(*) FROM audit").item() == 0
    night = pooltable("nightly")
    assert night.returncode == 0, night.stderr
    return night


def test_the_first_night_audits_what_the_demo_has_fitted(first_night, home, edition):
    assert first_night.stdout.count("agrees with nuts") == 2
    audits = edition(home, "SELECT league, engine, verdict, is_whole FROM audit ORDER BY league").rows()
    assert audits == [(league, "joint", "agrees", True) for league in ("demo_football", "demo_stints")]
    assert edition(home, "SELECT count(*) FROM fit_check WHERE check_name = 'audit' AND status = 'pass'").item() == 12


def test_nothing_new_means_nothing_is_fitted_and_nothing_published(first_night, home, edition, pooltable):
    before = edition(home, "SELECT fit_id, fitted_at_utc FROM fit ORDER BY ALL").rows()
    count = len(editions(home))
    again = pooltable("nightly")
    assert again.returncode == 0, again.stderr
    assert edition(home, "SELECT fit_id, fitted_at_utc FROM fit ORDER BY ALL").rows() == before
    assert len(editions(home)) == count
    assert "publish: done: Nothing changed" in again.stdout
    assert again.stdout.count("nothing new: the fit of") == 2


def test_every_macros_example_of_the_demo_runs(demo, home, edition):
    comments = edition(home, "SELECT name, comment FROM data_dictionary WHERE object = 'macro'").rows()
    examples = {name: comment.split("Example: ")[1] for name, comment in comments}
    game = edition(home, "SELECT min(game_id) FROM simulated_game WHERE league = 'demo_football'").item()
    for name, example in examples.items():
        height = edition(home, example.replace("'g1'", f"'{game}'")).height
        assert height or name == "forecast_reliability", name  # no game that was forecast is over yet
    assert sum("'demo_football'" in example for example in examples.values()) > 15


def test_the_demo_forecasts_its_games_to_come_and_the_end_of_the_season(demo, home, edition):
    said = edition(home, "SELECT count(*), min(win + draw + loss), max(win + draw + loss) FROM forecast").row(0)
    assert said == (168, pytest.approx(1), pytest.approx(1))
    table = "SELECT sum(chances['champion']) AS titles FROM outlook GROUP BY \"table\""
    assert edition(home, table)["titles"].to_list() == pytest.approx([1, 1])
    assert edition(home, "SELECT count(*) FROM leverage").item() > 0


def test_sql_answers_from_the_command_line(demo, pooltable):
    best = "FROM leaderboard WHERE league = 'demo_football' ORDER BY rank LIMIT 3"
    asked = pooltable("sql", best, "--format", "json")
    assert asked.returncode == 0, asked.stderr
    assert [row["rank"] for row in json.loads(asked.stdout)] == [1, 2, 3]
    first, second = (row["name"] for row in json.loads(asked.stdout)[:2])
    query = "FROM win_probability('demo_football', $first, $second)"
    chances = pooltable("sql", query, "-p", f"first={first}", "-p", f"second={second}", "--format", "json")
    venues = json.loads(chances.stdout)
    assert [row["venue"] for row in venues] == ["a at home", "neutral", "b at home"]
    assert all(row["win"] + row["draw"] + row["loss"] == pytest.approx(1) for row in venues)
    assert venues[0]["win"] > venues[1]["win"] > venues[2]["win"]


def test_a_failed_league_leaves_its_ratings_up_and_the_others_go_on(demo, home, edition, pooltable):
    """The football league's file disappears and its stanza asks for what cannot be modelled: the night fails for it."""
    shown = edition(home, "SELECT fit_id FROM league WHERE league = 'demo_football'").item()
    before, text = current(home), home.leagues_toml.read_text()
    broken = re.sub(r'(\[demo_football\].*?)effects = \["home"\]', r'\1effects = ["wind"]', text, flags=re.DOTALL)
    assert broken != text
    home.leagues_toml.write_text(broken)
    try:
        night = pooltable("nightly")
    finally:
        home.leagues_toml.write_text(text)
    assert night.returncode == 1
    assert "wind" in night.stdout + night.stderr
    assert "Traceback" not in night.stdout + night.stderr
    assert "demo_stints: done" in night.stdout
    assert current(home) != before
    assert edition(home, "SELECT fit_id FROM league WHERE league = 'demo_football'").item() == shown


def test_rollback_pins_the_edition_before_until_unpinned(demo, home, pooltable):
    newest = current(home)
    assert pooltable("rollback").returncode == 0
    assert current(home) != newest
    assert pooltable("publish").returncode == 0
    assert current(home) < newest
    assert pooltable("publish", "--unpin").returncode == 0
    assert current(home) > newest


def test_status_tells_when_each_league_was_loaded_fitted_and_published(demo, pooltable):
    told = pooltable("status")
    assert told.returncode == 0
    for word in ("demo_football", "demo_stints", "accepted"):
        assert word in told.stdout
