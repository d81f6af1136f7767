"""Play-offs of tables that are over: from the final places, and from the games that are played of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import skellam

from jobs.doors_forecasts import _play_offs_due
from modeling.fit import fit_league
from modeling.outcomes import outcome_for
from modeling.outlook import outlook
from modeling.outlook.coming import read_draws
from modeling.outlook.competitions import _is_whole
from modeling.outlook.fixtures import NothingToCome
from modeling.outlook.met import met_of
from modeling.outlook.outlook import outlook_of
from modeling.outlook.ties import second_leg
from store.home import Home
from store.seasons import SeasonRules
from store.stanzas import Stanza
from store.warehouse import reading, writing

NOW = datetime(2026, 1, 1, 4, tzinfo=UTC)
LEAGUE = "ended"
Result = tuple[int, int] | None


@pytest.fixture(scope="module")
def season(stanza: Stanza) -> Stanza:
    play_off = {"bracket": ["2", "5", "3", "4"], "rounds": ["two_legs", "neutral"], "won": {"": "up"}}
    rules = {"rounds": "Matchday *", "places": {"up": (1, 1)}, "play_offs": [play_off]}
    return stanza.model_copy(update={"season": SeasonRules.model_validate(rules)})


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, league: Any, fill: Any, season: Stanza) -> Home:
    """A home with a league of ten who have all met, and its fit."""
    home = Home(tmp_path_factory.mktemp("ended"))
    fill(home, LEAGUE, league.games.sides)
    with writing(home) as con:
        con.execute("UPDATE game SET round = 'Matchday 1'")
    assert fit_league(home, LEAGUE, season, NOW, engine="fast", override="to forecast from").verdict == "accepted"
    return home


class Ended:
    """What was played after the table's end, and how it is told."""

    def __init__(self, home: Home, stanza: Stanza, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.stanza, self.patch = home, stanza, monkeypatch
        with reading(home) as con:
            self.draws = read_draws(con, home, LEAGUE)
        self.games = 0
        self.by_place = {row["place"]: row["competitor_id"] for row in self.told().rows.iter_rows(named=True)}

    def told(self, days: int = 0, **asked: Any) -> outlook.Outlook:
        """The outlook so many days after the table's last game."""
        draws = replace(self.draws, as_of=self.draws.as_of + timedelta(days=days))
        self.patch.setattr(outlook, "read_draws", lambda *_: draws)
        return outlook_of(self.home, LEAGUE, self.stanza, **asked)

    def up(self, days: int = 0, **asked: Any) -> dict[int, float]:
        """The chance to go up by place."""
        rows = self.told(days, **asked).rows.iter_rows(named=True)
        return {row["place"]: row["chances"][0]["chance"] for row in rows}

    def play(self, day: int, home: int, away: int, result: Result, shoot_out: int = 0) -> None:
        """A game between places, so many days after the table's last game; one without a result is to come."""
        self.games += 1
        game, played_on = f"p{self.games}", self.draws.as_of + timedelta(days=day)
        attributes = f"MAP {{'shoot_out': '{self.by_place[shoot_out]}'}}" if shoot_out else "MAP {}"
        with writing(self.home) as con:
            status = "scheduled" if result is None else "played"
            con.execute(
                f"INSERT INTO game SELECT ?, ?, ?, 0, '2024', ?, 'day', ?, 'Final stage', false, {attributes}, 'all'",
                [LEAGUE, game, game, played_on, status],
            )
            for side, (place, score) in enumerate(zip((home, away), result or (None, None), strict=True), start=1):
                con.execute(
                    "INSERT INTO side BY NAME SELECT ? AS league, ? AS game_id, ? AS side, ? AS team, ? AS is_home,"
                    " ? AS score, 1.0 AS exposure",
                    [LEAGUE, game, side, self.by_place[place], side == 1, score],
                )


@pytest.fixture
def after(ended: Home, season: Stanza, monkeypatch: pytest.MonkeyPatch):
    yield Ended(ended, season, monkeypatch)
    with writing(ended) as con:
        con.execute("DELETE FROM side WHERE game_id LIKE 'p%'")
        con.execute("DELETE FROM game WHERE game_id LIKE 'p%'")
        con.execute("UPDATE game SET status = 'played' WHERE status = 'abandoned'")


def test_who_goes_up_is_open_on_the_day_after_the_tables_end(after):
    up = after.up()
    assert up[1] == 1
    assert sum(up.values()) == pytest.approx(2)
    assert all(0.05 < up[place] < 0.6 for place in (2, 3, 4, 5))
    assert not any(up[place] for place in range(6, 11))


def test_first_legs_count(after):
    """The fifth leads by four, and is all but through; what comes later is not seen."""
    before = after.up()
    after.play(3, 5, 2, (4, 0))
    after.play(7, 2, 5, (9, 0))
    found = after.up(5)
    assert found[5] > before[5] + 0.1
    assert found[2] < before[2] / 4
    assert sum(found.values()) == pytest.approx(2)


def semi_finals(after: Ended, **shoot_out: int) -> None:
    """The second goes through over the fifth; the third and the fourth are level."""
    after.play(3, 5, 2, (0, 1))
    after.play(3, 4, 3, (1, 0))
    after.play(7, 2, 5, (1, 1))
    after.play(7, 3, 4, (1, 0), **shoot_out)


def test_who_is_level_went_through_as_the_shoot_out_ended(after):
    semi_finals(after, shoot_out=4)
    found = after.up(8)
    assert found[5] == found[3] == 0
    assert found[2] + found[4] == pytest.approx(1)


def test_who_is_level_and_plays_on_went_through(after):
    """As soon as the final is listed; one that is over by now was not known to be played by them."""
    semi_finals(after)
    open_still = after.up(8)
    assert open_still[3] > 0.1
    assert open_still[4] > 0.1
    after.play(14, 2, 4, None)
    found = after.up(8)
    assert found[3] == 0
    assert found[2] + found[4] == pytest.approx(1)
    with writing(after.home) as con:
        con.execute("UPDATE game SET status = 'played' WHERE game_id = 'p5'")
    assert after.up(8) == pytest.approx(open_still, abs=0.04)


def test_a_final_that_is_played_leaves_nothing_open(after):
    semi_finals(after, shoot_out=3)
    after.play(14, 2, 3, (0, 2))
    assert after.up(15) == {place: float(place in (1, 3)) for place in range(1, 11)}
    found = after.told(15)
    assert (found.season, found.doubts) == ("2024", ())
    assert after.up(14 + 30)  # thirty days from the last of the play-offs
    with pytest.raises(NothingToCome, match="no play-off is next"):
        after.told(14 + 31)


def test_a_given_result_of_a_play_offs_game_decides_it(after):
    semi_finals(after, shoot_out=3)
    after.play(14, 2, 3, None)
    first, second = (after.by_place[place] for place in (2, 3))
    assert 0.1 < after.up(8)[2] < 0.9
    assert after.up(8, given=(f"{first} 1-0 {second}",))[2] == 1


def test_a_play_offs_game_that_counts_for_the_table_is_told(after):
    """Where the stanza does not say which rounds do; the fifth and the second then have a game more."""
    after.play(3, 5, 2, None)
    assert after.told().doubts == ()
    rules = after.stanza.season.model_copy(update={"rounds": None})
    after.stanza = after.stanza.model_copy(update={"season": rules})
    (doubt,) = after.told().doubts
    assert doubt.startswith("sides have from 36 to 37 games, played and to come: some are not listed, or")


@pytest.mark.parametrize("is_given", [True, False])
def test_who_is_in_a_final_won_what_is_before_it(after, is_given):
    """Though no semi-final is known: the others are out."""
    after.play(14, 2, 4, None)
    first, second = (after.by_place[place] for place in (2, 4))
    found = after.up(given=(f"{first} 1-0 {second}",)) if is_given else after.up()
    assert found[3] == found[5] == 0
    assert found[2] + found[4] == pytest.approx(1)
    assert found[2] == 1 if is_given else 0.1 < found[2] < 0.9


@pytest.mark.parametrize("result", [(4, 0), None])
def test_a_play_off_of_which_a_game_is_known_is_not_doubted(after, result):
    """Played, or listed as to come; that of others is none of it."""
    after.play(3, 5, 2, result)
    assert after.told(5 if result else 0).doubts == ()


def test_a_game_that_the_places_do_not_bring_is_told(after):
    """The sixth plays the second: points were taken off somebody. Two who stand in no bracket may meet."""
    after.play(3, 8, 9, (0, 1))
    assert after.told(4).doubts == ()
    after.play(3, 6, 2, (0, 1))
    (doubt,) = after.told(4).doubts
    assert "have met after their table's end, and by its places only one of them stands in a bracket" in doubt


def test_a_table_that_lacks_games_is_not_over(after):
    with writing(after.home) as con:
        con.execute("UPDATE game SET status = 'abandoned' WHERE game_id = 'g00000'")
    with pytest.raises(NothingToCome, match="no play-off is next"):
        after.told()


def test_the_night_tells_of_a_play_off_though_no_game_to_come_is_listed(after):
    """And ends the outlook where nothing follows."""
    found = _play_offs_due(after.home, LEAGUE, after.stanza, NOW)
    ended_on = after.draws.as_of - timedelta(days=1)
    assert found == (
        f"{LEAGUE}: the end of season 2024 (beware: `play_offs`: no game of that of 2, 5, 3, 4 is in the results since "
        f"the table ended on {ended_on}: it is simulated as if none were played)"
    )
    count = "SELECT count(*) FROM outlook"
    with reading(after.home) as con:
        assert con.execute(count).fetchall() == [(10,)]
    own = after.stanza.model_copy(update={"season": SeasonRules()})
    assert _play_offs_due(after.home, LEAGUE, own, NOW) is None
    with reading(after.home) as con:
        assert con.execute(count).fetchall() == [(0,)]


def games_between(*games: tuple[Any, ...]) -> pl.DataFrame:
    rows = [
        {"game_id": f"g{number}", "played_on": date(2030, 5, day), "who": who,
         "value": None if result is None else float(result[side]), "is_home": side == 0, "shoot_out": through}
        for number, (*pair, day, result, through) in enumerate(games) for side, who in enumerate(pair)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"shoot_out": pl.String, "value": pl.Float64})


