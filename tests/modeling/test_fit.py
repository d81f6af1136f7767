"""A league from the warehouse to recorded, judged ratings, as the command does it."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import arviz
import duckdb
import numpy as np
import polars as pl
import pytest

from modeling import fit as fitting
from modeling.build import build_design
from modeling.engines import laplace
from modeling.engines.chain import engine as chain
from modeling.engines.choice import Choice
from modeling.fit import fit_league
from modeling.unpooled import NOT_FOUND
from store.edition import current, publish
from store.errors import FitError
from store.home import Home
from store.warehouse import reading

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER_STAGES = ("held-out forecasts", "without pooling", "predictive checks", "tables", "recording")


def rows(home: Home, sql: str) -> list[tuple]:
    with reading(home) as con:
        return con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def home(tmp_path_factory, league, fill):
    home = Home(Path(tmp_path_factory.mktemp("home")))
    fill(home, "healthy", league.games.sides)
    fill(home, "wild", league.games.sides.with_columns(pl.col("score") * 3))
    return home


@pytest.fixture(scope="module")
def healthy(home, stanza):
    stages: list[str] = []
    fitted = fit_league(home, "healthy", stanza, NOW, report=lambda stage, share: stages.append(stage))
    assert list(dict.fromkeys(stages)) == ["games and model", "fitting", *LATER_STAGES]
    return fitted


@pytest.fixture(scope="module")
def by_nuts(home, stanza, league, fill):
    """The same games as another league, sampled."""
    fill(home, "by_nuts", league.games.sides)
    stages: list[str] = []
    fitted = fit_league(home, "by_nuts", stanza, NOW, engine="nuts", report=lambda stage, share: stages.append(stage))
    assert list(dict.fromkeys(stages)) == ["games and model", "compiling", "sampling", *LATER_STAGES]
    return fitted


@pytest.fixture(scope="module")
def wild(home, stanza):
    return fit_league(home, "wild", stanza, NOW)


def test_a_healthy_league_is_accepted(home, healthy, league):
    assert (healthy.verdict, healthy.reasons, healthy.is_new) == ("accepted", [], True)
    ((games, as_of, dated),) = rows(home, f"SELECT games, as_of, is_dated FROM fit WHERE fit_id = '{healthy.fit_id}'")
    assert (games, as_of, dated) == (180, league.games.as_of, False)


def test_its_true_strengths_are_inside_its_intervals(home, healthy, league):
    """90 % intervals of 10 totals: 6 or more hold the truth, whatever the league (P < 0.002 of fewer)."""
    truth = league.attack + league.defence
    truth = truth - truth.mean()
    found = rows(
        home,
        f"SELECT q5, q95 FROM rating WHERE fit_id = '{healthy.fit_id}' AND component = 'total' ORDER BY competitor_id",
    )
    assert sum(low <= value <= high for (low, high), value in zip(found, truth, strict=True)) >= 6


def test_identical_inputs_are_never_refitted(home, healthy, stanza):
    later = datetime(2026, 1, 2, tzinfo=UTC)
    again = fit_league(home, "healthy", stanza, later)
    assert (again.fit_id, again.is_new, again.verdict) == (healthy.fit_id, False, "accepted")
    assert "(nothing new: the fit of 2026-01-01 00:00 UTC stands)" in again.summary
    found = rows(home, f"SELECT fitted_at_utc, current_at_utc FROM fit WHERE fit_id = '{healthy.fit_id}'")
    assert found == [(NOW.replace(tzinfo=None), later.replace(tzinfo=None))]


def test_a_changed_stanza_or_date_is_another_fit(home, healthy, stanza):
    from modeling.games import read_games
    from modeling.identity import fit_id

    with reading(home) as con:
        games, earlier = (read_games(con, "healthy", None, as_of) for as_of in (None, date(2024, 2, 1)))
    other = stanza.model_copy(update={"priors": {"home": 0.3}})
    ids = {
        fit_id(stanza, games, build_design(stanza, games), "joint", 20140101),
        fit_id(other, games, build_design(other, games), "joint", 20140101),
        fit_id(stanza, earlier, build_design(stanza, earlier), "joint", 20140101),
        fit_id(stanza, games, build_design(stanza, games), "joint", 2),
        fit_id(stanza, games, build_design(stanza, games), "nuts", 20140101),
    }
    assert healthy.fit_id in ids and len(ids) == 5


def test_a_wrong_likelihood_is_rejected_stored_and_never_published(home, healthy, wild):
    assert wild.verdict == "rejected"
    assert any("variance" in reason.lower() for reason in wild.reasons)
    publish(home, ["healthy", "wild"], NOW)
    with duckdb.connect(str(current(home)), read_only=True) as con:
        assert con.execute("SELECT DISTINCT league FROM leaderboard").fetchall() == [("healthy",)]
        found = con.execute("SELECT verdict, is_published, reasons FROM fit WHERE league = 'wild'").fetchall()
        assert found == [("rejected", False, wild.reasons)]
        assert con.execute("SELECT fit_id, newest_verdict FROM league WHERE league = 'wild'").fetchall() == [
            (None, "rejected")
        ]


def test_a_rejected_fit_is_not_fitted_again_but_can_be_overridden(home, wild, stanza):
    again = fit_league(home, "wild", stanza, NOW)
    assert (again.verdict, again.is_new, again.reasons) == ("rejected", False, wild.reasons)
    before = rows(home, f"SELECT * FROM rating WHERE fit_id = '{wild.fit_id}' ORDER BY ALL")
    forced = fit_league(home, "wild", stanza, NOW, override="goals are tripled on purpose")
    assert "by hand, against" in forced.summary and not forced.is_new
    anew = fit_league(home, "wild", stanza, NOW, again=True)
    assert anew.is_new and rows(home, f"SELECT * FROM rating WHERE fit_id = '{wild.fit_id}' ORDER BY ALL") == before
    for again in (forced, anew, fit_league(home, "wild", stanza, NOW)):  # the same inputs: what was accepted stays so
        assert (again.fit_id, again.verdict, again.reasons) == (wild.fit_id, "accepted", wild.reasons)
        found = rows(home, f"SELECT verdict, override_reason, len(reasons) FROM fit WHERE fit_id = '{wild.fit_id}'")
        assert found == [("accepted", "goals are tripled on purpose", len(wild.reasons))]


def test_its_tree_has_every_group_and_says_where_it_comes_from(by_nuts, healthy, league):
    assert set(healthy.tree.children) == {
        "posterior", "diagnostics", "observed_data", "constant_data", "log_likelihood", "posterior_predictive",
    }  # fmt: skip
    tree = by_nuts.tree
    assert set(tree.children) == {
        "posterior", "sample_stats", "observed_data", "constant_data", "log_likelihood", "posterior_predictive",
    }  # fmt: skip
    assert (tree.attrs["fit_id"], tree.attrs["as_of"]) == (by_nuts.fit_id, str(league.games.as_of))
    assert json.loads(tree.attrs["design"])["likelihood_name"] == "poisson"
    assert json.loads(tree.attrs["versions"])["nutpie"] in tree.attrs["sampler"]
    assert {"engine", "seed", "tune", "league", "started_from", "centred", "code_hash"} <= set(tree.attrs)
    assert tree["constant_data"]["game"].to_numpy().tolist() == league.games.sides["game_id"].unique().sort().to_list()


def test_arviz_reads_its_tree(healthy):
    """Leave-one-out: 180 games, as many parameters as ten teams with two effects each could have at most."""
    found: Any = arviz.loo(healthy.tree)
    assert (found.n_data_points, found.n_samples) == (180, healthy.tree.attrs["kept_draws"])
    assert 0 < found.p < 25
    assert not found.warning


def test_both_engines_say_the_same(home, healthy, by_nuts):
    """Means within a quarter of a sd: 6,000 correlated draws against the deterministic answer; sds within 15 %."""
    order = "ORDER BY component, competitor_id"
    pair = [
        np.array(rows(home, f"SELECT mean, sd FROM rating WHERE fit_id = '{one.fit_id}' {order}"))
        for one in (healthy, by_nuts)
    ]
    assert np.abs(pair[0][:, 0] - pair[1][:, 0]).max() < 0.25 * pair[1][:, 1].min()
    assert np.abs(pair[0][:, 1] / pair[1][:, 1] - 1).max() < 0.15
    found = dict(rows(home, f"SELECT engine, engine_reason FROM fit WHERE fit_id IN {healthy.fit_id, by_nuts.fit_id}"))
    assert found == {"joint": "its effects fit into one dense factor", "nuts": "asked for"}


@pytest.fixture(scope="module")
def walked(home, stanza, league, fill):
    """The healthy league's ratings walk, and its chain fit is treated as one too large for everything dense."""
    fill(home, "walked", league.games.sides)
    own = stanza.model_copy(update={"period": "month", "walk": ("team",)})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fitting, "choose", lambda *_: Choice("chain", "asked for"))
        patched.setattr(chain, "KEPT", 0)
        patched.setattr(chain, "INTEGRATED", 0)
        earlier = fit_league(home, "walked", own, NOW, as_of=date(2024, 3, 1))
        start = fit_league(home, "walked", own, NOW)
        left = home.restart_of(start.fit_id).exists()
        again = fit_league(home, "walked", own.model_copy(update={"min_games": 6}), NOW)
    return earlier, start, again, left


