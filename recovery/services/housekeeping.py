"""Keeping the store in shape: next months' partitions, and pages' events that nobody can still want."""

from datetime import UTC, datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import QuerySet

from recovery.models import Alert, Delivery, LiveEvent, Notification, StaffInvitation

PARTITIONED = ("recovery_sample", "recovery_packet")
MONTHS_AHEAD = 3
EVENTS_KEPT = timedelta(hours=24)
INVITATIONS_KEPT = timedelta(days=30)
NOTIFICATIONS_KEPT = timedelta(days=90)
DELIVERIES_KEPT = timedelta(days=400)
"""Of alerts that are closed. Deliveries stand in an alert's timeline, so they stay longer than the lines that people
have read; what is not settled, or whose alert is still open, stays whatever its age [G: this project's choice]."""
AT_ONCE = 5_000


def make_partitions(*, now: datetime) -> int:
    """On PostgreSQL, make this month's partition and the next three's; returns how many were new. Else nothing to do.

    A month whose rows already lie in the default partition stays there: moving them is a maintenance story.
    """
    if connection.vendor != "postgresql":
        return 0
    made = 0
    for months in range(MONTHS_AHEAD + 1):
        start, end = _month(now, months), _month(now, months + 1)
        for table in PARTITIONED:
            made += _make_partition(table, start, end)
    return made


def _month(now: datetime, ahead: int) -> datetime:
    years, month = divmod(now.month - 1 + ahead, 12)
    return datetime(now.year + years, month + 1, 1, tzinfo=UTC)


def _make_partition(table: str, start: datetime, end: datetime) -> int:
    name = f"{table}_{start:%Y_%m}"
    low, high = int(start.timestamp() * 1000), int(end.timestamp() * 1000)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is not None:
            return 0
        rest = f"SELECT EXISTS (SELECT 1 FROM {table}_rest WHERE at_ms >= %s AND at_ms < %s)"  # noqa: S608
        cursor.execute(rest, [low, high])
        if cursor.fetchone()[0]:
            return 0
        cursor.execute(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ({low}) TO ({high})")
    return 1


def thin_live_events(*, now: datetime) -> int:
    """Drop page events older than a day; a page that slept longer loads afresh."""
    return LiveEvent.objects.filter(at__lt=now - EVENTS_KEPT).delete()[0]


def thin_notifications(*, now: datetime) -> int:
    """Drop old notifications and settled deliveries of closed alerts, at most AT_ONCE of each; returns how many."""
    closed = {"alert__status": Alert.Status.RESOLVED}
    told = Notification.objects.filter(at__lt=now - NOTIFICATIONS_KEPT, **closed)
    sent = Delivery.objects.filter(at__lt=now - DELIVERIES_KEPT, **closed).exclude(status=Delivery.Status.WAITING)
    return sum(_drop(rows) for rows in (told, sent))


def _drop(rows: QuerySet[Notification] | QuerySet[Delivery]) -> int:
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    return int(rows.model._default_manager.filter(pk__in=keys).delete()[0])


def forget_sessions(*, now: datetime) -> int:
    """Drop ended sessions with the devices they were on, and links that nobody can use; returns how many sessions."""
    ended = Session.objects.filter(expire_date__lt=now).delete()[0]
    settled = UserSession.objects.filter(last_seen_at__lt=now - timedelta(minutes=1))  # a sign-in may not be done yet
    settled.exclude(session_key__in=Session.objects.values("session_key")).delete()
    StaffInvitation.objects.filter(until__lt=now - INVITATIONS_KEPT).delete()
    return ended
