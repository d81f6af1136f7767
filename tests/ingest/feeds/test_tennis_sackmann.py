"""Tennis as Jeff Sackmann publishes it: each quirk of the source, and the whole real folder."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ingest.checks import check
from ingest.feed import Source, find
from ingest.frames import Parsed
from store.stanzas import read_catalogue
from store.warehouse import reading

REAL = os.environ.get("POOLTABLE_REAL_DATA")
FOLDER = Path(REAL or "") / "tennis_atp"
FIXTURE = Path(__file__).parent.parent / "fixtures" / "tennis_sackmann" / "atp_matches_2031.csv"
HEADER = FIXTURE.read_text().splitlines()[0]
EVENT = {"tourney_id": "2031-7", "tourney_date": "20310106", "match_num": "1", "round": "R32", "score": "6-1 6-2"}
PAIRS = {
    f"{who}{number}_{what}": value
    for who, first in (("winner", 1), ("loser", 3))
    for number in (1, 2)
    for what, value in (("id", f"90000{first + number - 1}"), ("name", f"Player {first + number - 1}"))
}
DOUBLES_HEADER = ",".join([*HEADER.split(",")[:7], *PAIRS, "score", "best_of", "round"])


def line(header: str = HEADER, **values: str) -> str:
    people = {"winner_id": "900001", "winner_name": "Ada Quill", "loser_id": "900002", "loser_name": "Bo Marsh"}
    return ",".join((EVENT | people | PAIRS | values).get(name, "") for name in header.split(","))


def parse(*lines: str, header: str = HEADER, file: str = "atp_matches_2031.csv") -> Parsed:
    raw = "\n".join([header, *lines]).encode()
    return find("tennis_sackmann").parse(raw, Source("atp", file, read_catalogue()["atp"]))


def winners(parsed: Parsed) -> dict[str, str]:
    won = parsed.sides.filter("won").join(parsed.appearances, on=["game_id", "side"])
    return dict(won.select("game_id", "player").iter_rows())


def test_the_winner_is_told_by_won_and_not_by_the_order_of_sides():
    parsed = parse(*(line(match_num=str(number), winner_id=f"{1000 + number}") for number in range(400)))
    share = parsed.sides.filter("won")["side"].eq(1).mean()
    assert isinstance(share, float) and 0.4 < share < 0.6
    assert winners(parsed)["2031-7|17"] == "atp:1017"


def test_the_key_and_the_sides_are_the_same_whoever_won():
    one = parse(line())
    other = parse(line(winner_id="900002", loser_id="900001"))
    assert one.games["game_id"].to_list() == other.games["game_id"].to_list() == ["2031-7|1"]
    assert one.sides["side"].to_list() == other.sides["side"].to_list()
    assert winners(one) != winners(other)


def test_nobody_is_at_home_and_players_enter_without_a_team():
    parsed = parse(line())
    assert parsed.games["neutral"].to_list() == [True] and not parsed.sides["is_home"].any()
    assert parsed.sides["team"].null_count() == 2
    assert parsed.appearances["share"].to_list() == [1.0, 1.0]
    assert set(parsed.competitors["kind"]) == {"player"}


def test_the_day_is_the_monday_of_the_event_and_an_offset_of_the_round():
    rounds = ["Q1", "Q3", "R32", "R16", "QF", "SF", "F"]
    week = parse(*(line(match_num=str(number), round=name) for number, name in enumerate(rounds)))
    assert [day.day for day in week.games["played_on"] if day > date(2031, 1, 5)] == [8, 9, 10, 11, 12]
    assert week.games["played_on"].is_sorted() and week.games["played_on"].n_unique() == len(rounds)
    rounds = ["R128", "R64", "R32", "R16", "QF", "SF", "F"]
    slam = parse(*(line(match_num=str(n), round=name, tourney_level="G") for n, name in enumerate(rounds)))
    assert [(day - date(2031, 1, 6)).days for day in slam.games["played_on"]] == [0, 2, 4, 6, 8, 11, 13]


def test_an_event_that_begins_in_the_last_days_of_a_year_is_of_the_next_season():
    games = parse(line(tourney_date="20301230")).games
    assert games["season"].to_list() == ["2031"] and games["played_on"].to_list() == [date(2031, 1, 1)]


def test_a_round_robin_counts_its_matches_in_order():
    games = parse(line(round="RR", match_num="4"), line(round="RF", match_num="5"), line(match_num="6")).games
    assert games["sequence"].to_list() == [4, 0, 0]


@pytest.mark.parametrize(
    ("score", "status"),
    [
        ("W/O", "walkover"),
        ("Walkover", "walkover"),
        ("6-4 2-1 RET", "retired"),
        ("6-4 RE", "retired"),
        ("6-4 2-1 DEF", "awarded"),
        ("6-4 Def.", "awarded"),
        ("Default", "awarded"),
        ("6-4 Played and abandoned", "abandoned"),
        ("6-4 4-4 Played and unfinished", "abandoned"),
        ("2-2 ABD", "abandoned"),
        ("", "played"),
        ("&nbsp;", "played"),
        ("7-6(3) 6-4", "played"),
    ],
)
def test_walkovers_retirements_and_defaults_are_told_by_the_score(score, status):
    parsed = parse(line(score=score))
    assert parsed.games["status"].to_list() == [status]
    assert parsed.sides["won"].null_count() == (2 if status == "abandoned" else 0)


def test_empty_scores_are_no_attribute():
    kept = [{pair["key"] for pair in parse(line(score=score)).games["attributes"][0]} for score in ("", "?", "6-1")]
    assert ["score" in keys for keys in kept] == [False, False, True]


def test_a_player_against_himself_and_a_placeholder_are_rejected():
    parsed = parse(line(loser_id="900001"), line(loser_id="199999"), line(match_num="2"))
    assert parsed.rejected["rule"].to_list() == ["player on court twice", "player is a placeholder"]
    assert parsed.games.height == 1


def test_a_match_under_a_second_number_is_rejected_but_not_in_a_round_robin():
    again = parse(line(), line(match_num="201"), line(match_num="202", score="7-5 6-2"))
    assert again.rejected.select("line", "rule").rows() == [(3, "same match under another match_num")]
    assert parse(line(round="RR"), line(round="RR", match_num="3")).rejected.is_empty()


def test_of_a_match_under_two_numbers_the_row_without_a_score_goes_whichever_comes_first():
    for lines in ([line(score=""), line(match_num="301")], [line(match_num="301"), line(score="")]):
        parsed = parse(*lines)
        assert parsed.games["game_id"].to_list() == ["2031-7|301"]
        assert parsed.rejected["rule"].to_list() == ["same match under another match_num"]
    other = parse(line(score=""), line(match_num="301", loser_id="900003"), line(match_num="302", round="QF"))
    assert other.rejected.is_empty()
    assert parse(line(round="RR", score=""), line(round="RR", match_num="3")).rejected.is_empty()


def test_ids_are_keys_and_the_last_spelling_is_shown():
    parsed = parse(line(), line(match_num="2", score="7-5 6-4", winner_name="A. Quill", loser_name="A. Quill"))
    assert dict(parsed.competitors.select("competitor_id", "name").iter_rows()) == {
        "atp:900001": "A. Quill",
        "atp:900002": "A. Quill",
    }


def test_surface_level_and_best_of_are_attributes_and_may_be_missing():
    given = parse(line(surface="Clay", best_of="5", tourney_level="G", tourney_name="Isle Open")).games["attributes"][0]
    assert {pair["key"]: pair["value"] for pair in given} == {
        "series": "tour",
        "event": "Isle Open",
        "level": "G",
        "surface": "Clay",
        "best_of": "5",
        "score": "6-1 6-2",
    }
    assert "surface" not in {pair["key"] for pair in parse(line()).games["attributes"][0]}


@pytest.mark.parametrize("surplus", ["," * 20, ",", ""])
def test_ragged_doubles_rows_shift_no_column(surplus):
    parsed = parse(line(DOUBLES_HEADER) + surplus, header=DOUBLES_HEADER, file="atp_matches_doubles_2031.csv")
    assert parsed.rejected.is_empty()
    pairs = parsed.appearances.group_by("side").agg("player")["player"].list.sort().to_list()
    assert sorted(pairs) == [["atp:900001", "atp:900002"], ["atp:900003", "atp:900004"]]


def test_doubles_number_their_qualifying_anew():
    lines = [line(DOUBLES_HEADER, round=name, match_num="100") for name in ("R64", "Q1", "QF")]
    parsed = parse(*lines[:2], header=DOUBLES_HEADER, file="atp_matches_doubles_2031.csv")
    assert parsed.games["game_id"].to_list() == ["2031-7|doubles|100", "2031-7|doubles|Q100"]
    final = parse(lines[2], header=DOUBLES_HEADER, file="atp_matches_doubles_2031.csv")
    assert final.games["game_id"].to_list() == ["2031-7|doubles|100"]


def test_a_pair_with_an_unknown_or_a_doubled_player_is_rejected():
    lines = [line(DOUBLES_HEADER, loser2_id="", loser2_name=""), line(DOUBLES_HEADER, loser2_id="900003")]
    parsed = parse(*lines, header=DOUBLES_HEADER, file="atp_matches_doubles_2031.csv")
    assert [rule.split(" is missing")[0] for rule in parsed.rejected["rule"]] == ["loser2_id", "player on court twice"]


def test_a_player_without_a_name_is_shown_by_his_id():
    parsed = parse(line(loser_name=""))
    assert parsed.competitors.filter(competitor_id="atp:900002")["name"].to_list() == ["900002"]


def test_women_have_ids_of_their_own():
    parsed = parse(line(), file="wta_matches_qual_itf_2031.csv")
    assert set(parsed.appearances["player"]) == {"wta:900001", "wta:900002"}
    assert {"key": "series", "value": "qual_itf"} in parsed.games["attributes"][0].to_list()


def test_a_player_is_of_the_series_he_first_plays_in_each_season(home, load, tmp_path):
    tour, futures = tmp_path / "atp_matches_2031.csv", tmp_path / "atp_matches_futures_2031.csv"
    tour.write_text("\n".join([HEADER, line(), line(tourney_id="2032-7", tourney_date="20320105")]))
    futures.write_text("\n".join([HEADER, line(tourney_id="2031-M-1", tourney_date="20310101", loser_id="900003")]))
    load(tour, futures, league="atp")
    sql = "SELECT competitor_id, season, \"group\" FROM membership WHERE grouping = 'series' ORDER BY ALL"
    with reading(home) as con:
        both = con.execute(sql).fetchall()
    assert both == [
        ("atp:900001", "2031", "futures"),
        ("atp:900001", "2032", "tour"),
        ("atp:900002", "2031", "tour"),
        ("atp:900002", "2032", "tour"),
        ("atp:900003", "2031", "futures"),
    ]


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_the_whole_pyramid_is_loaded(home, load, tmp_path):
    """PROVENANCE counts 852,684 rows and 27,194 players; 124 rows name no match that can be used, see below."""
    patterns = ("atp_matches_[12]*", "atp_matches_qual_chall_*", "atp_matches_futures_*")
    sources = [FOLDER / pattern for pattern in patterns]
    pulled = load(*sources, league="atp")
    assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (852_684, 124, 852_560)
    assert load(*sources, league="atp").slices_loaded == 0
    stops = [found for found in check(home, "atp", datetime(2026, 1, 1, tzinfo=UTC)) if found.severity == "stop"]
    assert stops == []
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        assert ask("SELECT rule, count(*) FROM rejected_row GROUP BY ALL ORDER BY ALL") == [
            ("player is a placeholder", 107),  # U Unknown is not one player
            ("player on court twice", 4),
            ("player on court twice; player is a placeholder", 3),
            ("same match under another match_num", 10),
        ]
        has_every_match(ask)
        has_the_records_of_players(ask)


def has_every_match(ask) -> None:
    """By series, how each match ended, who played, on what and for how many sets."""
    series = "SELECT attributes['series'], count(*) FROM game GROUP BY ALL ORDER BY ALL"
    assert ask(series) == [("futures", 462_506), ("qual_chall", 201_210), ("tour", 188_844)]
    status = "SELECT status, count(*) FROM game WHERE attributes['series'] = '%s' GROUP BY ALL ORDER BY ALL"
    assert ask(status % "futures") == [
        ("abandoned", 6), ("awarded", 201), ("played", 444_429), ("retired", 16_117), ("walkover", 1_753),
    ]  # fmt: skip
    # 53 DEF and 10 written otherwise; 762 W/O less one of a placeholder
    assert ask(status % "qual_chall") == [
        ("abandoned", 2), ("awarded", 63), ("played", 194_429), ("retired", 5_955), ("walkover", 761),
    ]  # fmt: skip
    assert ask(status % "tour") == [
        ("abandoned", 37),
        ("awarded", 160),  # 154 DEF, 6 written otherwise
        ("played", 183_718),
        ("retired", 3_714),
        ("walkover", 1_215),  # 1,228 W/O and 5 written out, less 18 of a placeholder
    ]
    assert ask("SELECT count(DISTINCT competitor_id) FROM competitor") == [(27_193,)]  # without U Unknown
    players = """
        SELECT attributes['series'], count(DISTINCT player) FROM game JOIN appearance USING (league, game_id)
        GROUP BY ALL ORDER BY ALL
    """
    # PROVENANCE has one more of the tour and of the challengers: U Unknown
    assert ask(players) == [("futures", 21_763), ("qual_chall", 9_658 - 1), ("tour", 7_398 - 1)]
    surface = "SELECT count(*) FROM game WHERE attributes['series'] = 'tour' AND attributes['surface'] IS NULL"
    assert ask(surface) == [(2_937 - 1,)]  # one of them is a placeholder's
    assert ask(f"{surface} AND attributes['level'] = 'D'") == [(1_096,)]
    assert ask("SELECT attributes['best_of'], count(*) FROM game GROUP BY ALL ORDER BY ALL") == [
        ("1", 36), ("3", 810_719), ("5", 41_805),
    ]  # fmt: skip


def has_the_records_of_players(ask) -> None:
    """The most titles of the Grand Slams, and Nadal's matches."""
    titles = """
        SELECT c.name, count(*) FROM game JOIN side USING (league, game_id)
        JOIN appearance AS a USING (league, game_id, side)
        JOIN competitor AS c ON c.league = a.league AND c.competitor_id = a.player
        WHERE round = 'F' AND attributes['level'] = 'G' AND won GROUP BY ALL ORDER BY 2 DESC LIMIT 4
    """
    assert ask(titles) == [
        ("Rafael Nadal", 22),
        ("Novak Djokovic", 21),
        ("Roger Federer", 20),
        ("Pete Sampras", 14),
    ]
    matches = """
        SELECT count(*) FILTER (won), count(*) FILTER (NOT won)
        FROM game JOIN side USING (league, game_id) JOIN appearance USING (league, game_id, side)
        WHERE player = 'atp:104745' AND status <> 'walkover' AND attributes['series'] = 'tour'
    """
    assert ask(matches) == [(1_067, 217)]  # Nadal's record to the end of 2022, which the tour gives as 1,068 and 220


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")
def test_all_doubles_are_loaded(home, load):
    """PROVENANCE counts 26,399 rows, 1,812 players, 609 walkovers and 266 retirements."""
    pulled = load(FOLDER / "atp_matches_doubles_*", league="atp_doubles")
    assert (pulled.rows_read, pulled.rows_rejected) == (26_399, 7)
    with reading(home) as con:
        ask = lambda sql: con.execute(sql).fetchall()  # noqa: E731
        assert ask("SELECT status, count(*) FROM game GROUP BY ALL ORDER BY ALL") == [
            ("awarded", 3),
            ("played", 25_514),
            ("retired", 266),
            ("walkover", 609),
        ]
        assert ask("SELECT count(*) FROM appearance") == [(4 * 26_392,)]
        # Two of the players are only in rows that miss a loser.
        assert ask("SELECT count(*) FROM competitor") == [(1_812 - 2,)]
        # The 12 repeated numbers are of one event, which numbers its qualifying anew: both matches are there.
        again = "SELECT count(*) FROM game WHERE regexp_full_match(game_id, '2016-540.doubles.Q?1(0.|1[01])')"
        assert ask(again) == [(24,)]
