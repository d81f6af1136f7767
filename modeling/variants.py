"""Variants of a league's stanza that are compared, and what to call them."""

from dataclasses import dataclass
from typing import Any

from modeling.outcomes import outcome_for
from store.errors import FitError, UsageError
from store.stanzas import Stanza, varied

POOLINGS = ("partial", "none", "complete")
AS_IT_STANDS = "the stanza as it stands"
LISTS = {"effects": "{}", "noise": "noise by {}"}


@dataclass(frozen=True)
class Variant:
    """A stanza that is compared with others of the same league."""

    title: str
    settings: str
    """What differs from the league's own stanza, as it was asked for; empty of that itself."""
    stanza: Stanza


def variants_of(league: str, stanza: Stanza, texts: list[str]) -> list[Variant]:
    """The league's stanza, first, and one variant for each text of other settings; without any the ways of pooling.

    Raises UsageError, StanzaError where a text is not settings of a model of these results.
    """
    asked = texts or [f'pooling = "{pooling}"' for pooling in POOLINGS if pooling != stanza.pooling]
    found = [Variant("", "", stanza)]
    for text in asked:
        other = varied(league, stanza, text)
        if any(other == one.stanza for one in found):
            raise UsageError(f"{league}: {text!r} changes nothing, or the same as another.", "Leave it out.")
        try:
            outcome_for(league, other)
        except FitError as error:
            raise UsageError(error.message, error.hint) from error
        found.append(Variant("", " ".join(text.split()), other))
    backwards = {_title(league, one.stanza, stanza) for one in found[1:]}
    own = backwards.pop() if len(backwards) == 1 else AS_IT_STANDS
    titles = [own or AS_IT_STANDS, *(_title(league, stanza, one.stanza) or one.settings for one in found[1:])]
    return [Variant(title, one.settings, one.stanza) for title, one in zip(titles, found, strict=True)]


def _title(league: str, before: Stanza, after: Stanza) -> str:
    """What the second stanza has that the first has not, in words."""
    parts: list[str] = []
    if before.likelihood_name != after.likelihood_name:
        parts.append(outcome_for(league, after).likelihood.replace("_", " "))
    if before.rate != after.rate:
        parts.append(f"ratings of {' and '.join(f'{kind}s' for kind in after.rate) or 'nobody'}")
    if before.pooling != after.pooling:
        parts.append("no pooling" if after.pooling == "none" else f"{after.pooling} pooling")
    if before.group != after.group:
        parts.append(f"groups by {after.group}" if after.group else "without groups")
    if (before.period, before.walk) != (after.period, after.walk):
        parts.append(f"{' and '.join(after.walk)} walking by {after.period}" if after.walk else "static")
    if before.persistence != after.persistence:
        kept = f"keeping {100 * after.persistence:g} % a year"
        parts.append("forgetting nothing" if after.persistence == 1 else kept)
    for setting, words in LISTS.items():
        parts += _changes(words, getattr(before, setting), getattr(after, setting))
    for name in dict.fromkeys([*before.priors, *after.priors]):
        if before.priors.get(name) != after.priors.get(name):
            own = after.priors.get(name)
            parts.append(f"the usual prior of {name}" if own is None else f"prior {own:g} of {name}")
    return ", ".join(parts)


def _changes(words: str, before: Any, after: Any) -> list[str]:
    more, less = [one for one in after if one not in before], [one for one in before if one not in after]
    with_more = [f"with {words.format(', '.join(more))}"] if more else []
    return with_more + ([f"without {words.format(', '.join(less))}"] if less else [])
