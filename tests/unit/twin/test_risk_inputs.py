"""Inputs of the risk model: not known is nan, the worse side is positive, each value has its fact."""

import math

import pytest

from recovery.twin.profile import Profile
from recovery.twin.risk_inputs import RiskFactors, risk_inputs
from tests.unit.twin.made import made_features, unread_features

WHO = Profile("colectomy", age_years=70.0, sex="male", bmi=31.0)


def test_what_is_not_known_is_nan_and_has_no_fact():
    inputs = risk_inputs(Profile(), None, RiskFactors())
    values = {key: value for key, value in inputs.values.items() if not key.startswith("operation_")}
    assert all(math.isnan(value) for value in values.values())
    assert inputs.facts == {}
    assert inputs.value("asa", 2.4) == 2.4


def test_an_operation_not_known_is_none_of_the_known_ones():
    known, unknown = (risk_inputs(who, None, RiskFactors()).values for who in (WHO, Profile()))
    assert [key for key, value in known.items() if key.startswith("operation_") and value] == ["operation_colorectal"]
    assert not any(value for key, value in unknown.items() if key.startswith("operation_"))


def test_known_absence_is_zero_and_told_as_absence():
    inputs = risk_inputs(WHO, None, RiskFactors(diabetes=False, copd=True))
    assert (inputs.values["diabetes"], inputs.facts["diabetes"].text) == (0.0, "No diabetes")
    assert (inputs.values["copd"], inputs.facts["copd"].text) == (1.0, "Chronic lung disease")


def test_history_is_scaled_as_documented():
    values = risk_inputs(WHO, None, RiskFactors(asa=3, duration_h=2.0, blood_loss_ml=0.0)).values
    assert values["age_decades"] == 7.0
    assert values["bmi_squared_off_28"] == 9.0
    assert values["log_duration"] == pytest.approx(math.log(2.0))
    assert values["log_blood_loss"] == pytest.approx(math.log(10.0))


def test_the_worse_side_is_positive_for_every_metric():
    features = made_features(96.0, heart_rate=2.0, spo2=2.0, steps=2.0, pain=2.0)
    values = risk_inputs(WHO, features, RiskFactors()).values
    for metric in ("heart_rate", "spo2", "steps", "pain"):
        assert values[f"z_{metric}"] == pytest.approx(2.0)
        assert values[f"surprise_{metric}"] == pytest.approx(1.0)
        assert values[f"shift_{metric}"] > 0


def test_the_shift_of_steps_is_a_log_ratio():
    values = risk_inputs(WHO, made_features(96.0, steps=2.5), RiskFactors()).values
    assert values["shift_steps"] == pytest.approx(math.log(3000 / 1000))


def test_a_stale_metric_is_not_known():
    values = risk_inputs(WHO, made_features(96.0, ages=13.0, heart_rate=3.0), RiskFactors()).values
    assert math.isnan(values["z_heart_rate"])
    assert values["data_age"] == 13.0
    assert values["not_worn"] == pytest.approx(13 / 24)


def test_a_twin_without_readings_has_no_recent_input():
    inputs = risk_inputs(WHO, unread_features(96.0), RiskFactors())
    assert not inputs.has_twin
    assert math.isnan(inputs.values["data_age"])
