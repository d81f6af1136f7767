"""The audit: a fast fit against another engine's of the same Design, with bounds on how far they may lie apart.

A share of the leagues each night, and every league weekly, is fitted by NUTS too. Where NUTS disagrees, what the fast
engine found is not published.
"""

import hashlib
import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from modeling.agreement import Agreement, Apart, Differences, agree, drawn_of
from modeling.design import Design
from modeling.earlier import Audited, Start
from modeling.engines.choice import NUTS, Choice
from modeling.field import Field, make_field
from modeling.games import Games
from modeling.judge import Check
from modeling.sampled import Report, Sampled, by_nuts, once
from modeling.subleague import MOST_EFFECTS, sub_league
from store.errors import FitError
from store.stanzas import Stanza

WEEK = 7  # days after which every league's fit is audited again
SHARE = 7  # one in so many of the others each night
WHOLE = 5_000  # effects that NUTS does in minutes; of a larger league a sub-league is audited


@dataclass(frozen=True)
class Scope:
    """What is fitted: games, their Design, and who of them is rated."""

    games: Games
    design: Design
    fields: list[Field]


@dataclass(frozen=True)
class Audit:
    """What came of auditing a fit."""

    engine: str
    verdict: str
    """agrees, disagrees, or unsettled where nothing can be said."""
    message: str
    is_whole: bool
    games: int
    effects: int
    seconds: float
    agreement: Agreement | None

    @property
    def row(self) -> dict[str, Any]:
        """The row of `audit`, without league, fit_id and time."""
        told = (self.engine, self.verdict, self.message, self.is_whole, self.games, self.effects, self.seconds)
        names = ("engine", "verdict", "message", "is_whole", "games", "effects", "seconds")
        if self.agreement is None:
            return dict(zip(names, told, strict=True))
        floor = {f"floor_{name}": value for name, value in _numbers(self.agreement.floor).items()}
        return dict(zip(names, told, strict=True)) | _numbers(self.agreement.found) | floor


def is_due(league: str, last: datetime | None, now: datetime) -> bool:
    """Whether a league's fit of tonight is audited: after a week at the latest, and else one night in seven.

    Which nights is settled by league and date, whoever asks. `last` is when the league was last audited.
    """
    if last is None or (now.date() - last.date()).days >= WEEK:
        return True
    return int(hashlib.sha256(f"{league} {now.date()}".encode()).hexdigest(), 16) % SHARE == 0


def is_wanted(audited: Audited, league: str, now: datetime, *, only_due: bool) -> bool:
    """Whether a fit whose audit is asked for gets one: always, or only where it is due and was not audited before.

    The same inputs have the same answers: a fit that was audited, or that NUTS made, needs no audit again; and one that
    a person accepted against the rules is not made again behind their back.
    """
    if not only_due:
        return True
    is_open = audited.verdict is None and audited.engine != NUTS and not audited.is_overridden
    return is_open and is_due(league, audited.last, now)


def audit(
    sampled: Sampled,
    scope: Scope,
    stanza: Stanza,
    start: Start | None,
    tell: Report,
    *,
    may_replace: bool,
) -> tuple[Sampled, Audit]:
    """The fit with what NUTS says of it among its checks, and the audit's record.

    A league too large for NUTS is audited by a sub-league. Where NUTS disagrees and may replace the fit, the posterior
    that it made just now is the one that is returned.
    """
    engine, began = sampled.choice.engine, time.perf_counter()
    is_whole = scope.design.effects <= WHOLE

    def told(stage: str, share: float) -> None:
        tell(f"audit: {stage}", 0.5 + 0.1 * share)

    def made(verdict: str, message: str, found: Agreement | None) -> Audit:
        size = (scope.design.games, scope.design.effects)
        return Audit(engine, verdict, message, is_whole, *size, time.perf_counter() - began, found)

    try:
        scope = scope if is_whole else sub_scope(scope.games, stanza)
        fit = sampled if is_whole else fitted(engine, scope, start, told)
        reference = fitted(NUTS, scope, start, told)
        found = agreement_of(fit, reference, scope)
    except FitError as error:
        record = made("unsettled", f"not audited: {error.message}", None)
        return replace(sampled, checks=[*sampled.checks, remembered(record.verdict, record.message)]), record
    checks = checks_of("audit", found, (engine, NUTS), scope.design, is_whole=is_whole)
    record = made(*_verdict(engine, found, checks), found)
    if record.verdict == "disagrees" and is_whole and may_replace:
        shown = [replace(one, status="warn") if one.status == "fail" else one for one in checks]
        return replace(reference, choice=Choice(NUTS, record.message), checks=[*reference.checks, *shown]), record
    return replace(sampled, checks=[*sampled.checks, *checks]), record


def remembered(verdict: str, message: str) -> Check:
    """The audit of a fit as one check, where its numbers are not at hand."""
    return Check("audit", "by nuts", None, None, "pass" if verdict == "agrees" else "warn", message)


