"""Championships of races: points so far, sums, permutations, and what equals have in common."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from modeling.outlook.coming import Coming
from modeling.outlook.fixtures import Fixtures
from modeling.outlook.given import Names
from modeling.outlook.races import Championship, championships
from modeling.outlook.rules import check_rules
from store.seasons import SeasonRules

SEASONS = 4000
RULES = SeasonRules(points=(25, 18, 15), order=("points", "wins"))
TEAMS = tuple(f"t{k}" for k in range(5))
RACED, LEFT = 12, 3


@pytest.fixture(scope="module")
def raced(game, games, known_league):
    """Five who raced twelve times, of which t4 always came last; three races of the season are to come."""
    rng = np.random.default_rng(5)
    places = [(*(rng.permutation(4) + 1).tolist(), 5) for _ in range(RACED + LEFT)]
    league = games(*(game(TEAMS, day=day, places=own, season="2024") for day, own in enumerate(places)))
    known = known_league(league, league.sides["played_on"].unique().sort()[RACED], outcome="order")
    coming = pl.col("game_id").is_in(list(known.games.to_come))
    return known, Fixtures(
        known.design.outcome, known.games, frozenset(), pl.DataFrame(), league.sides.filter(~coming), known.draws.as_of
    )


def ended(raced, coming: Coming | None = None) -> Championship:
    known, fixtures = raced
    ((kind, found),) = championships(
        fixtures, "2024", coming or known.coming(), RULES, np.random.default_rng(1), SEASONS
    ).items()
    assert kind == "team"
    return found


def test_races_whose_day_is_past_are_told(raced):
    fixtures = replace(raced[1], listed=pl.DataFrame({"table": [""]}))
    late = replace(fixtures, overdue=frozenset(sorted(fixtures.games.to_come)[:2]))
    assert not check_rules(fixtures, RULES, Names("x", "team"), {}, is_race=True)
    (doubt,) = check_rules(late, RULES, Names("x", "team"), {}, is_race=True)
    assert doubt.startswith(f"2 races to be played before {fixtures.as_of} have no result")


def test_points_so_far_are_those_of_the_places_taken(raced):
    one, (_, fixtures) = ended(raced), raced
    worth = fixtures.seen.with_columns(pl.col("finish").replace_strict({1: 25, 2: 18, 3: 15}, default=0).alias("worth"))
    taken = dict(worth.group_by("team").agg(pl.col("worth").sum()).iter_rows())
    assert dict(zip(one.names, one.points.tolist(), strict=True)) == taken


def test_everybodys_own_races_are_counted(raced):
    """t0 missed two of the races so far, and is in one of those to come only."""
    known, fixtures = raced
    missed = (pl.col("team") == "t0") & (pl.col("game_id") < "g00002")
    left = sorted(fixtures.games.to_come)[1:]
    absent = (pl.col("team") == "t0") & pl.col("game_id").is_in(left)
    games = replace(fixtures.games, sides=fixtures.games.sides.filter(~absent))
    coming = known.coming()
    ids = np.array(coming.design.game_ids)[coming.games]
    sides = fixtures.coming.sort("game_id", maintain_order=True)
    kept = np.flatnonzero(~sides.select(absent).to_series().to_numpy())
    assert ids.tolist() == sides["game_id"].to_list()
    fewer = replace(coming, rows=coming.rows[kept], known=coming.known[:, kept], years=coming.years[kept])
    one = ended((known, replace(fixtures, games=games, seen=fixtures.seen.filter(~missed))), coming=fewer)
    assert one.raced.tolist() == [RACED - 2, *([RACED] * 4)]
    assert one.to_race.tolist() == [1, *([LEFT] * 4)]


def test_a_race_in_which_a_team_has_two_is_one(raced):
    known, fixtures = raced
    both = fixtures.seen.with_columns(team=pl.col("team").replace({"t1": "t0"}))
    one = ended((known, replace(fixtures, seen=both)))
    assert one.raced[one.names.index("t0")] == RACED
    assert one.raced[one.names.index("t1")] == 0


def test_every_season_gives_out_the_points_of_its_races_and_every_place(raced):
    one = ended(raced)
    names, points, end = one.names, one.points, one.ends
    assert (np.sort(end.places, axis=1) == np.arange(1, len(names) + 1)).all()
    assert np.allclose(end.chances().sum(axis=0), 1)
    assert np.allclose(end.chances().sum(axis=1), 1)
    assert np.allclose(end.points.sum(axis=1), points.sum() + LEFT * 58)  # all finished so far, so all do
    assert end.points[:, names.index("t4")].mean() < 15


def test_the_order_of_a_races_entrants_tells_nothing(raced):
    """The same races with their entrants the other way round, and luck of another kind: within five errors."""
    known, fixtures = raced
    coming, games = known.coming(), fixtures.games
    turned = np.concatenate([np.flatnonzero(coming.games == game)[::-1] for game in np.unique(coming.games)])
    ahead = pl.col("game_id").is_in(list(games.to_come))
    backwards = games.sides.filter(ahead)[turned.tolist()]
    moved = replace(fixtures, games=replace(games, sides=pl.concat([games.sides.filter(~ahead), backwards])))
    same = replace(coming, rows=coming.rows[turned], known=coming.known[:, turned], years=coming.years[turned])
    assert coming.walking == ()
    one, other = ended(raced), ended((known, moved), same)
    assert (one.names, one.points.tolist()) == (other.names, other.points.tolist())
    assert not np.array_equal(one.ends.points, other.ends.points)
    assert np.abs(one.ends.chances() - other.ends.chances()).max() < 5 * np.sqrt(0.5 / SEASONS)


def test_who_does_not_finish_scores_nothing_as_often_as_before(raced):
    known, fixtures = raced
    third = pl.int_range(pl.len()) % 3 == 0
    out = fixtures.seen.with_columns(pl.when(third).then(None).otherwise("finish").alias("finish"))
    one = ended((known, replace(fixtures, seen=out)))
    out_of = out["finish"].is_null().to_numpy().mean()
    given = np.array([0, 25, 43, 58, 58, 58]) @ binom.pmf(np.arange(6), 5, 1 - out_of)  # by how many are classified
    told = (one.ends.points.sum(axis=1) - one.points.sum()) / LEFT
    assert abs(told.mean() - given) < 5 * told.std() / np.sqrt(SEASONS)
    assert len(one.names) == 5
