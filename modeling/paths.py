"""Ratings of the past as all results tell them: who would have been ranked on which day, and in which state they were.

Days are the ends of months with games, of large leagues of quarters or years. Between two states of a walk the earlier
one holds: it takes its steps when somebody plays in a new period, and idle days of the past widen nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.stats import rankdata

from modeling.block import Block, kept_over
from modeling.design import Design
from modeling.field import Field, incidence
from modeling.outcomes.outcome import Array
from modeling.outlook.states import walk_of
from modeling.posterior import Posterior
from modeling.ratings import blocks_of
from modeling.tables import QUANTILES
from store.stanzas import Stanza

MONTHS = (1, 3, 12, 24, 60, 120)  # from one day to the next: the first that is within the limits
MOST_DAYS, MOST_ROWS = 400, 200_000
DRAWS = 1000  # of which a past state is told: a 5 % quantile is then known to 0.07 sd


@dataclass(frozen=True)
class Day:
    """Who of a kind would have been ranked on a day of the past."""

    as_of: date
    """Games before it count."""
    ranked: NDArray[np.intp]
    """Numbers of the competitors."""
    games: NDArray[np.int_]
    """Contests that each of them had played."""


def has_past(design: Design) -> bool:
    """Whether anything walks: where nothing does, what is said of now holds of always."""
    return any(block.role == "walk" for block in design.blocks)


def days_of(design: Design, field: Field, stanza: Stanza, as_of: date) -> list[Day]:
    """The days before a league's as-of date that its past is told of, with who was ranked then: active by that day with
    games enough by then, and of the largest pool. Without a day there is nobody to tell of, or are far too many."""
    for months in MONTHS:
        days = _ends(design.played_on, months, as_of)
        if len(days) > MOST_DAYS:
            continue
        found, rows = [], 0
        for one in _ranked(design, field, stanza, days):
            found.append(one)
            rows += len(one.ranked)
            if rows > MOST_ROWS:
                break
        else:
            return [one for one in found if len(one.ranked)]
    return []


def _ends(played_on: NDArray[np.datetime64], months: int, as_of: date) -> NDArray[np.datetime64]:
    """The days after each stretch of so many months with games, before the as-of date."""
    stretch = np.unique(played_on.astype("datetime64[M]").astype(int) // months)
    days = ((stretch + 1) * months).astype("datetime64[M]").astype("datetime64[D]")
    return days[days < np.datetime64(as_of)]


def _ranked(design: Design, field: Field, stanza: Stanza, days: NDArray[np.datetime64]) -> Iterator[Day]:
    played = incidence(design.kind(field.kind).sides, design.side_game, design.games).tocsc()
    who, game = played.indices, np.repeat(np.arange(design.games), np.diff(played.indptr))
    contest = who.astype(np.int64) * (design.contest.max(initial=0) + 1) + design.contest[game]
    is_first = np.zeros(len(who), bool)
    is_first[np.unique(contest, return_index=True)[1]] = True
    count, last = np.zeros(len(field.competitors), int), np.full(len(field.competitors), np.datetime64("0001-01-01"))
    begin = 0
    for day in days:
        end = played.indptr[np.searchsorted(design.played_on, day)]
        some = slice(begin, end)
        count += np.bincount(who[some][is_first[some]], minlength=len(count))
        last[who[some]] = design.played_on[game[some]]  # in order of play: of several the last stays
        active = last >= day - np.timedelta64(stanza.active_days, "D")
        ranked = np.flatnonzero(active & (count >= stanza.min_games) & (count > 0) & (field.pool == 1))
        yield Day(day.astype(date), ranked, count[ranked])
        begin = end


def levels_on(design: Design, walk: Block, days: list[Day]) -> list[NDArray[np.intp]]:
    """The level of a walk of ratings that each of the ranked had reached on each day, or -1 in the entry state."""
    used = coo_array(walk.weights)
    first = np.full(len(walk.levels), design.games)
    np.minimum.at(first, used.col, design.game[used.row])
    order = np.argsort(first, kind="stable")
    reached, found, begin = np.full(walk.loading.indptr.size - 1, -1), [], 0
    for day in days:
        before = np.searchsorted(design.played_on, np.datetime64(day.as_of))
        end = np.searchsorted(first[order], before)
        new = order[begin:end]
        reached[walk.units[new]] = new  # in order of play: of several the last stays
        found.append(reached[day.ranked])
        begin = end
    return found


def walks_of(design: Design, kind: str) -> list[tuple[Block, Block | None]]:
    """The blocks of a kind's ratings, each with its walk if it has one."""
    blocks = [block for block in blocks_of(design, kind, "total") if block.role != "walk"]
    return [(block, walk_of(design, block) if block.role == "base" else None) for block in blocks]


