"""SpO2 on dark skin: less sure, never corrected; and only where the skin type was recorded."""

import numpy as np
import pytest
from scipy.special import ndtri

from recovery.twin import Profile, Samples, cold_start, fold, load
from recovery.twin.optical import BIAS_POINTS, WIDER

PARAMS = cold_start()


def bound(metric="spo2", skin_tone=None):
    return PARAMS.for_metric(metric, Profile("cardiac", skin_tone=skin_tone))


def test_the_numbers_follow_from_the_published_shares_of_missed_lowness():
    """Sjoding 2020: 3.6 % against 11.7 % below 88 % at a shown 94 %, six points apart."""
    sd = 6.0 / -ndtri(0.036)
    assert pytest.approx(6.0 + sd * ndtri(0.117), abs=0.1) == BIAS_POINTS
    assert (6.0 / -ndtri(0.117)) / sd == pytest.approx(WIDER, abs=0.05)


@pytest.mark.parametrize("skin_tone", [None, 1.0, 4.0, 60.0])
def test_without_a_recorded_dark_skin_nothing_changes(skin_tone):
    plain, told = bound(), bound(skin_tone=skin_tone)
    np.testing.assert_array_equal(told.prior_cov, plain.prior_cov)
    np.testing.assert_array_equal(told.sensor_noise_var, plain.sensor_noise_var)


@pytest.mark.parametrize("metric", ["heart_rate", "steps", "crp"])
def test_only_the_oximeter_is_concerned(metric):
    np.testing.assert_array_equal(bound(metric, 6.0).prior_cov, bound(metric).prior_cov)


def test_on_dark_skin_the_usual_level_is_less_known_and_a_reading_weighs_less():
    light, dark = bound(), bound(skin_tone=6.0)
    assert dark.prior_mean[0] == light.prior_mean[0] and dark.prior_cov[0, 0] > light.prior_cov[0, 0]
    np.testing.assert_allclose(dark.sensor_noise_var, light.sensor_noise_var * WIDER**2)


def test_the_same_low_reading_is_less_of_a_surprise_on_dark_skin():
    hours = np.arange(0.5, 48.5)
    values = np.where(hours < 40, 96.0, 90.0)

    def surprise(skin_tone):
        samples = {"spo2": Samples.of(hours, values)}
        profile = Profile("cardiac", skin_tone=skin_tone)
        return fold(None, PARAMS, profile, load(samples, 48.0)).judged["spo2"].surprises[40]

    assert surprise(None) < surprise(6.0) < 0
