"""How complete a measure's readings are: patients x days, what was refused, and what came late.

Counted from the readings themselves, so that the totals are those of the store. Days are those of the hospital.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, FloatField, Max, Min, Q, Sum
from django.db.models.functions import Cast, Floor

from recovery.consent_rules import CARE
from recovery.models import Batch, Episode, Sample, Series, User
from recovery.permissions import visible_episodes
from recovery.selectors.device_clocks import ClockOff, clocks_off
from recovery.selectors.people import Person, person_of
from recovery.selectors.sparks import MS_PER_HOUR
from recovery.twin.clocks import AHEAD_MS
from recovery.twin.metrics import METRICS, WORN_HOURS_FOR_A_DAY

DAYS = 14
PATIENTS_A_PAGE = 25
RECEIVED, PARTIAL, REFUSED, MISSING, NOT_EXPECTED, WITHDRAWN = (
    "received",
    "partial",
    "refused",
    "missing",
    "not_expected",
    "withdrawn",
)
LATE_EDGES_H = (1, 6, 24, 72)
"""Ends of the bars of the arrivals: within 1 h, 6 h, 24 h, 72 h, later."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One patient's day of the measure. hours: of the day with a reading, at most 24; readings: all; refused: of them
    outside the plausible range."""

    state: str
    hours: int
    readings: int
    refused: int


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Readings dated ahead of the clock (twin.clocks), and the furthest time they claim."""

    readings: int
    until: datetime


@dataclass(frozen=True, slots=True)
class PatientDays:
    """`held_out`: None where no reading is dated ahead."""

    key: UUID
    person: Person
    cells: tuple[Cell, ...]
    newest: datetime | None
    sources: tuple[str, ...]
    held_out: HeldOut | None = None
    clocks: tuple[ClockOff, ...] = ()


@dataclass(frozen=True, slots=True)
class Completeness:
    """days: first moments of the columns. arrivals: readings by how long after their time they arrived, one count per
    LATE_EDGES_H and one for later. ahead: readings whose time lies more than 5 min after their arrival."""

    metric: str
    days: tuple[datetime, ...]
    rows: tuple[PatientDays, ...]
    readings: int
    refused: int
    ended: int
    arrivals: tuple[int, ...]
    ahead: int
    page: int
    pages: int
    patients: int


@dataclass(frozen=True, slots=True)
class _Hour:
    """Readings of one series that begin within one clock hour (since 1970) and came with one delivery; each stands for
    `span_h` hours, 0 for an instant. `total`: their sum as sent."""

    series: int
    hour: int
    batch: int
    readings: int
    refused: int
    last_ms: int
    first_ms: int
    span_h: float
    total: float


