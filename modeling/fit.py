"""Fitting a league: games -> design -> posterior -> judgement -> ratings, recorded in the warehouse."""

import json
import time
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
import xarray as xr

from modeling import judge, record, tables
from modeling.audit import Audit, Scope, audit, is_wanted, remembered, sub_league_checks
from modeling.borrowing import Borrowed, borrow, borrow_by_messages
from modeling.build import build_design
from modeling.checks.calibration import HeldOut
from modeling.checks.calibration import held_out as forecast_checks
from modeling.checks.closer import evidence_of, watched, watchers_of
from modeling.design import Design
from modeling.effects import attributes_of, needs_players, parse_effects
from modeling.engines import laplace
from modeling.engines.choice import CHAIN, JOINT, NUTS, Choice, choose
from modeling.field import make_field
from modeling.games import (
    Audited,
    Games,
    Start,
    known_attributes,
    read_audited,
    read_earlier,
    read_games,
    read_labels,
    read_start,
)
from modeling.identity import code_hash, fit_id, versions
from modeling.judge import Check, Pooling, Predictive
from modeling.labels import KNOWN_BEFORE, Label, labels_of
from modeling.outcomes import outcome_for
from modeling.posterior import from_tree
from modeling.ratings import intercept_of
from modeling.sampled import CARE, SEED, Report, Sampled, sample
from modeling.subleague import lately
from modeling.tree import REPLICATIONS, complete, keeping, replications, room_for
from modeling.unpooled import make_unpooled
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

PROVENANCE = ("fit_id", "as_of", "outcome", "unit", "design", "games_fingerprint", "code_hash", "versions")

HELD_OUT_DRAWS = 2000
STANDS_FOR = 1000  # effects of the smaller league that a chain fit is checked by every time; an audit has more


@dataclass(frozen=True)
class Fitted:
    """What came of fitting a league."""

    fit_id: str
    verdict: str
    reasons: list[str]
    is_new: bool
    summary: str
    tree: xr.DataTree | None = None
    """Joint draws and all that goes with them, for ArviZ (`modeling/tree.py`); None where nothing was sampled."""


