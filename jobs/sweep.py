"""What a killed night, a reboot or a year leaves behind: marked, and cleared away where nobody can still need it."""

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from jobs.supervise import tail
from store.errors import PooltableError
from store.history import History, StepEnd
from store.home import Home
from store.warehouse import reading

DID_NOT_END = "did not end: its process was killed or the machine stopped"
DAY_SECONDS = 24 * 3600.0
LOGS_KEPT = timedelta(days=90)


def close_unended(home: Home, now: datetime) -> None:
    """Marks runs and steps as failed that a killed night left running. Call it only while holding the night's lock."""
    history = History(home.runs)
    for step in history.rows("step"):
        if step["state"] == "running":
            run_id, number = str(step["run_id"]), int(str(step["number"]))
            log = max((home.logs / run_id).glob(f"{number:02d}-*.log"), default=None)
            end = StepEnd("failed", DID_NOT_END, log=tail(log) if log else "")
            history.end_step(run_id, number, now, end)
    for run in history.rows("run"):
        if run["state"] == "running":
            history.end_run(str(run["run_id"]), now, "failed", DID_NOT_END)


def sweep(home: Home, now: datetime) -> None:
    """Deletes what is left over (see `left_over`) and logs older than ninety days, of which those of the last ninety
    days on which anything ran stay: the clock may be ahead, for this night alone."""
    for path in left_over(home):
        path.unlink(missing_ok=True)
    history = History(home.runs)
    if (since := history.since(LOGS_KEPT.days)) is None:
        return
    before = min(since, now - LOGS_KEPT)
    history.forget_logs(before)
    for log in home.logs.glob("*"):
        if log.stat().st_mtime < before.timestamp():
            shutil.rmtree(log, ignore_errors=True) if log.is_dir() else log.unlink(missing_ok=True)


def left_over(home: Home) -> list[Path]:
    """Files a killed process left half-written, and draws of fits the warehouse does not know, older than a day: by
    then whoever writes them has ended."""
    return [path for path in _suspect(home) if _age_seconds(path) > DAY_SECONDS]


def _suspect(home: Home) -> Iterator[Path]:
    yield from home.raw.rglob(".part-*")
    yield from home.editions.glob(".building-*")
    yield from home.draws.glob(".*")
    draws = list(home.draws.glob("[!.]*.parquet"))
    if draws and home.warehouse.exists():
        with suppress(PooltableError):  # who cannot ask the warehouse says nothing of them
            with reading(home) as con:
                known = {fit_id for (fit_id,) in con.execute("SELECT fit_id FROM fit").fetchall()}
            yield from (path for path in draws if path.stem not in known)


def _age_seconds(path: Path) -> float:
    """By the file system's own clock, as files are dated by it."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
