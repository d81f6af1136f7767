"""Outlooks of past seasons, made when a quarter, half and three quarters of each were played, from earlier days alone.

Eighty-two seasons of eleven European divisions: what was said of titles, top fours and last threes is calibrated, and
better than equals playing on and the table extrapolated, and no worse than Elo. A quarter of an hour of one core.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from ingest.pull import pull
from modeling.backtest_contests import contests_of, read_asked
from modeling.baselines import elo
from modeling.baselines.contests import Contests
from modeling.outlook.competitions import Competition, competitions
from modeling.outlook.season import simulate
from modeling.outlook.table import Rules, tables
from modeling.sampled import SEED
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

pytestmark = [pytest.mark.slow, pytest.mark.real, pytest.mark.timeout(7200)]
SEASONS, FIRST, REPEATED = 4000, 2014, 4000
POINT_SD = 1.3  # of a game's points: what a Normal extrapolation goes astray by
PRIZES = {"champion": (1, 1), "top_4": (1, 4), "last_3": (-3, -1)}
ALL_LEVEL = (0.44, 0.26, 0.30)  # wins at home, draws, wins away
PLAYED = """
SELECT season, list(played_on ORDER BY played_on) FROM game
WHERE round LIKE '%Matchday %' AND status = 'played' GROUP BY season ORDER BY season
"""


@dataclass(frozen=True)
class League:
    """The league in its home."""

    home: Home
    stanza: Stanza
    contests: Contests


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> League:
    home = Home(Path(tmp_path_factory.mktemp("outlooks")))
    body = {
        "title": "x", "feed": "openfootball", "source": f"{real_data}/club_football/*/*.json", "outcome": "score",
        "period": "season", "walk": "team", "effects": "home", "group": "division", "min_games": 10,
        "season": {"table": "division", "rounds": "*Matchday *", "places": PRIZES},
    }  # fmt: skip
    stanza = Stanza.model_validate(body)
    pull(home, "x", stanza, datetime(2026, 1, 1, tzinfo=UTC))
    return League(home, stanza, contests_of(read_asked(home, "x", stanza, date(2025, 1, 1))))


def cuts(league: League) -> Iterator[tuple[str, int, date]]:
    """Season, quarter and day of each outlook."""
    with reading(league.home) as con:
        played = con.execute(PLAYED).fetchall()
    for season, days in played:
        if int(season[:4]) >= FIRST:
            yield from ((season, quarter, days[len(days) * quarter // 4]) for quarter in (1, 2, 3))


def by_points(one: Competition, chances: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int16]:
    """Places where every game to come is drawn from chances of its first side's win, a draw and a loss."""
    drawn = (rng.random((SEASONS, len(one.to_come), 1)) > np.cumsum(chances, axis=1)[None, :, :2]).sum(axis=-1)
    scores = np.repeat(one.scores[None], SEASONS, axis=0)
    scores[:, one.to_come, 0], scores[:, one.to_come, 1] = drawn == 0, drawn == 2
    keys = rng.random((SEASONS, len(one.sides), 2))
    return tables(one.first, one.second, scores, keys, Rules((3.0, 1.0, 0.0), ("points",))).places


def extrapolated(one: Competition, rules: Rules, rng: np.random.Generator) -> NDArray[np.int16]:
    """Places where everybody goes on as before, give or take."""
    done = one.place < 0
    keys = np.zeros((1, len(one.sides), 2))
    now = tables(one.first[done], one.second[done], one.scores[None, done], keys, rules).points[0]
    ends = np.concatenate([one.first, one.second])
    played = np.bincount(ends[np.tile(done, 2)], minlength=len(one.sides))
    left = np.bincount(ends, minlength=len(one.sides)) - played
    noise = rng.standard_normal((SEASONS, len(one.sides))) * POINT_SD * np.sqrt(left)
    final = now + left * now / np.maximum(played, 1) + noise
    return (np.argsort(np.argsort(-final, axis=1), axis=1) + 1).astype(np.int16)


def elo_chances(league: League, day: date) -> dict[str, NDArray[np.float64]]:
    """Chances of each game from a day on, in the stored order, by Elo tuned on the days before."""
    past, to_come = league.contests.between(None, day), league.contests.between(day, date(2100, 1, 1))
    (one,) = elo.BASELINES
    said = one.forecast(one.tune(past, None), past, to_come.fixtures()).chances
    return dict(zip(to_come.game_id, said, strict=True))


def truth(league: League, one: Competition, rules: Rules) -> NDArray[np.int16] | None:
    """The places in the end; None where the season was broken off."""
    scores = one.scores.copy()
    known = {name: k for k, name in enumerate(league.contests.game_id)}
    for game in one.to_come.tolist():
        number = known.get(one.game_ids[game])
        if number is None:
            return None
        margin = league.contests.margin[number] * (-1 if one.turned[game] else 1)
        scores[game] = max(margin, 0.0), max(-margin, 0.0)
    return tables(one.first, one.second, scores[None], np.zeros((1, len(one.sides), 2)), rules).places[0]