@dataclass(frozen=True)
class Judged:
    """Everything the verdict rests on."""

    checks: list[Check]
    predictive: list[Predictive]
    poolings: list[Pooling]
    audit: Audit | None = None
    evidence: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Rows of the tables that show what the checks rest on."""

    @property
    def reasons(self) -> list[str]:
        """Why the fit is rejected, in words; empty where it is accepted."""
        failed = [
            f"{check.check_name} of {check.subject}: {check.message}" for check in self.checks if check.status == "fail"
        ]
        return failed + [check.message for check in self.predictive if check.status == "fail"]


def fit_league(
    home: Home,
    league: str,
    stanza: Stanza,
    now: datetime,
    *,
    as_of: date | None = None,
    engine: str = "auto",
    due: bool = False,
    override: str | None = None,
    audited: bool = False,
    report: Report | None = None,
) -> Fitted:
    """Fits and judges a league as of a date (default: the day after its last game) and records the result.

    `engine` is auto, fast or nuts; auto falls back to nuts where a fast one does not settle or fails its own checks.
    With `due`, inputs that were fitted before are not fitted again. `override` accepts what the rules reject, with that
    reason on record. With `audited`, what a fast engine finds is held against NUTS (with `due`, where an audit is due);
    what they disagreed on before always is. `report` is called with a stage and the share of the work done. Raises
    FitError.
    """
    started = time.perf_counter()
    tell = report or (lambda stage, share: None)
    games, design = design_of(home, league, stanza, as_of)
    with reading(home) as con:
        choice = choose(design, engine)
        name = fit_id(stanza, games, design, choice.engine, SEED)
        earlier, audits = read_earlier(con, name), read_audited(con, league, name)
        start = read_start(con, league, name, design.outcome.name, design.outcome.likelihood)
    if start and choice.engine == CHAIN:
        start = replace(start, restart=record.read_restart(home, start.fit_id))
    is_dated = games.is_dated and (earlier is None or earlier.is_dated)
    wanted = audited and choice.engine != NUTS and is_wanted(audits, league, now, only_due=due)
    if due and earlier and home.draws_of(name).exists() and not wanted:
        if not is_dated:
            record.confirm(home, name, now)
        return Fitted(
            name, earlier.verdict, earlier.reasons, False, _summary(games, design, earlier.verdict, "as before")
        )
    known = None if wanted or audits.verdict == "disagrees" else audits
    with reading(home) as con:
        labels = labels_of(design.game_ids, read_labels(con, league, stanza.since, KNOWN_BEFORE))
    fingerprint, games = games.fingerprint, lately(games)  # beside a large league's draws there is no room for all
    sampled, judged = _fit_and_judge(choice, design, games, stanza, start, tell, engine == "auto", known, labels)
    row = _fit_row(name, games, design, stanza, sampled, judged, override, now)
    seconds = time.perf_counter() - started
    row |= {"games_fingerprint": fingerprint, "is_dated": is_dated, "seconds": seconds}
    sampled.tree.attrs |= {key: str(row[key]) for key in PROVENANCE}
    tell("recording", 0.98)
    _record(home, row, design, sampled, judged, start)
    how = [f"{sampled.choice.engine}, {row['seconds']:.0f} s", *([judged.audit.message] if judged.audit else [])]
    summary = _summary(games, design, row["verdict"], "; ".join(how))
    return Fitted(name, row["verdict"], judged.reasons, True, summary, sampled.tree)


def _record(
    home: Home, row: dict[str, Any], design: Design, sampled: Sampled, judged: Judged, start: Start | None
) -> None:
    """Stores the fit: its row, its tables, its draws, and of a large league what the next fit starts from."""
    rows = _tables(design, sampled, judged)
    if judged.audit:
        rows["audit"] = pl.DataFrame([judged.audit.row | {"audited_at_utc": row["fitted_at_utc"]}])
    record.record(home, row, rows, tables.draw_rows(design, sampled.posterior, sampled.ratings))
    if row["verdict"] == "accepted" and sampled.tree.attrs.get("is_large"):
        left, before = sampled.tree["restart"].to_dataset(), start.fit_id if start else None
        record.keep_restart(home, row["fit_id"], left, before)


def design_of(home: Home, league: str, stanza: Stanza, as_of: date | None) -> tuple[Games, Design]:
    """A league's games and its Design, from the warehouse, which is closed before the Design is built: what it holds
    of a large league is as much as the Design. Raises FitError."""
    outcome = outcome_for(league, stanza)
    effects = parse_effects(league, stanza, outcome)
    with reading(home) as con:
        known = known_attributes(con, league)
        games = read_games(
            con,
            league,
            stanza.since,
            as_of,
            statuses=outcome.statuses,
            attributes=attributes_of(effects, stanza),
            grouping=stanza.group,
            players=needs_players(effects, stanza),
            roles=stanza.roles,
        )
    return games, build_design(stanza, games, known)


def _fit_and_judge(
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
    sampled, audit_made = sample(choice, design, games, fields, start, tell, may_fall_back=is_auto), None
    if sampled.choice.engine != NUTS and known is None:
        scope = Scope(games, design, fields)
        sampled, audit_made = audit(sampled, scope, stanza, start, tell, may_replace=is_auto)
    stood_for = []
    if sampled.choice.engine == CHAIN:
        tell("a smaller league, by the joint engine too", 0.5)
        stood_for = sub_league_checks(games, stanza, (CHAIN, JOINT), None, lambda *_: None, STANDS_FOR)
    tell("predictive checks", 0.55)
    kept, (residuals, watchers) = room_for(design, sampled.posterior), watchers_of(design, labels, games.names, rng)
    made = keeping(design, replications(design, sampled.posterior, rng), kept)
    predictive = judge.predictive_checks(design, watched(made, watchers))
    complete(sampled.tree, design, sampled.posterior, kept)
    poolings, held_out, calibration = _held_out(design, sampled, stanza.pooling, rng, tell)
    checks = [*sampled.checks, *stood_for, *held_out, *residuals.checks()]
    checks += [*(judge.connection_check(field) for field in fields), *judge.threshold_checks(design.thresholds)]
    evidence = evidence_of(watchers, calibration, sampled.worst)
    if known and known.verdict and sampled.choice.engine != NUTS:
        checks.append(remembered(known.verdict, known.message))
    return sampled, Judged(checks, predictive, poolings, audit_made, evidence)


def _held_out(
    design: Design, sampled: Sampled, pooling: str, rng: np.random.Generator, tell: Report
) -> tuple[list[Pooling], list[Check], HeldOut | None]:
    """Held-out games forecast under the model's, no and complete pooling of the others, and the baseline; and checks.

    None where all games are of one day: then there is nothing to forecast from.
    """
    held_out = judge.held_out_games(design)
    if held_out.all():
        return [], [judge.held_out_check([])], None
    tree = sampled.engine.sample(
        ~held_out, SEED + 1, HELD_OUT_DRAWS, lambda f: tell("held-out forecasts", 0.6 + 0.35 * f), CARE[0]
    )
    asked = from_tree(design, tree)
    likely = {name: float(draws.mean()) for name, draws in asked.auxiliaries.items()}
    alone = sampled.engine.unpooled(~held_out, likely).draws(rng, REPLICATIONS)
    alike = laplace.complete_pooling(design, ~held_out).draws(rng, REPLICATIONS)
    fits = {"none": alone, "complete": alike, pooling: asked}
    losses = {name: judge.log_losses(design, posterior, held_out) for name, posterior in fits.items()}
    poolings = judge.compare(losses | {"baseline": judge.baseline_log_losses(design, held_out)}, pooling)
    among = forecast_checks(design, asked, held_out, rng, of_chain=sampled.choice.engine == CHAIN)
    return poolings, [judge.held_out_check(poolings, design.thresholds), among.check], among


def _tables(design: Design, sampled: Sampled, judged: Judged) -> dict[str, pl.DataFrame]:
    """The rows of every table that tells of the fit."""
    posterior, ratings = sampled.posterior, sampled.ratings
    everything = np.ones(design.games, dtype=bool)
    likely = {name: float(draws.mean()) for name, draws in posterior.auxiliaries.items()}
    alone, rng = sampled.engine.unpooled(everything, likely), np.random.default_rng(SEED)
    intercept = intercept_of(posterior, ratings)
    return {
        "fit_check": record.rows_of(judged.checks),
        "predictive_check": record.rows_of(judged.predictive),
        "pooling": record.rows_of(judged.poolings),
        **judged.evidence,
        "hyperparameter": tables.hyperparameter_rows(design, posterior, ratings, sampled.parameters),
        "rating": pl.concat(
            tables.rating_rows(design, posterior, one, make_unpooled(design, alone, one), rng) for one in ratings
        ),
        "standing": pl.concat(tables.standing_rows(design, posterior, one, intercept) for one in ratings),
        "borrowing": pl.concat(
            tables.borrowing_rows(one.field, borrowed)
            for one, borrowed in zip(ratings, _borrowed(design, sampled, likely), strict=True)
        ),
    }


def _borrowed(design: Design, sampled: Sampled, likely: dict[str, float]) -> list[Borrowed]:
    """Where each rating's information came from, by kind."""
    if "sources" in sampled.tree.children:
        return [borrow_by_messages(design, sampled.tree, one.field) for one in sampled.ratings]
    scales = {name: float(draws.mean()) for name, draws in sampled.posterior.scales.items()}
    linear = laplace.fit_fixed_scales(design, scales, np.ones(design.games, dtype=bool), likely)
    return [borrow(design, linear, one.field) for one in sampled.ratings]


