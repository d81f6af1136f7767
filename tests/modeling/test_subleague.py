"""A small league out of a large one: who is in it, which games, and how large it may be."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from modeling.build import build_design
from modeling.subleague import sub_league
from store.errors import FitError
from store.stanzas import Stanza

DAYS = [date(2014, 1, 1) + timedelta(days=4 * number) for number in range(800)]  # to October 2022


@pytest.fixture(scope="module")
def walking() -> Stanza:
    return Stanza(
        title="x", feed="none", source=("none",), outcome="win", rate=("player",), period="quarter", walk=("player",)
    )


@pytest.fixture(scope="module")
def long_league(games, game):
    """Forty players over nine years; the lower a player's number, the more it plays."""
    rng = np.random.default_rng(5)
    weight = 1 / np.arange(1, 41)
    pairs = [rng.choice(40, 2, replace=False, p=weight / weight.sum()) for _ in DAYS]
    played = [
        game((None, None), day=day, won=(True, False), players=((f"p{a:02d}",), (f"p{b:02d}",)))
        for day, (a, b) in zip(DAYS, pairs, strict=True)
    ]
    return games(*played)


def players_of(games) -> set[str]:
    return set(games.appearances["player"])


def test_it_is_as_large_as_allowed_and_no_larger(long_league, walking):
    whole = build_design(walking, long_league).effects
    chosen, design = sub_league(long_league, walking, most=100)
    larger, wider = sub_league(long_league, walking, most=160)
    assert whole > 300
    assert 60 < design.effects <= 100 < wider.effects <= 160
    assert players_of(chosen) < players_of(larger)


def test_it_is_the_games_of_late_among_those_who_play_most(long_league, walking):
    chosen, design = sub_league(long_league, walking, most=100)
    who = players_of(chosen)
    recent = long_league.sides.filter(long_league.sides["played_on"] > DAYS[-1] - timedelta(days=1826))["game_id"]
    playing = long_league.appearances.filter(long_league.appearances["game_id"].is_in(recent.implode()))
    games = dict(playing.group_by("player").len().iter_rows())
    assert min(games[one] for one in who) >= max(number for one, number in games.items() if one not in who)
    both = playing.group_by("game_id").agg("player").iter_rows()
    expected = {game for game, players in both if set(players) <= who}
    assert set(chosen.sides["game_id"]) == expected
    assert design.games == len(expected)
    assert chosen.sides.height == 2 * len(expected) == chosen.appearances.height
    assert chosen.as_of == long_league.as_of


def test_the_same_games_give_the_same_sub_league(long_league, walking):
    assert sub_league(long_league, walking, 100)[0].fingerprint == sub_league(long_league, walking, 100)[0].fingerprint


def test_what_is_small_enough_is_kept_whole(long_league, walking):
    recent = long_league.sides.filter(long_league.sides["played_on"] > DAYS[-1] - timedelta(days=1826))
    assert sub_league(long_league, walking, most=5000)[0].sides.equals(recent)


def test_of_a_race_the_entrants_in_it_are_kept(games, game):
    races = [
        game(tuple("abcdefgh"[:size]), places=tuple(range(1, size + 1)), day=number)
        for number, size in enumerate([8, 6, 5, 5, 4, 4])
    ]
    stanza = Stanza(title="x", feed="none", source=("none",), outcome="order", min_games=1)
    chosen, design = sub_league(games(*races), stanza, most=6)
    assert set(chosen.sides["team"]) == set("abcd" if design.effects == 5 else "abcde")
    assert design.effects <= 6
    assert design.games == 6


def test_two_who_are_too_many_are_an_error_with_a_way_out(long_league, walking):
    with pytest.raises(FitError, match="no part of it has 2 effects or fewer") as error:
        sub_league(long_league, walking, most=2)
    assert "longer period" in str(error.value.hint)


def test_teams_decide_where_sides_have_teams(games, game):
    """Players of the chosen teams come with them."""
    rng = np.random.default_rng(1)
    teams = [f"t{number}" for number in range(12)]
    lineups = {team: [f"{team}-{number}" for number in range(5)] for team in teams}
    pairs = [rng.choice(12, 2, replace=False, p=np.arange(12, 0, -1) / 78) for _ in range(200)]
    played = [
        game((teams[a], teams[b]), scores=(1.0, 0.0), day=day, players=tuple(lineups[teams[one]][:3] for one in (a, b)))
        for day, (a, b) in enumerate(pairs)
    ]
    stanza = Stanza(title="x", feed="none", source=("none",), outcome="margin", rate=("player",))
    chosen, _ = sub_league(replace(games(*played), league="x"), stanza, most=15)
    own = set(chosen.sides["team"])
    assert len(own) == 4
    assert players_of(chosen) == {player for team in own for player in lineups[team][:3]}
