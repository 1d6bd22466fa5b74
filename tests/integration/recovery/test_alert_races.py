"""Many hands on the same alerts at the same moment, each a thread with a connection of its own, on either engine."""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, connections, transaction

from recovery.audit import Actor
from recovery.exceptions import Conflict
from recovery.models import Alert, AlertTransition, AuditEvent, Delivery, EscalationStep, Notification
from recovery.notify.message import Message
from recovery.services import alert_acts, alerting, delivering, escalation
from tests import factories
from tests.integration.recovery.test_escalation import candidate

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)
CLINICIANS, ALERTS = 20, 50
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shared(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """On SQLite a database in a file, as in the product: threads cannot share the one in memory."""
    if connection.vendor != "sqlite":
        yield
        return
    held, name = connection.connection, connection.settings_dict["NAME"]
    connection.connection, connection.settings_dict["NAME"] = None, str(tmp_path / "races.sqlite3")
    connection.ensure_connection()
    held.backup(connection.connection)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
    try:
        yield
    finally:
        connection.close()
        connection.connection, connection.settings_dict["NAME"] = held, name


def at_once(count: int, act: Callable[[int], None]) -> None:
    """`count` threads that begin together; a failure of any fails the test."""
    start, failures = threading.Barrier(count), []

    def run(number: int) -> None:
        try:
            start.wait(30)
            act(number)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []


@pytest.fixture
def ward(shared, settings):
    settings.HOSPITAL_TIME_ZONE = "Europe/Berlin"
    team = factories.make_team()
    episode = factories.make_episode(team, ended=NOW - timedelta(days=3))
    return episode, team


def test_of_twenty_clinicians_on_fifty_alerts_each_loser_learns_who_won(ward):
    episode, team = ward
    people = [
        factories.make_person(f"nurse{number}", team=team, first_name="Nurse", last_name=f"No{number:02d}")
        for number in range(CLINICIANS)
    ]
    alerts = [factories.make_alert(episode, NOW, cause=f"cause-{number}") for number in range(ALERTS)]
    won: dict[tuple[int, int], str] = {}
    lost: dict[tuple[int, int], str] = {}

    def work(number: int) -> None:
        order = random.Random(number).sample(range(ALERTS), ALERTS)
        for place in order:
            actor = Actor.of_user(people[number])
            try:
                alert_acts.acknowledge_alert(alert_key=alerts[place].key, version=1, actor=actor, now=NOW)
                won[number, place] = people[number].get_full_name()
            except Conflict as told:
                lost[number, place] = told.message

    at_once(CLINICIANS, work)
    assert len(won) == ALERTS and len(lost) == (CLINICIANS - 1) * ALERTS
    winner = {place: number for number, place in won}
    owners = dict(Alert.objects.values_list("cause", "owner__username"))
    assert owners == {f"cause-{place}": f"nurse{winner[place]}" for place in range(ALERTS)}
    for (_, place), message in lost.items():
        assert f"{people[winner[place]].get_full_name()} took it at 11:00. Nothing" in message, "the clock on the ward"
    assert AlertTransition.objects.filter(action="acknowledge").count() == ALERTS
    assert AuditEvent.objects.filter(action="alert_acknowledge").count() == ALERTS


def test_different_actions_on_one_alert_are_all_there_or_refused(ward):
    """Everybody does something with what they see, looks again when they lost, and goes on until they have won."""
    episode, team = ward
    people = [factories.make_person(f"nurse{number}", team=team) for number in range(6)]
    alert = factories.make_alert(episode, NOW, severity="medium")

    def work(number: int) -> None:
        while True:
            version = Alert.objects.values_list("version", flat=True).get(pk=alert.pk)
            try:
                alert_acts.assign_alert(
                    alert_key=alert.key,
                    version=version,
                    user_id=people[(number + 1) % 6].pk,
                    actor=Actor.of_user(people[number]),
                    now=NOW,
                )
                return
            except Conflict:
                continue

    at_once(6, work)
    alert.refresh_from_db()
    assert alert.version == 7
    assert sorted(alert.transitions.values_list("actor__username", flat=True)) == [f"nurse{n}" for n in range(6)]
    assert alert.owner_id == alert.transitions.order_by("-id").first().detail["to"]


def test_four_workers_climb_each_step_once_and_send_each_message_once(ward, settings):
    settings.EMAIL_IS_SET_UP = True
    episode, team = ward
    nurse = factories.make_person("bo", team=team)
    nurse.email = "bo@hospital.example"
    nurse.save()
    for number in range(10):
        alert = factories.make_alert(episode, NOW, cause=f"cause-{number}")
        escalation.start(alert, NOW)
    sent: list[str] = []

    def send(row: Delivery, message: Message) -> None:
        sent.append(message.key)

    def work(number: int) -> None:
        escalation.escalate_due(now=NOW + timedelta(minutes=15))
        delivering.deliver_owed(clock=lambda: NOW + timedelta(minutes=15), send=send)

    at_once(4, work)
    assert EscalationStep.objects.filter(status="told").count() == 10
    assert Notification.objects.filter(reason="escalated").count() == 10
    assert Delivery.objects.filter(status="sent").count() == 10
    assert len(sent) == len(set(sent))


def test_a_hit_and_a_hand_at_the_same_moment_lose_neither(ward):
    episode, team = ward
    nurse = factories.make_person("bo", team=team)
    with transaction.atomic():
        alerting.apply_candidates(episode=episode, candidates=[candidate("medium")], now=NOW)
    alert = Alert.objects.get()

    def work(number: int) -> None:
        if number:
            with transaction.atomic():
                alerting.apply_candidates(
                    episode=episode, candidates=[replace(candidate("medium"), change="held")], now=NOW
                )
        else:
            alert_acts.acknowledge_alert(
                alert_key=alert.key, version=1, actor=Actor.of_user(nurse), now=NOW + timedelta(minutes=1)
            )

    at_once(5, work)
    alert.refresh_from_db()
    assert (alert.hits, alert.status, alert.owner) == (5, "acknowledged", nurse)
