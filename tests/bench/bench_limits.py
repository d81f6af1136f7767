"""What benchmarks time with, and the limits of the machine that stand beside what is ours."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls
from scipy.sparse import block_diag, csc_array, hstack, sparray
from scipy.sparse.linalg import splu

from modeling.design import Design

ROUNDS = 5
BYTES = 1 << 28  # more than any cache holds


# A process is told the memory of the one that began it as its own peak: a small one begins it and waits.
ALONE = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:])
status, used = os.wait4(process.pid, 0)[1:]
process.returncode = os.waitstatus_to_exitcode(status)
seconds, unit = time.perf_counter() - began, 1024 if sys.platform == "linux" else 1024**2
print(json.dumps([process.returncode, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / unit]))
"""


@dataclass(frozen=True)
class Cost:
    """What a command took, as the operating system has it, and the last line that it printed."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    printed: str


def cost(command: Sequence[str], folder: Path, accepted: Sequence[int] = (0,)) -> Cost:
    """Runs a command in a folder. Raises CalledProcessError for an exit code that is not among the accepted ones."""
    ran = subprocess.run(
        [sys.executable, "-c", ALONE, *command], cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    *before, last = ran.stdout.splitlines()
    code, seconds, cpu_seconds, peak_mb = json.loads(last)
    if code not in accepted:
        raise subprocess.CalledProcessError(code, command)
    return Cost(seconds, cpu_seconds, peak_mb, before[-1] if before else "")


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


def exponent_beyond_start(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power p, 0 to 3 by hundredths, of start + c size^p, neither negative, that is nearest to costs by relative
    error; 0 where the last cost is less than a quarter above the first, which may be chance."""
    if costs[-1] < 1.25 * costs[0]:
        return 0.0
    size, cost = np.array(sizes) / max(sizes), np.array(costs)

    def error(power: float) -> float:
        return float(nnls(np.stack([1 / cost, size**power / cost], axis=1), np.ones(len(cost)))[1])

    return float(min(np.arange(301) / 100, key=error))


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