def sub_league_checks(
    games: Games, stanza: Stanza, engines: tuple[str, str], start: Start | None, tell: Report, most: int = MOST_EFFECTS
) -> list[Check]:
    """An engine against another on a sub-league of at most `most` effects, as checks of a fit of the whole.

    A failed check where the other does not settle there: then nothing stands for the whole.
    """
    try:
        scope = sub_scope(games, stanza, most)
        fit, reference = (fitted(engine, scope, start, tell) for engine in engines)
        found = agreement_of(fit, reference, scope)
    except FitError as error:
        return [Check("sub_league", "a smaller league in its place", None, None, "fail", error.message)]
    return checks_of("sub_league", found, engines, scope.design, is_whole=False)


def sub_scope(games: Games, stanza: Stanza, most: int = MOST_EFFECTS) -> Scope:
    """A sub-league and who is rated in it. Raises FitError."""
    games, design = sub_league(games, stanza, most)
    return Scope(games, design, [make_field(design, kind, stanza, games.as_of) for kind in design.kinds])


def fitted(engine: str, scope: Scope, start: Start | None, tell: Report) -> Sampled:
    """A fit by one engine and no other."""
    by = by_nuts if engine == NUTS else once
    return by(Choice(engine, "to compare"), scope.design, scope.games, scope.fields, start, tell)


def agreement_of(fit: Sampled, reference: Sampled, scope: Scope) -> Agreement:
    """How far two fits of a Design agree. Raises FitError where the reference did not pass its own checks."""
    if failed := [f"{one.check_name} of {one.subject}" for one in reference.checks if one.status == "fail"]:
        which = f"The fit by {reference.choice.engine} to compare with"
        raise FitError(f"{which} did not settle itself: {', '.join(failed)}.")
    one, other = (drawn_of(scope.design, each.posterior, each.ratings, scope.games.names) for each in (fit, reference))
    return agree(one, other)


def checks_of(
    name: str, found: Agreement, engines: tuple[str, str], design: Design, *, is_whole: bool = True
) -> list[Check]:
    """An agreement as checks, each against its bound.

    Parameters of a sub-league warn only: its few games may leave open what all the league's settle, and what matters of
    them there shows in its ratings.
    """
    apart, floor, error, held_to = found.found, found.floor, found.error, design.thresholds
    rows = [
        (f"means of ratings, most {found.worst_effect}, sds", apart.effects.means,
         max(held_to.agree_means, floor.effects.means + error.effects.means)),
        ("sds of ratings, ratio", _factor(apart.effects), max(held_to.agree_sds,
         _factor(floor.effects) * _factor(error.effects))),
        ("P(a > b)", apart.chances, max(held_to.agree_chances, floor.chances + error.chances)),
        ("order of the ranked, 1 - correlation", 1 - apart.rank_correlation,
         max(1 - held_to.agree_order, 2 - floor.rank_correlation - error.rank_correlation)),
    ]  # fmt: skip
    checks = [_check(name, engines, *row) for row in rows]
    if found.worst_parameter:
        title = design.parameters[found.worst_parameter][0]
        rows = [
            (f"means of parameters, most {title}, sds", apart.parameters.means,
             max(held_to.agree_means, floor.parameters.means + error.parameters.means)),
            ("sds of parameters, ratio", _factor(apart.parameters),
             max(held_to.agree_parameter_sds, _factor(floor.parameters) * _factor(error.parameters))),
        ]  # fmt: skip
        checks += [_check(name, engines, *row, "fail" if is_whole else "warn") for row in rows]
    return checks


def _factor(apart: Apart) -> float:
    """The ratio of sds that is farthest from one, either way, as a factor above one."""
    return max(apart.sd_high, 1 / apart.sd_low)


def _check(
    name: str, engines: tuple[str, str], subject: str, value: float, bound: float, beyond: str = "fail"
) -> Check:
    engine, other = engines
    if value <= bound:
        return Check(name, subject, value, bound, "pass", f"{engine} and {other} say the same, as near as matters.")
    return Check(name, subject, value, bound, beyond, f"{engine} and {other} differ by more than chance explains.")


def _verdict(engine: str, found: Agreement, checks: list[Check]) -> tuple[str, str]:
    """The audit's verdict and what it means."""
    apart = found.found
    if failed := [f"{one.subject}: {one.value:.3g}, bound {one.bound:.3g}" for one in checks if one.status == "fail"]:
        return "disagrees", f"audited by nuts, which disagrees with {engine} on {'; '.join(failed)}"
    return "agrees", f"agrees with nuts: means within {apart.effects.means:.2f} sd, P(a > b) within {apart.chances:.3f}"


def _numbers(found: Differences) -> dict[str, float]:
    """The columns of `audit` that differences fill."""
    effects, parameters = found.effects, found.parameters
    return {
        "mean_difference": effects.means,
        "mean_difference_p99": effects.means_p99,
        "sd_ratio_low": effects.sd_low,
        "sd_ratio_high": effects.sd_high,
        "parameter_difference": parameters.means,
        "parameter_sd_ratio_low": parameters.sd_low,
        "parameter_sd_ratio_high": parameters.sd_high,
        "chance_difference": found.chances,
        "rank_correlation": found.rank_correlation,
    }
