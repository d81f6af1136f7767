"""Comparing models of simulated leagues: the right one wins, a coin flip stays one, and the future stays unseen."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from modeling import lfo
from modeling.build import build_design
from modeling.compare import Method, Modelled, _told_by_the_past, compare_models, score
from modeling.compared import difference, table
from modeling.engines.choice import JOINT, choose, prepare
from modeling.engines.joint import engine as joint
from modeling.lfo import blocks_of, left_future_out
from modeling.variants import AS_IT_STANDS, variants_of
from store.edition import publish
from store.errors import FitError, UsageError
from store.home import Home
from store.warehouse import reading

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def compared(games, stanza, *texts: str) -> dict[str, str]:
    """By variant, how it stands to the league's own."""
    variants = variants_of("simulated", stanza, list(texts))
    models = [Modelled(one, games, build_design(one.stanza, games)) for one in variants]
    by = "lfo" if any(one.walks for one in models) else "loo"
    found = [one for one in score(models, "auto", by, lambda *_: None) if one.method == by]
    return {one.title: difference(one, found[0]).verdict for one in found[1:]}


@pytest.fixture(scope="module")
def simulated(league_maker):
    """Ten teams, 360 games; scores of the same means with more noise where `dispersion` is above zero."""

    def make(dispersion: float = 0.0, home: float = 0.25, seed: int = 5):
        league = league_maker(rounds=4, seed=seed, home=home)
        if not dispersion:
            return league.games
        rng = np.random.default_rng(seed)
        of = pl.col("team").str.slice(2).cast(pl.Int64)
        sides = league.games.sides.with_columns(own=of, other=of.reverse().over("game_id"))
        own, other, is_home = sides["own"].to_numpy(), sides["other"].to_numpy(), sides["is_home"].to_numpy()
        mean = np.exp(0.2 + home * is_home + league.attack[own] - league.defence[other])
        noise = rng.gamma(1 / dispersion, dispersion, len(mean))
        scores = pl.Series("score", rng.poisson(mean * noise).astype(float))
        return replace(league.games, sides=league.games.sides.with_columns(scores))

    return make


NEGATIVE = 'likelihood = "negative_binomial"'


def test_an_overdispersed_league_wants_the_negative_binomial(simulated, stanza):
    assert compared(simulated(0.6), stanza, NEGATIVE) == {"negative binomial": "better"}


def test_poisson_and_an_all_but_poisson_league_cannot_be_told_apart(simulated, stanza):
    assert compared(simulated(), stanza, NEGATIVE) == {"negative binomial": "alike"}


def test_home_advantage_is_missed_where_there_is_one_and_not_where_there_is_none(simulated, stanza):
    assert compared(simulated(home=0.4), stanza, "effects = []") == {"without home": "worse"}
    assert compared(simulated(home=0.0), stanza, "effects = []") == {"without home": "alike"}


def test_partial_pooling_beats_complete_where_teams_differ(simulated, stanza):
    assert compared(simulated(), stanza)["complete pooling"] == "worse"


def drifting(game, games, drift: float):
    """Eight teams over ten seasons, whose strengths wander by `drift` a season."""
    rng = np.random.default_rng(8)
    strength, made = rng.normal(0, 0.7, 8), []
    for season in range(10):
        strength = strength + drift * rng.standard_normal(8)
        for number in range(112):
            a, b = rng.choice(8, 2, replace=False)
            won = rng.random() < 1 / (1 + np.exp(strength[b] - strength[a]))
            day = 365 * season + number
            made.append(game((f"t{a}", f"t{b}"), won=(bool(won), not won), day=day, season=str(2020 + season)))
    return games(*made)


WALK = 'walk = ["team"]; period = "season"'


def test_a_walk_wins_where_strengths_drift(game, games, stanza):
    static = stanza.model_copy(update={"outcome": "win", "effects": ()})
    assert compared(drifting(game, games, 0.8), static, WALK) == {"team walking by season": "better"}


def test_a_walk_is_no_better_where_nothing_drifts(game, games, stanza):
    static = stanza.model_copy(update={"outcome": "win", "effects": ()})
    found = compared(drifting(game, games, 0.0), static, WALK)
    assert found["team walking by season"] in ("alike", "probably worse", "worse")


def test_blocks_are_whole_days_in_order_and_together_the_last_fifth():
    days = np.sort(np.random.default_rng(1).integers(0, 300, 1000)).astype("datetime64[D]")
    blocks = blocks_of("x", days)
    together = np.concatenate([block.games for block in blocks])
    assert len(blocks) == lfo.BLOCKS and np.array_equal(together, np.arange(together[0], 1000))
    assert 190 <= len(together) <= 215
    for block in blocks:
        assert (days[block.games] >= block.first).all() and (days[: block.games[0]] < block.first).all()


