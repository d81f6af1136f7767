"""Names and priors of a Design's parameters: every name once, and what a stanza sets by name."""

import difflib
from collections.abc import Callable
from dataclasses import replace

from modeling.block import Block
from modeling.design import FIXED_SCALES, Design
from store.errors import FitError
from store.stanzas import Stanza

RESERVED = {"intercept", "level", "tally", "likelihood", "chain", "draw"}  # engines and tables have their own of these

INNER = ("_standard", "_free")  # how an engine's names end that are only steps to what is read


def told_apart(design: Design) -> Design:
    """The Design with every name used once: an effect of an attribute whose name the model needs for something else is
    called that with `_attribute` after it."""
    taken = RESERVED | {one.name for one in design.auxiliaries}
    for block in design.blocks:
        if not block.by:
            taken |= _names_of_base(block.name)
    blocks: list[Block] = []
    for block in design.blocks:
        name = block.name if not block.by else _free(block.name, _names_of, taken)
        taken |= _names_of(name)
        blocks.append(replace(block, name=name))
    fixed = []
    for one in design.fixed:
        name = _free(one.name, lambda name: {name}, taken)
        taken.add(name)
        fixed.append(replace(one, name=name))
    return replace(design, blocks=tuple(blocks), fixed=tuple(fixed))


def with_priors(design: Design, stanza: Stanza) -> Design:
    """The Design with the stanza's own prior scales, and with scales that are given where it asks for other pooling.

    Raises FitError for the name of a prior that is nobody's.
    """
    priors = stanza.priors
    own = ["intercept"] * design.outcome.has_intercept + [one.name for one in design.auxiliaries]
    known = [*(one.name for one in (*design.blocks, *design.fixed)), *own]
    for name in priors:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f'Did you mean "{near[0]}"?' if near else f"Priors can be set for {', '.join(known)}."
            raise FitError(f'{design.league}: there is no prior called "{name}".', hint)
    blocks = [replace(block, prior_scale=priors.get(block.name, block.prior_scale)) for block in design.blocks]
    factor = FIXED_SCALES.get(stanza.pooling)
    if factor is not None:
        blocks = [replace(block, fixed_scale=factor * block.prior_scale) for block in blocks]
    return replace(
        design,
        blocks=tuple(blocks),
        fixed=tuple(replace(one, prior_sd=priors.get(one.name, one.prior_sd)) for one in design.fixed),
        own_priors={name: priors[name] for name in own if name in priors},
    )


def _names_of(name: str) -> set[str]:
    """What engines call the parts of a block."""
    return {name, f"scale_{name}", f"{name}_level", *(f"{name}{end}" for end in INNER)}


def _names_of_base(name: str) -> set[str]:
    """What they call those of a kind's block, and of the group and the walk that belong to it by their names."""
    return _names_of(name) | {f"{name}_group", f"{name}_walk"}


def _free(name: str, names_of: Callable[[str], set[str]], taken: set[str]) -> str:
    while name.endswith(INNER) or names_of(name) & taken:
        name += "_attribute"
    return name
