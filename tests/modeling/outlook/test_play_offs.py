"""Play-offs: who gains what in every season sums to what the rules say, and is who the ratings say."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from modeling.build import build_design
from modeling.outlook.coming import Coming, coming_of
from modeling.outlook.competitions import Competition, competitions
from modeling.outlook.fixtures import Fixtures, with_games
from modeling.outlook.given import Names
from modeling.outlook.play_offs import Gained, PlayOffs, decide, play_offs_of
from modeling.outlook.rules import check_rules
from modeling.outlook.season import Fixed, Simulated, simulate
from modeling.outlook.simulated import simulated_rows
from modeling.outlook.table import Tables
from modeling.outlook.ties import as_given, decided
from store.errors import FitError
from store.seasons import PlayOff, SeasonRules

CATALOGUE = Path(__file__).parents[3] / "data" / "leagues.toml"
TEAMS = tuple(f"t{k}" for k in range(8))
SEASONS = 600
FOUR = {"bracket": ["low 1", "low -2", "low 2", "low 3"], "rounds": ["two_legs", "neutral"], "won": {"low": "up"}}
TWO = {"bracket": ["high -2", "low 3"], "rounds": ["two_legs"], "won": {"low": "up"}, "lost": {"high": "down"}}
LADDER = {"bracket": ["low 1", "", "low 4", "low 5"], "rounds": ["better", "neutral"], "won": {"low": "up"},
          "level": "better"}  # fmt: skip
FINAL = {"bracket": ["low 1", "low 2"], "rounds": ["neutral"], "won": {"low": "up"}}


@pytest.fixture(scope="module")
def known(game, games, known_league):
    """Eight that met twice, t0 the best and t7 the worst; the last game, of t7 at t6's, is to come."""
    rng = np.random.default_rng(8)
    pairs = sorted(permutations(range(8), 2), key=lambda pair: (pair == (6, 7), pair)) * 2
    scores = [tuple(map(float, rng.poisson((1.5 * 1.15 ** (b - a) + 0.2, 1.2 * 1.15 ** (a - b))))) for a, b in pairs]
    rows = [game((f"t{a}", f"t{b}"), score, day, home=0, season="2024")
            for day, ((a, b), score) in enumerate(zip(pairs, scores, strict=True))]  # fmt: skip
    league = games(*rows)
    return known_league(league, league.sides["played_on"].max(), outcome="score", effects=("home",))


def ahead(known: Any, off: PlayOffs) -> Coming:
    """The game to come, and all that the play-offs may come to."""
    day = known.games.sides["played_on"].max()
    added = as_given(off.meetings(day), day, "2024", "team")
    fixtures = Fixtures(
        known.design.outcome, known.games, frozenset(), pl.DataFrame(), pl.DataFrame(), known.games.as_of
    )
    games = with_games(fixtures, added, frozenset())
    later = frozenset(added.sides["game_id"])
    rng = np.random.default_rng(5)
    return coming_of(build_design(known.stanza, games), games, known.stanza, known.draws, rng, later)


def ended(seed: int, sides: int) -> Tables:
    places = np.argsort(np.random.default_rng(seed).random((SEASONS, sides)), axis=1).astype(np.int16) + 1
    return Tables(np.zeros(places.shape), places)


def played(known: Any, said: list[dict], sides: dict[str, tuple[str, ...]], ends: dict[str, Tables]) -> dict[str, Any]:
    off = play_offs_of([PlayOff.model_validate(one) for one in said], sides)
    coming = ahead(known, off)
    assert coming.later is not None
    draw, rng = np.arange(SEASONS) % len(coming.known), np.random.default_rng(1)
    return decide(off, ends, coming.later, draw, coming.walk(draw, rng)[1], rng)


def test_as_many_go_up_as_come_down_in_every_season(known):
    """Whoever wins a play-off between two tables, one is up and one down, or nobody is either."""
    sides = {"high": TEAMS[:3], "low": TEAMS[3:]}
    found = played(known, [TWO], sides, {name: ended(2, len(own)) for name, own in sides.items()})
    (up,), (down,) = found["low"], found["high"]
    assert set(up.places.tolist()) == {0, 3}
    assert ((up.places == 3) == (down.places == 2)).all()  # -2 of three is the second
    assert 0.05 < (up.places == 3).mean() < 0.5  # the low table has the weaker sides


