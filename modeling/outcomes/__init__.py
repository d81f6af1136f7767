"""Outcome families, one file each; a file added here is found by itself.

An outcome module has one `OUTCOME`. Rows are what its likelihood has one of (a side of a game, for score).
"""

import importlib
import pkgutil

from modeling.outcomes.outcome import Outcome
from store.errors import FitError


def outcomes() -> dict[str, Outcome]:
    """Every outcome family by name."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name != "outcome"]
    return {name: importlib.import_module(f"{__name__}.{name}").OUTCOME for name in names}


def outcome_of(name: str) -> Outcome:
    """The outcome family called `name`. Raises FitError where there is none."""
    known = outcomes()
    if name not in known:
        raise FitError(f'Leagues with outcome "{name}" cannot be rated yet.', f"Rated: {', '.join(known)}.")
    return known[name]
