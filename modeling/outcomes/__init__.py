"""Outcome families, one file each; a file added here is found by itself.

An outcome module has `OUTCOMES`: the family with each of its likelihoods, the usual one first.
"""

import difflib
import importlib
import pkgutil

from modeling.outcomes.outcome import Outcome
from store.errors import FitError
from store.stanzas import Stanza

SHARED = ("counts", "links", "low_scores", "noticed", "outcome", "schedule", "shared", "sides", "symbols")


def outcomes() -> dict[str, tuple[Outcome, ...]]:
    """Every outcome family by name, with its likelihoods."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED]
    return {name: importlib.import_module(f"{__name__}.{name}").OUTCOMES for name in names}


def outcome_for(league: str, stanza: Stanza) -> Outcome:
    """The outcome family that a league's stanza asks for, with its likelihood, or its link.

    Raises FitError naming the league where there is none, or where a likelihood stands for a link.
    """
    usual = outcome_of(stanza.outcome, league=league)
    likelihoods = ", ".join(outcome.likelihood for outcome in outcomes()[usual.name])
    if usual.takes_link and stanza.likelihood:
        raise FitError(f'{league}: "{usual.name}" has a link instead of a likelihood.', f"Links are: {likelihoods}.")
    if stanza.link and not usual.takes_link:
        raise FitError(f'{league}: "{usual.name}" has a likelihood instead of a link.', f"It has: {likelihoods}.")
    return outcome_of(stanza.outcome, stanza.likelihood_name, league)


def outcome_of(name: str, likelihood: str | None = None, league: str = "") -> Outcome:
    """The outcome family called `name` with the likelihood asked for, or its usual one.

    Raises FitError where there is none, naming the league that asked for it.
    """
    known, where = outcomes(), f"{league}: " if league else ""
    if name not in known:
        raise FitError(f'{where}there is no outcome "{name}".', _instead(name, list(known)))
    family = {outcome.likelihood: outcome for outcome in known[name]}
    if likelihood and likelihood not in family:
        raise FitError(f'{where}"{name}" has no likelihood "{likelihood}".', _instead(likelihood, list(family)))
    return family[likelihood] if likelihood else known[name][0]


def _instead(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"{f'Did you mean "{near[0]}"? ' if near else ''}There are: {', '.join(known)}."
