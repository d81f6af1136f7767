"""The joint engine against closed forms, finite differences and brute-force quadrature."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from modeling.build import build_design
from modeling.design import Design, Noise
from modeling.engines import laplace, nuts
from modeling.engines.climb import climb
from modeling.engines.joint import engine as joint
from modeling.engines.joint import exact, moments
from modeling.engines.joint.algebra import spread_draws
from modeling.engines.joint.draws import move, skewness
from modeling.engines.joint.model import Approximation, Model, model_of, theta_of
from modeling.engines.surface import explore
from modeling.outcomes import outcome_of
from modeling.posterior import Posterior, from_tree
from store.errors import FitError
from store.stanzas import Stanza

LIKELIHOODS = [
    ("win", "logit"), ("win", "probit"), ("result", "logit"), ("result", "probit"), ("score", "poisson"),
    ("score", "negative_binomial"), ("score", "dixon_coles"), ("score", "normal"), ("margin", "normal"),
    ("margin", "student"), ("order", "plackett_luce"), ("order", "worst_first"),
]  # fmt: skip


def every(design: Design) -> np.ndarray:
    return np.ones(design.games, dtype=bool)


@pytest.fixture(scope="module")
def league_of(game, games) -> Callable[..., Design]:
    """(outcome, likelihood, games, teams, settings) -> a Design of games without meaning over two seasons."""

    def make(outcome: str, likelihood: str, size: int = 60, teams: str = "abcde", **settings: Any) -> Design:
        rng, found, many = np.random.default_rng(7), [], 4 if outcome == "order" else 2
        for number in range(size):
            first_wins = bool(rng.random() < 0.7)
            found.append(
                game(
                    tuple(rng.permutation(list(teams))[:many]), tuple(rng.poisson(1.5, many).astype(float)),
                    day=number * 12, season="2021" if number < size / 2 else "2022",
                    home=0 if many == 2 else None, won=(first_wins, not first_wins) if many == 2 else None,
                    places=tuple(rng.permutation(many) + 1) if many > 2 else None,
                )
            )  # fmt: skip
        key = "link" if outcome in ("win", "result") else "likelihood"
        stated = {"title": "x", "feed": "none", "source": ("none",), "outcome": outcome, key: likelihood}
        return build_design(Stanza.model_validate(stated | settings), games(*found))

    return make


NORMAL = [
    ("margin", {"effects": ("home",)}),
    ("margin", {"effects": ("home",), "period": "season", "walk": ("team",), "persistence": 0.5}),
    ("score", {"effects": ("home",)}),
]


def approximation(model: Model) -> Callable[..., Approximation]:
    return moments.approximate if model.design.outcome.is_coarse else laplace.approximate


@pytest.fixture
def exactly(monkeypatch) -> None:
    """Iterations that go on to the end."""
    monkeypatch.setattr(moments, "TOLERANCE", 1e-9)
    monkeypatch.setattr(laplace, "NEAR", 1e-13)


@pytest.mark.usefixtures("exactly")
@pytest.mark.parametrize(("outcome", "likelihood"), LIKELIHOODS)
def test_the_evidences_gradient_is_that_of_finite_differences(league_of, outcome, likelihood):
    effects = () if outcome == "order" else ("home",)
    model_design = league_of(outcome, likelihood, effects=effects, period="season", walk=("team",), persistence=0.5)
    model = model_of(model_design, every(model_design))
    theta = theta_of(model, {}) * 0.9
    at, found, step = approximation(model), approximation(model)(model, theta), 1e-4
    for which in range(len(theta)):
        one = step * np.eye(len(theta))[which]
        expected = (at(model, theta + one).log_evidence - at(model, theta - one).log_evidence) / (2 * step)
        assert found.slope[which] == pytest.approx(expected, rel=2e-5, abs=1e-5), model.hypers[which].name


def test_normal_rows_have_their_exact_posterior_and_evidence(league_of, known_sigma):
    design = replace(league_of("margin", "normal", effects=("home",)), outcome=known_sigma(outcome_of("margin"), 2.0))
    model = model_of(design, every(design))
    theta = theta_of(model, {"scale_team": 1.3})
    found, prior = laplace.approximate(model, theta), model.latent.prior(model.scales(theta)).toarray()
    rows = model.latent.x.toarray()[design.cells]
    precision = prior + rows.T @ rows / 4
    assert found.mean == pytest.approx(np.linalg.solve(precision, rows.T @ design.y / 4))
    assert found.sd == pytest.approx(np.sqrt(np.linalg.inv(precision).diagonal()))
    covariance = rows @ np.linalg.inv(prior) @ rows.T + 4 * np.eye(len(rows))
    assert found.log_evidence == pytest.approx(multivariate_normal.logpdf(design.y, np.zeros(len(rows)), covariance))


@pytest.mark.parametrize(("outcome", "settings"), NORMAL)
def test_normal_rows_put_together_tell_the_same_as_row_by_row(league_of, outcome, settings):
    design = league_of(outcome, "normal", **settings)
    chosen = np.arange(design.games) % 5 > 0
    model = model_of(design, chosen)
    assert (model.spectrum is None) == (len(design.blocks) > 1)
    theta = theta_of(model, {name: 0.4 + 0.3 * i for i, name in enumerate(one.name for one in model.hypers)})
    found, by_row = exact.approximate(model, theta), laplace.approximate(model, theta)
    assert found.log_evidence == pytest.approx(by_row.log_evidence)
    assert found.mean == pytest.approx(by_row.mean)
    assert found.sd == pytest.approx(by_row.sd)
    assert found.slope == pytest.approx(by_row.slope, rel=1e-5, abs=1e-5)
    assert np.tril(found.factor(model)) == pytest.approx(np.tril(by_row.factor(model)))
    effects = np.random.default_rng(1).normal(size=(3, model.latent.size))
    density = design.outcome.log_density(model.tally, model.eta(effects), model.arguments(theta)).sum(axis=1)
    assert model.log_likelihood(np.tile(theta, (3, 1)), effects) == pytest.approx(density)


def test_draws_of_normal_rows_are_those_of_their_gaussian_at_each_theta(league_of):
    design = league_of("margin", "normal", effects=("home",))
    model = model_of(design, every(design))
    theta = theta_of(model, {"scale_team": 0.8, "sigma": 1.7})
    at = joint.approximating(model)
    surface = explore(model, at, climb(model, at, theta), 1).surface
    z = np.tile(surface.z(theta), (100_000, 1))
    assert model.spectrum is not None
    drawn, certificate = exact.draw(model, surface, model.spectrum, z, np.random.default_rng(3))
    found = laplace.approximate(model, theta)
    rows = drawn.effects.reshape(-1, model.latent.size)
    assert rows.mean(axis=0) == pytest.approx(found.mean, abs=1e-9)
    rooted = spread_draws(found.factor(model), np.eye(model.latent.size))
    assert np.cov(rows.T) == pytest.approx(rooted.T @ rooted, abs=0.01)
    assert certificate.k_hat == 0
    turned = -model.spectrum.vectors, -model.spectrum.cross, -model.spectrum.pull
    other = replace(model.spectrum, **dict(zip(("vectors", "cross", "pull"), turned, strict=True)))
    again, _ = exact.draw(model, surface, other, z[:9], np.random.default_rng(3))
    first, _ = exact.draw(model, surface, model.spectrum, z[:9], np.random.default_rng(3))
    assert again.effects == pytest.approx(first.effects)


def test_rows_of_unlike_noise_are_not_put_together(league_of):
    design = league_of("margin", "normal")
    assert model_of(design, every(design)).gram is not None
    noise = Noise("final", ("yes",), (np.arange(len(design.y)) % 7 == 0).astype(np.intp))
    other = replace(design, noise=(noise,))
    assert model_of(other, every(other)).gram is None
    assert model_of(league_of("margin", "student"), every(design)).gram is None


@pytest.fixture(scope="module")
def outliers(game, games) -> Design:
    """Margins with heavy tails and, every fortieth game, one of ninety points either way."""
    rng = np.random.default_rng(1)
    strength, found = rng.normal(0, 4, 10), []
    for number in range(250):
        a, b = rng.choice(10, 2, replace=False)
        margin = strength[a] - strength[b] + 2 + 6 * rng.standard_t(3)
        margin = float(rng.choice([-90, 90])) if number % 40 == 7 else round(float(margin), 1)
        scores = (max(margin, 0.0), max(-margin, 0.0))
        found.append(game((f"t{a}", f"t{b}"), scores, day=number, home=0))
    stated = {"title": "x", "feed": "none", "source": ("none",), "outcome": "margin", "likelihood": "student"}
    return build_design(Stanza.model_validate(stated | {"effects": ("home",)}), games(*found))


def largest(design: Design) -> set[str]:
    return {design.game_ids[one] for one in np.flatnonzero(np.abs(design.y) == 90)}


def test_sites_of_results_that_tell_the_less_the_farther_they_are_off_are_floored_and_named(outliers):
    """Student-t rows are not log-concave: a site of negative precision would be wanted for the outliers."""
    matched = replace(outliers, outcome=replace(outliers.outcome, is_coarse=True))
    model = model_of(matched, every(matched))
    theta = theta_of(model, {"scale_team": 4.0, "sigma": 6.0, "tails": 1.0})
    found, mode = moments.approximate(model, theta), laplace.approximate(model, theta)
    assert found.damped > 0
    assert largest(outliers) <= {
        outliers.game_ids[one] for one in outliers.game[np.isin(outliers.cells, found.touched)]
    }
    assert (np.asarray(found.curvature) > 0).all()
    assert found.mean == pytest.approx(mode.mean, abs=0.3 * mode.sd.max())


def test_where_the_posterior_is_not_concave_its_positive_part_serves_and_the_games_are_named(outliers):
    model = model_of(outliers, every(outliers))
    theta = theta_of(model, {"scale_team": 50.0, "sigma": 0.5, "tails": 0.1})
    far = np.linspace(-60, 60, model.latent.size)
    found = laplace.find_mode(model, model.scales(theta), model.arguments(theta), far, 1e-6)
    assert found.damped > 0
    assert len(found.touched) > 0
    assert joint._where(outliers, found.touched).count("g0") == min(len(found.touched), joint.NAMED)
    assert joint._where(outliers, np.zeros(0, dtype=np.intp)) == ""
    assert np.isfinite(found.factor).all()


@pytest.mark.slow
def test_heavy_tails_and_outliers_have_the_posterior_that_nuts_finds(outliers):
    tree = joint.fit(outliers, every(outliers), seed=1)
    ours = from_tree(outliers, tree)
    theirs = from_tree(outliers, nuts.sample(nuts.compile_design(outliers), every(outliers), 1, 2000))

    def effects(posterior: Posterior) -> np.ndarray:
        teams = posterior.blocks["team"]
        shared = [posterior.fixed["home"], posterior.scales["team"], *posterior.auxiliaries.values()]
        return np.column_stack([teams - teams.mean(axis=1, keepdims=True), *shared])

    apart = (effects(ours).mean(axis=0) - effects(theirs).mean(axis=0)) / effects(theirs).std(axis=0)
    assert np.abs(apart).max() < 0.1
    ratio = effects(ours).std(axis=0) / effects(theirs).std(axis=0)
    assert ratio == pytest.approx(1, abs=0.13)
    assert tree["diagnostics"].attrs["k_hat"] < 0.7


@pytest.mark.usefixtures("exactly")
@pytest.mark.parametrize("likelihood", ["logit", "probit"])
def test_matched_moments_are_those_of_a_fine_grid(league_of, likelihood):
    """Two teams who met eight times: a single cell of results, for which matching moments is exact."""
    design = league_of("win", likelihood, size=8, teams="ab")
    model = model_of(design, every(design))
    assert len(model.tally) <= 2
    theta = theta_of(model, {"scale_team": 1.1})
    found = moments.approximate(model, theta)
    line = np.linspace(-7, 7, 701)
    effects = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    density = model.design.outcome.log_density(model.tally, effects @ model.latent.x.T, model.arguments(theta))
    mass = np.exp(density.sum(axis=1) + norm.logpdf(effects, 0, 1.1).sum(axis=1))
    near = 1e-3 if len(model.tally) == 2 else 1e-6
    assert found.log_evidence == pytest.approx(np.log(mass.sum() * (line[1] - line[0]) ** 2), abs=near)
    mean = mass @ effects / mass.sum()
    assert found.mean == pytest.approx(mean, abs=near)
    assert found.sd == pytest.approx(np.sqrt(mass @ effects**2 / mass.sum() - mean**2), rel=near)


def test_the_skewed_mean_of_a_count_is_nearer_the_truth_than_the_mode(league_of):
    """Poisson scores of two teams, against importance sampling with many draws."""
    design = league_of("score", "poisson", size=6, teams="ab")
    model = model_of(design, every(design))
    theta = theta_of(model, {"scale_attack": 0.8, "scale_defence": 0.01})
    found = laplace.approximate(model, theta)
    rng = np.random.default_rng(1)
    draws = found.mean + 1.3 * spread_draws(found.factor(model), rng.standard_normal((200_000, model.latent.size)))
    apart = draws - found.mean
    h = model.precision(model.latent.prior(model.scales(theta)), found.curvature)
    h = h + np.tril(h, -1).T
    proposal = -0.5 * np.sum((apart @ h) * apart, axis=1) / 1.3**2
    target = design.outcome.log_density(model.tally, model.eta(draws), model.arguments(theta)).sum(axis=1)
    prior = model.latent.prior(model.scales(theta))
    log_weight = target - 0.5 * np.sum((prior @ draws.T).T * draws, axis=1) - proposal
    weight = np.exp(log_weight - log_weight.max())
    truth = weight @ draws / weight.sum()
    assert np.abs((found.mean - truth) / found.sd).max() < 0.03
    assert np.abs((found.state[0] - truth) / found.sd).max() > 0.08


@pytest.mark.parametrize("outcome", ["score", "order"])
def test_precision_variances_and_traces_are_those_of_dense_matrices(league_of, outcome):
    likelihood = "dixon_coles" if outcome == "score" else "plackett_luce"
    design = league_of(outcome, likelihood, period="season", walk=("team",))
    model = model_of(design, every(design))
    theta = theta_of(model, {})
    latent, prior, x = model.latent, model.latent.prior(model.scales(theta)), model.latent.x.toarray()
    w = design.outcome.derivatives(model.tally, 0.1 * x.sum(axis=1), model.arguments(theta))[1]
    dense = prior.toarray() + x.T @ w.toarray() @ x
    h = latent.precision(prior, w)
    assert np.tril(h) == pytest.approx(np.tril(dense))
    assert latent.log_determinant(model.scales(theta)) == pytest.approx(np.linalg.slogdet(prior.toarray())[1])
    covariance = np.linalg.inv(dense)
    lower = np.asfortranarray(np.tril(covariance))
    expected = (x @ covariance @ x.T)[w.nonzero()]
    assert np.asarray(latent.spread(lower, w)[w.nonzero()]).ravel() == pytest.approx(expected)
    for span, trace in zip(latent.spans.values(), latent.traces(prior, lower), strict=True):
        assert trace == pytest.approx(np.trace((covariance @ prior.toarray())[span, span]))


def test_draws_moved_to_another_theta_have_its_covariance(league_of):
    design = league_of("margin", "normal", period="season", walk=("team",))
    model = model_of(design, every(design))
    here = laplace.approximate(model, theta_of(model, {"scale_team": 1.0, "scale_team_walk": 0.5, "sigma": 1.5}))
    there = theta_of(model, {"scale_team": 1.4, "scale_team_walk": 0.3, "sigma": 1.5})
    factor = here.factor(model)
    rooted = spread_draws(factor, np.eye(model.latent.size))
    moved = move(model, here, factor, np.tile(there, (model.latent.size, 1)), rooted)
    wanted = spread_draws(laplace.approximate(model, there).factor(model), np.eye(model.latent.size))
    assert moved.T @ moved == pytest.approx(wanted.T @ wanted, rel=0.02, abs=0.005)


def test_skewness_is_the_same_from_single_rows_and_along_effects(league_of, monkeypatch):
    """Third derivatives summed row by row are, for small effects, those of finite differences along an effect."""
    design = league_of("score", "poisson")
    model = model_of(design, every(design))
    at = laplace.approximate(model, theta_of(model, {"scale_attack": 0.2, "scale_defence": 0.2}))
    by_row = skewness(model, at, at.factor(model))
    together = replace(design.outcome, contracted=lambda tally, eta, aux, c: eta)
    along = skewness(replace(model, design=replace(design, outcome=together)), at, at.factor(model))
    assert along == pytest.approx(by_row, rel=0.05, abs=1e-3)


def test_the_surface_integrates_one_scale_as_a_fine_grid_does(league_of):
    design = league_of("margin", "normal", effects=("home",), size=120)
    model = model_of(design, every(design))
    climbed = climb(model, lambda theta, _near: laplace.approximate(model, theta), theta_of(model, {}))
    explored = explore(model, lambda theta, _near: laplace.approximate(model, theta), climbed, 1)
    z, log_evidence = explored.surface.draws(4000, 1)
    theta = explored.surface.centre + z @ explored.surface.axes.T
    roots = [np.linspace(0.02, 2.2, 90), np.linspace(1.1, 1.6, 70)]
    grid = np.array(np.meshgrid(*roots, indexing="ij")).reshape(2, -1).T
    density = np.array([laplace.approximate(model, one).log_evidence + model.log_prior(one) for one in grid])
    mass = np.exp(density - density.max())
    cell = (roots[0][1] - roots[0][0]) * (roots[1][1] - roots[1][0])
    assert log_evidence == pytest.approx(np.log(mass.sum() * cell) + density.max(), abs=0.05)
    for which in range(2):
        mean = mass @ grid[:, which] / mass.sum()
        sd = np.sqrt(mass @ grid[:, which] ** 2 / mass.sum() - mean**2)
        assert theta[:, which].mean() == pytest.approx(mean, abs=0.06 * sd)
        assert theta[:, which].std() == pytest.approx(sd, rel=0.06)


def test_the_tree_has_what_the_reference_engine_gives_and_says_how_it_went(league_of):
    design = league_of("score", "poisson", effects=("home",), period="season", walk=("team",))
    told: list[float] = []
    tree = joint.fit(design, every(design), seed=5, draws=400, progress=told.append)
    again = joint.fit(design, every(design), seed=5, draws=400)
    posterior, same = from_tree(design, tree), from_tree(design, again)
    assert posterior.draws == 400
    assert posterior.blocks["attack"] == pytest.approx(same.blocks["attack"])
    assert set(posterior.scales) == {block.name for block in design.blocks}
    found = tree["diagnostics"]
    assert set(found["hyperparameter"].to_numpy()) == {f"scale_{block.name}" for block in design.blocks}
    assert found.attrs["k_hat"] < 0.7
    assert found.attrs["gain_left"] < 0.01
    assert np.isfinite(found.attrs["log_evidence"])
    assert (found.attrs["damped"] == 0) == (found.attrs["damped_where"] == "")
    assert tree.attrs["engine"] == "joint"
    assert told == sorted(told) and told[-1] == 1


@pytest.mark.parametrize(("outcome", "likelihood"), [("win", "logit"), ("margin", "normal")])
def test_scales_that_are_given_are_not_learned(league_of, outcome, likelihood):
    design = league_of(outcome, likelihood, effects=("home",))
    given = replace(design, blocks=tuple(replace(block, fixed_scale=0.3) for block in design.blocks))
    tree = joint.fit(given, every(given), seed=2, draws=2000)
    posterior = from_tree(given, tree)
    assert posterior.scales["team"] == pytest.approx(0.3)
    assert "scale_team" not in tree["diagnostics"]["hyperparameter"].to_numpy()
    at = model_of(given, every(given), {"team": 0.3})
    known = approximation(at)(at, theta_of(at, {name: float(d.mean()) for name, d in posterior.auxiliaries.items()}))
    assert posterior.fixed["home"].mean() == pytest.approx(known.mean[0], abs=0.1 * known.sd[0])
    assert posterior.fixed["home"].std() == pytest.approx(known.sd[0], rel=0.07)


def test_the_intercept_is_around_its_prior_mean(league_of):
    design = replace(league_of("score", "normal"), centre=50.0)
    moved = replace(design, y=design.y + 50)
    tree = joint.fit(moved, every(moved), seed=2, draws=1000)
    before = joint.fit(replace(design, centre=0.0), every(design), seed=2, draws=1000)
    assert from_tree(moved, tree).level == pytest.approx(from_tree(design, before).level + 50, abs=1e-3)


def test_what_is_too_large_is_refused_in_words(league_of, monkeypatch):
    design = league_of("win", "logit")
    assert joint.takes(design) is None
    monkeypatch.setattr(joint, "MOST_LATENT", 3)
    assert "effects are more than" in (joint.takes(design) or "")
    with pytest.raises(FitError, match="effects are more than"):
        joint.fit(design, every(design), seed=1)


@pytest.mark.parametrize(("outcome", "likelihood"), [("win", "logit"), ("order", "plackett_luce")])
def test_with_all_alike_and_nothing_else_known_every_result_is_as_likely(league_of, outcome, likelihood):
    """Complete pooling of a model without intercept and fixed effects has no effects left: a half, or 1 / 4!."""
    design = replace(league_of(outcome, likelihood), fixed=())
    alike = laplace.complete_pooling(design, every(design))
    assert alike.draws(np.random.default_rng(1), 10).blocks == {}
    assert alike.evidence == pytest.approx(-design.games * np.log(24 if outcome == "order" else 2))
