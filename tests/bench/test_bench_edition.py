"""Publishing and asking an edition of 10,000 competitors x 1,000 joint draws, beside what the disk and memory allow."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from store.edition import publish
from store.home import Home
from store.warehouse import writing

pytestmark = pytest.mark.bench

COMPETITORS, DRAWS = 10_000, 1_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BUDGET_PUBLISH_S, BUDGET_QUERY_MS = 5.0, 20.0


def seconds(act: Callable[[], object], runs: int = 5) -> float:
    """Median wall time of `runs` calls after one that is not counted."""
    act()
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        act()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("bench"))
    rng = np.random.default_rng(1)
    attack, defence = (rng.normal(0, 0.3, (COMPETITORS, DRAWS)).astype(np.float32) for _ in range(2))
    total = attack + defence
    ranks = (np.argsort(np.argsort(-total, axis=0), axis=0) + 1).astype(np.int32)
    ids = [f"made:{i:05d}" for i in range(COMPETITORS)]
    frames = [
        pl.DataFrame(
            {"competitor_id": ids, "component": name, "draws": pl.Series(list(values)), "ranks": pl.Series(of)}
        )
        for name, values, of in (
            ("attack", attack, [None] * COMPETITORS),
            ("defence", defence, [None] * COMPETITORS),
            ("total", total, list(ranks)),
        )
    ]
    ratings = pl.concat(frames, how="vertical_relaxed").with_columns(
        kind=pl.lit("team"), parameter=pl.lit(None, pl.String)
    )
    shared = pl.DataFrame(
        {"parameter": ["intercept", "home"], "draws": list(rng.normal(0.1, 0.02, (2, DRAWS)).astype(np.float32))}
    )
    home.draws.mkdir(parents=True)
    pl.concat([ratings, shared], how="diagonal_relaxed").with_columns(league=pl.lit("made")).write_parquet(
        home.draws_of("f1")
    )
    _fill(home, ids, total)
    return home


def _fill(home: Home, ids: list[str], total: np.ndarray) -> None:
    made = pl.DataFrame({"competitor_id": ids, "mean": total.mean(axis=1), "sd": total.std(axis=1)})
    with writing(home) as con:
        con.register("made", made.to_arrow())
        con.execute(
            "INSERT INTO league VALUES ('made', 'Made', 'none', 'score', [], 'ours', true, '{}', $now)", {"now": NOW}
        )
        con.execute("INSERT INTO competitor SELECT 'made', competitor_id, 'team', competitor_id, NULL FROM made")
        con.execute(
            "INSERT INTO fit BY NAME SELECT 'f1' AS fit_id, 'made' AS league, $day AS as_of, false AS is_dated,"
            " $now AS fitted_at_utc, $now AS current_at_utc,"
            " 'nuts' AS engine, 'accepted' AS verdict, [] AS reasons, 'score' AS outcome,"
            " 'log goals' AS unit, 1 AS games, 1 AS competitors, $day AS first_game_on, $day AS last_game_on,"
            ' 1000 AS draws, 1 AS seed, 1 AS seconds, \'{"likelihood_name": "poisson"}\' AS design,'
            " '' AS games_fingerprint, '' AS code_hash,"
            " '{}' AS versions",
            {"day": date(2026, 1, 1), "now": NOW},
        )
        for component in ("attack", "defence", "total"):
            con.execute(
                "INSERT INTO rating SELECT 'made', 'f1', 'team', competitor_id, $part, mean, sd, mean - sd,"
                " mean - sd / 2, mean, mean + sd / 2, mean + sd, mean, sd, NULL, 0.1, 0.1 FROM made",
                {"part": component},
            )
        con.execute(
            "INSERT INTO standing SELECT 'made', 'f1', 'team', competitor_id, 'ranked', 1,"
            " row_number() OVER (ORDER BY mean DESC), 1, 2, 0, 0, 0, 9, $day, 0 FROM made",
            {"day": date(2026, 1, 1)},
        )


def test_publish(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Against copying the same draws, and nothing else, from Parquet into a DuckDB file."""

    def copy(path: Path = home.root / "copy.duckdb") -> None:
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as con:
            con.execute(f"CREATE TABLE t AS FROM read_parquet('{home.draws_of('f1')}')")

    ours, floor = seconds(lambda: publish(home, ["made"], NOW), 3), seconds(copy, 3)
    with capsys.disabled():
        budget = f"budget {BUDGET_PUBLISH_S:g} s ({ours / BUDGET_PUBLISH_S:.2f} of it)"
        print(f"\npublish {COMPETITORS:,} x {DRAWS:,}: {ours:.2f} s, {budget}")
        print(f"copying the draws alone: {floor:.2f} s, ratio {ours / floor:.2f}")


def test_queries(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Against the budget of a query and against the least a query costs (SELECT 1)."""
    asked = {
        "leaderboard, 100 rows": "FROM leaderboard WHERE league = 'made' ORDER BY rank LIMIT 100",
        "leaderboard, all": "FROM leaderboard WHERE league = 'made' ORDER BY rank",
        "win_probability": "FROM win_probability('made', 'made:00017', 'made:04711')",
    }
    with duckdb.connect(str(publish(home, ["made"], NOW)), read_only=True) as con, capsys.disabled():
        least = seconds(lambda: con.execute("SELECT 1").fetchall(), 20)
        print()
        for name, sql in asked.items():
            ours = seconds(lambda sql=sql: con.execute(sql).fetchall(), 20)
            share = ours * 1e3 / BUDGET_QUERY_MS
            print(f"{name}: {ours * 1e3:.1f} ms, {share:.2f} of its budget; SELECT 1: {least * 1e3:.2f} ms")
