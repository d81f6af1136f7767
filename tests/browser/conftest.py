"""A real Chromium. A missing browser fails where CI is set and is skipped by name elsewhere."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from store.home import Home

expect.set_options(timeout=60_000)  # milliseconds: a busy machine is slow, not wrong
CHECKOUT = Path(__file__).parents[2]
type Served = Callable[[Home], AbstractContextManager[str]]
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


@pytest.fixture(scope="session")
def site(made: Any, served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running server over a home with 320 and 160 teams."""
    with served(made.made_home(tmp_path_factory.mktemp("browser"), teams=320)) as address:
        yield address


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
