"""A served home and a real Chromium. A missing browser fails where CI is set and is skipped by name elsewhere."""

import importlib.util
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboard.server import listen
from store.home import Home

expect.set_options(timeout=60_000)  # milliseconds: a busy machine is slow, not wrong
CHECKOUT = Path(__file__).parents[2]
SERVE = "import sys; from pathlib import Path; from store.home import Home; from dashboard.server import serve\n" \
        "serve(Home(Path(sys.argv[1])), port=int(sys.argv[2]))"  # fmt: skip
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def made() -> Any:
    """The module that writes the dashboard tests' home."""
    path = CHECKOUT / "tests" / "dashboard" / "made_home.py"
    spec = importlib.util.spec_from_file_location("made_home", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["made_home"] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def served_home(home: Home) -> Iterator[str]:
    """Address of a server over a home, as long as it is asked."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(home.root), str(port)], cwd=CHECKOUT)
    try:
        yield answering(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def served() -> Callable[[Home], AbstractContextManager[str]]:
    """served_home(home), as a fixture since conftest cannot be imported."""
    return served_home


@pytest.fixture(scope="session")
def site(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running server over a home with 320 and 160 teams."""
    with served_home(made.made_home(tmp_path_factory.mktemp("browser"), teams=320)) as address:
        yield address


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
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed, and CI must not go without the browser tests.")
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, site: str) -> Iterator[Page]:
    """A fresh page at the site's address; anything the browser complains about fails the test."""
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "response", lambda answer: complaints.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
    )
    yield page
    context.close()
    assert complaints == []
