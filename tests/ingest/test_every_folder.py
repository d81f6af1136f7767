"""Every file of the real data is read by a league of the catalogue, or is named here with the reason why it is not.

What the leagues make of the files is in the feeds' own tests.
"""

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from ingest import feed, fetch
from store.stanzas import read_catalogue

REAL = os.environ.get("POOLTABLE_REAL_DATA")
pytestmark = [pytest.mark.real, pytest.mark.skipif(not REAL, reason="POOLTABLE_REAL_DATA is not set")]

READ = {
    "international_football": ["international_football"],
    "english_football": ["club_football/*/en.*.json"],
    "european_football": ["club_football"],
    "english_football_odds": ["football_odds/england"],
    "european_football_odds": ["football_odds/open_close"],
    "england_history": [f"england_history/{name}" for name in ("england.csv.gz", "englandplayoffs.csv", "facup.csv")],
    "nfl": ["american_football/games.csv"],
    "nfl_history": ["american_football/nfl_games_538.csv"],
    "nhl_goals": ["hockey"],
    "nba_stints": ["basketball_lineups"],
    "atp": [
        "tennis_atp/atp_matches_[12]*", "tennis_atp/atp_matches_qual_chall_*", "tennis_atp/atp_matches_futures_*",
    ],
    "atp_doubles": ["tennis_atp/atp_matches_doubles_*"],
    "grand_slam_odds": ["tennis_odds/atp_odds.csv"],
    "mlb": ["baseball"],
    "formula_1": ["f1"],
    "formula_1_qualifying": ["f1"],
    "fivethirtyeight": ["forecasts_538"],
}  # fmt: skip
WITHOUT_REAL_DATA = {"demo_football", "demo_stints", "wta"}
NOT_READ = {
    "README.md": "about the data",
    "*/PROVENANCE.md": "about the data",
    "international_football/goalscorers.csv": "goals by scorer: only part of the matches, and no line-ups to rate",
    "england_history/teamnames.csv": "other names of clubs, which are no results and never merged unasked",
    "american_football/initial_elos_538.csv": "a peer's ratings before the first season",
    "basketball_lineups/nba_2011_12_player_totals.csv": "a peer's ratings of a whole season, made of the stints",
    "baseball/glfields.txt": "what the fields of the game logs are",
    "f1/seasons.csv": "the years and their pages, nothing of a race",
    "tennis_atp/atp_players.csv": "players by id: the matches have the names already",
    "tennis_atp/matches_data_dictionary.txt": "what the columns of the matches are",
    "tennis_odds/atp_odds_match_lookup.csv": "which match with odds is which of the tour: links between two leagues",
}


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def read_by(root: Path, league: str) -> Iterator[str]:
    """The files that the league reads when the places in READ are its sources."""
    stanza = read_catalogue()[league]
    known = feed.find(stanza.feed).of(stanza).is_known
    for source in READ[league]:
        for place, _ in fetch.expand(str(root / source), known):
            yield Path(place).relative_to(root).as_posix()


@pytest.fixture(scope="module")
def root() -> Path:
    return Path(REAL or "")


@pytest.fixture(scope="module")
def read(root: Path) -> dict[str, list[str]]:
    """The files of each league."""
    return {league: list(read_by(root, league)) for league in READ}


def test_every_league_of_the_catalogue_has_real_files_here_or_is_known_to_have_none(read):
    assert set(read_catalogue()) == set(READ) | WITHOUT_REAL_DATA
    assert all(read.values())


def test_every_file_is_read_by_a_league_or_has_a_reason_why_not(root, read):
    there = files(root)
    found = {file for of_a_league in read.values() for file in of_a_league}
    left_out = {file for file in there if any(fnmatchcase(file, pattern) for pattern in NOT_READ)}
    assert found - there == set()
    assert found & left_out == set()
    assert there - found - left_out == set()


def test_every_folder_is_read_and_every_reason_is_about_a_file(root, read):
    folders = {path.name for path in root.iterdir() if path.is_dir()}
    assert {file.split("/")[0] for of_a_league in read.values() for file in of_a_league} == folders
    idle = [pattern for pattern in NOT_READ if not any(fnmatchcase(file, pattern) for file in files(root))]
    assert idle == []


def test_no_league_reads_a_file_twice_and_only_what_overlaps_is_in_two_leagues(read):
    assert all(len(of_a_league) == len(set(of_a_league)) for of_a_league in read.values())
    readers: dict[str, list[str]] = {}
    for league, of_a_league in read.items():
        for file in of_a_league:
            readers.setdefault(file, []).append(league)
    shared = {tuple(leagues) for leagues in readers.values() if len(leagues) > 1}
    assert shared == {("english_football", "european_football"), ("formula_1", "formula_1_qualifying")}


def test_the_catalogues_own_sources_have_the_names_of_the_files_read(read):
    # These files have other names here than at their source.
    renamed = {"english_football_odds", "european_football_odds", "nfl_history", "nhl_goals"}
    for league in set(READ) - renamed:
        sources = read_catalogue()[league].source
        names = {feed.plain(name) for source in sources for _, name in fetch.expand(source, lambda _: True)}
        assert {feed.plain(file) for file in read[league]} <= names, league
