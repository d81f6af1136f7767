"""The chain engine against dense matrices, finite differences, exact answers and its own invariances."""

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.integrate import quad

from modeling.build import build_design
from modeling.design import Design
from modeling.engines import chain, laplace
from modeling.engines.chain import engine, linear, sites, threads
from modeling.engines.chain.draws import perturbations
from modeling.engines.chain.scales import Objective, maximise, parameters_of
from modeling.engines.chain.smooth import Smoothed, scales_of, smooth
from modeling.engines.chain.structure import structure_of
from modeling.engines.joint.algebra import latent_of
from modeling.outcomes import outcome_of
from modeling.outcomes.outcome import Array
from store.stanzas import Stanza

SURFACES, DIVISIONS = ("clay", "grass", "hard"), ("first", "second")
KINDS = [
    ("win", "logit"), ("win", "probit"), ("result", "logit"), ("result", "probit"), ("margin", "normal"),
    ("score", "poisson"), ("score", "negative_binomial"), ("score", "normal"),
]  # fmt: skip
FORGETS = {("win", "probit"), ("margin", "normal"), ("score", "poisson"), ("score", "negative_binomial")}


def stanza(outcome: str, likelihood: str, **extra: object) -> Stanza:
    link = {"link": likelihood} if outcome in ("win", "result") else {"likelihood": likelihood}
    body = {"title": "x", "feed": "none", "source": ("none",), "outcome": outcome, "period": "quarter"}
    body |= {"walk": ("team", "team:surface"), "effects": ("home", "team:surface"), "group": "division"} | link | extra
    if outcome in ("win", "result", "margin"):
        body = {"noise": ("best_of",)} | body
    return Stanza.model_validate(body)