def test_what_is_known_of_ties():
    found = met_of(
        ("a", "b", "c", "d"),
        games_between(("b", "a", 1, (2, 1), None), ("a", "b", 4, (1, 0), None), ("d", "c", 1, (3, 0), None),
                      ("c", "x", 2, (1, 0), None), ("a", "d", 9, None, None)),
    )  # fmt: skip
    assert found.games[0, 1] == 2
    assert found.games[2, 3] == 1
    assert found.games.sum() == 3
    assert (found.lead[0, 1], found.through[0, 1]) == (0, 1)  # a plays on
    assert (found.lead[2, 3], found.left[2, 3]) == (-3, 0)  # at c's
    pairs = np.array([0]), np.array([1])
    assert found.settled(*pairs, 0.5) == 1
    unknown = met_of(("a", "b"), games_between(("a", "b", 1, (1, 1), None)))
    assert unknown.settled(*pairs, 0.25) == 0.25
    shot = met_of(("a", "b"), games_between(("a", "b", 1, (1, 1), "b")))
    assert shot.settled(*pairs, 0.5) == 0


@pytest.mark.parametrize("lead", [-1, 0, 2])
def test_a_second_leg_is_won_by_the_chance_of_both_together(lead):
    """Two Poisson counts, their difference and extra time in closed form (Skellam)."""
    outcome = outcome_for("x", Stanza(title="x", feed="none", source=("none",), outcome="score"))
    seasons, rates = 40_000, (1.6, 1.1)
    eta = [np.full((seasons, 1), np.log(rate)) for rate in rates]
    ahead, rng = np.full((seasons, 1), lead), np.random.default_rng(3)
    found = second_leg(outcome, eta[0], eta[1], ahead, {"noise": 1.0}, rng, level=0.25)
    third = [rate / 3 for rate in rates]
    through = skellam.sf(0, *third) + skellam.pmf(0, *third) * 0.25
    true = skellam.sf(-lead, *rates) + skellam.pmf(-lead, *rates) * through
    assert found.mean() == pytest.approx(true, abs=5 * 0.5 / np.sqrt(seasons))


@pytest.mark.parametrize(
    ("met", "at_home", "is_whole"),
    [
        ([(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)], [0, 1, 0, 2, 1, 2], True),
        ([(0, 1), (1, 2), (2, 0)], [], True),  # once, on neutral ground
        ([(0, 1), (0, 2), (1, 2)], [0, 0, 1], False),  # half of the season: not as often at home
        ([(0, 1), (1, 0)], [0, 1], False),
    ],
)
def test_a_table_is_whole_once_all_have_met_equally_often(met, at_home, is_whole):
    first, second = np.array(met).T
    assert _is_whole(first, second, np.array(at_home, np.intp), 3) == is_whole
