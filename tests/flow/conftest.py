"""Flows run the real command in a fresh home, as a person or the scheduler does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from store.home import Home

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def pooltable(home: Home) -> Command:
    """Runs `pooltable WORDS` on the module's home and returns what it said and its exit code."""
    environment = {**os.environ, "POOLTABLE_HOME": str(home.root)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "jobs.cli", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900, check=False)

    return run


@pytest.fixture(scope="session")
def edition() -> Callable[[Home, str], pl.DataFrame]:
    """Asks the home's current edition."""
    from store.edition import current

    def ask(home: Home, sql: str) -> pl.DataFrame:
        with duckdb.connect(str(current(home)), read_only=True) as con:
            found = pl.from_arrow(con.sql(sql).to_arrow_table())
            assert isinstance(found, pl.DataFrame)
            return found

    return ask


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real results; tests that need it are skipped, by name, only where there is none."""
    folder = os.environ.get("POOLTABLE_REAL_DATA")
    if not folder:
        pytest.skip("POOLTABLE_REAL_DATA is not set: no real results here")
    return Path(folder)
