"""The filter against a dense joint Gaussian written out here, and against filterpy and statsmodels."""

from dataclasses import replace

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.statespace.mlemodel import MLEModel

from recovery.twin import Profile, cold_start
from recovery.twin.errors import BackwardsInTime
from recovery.twin.filter import (
    Belief,
    Readings,
    advance,
    batch_last,
    bounded_noise,
    condition_on,
    design,
    initial,
    predict,
)
from recovery.twin.params import DEVIATION, STATE_SIZE, stack
from tests.unit.twin.twin_cases import KNEE

PARAMS = cold_start().for_metric("heart_rate", KNEE)


def irregular_readings(seed=3, n=25):
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(-60.0, 300.0, n))
    return Readings(at, 80.0 + 6.0 * rng.standard_normal(n), rng.uniform(4.0, 40.0, n))


def dense_posterior(readings, now):
    """Posterior of the state at `now` from the joint Gaussian of (state, all readings): no recursion.

    The static part is constant; the deviation is a Gaussian process with covariance var exp(-rate |s - t|).
    """
    static = np.array(PARAMS.prior_cov)
    static[DEVIATION, DEVIATION] = 0.0
    h = design(PARAMS, readings.at)
    hs = h.copy()
    hs[:, DEVIATION] = 0.0
    kernel = lambda s, t: PARAMS.deviation_var * np.exp(-PARAMS.deviation_rate * np.abs(s[:, None] - t[None, :]))  # noqa: E731
    total = hs @ static @ hs.T + kernel(readings.at, readings.at) + np.diag(readings.noise_var)
    cross = static @ hs.T
    cross[DEVIATION] = kernel(np.array([now]), readings.at)[0]
    gain = cross @ np.linalg.inv(total)
    mean = PARAMS.prior_mean + gain @ (readings.value - h @ PARAMS.prior_mean)
    return mean, np.array(PARAMS.prior_cov) - gain @ cross.T


def test_the_filter_agrees_with_the_dense_joint_gaussian():
    readings = irregular_readings()
    belief = advance(initial(PARAMS), PARAMS, readings).belief
    mean, cov = dense_posterior(readings, readings.at[-1])
    np.testing.assert_allclose(belief.mean, mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(belief.cov, cov, rtol=0, atol=1e-9)


def test_a_belief_predicted_past_the_last_reading_agrees_with_the_dense_joint_gaussian():
    readings = irregular_readings(seed=5)
    belief = predict(advance(initial(PARAMS), PARAMS, readings).belief, 420.0, PARAMS)
    mean, cov = dense_posterior(readings, 420.0)
    np.testing.assert_allclose(belief.mean, mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(belief.cov, cov, rtol=0, atol=1e-9)


def transition(elapsed):
    rho = np.exp(-PARAMS.deviation_rate * elapsed)
    f, q = np.eye(STATE_SIZE), np.zeros((STATE_SIZE, STATE_SIZE))
    f[DEVIATION, DEVIATION] = rho
    q[DEVIATION, DEVIATION] = PARAMS.deviation_var * (1.0 - rho**2)
    return f, q


def test_the_filter_agrees_with_filterpy():
    readings = irregular_readings(seed=11)
    other = KalmanFilter(dim_x=STATE_SIZE, dim_z=1)
    other.x, other.P = np.array(PARAMS.prior_mean)[:, None], np.array(PARAMS.prior_cov)
    before = readings.at[0]
    for at, value, noise in zip(*readings, strict=True):
        other.F, other.Q = transition(at - before)
        other.predict()
        other.update(value, R=np.array([[noise]]), H=design(PARAMS, at)[None, :])
        before = at
    belief = advance(initial(PARAMS), PARAMS, readings).belief
    np.testing.assert_allclose(belief.mean, other.x[:, 0], rtol=0, atol=1e-8)
    np.testing.assert_allclose(belief.cov, other.P, rtol=0, atol=1e-8)


def test_the_surprises_give_the_likelihood_that_statsmodels_computes():
    readings = irregular_readings(seed=13)
    n = len(readings.at)
    model = MLEModel(readings.value, k_states=STATE_SIZE, k_posdef=STATE_SIZE)
    moves = [transition(d) for d in np.diff(readings.at, append=readings.at[-1] + 1.0)]
    model["transition"] = np.stack([f for f, _ in moves], axis=-1)
    model["state_cov"] = np.stack([q for _, q in moves], axis=-1)
    model["selection"] = np.eye(STATE_SIZE)
    model["design"] = design(PARAMS, readings.at).T[None]
    model["obs_cov"] = readings.noise_var[None, None, :]
    model.initialize_known(np.array(PARAMS.prior_mean), np.array(PARAMS.prior_cov))
    theirs = model.ssm.filter()
    ours = advance(initial(PARAMS), PARAMS, readings)
    np.testing.assert_allclose(ours.surprises, theirs.standardized_forecasts_error[0], rtol=0, atol=1e-8)
    sd = ours.residuals / ours.surprises
    likelihood = -0.5 * (n * np.log(2 * np.pi) + 2.0 * np.log(sd).sum() + (ours.surprises**2).sum())
    assert likelihood == pytest.approx(theirs.llf_obs.sum(), abs=1e-8)


def test_one_patient_alone_and_among_many_gives_the_same_belief():
    curves = ("knee_replacement", "cardiac", "hip_fracture", None)
    bound = [
        cold_start().for_metric("heart_rate", Profile(c, surgery_end_hour_of_day=9.0 + i)) for i, c in enumerate(curves)
    ]
    readings = [irregular_readings(seed) for seed in range(4)]
    together = advance(initial(stack(bound)), stack(bound), Readings(*np.stack(readings, axis=1)), 2.5)
    for i, (params, own) in enumerate(zip(bound, readings, strict=True)):
        alone = advance(initial(params), params, own, 2.5)
        np.testing.assert_allclose(together.belief.mean[i], alone.belief.mean, rtol=0, atol=1e-10)
        np.testing.assert_allclose(together.belief.cov[i], alone.belief.cov, rtol=0, atol=1e-10)
        np.testing.assert_allclose(together.weights[i], alone.weights, rtol=0, atol=1e-12)


def test_padding_with_nan_changes_nothing_and_is_reported_as_nan():
    readings = irregular_readings(n=6)
    padded = Readings(*(np.concatenate([a, [np.nan, np.nan]]) for a in readings))
    with_padding, without = (advance(initial(PARAMS), PARAMS, r, 2.5) for r in (padded, readings))
    np.testing.assert_array_equal(with_padding.belief.mean, without.belief.mean)
    assert with_padding.belief.at == without.belief.at
    assert np.isnan(with_padding.surprises[-2:]).all() and np.isnan(with_padding.weights[-2:]).all()


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.floats(0.0, 400.0), min_size=1, max_size=30),
    values=st.lists(st.floats(20.0, 250.0), min_size=30, max_size=30),
    noises=st.lists(st.floats(1e-4, 1e4), min_size=30, max_size=30),
)
def test_the_covariance_stays_symmetric_and_positive_whatever_arrives(gaps, values, noises):
    n = len(gaps)
    readings = Readings(np.cumsum(gaps) - 100.0, np.array(values[:n]), np.array(noises[:n]))
    cov = advance(initial(PARAMS), PARAMS, readings, 2.5).belief.cov
    assert np.abs(cov - cov.T).max() <= 1e-9 * max(1.0, np.abs(cov).max())
    assert np.linalg.eigvalsh((cov + cov.T) / 2).min() >= -1e-9 * np.abs(cov).max()
    assert (np.diag(cov) <= np.diag(PARAMS.prior_cov) * (1 + 1e-9) + 1e-12).all()


