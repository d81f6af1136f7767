"""Simulated seasons: closed forms, sums, what is given, what hangs on a game."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling.outlook.coming import Coming
from modeling.outlook.competitions import Competition, competitions
from modeling.outlook.fixtures import Fixtures
from modeling.outlook.outlook import leverage
from modeling.outlook.season import Fixed, Simulated, simulate
from store.errors import FitError
from store.seasons import SeasonRules

SEASONS = 20_000
RULES = SeasonRules(order=("points", "difference", "scored"))


def near(found: float, true: float, seasons: int = SEASONS) -> bool:
    """Within five standard errors of a share."""
    return abs(found - true) < 5 * np.sqrt(max(true * (1 - true), 1e-3) / seasons)


@pytest.fixture(scope="module")
def one_left(game, games, known_league):
    """Two that met often, and once more, at t0's."""
    rng = np.random.default_rng(2)
    rows = [game(("t0", "t1"), tuple(map(float, rng.poisson((1.8, 1.0)))), day, home=day % 2) for day in range(30)]
    league = games(*rows, game(("t1", "t0"), (0.0, 0.0), 40, home=1))
    return known_league(league, league.sides["played_on"].max(), outcome="score", effects=("home",))


def only(coming: Coming, home: int = 1) -> Competition:
    """The last game as a table of two, the stored second at home."""
    assert len(coming.rows) == 2
    turned = np.array([home == 1])
    return Competition("", ("t0", "t1"), ("g00030",), np.array([0]), np.array([1]), np.full((1, 2, 1), np.nan)[..., 0],
                       turned, np.array([0]))  # fmt: skip


def test_two_teams_and_one_game_are_that_games_forecast(one_left):
    coming = one_left.coming()
    ((end,), outcome) = (
        simulate(coming, [only(coming)], RULES, np.random.default_rng(1), seasons=SEASONS), coming.design.outcome,
    )  # fmt: skip
    eta = coming.eta(np.arange(len(coming.known)), np.random.default_rng(2))
    win, draw, loss = outcome.chances(eta[:, 1], eta[:, 0], coming.arguments(np.arange(len(eta)))).mean(axis=0)
    assert near((end.results == 0).mean(), win)
    assert near((end.results == 1).mean(), draw)
    assert near(end.tables.chances()[0, 0], win + draw / 2)
    assert near(end.tables.points[:, 0].mean() / 3, (3 * win + draw) / 3)
    assert near(end.tables.points[:, 1].mean() / 3, (3 * loss + draw) / 3)


def test_a_given_result_is_played_and_tells_of_the_ratings(game, games, known_league):
    """The next meeting of two is likelier won by who is given to have won the one before."""
    rng = np.random.default_rng(2)
    rows = [game(("t0", "t1"), tuple(map(float, rng.poisson((1.3, 1.3)))), day, home=0) for day in range(4)]
    league = games(*rows, *(game(("t0", "t1"), (0.0, 0.0), day, home=0) for day in (40, 41)))
    first = league.sides["played_on"].sort()[8]
    coming = known_league(league, first, outcome="score").coming()
    one = Competition("", ("t0", "t1"), ("g00004", "g00005"), np.array([0, 0]), np.array([1, 1]),
                      np.full((2, 2), np.nan), np.array([False, False]), np.array([0, 1]))  # fmt: skip
    fixed = Fixed({"g00004": (5.0, 0.0)})
    (free,) = simulate(coming, [one], RULES, np.random.default_rng(1), seasons=SEASONS)
    (held,) = simulate(coming, [one], RULES, np.random.default_rng(1), fixed=fixed, seasons=SEASONS)
    assert (held.results[:, 0] == 0).all()
    assert (held.results[:, 1] == 0).mean() > (free.results[:, 1] == 0).mean() + 0.05
    by_hand = free.results[:, 1][
        free.results[:, 0] == 0
    ]  # of the seasons in which it was won somehow: on the way there
    assert (by_hand == 0).mean() > (free.results[:, 1] == 0).mean()


@pytest.fixture(scope="module")
def round_robin(game, games, known_league):
    """Five that met each other once, and have the second meetings still to play."""
    rng, pairs = np.random.default_rng(4), [(a, b) for a in range(5) for b in range(5) if a != b]
    scores = [tuple(map(float, rng.poisson((1.6, 1.1)))) for _ in pairs]
    rows = [game((f"t{a}", f"t{b}"), score, day, home=0, season="2024") for day, ((a, b), score)
            in enumerate(zip(pairs, scores, strict=True))]  # fmt: skip
    league = games(*rows)
    return known_league(league, league.sides["played_on"][20], outcome="score", effects=("home",))


def fixtures_of(found) -> Fixtures:
    first = found.games.sides.filter(pl.col("game_id").is_in(list(found.games.to_come)))["played_on"].min()
    seen = found.games.sides.filter(pl.col("played_on") < first)
    ids = found.games.sides["game_id"].unique(maintain_order=True)
    listed = pl.DataFrame({"game_id": ids}).with_columns(
        status=pl.lit("played"), round=pl.lit("R 1"), table=pl.lit(""), shoot_out=pl.lit(None, pl.String)
    )
    return Fixtures(found.design.outcome, found.games, frozenset(), listed, seen, found.draws.as_of)


