"""A small home with one league, three teams, three games and fits that tests add by name."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata

from store.edition import publish
from store.home import Home
from store.warehouse import writing

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
LEAGUE = "alps"
TEAMS = ("fifa:A", "fifa:B", "fifa:C")
DRAWS_SCHEMA = {
    "league": pl.String, "kind": pl.String, "competitor_id": pl.String, "component": pl.String,
    "parameter": pl.String, "draws": pl.List(pl.Float32), "ranks": pl.List(pl.Int32),
}  # fmt: skip


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
                "INSERT INTO standing (league, fit_id, kind, competitor_id, status, pool, rank, rank_low, rank_high,"
                " p_best, p_top3, p_top10, games, last_played, expected_margin)"
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
    pl.DataFrame(rows, schema=DRAWS_SCHEMA).write_parquet(home.draws_of(fit_id))


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


CLUBS = {
    "demo_football": ("Halvermoor", "Jarrowmont", "Kestering", "Larkenshaw City"),
    "nfl": ("KC", "PHI", "SF", "GB"),
}
LIKELIHOODS = {"demo_football": ("score", "poisson"), "nfl": ("margin", "student")}
SHARED = {
    "demo_football": {"intercept": (0.2, 0.05), "home": (0.25, 0.05)},
    "nfl": {"home": (2.0, 0.3), "sigma": (12.0, 0.4), "tails": (3.0, 0.5)},
}
NIGHTS = {"before": date(2026, 2, 21), "now": date(2026, 3, 1), "backfilled": date(2025, 6, 1)}


@dataclass(frozen=True)
class Two:
    """An edition of two leagues whose competitors have the same ids, and its joint draws by league and name."""

    path: Path
    home: Home
    draws: dict[str, dict[tuple[str, str] | str, np.ndarray]]


@pytest.fixture(scope="session")
def two(tmp_path_factory):
    """Two leagues, one of goals, one of margins with ratings that walk, each with three fits of its own dates."""
    home = Home(tmp_path_factory.mktemp("two"))
    draws = {league: drawn(league, seed) for seed, league in enumerate(CLUBS)}
    with writing(home) as con:
        for league in CLUBS:
            fill(con, home, league, draws[league])
    return Two(publish(home, list(CLUBS), NOW), home, draws)


def drawn(league, seed):
    """Joint draws as an edition keeps them, in single precision: by (club, component), and by parameter."""
    rng = np.random.default_rng(seed)
    scale, parts = (0.4, ("attack", "defence")) if league == "demo_football" else (6.0, ("total",))
    made = {
        (club, part): rng.normal(-number * scale / 3, scale, 400)
        for number, club in enumerate(CLUBS[league])
        for part in parts
    }
    if len(parts) == 2:
        made |= {(club, "total"): made[club, "attack"] + made[club, "defence"] for club in CLUBS[league]}
    made |= {name: rng.normal(mean, sd, 400) for name, (mean, sd) in SHARED[league].items()}
    return {key: values.astype(np.float32) for key, values in made.items()}


def fill(con, home, league, draws):
    """Writes the league, its clubs and its fits: the ranks of earlier ones are those of now, turned round."""
    outcome, likelihood = LIKELIHOODS[league]
    clubs = CLUBS[league]
    con.execute(
        "INSERT INTO league VALUES (?, ?, 'csv', ?, ['a.csv'], 'CC0', false, '{}', ?)", [league, league, outcome, NOW]
    )
    con.executemany(
        "INSERT INTO competitor VALUES (?, ?, 'team', ?, NULL)",
        [[league, f"t:{n}", club] for n, club in enumerate(clubs)],
    )
    walk = ', "blocks": [{"role": "walk"}]' if league == "nfl" else ', "blocks": [{"role": "base"}]'
    for night, as_of in NIGHTS.items():
        con.execute(
            "INSERT INTO fit BY NAME SELECT ? AS fit_id, ? AS league, ?::DATE AS as_of, ? AS is_dated, ?::TIMESTAMP AS"
            " fitted_at_utc, fitted_at_utc AS current_at_utc, 'nuts' AS engine, 'accepted' AS verdict, [] AS reasons,"
            " ? AS outcome, 'u' AS unit, 3 AS games, 4 AS competitors, DATE '2024-08-01' AS first_game_on, as_of - 1 AS"
            " last_game_on, 400 AS draws, 1 AS seed, 0.1 AS seconds, ? AS design, 'f' AS games_fingerprint,"
            " 'c' AS code_hash, '{}' AS versions",
            [f"{league}-{night}", league, as_of, night == "backfilled", datetime.combine(as_of, NOW.time()),
             outcome, f'{{"likelihood_name": "{likelihood}"{walk}}}'],
        )  # fmt: skip
        if night == "before":
            shown = datetime.combine(as_of, NOW.time())
            con.execute("INSERT INTO publication VALUES (?, ?, 'e', ?)", [f"{league}-{night}", league, shown])
        for place, (number, club) in enumerate(list(enumerate(clubs))[:: 1 if night == "now" else -1], 1):
            total = draws[club, "total"].astype(float)
            con.execute(
                "INSERT INTO rating SELECT ?, ?, 'team', ?, 'total', ?, .1, 0, 0, 0, 0, 0, NULL, NULL, 'few', .5, NULL",
                [league, f"{league}-{night}", f"t:{number}", float(total.mean())],
            )
            con.execute(
                "INSERT INTO standing"
                " VALUES (?, ?, 'team', ?, 'ranked', 1, ?, 1, 4, .3, 1, 1, 2, DATE '2026-02-03', 0, 1)",
                [league, f"{league}-{night}", f"t:{number}", place],
            )
    look_ahead(con, league)
    write_two(home, league, draws)


def look_ahead(con, league):
    """Writes a game that was forecast and is over, and how the season may end."""
    con.execute(
        "INSERT INTO game VALUES (?, 'g', 'g', 0, '2026', DATE '2026-02-28', 'day', 'played', '', false, MAP {}, 'a')",
        [league],
    )
    sides = "SELECT ?, 'g', n, 't:' || n, n = 1, 3 - n, NULL, NULL, 1 FROM range(1, 3) AS r(n)"
    con.execute(f"INSERT INTO side {sides}", [league])
    con.execute(
        "INSERT INTO forecast BY NAME SELECT league, fit_id, 'g' AS game_id, fitted_at_utc AS made_at_utc, as_of,"
        " DATE '2026-02-28' AS played_on, '2026' AS season, 't:1' AS first, 't:2' AS second, 'a' AS first_name,"
        " 'b' AS second_name, true AS is_first_home, .5 AS win, .3 AS draw, .2 AS loss, .4 AS win_low, .6 AS win_high,"
        " .1 AS loss_low, .3 AS loss_high FROM fit WHERE fit_id = ?",
        [f"{league}-before"],
    )
    con.execute(
        "INSERT INTO outlook SELECT league, fit_id, fitted_at_utc, as_of, '2026', '', 't:' || n, 1, 1, n, 4 - n, 2, 1,"
        " 1, 3, 3, 2.5, [.2, .8], [{'prize': 'champion', 'chance': .2}] FROM fit, range(4) AS r(n) WHERE fit_id = ?",
        [f"{league}-now"],
    )
    con.execute(
        "INSERT INTO simulated_table SELECT league, fit_id, fitted_at_utc, as_of, '2026', '', 't:' || n, [n, 5 - n],"
        " [4 - n, n + 1], [('champion', 1, 1)] FROM fit, range(4) AS r(n) WHERE fit_id = ?",
        [f"{league}-now"],
    )
    con.execute(
        "INSERT INTO simulated_game SELECT league, fit_id, fitted_at_utc, as_of, '2026', '', 'g1', 't:0', 't:1',"
        " [3, 1, 0], [0, 2], [8000, 2000], [1000, 6000] FROM fit WHERE fit_id = ?",
        [f"{league}-now"],
    )
    con.execute(
        "INSERT INTO simulated_play_off SELECT league, fit_id, fitted_at_utc, as_of, '2026', '', 'promoted', 1, [2, 3]"
        " FROM fit WHERE fit_id = ?",
        [f"{league}-now"],
    )
    con.execute(
        "INSERT INTO outlook_without SELECT league, fit_id, fitted_at_utc, as_of, '2026', 't:0', '', 't:1', 2, 1, 1, 3,"
        " 3, 2.5, [('champion', 0.2)] FROM fit WHERE fit_id = ?",
        [f"{league}-now"],
    )
    con.execute(
        "INSERT INTO cup_outlook SELECT league, fit_id, fitted_at_utc, as_of, 'cup', 't:1', 1, 'last 2', 0.5 FROM fit"
        " WHERE fit_id = ?",
        [f"{league}-now"],
    )


def write_two(home, league, draws):
    ranks = rankdata([-draws[club, "total"] for club in CLUBS[league]], axis=0, method="ordinal").astype(np.int32)
    ids = {club: f"t:{number}" for number, club in enumerate(CLUBS[league])}
    rows = [
        {"league": league, "kind": "team", "competitor_id": ids[key[0]], "component": key[1], "draws": values,
         "ranks": ranks[int(ids[key[0]][2:])] if key[1] == "total" else None}
        if isinstance(key, tuple)
        else {"league": league, "parameter": key, "draws": values}
        for key, values in draws.items()
    ]  # fmt: skip
    home.draws.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(rows, schema=DRAWS_SCHEMA)
    for night in NIGHTS:
        frame.write_parquet(home.draws_of(f"{league}-{night}"))
