"""Men's tennis beside the rating systems of the package index: frozen at the end of 2013, and walking forward.

The frozen row has every match of 2014's file whose event began in 2014 (2,816: Davis Cup, walkovers and abandoned
matches too, with the winner that the file names), as the peers publish it. Walking forward, each day is forecast from
the days before it. Peers are tuned by log loss on the past; their chances get one logit scale, which the past chooses
too. Sides are in the order of a seeded hash: no order tells who won.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from bench_leagues import Matches
from bench_peers import RIIX, at_scale, loss, openskill, riix, riix_frozen, scaled, through_time, whole_history
from bench_report import not_installed
from modeling.backtest_contests import Asked, contests_of, read_asked
from modeling.backtest_cuts import MODEL, Window, filtered, rated_daily
from modeling.baselines import elo, glicko2
from modeling.baselines.contests import Baseline, Contests
from modeling.build import build_design
from modeling.engines.chain.filter import learn
from modeling.engines.chain.structure import structure_of
from store.home import Home
from store.stanzas import Stanza
from store.warehouse import reading

pytestmark = [pytest.mark.bench, pytest.mark.long, pytest.mark.real, pytest.mark.timeout(14_400)]

Array = NDArray[np.float64]

FROZEN = date(2014, 1, 1)
LATEST = date(2017, 1, 1)
PUBLISHED = {"whole-history-rating": 0.6135, "KickScore": 0.6057, "TrueSkill Through Time": 0.6043}
ALONE = {"effects": (), "noise": (), "group": None}  # results alone, as the peers see them
LEVELS = """
SELECT game_id, attributes['level'] AS level, status = 'retired' AS is_retired FROM game
WHERE league = ? AND attributes['series'] = 'tour'
"""
BEHIND = "they are ahead"
LEVEL_SCHEMA = {"game_id": pl.String, "level": pl.String, "is_retired": pl.Boolean}
HIDDEN = 200  # days at the end whose results are turned about, to see that no forecast before them moves


@dataclass(frozen=True)
class League:
    """A league as everybody sees it."""

    stanza: Stanza
    asked: Asked
    contests: Contests
    matches: Matches
    """All of them; `won` is NaN of those that do not count."""
    level: NDArray[np.object_]
    """Of each match its level at the tour, "D" the Davis Cup; None of lower series."""
    retired: NDArray[np.bool_]

    @property
    def counting(self) -> Matches:
        """The matches that count: played to an end, or until one retired."""
        return self.matches.of(np.isfinite(self.matches.won))


@pytest.fixture(scope="module")
def league(kept: Home, loaded: Callable[[str], Stanza]) -> Callable[[str], League]:
    """league(name): it with all its matches up to 2016."""

    def read(name: str) -> League:
        stanza = loaded(name)
        asked = read_asked(kept, name, stanza, LATEST)
        contests = contests_of(asked)
        with reading(kept) as con:
            levels = pl.DataFrame(con.execute(LEVELS, [name]).fetchall(), LEVEL_SCHEMA, orient="row")
        result = pl.DataFrame({"game_id": contests.game_id.astype(str), "won": 1 - contests.result / 2})
        whole = asked.games.sides.join(asked.games.appearances, on=["game_id", "side"], maintain_order="left")
        players = {player: number for number, player in enumerate(whole["player"].unique().sort())}
        rows = (
            whole.group_by("game_id", maintain_order=True)
            .agg(pl.col("played_on").first(), pl.col("player").replace_strict(players))
            .join(result, on="game_id", how="left", maintain_order="left")
            .join(levels, on="game_id", how="left", maintain_order="left")
        )
        matches = Matches(
            rows["game_id"].to_numpy().astype(object),
            rows["played_on"].to_numpy().astype("datetime64[D]").astype(np.int64),
            np.array(rows["player"].to_list(), dtype=np.int32),
            rows["won"].fill_null(np.nan).to_numpy(),
            len(players),
        )
        retired = rows["is_retired"].fill_null(False).to_numpy()
        return League(stanza, asked, contests, matches, rows["level"].to_numpy(), retired)

    return read


@pytest.fixture(scope="module")
def of_2014(real) -> dict[str, str]:
    """By match of 2014's file whose event began in 2014, the winner that the file names."""
    rows = pl.read_csv(real / "tennis_atp" / "atp_matches_2014.csv", infer_schema_length=0)
    rows = rows.filter(pl.col("tourney_date").str.starts_with("2014"))
    keyed = rows.select(pl.col("tourney_id") + "|" + pl.col("match_num"), "atp:" + pl.col("winner_id"))
    return dict(keyed.iter_rows())


