"""Features for the risk model: surprise, deviation, wear; unknown is never zero."""

import numpy as np
import pytest

from recovery.twin import METRICS, Samples, cold_start, features, fold, load
from recovery.twin.errors import BackwardsInTime
from recovery.twin.simulate import simulate
from tests.unit.twin.twin_cases import KNEE

PARAMS = cold_start()


def told(samples, until, now=None):
    return features(fold(None, PARAMS, KNEE, load(samples, until)).state, PARAMS, now or until, KNEE)


def steady(hours, value=80.0):
    at = np.array(list(hours), float) + 0.5
    return {"heart_rate": Samples.of(at, np.full(len(at), value))}


def test_a_metric_never_read_is_present_and_unknown():
    found = features(None, PARAMS, 10.0, KNEE)
    assert set(found.metrics) == set(METRICS)
    one = found.metrics["steps"]
    assert (one.mean_surprise_24h, one.deviation_z, one.level, one.hours_since_last_reading) == (None,) * 4
    assert one.worn_fraction_24h == 0.0


def test_hours_since_the_last_reading_grow_while_surprise_becomes_unknown():
    found = told(steady(range(48)), 48.0, 100.0).metrics["heart_rate"]
    assert found.hours_since_last_reading == pytest.approx(52.5)
    assert (found.mean_surprise_24h, found.n_24h, found.worn_fraction_24h) == (None, 0, 0.0)


def test_the_worn_fraction_counts_hours_with_a_sample():
    found = told(steady([*range(24), *range(24, 48, 2)]), 48.0).metrics["heart_rate"]
    assert found.worn_fraction_24h == 0.5
    assert told(steady(range(48)), 48.0).metrics["heart_rate"].worn_fraction_24h == 1.0


def test_a_rise_above_expectation_gives_positive_surprise_and_deviation():
    quiet = told(steady(range(-72, 72)), 72.0).metrics["heart_rate"]
    at = np.arange(-72.0, 72.0) + 0.5
    raised = {"heart_rate": Samples.of(at, np.where(at > 48.0, 98.0, 80.0))}
    loud = told(raised, 72.0).metrics["heart_rate"]
    assert loud.mean_surprise_24h > quiet.mean_surprise_24h + 0.5
    assert loud.deviation_z > quiet.deviation_z + 0.5


def test_a_fall_is_bad_news_for_steps_and_good_news_for_pain():
    assert (METRICS["steps"].worse_sign, METRICS["spo2"].worse_sign, METRICS["pain"].worse_sign) == (-1, -1, 1)


def test_the_baseline_counts_as_known_only_after_it_was_worn():
    assert told(steady(range(-72, 10)), 10.0).metrics["heart_rate"].baseline_is_known
    assert not told(steady(range(9, 10)), 10.0).metrics["heart_rate"].baseline_is_known


def test_features_of_a_past_hour_are_refused():
    with pytest.raises(BackwardsInTime):
        told(steady(range(48)), 48.0, 40.0)


def test_a_synthetic_pneumonia_surprises_more_than_the_same_patient_without():
    def worst(complication):
        made = simulate(21, PARAMS, KNEE, complication=complication, last_hour=140)
        found = told(made.samples, 132.0).metrics
        return sum(found[k].worse_sign * found[k].mean_surprise_24h for k in ("respiratory_rate", "spo2", "heart_rate"))

    assert worst("pneumonia") > worst(None) + 1.0
