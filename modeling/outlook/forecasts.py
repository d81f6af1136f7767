"""Forecasts of single games: chances, scores and margins; how unsure the rating is, and how noisy the game, apart.

In: games to come and joint draws. Out: a row a game of two sides, or a row an entrant of a race.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.games import Games
from modeling.outcomes.outcome import Array, Auxiliaries
from modeling.outlook.coming import Coming
from modeling.posterior import HELD_AT_ONCE

REPEATED = 10  # games simulated a joint draw
LEVELS = (5, 25, 75, 95)
INTERVAL = (5, 95)  # of what is known of a chance
LIKELY = 5  # scores that are listed
MOST_GOALS = 40  # of a score matrix
WHOLE = 0.999  # share of the scores that a matrix holds
LINES = 2  # over and under, each side of the middle


@dataclass(frozen=True)
class Pair:
    """Which rows are the two sides of each game to come, the home side first where there is one."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    turned: NDArray[np.bool_]
    """Whether that is the second side in the stored order, shape (games,)."""


def who_of(sides: pl.DataFrame, games: Games) -> pl.DataFrame:
    """The competitors of each side: `who`, its team's id, or its players' joined by +; of races, its players' first.
    `name` is theirs. One row a side, in the order of `sides`."""
    together = pl.col("player").sort().str.join("+").alias("players")
    players = games.appearances.group_by("game_id", "side").agg(together)
    found = sides.join(players, on=["game_id", "side"], how="left", maintain_order="left")
    is_race = (pl.len().over("game_id") > 2) & pl.col("players").is_not_null()
    who = pl.when(is_race).then("players").otherwise(pl.coalesce("team", "players"))
    named = found.select("game_id", "side", "team", who=who)
    names = [" / ".join(games.names.get(one, one) for one in (ids or "").split("+")) for ids in named["who"]]
    return named.with_columns(name=pl.Series(names, dtype=pl.String))


def forecast_rows(coming: Coming, games: Games, rng: np.random.Generator) -> pl.DataFrame:
    """One row a game of two sides: the columns of `forecast` that are of the game. The home side is `first`."""
    design = coming.design
    sides = games.sides.filter(pl.col("game_id").is_in([design.game_ids[g] for g in np.unique(coming.games)]))
    who = who_of(sides, games)
    home = sides["is_home"].to_numpy()
    turned = home[1::2] & ~home[0::2]
    own = pl.Series(np.where(turned, 1, 0) + 2 * np.arange(len(turned)))
    other = pl.Series(np.where(turned, 0, 1) + 2 * np.arange(len(turned)))
    plain = sides.gather(own).select("game_id", "played_on", "season", is_first_home="is_home")
    said = _said(coming, turned, rng)
    return plain.with_columns(
        first=who["who"].gather(own), second=who["who"].gather(other),
        first_name=who["name"].gather(own), second_name=who["name"].gather(other),
    ).hstack(said)  # fmt: skip


