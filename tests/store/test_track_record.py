"""The track record: of each game the last forecast that was made before its day, and what came of it."""

from datetime import timedelta
from math import log

import duckdb
import pytest

from store.edition import publish
from store.warehouse import writing

BEFORE, JUST, ON_THE_DAY, LATER = "2026-01-30 04:00", "2026-01-31 23:59", "2026-02-02", "2026-02-20"
CHANCES = (0.5, 0.3, 0.2)


def said(con, game, made, day, first, second, *, as_of="2026-01-30", win=0.5, draw=0.3, loss=0.2, margin=None):
    con.execute(
        "INSERT INTO forecast BY NAME SELECT 'alps' AS league, 'f1' AS fit_id, $game AS game_id,"
        " $made::TIMESTAMP AS made_at_utc, $as_of::DATE AS as_of, $day::DATE AS played_on, '2026' AS season,"
        " $first AS first, $second AS second, $first AS first_name, $second AS second_name, true AS is_first_home,"
        " $win AS win, $draw AS draw, $loss AS loss, 0 AS win_low, 1 AS win_high, 0 AS loss_low, 1 AS loss_high,"
        " $margin AS expected_margin, -2 AS margin_q5, -1 AS margin_q25, 0.5 AS margin_q75, 2 AS margin_q95",
        {"game": game, "made": made, "as_of": as_of, "day": day, "first": first, "second": second, "win": win,
         "draw": draw, "loss": loss, "margin": margin},
    )  # fmt: skip


@pytest.fixture
def ask(rated, now):
    """An edition's answers. g0 was A 1-0 B on 1 February, g1 B 1-0 C on the 2nd, g2 C 1-0 A on the 3rd."""
    a, b, c = "fifa:A", "fifa:B", "fifa:C"
    with writing(rated) as con:
        said(con, "g0", BEFORE, "2026-02-01", a, b, win=0.1, loss=0.6, margin=-1.0)
        said(con, "g0", JUST, "2026-02-01", a, b, margin=0.5)
        said(con, "g0", LATER, "2026-02-01", a, b, win=0.99, draw=0.0, loss=0.01)
        said(con, "g1", ON_THE_DAY, "2026-02-02", b, c)  # on the day itself: too late
        said(
            con, "fixture:x", BEFORE, "2026-02-03", a, c, win=0.7, draw=0.0, loss=0.3
        )  # the feed's g2, named otherwise
        said(con, "g9", BEFORE, "2026-02-09", a, c)  # still to come
        con.execute(
            "INSERT INTO outlook VALUES ('alps', 'f1', $made, '2026-02-04', '2026', '', 'fifa:A', 2, 1, 3, 1, 4.2,"
            " 3, 3, 6, 6, 1.3, [0.7, 0.2, 0.1], "
            "[{'prize': 'champion', 'chance': 0.7}, {'prize': 'last', 'chance': 0.1}])",
            {"made": BEFORE},
        )
    path = publish(rated, ["alps"], now)

    def answer(sql: str) -> list[tuple]:
        with duckdb.connect(str(path), read_only=True) as reader:
            return reader.execute(sql).fetchall()

    return answer


def test_only_what_was_said_before_the_day_counts_and_of_that_the_last(ask):
    rows = ask("SELECT game_id, win, result, first_score, second_score, log_loss FROM track_record ORDER BY game_id")
    assert [row[:5] for row in rows] == [("g0", 0.5, "win", 1.0, 0.0), ("g2", 0.7, "loss", 0.0, 1.0)]
    assert [row[5] for row in rows] == pytest.approx([-log(0.5), -log(0.3)])
    ((expected, margin, in_50, in_90),) = ask(
        "SELECT expected_log_loss, margin, is_in_50, is_in_90 FROM track_record WHERE game_id = 'g0'"
    )
    assert expected == pytest.approx(-sum(p * log(p) for p in CHANCES))
    assert (margin, in_50, in_90) == (1.0, False, True)


def test_games_that_are_over_are_no_longer_among_those_to_come(ask):
    """Neither those of the feed nor the file's that the feed names otherwise, though no fit knows their results yet."""
    assert ask("SELECT game_id, win FROM forecast") == [("g9", 0.5)]


def test_reliability_counts_both_sides(ask):
    found = ask("SELECT chance_from, chances, came_about FROM forecast_reliability('alps')")
    assert [(round(low, 1), chances, came) for low, chances, came in found] == [
        (0.2, 1, 0.0), (0.3, 1, 1.0), (0.5, 1, 1.0), (0.7, 1, 0.0),
    ]  # fmt: skip
    with pytest.raises(duckdb.Error, match='There is no league "elsewhere"'):
        ask("FROM forecast_reliability('elsewhere')")


def test_chances_of_a_season_by_prize(ask):
    assert ask("SELECT name, chance, points_q95 FROM season_chances('alps', 'champion')") == [("A", 0.7, 6.0)]
    assert ask("SELECT chances['last'] FROM outlook") == [(0.1,)]
    with pytest.raises(duckdb.Error, match='No place of league "alps" means "relegated": say champion'):
        ask("FROM season_chances('alps', 'relegated')")


def test_an_outlook_is_of_its_fit_and_over_with_it(ask, rated, now):
    """Kept as history, and no longer told as how the season ends, once a fit of a later day is published."""
    assert ask("SELECT name FROM outlook('alps')") == [("A",)]
    with writing(rated) as con:
        con.execute("UPDATE fit SET as_of = as_of + 1 WHERE league = 'alps'")
    with duckdb.connect(str(publish(rated, ["alps"], now + timedelta(hours=1))), read_only=True) as reader:
        assert reader.execute("FROM outlook('alps')").fetchall() == []
        assert reader.execute("FROM season_chances('alps', 'champion')").fetchall() == []
        assert reader.execute("SELECT count(*) FROM outlook").fetchall() == [(1,)]


def test_the_newest_forecast_is_the_one_that_knows_most_days(ask, rated, now):
    """One made later from an older fit does not take its place."""
    with writing(rated) as con:
        said(con, "g9", "2026-02-03", "2026-02-09", "fifa:A", "fifa:C", as_of="2026-01-10", win=0.9, draw=0.0, loss=0.1)
    with duckdb.connect(str(publish(rated, ["alps"], now + timedelta(hours=1))), read_only=True) as reader:
        assert reader.execute("SELECT win FROM forecast WHERE game_id = 'g9'").fetchall() == [(0.5,)]
