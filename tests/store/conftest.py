"""A small home with one league, three teams, three games and fits that tests add by name."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from store.edition import publish
from store.home import Home
from store.warehouse import writing

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
LEAGUE = "alps"
TEAMS = ("fifa:A", "fifa:B", "fifa:C")


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home", lock_wait_seconds=0.3)


@pytest.fixture
def now():
    return NOW


def add_games(home):
    """Loads one league of three teams that each played each other once."""
    with writing(home) as con:
        con.execute(
            "INSERT INTO league VALUES (?, 'Alps', 'csv', 'score', ['a.csv'], 'CC0', false, '{}', ?)", [LEAGUE, NOW]
        )
        for team in TEAMS:
            con.execute("INSERT INTO competitor VALUES (?, ?, 'team', ?, NULL)", [LEAGUE, team, team[-1]])
        for number, (home_team, away_team) in enumerate([(0, 1), (1, 2), (2, 0)]):
            con.execute(
                "INSERT INTO game VALUES (?, ?, ?, 0, '2026', ?, 'day', 'played', NULL, false, MAP {}, 'a.csv')",
                [LEAGUE, f"g{number}", f"g{number}", date(2026, 2, 1 + number)],
            )
            for side, team in ((1, home_team), (2, away_team)):
                con.execute(
                    "INSERT INTO side VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, 1)",
                    [LEAGUE, f"g{number}", side, TEAMS[team], side == 1, 2.0 - side],
                )
        con.execute(
            "INSERT INTO load VALUES ('l1', ?, 'a.csv', ?, 'a.csv', 'aa', NULL, ?, 'x', 3, 3, 0, 0, 0, 0)",
            [LEAGUE, NOW, NOW],
        )


def add_fit(home, fit_id, verdict="accepted", minutes=0, is_dated=False, best="fifa:A"):
    """Records a fit with its ratings and draws; `best` is rated first, and the others follow in order."""
    order = [best, *(team for team in TEAMS if team != best)]
    with writing(home) as con:
        con.execute(
            "INSERT INTO fit BY NAME SELECT ? AS fit_id, ? AS league, DATE '2026-02-04' AS as_of, ? AS is_dated,"
            " ?::TIMESTAMP AS fitted_at_utc, fitted_at_utc AS current_at_utc, 'nuts' AS engine, ? AS verdict,"
            " CASE WHEN ? = 'accepted' THEN [] ELSE ['r_hat'] END AS reasons, 'score' AS outcome,"
            " 'log goals' AS unit, 3 AS games, 3 AS competitors, DATE '2026-02-01' AS first_game_on,"
            " DATE '2026-02-03' AS last_game_on, 4 AS draws, 1 AS seed, 0.1 AS seconds,"
            ' \'{"likelihood_name": "poisson"}\' AS design,'
            " 'f' AS games_fingerprint, 'c' AS code_hash, '{}' AS versions",
            [fit_id, LEAGUE, is_dated, NOW.replace(tzinfo=None) + timedelta(minutes=minutes), verdict, verdict],
        )
        for rank, team in enumerate(order, 1):
            mean = 2.0 - rank
            con.execute(
                "INSERT INTO rating"
                " VALUES (?, ?, 'team', ?, 'total', ?, .1, ?, ?, ?, ?, ?, NULL, NULL, 'few', .5, NULL)",
                [LEAGUE, fit_id, team, *[mean] * 6],
            )
            con.execute(
                "INSERT INTO standing"
                " VALUES (?, ?, 'team', ?, 'ranked', 1, ?, 1, 3, .3, 1, 1, 2, DATE '2026-02-03', 0)",
                [LEAGUE, fit_id, team, rank],
            )
    write_draws(home, fit_id, order)


def write_draws(home, fit_id, order):
    home.draws.mkdir(parents=True, exist_ok=True)
    rows = [
        {"league": LEAGUE, "kind": "team", "competitor_id": team, "component": "total", "parameter": None,
         "draws": [2.0 - rank] * 4, "ranks": [rank] * 4}
        for rank, team in enumerate(order, 1)
    ] + [
        {"league": LEAGUE, "kind": None, "competitor_id": None, "component": None, "parameter": name,
         "draws": [0.1] * 4, "ranks": None}
        for name in ("intercept", "home")
    ]  # fmt: skip
    schema = {
        "league": pl.String, "kind": pl.String, "competitor_id": pl.String, "component": pl.String,
        "parameter": pl.String, "draws": pl.List(pl.Float32), "ranks": pl.List(pl.Int32),
    }  # fmt: skip
    pl.DataFrame(rows, schema=schema).write_parquet(home.draws_of(fit_id))


@pytest.fixture
def rated(home):
    """A home with one league and its accepted fit f1."""
    add_games(home)
    add_fit(home, "f1")
    return home


@pytest.fixture
def refit():
    """add_fit(home, fit_id, verdict, minutes, is_dated, best), as a fixture since conftest cannot be imported."""
    return add_fit


@pytest.fixture(scope="session")
def edition(tmp_path_factory):
    """The path of an edition with that league and fit; tests only read it."""
    home = Home(tmp_path_factory.mktemp("published"))
    add_games(home)
    add_fit(home, "f1")
    return publish(home, [LEAGUE], NOW)