def _said(coming: Coming, turned: NDArray[np.bool_], rng: np.random.Generator) -> pl.DataFrame:
    """What is said of the games, some at a time."""
    design, by_side = coming.design, coming.design.outcome.row == "side"
    draws = len(coming.known)
    eta, arguments = coming.eta(np.arange(draws), rng), coming.arguments(np.arange(draws))
    exposure = design.exposure[coming.rows]
    size = max(1, int(HELD_AT_ONCE / (draws * REPEATED)))
    parts = []
    for some in np.array_split(np.arange(len(turned)), max(1, len(turned) // size)):
        rows = np.stack([2 * some, 2 * some + 1], axis=1).ravel() if by_side else some
        own = of_rows(arguments, rows, eta.shape[1])
        parts.append(_some(coming, eta[:, rows], exposure[rows], own, turned[some], rng))
    return pl.concat(parts)


def of_rows(arguments: Auxiliaries, rows: NDArray[np.intp], count: int) -> Auxiliaries:
    """What of a likelihood's arguments is of some rows, of `count`: all of what is not one value a row."""
    return {
        name: value[..., rows]
        if isinstance(value, np.ndarray) and value.ndim and value.shape[-1] == count > 1
        else value
        for name, value in arguments.items()
    }


def _some(
    coming: Coming, eta: Array, exposure: Array, arguments: Auxiliaries, turned: NDArray[np.bool_],
    rng: np.random.Generator,
) -> pl.DataFrame:  # fmt: skip
    outcome = coming.design.outcome
    by_side = outcome.row == "side"
    first, second = (eta[:, 0::2], eta[:, 1::2]) if by_side else (eta, np.zeros_like(eta))
    full = arguments | {"exposure": exposure[0::2] if by_side else exposure}
    chances = outcome.chances(first, second, full)
    chances = np.where(turned[:, None], chances[..., ::-1], chances)
    sign = np.where(turned, -1.0, 1.0)
    margin = outcome.margin(first, second, full) * sign
    found: dict[str, Any] = dict(zip(("win", "draw", "loss"), chances.mean(axis=0).T, strict=True))
    for name, column in (("win", chances[..., 0]), ("loss", chances[..., 2])):
        found |= dict(zip((f"{name}_low", f"{name}_high"), np.percentile(column, INTERVAL, axis=0), strict=True))
    if outcome.name in ("margin", "score"):
        found |= {"expected_margin": margin.mean(axis=0), "margin_rating_sd": margin.std(axis=0)}
        found |= _simulated(coming, eta, exposure, arguments, margin, turned, rng)
    if by_side and outcome.counts:
        scores = [_matrix(coming, eta[:, 2 * g : 2 * g + 2], exposure[2 * g : 2 * g + 2], arguments, turned[g])
                  for g in range(len(turned))]  # fmt: skip
        found |= {"score_chances": [one.tolist() for one in scores], "likely_scores": [_likely(one) for one in scores]}
    return pl.DataFrame(found, schema_overrides=SCHEMA)


SCHEMA: dict[str, Any] = {
    "score_chances": pl.List(pl.List(pl.Float32)),
    "likely_scores": pl.List(pl.Struct({"first": pl.Int32, "second": pl.Int32, "chance": pl.Float64})),
    "over": pl.List(pl.Struct({"line": pl.Float64, "chance": pl.Float64})),
}


def _simulated(
    coming: Coming, eta: Array, exposure: Array, arguments: Auxiliaries, margin: Array, turned: NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """What comes of simulated games: quantiles of the margin, and where scores are simulated, their means and sums."""
    outcome = coming.design.outcome
    again = {name: np.repeat(value, REPEATED, axis=0) if _is_drawn(value, len(eta)) else value
             for name, value in arguments.items()}  # fmt: skip
    game = np.arange(eta.shape[1]) // (2 if outcome.row == "side" else 1)
    y = outcome.simulate(rng, np.repeat(eta, REPEATED, axis=0), exposure, again, game)
    if outcome.row == "game":
        drawn = np.where(turned, -y, y)
        found: dict[str, Any] = {}
    else:
        own, other = np.where(turned, y[:, 1::2], y[:, 0::2]), np.where(turned, y[:, 0::2], y[:, 1::2])
        drawn = own - other
        found = {"expected_first": own.mean(axis=0), "expected_second": other.mean(axis=0)}
        found["over"] = [_over(total) for total in (own + other).T]
    noise = np.sqrt(np.maximum(drawn.var(axis=0) - margin.var(axis=0), 0.0))
    names = [f"margin_q{level}" for level in LEVELS]
    return found | {"margin_noise_sd": noise} | dict(zip(names, np.percentile(drawn, LEVELS, axis=0), strict=True))


def _is_drawn(value: Any, draws: int) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[0] == draws


def _over(total: Array) -> list[dict[str, float]]:
    """Chances that both sides together have more than lines about the middle."""
    middle, step = np.floor(np.median(total)) + 0.5, max(1.0, np.round(total.std() / 4))
    lines = middle + step * np.arange(-LINES, LINES + 1)
    return [{"line": float(line), "chance": float((total > line).mean())} for line in lines if line > 0]


def _matrix(coming: Coming, eta: Array, exposure: Array, arguments: Auxiliaries, turned: bool) -> Array:
    """Chance of each score, shape (goals of the first, of the second), from 0; nearly all of it."""
    outcome, draws = coming.design.outcome, len(eta)
    highest = np.exp(np.percentile(eta, 99)) * exposure.max()
    top = int(min(highest + 5 * np.sqrt(highest) + 3, MOST_GOALS))
    while True:
        goals = np.stack(np.meshgrid(np.arange(top + 1.0), np.arange(top + 1.0), indexing="ij"), axis=-1).reshape(-1, 2)
        tally = outcome.tallies(goals.ravel(), np.tile(exposure, len(goals)))
        joint = outcome.log_density(tally, np.tile(eta, (1, len(goals))), arguments)
        found = np.exp(joint[:, 0::2] + joint[:, 1::2]).sum(axis=0).reshape(top + 1, top + 1) / draws
        if found.sum() >= WHOLE or top >= MOST_GOALS:
            return _trimmed(found.T if turned else found)
        top = min(2 * top, MOST_GOALS)


def _trimmed(chances: Array) -> Array:
    """The corner of a matrix that holds nearly all of it."""
    size = next(k for k in range(1, len(chances) + 1) if chances[:k, :k].sum() >= min(WHOLE, chances.sum()))
    return chances[:size, :size]


def _likely(chances: Array) -> list[dict[str, Any]]:
    order = np.argsort(-chances, axis=None, kind="stable")[:LIKELY]
    return [{"first": int(k // len(chances)), "second": int(k % len(chances)), "chance": float(chances.flat[k])}
            for k in order.tolist()]  # fmt: skip


def place_rows(coming: Coming, games: Games, rng: np.random.Generator) -> pl.DataFrame:
    """One row an entrant of each race: the columns of `forecast_place` that are of the race."""
    design = coming.design
    draws = len(coming.known)
    eta, arguments = coming.eta(np.arange(draws), rng), coming.arguments(np.arange(draws))
    places = design.outcome.places
    assert places is not None
    parts = []
    for game in np.unique(coming.games):
        own = np.flatnonzero(coming.games == game)
        said = places(rng, eta[:, own], of_rows(arguments, own, eta.shape[1]))
        sides = games.sides.filter(pl.col("game_id") == design.game_ids[game])
        who = who_of(sides, games)
        parts.append(
            sides.select("game_id", "played_on", "season").with_columns(
                who.select(pl.col("who").alias("entrant"), pl.col("name").alias("entrant_name"), "team"),
                win=pl.Series(said.win), top3=pl.Series(said.top(3)), top10=pl.Series(said.top(10)),
                expected_place=pl.Series(said.expected),
                place_chances=pl.Series(said.chances.tolist(), dtype=pl.List(pl.Float32)),
            )
        )  # fmt: skip
    return pl.concat(one.sort("expected_place") for one in parts)
