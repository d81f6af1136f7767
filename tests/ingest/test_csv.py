"""`feed = "csv"`: every shape a mapping can tell of, what it says when it does not fit, and real files without code."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ingest.feed import Source, find
from ingest.frames import Parsed
from ingest.pull import pull
from store.errors import FeedError, StanzaError
from store.home import CHECKOUT
from store.stanzas import Stanza, read_catalogue
from store.warehouse import reading

NOW = datetime(2025, 11, 1, tzinfo=UTC)
REAL = os.environ.get("POOLTABLE_REAL_DATA")
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


def test_home_and_away_with_scores():
    parsed = parse(PAIR, "day,h,a,hs,as", "2024-05-01,Aland,Brava,2,1", "2024-06-01,Brava,Aland,,")
    assert parsed.games.select("game_id", "season", "status").rows() == [
        ("2024-05-01|Aland|Brava", "2024", "played"),
        ("2024-06-01|Brava|Aland", "2024", "scheduled"),
    ]
    assert result_of(parsed, "lg:Aland") | {"side": 0, "game_id": ""} == {
        "game_id": "", "side": 0, "team": "lg:Aland", "is_home": True, "score": 2.0, "finish": None, "won": True,
        "exposure": 1.0, "player": None,
    }  # fmt: skip
    assert sorted(parsed.competitors.rows()) == [("lg:Aland", "team", "Aland"), ("lg:Brava", "team", "Brava")]


def test_winner_and_loser_have_no_home_and_a_key_that_tells_no_result():
    one = parse(DUEL, "day,w,l", "2024-05-01,Ann,Bea")
    other = parse(DUEL, "day,w,l", "2024-05-01,Bea,Ann")
    assert one.games["game_id"].to_list() == other.games["game_id"].to_list() == ["2024-05-01|Ann|Bea"]
    assert one.games["neutral"].to_list() == [True]
    assert result_of(one, "lg-player:Ann")["won"] is True
    assert result_of(other, "lg-player:Ann")["won"] is False
    assert result_of(one, "lg-player:Ann")["team"] is None


@pytest.mark.parametrize(
    ("word", "won"),
    [("Aland", True), ("Brava", False), ("H", True), ("away", False), ("D", None), ("2", False), ("x", None)],
)
def test_a_winner_beside_home_and_away_is_a_name_or_a_word(word, won):
    columns = {"date": "day", "home": "h", "away": "a", "winner": "w"}
    parsed = parse(columns, "day,h,a,w", f"2024-05-01,Aland,Brava,{word}")
    assert result_of(parsed, "lg:Aland")["won"] is won
    assert parsed.games["status"].to_list() == ["played"]


def test_a_shoot_out_has_a_level_score_and_a_winner():
    parsed = parse(PAIR | {"winner": "w"}, "day,h,a,hs,as,w", "2024-05-01,A,B,1,1,B", "2024-05-02,A,B,2,1,")
    assert parsed.sides.filter(pl.col("team") == "lg:B")["won"].to_list() == [True, False]


def test_dates_in_several_forms_and_as_day_numbers():
    forms = {"date_format": ["%Y-%m-%d", "%d/%m/%y", "%d/%m/%Y", "%Y%m%d", "days since 1970-01-01"]}
    days = ["2024-05-01", "01/05/24", "01/05/2024", "20240501", "19844"]
    rows = [f"{day},A{number},B,1,0" for number, day in enumerate(days)]
    parsed = parse(PAIR | forms, "day,h,a,hs,as", *rows)
    assert {str(day) for day in parsed.games["played_on"]} == {"2024-05-01"}


def test_season_round_neutral_exposure_status_attributes_and_groups():
    columns = PAIR | {
        "season": "s", "round": "r", "neutral": "n", "exposure": "min", "exposure_unit": 90, "status": "st",
        "statuses": {"w/o": "walkover"}, "attributes": ["Stadium", "City"], "groups": "tier", "game": ["s", "h", "a"],
    }  # fmt: skip
    parsed = parse(
        columns, "day,s,r,h,a,hs,as,n,min,st,Stadium,City,tier",
        "2024-05-01,23-24,Final,A,B,1,0,yes,120,,Dome,NA,Top",
        "2024-05-02,23-24,Final,B,A,,,,,w/o,Dome,Port,Low",
        "2024-05-03,24-25,Final,A,C,,,perhaps,,,,,",
        "2024-05-03,24-25,Final,A,D,,,,,hmm,,,",
    )  # fmt: skip
    game = parsed.games.to_dicts()[0]
    assert (game["game_id"], game["season"], game["round"], game["neutral"]) == ("23-24|A|B", "23-24", "Final", True)
    assert game["attributes"] == [{"key": "Stadium", "value": "Dome"}]
    assert parsed.sides["exposure"].round(3).to_list().count(1.333) == 2
    assert parsed.games["status"].to_list() == ["played", "walkover"]
    assert parsed.memberships.sort("competitor_id").rows() == [
        ("lg:A", "23-24", "tier", "Low"), ("lg:B", "23-24", "tier", "Low"),
    ]  # fmt: skip
    assert rules(parsed) == [(4, "neutral is missing or unreadable"), (5, "unknown status")]


def test_other_delimiters_and_encodings():
    raw = "day;h;a;hs;as\n2024-05-01;Åland;Brava;2;1\n"
    for encoding in ("latin-1", "utf-16", "utf-8"):
        parsed = find("csv").parse(
            raw.encode(encoding), Source("lg", "x.csv", stanza(PAIR | {"delimiter": ";", "encoding": encoding}))
        )
        assert "lg:Åland" in parsed.competitors["competitor_id"].to_list()


def test_ids_with_names_beside_them():
    columns = PAIR | {"home_name": "hn", "away_name": "an"}
    parsed = parse(columns, "day,h,a,hn,an,hs,as", "2024-05-01,7,8,Aland,Brava,1,0")
    assert sorted(parsed.competitors.rows()) == [("lg:7", "team", "Aland"), ("lg:8", "team", "Brava")]


def test_players_in_one_delimited_column_with_minutes_as_shares():
    columns = PAIR | {
        "home_players": "hp", "home_shares": "hm", "away_players": "ap", "player_delimiter": ";", "share_unit": 90,
    }  # fmt: skip
    parsed = parse(columns, "day,h,a,hs,as,hp,hm,ap", "2024-05-01,A,B,1,0,Ann;Bea,90;45,Cy")
    assert sorted(parsed.appearances.select("player", "share").rows()) == [
        ("lg-player:Ann", 1.0), ("lg-player:Bea", 0.5), ("lg-player:Cy", 1.0),
    ]  # fmt: skip


def test_players_in_columns_of_their_own_with_names_and_empty_places():
    columns = PAIR | {"home_players": ["p1", "p2"], "home_player_names": ["n1", "n2"], "away_players": ["p3"]}
    parsed = parse(columns, "day,h,a,hs,as,p1,p2,n1,n2,p3", "2024-05-01,A,B,1,0,11,,Ann,,33")
    players = parsed.competitors.filter(pl.col("kind") == "player")
    assert players.rows() == [("lg-player:11", "player", "Ann"), ("lg-player:33", "player", "33")]


def test_rows_whose_players_make_no_sense_are_rejected_alone():
    columns = PAIR | {"home_players": "hp", "home_shares": "hm", "away_players": "ap", "player_delimiter": ";"}
    parsed = parse(
        columns, "day,h,a,hs,as,hp,hm,ap",
        "2024-05-01,A,B,1,0,Ann;Bea,1,Cy", "2024-05-02,A,B,1,0,Ann,2,Cy", "2024-05-03,A,B,1,0,Ann,1,Ann",
        "2024-05-04,A,B,1,0,Ann,x,Cy", "2024-05-05,A,B,1,0,Ann,1,Cy",
    )  # fmt: skip
    share = "a player's share is missing, unreadable or not above 0 to 1"
    assert sorted(rules(parsed)) == [
        (2, "players and their shares differ in number"), (3, share), (4, "player named twice"), (5, share),
    ]  # fmt: skip
    assert [str(day) for day in parsed.games["played_on"]] == ["2024-05-05"]


def test_one_row_an_entrant_is_a_race():
    parsed = parse(
        RACE | {"team": "car", "attributes": "grid"}, "race,day,driver,car,place,grid",
        "r1,2024-05-01,Ann,Red,2,1", "r1,2024-05-01,Bea,Red,1,2", "r1,2024-05-01,Cy,Blue,,3",
        "r1,2024-05-01,Ann,Red,3,4",
        "r2,2024-05-08,Ann,Red,1,1", "r3,2024-05-09,Ann,Red,1,1", "r3,2024-05-09,Cy,Blue,first,1",
    )  # fmt: skip
    assert parsed.games.select("game_id", "neutral", "status").rows() == [("r1", True, "played")]
    assert result_of(parsed, "lg-player:Bea") | {"side": 0} == {
        "game_id": "r1", "side": 0, "team": "lg:Red", "is_home": False, "score": None, "finish": 1, "won": True,
        "exposure": 1.0, "player": "lg-player:Bea",
    }  # fmt: skip
    assert result_of(parsed, "lg-player:Cy")["won"] is False
    assert sorted(parsed.sides["side"]) == [1, 2, 3]
    assert sorted(rules(parsed)) == [
        (5, "same game and entrant as line 2, with another result"),
        (6, "the game has no other side"), (7, "the game has no other side"),
        (8, "finish is unreadable"),
    ]  # fmt: skip


def test_one_row_a_side_with_scores_and_home():
    columns = {"rows": "side", "date": "day", "game": "g", "competitor": "t", "score": "pts", "is_home": "site"}
    parsed = parse(
        columns, "g,day,t,pts,site", "1,2024-05-01,A,80,home", "1,2024-05-01,B,85,away", "2,2024-05-02,A,70,neutral",
        "2,2024-05-02,B,70,no",
    )  # fmt: skip
    first = parsed.sides.filter(pl.col("game_id") == "1").sort("team")
    assert first.select("team", "is_home", "score", "won").rows() == [
        ("lg:A", True, 80, False),
        ("lg:B", False, 85, True),
    ]
    assert parsed.sides.filter(pl.col("game_id") == "2")["won"].to_list() == [None, None]


def test_order_of_sides_tells_neither_line_nor_finish():
    rows = [f"r{race},2024-05-01,D{driver},{driver + 1}" for race in range(400) for driver in range(2)]
    parsed = parse(RACE, "race,day,driver,place", *rows)
    first = parsed.sides.filter(pl.col("side") == 1)["won"].mean()
    assert isinstance(first, float) and 0.42 < first < 0.58


PLAYED = {"file": "who*.csv", "game": ["match"], "side": "team", "player": "id", "player_name": "name", "share": "min"}
WHO = b"""match,team,id,name,min
1,A,11,Ann,90
1,Home,12,Bea,45
1,b,13,Cy,90
1,away,13,Cy,90
9,A,11,Ann,90
1,A,14,Di,95
"""


def test_a_second_file_says_who_played():
    columns = PAIR | {"game": "id", "appearances": PLAYED, "share_unit": 90}
    parsed = parse(columns, "id,day,h,a,hs,as", "1,2024-05-01,A,b,1,0", companions={"who-2024.csv": WHO})
    assert sorted(parsed.appearances.select("player", "share").rows()) == [
        ("lg-player:11", 1.0), ("lg-player:12", 0.5), ("lg-player:13", 1.0),
    ]  # fmt: skip
    sides = parsed.appearances.join(parsed.sides, on=["game_id", "side"])
    assert dict(sides.select("player", "team").iter_rows())["lg-player:13"] == "lg:b"
    assert sorted(parsed.rejected.select("file", "line", "rule").rows()) == [
        ("who-2024.csv", 5, "player named twice in a game"), ("who-2024.csv", 6, "no such game or side"),
        ("who-2024.csv", 7, "share is too large"),
    ]  # fmt: skip
    assert parsed.rows_read == parsed.source_rows.height == 1
    several = parse(
        columns, "id,day,h,a,hs,as", "1,2024-05-01,A,b,1,0", companions={"who-2024.csv": WHO}, is_alone=False
    )
    assert 6 not in several.rejected["line"].to_list()


def test_a_second_file_beside_one_row_a_side():
    columns = {"rows": "side", "date": "day", "game": "g", "competitor": "t", "score": "pts"}
    who = {"file": "who.csv", "game": "match", "side": "team", "player": "name"}
    parsed = parse(
        columns | {"appearances": who}, "g,day,t,pts", "1,2024-05-01,A,80", "1,2024-05-01,B,85",
        companions={"who.csv": b"match,team,name\n1,A,Ann\n1,B,Bea\n2,A,Ann\n"},
    )  # fmt: skip
    sides = parsed.appearances.join(parsed.sides, on=["game_id", "side"])
    assert sorted(sides.select("player", "team").rows()) == [("lg-player:Ann", "lg:A"), ("lg-player:Bea", "lg:B")]
    assert rules(parsed) == [(4, "no such game or side")]


def test_a_second_file_that_is_not_there_is_said():
    with pytest.raises(FeedError, match=r'no file "who\*\.csv" of appearances'):
        parse(PAIR | {"game": "id", "appearances": PLAYED}, "id,day,h,a,hs,as", "1,2024-05-01,A,b,1,0")


def test_of_several_files_one_that_is_not_of_results_says_how_to_leave_it_out():
    source = Source("lg", "names.csv", stanza(PAIR), is_alone=False)
    with pytest.raises(FeedError, match=r'names\.csv has no column "day"') as error:
        find("csv").parse(b"team,city\nA,Port\n", source)
    assert error.value.hint == (
        "There are: team, city. If names.csv is no file of results, list those that are in [lg] source."
    )


def test_a_mapping_error_names_the_column_its_setting_and_the_nearest():
    with pytest.raises(FeedError, match=r'x\.csv has no column "h" \(home\)') as error:
        parse(PAIR, "day,H,a,hs,as", "2024-05-01,A,B,1,0")
    assert error.value.hint == 'The nearest is "H".'
    with pytest.raises(FeedError, match=r'who\.csv has no column "id" \(player\)'):
        parse(
            PAIR | {"game": "g", "appearances": PLAYED}, "g,day,h,a,hs,as", "1,2024-05-01,A,B,1,0",
            companions={"who.csv": b"match,team,ids,name,min\n"},
        )  # fmt: skip


def test_an_optional_column_may_be_missing():
    columns = PAIR | {"neutral": "n", "attributes": "city", "optional": ["n", "city"]}
    assert parse(columns, "day,h,a,hs,as", "2024-05-01,A,B,1,0").games["neutral"].to_list() == [False]
    assert parse(columns, "day,h,a,hs,as,n,city", "2024-05-01,A,B,1,0,yes,Rome").games["neutral"].to_list() == [True]


def test_without_a_mapping_there_is_a_clear_error(home):
    plain = Stanza.model_validate({"title": "T", "feed": "csv", "source": "x.csv", "outcome": "score"})
    with pytest.raises(StanzaError, match=r"needs a mapping, \[lg\.columns\]"):
        find("csv").parse(b"a,b\n1,2\n", Source("lg", "x.csv", plain))


def test_an_edited_mapping_reads_unchanged_bytes_again(home, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("day,h,a,hs,as,n\n2024-05-01,A,B,1,0,yes\n2024-05-02,B,C,1,0,yes\n")
    assert pull(home, "lg", stanza(PAIR, path), NOW).games_new == 2
    assert pull(home, "lg", stanza(PAIR, path), NOW).slices_loaded == 0
    edited = pull(home, "lg", stanza(PAIR | {"neutral": "n"}, path), NOW + timedelta(hours=1))
    assert (edited.slices_loaded, edited.games_changed) == (1, 2)
    with reading(home) as con:
        assert con.execute("SELECT DISTINCT neutral FROM game").fetchall() == [(True,)]


def same(one: Parsed, other: Parsed) -> bool:
    """Whether two parses tell of the same games, whatever the namespaces of their ids."""

    def told(parsed: Parsed) -> tuple:
        names = dict(parsed.competitors.select("competitor_id", "name").iter_rows())
        name = lambda column: pl.col(column).replace_strict(names, default=None, return_dtype=pl.String)  # noqa: E731
        sides = parsed.sides.with_columns(team=name("team")).sort("game_id", "side").rows()
        players = parsed.appearances.with_columns(player=name("player")).drop("role").sort("game_id", "side", "player")
        groups = parsed.memberships.with_columns(competitor_id=name("competitor_id"))
        return parsed.games.sort("game_id").rows(), sides, players.rows(), sorted(groups.rows())

    return told(one) == told(other)


@pytest.mark.parametrize(
    ("feed", "file", "columns"),
    [
        (
            "simulated_football", "football/results.csv",
            {"date": "date", "home": "home", "away": "away", "home_score": "home_goals", "away_score": "away_goals",
             "season": "season", "round": "round", "game": ["season", "home", "away"], "groups": "division",
             "attributes": "division"},
        ),
        (
            "simulated_stints", "stints/stints.csv",
            {"date": "date", "home": "home", "away": "away", "home_score": "home_goals", "away_score": "away_goals",
             "season": "season", "round": "round", "game": ["match", "stint"], "contest": "match", "sequence": "order",
             "exposure": "minutes", "exposure_unit": 40, "attributes": "minutes", "home_players": "home_players",
             "away_players": "away_players", "player_delimiter": ";"},
        ),
    ],
)  # fmt: skip
def test_the_demo_files_say_the_same_through_a_mapping_as_through_their_feed(feed, file, columns):
    raw = (CHECKOUT / "data/demo" / file).read_bytes()
    if feed == "simulated_stints":  # the feed counts a day's stints from 0
        head, *rows = raw.decode().splitlines()
        raw = "\n".join([f"{head},order", *(f"{row},{int(row.split(',')[4]) - 1}" for row in rows)]).encode()
    own = next(known for known in read_catalogue().values() if known.feed == feed)
    plain = (CHECKOUT / "data/demo" / file).read_bytes()
    mapped = find("csv").parse(raw, Source("lg", "x.csv", stanza(columns)))
    assert mapped.games.height > 700
    assert same(mapped, find(feed).parse(plain, Source("lg", "x.csv", own)))


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_england_history_is_one_league_of_three_files_as_provenance_counts_them(home):
    folder = Path(REAL or "") / "england_history"
    files = [folder / name for name in ("england.csv.gz", "englandplayoffs.csv", "facup.csv")]
    own = read_catalogue()["england_history"].model_copy(update={"source": tuple(map(str, files))})
    pulled = pull(home, "england", own, NOW)
    # The 282 cup rows without a date are rejected; 15 ties decided by a disqualification keep their score, as awarded.
    assert (pulled.rows_read, pulled.rows_rejected) == (203_956 + 764 + 17_080, 282)
    assert pulled.games_new == pulled.rows_read - pulled.rows_rejected
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        days = "SELECT min(played_on)::VARCHAR, max(played_on)::VARCHAR FROM game WHERE slice = "
        assert ask(f"{days} 'england.csv.gz'") == [("1888-09-08", "2022-05-22")]
        assert ask(f"{days} 'facup.csv'") == [("1871-11-11", "2019-05-18")]
        # 268 of the play-offs are dated by a day number, the last of them in May 2019.
        assert ask(f"{days} 'englandplayoffs.csv'") == [("1893-04-22", "2019-05-12")]
        divisions = "SELECT DISTINCT attributes['division'] FROM game WHERE slice = 'england.csv.gz'"
        assert {"1", "2", "3", "3N", "3S", "4"} <= {name for (name,) in ask(divisions)}
        assert ask("SELECT count(*) FROM membership WHERE grouping = 'tier'") == [(9_555,)]
        assert ask("SELECT count(*) FROM game WHERE neutral AND slice = 'facup.csv'") == [(499,)]
        assert ask("SELECT status, count(*) FROM game GROUP BY ALL ORDER BY ALL") == [
            ("abandoned", 42), ("awarded", 15), ("played", 203_956 + 764 + 16_739), ("walkover", 2),
        ]  # fmt: skip
        assert ask(
            "SELECT count(*) FROM game WHERE slice = 'england.csv.gz' AND season IN ('1916', '1942', '2022')"
        ) == [(0,)]
    assert pull(home, "england", own, NOW).slices_loaded == 0
