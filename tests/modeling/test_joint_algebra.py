"""What the joint engine calculates with: factors, bent marginals, coordinates."""

import numpy as np
import pytest
from scipy.stats import norm

from modeling.engines.joint.algebra import factorise, invert, log_determinant_of, solve, spread_draws, times
from modeling.engines.joint.draws import bend_of
from modeling.engines.joint.model import Hyper


def test_factors_solves_inverses_and_draws_are_of_the_matrix_given():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(6, 9))
    matrix = root @ root.T
    factor, right = factorise(np.asfortranarray(matrix)), rng.normal(size=(6, 2))
    assert log_determinant_of(factor) == pytest.approx(np.linalg.slogdet(matrix)[1])
    assert solve(factor, right) == pytest.approx(np.linalg.solve(matrix, right))
    draws = spread_draws(factor, np.eye(6))
    assert draws.T @ draws == pytest.approx(np.linalg.inv(matrix))
    assert times(invert(factor), right[:, 0]) == pytest.approx(np.linalg.solve(matrix, right[:, 0]))


def test_bent_marginals_have_the_mean_variance_and_skewness_asked_for():
    wanted = np.array([-0.6, 0.0, 0.3, 1.0])
    y = norm.ppf((np.arange(400_000) + 0.5) / 400_000)[:, None]
    bent = bend_of(wanted).of(y)
    assert bent.mean(axis=0) == pytest.approx(0, abs=1e-3)
    assert bent.var(axis=0) == pytest.approx(1, abs=2e-3)
    assert (bent**3).mean(axis=0) == pytest.approx(wanted, abs=0.02)
    slope = np.log((bend_of(wanted).of(np.full((1, 4), 1e-5)) - bend_of(wanted).of(np.full((1, 4), -1e-5))) / 2e-5)
    assert bend_of(wanted).log_slope(np.zeros((1, 4)))[0] == pytest.approx(slope.sum(), abs=1e-6)


def test_coordinates_of_hyperparameters_and_their_priors_agree():
    for form in ("signed", "root", "log"):
        one, point, step = Hyper("x", 0.7, form, 0.5), 0.4, 1e-5
        assert one.coordinate(one.value(np.array(point))) == pytest.approx(point)
        up, down = one.log_prior(np.array(point + step)), one.log_prior(np.array(point - step))
        assert one.prior_slope(point) == pytest.approx((up - down) / (2 * step))
        slopes = (one.prior_slope(point + step) - one.prior_slope(point - step)) / (2 * step)
        assert one.prior_information(point) == pytest.approx(-slopes)
        line = np.linspace(1e-4, 4, 20_001) if form == "root" else np.linspace(-14, 4, 50_001)
        assert np.trapezoid(np.exp(one.log_prior(line)), line) == pytest.approx(1, abs=1e-3)
