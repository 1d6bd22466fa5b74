"""When a check-in is asked: local days after surgery, at a local time, for a number of hours. Pure.

A day here is a calendar day where the patient lives: day 1 is the day after the operation's date, whatever the hour
it ended, and 09:00 is 09:00 on the wall, in summer and in winter. (The twin's days are 24 h from surgery end.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from recovery.pathway_plan import CheckIn


@dataclass(frozen=True, slots=True)
class Slot:
    """One time that a questionnaire is asked. `name` stands in addresses and is unique within the episode."""

    name: str
    questionnaire: str
    day: int
    opens: datetime
    closes: datetime

    def is_open(self, now: datetime) -> bool:
        return self.opens <= now < self.closes


def zone_of(name: str, otherwise: str) -> ZoneInfo:
    """The patient's time zone; the hospital's where theirs is not said or not known."""
    for one in (name, otherwise):
        try:
            if one and one != "UTC":
                return ZoneInfo(one)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")


def slots(plan: Iterable[CheckIn], surgery_end: datetime, zone: ZoneInfo) -> tuple[Slot, ...]:
    """All slots of the plan in order of opening."""
    first = surgery_end.astimezone(zone).date()
    found = [_slot(one, first, day, zone) for one in plan for day in one.days]
    return tuple(sorted(found, key=lambda one: (one.opens, one.name)))


def _slot(one: CheckIn, first: date, day: int, zone: ZoneInfo) -> Slot:
    on = first + timedelta(days=day)
    opens = local_time(on, one.time, zone)
    return Slot(f"{one.questionnaire}-{on.isoformat()}", one.questionnaire, day, opens, _later(opens, one.window_h))


def local_time(on: date, clock: str, zone: ZoneInfo) -> datetime:
    """That wall-clock time of that day as a UTC moment. In the hour that spring skips, the moment after the gap; of
    the two that autumn has, the first."""
    hour, minute = (int(part) for part in clock.split(":"))
    wall = datetime(on.year, on.month, on.day, hour, minute, tzinfo=zone)
    return wall.astimezone(UTC)


def _later(opens: datetime, hours: int) -> datetime:
    return opens + timedelta(hours=hours)


def open_slots(all_slots: Sequence[Slot], answered: Iterable[str], now: datetime) -> tuple[Slot, ...]:
    """Those that are open and not answered, the one that closes first before the others."""
    done = set(answered)
    found = [one for one in all_slots if one.is_open(now) and one.name not in done]
    return tuple(sorted(found, key=lambda one: (one.closes, one.name)))


def next_slot(all_slots: Sequence[Slot], now: datetime) -> Slot | None:
    """The next one to open."""
    return next((one for one in all_slots if one.opens > now), None)
