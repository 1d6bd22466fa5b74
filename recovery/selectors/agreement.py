"""Devices of some patients: how often their readings came twice, their firmware, and how far two of them agree.

Of the same patients and days as the completeness page, so that the numbers on it speak of one thing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from uuid import UUID

import numpy as np
from django.db.models import Count, F, FloatField, Sum
from django.db.models.functions import Cast, Floor
from numpy.typing import NDArray

from recovery.consent_rules import CARE
from recovery.models import Device, Repeated, Sample, Series
from recovery.selectors.sparks import MS_PER_HOUR
from recovery.twin.agreement import Agreement, agreement, matched
from recovery.twin.metrics import METRICS

MINUTE_MS = 60_000
MOST_READINGS = 1_500
"""Of each source of a patient, the newest of the hours in which both measured: a page must stay quick."""
TRUST = {"implant": 0, "cleared": 1, "consumer": 2, "self_report": 3}


@dataclass(frozen=True, slots=True)
class SourceKind:
    """Sources of one make, tier and firmware. name, version: blank where nobody said. repeated: readings of all
    measures that came again in these days and were dropped; brought_by: the connections or channels that did."""

    name: str
    tier: str
    version: str
    patients: int
    repeated: int
    brought_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """`one` against `other`, the more trusted: differences are one - other. pairs: found, also where too few to say."""

    one: str
    other: str
    patients: int
    pairs: int
    found: Agreement | None


@dataclass(frozen=True, slots=True)
class DeviceQuality:
    kinds: tuple[SourceKind, ...]
    compared: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    tier: str
    version: str = ""


def device_quality(episodes: Sequence[UUID], metric: str, since: datetime, now: datetime) -> DeviceQuality:
    """`episodes`: keys of operations that this person may see; seven queries, however many."""
    devices = _devices(episodes)
    series = list(Series.objects.filter(patient__episodes__key__in=episodes).usable_for(CARE).distinct())
    return DeviceQuality(_kinds(devices, series, since), _compared(devices, series, metric, since, now))


def _devices(episodes: Sequence[UUID]) -> dict[tuple[int, str], _Kind]:
    """(patient row id, source as in Series.source) -> what it is."""
    rows = Device.objects.filter(patient__episodes__key__in=episodes).distinct()
    said = rows.values_list("patient_id", "fhir_id", "manufacturer", "name", "tier", "version")
    return {
        (patient, f"Device/{key}"): _Kind(" ".join(filter(None, (maker, name))) or "unnamed device", tier, version)
        for patient, key, maker, name, tier, version in said
    }


def _kind(devices: Mapping[tuple[int, str], _Kind], series: Series) -> _Kind:
    """What is not registered goes by its tier, not by an id that says nothing to anybody."""
    return devices.get((series.patient_id, series.source)) or _Kind("", series.tier)


def _kinds(
    devices: Mapping[tuple[int, str], _Kind], series: Sequence[Series], since: datetime
) -> tuple[SourceKind, ...]:
    patients: defaultdict[_Kind, set[int]] = defaultdict(set)
    for (patient, _source), kind in devices.items():
        patients[kind].add(patient)
    of = {row.pk: _kind(devices, row) for row in series}
    for row in series:
        patients[of[row.pk]].add(row.patient_id)
    repeated: Counter[_Kind] = Counter()
    brought: defaultdict[_Kind, set[str]] = defaultdict(set)
    for key, name, channel, count in _repeats(of, since):
        repeated[of[key]] += count
        brought[of[key]].add(name or channel)
    found = (
        SourceKind(kind.name, kind.tier, kind.version, len(held), repeated[kind], tuple(sorted(brought[kind])))
        for kind, held in patients.items()
    )
    return tuple(sorted(found, key=lambda one: (-one.repeated, -one.patients, not one.name, one.name, one.version)))


def _repeats(series: Iterable[int], since: datetime) -> Iterable[tuple[int, str | None, str, int]]:
    rows = Repeated.objects.filter(series_id__in=list(series), batch__received_at__gte=since)
    grouped = rows.values("series_id", "batch__connection__name", "batch__channel").annotate(n=Sum("readings"))
    return grouped.values_list("series_id", "batch__connection__name", "batch__channel", "n").order_by()


def _compared(
    devices: Mapping[tuple[int, str], _Kind], series: Sequence[Series], metric: str, since: datetime, now: datetime
) -> tuple[Compared, ...]:
    sources: defaultdict[int, defaultdict[str, list[Series]]] = defaultdict(lambda: defaultdict(list))
    for row in series:
        if row.metric == metric:
            sources[row.patient_id][row.source].append(row)
    pairs = [
        sorted((mine[first], mine[second]), key=lambda rows: _trust(_kind(devices, rows[0])))
        for mine in sources.values()
        for first, second in combinations(sorted(mine), 2)
    ]
    readings = _readings(pairs, metric, since, now)
    found: defaultdict[tuple[str, str], list[NDArray[np.float64]]] = defaultdict(list)
    for other, one in pairs:
        names = _name(_kind(devices, one[0])), _name(_kind(devices, other[0]))
        found[names].append(_differences(one, other, readings))
    return tuple(_compared_kinds(names, parts) for names, parts in sorted(found.items()))


def _trust(kind: _Kind) -> tuple[int, str]:
    return TRUST[kind.tier], kind.name


def _name(kind: _Kind) -> str:
    return kind.name or kind.tier


def _compared_kinds(names: tuple[str, str], parts: Sequence[NDArray[np.float64]]) -> Compared:
    whole = np.concatenate(parts)
    return Compared(*names, sum(bool(part.size) for part in parts), int(whole.size), agreement(whole))


def _readings(
    pairs: Sequence[Sequence[Sequence[Series]]], metric: str, since: datetime, now: datetime
) -> dict[int, NDArray[np.float64]]:
    """series row id -> (time in ms, value in the metric's unit), ascending, of the hours in which both of a pair
    measured; what is implausible, taken back or marked as wrong is left out."""
    rows = {row.pk: row for pair in pairs for side in pair for row in side}
    if not rows:
        return {}
    span = {"series_id__in": list(rows), "at_ms__gte": _ms(since), "at_ms__lte": _ms(now)}
    hour = Floor(Cast(F("at_ms"), FloatField()) / float(MS_PER_HOUR))
    known = Sample.objects.known_at(None).filter(**span).annotate(hour=hour)
    counts: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for key, at, n in (
        known.values("series_id", "hour").annotate(n=Count("value")).values_list("series_id", "hour", "n")
    ):
        counts[key][int(at)] = n
    wanted = set[int]().union(*(_hours_of_both(one, other, counts) for other, one in pairs))
    low, high = METRICS[metric].plausible
    found: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for key, at_ms, value in known.filter(hour__in=sorted(wanted)).values_list("series_id", "at_ms", "value"):
        canonical = value * rows[key].scale + rows[key].shift
        if low <= canonical <= high:
            found[key].append((at_ms, canonical))
    return {key: np.array(sorted(said), dtype=np.float64) for key, said in found.items()}


def _hours_of_both(one: Sequence[Series], other: Sequence[Series], counts: Mapping[int, Mapping[int, int]]) -> set[int]:
    """The newest clock hours in which both measured, while neither brings more than MOST_READINGS."""
    sides = [Counter[int](), Counter[int]()]
    for side, rows in zip(sides, (one, other), strict=True):
        for row in rows:
            side.update(counts.get(row.pk, {}))
    chosen: set[int] = set()
    brought = [0, 0]
    for hour in sorted(sides[0].keys() & sides[1].keys(), reverse=True):
        brought = [total + side[hour] for total, side in zip(brought, sides, strict=True)]
        if chosen and max(brought) > MOST_READINGS:
            break
        chosen.add(hour)
    return chosen


def _differences(
    one: Sequence[Series], other: Sequence[Series], readings: Mapping[int, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """one - other, of readings of a moment within a minute of each other, and of those that cover an hour or more
    within an hour. What covers different spans is never compared."""
    parts = [np.zeros(0)]
    for span in {row.span_ms for row in one} & {row.span_ms for row in other}:
        mine, theirs = (_together(rows, span, readings) for rows in (one, other))
        within = MS_PER_HOUR if span >= MS_PER_HOUR else MINUTE_MS
        here, there = matched(mine[:, 0].astype(np.int64), theirs[:, 0].astype(np.int64), within)
        parts.append(mine[here, 1] - theirs[there, 1])
    return np.concatenate(parts)


def _together(rows: Sequence[Series], span: int, readings: Mapping[int, NDArray[np.float64]]) -> NDArray[np.float64]:
    parts = [readings[row.pk] for row in rows if row.span_ms == span and row.pk in readings]
    whole = np.concatenate([np.zeros((0, 2)), *parts])
    return whole[np.argsort(whole[:, 0], kind="stable")]


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
