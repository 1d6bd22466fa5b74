"""The smoother against a dense joint Gaussian written out here."""

import numpy as np
import pytest

from recovery.twin import Profile, cold_start
from recovery.twin.errors import BackwardsInTime
from recovery.twin.filter import Readings, advance, design, initial
from recovery.twin.params import DEVIATION, stack
from recovery.twin.smooth import smooth, smoothed_level
from tests.unit.twin.twin_cases import KNEE

PARAMS = cold_start().for_metric("heart_rate", KNEE)


def readings_of(seed, n=25, asked=0):
    """n irregular readings, the last `asked` of them (in a random order of hours) only asked about."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(-60.0, 300.0, n + asked))
    value = 80.0 + 6.0 * rng.standard_normal(n + asked)
    value[rng.permutation(n + asked)[:asked]] = np.nan
    return Readings(at, value, rng.uniform(4.0, 40.0, n + asked))


def dense(readings, now):
    """Posterior of the state at hour `now` from the joint Gaussian of (state, all readings): no recursion."""
    seen = np.isfinite(readings.value)
    at, value, noise = (a[seen] for a in readings)
    static = np.array(PARAMS.prior_cov)
    static[DEVIATION, DEVIATION] = 0.0
    h = design(PARAMS, at)
    hs = h.copy()
    hs[:, DEVIATION] = 0.0

    def kernel(s, t):
        return PARAMS.deviation_var * np.exp(-PARAMS.deviation_rate * np.abs(s[:, None] - t))

    total = hs @ static @ hs.T + kernel(at, at) + np.diag(noise)
    cross = static @ hs.T
    cross[DEVIATION] = kernel(np.array([now]), at)[0]
    gain = cross @ np.linalg.inv(total)
    return PARAMS.prior_mean + gain @ (value - h @ PARAMS.prior_mean), np.array(PARAMS.prior_cov) - gain @ cross.T


@pytest.mark.parametrize("asked", [0, 8])
def test_the_smoother_agrees_with_the_dense_joint_gaussian_at_every_hour(asked):
    readings = readings_of(3, asked=asked)
    found = smooth(PARAMS, readings)
    for t, hour in enumerate(readings.at):
        mean, cov = dense(readings, hour)
        np.testing.assert_allclose(found.mean[t], mean, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.cov[t], cov, rtol=0, atol=1e-9)


def test_at_the_last_reading_looking_back_is_the_filter():
    readings = readings_of(5)
    last = advance(initial(PARAMS), PARAMS, readings, 2.5).belief
    found = smooth(PARAMS, readings, 2.5)
    np.testing.assert_allclose(found.mean[-1], last.mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.cov[-1], last.cov, rtol=0, atol=1e-9)


def test_later_readings_never_make_the_past_less_certain():
    readings = readings_of(7, 20)
    early = smooth(PARAMS, Readings(*(a[:10] for a in readings)))
    late = smooth(PARAMS, readings)
    before, after = smoothed_level(PARAMS, early)[1], smoothed_level(PARAMS, late)[1][:10]
    assert (after <= before + 1e-12).all() and after.sum() < before.sum()


def test_many_patients_and_padding_give_what_each_gives_alone():
    bound = [cold_start().for_metric("heart_rate", Profile(c)) for c in ("cardiac", "hip_fracture", None)]
    own = [readings_of(seed, n) for seed, n in ((1, 12), (2, 20), (3, 7))]
    arrays = np.full((3, 3, 20), np.nan)
    for i, reading in enumerate(own):
        arrays[:, i, : len(reading.at)] = reading
    together = smooth(stack(bound), Readings(*arrays), 2.5)
    for i, (params, reading) in enumerate(zip(bound, own, strict=True)):
        alone, n = smooth(params, reading, 2.5), len(reading.at)
        np.testing.assert_allclose(together.mean[i, :n], alone.mean, rtol=0, atol=1e-9)
        np.testing.assert_allclose(together.cov[i, :n], alone.cov, rtol=0, atol=1e-9)
        assert np.isnan(together.mean[i, n:]).all()


def test_the_time_of_day_can_be_left_out_of_the_level():
    readings = readings_of(9)
    found = smooth(PARAMS, readings)
    with_clock, without = (smoothed_level(PARAMS, found, clock)[0] for clock in (True, False))
    pattern = np.einsum("td,td->t", design(PARAMS, readings.at)[:, 4:6], found.mean[:, 4:6])
    np.testing.assert_allclose(with_clock - without, pattern, atol=1e-9)


def test_hours_out_of_order_are_refused():
    readings = readings_of(1)
    with pytest.raises(BackwardsInTime):
        smooth(PARAMS, Readings(readings.at[::-1].copy(), readings.value, readings.noise_var))
