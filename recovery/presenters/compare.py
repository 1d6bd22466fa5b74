"""One patient's course beside something: a second measure, another operation of theirs, people like them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from statistics import median
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.chart import Chart, draw
from recovery.presenters.patient import course_marks
from recovery.selectors.befallen import Befell
from recovery.selectors.cohort_courses import DayOfGroup
from recovery.selectors.people import Operation
from recovery.selectors.similar import FEWEST, MOST, Similar
from recovery.selectors.snapshot import MetricSaid
from recovery.selectors.timeline import Observed


@dataclass(frozen=True, slots=True)
class CompareRow:
    """One postoperative day of one measure; a blank cell has nothing to say."""

    x: str
    day: str
    own: str
    expected: str
    other: str
    like: str
    people: str


@dataclass(frozen=True, slots=True)
class Compared:
    key: str
    label: str
    unit: str
    chart: Chart
    rows: tuple[CompareRow, ...]


@dataclass(frozen=True, slots=True)
class CompareView:
    measures: tuple[Compared, ...]
    choices: tuple[tuple[str, str], ...]
    similar: str  # who the others are, in words; blank when not asked


def compare_view(
    metrics: Sequence[MetricSaid],
    choices: Mapping[str, MetricSaid],
    own: Mapping[str, Observed],
    other: Mapping[str, Observed],
    like: Similar | None,
    operation: Operation,
    events: Sequence[Befell],
    now: datetime,
    zone: ZoneInfo,
) -> CompareView:
    """`like` is of the first measure."""
    found = []
    window = _window(metrics, operation, now)
    for place, metric in enumerate(metrics):
        days = like.days if like and place == 0 else ()
        seen = (own.get(metric.key), other.get(metric.key))
        one = _compared(metric, *seen, days, operation, events, now, zone, window)
        found += [one] if one else []
    return CompareView(
        tuple(found),
        tuple((key, metric.label) for key, metric in choices.items()),
        _words(like, metrics[0].label) if like and metrics else "",
    )


def _window(metrics: Sequence[MetricSaid], operation: Operation, now: datetime) -> tuple[float, float] | None:
    """The hours that all the charts go across, so that one day stands below the same day."""
    curves = [one.curve.hours for one in metrics if one.curve]
    if operation.surgery_end is None or not curves:
        return None
    hours_now = (now - operation.surgery_end).total_seconds() / 3600.0
    return min(hours[0] for hours in curves), max(hours_now, *(hours[-1] for hours in curves))


def _compared(
    metric: MetricSaid,
    own: Observed | None,
    other: Observed | None,
    days: Sequence[DayOfGroup],
    operation: Operation,
    events: Sequence[Befell],
    now: datetime,
    zone: ZoneInfo,
    window: tuple[float, float] | None,
) -> Compared | None:
    if operation.surgery_end is None:
        return None
    chart = draw(
        metric,
        own,
        now_hour=(now - operation.surgery_end).total_seconds() / 3600.0,
        surgery_end=operation.surgery_end,
        zone=zone,
        later=other,
        events=course_marks(events, operation, now),
        window=window,
        like=[(one.day * 24.0 + 12.0, one.low, one.middle, one.high) for one in days],
    )
    if chart is None:
        return None
    unit = wording.unit(metric.unit, metric.key)
    return Compared(metric.key, metric.label, unit, chart, tuple(_rows(metric, chart, other, days)))


def _rows(metric: MetricSaid, chart: Chart, other: Observed | None, days: Sequence[DayOfGroup]) -> list[CompareRow]:
    theirs = _by_day(other)
    group = {one.day: one for one in days}
    said = {int(row.day.replace(wording.MINUS, "-")): row for row in chart.rows}
    found = []
    for day in sorted({*said, *theirs, *group}):
        row, one = said.get(day), group.get(day)
        found.append(
            CompareRow(
                x=row.x if row else "",
                day=str(day).replace("-", wording.MINUS),
                own=row.measured if row else "",
                expected=row.expected if row else "",
                other=wording.number(theirs[day], wording.decimals(metric.key)) if day in theirs else "",
                like=f"{wording.number(one.middle, wording.decimals(metric.key))}"
                f" ({wording.span(one.low, one.high, metric.key)})"
                if one
                else "",
                people=str(one.patients) if one else "",
            )
        )
    return found


def _by_day(seen: Observed | None) -> dict[int, float]:
    days: dict[int, list[float]] = {}
    for hour, value in zip_longest(seen.hours, seen.values) if seen else ():
        days.setdefault(int(hour // 24), []).append(value)
    return {day: median(values) for day, values in days.items()}


def _words(like: Similar, label: str) -> str:
    if like.why_not:
        return f"People like this one cannot be found. {like.why_not}"
    who = f"the same operation, aged {like.age} at it"
    if not like.days:
        few = like.people < FEWEST
        why = f"fewer than {FEWEST}" if few else f"on no day with {label.lower()} of at least {FEWEST}"
        others = "1 other person" if like.people == 1 else f"{like.people} other people"
        return f"{others} here with {who}: {why}, so nothing is shown."
    newest = f" (the newest {MOST})" if like.people == MOST else ""
    return (
        f"{like.people} other people here{newest} with {who}: their median and middle half, on days of which"
        f" at least {FEWEST} have a value. They are people followed here, not everybody; why they differ is not said."
    )
