"""A stand-in for the `pooltable` command: does what the plan says of this command and league, by default well.

fake_pooltable.py HOME PLAN command [--due] [league]
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from jobs.supervise import follow_parent

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('deaf', flush=True)
time.sleep(60)
"""


def load(root: Path, league: str) -> None:
    """Records a load, as pull does, in the warehouse that is there: rooms would take half of the time to import."""
    import duckdb

    while True:
        with suppress(duckdb.IOException), duckdb.connect(str(root / "warehouse.duckdb")) as con:  # another league's
            con.execute(
                "INSERT INTO load VALUES (?, ?, 'a', now(), 'a.csv', 'aa', NULL, now(), 'x', 1, 1, 0, 0, 0, 0)",
                [f"{league}-{time.time_ns()}", league],
            )
            return
        time.sleep(0.02)


def sleep_with_a_child(marks: Path) -> None:
    """Starts a child that ignores SIGTERM, says both numbers, and sleeps."""
    child = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    (marks / "pids.new").write_text(f"{os.getpid()} {child.pid}")
    (marks / "pids.new").rename(marks / "pids")
    time.sleep(60)


def meet(root: Path, words: list[str], other: str) -> None:
    """Waits until the other step is at work too."""
    (root / f"{'-'.join(words)}.here").touch()
    deadline = time.monotonic() + 60
    while not (root / f"{other.replace(' ', '-')}.here").exists():
        if time.monotonic() > deadline:
            sys.exit(f"{other} never came")
        time.sleep(0.02)


def main() -> int:
    """Does one step; returns its exit code."""
    root, plan = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    words = [word for word in sys.argv[3:] if not word.startswith("--")]
    match plan.get(" ".join(words), "done"):
        case "fail":
            sys.stderr.write(f"Error: {words[1]}: it went wrong.\nDo something about it.\n")
            return 1
        case "wrong":
            sys.stderr.write(f'Error: leagues.toml, league {words[1]}: unknown setting "refitt".\n')
            return 2
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleep":
            sleep_with_a_child(root)
        case "silent":
            return 1
        case str(busy) if busy.startswith("busy"):
            tried = len(list(root.glob(f"logs/*/*-{words[1]}-{words[0]}*.log")))
            if tried <= int(busy.removeprefix("busy ")):
                sys.stderr.write("Error: the warehouse is held by process 1.\n")
                return 75
        case str(mate) if mate.startswith("meet"):
            meet(root, words, mate.removeprefix("meet "))
    if words[0] == "pull":
        load(root, words[1])
    sys.stdout.write(f"{' '.join(words)}: well done\n")
    sys.stderr.write('{"level": "INFO", "message": "a log line after it"}\n')
    return 0


if __name__ == "__main__":
    follow_parent()
    sys.exit(main())
