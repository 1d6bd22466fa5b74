"""The policy that a unit's tolerable false alarms allow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.twin.alert_budget import OTHERS, SYNTHETIC_BURDEN, Burden, for_budget, limit_for
from recovery.twin.alert_policy import DEFAULT_POLICY, BadPolicy

CURVE = (Burden(0.1, 0.08), Burden(0.2, 0.04), Burden(0.4, 0.02))


def suspicion_of(policy):
    return next(rule for rule in policy.rules if rule.cause == "suspicion")


def test_a_measured_budget_gives_its_measured_limit():
    assert limit_for(0.04 + OTHERS, CURVE) == 0.2


def test_between_two_measured_limits_it_goes_straight():
    assert limit_for(0.03 + OTHERS, CURVE) == pytest.approx(0.3)


def test_a_generous_budget_stops_at_the_lowest_measured_limit():
    assert limit_for(1.0, CURVE) == 0.1


def test_a_budget_that_no_limit_keeps_is_refused_with_the_least_that_is():
    with pytest.raises(BadPolicy, match="0.023"):
        limit_for(0.01, CURVE)


@given(st.floats(0.004, 0.3), st.floats(0.004, 0.3))
def test_more_tolerance_never_means_a_higher_limit(one, other):
    less, more = sorted((one, other))
    assert limit_for(more) <= limit_for(less)


def test_only_the_rule_of_the_suspicion_changes_and_says_for_which_budget():
    tuned = for_budget(DEFAULT_POLICY, 0.011)
    rule = suspicion_of(tuned)
    assert rule.close_at < rule.raise_at and rule.high_at >= rule.raise_at
    assert "0.011" in rule.source and tuned.version.endswith("-budget-0.011")
    assert [r for r in tuned.rules if r.cause != "suspicion"] == [
        r for r in DEFAULT_POLICY.rules if r.cause != "suspicion"
    ]


def test_the_default_policy_keeps_the_curve_that_it_was_tuned_on():
    rule = suspicion_of(DEFAULT_POLICY)
    cost = next(row.false_per_patient_day for row in SYNTHETIC_BURDEN if row.limit == rule.raise_at)
    assert cost + OTHERS <= 0.05
