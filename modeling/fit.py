"""Fitting a league: games -> design -> posterior -> judgement -> ratings, recorded in the warehouse."""

import json
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
import xarray as xr
from threadpoolctl import threadpool_limits

from modeling import record, tables
from modeling.audit import is_wanted
from modeling.borrowing import Borrowed, borrow, borrow_by_messages
from modeling.build import build_design
from modeling.design import Design
from modeling.earlier import Audited, Before, Earlier, Start, read_audited, read_before, read_earlier, read_start
from modeling.effects import attributes_of, needs_players, parse_effects
from modeling.engines import laplace
from modeling.engines.choice import CHAIN, NUTS, Choice, choose
from modeling.games import Games, known_attributes, read_days, read_games, read_labels
from modeling.identity import code_hash, fit_id, versions
from modeling.judging import Judged, fit_and_judge
from modeling.labels import KNOWN_BEFORE, Label, labels_of
from modeling.memory import give_back
from modeling.outcomes import outcome_for
from modeling.outlook.states import state_rows
from modeling.paths import path_tables
from modeling.ratings import intercept_of
from modeling.sampled import SEED, Report, Sampled
from modeling.sensitivity import sensitivity_rows
from modeling.subleague import lately
from modeling.unpooled import make_unpooled, not_found
from modeling.upheaval import upheaval_checks
from store.errors import FitError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

PROVENANCE = ("fit_id", "as_of", "outcome", "unit", "design", "games_fingerprint", "code_hash", "versions")


@dataclass(frozen=True)
class Fitted:
    """What came of fitting a league."""

    fit_id: str
    verdict: str
    reasons: list[str]
    is_new: bool
    games: int
    summary: str
    tree: xr.DataTree | None = None
    """Joint draws and all that goes with them, for ArviZ (`modeling/tree.py`); None where nothing was sampled."""


@dataclass(frozen=True)
class Task:
    """A fit that is to be made: everything its engines and its judge need, so that it can be made anywhere."""

    fit_id: str
    stanza: Stanza
    games: Games
    """Of a large league the last years only: beside its draws there is no room for all."""
    design: Design
    choice: Choice
    is_auto: bool
    start: Start | None
    before: Before | None
    """The fit that an upheaval is told by, unless the as-of date was chosen."""
    known: Audited | None
    labels: list[Label]
    override: str | None
    earlier: Earlier | None
    """The fit of the same inputs before this: what a person accepted then stays so, for the same reasons."""
    row: dict[str, Any]
    """What of the row of `fit` is known beforehand."""
    seconds: float
    """What it took to get here."""


@dataclass(frozen=True)
class Made:
    """A fit that was made and judged, as it is to be recorded."""

    row: dict[str, Any]
    tables: dict[str, pl.DataFrame]
    draws: Iterable[pl.DataFrame]
    """The draws file in pieces, to be gone through once."""
    restart: xr.Dataset | None
    """What the next fit of a large league starts from."""
    summary: str
    reasons: list[str]
    tree: xr.DataTree | None


def fit_league(
    home: Home,
    league: str,
    stanza: Stanza,
    now: datetime,
    *,
    as_of: date | None = None,
    engine: str = "auto",
    due: bool = False,
    again: bool = False,
    override: str | None = None,
    audited: bool = False,
    report: Report | None = None,
) -> Fitted:
    """Fits and judges a league as of a date (default: the day after its last game) and records the result.

    `engine` is auto, fast or nuts; auto falls back to nuts where a fast one does not settle or fails its own checks.
    Inputs that were fitted before are not fitted again, unless `again`: that fit stands. `override` accepts what the
    rules reject, with that reason on record, also for later fits of the same inputs. With `audited`, what a fast engine
    finds is held against NUTS (with `due`, where an audit is due); what they disagreed on before always is. `report` is
    called with a stage and the share of the work done. Raises FitError.
    """
    tell = report or (lambda stage, share: None)
    tell("games and model", 0.0)
    options = {"as_of": as_of, "engine": engine, "due": due, "again": again, "override": override, "audited": audited}
    task = prepare_fit(home, league, stanza, now, **options)
    return task if isinstance(task, Fitted) else keep_fit(home, make_fit(task, tell), tell)


