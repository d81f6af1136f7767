"""Homes made through the real floor, for the dashboard's tests."""

import importlib.util
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.edition import publish
from store.home import Home
from store.warehouse import writing

LEAGUE = "nations"
FIT = "nations-good"
SAID = """
INSERT INTO forecast BY NAME SELECT
    ? AS league, 'f' AS fit_id, ? AS game_id, ?::TIMESTAMP AS made_at_utc, made_at_utc::DATE AS as_of,
    ?::DATE AS played_on, '2025' AS season, ? AS first, ? AS second, 'Home <b>FC</b>' AS first_name,
    'Away FC' AS second_name, true AS is_first_home, 0.5 AS win, 0.3 AS draw, 0.2 AS loss, 0.4 AS win_low,
    0.6 AS win_high, 0.1 AS loss_low, 0.3 AS loss_high, 1.61 AS expected_first, 0.9 AS expected_second,
    0.71 AS expected_margin, -1 AS margin_q5, 0 AS margin_q25, 1 AS margin_q75, 3 AS margin_q95,
    [{'first': 1, 'second': 0, 'chance': 0.141}] AS likely_scores
"""


@pytest.fixture(scope="session")
def made() -> Any:
    """The module made_home: NOW, ATTACKS, made_home(root), add_fit and the rest."""
    spec = importlib.util.spec_from_file_location("made_home", Path(__file__).with_name("made_home.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["made_home"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def home(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with three leagues of some dozens of teams; tests must not change it."""
    return made.made_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def small(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with three leagues of a dozen teams; tests must not change it."""
    return made.made_home(tmp_path_factory.mktemp("small"), teams=12)


@pytest.fixture
def own_home(small: Home, tmp_path: Path) -> Home:
    """A small home that a test may change."""
    return copied(small, tmp_path)


def copied(home: Home, root: Path) -> Home:
    """A home like another, at `root`."""
    shutil.copytree(home.root, root, symlinks=True, dirs_exist_ok=True)
    return Home(root)


def model(comparison: str, variant: str, total: float, made: Any, method: str = "loo", **more: Any) -> dict[str, Any]:
    is_own = variant == "poisson"
    return {
        "league": "nations", "comparison_id": comparison, "variant": variant, "settings": "", "is_own": is_own,
        "method": method, "engine": "joint", "games": 941, "elpd": -2000.0 + total, "elpd_se": 20.0, "p_eff": 40.0,
        "worst_k": 0.9, "high_k": 1, "refitted": 1, "doubtful": 0, "difference": None if is_own else total,
        "difference_se": None if is_own else 2.0, "p_better": None, "verdict": None if is_own else "better",
        "sentence": f"Said of {variant}.", "as_of": made.NOW.date(),
        "made_at_utc": made.NOW.replace(tzinfo=None), **more,
    }  # fmt: skip


@pytest.fixture
def compared(compared_once: Home, tmp_path: Path) -> Home:
    """Four comparisons of which three are shown, the newest by two methods, and sensitivities of a fit."""
    return copied(compared_once, tmp_path)


@pytest.fixture(scope="session")
def compared_once(small: Home, made: Any, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """What `compared` is a copy of."""
    home = copied(small, tmp_path_factory.mktemp("compared"))
    rows = []
    for number in range(4):
        when = made.NOW.replace(tzinfo=None) - timedelta(days=number)
        for variant, total in (("poisson", 0.0), ("negative binomial", 9.0 + number)):
            rows += [model(f"c{number}", variant, total, made, method, made_at_utc=when) for method in ("loo", "waic")]
    games = [
        {"league": "nations", "comparison_id": "c0", "variant": variant, "game_id": game, "played_on": made.NOW.date(),
         "sides": f"{made.ATTACKS[0]} – B", "result": "31–0", "elpd": elpd, "k_hat": k, "is_high": True,
         "is_refitted": False}
        for game, k, elpd in (("g0", 0.9, -9.0), ("g1", None, -30.0)) for variant in ("poisson", "negative binomial")
    ]  # fmt: skip
    leaning = [("parameter", "attack_sd", 0.2), *(("team", f"t:{number}", 0.04 + number / 100) for number in range(12))]
    found = [
        {"league": "nations", "fit_id": FIT, "kind": kind, "quantity": name, "prior": prior, "likelihood": 0.3,
         "diagnosis": "rests on the results" if prior < 0.05 else "rests on the results and on the prior"}
        for kind, name, prior in leaning
    ]  # fmt: skip
    with writing(home) as con:
        for table, inserted in (("comparison", rows), ("influential_game", games), ("prior_sensitivity", found)):
            made.insert(con, table, inserted)
    publish(home, made.LEAGUES, made.NOW)
    return home


@pytest.fixture(scope="session")
def foretold(small: Home, made: Any, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with something forecast; tests must not change it."""
    return foretell(copied(small, tmp_path_factory.mktemp("foretold")), made)


@pytest.fixture
def compared_and_foretold(compared: Home, made: Any) -> Home:
    """Both in one home."""
    return foretell(compared, made)


def foretell(own_home: Home, made: Any) -> Home:
    """Adds a game to come, one that is over and was forecast before, an outlook, what hangs on a game, and seasons in
    which the second side always wins it."""
    now = made.NOW.replace(tzinfo=None)
    with writing(own_home) as con:
        accepted = "FROM fit WHERE league = ? AND verdict = 'accepted' AND NOT is_dated"
        ((as_of,),) = con.execute(f"SELECT arg_max(as_of, current_at_utc) {accepted}", [LEAGUE]).fetchall()
        game, played_on = con.execute(
            "SELECT game_id, played_on FROM game WHERE league = ? ORDER BY played_on LIMIT 1", [LEAGUE]
        ).fetchall()[0]
        teams = "SELECT team FROM side WHERE league = ? AND game_id = ? ORDER BY side"
        first, second = (who for (who,) in con.execute(teams, [LEAGUE, game]).fetchall())
        before = datetime.combine(played_on, datetime.min.time()) - timedelta(days=1)
        for name, day, at in ((game, played_on, before), ("next", now.date() + timedelta(days=3), now)):
            con.execute(
                SAID,
                [LEAGUE, name, at, day, first, second],
            )
        con.execute(
            "INSERT INTO outlook VALUES (?, 'f', ?, ?, '2025', 'north', ?, 10, 5, 20, 1, 27.3, 24, 26, 29, 31, 1.4,"
            " [0.7, 0.3], [{'prize': 'top_4', 'chance': 0.7}])",
            [LEAGUE, now, as_of, first],
        )
        con.execute(
            "INSERT INTO leverage VALUES (?, 'f', ?, ?, '2025', 'north', 'next', ?, 'top_4', 0.7, 0.9, 0.7, 0.5, 0.4)",
            [LEAGUE, now, as_of, first],
        )
        con.execute(
            "INSERT INTO simulated_table SELECT ?, 'f', ?, ?, '2025', 'north', who,"
            " list_transform(range(200), lambda _: 20 + n), list_transform(range(200), lambda _: 2 - n),"
            " [('top_4', 1, 1)] FROM (SELECT unnest([?, ?]) AS who, unnest([0, 1]) AS n)",
            [LEAGUE, now, as_of, first, second],
        )
        con.execute(
            "INSERT INTO simulated_game SELECT ?, 'f', ?, ?, '2025', 'north', 'next', ?, ?, [3, 1, 0], a, b, b FROM"
            " (SELECT list_transform(range(200), lambda _: 2) AS a, list_transform(range(200), lambda _: 4000) AS b)",
            [LEAGUE, now, as_of, first, second],
        )
        con.execute(
            "INSERT INTO cup_outlook SELECT ?, 'f', ?, ?, 'super_cup', ?, * FROM (VALUES (1, 'last 2', 1.0),"
            " (2, 'winner', 0.62))",
            [LEAGUE, now, now.date(), first],
        )
        con.execute(
            "INSERT INTO outlook_without VALUES (?, 'f', ?, ?, '2025', ?, 'north', ?, 24.2, 20, 22, 26, 28, 1.8,"
            " [{'prize': 'top_4', 'chance': 0.31}])",
            [LEAGUE, now, as_of, second, first],
        )
    publish(own_home, made.LEAGUES, made.NOW)
    return own_home
