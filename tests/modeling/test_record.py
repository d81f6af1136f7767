"""Which fits' draws stay on the disk: those that may still be published, or would be made again without them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from modeling import record
from modeling.tables import DRAWS_SCHEMA
from store.home import Home
from store.warehouse import reading

START = datetime(2026, 1, 1, tzinfo=UTC)
NO_DRAWS = pl.DataFrame(schema=DRAWS_SCHEMA)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def fit_row(name: str, night: int, *, league: str = "a", verdict: str = "accepted", is_dated: bool = False) -> dict:
    at = (START + timedelta(days=night)).replace(tzinfo=None)
    words = dict.fromkeys(
        ("engine", "outcome", "unit", "design", "games_fingerprint", "code_hash", "versions"), "{}"
    )  # fmt: skip
    days = dict.fromkeys(("as_of", "first_game_on", "last_game_on"), date(2026, 1, 1))
    row: dict[str, Any] = words | days | {"fit_id": name, "league": league, "verdict": verdict, "is_dated": is_dated}
    return row | {"games": 1, "competitors": 2, "draws": 1, "seed": 1, "seconds": 0.1, "reasons": [],
                  "fitted_at_utc": at, "current_at_utc": at}  # fmt: skip


def recorded(home: Home, name: str, night: int, **what: Any) -> None:
    record.record(home, fit_row(name, night, **what), {}, [NO_DRAWS])


def kept(home: Home) -> set[str]:
    return {path.stem for path in home.draws.glob("*.parquet")}


def test_the_three_newest_fits_of_each_sort_keep_their_draws(home):
    sorts = {"acc": {}, "rej": {"verdict": "rejected"}, "dated": {"is_dated": True}, "other": {"league": "b"}}
    for night in range(5):
        for name, what in sorts.items():
            recorded(home, f"{name}{night}", night, **what)
    assert kept(home) == {f"{name}{night}" for name in sorts for night in (2, 3, 4)}


def test_a_fits_path_goes_with_its_draws(home):
    numbers = dict.fromkeys(("rank", "rank_low", "rank_high", "games"), 1) | dict.fromkeys(
        ("mean", "sd", "q5", "q25", "q50", "q75", "q95"), 0.0
    )
    path = pl.DataFrame([{"kind": "team", "competitor_id": "x:a", "as_of": date(2025, 1, 1)} | numbers])
    for night in (0, 1, 2, 3, 3):
        record.record(home, fit_row(f"fit{night}", night), {"rating_path": path}, [NO_DRAWS])
    with reading(home) as con:
        left = con.execute("SELECT fit_id FROM rating_path ORDER BY fit_id").fetchall()
    assert [fit_id for (fit_id,) in left] == ["fit1", "fit2", "fit3"] == sorted(kept(home))


def test_a_fit_that_is_current_again_outlives_newer_ones_and_what_it_left_goes_with_it(home):
    for night in range(3):
        recorded(home, f"fit{night}", night)
        home.restart_of(f"fit{night}").touch()
    record.confirm(home, "fit0", START + timedelta(days=9))
    recorded(home, "fit3", 3)
    assert kept(home) == {"fit0", "fit2", "fit3"}
    assert [home.restart_of(f"fit{night}").exists() for night in range(3)] == [True, False, True]


def test_rejected_fits_never_push_out_the_one_that_is_published(home):
    recorded(home, "published", 0)
    for night in range(1, 8):
        recorded(home, f"rejected{night}", night, verdict="rejected")
    assert "published" in kept(home)


def test_draws_of_what_the_warehouse_does_not_know_are_left_alone(home):
    """Another process writes them before it records its fit."""
    recorded(home, "first", 0)
    home.draws_of("not_yet_recorded").touch()
    for night in range(1, 6):
        recorded(home, f"fit{night}", night)
    assert "not_yet_recorded" in kept(home)


def test_a_fit_made_while_the_clock_was_ahead_does_not_stay_the_current_one(home):
    def newest() -> list[str]:
        with reading(home) as con:
            order = "SELECT fit_id FROM fit WHERE league = 'a' ORDER BY current_at_utc DESC"
            return [fit_id for (fit_id,) in con.execute(order).fetchall()]

    recorded(home, "other", 500, league="b")
    recorded(home, "ahead", 400)
    recorded(home, "right", 1)
    assert newest() == ["right", "ahead"]
    recorded(home, "next", 2)
    record.confirm(home, "right", START + timedelta(days=3))
    assert newest() == ["right", "next", "ahead"]
