"""The contract every feed keeps, over the registry; and the page written from it."""

import polars as pl
import pytest

from ingest.feed import Source, feeds, find
from ingest.frames import SCHEMAS, Parsed
from ingest.sources_page import PAGE, sources_page
from store.errors import FeedError, StanzaError
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
    "simulated_football": (
        "results.csv",
        (CHECKOUT / "data/demo/football/results.csv").read_bytes(),
        {"truth.csv": (CHECKOUT / "data/demo/football/truth.csv").read_bytes()},
    ),
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


def test_every_feed_has_a_sample_here():
    assert set(SAMPLES) == set(feeds())


@pytest.mark.parametrize("name", feeds())
def test_a_feed_is_named_like_its_module_and_says_what_it_is(name):
    feed = feeds()[name]
    assert feed.name == name
    assert feed.licence and feed.title and feed.row and feed.homepage
    assert feed.is_known(SAMPLES[name][0]) and not feed.is_companion(SAMPLES[name][0])


@pytest.mark.parametrize("name", feeds())
def test_a_feed_gives_canonical_frames_that_hang_together(name):
    parsed = sample(name)
    for frame, schema in SCHEMAS.items():
        schema.validate(getattr(parsed, frame))
    assert parsed.rejected.is_empty()
    assert parsed.source_rows.height == parsed.rows_read > 0
    assert set(parsed.sides["game_id"]) == set(parsed.games["game_id"]) == set(parsed.source_rows["game_id"])
    entrants = pl.concat([parsed.sides["team"].drop_nulls(), parsed.appearances["player"]])
    assert set(entrants) == set(parsed.competitors["competitor_id"])
    assert parsed.appearances.join(parsed.sides, on=["game_id", "side"], how="anti").is_empty()
    assert set(parsed.memberships["competitor_id"]) <= set(entrants)
    assert all(":" in competitor for competitor in entrants.unique())


@pytest.mark.parametrize("name", feeds())
def test_ids_do_not_depend_on_results_or_lines(name):
    file, raw, companions = SAMPLES[name]
    header, *body = raw.decode().splitlines()
    turned = "\n".join([header, "", *reversed(body)])
    stanza = next(iter(read_catalogue().values()))
    other = find(name).parse(turned.encode(), Source("league", file, stanza, companions))
    sort = ["game_id", "side"]
    assert other.sides.sort(sort).equals(pl.DataFrame(sample(name).sides).sort(sort))


@pytest.mark.parametrize("name", feeds())
def test_a_file_of_something_else_is_a_clear_error(name):
    stanza = next(iter(read_catalogue().values()))
    with pytest.raises(FeedError, match=r"x\.csv has no column"):
        find(name).parse(b"some,other,file\n1,2,3\n", Source("league", "x.csv", stanza))


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