def test_a_long_league_is_asked_for_two_years_and_one_day_for_nothing():
    days = np.arange(20 * 365).astype("datetime64[D]")
    assert len(np.concatenate([block.games for block in blocks_of("x", days)])) == 731
    with pytest.raises(FitError, match="too few days"):
        blocks_of("x", np.zeros(50).astype("datetime64[D]"))


@pytest.mark.parametrize("outcome", ["win", "margin"])
def test_what_comes_after_a_block_changes_none_of_its_forecasts(outcome, game, games, stanza):
    """Results of later days may be whatever they like."""
    rng = np.random.default_rng(9)
    made = []
    for number in range(120):
        a, b = rng.choice(6, 2, replace=False)
        scores = tuple(rng.integers(0, 9, 2) + np.array([0.0, 0.5]))
        made.append((int(a), int(b), scores, number))
    own = stanza.model_copy(update={"outcome": outcome, "effects": (), "walk": ("team",), "period": "month"})

    def forecasts(swapped_from: int):
        played = games(
            *(
                game((f"t{a}", f"t{b}"), scores=s if day < swapped_from else (9 * s[1], s[0]), day=day)
                for a, b, s, day in made
            )
        )
        model = Modelled(variants_of("x", own, [])[0], played, build_design(own, played))
        design = _told_by_the_past(model).design
        engine = prepare(choose(design, "fast").engine, design, None)
        blocks = blocks_of("x", design.played_on)[:4]
        return left_future_out(design, engine, blocks, 1, lambda share: None, 0.8), blocks[-1].games[-1] + 1

    usual, end = forecasts(1000)
    changed, _ = forecasts(end)
    assert np.array_equal(usual, changed)
    past, _ = forecasts(int(end) - 20)
    assert not np.array_equal(usual, past)


def test_a_variant_that_cannot_be_fitted_is_left_out_with_its_reason(league, stanza, monkeypatch):
    from modeling import compare

    usual, broken = compare._sampled, list[str]()

    def sampled(one, engine, tell):
        if one.variant.title in broken:
            raise FitError("simulated: the posterior mode was not found.")
        return usual(one, engine, tell)

    monkeypatch.setattr(compare, "_sampled", sampled)
    variants = variants_of("simulated", stanza, [])
    models = [Modelled(one, league.games, build_design(one.stanza, league.games)) for one in variants]
    broken[:] = ["no pooling"]
    rows = table([one for one in score(models, "auto", "loo", lambda *_: None) if one.method == "loo"])
    assert [row["variant"] for row in rows] == ["partial pooling", "complete pooling"]
    assert rows[0]["sentence"].endswith('"no pooling" is left out: simulated: the posterior mode was not found.')
    for some in (["partial pooling"], ["no pooling", "complete pooling"]):
        broken[:] = some
        with pytest.raises(FitError, match="mode was not found"):
            score(models, "auto", "loo", lambda *_: None)


@pytest.mark.slow
def test_the_chain_engine_forecasts_what_the_joint_engine_does(game, games, stanza, monkeypatch):
    """Its forecasts rest on 200 draws, by which the total varies by 0.6: below the 4 that a difference must have."""
    walking = stanza.model_copy(update={"outcome": "win", "effects": (), "walk": ("team",), "period": "season"})
    played = drifting(game, games, 0.8)
    model = Modelled(variants_of("x", walking, [])[0], played, build_design(walking, played))
    (by_joint,) = score([model], "fast", "lfo", lambda *_: None)
    monkeypatch.setattr(joint, "MOST_LATENT", 10)
    (by_chain,) = score([model], "fast", "lfo", lambda *_: None)
    assert (by_joint.engine, by_chain.engine) == ("joint", "chain")
    assert by_joint.game_ids == by_chain.game_ids and len(by_joint.elpd) == 224
    assert by_chain.elpd.sum() == pytest.approx(by_joint.elpd.sum(), abs=2.0)


