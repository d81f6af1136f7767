"""Football beside closing odds, tuned Elo and Glicko-2, by tier and season; the NFL beside FiveThirtyEight and spreads.

Each league is walked forward by `pooltable backtest`: our parameters are learned before each season, results teach
everybody day by day.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from modeling.backtest import backtest_league
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading, writing

pytestmark = [pytest.mark.bench, pytest.mark.long, pytest.mark.real, pytest.mark.timeout(14_400)]

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
TIERS = {"E0": "Premier League", "E1": "Championship", "E2": "League One", "E3": "League Two", "EC": "National League"}
WEEKLY_POISSON = 0.961  # decayed, refitted weekly on the two highest tiers: E0, 2015-16 to 2018-19
NAMES = {"model": "ours", "closing_odds": "closing odds", "elo": "our baseline Elo, tuned",
         "glicko2": "our baseline Glicko-2, tuned", "FiveThirtyEight": "FiveThirtyEight"}  # fmt: skip
BEHIND, NOT_THE_MARKET = "they are ahead", "not behind the market: where does the future come in?"
LOSSES = """
SELECT f.forecaster, f.game_id, f.log_loss, f.margin_error, g.season, g.played_on,
    coalesce(g.attributes['division'], 'all') AS division,
    epoch(g.played_on)::BIGINT // 604800 AS week
FROM backtest_forecast AS f JOIN game AS g USING (league, game_id)
WHERE f.league = ? AND f.backtest_id = ? ORDER BY f.forecaster, g.played_on, f.game_id
"""
Walk = Callable[..., pl.DataFrame]


@pytest.fixture(scope="module")
def walk(kept: Home, loaded: Callable[[str], Stanza], clubs: dict[str, str]) -> Walk:
    """walk(league, first, last, every): every forecaster's loss of each game."""

    def run(league: str, first: date, last: date, every: timedelta = YEAR) -> pl.DataFrame:
        stanza = loaded(league)
        loaded("published")
        if league == "nfl_games":
            with writing(kept) as con:
                rows = [[league, name, f"nfl:{code}"] for name, code in clubs.items()]
                con.executemany("INSERT OR REPLACE INTO alias VALUES (?, ?, ?, NULL, NULL)", rows)
        made = backtest_league(kept, league, stanza, NOW, first, last, every)
        with reading(kept) as con:
            found = pl.from_arrow(con.sql(LOSSES, params=[league, made.backtest_id]).to_arrow_table())
        assert isinstance(found, pl.DataFrame)
        return found.filter(pl.col("forecaster").is_in(list(NAMES)))

    return run


@pytest.fixture
def row(anchors, told_of) -> Callable[..., dict[str, str]]:
    """row(title, losses, published): a row of the table of every forecaster's games among some; who is ahead."""

    def add(title: str, found: pl.DataFrame, published: dict[str, float] | None = None) -> dict[str, str]:
        own = found.filter(pl.col("forecaster") == "model")
        rows = {}
        for code, name in NAMES.items():
            one = own.join(found.filter(pl.col("forecaster") == code), on="game_id", how="left", maintain_order="left")
            losses = one["log_loss_right"].fill_null(np.nan).to_numpy()
            if np.isfinite(losses).any():
                rows[name] = told_of(losses)
        return anchors(title, own["week"].to_numpy(), rows, published)

    return add


def test_english_football(walk, row):
    found = walk("english", date(2015, 8, 1), date(2019, 6, 30))
    ahead = row("English football 2015-16 to 2018-19, five tiers", found)
    for code, name in TIERS.items():
        tier = found.filter(pl.col("division") == code)
        published = {"a decayed Poisson, refitted weekly": WEEKLY_POISSON} if code == "E0" else None
        row(f"{name} ({code}) 2015-16 to 2018-19", tier, published)
        for (season,), one in tier.sort("played_on").group_by("season", maintain_order=True) if code == "E0" else ():
            row(f"{name} {season}", one)
    premier = found.filter(pl.col("division") == "E0", pl.col("forecaster") == "model")
    assert premier.height == 1520
    assert float(premier["log_loss"].to_numpy().mean()) < WEEKLY_POISSON
    assert ahead[NAMES["elo"]] == ahead[NAMES["glicko2"]] == "we are ahead"
    assert ahead["closing odds"] == BEHIND, NOT_THE_MARKET


@pytest.mark.parametrize("league", ["spain", "italy", "germany"])
def test_the_highest_division(league, walk, row):
    found = walk(league, date(2012, 8, 1), date(2023, 6, 30))
    ahead = row(f"{league.title()} 2012-13 to 2022-23", found)
    for (season,), one in found.sort("played_on").group_by("season", maintain_order=True):
        row(f"{league.title()} {season}", one)
    assert ahead.pop("closing odds") == BEHIND, NOT_THE_MARKET
    assert BEHIND not in ahead.values()


def test_the_nfl(walk, row, anchors, told_of):
    found = walk("nfl_games", date(2015, 9, 1), date(2021, 2, 10), 2 * YEAR)
    ahead = row("NFL 2015-16 to 2020-21", found)
    own = found.filter(pl.col("forecaster") == "model", pl.col("margin_error").is_not_null())
    line = own.join(found.filter(pl.col("forecaster") == "closing_odds"), on="game_id", how="left")
    errors = {
        "ours": told_of(own["margin_error"].to_numpy()),
        "closing spread": told_of(line["margin_error_right"].fill_null(np.nan).to_numpy()),
    }
    title = "NFL 2015-16 to 2020-21: the margin"
    anchors(
        title, own["week"].to_numpy(), errors, {"closing spread, 2006-22": 10.33}, loss="mean absolute error, points"
    )
    assert ahead.pop("closing odds") == BEHIND, NOT_THE_MARKET
    assert BEHIND not in ahead.values()
