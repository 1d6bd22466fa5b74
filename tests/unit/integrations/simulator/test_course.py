"""Synthetic courses are a pure function of seed, member and time; minutes agree with their hour."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from integrations.simulator.cast import CAST, OPERATIONS, Member
from integrations.simulator.course import FIRST_HOUR, HOURLY, LAST_HOUR, course_of
from integrations.simulator.ward import HOUR, Ward
from recovery.twin.metrics import METRICS
from recovery.twin.simulate import DRAWN

WARD = Ward(1, datetime(2026, 3, 20, 13, tzinfo=UTC))
MINUTE = timedelta(minutes=1)


def _named(key: str) -> Member:
    return next(member for member in CAST if member.key == key)


def _worn_hour(member: Member) -> datetime:
    """A daytime hour with the watch on, a day before the anchor."""
    course = course_of(WARD, member)
    hours = (WARD.anchor - timedelta(hours=back) for back in range(24, 60))
    return next(h for h in hours if float(np.nan_to_num(course.hour_values("steps", h, 1)[0])) > 20)


@pytest.mark.parametrize("key", ["demo-02", "demo-13"])
def test_the_same_ward_gives_the_same_course_to_the_last_digit(key: str) -> None:
    course_of.cache_clear()
    first = course_of(WARD, _named(key))
    course_of.cache_clear()
    again = course_of(WARD, _named(key))
    assert first.reports == again.reports
    for metric in HOURLY:
        np.testing.assert_array_equal(first.hourly[metric], again.hourly[metric])


def test_another_seed_gives_another_course() -> None:
    other = course_of(Ward(2, WARD.anchor), CAST[0])
    assert not np.array_equal(course_of(WARD, CAST[0]).hourly["heart_rate"], other.hourly["heart_rate"], equal_nan=True)


def test_the_minutes_of_an_hour_add_up_to_its_steps() -> None:
    course = course_of(WARD, CAST[0])
    hour = _worn_hour(CAST[0])
    minutes = [course.steps_in(hour + k * MINUTE) for k in range(60)]
    assert sum(minutes) == course.hour_values("steps", hour, 1)[0]  # type: ignore[arg-type]
    assert 0 in minutes, "a worn minute without steps is a zero"


def test_the_median_of_an_hours_values_is_near_the_hourly_value() -> None:
    course = course_of(WARD, CAST[0])
    hour = _worn_hour(CAST[0])
    values = [course.vital_at("heart_rate", hour + k * MINUTE) for k in range(60)]
    # The scatter has an SD of 0.4 x 5 bpm; the median of 60 has an SE of 1.25 x 2 / sqrt(60) = 0.32: four of them.
    assert abs(float(np.median(values)) - course.hour_values("heart_rate", hour, 1)[0]) < 1.3  # type: ignore[arg-type]
    assert len(set(values)) > 1


def test_while_the_watch_is_off_there_is_no_value_and_no_zero() -> None:
    course = course_of(WARD, CAST[0])
    off = int(np.flatnonzero(np.isnan(course.hourly["steps"]))[0])
    moment = WARD.zero(CAST[0]) + (off + FIRST_HOUR) * HOUR
    assert course.vital_at("heart_rate", moment) is None
    assert course.steps_in(moment) is None


def test_outside_its_weeks_a_course_is_silent() -> None:
    course = course_of(WARD, CAST[0])
    for hours in (FIRST_HOUR - 1, LAST_HOUR):
        assert course.vital_at("heart_rate", WARD.zero(CAST[0]) + hours * HOUR) is None


def test_the_silent_patient_sends_nothing_after_the_watch_stopped() -> None:
    member = _named("demo-13")
    course, stopped = course_of(WARD, member), WARD.stopped_at(member)
    assert stopped is not None and course.reports_between(stopped, WARD.anchor + 40 * HOUR) == []
    for metric in HOURLY:
        assert np.isnan(course.hour_values(metric, stopped, 60)).all()
        assert not np.isnan(course.hour_values(metric, stopped - 40 * HOUR, 40)).all()


def test_a_days_total_is_sent_when_its_day_is_over() -> None:
    totals = [one for one in course_of(WARD, CAST[0]).reports if one.metric == "qualified_steps"]
    assert totals and all(one.sent == one.at + timedelta(days=1) for one in totals)
    assert all((one.at - WARD.zero(CAST[0])) % timedelta(days=1) == timedelta(0) for one in totals)


def test_a_complication_shows_after_it_began_and_not_before() -> None:
    member = _named("demo-02")  # a leak
    well = Member(**{name: getattr(member, name) for name in member.__dataclass_fields__} | {"trouble": None})
    ill_course, well_course = course_of(WARD, member), course_of(WARD, well)
    assert member.trouble is not None
    began = WARD.anchor - timedelta(hours=member.trouble.hours_ago)
    before = [course.hour_values("heart_rate", began - 48 * HOUR, 48) for course in (ill_course, well_course)]
    np.testing.assert_array_equal(*before)
    rise = ill_course.hour_values("heart_rate", WARD.anchor - 6 * HOUR, 6) - well_course.hour_values(
        "heart_rate", WARD.anchor - 6 * HOUR, 6
    )
    assert np.nanmin(rise) > 15


@pytest.mark.parametrize("member", CAST, ids=lambda member: member.key)
def test_every_member_has_plausible_values_but_for_a_few_artefacts(member: Member) -> None:
    course = course_of(WARD, member)
    for metric in HOURLY:
        values = course.hourly[metric][~np.isnan(course.hourly[metric])]
        low, high = METRICS[metric].plausible
        assert len(values) > 100
        assert np.mean((values < low) | (values > high)) < 0.02


def test_blood_is_drawn_on_the_ward_until_discharge_and_no_later() -> None:
    for member in CAST:
        course = course_of(WARD, member)
        home = WARD.zero(member) + OPERATIONS[member.operation].home_after_h * HOUR
        blood = [one for one in course.reports if METRICS[one.metric].family == "laboratory"]
        assert blood and all(one.at < home and one.sent > one.at for one in blood)
        assert all(len({one.at for one in blood if one.metric == key}) > 0 for key in DRAWN)
