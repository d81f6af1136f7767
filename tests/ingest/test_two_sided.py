"""The step from one row a game to games, sides, appearances and competitors."""

from datetime import date

import polars as pl

from ingest.frames import Parsed, attributes
from ingest.two_sided import coin, two_sided

NO_REJECTS = pl.DataFrame(schema={"file": pl.String, "line": pl.Int64, "rule": pl.String, "raw": pl.String})


def games(*rows: dict) -> Parsed:
    whole = [
        {"line": line, "raw": f"row {line}", "game_key": f"g{line}", "season": "2024", "played_on": date(2024, 1, 1),
         "status": "played", "home": 1, "first_team": "t:a", "first_name": "A", "first_score": 2, "second_team": "t:b",
         "second_name": "B", "second_score": 1, **row}
        for line, row in enumerate(rows, start=2)
    ]  # fmt: skip
    frame = pl.DataFrame(whole).with_columns(attributes(city=pl.lit(None, pl.String), cup=pl.lit("Cup")))
    return two_sided(frame, NO_REJECTS, "file.csv", len(rows))


def side_of(parsed: Parsed, team: str) -> dict:
    return parsed.sides.filter(pl.col("team") == team).to_dicts()[0]


def test_the_home_side_keeps_its_score_whatever_its_number():
    parsed = games({}, {"game_key": "other"})
    assert parsed.sides.filter("is_home")["team"].unique().to_list() == ["t:a"]
    assert parsed.sides.filter("is_home")["score"].to_list() == [2.0, 2.0]
    assert sorted(parsed.sides.filter(pl.col("game_id") == "other")["side"]) == [1, 2]


def test_nobody_is_at_home_on_neutral_ground():
    parsed = games({"home": 0})
    assert parsed.games["neutral"].to_list() == [True]
    assert not parsed.sides["is_home"].any()


def test_the_winner_is_told_by_the_score_and_a_draw_has_none():
    assert side_of(games({}), "t:a")["won"] is True
    assert side_of(games({}), "t:b")["won"] is False
    assert side_of(games({"second_score": 2}), "t:a")["won"] is None
    assert side_of(games({"first_score": None, "second_score": None, "status": "scheduled"}), "t:a")["won"] is None


def test_a_winner_the_source_names_is_kept():
    assert side_of(games({"second_score": 2, "first_won": False, "second_won": True}), "t:b")["won"] is True


def test_side_order_is_fair_and_tells_nothing_of_home():
    parsed = games(*({"game_key": f"2024-01-01|x{number}|y"} for number in range(2000)))
    first_is_home = parsed.sides.filter(pl.col("side") == 1)["is_home"].mean()
    assert isinstance(first_is_home, float)
    assert 0.45 < first_is_home < 0.55


def test_side_order_never_changes():
    assert [coin(f"game {number}") for number in range(12)] == [bool(int(bit)) for bit in "110010111111"]


def test_a_repeated_key_with_another_result_is_a_second_game_of_the_day():
    parsed = games({"game_key": "same"}, {"game_key": "same", "first_score": 0})
    assert parsed.games.select("game_id", "sequence").rows() == [("same", 0), ("same#2", 1)]
    assert parsed.rejected.is_empty()


def test_a_row_repeated_letter_for_letter_is_rejected_as_a_copy():
    parsed = games({"game_key": "same", "raw": "r"}, {"game_key": "same", "raw": "r"})
    assert parsed.games.height == 1
    assert parsed.rejected.rows() == [("file.csv", 3, "copy of an earlier row", "r")]


def test_attributes_without_a_value_are_left_out():
    assert games({}).games["attributes"].to_list() == [[{"key": "cup", "value": "Cup"}]]


def test_the_last_name_in_the_file_is_the_one_to_show():
    parsed = games(
        {"first_name": "Old"}, {"first_team": "t:b", "first_name": "B", "second_team": "t:a", "second_name": "New"}
    )
    assert dict(parsed.competitors.select("competitor_id", "name").rows())["t:a"] == "New"


def test_players_without_a_team_become_appearances():
    def player(name: str) -> list[dict]:
        return [{"player": f"p:{name}", "name": name, "share": 1.0, "role": None}]

    no_teams = {"first_team": None, "first_name": None, "second_team": None, "second_name": None, "home": 0}
    parsed = games({**no_teams, "first_players": player("Ann"), "second_players": player("Bea")})
    won = parsed.sides.join(parsed.appearances, on=["game_id", "side"]).select("player", "won").rows()
    assert sorted(won) == [("p:Ann", True), ("p:Bea", False)]
    assert parsed.competitors.select("competitor_id", "kind").rows() == [("p:Ann", "player"), ("p:Bea", "player")]


def test_stints_share_their_contest():
    parsed = games({"contest_id": "match"}, {"contest_id": "match"})
    assert parsed.games["contest_id"].to_list() == ["match", "match"]
    assert games({}).games["contest_id"].to_list() == ["g2"]
