"""No reminder at night, on any clock, on the nights when clocks change too."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.quiet_hours import after_quiet, is_quiet

NIGHT = (time(21, 0), time(8, 0))
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "America/New_York",
]
moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))
clocks = st.times().map(lambda one: one.replace(second=0, microsecond=0))


@given(moments, clocks, clocks, st.sampled_from(ZONES).map(ZoneInfo))
def test_whatever_the_zone_the_day_and_the_hours_it_is_never_quiet_afterwards_and_at_most_a_day_later(
    at, start, end, zone
):
    ready = after_quiet(at, start, end, zone)
    assert not is_quiet(ready, start, end, zone)
    assert at <= ready <= at + timedelta(hours=25, minutes=30)


@given(moments, st.sampled_from(ZONES).map(ZoneInfo))
def test_in_the_daytime_nothing_waits(at, zone):
    if not is_quiet(at, *NIGHT, zone):
        assert after_quiet(at, *NIGHT, zone) == at


@pytest.mark.parametrize(
    ("at", "ready"),
    [
        (datetime(2026, 3, 28, 22, 30, tzinfo=BERLIN), datetime(2026, 3, 29, 8, 0, tzinfo=BERLIN)),
        (datetime(2026, 10, 24, 22, 30, tzinfo=BERLIN), datetime(2026, 10, 25, 8, 0, tzinfo=BERLIN)),
        (datetime(2026, 7, 1, 7, 59, tzinfo=BERLIN), datetime(2026, 7, 1, 8, 0, tzinfo=BERLIN)),
        (datetime(2026, 7, 1, 20, 59, tzinfo=BERLIN), datetime(2026, 7, 1, 20, 59, tzinfo=BERLIN)),
        (datetime(2026, 7, 1, 21, 0, tzinfo=BERLIN), datetime(2026, 7, 2, 8, 0, tzinfo=BERLIN)),
    ],
)
def test_eight_is_eight_on_the_wall(at, ready):
    assert after_quiet(at.astimezone(UTC), *NIGHT, BERLIN) == ready


def test_equal_hours_are_never_quiet():
    assert not is_quiet(datetime(2026, 1, 1, 3, tzinfo=UTC), time(9), time(9), BERLIN)
