"""The server itself: it serves, workers follow a new edition, and what cannot work is one clear error."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.server import is_loopback, listen, serve, url
from store.edition import publish
from store.errors import PooltableError, UsageError
from store.home import Home

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def running(own_home: Home, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server in a process of its own; what its caller's clean-up prints is kept in its output."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    script = (
        "from pathlib import Path; from store.home import Home; from dashboard.server import serve\n"
        f"try: serve(Home(Path({str(own_home.root)!r})), port={port}, workers=2)\n"
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
    with pytest.raises(PooltableError, match="Cannot listen"):
        listen(host, 8050)
