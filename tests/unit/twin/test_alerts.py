"""Alerts: sustained, not instant; closed with hysteresis; one per cause; deterministic; with facts and
options."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.alert_policy import (
    DEFAULT_POLICY,
    STAND_INS,
    AlertPolicy,
    BadPolicy,
    Rule,
    without_hypotheses,
)
from recovery.twin.alerts import candidates, lasting, sustained
from recovery.twin.profile import Profile
from recovery.twin.risk import assess
from recovery.twin.scores import news2
from recovery.twin.signals import signals
from recovery.twin.survival import published_model
from recovery.twin.suspicion import Suspicion
from tests.unit.twin.made import made_features, unread_features

RULE = Rule("deterioration", "physiological", "medium", 4.0, 1.0, 4, 6, 12, "[G] test", high_at=8.0)
POLICY = AlertPolicy("test", (RULE,))
ILL = {"heart_rate": 3.0, "respiratory_rate": 3.0}


def course(steps, policy=POLICY, every: float = 1.0, start: float = 72.0):
    """(hour, change, cause) of every change other than held, over a list of worse-side deviations per
    look."""
    memory, out = {}, []
    for i, worse in enumerate(steps):
        found, memory = candidates(made_features(start + i * every, **worse), (), (), policy, memory)
        memory = json.loads(json.dumps(memory))
        out += [(start + i * every, c.change, c.cause) for c in found if c.change != "held"]
    return out


def test_a_deviation_that_does_not_last_raises_nothing():
    assert course([{}] * 5 + [ILL] * 3 + [{}] * 10) == []


def test_a_deviation_that_lasts_four_hours_is_raised_once():
    assert course([{}] * 5 + [ILL] * 20) == [(80.0, "raised", "deterioration")]


def test_two_bad_hours_of_six_are_not_enough_but_four_of_six_are():
    assert course([ILL, {}, {}, ILL, {}, {}] * 3) == []
    assert course([ILL, ILL, {}, ILL, ILL]) == [(76.0, "raised", "deterioration")]


def test_a_patient_looked_at_every_three_hours_is_judged_as_one_looked_at_hourly():
    assert course([{}] * 3 + [ILL] * 5, every=3.0) == [(84.0, "raised", "deterioration")]
    assert course([{}] * 3 + [ILL] * 5, every=6.0) == [(96.0, "raised", "deterioration")]


def test_it_clears_only_after_twelve_quiet_hours():
    changes = course([ILL] * 6 + [{}] * 30)
    assert changes == [(75.0, "raised", "deterioration"), (89.0, "cleared", "deterioration")]


def test_a_measure_between_the_two_limits_neither_raises_nor_clears():
    between = {"heart_rate": 2.5}
    assert course([between] * 20) == []
    assert course([ILL] * 6 + [between] * 40) == [(75.0, "raised", "deterioration")]


def test_after_clearing_it_needs_its_full_persistence_again():
    changes = course([ILL] * 6 + [{}] * 20 + [ILL] * 6)
    assert [change for _, change, _ in changes] == ["raised", "cleared", "raised"]
    assert changes[-1][0] == 101.0


def test_silence_neither_raises_nor_clears():
    found, memory = candidates(made_features(72.0, **ILL), (), (), replace_hits(1), {})
    assert found[0].change == "raised"
    for hour in range(73, 140):
        found, memory = candidates(made_features(float(hour), ages=48.0, **ILL), (), (), replace_hits(1), memory)
        assert found == ()


def replace_hits(hits: int) -> AlertPolicy:
    return AlertPolicy("test", (replace(RULE, hits=hits, window_h=max(hits, 1)),))


def test_the_facts_say_what_how_far_and_for_how_long():
    memory: dict = {}
    for hour in range(72, 82):
        found, memory = candidates(made_features(float(hour), **ILL), (), (), POLICY, memory)
    assert [fact.text for fact in found[0].because] == [
        "Heart rate 18 /min above own expected curve for 9 h",
        "Respiratory rate 4.5 /min above own expected curve for 9 h",
    ]
    assert lasting(memory, 81.0)["heart_rate"] == 9.0


def test_a_falling_saturation_is_on_the_worse_side():
    found, _ = candidates(made_features(72.0, spo2=4.0), (), (), replace_hits(1), {})
    assert found[0].because[0].text == "Oxygen saturation 4 % below own expected curve"


def test_an_improvement_is_no_alarm():
    assert course([{"heart_rate": -5.0, "spo2": -3.0}] * 20) == []


def with_signal(**changed):
    seen = made_features(72.0, heart_rate=2.0, steps=2.0)
    metrics = {key: replace(one, **changed) if one.n_24h else one for key, one in seen.metrics.items()}
    return {signal.metric: signal.strength for signal in signals(replace(seen, metrics=metrics))}


def test_what_is_usual_for_this_person_is_no_news():
    """Deviation 2 and a mean surprise of 1: the deviation counts whole, the surprise in units of the own scatter."""
    assert with_signal()["steps"] == pytest.approx(3.0)
    assert with_signal(scatter=2.0)["steps"] == pytest.approx(2.5)


def test_one_hourly_reading_in_the_day_has_half_a_say_and_a_days_total_a_whole_one():
    once = with_signal(n_24h=1)
    assert (once["heart_rate"], once["steps"]) == (pytest.approx(2.5), pytest.approx(3.0))
    assert with_signal(n_24h=24)["heart_rate"] == pytest.approx(2.96)


def test_severity_follows_the_measure():
    mild, _ = candidates(made_features(72.0, heart_rate=3.5), (), (), replace_hits(1), {})
    grave, _ = candidates(made_features(72.0, heart_rate=5.5), (), (), replace_hits(1), {})
    assert (mild[0].severity, grave[0].severity) == ("medium", "high")


def test_a_patient_who_stops_wearing_the_device_is_noticed_in_its_own_lane():
    found, memory = candidates(made_features(100.0, ages=25.0), (), (), DEFAULT_POLICY, {})
    assert [(c.cause, c.kind, c.change) for c in found] == [("data_stopped", "data_stopped", "raised")]
    assert "call" in found[0].steps[0]
    again, _ = candidates(made_features(101.0), (), (), DEFAULT_POLICY, memory)
    assert [(c.cause, c.change) for c in again] == [("data_stopped", "cleared")]


def test_a_partial_news2_alarm_says_that_it_is_partial():
    score = news2(age_years=70, respiratory_rate=25, spo2=90, pulse=120)
    memory: dict = {}
    for hour in (72.0, 73.0, 74.0):
        found, memory = candidates(made_features(hour), (), (score,), DEFAULT_POLICY, memory)
    alert = next(c for c in found if c.cause == "news2")
    assert "partial" in alert.because[0].text
    assert {"Respiration rate scores three points", "Oxygen saturation scores three points"} <= {
        fact.text for fact in alert.because
    }
    assert alert.severity == "high"


def test_a_model_that_abstains_while_readings_arrive_is_reported_as_uncertain():
    features = made_features(200.0)
    risks = assess(Profile("colectomy", age_years=12.0), features, 200.0, published_model())
    policy = AlertPolicy("test", (Rule("model_uncertain", "model_uncertain", "low", 1.0, 0.5, 1, 1, 0, "[G]"),))
    found, _ = candidates(features, risks, (), policy, {})
    assert found[0].because[0].text == "No risk estimate: The model was made for adults."


def test_refused_readings_are_a_fault_of_the_device_not_of_the_patient():
    policy = AlertPolicy("test", (Rule("device_fault", "device_fault", "low", 0.2, 0.05, 1, 1, 0, "[G]"),))
    found, _ = candidates(made_features(80.0), (), (), policy, {}, refused={"spo2": 0.4, "heart_rate": 0.0})
    assert (found[0].kind, found[0].because[0].text) == (
        "device_fault",
        "40 % of the last day's oxygen saturation readings refused as implausible",
    )


def test_a_twin_without_readings_raises_nothing():
    found, memory = candidates(unread_features(80.0), (), (), DEFAULT_POLICY, {})
    assert found == ()
    assert candidates(unread_features(81.0), (), (), DEFAULT_POLICY, memory)[0] == ()


def test_time_does_not_run_backwards_and_a_foreign_memory_is_refused():
    _, memory = candidates(made_features(80.0), (), (), POLICY, {})
    with pytest.raises(BadPolicy, match="last looked"):
        candidates(made_features(79.0), (), (), POLICY, memory)
    with pytest.raises(BadPolicy, match="format"):
        candidates(made_features(81.0), (), (), POLICY, {**memory, "format": 99})


DEVIATIONS = st.lists(st.floats(-4, 8), min_size=1, max_size=40)


@given(DEVIATIONS)
def test_the_same_looks_give_the_same_alerts_and_each_cause_alternates_between_raised_and_cleared(values):
    steps = [{"heart_rate": value} for value in values]
    changes = course(steps)
    assert changes == course(steps)
    assert [change for _, change, _ in changes] == (["raised", "cleared"] * len(values))[: len(changes)]


@given(DEVIATIONS)
def test_one_cause_never_has_two_candidates_and_memory_stays_small(values):
    memory: dict = {}
    for i, value in enumerate(values):
        features = made_features(72.0 + i, heart_rate=value, steps=value, pain=value)
        found, memory = candidates(features, (), (), DEFAULT_POLICY, memory)
        causes = [c.cause for c in found]
        assert len(causes) == len(set(causes))
        assert all(c.because and c.steps for c in found)
    assert len(json.dumps(memory)) < 3000


@given(st.dictionaries(st.integers(70, 75), st.booleans(), max_size=6))
def test_scattered_hits_need_n_of_m(seen):
    assert sustained(RULE, seen, bad_since=75.0, hours=75.0) == (list(seen.values()).count(True) >= 4)


def test_two_bad_looks_a_day_apart_are_not_one_run():
    assert course([ILL] * 4, every=24.0) == []


AGAIN = replace(RULE, again_after_h=24.0)


def test_an_alert_that_still_stands_is_told_again_a_day_later_and_says_so():
    changes = course([ILL] * 60, AlertPolicy("test", (AGAIN,)))
    assert changes == [(75.0 + 24 * k, "raised", "deterioration") for k in range(3)]
    found, memory = candidates(made_features(72.0, **ILL), (), (), AlertPolicy("t", (replace(AGAIN, hits=1),)), {})
    later, _ = candidates(made_features(96.0, **ILL), (), (), AlertPolicy("t", (replace(AGAIN, hits=1),)), memory)
    assert not found[0].told_again and later[0].told_again and later[0].since_h == 72.0


def test_what_has_fallen_below_its_raising_limit_is_not_told_again():
    between = {"heart_rate": 2.5}
    assert course([ILL] * 5 + [between] * 40, AlertPolicy("test", (AGAIN,))) == [(75.0, "raised", "deterioration")]


def test_a_suspicion_is_raised_at_once_with_its_cause_and_closed_with_hysteresis():
    rule = next(rule for rule in DEFAULT_POLICY.rules if rule.cause == "suspicion")
    said = Suspicion(rule.raise_at, 0.5, (), "h", "e")
    found, memory = candidates(made_features(72.0), (), (), AlertPolicy("t", (rule,)), {}, suspicion=said)
    assert [(one.cause, one.change, one.severity) for one in found] == [("suspicion", "raised", "medium")]
    assert "in 100 that a complication is under way now" in found[0].because[0].text
    quiet = Suspicion(rule.close_at / 2, 0.9, (), "h", "e")
    held, memory = candidates(made_features(73.0), (), (), AlertPolicy("t", (rule,)), memory, suspicion=quiet)
    cleared, _ = candidates(made_features(90.0), (), (), AlertPolicy("t", (rule,)), memory, suspicion=quiet)
    assert [one.change for one in (*held, *cleared)] == ["held", "cleared"]


def test_a_suspicion_that_rests_on_one_reading_raises_nobody_and_is_not_told_again():
    rule = replace(next(rule for rule in DEFAULT_POLICY.rules if rule.cause == "suspicion"), again_after_h=12.0)
    policy, said = AlertPolicy("t", (rule,)), Suspicion(0.7, 0.2, (), "h", "e")
    alone = replace(said, sustained=False)
    quiet, memory = candidates(made_features(72.0), (), (), policy, {}, suspicion=alone)
    raised, memory = candidates(made_features(73.0), (), (), policy, memory, suspicion=said)
    held, memory = candidates(made_features(86.0), (), (), policy, memory, suspicion=alone)
    again, _ = candidates(made_features(87.0), (), (), policy, memory, suspicion=said)
    assert quiet == () and [one.change for one in (*raised, *held, *again)] == ["raised", "held", "raised"]


def test_without_hypotheses_the_stand_ins_alarm():
    by_cause = {rule.cause: rule.severity for rule in DEFAULT_POLICY.rules}
    instead = {rule.cause: rule.severity for rule in without_hypotheses(DEFAULT_POLICY).rules}
    assert by_cause["deterioration"] == by_cause["risk"] == "low"
    assert instead["deterioration"] == instead["risk"] == "medium"
    assert {c: s for c, s in instead.items() if c not in STAND_INS} == {
        c: s for c, s in by_cause.items() if c not in STAND_INS
    }


def test_a_policy_that_never_asked_for_hypotheses_stays_as_its_site_wrote_it():
    rules = tuple(rule for rule in DEFAULT_POLICY.rules if rule.cause != "suspicion")
    assert without_hypotheses(AlertPolicy("own", rules)).rules == rules
