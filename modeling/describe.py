"""A league's model in words and in mathematics, from its Design alone: no fit is needed."""

from dataclasses import dataclass

import numpy as np

from modeling.block import Block
from modeling.design import Design, Noise
from modeling.engines.choice import WORDS, choose
from modeling.games import Games
from modeling.judge import threshold_checks
from modeling.outcomes.outcome import Auxiliary
from store.stanzas import Stanza

POOLED = {
    "partial": "Effects that are pooled: u ~ Normal(0, scale), the scale learned",
    "none": "Effects that are not pooled: u ~ Normal(0, scale), the scale given and wide",
    "complete": "Effects that are pooled completely: u ~ Normal(0, scale), the scale given and next to nothing",
}
SIDES = {"game": ("first", "second"), "side": ("side", "other"), "entrant": ("entrant", "")}


@dataclass(frozen=True)
class Table:
    """Rows of text under their column names; the last column may be wrapped."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A titled part of the description: paragraphs, or lines of mathematics, or a table."""

    title: str
    paragraphs: tuple[str, ...] = ()
    formulas: tuple[str, ...] = ()
    table: Table | None = None


def describe(games: Games, design: Design, stanza: Stanza) -> list[Section]:
    """What a fit of these games would be, in sections in their order, without those that are empty."""
    sections = [
        Section("Games", (_which_games(games, design, stanza),)),
        Section("In words", _words(design, stanza)),
        Section("In mathematics", formulas=_formulas(design)),
        Section(POOLED[stanza.pooling], table=_pooled(design)),
        Section("Other parameters", table=_single(design)),
        Section("What was left out", design.notes),
        Section("Thresholds of its own", tuple(_thresholds(design))),
        Section("Engine", (_engine(design),)),
    ]
    return [one for one in sections if one.paragraphs or one.formulas or (one.table and one.table.rows)]


def _thresholds(design: Design) -> list[str]:
    """What its fits are held to where that is not the usual."""
    return [f"{one.subject} = {one.value:g}. {one.message}" for one in threshold_checks(design.thresholds)]


def _engine(design: Design) -> str:
    choice = choose(design, "auto")
    return f"{choice.engine}: {WORDS[choice.engine]} Chosen because {choice.why}. The seed is fixed."


def _which_games(games: Games, design: Design, stanza: Stanza) -> str:
    days, contests = design.played_on, len(np.unique(design.contest))
    of = f" of {contests:,} contests" if contests != design.games else ""
    who = " and ".join(f"{len(kind.competitors):,} {kind.name}s" for kind in design.kinds)
    since = f" The stanza asks for games since {stanza.since}." if stanza.since else ""
    return (
        f"{design.games:,} games{of}, {days.min()} to {days.max()}, as of {games.as_of}: {who}.{since} "
        f"Games that count are {' or '.join(design.outcome.statuses)}."
    )


def _words(design: Design, stanza: Stanza) -> tuple[str, ...]:
    parts = [design.outcome.words, *(_kind_words(design, kind.name, stanza.pooling) for kind in design.kinds)]
    roles = {block.role for block in design.blocks}
    if len(design.kinds) > 1:
        parts.append("A player's part stands beside the team's. Who changes teams, and teammates, tell the two apart.")
    if "group" in roles:
        parts.append(f"Who is new starts at the mean of its {stanza.group}: the first one it is known in.")
    if "walk" in roles:
        parts.append(
            f"Strengths move ({', '.join(stanza.walk)}): a step of learned size from one {stanza.period} to the "
            f"next that is played in. {_idle_words(design, stanza)}"
        )
    parts += _slope_words(design)
    parts += [f"{fixed.title.capitalize()}: one number, the same for all." for fixed in design.fixed]
    parts += [_noise_words(noise) for noise in design.noise]
    parts.append(
        f"A rating is told in {design.outcome.unit}, against the mean of the ranked on neutral ground. Ranked is who "
        f"has {stanza.min_games} contests or more and played in the last {stanza.active_days} days."
    )
    return tuple(parts)


def _idle_words(design: Design, stanza: Stanza) -> str:
    """What becomes of who does not play, and of everybody's distance from the mean."""
    if stanza.persistence == 1:
        return "Who does not play keeps the last state, and it grows less certain with time."
    is_grouped = any(block.role == "group" for block in design.blocks)
    mean = f"mean of the {stanza.group}" if is_grouped else "mean of all"
    return (
        f"Each year keeps {100 * stanza.persistence:g} % of how far they are from the {mean}. Who does not play goes "
        "back there, and grows less certain up to a bound."
    )


def _kind_words(design: Design, kind: str, pooling: str) -> str:
    sides = next(one for one in design.kinds if one.name == kind).sides
    a_side = float(np.median(np.diff(sides.indptr)[np.diff(sides.indptr) > 0]))
    sums = f" A side's is the sum of its {kind}s', each by the share played ({a_side:g} a side)." if a_side > 1 else ""
    own = f"Each {kind} has {_parts(design)} of its own"
    if pooling == "none":
        return f"{own}, told by its results alone: nothing is pooled.{sums}"
    if pooling == "complete":
        return f"Each {kind} has {_parts(design)} as good as any other's: pooling is complete.{sums}"
    return f"{own}, drawn to the mean of all, the more the less its games say. How far {kind}s differ is learned.{sums}"


