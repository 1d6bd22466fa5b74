"""The demo ward's present: what its devices send between two moments, cut into windows that are safe to send again.

A window is settled or it is repeated, the same to the last digit. The last hour goes out second by second; whole hours
that were missed (the product was off) go out as hourly packets. An hour goes one way or the other, never both, or its
steps would count twice.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from integrations.simulator import resources, volunteer
from integrations.simulator.cast import Member
from integrations.simulator.course import HOURLY, LAST_HOUR, Course, course_of
from integrations.simulator.resources import Json
from integrations.simulator.ward import HOUR, Ward, write_private
from recovery.twin.simulate import WATCHED

STATE_FILE = "simulator.state"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
# Seconds between two values of one vital sign; temperature moves slowly and is sent a fifth as often.
CADENCES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 300, 600)
TEMPERATURE_EVERY = 5
MOST_BEHIND = timedelta(hours=LAST_HOUR)


@dataclass(frozen=True, slots=True)
class Window:
    """begin <= t < end. whole_hour: hourly packets; otherwise single values."""

    begin: datetime
    end: datetime
    whole_hour: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything before `cursor` is acknowledged; `pending` may have been sent, and is the next to be sent."""

    cursor: datetime
    pending: Window | None = None

    def next_window(self, now: datetime) -> Window | None:
        """What to send next, or None when all is sent. Whole hours as such, else up to a minute at once."""
        if self.pending is not None:
            return self.pending
        begin = max(self.cursor, _whole_hour(now) - MOST_BEHIND)
        if begin == _whole_hour(begin) and begin + HOUR <= now:
            return Window(begin, begin + HOUR, whole_hour=True)
        end = min(begin + MINUTE, _whole_hour(begin) + HOUR, now.replace(microsecond=0))
        return Window(begin, end, whole_hour=False) if begin < end else None


def cadence(members: Sequence[Member], rate: float) -> int:
    """Seconds between two values of a vital sign, so that all together send at most `rate` readings a second."""
    steps = len(members) / 60
    channels = len(members) * (len(WATCHED) - 1 + 1 / TEMPERATURE_EVERY)
    return next((one for one in CADENCES if steps + channels / one <= rate), CADENCES[-1])


def readings_in(ward: Ward, members: Sequence[Member], window: Window, every: int) -> list[Json]:
    """All that the members' devices send in the window, in order of member; then the volunteer's days."""
    made = [one for member in members for one in _of_member(course_of(ward, member), window, every)]
    return made + (volunteer.sent_between(ward, window.begin, window.end) if ward.has_volunteer else [])


def _of_member(course: Course, window: Window, every: int) -> Iterator[Json]:
    member = course.member
    if window.whole_hour:
        for metric in HOURLY:
            packet = resources.packet(member, metric, window.begin, course.hour_values(metric, window.begin, 1))
            if packet is not None:
                yield packet
    else:
        yield from _vitals(course, window, every)
        yield from _steps(course, window)
    for report in course.reports_between(window.begin, window.end):
        yield resources.report(member, report.metric, report.at, report.value)


def _vitals(course: Course, window: Window, every: int) -> Iterator[Json]:
    begin, end = int(window.begin.timestamp()), int(window.end.timestamp())
    for place, metric in enumerate(WATCHED):
        apart = every * TEMPERATURE_EVERY if metric == "temperature" else every
        offset = (37 * int(course.member.key[-2:]) + 17 * place) % apart  # so that not all speak at once
        for second in range(begin + (offset - begin) % apart, end, apart):
            moment = datetime.fromtimestamp(second, UTC)
            value = course.vital_at(metric, moment)
            if value is not None:
                yield resources.vital(course.member, metric, moment, value)


def _steps(course: Course, window: Window) -> Iterator[Json]:
    """Each minute with its last second, so that an hour's minutes all lie within the hour."""
    minute = window.begin.replace(second=0)
    while minute < window.end:
        if window.begin <= minute + MINUTE - SECOND < window.end:
            count = course.steps_in(minute)
            if count is not None:
                yield resources.minute_of_steps(course.member, minute, count)
        minute += MINUTE


def _whole_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


# ---- where the feed has got to


def load_progress(directory: Path, ward: Ward) -> Progress:
    """What was kept for this ward, or else the moment of its seeding."""
    try:
        said = json.loads((directory / STATE_FILE).read_text())
        if said["anchor"] != ward.anchor.isoformat():
            return Progress(ward.anchor)
        pending = said["pending"]
        return Progress(datetime.fromisoformat(said["cursor"]), _window(pending) if pending else None)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Progress(ward.anchor)


def _window(said: Sequence[Any]) -> Window:
    begin, end, whole_hour = said
    return Window(datetime.fromisoformat(begin), datetime.fromisoformat(end), bool(whole_hour))


def keep_progress(directory: Path, ward: Ward, progress: Progress) -> None:
    pending = progress.pending
    said = {
        "anchor": ward.anchor.isoformat(),
        "cursor": progress.cursor.isoformat(),
        "pending": [pending.begin.isoformat(), pending.end.isoformat(), pending.whole_hour] if pending else None,
    }
    write_private(directory / STATE_FILE, json.dumps(said))