def test_a_fit_too_large_for_a_dense_factor_has_everything_that_others_have(home, healthy, walked):
    _, start, _, _ = walked
    assert start.verdict == "accepted", start.reasons
    for table in ("rating", "standing", "borrowing", "pooling", "predictive_check"):
        counts = [rows(home, f"SELECT count(*) FROM {table} WHERE fit_id = '{one.fit_id}'") for one in (healthy, start)]
        assert counts[0] == counts[1] != [(0,)], table
    (borrowed,) = rows(
        home, f"SELECT max(abs(own + teammates + opponents + \"group\" + prior - 1)), min(own) FROM borrowing "
        f"WHERE fit_id = '{start.fit_id}'",
    )  # fmt: skip
    assert borrowed[0] < 1e-9 < borrowed[1]
    (unpooled,) = rows(
        home, "SELECT corr(a.unpooled, b.unpooled), avg(a.unpooled_se / b.unpooled_se), corr(a.mean, b.mean) "
        f"FROM rating a JOIN rating b USING (kind, competitor_id, component) "
        f"WHERE a.fit_id = '{start.fit_id}' AND b.fit_id = '{healthy.fit_id}' AND component = 'total'",
    )  # fmt: skip
    assert unpooled[2] > 0.97
    checks = {name for (name,) in rows(home, f"SELECT check_name FROM fit_check WHERE fit_id = '{start.fit_id}'")}
    assert checks >= {"residual", "evidence", "sub_league", "pit", "held_out", "connected"}


