"""Whether the order of the ranked was upset by nothing that results explain.

A night's results move ratings by little: an order that few results turn over comes from a feed that swapped names, from
a model that found another answer, or from a mistake. Where many games are new, or the model itself was changed, an
upheaval is told and rejects nothing. Nor does anybody's rating jump: two names swapped among many leave the others'
order as it was.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.stats import rankdata

from modeling.design import Design
from modeling.earlier import Before
from modeling.judge import Check
from modeling.outcomes.outcome import Array
from modeling.ratings import Ratings
from store.thresholds import Thresholds

# Of all games. Where more are new, gone or corrected by us, they explain it; games that the feed changed do not.
FEW_GAMES = 0.1
FEWEST = 5  # competitors ranked both times: an order of four is turned over by one result
UNEXPLAINED = (
    " No result explains it: few games are new, and the model is the same. Were names or sides swapped in the feed? "
    'See: pooltable check. If it is right: pooltable fit --override "reason"'
)
ALIKE = 1.2  # ratio of a prior's scale to its earlier one; scales in points follow the data


def upheaval_checks(
    design: Design,
    ratings: list[Ratings],
    before: Before | None,
    code_hash: str,
    names: Mapping[str, str] = MappingProxyType({}),
) -> list[Check]:
    """Checks of each kind: is the order of those ranked both times about the same, and where ratings stand still did
    nobody's jump; or is it known why not? `names` are of competitors, by id."""
    explained = _explained(design, before, code_hash) if before else ""
    walks = any(block.role == "walk" for block in design.blocks)
    checks: list[Check] = []
    for one in ratings:
        both = _both(one, before.ratings.get(one.field.kind, {}) if before else {})
        checks.append(_order_check(one.field.kind, both, before, explained, design.thresholds))
        if both.who and not walks:
            why = explained or _corrected(before)
            checks.append(_jump_check(one.field.kind, both, why, design.thresholds, names))
    return checks


@dataclass(frozen=True)
class Both:
    """Ids of who was ranked both times, means now and then about the mean of these, and sds then."""

    who: tuple[str, ...]
    now: Array
    then: Array
    sd: Array


def _jump_check(kind: str, both: Both, explained: str, held_to: Thresholds, names: Mapping[str, str]) -> Check:
    """Whether anybody's rating moved farther than results can: of a rating that stands still, the mean moves by less
    than its sd, whatever comes next, if the model is right (a martingale)."""
    apart = np.abs(both.now - both.then) / both.sd
    most = int(np.argmax(apart))
    moved, who = float(apart[most]), names.get(both.who[most], both.who[most])
    status, words = "pass", f"{who} moved most since the last accepted fit, by {moved:.1f} sd."
    if moved >= held_to.jumped:
        status = "warn" if explained else "fail"
        words += f" {explained[0].upper()}{explained[1:]}." if explained else UNEXPLAINED
    return Check("jumped", f"the {kind} that moved most", moved, held_to.jumped, status, words)


def _order_check(kind: str, both: Both, before: Before | None, explained: str, held_to: Thresholds) -> Check:
    now, then, sd = both.now, both.then, both.sd
    if len(now) < FEWEST:
        words = (
            f"Fewer than {FEWEST} {kind}s were ranked before and are now: there is no order to compare with."
            if before
            else "No fit of the league was accepted before this one."
        )
        return Check("upheaval", f"order of the ranked {kind}s", None, held_to.upheaval, "pass", words)
    correlation, moved = order_kept(now, then), float(np.sqrt(np.mean(((now - then) / sd) ** 2)))
    status, words = "pass", f"Its correlation with that of the last accepted fit is {correlation:.2f}"
    if correlation >= held_to.upheaval:
        words += "."
    elif moved < held_to.moved:
        words += f", though ratings moved by {moved:.2f} sd only: results hardly tell these {kind}s apart."
    elif explained:
        status, words = "warn", f"{words}: {explained}."
    else:
        status, words = "fail", f"{words}.{UNEXPLAINED}"
    return Check("upheaval", f"order of the ranked {kind}s", correlation, held_to.upheaval, status, words)


def order_kept(now: Array, then: Array) -> float:
    """Spearman's correlation of two orders; 1 where either has none."""
    if np.ptp(now) == 0 or np.ptp(then) == 0:
        return 1.0
    return float(np.corrcoef(rankdata(now), rankdata(then))[0, 1])


def _both(ratings: Ratings, earlier: dict[str, tuple[float, float]]) -> Both:
    """Those ranked both times."""
    field, total = ratings.field, ratings.components["total"]
    common = [i for i, one in enumerate(field.competitors) if field.ranked[i] and one in earlier]
    then = np.array([earlier[field.competitors[i]] for i in common]).reshape(-1, 2)
    now = total[:, common].mean(axis=0)
    who = tuple(field.competitors[i] for i in common)
    if not common:
        return Both(who, now, then[:, 0], then[:, 1])
    return Both(who, now - now.mean(), then[:, 0] - then[:, 0].mean(), then[:, 1])


def _explained(design: Design, before: Before, code_hash: str) -> str:
    """What other than results may have turned an order over, in words; nothing where nothing is known."""
    if not _same_model(design.as_json(), before.design):
        return "the model was changed"
    if code_hash != before.code_hash:
        return "the program was changed since"
    moved = abs(design.games - before.games) + before.corrected
    if moved > FEW_GAMES * design.games:
        return f"{moved:,} of {design.games:,} games are new, gone or corrected since"
    return ""


def _corrected(before: Before | None) -> str:
    """That a person corrected games: few may be those of one competitor."""
    return f"{before.corrected:,} games were corrected since" if before and before.corrected else ""


def _same_model(now: dict[str, Any], then: dict[str, Any]) -> bool:
    """Whether two statements of a model are of the same parts, with priors of about the same width."""
    if now["likelihood_name"] != then["likelihood_name"] or now["outcome"] != then["outcome"]:
        return False
    parts = [[one["name"] for group in ("auxiliaries", "fixed", "blocks") for one in of[group]] for of in (now, then)]
    return parts[0] == parts[1] and all(
        _alike(one["scale"], other["scale"]) for one, other in zip(now["blocks"], then["blocks"], strict=True)
    )


def _alike(now: str, then: str) -> bool:
    """Whether two priors of a scale, as "HalfNormal(0.5)" or "fixed at 5", are of one form and about one width."""
    (form, width), (other_form, other) = _parsed(now), _parsed(then)
    return form == other_form and (width == other or 1 / ALIKE <= width / other <= ALIKE)


def _parsed(prior: str) -> tuple[str, float]:
    form, width = re.split(r"[( ]+(?=[^( ]*$)", prior.rstrip(")"))
    return form, float(width)
