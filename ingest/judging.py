"""Judging a load before it replaces good data: what looks so wrong that a person must look at it first.

The numbers are in the room's page. Each limit is a share and a floor: a few rows or games never stop a file, half of
a tiny one does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ingest.corrections import DROPPED
from ingest.slices import COPY, Read

REJECTED_SHARE, REJECTED_FLOOR = 0.02, 3
LOST_SHARE, LOST_FLOOR = 0.01, 5
REPLACED_SHARE = 0.5

Changes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Refusal:
    """Why a load is refused: which file, and what is wrong with it in a clause that names it."""

    file: str
    text: str


def rejected_too_much(reads: list[Read]) -> list[Refusal]:
    """A refusal for each file, of results or read along with them, that has too many rejected rows.

    Copies of other files' games, and games left out by correction, do not count.
    """
    if not reads:
        return []
    rows = {name: count for read in reads for name, count in read.rows.items()}
    rejected = pl.concat([read.parsed.rejected for read in reads])
    is_ours = (pl.col("rule") == COPY) | pl.col("rule").str.starts_with(DROPPED)
    broken = rejected.filter(~is_ours).unique(["file", "line"], maintain_order=True)
    return [
        Refusal(name, _of_rejected(name, own, rows[name]))
        for (name,), own in broken.group_by("file", maintain_order=True)
        if _too_many(own.height, rows[str(name)], REJECTED_SHARE, REJECTED_FLOOR)
    ]


def _of_rejected(name: str, broken: pl.DataFrame, rows_read: int) -> str:
    rules = broken["rule"].value_counts(sort=True).head(3).rows()
    return (
        f"{broken.height:,} of {rows_read:,} rows of {name} cannot be used: "
        + "; ".join(f"{rule} ({count:,})" for rule, count in rules)
        + f". The first is line {broken['line'].min()} of {name}"
    )


def lost_too_much(changes: Changes, what: str, gone: Mapping[str, str]) -> list[Refusal]:
    """A refusal for each slice that lost too many of the games (or forecasts: `what`) that it had.

    `gone` tells of slices without a file any more where they were: any loss is too much there.
    """
    found = []
    for name, change in changes.items():
        went, came, before = (change[f"{what}_{fate}"] for fate in ("gone", "new", "before"))
        if name in gone:
            if went:
                found.append(Refusal(name, f"{name} is gone from {gone[name]}, and {went:,} {what} with it"))
        elif _too_many(went - came, before, LOST_SHARE, LOST_FLOOR):
            found.append(Refusal(name, f"{name} lost {went - came:,} of its {before:,} {what}"))
        elif _too_many(went, before, REPLACED_SHARE, LOST_FLOOR):
            text = f"{went:,} of the {before:,} {what} of {name} are gone and {came:,} others are there"
            found.append(Refusal(name, f"{text} (is it another file, or has it its dates in another format?)"))
    return found


def results_lost_too_much(changes: Changes, what: str) -> list[Refusal]:
    """A refusal for each slice whose games (or forecasts: `what`) are there and too many of their results are not."""
    return [
        Refusal(
            name,
            f"{change['results_gone']:,} of the {change['results_before']:,} {what} of {name} that had a result "
            "have no result any more",
        )
        for name, change in changes.items()
        if _too_many(change["results_gone"], change["results_before"], LOST_SHARE, LOST_FLOOR)
    ]


def overturned_too_much(changes: Changes, is_read_as_before: Callable[[str], bool]) -> list[Refusal]:
    """A refusal for each slice in which most games have another result, where the same code and mapping read it."""
    return [
        Refusal(
            name,
            f"{change['results_changed']:,} of the {change['games_before']:,} games of {name} have another result "
            "(has it its columns in another order?)",
        )
        for name, change in changes.items()
        if is_read_as_before(name)
        and _too_many(change["results_changed"], change["games_before"], REPLACED_SHARE, LOST_FLOOR)
    ]


def _too_many(part: int, whole: int, share: float, floor: int) -> bool:
    """Whether `part` is above the share, and above a floor that keeps one row from stopping a tiny league."""
    return part > max(share * whole, min(floor, whole / 2))