def league(game, games, outcome: str, teams: int = 6, count: int = 90, seed: int = 3):
    """Games of `teams` over two years with surfaces, divisions, home sides and best of five."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 0.8, teams)
    played = []
    for number in range(count):
        a, b = rng.choice(teams, 2, replace=False)
        margin = strength[a] - strength[b] + rng.logistic() + 0.3
        if outcome == "score":
            scores = (float(rng.poisson(np.exp(0.3 + strength[a] / 3))), float(rng.poisson(np.exp(strength[b] / 3))))
        elif outcome == "result":
            scores = (1.0, 1.0) if abs(margin) < 0.5 else (2.0 * (margin > 0), 2.0 * (margin <= 0))
        elif outcome == "margin":
            scores = (float(np.round(3 * margin, 2)), 0.0)
        else:
            scores = (float(margin > 0), float(margin <= 0))
        played.append(
            game(
                (f"t{a}", f"t{b}"), scores, day=date(2022, 1, 1) + timedelta(days=int(720 * number / count)),
                home=0 if number % 3 else None, surface=SURFACES[int(rng.integers(3))],
                best_of="5" if number % 4 == 0 else "3",
            )
        )  # fmt: skip
    return games(*played, groups={(f"t{k}", "2024"): DIVISIONS[k % 2] for k in range(teams)})


def values_of(design: Design) -> dict[str, float]:
    scales = {f"scale_{block.name}": (0.3 + 0.1 * i) * block.prior_scale for i, block in enumerate(design.blocks)}
    return scales | {one.name: 0.2 if one.is_signed else one.start for one in design.auxiliaries}


def dense(design: Design, found: Smoothed) -> tuple[Array, Array, Array]:
    """(eta's design matrix by row, mean, covariance) of the Design's own effects, at the engine's sites;
    the intercept's less its prior mean."""
    scales = scales_of(found.structure, found.values)
    latent = latent_of(design, tuple(block.name for block in design.blocks))
    matrix = latent.x.toarray()[design.cells]
    covariance = np.linalg.inv(latent.prior(scales).toarray() + matrix.T @ (found.sites.tau[:, None] * matrix))
    shift = found.sites.nu - found.sites.tau * design.centre
    return matrix, covariance @ (matrix.T @ shift), covariance


@pytest.fixture(scope="module")
def designs(game, games) -> dict[tuple[str, str], Design]:
    """By outcome and likelihood; half of them keep a half of each walk a year, those of slopes too."""
    share = {kind: 0.5 if kind in FORGETS else 1.0 for kind in KINDS}
    return {kind: build_design(stanza(*kind, persistence=share[kind]), league(game, games, kind[0])) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_means_and_shared_effects_are_those_of_the_dense_system_with_the_same_sites(designs, kind):
    design = designs[kind]
    found = smooth(structure_of(design), values_of(design), tolerance=1e-10)
    matrix, mean, covariance = dense(design, found)
    assert np.abs(found.eta - design.centre - matrix @ mean).max() < 1e-8
    count = len(design.fixed) + int(design.outcome.has_intercept)
    names = list(found.structure.shared_names)[:count]
    assert names == (["level"] if design.outcome.has_intercept else []) + [one.name for one in design.fixed]
    assert found.covariance[:count, :count] == pytest.approx(covariance[:count, :count], rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_variances_of_rows_are_nearly_the_exact_ones(designs, kind):
    design = designs[kind]
    found = smooth(structure_of(design), values_of(design), tolerance=1e-8)
    matrix, _mean, covariance = dense(design, found)
    exact = np.einsum("ij,jk,ik->i", matrix, covariance, matrix)
    ratio = np.sqrt(found.eta_variance / exact)
    assert np.abs(ratio - 1).max() < 0.15  # six teams that all meet again and again: as many loops as there can be
    assert np.median(ratio) == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_the_evidence_is_that_of_its_differences(designs, kind):
    design = designs[kind]
    objective = Objective(structure_of(design), parameters_of(design), None, lambda: None)
    values = values_of(design)
    point = np.array([one.coordinate(values[one.name]) for one in objective.hypers])
    _value, gradient, _ = objective(point, 1e-8)
    for i in range(len(point)):
        step = np.zeros(len(point))
        step[i] = 1e-3
        slope = (objective(point + step, 1e-8)[0] - objective(point - step, 1e-8)[0]) / 2e-3
        assert gradient[i] == pytest.approx(slope, abs=2e-4, rel=2e-4), objective.hypers[i].name


@pytest.mark.parametrize("kind", KINDS)
def test_densities_are_the_outcomes_own(designs, kind):
    design, rng = designs[kind], np.random.default_rng(1)
    values = values_of(design)
    eta = rng.normal(0, 2, len(design.y))
    own = design.outcome.log_density(design.tallies, eta, design.likelihood_arguments(values))
    noise, auxiliary, code = sites.noise_of(design, values), sites.auxiliary_of(design, values), sites.CODES[kind]
    mine = [
        sites.log_density(code, design.y[r], design.exposure[r], eta[r], noise[r], auxiliary) for r in range(len(eta))
    ]
    assert mine == pytest.approx(own, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_tilted_moments_are_those_of_quadrature(kind):
    outcomes = {"win": (0.0, 1.0), "result": (0.0, 1.0, 2.0), "margin": (-2.5, 4.0), "score": (0.0, 1.0, 5.0)}
    code, noise, auxiliary = sites.CODES[kind], 1.2, 0.7
    for y in outcomes[kind[0]]:
        for centre, cavity in ((0.0, 0.4), (1.1, 1.5), (-0.8, 0.05)):
            exact = _quadrature(code, y, noise, auxiliary, centre, cavity)
            belief, tau, nu, log_z = (centre, cavity), 0.0, 0.0, 0.0
            for _ in range(4):  # the site settles, as it does in a fit
                log_z, mean, variance = sites.tilted(code, y, 1.0, noise, auxiliary, *belief, tau, nu)
                tau, nu = 1 / variance - 1 / cavity, mean / variance - centre / cavity
                belief = (mean, variance)
            assert (log_z, *belief) == pytest.approx(exact, rel=5e-4, abs=2e-5)


def _quadrature(code: int, y: float, noise: float, auxiliary: float, centre: float, cavity: float) -> tuple:
    def moment(power: int) -> float:
        def integrand(eta: float) -> float:
            prior = np.exp(-0.5 * (eta - centre) ** 2 / cavity) / np.sqrt(2 * np.pi * cavity)
            return eta**power * prior * np.exp(sites.log_density(code, y, 1.0, eta, noise, auxiliary))

        width = 12 * np.sqrt(cavity)
        return quad(integrand, centre - width, centre + width, epsabs=1e-13, limit=200)[0]

    zero, one, two = (moment(power) for power in range(3))
    return np.log(zero), one / zero, two / zero - (one / zero) ** 2


def test_logit_sites_in_blocks_are_those_one_by_one(designs):
    design, rng = designs["win", "logit"], np.random.default_rng(2)
    rows = len(design.y)
    mean, variance = rng.normal(0, 1.5, rows), rng.uniform(0.05, 1.5, rows)
    noise = rng.uniform(0.7, 1.4, rows)
    given = design.y, noise, mean, variance, 1.0
    blocks = [np.full(rows, 0.1), rng.normal(0, 0.3, rows), np.empty(rows)]
    single = [one.copy() for one in blocks]
    sites.update_logit(0, rows, *given, *blocks)
    sites.update(0, rows, sites.WIN_LOGIT, design.y, design.exposure, noise, 1.0, *given[2:], *single)
    assert blocks == [pytest.approx(one, rel=1e-7, abs=1e-9) for one in single]


def test_normal_rows_have_the_exact_posterior_and_nearly_the_exact_evidence(designs):
    design = designs["margin", "normal"]
    values = values_of(design)
    found = smooth(structure_of(design), values, tolerance=1e-9)
    scales = {block.name: values[f"scale_{block.name}"] for block in design.blocks}
    auxiliaries = {one.name: values[one.name] for one in design.auxiliaries}
    exact = laplace.fit_fixed_scales(design, scales, np.ones(design.games, dtype=bool), auxiliaries)
    assert found.eta == pytest.approx((exact.x @ exact.mode)[np.unique(design.cells, return_inverse=True)[1]], abs=1e-8)
    assert found.evidence == pytest.approx(exact.evidence, abs=1.0)  # the messages' determinant, on a graph of loops


def drawn(found: Smoothed) -> np.ndarray:
    """4,000 draws of all states and, below them, the shared effects."""
    chosen = np.arange(found.structure.size + len(found.shared))
    parts = perturbations(found, 4000, np.random.default_rng(5), chosen)
    return np.concatenate(list(parts), axis=1).astype(float)


@pytest.mark.parametrize("kind", [("win", "logit"), ("score", "poisson")])
def test_draws_have_the_covariance_of_the_dense_inverse(designs, kind):
    design = designs[kind]
    found = smooth(structure_of(design), values_of(design), tolerance=1e-8)
    matrix, _mean, covariance = dense(design, found)
    exact = matrix @ covariance @ matrix.T
    s = found.structure
    y = drawn(found)
    eta = (linear.row_values(s, np.ascontiguousarray(y[: s.size])) + s.shared @ y[s.size :])[:40]
    seen, want = np.cov(eta), exact[:40, :40]
    error = np.sqrt((np.outer(np.diag(want), np.diag(want)) + want**2) / 4000)
    assert (np.abs(seen - want) / error).max() < 5.5
    assert (np.abs(eta.mean(axis=1) - found.eta[:40]) / np.sqrt(np.diag(want) / 4000)).max() < 5


def test_the_order_of_rows_within_a_day_means_nothing(designs):
    design = designs["win", "logit"]
    rows = np.random.default_rng(4).permutation(len(design.y))
    turned = replace(
        design, y=design.y[rows], exposure=design.exposure[rows],
        blocks=tuple(replace(block, weights=block.weights[rows]) for block in design.blocks),
        fixed=tuple(replace(one, values=one.values[rows]) for one in design.fixed),
        noise=tuple(replace(one, codes=one.codes[rows]) for one in design.noise),
    )  # fmt: skip
    values = values_of(design)
    one, other = (smooth(structure_of(d), values, tolerance=1e-9) for d in (design, turned))
    assert other.mean == pytest.approx(one.mean, abs=1e-8)
    assert other.evidence == pytest.approx(one.evidence, abs=1e-5)  # the lift is solved for in single precision


def test_two_pools_joined_by_one_game_keep_their_wide_common_uncertainty(game, games):
    rng = np.random.default_rng(8)
    pools = [("a", "b", "c", "d"), ("w", "x", "y", "z")]
    played = [
        game(tuple(rng.choice(pools[n % 2], 2, replace=False).tolist()), (float(rng.random() < 0.5), 0.5), day=n // 4)
        for n in range(400)
    ]
    played.insert(200, game(("a", "z"), (1.0, 0.0), day=50))
    plain = {"walk": (), "period": "static", "effects": (), "group": None, "noise": ()}
    design = build_design(stanza("win", "logit", **plain), games(*played))
    found = smooth(structure_of(design), {"scale_team": 1.0}, tolerance=1e-8)
    _matrix, _mean, covariance = dense(design, found)
    y = drawn(found)
    within, between = [], []
    position = found.structure.position["team"]
    for first, second, kept in (("b", "c", within), ("b", "x", between)):
        apart = np.zeros(8)
        apart[design.blocks[0].levels.index(first)], apart[design.blocks[0].levels.index(second)] = 1, -1
        exact = np.sqrt(apart @ covariance @ apart)
        kept.append(exact)
        assert np.std(apart @ y[:8][position]) == pytest.approx(exact, rel=0.06)
    assert between[0] > 2 * within[0]


def test_maximum_evidence_recovers_a_walk(game, games):
    rng = np.random.default_rng(11)
    state, played = rng.normal(0, 1.0, 30), []
    for quarter in range(24):
        for number in range(250):
            a, b = rng.choice(30, 2, replace=False)
            won = float(rng.random() < 1 / (1 + np.exp(state[b] - state[a])))
            day = date(2000 + quarter // 4, 1 + 3 * (quarter % 4), 1 + number // 10)
            played.append(game((f"t{a:02d}", f"t{b:02d}"), (won, 1 - won), day=day))
        state = state + rng.normal(0, 0.5 * np.sqrt(0.25), 30)
    plain = {"walk": ("team",), "effects": (), "group": None, "noise": ()}
    design = build_design(stanza("win", "logit", **plain), games(*played))
    objective = Objective(structure_of(design), parameters_of(design), None, lambda: None)
    found = maximise(objective, np.array([one.coordinate(one.start) for one in objective.hypers]), None)
    scale, drift = np.exp(found.point)
    assert scale == pytest.approx(1.0, abs=0.45)  # of 30 entry states, about three standard errors
    assert drift == pytest.approx(0.5, abs=0.1)
    truth = found.smoothed.mean[objective.structure.position["team_walk"]]
    assert np.isfinite(truth).all()


def test_a_warm_restart_finds_the_same_fit_with_less_work(game, games):
    everything = league(game, games, "win", count=240)
    design = build_design(stanza("win", "logit"), everything)
    most = np.ones(design.games, dtype=bool)
    first = chain.fit(design, most, seed=1, draws=32)
    again = chain.fit(design, most, seed=1, draws=32, start=first)
    cold, warm = first["diagnostics"].to_dataset(), again["diagnostics"].to_dataset()
    assert float(warm["sweeps"]) < 0.5 * float(cold["sweeps"])
    for name in ("team_mean", "team_walk_mean"):
        assert again["history"][name].to_numpy() == pytest.approx(first["history"][name].to_numpy(), abs=0.05)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_tree_at_any_number_of_threads(designs, monkeypatch):
    design = designs["score", "poisson"]
    everything = np.ones(design.games, dtype=bool)
    trees = []
    for count in (1, 2):
        monkeypatch.setattr(threads, "THREADS", count)
        trees.append(chain.fit(design, everything, seed=9, draws=40))
    for group in ("posterior", "history", "diagnostics"):
        assert trees[0][group].to_dataset().identical(trees[1][group].to_dataset())


@pytest.mark.slow
def test_the_tree_has_every_variable_that_nuts_has(designs):
    design = designs["score", "poisson"]
    tree = chain.fit(design, np.ones(design.games, dtype=bool), seed=1, draws=24)
    names = {"level", *(one.name for one in design.fixed), *(one.name for one in design.auxiliaries)}
    names |= {block.name for block in design.blocks} | {f"scale_{block.name}" for block in design.blocks}
    assert names <= set(tree["posterior"].data_vars)
    for block in design.blocks:
        assert tree["posterior"][block.name].shape == (1, 24, len(block.levels))


def test_scores_from_far_below_their_mean_rate_do_not_overshoot(game, games):
    rng, played = np.random.default_rng(27), []
    attack, defence = rng.normal(0, 0.4, (2, 12))
    for number in range(150):
        a, b = rng.choice(12, 2, replace=False)
        rates = np.exp(0.3 + attack[[a, b]] - defence[[b, a]] + (4.0, 0.0))
        scores = tuple(rng.poisson(rates).astype(float))
        played.append(
            game((f"t{a:02d}", f"t{b:02d}"), scores, home=0, day=date(2020, 1, 1) + timedelta(days=3 * number))
        )
    plain = {"walk": ("team",), "effects": ("home",), "group": None, "noise": ()}
    for likelihood in ("poisson", "negative_binomial"):
        design = build_design(stanza("score", likelihood, **plain), games(*played))
        with np.errstate(all="raise"):
            found, _ = engine.maximum(structure_of(design), None, lambda share: None)
        shared = dict(zip(found.smoothed.structure.shared_names, found.smoothed.shared, strict=True))
        assert shared["home"] == pytest.approx(4.0, abs=0.5)


def test_it_says_what_it_does_not_take(game, games):
    assert chain.takes(build_design(stanza("win", "logit"), league(game, games, "win"))) is None
    races = [game(("a", "b", "c"), places=(1, 2, 3), day=n) for n in range(3)]
    plain = {"walk": (), "period": "static", "effects": (), "group": None, "noise": ()}
    order = Stanza.model_validate({"title": "x", "feed": "f", "source": ("s",), "outcome": "order"})
    assert "no chains" in (chain.takes(build_design(order, games(*races))) or "")
    pairs = [game(("x", "y"), (1.0, 0.0), players=(("a", "b"), ("c", "d")), day=n) for n in range(3)]
    doubles = build_design(stanza("win", "logit", rate=("player",), **plain), games(*pairs))
    assert "4 competitors" in (chain.takes(doubles) or "")
    assert outcome_of("win", "logit").likelihood == "logit"


@pytest.mark.parametrize("pooling", ["none", "complete"])
def test_scales_that_are_given_stay_and_are_told(game, games, pooling):
    design = build_design(stanza("score", "normal", pooling=pooling), league(game, games, "score"))
    tree = chain.fit(design, np.ones(design.games, dtype=bool), seed=1, draws=24)
    assert tree["diagnostics"]["parameter"].to_numpy().tolist() == ["sigma"]
    for block in design.blocks:
        assert (tree["posterior"][f"scale_{block.name}"] == block.fixed_scale).all()


SECOND_START = """
import warnings
from datetime import date, timedelta
import numpy as np
import polars as pl
from modeling.build import build_design
from modeling.engines import chain
from modeling.engines.chain import filter, forward, kernels, products, sites
from modeling.engines.chain.structure import structure_of
from modeling.games import Games
from store.stanzas import Stanza

warnings.simplefilter("error")
rng = np.random.default_rng(1)
pairs = [rng.choice(6, 2, replace=False) for _ in range(80)]
sides = [
    (f"g{n:03d}", date(2023, 1, 1) + timedelta(days=5 * n), side, f"t{team}", float((n % 3 == 0) == (side == 1)))
    for n, pair in enumerate(pairs) for side, team in zip((1, 2), pair)
]
frame = pl.DataFrame(sides, schema=["game_id", "played_on", "side", "team", "score"], orient="row").with_columns(
    contest_id="game_id", season=pl.lit("2023"), neutral=True, is_home=False, exposure=1.0,
    finish=pl.lit(None, pl.Int32), won=pl.lit(None, pl.Boolean),
)
stanza = Stanza.model_validate({
    "title": "x", "feed": "none", "source": ("none",), "outcome": "win", "walk": ("team",), "period": "quarter",
})
design = build_design(stanza, Games("x", date(2025, 1, 1), frame))
tree = chain.fit(design, np.ones(design.games, bool), seed=1, draws=24)
chain.fit(design, np.ones(design.games, bool), seed=1, draws=24, start=tree)
filter.forecast(structure_of(design), {"scale_team": 1.0, "scale_team_walk": 0.5}, np.zeros(0))
known = [one for module in (forward, kernels, products, sites) for one in vars(module).values()]
known += [one for table in (products.ADVANCE, products.MULTIPLY, products.RELAX) for one in table]
print(sum(sum(one.stats.cache_misses.values()) for one in known if hasattr(one, "stats")))
"""


@pytest.mark.slow
def test_a_second_start_compiles_nothing_and_no_warning_is_raised():
    command = [sys.executable, "-c", SECOND_START]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2))
    for done in (first, second):
        assert (done.returncode, done.stderr) == (0, "")
    assert second.stdout.strip() == "0"  # the first one may compile
