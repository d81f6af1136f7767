"""openfootball's JSON: divisions, cups, empty scores, rulings, extra time, spellings; and the whole real folder."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

from ingest.feed import Source, find
from ingest.frames import Parsed
from ingest.openfootball_names import SPELLINGS
from store.errors import FeedError
from store.stanzas import Stanza
from store.warehouse import reading

FIXTURE = Path(__file__).parents[1] / "fixtures" / "openfootball" / "en.1.json"
REAL = os.environ.get("POOLTABLE_REAL_DATA")
real = [pytest.mark.real, pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")]
STANZA = Stanza(title="Clubs", feed="openfootball", source=("clubs",), outcome="score")


def parse(raw: bytes, file: str = "2019-20/en.1.json") -> Parsed:
    return find("openfootball").parse(raw, Source("clubs", file, STANZA))


def document(*matches: dict, name: str = "Some Cup 2019/20") -> bytes:
    return json.dumps({"name": name, "matches": list(matches)}, ensure_ascii=False).encode()


def match(team1: str, team2: str, **more: object) -> dict:
    return {"round": "Matchday 1", "date": "2019-09-01", "team1": team1, "team2": team2, "score": {"ft": [1, 0]}} | more


def game(parsed: Parsed, round_: str) -> dict:
    return parsed.games.filter(pl.col("round") == round_).to_dicts()[0]


def attributes_of(game: dict) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in game["attributes"]}


def scores(parsed: Parsed, game_id: str) -> dict[str, float | None]:
    sides = parsed.sides.filter(pl.col("game_id") == game_id)
    return dict(sides.select("team", "score").iter_rows())


@pytest.fixture
def season() -> Parsed:
    return parse(FIXTURE.read_bytes())


def test_an_empty_score_is_a_fixture_or_a_cancelled_match(season):
    assert game(season, "Matchday 4")["status"] == "scheduled"
    cancelled = game(season, "Matchday 3")
    assert cancelled["status"] == "abandoned"
    assert set(scores(season, cancelled["game_id"]).values()) == {None}


def test_an_awarded_match_keeps_the_score_of_the_ruling_and_says_so(season):
    awarded = game(season, "Matchday 2")
    assert awarded["status"] == "awarded"
    assert scores(season, awarded["game_id"]) == {
        "openfootball:ENG/Brava City": 0.0,
        "openfootball:ENG/Çorse Athletic": 3.0,
    }


def test_the_score_is_after_extra_time_with_its_longer_exposure_and_never_of_the_shoot_out(season):
    final = game(season, "Playoffs, Final")
    assert set(scores(season, final["game_id"]).values()) == {1.0}
    assert attributes_of(final)["penalties"] == "4-3" and attributes_of(final)["full_time"] == "1-1"
    assert attributes_of(final)["shoot_out"] in scores(season, final["game_id"])
    assert all("shoot_out" not in attributes_of(one) for one in season.games.to_dicts() if one != final)
    semi = season.sides.filter(pl.col("game_id") == game(season, "Playoffs")["game_id"])
    assert semi.sort("score")["score"].to_list() == [1.0, 2.0]
    assert semi["exposure"].to_list() == [120 / 90] * 2
    assert semi.sort("score")["won"].to_list() == [False, True]


def test_a_half_time_score_and_a_time_may_be_missing(season):
    first, second = game(season, "Matchday 1"), season.games.to_dicts()[1]
    assert attributes_of(first) == {
        "division": "en.1", "competition": "English Island League", "time": "20:00", "half_time": "4-0",
    }  # fmt: skip
    assert "half_time" not in attributes_of(second)


def test_a_play_off_has_its_stage_in_its_key_and_the_final_is_at_a_neutral_place(season):
    assert game(season, "Playoffs")["game_id"] == "en.1|2019/20|Playoffs||ENG/Delos Town|ENG/Brava City"
    assert season.games.filter("neutral")["round"].to_list() == ["Playoffs, Final"]


def test_a_division_is_a_membership_of_its_season(season):
    divisions = season.memberships.filter(pl.col("grouping") == "division")
    assert divisions.height == 4
    assert set(divisions.select("season", "group").iter_rows()) == {("2019/20", "en.1")}


def test_a_cup_gives_countries_but_no_division_and_meets_the_league_clubs():
    parsed = parse(document(match("Aland FC (ENG)", "AC Elba (ITA)")), "2019-20/uefa.cl.json")
    assert dict(parsed.memberships.select("competitor_id", "group").iter_rows()) == {
        "openfootball:ENG/Aland": "ENG",
        "openfootball:ITA/AC Elba": "ITA",
    }
    assert set(parsed.memberships["grouping"]) == {"country"}
    assert "openfootball:ENG/Aland" in parse(FIXTURE.read_bytes()).competitors["competitor_id"].to_list()
    assert set(parsed.competitors["name"]) == {"Aland FC", "AC Elba"}


def test_a_cup_final_is_neutral_and_so_were_the_last_eight_of_2020():
    rounds = [("Semifinals", "2019-05-01"), ("Final", "2019-06-01"), ("Quarterfinals", "2020-08-13")]
    for place, is_neutral in zip(rounds, (False, True, True), strict=True):
        parsed = parse(document(match("A (ENG)", "B (ITA)", round=place[0], date=place[1])), "uefa.cl.json")
        assert parsed.games["neutral"].to_list() == [is_neutral]


def test_a_club_is_one_under_either_spelling():
    old = parse(document(match("Atlético Madrid", "Delos Town")), "2018-19/es.1.json")
    new = parse(document(match("Club Atlético de Madrid", "Delos Town FC")), "2020-21/es.1.json")
    assert set(old.competitors["competitor_id"]) == set(new.competitors["competitor_id"])


def test_one_broken_match_does_not_cost_the_next():
    raw = document(match("A", "B"), match("C", "D"), match("E", "F")).replace(b'"team1": "C"', b'"team1": C')
    parsed = parse(raw)
    assert (parsed.rows_read, parsed.games.height) == (3, 2)
    assert parsed.rejected["rule"].to_list() == ["not JSON"]


def test_a_match_that_cannot_be_read_is_rejected_by_name():
    parsed = parse(
        document(
            match("A", "A"),
            match("A", "B", date="someday"),
            match("A", "C", score={"ft": ["x", 1]}),
            match("A", "D", status="moved"),
        )
    )
    assert parsed.rejected["rule"].to_list() == [
        "club plays itself",
        "date is missing or unreadable",
        "score is unreadable",
        "unknown status",
    ]


def test_bytes_that_are_not_utf_8_cost_only_their_match():
    parsed = parse(document(match("Ä", "B"), match("C", "D")).replace("Ä".encode(), b"\xff"))
    assert parsed.rejected["rule"].to_list() == ["not UTF 8"]
    assert parsed.games.height == 1


def test_lists_of_clubs_in_a_folder_are_passed_over():
    feed = find("openfootball")
    assert feed.is_known("en.1.json") and feed.is_known("uefa.cl.json") and not feed.is_known("en.1.clubs.json")


@pytest.mark.parametrize("raw", [FIXTURE.read_bytes()[:600], b'{"clubs": []}', b'{"name": "Cup", "matches": []}'])
def test_half_a_file_or_a_list_of_clubs_is_a_clear_error(raw):
    with pytest.raises(FeedError, match=r"en\.1\.json"):
        parse(raw)


class TestReal:
    pytestmark = real

    @pytest.fixture
    def folder(self) -> Path:
        return Path(REAL or "") / "club_football"

    def test_the_whole_folder_is_games_and_the_counts_are_those_of_its_provenance(self, home, load, folder):
        pulled = load(folder, league="european_football")
        assert (pulled.rows_read, pulled.rows_rejected, pulled.games_new) == (39_480, 0, 39_480)
        with reading(home) as con:
            assert con.execute("SELECT status, count(*) FROM game GROUP BY ALL ORDER BY ALL").fetchall() == [
                ("abandoned", 237),
                ("awarded", 26),
                ("played", 39_217),
            ]
            with_score = "SELECT count(DISTINCT game_id) FROM side WHERE score IS NOT NULL"
            assert con.execute(with_score).fetchall() == [(39_243,)]
            # 426 names are 335 clubs: a cup gives the country behind the name, and many clubs are spelt in two ways.
            assert con.execute("SELECT count(*) FROM competitor").fetchall() == [(335,)]
            # A season stopped in 2020: what was cancelled is of that one; finals are neutral, and Lisbon's last eight.
            stopped = "SELECT DISTINCT season FROM game WHERE status = 'abandoned'"
            assert con.execute(stopped).fetchall() == [("2019/20",)]
            neutral = "SELECT count(*) FROM game WHERE neutral AND attributes['division'] = 'uefa.cl'"
            assert con.execute(neutral).fetchall() == [(6 + 7,)]
            sizes = con.execute("SELECT attributes['division'], season, count(*) FROM game GROUP BY ALL").fetchall()
        games = {(division, season): count for division, season, count in sizes}
        seasons = {division: sum(1 for other, _ in games if other == division) for division, _ in games}
        assert seasons == {
            "en.1": 11, "de.1": 11, "de.2": 11, "es.1": 11, "it.1": 11, "en.2": 9, "en.3": 6, "en.4": 6,
            "es.2": 8, "it.2": 8, "uefa.cl": 7, "sco.1": 3,
        }  # fmt: skip
        assert games[("en.2", "2021/22")] == 552 + 5
        assert games[("it.2", "2013/14")] == 462 + 10
        assert (games[("it.2", "2018/19")], games[("en.3", "2019/20")]) == (352, 506)  # of 19 and of 23 clubs

    def test_no_two_clubs_of_one_season_have_become_one(self, folder):
        for path in sorted(folder.glob("*/*.json")):
            names = {
                club for match in json.loads(path.read_bytes())["matches"] for club in (match["team1"], match["team2"])
            }
            parsed = parse(path.read_bytes(), f"{path.parent.name}/{path.name}")
            assert parsed.competitors.height == len(names), path

    def test_every_listed_spelling_occurs(self, folder):
        text = " ".join(path.read_text(encoding="utf-8") for path in folder.glob("*/*.json"))
        assert [name for name in SPELLINGS if f'"{name}' not in text] == []
