"""A file of fixtures: what is read, and what is left out with its line and reason."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from modeling.outlook.cup_file import Cup
from modeling.outlook.given import Names, insist_on_values, read_given, read_names
from store.errors import UsageError
from store.home import Home
from store.warehouse import writing

AS_OF = date(2031, 8, 1)


@pytest.fixture
def con(tmp_path):
    with writing(Home(tmp_path)) as con:
        teams = {"t:1": "Athletic", "t:2": "Rovers", "t:3": "Rovers", "t:4": "City"}
        players = {"p:1": "A. Player", "p:2": "B. Player"}
        rows = [(one, "team", name) for one, name in teams.items()]
        for row in [*rows, *((one, "player", name) for one, name in players.items())]:
            con.execute("INSERT INTO competitor VALUES ('x', ?, ?, ?, NULL)", row)
        con.execute("INSERT INTO alias VALUES ('x', 'The Blues', 't:4', NULL, NULL)")
        con.execute("INSERT INTO game VALUES ('x', 'g', 'g', 0, '2030', DATE '2030-01-01', 'day', 'played', '', false,"
                    " MAP {'surface': 'grass'}, 'a')")  # fmt: skip
        yield con


def test_what_contradicts_itself_is_told_with_its_line(con, tmp_path):
    """A result of a game to come, ground that is and is not neutral, values without a column; a column that says
    nothing is told and left out."""
    text = """date,home,away,home_score,status,neutral,surfaces,surface
2031-08-24,Athletic,City,2,scheduled,,,
2031-08-24,Athletic,City,,played,,,

2031-08-24,Athletic,City,,,yes,,
2031-08-24,Athletic,City,,,perhaps,,
2031-08-24,Athletic,City,,,,,grass,more
2031-08-25,Athletic,City,,scheduled,no,x,grass
"""
    found, mistakes = read(tmp_path, text, names(con))
    assert {one.line: one.reason for one in mistakes} == {
        1: 'the column "surfaces" is no attribute of the games. Did you mean "surface"?',
        2: 'home_score says "2": a game to come has no result',
        3: 'its status is "played": only games to come are forecast',
        5: 'neutral is "yes", yet its sides are home and away: call them first and second',
        6: 'neutral is "perhaps": write true or false',
        7: "it has more values than there are columns",
    }
    assert found.sides["played_on"].unique().to_list() == [date(2031, 8, 25)]
    assert set(found.sides["attribute:surface"]) == {"grass"}
    _, mistakes = read(tmp_path, "date,first,second,neutral\n2031-08-24,Athletic,City,0\n", names(con))
    assert [one.reason for one in mistakes] == [
        'neutral is "0", yet its sides are first and second: call them home and away'
    ]


def test_a_division_is_one_that_games_have(con, tmp_path):
    """Where that is asked of an attribute; an empty one is not said."""
    known = names(con)
    known.values = {"surface": ["en.1", "en.2", "spain"]}
    lines = "".join(f"2031-08-2{day},Athletic,City,{value}\n" for day, value in enumerate(("", "spain", "spian", "x")))
    found, mistakes = read(tmp_path, f"date,home,away,surface\n{lines}", known)
    assert found.sides["played_on"].n_unique() == 2
    assert [(one.line, one.reason) for one in mistakes] == [
        (4, 'no game\'s surface is "spian". Did you mean "spain"? They have: en.1, en.2, spain'),
        (5, 'no game\'s surface is "x". They have: en.1, en.2, spain'),
    ]


@pytest.mark.parametrize(
    ("columns", "is_race", "says"),
    [
        ("date,home,home,away", False, r'fixtures.csv, line 1: the column "home" stands there 2 times'),
        ("date,home,away,first,second", False, "home, away, first and second name the two sides twice"),
        ("date,race,entrant,home", True, 'the entrants of races have no "home"'),
    ],
)
def test_columns_that_contradict_each_other_are_refused(con, tmp_path, columns, is_race, says):
    text = f"{columns}\n2031-08-24,Athletic,City,Athletic,City\n"
    with pytest.raises(UsageError, match=says):
        read(tmp_path, text, names(con), is_race=is_race)


def names(con: duckdb.DuckDBPyConnection, kind: str = "team") -> Names:
    return read_names(con, "x", kind)


def read(tmp_path: Path, text: str, names: Names, *, is_race: bool = False):
    path = tmp_path / "fixtures.csv"
    path.write_text(text)
    return read_given(path, names, AS_OF, "2031/32", is_race=is_race)


def test_an_attribute_is_one_that_games_have(con):
    """By its name and its value; numbers are as results have them."""
    con.execute("UPDATE game SET attributes = MAP {'surface': 'grass', 'best_of': '5'}")
    said = {"date": AS_OF, "bracket": ["a", "b"], "attributes": {"surface": "grass", "best_of": 5}}
    insist_on_values(con, "x", Cup.model_validate(said).attributes)
    for attributes, says in (
        ({"surfaces": "grass"}, 'no attribute "surfaces".\nDid you mean "surface"?'),
        ({"surface": "Gras"}, 'no game\'s surface is "Gras".\nDid you mean "grass"? They have: grass.'),
        ({"best_of": "-5"}, 'no game\'s best_of is "-5".\nDid you mean "5"? They have: 5.'),
        ({"surface": "ice"}, 'no game\'s surface is "ice".\nThey have: grass.'),
    ):
        with pytest.raises(UsageError) as error:
            insist_on_values(con, "x", attributes)
        assert str(error.value) == f"x: {says}" if says.startswith("no game") else says in str(error.value)


def test_names_ids_and_aliases_are_read_whatever_their_case(con, tmp_path):
    text = "date,home,away,surface\n2031-08-24,ATHLETIC,the blues,grass\n2031-08-25,t:2,City,\n"
    found, mistakes = read(tmp_path, text, names(con))
    assert mistakes == []
    assert found.sides["team"].to_list() == ["t:1", "t:4", "t:2", "t:4"]
    assert found.sides["is_home"].to_list() == [True, False, True, False]
    assert found.sides["season"].unique().to_list() == ["2031/32"]
    assert found.sides["attribute:surface"].to_list() == ["grass", "grass", None, None]


def test_each_mistake_has_its_line_and_reason(con, tmp_path):
    text = """date,home,away
