"""Privacy officers are told of each emergency access, and again while its review is overdue.

The product says it on every page of theirs; by e-mail it is said here. One letter an officer for all that waits, naming
neither the patient nor who looked. At least once: what was claimed and not marked is claimed again.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from recovery.models import EmergencyAccess, NotificationPreference, User
from recovery.notify.email import send_email
from recovery.notify.message import Message, NotDelivered, PrivacyMessage
from recovery.permissions import REVIEW_WITHIN, user_can_review_emergencies

REMIND_EVERY = timedelta(hours=24)
CLAIM_FOR = timedelta(minutes=2)
AT_ONCE = 50
PAGE = "/emergency/review/"

Clock = Callable[[], datetime]
Send = Callable[[str, Message], None]


def tell_officers(*, clock: Clock, send: Send = send_email) -> int:
    """Tell by e-mail of what nobody was told, and remind of what is overdue; returns how many letters went out.

    Without a mail server, or without an officer who has an address, nothing is claimed: the pages say it.
    """
    if not settings.EMAIL_IS_SET_UP:
        return 0
    officers = _officers()
    mine = _claim(clock()) if officers else []
    arrived: set[int] = set()
    letters = 0
    for officer in officers:
        rows = [row for row in mine if row.user_id != officer.pk]
        if rows and _sent(officer, rows, clock(), send):
            arrived |= {row.pk for row in rows}
            letters += 1
    _mark(mine, arrived, clock())
    return letters


def _officers() -> list[User]:
    """Who reviews, has an address and wants letters, by id."""
    silent = NotificationPreference.objects.filter(email=False).values("user")
    rows = User.objects.filter(is_active=True).exclude(email="").exclude(pk__in=silent)
    rows = rows.filter(Q(is_privacy_officer=True) | Q(role=User.Role.ADMINISTRATOR)).order_by("pk")
    return [one for one in rows if user_can_review_emergencies(one)]


def _due(now: datetime) -> QuerySet[EmergencyAccess]:
    is_new = Q(told_at__isnull=True)
    is_overdue = Q(opened_at__lte=now - REVIEW_WITHIN) & (
        Q(reminded_at__isnull=True) | Q(reminded_at__lte=now - REMIND_EVERY)
    )
    is_free = Q(telling_until__isnull=True) | Q(telling_until__lte=now)
    return EmergencyAccess.objects.filter(is_free, is_new | is_overdue, verdict="")


def _claim(now: datetime) -> list[EmergencyAccess]:
    """What is due, taken by conditional UPDATEs: one worker wins each row."""
    keys = list(_due(now).order_by("opened_at", "pk").values_list("pk", flat=True)[:AT_ONCE])
    won = [pk for pk in keys if _due(now).filter(pk=pk).update(telling_until=now + CLAIM_FOR)]
    return list(EmergencyAccess.objects.filter(pk__in=won).order_by("opened_at", "pk"))


def _sent(officer: User, rows: Sequence[EmergencyAccess], now: datetime, send: Send) -> bool:
    is_overdue = any(row.opened_at <= now - REVIEW_WITHIN for row in rows)
    message = PrivacyMessage(
        key=f"{rows[0].key}-{officer.pk}-{now:%Y%m%d%H%M}",
        reason="emergency_overdue" if is_overdue else "emergency",
        severity="medium",
        count=len(rows),
        at=rows[0].opened_at,
        page=f"{settings.PUBLIC_URL}{PAGE}",
    )
    try:
        send(officer.email, message)
    except NotDelivered:
        return False
    return True


def _mark(mine: Iterable[EmergencyAccess], arrived: set[int], now: datetime) -> None:
    """What reached somebody is told; the rest is tried again when its claim has run out."""
    for row in mine:
        if row.pk not in arrived:
            continue
        said: dict[str, datetime | None] = {"telling_until": None}
        if row.told_at is None:
            said["told_at"] = now
        if row.opened_at <= now - REVIEW_WITHIN:
            said["reminded_at"] = now
        EmergencyAccess.objects.filter(pk=row.pk, telling_until=row.telling_until).update(**said)
