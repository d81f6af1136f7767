"""The first feeds, each by itself, and the page written from all of them; their contract is in test_feed_contract."""

import polars as pl
import pytest

from ingest.feed import Source, feeds, find
from ingest.frames import Parsed
from ingest.sources_page import PAGE, sources_page
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
    assert PAGE.read_text(encoding="utf-8") == sources_page(feeds().values()), "python -m ingest.sources_page"


def test_every_stanza_of_the_catalogue_names_a_feed():
    assert {stanza.feed for stanza in read_catalogue().values()} <= set(feeds())
