"""Who is told of an alert, by which way, and when it may go: rows only, in the transaction of their cause.

The product itself tells always; e-mail and push follow each person's wishes. services.delivering sends.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from recovery import queue
from recovery.models import Alert, Delivery, Notification, NotificationPreference, PushSubscription, TeamHook, User

# What is low waits on the list: it is told in the product only (ux.md section 3, budget).
SENT_OUTSIDE = frozenset({"high", "medium"})


def tell(alert: Alert, reason: str, people: Sequence[User], now: datetime, *, urgent: bool = False) -> None:
    """Notify `people`. `urgent`: it is for them in person, and comes whatever the alert's severity."""
    if not people:
        return
    Notification.objects.bulk_create(Notification(user=one, alert=alert, reason=reason, at=now) for one in people)
    if not urgent and alert.severity not in SENT_OUTSIDE:
        return
    rows: list[Delivery] = []
    wishes = NotificationPreference.objects.in_bulk([one.pk for one in people], field_name="user_id")
    browsers = PushSubscription.objects.filter(user__in=people, ended_at__isnull=True).order_by("pk")
    by_person: dict[int, list[PushSubscription]] = {}
    for browser in browsers:
        by_person.setdefault(browser.user_id, []).append(browser)
    for person in people:
        wish = wishes.get(person.pk) or NotificationPreference(user=person)
        said = {"alert": alert, "reason": reason, "at": now, "not_before": _not_before(wish, alert, now, urgent)}
        if wish.email and person.email and settings.EMAIL_IS_SET_UP:
            rows.append(Delivery(channel="email", user=person, **said))
        if wish.push:
            rows += [Delivery(channel="push", user=person, push=one, **said) for one in by_person.get(person.pk, ())]
    _owe(rows)


def call_hooks(alert: Alert, reason: str, now: datetime) -> None:
    """Call the systems of the patient's team, where the alert is worth a message."""
    if alert.episode.team_id is None or alert.severity not in SENT_OUTSIDE:
        return
    hooks = TeamHook.objects.filter(team_id=alert.episode.team_id, ended_at__isnull=True)
    _owe([Delivery(channel="hook", hook=one, alert=alert, reason=reason, at=now, not_before=now) for one in hooks])


def _owe(rows: Sequence[Delivery]) -> None:
    if rows:
        Delivery.objects.bulk_create(rows)
        transaction.on_commit(lambda: queue.ring("alerts"))


def _not_before(wish: NotificationPreference, alert: Alert, now: datetime, urgent: bool) -> datetime:
    if wish.high_anyway and (urgent or alert.severity == "high"):
        return now
    return end_of_quiet(wish, now)


def end_of_quiet(wish: NotificationPreference, now: datetime) -> datetime:
    """`now`, or the end of the quiet hours that `now` lies in; they may run past midnight."""
    if wish.quiet_from is None or wish.quiet_until is None or wish.quiet_from == wish.quiet_until:
        return now
    zone = ZoneInfo(settings.HOSPITAL_TIME_ZONE)
    local = now.astimezone(zone)
    over_night = wish.quiet_from > wish.quiet_until
    late, early = local.time() >= wish.quiet_from, local.time() < wish.quiet_until
    if not (late or early if over_night else late and early):
        return now
    day = local.date() + timedelta(days=1 if over_night and late else 0)
    return datetime.combine(day, wish.quiet_until, zone).astimezone(ZoneInfo("UTC"))