def test_variants_are_named_by_what_differs(stanza):
    def titles(*texts: str, **settings) -> list[str]:
        return [one.title for one in variants_of("x", stanza.model_copy(update=settings), list(texts))]

    assert titles() == ["partial pooling", "no pooling", "complete pooling"]
    assert titles(NEGATIVE, 'likelihood="dixon_coles"') == ["poisson", "negative binomial", "dixon coles"]
    assert titles("effects = []") == ["with home", "without home"]
    assert titles('effects = ["home", "team:home"]') == ["without team:home", "with team:home"]
    assert titles("effects = []", NEGATIVE) == [AS_IT_STANDS, "without home", "negative binomial"]
    assert titles(WALK) == ["static", "team walking by season"]
    assert titles('period = "month"', walk=("team",), period="season")[1] == "team walking by month"
    walking: dict[str, object] = {"walk": ("team",), "period": "season"}
    assert titles("persistence = 0.65", **walking) == ["forgetting nothing", "keeping 65 % a year"]
    assert titles('rate = ["player"]') == ["ratings of teams", "ratings of players"]
    assert titles('group = "division"') == ["without groups", "groups by division"]
    assert titles("priors.attack = 0.3") == ["the usual prior of attack", "prior 0.3 of attack"]
    assert titles('effects = []; likelihood = "dixon_coles"')[1] == "dixon coles, without home"
    assert (
        variants_of("x", stanza, ["effects = [];  priors.attack = 0.3"])[1].settings
        == "effects = []; priors.attack = 0.3"
    )


MISTAKES = {
    'likelihoo = "poisson"': "cannot differ by `likelihoo`.\nDid you mean",
    'since = "2010-01-01"': "cannot differ by `since`",
    "likelihood = poisson": "cannot be read as settings",
    'likelihood = "student"': "has no likelihood",
    'period = "fortnight"': '"period": Input should be',
    "": "sets nothing",
    'effects = ["home"]': "changes nothing",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_settings_that_make_no_model_are_refused_in_words(text, stanza):
    with pytest.raises(UsageError) as raised:
        variants_of("x", stanza, [text])
    assert MISTAKES[text] in str(raised.value)


@pytest.fixture(scope="module")
def home(tmp_path_factory, league, fill):
    """A home with one simulated league loaded."""
    home = Home(Path(tmp_path_factory.mktemp("compared")))
    fill(home, "x", league.games.sides)
    return home


def test_a_comparison_is_stored_once_and_published(home, stanza):
    stages: list[str] = []
    variants = variants_of("x", stanza, [])
    compare_models(home, "x", variants, NOW)
    found = compare_models(home, "x", variants, NOW, report=lambda stage, share: stages.append(stage))
    assert {stage.partition(":")[0] for stage in stages} == {one.title for one in variants}
    with reading(home) as con:
        kept = con.execute(
            "SELECT comparison_id, method, count(*) FROM comparison GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert kept == [(found.comparison_id, "loo", 3), (found.comparison_id, "waic", 3)]
    with duckdb.connect(str(publish(home, ["x"], NOW)), read_only=True) as con:
        rows = con.execute("SELECT variant, is_own, games, verdict FROM comparison WHERE method = 'loo'").fetchall()
        weighty = con.execute("SELECT sides, result, played_on FROM influential_game").fetchall()
    assert [(row[1], row[2], row[3] is None) for row in rows] == [
        (True, 180, True),
        (False, 180, False),
        (False, 180, False),
    ]
    assert 30 <= len(weighty) <= 60 and all(" – " in sides and "–" in result for sides, result, _ in weighty)
    assert all(sides.startswith("Team t:") for sides, _, _ in weighty)


def refused(home, stanza, *texts: str, method: Method = "auto") -> str:
    with pytest.raises(UsageError) as raised:
        compare_models(home, "x", variants_of("x", stanza, list(texts)), NOW, method=method)
    return str(raised.value)


def test_models_that_cannot_be_compared_are_refused(home, stanza):
    assert "one gives results a density and the other a chance" in refused(home, stanza, 'likelihood = "normal"')
    assert "are the same model" in refused(home, stanza, 'likelihood = "poisson"')
    assert "--method lfo" in refused(home, stanza, 'walk = ["team"]; period = "month"', method="loo")


def test_games_of_one_model_and_not_of_the_other_are_refused(game, games, stanza):
    from modeling.compare import _insist_on_same_games

    some = [game(("a", "b"), scores=(1.0, 0.0), day=day) for day in range(6)]
    variant = variants_of("x", stanza, [])[0]
    both = (games(*some[:count]) for count in (6, 5))
    long, short = (Modelled(variant, one, build_design(stanza, one)) for one in both)
    with pytest.raises(UsageError, match=r"not models of the same games \(5 and 6 of them\)"):
        _insist_on_same_games("x", long, short)


@pytest.mark.slow
def test_static_models_can_be_asked_to_forecast_from_earlier_games(home, stanza):
    found = compare_models(home, "x", variants_of("x", stanza, ["effects = []"]), NOW, method="lfo")
    assert found.rows["method"].unique().to_list() == ["lfo"]
    assert found.influential.height == found.influential["k_hat"].null_count() == 20
    assert 36 <= found.rows["games"][0] <= 41
    assert choose(build_design(stanza, _games(home)), "auto").engine == JOINT


def _games(home: Home):
    from modeling.games import read_games

    with reading(home) as con:
        return read_games(con, "x", None, None)