@pytest.fixture(scope="module")
def said(league: League, looked_ahead: Any) -> pl.DataFrame:
    """What each forecaster said of each side and prize, and whether it came."""
    found = []
    for season, quarter, day in cuts(league):
        rules = league.stanza.season
        assert rules is not None
        recent = league.stanza.model_copy(update={"since": date(day.year - 4, 7, 1)})  # three seasons, and this so far
        label, fixtures, coming, _ = looked_ahead(league.home, recent, day)
        asked = competitions(fixtures, label, rules)
        rng, usual = np.random.default_rng(SEED), elo_chances(league, day)
        how = Rules((3.0, 1.0, 0.0), rules.order)
        for one, end in zip(asked, simulate(coming, asked, rules, rng, seasons=SEASONS), strict=True):
            came = truth(league, one, how)
            if came is None:
                continue
            stored = np.array([usual.get(one.game_ids[game], ALL_LEVEL) for game in one.to_come])
            turned = np.where(one.turned[one.to_come][:, None], stored[:, ::-1], stored)
            places = {
                "model": end.tables.places, "elo": by_points(one, turned, rng),
                "extrapolated": extrapolated(one, how, rng),
                "equals": by_points(one, np.tile(ALL_LEVEL, (len(one.to_come), 1)), rng),
            }  # fmt: skip
            about = {"season": season, "table": one.table, "quarter": quarter}
            for name, drawn in places.items():
                found += [about | row for row in _prizes(name, drawn, came)]
    return pl.DataFrame(found)


def _prizes(name: str, drawn: NDArray[np.int16], came: NDArray[np.int16]) -> Iterator[dict]:
    sides = drawn.shape[1]
    for prize, (first, last) in PRIZES.items():
        low, high = (place if place > 0 else sides + 1 + place for place in (first, last))
        chance = ((drawn >= low) & (drawn <= high)).mean(axis=0)
        for side in range(sides):
            kept = (chance[side] * SEASONS + 0.5) / (SEASONS + 1)
            is_so = bool(low <= came[side] <= high)
            loss = -np.log(kept if is_so else 1 - kept)
            yield {"forecaster": name, "prize": prize, "chance": chance[side], "came": is_so, "loss": loss}


def resampled(values: pl.DataFrame, level: float) -> tuple[float, float]:
    """Interval of the mean of `value`, whole seasons of a table (season, table) being drawn again."""
    sums = values.group_by("season", "table").agg(pl.col("value").sum(), pl.len()).sort("season", "table")
    drawn = np.random.default_rng(SEED).integers(0, sums.height, (REPEATED, sums.height))
    means = sums["value"].to_numpy()[drawn].sum(axis=1) / sums["len"].to_numpy()[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def apart(said: pl.DataFrame, other: str, prize: str) -> tuple[float, float, tuple[float, float]]:
    """Mean of another forecaster's log loss a side less ours, its error, seasons of a table together, and its 95 %
    bootstrap interval."""
    of = said.filter(pl.col("prize") == prize)
    theirs, ours = (of.filter(pl.col("forecaster") == name) for name in (other, "model"))
    value = ours.select("season", "table").with_columns(value=theirs["loss"] - ours["loss"])
    each = value.group_by("season", "table").agg(pl.col("value").mean())["value"].to_numpy()
    return float(value["value"].to_numpy().mean()), float(each.std(ddof=1) / np.sqrt(len(each))), resampled(value, 0.95)


@pytest.mark.parametrize("prize", PRIZES)
@pytest.mark.parametrize("other", ["elo", "extrapolated", "equals"])
def test_outlooks_beat_what_is_easy(said, other, prize):
    mean, error, (low, high) = apart(said, other, prize)
    own = said.filter(pl.col("prize") == prize, pl.col("forecaster") == "model")["loss"].mean()
    print(f"{prize}: ours {own:.4f}, {other} {mean:+.4f} [{low:.4f}, {high:.4f}] a side")
    assert mean > (1.645 * error if other != "elo" else -error)


@pytest.mark.parametrize("prize", PRIZES)
def test_chances_come_about_as_often_as_they_say(said, prize):
    """By tens of per cent, within four standard errors: as seasons of a table are off together, and no less than
    independent events of those chances would be."""
    own = said.filter(pl.col("forecaster") == "model", pl.col("prize") == prize)
    for (ten,), rows in own.sort("chance").group_by((pl.col("chance") * 10).floor().clip(0, 9), maintain_order=True):
        low, high = resampled(rows.with_columns(value=pl.col("came").cast(pl.Float64)), 0.9)
        told, came, count = rows["chance"].mean(), rows["came"].mean(), rows.height
        print(f"{prize} {10 * ten:.0f} %: {told:.3f} said, {came:.3f} [{low:.3f}, {high:.3f}] came, {count} chances")
        off = rows.group_by("season", "table").agg((pl.col("came") - pl.col("chance")).sum().alias("off"))["off"]
        alone = (rows["chance"] * (1 - rows["chance"])).sum()
        assert abs(off.sum()) < 4 * np.sqrt(max((off**2).sum(), alone))
