"""Designs of a few games, worked out by hand: each effect's columns, players, groups, noise and observed results."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from modeling.block import Block
from modeling.build import build_design
from modeling.design import Design
from store.errors import FitError
from store.stanzas import Stanza

SETTINGS = {"title": "x", "feed": "none", "source": ("none",), "outcome": "win"}


def block_of(design: Design, name: str) -> Block:
    return next(block for block in design.blocks if block.name == name)


def columns(block: Block) -> dict[str, list[float]]:
    """Weights of every row by level."""
    return dict(zip(block.levels, block.weights.toarray().T.tolist(), strict=True))


def fixed(design: Design) -> dict[str, list[float]]:
    return {one.name: one.values.tolist() for one in design.fixed}


# Home, rest and covariates


def test_home_is_one_for_the_home_side_and_a_difference_where_a_row_is_a_game(design, game):
    some = [game("ab", (2, 1), home=0), game("ab", (2, 1), home=1), game("ab", (2, 1))]
    assert fixed(design(*some, effects="home"))["home"] == [1, -1, 0]
    assert fixed(design(*some, effects="home", outcome="score"))["home"] == [1, 0, 0, 1, 0, 0]
    found = design(*some, effects="home")
    assert found.home.tolist() == [1, -1, 0]
    assert found.fixed[0].prior_sd == 4.0


def test_home_is_left_out_where_nobody_is_at_home(design, game):
    assert fixed(design(game("ab", (2, 1)), effects="home")) == {}


def test_days_of_rest_are_those_of_the_sides_own_team_and_at_most_fourteen(design, game):
    some = [game("ab", (1, 0), day=0), game("ac", (1, 0), day=3), game("bc", (1, 0), day=40)]
    rest = np.array([np.nan, np.nan, 3, np.nan, 14, 14])
    scaled = np.nan_to_num((rest - np.nanmean(rest)) / np.nanstd(rest, ddof=1))
    assert fixed(design(*some, effects="rest_days", outcome="score"))["rest_days"] == pytest.approx(scaled)
    assert fixed(design(*some, effects="rest_days"))["rest_days"] == pytest.approx(scaled[0::2] - scaled[1::2])


def test_stints_of_a_contest_share_its_days_of_rest(design, games, game):
    """a and b play three stints on the first day and two a week later."""
    some = [game("ab", (1, 0), day=day) for day in (0, 0, 0, 7, 7)] + [game("ac", (1, 0), day=9)]
    found = games(*some)
    contests = pl.Series(["u", "u", "u", "v", "v", "w"]).gather(found.sides["game_id"].rle_id())
    stanza = Stanza.model_validate(SETTINGS | {"effects": "rest_days", "outcome": "score"})
    made = build_design(stanza, replace(found, sides=found.sides.with_columns(contest_id=contests)))
    rest = np.array([np.nan] * 6 + [7] * 4 + [2, np.nan])
    scaled = np.nan_to_num((rest - np.nanmean(rest)) / np.nanstd(rest, ddof=1))
    assert fixed(made)["rest_days"] == pytest.approx(scaled)


@pytest.mark.parametrize("odd", ["nan", "inf", "-inf"])
def test_what_is_no_number_is_as_if_it_were_not_there(design, game, odd):
    some = [game("ab", (1, 0), altitude=text) for text in ("100", odd, "300")]
    values = fixed(design(*some, effects="altitude", outcome="score"))["altitude"]
    assert values == pytest.approx(np.array([-1, -1, 0, 0, 1, 1]) / np.sqrt(4 / 3))
    with pytest.raises(FitError, match="no numbers"):
        design(game("ab", (1, 0), altitude=odd), effects="altitude", outcome="score")


def test_a_number_of_the_game_is_a_covariate_of_both_sides_scores(design, game):
    some = [game("ab", (1, 0), altitude=text) for text in ("100", "200", "300")] + [game("ab", (1, 0))]
    values = fixed(design(*some, effects="altitude", outcome="score"))["altitude"]
    assert values == pytest.approx(np.array([-1, -1, 0, 0, 1, 1, 0, 0]) / np.sqrt(4 / 5))  # sd of the six sides


def test_a_covariate_that_cancels_or_has_no_numbers_is_refused(design, game):
    with pytest.raises(FitError, match='x: "altitude" is the same for every side') as caught:
        design(game("ab", (1, 0), altitude="100"), effects="altitude")
    assert '"home:altitude"' in caught.value.hint
    with pytest.raises(FitError, match='x: "surface" has values that are no numbers'):
        design(game("ab", (1, 0), surface="clay"), effects="surface", outcome="score")


# Deviations


def test_a_teams_home_is_a_column_that_stands_where_it_is_at_home(design, game):
    found = design(game("ab", (2, 1), home=0), game("ab", (2, 1), home=1), effects="team:home", outcome="score")
    assert columns(block_of(found, "attack_home")) == {"a@home": [1, 0, 0, 0], "b@home": [0, 0, 0, 1]}
    assert columns(block_of(found, "defence_home")) == {"a@home": [0, -1, 0, 0], "b@home": [0, 0, -1, 0]}
    one = block_of(design(game("ab", (2, 1), home=0), effects="team:home"), "team_home")
    assert (columns(one), one.role, one.kind, one.by) == ({"a@home": [1]}, "slope", "team", "home")
    assert one.prior_scale == 0.5


def test_a_players_surface_is_a_level_for_each_surface_it_played_on(design, game):
    some = [
        game((None, None), won=(True, False), players=("p", "q"), surface="clay"),
        game((None, None), won=(True, False), players=("q", "r"), surface="grass"),
        game((None, None), won=(True, False), players=("p", "r")),
    ]
    block = block_of(design(*some, rate="player", effects="player:surface"), "player_surface")
    assert columns(block) == {"p@clay": [1, 0, 0], "q@clay": [-1, 0, 0], "q@grass": [0, 1, 0], "r@grass": [0, -1, 0]}
    assert (np.asarray(block.owner).tolist(), block.value) == ([0, 1, 1, 2], ("clay", "clay", "grass", "grass"))


def test_home_by_an_attribute_is_one_level_for_each_of_its_values(design, game):
    some = [game("ab", (2, 1), home=h, crowd=c) for h, c in ((0, "full"), (1, "empty"), (1, "full"), (None, "full"))]
    block = block_of(design(*some, effects="home:crowd"), "home_crowd")
    assert columns(block) == {"home@empty": [0, -1, 0, 0], "home@full": [1, 0, -1, 0]}
    by_side = [b for b in design(*some, effects="home:crowd", outcome="score").blocks if b.role == "slope"]
    assert [columns(b)["home@full"] for b in by_side] == [[1, 0, 0, 0, 0, 1, 0, 0]]
    assert by_side[0].kind == ""


def test_a_number_of_many_values_is_a_slope_and_of_few_a_set_of_values(design, game):
    many = [game("ab", (1, 0), home=0, altitude=str(n)) for n in range(20)]
    z = (np.arange(20) - 9.5) / np.repeat(np.arange(20), 2).std(ddof=1)
    assert fixed(design(*many, effects="home:altitude"))["home:altitude"] == pytest.approx(z)
    block = block_of(design(*many, effects="team:altitude"), "team_altitude")
    assert columns(block)["a@slope"] == pytest.approx(z)
    assert columns(block)["b@slope"] == pytest.approx(-z)
    few = [game("ab", (1, 0), home=0, best_of=str(3 + 2 * (n % 2))) for n in range(20)]
    assert block_of(design(*few, effects="team:best_of"), "team_best_of").levels == ("a@3", "a@5", "b@3", "b@5")


def test_a_teams_season_beside_its_players_belongs_to_no_rating(design, game):
    some = [
        game("ab", (1, 0), season="2023", players=("pq", "rs")),
        game("ab", (1, 0), season="2024", players=("pr", "qs")),
    ]
    found = design(*some, rate="player", effects="team:season", outcome="score")
    block = block_of(found, "team_attack_season")
    assert columns(block) == {
        "a@2023": [1, 0, 0, 0], "a@2024": [0, 0, 1, 0], "b@2023": [0, 1, 0, 0], "b@2024": [0, 0, 0, 1],
    }  # fmt: skip
    assert block.kind == ""
    assert [kind.name for kind in found.kinds] == ["player"]


# Players


def test_players_count_by_the_share_they_played(design, game):
    found = design(game("ab", (2, 1), players=({"p": 1, "q": 0.25}, {"r": 0.5})), rate="player")
    assert columns(block_of(found, "player")) == {"p": [1], "q": [0.25], "r": [-0.5]}
    assert found.kind("player").sides.toarray().tolist() == [[1, 0.25, 0], [0, 0, 0.5]]
    both = design(game("ab", (2, 1), players=({"p": 1, "q": 0.25}, {"r": 0.5})), rate="player", outcome="score")
    assert columns(block_of(both, "attack")) == {"p": [1, 0], "q": [0.25, 0], "r": [0, 0.5]}
    assert columns(block_of(both, "defence")) == {"p": [0, -1], "q": [0, -0.25], "r": [-0.5, 0]}


def test_doubles_are_pairs_whose_members_change(design, game):
    some = [
        game((None, None), won=(True, False), players=("pq", "rs")),
        game((None, None), won=(False, True), players=("pr", "qs")),
    ]
    found = design(*some, rate="player")
    assert columns(block_of(found, "player")) == {"p": [1, 1], "q": [1, -1], "r": [-1, 1], "s": [-1, -1]}
    assert found.y.tolist() == [1, 0]
    assert block_of(found, "player").prior_scale == pytest.approx(1 / np.sqrt(2))  # two share a side


def test_a_team_beside_its_players_are_two_kinds_with_names_of_their_own(design, game):
    some = game("ab", (2, 1), players=("pq", "r"))
    assert [b.name for b in design(some, rate=("player", "team")).blocks] == ["player", "team"]
    names = [b.name for b in design(some, rate=("player", "team"), outcome="score").blocks]
    assert names == ["player_attack", "player_defence", "team_attack", "team_defence"]


# Groups


def test_a_competitors_group_is_that_of_its_first_season(design, game):
    """b is promoted and c relegated in 2024: each stays with the division it entered in, and counts in no other."""
    some = [game("ab", (1, 0), season="2023"), game("ca", (1, 0), season="2023"), game("cb", (1, 0), season="2024")]
    divisions = {
        ("a", "2023"): "1", ("a", "2024"): "1", ("b", "2023"): "2", ("b", "2024"): "1", ("c", "2023"): "1",
        ("c", "2024"): "2", ("d", "2023"): "3",
    }  # fmt: skip
    found = design(*some, groups=divisions, group="division")
    block = block_of(found, "team_group")
    assert (block.levels, block.role) == (("1", "2"), "group")
    assert columns(block) == {"1": [1, 0, 1], "2": [-1, 0, -1]}
    assert block.loading.toarray().tolist() == [[1, 0], [0, 1], [1, 0]]


def test_a_group_of_a_season_before_the_games_is_not_the_first(design, game):
    divisions = {("a", "2020"): "9", ("a", "2023"): "1", ("b", "2023"): "2"}
    found = design(game("ab", (1, 0), season="2023"), groups=divisions, group="division")
    assert block_of(found, "team_group").levels == ("1", "2")


def test_players_have_groups_too_and_who_has_none_is_pooled_to_all(design, game):
    positions = {("p", "2024"): "back", ("q", "2024"): "forward"}
    some = game("ab", (1, 0), players=("pq", "rs"))
    block = block_of(design(some, rate="player", groups=positions, group="position"), "player_group")
    assert columns(block) == {"back": [1], "forward": [1]}
    assert block.loading.toarray()[2:].tolist() == [[0, 0], [0, 0]]


def test_groups_go_by_the_order_in_which_seasons_were_played(design, game):
    """b enters in "Season 9" and is promoted in "Season 10", which comes first by its letters."""
    some = [game("ab", (1, 0), season="Season 9"), game("ab", (1, 0), season="Season 10", day=365)]
    divisions = {
        ("a", "Season 9"): "1", ("a", "Season 10"): "1", ("b", "Season 9"): "2", ("b", "Season 10"): "1",
        ("b", "Season 11"): "3",
    }  # fmt: skip
    block = block_of(design(*some, groups=divisions, group="division"), "team_group")
    assert (block.levels, block.loading.toarray().tolist()) == (("1", "2"), [[1, 0], [0, 1]])


def test_a_group_that_tells_nobody_apart_is_said(design, game):
    one = design(game("ab", (1, 0)), groups={("a", "2024"): "east", ("b", "2024"): "east"}, group="division")
    assert [block.name for block in one.blocks] == ["team"]
    assert one.notes == ('The division of teams was left out: all that have one are in "east".',)
    nobody = design(game("ab", (1, 0)), groups={("z", "2024"): "east"}, group="division")
    assert nobody.notes == ("The division was left out: nobody who plays in these games has one.",)
    some = game("ab", (1, 0), players=("pq", "rs"))
    positions = {("p", "2024"): "back", ("q", "2024"): "forward"}
    assert design(some, rate=("player", "team"), groups=positions, group="position").notes == ()


# Walks


def walk_games(game) -> list[dict]:
    """a plays in all seasons, b in 2021 and 2024, c in 2022 alone."""
    seasons = [("ab", "2021"), ("ac", "2022"), ("ad", "2023"), ("ab", "2024")]
    return [game(two, (1, 0), season=season, day=365 * n) for n, (two, season) in enumerate(seasons)]


def test_a_walks_states_follow_one_another_over_gaps(design, game):
    found = design(*walk_games(game), walk="team", period="season")
    walk = block_of(found, "team_walk")
    assert walk.levels == ("a@2022", "a@2023", "a@2024", "b@2024")
    assert np.asarray(walk.previous).tolist() == [-1, 0, 1, -1]
    assert np.asarray(walk.years).tolist() == [1, 1, 1, 3]
    assert np.asarray(walk.idle).tolist() == [0, 0, 2, 1]  # c has not played since 2022, d since 2023
    assert columns(walk) == {
        "a@2022": [0, 1, 0, 0], "a@2023": [0, 0, 1, 0], "a@2024": [0, 0, 0, 1], "b@2024": [0, 0, 0, -1],
    }  # fmt: skip
    assert walk.loading.toarray().tolist() == [[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert walk.reach.toarray().tolist() == [[1, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert walk.prior_scale == 0.5


def test_seasons_walk_in_the_order_in_which_they_were_played(design, game):
    """And a year without a season is two years' drift; seasons less than a year apart are a year's each."""
    labels = [("Season 9", 0), ("Season 10", 300), ("Season 12", 1040), ("Autumn", 1140)]
    some = [game("ab", (1, 0), season=season, day=day) for season, day in labels]
    walk = block_of(design(*some, walk="team", period="season"), "team_walk")
    assert walk.levels[:3] == ("a@Season 10", "a@Season 12", "a@Autumn")
    assert np.asarray(walk.years).tolist() == [1, 2, 1, 1, 2, 1]
    assert np.asarray(walk.idle).tolist() == [0, 0]


def test_attack_and_defence_walk_apart(design, game):
    found = design(*walk_games(game), walk="team", period="season", outcome="score")
    assert [b.name for b in found.blocks] == ["attack", "attack_walk", "defence", "defence_walk"]
    assert columns(block_of(found, "defence_walk"))["b@2024"] == [0, 0, 0, 0, 0, 0, -1, 0]


def test_a_walk_of_one_period_is_none(design, game):
    some = [game("ab", (1, 0)), game("ac", (0, 1))]
    assert [b.name for b in design(*some, walk="team", period="season").blocks] == ["team"]


def test_a_deviation_may_walk_by_itself(design, game):
    some = [game("ab", (1, 0), season=s, home=0) for s in ("2022", "2023", "2023", "2024")]
    found = design(*some, effects="team:home", walk="team:home", period="season")
    walk = block_of(found, "team_home_walk")
    assert (walk.levels, walk.by, walk.value) == (("a@home@2023", "a@home@2024"), "home", ("home",))
    assert [b.name for b in found.blocks] == ["team", "team_home", "team_home_walk"]


@pytest.mark.parametrize(
    ("period", "days", "years"),
    [
        ("quarter", [date(2023, 12, 31), date(2024, 1, 1), date(2024, 3, 31), date(2024, 7, 1)], [0.25, 0.5]),
        ("month", [date(2023, 12, 31), date(2024, 1, 1), date(2024, 1, 31), date(2024, 4, 1)], [1 / 12, 3 / 12]),
        ("week", [date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 10), date(2024, 1, 18)], [7 / 365.25, 14 / 365.25]),
    ],
)
def test_periods_of_the_calendar(design, game, period, days, years):
    """The first two are neighbours of different periods, the second and third share one."""
    found = design(*(game("ab", (1, 0), day=d) for d in days), walk="team", period=period)
    assert np.asarray(block_of(found, "team_walk").years).tolist() == pytest.approx([*years, *years])


def test_idle_years_run_to_the_as_of_date(design, game):
    some = [game("ab", (1, 0), day=date(2022, 1, 15)), game("ac", (1, 0), day=date(2023, 1, 15))]
    walk = block_of(design(*some, walk="team", period="month", as_of=date(2024, 8, 1)), "team_walk")
    assert walk.idle == pytest.approx([1.5, 2.5, 1.5])  # July 2024 is the last month before the as-of date
