"""What a Design says of results: noise by a code, order, wins, draws, margins, and mistakes in one sentence."""

import numpy as np
import pytest

from store.errors import FitError

# Noise and results


def test_noise_codes_count_from_the_commonest_value(design, game):
    some = [game("ab", (1, 0), best_of=b) for b in ("3", "5", "3", "5", "3")] + [game("ab", (1, 0))]
    found = design(*some, noise="best_of")
    assert found.noise[0].values == ("5", "unknown")
    assert found.noise[0].codes.tolist() == [0, 1, 0, 1, 0, 2]
    assert [one.name for one in found.auxiliaries] == ["noise_best_of_5", "noise_best_of_unknown"]
    noise = found.likelihood_arguments({"noise_best_of_5": np.log(2.0), "noise_best_of_unknown": 0.0})["noise"]
    assert noise.tolist() == pytest.approx([1, 2, 1, 2, 1, 1])
    assert len(found.cell_rows) == 3  # rows of the same two sides but other noise are not put together


def test_noise_by_something_of_many_values_is_refused(design, game):
    some = [game("ab", (1, 0), altitude=str(n)) for n in range(13)]
    with pytest.raises(FitError, match='x: noise = "altitude" has 13 values') as caught:
        design(*some, noise="altitude")
    assert "at most 12" in str(caught.value.hint)
    assert len(design(*some[:12], noise="altitude").noise[0].values) == 11


def test_noise_of_a_race_goes_by_entrant(design, game):
    some = [game("abc", places=(1, 2, 3), rain=r) for r in ("no", "yes", "no")]
    assert design(*some, outcome="order", noise="rain").noise[0].codes.tolist() == [0] * 3 + [1] * 3 + [0] * 3


def test_order_leaves_out_who_did_not_finish_and_races_of_one(design, game):
    some = [game("abc", places=(2, None, 1)), game("abd", places=(1, None, None)), game("abc", places=(1, 2, 3))]
    found = design(*some, outcome="order")
    assert found.y.tolist() == [2, 1, 1, 2, 3]
    assert found.game.tolist() == [0, 0, 1, 1, 1]
    assert found.kind("team").competitors == ("a", "b", "c")
    assert found.notes == ("3 entrants without a place were left out.", "1 entrants alone in their race were left out.")
    assert found.opponent.tolist() == [-1] * 5


def test_order_without_places_is_refused(design, game):
    with pytest.raises(FitError, match='x: no game has two entrants with a place; outcome "order" needs places'):
        design(game("ab", (2, 1)), outcome="order")


def test_a_win_is_who_won_and_else_the_score(design, game):
    some = [
        game("ab", (2, 1), won=(False, True)),  # a walkover, say: who won counts
        game("ab", (2, 1)),
        game("ab", (1, 1)),  # nobody won
        game("ab", (1, 1), won=(True, False)),  # on penalties
        game("ab", won=(True, True)),  # not one winner
        game("ab"),
    ]
    found = design(*some)
    assert found.y.tolist() == [0, 1, 1]
    assert found.games == 3
    assert found.notes == ("3 games without a winner were left out.",)


def test_a_result_may_be_a_draw_and_games_without_one_are_noted(design, game):
    some = [game("ab", (1, 1)), game("ab", (2, 1)), game("ab", (1, 1), won=(False, True)), game("ab", won=(True, True))]
    found = design(*some, outcome="result")
    assert found.y.tolist() == [1, 0, 2]
    assert found.notes == ("1 games without a result were left out.",)


def test_a_game_without_scores_that_nobody_won_is_a_draw(design, game):
    found = design(game("ab", won=(True, False)), game("ab"), game("ab", won=(False, False)), outcome="result")
    assert found.y.tolist() == [0, 1, 1]
    assert found.notes == ()


def test_a_margin_is_the_first_sides_and_its_exposure_the_mean_of_both(design, game):
    found = design(game("ab", (2, 5), exposure=(10.0, 12.0)), game("ab", (4, 3)), outcome="margin")
    assert found.y.tolist() == [-3, 1]
    assert found.exposure.tolist() == [11, 1]
    both = design(game("ab", (2, 5), exposure=(10.0, 12.0)), outcome="score")
    assert both.exposure.tolist() == [10, 12]


def test_games_without_any_result_are_refused(design, game):
    with pytest.raises(FitError, match="x: no game has a result that win can use"):
        design(game("ab", (1, 1)))


def test_a_race_is_not_a_game_of_two_sides(design, game):
    with pytest.raises(FitError, match=r"x: game g00000 has 3 side\(s\); this outcome needs two") as caught:
        design(game("abc", (1, 2, 3)), outcome="score")
    assert 'outcome = "order"' in caught.value.hint


# Mistakes in a stanza


@pytest.mark.parametrize(
    ("stanza", "said", "hint"),
    [
        ({"effects": "tem:home"}, 'effect "tem:home" is of "tem"', 'Did you mean "team:home"?'),
        ({"effects": "umpire:home"}, 'effect "umpire:home" is of "umpire"', "team, player, home"),
        ({"effects": "team"}, 'effect "team" cannot be read', '"team:…"'),
        ({"effects": "team:"}, 'effect "team:" cannot be read', '"team:…"'),
        ({"effects": "season"}, 'effect "season" cannot be read', "name of an attribute"),
        ({"effects": "home:home"}, 'effect "home:home" cannot be read', "name of an attribute"),
        ({"effects": "team:surfac"}, 'asks for "surfac"', 'Did you mean "surface"?'),
        ({"effects": "player:zzz"}, 'asks for "zzz"', "The games have: surface."),
        ({"noise": "best_off"}, 'asks for "best_off"', "The games have: surface."),
        ({"effects": "home", "outcome": "order"}, 'effect "home" needs a home side', 'Take "home" out'),
        ({"effects": "team:home", "outcome": "order"}, 'effect "team:home" needs a home side', 'Take "team:home" out'),
        ({"outcome": "score", "noise": "surface"}, "noise = ['surface'] means nothing", "Take `noise` out"),
        ({"walk": "team"}, "walk = ['team'] needs a period", 'Set period = "season"'),
        ({"persistence": 0.5}, "persistence = 0.5 is of what walks, and nothing walks", "take `persistence` out"),
        ({"walk": "teams", "period": "season"}, 'walk = "teams" is neither rated nor an effect', "It can be team."),
        (
            {"walk": ("team", "team:season"), "period": "season", "effects": "team:season"},
            "a value of its own for each season",
            "set a shorter period",
        ),
        ({"roles": "SP"}, "roles = ['SP'], and the model has nothing of players", "take `roles` out"),
        ({"rate": "player"}, "asks for players, and no side", 'Take "player" out'),
        ({"effects": "player:surface"}, "asks for players, and no side", 'Take "player" out'),
        ({"priors": {"taem": 1.0}}, 'no prior called "taem"', 'Did you mean "team"?'),
        ({"priors": {"zzz": 1.0}}, 'no prior called "zzz"', "Priors can be set for team."),
    ],
)
def test_every_mistake_is_one_sentence_that_names_league_and_setting(design, game, stanza, said, hint):
    some = [game("ab", (2, 1), home=0, surface="clay", places=(1, 2))]
    with pytest.raises(FitError) as caught:
        design(*some, asked=("surfac", "zzz", "best_off"), known={"surface"}, **stanza)
    assert caught.value.message.startswith("x: ")
    assert said in caught.value.message
    assert hint in str(caught.value.hint)
    assert "\n" not in caught.value.message
