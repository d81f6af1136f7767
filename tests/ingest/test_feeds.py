"""The first feeds, each by itself, and the page written from all of them; their contract is in test_feed_contract."""

import re

import polars as pl
import pytest

from ingest.feed import Source, feeds, find
from ingest.frames import Parsed
from ingest.sources_page import MAPPED, PAGE, published_at, sources_page
from store.errors import StanzaError
from store.home import CHECKOUT
from store.stanzas import read_catalogue

INTERNATIONALS = """\
date,home_team,away_team,home_score,away_score,tournament,city,country,neutral
2024-01-01,Aland,Brava,2,1,Friendly,"Port, Isle",Isle,FALSE
2024-01-02,Corse,Aland,0,0,Cup,Port,Isle,TRUE
2026-06-11,Brava,Corse,NA,NA,Cup,Port,Isle,TRUE
"""
SAMPLES = {
    "international_football": ("results.csv", INTERNATIONALS.encode(), {}),
    "simulated_stints": (
        "stints.csv",
        (CHECKOUT / "data/demo/stints/stints.csv").read_bytes(),
        {"truth.csv": (CHECKOUT / "data/demo/stints/truth.csv").read_bytes()},
    ),
}


def sample(name: str) -> Parsed:
    file, raw, companions = SAMPLES[name]
    stanza = next(stanza for stanza in read_catalogue().values() if stanza.feed == name)
    return find(name).parse(raw, Source("league", file, stanza, companions))


def test_internationals_fixtures_and_neutral_ground():
    parsed = sample("international_football")
    assert parsed.games["status"].to_list() == ["played", "played", "scheduled"]
    assert parsed.games["neutral"].to_list() == [False, True, True]
    assert parsed.games["game_id"][0] == "2024-01-01|Aland|Brava"
    assert {"key": "city", "value": "Port, Isle"} in parsed.games["attributes"][0].to_list()
    assert parsed.sides.filter("is_home")["team"].to_list() == ["fifa:Aland"]


def test_stints_share_a_match_and_its_forty_minutes():
    parsed = sample("simulated_stints")
    minutes = (
        parsed.sides.filter("is_home")
        .join(parsed.games, on="game_id")
        .group_by("contest_id")
        .agg(pl.col("exposure").sum())
    )
    assert minutes["exposure"].round(9).unique().to_list() == [1.0]
    assert parsed.appearances.group_by("game_id", "side").len()["len"].unique().to_list() == [5]


def test_the_nearest_feed_is_proposed():
    with pytest.raises(StanzaError, match='Did you mean "simulated_stints"'):
        find("simulated_stint")


def test_the_page_of_sources_is_current():
    page = sources_page(feeds().values(), read_catalogue())
    assert PAGE.read_text(encoding="utf-8") == page, "python -m ingest.sources_page"


def test_every_stanza_of_the_catalogue_names_a_feed_and_has_a_title():
    catalogue = read_catalogue()
    assert {stanza.feed for stanza in catalogue.values()} <= set(feeds())
    assert len({stanza.title for stanza in catalogue.values()}) == len(catalogue)


def test_every_mapped_league_of_the_catalogue_has_its_own_source_and_licence():
    mapped = {league for league, stanza in read_catalogue().items() if stanza.feed == "csv"}
    assert set(MAPPED) == mapped
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "| `csv` | http" in line]
    assert len(rows) == len(mapped) and not any("as its owner says" in row for row in rows)


# Published as R objects: their stanzas name the file that has to be made of them.
NOT_AS_TEXT = {"nhl_goals", "nba_stints", "grand_slam_odds"}
RAW = re.compile(r"https://raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/(?:master|main|[0-9a-f]{40})/[^ ?#]+")


@pytest.mark.parametrize("league", sorted(read_catalogue()))
def test_every_league_has_a_public_address_of_a_raw_file(league):
    stanza = read_catalogue()[league]
    if find(stanza.feed).is_simulated:
        assert all((CHECKOUT / source).is_file() for source in stanza.source)
    elif league in NOT_AS_TEXT:
        assert all("://" not in source for source in stanza.source)
        assert published_at(league, stanza, find(stanza.feed)).startswith("https://github.com/")
    else:
        other = "https://www.football-data.co.uk/mmz4281/"
        assert [source for source in stanza.source if not RAW.fullmatch(source) and not source.startswith(other)] == []
        assert len(set(stanza.source)) == len(stanza.source)
