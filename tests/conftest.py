"""The order of all tests: those of the documentation, one of which takes a minute and a half, first, so that at the end
no worker waits for it alone."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the documentation's tests before the others, which stay as they are."""
    items.sort(key=lambda item: item.path.name != "test_docs.py")
