"""The games that weigh most on a model, and those that it expected least, in words."""

from typing import Any

import numpy as np
import polars as pl

from modeling.compared import Scored
from modeling.games import Games
from modeling.loo import HIGH_K

FEWEST, MOST = 10, 100  # games listed of each model: ten of each sort, and all of high k-hat up to a hundred
SCHEMA = {
    "variant": pl.String, "game_id": pl.String, "played_on": pl.Date, "sides": pl.String, "result": pl.String,
    "elpd": pl.Float64, "k_hat": pl.Float64, "is_high": pl.Boolean, "is_refitted": pl.Boolean,
}  # fmt: skip


def influential(games: Games, scored: list[Scored]) -> pl.DataFrame:
    """Rows of `influential_game`, of each model."""
    rows = [row for one in scored if one.method != "waic" for row in _rows_of(one)]
    told = ("played_on", "sides", "result")
    found = pl.DataFrame(rows, schema={name: SCHEMA[name] for name in SCHEMA if name not in told})
    return found.join(_told(games, found["game_id"].unique().to_list()), on="game_id", how="left").select(*SCHEMA)


def _rows_of(one: Scored) -> list[dict[str, Any]]:
    k_hat = np.zeros(len(one.elpd)) if one.k_hat is None else one.k_hat
    left_out = np.zeros(len(one.elpd), dtype=bool) if one.is_refitted is None else one.is_refitted
    count = 0 if one.k_hat is None else min(MOST, max(FEWEST, int((k_hat > HIGH_K).sum())))
    weighty = np.argsort(-k_hat, kind="stable")[:count]
    unexpected = np.argsort(one.elpd, kind="stable")[:FEWEST]
    return [
        {
            "variant": one.title,
            "game_id": one.game_ids[game],
            "elpd": float(one.elpd[game]),
            "k_hat": float(k_hat[game]) if one.k_hat is not None and np.isfinite(k_hat[game]) else None,
            "is_high": bool(k_hat[game] > HIGH_K),
            "is_refitted": bool(left_out[game]),
        }
        for game in np.union1d(weighty, unexpected).tolist()
    ]


def _told(games: Games, wanted: list[str]) -> pl.DataFrame:
    """Who played, and how it ended, of some games: game_id, played_on, sides, result."""
    sides = games.sides.filter(pl.col("game_id").is_in(wanted))
    playing = games.appearances.filter(pl.col("game_id").is_in(wanted))
    rows = []
    for (game_id,), own in sides.group_by("game_id", maintain_order=True):
        who = [_who(games, row, playing) for row in own.iter_rows(named=True)]
        rows.append(
            {"game_id": game_id, "played_on": own["played_on"][0], "sides": _sides(who), "result": _result(own, who)}
        )
    return pl.DataFrame(rows, schema={name: SCHEMA[name] for name in ("game_id", "played_on", "sides", "result")})


def _who(games: Games, side: dict[str, Any], playing: pl.DataFrame) -> str:
    """The team of a side, or its players."""
    if side["team"] is not None:
        return str(games.names.get(side["team"], side["team"]))
    own = playing.filter((pl.col("game_id") == side["game_id"]) & (pl.col("side") == side["side"]))
    return (
        "/".join(str(games.names.get(player, player)) for player in own["player"].to_list()) or f"side {side['side']}"
    )


def _sides(who: list[str]) -> str:
    return " – ".join(who) if len(who) == 2 else f"{len(who)} entrants"


def _result(sides: pl.DataFrame, who: list[str]) -> str:
    """The score where there is one, else who won; in the order of the sides."""
    scores = sides["score"].to_list()
    if len(who) == 2 and None not in scores:
        return "–".join(f"{score:g}" for score in scores)
    won = sides["won"].to_list()
    first = won.index(True) if True in won else sides["finish"].arg_min()
    return f"{who[first]} won" if first is not None else "drawn"
