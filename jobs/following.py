"""What happens in nights while it happens: a line when a step begins and one when it has ended."""

import time
from collections.abc import Callable

from store.history import History

Seen = dict[tuple[str, int], str]
POLL_SECONDS = 1.0


def follow(history: History, run: str | None, say: Callable[[str], None]) -> None:
    """Says what happens until the run `run` has ended; without one, what happens in any run, until Ctrl-C."""
    seen: Seen = {}
    if run is None:
        latest = {str(row["run_id"]) for row in history.rows("run", 1)}
        news(history, seen)
        seen = {key: state for key, state in seen.items() if key[0] not in latest}
    while True:
        is_over = run is not None and all(row["state"] != "running" for row in history.runs(1, run_id=run))
        for line in news(history, seen, run):
            say(line)
        if is_over:
            return
        time.sleep(POLL_SECONDS)


def news(history: History, seen: Seen, run: str | None = None) -> list[str]:
    """What is new of the newest steps, or of those of one run, oldest first; `seen` is brought up to date."""
    lines = []
    rows = history.steps_of(run) if run else list(reversed(history.rows("step", 200)))
    for step in rows:
        key, state = (str(step["run_id"]), int(str(step["number"]))), str(step["state"])
        if seen.get(key) != state:
            seen[key] = state
            at = step["started_at_utc"] if state == "running" else step["ended_at_utc"]
            what = f"{step['command']} {step['league'] or ''}".rstrip()
            lines.append(f"{str(at)[:19]}  {what}: {'begun' if state == 'running' else f'{state}: {step["message"]}'}")
    return lines
