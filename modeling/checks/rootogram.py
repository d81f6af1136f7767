"""How many sides scored each count, against leagues that the model makes: a rootogram.

Kleiber and Zeileis (2016), "Visualizing count data regressions using rootograms", The American Statistician 70.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling.design import Design
from modeling.tree import Replication

HIGHEST = 200  # counts beyond are put together
RARE = 1.0  # sides, in a replication, below which counts are put together with the higher ones


@dataclass
class Rootogram:
    """Counts of counts, of the results and of each replication."""

    design: Design
    made: list[NDArray[np.intp]] = field(default_factory=list)

    def see(self, part: Replication) -> None:
        """Takes a few replications in."""
        self.made += [_counted(y) for y in part.y]

    def tables(self) -> dict[str, pl.DataFrame]:
        """The rows of `rootogram`."""
        seen, made = _counted(self.design.y), np.array(self.made)
        last = int(np.flatnonzero(made.mean(axis=0) >= RARE).max(initial=1))
        seen, made = _together(seen[None], last)[0], _together(made, last)
        low, high = np.percentile(made, [5, 95], axis=0)
        return {
            "rootogram": pl.DataFrame(
                {
                    "count": np.arange(last + 1, dtype=np.int32),
                    "is_or_more": np.arange(last + 1) == last,
                    "observed": seen.astype(float),
                    "expected": made.mean(axis=0),
                    "low": low,
                    "high": high,
                }
            )
        }


def _counted(y: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.bincount(np.minimum(y, HIGHEST).astype(np.intp), minlength=HIGHEST + 1)


def _together(counts: NDArray[np.intp], last: int) -> NDArray[np.intp]:
    """Counts (…, values) up to `last`, which holds all beyond."""
    return np.concatenate([counts[:, :last], counts[:, last:].sum(axis=1, keepdims=True)], axis=1)
