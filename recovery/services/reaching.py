"""How people want to be reached, which of their browsers may be woken, and what they have read."""

from datetime import datetime, time
from uuid import UUID

from django.conf import settings
from django.db import transaction

from recovery import audit
from recovery.audit import Actor
from recovery.egress import check_url_may_be_called
from recovery.exceptions import Invalid, NotFound
from recovery.models import Notification, NotificationPreference, PushSubscription, Team, TeamHook, User
from recovery.notify.push import from_base64url

MOST_BROWSERS = 10
MOST_HOOKS = 5
POINT_BYTES, SECRET_BYTES = 65, 16  # RFC 8291: an uncompressed P-256 point, and the authentication secret


def set_preference(
    *,
    user: User,
    email: bool,
    push: bool,
    quiet_from: time | None,
    quiet_until: time | None,
    high_anyway: bool,
    actor: Actor,
    now: datetime,
) -> NotificationPreference:
    """Raises Invalid for quiet hours with one end, or without length."""
    if (quiet_from is None) != (quiet_until is None):
        raise Invalid("Give both ends of the quiet hours, or none.", field="quiet_until")
    if quiet_from is not None and quiet_from == quiet_until:
        raise Invalid("Quiet hours end at another time than they begin.", field="quiet_until")
    wish = {
        "email": email,
        "push": push,
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "high_anyway": high_anyway,
    }
    with transaction.atomic():
        kept, _ = NotificationPreference.objects.update_or_create(user=user, defaults=wish)
        said = {key: str(value) for key, value in wish.items()}
        audit.record(actor=actor, now=now, action="set_notifications", entity=f"User/{user.pk}", detail=said)
    return kept


def add_browser(*, user: User, endpoint: str, p256dh: str, auth: str, actor: Actor, now: datetime) -> PushSubscription:
    """A browser of this person that may be woken; subscribing again renews it. Raises Invalid."""
    check_url_may_be_called(endpoint, settings.EGRESS_ALLOW_LOOPBACK)
    _check_bytes("p256dh", p256dh, POINT_BYTES)
    _check_bytes("auth", auth, SECRET_BYTES)
    living = PushSubscription.objects.filter(user=user, ended_at__isnull=True).exclude(endpoint=endpoint)
    if living.count() >= MOST_BROWSERS:
        raise Invalid(f"Up to {MOST_BROWSERS} browsers can be woken; remove one first.", field="endpoint")
    with transaction.atomic():
        said = {"user": user, "p256dh": p256dh, "auth": auth, "made_at": now, "ended_at": None}
        kept, _ = PushSubscription.objects.update_or_create(endpoint=endpoint, defaults=said)
        audit.record(actor=actor, now=now, action="add_push_browser", entity=f"User/{user.pk}")
    return kept


def remove_browsers(*, user: User, actor: Actor, now: datetime, endpoint: str = "") -> int:
    """End one browser of this person, or all; returns how many."""
    with transaction.atomic():
        mine = PushSubscription.objects.filter(user=user, ended_at__isnull=True)
        ended = (mine.filter(endpoint=endpoint) if endpoint else mine).update(ended_at=now)
        if ended:
            audit.record(actor=actor, now=now, action="remove_push_browser", entity=f"User/{user.pk}")
    return ended


def mark_read(*, user: User, now: datetime, alert: UUID | None = None) -> int:
    """The person's notifications of one alert, or all; returns how many were unread."""
    mine = Notification.objects.filter(user=user, read_at__isnull=True)
    return (mine if alert is None else mine.filter(alert__key=alert)).update(read_at=now)


def add_hook(*, team: Team, url: str, actor: Actor, now: datetime) -> TeamHook:
    """Raises Invalid for an address that may not be called, or for too many."""
    check_url_may_be_called(url, settings.EGRESS_ALLOW_LOOPBACK)
    if TeamHook.objects.filter(team=team, ended_at__isnull=True).count() >= MOST_HOOKS:
        raise Invalid(f"A team has up to {MOST_HOOKS} webhooks; remove one first.", field="url")
    with transaction.atomic():
        hook = TeamHook.objects.create(team=team, url=url, made_at=now, made_by=actor.name)
        audit.record(actor=actor, now=now, action="add_hook", entity=f"Team/{team.key} Hook/{hook.key}")
    return hook


def remove_hook(*, team: Team, key: UUID, actor: Actor, now: datetime) -> None:
    """Raises NotFound."""
    with transaction.atomic():
        if not TeamHook.objects.filter(team=team, key=key, ended_at__isnull=True).update(ended_at=now):
            raise NotFound("There is no such webhook.")
        audit.record(actor=actor, now=now, action="remove_hook", entity=f"Team/{team.key} Hook/{key}")


def _check_bytes(field: str, value: str, size: int) -> None:
    try:
        found = from_base64url(value)
    except ValueError:
        found = b""
    if len(found) != size:
        raise Invalid(f"{field} is not what a browser gives.", field=field)
