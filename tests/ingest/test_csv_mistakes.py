"""`feed = "csv"`: games told twice, mappings that do not fit their file, and files as people really write them."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ingest.checks import check
from ingest.feed import Source, find
from ingest.frames import Parsed
from ingest.pull import pull
from store.errors import FeedError
from store.stanzas import Stanza

NOW = datetime(2025, 11, 1, tzinfo=UTC)
PAIR = {"date": "day", "home": "h", "away": "a", "home_score": "hs", "away_score": "as"}
DUEL = {"date": "day", "winner": "w", "loser": "l", "kind": "player"}
RACE = {"rows": "side", "date": "day", "game": ["race"], "competitor": "driver", "kind": "player", "finish": "place"}


def stanza(columns: dict, *source: Path | str, outcome: str = "score") -> Stanza:
    body = {"title": "T", "feed": "csv", "source": tuple(map(str, source)) or ("x.csv",), "outcome": outcome}
    return Stanza.model_validate(body | {"columns": columns})


def parse(columns: dict, *lines: str, companions: dict[str, bytes] | None = None, is_alone: bool = True) -> Parsed:
    raw = "\n".join(lines).encode()
    return find("csv").parse(raw, Source("lg", "x.csv", stanza(columns), companions or {}, is_alone))


def rules(parsed: Parsed) -> list[tuple[int, str]]:
    return parsed.rejected.select("line", "rule").rows()


def result_of(parsed: Parsed, who: str) -> dict:
    """The side of a team or player, with whom it is of."""
    everyone = parsed.sides.join(
        parsed.appearances.select("game_id", "side", "player"), on=["game_id", "side"], how="left"
    )
    return everyone.filter((pl.col("team") == who) | (pl.col("player") == who)).to_dicts()[0]


def test_a_game_told_again_with_another_result_is_not_loaded_as_a_second_game():
    parsed = parse(
        PAIR | {"attributes": "city", "optional": "city"}, "day,h,a,hs,as,city",
        "2024-05-01,A,B,,,", "2024-05-01,A,B,2,1,", "2024-05-01,A,B,2,1,Port", "2024-05-01,A,B,3,1,Port",
        "2024-05-01,A,B,2,1,Port", "2024-05-01,B,A,0,0,",
    )  # fmt: skip
    assert parsed.games["game_id"].to_list() == ["2024-05-01|A|B", "2024-05-01|B|A"]
    assert result_of(parsed, "lg:A")["score"] == 2
    hint = "(if both were played, map `sequence` or `game`)"
    assert sorted(rules(parsed)) == [
        (2, "same day and sides as line 4, without its result"),
        (3, "same day and sides as line 4, with the same result"),
        (5, f"same day and sides as line 4, with another result {hint}"), (6, "copy of an earlier row"),
    ]  # fmt: skip
    assert parsed.games.height + parsed.rejected.height == parsed.rows_read


def test_a_duel_told_again_from_the_other_side_is_another_result():
    parsed = parse(DUEL, "day,w,l", "2024-05-01,Ann,Bea", "2024-05-01,Bea,Ann")
    assert parsed.games["game_id"].to_list() == ["2024-05-01|Ann|Bea"]
    [(line, rule)] = rules(parsed)
    assert (line, rule.split(" (")[0]) == (3, "same day and sides as line 2, with another result")
    assert result_of(parsed, "lg-player:Ann")["won"] is True


def test_a_sequence_makes_a_double_header_two_games_whatever_their_order_in_the_file():
    rows = ["2024-05-01,A,B,3,1,7", "2024-05-01,A,B,2,0,2", "2024-05-01,A,B,0,5,7"]
    for lines in (rows, rows[1::-1]):
        parsed = parse(PAIR | {"sequence": "n"}, "day,h,a,hs,as,n", *lines)
        assert sorted(parsed.games.select("game_id", "sequence").rows()) == [
            ("2024-05-01|A|B", 2), ("2024-05-01|A|B#2", 7),
        ]  # fmt: skip
        scores = parsed.sides.filter(pl.col("team") == "lg:A").sort("game_id")["score"].to_list()
        assert scores == [2, 3]
    assert rules(parse(PAIR | {"sequence": "n"}, "day,h,a,hs,as,n", *rows)) == [
        (4, "same day and sides and sequence as line 2, with another result")
    ]


def test_a_game_column_makes_a_double_header_two_games_and_is_never_of_two():
    columns = PAIR | {"game": "id"}
    parsed = parse(
        columns, "id,day,h,a,hs,as", "1,2024-05-01,A,B,2,1", "2,2024-05-01,A,B,0,1", "2,2024-05-02,A,B,5,1",
        "1,2024-05-08,A,C,1,1",
    )  # fmt: skip
    assert parsed.games["game_id"].to_list() == ["1", "2"]
    assert rules(parsed) == [
        (4, "same game as line 3, with another result"),
        (5, "same game as line 2, with other sides: `game` must name columns that tell games apart"),
    ]


def test_stints_are_told_apart_by_their_match_and_order():
    columns = PAIR | {"contest": "match", "sequence": "n"}
    parsed = parse(
        columns, "match,n,day,h,a,hs,as", *(f"{match},{n},2024-05-01,A,B,{n},1" for match in "xy" for n in (0, 1))
    )
    assert parsed.games.select("game_id", "contest_id").rows() == [
        ("2024-05-01|x|A|B", "x"), ("2024-05-01|x|A|B#2", "x"), ("2024-05-01|y|A|B", "y"), ("2024-05-01|y|A|B#2", "y"),
    ]  # fmt: skip


def test_an_entrant_told_again_keeps_the_first_result(home):
    parsed = parse(
        RACE, "race,day,driver,place", "r1,2024-05-01,Ann,", "r1,2024-05-01,Ann,2", "r1,2024-05-01,Bea,1",
        "r1,2024-05-01,Ann,1", "r1,2024-05-01,Bea,1", "r1,2024-05-01, Bea,1",
    )  # fmt: skip
    assert result_of(parsed, "lg-player:Ann")["finish"] == 2
    assert sorted(rules(parsed)) == [
        (2, "same game and entrant as line 3, without a result"),
        (5, "same game and entrant as line 3, with another result"), (6, "copy of an earlier row"),
        (7, "same game and entrant as line 4, with the same result"),
    ]  # fmt: skip


def test_a_row_kept_out_for_another_result_is_a_finding(home, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("day,h,a,hs,as\n" + "".join(f"2024-05-{day:02d},A,B,1,0\n" for day in (*range(1, 29), 9)))
    path.write_text(path.read_text() + "2024-05-07,A,B,0,3\n")
    pulled = pull(home, "lg", stanza(PAIR, path), NOW)
    assert (pulled.rows_read, pulled.games_new, pulled.rows_rejected) == (30, 28, 2)
    [found] = [found for found in check(home, "lg", NOW) if found.check_name == "another_result"]
    assert (found.severity, found.subject) == ("warn", "x.csv, line 31")
    assert "same day and sides as line 8, with another result" in found.message
    assert found.message.endswith(": 2024-05-07,A,B,0,3")


def complaint(columns: dict, raw: str | bytes, outcome: str = "score") -> FeedError:
    with pytest.raises(FeedError) as error:
        find("csv").parse(
            raw if isinstance(raw, bytes) else raw.encode(), Source("lg", "x.csv", stanza(columns, outcome=outcome))
        )
    return error.value


def test_a_wrong_date_format_is_named_with_the_first_date_and_the_format_that_fits():
    rows = "".join(f"{day:02d}/05/2024,A,B,1,0\n" for day in range(8, 28))
    said = complaint(PAIR, "day,h,a,hs,as\n" + rows)
    assert said.message == (
        'x.csv: 20 of 20 dates do not fit date_format = "%Y-%m-%d", the first in line 2: "08/05/2024".'
    )
    assert said.hint == '[lg.columns] date_format = "%d/%m/%Y" reads them all.'
    said = complaint(PAIR | {"date_format": "%m/%d/%Y"}, "day,h,a,hs,as\n" + rows)
    assert '15 of 20 dates do not fit date_format = "%m/%d/%Y", the first in line 7: "13/05/2024"' in said.message
    said = complaint(PAIR, "day,h,a,hs,as\n01/05/2024,A,B,1,0\n02/05/2024,A,B,1,0\n")
    assert said.hint == ('[lg.columns] date_format = "%d/%m/%Y" reads them all, and so does "%m/%d/%Y": which is it?')
    said = complaint(PAIR, "day,h,a,hs,as\nMonday,A,B,1,0\n")
    assert said.hint == 'Is "day" the column of dates? See date_format in ingest/README.md.'
    race = "race,day,driver,place\nr1,1 May 2024,Ann,1\nr1,1 May 2024,Bea,2\n"
    assert complaint(RACE, race).hint == '[lg.columns] date_format = "%d %b %Y" reads them all.'


def test_a_date_that_does_not_fit_costs_its_row_alone_and_years_of_two_digits_are_not_the_first_century():
    forms = {"date_format": ["%Y-%m-%d", "%d/%m/%Y"]}
    parsed = parse(
        PAIR | forms, "day,h,a,hs,as", "2024-05-01,A,B,1,0", "02/05/24,A,B,1,0", "03/05/2024,A,B,1,0", ",A,B,1,0",
        "2024-05-04,A,B,1,0",
    )  # fmt: skip
    assert rules(parsed) == [(3, "date does not fit date_format"), (5, "date is missing or unreadable")]


@pytest.mark.parametrize("form", ["DD/MM/YYYY", "%Y", "%d/%m", "days since the war", []])
def test_a_date_format_that_is_none_is_said(form):
    with pytest.raises(ValueError, match=r'write a date\'s year, month and day as in "%d/%m/%Y"'):
        stanza(PAIR | {"date_format": form})


def test_a_wrong_encoding_is_named_with_what_the_right_one_reads():
    rows = "".join(f"2024-05-{day:02d},Malmö,B,1,0\n" for day in range(1, 28))
    said = complaint(PAIR, ("day,h,a,hs,as\n" + rows).encode("latin-1"))
    assert said.message == "x.csv: 27 of 27 lines are not UTF-8, the first is line 2."
    assert said.hint == '[lg.columns] encoding = "latin-1" reads it as: 2024-05-01,Malmö,B,1,0'
    for encoding, stated in (("utf-16", "utf-8"), ("utf-8-sig", "latin-1"), ("utf-16", "latin-1")):
        said = complaint(PAIR | {"encoding": stated}, ("day,h,a,hs,as\n" + rows).encode(encoding))
        assert said.hint == f'[lg.columns] encoding = "{encoding.removesuffix("-sig")}"'
    said = complaint(PAIR | {"encoding": "utf-16"}, "day,h,a,hs,as\n2024-05-01,A,B,1,01\n")
    assert said.hint == '[lg.columns] encoding = "utf-8"'
    mostly = parse(PAIR, "day,h,a,hs,as", rows, "2024-06-01,A,B,1,0").games.height
    assert mostly == 28


def test_a_wrong_delimiter_is_named():
    assert complaint(PAIR, "day;h;a;hs;as\n2024-05-01;A;B;1;0\n").hint == (
        '[lg.columns] delimiter = ";" gives them all.'
    )
    said = complaint(PAIR | {"delimiter": ";"}, "day\th\ta\ths\tas\n2024-05-01\tA\tB\t1\t0\n")
    assert said.hint == '[lg.columns] delimiter = "\\t" gives them all.'


def test_a_mapped_column_that_is_there_twice_is_said_and_others_may_be():
    assert complaint(PAIR, "day,h,a,hs,hs,as\n").message == 'x.csv has 2 columns "hs" (home_score).'
    assert parse(PAIR, "day,x,h,x,a,hs,as", "2024-05-01,1,A,2,B,1,0").games.height == 1


def test_scores_are_whole_numbers_where_goals_are_counted_and_may_be_fractions_of_points():
    rows = ["2024-05-01,A,B,2.5,1", "2024-05-02,A,B,-1,0", "2024-05-03,A,B,2.0,1", "2024-05-04,A,B,2 (aet),1",
            "2024-05-05,A,B,nan,1", "2024-05-06,A,B,inf,1", '2024-05-07,A,B,"1,5",1']  # fmt: skip
    raw = "\n".join(["day,h,a,hs,as", *rows]).encode()
    counted, points = (
        find("csv").parse(raw, Source("lg", "x.csv", stanza(PAIR, outcome=outcome))) for outcome in ("score", "margin")
    )
    unreadable = [(5, "home_score is unreadable"), (6, "home_score is no number"), (7, "home_score is no number"),
                  (8, "home_score is unreadable")]  # fmt: skip
    count = 'a score is no whole number from 0 (outcome = "score")'
    assert sorted(rules(counted)) == [(2, count), (3, count), *unreadable]
    assert sorted(rules(points)) == unreadable
    assert points.sides.filter(pl.col("team") == "lg:A")["score"].to_list() == [2.5, -1, 2]
    normal = stanza(PAIR).model_copy(update={"likelihood": "normal"})
    assert sorted(rules(find("csv").parse(raw, Source("lg", "x.csv", normal)))) == unreadable
    sides = {"rows": "side", "date": "day", "game": "g", "competitor": "t", "score": "pts"}
    parsed = parse(sides, "g,day,t,pts", "1,2024-05-01,A,80", "1,2024-05-01,B,85", "1,2024-05-01,C,8.5")
    assert rules(parsed) == [(4, count)]


def test_the_files_own_columns_may_be_called_like_ours():
    columns = {"date": "line", "home": "raw", "away": "second", "home_score": "first", "away_score": "select"}
    columns |= {"attributes": ["game", "line", "attribute:x", "line"], "groups": ["raw", "raw"]}
    parsed = parse(columns, "line,raw,second,first,select,game,attribute:x", "2024-05-01,A,B,1,0,g,x")
    assert parsed.games["attributes"].to_list() == [
        [{"key": "game", "value": "g"}, {"key": "line", "value": "2024-05-01"}, {"key": "attribute:x", "value": "x"}]
    ]
    assert result_of(parsed, "lg:A")["score"] == 1


def test_two_hundred_columns_beside_the_mapped_ones_cost_nothing():
    more = ",".join(f"c{number}" for number in range(200))
    parsed = parse(PAIR | {"attributes": "c199"}, f"day,h,a,hs,as,{more}", f"2024-05-01,A,B,1,0,{more}")
    assert parsed.games["attributes"].to_list() == [[{"key": "c199", "value": "c199"}]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_of_any_system_marks_and_spaces_cost_nothing(end, mark):
    text = end.join([" day ,h, a,hs ,as", '2024-05-01 ," A ",B , 1,0 ', "", "2024-05-02,B,A,2,1", ""])
    parsed = find("csv").parse(mark + text.encode(), Source("lg", "x.csv", stanza(PAIR)))
    assert sorted(parsed.competitors["name"]) == ["A", "B"]
    assert (parsed.games.height, parsed.rejected.height) == (2, 0)


def test_places_of_those_who_did_not_finish_and_whole_numbers_as_a_spreadsheet_writes_them():
    parsed = parse(
        RACE | {"missing": ["NA", "DNF"], "sequence": "n"}, "race,day,driver,place,n", "r,2024-05-01,Ann,1.0,2.0",
        "r,2024-05-01,Bea,DNF,2.0", "r,2024-05-01,Cy,NA,2.0", "r,2024-05-01,Di,2.5,2.0",
    )  # fmt: skip
    assert [result_of(parsed, f"lg-player:{name}")["finish"] for name in ("Ann", "Bea", "Cy")] == [1, None, None]
    assert parsed.games["sequence"].to_list() == [2]
    assert rules(parsed) == [(5, "finish is unreadable")]


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r"])
def test_what_cannot_divide_fields_is_said(delimiter):
    with pytest.raises(ValueError, match="a quote or the end of a line cannot divide fields"):
        stanza(PAIR | {"delimiter": delimiter})