def test_somebody_wins_each_play_off_in_every_season_and_byes_are_nobody(known):
    """In the ladder the first has a bye, and then a single game: it wins oftener than both the others."""
    found = played(known, [FOUR, LADDER], {"low": TEAMS[3:]}, {"low": ended(3, 5)})
    four, ladder = found["low"]
    assert (four.number, ladder.number) == (1, 2)
    assert set(four.places.tolist()) == {1, 2, 3, 4}
    assert set(ladder.places.tolist()) == {1, 4, 5}
    assert 0.4 < (ladder.places == 1).mean() < 0.6


@settings(max_examples=5, deadline=None)
@given(st.permutations(range(5)), st.booleans())
def test_who_stands_where_in_a_list_tells_nothing(known, order, turned):
    """Of the sides of a table, the same to the season; of two that meet, to within five errors."""
    ends = ended(4, 5)
    moved = Tables(ends.points, ends.places[:, order])
    (one,) = played(known, [FOUR], {"low": TEAMS[3:]}, {"low": ends})["low"]
    low = tuple(TEAMS[3:][k] for k in order)
    (other,) = played(known, [FOUR], {"low": low}, {"low": moved})["low"]
    assert (one.places == other.places).all()
    bracket = FOUR["bracket"][::-1] if turned else [*FOUR["bracket"][2:], *FOUR["bracket"][:2]]
    (again,) = played(known, [FOUR | {"bracket": bracket}], {"low": low}, {"low": moved})["low"]
    for place in range(1, 5):
        assert abs((one.places == place).mean() - (again.places == place).mean()) < 5 * np.sqrt(0.5 / SEASONS)


def always(*sides: int) -> Tables:
    """Seasons that all end with t3, t4, ... in these places."""
    return Tables(np.zeros((SEASONS, len(sides))), np.tile(np.array(sides, np.int16), (SEASONS, 1)))


def test_a_final_on_neutral_ground_is_won_by_the_chance_of_the_ratings(known):
    """And at the better placed's oftener by him."""
    states = {name: known.draws.states["team", name] for name in ("attack", "defence")}
    first, second = (
        known.draws.parameters["intercept"]
        + states["attack"][1][:, states["attack"][0][a]] - states["defence"][1][:, states["defence"][0][b]]
        for a, b in (("t3", "t4"), ("t4", "t3"))
    )  # fmt: skip
    true = decided(known.design.outcome, first, second, {"noise": 1.0}).mean()
    chances = [(played(known, [said], {"low": TEAMS[3:5]}, {"low": always(1, 2)})["low"][0].places == 1).mean()
               for said in (FINAL, FINAL | {"rounds": ["better"]}, FINAL | {"level": "better"})]  # fmt: skip
    error = np.sqrt(true * (1 - true) / SEASONS)
    assert abs(chances[0] - true) < 5 * error
    assert chances[1] > chances[0] + 0.02
    assert chances[2] > chances[0]


def test_seasons_have_what_play_offs_decide_beside_what_places_mean(known):
    """Of a table with a game left the second and the winner of places 3 to 6 are up, whatever result is given."""
    play_off = {"bracket": ["3", "6", "4", "5"], "rounds": ["two_legs", "neutral"], "won": {"": "up"}}
    rules = SeasonRules.model_validate({"places": {"up": (1, 2), "play_offs": (3, 6)}, "play_offs": [play_off]})
    off = play_offs_of(rules.play_offs, {"": TEAMS})
    coming = ahead(known, off)
    left = Competition("", TEAMS, (known.design.game_ids[-1],), np.array([6]), np.array([7]), np.full((1, 2), np.nan),
                       np.zeros(1, bool), np.array([0]))  # fmt: skip
    for fixed in (None, Fixed({left.game_ids[0]: (0.0, 1.0)})):
        (end,) = simulate(coming, [left], rules, np.random.default_rng(1), seasons=SEASONS, fixed=fixed, play_offs=off)
        prizes = end.prizes(rules.places)
        assert (prizes["up"].sum(axis=1) == 3).all()
        assert (prizes["play_offs"].sum(axis=1) == 4).all()
        assert not (prizes["up"] & (end.tables.places > 6)).any()
        (gained,) = end.gained
        assert (np.take_along_axis(prizes["up"], np.argsort(end.tables.places), axis=1)[
            np.arange(SEASONS), gained.places - 1]).all()  # fmt: skip
        assert set(replace(end, gained=(Gained("other", 1, gained.places),)).prizes({})) == {"other"}


