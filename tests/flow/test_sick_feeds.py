"""Sick files through the real path, from `feed = "csv"` to the verdict: rejected for the right reason; healthy ones of
the same shape are accepted."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from ingest.pull import pull
from modeling.fit import Fitted, fit_league
from store.home import Home
from store.stanzas import Stanza

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEAMS, SEASONS, ROUNDS = 10, 3, 3
Row = tuple[str, str, str, int, int]  # day, home side, away side, their scores


def played(seed: int = 1) -> list[Row]:
    """Three seasons in which everyone plays everyone else three times at home; team 0 is the best, team 9 the worst."""
    rng, found = np.random.default_rng(seed), []
    strength = np.linspace(0.5, -0.5, TEAMS)
    for season in range(SEASONS):
        for number, (a, b) in enumerate(rng.permutation(list(permutations(range(TEAMS), 2)) * ROUNDS)):
            day = date(2023 + season, 1, 1) + timedelta(days=number)
            better = strength[a] - strength[b]
            goals = rng.poisson(np.exp([0.4 + better, 0.2 - better]))
            found.append((day.isoformat(), f"Team {a}", f"Team {b}", *goals.tolist()))
    return found


def scores_swapped(rows: list[Row]) -> list[Row]:
    """The second season with its scores in each other's columns."""
    return [(*row[:3], row[4], row[3]) if row[0].startswith("2024") else row for row in rows]


def names_swapped(rows: list[Row]) -> list[Row]:
    """The best and the worst under each other's name from the middle of the second season on."""
    other = {"Team 0": "Team 9", "Team 9": "Team 0"}
    return [
        (row[0], other.get(row[1], row[1]), other.get(row[2], row[2]), *row[3:]) if row[0] >= "2024-05-15" else row
        for row in rows
    ]


@pytest.fixture
def fitted(tmp_path: Path) -> Callable[[list[Row]], Fitted]:
    """A league's results as a CSV file -> its fit, and so with every later version of the file."""
    home, path = Home(tmp_path / "home"), tmp_path / "results.csv"
    columns = {"date": "day", "home": "home", "away": "away", "home_score": "hs", "away_score": "as"}
    body = {"title": "Made", "feed": "csv", "source": str(path), "outcome": "score", "effects": "home"}
    stanza = Stanza.model_validate(body | {"columns": columns})

    def fit(rows: list[Row]) -> Fitted:
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("day", "home", "away", "hs", "as"), *rows])
        pull(home, "made", stanza, NOW, accept=True)
        return fit_league(home, "made", stanza, NOW)

    return fit


@pytest.mark.slow
def test_names_that_were_swapped_in_mid_season_are_rejected_and_a_healthy_night_is_not(fitted):
    rows = played()
    assert fitted(rows[:-20]).reasons == []
    assert fitted(rows).reasons == []
    (reason,) = fitted(names_swapped(rows)).reasons
    assert reason.startswith("jumped") and "Were names or sides swapped in the feed?" in reason


def test_a_season_with_its_scores_in_the_wrong_columns_is_rejected(fitted):
    (told,) = [one for one in fitted(scores_swapped(played())).reasons if one.startswith("agreeing")]
    begin, end = re.findall(r"\d{4}-\d\d-\d\d", told)
    assert "2023-09" <= begin <= "2024-02" and "2024-08" <= end <= "2025-02"
    assert "sides or scores of that time in the wrong columns?" in told
