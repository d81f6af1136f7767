"""Our model's forecasts of games to come, from past results alone.

Refitted at each cut, a Design is built from the games before it and those to be forecast, which have no results in it:
there is nothing to leak. By the filter, one pass over the days forecasts every game from the days before its own.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from modeling.baselines.contests import Forecasts
from modeling.build import build_design
from modeling.design import FIXED_SCALES, Design
from modeling.earlier import Start
from modeling.engines.chain.filter import Learned, forecast, learn
from modeling.engines.chain.structure import Structure, structure_of
from modeling.engines.choice import JOINT, NUTS, Choice, choose, prepare
from modeling.games import Games
from modeling.outcomes.outcome import Array, Auxiliaries
from modeling.posterior import Posterior, from_tree
from modeling.sampled import CARE, SEED, or_nuts
from store.errors import FitError
from store.stanzas import Stanza

DRAWS = 1000  # of a refit: a chance's error is a hundredth of its own uncertainty
FILTER_DRAWS = 200  # of a belief, at even quantiles
MANY_PASSES = 100  # of the filter, by which most of what is to be learned at a cut is
JUDGED_DAYS = np.timedelta64(5 * 365, "D")  # the last of the past, by which the filter's parameters are judged
MODEL, UNPOOLED = "model", "unpooled"
RESULTS = ("score", "finish", "won")

Tell = Callable[[float], None]
Made = dict[str, tuple[tuple[str, ...], Forecasts]]
"""By forecaster, what it says of games to come, and the game of each of its chances: of races, of each entrant."""


@dataclass(frozen=True)
class Window:
    """Games to come: those with first <= day < until."""

    first: date
    until: date


def without_results(sides: pl.DataFrame, hidden: pl.Series) -> pl.DataFrame:
    """The sides, some of them without any result."""
    return sides.with_columns(pl.when(~hidden).then(pl.col(name)).alias(name) for name in RESULTS)


def past_and_to_come(games: Games, counting: Collection[str], window: Window) -> Games:
    """The games that count before a window, and all games of the window, whatever came of them, without results."""
    is_to_come, counts = pl.col("played_on") >= window.first, pl.col("game_id").is_in(list(counting))
    kept = games.sides.filter(pl.col("played_on") < window.until, is_to_come | counts)
    awaited = kept.select(is_to_come).to_series()
    return replace(
        games,
        as_of=window.until,
        sides=without_results(kept, awaited),
        to_come=frozenset(kept["game_id"].filter(awaited)),
    )


def rated_daily(games: Games, counting: Collection[str], first: date) -> Games:
    """All games with their results, for a pass that comes to know them day by day: those that do not count have none,
    and before the first forecast they are left out. Sizes of priors are told by the games before it."""
    counts = pl.col("game_id").is_in(list(counting))
    kept = games.sides.filter(counts | (pl.col("played_on") >= first))
    hidden = kept.select(~counts).to_series()
    return replace(
        games,
        sides=without_results(kept, hidden),
        to_come=frozenset(kept["game_id"].filter(hidden)),
        past_until=first,
    )


def refitted(
    stanza: Stanza,
    games: Games,
    counting: Collection[str],
    known: Collection[str],
    windows: list[Window],
    engine: str,
    tell: Tell,
) -> Iterator[tuple[Window, Made]]:
    """What a model refitted at the start of each window says of its games, and what it says without pooling."""
    start = None
    for number, window in enumerate(windows):
        design = build_design(stanza, past_and_to_come(games, counting, window), known)
        made, start = _refit(design, games, counting, window, choose(design, engine), start)
        tell((number + 1) / len(windows))
        yield window, made


def _refit(
    design: Design, games: Games, counting: Collection[str], window: Window, choice: Choice, start: Start | None
) -> tuple[Made, Start]:
    to_come = design.played_on >= np.datetime64(window.first, "D")
    engine = prepare(choice.engine, design, start if choice.engine == JOINT else None)
    if choice.engine != NUTS:
        engine = or_nuts(engine, design, None)
    posterior = from_tree(design, engine.sample(~to_come, SEED, DRAWS, lambda _: None, CARE[0]))
    rng, chosen = np.random.default_rng(SEED), _games_of(design, to_come)
    made: Made = {MODEL: (chosen, said(design, posterior, to_come, rng))}
    with suppress(FitError):  # where each alone is not found, nothing is forecast so
        alone = engine.unpooled(~to_come, posterior.likely).draws(rng, DRAWS)
        made[UNPOOLED] = chosen, said(design, alone, to_come, rng)
    scales = {f"scale_{name}": float(draws.mean()) for name, draws in posterior.scales.items()}
    return made, Start("", scales | posterior.likely, {})


def _games_of(design: Design, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    """The game of each chance that is said of the chosen games: of races, of each entrant."""
    ids = np.array(design.game_ids, dtype=object)
    return tuple(ids[design.game][chosen[design.game]] if design.outcome.row == "entrant" else ids[chosen])


def said(design: Design, posterior: Posterior, chosen: NDArray[np.bool_], rng: np.random.Generator) -> Forecasts:
    """What joint draws say of the chosen games."""
    rows = np.flatnonzero(chosen[design.game])
    return spoken(design, rows, *posterior.seen(design, rows), rng)


def spoken(
    design: Design, rows: NDArray[np.intp], eta: Array, arguments: Auxiliaries, rng: np.random.Generator
) -> Forecasts:
    """Forecasts of whole games from draws of their rows' linear predictors, shape (draws, rows)."""
    outcome, exposure = design.outcome, design.exposure[rows]
    if outcome.places is not None:
        return Forecasts(_winning(design, rows, eta, arguments, rng))
    by_side = outcome.row == "side"
    first, second = (eta[:, 0::2], eta[:, 1::2]) if by_side else (eta, np.zeros_like(eta))
    each = (exposure[0::2], exposure[1::2]) if by_side else (exposure, exposure)
    full = arguments | dict(zip(("exposure", "other_exposure"), each, strict=True))
    chances = outcome.chances(first, second, full).mean(axis=0)
    if outcome.name not in ("margin", "score"):
        return Forecasts(chances)
    drawn = outcome.simulate(rng, eta, exposure, arguments, design.game[rows])
    margins = drawn[:, 0::2] - drawn[:, 1::2] if by_side else drawn
    return Forecasts(chances, outcome.margin(first, second, full).mean(axis=0), margins)