def test_a_table_that_is_over_waits_for_its_play_off(known):
    """Its last plays the first of the other, which has a game left: one of the two is up, or nobody is."""
    listed = known.games.sides.filter(pl.col("side") == 1).select(
        "game_id", status=pl.lit("played"), round=pl.lit("1"), shoot_out=pl.lit(None, pl.String),
        table=pl.when(pl.col("team").is_in(TEAMS[:4])).then(pl.lit("high")).otherwise(pl.lit("low")),
    )  # fmt: skip
    within = known.games.sides.with_columns(top=pl.col("team").is_in(TEAMS[:4]).cast(pl.Int8)).filter(
        pl.col("top").n_unique().over("game_id") == 1
    )
    games = replace(known.games, sides=within.drop("top"))
    coming = pl.col("game_id").is_in(list(games.to_come))
    played = games.sides.filter(~coming).with_columns(score=pl.col("side").cast(pl.Float64))
    said = {"bracket": ["high -1", "low 1"], "rounds": ["two_legs"], "won": {"low": "up"}, "lost": {"high": "down"}}
    fixtures = Fixtures(known.design.outcome, games, frozenset(), listed, played, known.draws.as_of)
    for play_offs, tables in (([], ["low"]), ([said], ["high", "low"])):
        rules = SeasonRules.model_validate({"table": "table", "places": {"last": (-1, -1)}, "play_offs": play_offs})
        found = competitions(fixtures, "2024", rules)
        assert [one.table for one in found] == tables
    off = play_offs_of(rules.play_offs, {one.table: one.sides for one in found})
    ends = simulate(ahead(known, off), found, rules, np.random.default_rng(1), seasons=SEASONS, play_offs=off)
    high, low = (end.prizes(rules.places) for end in ends)
    assert (high["down"].sum(axis=1) == low["up"].sum(axis=1)).all()
    assert 0 < low["up"].any(axis=1).mean() < 1
    rows = [simulated_rows(one, end, rules.places, rules) for one, end in zip(found, ends, strict=True)]
    joined = {name: pl.concat(each[name] for each in rows) for name in rows[0]}
    assert joined["simulated_game"]["table"].to_list() == ["low"]
    assert joined["simulated_play_off"].select("table", "prize").rows() == [("high", "down"), ("low", "up")]


def test_two_legs_need_counts(known):
    coming = ahead(known, off := play_offs_of([PlayOff.model_validate(FOUR)], {"low": TEAMS}))
    assert coming.later is not None
    outcome = replace(coming.later.design.outcome, counts=False)
    later = replace(coming.later, design=replace(coming.later.design, outcome=outcome))
    draw, rng = np.arange(SEASONS) % len(coming.known), np.random.default_rng(1)
    with pytest.raises(FitError, match="Two legs need scores that are counts"):
        decide(off, {"low": ended(1, 8)}, later, draw, coming.walk(draw, rng)[1], rng)