def day_number(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))


def ours(one: League, windows: list[Window], known_until: date | None = None, **changed: Any) -> dict[str, float]:
    """Of every match of the windows our chance that its first side wins; results from `known_until` on are hidden."""
    stanza, asked = one.stanza.model_copy(update=changed), one.asked
    before = asked.games.sides.filter(pl.col("played_on") < (known_until or LATEST))["game_id"]
    counting = asked.counting & frozenset(before)
    design = build_design(stanza, rated_daily(asked.games, counting, windows[0].first), asked.known)
    found: dict[str, float] = {}
    for _window, made in filtered(design, counting, windows, lambda _share: None):
        ids, said = made[MODEL]
        found |= dict(zip(ids, said.chances[:, 0].tolist(), strict=True))
    return found


def riix_walking(name: str, matches: Matches, first: int) -> Array:
    """Chances walking forward, settings and scale by the five years before a day."""
    judged = (matches.day < first) & (matches.day >= first - 5 * 365)
    tried = []
    for settings in RIIX[name][2]:
        made = riix(name, settings, matches)[1]
        scale = scaled(made[judged], matches.won[judged])
        tried.append((loss(at_scale(made[judged], scale), matches.won[judged]), at_scale(made, scale), settings))
    _loss, best, settings = min(tried, key=lambda one: one[0])
    late = matches.day >= matches.day[-1] - HIDDEN
    turned = riix(name, settings, replace(matches, won=np.where(late, 1 - matches.won, matches.won)))[1]
    same = riix(name, settings, matches)[1]
    assert np.array_equal(turned[~late], same[~late]), f"{name} sees results before they come"
    return best


def learned(one: League, link: str) -> tuple[float, float]:
    """Sds of the first state and of a year's drift before the freeze, for peers that cannot learn them in time."""
    stanza = one.stanza.model_copy(update=ALONE | {"link": link})
    games = rated_daily(one.asked.games, one.asked.counting, FROZEN)
    structure = structure_of(build_design(stanza, games, one.asked.known))
    day = structure.design.played_on[structure.design.game]
    until = np.datetime64(FROZEN, "D")
    found = learn(structure, (day < until) & (day >= until - np.timedelta64(5 * 365, "D"))).values
    return found["scale_player"], found["scale_player_walk"]


def by_day(baseline: Baseline, contests: Contests, first: date, until: date) -> dict[str, float]:
    """A baseline of ours, tuned before a day and told results day by day."""
    settings, found = baseline.tune(contests.between(None, first), None), {}
    for day in np.unique(contests.between(first, until).day):
        today = day.astype(date)
        games = contests.between(today, today + timedelta(days=1))
        said = baseline.forecast(settings, contests.between(None, today), games.fixtures()).chances[:, 0]
        found |= dict(zip(games.game_id, said.tolist(), strict=True))
    return found


@pytest.fixture(scope="module")
def tour(league) -> League:
    """The tour since 2000."""
    return league("tour")


@pytest.fixture(scope="module")
def pyramid(league) -> League:
    """Tour, challengers, qualifying and futures."""
    return league("pyramid")


@pytest.fixture(scope="module")
def judged(tour, of_2014) -> Matches:
    """The 2,816 matches, with the winner that the file names."""
    own = tour.matches.of(np.isin(tour.matches.ids.astype(str), list(of_2014)))
    first = dict(tour.asked.games.appearances.filter(pl.col("side") == 1).select("game_id", "player").iter_rows())
    assert len(own.ids) == 2816
    return replace(own, won=np.array([float(of_2014[one] == first[one]) for one in own.ids]))


