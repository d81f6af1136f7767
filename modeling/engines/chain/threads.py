"""Compiled work on ranges of units or rows, shared out among threads; results do not depend on how many there are."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

THREADS = 2

_POOLS: list[ThreadPoolExecutor] = []


def spread(chunks: list[tuple[int, int]], work: Callable[[int, int, int], Any]) -> list[float]:
    """Calls work(number, low, high) for each chunk, on threads where there are several; results in order."""
    found, left = [0.0] * len(chunks), iter([(n, low, high) for n, (low, high) in enumerate(chunks)])

    def take() -> None:
        for number, low, high in left:  # whoever is free takes the next
            found[number] = float(work(number, low, high) or 0.0)

    if len(chunks) == 1 or THREADS == 1:
        take()
        return found
    if not _POOLS:
        _POOLS.append(ThreadPoolExecutor(THREADS - 1))
    others = [_POOLS[0].submit(take) for _ in range(THREADS - 1)]
    take()
    for other in others:
        other.result()
    return found
