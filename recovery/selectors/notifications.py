"""What a person has been told, how they want to be told, and which ways out there are."""

from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from recovery.models import Delivery, Notification, NotificationPreference, PushSubscription, Team, TeamHook, User
from recovery.permissions import visible_alerts

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Told:
    """One notification. The patient's name is read only where the person may still see the alert."""

    id: int
    at: datetime
    read_at: datetime | None
    reason: str
    alert_key: UUID
    severity: str
    status: str
    headline: str
    patient: str
    is_synthetic: bool
    patient_id: int


@dataclass(frozen=True, slots=True)
class Wish:
    email: bool
    push: bool
    quiet_from: time | None
    quiet_until: time | None
    high_anyway: bool
    address: str
    browsers: int


@dataclass(frozen=True, slots=True)
class Hook:
    key: UUID
    url: str
    made_at: datetime
    made_by: str
    sent: int
    failed: int
    last_cause: str


def told_to(user: User, now: datetime) -> tuple[Told, ...]:
    """The newest notifications about alerts that the person may still see."""
    mine = Notification.objects.filter(user=user, alert__in=visible_alerts(user, now))
    rows = mine.select_related("alert__episode__patient").order_by("-at", "-pk")[:MOST_SHOWN]
    return tuple(
        Told(
            row.pk,
            row.at,
            row.read_at,
            row.reason,
            row.alert.key,
            row.alert.severity,
            row.alert.status,
            row.alert.headline,
            row.alert.episode.patient.name,
            row.alert.episode.patient.is_synthetic,
            row.alert.episode.patient_id,
        )
        for row in rows
    )


def wish_of(user: User) -> Wish:
    kept = NotificationPreference.objects.filter(user=user).first() or NotificationPreference(user=user)
    browsers = PushSubscription.objects.filter(user=user, ended_at__isnull=True).count()
    return Wish(kept.email, kept.push, kept.quiet_from, kept.quiet_until, kept.high_anyway, user.email, browsers)


def hooks_of(team: Team) -> tuple[Hook, ...]:
    """The team's webhooks in service, with how they did."""
    return tuple(_hook(one) for one in TeamHook.objects.filter(team=team, ended_at__isnull=True).order_by("pk"))


def _hook(one: TeamHook) -> Hook:
    rows = Delivery.objects.filter(hook=one)
    failed = rows.exclude(cause="").exclude(status=Delivery.Status.OFF).order_by("-pk").values_list("cause", flat=True)
    return Hook(
        one.key,
        one.url,
        one.made_at,
        one.made_by,
        rows.filter(status=Delivery.Status.SENT).count(),
        rows.filter(status=Delivery.Status.DEAD).count(),
        failed.first() or "",
    )
