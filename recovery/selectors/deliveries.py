"""Subscriptions and what is owed to them, as the doors, the workers and the status page read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from django.db.models import Count, Min, Q

from recovery.models import ChangeEvent, Subscription, SubscriptionEvent

Badge = Literal["green", "amber", "red"]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened: a version of a resource, or (`topic`) what a topic tells."""

    row_id: int
    at: datetime
    type: str
    fhir_id: str
    version: int
    patient_id: int | None
    topic: str


@dataclass(frozen=True, slots=True)
class Told:
    """One event of one subscription."""

    number: int
    at: datetime
    type: str
    fhir_id: str
    version: int
    patient_id: int | None
    attempts: int
    status: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """One subscription as it is served. `headers`: sealed. `scopes`: of the connected system that it belongs to, as
    they are now; None when that has been revoked, or was never there."""

    row_id: int
    fhir_id: str
    topic: str
    type: str
    criteria: str
    base: str
    endpoint: str
    payload: str
    content: str
    headers: str
    timeout_s: int | None
    most_events: int
    heartbeat_s: int | None
    status: str
    error: str
    changed_at: datetime
    numbered: int
    owner: str
    scopes: str | None
    scopes_until: datetime | None


@dataclass(frozen=True, slots=True)
class SubscriptionHealth:
    """How one subscription fares. `where`: host of its endpoint (the path may hold a secret). `red`: a person is
    needed, since events were given up or it stopped; amber: it is being tried again."""

    fhir_id: str
    owner: str
    about: str
    where: str
    status: str
    error: str
    since: datetime
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_failure: str
    waiting: int
    oldest_waiting_at: datetime | None
    dead: int
    next_try_at: datetime | None
    badge: Badge

    @property
    def red(self) -> bool:
        return self.badge == "red"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up. It names a version of a resource and holds none of it."""

    subscription: str
    number: int
    at: datetime
    type: str
    fhir_id: str
    version: int
    patient_id: int | None
    attempts: int
    cause: str


@dataclass(frozen=True, slots=True)
class DeliveriesOverview:
    """All of them together, for one card of the status page."""

    subscriptions: int
    active: int
    in_error: int
    waiting: int
    oldest_waiting_at: datetime | None
    dead: int
    unmatched: int
    oldest_unmatched_at: datetime | None

    @property
    def red(self) -> bool:
        return bool(self.dead or self.in_error)


def subscriptions_health(*, now: datetime) -> list[SubscriptionHealth]:
    """Every subscription, those that need a person first."""
    waits = Q(events__status="waiting")
    rows = Subscription.objects.select_related("connection").annotate(
        waiting=Count("events", filter=waits),
        oldest=Min("events__at", filter=waits),
        dead=Count("events", filter=Q(events__status="dead")),
    )
    order = {"red": 0, "amber": 1, "green": 2}
    return sorted((_health(row, now) for row in rows.order_by("pk")), key=lambda one: order[one.badge])


def _health(row: Any, now: datetime) -> SubscriptionHealth:
    badge: Badge = "green"
    if row.status == Subscription.Status.ERROR or row.dead:
        badge = "red"
    elif row.failures:
        badge = "amber"
    is_served = row.status in (Subscription.Status.REQUESTED, Subscription.Status.ACTIVE)
    return SubscriptionHealth(
        fhir_id=row.fhir_id,
        owner=row.connection.name if row.connection else "",
        about=row.topic or row.criteria,
        where=urlsplit(row.endpoint).hostname or "",
        status=row.status,
        error=row.error,
        since=row.changed_at,
        last_success_at=row.last_success_at,
        last_failure_at=row.last_failure_at,
        last_failure=row.last_failure,
        waiting=row.waiting,
        oldest_waiting_at=row.oldest,
        dead=row.dead,
        next_try_at=row.not_before if is_served and row.not_before and row.not_before > now else None,
        badge=badge,
    )


def overview() -> DeliveriesOverview:
    rows = dict(Subscription.objects.values_list("status").annotate(Count("pk")))
    waits = SubscriptionEvent.objects.filter(status="waiting").aggregate(n=Count("pk"), oldest=Min("at"))
    fresh = ChangeEvent.objects.aggregate(n=Count("pk"), oldest=Min("at"))
    return DeliveriesOverview(
        subscriptions=sum(rows.values()),
        active=rows.get("active", 0),
        in_error=rows.get("error", 0),
        waiting=waits["n"],
        oldest_waiting_at=waits["oldest"],
        dead=SubscriptionEvent.objects.filter(status="dead").count(),
        unmatched=fresh["n"],
        oldest_unmatched_at=fresh["oldest"],
    )


def dead_letters(*, subscription: str | None = None, limit: int = 100, after: int = 0) -> list[DeadLetter]:
    """What was given up, oldest first; of one subscription beyond event number `after`, or of all."""
    rows = SubscriptionEvent.objects.filter(status="dead").select_related("subscription")
    if subscription is not None:
        rows = rows.filter(subscription__fhir_id=subscription, number__gt=after)
    return [
        DeadLetter(
            row.subscription.fhir_id,
            row.number,
            row.at,
            row.type,
            row.fhir_id,
            row.version,
            row.patient_id,
            row.attempts,
            row.cause,
        )
        for row in rows.order_by("subscription_id", "number")[:limit]
    ]


def receiver(fhir_id: str) -> Receiver | None:
    row = Subscription.objects.select_related("connection").filter(fhir_id=fhir_id).first()
    return receiver_of(row) if row else None


def receivers(*, statuses: Sequence[str] = ()) -> list[Receiver]:
    rows = Subscription.objects.select_related("connection").order_by("pk")
    return [receiver_of(row) for row in (rows.filter(status__in=statuses) if statuses else rows)]


def events_of(fhir_id: str, *, since: int, until: int | None, limit: int) -> list[Told]:
    """Events numbered from `since` to `until`, whatever became of them."""
    rows = SubscriptionEvent.objects.filter(subscription__fhir_id=fhir_id, number__gte=since)
    if until is not None:
        rows = rows.filter(number__lte=until)
    return [told_of(row) for row in rows.order_by("number")[:limit]]


def told_of(row: SubscriptionEvent) -> Told:
    return Told(row.number, row.at, row.type, row.fhir_id, row.version, row.patient_id, row.attempts, row.status)


def receiver_of(row: Subscription) -> Receiver:
    owner = row.connection
    is_valid = owner is not None and owner.revoked_at is None
    return Receiver(
        row_id=row.pk,
        fhir_id=row.fhir_id,
        topic=row.topic,
        type=row.type,
        criteria=row.criteria,
        base=str(row.watch.get("base", "")),
        endpoint=row.endpoint,
        payload=row.payload,
        content=row.content,
        headers=row.headers,
        timeout_s=row.timeout_s,
        most_events=row.most_events,
        heartbeat_s=row.heartbeat_s,
        status=row.status,
        error=row.error,
        changed_at=row.changed_at,
        numbered=row.numbered,
        owner=owner.name if owner else "",
        scopes=owner.scopes if owner is not None and is_valid else None,
        scopes_until=owner.expires_at if owner else None,
    )
