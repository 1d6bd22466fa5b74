"""Keeping the store in shape: next months' partitions, and pages' events that nobody can still want."""

from datetime import UTC, datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection, transaction

from recovery.models import LiveEvent, StaffInvitation

PARTITIONED = ("recovery_sample", "recovery_packet")
MONTHS_AHEAD = 3
EVENTS_KEPT = timedelta(hours=24)
INVITATIONS_KEPT = timedelta(days=30)


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


def forget_sessions(*, now: datetime) -> int:
    """Drop ended sessions with the devices they were on, and links that nobody can use; returns how many sessions."""
    ended = Session.objects.filter(expire_date__lt=now).delete()[0]
    settled = UserSession.objects.filter(last_seen_at__lt=now - timedelta(minutes=1))  # a sign-in may not be done yet
    settled.exclude(session_key__in=Session.objects.values("session_key")).delete()
    StaffInvitation.objects.filter(until__lt=now - INVITATIONS_KEPT).delete()
    return ended
