"""Games to come as they were foreseen: nothing of what came to be known with their results."""

from dataclasses import replace

import polars as pl

from modeling.outlook.fixtures import _as_foreseen, _with_line_ups


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
