"""HTML attributes whose names Python cannot write as keywords."""

from typing import Any


def aria(**values: str) -> dict[str, Any]:
    """Attributes for screen readers: aria(label="Pages") is aria-label="Pages"."""
    return {f"aria-{name}": value for name, value in values.items()}


def data(**values: str) -> dict[str, Any]:
    """Attributes for our own scripts: data(action="theme") is data-action="theme"."""
    return {f"data-{name}": value for name, value in values.items()}
