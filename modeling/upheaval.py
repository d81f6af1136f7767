"""Whether the order of the ranked was upset by nothing that results explain.

A night's results move ratings by little: an order that few results turn over comes from a feed that swapped names, from
a model that found another answer, or from a mistake. Where many games are new, or the model itself was changed, an
upheaval is told and rejects nothing.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from scipy.stats import rankdata

from modeling.design import Design
from modeling.judge import Check
from modeling.outcomes.outcome import Array
from modeling.ratings import Ratings

# Two keys, as with predictive checks: ratings that no result sets apart have an order of chance, which turns over
# though no rating moves. On healthy leagues of 10 to 200 competitors a tenth of games more gave correlations down to
# .81 and moves up to .39 sds (`tests/modeling/recovery/test_false_rejections.py` prints them).
CORRELATION_ABOVE = 0.8
MOVED_BELOW = 0.5  # sds, root mean square over the ranked
FEW_GAMES = 0.1  # of all games; where more are new, changed or gone, they explain it
FEWEST = 5  # competitors ranked both times: an order of four is turned over by one result
ALIKE = 1.2  # ratio of a prior's scale to its earlier one; scales in points follow the data

LAST = """
SELECT fit_id, design, code_hash, games, current_at_utc FROM fit
WHERE league = $league AND fit_id <> $fit_id AND verdict = 'accepted' AND NOT is_dated
ORDER BY current_at_utc DESC LIMIT 1
"""
RANKED = """
SELECT kind, competitor_id, rating.mean, rating.sd
FROM standing JOIN rating USING (fit_id, kind, competitor_id)
WHERE fit_id = ? AND component = 'total' AND status = 'ranked'
"""
CHANGED = """
SELECT count(DISTINCT game_id) FROM game_change JOIN load USING (league, load_id)
WHERE league = $league AND loaded_at_utc > $since
"""


@dataclass(frozen=True)
class Before:
    """The league's last accepted fit, as far as an upheaval is told by it."""

    fit_id: str
    design: dict[str, Any]
    """Its model, as `Design.as_json` states it."""
    code_hash: str
    games: int
    changed: int
    """Games whose results were changed, or that went, since."""
    ratings: dict[str, dict[str, tuple[float, float]]]
    """By kind and ranked competitor, mean and sd."""


def read_before(con: duckdb.DuckDBPyConnection, league: str, fit_id: str) -> Before | None:
    """The last accepted fit of a league, other than the one that is to be made; or None."""
    found = con.execute(LAST, {"league": league, "fit_id": fit_id}).fetchall()
    if not found:
        return None
    last, design, code, games, at = found[0]
    changed = con.execute(CHANGED, {"league": league, "since": at}).fetchall()[0][0]
    ratings: dict[str, dict[str, tuple[float, float]]] = {}
    for kind, competitor, mean, sd in con.execute(RANKED, [last]).fetchall():
        ratings.setdefault(kind, {})[competitor] = mean, sd
    return Before(last, json.loads(design), code, games, changed, ratings)


def upheaval_checks(design: Design, ratings: list[Ratings], before: Before | None, code_hash: str) -> list[Check]:
    """A check for each kind: is the order of those ranked both times about the same, or is it known why not?"""
    return [_check(one, before, _explained(design, before, code_hash) if before else "") for one in ratings]


def _check(ratings: Ratings, before: Before | None, explained: str) -> Check:
    kind = ratings.field.kind
    subject = f"order of the ranked {kind}s"
    earlier = before.ratings.get(kind, {}) if before else {}
    now, then, sd = _both(ratings, earlier)
    if len(now) < FEWEST:
        words = f"Fewer than {FEWEST} {kind}s were ranked before and are now: there is no order to compare with."
        return Check("upheaval", subject, None, CORRELATION_ABOVE, "pass", words)
    correlation, moved = order_kept(now, then), float(np.sqrt(np.mean(((now - then) / sd) ** 2)))
    told = f"Its correlation with that of the last accepted fit is {correlation:.2f}"
    if correlation >= CORRELATION_ABOVE:
        return Check("upheaval", subject, correlation, CORRELATION_ABOVE, "pass", f"{told}.")
    if moved < MOVED_BELOW:
        words = f"{told}, though ratings moved by {moved:.2f} sd only: results hardly tell these {kind}s apart."
        return Check("upheaval", subject, correlation, CORRELATION_ABOVE, "pass", words)
    if explained:
        return Check("upheaval", subject, correlation, CORRELATION_ABOVE, "warn", f"{told}: {explained}.")
    words = (
        f"{told}, and no result explains it: few games are new, and the model is the same. Were names or sides "
        'swapped in the feed? See: pooltable check. If it is right: pooltable fit --override "reason"'
    )
    return Check("upheaval", subject, correlation, CORRELATION_ABOVE, "fail", words)


def order_kept(now: Array, then: Array) -> float:
    """Spearman's correlation of two orders; 1 where either has none."""
    if np.ptp(now) == 0 or np.ptp(then) == 0:
        return 1.0
    return float(np.corrcoef(rankdata(now), rankdata(then))[0, 1])


def _both(ratings: Ratings, earlier: dict[str, tuple[float, float]]) -> tuple[Array, Array, Array]:
    """Means now and then and sds then of who was ranked both times, both about the mean of these."""
    field, total = ratings.field, ratings.components["total"]
    common = [i for i, one in enumerate(field.competitors) if field.ranked[i] and one in earlier]
    then = np.array([earlier[field.competitors[i]] for i in common]).reshape(-1, 2)
    now = total[:, common].mean(axis=0)
    if not common:
        return now, then[:, 0], then[:, 1]
    return now - now.mean(), then[:, 0] - then[:, 0].mean(), then[:, 1]


def _explained(design: Design, before: Before, code_hash: str) -> str:
    """What other than results may have turned an order over, in words; nothing where nothing is known."""
    if not _same_model(design.as_json(), before.design):
        return "the model was changed"
    if code_hash != before.code_hash:
        return "the program was changed since"
    moved = abs(design.games - before.games) + before.changed
    if moved > FEW_GAMES * design.games:
        return f"{moved:,} of {design.games:,} games are new, changed or gone since"
    return ""


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