def _parts(design: Design) -> str:
    return (
        " and ".join(f"a {part}" for part in design.outcome.components)
        .replace("a total", "a strength")
        .replace("a attack", "an attack")
    )


def _slope_words(design: Design) -> list[str]:
    """A sentence for each varying slope; its components together."""
    found: dict[tuple[str, str], list[Block]] = {}
    for block in (block for block in design.blocks if block.role == "slope"):
        whose = block.title.removeprefix(f"{block.component} of ")
        found.setdefault((whose, block.by), []).append(block)
    return [_slope_sentence(whose, blocks) for (whose, _), blocks in found.items()]


def _slope_sentence(whose: str, blocks: list[Block]) -> str:
    parts = [block.component for block in blocks if block.title != whose]
    who = f"{' and '.join(parts)} of {whose}" if parts else whose
    values = list(dict.fromkeys(blocks[0].value))
    few = f" ({', '.join(values[:6])}{', …' if len(values) > 6 else ''})" if values != ["slope"] else ""
    return f"{who[0].upper()}{who[1:]}{few}: deviations, pooled to zero."


def _noise_words(noise: Noise) -> str:
    if not noise.values:
        return f"The noise could differ by {noise.name}, but that is the same in all games."
    each = "has a factor" if len(noise.values) == 1 else "have a factor each"
    return f"The noise differs by {noise.name}: {', '.join(noise.values)} {each}."


def _formulas(design: Design) -> tuple[str, ...]:
    own, other = SIDES[design.outcome.row]
    terms = ["intercept"] if design.outcome.has_intercept else []
    terms += [_fixed_term(design, fixed.name, own, other) for fixed in design.fixed]
    terms += [_block_term(design, block, own, other) for block in design.blocks]
    found = [design.outcome.formula, _added(f"eta({own})" if design.outcome.row != "game" else "eta", terms)]
    if any(fixed.name == "home" for fixed in design.fixed):
        found.append("x of home is 1 on the home side, else 0")
    if any(fixed.name != "home" for fixed in design.fixed):
        found.append("x of another covariate is its distance from the mean in standard deviations")
    found += list(dict.fromkeys(_walk_formula(block) for block in design.blocks if block.role == "walk"))
    if design.noise:
        found.append("noise = exp(sum of the log factors of the game)")
    return tuple(found)


def _walk_formula(block: Block) -> str:
    if block.persistence == 1:
        return "a walk: u(now) ~ Normal(u(before), scale sqrt(years between)), from 0 where it enters"
    kept, rate = f"{block.persistence:g}", f"{-2 * np.log(block.persistence):.4g}"
    return (
        f"a walk: u(now) ~ Normal({kept}^years u(before), scale sqrt((1 - {kept}^(2 years)) / {rate})), years between, "
        f"from 0 where it enters; the effect that it enters with counts {kept}^years since"
    )


def _added(name: str, terms: list[str]) -> str:
    signed = [term if term.startswith("- ") else f"+ {term}" for term in terms]
    return f"{name} = {' '.join(signed).removeprefix('+ ')}"


def _fixed_term(design: Design, name: str, own: str, other: str) -> str:
    if design.outcome.row != "game":
        return f"{name} * x({own})"
    return f"{name} * (x({own}) - x({other}))"


def _block_term(design: Design, block: Block, own: str, other: str) -> str:
    if design.outcome.row == "game":
        return f"{block.name}({own}) - {block.name}({other})"
    return f"- {block.name}({other})" if block.component == "defence" else f"{block.name}({own})"


def _pooled(design: Design) -> Table:
    rows = tuple(
        (block.name, block.role, f"{len(block.levels):,}", _scale(block), _title(block)) for block in design.blocks
    )
    return Table(("effect", "role", "levels", "prior of its scale", "what it is"), rows)


def _scale(block: Block) -> str:
    return f"HalfNormal({block.prior_scale:.3g})" if block.fixed_scale is None else f"{block.fixed_scale:.3g}, given"


def _title(block: Block) -> str:
    return f"{block.title}: what a year adds" if block.role == "walk" else block.title


def _single(design: Design) -> Table:
    rows: list[tuple[str, ...]] = []
    if design.outcome.has_intercept:
        prior = f"Normal({design.centre:.3g}, {design.intercept_sd:.3g})"
        rows.append(("intercept", prior, "two average sides on neutral ground"))
    rows += [(one.name, f"Normal(0, {one.prior_sd:.3g})", one.title) for one in design.fixed]
    rows += [(one.name, _prior(one), one.title) for one in design.auxiliaries]
    return Table(("parameter", "prior", "what it is"), tuple(rows))


def _prior(one: Auxiliary) -> str:
    return f"Normal(0, {one.scale:.3g})" if one.is_signed else f"HalfNormal({one.scale:.3g})"
