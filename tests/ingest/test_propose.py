"""Proposing a stanza from a file, and the doors to it and to aliases, as typed."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.propose import propose
from ingest.pull import pull
from jobs.cli import app
from store.errors import FeedError
from store.stanzas import Stanza, read_stanzas
from store.warehouse import reading

FILES = {
    "scores": (
        "Date;Season;HomeTeam;AwayTeam;FTHG;FTAG;Div\n"
        + "".join(f"{d:02d}/05/24;24;A{d};Bé;{d % 3};1;E0\n" for d in range(1, 28)),
        "score",
        {"delimiter": ";", "date": "Date", "date_format": ["%d/%m/%y"], "season": "Season", "groups": ["Div"],
         "home": "HomeTeam", "away": "AwayTeam", "home_score": "FTHG", "away_score": "FTAG"},
    ),
    "points": (
        "game_date,visitor,visitor_score,host,home_points\n2024-01-01,A,99,B,101\n2024-01-02,B,85,C,80\n",
        "margin",
        {"date": "game_date", "home": "host", "away": "visitor", "home_score": "home_points",
         "away_score": "visitor_score"},
    ),
    "winners": (
        "day,round,winner,loser\n20240501,F,Ann,Bea\n20240502,F,Ann,Cy\n", "win",
        {"date": "day", "date_format": ["%Y%m%d"], "round": "round", "winner": "winner", "loser": "loser"},
    ),
    "ids": (
        "match_id,date,home_id,home_name,away_id,away_name,hg,ag\n7,2024-05-01,1,A,2,B,1,0\n8,2024-05-01,1,A,2,B,2,0\n",
        "score",
        {"date": "date", "game": ["match_id"], "home": "home_id", "away": "away_id", "home_name": "home_name",
         "away_name": "away_name", "home_score": "hg", "away_score": "ag"},
    ),
    "id_of_none": (
        "id,date,home,away,hg,ag\n7,2024-05-01,A,B,1,0\n7,2024-05-02,A,B,2,0\n", "score",
        {"date": "date", "home": "home", "away": "away", "home_score": "hg", "away_score": "ag"},
    ),
    "results": (
        "when,home,away,winner\n2024-05-01,A,B,D\n2024-05-02,B,C,C\n", "result",
        {"date": "when", "home": "home", "away": "away", "winner": "winner"},
    ),
    "race": (
        "raceId,date,driver,constructor,position\n1,2024-05-01,Ann,Red,1\n1,2024-05-01,Bea,Blue,2\n", "order",
        {"rows": "side", "game": ["raceId"], "date": "date", "competitor": "driver", "kind": "player",
         "team": "constructor", "finish": "position"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_what_is_proposed(tmp_path, home, name):
    text, outcome, columns = FILES[name]
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    proposal = propose(path, "mine")
    assert proposal.body["columns"] == columns
    assert proposal.body["outcome"] == outcome
    assert "cannot be used" not in proposal.verdict
    assert proposal.verdict.startswith(f"{text.count(chr(10)) - 1:,} rows make ")


def test_dates_are_read_by_what_all_of_them_allow(tmp_path):
    path = tmp_path / "x.csv"
    for days, formats in ((["01/05/2024", "13/05/2024"], ["%d/%m/%Y"]), (["01/05/2024", "05/13/2024"], ["%m/%d/%Y"])):
        path.write_text("date,home,away,winner\n" + "".join(f"{day},A,B,A\n" for day in days))
        assert propose(path, "mine").body["columns"]["date_format"] == formats


def test_dates_that_could_be_either_way_round_are_said_and_others_are_not(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("date,home,away,winner\n01/05/2024,A,B,A\n02/05/2024,A,B,A\n")
    proposal = propose(path, "mine")
    assert proposal.body["columns"]["date_format"] == ["%d/%m/%Y"]
    assert proposal.verdict.endswith(
        "Its dates are ambiguous: they were read as %d/%m/%Y, and %m/%d/%Y would fit as well."
    )
    for days in (["01/05/2024", "13/05/2024"], ["05/05/2024", "06/06/2024"], ["2024-05-01"]):
        path.write_text("date,home,away,winner\n" + "".join(f"{day},A,B,A\n" for day in days))
        assert "ambiguous" not in propose(path, "mine").verdict


def test_players_and_the_scores_of_winners_are_proposed(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('date,home,away,hg,ag,home_lineup,away_lineup\n2024-05-01,A,B,1,0,"Al, Bo","Cy, Di"\n')
    proposal = propose(path, "mine")
    found = proposal.body["columns"]
    assert (found["home_players"], found["away_players"], found["player_delimiter"]) == (
        "home_lineup",
        "away_lineup",
        ",",
    )
    assert 'rate = ["player"] rates them' in proposal.verdict
    path.write_text("date,home,away,hg,ag,Home Player 1,Home Player 2,Away Player 1\n2024-05-01,A,B,1,0,Al,Bo,Cy\n")
    found = propose(path, "mine").body["columns"]
    assert (found["home_players"], found["away_players"]) == (["Home Player 1", "Home Player 2"], ["Away Player 1"])
    path.write_text("Date,Winner/tie,Loser/tie,PtsW,PtsL\n2024-05-01,Jets,Bills,21,20\n")
    found = propose(path, "mine").body["columns"]
    assert (found["winner"], found["winner_score"], found["loser_score"]) == ("Winner/tie", "PtsW", "PtsL")


def test_latin_1_and_rows_that_cannot_be_used_are_said(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("date,home,away,winner\n2024-05-01,Å,B,B\n2024-05-02,B,B,B\n".encode("latin-1"))
    proposal = propose(path, "mine")
    assert proposal.body["columns"]["encoding"] == "latin-1"
    assert proposal.verdict == "2 rows make 1 games of 2 competitors; 1 cannot be used: competitor plays itself (1)."


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2024-05-01,A,B,1,0\n", 'has no header: its first line holds "2024-05-01"'),
        ("\ufeff\n <!doctype html><table>", "is a web page or other markup"),
        ('{"matches": []}', "is JSON"),
        ("PK\3\4ab", "is no text"),
        ("date,home\0,away\n", "is no text"),
        ("date,home,away,winner\n", "has no rows that fit its header"),
        ("home,away,winner\nA,B,A\n", "does not tell its dates. Its columns: home, away, winner"),
        ("date,home,away,winner\nsoon,A,B,A\n", 'does not tell how the dates in "date" are written'),
        ("date,home,away\n2024-05-01,A,B\n", "does not tell the scores of both sides, or the winner"),
        ("date,a,b\n2024-05-01,A,B\n", "does not tell who played"),
        ("date,home,away,winner\n2024-05-01,A,A,A\n", "no row makes a game: competitor plays itself (1)"),
        ("", "is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_said(tmp_path, text, complaint):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(FeedError) as error:
        propose(path, "mine")
    assert complaint in error.value.message


@pytest.fixture
def run(home):
    return lambda *words: CliRunner().invoke(app, ["--home", str(home.root), *words])


def test_a_file_is_added_pulled_and_its_names_merged_by_hand_alone(home, run, tmp_path):
    path = tmp_path / "my results.csv"
    rows = [
        f"2024-05-{day:02d},{'Man United' if day == 9 else 'Manchester United'},Leeds,1,{day % 3}"
        for day in range(1, 21)
    ]
    path.write_text("\n".join(["date,home,away,home_goals,away_goals", *rows]))
    added = run("add", "mine", "--from-csv", str(path))
    assert added.exit_code == 0, added.output
    assert "[mine.columns]" in added.output and "20 rows make 20 games of 3 competitors." in added.output
    assert read_stanzas(home)["mine"].source == (str(path),)
    assert run("pull", "mine").exit_code == 0
    merged = run("alias", "mine", "Man United", "Manchester United")
    assert merged.output.strip().endswith('mine: "Man United" and "Manchester United" are one now: 1 games changed.')
    undone = run("alias", "mine", "Man United", "Manchester United", "--undo")
    assert "are two again: 1 games changed." in undone.output
    wrong = run("alias", "mine", "Man Utd", "Manchester United")
    assert wrong.exit_code == 2
    assert "Did you mean Man United" in wrong.output


def test_what_cannot_be_added_leaves_no_stanza(home, run, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    assert run("add", "mine", "--from-csv", str(path)).exit_code == 1
    assert run("add", "mine", "--from-csv", str(tmp_path / "never.csv")).exit_code == 2
    assert run("add", "mine", "--from-csv", str(path), "--feed", "csv").exit_code == 2
    assert not home.leagues_toml.exists()


def test_a_file_in_any_wrapping_is_proposed_and_loads(home, run, tmp_path):
    text = "date\thome\taway\thg\tag\n2024-05-01\tÅ\tB\t1\t0\n2024-05-02\tB\tÅ\t1\t0\n"
    wrapped = {
        "tabs.tsv": text.encode(),
        "latin.csv.gz": gzip.compress(text.replace("\t", ";").encode("latin-1")),
        "wide.csv": text.replace("\t", ",").encode("utf-16"),
        "excel.csv": text.replace("\t", ",").replace("\n", "\r\n").encode("utf-8-sig"),
    }
    for number, (name, body) in enumerate(wrapped.items()):
        (tmp_path / name).write_bytes(body)
        added = run("add", f"l{number}", "--from-csv", str(tmp_path / name))
        assert added.exit_code == 0, added.output
        assert added.output.count(f"[l{number}]") == added.output.count(f"[l{number}.columns]") == 1
        stanza = read_stanzas(home)[f"l{number}"]
        assert pull(home, f"l{number}", stanza, datetime(2025, 1, 1, tzinfo=UTC)).games_new == 2
    with reading(home) as con:
        assert con.execute("SELECT DISTINCT name FROM competitor ORDER BY name").fetchall() == [("B",), ("Å",)]


def test_a_folder_or_nothing_at_all_is_one_clear_error(tmp_path):
    with pytest.raises(FeedError, match="is a folder"):
        propose(tmp_path, "mine")
    with pytest.raises(FeedError, match="There is no file") as error:
        propose(Path("https://host/x.csv"), "mine")
    assert error.value.hint.startswith("To read from the web, download it once")


def test_a_proposed_league_loads(home, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(FILES["race"][0])
    stanza = Stanza.model_validate(propose(path, "mine").body)
    assert pull(home, "mine", stanza, datetime(2025, 1, 1, tzinfo=UTC)).games_new == 1
