"""Which of several models of the same games forecasts better, and how sure that is.

In: a league's stanza and variants of it. Out: how each forecasts every game, the paired differences with their standard
errors, and what they mean in words, recorded in the warehouse.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

import numpy as np
import polars as pl

from modeling import record
from modeling.build import build_design
from modeling.compared import Scored, table
from modeling.design import Design
from modeling.engines.choice import JOINT, choose
from modeling.field import make_field
from modeling.fit import design_of
from modeling.games import Games
from modeling.identity import code_hash, versions
from modeling.influential import influential
from modeling.lfo import blocks_of, left_future_out
from modeling.loo import HIGH_VARIANCE, pointwise, refitted
from modeling.outcomes.outcome import Array
from modeling.sampled import CARE, SEED, Sampled, sample
from modeling.variants import Variant
from store.errors import FitError, UsageError
from store.home import Home

Report = Callable[[str, float], None]
Method = Literal["auto", "loo", "lfo"]


@dataclass(frozen=True)
class Comparison:
    """What came of comparing models of a league."""

    comparison_id: str
    rows: pl.DataFrame
    """The columns of `comparison`."""
    influential: pl.DataFrame
    """The columns of `influential_game`."""


@dataclass(frozen=True)
class Modelled:
    """A variant with the games as its stanza asks for them, and its Design."""

    variant: Variant
    games: Games
    design: Design

    @property
    def walks(self) -> bool:
        """Whether ratings move over time."""
        return any(block.role == "walk" for block in self.design.blocks)


def compare_models(
    home: Home,
    league: str,
    variants: list[Variant],
    now: datetime,
    *,
    as_of: date | None = None,
    engine: str = "auto",
    method: Method = "auto",
    report: Report | None = None,
) -> Comparison:
    """Compares variants of a league's stanza, the first of which is its own, and records the result.

    By `loo` each game is forecast from all others; by `lfo` from earlier games alone, which `auto` takes where ratings
    of any of them move. Raises UsageError where a variant is no other model of the same games, or `loo` is asked of one
    whose ratings move; FitError where one cannot be fitted.
    """
    tell = report or (lambda stage, share: None)
    models = _models(home, league, variants, as_of)
    games, by = models[0].games, _method(league, method, models)
    scored = score(models, engine, by, tell)
    name = _comparison_id(models, engine, by)
    made = {"as_of": games.as_of, "made_at_utc": now.replace(tzinfo=None)}
    rows = pl.DataFrame([row | made for row in table(scored)], infer_schema_length=None)
    weighty = influential(games, scored)
    record.record_comparison(home, league, name, {"comparison": rows, "influential_game": weighty})
    return Comparison(name, rows, weighty)


def _models(home: Home, league: str, variants: list[Variant], as_of: date | None) -> list[Modelled]:
    """The variants with their games and Designs. Raises UsageError for one of the variants, FitError for the league's
    own stanza."""
    models = [Modelled(one, *design_of(home, league, one.stanza, as_of)) for one in variants[:1]]
    try:
        models += [Modelled(one, *design_of(home, league, one.stanza, as_of)) for one in variants[1:]]
    except FitError as error:
        raise UsageError(error.message, error.hint) from error
    for number, one in enumerate(models[1:], start=1):
        _insist_on_same_games(league, models[0], one)
        _insist_on_other_model(league, models[:number], one)
    return models


def _insist_on_same_games(league: str, own: Modelled, other: Modelled) -> None:
    """Raises UsageError where log likelihoods of two models are not of the same thing."""
    names = f'"{other.variant.title}" and "{own.variant.title}"'
    if own.design.game_ids != other.design.game_ids:
        counts = f"{other.design.games:,} and {own.design.games:,}"
        raise UsageError(
            f"{league}: {names} are not models of the same games ({counts} of them).",
            "Only models that use the same games can be compared.",
        )
    likelihoods = (other.design.outcome, own.design.outcome)
    if likelihoods[0].is_density != likelihoods[1].is_density:
        raise UsageError(
            f"{league}: {names} cannot be compared: one gives results a density and the other a chance.",
            "`pooltable backtest` scores the forecasts of both alike.",
        )


def _insist_on_other_model(league: str, others: list[Modelled], one: Modelled) -> None:
    """Raises UsageError where a variant comes to the same model as one before it."""
    for other in others:
        if (one.design.as_json(), one.design.fingerprint) == (other.design.as_json(), other.design.fingerprint):
            names = f'"{one.variant.title}" and "{other.variant.title}"'
            raise UsageError(f"{league}: {names} are the same model of these games.", "Leave one of them out.")


def score(models: list[Modelled], engine: str, by: str, tell: Report) -> list[Scored]:
    """How each model forecasts the games, by `loo` (and WAIC) or by `lfo`; the first is the league's own.

    A variant that cannot be fitted is left out, and its reason stands with the league's own. Raises FitError where that
    cannot be fitted, or no variant can.
    """
    scored: list[Scored] = []
    lost: list[str] = []
    for number, one in enumerate(models if by == "loo" else [_told_by_the_past(one) for one in models]):
        stage = _within(tell, one.variant.title, number, len(models))
        try:
            sampled = _sampled(one, engine, stage)
            found = _by_loo(one, sampled, stage) if by == "loo" else [_by_lfo(one, sampled, stage)]
        except FitError as error:
            if number == 0 or len(lost) == len(models) - 2:
                raise
            lost.append(f'"{one.variant.title}" is left out: {error.message}')
            continue
        scored += [replace(each, is_own=number == 0) for each in found]
    return [replace(one, warning=" ".join([one.warning, *lost]).strip()) if one.is_own else one for one in scored]


def _told_by_the_past(one: Modelled) -> Modelled:
    """The model with sizes of priors and covariates as the games before the first block of forecasts tell them."""
    first = blocks_of(one.design.league, one.design.played_on)[0].first.astype(date)
    return replace(one, design=build_design(one.variant.stanza, replace(one.games, past_until=first)))


def _method(league: str, wanted: Method, models: list[Modelled]) -> str:
    """How the models are compared. Raises UsageError where they cannot be so."""
    walking = [one.variant.title for one in models if one.walks]
    if wanted == "loo" and walking:
        raise UsageError(
            f"{league}: ratings of {walking[0]!r} move over time: a game's neighbours would tell of it.",
            "Forecast games from earlier ones alone: --method lfo",
        )
    return wanted if wanted != "auto" else "lfo" if walking else "loo"


def _within(tell: Report, title: str, number: int, count: int) -> Report:
    """Reports the stages of one of several models."""
    return lambda stage, share: tell(f"{title}: {stage}", (number + share) / count)


def _sampled(one: Modelled, engine: str, tell: Report) -> Sampled:
    """The posterior of a model given all games."""
    fields = [make_field(one.design, kind, one.variant.stanza, one.games.as_of) for kind in one.design.kinds]
    choice = choose(one.design, engine)
    return sample(choice, one.design, one.games, fields, None, tell, may_fall_back=engine == "auto")


def _by_loo(one: Modelled, sampled: Sampled, tell: Report) -> list[Scored]:
    """By PSIS-LOO, with fits without games of high k-hat where those are quick, and by WAIC."""
    found = pointwise(one.design, sampled.posterior, lambda share: tell("leaving games out", 0.5 + 0.3 * share))
    if sampled.choice.engine == JOINT and found.is_doubtful.any():
        found = refitted(
            one.design, sampled.engine, found, SEED + 1, lambda share: tell("fits without some", 0.8 + 0.2 * share),
            CARE[0],
        )  # fmt: skip
    p_eff, p_waic = float((found.lppd - found.elpd).sum()), float(found.variance.sum())
    is_wrong = found.variance > HIGH_VARIANCE
    plain = _scored(one, sampled, "loo", one.design.game_ids, found.elpd)
    return [
        replace(plain, doubtful=found.is_doubtful, p_eff=p_eff, k_hat=found.k_hat, is_refitted=found.is_refitted),
        replace(plain, method="waic", elpd=found.waic, doubtful=is_wrong, p_eff=p_waic),
    ]


def _by_lfo(one: Modelled, sampled: Sampled, tell: Report) -> Scored:
    """By fits of the games before each of several blocks."""
    blocks = blocks_of(one.design.league, one.design.played_on)
    elpd = left_future_out(
        one.design, sampled.engine, blocks, SEED + 1, lambda share: tell("forecasts", 0.5 + 0.5 * share), CARE[0]
    )
    forecast = np.concatenate([block.games for block in blocks])
    return _scored(one, sampled, "lfo", tuple(one.design.game_ids[game] for game in forecast), elpd)


def _scored(one: Modelled, sampled: Sampled, method: str, game_ids: tuple[str, ...], elpd: Array) -> Scored:
    failed = [f"{check.check_name} of {check.subject}" for check in sampled.checks if check.status == "fail"]
    warning = f"The fit of {one.variant.title} does not pass its own checks ({', '.join(failed)})." if failed else ""
    alike = np.zeros(len(elpd), dtype=bool)
    about = (one.variant.title, one.variant.settings, sampled.choice.engine)
    return Scored(*about, method, game_ids, elpd, alike, warning=warning)


def _comparison_id(models: list[Modelled], engine: str, method: str) -> str:
    """Hash of everything a comparison depends on."""
    inputs = {
        "league": models[0].games.league,
        "designs": [[one.design.as_json(), one.design.fingerprint] for one in models],
        "as_of": models[0].games.as_of.isoformat(),
        "code": code_hash(),
        "versions": versions(),
        "seed": SEED,
        "engine": engine,
        "method": method,
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
