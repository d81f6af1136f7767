"""What a person at a terminal, or a log file, gets to see: answers, errors, progress, log lines. Set up in one place.

Answers go to standard output as plain text. Errors, progress and log lines go to standard error: drawn by rich on a
terminal, one JSON object a line elsewhere.
"""

import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import typer

from store.errors import PooltableError

ROOMS = ("store", "ingest", "modeling", "dashboard", "jobs")
Report = Callable[[str, float], None]  # stage in words, share of the whole done so far (0 to 1)
log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """One JSON object a log record: at_utc, level, logger, message, and traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line = {
            "at_utc": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (rows := getattr(record, "rows", None)) is not None:
            line["rows"] = rows
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logging() -> None:
    """Sends our rooms' log lines from INFO, and everybody else's from WARNING, to standard error.

    But not urllib3's about each retry: what came of them is told once, in our words.
    """
    logging.basicConfig(level=logging.WARNING, handlers=[_handler()], force=True)
    for room in ROOMS:
        logging.getLogger(room).setLevel(logging.INFO)
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def say(text: str) -> None:
    """Writes an answer to standard output."""
    typer.echo(text)


def counted(title: str, rows: int) -> None:
    """Logs how many rows a command went through, for the run history of a night."""
    if not on_terminal():
        log.info("%s: %d rows", title, rows, extra={"rows": rows})


def show_error(error: PooltableError) -> None:
    """Writes what happened and what to do about it to standard error."""
    typer.secho(f"Error: {error.message}", err=True, fg="red" if on_terminal() else None)
    if error.hint:
        typer.echo(error.hint, err=True)


def show_crash(error: Exception, logs: Path, now: datetime) -> None:
    """Writes one line about an error nobody foresaw, and its traceback to a file that the line names."""
    text = "".join(traceback.format_exception(error))
    try:
        path = _crash_file(logs, now, text)
    except OSError:
        path = _crash_file(Path(gettempdir()), now, text)
    typer.echo(f"Error: Pooltable did not foresee this: {_brief(error)}. Details are in {path}", err=True)


@contextmanager
def working(title: str) -> Iterator[Report]:
    """Shows that `title` is being done, for as long as the block runs; the block reports its stages."""
    if not on_terminal():
        yield _Stages(title)
        return
    from rich.progress import BarColumn, TextColumn

    with _bars(TextColumn("[dim]{task.fields[stage]}"), BarColumn(bar_width=20)) as bars:
        task = bars.add_task(title, total=None, stage="")
        yield lambda stage, share: bars.update(task, stage=stage, completed=share, total=1.0)


class StepLines:
    """Shows the steps of a night, of several leagues at once: a spinner with the time for each that runs, a line with
    its result when it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}

    def begins(self, title: str) -> None:
        """A step has begun."""
        if not on_terminal():
            log.info("%s: begun", title)
            return
        with self._lock:
            if not self._tasks:
                self._bars = _bars()
                self._bars.start()
            self._tasks[title] = self._bars.add_task(title, total=None)

    def ends(self, title: str, state: str, seconds: float, message: str) -> None:
        """A step has ended (done, failed or skipped) and said `message`."""
        if not on_terminal():
            log.info("%s: %s after %.1f s: %s", title, state, seconds, message)
            return
        mark = {"done": "✓", "failed": "✗"}.get(state, "–")
        with self._lock:
            self._bars.console.print(f"{mark} {title:<34} {seconds:6.1f} s  {message}", markup=False, highlight=False)
            self._bars.remove_task(self._tasks.pop(title))
            if not self._tasks:
                self._bars.stop()


def on_terminal() -> bool:
    """True where standard error is a terminal."""
    return sys.stderr.isatty()


class _Stages:
    """Logs each stage once, with how long the stages before it took visible from the log's times."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.stage = ""

    def __call__(self, stage: str, share: float) -> None:
        if stage != self.stage:
            self.stage = stage
            log.info("%s: %s (%d %% done)", self.title, stage, round(100 * share))


def _handler() -> logging.Handler:
    if on_terminal():
        from rich.console import Console
        from rich.logging import RichHandler

        return RichHandler(console=Console(stderr=True), show_path=False, show_time=False)
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    return handler


def _bars(*columns: Any) -> Any:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    shown = (SpinnerColumn(), TextColumn("{task.description}"), *columns, TimeElapsedColumn())
    # Answers go where they were sent, also while a bar is drawn on standard error.
    return Progress(*shown, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())


def _crash_file(folder: Path, now: datetime, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"crash-{now:%Y%m%d-%H%M%S-%f}.log"
    path.write_text(text, encoding="utf-8")
    return path


def _brief(error: Exception) -> str:
    first = str(error).strip().splitlines()[:1]
    return ": ".join([type(error).__name__, *first])
