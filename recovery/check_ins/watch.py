"""When somebody looks at what a patient sends. Pure."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from recovery import watch
from recovery.pathway_plan import Watch


def is_watched(hours: Sequence[Watch], now: datetime, zone: ZoneInfo) -> bool:
    """Never where no hours are said: a patient is promised only what somebody has planned."""
    return bool(hours) and watch.is_watched(now, hours, zone)


def next_watch(hours: Sequence[Watch], now: datetime, zone: ZoneInfo) -> datetime | None:
    """`now` while somebody looks, else when somebody begins to; None when nobody ever does."""
    return watch.after_minutes(now, 0.0, hours, zone) if hours else None
