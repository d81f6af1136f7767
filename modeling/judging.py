"""Judging a league: the posterior, then everything that its verdict rests on."""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modeling import judge
from modeling.audit import Audit, Scope, audit, remembered, sub_league_checks
from modeling.checks.calibration import HeldOut
from modeling.checks.calibration import held_out as forecast_checks
from modeling.checks.closer import evidence_of, watched, watchers_of
from modeling.consistency import consistency_checks
from modeling.design import Design
from modeling.earlier import Audited, Start
from modeling.engines import laplace
from modeling.engines.chain.mode import Margins
from modeling.engines.choice import CHAIN, JOINT, NUTS, Choice
from modeling.engines.laplace import Laplace
from modeling.field import make_field
from modeling.games import Games
from modeling.judge import Check, Pooling, Predictive
from modeling.labels import Label
from modeling.memory import give_back
from modeling.paths import days_of, has_past, levels_kept
from modeling.sampled import CARE, SEED, Report, Sampled, sample
from modeling.tree import REPLICATIONS, complete, keeping, replications, room_for
from store.errors import FitError
from store.stanzas import Stanza

HELD_OUT_DRAWS = 2000
STANDS_FOR = 1000  # effects of the smaller league that a chain fit is checked by every time; an audit has more


@dataclass(frozen=True)
class Judged:
    """Everything the verdict rests on."""

    checks: list[Check]
    predictive: list[Predictive]
    poolings: list[Pooling]
    alone: Laplace | Margins | None
    """The Design without pooling, which stands beside the ratings; None where it was not found."""
    audit: Audit | None = None
    evidence: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Rows of the tables that show what the checks rest on."""

    @property
    def reasons(self) -> list[str]:
        """Why the fit is rejected, in words; empty where it is accepted."""
        failed = [check for check in self.checks if check.status == "fail"]
        told = [f"{check.check_name.replace('_', ' ')} ({check.subject}): {check.message}" for check in failed]
        return told + [check.message for check in self.predictive if check.status == "fail"]


def fit_and_judge(
    choice: Choice,
    design: Design,
    games: Games,
    stanza: Stanza,
    start: Start | None,
    tell: Report,
    is_auto: bool,
    known: Audited | None,
    labels: list[Label],
) -> tuple[Sampled, Judged]:
    """The posterior of all games and, for the held-out check, of those before the held-out ones, by one engine.

    What a fast engine finds is audited by NUTS; not so where the fit's earlier audit, or that it had none, is `known`.
    """
    rng = np.random.default_rng(SEED)
    fields = [make_field(design, kind, stanza, games.as_of) for kind in design.kinds]
    is_told = has_past(design) and not games.is_dated
    past = [days_of(design, field, stanza, games.as_of) for field in fields] if is_told else []
    kept = levels_kept(design, fields, past)
    sampled, audit_made = sample(choice, design, games, fields, start, tell, kept, may_fall_back=is_auto), None
    if sampled.choice.engine != NUTS and known is None:
        scope = Scope(games, design, fields)
        sampled, audit_made = audit(sampled, scope, stanza, start, tell, may_replace=is_auto)
    stood_for = []
    if sampled.choice.engine == CHAIN:
        tell("a smaller league, by the joint engine too", 0.5)
        stood_for = sub_league_checks(games, stanza, (CHAIN, JOINT), None, lambda *_: None, STANDS_FOR)
    give_back()
    poolings, held_out, calibration = _held_out(design, sampled, stanza.pooling, rng, tell)
    everything = np.ones(design.games, dtype=bool)
    alone, missing = _without_pooling(sampled, everything, sampled.posterior.likely, "all games")
    give_back()
    tell("predictive checks", 0.75)
    kept, (residuals, watchers) = room_for(design, sampled.posterior), watchers_of(design, labels, games.names, rng)
    parts = replications(design, sampled.posterior, rng, lambda share: tell("predictive checks", 0.75 + 0.1 * share))
    predictive = judge.predictive_checks(design, watched(keeping(design, parts, kept), watchers))
    complete(sampled.tree, design, sampled.posterior, kept)
    checks = [*sampled.checks, *stood_for, *held_out, *missing, *residuals.checks()]
    checks += [judge.connection_check(field, stanza.require_connected) for field in fields]
    checks += [*consistency_checks(design, sampled.posterior), *judge.threshold_checks(design.thresholds)]
    evidence = evidence_of(watchers, calibration, sampled.worst)
    if known and known.verdict and sampled.choice.engine != NUTS:
        checks.append(remembered(known.verdict, known.message))
    return replace(sampled, past=past), Judged(checks, predictive, poolings, alone, audit_made, evidence)


def _held_out(
    design: Design, sampled: Sampled, pooling: str, rng: np.random.Generator, tell: Report
) -> tuple[list[Pooling], list[Check], HeldOut | None]:
    """Held-out games forecast under the model's, no and complete pooling of the others, and the baseline; and checks.

    None where all games are of one day: then there is nothing to forecast from.
    """
    held_out = judge.held_out_games(design)
    if held_out.all():
        return [], [judge.held_out_check([])], None
    asked = sampled.engine.forecast(
        design, ~held_out, SEED + 1, HELD_OUT_DRAWS, lambda f: tell("held-out forecasts", 0.55 + 0.1 * f), CARE[0]
    )
    tell("without pooling", 0.65)
    alone, checks = _without_pooling(sampled, ~held_out, asked.likely, "all but the held-out games")
    fits = {} if alone is None else {"none": alone.draws(rng, REPLICATIONS)}
    fits |= {"complete": laplace.complete_pooling(design, ~held_out).draws(rng, REPLICATIONS), pooling: asked}
    losses = {name: judge.log_losses(design, posterior, held_out) for name, posterior in fits.items()}
    poolings = judge.compare(losses | {"baseline": judge.baseline_log_losses(design, held_out)}, pooling)
    own_rng = np.random.default_rng(SEED + 2)  # whatever the fits above took: the same forecasts are judged alike
    among = forecast_checks(design, asked, held_out, own_rng, of_chain=sampled.choice.engine == CHAIN)
    return poolings, [*checks, judge.held_out_check(poolings, design.thresholds), among.check], among


def _without_pooling(
    sampled: Sampled, chosen: NDArray[np.bool_], likely: dict[str, float], games: str
) -> tuple[Laplace | Margins | None, list[Check]]:
    """The Design without pooling given the chosen games, which `games` names; where it is not found, None and a check
    that says so: it stands beside the ratings, which do without."""
    try:
        return sampled.engine.unpooled(chosen, likely), []
    except FitError as error:
        return None, [judge.unpooled_check(games, error.message)]
