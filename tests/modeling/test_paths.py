"""The past as all results tell it: who would have been ranked on which day, and the state he was in, by brute force."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata

from modeling import paths
from modeling.build import build_design
from modeling.design import Design
from modeling.engines import laplace
from modeling.engines.chain import engine as chain
from modeling.engines.joint import engine as joint
from modeling.field import Field, make_field
from modeling.games import Games
from modeling.paths import days_of, has_past, levels_kept, path_rows
from modeling.posterior import Posterior, from_tree
from modeling.ratings import make_ratings
from modeling.tables import QUANTILES
from store.stanzas import Stanza

STANZA = Stanza.model_validate(
    {"title": "x", "feed": "none", "source": ("none",), "outcome": "margin", "walk": "team", "period": "season"}
    | {"min_games": 2, "active_days": 400}
)
# Season, day of it, first, second, margin: c misses 2022, d leaves in 2022, and e and f never meet the others.
PLAYED = [
    ("2021", 0, "a", "b", 4.0), ("2021", 2, "c", "d", -1.0), ("2021", 3, "a", "d", 2.0), ("2021", 40, "b", "c", 3.0),
    ("2022", 0, "a", "b", 1.0), ("2022", 1, "d", "b", 5.0), ("2022", 2, "a", "d", 0.0),
    ("2023", 0, "c", "a", 6.0), ("2023", 1, "b", "a", -2.0), ("2023", 2, "c", "b", 7.0), ("2023", 45, "b", "a", 1.0),
    ("2023", 45, "e", "f", 1.0), ("2023", 46, "f", "e", 1.0),
]  # fmt: skip
# By hand: before each day the ranked with their games and the season of their last state. A season starts on 1 January.
EXPECTED = {
    date(2021, 2, 1): {"a": (2, 2021), "d": (2, 2021)},
    date(2021, 3, 1): {"a": (2, 2021), "b": (2, 2021), "c": (2, 2021), "d": (2, 2021)},
    date(2022, 2, 1): {"a": (4, 2022), "b": (4, 2022), "c": (2, 2021), "d": (4, 2022)},
    date(2023, 2, 1): {"a": (6, 2023), "b": (6, 2023), "c": (4, 2023), "d": (4, 2022)},
}
DRAWS = 600


@pytest.fixture(scope="module", params=[1.0, 0.5], ids=["keeps", "forgets"])
def stanza(request) -> Stanza:
    """What a year leaves of a strength is all of it, or a half."""
    return STANZA.model_copy(update={"persistence": request.param})


@pytest.fixture(scope="module")
def league(game, games) -> Games:
    played = [
        game((one, other), (margin, 0.0), season=season, day=date(int(season), 1 + day // 31, 1 + day % 31))
        for season, day, one, other, margin in PLAYED
    ]
    return games(*played)


@pytest.fixture(scope="module")
def told(league, stanza) -> tuple[Design, Field, Posterior]:
    design = build_design(stanza, league)
    scales = {"team": 2.0, "team_walk": 1.5}
    known = laplace.fit_fixed_scales(design, scales, np.ones(design.games, dtype=bool), {"sigma": 3.0, "nu": 5.0})
    drawn = known.draws(np.random.default_rng(1), DRAWS)
    given = {name: np.full(DRAWS, scale) for name, scale in scales.items()}
    posterior = Posterior(drawn.level, drawn.fixed, drawn.blocks, given)
    return design, make_field(design, design.kind("team"), stanza, league.as_of), posterior


def by_hand(design: Design, posterior: Posterior, team: str, season: int) -> np.ndarray:
    """What is left of the entry state, and the displacement of the walk by that season."""
    base, walk = design.blocks
    entry = 2023 if team in "ef" else 2021
    state = posterior.blocks["team"][:, base.levels.index(team)] * walk.persistence ** (season - entry)
    if season > entry:
        state = state + posterior.blocks["team_walk"][:, walk.levels.index(f"{team}@{season}")]
    return state


def test_who_is_ranked_each_month_is_told_by_the_games_before_it(told, league, stanza):
    design, field, _ = told
    days = days_of(design, field, stanza, league.as_of)
    found = {
        day.as_of: dict(zip([field.competitors[i] for i in day.ranked], day.games.tolist(), strict=True))
        for day in days
    }
    assert found == {day: {team: games for team, (games, _) in who.items()} for day, who in EXPECTED.items()}


def test_states_contrasts_and_ranks_are_those_composed_by_hand_from_the_draws(told, league, stanza):
    design, field, posterior = told
    found = path_rows(design, posterior, field, days_of(design, field, stanza, league.as_of))
    assert found.height == sum(len(who) for who in EXPECTED.values())
    for day, who in EXPECTED.items():
        states = np.array([by_hand(design, posterior, team, season) for team, (_, season) in who.items()])
        contrast = states - states.mean(axis=0)
        rows = found.filter(pl.col("as_of") == day)
        assert rows["competitor_id"].to_list() == list(who)
        assert np.allclose(rows["mean"], contrast.mean(axis=1), atol=1e-5)
        assert np.allclose(rows["sd"], contrast.std(axis=1), atol=1e-5)
        for q in QUANTILES:
            assert np.allclose(rows[f"q{q}"], np.percentile(contrast, q, axis=1), atol=1e-5)
        assert rows["rank"].to_list() == rankdata(-contrast.mean(axis=1)).tolist()
        each = [sorted(1 + (contrast > own).sum(axis=0)) for own in contrast]
        at = [int(np.ceil(share * DRAWS)) - 1 for share in (0.05, 0.95)]
        assert rows.select("rank_low", "rank_high").rows() == [tuple(ranks[i] for i in at) for ranks in each]


def test_the_state_of_the_last_day_is_the_rating_where_nobody_was_idle(told, league, stanza, monkeypatch):
    design, field, posterior = told
    monkeypatch.setattr(paths, "_ends", lambda *_: np.array([league.as_of], dtype="datetime64[D]"))
    own = stanza.model_copy(update={"active_days": 300})
    field = make_field(design, design.kind("team"), own, league.as_of)
    ratings = make_ratings(design, posterior, field, np.random.default_rng(1))
    assert not design.blocks[1].idle_variance[field.ranked].any()
    (day,) = days_of(design, field, own, league.as_of)
    assert day.ranked.tolist() == np.flatnonzero(field.ranked).tolist()
    rows = path_rows(design, posterior, field, [day])
    total = ratings.components["total"][:, field.ranked]
    assert np.allclose(rows["mean"], total.mean(axis=0), atol=1e-5)
    assert np.allclose(rows["sd"], total.std(axis=0), atol=1e-5)


def test_days_are_fewer_where_they_or_rows_would_be_too_many(told, league, stanza, monkeypatch):
    design, field, _ = told

    def days() -> list[date]:
        return [day.as_of for day in days_of(design, field, stanza, league.as_of)]

    monkeypatch.setattr(paths, "MOST_DAYS", 3)
    assert days() == [date(2021, 4, 1), date(2022, 4, 1)], "quarters, and the last is not over"
    monkeypatch.setattr(paths, "MOST_ROWS", 7)
    assert days() == [date(2021, 4, 1), date(2022, 4, 1)], "four and, without c, three"
    monkeypatch.setattr(paths, "MOST_ROWS", 6)
    assert days() == [date(2022, 1, 1)], "of years, too, there are seven; of two years four"
    monkeypatch.setattr(paths, "MOST_ROWS", 3)
    assert days() == []


def test_where_nothing_walks_there_is_no_past_of_its_own(league):
    still = STANZA.model_copy(update={"walk": (), "period": "static"})
    assert not has_past(build_design(still, league))
    assert has_past(build_design(STANZA, league))


@pytest.fixture(scope="module")
def large(league_maker) -> tuple[Design, Field, Stanza, Games]:
    """Attack and defence that walk by the month and forget."""
    games = league_maker(teams=10, rounds=4, seed=5).games
    walks = {"outcome": "score", "period": "month", "min_games": 4, "persistence": 0.5}
    own = STANZA.model_copy(update=walks)
    design = build_design(own, games)
    return design, make_field(design, design.kinds[0], own, games.as_of), own, games


@pytest.mark.parametrize("integrated", [0, 50_000], ids=["mirrored", "integrated"])
def test_the_past_of_a_walk_too_long_for_its_draws_is_that_of_the_joint_engine(large, monkeypatch, integrated):
    """Means of 200 draws are off by a fourteenth of a sd each; with what the engines differ in, a third at most of some
    hundred. sds of 200 draws are known to 5 %."""
    design, field, own, games = large
    everything, days = np.ones(design.games, dtype=bool), days_of(design, field, own, games.as_of)
    monkeypatch.setattr(chain, "KEPT", 0)
    monkeypatch.setattr("modeling.engines.chain.draws.INTEGRATED", integrated)
    kept = levels_kept(design, [field], [days])
    posterior = from_tree(design, chain.fit(design, everything, 3, 400, past=kept))
    assert set(posterior.past) == {"attack_walk", "defence_walk"} == set(posterior.currents)
    one = path_rows(design, posterior, field, days)
    other = path_rows(design, from_tree(design, joint.fit(design, everything, 3, 1000)), field, days)
    assert one.select("as_of", "competitor_id", "games").equals(other.select("as_of", "competitor_id", "games"))
    apart = (one["mean"] - other["mean"]) / other["sd"]
    assert apart.abs().max() < 0.35  # pyright: ignore[reportOperatorIssue]
    assert (one["sd"] / other["sd"]).log().mean() == pytest.approx(0, abs=0.1)
