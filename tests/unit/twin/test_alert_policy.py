"""The alert policy: plain numbers that survive JSON and refuse to contradict themselves."""

import json
from dataclasses import replace

import pytest

from recovery.twin.alert_policy import DEFAULT_POLICY, KINDS, AlertPolicy, BadPolicy
from recovery.twin.alert_wording import STEPS, TITLES

RULE = DEFAULT_POLICY.rules[0]


def test_a_policy_comes_back_from_json_unchanged():
    assert AlertPolicy.from_plain(json.loads(json.dumps(DEFAULT_POLICY.to_plain()))) == DEFAULT_POLICY


def test_every_default_names_its_source():
    assert all(any(mark in rule.source for mark in ("[G]", "[V", "[M]")) for rule in DEFAULT_POLICY.rules)


def test_every_kind_has_a_rule_and_every_rule_its_title_and_options():
    assert {rule.kind for rule in DEFAULT_POLICY.rules} == set(KINDS)
    causes = {rule.cause for rule in DEFAULT_POLICY.rules}
    assert causes == set(TITLES) == set(STEPS)


@pytest.mark.parametrize("step", [step for steps in STEPS.values() for step in steps])
def test_every_step_is_an_option_not_an_order(step):
    assert step.startswith("Consider ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"close_at": RULE.raise_at + 1},
        {"hits": 0},
        {"hits": RULE.window_h + 1},
        {"close_after_h": -1},
        {"severity": "urgent"},
        {"kind": "other"},
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(BadPolicy):
        replace(RULE, **wrong)


def test_one_cause_has_one_rule():
    with pytest.raises(BadPolicy, match="share a cause"):
        AlertPolicy("twice", (RULE, RULE))


@pytest.mark.parametrize("stored", [{}, {"version": "x"}, {"version": "x", "rules": [{"cause": "y"}]}])
def test_a_stored_policy_that_cannot_be_read_is_refused(stored):
    with pytest.raises(BadPolicy):
        AlertPolicy.from_plain(stored)


def test_severity_rises_one_step_at_the_high_limit_and_never_beyond_high():
    rule = replace(RULE, severity="medium", high_at=10.0)
    assert [rule.severity_at(value) for value in (6.0, 9.99, 10.0)] == ["medium", "medium", "high"]
    assert replace(rule, severity="high").severity_at(99.0) == "high"
    assert replace(rule, high_at=None).severity_at(99.0) == "medium"
