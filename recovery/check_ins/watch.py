"""When the team looks: the watch hours of a pathway, on the hospital's clock. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from recovery.check_ins.schedule import local_time
from recovery.pathway_plan import Watch


def is_watched(hours: Sequence[Watch], now: datetime, zone: ZoneInfo) -> bool:
    local = now.astimezone(zone)
    clock = local.strftime("%H:%M")
    return any(local.weekday() in one.days and one.start <= clock < one.end for one in hours)


def next_watch(hours: Sequence[Watch], now: datetime, zone: ZoneInfo) -> datetime | None:
    """`now` while somebody looks, else when somebody begins to; None when nobody ever does."""
    if is_watched(hours, now, zone):
        return now
    today = now.astimezone(zone).date()
    starts = [
        local_time(today + timedelta(days=ahead), one.start, zone)
        for ahead in range(8)
        for one in hours
        if (today + timedelta(days=ahead)).weekday() in one.days
    ]
    return min((one for one in starts if one > now), default=None)
