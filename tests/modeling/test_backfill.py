"""As-of dates of a history, and fits of the past that leave the present alone."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from modeling.backfill import as_of_dates
from modeling.fit import fit_league
from store.errors import FitError, UsageError
from store.home import Home
from store.warehouse import reading, writing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVER = date(1900, 1, 1), date(2100, 1, 1)


@pytest.fixture(scope="module")
def home(tmp_path_factory, league, fill):
    home = Home(tmp_path_factory.mktemp("home"))
    sides = league.games.sides
    fill(home, "weekly", sides.with_columns(season=pl.col("played_on").dt.strftime("%G-%V")))
    return home


@pytest.fixture(scope="module")
def ends(league):
    """The last day of play of each week, which is a season here."""
    days = league.games.sides.select("played_on", week=pl.col("played_on").dt.strftime("%G-%V"))
    return sorted(days.group_by("week").agg(pl.col("played_on").max())["played_on"])


def test_a_season_is_rated_the_day_after_its_last_game_and_the_last_one_by_the_night(home, stanza, ends):
    found = as_of_dates(home, "weekly", stanza, *EVER, None)
    assert found == [end + timedelta(days=1) for end in ends[:-1]]


def test_only_seasons_that_end_between_the_dates_count(home, stanza, ends):
    wanted = ends[1] + timedelta(days=1)
    assert as_of_dates(home, "weekly", stanza, wanted, wanted, None) == [wanted]
    with pytest.raises(UsageError, match="no season ended") as caught:
        as_of_dates(home, "weekly", stanza, wanted + timedelta(days=1), wanted + timedelta(days=1), None)
    assert str(ends[-1]) in caught.value.hint


def test_every_so_many_days_begins_with_the_first_and_leaves_out_what_has_no_past_or_no_future(home, stanza, ends):
    start = date(2023, 12, 1)
    found = as_of_dates(home, "weekly", stanza, start, date(2030, 1, 1), timedelta(days=7))
    assert found and all((day - start).days % 7 == 0 for day in found)
    with reading(home) as con:
        ((first, last),) = con.execute("SELECT min(played_on), max(played_on) FROM game").fetchall()
    assert first < found[0] <= first + timedelta(days=7) and last - timedelta(days=7) < found[-1] <= last


def test_dates_the_wrong_way_round_and_leagues_without_games_are_told(home, stanza):
    with pytest.raises(UsageError, match="no date"):
        as_of_dates(home, "weekly", stanza, date(2024, 3, 1), date(2024, 2, 1), timedelta(days=1))
    with pytest.raises(FitError, match="no played games"):
        as_of_dates(home, "nobody", stanza, *EVER, None)


def test_a_fit_of_the_past_leaves_the_leaderboard_alone_where_it_was_the_leagues_own(home, stanza, league, fill):
    """It was fitted when that day was the last; games came; asked for again, by date, it is not today's fit."""
    sides, day = league.games.sides, date(2024, 2, 1)
    fill(home, "grown", sides.filter(pl.col("played_on") < day))
    own = fit_league(home, "grown", stanza, NOW, as_of=None)
    with reading(home) as con:
        ((as_of,),) = con.execute("SELECT as_of FROM fit WHERE fit_id = ?", [own.fit_id]).fetchall()
    fill(home, "grown", sides)
    home.draws_of(own.fit_id).unlink()
    told = "SELECT is_dated, current_at_utc FROM fit WHERE fit_id = ?"
    for again in (False, True):
        asked = fit_league(home, "grown", stanza, NOW + timedelta(days=1), as_of=as_of, again=again)
        assert (asked.fit_id, asked.is_new) == (own.fit_id, again), "what is done is not done again"
        with reading(home) as con:
            assert con.execute(told, [own.fit_id]).fetchall() == [(False, NOW.replace(tzinfo=None))]


def test_a_fit_by_date_that_turns_out_to_be_todays_is_the_leagues_own(home, stanza, league, fill):
    """Its date was chosen, then the games after it were taken back: the same inputs are today's now."""
    sides, day = league.games.sides, date(2024, 2, 1)
    fill(home, "shrunk", sides)
    with writing(home) as con:
        rows = con.execute(
            "SELECT max(played_on) FROM game WHERE league = 'shrunk' AND played_on < ?", [day]
        ).fetchall()
    dated = fit_league(home, "shrunk", stanza, NOW, as_of=rows[0][0] + timedelta(days=1))
    fill(home, "shrunk", sides.filter(pl.col("played_on") < day))
    assert fit_league(home, "shrunk", stanza, NOW, due=True).fit_id == dated.fit_id
    with reading(home) as con:
        assert con.execute("SELECT is_dated FROM fit WHERE fit_id = ?", [dated.fit_id]).fetchall() == [(False,)]
