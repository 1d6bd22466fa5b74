"""What the hypotheses say of one patient, and when they say nothing."""

import numpy as np
import pytest

from recovery.twin.hypotheses import weigh
from recovery.twin.profile import Profile
from recovery.twin.risk_inputs import RiskFactors
from recovery.twin.surprise import RecoveryFeatures
from recovery.twin.surprise_blocks import SPAN_H, Blocks, blocks, table_blocks
from recovery.twin.survival import published_model
from recovery.twin.suspicion import SILENCE, Suspicion, consider, facts, prior
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
    assert told[1].startswith("Likeliest complication pneumonia: ")
    assert "Heart rate speaks for it" in told


def test_an_ordinary_course_raises_no_suspicion_above_the_prior():
    assert asked(made(QUIET)).probability < asked(made(ill(5))).probability


def test_the_same_input_gives_the_same_answer():
    assert asked(made(ill(3))) == asked(made(ill(3)))
    assert np.isclose(
        asked(made(ill(3))).ordinary + sum(one.probability for one in asked(made(ill(3))).hypotheses), 1.0, atol=0.02
    )


def test_what_is_likelier_than_the_leading_complication_is_told_beside_it():
    told = facts(asked(made(ill(5)), diagnosed={"pneumonia"}))
    assert [(fact.key, fact.about) for fact in told if fact.key == "rival"][0] == ("rival", "known")
    assert "But a complication already diagnosed is likelier: " in " ".join(fact.text for fact in told)
    assert "rival" not in [fact.key for fact in facts(asked(made(ill(5))))]


def test_no_fact_sounds_certain():
    sure = Suspicion(0.9999, 0.0, (), "h", "e")
    assert facts(sure)[0].text == "More than 99 in 100 that a complication is under way now"


def test_readings_that_are_no_finite_number_are_no_surprise():
    found = blocks([1.0, 2.0, 3.0], [np.inf, np.nan, 1.0], 4.0)
    assert found.n[0] == 1 and found.mean[0] == 1.0
    table = np.full((1, SPAN_H), np.nan)
    table[0, -2:] = [-np.inf, 1.0]
    assert table_blocks(table).n[0, 0] == 1 and table_blocks(table).mean[0, 0] == 1.0


@pytest.mark.parametrize("who", [Profile(), Profile(age_years=float("nan")), Profile("no such key", float("inf"))])
@pytest.mark.parametrize("hour", [0.0, 1e-6, 720.0])
def test_whatever_is_not_known_of_a_patient_the_numbers_are_finite(who, hour):
    found = consider(who, made(ill(5), hour), RiskFactors(), MODEL, HAZARDS)
    assert found.probability is not None and 0.0 <= found.probability <= 1.0
    assert found.ordinary is not None and 0.0 <= found.ordinary <= 1.0


def test_ten_thousand_patients_at_once_are_told_what_each_is_told_alone():
    one = ill(5)
    many = Blocks(np.repeat(one.mean[None], 10_000, 0), np.repeat(one.n[None], 10_000, 0))
    priors = prior(WHO, RiskFactors(), 96.0, MODEL, HAZARDS)
    found = weigh(MODEL, many, np.repeat(priors[None], 10_000, 0), np.full(10_000, 96.0))
    np.testing.assert_allclose(found.suspicion, asked(made(one)).probability, rtol=1e-9)
    np.testing.assert_allclose(found.posterior.sum(axis=-1) + found.ordinary, 1.0)
