"""Simulated seasons as rows, one array element a season: what readers ask what-if questions of.

In: the simulated ends of each table. Out: the rows of `simulated_table`, `simulated_game` and `simulated_play_off`. A
game's result tells of the ratings, and changes the points of its two sides: seasons are weighed by the chance that they
gave the result.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.outlook.season import Competition, Simulated
from store.seasons import Places, SeasonRules

PARTS = 10_000  # of a chance
PRIZES = pl.List(pl.Struct({"prize": pl.String, "first": pl.UInt16, "last": pl.UInt16}))
# Of a table that is over too, which has none.
GAMES: dict[str, Any] = dict.fromkeys(("table", "game_id", "first", "second"), pl.String) | {
    "worth": pl.List(pl.Float64)
}


def simulated_rows(one: Competition, end: Simulated, places: Places, rules: SeasonRules) -> dict[str, pl.DataFrame]:
    """The rows of one table, by the name of the table in the warehouse, without what is the same in all rows."""
    sides, (seasons, games) = len(one.sides), end.chances.shape[:2]
    prizes = [{"prize": name} | dict(zip(("first", "last"), _from_above(where, sides), strict=True))
              for name, where in places.items()]  # fmt: skip
    tables = pl.DataFrame(
        {
            "table": [one.table] * sides, "competitor_id": one.sides,
            "points": _lists(end.tables.points[:seasons].astype(np.float32)),
            "places": _lists(end.tables.places[:seasons].astype(np.uint16)),
            "prizes": pl.Series([prizes] * sides, dtype=PRIZES),
        }
    )  # fmt: skip
    next_games, chances = one.to_come[:games], np.rint(end.chances * PARTS).astype(np.uint16)
    rows = pl.DataFrame(
        {
            "table": [one.table] * games, "game_id": [one.game_ids[game] for game in next_games],
            "first": [one.sides[one.first[game]] for game in next_games],
            "second": [one.sides[one.second[game]] for game in next_games],
            "worth": [list(rules.points)] * games,
            "results": _lists(end.results[:seasons, :games].astype(np.uint8)),
            "wins": _lists(chances[..., 0]), "losses": _lists(chances[..., 2]),
        }, schema_overrides=GAMES,
    )  # fmt: skip
    decided = pl.DataFrame(
        {
            "table": [one.table] * len(end.gained), "prize": [each.prize for each in end.gained],
            "play_off": [each.number for each in end.gained],
            "places": pl.Series([each.places[:seasons].tolist() for each in end.gained], dtype=pl.List(pl.UInt16)),
        }, schema_overrides={"table": pl.String, "prize": pl.String, "play_off": pl.UInt16},
    )  # fmt: skip
    return {"simulated_table": tables, "simulated_game": rows, "simulated_play_off": decided}


def _from_above(where: tuple[int, int], sides: int) -> list[int]:
    """Places that may count from the end, from 1."""
    return [place if place > 0 else sides + 1 + place for place in where]


def _lists(by_season: NDArray[np.generic]) -> pl.Series:
    """Columns of an array as lists, of the array's kind of number."""
    return pl.Series(np.ascontiguousarray(by_season.T)).arr.to_list()
