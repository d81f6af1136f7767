"""The World Cups of 2014, 2018 and 2022: the games of their groups, forecast by us and by FiveThirtyEight.

FiveThirtyEight's are its last before each game; what it said before the tournaments is not in the file. Ours, from the
eight years before, are once frozen on the first day of the cup and once renewed before each of the three rounds.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ingest.pull import pull
from modeling.outlook.forecasts import forecast_rows
from store.home import Home
from store.stanzas import Stanza, read_catalogue

pytestmark = [pytest.mark.slow, pytest.mark.real, pytest.mark.timeout(1800)]
YEARS, OF_A_ROUND = 8, 16
CALLED = {"USA": "United States", "Bosnia-Herzegovina": "Bosnia and Herzegovina", "IR Iran": "Iran"}
CUPS = (2014, 2018, 2022)


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> tuple[Home, Stanza]:
    home = Home(Path(tmp_path_factory.mktemp("cups")))
    source = (str(real_data / "international_football" / "results.csv"),)
    stanza = read_catalogue()["international_football"].model_copy(update={"source": source, "since": None})
    pull(home, "x", stanza, datetime(2026, 1, 1, tzinfo=UTC))
    return home, stanza


@pytest.fixture(scope="module")
def asked(real_data: Path) -> pl.DataFrame:
    """FiveThirtyEight's chances of the games that could be drawn, and what came: 0, 1 or 2; in order of play."""
    file = real_data / "forecasts_538" / "world_cup_matches_men.csv"
    games = pl.read_csv(file, try_parse_dates=True, infer_schema_length=None).filter(pl.col("probtie") > 0)
    came = pl.concat_list("prob1_outcome", "probtie_outcome", "prob2_outcome").list.arg_max()
    return games.sort("season", "date", maintain_order=True).select(
        "season", "date", pl.col("team1", "team2").replace(CALLED), "prob1", "probtie", "prob2", came=came,
        round=pl.int_range(pl.len()).over("season") // OF_A_ROUND,
    )  # fmt: skip


def chances(looked_ahead: Any, home: Home, stanza: Stanza, day: date) -> dict[frozenset[str], dict[str, float]]:
    """Our chances of the games from a day on: by both names, each name's chance to win, and "" for a draw."""
    own = stanza.model_copy(update={"since": day.replace(year=day.year - YEARS)})
    _, fixtures, coming, rng = looked_ahead(home, own, day)
    rows = forecast_rows(coming, fixtures.games, rng).sort("played_on", descending=True, maintain_order=True)
    return {
        frozenset((one, other)): {one: win, "": draw, other: loss}
        for one, other, win, draw, loss in rows.select("first_name", "second_name", "win", "draw", "loss").iter_rows()
    }  # the next meeting of two is the last to be put in


def losses(said: dict[frozenset[str], dict[str, float]], games: pl.DataFrame) -> Iterator[float]:
    for one, other, came in games.select("team1", "team2", "came").iter_rows():
        yield -np.log(said[frozenset((one, other))][(one, "", other)[came]])


@pytest.fixture(scope="module")
def scored(looked_ahead: Any, league: tuple[Home, Stanza], asked: pl.DataFrame) -> pl.DataFrame:
    """Log loss of every game by forecaster."""
    parts = []
    for cup in CUPS:
        games = asked.filter(pl.col("season") == cup)
        rounds = games.partition_by("round", maintain_order=True)
        days: list[date] = [part["date"].to_list()[0] for part in rounds]
        said = [chances(looked_ahead, *league, day) for day in days]
        drawn = float((asked.filter(pl.col("season") != cup)["came"] == 1).to_numpy().mean())
        shares = np.array([(1 - drawn) / 2, drawn, (1 - drawn) / 2])
        peer = games.select("prob1", "probtie", "prob2").to_numpy()[np.arange(games.height), games["came"]]
        parts.append(
            pl.DataFrame(
                {
                    "cup": [cup] * games.height,
                    "frozen": list(losses(said[0], games)),
                    "renewed": [loss for own, part in zip(said, rounds, strict=True) for loss in losses(own, part)],
                    "FiveThirtyEight": -np.log(peer),
                    "shares": -np.log(shares[games["came"]]),
                }
            )
        )
    return pl.concat(parts)


def apart(scored: pl.DataFrame, one: str, other: str) -> tuple[float, float]:
    """Mean of one forecaster's log loss less another's, and its standard error."""
    difference = (scored[one] - scored[other]).to_numpy()
    return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))


@pytest.mark.parametrize("own", ["frozen", "renewed"])
def test_world_cups_are_forecast_about_as_well_as_by_fivethirtyeight(scored, own):
    """Better than the shares of results of the other two cups; not worse than the peer by more than chance allows."""
    assert scored.height == 144
    for (cup,), rows in [*scored.group_by("cup", maintain_order=True), ((None,), scored)]:
        means = {name: f"{rows[name].mean():.3f}" for name in (own, "FiveThirtyEight", "shares")}
        print(cup or "all", means)
    behind, error = apart(scored, own, "FiveThirtyEight")
    ahead, of_ahead = apart(scored, "shares", own)
    print(f"{own}: behind the peer by {behind:.3f} ± {error:.3f}, ahead of shares by {ahead:.3f} ± {of_ahead:.3f}")
    assert ahead > 1.645 * of_ahead
    assert behind < 1.96 * error
