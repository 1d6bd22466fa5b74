"""A plan reads back as it was written, and a wrong one is refused with field, value and remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.exceptions import Invalid
from recovery.pathway_plan import DEFAULT_PLAN, ESCALATE_TO, CheckIn, ErasElement, Plan, Step, Target, Watch

days = st.lists(st.integers(0, 365), min_size=1, max_size=10, unique=True).map(tuple)
clocks = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
plans = st.builds(
    Plan,
    check_ins=st.lists(
        st.builds(CheckIn, st.sampled_from(["daily", "qor15"]), days, clocks, st.integers(1, 48)), max_size=3
    ).map(tuple),
    milestones=st.lists(
        st.builds(Target, st.just("own-goal"), st.just("Drives again"), st.integers(0, 90)), max_size=1
    ).map(tuple),
    eras=st.lists(
        st.builds(ErasElement, st.just("Kept warm"), st.sampled_from(["before", "during", "after"])), max_size=2
    ).map(tuple),
    escalation=st.lists(st.integers(1, 1440), max_size=4, unique=True).map(
        lambda minutes: tuple(Step(one, "lead") for one in sorted(minutes))
    ),
    watch_hours=st.just((Watch((5, 6), "08:00", "12:00"),)),
    budget=st.floats(0.1, 50),
    patient_sees_numbers=st.booleans(),
)


@given(plans)
def test_a_plan_reads_back_as_it_was_written(plan):
    assert Plan.from_plain(plan.to_plain()) == plan


def test_what_is_not_said_is_as_shipped():
    assert Plan.from_plain({}) == DEFAULT_PLAN
    assert Plan.from_plain({"check_ins": []}).check_ins == ()


def test_the_shipped_plan_fits_thirty_days():
    DEFAULT_PLAN.check_within(30)
    with pytest.raises(Invalid, match="ends on day 7"):
        DEFAULT_PLAN.check_within(7)


CHECK_IN = {"questionnaire": "daily", "days": [1], "time": "09:00", "window_h": 12}


@pytest.mark.parametrize(
    ("plain", "field"),
    [
        ({"check_ins": [{**CHECK_IN, "time": "25:00"}]}, "check_ins.time"),
        ({"check_ins": [{**CHECK_IN, "days": []}]}, "check_ins.days"),
        ({"check_ins": [{**CHECK_IN, "days": [1, 1]}]}, "check_ins.days"),
        ({"check_ins": [{**CHECK_IN, "days": [True]}]}, "check_ins.days"),
        ({"check_ins": [{**CHECK_IN, "window_h": 0}]}, "check_ins.window_h"),
        ({"check_ins": [{**CHECK_IN, "questionnaire": "Daily set"}]}, "check_ins.questionnaire"),
        ({"check_ins": [{"questionnaire": "daily"}]}, "check_ins"),
        ({"check_ins": "daily"}, "check_ins"),
        ({"check_ins": ["daily"]}, "check_ins"),
        ({"milestones": [{"key": "a", "label": "A", "by_day": 3}] * 2}, "milestones.key"),
        ({"milestones": [{"key": "a", "label": " ", "by_day": 3}]}, "milestones.label"),
        ({"eras": [{"label": "Kept warm", "phase": "later"}]}, "eras.phase"),
        (
            {"escalation": [{"after_minutes": 30, "to": "lead"}, {"after_minutes": 15, "to": "lead"}]},
            "escalation.after_minutes",
        ),
        ({"escalation": [{"after_minutes": 30, "to": "somebody"}]}, "escalation.to"),
        ({"watch_hours": [{"days": [0], "start": "18:00", "end": "08:00"}]}, "watch_hours.end"),
        ({"watch_hours": [{"days": [7], "start": "08:00", "end": "18:00"}]}, "watch_hours.days"),
        ({"budget": 0}, "budget"),
        ({"budget": "many"}, "budget"),
        ({"patient_sees_numbers": "yes"}, "patient_sees_numbers"),
        ({"check_in": []}, "check_in"),
    ],
)
def test_a_wrong_plan_is_refused_with_field_value_and_remedy(plain, field):
    with pytest.raises(Invalid) as refused:
        Plan.from_plain(plain)
    assert refused.value.field == field
    assert refused.value.message.startswith(f'{field}: "')


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*DEFAULT_PLAN.to_plain(), "other"]), json_like, max_size=4))
def test_no_content_whatever_raises_anything_but_invalid(plain):
    try:
        Plan.from_plain(plain)
    except Invalid as refused:
        assert refused.field


def test_alerts_are_escalated_to_people_of_the_roster():
    assert {step.to for step in DEFAULT_PLAN.escalation} <= set(ESCALATE_TO)
