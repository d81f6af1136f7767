"""Games to come as they were foreseen: nothing of what came to be known with their results."""

from dataclasses import replace

import polars as pl

from modeling.outcomes import order
from modeling.outlook.fixtures import _as_foreseen, _with_entrants, _with_line_ups


def test_line_ups_of_games_that_are_over_by_now_are_not_foreseen(game, games):
    """Of two games to come, one over by now and one announced with its line-ups, only the latter's are known."""
    usual, other = (("ann", "bob"), ("cy",)), (("eve",), ("cy",))
    league = games(*(game(("a", "b"), day=day, players=who) for day, who in enumerate((usual, other, other))))
    asked = replace(league, to_come=frozenset({"g00001", "g00002"}))
    listed = pl.DataFrame({"game_id": ["g00000", "g00001", "g00002"], "status": ["played", "played", "scheduled"]})
    found = _with_line_ups(_as_foreseen(asked, listed), frozenset()).appearances.filter(pl.col("side") == 1)
    by_game = {key: own["player"].sort().to_list() for (key,), own in found.group_by("game_id")}
    assert by_game == {"g00000": ["ann", "bob"], "g00001": ["ann", "bob"], "g00002": ["eve"]}


def test_sides_that_are_their_players_are_known(game, games):
    league = games(*(game((None, None), day=day, players=(("ann",), ("bob",))) for day in range(2)))
    asked = replace(league, to_come=frozenset({"g00001"}))
    listed = pl.DataFrame({"game_id": ["g00000", "g00001"], "status": ["played", "played"]})
    assert _as_foreseen(asked, listed).appearances.equals(asked.appearances)


def test_entrants_of_races_that_are_over_by_now_are_those_of_the_last_one_before(game, games):
    """Of three races to come one is over by now, with a driver who came later; one has its entrants; one has none."""
    usual, later = (("ann",), ("bob",)), (("ann",), ("eve",))
    league = games(*(game(("x", "y"), day=day, places=(1, 2), players=who) for day, who in
                     enumerate((usual, later, later, usual))))  # fmt: skip
    last = pl.col("game_id") == "g00003"
    sides = league.sides.filter(~last | (pl.col("side") == 1)).with_columns(
        pl.when(~last).then(pl.col("side")).alias("side")
    )
    bare = replace(league, sides=sides, appearances=league.appearances.filter(~last))
    listed = pl.DataFrame(
        {"game_id": [f"g0000{k}" for k in range(4)], "status": ["played", "played", "scheduled", "scheduled"]}
    )
    as_of = sides["played_on"].unique().sort()[1]
    found = _with_entrants(bare, listed, order.BEST_FIRST, as_of)
    by_game = {key: own.sort("side")["player"].to_list() for (key,), own in found.appearances.group_by("game_id")}
    assert by_game == {
        "g00000": ["ann", "bob"], "g00001": ["ann", "bob"], "g00002": ["ann", "eve"], "g00003": ["ann", "bob"]
    }  # fmt: skip
    assert found.sides.filter(pl.col("game_id") == "g00001")["finish"].null_count() == 2
    assert found.sides.group_by("game_id").len()["len"].to_list() == [2] * 4