def prepare_fit(
    home: Home,
    league: str,
    stanza: Stanza,
    now: datetime,
    *,
    as_of: date | None = None,
    engine: str = "auto",
    due: bool = False,
    again: bool = False,
    override: str | None = None,
    audited: bool = False,
) -> Task | Fitted:
    """The fit that `fit_league` is to make, or the earlier one that stands. It reads the warehouse; that an earlier one
    stands it writes down. Raises FitError."""
    started = time.perf_counter()
    games, design = design_of(home, league, stanza, as_of)
    choice = choose(design, engine)
    name = fit_id(stanza, games, design, choice.engine, SEED)
    with reading(home) as con:
        earlier, audits = read_earlier(con, name), read_audited(con, league, name)
        start = read_start(con, league, name, design.outcome.name, design.outcome.likelihood)
        before = read_before(con, league, name)
    if start and choice.engine == CHAIN:
        start = replace(start, restart=record.read_restart(home, start.fit_id))
    wanted = audited and choice.engine != NUTS and is_wanted(audits, league, now, only_due=due)
    # What was the league's own fit once stays so, and is not made its newest by being made again as of its date.
    is_own, at = not games.is_dated or (earlier is not None and not earlier.is_dated), now.replace(tzinfo=None)
    # Draws of old fits are deleted in time; history has no need of them.
    is_made = (games.is_dated or home.draws_of(name).exists()) and (engine == "auto" or audits.engine == choice.engine)
    if earlier and is_made and earlier.is_dated != is_own and not wanted and not again:
        return _standing(home, name, games, design, earlier, override, now)
    with reading(home) as con:
        labels = labels_of(design.game_ids, read_labels(con, league, stanza.since, KNOWN_BEFORE))
    current_at = earlier.current_at if earlier and is_own and games.is_dated else at
    return Task(
        name,
        stanza,
        lately(games),
        design,
        choice,
        engine == "auto",
        start,
        before,
        None if wanted or audits.verdict == "disagrees" else audits,
        labels,
        override,
        earlier,
        {
            "is_dated": not is_own,
            "fitted_at_utc": at,
            "current_at_utc": current_at,
            "games_fingerprint": games.fingerprint,
            "code_hash": code_hash(),
            "versions": versions(),
        },
        time.perf_counter() - started,
    )


@threadpool_limits.wrap(limits=1, user_api="blas")  # sums in another order are other last digits
def make_fit(task: Task, tell: Report) -> Made:
    """The posterior with its judgement, from nothing but the task: the same wherever it is made, to the last digit on
    processors of one kind.

    Raises FitError, also where this machine's code or libraries are others than those the task was prepared with.
    """
    started = time.perf_counter()
    _need_same_code(task)
    design, stanza = task.design, task.stanza
    sampled, judged = fit_and_judge(
        task.choice, design, task.games, stanza, task.start, tell, task.is_auto, task.known, task.labels
    )
    if not task.games.is_dated:
        upset = upheaval_checks(design, sampled.ratings, task.before, code_hash(), task.games.names)
        judged = replace(judged, checks=[*judged.checks, *upset])
    by_hand = task.override or (task.earlier and still_accepted(task.earlier, judged.reasons))
    row = _fit_row(task, sampled, judged, by_hand)
    row["seconds"] = task.seconds + time.perf_counter() - started
    sampled.tree.attrs |= {key: str(row[key]) for key in PROVENANCE}
    tell("tables", 0.85)
    rows = _tables(design, sampled, judged)
    if judged.audit:
        rows["audit"] = pl.DataFrame([judged.audit.row | {"audited_at_utc": row["fitted_at_utc"]}])
    states = state_rows(design, sampled.posterior, sampled.ratings, np.random.default_rng(SEED))
    is_start = row["verdict"] == "accepted" and not row["is_dated"] and sampled.tree.attrs.get("is_large")
    return Made(
        row,
        rows,
        chain(tables.draw_rows(design, sampled.posterior, sampled.ratings), states),
        sampled.tree["restart"].to_dataset() if is_start else None,
        _summary(task.games, design, row["verdict"], _how(sampled, judged, row, task.override)),
        judged.reasons,
        sampled.tree,
    )


