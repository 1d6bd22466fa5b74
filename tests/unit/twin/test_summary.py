"""One patient in a sentence: graver things first, nothing grave called as expected, silence called silence."""

from dataclasses import replace

import pytest

from recovery.twin.cold_start import cold_start
from recovery.twin.fold import fold, load
from recovery.twin.measurement import Samples
from recovery.twin.profile import Profile
from recovery.twin.summary import summarise
from recovery.twin.surprise import RecoveryFeatures, features

PARAMS = cold_start()
PROFILE = Profile("knee_replacement", 70.0, "female")


def found(last_hour: float = 60.0, now: float = 61.0, heart: float = 82.0) -> RecoveryFeatures:
    hours = [h + 0.5 for h in range(int(last_hour))]
    state = fold(None, PARAMS, PROFILE, load({"heart_rate": Samples.of(hours, [heart] * len(hours))}, now)).state
    return features(state, PARAMS, now, PROFILE)


def shifted(at: RecoveryFeatures, z: float) -> RecoveryFeatures:
    metric = replace(at.metrics["heart_rate"], deviation_z=z)
    return replace(at, metrics={**at.metrics, "heart_rate": metric})


@pytest.mark.parametrize(
    ("severities", "state"),
    [([], "on_track"), (["low"], "watch"), (["low", "medium"], "review"), (["medium", "high"], "act")],
)
def test_the_gravest_open_alert_decides_the_lane(severities, state):
    assert summarise(shifted(found(), 0.0), severities).state == state


def test_a_day_without_readings_is_no_data_unless_somebody_must_act():
    silent = found(last_hour=30, now=60)
    assert summarise(silent, []).state == "no_data"
    assert "not known" in summarise(silent, []).sentence
    assert summarise(silent, ["high"]).state == "act"


def test_a_patient_without_any_reading_is_said_to_have_none():
    assert summarise(features(None, PARAMS, 5.0, PROFILE), []).sentence == "No reading has arrived yet."


def test_a_vital_sign_on_course_is_said_to_be():
    said = summarise(shifted(found(), 0.2), [])
    assert said.sentence == "Heart rate on the own expected course."
    assert said.reasons == ()


def test_a_vital_sign_off_course_comes_with_its_fact():
    said = summarise(shifted(found(), 1.6), [])
    assert said.sentence == "Heart rate needs a look."
    assert len(said.reasons) == 1


def test_a_grave_vital_sign_is_never_called_as_expected():
    said = summarise(shifted(found(), 0.0), [], {"heart_rate": "Heart rate 134 /min, 3 NEWS2 points"})
    assert "expected" not in said.sentence
    assert said.reasons == ("Heart rate 134 /min, 3 NEWS2 points",)


@pytest.mark.parametrize(("severities", "state"), [([], "watch"), (["low"], "watch"), (["high"], "act")])
def test_who_has_a_grave_vital_sign_is_never_on_track(severities, state):
    grave = {"heart_rate": "Heart rate 134 /min, 3 NEWS2 points"}
    assert summarise(shifted(found(), 0.0), severities, grave).state == state


def test_what_was_grave_a_day_ago_does_not_say_how_they_are_now():
    silent = found(last_hour=30, now=60)
    assert summarise(silent, [], {"heart_rate": "Heart rate 134 /min, 3 NEWS2 points"}).state == "no_data"


def test_a_fresh_blood_value_does_not_speak_for_a_patient_whose_device_is_silent():
    hours = [h + 0.5 for h in range(30)]
    samples = {"heart_rate": Samples.of(hours, [82.0] * 30), "crp": Samples.of([20.0, 58.0], [80.0, 130.0], 1)}
    silent = features(fold(None, PARAMS, PROFILE, load(samples, 60.0)).state, PARAMS, 60.0, PROFILE)
    said = summarise(silent, [])
    assert said.state == "no_data" and said.sentence.startswith("No reading for 3")
