"""Outlooks of past seasons, made when a quarter, half and three quarters of each were played, from earlier days alone.

Eighty-two seasons of eleven European divisions: what was said of titles, top fours and last threes is calibrated, and
better than equals playing on and the table extrapolated, and no worse than Elo. A quarter of an hour of one core.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from ingest.pull import pull
from modeling.backtest_contests import contests_of, read_asked
from modeling.baselines import elo
from modeling.baselines.contests import Contests
from modeling.build import build_design
from modeling.engines.choice import choose, prepare
from modeling.field import make_field
from modeling.outlook.coming import Coming, coming_of, draws_in
from modeling.outlook.fixtures import Fixtures, of_next_season, read_fixtures
from modeling.outlook.season import Competition, competitions, simulate
from modeling.outlook.states import state_rows
from modeling.outlook.table import Rules, tables
from modeling.posterior import from_tree
from modeling.ratings import make_ratings
from modeling.sampled import CARE, SEED
from modeling.tables import draw_rows
from store.home import Home
from store.seasons import SeasonRules
from store.stanzas import Stanza
from store.warehouse import reading

pytestmark = [pytest.mark.slow, pytest.mark.real, pytest.mark.timeout(7200)]
SEASONS, FIRST = 4000, 2014
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


def ahead(league: League, day: date) -> tuple[Fixtures, Coming, list[Competition], SeasonRules]:
    """The season's games to come, by a fit of the three seasons before the day and of the season so far."""
    stanza = league.stanza.model_copy(update={"since": date(day.year - 4, 7, 1)})
    assert stanza.season is not None
    season, fixtures = of_next_season(read_fixtures(league.home, "x", stanza, day))
    games = fixtures.games
    before = games.sides.filter(~pl.col("game_id").is_in(list(games.to_come)))
    design = build_design(stanza, replace(games, sides=before, to_come=frozenset(), as_of=day), fixtures.known)
    engine = prepare(choose(design, "fast").engine, design, None)
    tree = engine.sample(np.ones(design.games, bool), SEED, 1000, lambda _: None, CARE[0])
    posterior, rng = from_tree(design, tree), np.random.default_rng(SEED)
    ratings = [make_ratings(design, posterior, make_field(design, kind, stanza, day), rng) for kind in design.kinds]
    rows = pl.concat(chain(draw_rows(design, posterior, ratings), state_rows(design, posterior, ratings, rng)))
    coming = coming_of(build_design(stanza, games, fixtures.known), games, stanza, draws_in(rows, "f", day), rng)
    return fixtures, coming, competitions(fixtures, season, stanza.season), stanza.season


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
def said(league: League) -> pl.DataFrame:
    """What each forecaster said of each side and prize, and whether it came."""
    found = []
    for season, quarter, day in cuts(league):
        _, coming, asked, rules = ahead(league, day)
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


def apart(said: pl.DataFrame, other: str, prize: str) -> tuple[float, float]:
    """Mean of another forecaster's log loss a side less ours, and its error, seasons of a table together."""
    by = said.filter(pl.col("prize") == prize).group_by("season", "table", "forecaster", maintain_order=True)
    wide = by.agg(pl.col("loss").mean()).pivot("forecaster", index=["season", "table"], values="loss")
    difference = (wide[other] - wide["model"]).to_numpy()
    return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))


@pytest.mark.parametrize("prize", PRIZES)
@pytest.mark.parametrize("other", ["elo", "extrapolated", "equals"])
def test_outlooks_beat_what_is_easy(said, other, prize):
    mean, error = apart(said, other, prize)
    print(f"{prize}, {other}: {mean:+.4f} ± {error:.4f} a side")
    assert mean > (1.645 * error if other != "elo" else -error)


@pytest.mark.parametrize("prize", PRIZES)
def test_chances_come_about_as_often_as_they_say(said, prize):
    """By tens of per cent, within four standard errors of the seasons' tables."""
    own = said.filter(pl.col("forecaster") == "model", pl.col("prize") == prize)
    for (ten,), rows in own.group_by((pl.col("chance") * 10).floor().clip(0, 9), maintain_order=True):
        off = rows.group_by("season", "table").agg((pl.col("came") - pl.col("chance")).sum().alias("off"))["off"]
        print(f"{prize} {ten}: {rows['chance'].mean():.3f} said, {rows['came'].mean():.3f} came, {rows.height}")
        if rows.height >= 30:
            assert abs(off.sum()) < 4 * np.sqrt((off**2).sum())
