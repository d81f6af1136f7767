"""A file of fixtures: what is read, and what is left out with its line and reason."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from modeling.outlook.given import Names, read_given, read_names
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
        yield con


def names(con: duckdb.DuckDBPyConnection, kind: str = "team") -> Names:
    return read_names(con, "x", kind)


def read(tmp_path: Path, text: str, names: Names, *, is_race: bool = False):
    path = tmp_path / "fixtures.csv"
    path.write_text(text)
    return read_given(path, names, AS_OF, "2031/32", is_race=is_race)


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