def test_what_tables_do_not_have_is_not_played():
    both = [PlayOff.model_validate(one) for one in (FOUR, TWO)]
    assert set(play_offs_of(both, {"low": TEAMS[:5]}).rules) == {1}
    assert set(play_offs_of(both, {"low": TEAMS[:3], "high": TEAMS[3:5]}).rules) == {2}  # low -2 is low 2 already


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"bracket": ["low 1", "low 2", "low 3"]}, "a bracket has 2, 4, 8"),
        ({"rounds": ["neutral"]}, "each round of it is one of `rounds`"),
        ({"rounds": ["away", "neutral"]}, "two_legs"),
        ({"bracket": ["low 1", "low", "low 3", "low 4"]}, '"low" is no place'),
        ({"bracket": ["low 1", "low 0", "low 3", "low 4"]}, '"low 0" is no place'),
        ({"bracket": ["low 1", "low 1", "low 3", "low 4"]}, '"low 1" stands in two slots'),
        ({"bracket": ["", "", "low 3", "low 4"]}, "one is of somebody"),
        ({"won": {"high": "up"}}, 'nobody of a table "high"'),
        ({"won": {}}, "it decides something"),
        (FINAL | {"lost": {"low": "up"}}, 'who of a table "low" wins it has "up", and who loses it too'),
        ({"lost": {"low": "down"}}, "it decides something"),
        ({"bracket": ["high 1", "low 1", "low 2", "low 3"], "level": "better"}, "places of one table"),
    ],
)
def test_a_mistake_in_a_play_off_is_named(more, says):
    with pytest.raises(ValidationError, match=says):
        PlayOff.model_validate(FOUR | more)


@pytest.mark.parametrize(
    ("places", "slot", "is_right"),
    [((1, 2), "low 2", False), ((1, 2), "low 3", True), ((-3, -1), "low -3", False), ((-3, -1), "low 3", True),
     ((2, -2), "low 3", False), ((2, -2), "low -1", True)],
)  # fmt: skip
def test_who_plays_for_a_prize_has_it_not_by_places(places, slot, is_right):
    said = {"places": {"up": places}, "play_offs": [FINAL | {"bracket": [slot, "far 1"]}]}
    if is_right:
        assert SeasonRules.model_validate(said).places_of("low") == {"up": places}
    else:
        with pytest.raises(ValidationError, match=rf'"{slot}" has "up" by `places`.*play-off of {slot}, far 1'):
            SeasonRules.model_validate(said)


@pytest.mark.parametrize(
    ("prize", "slot", "is_right"), [("up", "low 3", False), ("up", "low 2", True), ("cup", "low 3", True)]
)
def test_a_place_plays_for_a_prize_once(prize, slot, is_right):
    one = FINAL | {"bracket": ["low 3", "low 4"], "won": {"low": "up"}}
    said = {"play_offs": [one, one | {"bracket": [slot, "low 5"], "won": {"low": prize}}]}
    if is_right:
        assert len(SeasonRules.model_validate(said).play_offs) == 2
    else:
        with pytest.raises(ValidationError, match='"low 3" plays for "up" in two play-offs'):
            SeasonRules.model_validate(said)


def test_what_a_play_off_decides_is_not_given_by_usual_places(known):
    """The first plays for the title: one champion a season, by the play-off; of other tables the first, as usual."""
    said = {"bracket": ["1", "4", "2", "3"], "rounds": ["two_legs", "neutral"], "won": {"": "champion"}}
    rules = SeasonRules.model_validate({"play_offs": [said]})
    (won,) = played(known, [said], {"": TEAMS}, {"": (tables := ended(6, 8))})[""]
    end = Simulated(tables, np.empty((SEASONS, 0), np.int8), np.empty((0, 0, 3)), (won,))
    assert (end.prizes(rules.places_of(""))["champion"].sum(axis=1) == 1).all()
    assert rules.places_of("other") == {"champion": (1, 1)}


@pytest.mark.parametrize(
    ("there", "bracket", "says"),
    [
        (["First Division", "Second Division"], ("Frist Division 1", "Frist Division 2"),
         'no game is of a table "Frist Division" (did you mean "First Division"?): what it is of is not played'),
        (["low", "high"], ("1", "2"), 'a place is of no table (there are "high", "low")'),
        ([""], ("low 1", "low 2"), 'no game is of a table "low" (a season has one)'),
        (["low", "over"], ("over 1", "over 2"), ""),
    ],
)  # fmt: skip
def test_a_play_off_of_a_table_that_no_season_has_is_told(known, there, bracket, says):
    """One of a table that is not of this season is not."""
    listed = pl.DataFrame({"game_id": there, "table": there})
    fixtures = Fixtures(known.design.outcome, known.games, frozenset(), listed, known.games.sides, known.draws.as_of)
    table = bracket[0][:-2]
    rules = SeasonRules.model_validate({"play_offs": [FINAL | {"bracket": bracket, "won": {table: "up"}}]})
    doubts = check_rules(fixtures, rules, Names("x", "team"), {there[0]: 8}, is_race=False)
    assert [says in doubt and doubt.startswith("`play_offs`: ") for doubt in doubts] == [True] * bool(says)