def test_the_past_is_told_of_a_league_whose_ratings_walk_and_of_no_fit_of_a_chosen_date(home, healthy, walked):
    _, start, again, _ = walked
    found = dict(rows(home, "SELECT fit_id, list(DISTINCT as_of ORDER BY as_of) FROM rating_path GROUP BY fit_id"))
    days = [date(2024, month, 1) for month in range(2, 13) if date(2024, month, 1) < NOW.date()]
    assert set(found) == {start.fit_id, again.fit_id}
    assert found[start.fit_id] == days[: len(found[start.fit_id])]
    (same,) = rows(
        home, "SELECT corr(p.mean, r.mean), count(*)"
        " FROM rating_path p JOIN rating r USING (fit_id, kind, competitor_id)"
        f" WHERE fit_id = '{start.fit_id}' AND component = 'total' AND p.as_of = (SELECT max(as_of) FROM rating_path)",
    )  # fmt: skip
    assert same[0] > 0.95
    assert same[1] == 10


def test_a_large_fit_starts_from_what_the_last_one_left(home, walked):
    earlier, start, again, left = walked
    assert left
    assert home.restart_of(again.fit_id).exists()
    assert not home.restart_of(start.fit_id).exists()
    found = dict(rows(home, "SELECT fit_id, started_from FROM fit WHERE league = 'walked'"))
    assert found == {earlier.fit_id: None, start.fit_id: None, again.fit_id: start.fit_id}
    sweeps = [float(one.tree["diagnostics"]["sweeps"]) for one in (start, again)]
    assert sweeps[1] < sweeps[0]


@pytest.mark.parametrize("engine", ["joint", "chain", pytest.param("nuts", marks=pytest.mark.slow)])
def test_a_fit_does_without_unpooled_estimates_that_are_not_found(monkeypatch, home, league, stanza, engine, fill):
    """Their place says why, no pooling is not compared, two warnings tell it, and the ratings are published."""

    def not_found(*_):
        raise FitError("The mode without pooling was not found in 100 steps.")

    monkeypatch.setattr(fitting, "choose", lambda *_: Choice(engine, "asked for"))
    monkeypatch.setattr(*((chain, "fit_mode") if engine == "chain" else (laplace, "no_pooling")), not_found)
    own = {"period": "month", "walk": ("team",)} if engine == "chain" else {}
    fill(home, f"lost_{engine}", league.games.sides)
    fitted = fit_league(home, f"lost_{engine}", stanza.model_copy(update=own), NOW)
    assert fitted.verdict == "accepted", fitted.reasons

    def asked(columns: str, table: str) -> list[tuple]:
        return rows(home, f"SELECT DISTINCT {columns} FROM {table} WHERE fit_id = '{fitted.fit_id}' ORDER BY 1")

    assert asked("unpooled, unpooled_se, unpooled_reason, mean <> 0", "rating") == [(None, None, NOT_FOUND, True)]
    assert [one for (one,) in asked("pooling", "pooling")] == ["baseline", "complete", "partial"]
    told = [one[1:] for one in asked("check_name, subject, status, message", "fit_check") if one[0] == "unpooled"]
    assert sorted(one[:2] for one in told) == [("all but the held-out games", "warn"), ("all games", "warn")]
    assert all("not found in 100 steps" in message for *_, message in told)
    publish(home, [f"lost_{engine}"], NOW)
    with duckdb.connect(str(current(home)), read_only=True) as con:
        shown = con.execute("SELECT DISTINCT unpooled, unpooled_reason FROM leaderboard").fetchall()
    assert shown == [(None, NOT_FOUND)]


