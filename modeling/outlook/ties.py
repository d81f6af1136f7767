"""Ties: games that have to have a winner, single ones or two together; and games between whoever may come to meet.

A game that is level goes on for a third of its length (football's extra time), then luck decides (penalties); where no
draws are forecast, its winner is the forecast's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from modeling.games import NO_APPEARANCES
from modeling.outcomes.outcome import Array, Auxiliaries, Outcome
from modeling.outlook.fixtures import Given
from store.errors import FitError

EXTRA_TIME = 1 / 3  # of a game's length
AT_FIRST, AT_SECOND, SINGLE = 0, 1, 2  # the games of two: at the first's, at the second's, and the only one


@dataclass(frozen=True)
class Meeting:
    """A game that there may be, and at whose ground: 1 the first's, 2 the second's, 0 neither's."""

    game_id: str
    first: str
    second: str
    ground: int


def as_given(
    meetings: Iterable[Meeting], day: date, season: str, kind: str, attributes: Mapping[str, Any] | None = None
) -> Given:
    """Meetings of teams or players (`kind`) as games to come; `attributes` are columns that all have."""
    sides, line_ups = [], []
    for one in meetings:
        common = {"game_id": one.game_id, "contest_id": one.game_id, "season": season, "played_on": day,
                  "exposure": 1.0, "neutral": not one.ground, **(attributes or {})}  # fmt: skip
        for side, who in ((1, one.first), (2, one.second)):
            team = who if kind == "team" else None
            sides.append(common | {"side": side, "team": team, "is_home": side == one.ground})
            line_ups += [] if kind == "team" else [(one.game_id, side, who, 1.0)]
    frame = pl.DataFrame(sides, infer_schema_length=None).with_columns(
        pl.col("side").cast(pl.Int16), pl.col("team").cast(pl.String)
    )
    return Given(frame, pl.DataFrame(line_ups, schema=NO_APPEARANCES.schema, orient="row"))


def two_legs(outcome: Outcome, first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """Linear predictors of both sides of two games as if they were one: of counts, rates add up. Raises FitError where
    scores are none."""
    if not (outcome.row == "side" and outcome.counts):
        raise FitError("Two legs need scores that are counts.", "Set legs = 1, or best_of; of play-offs another round.")
    return np.logaddexp(*first), np.logaddexp(*second)


def decided(
    outcome: Outcome, first: Array, second: Array, arguments: Auxiliaries, *, legs: int = 1, level: Array | float = 0.5
) -> Array:
    """Chance of the first to go through, of the shape of its linear predictor.

    Extra time is a share of what the predictor is of: of one game, or of two together. `level` is the chance to go
    through after it.
    """
    win, drawn, _ = np.moveaxis(outcome.chances(first, second, arguments), -1, 0)
    if not drawn.any():
        return win
    longer = outcome.chances(first, second, arguments | {"exposure": EXTRA_TIME / legs})
    return win + drawn * (longer[..., 0] + longer[..., 1] * level)


def second_leg(
    outcome: Outcome, first: Array, second: Array, lead: Array, arguments: Auxiliaries, rng: np.random.Generator, *,
    level: Array | float = 0.5,
) -> Array:  # fmt: skip
    """Chance of the first to go through in the second game of two, by simulation of its time: 1 or 0 but where the two
    are level after it. `lead` is how far the first is ahead; shapes and `level` as `decided` has them."""
    both = np.stack([first, second], axis=-1).reshape(len(first), -1)
    game = np.repeat(np.arange(first.shape[1]), 2)
    scores = outcome.simulate(rng, both, np.ones(len(game)), arguments, game)
    ahead = lead + scores[:, 0::2] - scores[:, 1::2]
    longer = outcome.chances(first, second, arguments | {"exposure": EXTRA_TIME})
    return np.where(ahead == 0, longer[..., 0] + longer[..., 1] * level, ahead > 0)