def completeness(user: User, now: datetime, zone: ZoneInfo, metric: str, page: int = 1) -> Completeness:
    """Of the patients followed by this person's teams, by name. `metric`: a key of METRICS."""
    days = _days(now, zone)
    followed = visible_episodes(user, now).filter(status=Episode.Status.ACTIVE).select_related("patient")
    total = followed.count()
    pages = max(1, -(-total // PATIENTS_A_PAGE))
    page = min(max(page, 1), pages)
    order = ("patient__family_name", "patient__given_name", "pk")
    part = list(followed.order_by(*order)[(page - 1) * PATIENTS_A_PAGE : page * PATIENTS_A_PAGE])
    patients = {one.patient_id for one in part}
    usable = _series(patients, metric)
    sealed = set(
        Series.objects.filter(patient_id__in=patients, metric=metric).sealed(CARE).values_list("patient_id", flat=True)
    )
    found = _hours(usable, metric, days[0], now)
    received = Batch.objects.in_bulk({one.batch for one in found})
    came = {pk: batch.received_at for pk, batch in received.items()}
    arrivals, ahead = _arrivals(found, came)
    clocks = clocks_off(found, usable, came, metric, now, zone)
    by_patient, held_out = _by_patient(found, usable), _held_out(usable, now)
    return Completeness(
        metric=metric,
        days=days,
        rows=tuple(
            replace(
                _row(one, by_patient.get(one.patient_id, ()), sealed, usable, days, now, metric),
                held_out=held_out.get(one.patient_id),
                clocks=clocks.get(one.patient_id, ()),
            )
            for one in part
        ),
        readings=sum(one.readings for one in found),
        refused=sum(one.refused for one in found),
        ended=_ended(usable, days[0], now),
        arrivals=arrivals,
        ahead=ahead,
        page=page,
        pages=pages,
        patients=total,
    )


def _days(now: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """First moments of the last days, today's last; a day of a clock change is 23 or 25 hours long."""
    today = now.astimezone(zone).date()
    return tuple(datetime.combine(today - timedelta(days=back), time(), zone) for back in range(DAYS - 1, -1, -1))


def _series(patients: Iterable[int], metric: str) -> dict[int, Series]:
    rows = Series.objects.filter(patient_id__in=patients, metric=metric).usable_for(CARE)
    return {row.pk: row for row in rows}


def _hours(series: Mapping[int, Series], metric: str, since: datetime, now: datetime) -> list[_Hour]:
    rows = (
        Sample.objects.known_at(None)
        .filter(series_id__in=series, at_ms__gte=_ms(since), at_ms__lt=_ms(now))
        .annotate(hour=Floor(Cast(F("at_ms"), FloatField()) / float(MS_PER_HOUR)))
        .values("series_id", "hour", "batch_id")
        .annotate(
            n=Count("value"),
            bad=Count("value", filter=_implausible(series, metric)),
            last=Max("at_ms"),
            first=Min("at_ms"),
            total=Sum("value"),
        )
        .values_list("series_id", "hour", "batch_id", "n", "bad", "last", "first", "total")
    )
    spans = {key: row.span_ms / MS_PER_HOUR for key, row in series.items()}
    return [
        _Hour(key, int(hour), batch, n, bad, last, first, spans[key], total)
        for key, hour, batch, n, bad, last, first, total in rows
    ]


def _implausible(series: Mapping[int, Series], metric: str) -> Q:
    """Outside the metric's plausible range, in the unit that each kind of series is sent in."""
    low, high = METRICS[metric].plausible
    kinds: dict[tuple[float, float], list[int]] = {}
    for key, row in series.items():
        kinds.setdefault((row.scale, row.shift), []).append(key)
    found = Q(pk__in=[]) if not kinds else Q()
    for (scale, shift), keys in kinds.items():
        ends = sorted(((low - shift) / scale, (high - shift) / scale))
        found |= Q(series_id__in=keys) & (Q(value__lt=ends[0]) | Q(value__gt=ends[1]))
    return found


def _held_out(series: Mapping[int, Series], now: datetime) -> dict[int, HeldOut]:
    """Per patient row id, what is dated further ahead than clocks may differ."""
    ahead = Sample.objects.known_at(None).filter(series_id__in=series, at_ms__gt=_ms(now) + AHEAD_MS)
    found: dict[int, HeldOut] = {}
    for key, n, last in (
        ahead.values("series_id").annotate(n=Count("value"), last=Max("at_ms")).values_list("series_id", "n", "last")
    ):
        patient, until = series[key].patient_id, datetime.fromtimestamp(last / 1000.0, tz=now.tzinfo)
        other = found.get(patient, HeldOut(0, until))
        found[patient] = HeldOut(other.readings + n, max(other.until, until))
    return found


def _ended(series: Mapping[int, Series], since: datetime, now: datetime) -> int:
    """Readings of these days that were taken back, corrected or marked as wrong."""
    within = {"series_id__in": series, "at_ms__gte": _ms(since), "at_ms__lte": _ms(now)}
    return int(Sample.objects.filter(**within, ended_batch__isnull=False).count())


def _arrivals(found: Sequence[_Hour], received: Mapping[int, datetime]) -> tuple[tuple[int, ...], int]:
    counts, ahead = [0] * (len(LATE_EDGES_H) + 1), 0
    for one in found:
        late_h = (_ms(received[one.batch]) - one.last_ms) / MS_PER_HOUR
        counts[sum(late_h > edge for edge in LATE_EDGES_H)] += one.readings
        ahead += one.readings if late_h < -5 / 60 else 0
    return tuple(counts), ahead


def _by_patient(found: Iterable[_Hour], series: Mapping[int, Series]) -> dict[int, list[_Hour]]:
    rows: dict[int, list[_Hour]] = {}
    for one in found:
        rows.setdefault(series[one.series].patient_id, []).append(one)
    return rows


def _row(
    episode: Episode,
    mine: Sequence[_Hour],
    sealed: set[int],
    series: Mapping[int, Series],
    days: Sequence[datetime],
    now: datetime,
    metric: str,
) -> PatientDays:
    first = min((one.hour for one in mine), default=None)
    withdrawn = episode.patient_id in sealed and not mine
    edges = [_ms(one) for one in (*days, now)]
    cells = tuple(
        _cell(here, start, end, first, withdrawn, metric)
        for here, start, end in zip(_by_day(mine, edges), days, [*days[1:], now], strict=True)
    )
    if cells[-1].state == MISSING and now - days[-1] < _arrives_after(mine):
        cells = (*cells[:-1], replace(cells[-1], state=NOT_EXPECTED))
    last = max((one.last_ms for one in mine), default=None)
    sources = sorted({series[one.series].source for one in mine if series[one.series].source})
    return PatientDays(
        episode.key,
        person_of(episode.patient),
        cells,
        None if last is None else datetime.fromtimestamp(last / 1000.0, tz=now.tzinfo),
        tuple(sources),
    )


def _arrives_after(mine: Iterable[_Hour]) -> timedelta:
    """How long after midnight the first reading of a day can be here: its own length, as this patient's readings are,
    at least an hour, and an hour for its way (the first of LATE_EDGES_H)."""
    return timedelta(hours=LATE_EDGES_H[0] + max((one.span_h for one in mine if one.span_h > 1.0), default=1.0))


def _by_day(mine: Iterable[_Hour], edges: Sequence[int]) -> list[list[_Hour]]:
    """A reading belongs to the day in which its clock hour begins, as `first_ms` says at the edge of a day. Day i runs
    from `edges[i]` to before `edges[i + 1]`."""
    days: list[list[_Hour]] = [[] for _ in edges[1:]]
    for one in mine:
        day = bisect_right(edges, one.first_ms) - 1
        if 0 <= day < len(days):
            days[day].append(one)
    return days


def _cell(
    here: Sequence[_Hour], start: datetime, end: datetime, first: int | None, withdrawn: bool, metric: str
) -> Cell:
    readings, refused = sum(one.readings for one in here), sum(one.refused for one in here)
    covered = {one.hour: max(one.span_h, 1.0) for one in here if one.readings > one.refused}
    hours = min(round(sum(covered.values())), 24)
    return Cell(_state(readings, refused, hours, start, end, first, withdrawn, metric), hours, readings, refused)


def _state(
    readings: int,
    refused: int,
    hours: int,
    start: datetime,
    end: datetime,
    first: int | None,
    withdrawn: bool,
    metric: str,
) -> str:
    if withdrawn:
        return WITHDRAWN
    if readings and refused == readings:
        return REFUSED
    if readings:
        whole = METRICS[metric].grain == "report" or hours >= _wanted(start, end)
        return RECEIVED if whole else PARTIAL
    expected = first is not None and METRICS[metric].grain != "report" and _ms(end) > first * MS_PER_HOUR
    return MISSING if expected else NOT_EXPECTED


def _wanted(start: datetime, end: datetime) -> float:
    """Hours for a whole day (design section 10); of the day that is still running its share."""
    length = (end - start) / timedelta(hours=1)
    return min(float(WORN_HOURS_FOR_A_DAY), length * WORN_HOURS_FOR_A_DAY / 24.0)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
