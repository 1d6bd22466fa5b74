"""Observed readings of one episode: points for charts, coverage for the quality strip, rows for the readings table.

Points are the twin's own measurements (`twin.measurement.measure`: hourly medians, day sums, best tier of a bin), so a
chart can never show another number than the twin was given. Missing hours have no point: a gap stays a gap.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db.models import Q, QuerySet

from recovery.consent_rules import CARE
from recovery.models import Device, Episode, FormerSample, ReadingMark, Sample, Series
from recovery.models.reading_mark import MARK_CHANNEL
from recovery.reading_ids import ReadingId, encode, value_mark
from recovery.twin.clocks import hours_ahead
from recovery.twin.measurement import Measured, Samples, measure
from recovery.twin.metrics import METRICS, Tier
from recovery.twin.preference import prefer

MAX_POINTS = 1_000
DAYS_BEFORE = 7
MS_PER_HOUR = 3_600_000
PAGE_ROWS = 200
TIER_CODES = {"implant": Tier.IMPLANT, "cleared": Tier.CLEARED, "consumer": Tier.CONSUMER}


@dataclass(frozen=True, slots=True)
class RejectedPoint:
    hour: float
    value: float
    reason: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What was measured of one metric: `hours` after surgery end and `values`, same length, at most MAX_POINTS.

    worn_hours: whole hours with at least one reading. incomplete_days: (day, worn hours) of days worn too little to
    count. readings: samples behind all this. wrong: readings that a person has marked as wrong.
    """

    metric: str
    hours: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    rejected: tuple[RejectedPoint, ...] = ()
    worn_hours: tuple[int, ...] = ()
    incomplete_days: tuple[tuple[int, int], ...] = ()
    readings: int = 0
    wrong: tuple[RejectedPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading as received, in the metric's unit, with where it came from. `is_wrong`: a person has marked it so.

    `ahead_h`: hours by which its time lies ahead of the clock, beyond what clocks may differ; 0 for all others.
    """

    at: datetime
    hour: float
    value: float
    source: str
    device: str
    tier: str
    received_at: datetime
    refused: str  # why the gate kept it out of the twin; blank when it did not
    is_wrong: bool = False
    id: str = ""  # as in its page's address; see reading_ids
    ahead_h: float = 0.0


@dataclass(frozen=True, slots=True)
class ReadingsPage:
    rows: tuple[Reading, ...]
    total: int
    page: int
    pages: int


def observed(
    episode: Episode, now: datetime, metrics: Iterable[str] | None = None, *, known_at: datetime | None = None
) -> dict[str, Observed]:
    """Per metric with any reading: what was measured from 7 days before surgery to `now`.

    `known_at`: only what was known then, marks as they stood then included.
    """
    end = episode.surgery_end
    if end is None:
        return {}
    series = _series(episode, metrics)
    from_ms, to_ms = _ms(end) - DAYS_BEFORE * 24 * MS_PER_HOUR, _ms(now)
    rows = _rows(series, from_ms, to_ms, known_at)
    until = (now - end) / timedelta(hours=1)
    found = {
        metric: _observed(metric, samples, until)
        for metric, samples in _samples_by_metric(rows, series, _ms(end)).items()
    }
    for metric, points in _wrong(series, from_ms, to_ms, _ms(end), known_at).items():
        found[metric] = replace(found.get(metric) or Observed(metric), wrong=tuple(points))
    return found


def readings_page(
    episode: Episode,
    metric: str,
    now: datetime,
    page: int = 1,
    *,
    within: tuple[datetime, datetime] | None = None,
) -> ReadingsPage:
    """Readings of `metric`, newest first, PAGE_ROWS a page. An out-of-range page is the nearest one there is. `within`:
    only those measured from its first moment to before its second. Those dated ahead of the clock come first."""
    series = _series(episode, [metric])
    found = _readings(series)
    if within is not None:
        found = found.filter(at_ms__gte=_ms(within[0]), at_ms__lt=_ms(within[1]))
    total = found.count()
    pages = max(1, -(-total // PAGE_ROWS))
    page = min(max(page, 1), pages)
    part = found.order_by("-at_ms", "series_id", "value")[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    return ReadingsPage(tuple(_as_readings(part, series, episode, now)), total, page, pages)


def all_readings(episode: Episode, metric: str, now: datetime) -> list[Reading]:
    """Every reading of `metric`, oldest first, for an export."""
    series = _series(episode, [metric])
    return _as_readings(_readings(series).order_by("at_ms", "series_id", "value"), series, episode, now)


def _series(episode: Episode, metrics: Iterable[str] | None) -> dict[int, Series]:
    wanted = METRICS.keys() if metrics is None else list(metrics)
    rows = Series.objects.filter(patient_id=episode.patient_id, metric__in=wanted).usable_for(CARE).with_choice()
    return {row.pk: row for row in rows}


def _rows(series: Mapping[int, Series], from_ms: int, to_ms: int, known_at: datetime | None) -> np.ndarray:
    """(n, 3) float array of series id, at_ms, sent value."""
    within = {"series_id__in": series, "at_ms__gte": from_ms, "at_ms__lte": to_ms}
    found = list(Sample.objects.known_at(known_at).filter(**within).values_list("series_id", "at_ms", "value"))
    if known_at is not None:
        former = FormerSample.objects.filter(
            **within, batch__received_at__lte=known_at, ended_batch__received_at__gt=known_at
        )
        found += former.values_list("series_id", "at_ms", "value")
    return np.array(found, dtype=float).reshape(-1, 3)


def _wrong(
    series: Mapping[int, Series], from_ms: int, to_ms: int, end_ms: int, known_at: datetime | None
) -> dict[str, list[RejectedPoint]]:
    """Per metric, the readings whose mark stands (or stood at `known_at`), in time order."""
    marks = ReadingMark.objects.filter(series_id__in=series, at_ms__gte=from_ms, at_ms__lte=to_ms)
    if known_at is None:
        marks = marks.filter(undone_at__isnull=True)
    else:
        marks = marks.filter(Q(undone_at__isnull=True) | Q(undone_at__gt=known_at), marked_at__lte=known_at)
    found: dict[str, list[RejectedPoint]] = {}
    for mark in marks.order_by("at_ms"):
        own = series[mark.series_id]
        hour = (mark.at_ms + own.span_ms / 2 - end_ms) / MS_PER_HOUR
        point = RejectedPoint(hour, mark.value * own.scale + own.shift, mark.reason)
        found.setdefault(own.metric, []).append(point)
    return found


def _samples_by_metric(rows: np.ndarray, series: Mapping[int, Series], end_ms: int) -> dict[str, Samples]:
    """As the twin is fed: the time of a value that covers a period is its middle; one source is one device."""
    sources = sorted({row.source for row in series.values()})
    parts: dict[str, list[Samples]] = {}
    for pk in np.unique(rows[:, 0]).astype(int):
        own, mine = series[pk], rows[rows[:, 0] == pk]
        hours = (mine[:, 1] + own.span_ms / 2 - end_ms) / MS_PER_HOUR
        values = mine[:, 2] * own.scale + own.shift
        span = own.span_ms / MS_PER_HOUR
        found = Samples.of(hours, values, _tier(own.tier), sources.index(own.source), span)
        parts.setdefault(own.metric, []).append(found)
    joined = {metric: _joined(found) for metric, found in parts.items()}
    chosen = {row.metric: sources.index(row.source) for row in series.values() if getattr(row, "is_chosen", False)}
    return {
        metric: prefer(METRICS[metric], found, chosen[metric]) if metric in chosen else found
        for metric, found in joined.items()
    }


def _joined(parts: list[Samples]) -> Samples:
    columns = ("hours", "values", "tiers", "series", "span_hours")
    return Samples(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def _tier(name: str) -> int:
    return int(TIER_CODES.get(name, Tier.SELF_REPORT))


def _observed(metric: str, samples: Samples, until: float) -> Observed:
    found = measure(METRICS[metric], samples, until)
    hours, values = _thinned(found)
    return Observed(
        metric=metric,
        hours=hours,
        values=values,
        rejected=tuple(RejectedPoint(one.hour, one.value, one.reason) for one in found.rejected[-MAX_POINTS:]),
        worn_hours=found.worn_hours,
        incomplete_days=found.incomplete_days,
        readings=len(samples),
    )


def _thinned(found: Measured) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Middles of the measured periods and their values; beyond MAX_POINTS, medians of equally many neighbours."""
    at, value = (found.measurements.start + found.measurements.end) / 2.0, found.measurements.value
    size = -(-len(at) // MAX_POINTS) or 1
    if size > 1:
        at = np.array([np.median(at[i : i + size]) for i in range(0, len(at), size)])
        value = np.array([np.median(value[i : i + size]) for i in range(0, len(value), size)])
    return tuple(at.tolist()), tuple(value.tolist())


def _readings(series: Mapping[int, Series]) -> QuerySet[Sample]:
    """What stands, and what a person has marked as wrong or is dated ahead of the clock: that stays in sight."""
    told = Q(ended_batch__isnull=True) | Q(ended_batch__channel=MARK_CHANNEL)
    return Sample.objects.filter(told, series_id__in=series).select_related("batch")


def _as_readings(
    samples: Iterable[Sample], series: Mapping[int, Series], episode: Episode, now: datetime
) -> list[Reading]:
    names = dict(Device.objects.filter(patient_id=episode.patient_id).values_list("fhir_id", "name"))
    start = _ms(episode.surgery_end) if episode.surgery_end else 0
    return [_reading(sample, series[sample.series_id], names, start, _ms(now)) for sample in samples]


def _reading(sample: Sample, own: Series, names: Mapping[str, str], start_ms: int, now_ms: int) -> Reading:
    value = sample.value * own.scale + own.shift
    low, high = METRICS[own.metric].plausible
    name = ReadingId("r", sample.series_id, sample.at_ms, value_mark(sample.value, sample.digits))
    return Reading(
        at=datetime.fromtimestamp(sample.at_ms / 1000, UTC),
        hour=(sample.at_ms - start_ms) / MS_PER_HOUR,
        value=value,
        source=own.source,
        device=names.get(own.source.rpartition("/")[2], ""),
        tier=own.tier,
        received_at=sample.batch.received_at,
        refused="" if low <= value <= high else f"outside the plausible range {low:g} to {high:g}",
        is_wrong=sample.ended_batch_id is not None,
        id=encode(name),
        ahead_h=hours_ahead(sample.at_ms, now_ms),
    )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
