"""Homes made through the real floor, for the dashboard's tests."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from store.home import Home


@pytest.fixture(scope="session")
def made() -> Any:
    """The module made_home: NOW, ATTACKS, made_home(root), add_fit and the rest."""
    spec = importlib.util.spec_from_file_location("made_home", Path(__file__).with_name("made_home.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["made_home"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def home(made: Any, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with three leagues of some dozens of teams; tests must not change it."""
    return made.made_home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def own_home(made: Any, tmp_path: Path) -> Home:
    """A small home that a test may change."""
    return made.made_home(tmp_path, teams=12)
