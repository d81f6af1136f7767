"""No result of a game to come, or of its day, reaches any forecast of it: shuffled, deleted, or its status changed."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from modeling.backtest_contests import Asked, contests_of
from modeling.backtest_cuts import Window, filtered, past_and_to_come, rated_daily, refitted
from modeling.baselines import baselines
from modeling.build import build_design
from modeling.engines.chain.sites import CODES
from modeling.games import Games
from modeling.outcomes import outcome_for, outcomes
from store.stanzas import Stanza

START, CUT, LATER, END = date(2023, 3, 1), date(2024, 3, 1), date(2024, 3, 16), date(2024, 4, 1)
WINDOWS = [Window(CUT, LATER), Window(LATER, END)]
FAMILIES = [(name, one.likelihood, one.takes_link) for name, found in outcomes().items() for one in found]


def stanza_of(outcome: str, likelihood: str, takes_link: bool, **more) -> Stanza:
    effects = () if outcome == "order" else ("home", "rest_days")
    body = {"title": "x", "feed": "none", "source": ("none",), "outcome": outcome, "effects": effects}
    body["link" if takes_link else "likelihood"] = likelihood
    return Stanza.model_validate(body | {"period": "season", "walk": ("team",)} | more)


def played(game, games, outcome: str, seed: int = 1) -> Games:
    """Three games (a race of four) every fifth day, of eight teams; a few games never had a result."""
    rng = np.random.default_rng(seed)
    strength, found = rng.normal(0, 0.7, 8), []
    for number in range(int((END - START).days / 5) * 3):
        day, size = START + timedelta(days=number // 3 * 5), 4 if outcome == "order" else 2
        who = rng.choice(8, size, replace=False)
        seen = strength[who] + rng.gumbel(size=size)
        places = tuple(int(x) for x in np.argsort(np.argsort(-seen)) + 1)
        scores = tuple(float(x) for x in rng.poisson(np.exp(0.3 + 0.4 * strength[who])))
        won = (bool(seen[0] > seen[1]), bool(seen[0] <= seen[1]))
        results = {"order": {"places": places}, "win": {"won": won}}.get(outcome, {"scores": scores})
        home = None if number % 4 == 0 else int(rng.integers(2))
        season = str(day.year)
        found.append(game(tuple(f"t{w}" for w in who), day=day, season=season, home=home, **results))
    return games(*found, as_of=END)


def shuffled(found: Games, first: date, seed: int) -> Games:
    """The league with the results of games from a day on exchanged for those of others."""
    sides = found.sides
    later = np.flatnonzero((sides["played_on"] >= first).to_numpy())
    size = int((sides["game_id"] == sides["game_id"][0]).sum())
    games = later.reshape(-1, size)
    turned = np.random.default_rng(seed).permutation(games)[:, ::-1].ravel()
    order = np.arange(sides.height)
    order[later] = turned
    results = sides.select("score", "finish", "won")[order]
    return replace(found, sides=sides.with_columns(results))


def deleted(found: Games, first: date) -> Games:
    kept = pl.col("played_on") < first
    names = ("score", "finish", "won")
    return replace(found, sides=found.sides.with_columns(pl.when(kept).then(pl.col(n)).alias(n) for n in names))


def asked_of(found: Games, stanza: Stanza, outcome, counting) -> Asked:
    listed = found.sides.unique("game_id", keep="first", maintain_order=True)
    details = listed.select("game_id", status=pl.lit("played"))
    peers = pl.DataFrame(schema={"game_id": pl.String, "peer": pl.String})
    listed = listed.select("game_id", "played_on", "season", competition=pl.lit(None, pl.String))
    return Asked(outcome, found, frozenset(counting), frozenset(), listed, details, peers)


def ids_of(found: Games) -> list[str]:
    return found.sides["game_id"].unique(maintain_order=True).to_list()


@dataclass
class Changed:
    """A league as it was, and with its future changed: other results, none, or other games that count."""

    name: str
    games: Games
    counting: list[str]


def futures(found: Games, first: date) -> list[Changed]:
    every = ids_of(found)
    past = ids_of(replace(found, sides=found.sides.filter(pl.col("played_on") < first)))
    some = past + [one for one in every[len(past) :] if hash_of(one) % 3]
    return [
        Changed("shuffled", shuffled(found, first, 5), every),
        Changed("deleted", deleted(found, first), past),
        Changed("retired", shuffled(found, first, 6), some),
    ]


def hash_of(name: str) -> int:
    return sum(map(ord, name))


def same(one, other) -> bool:
    """Whether two forecasts are the same to the last bit."""
    parts = [(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True) if a is not None]
    return all(b is not None and np.array_equal(a, b, equal_nan=True) for a, b in parts)


@pytest.mark.parametrize(("outcome", "likelihood", "takes_link"), FAMILIES)
def test_no_future_result_moves_a_forecast_of_a_refitted_model(game, games, outcome, likelihood, takes_link):
    stanza, found = stanza_of(outcome, likelihood, takes_link), played(game, games, outcome)

    def made(league: Games, counting) -> dict:
        return next(refitted(stanza, league, counting, (), WINDOWS[:1], "fast", lambda _: None))[1]

    after = futures(found, CUT)[-1]
    now = made(after.games, after.counting)
    for name, (ids, forecasts) in made(found, ids_of(found)).items():
        assert ids == now[name][0], name
        assert same(forecasts, now[name][1]), name


@pytest.mark.parametrize(("outcome", "likelihood", "takes_link"), FAMILIES)
def test_a_design_holds_no_result_of_games_to_come(game, games, outcome, likelihood, takes_link):
    stanza, found = stanza_of(outcome, likelihood, takes_link), played(game, games, outcome)
    design = build_design(stanza, past_and_to_come(found, ids_of(found), WINDOWS[0]))
    to_come = design.played_on[design.game] >= np.datetime64(CUT)
    assert 0 < to_come.sum() < len(to_come)
    assert not design.y[to_come].any() and design.y[~to_come].any()
    past = build_design(stanza, replace(found, as_of=CUT, sides=found.sides.filter(pl.col("played_on") < CUT)))
    assert (design.unit_sd, design.centre) == (past.unit_sd, past.centre)
    priors = {block.name: block.prior_scale for block in past.blocks}
    assert {block.name: block.prior_scale for block in design.blocks} == priors
    for one, other in zip(design.fixed, past.fixed, strict=True):
        assert np.array_equal(one.values[~to_come], other.values)
    for after in futures(found, CUT):
        again = build_design(stanza, past_and_to_come(after.games, after.counting, WINDOWS[0]))
        assert again.fingerprint == design.fingerprint, after.name
        assert again.as_json() == design.as_json(), after.name


CHAINED = [one for one in FAMILIES if one[:2] in CODES]


@pytest.mark.parametrize(("outcome", "likelihood", "takes_link"), CHAINED)
def test_the_filter_knows_no_day_before_it_is_over(game, games, outcome, likelihood, takes_link):
    stanza, found = stanza_of(outcome, likelihood, takes_link), played(game, games, outcome)

    def made(league: Games, counting) -> dict[str, np.ndarray]:
        said = {}
        design = build_design(stanza, rated_daily(league, counting, CUT))
        for _, each in filtered(design, counting, WINDOWS, lambda _: None):
            ids, forecasts = each["model"]
            said |= dict(zip(ids, forecasts.chances, strict=True))
        return said

    days = dict(zip(found.sides["game_id"], found.sides["played_on"], strict=True))
    before = made(found, ids_of(found))
    moved = 0
    for after in futures(found, LATER):
        now = made(after.games, after.counting)
        first_day = min(day for one, day in days.items() if day >= LATER)
        assert len(now) > len(before) / 3
        for one, chances in now.items():
            if days[one] <= first_day:  # of the first changed day itself too: same-day games never inform each other
                assert np.allclose(chances, before[one], rtol=0, atol=1e-12), (after.name, one)
            moved += int(not np.allclose(chances, before[one], atol=1e-9))
    assert moved


@pytest.mark.parametrize("outcome", ["win", "result", "margin", "score", "order"])
def test_no_baseline_sees_a_result_of_the_games_it_forecasts(game, games, outcome):
    likelihood, takes_link = next((b, c) for a, b, c in FAMILIES if a == outcome)
    stanza, found = stanza_of(outcome, likelihood, takes_link), played(game, games, outcome)

    def made(league: Games, counting) -> dict:
        contests = contests_of(asked_of(league, stanza, outcome_for("x", stanza), counting))
        past, to_come = contests.between(None, CUT), contests.between(CUT, END)
        said = {}
        for one in baselines():
            if one.of_races == (outcome == "order"):
                settings = one.tune(past, None)
                assert settings is not None, one.name
                said[one.name] = dict(
                    zip(_keys(to_come, outcome), one.forecast(settings, past, to_come).chances, strict=True)
                )
        return said

    before = made(found, ids_of(found))
    assert len(before) >= (3 if outcome == "order" else 5)
    for after in futures(found, CUT):
        if after.name == "deleted":
            continue  # then there is nothing to forecast that has a result
        now = made(after.games, after.counting)
        for name, said in now.items():
            assert said and all(np.array_equal(before[name][one], chances) for one, chances in said.items()), name


def _keys(contests, outcome: str) -> list:
    ids = contests.game_id
    return list(zip(ids[contests.game], contests.who, strict=True)) if outcome == "order" else list(ids)


def test_the_winner_always_named_first_gains_nothing(game, games):
    """A feed may name the winner first. Sides are put in order by a hash of the game, and a model cannot read it."""
    found = played(game, games, "win")
    stanza = stanza_of("win", "logit", True, effects=("home",))
    made = next(refitted(stanza, found, ids_of(found), (), WINDOWS[:1], "fast", lambda _: None))[1]["model"]
    turned = _winner_first_but(found)
    other = next(refitted(stanza, turned, ids_of(found), (), WINDOWS[:1], "fast", lambda _: None))[1]["model"]
    first = dict(zip(found.sides["game_id"][::2], found.sides["team"][::2], strict=True))
    swapped = dict(zip(turned.sides["game_id"][::2], turned.sides["team"][::2], strict=True))
    mirrored = np.array(
        [c if first[one] == swapped[one] else c[::-1] for one, c in zip(other[0], other[1].chances, strict=True)]
    )
    assert np.allclose(made[1].chances, mirrored, atol=0.01)
    assert any(first[one] != swapped[one] for one in made[0])


def _winner_first_but(found: Games) -> Games:
    """The same games with the sides of those that are to come in the order of their result."""
    sides = found.sides.with_columns(
        rank=pl.when((pl.col("played_on") >= CUT) & pl.col("won")).then(0).otherwise(pl.col("side"))
    )
    order = sides.with_row_index("row").sort(pl.col("row") // 2, "rank")["row"]
    return replace(found, sides=found.sides[order].with_columns(found.sides["side"]))
