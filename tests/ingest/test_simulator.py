"""The bundled leagues: the same bytes each time, with the shape and the truth their page promises."""

import itertools
from collections import Counter

import numpy as np
import polars as pl
import pytest

from ingest.simulator import DEMO, SEED, football, stints, write_demo

FILES = ("football/results.csv", "football/truth.csv", "stints/stints.csv", "stints/truth.csv")


@pytest.fixture(scope="module")
def league() -> pl.DataFrame:
    return pl.read_csv(DEMO / "football" / "results.csv", try_parse_dates=True)


@pytest.fixture(scope="module")
def stint() -> pl.DataFrame:
    return pl.read_csv(DEMO / "stints" / "stints.csv", try_parse_dates=True)


def test_the_bundled_files_are_what_the_simulator_writes(tmp_path):
    write_demo(tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (DEMO / name).read_bytes(), name
        assert (DEMO / name).stat().st_size < 500_000


def test_another_seed_is_another_league():
    assert football(SEED) != football(SEED + 1)
    assert stints(SEED) != stints(SEED + 1)


def test_each_season_is_a_double_round_robin_of_two_divisions_of_twelve(league):
    for _, games in league.group_by("season", "division"):
        assert games.height == 132
        assert len(set(zip(games["home"], games["away"], strict=True))) == 132
        assert games["home"].n_unique() == 12
        busiest = Counter(zip([*games["round"]] * 2, [*games["home"], *games["away"]], strict=True))
        assert set(busiest.values()) == {1}


def test_the_season_in_progress_is_played_up_to_round_eight(league):
    played = league.drop_nulls("home_goals")
    assert str(played["date"].max()) == "2025-10-04"
    assert played.filter(pl.col("season") == "2025-26")["round"].max() == 8
    assert played.height == 2 * 264 + 96
    assert league.height == 3 * 264


def test_two_go_up_two_go_down_and_a_newcomer_has_eight_games(league):
    seasons = ["2023-24", "2024-25", "2025-26"]
    clubs = {key: set(games["home"]) for key, games in league.group_by("season", "division") if isinstance(key, tuple)}
    for old, new in itertools.pairwise(seasons):
        first, second = (clubs[(new, f"{name} Division")] for name in ("First", "Second"))
        assert len(first & clubs[(old, "Second Division")]) == 2
        assert len(second & clubs[(old, "First Division")]) == 2
        assert len(second - clubs[(old, "First Division")] - clubs[(old, "Second Division")]) == 1
    played = league.drop_nulls("home_goals")
    games = Counter([*played["home"], *played["away"]])
    assert min(games.values()) == 8


def test_goals_follow_the_true_rates(league):
    """The sum of (goals - rate) over its standard deviation is standard normal: within 4 unless the code is wrong."""
    truth = pl.read_csv(DEMO / "football" / "truth.csv")
    strength = {name: (attack, defence) for name, attack, defence in truth.rows()}
    played = league.drop_nulls("home_goals")
    rates = np.array(
        [
            [np.exp(0.5 + strength[h][0] - strength[a][1]), np.exp(0.25 + strength[a][0] - strength[h][1])]
            for h, a in played.select("home", "away").iter_rows()
        ]
    )
    goals = played.select("home_goals", "away_goals").to_numpy()
    assert np.all(np.abs((goals - rates).sum(axis=0) / np.sqrt(rates.sum(axis=0))) < 4)
    assert abs(((goals - rates) ** 2 / rates).mean() - 1) < 0.25
    assert np.corrcoef(goals.ravel(), rates.ravel())[0, 1] > 0.3


def test_players_change_teams_between_seasons_and_none_plays_for_two_in_one(stint):
    teams: dict[tuple[str, str], set[str]] = {}
    for season, home, away, home_players, away_players in stint.select(
        pl.col("season").cast(pl.String), "home", "away", "home_players", "away_players"
    ).iter_rows():
        for team, players in ((home, home_players), (away, away_players)):
            for player in players.split(";"):
                teams.setdefault((season, player), set()).add(team)
    assert all(len(found) == 1 for found in teams.values())
    moved = [
        player for (season, player), found in teams.items() if season == "2024" and teams[("2025", player)] != found
    ]
    assert 8 <= len(moved) <= 28
    assert len(teams) == 128


def test_a_match_is_seven_stints_of_forty_minutes_with_changing_fives(stint):
    matches = stint.group_by("match").agg(pl.col("minutes").sum(), pl.len())
    assert matches.height == 2 * 112
    assert matches["minutes"].unique().to_list() == [40]
    assert matches["len"].unique().to_list() == [7]
    before = stint.with_columns(before=pl.col("home_players").shift().over("match")).drop_nulls("before")
    changes = [
        len(set(now.split(";")) - set(then.split(";")))
        for now, then in before.select("home_players", "before").iter_rows()
    ]
    assert set(changes) == {1, 2}