@pytest.mark.parametrize(
    ("days", "sides", "says"),
    [(29, ["high"], True), (31, ["high"], False), (1, ["high", "low"], False)],
)
def test_a_play_off_whose_table_lacks_games_is_told_to_be_left_out(known, days, sides, says):
    """Where its last game was shortly before the as-of date, and nothing simulates the table."""
    games = known.games
    (next_day,) = games.sides.filter(pl.col("game_id").is_in(list(games.to_come)))["played_on"].unique()
    low = games.sides.filter(pl.col("game_id") == games.sides["game_id"][0])
    seen = low.with_columns(played_on=pl.lit(next_day - timedelta(days=days)))
    listed = low.select("game_id", table=pl.lit("low")).unique()
    fixtures = Fixtures(known.design.outcome, games, frozenset(), listed, seen, next_day)
    rules = SeasonRules.model_validate({"play_offs": [FINAL]})
    doubts = check_rules(fixtures, rules, Names("x", "team"), dict.fromkeys(sides, 8), is_race=False)
    said = "`play_offs`: no game of low is to come, and not everybody there has met everybody equally often"
    assert [doubt.startswith(said) for doubt in doubts] == [True] * says


def test_tables_that_no_game_is_of_are_told_once(known):
    """With their play-offs; one that is written wrong by itself."""
    listed = pl.DataFrame({"game_id": ["a", "b"], "table": ["en.1", "North Division"]})
    fixtures = Fixtures(known.design.outcome, known.games, frozenset(), listed, known.games.sides, known.draws.as_of)
    own = {name: {"places": {}} for name in ("en.1", "es", "it", "Nort Division")}
    off = FINAL | {"bracket": ["es 1", "es 2"], "won": {"es": "up"}}
    rules = SeasonRules.model_validate({"tables": own, "play_offs": [off]})
    assert check_rules(fixtures, rules, Names("x", "team"), {"en.1": 8}, is_race=False) == (
        '`tables`: no game is of a table "Nort Division" (did you mean "North Division"?)',
        '`tables`: no game is of any of "es", "it" (there are "North Division", "en.1")',
    )


def counted(rules: SeasonRules, table: str, prize: str, won: bool) -> int:
    """How many of a table have a prize if those of it win their play-offs against other tables, or lose them."""
    first, last = rules.places_of(table).get(prize, (1, 0))
    own = [one for one in rules.play_offs if prize in (one.won.get(table), one.lost.get(table))]
    across = [one for one in own if len(one.tables) > 1]
    return last - first + 1 + len(own) - len(across) + sum(won == (one.won.get(table) == prize) for one in across)


@pytest.mark.parametrize(
    ("league", "below"),
    [
        ("english_football", {"en.2": "en.1", "en.3": "en.2", "en.4": "en.3"}),
        ("european_football", {"en.2": "en.1", "en.3": "en.2", "en.4": "en.3", "de.2": "de.1", "es.2": "es.1",
                               "it.2": "it.1"}),
        ("english_football_odds", {"E1": "E0", "E2": "E1", "E3": "E2", "EC": "E3"}),
    ],
)  # fmt: skip
def test_the_catalogues_divisions_exchange_as_many(league, below):
    stanza: Any = tomlkit.parse(CATALOGUE.read_text())[league]
    rules = SeasonRules.model_validate(stanza["season"])
    assert set(below) <= {table for one in rules.play_offs for table in one.won}
    for low, high in below.items():
        for won in (True, False):
            assert counted(rules, low, "promoted", won) == counted(rules, high, "relegated", not won), (low, won)
