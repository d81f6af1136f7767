"""The order of all tests: the files with the longest ones first, so that at the end no worker waits for another.

And a home served, for those that ask a running server.
"""

import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import sleep

import pytest

from store.home import Home

pytest_plugins = ["bench_report"]
LONGEST = ("test_docs.py", "test_demo_night.py", "test_chain.py", "test_faults.py", "test_compare.py", "test_pages.py")
CHECKOUT = Path(__file__).parents[1]
SERVE = "import sys; from pathlib import Path; from store.home import Home; from dashboard.server import serve\n" \
        "serve(Home(Path(sys.argv[1])), port=int(sys.argv[2]))"  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests of the files that take longest before the others, which stay as they are."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@contextmanager
def served_home(home: Home) -> Iterator[str]:
    """Address of a server over a home, as long as it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(home.root), str(port)], cwd=CHECKOUT)
    try:
        yield answering(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait()


def answering(address: str, process: subprocess.Popen[bytes]) -> str:
    """The address once it answers."""
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(f"{address}/health", timeout=30).close()
            return address
        except OSError:
            sleep(0.1)
    raise AssertionError("the server did not come up")


@pytest.fixture(scope="session")
def served() -> Callable[[Home], AbstractContextManager[str]]:
    """served_home(home), as a fixture since conftest cannot be imported."""
    return served_home
