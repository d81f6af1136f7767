"""The same path on the real men's internationals since 2014, from the public file to ratings people can recognise."""

import json

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.real, pytest.mark.timeout(900)]

LEAGUE = "international_football"


@pytest.fixture(scope="module")
def night(pooltable, real_data):
    added = pooltable("add", LEAGUE, "--source", str(real_data / LEAGUE / "results.csv"))
    assert added.returncode == 0, added.stderr
    done = pooltable("nightly")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_strongest_of_2023_are_on_top_with_overlapping_intervals(night, home, edition):
    board = edition(home, "SELECT name, rank, rank_low, rank_high, q5, q95, as_of::VARCHAR AS as_of FROM leaderboard")
    assert set(board["as_of"]) == {"2023-12-17"}
    rank = dict(zip(board["name"], board["rank"], strict=True))
    strong = ["Argentina", "France", "Brazil", "England", "Spain", "Portugal", "Belgium", "Netherlands"]
    assert max(rank[name] for name in strong) <= 15
    assert sum(rank[name] <= 8 for name in strong) >= 6
    top = board.sort("rank").head(8)
    neighbours = zip(top.iter_rows(named=True), top.slice(1).iter_rows(named=True), strict=False)
    assert all(lower["q95"] > higher["q5"] for higher, lower in neighbours)
    assert (top["rank_low"] <= top["rank"]).all() and (top["rank"] <= top["rank_high"]).all()


def test_islands_with_few_games_are_pulled_strongly_towards_the_middle(night, home, edition):
    few = edition(home, "FROM leaderboard WHERE rank > 150 AND games <= 12")
    assert len(few) >= 8
    assert (few["rating"] > few["unpooled"]).all()
    assert few["shrinkage_by_distance"].median() > 0.4
    many = edition(home, "FROM leaderboard WHERE games > 100")
    assert few["shrinkage"].min() > 2 * many["shrinkage"].max()


def test_the_fit_rests_on_every_game_and_says_how_it_was_checked(night, home, edition):
    ((games, competitors, verdict),) = edition(home, "SELECT games, competitors, verdict FROM fit").rows()
    assert (games, competitors, verdict) == (9303, 299, "accepted")
    failed = edition(home, "SELECT * FROM fit_check WHERE status = 'fail'")
    assert len(failed) == 0
    home_wins = edition(home, "FROM predictive_check WHERE statistic = 'home_wins'").row(0, named=True)
    assert home_wins["is_hard"] and abs(home_wins["observed"] - home_wins["replicated_mean"]) < 0.05


def test_the_scales_agree_with_the_published_study_of_the_same_games(night, home, edition):
    """0.6032 +- 0.029 and 0.7213 +- 0.033 from long NUTS runs of the same model on the same games."""
    scales = dict(edition(home, "SELECT parameter, mean FROM hyperparameter").rows())
    assert scales["scale_attack"] == pytest.approx(0.603, abs=0.02)
    assert scales["scale_defence"] == pytest.approx(0.721, abs=0.02)


def test_partial_pooling_beats_the_baseline_on_the_last_games(night, home, edition):
    difference = dict(edition(home, "SELECT pooling, difference FROM pooling").rows())
    assert difference["baseline"] > 0.1
    assert difference["complete"] > 0.1


def test_the_readme_query_answers(night, pooltable):
    query = f"FROM leaderboard WHERE league = '{LEAGUE}' ORDER BY rank LIMIT 10"
    asked = pooltable("sql", query, "--format", "json")
    assert [row["rank"] for row in json.loads(asked.stdout)] == list(range(1, 11))
