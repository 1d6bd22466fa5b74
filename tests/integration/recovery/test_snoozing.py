"""A snooze says what would end it before its time, and then it does."""

from datetime import UTC, datetime, timedelta

import pytest

from recovery import wake as wakes
from recovery.audit import Actor
from recovery.models import Alert, Notification, Snapshot
from recovery.services import alert_acts, alerting
from tests import factories
from tests.integration.recovery.test_escalation import candidate

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


def metric(label: str, value: float | None, at: datetime) -> dict:
    return {"label": label, "unit": "/min", "now": value, "now_at": at.isoformat()}


@pytest.fixture
def snoozed():
    team = factories.make_team()
    nurse = factories.make_person("bo", team=team)
    episode = factories.make_episode(team, ended=NOW - timedelta(days=3))
    metrics = {"heart_rate": metric("Heart rate", 95.0, NOW - HOUR), "pain": metric("Pain", 8.0, NOW - HOUR)}
    factories.make_snapshot(episode, NOW, {"metrics": metrics})
    alerting.apply_candidates(episode=episode, candidates=[candidate("medium")], now=NOW)
    alert = Alert.objects.get()
    alert_acts.snooze_alert(
        alert_key=alert.key,
        version=1,
        until=NOW + 24 * HOUR,
        reason="seen at the bedside",
        actor=Actor.of_user(nurse),
        now=NOW,
    )
    alert.refresh_from_db()
    return alert


def look(alert: Alert, now: datetime, **values: float) -> str:
    """One look at the patient with these readings, made at `now`; the status afterwards."""
    metrics = {key: metric(key, value, now) for key, value in values.items()}
    alerting.wake_broken(episode=alert.episode, content={"metrics": metrics}, now=now)
    alert.refresh_from_db()
    return alert.status


def test_the_conditions_are_kept_with_the_alert(snoozed):
    wake = wakes.wake_of(snoozed.wake)
    assert wake is not None and wake.since == NOW and wake.silent_h == 12.0
    assert dict((name, limit) for name, _, limit in wake.limits)["heart_rate"] == 131.0


def test_what_is_grave_already_wakes_only_when_it_gets_worse(snoozed):
    assert look(snoozed, NOW + HOUR, pain=8.0) == "snoozed"
    assert look(snoozed, NOW + HOUR, pain=9.0) == "open"


def test_a_grave_reading_opens_it_again_and_says_why(snoozed):
    assert look(snoozed, NOW + HOUR, heart_rate=130.0) == "snoozed"
    assert look(snoozed, NOW + 2 * HOUR, heart_rate=131.0) == "open"
    last = snoozed.transitions.order_by("-id").first()
    assert (last.action, last.actor_name) == ("wake", "twinweb") and "131" in last.reason
    assert snoozed.wake is None and snoozed.due_at is not None and snoozed.escalations.filter(status="waiting").exists()


def test_who_put_it_off_is_told_that_it_is_open_again(snoozed):
    Alert.objects.filter(pk=snoozed.pk).update(owner=None)
    look(snoozed, NOW + HOUR, heart_rate=140.0)
    assert list(Notification.objects.filter(reason="again").values_list("user__username", flat=True)) == ["bo"]


def test_a_reading_from_before_the_snooze_does_not_count(snoozed):
    metrics = {"heart_rate": metric("Heart rate", 150.0, NOW - HOUR)}
    assert alerting.wake_broken(episode=snoozed.episode, content={"metrics": metrics}, now=NOW + HOUR) == 0


def test_silence_opens_it_again(snoozed):
    quiet = {"metrics": {"heart_rate": metric("Heart rate", 90.0, NOW + HOUR)}}
    assert alerting.wake_broken(episode=snoozed.episode, content=quiet, now=NOW + 12.9 * HOUR) == 0
    assert alerting.wake_broken(episode=snoozed.episode, content=quiet, now=NOW + 13 * HOUR) == 1


def test_silence_does_not_wake_an_alert_about_silence(snoozed):
    Alert.objects.filter(pk=snoozed.pk).update(kind="data_stopped")
    snoozed.refresh_from_db()
    wake = wakes.conditions(snoozed.kind, Snapshot.objects.get().content, NOW)
    assert wakes.broken_by(wake, {"metrics": {}}, NOW + 30 * HOUR) == ""


def test_a_graver_severity_opens_it_again(snoozed):
    alerting.apply_candidates(episode=snoozed.episode, candidates=[candidate("high")], now=NOW + HOUR)
    snoozed.refresh_from_db()
    assert (snoozed.status, snoozed.severity) == ("open", "high")


def test_time_opens_it_again(snoozed):
    assert alerting.wake_snoozed(now=NOW + 23.9 * HOUR) == 0
    assert alerting.wake_snoozed(now=NOW + 24 * HOUR) == 1
    assert alerting.wake_snoozed(now=NOW + 24 * HOUR) == 0


def test_what_was_snoozed_before_conditions_were_kept_still_wakes_by_time(snoozed):
    Alert.objects.filter(pk=snoozed.pk).update(wake=None)
    assert look(snoozed, NOW + HOUR, heart_rate=200.0) == "snoozed"
    assert alerting.wake_snoozed(now=NOW + 24 * HOUR) == 1
