"""The solver of the fit against scikit-learn, against its own gradient, and on data it made itself."""

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor

from recovery.twin.fit_poisson import fit_poisson


def simulated(n: int = 4000, seed: int = 3):
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    exposure = rng.gamma(2.0, 0.05, n)
    truth = np.array([0.3, 0.8, -0.5, 0.0])
    return x, rng.poisson(exposure * np.exp(x @ truth)).astype(float), exposure, truth


def test_it_agrees_with_scikit_learn_given_the_exposure_as_weight():
    """Poisson with log exposure as offset is y / E weighted by E; scikit-learn's alpha is the penalty over
    sum(E)."""
    x, y, exposure, _ = simulated()
    penalty = 20.0
    ours = fit_poisson(x, y, exposure, np.full(4, penalty), np.arange(len(y)))
    other = PoissonRegressor(alpha=penalty / exposure.sum(), fit_intercept=False, tol=1e-10, max_iter=2000)
    other.fit(x, y / exposure, sample_weight=exposure)
    np.testing.assert_allclose(ours.beta, other.coef_, atol=1e-5)


def test_the_gradient_vanishes_at_the_solution():
    x, y, exposure, _ = simulated()
    penalty = np.array([0.0, 5.0, 5.0, 50.0])
    beta = fit_poisson(x, y, exposure, penalty, np.arange(len(y))).beta
    np.testing.assert_allclose(x.T @ (y - exposure * np.exp(x @ beta)), penalty * beta, atol=1e-6)


def test_the_truth_lies_within_three_standard_errors():
    x, y, exposure, truth = simulated()
    found = fit_poisson(x, y, exposure, np.zeros(4), np.arange(len(y)))
    assert np.all(np.abs(found.beta - truth) < 3 * np.sqrt(np.diag(found.covariance)))


def test_repeating_every_patient_four_times_does_not_make_us_surer():
    """The reason for clusters: stacked landmarks of one patient are not independent patients."""
    x, y, exposure, _ = simulated(500)
    once = fit_poisson(x, y, exposure, np.zeros(4), np.arange(500))
    again = fit_poisson(*(np.repeat(a, 4, axis=0) for a in (x, y, exposure)), np.zeros(4), np.repeat(np.arange(500), 4))
    np.testing.assert_allclose(again.covariance, once.covariance, rtol=1e-6)


def test_a_heavier_penalty_shrinks():
    x, y, exposure, _ = simulated()
    light, heavy = (fit_poisson(x, y, exposure, np.full(4, k), np.arange(len(y))).beta for k in (1.0, 500.0))
    assert np.linalg.norm(heavy) < np.linalg.norm(light)


def test_a_coefficient_of_which_the_data_say_nothing_is_as_uncertain_as_what_it_is_drawn_to():
    """A Gaussian prior of precision k around an uncertain centre: without data the variance is 1 / k."""
    x, y, exposure, _ = simulated()
    x = np.column_stack([x, np.zeros(len(x))])
    doubt = np.array([0.0] * (x.shape[1] - 1) + [40.0])
    sure = fit_poisson(x, y, exposure, np.full(x.shape[1], 40.0), np.arange(len(y)))
    doubted = fit_poisson(x, y, exposure, np.full(x.shape[1], 40.0), np.arange(len(y)), doubt)
    assert sure.covariance[-1, -1] == 0.0
    assert doubted.covariance[-1, -1] == pytest.approx(1 / 40.0)
    assert doubted.beta == pytest.approx(sure.beta)
    assert doubted.covariance[:-1, :-1] == pytest.approx(sure.covariance[:-1, :-1])
