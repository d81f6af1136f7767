"""Forecasts and outlooks as text, and what the night does where nothing is to come."""

from datetime import date
from types import SimpleNamespace

import polars as pl
import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.doors_forecasts import outlook_page, page
from modeling.outlook.given import Mistake

GAME = {
    "game_id": "g", "played_on": date(2031, 8, 24), "first_name": "City", "second_name": "Rovers",
    "is_first_home": True,
    "win": 0.5, "draw": 0.3, "loss": 0.2, "win_low": 0.4, "win_high": 0.6,
    "expected_first": 1.6, "expected_second": 0.9,
    "expected_margin": 0.7, "margin_q5": -1.0, "margin_q95": 3.0,
    "likely_scores": [{"first": 1, "second": 0, "chance": 0.14}],
}  # fmt: skip
RACE = {"game_id": "r", "played_on": date(2031, 8, 24), "entrant_name": "A. Driver", "win": 0.123, "top3": 0.4,
        "top10": 0.9, "expected_place": 4.2}  # fmt: skip


def forecast(row: dict, *, is_race: bool = False, mistakes: tuple = ()) -> SimpleNamespace:
    return SimpleNamespace(
        fit_id="f1", as_of=date(2031, 8, 1), is_race=is_race, rows=pl.DataFrame([row] * 31), mistakes=list(mistakes)
    )


def test_a_game_is_a_line_and_a_mistake_another():
    lines = page("alps", forecast(GAME, mistakes=(Mistake(4, "it meets itself"),))).splitlines()  # pyright: ignore
    assert lines[0] == "alps: 1 game from 2031-08-01 on, by fit f1."
    said = "2031-08-24  City - Rovers  50%   30%   20%    40%-60%  1.6-0.9    +0.7         -1 to +3    1-0 14%"
    assert lines[4] == said
    assert lines[-2:] == ["(30 of 31 lines; all are kept in forecasts)", "Left out, line 4: it meets itself."]
    asks = Mistake(5, 'no team is called "Cty"; did you mean "City"?')
    assert page("alps", forecast(GAME, mistakes=(asks,))).endswith('did you mean "City"?')  # pyright: ignore


def test_an_entrant_is_a_line():
    lines = page("alps", forecast(RACE, is_race=True)).splitlines()  # pyright: ignore
    assert lines[4].split() == ["2031-08-24", "r", "A.", "Driver", "12.3%", "40%", "90%", "4.2"]


def test_a_table_and_what_hangs_on_a_game():
    prizes = [{"prize": "champion", "chance": 0.997}, {"prize": "last", "chance": 0.001}]
    row = {"table": "first", "competitor_id": "t:1", "played": 30, "points": 60.0, "remaining": 8,
           "expected_points": 71.26,
           "points_q5": 66.0, "points_q95": 77.0, "expected_place": 1.0, "chances": prizes}  # fmt: skip
    hanging = {"game_id": "g", "competitor_id": "t:1", "prize": "champion", "chance": 0.5, "if_first_wins": 0.75,
               "if_drawn": None, "if_second_wins": 0.25, "swing": 0.5}  # fmt: skip
    found = SimpleNamespace(
        fit_id="f1", as_of=date(2031, 3, 1), season="2030/31", fixed=1, rows=pl.DataFrame([row]),
        leverage=pl.DataFrame([hanging]), names={"t:1": "City"}, games={"g": "City - Rovers"}, doubts=("a doubt",),
        absent=(),
    )  # fmt: skip
    text = outlook_page("alps", found)  # pyright: ignore
    assert "Beware: a doubt." in text
    assert text.startswith("alps, season 2030/31, as of 2031-03-01, given 1 result, by fit f1.")
    found.absent = ("A. Player", "B. Player", "C. Player")
    missing = outlook_page("alps", found).splitlines()[0]  # pyright: ignore
    assert ", given 1 result, without A. Player, B. Player and C. Player, by fit f1." in missing
    found.absent = ("A. Player",)
    assert ", without A. Player, by fit" in outlook_page("alps", found)  # pyright: ignore
    assert "City      30      60     8        71.3  66-77    1.0      >99%   <1%" in text
    assert "City - Rovers: City champion: 50% now, 75% after a home win, 25% after an away win." in text


@pytest.mark.parametrize(
    ("words", "says"), [(["--forget"], "--forget says no cup"), (["--cup", "c.toml", "--forget"], 'no cup "c" is kept')]
)
def test_a_cup_that_is_not_kept_is_not_forgotten(tmp_path, words, says):
    from store.home import Home
    from store.warehouse import writing

    with writing(Home(tmp_path)):
        pass
    Home(tmp_path).leagues_toml.write_text(
        '[alps]\ntitle = "Alps"\nfeed = "csv"\nsource = "a.csv"\noutcome = "score"\n'
    )
    done = CliRunner().invoke(app, ["--home", str(tmp_path), "simulate", "alps", *words])
    assert done.exit_code != 0
    assert says in str(done.exception) + done.output


def test_the_night_is_content_where_no_game_is_to_come(tmp_path):
    from store.home import Home
    from store.warehouse import writing

    home = Home(tmp_path)
    with writing(home):
        pass
    home.leagues_toml.write_text('[alps]\ntitle = "Alps"\nfeed = "csv"\nsource = "a.csv"\noutcome = "score"\n')
    done = CliRunner().invoke(app, ["--home", str(tmp_path), "forecast", "--due", "alps"])
    assert (done.exit_code, done.output.strip()) == (0, "alps: no games to come are listed")
