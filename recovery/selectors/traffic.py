"""How much came in and went out, when last, and what went wrong: figures for the status page, without patients."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import TruncHour

from recovery.models import AuditEvent, Batch, Card, Connection, Export, Hl7Message, UnmappedCode

HOURS = 24
WRONG = ("refused", "failed", "denied")
Hours = tuple[int, ...]  # of the last 24 h, the oldest first
_OPEN = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Failure:
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class SystemSeen:
    """A connected system. `delivered`: deliveries by hour."""

    row_id: int
    name: str
    kind: str
    expires_at: datetime | None
    last_used_at: datetime | None
    last_delivery_at: datetime | None
    failure: Failure | None
    failures: int
    delivered: Hours


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """Deliveries of no connected system: imports, wearables, the product itself."""

    name: str
    last_at: datetime
    delivered: Hours


@dataclass(frozen=True, slots=True)
class LettersSeen:
    """HL7 v2 messages. `dead`: refused, and nobody has dealt with them."""

    known: int
    last_taken_at: datetime | None
    failure: Failure | None
    dead: int
    oldest_dead_at: datetime | None
    taken: Hours


@dataclass(frozen=True, slots=True)
class ExportsSeen:
    open: int
    oldest_open_at: datetime | None
    last_done_at: datetime | None
    failure: Failure | None
    asked: Hours


@dataclass(frozen=True, slots=True)
class CardsSeen:
    known: int
    last_at: datetime | None
    shown: Hours


def systems(now: datetime) -> list[SystemSeen]:
    """Connected systems that are not revoked, by name."""
    rows = Connection.objects.filter(revoked_at__isnull=True).order_by("name")
    since = _since(now)
    delivered = _by_hour(Batch.objects.filter(received_at__gte=since), "received_at", now, "connection_id")
    last = dict(Batch.objects.exclude(connection=None).values_list("connection_id").annotate(Max("received_at")))
    wrong = AuditEvent.objects.filter(at__gte=since, actor_kind="connection", outcome__in=WRONG)
    counts = {
        row: (number, newest) for row, number, newest in wrong.values_list("actor_id").annotate(Count("id"), Max("id"))
    }
    newest = AuditEvent.objects.in_bulk([one for _, one in counts.values()])
    return [
        SystemSeen(
            row.pk,
            row.name,
            row.kind,
            row.expires_at,
            row.last_used_at,
            last.get(row.pk),
            _failure(newest[counts[row.pk][1]]) if row.pk in counts else None,
            counts[row.pk][0] if row.pk in counts else 0,
            delivered.get(row.pk, (0,) * HOURS),
        )
        for row in rows
    ]


def _failure(row: AuditEvent) -> Failure:
    status = f" ({row.detail['status']})" if "status" in row.detail else ""
    kind = row.entity.partition("/")[0]
    return Failure(row.at, f"{row.action} {kind} was {row.outcome}{status}")


def channels(now: datetime) -> list[ChannelSeen]:
    """Ways in that no connected system used, with anything in the last week."""
    rows = Batch.objects.filter(connection=None, received_at__gte=now - timedelta(days=7)).exclude(channel="hl7v2")
    last = dict(rows.values_list("channel").annotate(Max("received_at")))
    hours = _by_hour(rows.filter(received_at__gte=_since(now)), "received_at", now, "channel")
    return [ChannelSeen(name, at, hours.get(name, (0,) * HOURS)) for name, at in sorted(last.items())]


def letters(now: datetime) -> LettersSeen:
    rows = Hl7Message.objects.all()
    dead = rows.filter(settled_at__isnull=True).exclude(answer="AA")
    taken = rows.filter(answer="AA")
    newest = rows.exclude(answer="AA").order_by("-last_at").first()
    oldest = dead.aggregate(n=Count("pk"), at=Min("received_at"))
    return LettersSeen(
        rows.count(),
        taken.aggregate(at=Max("last_at"))["at"],
        Failure(newest.last_at, f"{newest.answer} {newest.place}: {newest.reason}") if newest else None,
        oldest["n"],
        oldest["at"],
        _all_hours(taken.filter(last_at__gte=_since(now)), "last_at", now),
    )


def exports(now: datetime) -> ExportsSeen:
    rows = Export.objects.all()
    waiting = rows.filter(status__in=_OPEN).aggregate(n=Count("pk"), at=Min("created_at"))
    failed = rows.filter(status="failed").order_by("-ended_at").first()
    return ExportsSeen(
        waiting["n"],
        waiting["at"],
        rows.filter(progress=100).aggregate(at=Max("ended_at"))["at"],
        Failure(failed.ended_at or failed.created_at, failed.words) if failed else None,
        _all_hours(rows.filter(created_at__gte=_since(now)), "created_at", now),
    )


def cards(now: datetime) -> CardsSeen:
    rows = Card.objects.all()
    said = rows.aggregate(n=Count("pk"), at=Max("shown_at"))
    return CardsSeen(said["n"], said["at"], _all_hours(rows.filter(shown_at__gte=_since(now)), "shown_at", now))


def unmapped_codes() -> int:
    return UnmappedCode.objects.filter(~Q(readings=0)).count()


def clock_offset(now: datetime) -> float | None:
    """Seconds by which the database's clock is ahead of ours; None where there is one clock (SQLite)."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [said] = cursor.fetchone()
    return float((said - now).total_seconds())


def _since(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)


def _by_hour(rows: Any, column: str, now: datetime, key: str) -> Mapping[Any, Hours]:
    counted = rows.annotate(hour=TruncHour(column)).values_list(key, "hour").annotate(number=Count("pk"))
    found: dict[Any, list[int]] = {}
    for name, hour, number in counted:
        place = int((hour - _since(now)).total_seconds() // 3600)
        if 0 <= place < HOURS:
            found.setdefault(name, [0] * HOURS)[place] += number
    return {name: tuple(hours) for name, hours in found.items()}


def _all_hours(rows: Any, column: str, now: datetime) -> Hours:
    counted = rows.annotate(hour=TruncHour(column)).values_list("hour").annotate(number=Count("pk"))
    return _laid_out(((hour, number) for hour, number in counted), now)


def _laid_out(counted: Iterable[tuple[datetime, int]], now: datetime) -> Hours:
    hours = [0] * HOURS
    for hour, number in counted:
        place = int((hour - _since(now)).total_seconds() // 3600)
        if 0 <= place < HOURS:
            hours[place] += number
    return tuple(hours)
