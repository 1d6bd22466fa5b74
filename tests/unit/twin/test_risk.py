"""Risks of one patient: bounded, monotone, coherent, with facts for reasons, and silent outside the
domain."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.incidence import INCIDENCE, NAMED, OUTCOMES, PROCEDURE_CLASSES
from recovery.twin.profile import PROCEDURES, Profile
from recovery.twin.risk import ABSTENTIONS, NOTES, assess
from recovery.twin.risk_inputs import RiskFactors
from recovery.twin.survival import Effects, Feature, HazardModel, published_baselines, published_model
from tests.unit.twin.made import made_features, unread_features

WOMAN = Profile("colectomy", age_years=70.0, sex="female", bmi=27.0)
KEYS = (
    ("age_decades", "static", 6.5, 1.2, 1.8, 9.9),
    ("asa", "static", 2.4, 0.7, 1, 5),
    ("diabetes", "static", 0.2, 0.4, 0, 1),
    ("z_heart_rate", "recent", 0, 1, -3, 5),
    ("surprise_heart_rate", "recent", 0, 0.4, -2, 3),
    ("z_spo2", "recent", 0, 1, -3, 5),
    ("data_age", "recent", 3, 2, 0, 30),
)
BETA = (0.0, 0.2, 0.25, 0.1, 0.4, 0.2, 0.3, 0.1)


def made_model() -> HazardModel:
    """Made-up effects on a few features, the published baselines."""
    cov = tuple(tuple(0.01 * (i == j) for j in range(len(BETA))) for i in range(len(BETA)))
    effects = dict.fromkeys(OUTCOMES, Effects(BETA, cov, 50))
    return HazardModel("made-1", "made up", 96.0, published_baselines(), tuple(Feature(*k) for k in KEYS), effects)


def weekly(estimates, outcome="complication", horizon=168):
    return next(e for e in estimates if (e.outcome, e.horizon_h) == (outcome, horizon))


PROFILES = st.builds(
    Profile,
    procedure=st.sampled_from([*PROCEDURES, None, "something else"]),
    age_years=st.one_of(st.none(), st.floats(18, 99)),
    sex=st.sampled_from(["female", "male", None]),
    bmi=st.one_of(st.none(), st.floats(15, 60)),
).filter(lambda profile: profile.age_years is not None or not profile.curve_is_generic)
FACTORS = st.builds(
    RiskFactors, asa=st.one_of(st.none(), st.integers(1, 5)), diabetes=st.one_of(st.none(), st.booleans())
)


@given(PROFILES, FACTORS, st.floats(0, 720), st.floats(-9, 9), st.floats(-9, 9), st.floats(0, 48))
def test_every_risk_is_a_probability_within_its_interval_and_grows_with_the_horizon(
    profile, factors, hours, pulse, spo2, age
):
    features = made_features(hours, ages=age, heart_rate=pulse, spo2=spo2)
    estimates = assess(profile, features, hours, made_model(), factors=factors)
    by_outcome: dict = {}
    for e in estimates:
        assert e.abstained_because is None
        assert 0 <= e.low <= e.probability <= e.high <= 1
        by_outcome.setdefault(e.outcome, []).append(e.probability)
        assert e.data_age_h == pytest.approx(age)
    for outcome, risks in by_outcome.items():
        assert risks == sorted(risks), f"{outcome} falls with the horizon"
    for outcome in set(by_outcome) & set(NAMED):
        assert all(a <= b for a, b in zip(by_outcome[outcome], by_outcome["complication"], strict=True))


def test_every_procedure_of_the_catalogue_has_its_row_of_published_incidences():
    assert set(PROCEDURE_CLASSES) == set(PROCEDURES)
    assert set(PROCEDURE_CLASSES.values()) == set(INCIDENCE)


def test_a_leak_is_no_outcome_of_a_knee_replacement():
    estimates = assess(Profile("knee_replacement", age_years=70), made_features(48.0), 48.0, made_model())
    assert "leak" not in {e.outcome for e in estimates}
    assert {e.horizon_h for e in estimates} == {24, 72, 168, 720}


def test_a_fast_pulse_raises_the_risk_and_is_told_as_a_measured_fact():
    calm = weekly(assess(WOMAN, made_features(96.0), 96.0, made_model()))
    ill = weekly(assess(WOMAN, made_features(96.0, heart_rate=3.0), 96.0, made_model(), lasting={"heart_rate": 9.0}))
    assert ill.probability > calm.probability
    first = ill.reasons[0]
    assert (first.direction, first.fact.about) == ("raises", "heart_rate")
    assert first.text == "Heart rate 18 /min above own expected curve for 9 h"
    assert first.contribution > 0.5


def test_a_metric_is_told_once_although_it_enters_twice():
    ill = weekly(assess(WOMAN, made_features(96.0, heart_rate=3.0), 96.0, made_model()))
    about = [reason.fact.about for reason in ill.reasons]
    assert len(about) == len(set(about))
    assert [abs(r.contribution) for r in ill.reasons] == sorted(
        (abs(r.contribution) for r in ill.reasons), reverse=True
    )


def test_a_reason_may_lower_the_risk():
    factors = RiskFactors(asa=1, diabetes=False)
    reasons = weekly(assess(WOMAN, made_features(96.0), 96.0, made_model(), factors=factors)).reasons
    assert ("lowers", "ASA class 1") in [(r.direction, r.text) for r in reasons]


@pytest.mark.parametrize(
    ("why", "profile", "hours", "age"),
    [
        ("before_surgery", WOMAN, -1.0, 0.5),
        ("after_day_30", WOMAN, 721.0, 0.5),
        ("age_below_18", Profile("colectomy", age_years=17.9), 48.0, 0.5),
        ("no_recent_data", WOMAN, 96.0, 48.1),
        ("patient_and_operation_not_known", Profile(), 96.0, 0.5),
        ("outside_training_range", Profile("colectomy", age_years=112.0), 96.0, 0.5),
    ],
)
def test_outside_its_domain_it_gives_no_number_and_a_sentence(why, profile, hours, age):
    for e in assess(profile, made_features(hours, ages=age), hours, made_model()):
        assert (e.probability, e.low, e.high, e.reasons) == (None, None, None, ())
        assert e.abstained_because == why
        assert ABSTENTIONS[why].endswith(".")


def test_a_twin_that_never_had_a_reading_abstains_but_no_twin_at_all_speaks_from_history():
    silent = weekly(assess(WOMAN, unread_features(48.0), 48.0, made_model()))
    history = weekly(assess(WOMAN, None, 48.0, made_model()))
    assert silent.abstained_because == "no_reading_yet"
    assert history.probability is not None
    assert "no_twin" in history.notes
    assert history.data_age_h is None


def test_what_has_already_happened_is_not_predicted_again():
    estimates = assess(WOMAN, made_features(96.0), 96.0, made_model(), diagnosed={"ssi"})
    assert weekly(estimates, "ssi").abstained_because == "already_diagnosed"
    assert weekly(estimates, "complication").abstained_because == "already_diagnosed"
    assert weekly(estimates, "af").probability is not None


def test_a_readmission_is_not_a_complication_that_silences_the_model():
    estimates = assess(WOMAN, made_features(96.0), 96.0, made_model(), diagnosed={"readmission"})
    assert weekly(estimates, "complication").probability is not None


def test_an_unknown_operation_is_answered_widely_and_says_so():
    known = weekly(assess(WOMAN, made_features(48.0), 48.0, made_model()))
    unknown = weekly(assess(Profile(None, age_years=70.0), made_features(48.0), 48.0, made_model()))
    assert "operation_not_known" in unknown.notes
    assert math.log(unknown.high / unknown.low) > 2 * math.log(known.high / known.low)


def test_a_reading_beyond_training_counts_as_the_edge_and_says_so():
    """The patient further off than any in training is the last one about whom to be silent."""
    edge = weekly(assess(WOMAN, made_features(96.0, heart_rate=5.0), 96.0, made_model()))
    beyond = weekly(assess(WOMAN, made_features(96.0, heart_rate=9.0), 96.0, made_model()))
    assert "held_at_training_edge" in beyond.notes
    assert "held_at_training_edge" not in edge.notes
    assert beyond.probability >= edge.probability


def test_somebody_a_little_older_than_anybody_in_training_is_told_a_risk_that_says_so():
    oldest = next(f for f in made_model().features if f.key == "age_decades")
    at, beyond = (
        weekly(assess(Profile("colectomy", age_years=10 * age), made_features(96.0), 96.0, made_model()))
        for age in (oldest.high, oldest.high + 0.1)
    )
    assert beyond.probability == pytest.approx(at.probability)
    assert "held_at_training_edge" in beyond.notes and "held_at_training_edge" not in at.notes


def test_unknown_history_widens_the_interval_and_is_noted():
    full = RiskFactors(asa=2.4, diabetes=None)
    known = weekly(assess(WOMAN, made_features(48.0), 48.0, made_model(), factors=full))
    unknown = weekly(assess(WOMAN, made_features(48.0), 48.0, made_model()))
    assert "features_not_known" in unknown.notes
    assert unknown.high - unknown.low > known.high - known.low


def test_a_month_ahead_of_day_20_is_marked_as_extrapolated():
    estimates = assess(WOMAN, made_features(480.0), 480.0, made_model())
    assert "beyond_day_30" in weekly(estimates, horizon=720).notes
    assert "beyond_day_30" not in weekly(estimates, horizon=168).notes


def test_every_estimate_names_its_model_and_evidence_and_every_note_has_a_sentence():
    for e in assess(Profile(), made_features(480.0), 480.0, published_model()):
        assert (e.model_version, e.evidence) == ("published-1", "published incidence, no patient features")
        assert set(e.notes) <= set(NOTES)
