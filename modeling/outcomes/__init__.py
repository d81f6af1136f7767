"""Outcome families, one file each; a file added here is found by itself.

An outcome module has `OUTCOMES`: the family with each of its likelihoods, the usual one first.
"""

import importlib
import pkgutil

from modeling.outcomes.outcome import Outcome
from store.errors import FitError

SHARED = ("counts", "links", "low_scores", "outcome", "shared", "symbols")


def outcomes() -> dict[str, tuple[Outcome, ...]]:
    """Every outcome family by name, with its likelihoods."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED]
    return {name: importlib.import_module(f"{__name__}.{name}").OUTCOMES for name in names}


def outcome_of(name: str, likelihood: str | None = None) -> Outcome:
    """The outcome family called `name` with the likelihood asked for, or its usual one.

    Raises FitError where there is none.
    """
    known = outcomes()
    if name not in known:
        raise FitError(f'There is no outcome "{name}".', f"There are: {', '.join(known)}.")
    for outcome in known[name]:
        if likelihood in (None, outcome.likelihood):
            return outcome
    raise FitError(
        f'Outcome "{name}" has no likelihood "{likelihood}".',
        f"It has: {', '.join(outcome.likelihood for outcome in known[name])}.",
    )
