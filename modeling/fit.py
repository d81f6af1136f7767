"""Fitting a league: games -> design -> posterior -> judgement -> ratings, recorded in the warehouse."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
import xarray as xr

from modeling import judge, record
from modeling.design import Design, build_design
from modeling.engines import laplace, nuts
from modeling.games import Games, read_earlier, read_games
from modeling.identity import code_hash, fit_id, versions
from modeling.judge import Check, Diagnosis, Pooling, Predictive
from modeling.outcomes.outcome import Array
from modeling.posterior import Posterior, from_tree
from modeling.ratings import (
    QUANTILES,
    Field,
    Ratings,
    draw_rows,
    make_field,
    make_ratings,
    make_unpooled,
    parameter_draws,
    rating_rows,
    standing_rows,
)
from store.errors import FitError
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

SEED = 20140101
DRAWS = 1500  # a chain
LENGTHENING = (1, 2, 4)  # a fit that has not converged gets more draws before it is rejected

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Fitted:
    """What came of fitting a league."""

    fit_id: str
    verdict: str
    reasons: list[str]
    is_new: bool
    summary: str


@dataclass(frozen=True)
class Sampled:
    """A posterior that was sampled until it converged, or as long as allowed, with its ratings and checks."""

    posterior: Posterior
    ratings: Ratings
    parameters: dict[str, Diagnosis]
    checks: list[Check]


@dataclass(frozen=True)
class Judged:
    """Everything the verdict rests on."""

    checks: list[Check]
    predictive: list[Predictive]
    poolings: list[Pooling]

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
    report: Report | None = None,
) -> Fitted:
    """Fits and judges a league as of a date (default: the day after its last game) and records the result.

    With `due`, inputs that were fitted before are not fitted again. `override` accepts what the rules reject, with that
    reason on record. `report` is called with a stage and the share of the work done. Raises FitError.
    """
    if engine not in ("auto", nuts.NAME):
        raise FitError(f'There is no engine "{engine}".', f"Engines: auto, {nuts.NAME}.")
    started = time.perf_counter()
    tell = report or (lambda stage, share: None)
    with reading(home) as con:
        games = read_games(con, league, stanza.since, as_of)
        design = build_design(stanza, games)
        name = fit_id(stanza, games, design, nuts.NAME, SEED)
        earlier = read_earlier(con, name)
    is_dated = games.is_dated and (earlier is None or earlier.is_dated)
    if due and earlier and home.draws_of(name).exists():
        if not is_dated:
            record.confirm(home, name, now)
        return Fitted(
            name, earlier.verdict, earlier.reasons, False, _summary(games, design, earlier.verdict, "as before")
        )
    sampled, judged, unpooled = _fit_and_judge(design, games, stanza, tell)
    row = _fit_row(name, games, design, stanza, sampled, judged, override, now)
    row |= {"is_dated": is_dated, "seconds": time.perf_counter() - started}
    tables = {
        "fit_check": record.rows_of(judged.checks),
        "predictive_check": record.rows_of(judged.predictive),
        "pooling": record.rows_of(judged.poolings),
        "hyperparameter": _hyperparameters(design, sampled),
        "rating": rating_rows(design, sampled.posterior, sampled.ratings, unpooled),
        "standing": standing_rows(design, sampled.ratings),
    }
    tell("recording", 0.98)
    record.record(home, row, tables, draw_rows(sampled.ratings, sampled.posterior))
    return Fitted(
        name, row["verdict"], judged.reasons, True, _summary(games, design, row["verdict"], f"{row['seconds']:.0f} s")
    )


def _fit_and_judge(
    design: Design, games: Games, stanza: Stanza, tell: Report
) -> tuple[Sampled, Judged, dict[str, Any]]:
    """Samples all games and, for the held-out check, the first 90 %, with one compilation."""
    rng = np.random.default_rng(SEED)
    tell("compiling", 0.02)
    compiled = nuts.compile_design(design)
    sampled = _sample(compiled, games, stanza, tell)
    tell("predictive checks", 0.55)
    predictive = judge.predictive_checks(design, sampled.posterior, rng)
    everything = np.ones(design.games, dtype=bool)
    unpooled = make_unpooled(design, laplace.no_pooling(design, everything), sampled.ratings)
    poolings = judge.compare(_held_out_losses(compiled, rng, tell))
    checks = [*sampled.checks, judge.held_out_check(poolings), judge.connection_check(sampled.ratings)]
    return sampled, Judged(checks, predictive, poolings), unpooled


def _sample(compiled: nuts.Compiled, games: Games, stanza: Stanza, tell: Report) -> Sampled:
    design = compiled.design
    everything, field = np.ones(design.games, dtype=bool), make_field(games, design, stanza)
    sampled = None
    for length in LENGTHENING:
        tree = nuts.sample(compiled, everything, SEED, DRAWS * length, lambda f: tell("sampling", 0.1 + 0.4 * f))
        sampled = _diagnosed(design, games, tree, field)
        if all(check.status != "fail" for check in sampled.checks):
            break
    assert sampled is not None
    return sampled


def _diagnosed(design: Design, games: Games, tree: xr.DataTree, field: Field) -> Sampled:
    posterior = from_tree(design, tree)
    ratings = make_ratings(design, posterior, field)
    parameters = judge.diagnose_parameters(design, posterior, ratings)
    rated = judge.diagnose_ratings(ratings, posterior.chains, games.names)
    return Sampled(posterior, ratings, parameters, judge.convergence(tree, list(parameters.values()), rated))


def _held_out_losses(compiled: nuts.Compiled, rng: np.random.Generator, tell: Report) -> dict[str, Array]:
    """Log loss of each held-out game under partial, no and complete pooling of the others, and under the baseline."""
    design = compiled.design
    held_out = judge.held_out_games(design)
    tree = nuts.sample(compiled, ~held_out, SEED + 1, DRAWS // 3, lambda f: tell("held-out forecasts", 0.6 + 0.35 * f))
    alone = laplace.no_pooling(design, ~held_out).draws(rng, judge.REPLICATIONS)
    alike = laplace.complete_pooling(design, ~held_out).draws(rng, judge.REPLICATIONS)
    return {
        "partial": judge.log_losses(design, from_tree(design, tree), held_out),
        "none": judge.log_losses(design, alone, held_out),
        "complete": judge.log_losses(design, alike, held_out),
        "baseline": judge.baseline_log_losses(design, held_out),
    }


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
        "engine": nuts.NAME,
        "verdict": "accepted" if accepted else "rejected",
        "reasons": judged.reasons,
        "override_reason": override if judged.reasons else None,
        "outcome": stanza.outcome,
        "unit": design.outcome.unit,
        "games": design.games,
        "competitors": len(sampled.ratings.field.competitors),
        "first_game_on": games.sides["played_on"].min(),
        "last_game_on": games.sides["played_on"].max(),
        "draws": sampled.posterior.draws,
        "seed": SEED,
        "design": json.dumps(design.as_json()),
        "games_fingerprint": games.fingerprint,
        "code_hash": code_hash(),
        "versions": versions(),
    }


def _hyperparameters(design: Design, sampled: Sampled) -> pl.DataFrame:
    """One row a scale or fixed effect: the columns of the warehouse's hyperparameter, without league and fit_id."""
    priors = {"intercept": f"Normal(0, {design.intercept_sd:g}) and the groups' means"}
    priors |= {effect.name: f"Normal(0, {effect.prior_sd:g})" for effect in design.fixed}
    priors |= {f"scale_{block.name}": f"HalfNormal({block.prior_scale:g})" for block in design.blocks}
    return pl.DataFrame(
        [
            {"parameter": name, "title": design.parameters[name], "prior": priors[name]}
            | {"mean": float(draws.mean()), "sd": float(draws.std())}
            | {f"q{q}": float(np.percentile(draws, q)) for q in QUANTILES}
            | {key: getattr(sampled.parameters[name], key) for key in ("r_hat", "ess_bulk", "ess_tail")}
            for name, draws in parameter_draws(sampled.posterior, sampled.ratings).items()
        ]
    )


def _summary(games: Games, design: Design, verdict: str, how: str) -> str:
    return (
        f"{games.league}: {verdict}, {design.games:,} games, {len(design.blocks[0].levels):,} competitors, "
        f"as of {games.as_of} ({how})"
    )
