"""Risks of what has begun and of what is yet to begin: laws, shares by cause, reasons, and the sum of the causes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.alert_measures import risk as risk_measure
from recovery.twin.hypotheses_store import shipped_models
from recovery.twin.incidence import NAMED
from recovery.twin.risk import assess
from recovery.twin.survival import HORIZONS, Effects, Feature, HazardModel, predict, published_baselines
from recovery.twin.suspicion import Hypothesis, Suspicion
from recovery.twin.under_way import shares, with_what_is_under_way
from tests.unit.twin.test_risk import WOMAN, made_features, made_model, weekly


def suspected(probability: float | None, **posterior: float) -> Suspicion:
    leading = max(posterior, key=lambda name: posterior[name], default="af")
    told = Hypothesis(leading, leading, False, 0.5, 10.0, (("heart_rate", 3.0), ("temperature", 1.0)), ())
    return Suspicion(probability, 0.5, (told,), "h", "made up", complications=posterior)


def summed_model() -> HazardModel:
    features = (Feature("age_decades", "static", 6.5, 1.2, 1.8, 9.9), Feature("z", "recent", 0.0, 1.0, -4.0, 6.0))
    effects = {
        name: Effects((0.1 * n, 0.2 * n, 0.4), tuple(map(tuple, np.eye(3) * 0.02)), 20) for n, name in enumerate(NAMED)
    }
    return HazardModel("sum", "made up", 48.0, published_baselines(), features, effects, {}, True)


@given(st.floats(0, 720), st.floats(-4, 6), st.floats(0, 1))
def test_a_longer_horizon_and_a_stronger_suspicion_never_lower_the_risk(hour, z, share):
    yet = predict(summed_model(), "complication", "cardiac", hour, [7.0, z], yet_to_begin=True)
    none, some, more = (with_what_is_under_way(yet, s, HORIZONS) for s in (0.0, share, min(share + 0.1, 1.0)))
    np.testing.assert_allclose(none.probability, yet.probability, rtol=1e-12, atol=1e-15)
    assert np.all(np.diff(some.probability) >= -1e-15)
    assert np.all((none.probability <= some.probability + 1e-15) & (some.probability <= more.probability + 1e-15))
    assert np.all((some.low <= some.probability) & (some.probability <= some.high) & (some.high <= 1.0))


def test_the_readings_tell_nothing_of_what_is_yet_to_begin():
    calm, ill = (predict(summed_model(), "af", "cardiac", 48.0, [7.0, z], yet_to_begin=True) for z in (0.0, 4.0))
    np.testing.assert_array_equal(calm.probability, ill.probability)
    assert not ill.contributions[..., 1].any()


def test_any_complication_is_the_sum_of_the_named_hazards():
    """With death left out, one minus the product of being free of each."""
    baselines = {name: rows for name, rows in published_baselines().items() if name != "death"}
    model = replace(summed_model(), baselines=baselines)
    hours, values = np.array([24.0, 240.0]), np.array([[7.5, 1.0], [5.0, -1.0]])
    whole = predict(model, "complication", "cardiac", hours, values)
    free = np.ones_like(whole.probability)
    for name in model.causes("complication", "cardiac"):
        free *= 1.0 - predict(model, name, "cardiac", hours, values).probability
    np.testing.assert_allclose(whole.probability, 1.0 - free, rtol=1e-10)


def test_many_patients_are_told_as_each_alone_whatever_their_hours():
    hours, values = np.array([30.0, 200.0, 30.0]), np.array([[7.0, 1.0], [6.0, 0.0], [np.nan, 2.0]])
    together = predict(summed_model(), "complication", "colorectal", hours, values, (24, 168))
    for i in range(3):
        alone = predict(summed_model(), "complication", "colorectal", hours[i], values[i], (24, 168))
        for one, all_of_them in zip(alone, together, strict=True):
            np.testing.assert_allclose(all_of_them[i], one, rtol=1e-12)


def test_a_suspicion_is_shared_among_the_named_by_their_posterior():
    found = shares(suspected(0.4, af=0.3, ssi=0.1))
    assert (found["complication"], found["af"], found["ssi"], found["vte"]) == pytest.approx((0.4, 0.3, 0.1, 0.0))
    assert shares(None) == shares(suspected(None)) == {}


def test_what_is_under_way_raises_the_risk_and_is_told_by_the_readings_that_say_so():
    model = made_model()
    features = made_features(96.0, heart_rate=3.0)
    calm, ill = (weekly(assess(WOMAN, features, 96.0, model, suspicion=suspected(s, af=0.5))) for s in (0.001, 0.6))
    assert calm.probability < 0.6 < ill.probability
    first = ill.reasons[0]
    assert (first.feature, first.direction) == ("under_way_heart_rate", "raises")
    assert "eart rate" in first.text
    assert "suspicion_as_given" in ill.notes


def test_an_alert_of_such_a_risk_says_what_its_interval_leaves_out():
    features = made_features(96.0, heart_rate=3.0)
    left_out = "How sure the suspicion is, is not in that interval"
    for suspicion, is_told in ((suspected(0.6, af=0.5), True), (None, False)):
        told = risk_measure(assess(WOMAN, features, 96.0, made_model(), suspicion=suspicion))
        assert (left_out in [fact.text for fact in told.because]) is is_told


def test_a_suspicion_without_a_readable_metric_is_a_reason_itself():
    vague = replace(suspected(0.6, af=0.5), hypotheses=())
    reason = weekly(assess(WOMAN, made_features(96.0), 96.0, made_model(), suspicion=vague)).reasons[0]
    assert reason.text == "60 in 100 that a complication is under way now"


def test_a_silent_suspicion_leaves_the_risk_to_the_readings():
    features = made_features(96.0, heart_rate=3.0)
    plain, silent = (assess(WOMAN, features, 96.0, made_model(), suspicion=s) for s in (None, suspected(None)))
    assert plain == silent


def test_the_shipped_hypotheses_name_every_complication_that_a_risk_asks_for():
    for model in shipped_models().values():
        assert set(NAMED) <= set(model.names)