def test_frozen_at_the_end_of_2013(tour, pyramid, judged, anchors, told):
    window, past = [Window(FROZEN, date(2015, 1, 1))], tour.counting
    past = past.of(past.day < day_number(FROZEN))

    def at(found: dict[str, float]) -> Any:
        return told(np.array([found[one] for one in judged.ids]), judged.won)

    rows: dict[str, Any] = {
        "ours: all levels, surface, best of five": at(ours(pyramid, window, FROZEN)),
        "ours: tour, surface, best of five": at(ours(tour, window, FROZEN)),
        "ours: results of the tour alone": at(ours(tour, window, FROZEN, **ALONE)),
    }
    for name in RIIX:
        if rows.setdefault(name, not_installed("riix", "riix")) is None:
            rows[name] = told(riix_frozen(name, past, judged.pair, day_number(date(2013, 1, 1))), judged.won)
    if rows.setdefault("TrueSkill Through Time", not_installed("trueskillthroughtime", "trueskillthroughtime")) is None:
        sd, drift = learned(tour, "probit")
        rows["TrueSkill Through Time"] = told(through_time(past, judged.pair, judged.day, sd, drift), judged.won)
    if rows.setdefault("whole-history-rating", not_installed("whr", "whole-history-rating")) is None:
        rows["whole-history-rating"] = told(whole_history(past, judged.pair, learned(tour, "logit")[1]), judged.won)
    found = anchors("ATP singles 2014, frozen after 2000-13: all matches of the file", judged.day // 7, rows, PUBLISHED)
    assert BEHIND not in found.values()


def test_the_same_matches_walking_forward(tour, judged, anchors, told):
    until, past = date(2015, 1, 1), tour.counting
    window = [Window(FROZEN, until)]
    counts = np.isin(judged.ids.astype(str), past.ids.astype(str))  # the others are forecast by us alone
    same = judged.of(counts)

    def at(found: dict[str, float]) -> Any:
        return told(np.array([found[one] for one in same.ids]), same.won)

    rows: dict[str, Any] = {
        "ours: tour, surface, best of five": at(ours(tour, window)),
        "ours: results of the tour alone": at(ours(tour, window, **ALONE)),
        "our baseline Elo, tuned": at(by_day(elo.BASELINES[0], tour.contests, FROZEN, until)),
        "our baseline Glicko-2, tuned": at(by_day(glicko2.BASELINES[0], tour.contests, FROZEN, until)),
    }
    rows |= walking(past, same, FROZEN, told)
    missing = not_installed("openskill", "openskill")
    rows["openskill, as it comes"] = missing or at(dict(zip(past.ids, openskill(past)[2].tolist(), strict=True)))
    title = "ATP singles 2014 walking forward, results of the tour since 2000: played and retired"
    assert BEHIND not in anchors(title, same.day // 7, rows).values()


def walking(past: Matches, judged: Matches, first: date, told: Callable) -> dict[str, Any]:
    """riix's systems on the judged matches, walking forward."""
    rows: dict[str, Any] = {}
    for name in RIIX:
        if rows.setdefault(name, not_installed("riix", "riix")) is None:
            made = dict(zip(past.ids, riix_walking(name, past, day_number(first)).tolist(), strict=True))
            rows[name] = told(np.array([made[one] for one in judged.ids]), judged.won)
    return rows


def test_three_years_walking_forward_from_every_level(pyramid, anchors, told):
    windows = [Window(date(year, 1, 1), date(year + 1, 1, 1)) for year in (2014, 2015, 2016)]
    found, all_of_them = ours(pyramid, windows), pyramid.matches
    main = np.array([level not in (None, "D") for level in pyramid.level]) & np.isfinite(all_of_them.won)
    main &= all_of_them.day >= day_number(FROZEN)
    past = pyramid.counting
    settings = elo.BASELINES[0].tune(pyramid.contests.between(None, FROZEN), None)
    apart = elo.ratings(pyramid.contests, settings)[0]  # before each day, as by the door
    own = dict(zip(pyramid.contests.game_id, expit(apart).tolist(), strict=True))
    everything = all_of_them.of(main)
    peers = walking(past, everything, FROZEN, told)
    for year, published in ((2014, 0.5892), (2015, 0.5789), (2016, 0.5938)):
        for kept_out, title in ((False, "retired ones too"), (True, "without retirements")):
            chosen = (all_of_them.day[main] >= day_number(date(year, 1, 1))) & (
                all_of_them.day[main] < day_number(date(year + 1, 1, 1))
            )
            chosen &= ~(pyramid.retired[main] & kept_out)
            same = everything.of(chosen)
            rows: dict[str, Any] = {
                "ours": told(np.array([found[one] for one in same.ids]), same.won),
                "our baseline Elo, tuned": told(np.array([own[one] for one in same.ids]), same.won),
            }
            for name, one in peers.items():
                rows[name] = (
                    one if isinstance(one, str) else replace(one, loss=one.loss[chosen], right=one.right[chosen])
                )
            title = f"ATP main draws {year} walking forward from every level, without the Davis Cup: {title}"
            elsewhere = {"FiveThirtyEight's Elo, on the completed matches it counts": published}
            assert BEHIND not in anchors(title, same.day // 7, rows, elsewhere).values()
