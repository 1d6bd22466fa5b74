"""Partitions where the engine has them, and events that no page can still want."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection

from recovery.models import Alert, Delivery, LiveEvent, Notification, User
from recovery.services import housekeeping
from tests import factories
from tests.people import make_ward

NOW = datetime(2026, 11, 22, tzinfo=UTC)
pytestmark = pytest.mark.django_db
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="partitions are PostgreSQL's")


def partitions(table: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table])
        return {row[0] for row in cursor.fetchall()}


@on_postgresql
@pytest.mark.parametrize("table", ["recovery_sample", "recovery_packet"])
def test_what_grows_is_partitioned_by_month_a_quarter_ahead(table):
    made = housekeeping.make_partitions(now=NOW)
    assert made == 8
    months = {f"{table}_{month}" for month in ("2026_11", "2026_12", "2027_01", "2027_02")}
    assert partitions(table) == {f"{table}_rest", *months}
    assert housekeeping.make_partitions(now=NOW) == 0


@pytest.mark.skipif("connection.vendor == 'postgresql'", reason="the embedded default has no partitions")
def test_the_embedded_default_has_nothing_to_partition():
    assert housekeeping.make_partitions(now=NOW) == 0


def test_page_events_older_than_a_day_are_dropped():
    episode = make_ward().episode
    for hours in (30, 1):
        LiveEvent.objects.create(at=NOW - timedelta(hours=hours), kind="twin", episode=episode)
    assert housekeeping.thin_live_events(now=NOW) == 1
    assert LiveEvent.objects.count() == 1


def test_what_people_were_told_of_closed_alerts_is_thinned_by_age_and_nothing_that_is_open():
    ward, days = make_ward(), timedelta(days=1)
    nurse = User.objects.create_user("nurse")
    closed, still_open = factories.make_alert(ward.episode, NOW), factories.make_alert(ward.episode, NOW, cause="pain")
    Alert.objects.filter(pk=closed.pk).update(status="resolved", outcome="true_problem", resolved_at=NOW)
    for alert in (closed, still_open):
        for age in (89, 91, 401):
            Notification.objects.create(user=nurse, alert=alert, reason="raised", at=NOW - age * days)
            for status in ("sent", "dead", "waiting"):
                said = {"reason": "raised", "at": NOW - age * days, "not_before": NOW, "status": status}
                Delivery.objects.create(alert=alert, channel="email", user=nurse, **said)
    assert housekeeping.thin_notifications(now=NOW) == 2 + 2
    assert Notification.objects.filter(alert=closed).count() == 1
    assert Notification.objects.filter(alert=still_open).count() == 3
    kept = Delivery.objects.filter(alert=closed, at__lt=NOW - 400 * days)
    assert kept.get().status == "waiting" and Delivery.objects.filter(alert=still_open).count() == 9
    assert housekeeping.thin_notifications(now=NOW) == 0


def test_sessions_that_have_ended_are_forgotten_with_their_devices(client):
    User.objects.create_user("nurse", password="correct-horse-battery")
    client.post("/login/", {"username": "nurse", "password": "correct-horse-battery"})
    held = UserSession.objects.get()
    assert housekeeping.forget_sessions(now=datetime.now(UTC)) == 0 and UserSession.objects.filter(pk=held.pk).exists()
    assert housekeeping.forget_sessions(now=datetime.now(UTC) + timedelta(minutes=16)) == 1
    assert not UserSession.objects.exists() and not Session.objects.exists()