def test_the_pull_of_one_reading_is_bounded():
    belief = advance(initial(PARAMS), PARAMS, irregular_readings()).belief

    def moved(value):
        reading = Readings(np.array([belief.at + 1.0]), np.array([value]), np.array([25.0]))
        return advance(belief, PARAMS, reading, 2.5).belief.mean[0]

    assert moved(200.0) == pytest.approx(moved(240.0), abs=1e-9)
    assert abs(moved(240.0) - moved(85.0)) > 1e-3


def test_bounded_noise_is_huber_on_the_standardised_innovation():
    residual, signal, noise = np.array([1.0, 30.0]), np.array([4.0, 4.0]), np.array([5.0, 5.0])
    inflated, weight = bounded_noise(residual, signal, noise, 2.5)
    assert (inflated[0], weight[0]) == (5.0, 1.0)
    # 30 / 3 = 10 SD: w = 0.25, S' = 36, r' = 32, and v / S' equals c / sqrt(S).
    assert (inflated[1], weight[1]) == (32.0, 0.25)
    assert 30.0 / (4.0 + inflated[1]) == pytest.approx(2.5 / 3.0)


def test_conditioning_on_an_exact_reading_reproduces_it():
    belief, h = initial(PARAMS), design(PARAMS, 50.0)
    after = condition_on(belief, h, np.array(1e-12), np.array(91.0))
    assert h @ after.mean == pytest.approx(91.0, abs=1e-9)


def test_a_belief_cannot_be_predicted_backwards():
    belief = initial(PARAMS)._replace(at=np.array(10.0))
    with pytest.raises(BackwardsInTime):
        predict(belief, 9.0, PARAMS)


def test_predicting_in_two_steps_equals_one():
    belief = advance(initial(PARAMS), PARAMS, irregular_readings()).belief
    once, twice = predict(belief, 500.0, PARAMS), predict(predict(belief, 400.0, PARAMS), 500.0, PARAMS)
    np.testing.assert_allclose(once.mean, twice.mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(once.cov, twice.cov, rtol=0, atol=1e-12)


def test_predicting_leaves_the_given_belief_as_it_was():
    belief = advance(initial(PARAMS), PARAMS, irregular_readings()).belief
    copy = Belief(*(np.array(a) for a in belief))
    predict(belief, 500.0, PARAMS)
    np.testing.assert_array_equal(belief.cov, copy.cov)


def test_the_design_has_no_curve_before_surgery_and_all_of_it_at_its_end():
    before, at_end = design(PARAMS, -0.01), design(PARAMS, 0.0)
    assert (before[1:4] == 0.0).all() and (at_end[1:4] == 1.0).all()


def test_the_day_before_surgery_is_not_given_the_recovery_curve():
    steps = cold_start().for_metric("steps", KNEE)
    assert (design(steps, 0.0)[1:4] == 0.0).all()
    np.testing.assert_allclose(design(steps, 24.0)[1:4], np.exp(-12.0 / steps.tau_hours))


def test_the_clock_row_follows_the_local_hour():
    noon = replace(PARAMS, clock_hour=np.array(12.0))
    six_pm = design(noon, 6.0)[4:6]
    np.testing.assert_allclose(six_pm, [0.0, -1.0], atol=1e-12)


def test_batch_last_changes_memory_but_not_values():
    a = np.arange(24.0).reshape(4, 3, 2)
    np.testing.assert_array_equal(batch_last(a, 2), a)
    assert batch_last(a, 2).strides[0] == 8
