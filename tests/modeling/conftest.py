"""Simulated leagues as the frames that modeling reads, with known strengths."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from modeling.games import Games
from store.stanzas import Stanza


@dataclass(frozen=True)
class League:
    """A simulated league and the strengths it was made with."""

    games: Games
    attack: NDArray[np.float64]
    defence: NDArray[np.float64]


def make_league(teams: int = 10, rounds: int = 2, seed: int = 1, spread: float = 0.3, home: float = 0.25) -> League:
    rng = np.random.default_rng(seed)
    attack, defence = rng.normal(0, spread, teams), rng.normal(0, spread, teams)
    rows = []
    pairs = [(a, b) for _ in range(rounds) for a in range(teams) for b in range(teams) if a != b]
    for number, (a, b) in enumerate(rng.permutation(pairs)):
        for side, (own, other, is_home) in enumerate([(a, b, True), (b, a, False)], start=1):
            score = float(rng.poisson(np.exp(0.2 + home * is_home + attack[own] - defence[other])))
            rows.append(
                row(
                    f"g{number:05d}",
                    date(2024, 1, 1) + timedelta(days=number // 5),
                    side,
                    f"t:{own:02d}",
                    is_home,
                    score,
                )
            )
    return League(Games("simulated", rows[-1]["played_on"] + timedelta(days=1), pl.DataFrame(rows)), attack, defence)


def row(game: str, day: date, side: int, team: str, is_home: bool, score: float | None) -> dict:
    return {
        "game_id": game, "contest_id": game, "season": "2024", "played_on": day, "neutral": False, "side": side,
        "team": team, "is_home": is_home, "score": score, "exposure": 1.0,
    }  # fmt: skip


@pytest.fixture(scope="session")
def league() -> League:
    return make_league()


@pytest.fixture(scope="session")
def league_maker() -> Callable[..., League]:
    return make_league


@pytest.fixture(scope="session")
def side_row() -> Callable[..., dict]:
    return row


@pytest.fixture(scope="session")
def stanza() -> Stanza:
    return Stanza(title="Simulated", feed="none", source=("none",), outcome="score", effects=("home",))
