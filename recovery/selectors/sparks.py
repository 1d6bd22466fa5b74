"""Observed values for the board's small charts: of each row, the one metric that strays most from its own course.

Aggregated into hours by the database, so that a page of fifty rows is one query whatever the sensors' rate.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from statistics import median
from typing import Any, NamedTuple

from django.db.models import Avg, F, FloatField, QuerySet, Sum
from django.db.models.functions import Cast, Floor

from recovery.consent_rules import CARE
from recovery.models import Episode, Sample, Series
from recovery.selectors.plain_rows import plain_rows
from recovery.selectors.snapshot import MetricSaid, Said
from recovery.twin.metrics import METRICS, WORN_HOURS_FOR_A_DAY

SPARK_DAYS, SPARK_DAYS_LONG = 7, 30
SMOOTH_HOURS = 6
MS_PER_HOUR = 3_600_000
TIER_ORDER = ("implant", "cleared", "consumer", "self_report")

Hour = tuple[int, int, float, float]  # of one series: its id, clock hours since 1970, mean and sum as sent


class Source(NamedTuple):
    """The little of a series that its drawing takes."""

    pk: int
    patient_id: int
    metric: str
    tier: str
    scale: float
    shift: float


@dataclass(frozen=True, slots=True)
class Spark:
    """`hours` after surgery end and `values` of one metric over the last `span_days` days; days for daily metrics."""

    metric: MetricSaid
    hours: tuple[float, ...]
    values: tuple[float, ...]
    now_hour: float
    span_days: int = SPARK_DAYS


def metric_that_matters(said: Said) -> MetricSaid | None:
    """The metric furthest from its own course; without any deviation, the first with a curve."""
    return said.metrics.get(said.strays_most)


def sparks_of(
    episodes: Iterable[Episode], said: Mapping[int, Said], now: datetime, days: int = SPARK_DAYS
) -> dict[int, Spark]:
    """Per episode id, its small chart of so many days. Two queries."""
    chosen = {
        one.pk: (one, metric) for one in episodes if one.surgery_end and (metric := metric_that_matters(said[one.pk]))
    }
    series = _best_series(chosen)
    bins = _hourly(series.values(), now, days)
    sparks = {}
    for pk, (episode, metric) in chosen.items():
        start = episode.surgery_end.timestamp() / 3600.0 if episode.surgery_end else 0.0
        points = _points(series[pk], bins.get(series[pk].pk, ()), start, days) if pk in series else {}
        sparks[pk] = Spark(metric, tuple(points), tuple(points.values()), now.timestamp() / 3600.0 - start, days)
    return sparks


def _best_series(chosen: Mapping[int, tuple[Episode, MetricSaid]]) -> dict[int, Source]:
    """Per episode id, the series of its metric with the best tier (of several, the newest series)."""
    wanted = {(episode.patient_id, metric.key): pk for pk, (episode, metric) in chosen.items()}
    rows = _usable().filter(
        patient_id__in={patient for patient, _ in wanted}, metric__in={metric for _, metric in wanted}
    )
    every = map(Source._make, rows)
    ours = [row for row in every if (row.patient_id, row.metric) in wanted]
    ours.sort(key=lambda row: (-_tier_rank(row.tier), row.pk))
    return {wanted[row.patient_id, row.metric]: row for row in ours}


@cache
def _usable() -> QuerySet[Series, Any]:
    """Not read itself: building the question of consent costs more than its answer for fifty rows."""
    return Series.objects.usable_for(CARE).values_list(*Source._fields)


def _tier_rank(tier: str) -> int:
    return TIER_ORDER.index(tier) if tier in TIER_ORDER else len(TIER_ORDER)


def _hourly(series: Iterable[Source], now: datetime, days: int) -> dict[int, list[Hour]]:
    """By series id."""
    since = now - timedelta(days=days)
    found = (
        Sample.objects.known_at(None)
        .filter(series_id__in={row.pk for row in series}, at_ms__gte=_ms(since), at_ms__lte=_ms(now))
        .annotate(bin=Floor(Cast(F("at_ms"), FloatField()) / float(MS_PER_HOUR)))
        .values("series_id", "bin")
        .annotate(mean=Avg("value"), total=Sum("value"))
        .values_list("series_id", "bin", "mean", "total")
    )
    bins: dict[int, list[Hour]] = defaultdict(list)
    for row in plain_rows(found):
        bins[row[0]].append(row)
    return bins


def _points(series: Source, hourly: Iterable[Hour], start: float, days: int) -> dict[float, float]:
    """In the metric's unit, by hours after `start`: medians of six hours (over a month of days), or for a daily metric
    the sums of finished days worn long enough; in time order."""
    daily, scale, shift = METRICS[series.metric].grain == "day", series.scale, series.shift
    size = 24 if daily or days > SPARK_DAYS else SMOOTH_HOURS
    groups: dict[int, list[float]] = defaultdict(list)
    for _, hour, mean, total in hourly:
        value = total * scale if daily else mean * scale + shift
        groups[int((hour + 0.5 - start) // size)].append(value)
    if daily:
        worn = {day: sum(found) for day, found in groups.items() if len(found) >= WORN_HOURS_FOR_A_DAY}
        return {day * 24.0 + 12.0: worn[day] for day in sorted(worn)}
    return {(group + 0.5) * size: median(groups[group]) for group in sorted(groups)}


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
