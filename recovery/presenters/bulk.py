"""Several alerts to be answered together, grouped by cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.alerts import SEVERITIES, STATUSES
from recovery.selectors.alerts import AlertSeen
from recovery.selectors.bulk import Chosen


@dataclass(frozen=True, slots=True)
class BulkLine:
    mark: str  # key.version: what the person saw
    patient: str
    severity_key: str
    severity_word: str
    headline: str
    status: str


@dataclass(frozen=True, slots=True)
class BulkView:
    groups: tuple[tuple[str, tuple[BulkLine, ...]], ...]
    total: int


def bulk_view(chosen: Sequence[Chosen], now: datetime, zone: ZoneInfo) -> BulkView:
    groups = groupby(chosen, key=lambda one: one.alert.headline)
    return BulkView(tuple((title, tuple(_line(one, now) for one in found)) for title, found in groups), len(chosen))


def _line(one: Chosen, now: datetime) -> BulkLine:
    alert: AlertSeen = one.alert
    return BulkLine(
        mark=f"{alert.key}.{alert.version}",
        patient=one.patient,
        severity_key=alert.severity,
        severity_word=SEVERITIES.get(alert.severity, alert.severity),
        headline=alert.headline,
        status=f"{alert.owner or STATUSES.get(alert.status, alert.status)}, {wording.age_of(alert.raised_at, now)}",
    )
