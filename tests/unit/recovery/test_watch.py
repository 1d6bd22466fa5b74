"""Minutes of watch hours: nights and weekends do not count, the hour of a clock change does as it is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.pathway_plan import Watch
from recovery.watch import after_minutes, is_watched

BERLIN = ZoneInfo("Europe/Berlin")
LONDON = ZoneInfo("Europe/London")
OFFICE = (Watch((0, 1, 2, 3, 4), "08:00", "18:00"),)
ALWAYS = (Watch(tuple(range(7)), "00:00", "23:59"),)
THURSDAY_NOON = datetime(2026, 3, 5, 12, tzinfo=LONDON)


def test_within_watch_hours_the_clock_runs():
    assert after_minutes(THURSDAY_NOON, 15, OFFICE, LONDON) == THURSDAY_NOON + timedelta(minutes=15)


def test_what_comes_at_night_waits_for_the_morning():
    night = datetime(2026, 3, 6, 2, tzinfo=LONDON)
    assert after_minutes(night, 15, OFFICE, LONDON) == datetime(2026, 3, 6, 8, 15, tzinfo=LONDON)


def test_what_is_left_at_the_end_of_a_friday_goes_on_on_monday():
    friday = datetime(2026, 3, 6, 17, 50, tzinfo=LONDON)
    assert after_minutes(friday, 30, OFFICE, LONDON) == datetime(2026, 3, 9, 8, 20, tzinfo=LONDON)


def test_without_watch_hours_the_clock_never_stops():
    night = datetime(2026, 3, 7, 2, tzinfo=UTC)
    assert after_minutes(night, 15, (), LONDON) == night + timedelta(minutes=15)
    assert is_watched(night, (), LONDON)


def test_the_hospitals_clock_counts_and_not_utc():
    seven_utc = datetime(2026, 3, 5, 7, tzinfo=UTC)
    assert is_watched(seven_utc, OFFICE, BERLIN) and not is_watched(seven_utc, OFFICE, LONDON)


def test_rows_that_overlap_count_once():
    twice = (Watch((3,), "08:00", "14:00"), Watch((3,), "12:00", "18:00"))
    eleven = datetime(2026, 3, 5, 11, tzinfo=LONDON)
    assert after_minutes(eleven, 240, twice, LONDON) == datetime(2026, 3, 5, 15, tzinfo=LONDON)


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 10, 25, tzinfo=BERLIN)])
def test_a_day_of_23_or_25_hours_has_that_many_watched(day):
    begin = day.astimezone(UTC)
    hours = 23 if day.month == 3 else 25
    assert after_minutes(begin, hours * 60, ALWAYS, BERLIN) == begin + timedelta(hours=hours)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)), st.integers(1, 1440))
def test_a_deadline_lies_in_watch_hours_and_never_before_its_minutes(moment, minutes):
    start = moment.replace(tzinfo=UTC)
    due = after_minutes(start, minutes, OFFICE, BERLIN)
    assert due >= start + timedelta(minutes=minutes)
    local = due.astimezone(BERLIN)
    assert local.weekday() < 5 and 8 * 60 <= local.hour * 60 + local.minute <= 18 * 60
