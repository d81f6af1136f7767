"""What a child said last: one line for the run history, from how it ended and the tail of its log."""

import json
import signal
from collections.abc import Iterable
from typing import Any

from jobs.supervise import Ended

ERROR = "Error: "


def in_a_line(reasons: Iterable[str]) -> str:
    """Reasons, each a sentence, in one line."""
    return "; ".join(one.rstrip(".") for one in reasons)


def last_words(ended: Ended, timeout_seconds: float) -> str:
    """One line: the error it showed, else its last line, else how it ended."""
    if ended.is_late:
        return f"took longer than {timeout_seconds:g} s and was stopped"
    if ended.exit_code < 0:
        return f"was ended by {_signal_name(-ended.exit_code)}"
    lines = [line for line in ended.tail.splitlines() if line.strip()]
    if ended.exit_code != 0 and (error := _error(lines)):
        return error
    plain = [line.strip() for line in lines if _logged(line) is None]
    if plain:
        return plain[-1]
    return (_logged(lines[-1]) if lines else None) or f"ended with exit code {ended.exit_code} and said nothing"


def rows_of(ended: Ended) -> int | None:
    """How many rows the child said it went through (see `console.counted`); None where it said nothing of them."""
    found = [line["rows"] for line in map(_json, ended.tail.splitlines()) if line and isinstance(line.get("rows"), int)]
    return sum(found) if found else None


def _error(lines: list[str]) -> str:
    """The last error shown, with the hint below it, without the mark in front; empty where there is none."""
    places = [number for number, line in enumerate(lines) if line.startswith(ERROR)]
    shown = [line.strip() for line in lines[places[-1] :] if _logged(line) is None] if places else []
    return " ".join(shown).removeprefix(ERROR)


def _logged(line: str) -> str | None:
    """The message of a JSON log line; None where the line is none."""
    found = _json(line)
    return str(found["message"]) if found and "message" in found else None


def _json(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
