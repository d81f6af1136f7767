"""The server itself: it serves, workers follow a new edition, and what cannot work is one clear error."""

import http.client
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.server import is_loopback, listen, serve, url
from dashboard.worker import THREADS_OF_ONE, WAITING_OF_ONE, Worker, is_news
from store.edition import publish
from store.errors import PooltableError, UsageError
from store.home import Home

CHECKOUT = Path(__file__).parents[2]


@contextmanager
def server(home: Home) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server in a process of its own; what its caller's clean-up prints is kept in its output."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    script = (
        "from pathlib import Path; from store.home import Home; from dashboard.server import serve\n"
        f"try: serve(Home(Path({str(home.root)!r})), port={port}, workers=2)\n"
        "finally: print('cleaned up', flush=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    try:
        wait_for(port, process)
        yield process, port
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def running(own_home: Home) -> Iterator[tuple[subprocess.Popen[str], int]]:
    with server(own_home) as started:
        yield started


@pytest.fixture(scope="module")
def port(home: Home) -> Iterator[int]:
    """The port of a server that several tests ask."""
    with server(home) as (_, port):
        yield port


def health(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
        return json.load(answer)


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        try:
            health(port)
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")


def test_workers_follow_a_new_edition_and_leave_without_the_callers_clean_up(
    running: tuple[subprocess.Popen[str], int], own_home: Home, made: Any
) -> None:
    process, port = running
    first = {health(port)["edition"] for _ in range(12)}
    assert first == {"ratings-20240110-050000-000"}
    publish(own_home, ["cup"], made.NOW + timedelta(hours=1))
    assert {health(port)["edition"] for _ in range(12)} == {"ratings-20240110-060000-000"}
    copies = len(list((own_home.editions / ".serving").glob("*.duckdb")))
    assert copies == 2, "the new one, and the one before for who is still at it"
    os.kill(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output == "cleaned up\n", "once, by the caller, not in every worker"


def test_a_port_in_use_is_one_clear_error(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PooltableError, match=f"Port {port} on 127.0.0.1 is in use") as caught:
            serve(Home(tmp_path), port=port)
    assert f"--port {port + 1}" in caught.value.hint


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "example.org"])
def test_an_address_others_can_reach_needs_to_be_said(tmp_path: Path, host: str) -> None:
    with pytest.raises(UsageError, match="other machines"):
        serve(Home(tmp_path), host=host)


def test_loopback_and_addresses() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9"))
    assert [url("127.0.0.1", 80), url("::1", 80)] == ["http://127.0.0.1:80", "http://[::1]:80"]


def test_a_port_that_is_none_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="70000"):
        listen("127.0.0.1", 70000)


@pytest.mark.parametrize("host", ["192.0.2.7", "no such host"])
def test_an_address_of_another_machine_cannot_be_listened_on(host: str) -> None:
    with pytest.raises(PooltableError, match=f"Cannot listen on {host}: it is no address of this machine"):
        listen(host, 8050)


def connect(port: int, request: bytes) -> socket.socket:
    """A connection of a client at 127.0.0.1 who has sent so much, and who takes in little."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(30)
    sock.connect(("127.0.0.1", port))
    sock.sendall(request)
    return sock


def of_another(port: int, path: str = "/health") -> int:
    """The status that a client at another address gets."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=("127.0.0.2", 0))
    with closing(asking):
        asking.request("GET", path)
        return asking.getresponse().status


HOSTILE = {
    "never closes": b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "sends half of its headers": b"GET / HTTP/1.1\r\nHost: x\r\nX-a: ",
    "sends half of its body": b"POST /api/sql HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{",
    "reads nothing": b"GET /download/current.duckdb HTTP/1.1\r\nHost: x\r\n\r\n",
    "is not HTTP": b"\x16\x03\x01\x02\x00\r\n\r\n",
    "says nothing": b"",
}


@pytest.mark.timeout(180)
def test_clients_that_hold_their_connections_cost_nobody_else(port: int) -> None:
    with ExitStack() as held:
        for request in HOSTILE.values():
            for _ in range(24):
                held.enter_context(connect(port, request))
            assert [of_another(port) for _ in range(4)] == [200] * 4


def test_what_holds_a_thread_for_too_long_is_ended() -> None:
    """The worker's own methods, on a pair of sockets instead of a server with a minute of patience."""
    ours, theirs = socket.socketpair()
    late = Worker.__new__(Worker)
    late._reading, late.pending_conns = {ours: time.monotonic() - 1}, deque()
    late.murder_pending()
    assert (theirs.recv(1), ours.recv(1)) == (b"", b""), "both ends know that it is over"
    assert not is_news(logging.makeLogRecord({"exc_info": (TimeoutError, TimeoutError(), None)}))
    assert is_news(logging.makeLogRecord({"exc_info": (OSError, OSError(), None)})) and is_news(
        logging.makeLogRecord({})
    )


def test_a_client_beyond_his_share_waits_and_then_is_refused(port: int) -> None:
    most = 2 * (THREADS_OF_ONE + WAITING_OF_ONE)
    with ExitStack() as held:
        socks = [held.enter_context(connect(port, HOSTILE["sends half of its headers"])) for _ in range(most + 20)]
        readable, _, _ = select.select(socks, [], [], 10)
        told = [sock.recv(1000) for sock in readable]
        assert told and all(b" 429 " in answer and b'"hint"' in answer for answer in told)
        assert of_another(port) == 200


def test_an_address_that_is_too_long_is_told_in_json(port: int) -> None:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with closing(asking):
        asking.request("GET", f"/api/sql?sql={'x' * 9000}")
        answer = asking.getresponse()
        assert answer.status == 414 and "POST" in json.load(answer)["hint"]