def test_a_later_fit_starts_from_the_last_accepted_and_says_so(home, healthy, stanza):
    later = fit_league(home, "healthy", stanza, NOW, as_of=date(2024, 2, 1))
    found = dict(rows(home, "SELECT fit_id, started_from FROM fit WHERE league = 'healthy'"))
    assert found == {healthy.fit_id: None, later.fit_id: healthy.fit_id}
    assert later.tree is not None and later.tree.attrs["started_from"] == healthy.fit_id
    publish(home, ["healthy"], NOW)
    with duckdb.connect(str(current(home)), read_only=True) as con:
        assert dict(con.execute("SELECT fit_id, started_from FROM fit").fetchall()) == found


def test_the_three_poolings_and_the_baseline_are_compared(home, healthy):
    found = dict(rows(home, f"SELECT pooling, difference FROM pooling WHERE fit_id = '{healthy.fit_id}'"))
    assert set(found) == {"partial", "none", "complete", "baseline"}
    assert found["partial"] == 0


def test_without_pooling_and_with_a_single_day_of_play_it_says_what_it_could_not_test(
    home, healthy, league, stanza, fill
):
    """Scales are given, so none is learned; intervals are wider than with pooling; nothing could be held out."""
    fill(home, "one_day", league.games.sides.with_columns(played_on=pl.lit(date(2024, 1, 1))))
    fitted = fit_league(home, "one_day", stanza.model_copy(update={"pooling": "none"}), NOW)
    assert fitted.verdict == "accepted", fitted.reasons
    of = f"FROM {{}} WHERE fit_id = '{fitted.fit_id}'"
    ((status, message),) = rows(home, f"SELECT status, message {of.format('fit_check')} AND check_name = 'held_out'")
    assert (status, "one day" in message) == ("warn", True)
    assert rows(home, f"SELECT pooling {of.format('pooling')}") == []
    assert {name for (name,) in rows(home, f"SELECT parameter {of.format('hyperparameter')}")} == {"intercept", "home"}
    spread = "SELECT avg(sd) FROM rating WHERE component = 'total' AND fit_id = '{}'"
    assert rows(home, spread.format(fitted.fit_id)) > rows(home, spread.format(healthy.fit_id))


def test_sql_and_numpy_agree_on_the_chance_of_a_win(home, healthy):
    from modeling.outcomes import outcome_of

    chances = outcome_of("score").chances
    publish(home, ["healthy"], NOW)
    with duckdb.connect(str(current(home)), read_only=True) as con:
        found = con.execute("SELECT win, draw, loss FROM win_probability('healthy', 't:01', 't:02')").fetchall()
        parts = con.execute("SELECT competitor_id, component, draws FROM rating_draw").fetchall()
        shared = dict(con.execute("SELECT parameter, draws FROM parameter_draw").fetchall())
    draws = {(competitor, component): np.array(values) for competitor, component, values in parts}
    assert len(draws["t:01", "total"]) == 1000
    for row, (home_a, home_b) in zip(found, [(1, 0), (0, 0), (0, 1)], strict=True):
        first = np.array(shared["intercept"]) + home_a * np.array(shared["home"]) + draws["t:01", "attack"]
        second = np.array(shared["intercept"]) + home_b * np.array(shared["home"]) + draws["t:02", "attack"]
        exact = chances(first - draws["t:02", "defence"], second - draws["t:01", "defence"], {}).mean(axis=0)
        assert row == pytest.approx(exact, abs=1e-6)


def test_a_name_that_is_not_there_is_answered_with_the_nearest(home, healthy):
    publish(home, ["healthy"], NOW)
    with (
        duckdb.connect(str(current(home)), read_only=True) as con,
        pytest.raises(duckdb.Error, match='Did you mean "Team t:01"'),
    ):
        con.execute("FROM win_probability('healthy', 't:1', 't:02')")


def test_what_cannot_be_fitted_is_one_clear_error(home, stanza):
    with pytest.raises(FitError, match="no played games are loaded"):
        fit_league(home, "empty", stanza, NOW)
    with pytest.raises(FitError, match="no played games from 2090"):
        fit_league(home, "healthy", stanza.model_copy(update={"since": date(2090, 1, 1)}), NOW)
    with pytest.raises(
        FitError, match="nobody has played in the 400 days before 2090-01-01: the last game known was on"
    ):
        fit_league(home, "healthy", stanza, NOW, as_of=date(2090, 1, 1))
    with pytest.raises(FitError, match='no engine "slow"'):
        fit_league(home, "healthy", stanza, NOW, engine="slow")
