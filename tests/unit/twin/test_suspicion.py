"""What the hypotheses say of one patient, and when they say nothing."""

import numpy as np
import pytest

from recovery.twin.profile import Profile
from recovery.twin.risk_inputs import RiskFactors
from recovery.twin.surprise import RecoveryFeatures
from recovery.twin.surprise_blocks import Blocks
from recovery.twin.survival import published_model
from recovery.twin.suspicion import SILENCE, consider, facts
from tests.unit.twin.test_hypotheses import MODEL, QUIET, ill

HAZARDS = published_model()
WHO = Profile(procedure="colectomy", age_years=70.0)


def made(seen, hour=96.0, version="twin"):
    blocks = (
        {}
        if seen is None
        else {key: Blocks(seen.mean[i], seen.n[i]) for i, key in enumerate(("heart_rate", "spo2", "temperature"))}
    )
    return RecoveryFeatures(hour, version, "colectomy", False, {}, blocks)


def asked(features, diagnosed=()):
    return consider(WHO, features, RiskFactors(), MODEL, HAZARDS, diagnosed)


def test_the_likeliest_cause_comes_first_with_what_speaks_for_it():
    found = asked(made(ill(5)))
    assert found.leading is not None and found.leading.name == "pneumonia"
    assert [metric for metric, _ in found.leading.speaks_for] == ["heart_rate", "spo2"]
    assert 24 <= found.leading.onset_hours_ago <= 33


def test_what_stayed_ordinary_speaks_against():
    found = asked(made(ill(5)))
    infection = next((one for one in found.hypotheses if one.name == "ssi"), None)
    assert infection is None or "temperature" in [metric for metric, _ in infection.speaks_against]


def test_a_complication_already_diagnosed_is_no_longer_listed():
    found = asked(made(ill(5)), diagnosed={"pneumonia"})
    assert "pneumonia" not in [one.name for one in found.hypotheses]


@pytest.mark.parametrize(
    ("features", "why"),
    [
        (made(QUIET, version="another"), "other_twin"),
        (made(QUIET, hour=-5.0), "before_surgery"),
        (made(QUIET, hour=800.0), "after_day_30"),
        (made(None), "no_recent_data"),
    ],
)
def test_it_is_silent_outside_what_it_was_made_for_and_says_why(features, why):
    found = asked(features)
    assert found.probability is None and found.silent_because == why and SILENCE[why]
    assert facts(found) == ()


def test_the_facts_say_probability_cause_and_metrics_in_words():
    told = [fact.text for fact in facts(asked(made(ill(5))))]
    assert told[0].endswith("in 100 that a complication is under way now")
    assert told[1].startswith("Best explained by pneumonia, begun about")
    assert "Heart rate speaks for it" in told


def test_an_ordinary_course_raises_no_suspicion_above_the_prior():
    assert asked(made(QUIET)).probability < asked(made(ill(5))).probability


def test_the_same_input_gives_the_same_answer():
    assert asked(made(ill(3))) == asked(made(ill(3)))
    assert np.isclose(
        asked(made(ill(3))).ordinary + sum(one.probability for one in asked(made(ill(3))).hypotheses), 1.0, atol=0.02
    )
