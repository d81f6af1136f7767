"""What benchmarks time with, and the limits of the machine that stand beside what is ours."""

import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import block_diag, csc_array, hstack, sparray
from scipy.sparse.linalg import splu

from modeling.design import Design

ROUNDS = 5
BYTES = 1 << 28  # more than any cache holds


def timed[T](work: Callable[[], T]) -> tuple[float, T]:
    """(seconds, what came of it) of one call."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def median_seconds(work: Callable[[], object], runs: int = ROUNDS) -> float:
    """The median of some calls, after one that is not counted."""
    work()
    return statistics.median(timed(work)[0] for _ in range(runs))


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power of the size with which a cost grows, by least squares of the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def reading_seconds(size: float) -> float:
    """Seconds in which one thread reads so many bytes of memory once."""
    held = np.ones(BYTES // 8)
    return median_seconds(held.sum) * size / BYTES


def factor_seconds(matrix: sparray) -> float:
    """Seconds of one sparse factorisation of a symmetric positive definite matrix.

    SciPy has no sparse Cholesky: SuperLU without pivoting, in a minimum degree order of the symmetric pattern
    (Li, 2005), does twice its work.
    """
    lower = csc_array(matrix)
    options = {"SymmetricMode": True}
    return median_seconds(lambda: splu(lower, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options), 3)


def precision_of(design: Design) -> sparray:
    """A posterior precision of a Design's effects, every row and every prior step of variance 1: its pattern is that of
    any other."""
    weights = hstack([block.weights for block in design.blocks], format="csr")
    steps = block_diag([block.steps for block in design.blocks], format="csr")
    return weights.T @ weights + steps.T @ steps
