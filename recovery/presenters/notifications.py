"""A person's notifications, ready to print."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from recovery.presenters import wording
from recovery.presenters.alerts import SEVERITIES, STATUSES
from recovery.selectors.notifications import Told

REASONS = {
    "raised": "New alert",
    "graver": "Became graver",
    "again": "Open again",
    "assigned": "Given to you",
    "escalated": "Nobody has taken it",
}


@dataclass(frozen=True, slots=True)
class ToldLine:
    key: UUID
    severity: str
    severity_word: str
    reason: str
    headline: str
    patient: str
    label: str
    when: str
    age: str
    status: str
    is_new: bool


def told_lines(rows: tuple[Told, ...], now: datetime, zone: ZoneInfo) -> tuple[ToldLine, ...]:
    return tuple(
        ToldLine(
            key=one.alert_key,
            severity=one.severity,
            severity_word=SEVERITIES.get(one.severity, one.severity),
            reason=REASONS.get(one.reason, one.reason),
            headline=one.headline,
            patient=one.patient,
            label="synthetic patient" if one.is_synthetic else "",
            when=wording.clock(one.at, zone),
            age=wording.age_of(one.at, now),
            status=STATUSES.get(one.status, one.status) if one.status != "open" else "Open",
            is_new=one.read_at is None,
        )
        for one in rows
    )
