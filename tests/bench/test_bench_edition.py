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

from bench_report import Report, sized
from store.edition import publish
from store.home import Home
from store.warehouse import writing

pytestmark = pytest.mark.bench

COMPETITORS, DRAWS = sized(10_000, 5_000), 1_000
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
            " row_number() OVER (ORDER BY mean DESC), 1, 2, 0, 0, 0, 9, $day, 0, 1 FROM made",
            {"day": date(2026, 1, 1)},
        )
        con.execute(
            "INSERT INTO rating_path SELECT 'made', 'f1', 'team', competitor_id, $day,"
            " row_number() OVER (ORDER BY mean + sd DESC), 1, 2, 9, mean, sd, mean - sd, mean - sd / 2, mean,"
            " mean + sd / 2, mean + sd FROM made",
            {"day": date(2025, 12, 1)},
        )


def test_publish(home: Home, report: Report) -> None:
    """Against copying the same draws, and nothing else, from Parquet into a DuckDB file."""

    def copy(path: Path = home.root / "copy.duckdb") -> None:
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as con:
            con.execute(f"CREATE TABLE t AS FROM read_parquet('{home.draws_of('f1')}')")

    ours, floor = seconds(lambda: publish(home, ["made"], NOW), 3), seconds(copy, 3)
    for beside, theirs in (("copying the draws alone", floor), ("budget", BUDGET_PUBLISH_S)):
        report.add("publish", f"{COMPETITORS:,} competitors x {DRAWS:,} draws", ours, "s", beside, theirs)


LEADERBOARDS = {
    "leaderboard, 100 rows": "FROM leaderboard WHERE league = 'made' ORDER BY rank LIMIT 100",
    "leaderboard, all rows": "FROM leaderboard WHERE league = 'made' ORDER BY rank",
}
PAIR = "'made', 'made:00017', 'made:04711'"
MACROS = {
    "win_probability": f"FROM win_probability({PAIR})",
    "head_to_head": f"FROM head_to_head({PAIR})",
    "expected_score": f"FROM expected_score({PAIR})",
    "score_probability": f"FROM score_probability({PAIR}) WHERE venue = 'neutral'",
    "margin_quantile": f"FROM margin_quantile({PAIR})",
    "rank_probability": "SELECT rank_probability('made', 'made:00017', 100)",
    "top": "FROM top('made', 10)",
    "compare": "FROM compare('made', ['made:00017', 'made:04711', 'made:00003', 'made:00004'])",
    "rating_at": "FROM rating_at('made', 'made:00017', DATE '2026-01-01')",
    "leaderboard_at": "FROM leaderboard_at('made', DATE '2026-01-01') LIMIT 100",
    "movement, all rows": "FROM movement('made', DATE '2025-12-01', 'smoothed')",
}
DRAWS_OF_TWO = "SELECT draws FROM rating_draw WHERE league = 'made' AND competitor_id IN ('made:00017', 'made:04711')"


def test_queries(home: Home, report: Report) -> None:
    """Against the budget of a query, against the least a query costs and against reading the draws of two competitors.

    Times are on one thread: what another process takes from this one's cores is in the wall time, not in the CPU's.
    """
    with duckdb.connect(str(publish(home, ["made"], NOW)), read_only=True) as con:
        con.execute("SET threads = 1")

        def fetched(sql: str) -> tuple[float, float]:
            return both(lambda: con.execute(sql).fetchall())

        def as_frame(sql: str) -> tuple[float, float]:
            return both(lambda: con.sql(sql).to_arrow_table())

        least, draws = fetched("SELECT 1"), fetched(DRAWS_OF_TWO)
        for name, sql, ask in (
            *((name, sql, as_frame) for name, sql in LEADERBOARDS.items()),
            *((name, sql, fetched) for name, sql in MACROS.items()),
        ):
            wall, cpu = ask(sql)
            for beside, theirs in (("the draws of two competitors", draws[1]), ("budget", BUDGET_QUERY_MS)):
                report.add("query", f"{name}, of {COMPETITORS:,}", cpu, "CPU ms", beside, theirs, wall_ms=wall,
                           SELECT_1_ms=least[0])  # fmt: skip


def both(act: Callable[[], object], runs: int = 20) -> tuple[float, float]:
    """Least wall and CPU time in milliseconds of `runs` calls after one that is not counted."""
    act()
    walls, cpus = [], []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls) * 1e3, min(cpus) * 1e3
