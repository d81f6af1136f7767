"""The order of all tests: the files with the longest ones first, so that at the end no worker waits for another."""

import pytest

pytest_plugins = ["bench_report"]
LONGEST = ("test_docs.py", "test_demo_night.py", "test_chain.py", "test_faults.py", "test_compare.py", "test_pages.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests of the files that take longest before the others, which stay as they are."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))