def test_a_table_has_the_games_played_and_those_to_come(round_robin):
    fixtures = fixtures_of(round_robin)
    (one,) = competitions(fixtures, "2024", RULES)
    assert one.sides == ("t0", "t1", "t2", "t3", "t4")
    assert len(one.game_ids) == 20
    assert len(one.to_come) == 10
    assert np.isnan(one.scores[one.to_come]).all()
    assert not np.isnan(np.delete(one.scores, one.to_come, axis=0)).any()
    with pytest.raises(FitError, match="no game to come of 2024"):
        competitions(fixtures, "2024", SeasonRules(rounds="Matchday *"))


def test_sums_and_what_is_sure(round_robin):
    fixtures, coming = fixtures_of(round_robin), round_robin.coming()
    (one,) = competitions(fixtures, "2024", RULES)
    (end,) = simulate(coming, [one], RULES, np.random.default_rng(1), seasons=2000)
    assert np.allclose(end.tables.chances().sum(axis=0), 1)
    assert (np.sort(end.tables.places, axis=1) == np.arange(1, 6)).all()
    total = end.tables.points.sum(axis=1)
    assert (total <= 60).all()
    assert (total >= 40).all()
    rows = leverage(one, end, {"champion": (1, 1), "last": (-1, -1)})
    assert set(rows["prize"]) <= {"champion", "last"}
    told = rows.row(0, named=True)
    column = [one.game_ids[g] for g in one.to_come].index(told["game_id"])
    own, won = one.sides.index(told["competitor_id"]), end.results[:, column] == 0
    assert told["prize"] in ("champion", "last")
    reached = end.tables.places[:, own] == (1 if told["prize"] == "champion" else 5)
    assert told["if_first_wins"] == pytest.approx(reached[won].mean())
    assert told["chance"] == pytest.approx(reached.mean())


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_a_tables_games_changes_nothing(round_robin, seed):
    fixtures, coming = fixtures_of(round_robin), round_robin.coming()
    (one,) = competitions(fixtures, "2024", RULES)
    order = np.random.default_rng(seed).permutation(len(one.game_ids))
    turned = Competition(
        one.table, one.sides, tuple(np.array(one.game_ids)[order]), one.first[order], one.second[order],
        one.scores[order], one.turned[order], one.place[order],
    )  # fmt: skip
    found: list[Simulated] = []
    for asked in (one, turned):
        found += simulate(coming, [asked], RULES, np.random.default_rng(1), seasons=300)
    assert np.array_equal(found[0].tables.points, found[1].tables.points)
    assert np.array_equal(found[0].tables.places, found[1].tables.places)


def test_each_table_has_its_own_order(one_left):
    """a beat b, and b beat e by more: by head-to-head a is ahead, by difference b, however c and d end."""
    scores = np.array([[1.0, 0.0], [5.0, 0.0], [np.nan, np.nan]])
    north = Competition("north", tuple("abcde"), ("g0", "g1", "g00030"), np.array([0, 1, 2]), np.array([1, 4, 3]),
                        scores, np.zeros(3, bool), np.array([-1, -1, 0]))  # fmt: skip
    both = [north, replace(north, table="south")]
    order = {"north": {"order": ("points", "head_to_head")}}
    rules = SeasonRules.model_validate({"order": ("points", "difference"), "tables": order})
    first, second = (end.tables.places for end in simulate(one_left.coming(), both, rules, np.random.default_rng(1)))
    assert (first[:, 0] < first[:, 1]).all()
    assert (second[:, 0] > second[:, 1]).all()
    assert rules.places_of("north") == rules.places


def test_a_play_off_goes_by_the_strengths(one_left):
    """Level after a draw, the stronger goes through more often than not, by their chances where there is no draw."""
    coming = one_left.coming()
    one, rules = only(coming), SeasonRules(order=("points", "play_off"))
    (end,) = simulate(coming, [one], rules, np.random.default_rng(1), draws=one_left.draws, seasons=SEASONS)
    drawn = end.results[:, 0] == 1
    states = {name: one_left.draws.states["team", name] for name in ("attack", "defence")}
    column = {name: states[name][0] for name in states}
    level = one_left.draws.parameters["intercept"]
    first, second = (
        level + states["attack"][1][:, column["attack"][a]] - states["defence"][1][:, column["defence"][b]]
        for a, b in (("t0", "t1"), ("t1", "t0"))
    )
    win, _, loss = one_left.design.outcome.chances(first, second, {"noise": 1.0}).T
    through = (end.tables.places[drawn, 0] == 1).mean()
    assert abs(through - (win / (win + loss)).mean()) < 0.05  # draws are likelier between equals; and by way of a third