def _winning(
    design: Design, rows: NDArray[np.intp], eta: Array, arguments: Auxiliaries, rng: np.random.Generator
) -> Array:
    """Chance of each entrant to win its race, shape (rows,)."""
    places, game = design.outcome.places, design.game[rows]
    assert places is not None
    found = np.empty(len(rows))
    for one in np.unique(game):
        field = game == one
        own = {name: _of(value, field) for name, value in arguments.items()}
        found[field] = places(rng, eta[:, field], own).win
    return found


def _of(value: object, field: NDArray[np.bool_]) -> object:
    """What of an argument is of some rows: all of what is not one value a row."""
    by_row = isinstance(value, np.ndarray) and value.shape[-1] == len(field)
    return value[..., field] if by_row and isinstance(value, np.ndarray) else value


def filtered(
    design: Design, counting: Collection[str], windows: list[Window], tell: Tell
) -> Iterator[tuple[Window, Made]]:
    """What the forward filter says of each window's games, every game forecast from the days before its own.

    The Design is that of `rated_daily`. Parameters are learned anew at the start of each window, from the days before.
    """
    structure = structure_of(design)
    known = frozenset(counting)
    has_result = np.array(
        [one in known for one in design.game_ids], dtype=bool
    )  # numpy's isin compares objects in pairs
    structure = replace(structure, counts=has_result[design.game])
    learned: Learned | None = None
    for number, window in enumerate(windows):

        def passed(passes: int, number: int = number) -> None:
            tell((number + 1 - np.exp(-passes / MANY_PASSES)) / len(windows))

        learned = learn(structure, _judged(structure, window.first), learned, passed)
        yield window, _filter(structure, learned, window)
        tell((number + 1) / len(windows))


def _judged(structure: Structure, cut: date) -> NDArray[np.bool_]:
    """The rows of the last five years before a cut, which parameters are to forecast best (Dawid, 1984)."""
    day, until = structure.design.played_on[structure.design.game], np.datetime64(cut, "D")
    return structure.counts & (day < until) & (day >= until - JUDGED_DAYS)


def _filter(structure: Structure, learned: Learned, window: Window) -> Made:
    design = structure.design
    chosen = (design.played_on >= np.datetime64(window.first, "D")) & (
        design.played_on < np.datetime64(window.until, "D")
    )
    rows, ids = np.flatnonzero(chosen[design.game]), _games_of(design, chosen)
    wide = {f"scale_{block.name}": FIXED_SCALES["none"] * block.prior_scale for block in design.blocks}
    made: Made = {}
    for name, values in ((MODEL, learned.values), (UNPOOLED, learned.values | wide)):
        found = forecast(structure, values, learned.shared)
        eta = found.eta[rows] + np.sqrt(found.variance[rows]) * _even(len(rows))
        arguments = design.likelihood_arguments({one.name: values[one.name] for one in design.auxiliaries}, rows)
        made[name] = ids, spoken(design, rows, eta, arguments, np.random.default_rng(SEED))
    return made


def _even(rows: int) -> Array:
    """Standard normal draws at even quantiles, every row's in an order of its own; shape (draws, rows)."""
    quantiles = ndtri((np.arange(FILTER_DRAWS) + 0.5) / FILTER_DRAWS)
    return np.random.default_rng(SEED).permuted(np.tile(quantiles[:, None], rows), axis=0)
