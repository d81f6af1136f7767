"""Fits side by side: on a pool of processes here, or on the workers of a Dask cluster; the same tasks either way.

This process reads the warehouse and prepares the tasks, workers make the fits from nothing but those, and this process
alone records what comes back, in the order in which it comes.
"""

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jobs.console import Report
from jobs.memory import cores, free_bytes
from store.errors import ClusterError, PooltableError
from store.home import Home

if TYPE_CHECKING:
    from distributed import Client

    from modeling.fit import Fitted, Task

FIT_BYTES = 2 << 30  # what a fit of a large league takes
CONNECT_SECONDS, WORKER_SECONDS = 15, 60
ONE_AT_A_TIME = threading.Lock()  # a fit has its process to itself, however many threads a cluster's worker has


@dataclass(frozen=True)
class Wanted:
    """A fit that is wanted: what people call it, and how it is prepared (or found to have been made before)."""

    title: str
    prepare: "Callable[[], Task | Fitted]"


def fit_all(home: Home, wanted: Sequence[Wanted], report: Report) -> "Iterator[tuple[str, Fitted | Exception]]":
    """What came of each fit that is wanted, by its title, as they end: a fit, or the error that stopped it.

    Where one worker is all there is, they are made here, one after another. Raises ClusterError where the cluster of
    the home's settings cannot be used.
    """
    workers = min(workers_of(home), len(wanted))
    if home.cluster is None and workers <= 1:
        yield from _one_by_one(home, wanted, report)
        return
    opened = _cluster(home.cluster) if home.cluster else _processes(workers)
    with opened as (pool, at_once):
        lost: list[Wanted] = []
        for done, (one, outcome) in enumerate(_side_by_side(home, pool, wanted, at_once), 1):
            if isinstance(outcome, BrokenExecutor):
                lost.append(one)
                continue
            report(f"{done} of {len(wanted)}", done / len(wanted))
            yield one.title, _told(one, outcome)
    for one in lost:  # a worker that is killed takes all that its pool has with it; each gets another, of its own
        with _processes(1) as (pool, _):
            ((_, outcome),) = _side_by_side(home, pool, [one], 1)
        yield one.title, _told(one, outcome)


def workers_of(home: Home) -> int:
    """How many fits are made side by side here: as the settings say, else one a core that has memory for it."""
    return home.jobs or max(1, min(cores(), free_bytes() // FIT_BYTES))


def make_packed(task: bytes) -> bytes:
    """A fit from a packed task, packed in turn: what a worker does. What is large and nobody asks for stays there."""
    with ONE_AT_A_TIME:
        unpacked = pickle.loads(task)
        from modeling.fit import make_fit

        made = make_fit(unpacked, lambda _stage, _share: None)
        return pickle.dumps(replace(made, draws=list(made.draws), tree=None))


def _one_by_one(home: Home, wanted: Sequence[Wanted], report: Report) -> "Iterator[tuple[str, Fitted | Exception]]":
    from modeling.fit import Fitted, keep_fit, make_fit

    for done, one in enumerate(wanted):

        def tell(stage: str, share: float, done: int = done, one: Wanted = one) -> None:
            report(f"{one.title}: {stage}" if len(wanted) > 1 else stage, (done + share) / len(wanted))

        tell("games and model", 0.0)
        try:
            task = one.prepare()
            outcome = task if isinstance(task, Fitted) else keep_fit(home, make_fit(task, tell), tell)
        except Exception as error:
            outcome = error
        yield one.title, outcome


def _side_by_side(
    home: Home, pool: Executor, wanted: Sequence[Wanted], at_once: int
) -> "Iterator[tuple[Wanted, Fitted | Exception]]":
    """Each fit with what came of it; at most `at_once` are prepared and not yet recorded, for the sake of memory."""
    import cloudpickle

    from modeling.fit import Fitted

    running: dict[Future[bytes], Wanted] = {}
    for one in wanted:
        try:
            task = one.prepare()
            if not isinstance(task, Fitted):
                running[pool.submit(make_packed, cloudpickle.dumps(task))] = one
        except Exception as error:
            task = error
        if isinstance(task, Fitted | Exception):
            yield one, task
        while len(running) >= at_once:
            yield from _ended(home, running)
    while running:
        yield from _ended(home, running)


def _ended(home: Home, running: dict[Future[bytes], Wanted]) -> "Iterator[tuple[Wanted, Fitted | Exception]]":
    """Waits for one or more of them to end, and records them."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        yield running.pop(future), _recorded(home, future)


def _recorded(home: Home, ended: Future[bytes]) -> "Fitted | Exception":
    from modeling.fit import keep_fit

    try:
        return keep_fit(home, pickle.loads(ended.result()), lambda _stage, _share: None)
    except Exception as error:
        return error


def _told(one: Wanted, outcome: "Fitted | Exception") -> "Fitted | Exception":
    """The outcome; what a pool or a cluster has to say of its workers in our words."""
    match type(outcome).__name__:
        case "BrokenProcessPool" | "KilledWorker":
            return PooltableError(
                f"{one.title}: each process that was to fit it was killed.",
                "Is there memory enough for it? What else was fitted is recorded.",
            )
        case "CancelledError" | "FutureCancelledError":
            return ClusterError(
                f"{one.title}: the cluster went away while it was fitted.", "Start it again, and this command."
            )
        case _:
            return outcome


@contextmanager
def _processes(workers: int) -> Iterator[tuple[Executor, int]]:
    """A pool of processes on this machine, and how many tasks to have under way."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _end_with_parent)
    try:
        yield pool, workers + 1
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """The workers of the cluster at `address`, and how many tasks to have under way."""
    from dask import config
    from distributed import Client  # only now: few have a cluster

    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise ClusterError(
            f"No Dask scheduler answers at {address}: {error}.",
            "Start it (dask scheduler), or take [cluster] out of pooltable.toml to fit on this machine.",
        ) from error
    with client, config.set({"distributed.admin.large-graph-warning-threshold": "8 GiB"}):  # leagues are large
        yield client.get_executor(pure=False), 2 * _threads(client, address)


def _threads(client: "Client", address: str) -> int:
    """How many threads the cluster's workers have. Raises ClusterError where it has no workers."""
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as error:
        raise ClusterError(
            f"The cluster at {address} has no workers.", f"Start some: dask worker {address} --nthreads 1"
        ) from error
    threads: Any = client.nthreads()  # its types say "or a coroutine"
    return sum(threads.values())


def _end_with_parent() -> None:
    """Makes a pool's process end when this one does, however it does."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