2031-08-24,Rovers,City
2031-08-24,Atletic,City
24.08.2031,Athletic,City
2031-07-24,Athletic,City
2031-08-24,City,City
2031-08-24,Athletic,City
2031-08-24,Athletic,City
2031-08-25,Athletic
9999-12-31,Athletic,City
"""
    found, mistakes = read(tmp_path, text, names(con))
    assert found.sides.height == 2
    said = {one.line: one.reason for one in mistakes}
    assert said == {
        2: '"Rovers" can be t:2 or t:3: give the id',
        3: 'no team is called "Atletic"; did you mean "Athletic"?',
        4: '"24.08.2031" is no date: write 2031-08-24',
        5: "2031-07-24 is before 2031-08-01, up to when the ratings know what came of the games",
        6: "it meets itself",
        8: "the same game stands there twice",
        9: 'no team is called ""',
        10: "9999-12-31 is more than ten years after 2031-08-01: is its year right?",
    }


def test_doubles_and_neutral_ground(con, tmp_path):
    text = "date,first,second,season\n2031-08-24,A. Player,B. Player,2030\n"
    found, mistakes = read(tmp_path, text, names(con, "player"))
    assert mistakes == []
    assert found.sides["team"].to_list() == [None, None]
    assert not found.sides["is_home"].any()
    assert found.sides["season"].to_list() == ["2030", "2030"]
    assert found.appearances["player"].to_list() == ["p:1", "p:2"]


def test_a_race_has_a_line_an_entrant(con, tmp_path):
    text = "date,race,entrant,team\n2031-08-24,Here,A. Player,Athletic\n2031-08-24,Here,B. Player,City\n" + (
        "2031-08-24,Here,B. Player,City\n"
    )
    found, mistakes = read(tmp_path, text, names(con, "player"), is_race=True)
    assert [one.line for one in mistakes] == [4]
    assert found.sides["side"].to_list() == [1, 2]
    assert found.sides["team"].to_list() == ["t:1", "t:4"]
    assert found.appearances["player"].to_list() == ["p:1", "p:2"]


@pytest.mark.parametrize("text", ["", "day,home,away\n1,2,3\n", "date,home\n2031-08-24,City\n"])
def test_what_is_no_file_of_fixtures_is_told(con, tmp_path, text):
    with pytest.raises(UsageError, match=r"has no fixtures|lacks columns") as error:
        read(tmp_path, text, names(con))
    assert "date, home, away" in error.value.hint
    with pytest.raises(UsageError, match="cannot be read"):
        read_given(tmp_path / "nowhere.csv", names(con), AS_OF, "", is_race=False)


@pytest.mark.parametrize("header", ["Date,Home,Away", "date;home;away"])
def test_columns_that_are_named_otherwise_are_said(tmp_path, header):
    path = tmp_path / "f.csv"
    path.write_text(f"{header}\n2031-01-01,A,B\n")
    with pytest.raises(UsageError, match="lacks columns") as error:
        read_given(path, Names("x", "team"), date(2031, 1, 1), "2031", is_race=False)
    assert f"date, home, away. It has: {', '.join(header.split(','))}." in error.value.hint
