"""Devices whose clock looks wrong, from when their readings arrive and at which hours day and night come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from recovery.models import Device, Series
from recovery.selectors.sparks import MS_PER_HOUR
from recovery.twin.clocks import ahead_by, phase_off
from recovery.twin.metrics import METRICS

DAY_AND_NIGHT = ("heart_rate", "steps")
"""Measures that tell day from night in one person's week."""
PHASE_DAYS = 7


class Sent(Protocol):
    """Readings of one series in one clock hour (since 1970) of one delivery; each stands for `span_h` hours from its
    time on, `total` is their sum as sent."""

    @property
    def series(self) -> int: ...
    @property
    def hour(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def readings(self) -> int: ...
    @property
    def last_ms(self) -> int: ...
    @property
    def span_h(self) -> float: ...
    @property
    def total(self) -> float: ...


@dataclass(frozen=True, slots=True)
class ClockOff:
    """A device whose clock looks wrong by so many hours (positive: ahead, or day and night come late). `evidence`:
    "arrival" (readings come before their time) or "phase"."""

    device: str
    hours: float
    evidence: str


def clocks_off(
    found: Sequence[Sent],
    series: Mapping[int, Series],
    received: Mapping[int, datetime],
    metric: str,
    now: datetime,
    zone: ZoneInfo,
) -> dict[int, tuple[ClockOff, ...]]:
    """Per patient row id, the devices whose clock looks wrong by what they sent of this measure."""
    by_device: dict[tuple[int, str], list[Sent]] = {}
    for one in found:
        own = series[one.series]
        if own.source.startswith("Device/"):
            by_device.setdefault((own.patient_id, own.source), []).append(one)
    judged = {key: _judged(hours, received, metric, now, zone) for key, hours in by_device.items()}
    wrong = {key: verdict for key, verdict in judged.items() if verdict is not None}
    ids = {source.removeprefix("Device/") for _, source in wrong}
    names = dict(Device.objects.filter(fhir_id__in=ids).values_list("fhir_id", "name")) if ids else {}
    told: dict[int, tuple[ClockOff, ...]] = {}
    for (patient, source), (hours, evidence) in sorted(wrong.items()):
        name = names.get(source.removeprefix("Device/")) or source
        told[patient] = (*told.get(patient, ()), ClockOff(name, hours, evidence))
    return told


def _judged(
    mine: Sequence[Sent], received: Mapping[int, datetime], metric: str, now: datetime, zone: ZoneInfo
) -> tuple[float, str] | None:
    newest: dict[int, float] = {}
    for one in mine:
        newest[one.batch] = max(newest.get(one.batch, 0.0), one.last_ms + one.span_h * MS_PER_HOUR)
    in_order = sorted(newest, key=lambda batch: (received[batch], batch))
    ahead = ahead_by([(_ms(received[batch]) - newest[batch]) / MS_PER_HOUR for batch in in_order])
    if ahead is not None:
        return ahead, "arrival"
    off = _phase(mine, metric, now, zone) if metric in DAY_AND_NIGHT else None
    return None if off is None else (off, "phase")


def _phase(mine: Sequence[Sent], metric: str, now: datetime, zone: ZoneInfo) -> float | None:
    """From the hours of the last PHASE_DAYS; totals of more than an hour have no hour."""
    since = _ms(now) / MS_PER_HOUR - 24 * PHASE_DAYS
    local = (now.astimezone(zone).utcoffset() or timedelta()) / timedelta(hours=1)
    sums: dict[int, list[float]] = {}
    for one in mine:
        if one.hour >= since and one.span_h <= 1.0:
            n, total = sums.setdefault(one.hour, [0.0, 0.0])
            sums[one.hour] = [n + one.readings, total + one.total]
    is_count = METRICS[metric].grain == "day"
    hours = sorted(sums)
    values = [sums[hour][1] if is_count else sums[hour][1] / sums[hour][0] for hour in hours]
    return phase_off([hour + 0.5 + local for hour in hours], values)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
