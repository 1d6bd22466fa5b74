"""A patient is told when somebody looks, and never more than was planned."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from recovery.check_ins.watch import is_watched, next_watch
from recovery.pathway_plan import Watch

WEEKDAYS = (Watch((0, 1, 2, 3, 4), "08:00", "18:00"),)
BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY_EVENING = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)
MONDAY_MORNING = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)


def test_after_hours_the_next_look_is_named():
    assert not is_watched(WEEKDAYS, FRIDAY_EVENING, BERLIN)
    assert next_watch(WEEKDAYS, FRIDAY_EVENING, BERLIN) == MONDAY_MORNING


def test_while_somebody_looks_it_is_now():
    assert is_watched(WEEKDAYS, MONDAY_MORNING, BERLIN)
    assert next_watch(WEEKDAYS, MONDAY_MORNING, BERLIN) == MONDAY_MORNING


def test_where_nothing_is_planned_nobody_is_promised():
    assert next_watch((), MONDAY_MORNING, BERLIN) is None and not is_watched((), MONDAY_MORNING, BERLIN)
