"""From the warehouse to forecasts and outlooks on record, as the command and the night make them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from pydantic import ValidationError

from modeling.outlook import outlook
from modeling.outlook.league import forecast_league
from modeling.outlook.outlook import Outlook, end, keep, outlook_of
from modeling.record import record_forecasts
from store.edition import publish
from store.errors import FitError, UsageError
from store.home import Home
from store.seasons import Deduction, SeasonRules
from store.stanzas import Stanza
from store.warehouse import reading, writing

NOW = datetime(2026, 1, 1, 4, tzinfo=UTC)
LEFT = 20  # games to come


@pytest.fixture(scope="module")
def season(stanza: Stanza) -> Stanza:
    play_off = {"bracket": ["2", "5", "3", "4"], "rounds": ["two_legs", "neutral"], "won": {"": "up"}}
    rules = {"places": {"champion": (1, 1), "up": (1, 1), "down": (-2, -1)}, "play_offs": [play_off]}
    return stanza.model_copy(update={"season": SeasonRules.model_validate(rules)})


@pytest.fixture(scope="module")
def free(home: Home, season: Stanza) -> Outlook:
    """The outlook with nothing given."""
    return outlook_of(home, "x", season)


def asked(home: Home, sql: str) -> list[tuple]:
    with reading(home) as con:
        return con.execute(sql).fetchall()


def test_games_that_the_feed_lists_are_forecast_and_kept_with_their_fit(home, season):
    made = forecast_league(home, "x", season, NOW)
    assert made.rows.height == LEFT
    ((count, fits, known, at),) = asked(
        home, "SELECT count(*), count(DISTINCT fit_id), min(as_of <= played_on), min(made_at_utc) FROM forecast"
    )
    assert (count, fits, known, at) == (LEFT, 1, True, NOW.replace(tzinfo=None))
    ((fit_id, as_of),) = asked(home, "SELECT fit_id, as_of FROM fit")
    assert (made.fit_id, made.as_of) == (fit_id, as_of)


def test_a_later_forecast_replaces_one_but_not_the_last_before_the_day(home, season):
    """The games of a file, said to be made on four days, two before theirs and two after."""
    day = datetime(2030, 1, 1)  # noqa: DTZ001 -- as the warehouse has it
    said = pl.read_database("SELECT * FROM forecast LIMIT 1", duckdb.connect(str(home.warehouse), read_only=True))
    row = said.drop("league", "fit_id", "made_at_utc", "as_of").with_columns(game_id=pl.lit("g"), played_on=day.date())
    for days in (-300, -299, 300, 301):
        keys = {"league": "x", "fit_id": "f", "as_of": day.date(), "made_at_utc": day + timedelta(days=days)}
        record_forecasts(home, "forecast", keys, row)
    kept = asked(home, "SELECT made_at_utc FROM forecast WHERE game_id = 'g' ORDER BY ALL")
    assert kept == [(day + timedelta(days=-299),), (day + timedelta(days=301),)]


def test_an_outlook_is_kept_once_a_day_and_knows_what_is_played(home, season, free):
    assert free.doubts == ()
    for _ in range(2):
        keep(home, "x", free, NOW)
    assert asked(home, "SELECT count(*), sum(played), sum(remaining) FROM outlook") == [
        (10, 2 * (180 - LEFT), 2 * LEFT)
    ]
    said = free.rows.explode("chances").unnest("chances").group_by("prize").agg(pl.col("chance").sum())
    assert dict(said.iter_rows()) == pytest.approx({"champion": 1.0, "up": 2.0, "down": 2.0})
    assert set(free.leverage["game_id"]) <= {game for (game,) in asked(home, "SELECT game_id FROM forecast")}


def test_a_given_result_moves_the_table_and_is_not_kept(home, season, free):
    game = asked(
        home,
        "SELECT list(c.name ORDER BY s.is_home DESC) FROM side AS s JOIN game AS g USING (league, game_id) "
        "JOIN competitor AS c ON (c.league, c.competitor_id) = (s.league, s.team)"
        " WHERE g.status = 'scheduled' GROUP BY g.game_id LIMIT 1",
    )[0][0]
    held = outlook_of(home, "x", season, given=(f"{game[0]} 4-0 {game[1]}",))
    assert held.fixed == 1

    def points(found, name: str) -> float:
        own = next(one for one, called in found.names.items() if called == name)
        return found.rows.filter(pl.col("competitor_id") == own)["expected_points"][0]

    assert points(held, game[0]) > points(free, game[0]) + 0.5
    assert points(held, game[1]) < points(free, game[1]) - 0.2


def test_points_taken_off_count_from_the_day_that_it_was_decided(home, season, free):
    ((as_of, label),) = asked(home, "SELECT as_of, (SELECT max(season) FROM game) FROM fit")
    days = {"known": as_of - timedelta(days=1), "later": as_of}
    for (when, day), taken in zip(days.items(), (6, 0), strict=True):
        off = Deduction(season=label, who="team T:00", points=6, on=day)
        rules = season.season.model_copy(update={"deducted": (off,)})
        found = outlook_of(home, "x", season.model_copy(update={"season": rules}))
        for column in ("points", "expected_points", "points_q5"):
            own, other = (one.rows.filter(pl.col("competitor_id") == "t:00")[column][0] for one in (free, found))
            assert other == pytest.approx(own - taken), (when, column)
    with pytest.raises(UsageError, match='no team is called "T"'):
        outlook_of(home, "x", season.model_copy(update={"season": SeasonRules(deducted=(
            Deduction(season=label, who="T", points=1, on=as_of - timedelta(days=1)),))}))  # fmt: skip


def test_an_outlook_ends_where_nothing_is_to_come_and_earlier_ones_stay(home, free):
    keep(home, "x", free, NOW)
    keep(home, "x", replace(free, as_of=free.as_of - timedelta(days=1)), NOW)
    end(home, "x")
    assert asked(home, "SELECT DISTINCT as_of FROM outlook") == [(free.as_of - timedelta(days=1),)]
    assert asked(home, "SELECT count(*) FROM simulated_table") == [(0,)]
    end(home, "unfitted")


def test_results_of_races_are_refused(home, season):
    with pytest.raises(UsageError, match="x: results of races cannot be given"):
        outlook_of(home, "x", season.model_copy(update={"outcome": "order"}), given=("Team t:00 1-0 Team t:01",))


@pytest.mark.parametrize("worth", [float("nan"), float("inf")])
def test_points_are_numbers(worth):
    with pytest.raises(ValidationError, match="finite"):
        SeasonRules(points=(worth, 1, 0))
    with pytest.raises(ValidationError, match="finite"):
        Deduction.model_validate({"season": "2024", "who": "t", "points": worth, "on": "2024-01-01"})


def test_two_results_of_one_game_are_refused(home, season):
    sides = "SELECT team FROM side JOIN game USING (league, game_id) WHERE status = 'scheduled' AND league = 'x'"
    first, second = (who for (who,) in asked(home, f"{sides} ORDER BY game_id, NOT is_home LIMIT 2"))
    with pytest.raises(UsageError, match="two results are given of one game"):
        outlook_of(home, "x", season, given=(f"{first} 1-0 {second}", f"{first} 2-0 {second}"))


@pytest.mark.parametrize(("kept", "is_exact"), [(4000, True), (500, False)])
def test_an_edition_answers_what_if_as_the_seasons_in_which_it_came_so(home, season, free, kept, is_exact):
    """By these alone where they are enough; else seasons weighed by their chances of it are within five errors."""
    few = {name: rows.with_columns(cs.list().list.head(kept)) for name, rows in free.simulated.items()}
    keep(home, "x", replace(free, simulated=few), NOW)
    game = free.simulated["simulated_game"].row(0, named=True)
    sides = free.simulated["simulated_table"]
    assert np.mean(game["wins"]) / 1e4 == pytest.approx(np.mean(np.array(game["results"]) == 0), abs=0.04)
    with duckdb.connect(str(publish(home, ["x"], NOW)), read_only=True) as con:
        columns = "competitor_id, expected_points, seasons, is_exact, chances['champion'], chances['up']"
        asked = f"SELECT {columns} FROM what_if('x', map([$game], ['loss']))"
        said = {row[0]: row[1:] for row in con.execute(asked, {"game": game["game_id"]}).fetchall()}
    so = np.array(game["results"]) == 2
    (won,) = free.simulated["simulated_play_off"]["places"].to_list()
    assert set(won) == {2, 3, 4, 5}
    assert sum(row[-1] for row in said.values()) == pytest.approx(2)
    assert len(said) == sides.height
    for who, points, places in sides.select("competitor_id", "points", "places").iter_rows():
        own, first = np.array(points)[so], np.array(places)[so] == 1
        promoted = first | (np.array(places)[so] == np.array(won)[so])
        expected, seasons, how, champion, up = said[who]
        assert abs(expected - own.mean()) < 5 * own.std() * np.sqrt(1 / so.sum() + 1 / seasons)
        assert abs(champion - first.mean()) < 5 * np.sqrt(0.25 * (1 / so.sum() + 1 / seasons))
        assert abs(up - promoted.mean()) < 5 * np.sqrt(0.25 * (1 / so.sum() + 1 / seasons))
        assert how == is_exact
        assert seasons == so.sum() if is_exact else seasons > so[:kept].sum()


def test_rules_that_are_of_nothing_are_told(home, season):
    deducted = {"season": "1888", "who": "Nobody", "points": 3, "on": "2020-01-01"}
    far = {"bracket": ["2", "11"], "rounds": ["neutral"], "won": {"": "up"}}
    said = {"places": {"champion": (1, 1), "far": (11, 12)}, "tables": {"north": {"places": {}}}, "play_offs": [far]}
    rules = SeasonRules.model_validate(said | {"deducted": [deducted]})
    found = outlook_of(home, "x", season.model_copy(update={"season": rules}))
    assert [doubt.split(":")[0] for doubt in found.doubts] == [
        "`tables`", "`places`", "`play_offs`", "`deducted`", "`deducted`"
    ]  # fmt: skip
    assert "far is beyond the 10 of the table" in found.doubts[1]
    with pytest.raises(UsageError, match='no game has an attribute "divison"'):
        outlook_of(home, "x", season.model_copy(update={"season": SeasonRules(table="divison")}))


def test_a_game_whose_day_is_past_is_told(home, season, free):
    """One to come whose day was a week before the as-of date, as it stands where it was put off."""
    ((game, day),) = asked(home, "SELECT game_id, played_on FROM game WHERE status = 'scheduled' LIMIT 1")
    move = "UPDATE game SET played_on = ? WHERE game_id = ?"
    with writing(home) as con:
        con.execute(move, [free.as_of - timedelta(days=7), game])
    try:
        found = outlook_of(home, "x", season)
    finally:
        with writing(home) as con:
            con.execute(move, [day, game])
    assert found.rows["remaining"].sum() == 2 * LEFT
    assert found.doubts == (f"1 game to be played before {free.as_of} has no result: taken as to come on that day",)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("nonsense", "cannot be read"),
        ("Team t:00 1-0 Nobody", "no team is called"),
        ("Team t:00 1-0 t:00", "have no game to come"),
        ("Team t0 1-0 Team t:01", r'did you mean "Team t:0\d"\?\n'),
    ],
)
def test_a_result_that_means_no_game_is_told(home, season, given, says):
    with pytest.raises(UsageError, match=says):
        outlook_of(home, "x", season, given=(given,))


def test_results_of_which_too_few_seasons_tell_are_refused(home, season):
    sides = "SELECT team FROM side JOIN game USING (league, game_id) WHERE status = 'scheduled' AND league = 'x'"
    first, second = asked(home, f"{sides} ORDER BY game_id, NOT is_home LIMIT 2")
    with pytest.raises(FitError, match="next to impossible"):
        outlook_of(home, "x", season, given=(f"{first[0]} 99-0 {second[0]}",))


def test_who_is_missing_is_named(home, season, monkeypatch):
    monkeypatch.setattr(outlook, "_found", lambda names, words: ["t:03", "t:01"] if "asked" in words else [])
    assert outlook_of(home, "x", season, absent=("asked",)).absent == ("Team t:01", "Team t:03")


def test_what_cannot_be_forecast_is_told(home, stanza, season):
    with pytest.raises(UsageError, match="x knows of no players"):
        outlook_of(home, "x", season, absent=("A. Player",))
    with pytest.raises(UsageError, match="no rules of a season"):
        outlook_of(home, "x", stanza)
    with pytest.raises(FitError, match="no accepted fit to forecast from") as error:
        forecast_league(home, "unfitted", season, NOW)
    assert error.value.hint == "Make one: pooltable fit unfitted"
    with pytest.raises(FitError, match="no accepted fit as of 2020-01-01"):
        forecast_league(home, "x", season, NOW, as_of=datetime(2020, 1, 1, tzinfo=UTC).date())


def test_a_file_of_fixtures_is_forecast_with_its_mistakes_left_out(home, season, tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("date,home,away\n2030-01-01,Team t:00,Team t:01\n2030-01-01,Team t:00,Tam\n")
    made = forecast_league(home, "x", season, NOW, path=path)
    assert made.rows["game_id"].to_list() == ["fixture:2030-01-01|t:00|t:01"]
    assert [one.line for one in made.mistakes] == [3]
    path.write_text("date,home,away\n2030-01-01,Team t:00,Tam\n")
    with pytest.raises(FitError, match=r"no line of .* can be forecast: line 2"):
        forecast_league(home, "x", season, NOW, path=path)