def levels_kept(design: Design, fields: list[Field], past: list[list[Day]]) -> dict[str, NDArray[np.intp]]:
    """By walk of ratings the levels, in rising order, that somebody ranked had reached on one of the days."""
    found = {}
    for field, days in zip(fields, past, strict=False):
        for _block, walk in walks_of(design, field.kind):
            if walk is not None and days:
                levels = np.unique(np.concatenate(levels_on(design, walk, days)))
                found[walk.name] = levels[levels >= 0]
    return found


def path_tables(
    design: Design, posterior: Posterior, fields: list[Field], past: list[list[Day]]
) -> dict[str, pl.DataFrame]:
    """The rows of `rating_path`, of kinds that have days to tell of."""
    told = [path_rows(design, posterior, *one) for one in zip(fields, past, strict=False) if one[1]]
    return {"rating_path": pl.concat(told)} if told else {}


def path_rows(design: Design, posterior: Posterior, field: Field, days: list[Day]) -> pl.DataFrame:
    """One row a ranked competitor and day: the columns of `rating_path`."""
    some = posterior.evenly(DRAWS) if posterior.of_past is None else posterior.of_past
    total = [np.zeros((len(some), len(day.ranked))) for day in days]
    for block, walk in walks_of(design, field.kind):
        levels = [None] * len(days) if walk is None else levels_on(design, walk, days)
        for part, day, reached in zip(total, days, levels, strict=True):
            part += _states(posterior, some, block, walk, day.ranked, reached)
    return pl.concat([_rows(field, day, draws) for day, draws in zip(days, total, strict=True)])


def _states(
    posterior: Posterior,
    some: NDArray[np.intp],
    block: Block,
    walk: Block | None,
    who: NDArray[np.intp],
    levels: NDArray[np.intp] | None,
) -> Array:
    """The block's part, with its walk's, of each unit's state at a level, shape (draws, units)."""
    effects = posterior.blocks[block.name]
    if walk is None or levels is None:
        return (csr_array(block.loading[who]) @ effects[some].T).T
    states = effects[np.ix_(some, who)]
    moved, level = levels >= 0, levels[levels >= 0]
    if known := posterior.past.get(walk.name):
        states[:, moved] = known.states[:, np.searchsorted(known.levels, level)]
        return states
    states[:, moved] *= kept_over(walk.since[level], walk.persistence)
    states[:, moved] += posterior.blocks[walk.name][np.ix_(some, level)]
    return states


def _rows(field: Field, day: Day, draws: Array) -> pl.DataFrame:
    contrast = draws - draws.mean(axis=1, keepdims=True)
    ranks = rankdata(-contrast, axis=1, method="ordinal")
    low, high = np.percentile(ranks, [5, 95], axis=0, method="inverted_cdf")
    quantiles = np.percentile(contrast, QUANTILES, axis=0)
    count = len(day.ranked)
    return pl.DataFrame(
        {
            "kind": [field.kind] * count,
            "competitor_id": [field.competitors[number] for number in day.ranked.tolist()],
            "as_of": [day.as_of] * count,
            "rank": rankdata(-contrast.mean(axis=0), method="ordinal").astype(np.int32),
            "rank_low": low.astype(np.int32),
            "rank_high": high.astype(np.int32),
            "games": day.games.astype(np.int32),
            "mean": contrast.mean(axis=0).astype(np.float32),
            "sd": contrast.std(axis=0).astype(np.float32),
            **{f"q{q}": quantiles[i].astype(np.float32) for i, q in enumerate(QUANTILES)},
        }
    )
