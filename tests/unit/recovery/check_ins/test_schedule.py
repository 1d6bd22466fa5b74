"""Nine o'clock is nine on the wall, whatever the zone and the season."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.check_ins.schedule import local_time, next_slot, open_slots, slots, zone_of
from recovery.pathway_plan import CheckIn

PLAN = (CheckIn("daily", (1, 2, 3), "09:00", 12), CheckIn("qor15", (1,), "10:00", 4))
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC")


@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30), date(2026, 10, 25)])
def test_a_check_in_opens_at_nine_local_time_when_clocks_change(day):
    end = datetime(day.year, day.month, day.day, 15, tzinfo=UTC) - timedelta(days=1)
    first = slots(PLAN, end, ZoneInfo("Europe/Berlin"))[0]
    local = first.opens.astimezone(ZoneInfo("Europe/Berlin"))
    assert (local.date(), local.hour, local.minute) == (day, 9, 0)
    assert first.name == f"daily-{day.isoformat()}"


def test_the_hour_that_spring_skips_becomes_the_moment_after_it():
    opens = local_time(date(2026, 3, 29), "02:30", ZoneInfo("Europe/Berlin"))
    assert opens.astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M") == "03:30"


def test_day_one_is_the_day_after_the_operation_where_the_patient_lives():
    late = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)  # 23:30 in Berlin, the third already in Kolkata
    assert slots(PLAN, late, ZoneInfo("Europe/Berlin"))[0].name == "daily-2026-03-03"
    assert slots(PLAN, late, ZoneInfo("Asia/Kolkata"))[0].name == "daily-2026-03-04"


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    end=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),
    clock=st.sampled_from(("00:00", "02:30", "09:00", "23:59")),
)
def test_every_slot_has_a_name_of_its_own_and_lasts_what_it_should(zone, end, clock):
    plan = (CheckIn("daily", tuple(range(1, 31)), clock, 12),)
    found = slots(plan, end.replace(tzinfo=UTC), ZoneInfo(zone))
    assert len({one.name for one in found}) == 30
    assert all(one.closes - one.opens == timedelta(hours=12) for one in found)
    assert all(b.opens - a.opens > timedelta(hours=21) for a, b in zip(found, found[1:], strict=False))


def test_what_closes_first_comes_first_and_what_was_answered_does_not_come():
    found = slots(PLAN, datetime(2026, 3, 2, 12, tzinfo=UTC), ZoneInfo("UTC"))
    now = datetime(2026, 3, 3, 11, tzinfo=UTC)
    assert [one.questionnaire for one in open_slots(found, (), now)] == ["qor15", "daily"]
    assert [one.questionnaire for one in open_slots(found, ("qor15-2026-03-03",), now)] == ["daily"]
    assert next_slot(found, now).name == "daily-2026-03-04"


def test_an_unknown_zone_is_the_hospitals():
    assert zone_of("Mars/Olympus", "Europe/Berlin").key == "Europe/Berlin"
    assert zone_of("UTC", "Europe/Berlin").key == "Europe/Berlin"
    assert zone_of("Asia/Kolkata", "Europe/Berlin").key == "Asia/Kolkata"
