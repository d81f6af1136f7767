"""What games are called in groups (their season, competition, surface …), for looking at what is left of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

# Attributes known before a game, by the names feeds give them: grouped by what came of it, any model looks off.
KNOWN_BEFORE = (
    "best_of", "circuit", "competition", "day_or_night", "div_game", "division", "game_type", "level", "park", "roof",
    "series", "surface", "tournament", "weekday",
)  # fmt: skip
MOST = 12  # values of an attribute that are looked at: the commonest
FEWEST = 30  # games of a value
LEAST = 0.5  # share of the games that have such a value
SEASONS = 4  # that tell of drift; of fewer, months do


@dataclass(frozen=True)
class Label:
    """One way of grouping games."""

    name: str
    values: tuple[str, ...]
    codes: NDArray[np.int16]
    """Of each game the number of its value, -1 where it has none that counts; shape (games,)."""


def labels_of(game_ids: Sequence[str], told: pl.DataFrame) -> list[Label]:
    """The groupings of games by each column of `told` but `game_id`, without those that put all together and those that
    another one says.

    Seasons stand for months where there are some; of an attribute the twelve commonest values count, and none where
    they are those of fewer than half of the games.
    """
    games = pl.DataFrame({"game_id": pl.Series(game_ids, dtype=pl.String)}).join(
        told, on="game_id", how="left", maintain_order="left"
    )
    time = "month" if games["season"].n_unique() >= SEASONS else "season"
    found = [_label(games[name]) for name in games.columns if name not in ("game_id", time)]
    kept = [one for one in found if len(one.values) > 1 and np.mean(one.codes >= 0) >= LEAST]
    return [one for number, one in enumerate(kept) if not any(_same(one, other) for other in kept[:number])]


def _same(one: Label, other: Label) -> bool:
    """Whether two ways of grouping are the same under other names, as a competition and its division are."""
    pairs = (one.codes.astype(np.intp) + 1) * (len(other.values) + 1) + other.codes + 1
    return np.count_nonzero(np.bincount(pairs)) == _groups(one) == _groups(other)


def _groups(label: Label) -> int:
    return int(np.count_nonzero(np.bincount(label.codes.astype(np.intp) + 1)))


def _label(column: pl.Series) -> Label:
    most = len(column) if column.name in ("season", "month") else MOST
    counted = column.drop_nulls().value_counts(sort=True, name="games").filter(pl.col("games") >= FEWEST).head(most)
    values = sorted(counted[column.name].to_list())
    codes = column.replace_strict(values, range(len(values)), default=-1, return_dtype=pl.Int16)
    return Label(column.name, tuple(values), codes.to_numpy())