def keep_fit(home: Home, made: Made, tell: Report) -> Fitted:
    """Stores the fit: its row, its tables, its draws, and of a large league what the next fit starts from."""
    tell("recording", 0.98)
    record.record(home, made.row, made.tables, made.draws)
    if made.restart is not None:
        record.keep_restart(home, made.row["fit_id"], made.restart, made.row["started_from"])
    row = made.row
    return Fitted(row["fit_id"], row["verdict"], made.reasons, True, row["games"], made.summary, made.tree)


def _need_same_code(task: Task) -> None:
    if (task.row["code_hash"], task.row["versions"]) != (code_hash(), versions()):
        raise FitError(
            f"{task.games.league}: {platform.node()}, which was to fit it, has other code or libraries.",
            "Install the same checkout with the same requirements.lock on every machine of the cluster.",
        )


def still_accepted(earlier: Earlier, reasons: list[str]) -> str | None:
    """Why a person accepted an earlier fit of the same inputs, where the rules say nothing that they did not then."""
    said, now = ({one.partition(":")[0] for one in some} for some in (earlier.reasons, reasons))
    return earlier.override_reason if now <= said else None


def _standing(
    home: Home, name: str, games: Games, design: Design, earlier: Earlier, override: str | None, now: datetime
) -> Fitted:
    """The fit that was made of the same inputs before; accepted by hand where that is asked for, and the league's
    current one unless the as-of date was chosen."""
    by_hand = override if earlier.reasons else None
    if by_hand:
        record.accept(home, name, by_hand)
    if not games.is_dated:
        record.confirm(home, name, now)
    verdict, reason = "accepted" if by_hand else earlier.verdict, by_hand or earlier.override_reason
    how = [
        f"nothing new: the fit of {earlier.fitted_at:%Y-%m-%d %H:%M} UTC stands",
        *_by_hand(earlier.reasons, reason, override),
    ]
    summary = _summary(games, design, verdict, "; ".join(how))
    return Fitted(name, verdict, earlier.reasons, False, design.games, summary)


def design_of(home: Home, league: str, stanza: Stanza, as_of: date | None) -> tuple[Games, Design]:
    """A league's games and its Design, from the warehouse, which is closed before the Design is built: what it holds
    of a large league is as much as the Design. Raises FitError."""
    outcome = outcome_for(league, stanza)
    effects = parse_effects(league, stanza, outcome)
    with reading(home) as con:
        known = known_attributes(con, league)
        _insist_on_reach(league, stanza, read_days(con, league, outcome.statuses)[1], as_of)
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
    design = build_design(stanza, games, known)
    give_back()
    return games, design


def _insist_on_reach(league: str, stanza: Stanza, last: date, as_of: date | None) -> None:
    """Raises FitError where an as-of date is so long after the last game that nobody could be ranked."""
    if as_of and (as_of - last).days > stanza.active_days:
        raise FitError(
            f"{league}: nobody has played in the {stanza.active_days} days before {as_of}: the last game known was on "
            f"{last}.",
            "Give an earlier day, or load newer results.",
        )


