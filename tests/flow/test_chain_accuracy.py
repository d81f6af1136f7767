"""Accuracy on real results: the forward filter on all of men's tennis, hyperparameters learned before 2013.

The rows judged are main-draw tour matches of 2014 (and 2013 to 2016) by the event's date, Davis Cup and walkovers left
out, retirements kept. `pytest -m slow -s tests/flow/test_chain_accuracy.py` prints the table.
"""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from modeling.engines.chain.filter import Forecasts, Learned, forecast, learn
from modeling.engines.chain.structure import Structure, structure_of
from modeling.fit import design_of
from store.home import Home
from store.stanzas import append_stanza, read_stanzas
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
WHERE league = 'atp' AND status IN ('played', 'retired') ORDER BY played_on, sequence, game_id
"""


@pytest.fixture(scope="module")
def tennis(home: Home, pooltable) -> tuple[Structure, pl.DataFrame]:
    """The pyramid's structure, and of each of its rows series, level and the date of its event."""
    names = ("1*", "20*", "qual_chall_*", "futures_*")
    body = {
        "title": "ATP", "feed": "tennis_sackmann", "outcome": "win", "rate": ["player"], "period": "month",
        "source": [f"{REAL}/tennis_atp/atp_matches_{name}" for name in names], "effects": ["player:surface"],
        "group": "series", "walk": ["player"], "noise": ["best_of"],
    }  # fmt: skip
    append_stanza(home, "atp", body)
    assert pooltable("pull", "atp").returncode == 0
    with reading(home) as con:
        _games, design = design_of(con, "atp", read_stanzas(home)["atp"], None)
        rows = con.sql(GAMES).pl()
    assert rows.height == design.games
    files = [p for year in range(2013, 2017) for p in Path(REAL, "tennis_atp").glob(f"atp_matches_{year}.csv*")]
    events = pl.concat([pl.read_csv(file, infer_schema_length=0) for file in files]).select(
        pl.col("tourney_date").alias("event"), game_id=pl.col("tourney_id") + "|" + pl.col("match_num")
    )
    return structure_of(design), rows.join(events.unique("game_id"), on="game_id", how="left", maintain_order="left")


@pytest.fixture(scope="module")
def learned(tennis) -> tuple[Learned, Forecasts]:
    """Hyperparameters that forecast the tour of 2000 to 2012 best, and every forecast that they make."""
    structure, rows = tennis
    day = structure.design.played_on
    judged = (day >= np.datetime64("2000-01-01")) & (day < np.datetime64("2013-01-01"))
    found = learn(structure, judged & (rows["series"] == "tour").to_numpy())
    return found, forecast(structure, found.values, found.shared)


def judged_rows(rows: pl.DataFrame, first: str, last: str) -> NDArray[np.bool_]:
    wanted = (
        (pl.col("series") == "tour")
        & (pl.col("level") != "D")
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
