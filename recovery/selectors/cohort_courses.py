"""What was measured day by day after surgery, in each group of a cohort: median and quartiles over its patients.

Of each patient the series of the best tier counts. A day's value is the median of its six-hour means; of steps the sum
of a day worn long enough. Three queries, however many patients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import numpy as np
from django.db.models import Avg, Count, F, FloatField, Sum
from django.db.models.functions import Cast, Floor

from recovery.consent_rules import IMPROVEMENT
from recovery.models import Episode, Sample, Series
from recovery.selectors.cohort import FOLLOWED_DAYS, Cohort
from recovery.selectors.sparks import MS_PER_HOUR, TIER_ORDER
from recovery.twin.metrics import METRICS, WORN_HOURS_FOR_A_DAY

MOST_PATIENTS = 500
BIN_H = 6
FEWEST = 5
"""A day of fewer patients than this is left out: its quartiles would be single patients [G: this project's choice]."""


@dataclass(frozen=True, slots=True)
class DayOfGroup:
    day: int
    patients: int
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Courses:
    """Per group its days. patients: how many were looked at, the newest operations first."""

    metric: str
    groups: Mapping[str, tuple[DayOfGroup, ...]]
    patients: int
    cut: bool


def courses(cohort: Cohort, metric: str) -> Courses:
    """Raises KeyError for a metric that is not in the catalogue."""
    wanted = [pk for group in cohort.groups for pk in group.episodes]
    episodes = list(Episode.objects.filter(pk__in=wanted).order_by("-surgery_end")[:MOST_PATIENTS])
    days = values_by_day(episodes, metric)
    return Courses(
        metric,
        {group.name: of_group([days.get(pk, {}) for pk in group.episodes]) for group in cohort.groups},
        len(episodes),
        len(wanted) > len(episodes),
    )


def of_group(patients: Sequence[Mapping[int, float]], fewest: int = FEWEST) -> tuple[DayOfGroup, ...]:
    """Median and quartiles of each day of which at least `fewest` patients have a value."""
    found = []
    for day in range(FOLLOWED_DAYS):
        values = [one[day] for one in patients if day in one]
        if len(values) >= fewest:
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
            found.append(DayOfGroup(day, len(values), low, middle, high))
    return tuple(found)


def values_by_day(episodes: Sequence[Episode], metric: str) -> dict[int, dict[int, float]]:
    """Per episode, postoperative day to its value. Raises KeyError for a metric that is not in the catalogue."""
    is_daily = METRICS[metric].grain == "day"
    series = _best_series({one.patient_id for one in episodes}, metric)
    starts = {one.pk: one.surgery_end for one in episodes if one.surgery_end is not None}
    if not series or not starts:
        return {}
    bins = _bins(series, min(starts.values()), max(starts.values()))
    return {
        one.pk: _values(bins.get(one.patient_id, ()), starts[one.pk], is_daily) for one in episodes if one.pk in starts
    }


def _best_series(patients: set[int], metric: str) -> list[Series]:
    rows = Series.objects.filter(patient_id__in=patients, metric=metric).usable_for(IMPROVEMENT)
    best: dict[int, Series] = {}
    for row in sorted(rows, key=lambda row: (-_rank(row.tier), row.pk)):
        best[row.patient_id] = row
    return list(best.values())


def _rank(tier: str) -> int:
    return TIER_ORDER.index(tier) if tier in TIER_ORDER else len(TIER_ORDER)


@dataclass(frozen=True, slots=True)
class _Bin:
    """`hour`: the middle, since 1970; `covered`: hours that its readings stand for."""

    hour: float
    mean: float
    total: float
    covered: float


def _bins(series: Sequence[Series], first: datetime, last: datetime) -> dict[int, list[_Bin]]:
    """Per patient, the bins between the first operation and the end of follow-up of the last."""
    every = {row.pk: row for row in series}
    until = last + timedelta(days=FOLLOWED_DAYS)
    rows = (
        Sample.objects.known_at(None)
        .filter(series_id__in=every, at_ms__gte=_ms(first), at_ms__lt=_ms(until))
        .annotate(bin=Floor(Cast(F("at_ms"), FloatField()) / float(MS_PER_HOUR * BIN_H)))
        .values("series_id", "bin")
        .annotate(mean=Avg("value"), total=Sum("value"), n=Count("value"))
        .values_list("series_id", "bin", "mean", "total", "n")
    )
    found: dict[int, list[_Bin]] = {}
    for key, number, mean, total, n in rows:
        row = every[key]
        one = _Bin(
            (number + 0.5) * BIN_H, mean * row.scale + row.shift, total * row.scale, n * row.span_ms / MS_PER_HOUR
        )
        found.setdefault(row.patient_id, []).append(one)
    return found


def _values(bins: Sequence[_Bin], start: datetime, is_daily: bool) -> dict[int, float]:
    zero = start.timestamp() / 3600.0
    of_day: dict[int, list[_Bin]] = {}
    for one in bins:
        day = int((one.hour - zero) // 24)
        if 0 <= day < FOLLOWED_DAYS and one.hour >= zero:
            of_day.setdefault(day, []).append(one)
    if is_daily:
        worn = {day: found for day, found in of_day.items() if sum(o.covered for o in found) >= WORN_HOURS_FOR_A_DAY}
        return {day: sum(one.total for one in found) for day, found in worn.items()}
    return {day: median(one.mean for one in found) for day, found in of_day.items()}


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
