"""Fits side by side: what a killed process takes with it, and what it does not."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jobs import pool
from jobs.pool import Wanted, fit_all, workers_of
from modeling.fit import Fitted
from store.errors import FitError, PooltableError
from store.home import Home

ALONE = """
import os, signal
from jobs.pool import _processes
if __name__ == "__main__":
    with _processes(1) as (pool, _):
        print(pool.submit(os.getpid).result(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def silent(_stage: str, _share: float) -> None:
    pass


class Deadly:
    """A task whose unpacking kills the process that does it, so often; then it cannot be fitted, as a fit may say."""

    def __init__(self, counter: Path, times: int):
        self.counter, self.times = counter, times

    def __reduce__(self):
        def die(counter, times):  # inside, so that it travels by itself, without all that this file imports
            import os
            import signal

            from store.errors import FitError

            with counter.open("a+b") as file:
                file.write(b".")
                file.flush()
                if file.tell() <= times:
                    os.kill(os.getpid(), signal.SIGKILL)
            raise FitError("unpacked", "at last")

        return die, (self.counter, self.times)


def outcomes(home: Home, wanted: list[Wanted]) -> dict[str, Fitted | Exception]:
    return dict(fit_all(home, wanted, silent))


def refuse():
    raise FitError("no games", "load some")


@pytest.fixture
def made():
    return Fitted("f", "accepted", [], False, 3, "as before")


def test_a_process_that_is_killed_is_replaced_and_the_others_fits_with_it(tmp_path, made):
    wanted = [
        Wanted("dies once", lambda: Deadly(tmp_path / "once", 1)),  # type: ignore[arg-type,return-value]
        Wanted("dies always", lambda: Deadly(tmp_path / "always", 9)),  # type: ignore[arg-type,return-value]
        Wanted("refused", refuse),
        Wanted("made before", lambda: made),
    ]
    found = outcomes(Home(tmp_path, jobs=2), wanted)
    assert found["made before"] is made
    assert isinstance(found["refused"], FitError)
    once, always = found["dies once"], found["dies always"]
    assert isinstance(once, FitError) and (once.message, once.hint) == ("unpacked", "at last")
    assert isinstance(always, PooltableError) and "was killed" in always.message


def test_one_league_is_fitted_here_and_its_error_stops_no_other(tmp_path, made, monkeypatch):
    monkeypatch.setattr(pool, "_processes", lambda _: pytest.fail("a pool for nothing"))
    stages: list[tuple[str, float]] = []
    wanted = [Wanted("refused", refuse), Wanted("made before", lambda: made)]
    found = dict(fit_all(Home(tmp_path, jobs=1), wanted, lambda *told: stages.append(told)))
    assert isinstance(found["refused"], FitError) and found["made before"] is made
    assert stages == [("refused: games and model", 0.0), ("made before: games and model", 0.5)]


class Slow(Executor):
    """Counts what it was given and has not ended; ends the oldest only when told to wait."""

    def __init__(self):
        self.under_way: list[Future] = []
        self.most = 0

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        self.under_way.append(future)
        self.most = max(self.most, sum(not one.done() for one in self.under_way))
        if self.most >= 3:
            next(one for one in self.under_way if not one.done()).set_exception(FitError("ended"))
        return future


def test_no_more_are_prepared_than_are_made_at_once(tmp_path, monkeypatch):
    """What is prepared and not yet recorded takes memory here."""
    slow = Slow()

    @contextmanager
    def opened(_address):
        yield slow, 3

    monkeypatch.setattr(pool, "_cluster", opened)
    wanted = [Wanted(f"w{number}", lambda: "task") for number in range(3)]  # type: ignore[arg-type,return-value]
    running = fit_all(Home(tmp_path, cluster="tcp://somewhere:1"), wanted * 3, silent)
    for _ in range(7):
        _, outcome = next(running)
        assert isinstance(outcome, FitError)
    assert slow.most == 3


def test_workers_are_as_many_as_the_settings_say_else_as_there_is_room_for(tmp_path, monkeypatch):
    assert workers_of(Home(tmp_path, jobs=7)) == 7
    for cores, free, workers in ((1, 12 << 30, 1), (4, 12 << 30, 4), (64, 12 << 30, 6), (4, 1 << 20, 1)):
        monkeypatch.setattr(pool, "cores", lambda cores=cores: cores)
        monkeypatch.setattr(pool, "free_bytes", lambda free=free: free)
        assert workers_of(Home(tmp_path)) == workers


def test_the_parents_death_ends_a_pool(tmp_path):
    """Its processes watch for it, so that none goes on without anybody to tell."""
    script = tmp_path / "alone.py"
    script.write_text(ALONE)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=environment, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGKILL
    worker, deadline = int(done.stdout), time.monotonic() + 60
    while _runs(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _runs(worker)


def _runs(pid: int) -> bool:
    """True while the process is there and no zombie."""
    with suppress(OSError):
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
