"""Accuracy on real results: the forward filter on all of men's tennis, hyperparameters learned before 2013.

The rows judged are main-draw tour matches of 2014 (and 2013 to 2016) by the event's date, Davis Cup and walkovers left
out, retirements kept; and, frozen at the end of 2013, every row of 2014's file as the peers were judged on them, with
Davis Cup, walkovers and abandoned matches. `pytest -m slow -s tests/flow/test_chain_accuracy.py` prints the table.
"""

import os
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from modeling.engines.chain.filter import Forecasts, Learned, forecast, learn
from modeling.engines.chain.structure import Structure, structure_of
from modeling.fit import design_of
from store.home import Home
from store.stanzas import append_stanza, read_catalogue, read_stanzas
from store.warehouse import reading

REAL = os.environ.get("POOLTABLE_REAL_DATA", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.real,
    pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set"),
    pytest.mark.timeout(1800),
]
GAMES = """
SELECT game_id, attributes['series'] AS series, attributes['level'] AS level FROM game
WHERE league = 'pyramid' AND status IN ('played', 'retired') ORDER BY played_on, sequence, game_id
"""
UNPLAYED = """
CREATE TEMP TABLE unplayed AS SELECT game_id FROM game WHERE league = 'pyramid' AND status IN ('walkover', 'abandoned')
AND game_id IN (SELECT game_id FROM events WHERE event LIKE '2014%');
UPDATE side SET won = player = 'atp:' || winner_id FROM appearance JOIN events USING (game_id)
WHERE side.league = 'pyramid' AND appearance.league = 'pyramid' AND side.game_id IN (FROM unplayed)
AND appearance.game_id = side.game_id AND appearance.side = side.side;
UPDATE game SET status = 'retired' WHERE league = 'pyramid' AND game_id IN (FROM unplayed);
"""
FROZEN_PEERS = {"Elo, one scale": 0.6025, "TrueSkill Through Time": 0.6043, "KickScore": 0.6057, "WHR": 0.6135}


@pytest.fixture(scope="module")
def tennis(home: Home, pooltable) -> tuple[Structure, pl.DataFrame]:
    """The pyramid's structure, and of each of its rows series, level, the date of its event and whether it was played.

    The unplayed matches of 2014 are given the winner that the file names, to be judged, never learned from.
    """
    source = [f"{REAL}/tennis_atp/atp_matches_{name}" for name in ("1*", "20*", "qual_chall_*", "futures_*")]
    known = read_catalogue()["atp"].model_dump(exclude_unset=True, exclude={"since", "refit"})
    append_stanza(home, "pyramid", known | {"source": source})
    assert pooltable("pull", "pyramid").returncode == 0
    files = [p for year in range(2013, 2017) for p in Path(REAL, "tennis_atp").glob(f"atp_matches_{year}.csv*")]
    events = pl.concat([pl.read_csv(file, infer_schema_length=0) for file in files]).select(
        "winner_id", pl.col("tourney_date").alias("event"), game_id=pl.col("tourney_id") + "|" + pl.col("match_num")
    )
    events = events.unique("game_id")
    with duckdb.connect(str(home.warehouse)) as con:
        con.register("events", events.to_arrow())
        con.execute(UNPLAYED)
        unplayed = con.sql("FROM unplayed").pl()["game_id"]
    _games, design = design_of(home, "pyramid", read_stanzas(home)["pyramid"], None)
    with reading(home) as con:
        rows = con.sql(GAMES).pl()
    assert rows.height == design.games
    rows = rows.with_columns(is_played=~pl.col("game_id").is_in(unplayed.to_list()))
    return structure_of(design), rows.join(events, on="game_id", how="left", maintain_order="left")


@pytest.fixture(scope="module")
def learned(tennis) -> tuple[Learned, Forecasts]:
    """Hyperparameters that forecast the tour of 2000 to 2012 best, and every forecast that they make."""
    structure, rows = tennis
    day = structure.design.played_on
    judged = (day >= np.datetime64("2000-01-01")) & (day < np.datetime64("2013-01-01"))
    found = learn(structure, judged & (rows["series"] == "tour").to_numpy())
    return found, forecast(replace(structure, counts=rows["is_played"].to_numpy()), found.values, found.shared)


def judged_rows(rows: pl.DataFrame, first: str, last: str) -> NDArray[np.bool_]:
    wanted = (
        (pl.col("series") == "tour")
        & (pl.col("level") != "D")
        & pl.col("is_played")
        & pl.col("event").is_between(pl.lit(first), pl.lit(last))
    )
    return rows.select(wanted.fill_null(False)).to_series().to_numpy()


@pytest.mark.parametrize(
    ("first", "last", "matches", "bound"),
    [("20140101", "20141231", 2491, 0.573), ("20130101", "20161231", 10396, 0.572)],
)
def test_walk_forward_tennis(tennis, learned, first, last, matches, bound, capsys):
    structure, rows = tennis
    found, made = learned
    chosen = judged_rows(rows, first, last)
    assert chosen.sum() == matches
    loss = -made.log_predictive[chosen]
    right = (made.eta[chosen] > 0) == (structure.design.y[chosen] == 1)
    with capsys.disabled():
        print(
            f"\n{first}-{last}: log loss {loss.mean():.4f} (se {loss.std() / np.sqrt(matches):.4f}), "
            f"right {right.mean():.3f}, n {matches:,}; {found.values}, {found.shared}, {found.passes} passes"
        )
    assert loss.mean() <= bound


def test_no_result_after_the_freeze_moves_a_frozen_forecast(tennis, learned):
    structure, _rows = tennis
    found, _made = learned
    design, early = structure.design, structure.design.played_on < np.datetime64("2014-01-01")
    turned = replace(structure, design=replace(design, y=np.where(early, design.y, 1 - design.y)))
    one, other = (forecast(replace(s, counts=early), found.values, found.shared) for s in (structure, turned))
    assert np.array_equal(one.eta, other.eta)


def test_frozen_tennis_is_forecast_better_than_by_every_peer(tennis, learned, capsys):
    structure, rows = tennis
    found, _made = learned
    early = structure.design.played_on < np.datetime64("2014-01-01")
    made = forecast(replace(structure, counts=early), found.values, found.shared)
    wanted = (pl.col("series") == "tour") & pl.col("event").str.starts_with("2014")
    chosen = rows.select(wanted.fill_null(False)).to_series().to_numpy()
    assert chosen.sum() == 2816
    loss = -made.log_predictive[chosen]
    right = (made.eta[chosen] > 0) == (structure.design.y[chosen] == 1)
    with capsys.disabled():
        print(f"\nfrozen 2014: log loss {loss.mean():.4f}, right {right.mean():.3f}, n {len(loss):,}; {FROZEN_PEERS}")
    assert loss.mean() < min(FROZEN_PEERS.values())
