"""Watch hours: when a team looks, and when so many minutes of watching are over."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from recovery.pathway_plan import Watch

LOOK_AHEAD = timedelta(days=60)
# The schema's last minute of a day stands for its end, so that a ward can say that it watches around the clock.
LAST_MINUTE = "23:59"


def after_minutes(start: datetime, minutes: float, watch: Sequence[Watch], zone: ZoneInfo) -> datetime:
    """When `minutes` of watch hours have passed since `start` (aware). Without watch hours the clock never stops."""
    left = timedelta(minutes=minutes)
    for begin, end in _stretches(start, watch, zone):
        if begin + left <= end:
            return begin + left
        left -= end - begin
    return start + timedelta(minutes=minutes)


def is_watched(moment: datetime, watch: Sequence[Watch], zone: ZoneInfo) -> bool:
    """Whether somebody looks at `moment`; always, where no watch hours are said."""
    first = next(_stretches(moment, watch, zone), None)
    return first is None or first[0] <= moment


def _stretches(start: datetime, watch: Sequence[Watch], zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Watched stretches that end after `start`, in order and without overlap, the first cut off at `start`."""
    reached = start
    for day in range(LOOK_AHEAD.days if watch else 0):
        local = (start.astimezone(zone) + timedelta(days=day)).date()
        for begin, end in sorted(_of_day(local, watch, zone)):
            if end > reached:
                yield max(begin, reached), end
                reached = end


def _of_day(day: date, watch: Sequence[Watch], zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """In UTC, so that the night of a clock change has as many minutes as it has."""
    for one in watch:
        if day.weekday() in one.days:
            last = day + timedelta(days=1) if one.end == LAST_MINUTE else day
            closes = time.min if one.end == LAST_MINUTE else time.fromisoformat(one.end)
            yield _utc(day, time.fromisoformat(one.start), zone), _utc(last, closes, zone)


def _utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(ZoneInfo("UTC"))
