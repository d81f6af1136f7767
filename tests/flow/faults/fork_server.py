"""Runs `pooltable` commands in forks of one process that has everything imported: a night in a second instead of ten.

fork_server.py SOCKET writes, beside the socket, the program `python`, which stands in for Python: it hands its words,
its environment and its standard streams to the server and ends as the command does. What runs is the real command, as a
process of its own with a group of its own; where its stand-in is killed, so is it. POOLTABLE_CLOCK_AHEAD in the
environment sets its clock, in seconds; POOLTABLE_FILE_LIMIT lets no file grow beyond so many bytes, as a full disk does
not. Nothing here may use polars or BLAS before it forks: their threads do not survive.
"""

import array
import functools
import json
import os
import resource
import select
import signal
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

STAND_IN = """#!{python} -IS
import array, json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({socket!r})
asked = json.dumps({{"words": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}).encode()
server.sendmsg([len(asked).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
server.sendall(asked)
answer = server.makefile().readline()
if not answer:
    os.kill(os.getpid(), signal.SIGKILL)
code = int(answer)
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


def main(place: str) -> None:
    """Serves until it is killed."""
    import_everything()
    server = socket.socket(socket.AF_UNIX)
    server.bind(place)
    server.listen(64)
    stand_in = Path(place).with_name("python")
    stand_in.write_text(STAND_IN.format(python=sys.executable, socket=place))
    stand_in.chmod(0o755)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    (Path(place).parent / "ready").touch()
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([server, wake, *running.values()], [], [])
        if wake in ready:
            os.read(wake, 512)
        reap(running)
        for pid, asker in list(running.items()):
            if asker in ready and pid in running:  # a stand-in says nothing more: it is gone
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
        if server in ready:
            answer(server, running, stand_in)


def import_everything() -> None:
    """Everything the commands import where they need it."""
    import importlib

    rooms = Path(__file__).parents[3]
    names = [f"{room}.{path.stem}" for room in ("jobs", "store") for path in sorted((rooms / room).glob("*.py"))]
    for name in [*names, "ingest.pull", "ingest.checks", "ingest.feeds.csv", "modeling.fit"]:
        if not name.endswith("__init__"):
            importlib.import_module(name)
    importlib.import_module("modeling.outcomes").outcomes()
    importlib.import_module("numba").njit(lambda number: number + 1)(1)


def reap(running: dict[int, socket.socket]) -> None:
    """Tells the stand-ins of those that have ended how they ended."""
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            with suppress(BrokenPipeError), running.pop(pid) as asker:
                asker.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def answer(server: socket.socket, running: dict[int, socket.socket], stand_in: Path) -> None:
    """Forks for one command."""
    asker, _ = server.accept()
    head, passed, _, _ = asker.recvmsg(8, socket.CMSG_SPACE(3 * 4))
    streams = array.array("i")
    for _, _, data in passed:
        streams.frombytes(data)
    size, body = int.from_bytes(head, "big"), b""
    while head and len(body) < size:
        piece = asker.recv(size - len(body))
        if not piece:
            break
        body += piece
    if len(body) == size and len(streams) == 3:
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for other in [server, asker, *running.values()]:
                other.close()
            become(json.loads(body), list(streams), stand_in)
        running[pid] = asker
    for stream in streams:
        os.close(stream)


def become(asked: dict, streams: list[int], stand_in: Path) -> None:
    """Runs the command in this fork and ends it."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.executable = str(stand_in)  # so that a night's steps come here too
    sys.argv = ["pooltable", *asked["words"][asked["words"].index("jobs.cli") + 1 :]]
    if limit := os.environ.get("POOLTABLE_FILE_LIMIT"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    set_clock(float(os.environ.get("POOLTABLE_CLOCK_AHEAD", "0")))
    code = 1
    try:
        from jobs import cli, night

        night.CHAIN = night.UNAUDITED[:3]  # NUTS would take most of the time
        night.Night = functools.partial(night.Night, retry_seconds=(0.2, 0.5))  # and so would waiting
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def set_clock(ahead: float) -> None:
    """Moves the time that commands are told."""

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead)

    for name, module in list(sys.modules.items()):
        if name.startswith("jobs.") and hasattr(module, "utc_now"):
            module.utc_now = now  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(sys.argv[1])
