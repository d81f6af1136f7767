"""All that is looked at while replications pass: one list of watchers, each with its tables and checks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Protocol

import numpy as np
import polars as pl

from modeling.checks.calibration import SCHEMA, HeldOut
from modeling.checks.ranks import Ranks
from modeling.checks.residuals import Residuals
from modeling.checks.rootogram import Rootogram
from modeling.convergence import Diagnosis
from modeling.design import Design
from modeling.labels import Label
from modeling.tree import Replication


class Watcher(Protocol):
    """Something that takes replications in, a few draws at a time, and makes tables of them in the end."""

    def see(self, part: Replication) -> None:
        """Takes a few replications in."""
        ...

    def tables(self) -> dict[str, pl.DataFrame]:
        """The rows of each table, without league and fit_id."""
        ...


def watchers_of(
    design: Design, labels: Sequence[Label], names: dict[str, str], rng: np.random.Generator
) -> tuple[Residuals, list[Watcher]]:
    """What looks at a Design's replications; the first, among all, has checks too."""
    residuals = Residuals(design, labels, names)
    counting: list[Watcher] = [Rootogram(design)] if design.outcome.counts else []
    return residuals, [Ranks(design, rng), *counting, residuals]


def watched(parts: Iterable[Replication], watchers: Sequence[Watcher]) -> Iterator[Replication]:
    """The replications, passed on; every watcher sees each on its way."""
    for part in parts:
        for one in watchers:
            one.see(part)
        yield part


def evidence_of(
    watchers: Sequence[Watcher], held_out: HeldOut | None, worst: Sequence[Diagnosis]
) -> dict[str, pl.DataFrame]:
    """The rows of every table of evidence: what watchers saw, held-out forecasts, and what converged least."""
    found = {name: rows for one in watchers for name, rows in one.tables().items()}
    if held_out:
        found["pit"] = pl.concat([found["pit"], held_out.pit])
    return found | {
        "calibration": held_out.calibration if held_out else pl.DataFrame(schema=SCHEMA),
        "diagnosis": pl.DataFrame([{"place": place} | asdict(one) for place, one in enumerate(worst, start=1)]).rename(
            {"subject": "quantity"}, strict=False
        ),
    }
