"""Quiet hours on a person's own clock, right on the nights when the clocks change. Pure."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def is_quiet(moment: datetime, start: time, end: time, zone: ZoneInfo) -> bool:
    """Whether the clock on the wall is in [start, end); over midnight where start is later. Equal: never."""
    clock = moment.astimezone(zone).time().replace(tzinfo=None)
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end


def after_quiet(moment: datetime, start: time, end: time, zone: ZoneInfo) -> datetime:
    """`moment` itself, or the first moment after it (UTC) at which the quiet hours are over."""
    if not is_quiet(moment, start, end, zone):
        return moment
    local = moment.astimezone(zone)
    day = local.date() + (timedelta(days=1) if local.time().replace(tzinfo=None) >= end else timedelta(0))
    over = datetime.combine(day, end, tzinfo=zone).astimezone(UTC)
    while over <= moment or is_quiet(over, start, end, zone):  # an hour that spring skips, or that autumn has twice
        over += timedelta(minutes=15)
    return over