def _fit_row(
    name: str,
    games: Games,
    design: Design,
    stanza: Stanza,
    sampled: Sampled,
    judged: Judged,
    override: str | None,
    now: datetime,
) -> dict[str, Any]:
    accepted = not judged.reasons or override is not None
    return {
        "fit_id": name,
        "league": games.league,
        "as_of": games.as_of,
        "fitted_at_utc": now.replace(tzinfo=None),
        "current_at_utc": now.replace(tzinfo=None),
        "engine": sampled.choice.engine,
        "engine_reason": sampled.choice.why,
        "verdict": "accepted" if accepted else "rejected",
        "reasons": judged.reasons,
        "override_reason": override if judged.reasons else None,
        "outcome": stanza.outcome,
        "unit": design.outcome.unit,
        "games": design.games,
        "competitors": sum(len(one.field.competitors) for one in sampled.ratings),
        "first_game_on": design.played_on.min().astype(date),
        "last_game_on": design.played_on.max().astype(date),
        "draws": sampled.posterior.draws,
        "seed": SEED,
        "started_from": sampled.tree.attrs["started_from"] or None,
        "design": json.dumps(design.as_json()),
        "code_hash": code_hash(),
        "versions": versions(),
    }


def _summary(games: Games, design: Design, verdict: str, how: str) -> str:
    who = " and ".join(f"{len(kind.competitors):,} {kind.name}s" for kind in design.kinds)
    return f"{games.league}: {verdict}, {design.games:,} games, {who}, as of {games.as_of} ({how})"