def _tables(design: Design, sampled: Sampled, judged: Judged) -> dict[str, pl.DataFrame]:
    """The rows of every table that tells of the fit."""
    posterior, ratings = sampled.posterior, sampled.ratings
    alone = judged.alone
    intercept, rng = intercept_of(posterior, ratings), np.random.default_rng(SEED)
    unpooled = [not_found(design, one) if alone is None else make_unpooled(design, alone, one) for one in ratings]
    return {
        "fit_check": record.rows_of(judged.checks),
        "predictive_check": record.rows_of(judged.predictive),
        "pooling": record.rows_of(judged.poolings),
        **judged.evidence,
        "hyperparameter": tables.hyperparameter_rows(design, posterior, ratings, sampled.parameters),
        "prior_sensitivity": sensitivity_rows(design, sampled.tree, posterior, ratings),
        "rating": pl.concat(
            tables.rating_rows(design, posterior, one, beside, rng)
            for one, beside in zip(ratings, unpooled, strict=True)
        ),
        "standing": pl.concat(tables.standing_rows(design, posterior, one, intercept) for one in ratings),
        "borrowing": pl.concat(
            tables.borrowing_rows(one.field, borrowed)
            for one, borrowed in zip(ratings, _borrowed(design, sampled, posterior.likely), strict=True)
        ),
        **path_tables(design, posterior, [one.field for one in ratings], sampled.past),
    }


def _borrowed(design: Design, sampled: Sampled, likely: dict[str, float]) -> list[Borrowed]:
    """Where each rating's information came from, by kind."""
    if "sources" in sampled.tree.children:
        return [borrow_by_messages(design, sampled.tree, one.field) for one in sampled.ratings]
    scales = {name: float(draws.mean()) for name, draws in sampled.posterior.scales.items()}
    linear = laplace.fit_fixed_scales(design, scales, np.ones(design.games, dtype=bool), likely)
    return [borrow(design, linear, one.field) for one in sampled.ratings]


def _fit_row(task: Task, sampled: Sampled, judged: Judged, override: str | None) -> dict[str, Any]:
    design = task.design
    accepted = not judged.reasons or override is not None
    return task.row | {
        "fit_id": task.fit_id,
        "league": task.games.league,
        "as_of": task.games.as_of,
        "engine": sampled.choice.engine,
        "engine_reason": sampled.choice.why,
        "verdict": "accepted" if accepted else "rejected",
        "reasons": judged.reasons,
        "override_reason": override if judged.reasons else None,
        "outcome": task.stanza.outcome,
        "unit": design.outcome.unit,
        "games": design.games,
        "competitors": sum(len(one.field.competitors) for one in sampled.ratings),
        "first_game_on": design.played_on.min().astype(date),
        "last_game_on": design.played_on.max().astype(date),
        "draws": sampled.posterior.draws,
        "seed": SEED,
        "started_from": sampled.tree.attrs["started_from"] or None,
        "design": json.dumps(design.as_json()),
    }


def _how(sampled: Sampled, judged: Judged, row: dict[str, Any], override: str | None) -> str:
    """By which engine a fit was made, how long it took, and what an audit or a person said of it."""
    how = [f"{sampled.choice.engine}, {row['seconds']:.0f} s", *([judged.audit.message] if judged.audit else [])]
    return "; ".join([*how, *_by_hand(judged.reasons, row["override_reason"], override)])


def _by_hand(reasons: list[str], reason: str | None, asked: str | None) -> list[str]:
    """What is to be said of a person's acceptance: why, or that there was nothing to accept."""
    if reasons and reason:
        many = "1 reason" if len(reasons) == 1 else f"{len(reasons)} reasons"
        return [f"by hand, against {many}: {reason}"]
    return ["nothing was to be overridden"] if asked else []


def _summary(games: Games, design: Design, verdict: str, how: str) -> str:
    who = " and ".join(f"{len(kind.competitors):,} {kind.name}s" for kind in design.kinds)
    return f"{games.league}: {verdict}, {design.games:,} games, {who}, as of {games.as_of} ({how})"
