"""Receiver down for an hour, worker killed, broker killed: every event arrives, in order per patient.

At least once; or it stands in the dead letters and the subscription says so.
"""

from datetime import timedelta

import pytest

from integrations.subscriptions import delivery
from recovery.audit import Actor
from recovery.models import ChangeEvent, SubscriptionEvent
from recovery.selectors import deliveries as seen
from recovery.services import deliveries, subscriptions
from tests.integration.integrations.fhir.conftest import Door, content
from tests.integration.integrations.subscriptions.conftest import Inbox, Post, asked_for, heart_rate, subscribe

SOON = timedelta(seconds=1)
OPERATOR = Actor.system("test operator")


def values(inbox: Inbox, patient: str) -> list[int]:
    mine = [one for one in inbox.bodies if one["subject"]["reference"] == f"Patient/{patient}"]
    return [one["valueQuantity"]["value"] for one in mine]


def send(door: Door, count: int, start: int = 0) -> None:
    for n in range(start, start + count):
        for patient in ("p1", "p2"):
            door.post("Observation", heart_rate(patient, 60 + n, minute=n))


def statuses() -> list[str]:
    return list(SubscriptionEvent.objects.order_by("number").values_list("status", flat=True))


def test_a_receiver_that_is_dead_for_an_hour_gets_everything_in_order_afterwards(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    fhir_id = subscribe(door, post, asked_for("Observation"))
    send(door, 2)
    post.work(after=SOON)
    inbox.is_up = False
    for step in range(12):
        send(door, 1, start=2 + step)
        post.work(after=timedelta(minutes=5))
    health = seen.subscriptions_health(now=post.now)[0]
    assert health.badge == "amber" and health.waiting == 24 and health.last_failure == inbox.answer
    assert health.next_try_at is not None and health.next_try_at > post.now
    inbox.is_up = True
    post.work(after=timedelta(minutes=20))
    assert values(inbox, "p1") == values(inbox, "p2") == [60 + n for n in range(14)]
    assert set(statuses()) == {"sent"}
    assert content(door.get(f"Subscription/{fhir_id}"))["status"] == "active"
    assert seen.subscriptions_health(now=post.now)[0].badge == "green"


def test_a_receiver_that_never_comes_back_is_said_aloud_and_nothing_is_lost(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    fhir_id = subscribe(door, post, asked_for("Observation"))
    inbox.is_up = False
    send(door, 2)
    for _ in range(deliveries.MOST_TRIES):
        post.work(after=timedelta(minutes=20))
    assert statuses() == ["dead", "waiting", "waiting", "waiting"]
    said = content(door.get(f"Subscription/{fhir_id}"))
    assert said["status"] == "error" and "16 tries" in said["error"] and inbox.answer in said["error"]
    health = seen.subscriptions_health(now=post.now)[0]
    assert health.red and (health.dead, health.waiting) == (1, 3)
    assert seen.overview().red
    send(door, 1, start=2)  # what comes meanwhile is kept
    post.work(after=timedelta(hours=1))
    letter = seen.dead_letters()[0]
    assert (letter.subscription, letter.number, letter.type, letter.cause) == (fhir_id, 1, "Observation", inbox.answer)
    inbox.is_up = True
    assert subscriptions.replay(fhir_id=fhir_id, actor=OPERATOR, now=post.now) == 1
    post.work(after=timedelta(seconds=4))
    assert values(inbox, "p1") == values(inbox, "p2") == [60, 61, 62]
    assert set(statuses()) == {"sent"}
    assert content(door.get(f"Subscription/{fhir_id}"))["status"] == "active"
    assert not seen.overview().red


def test_a_client_that_asks_again_gets_what_waited(door: Door, post: Post, inbox: Inbox, patients: list[str]) -> None:
    fhir_id = subscribe(door, post, asked_for("Observation"))
    inbox.is_up = False
    send(door, 1)
    for _ in range(deliveries.MOST_TRIES):
        post.work(after=timedelta(minutes=20))
    inbox.is_up = True
    said = content(door.get(f"Subscription/{fhir_id}"))
    again = content(door.put(f"Subscription/{fhir_id}", {**said, "status": "requested"}))
    assert again["status"] == "requested" and "error" not in again
    post.now += timedelta(days=1)
    post.work()
    assert values(inbox, "p2") == [60]
    assert statuses() == ["dead", "sent"]  # what was given up is for a person to send again, or not


def test_a_worker_killed_after_the_call_and_before_the_mark_sends_it_again(
    door: Door, post: Post, inbox: Inbox, patients: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(door, post, asked_for("Observation"))
    send(door, 2)

    def killed(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(delivery.deliveries, "arrived", killed)
        post.work(after=SOON)
    assert len(inbox.messages) == 1 and set(statuses()) == {"waiting"}
    post.work(after=SOON)
    assert len(inbox.messages) == 1  # the dead worker's lease still runs
    post.work(after=deliveries.CLAIM_FOR)
    assert values(inbox, "p1") == [60, 60, 61] and values(inbox, "p2") == [60, 61]
    keys = [one.headers["Idempotency-Key"] for one in inbox.messages]
    assert keys[0] == keys[1] and len(set(keys)) == 4


def test_a_worker_killed_while_matching_has_done_nothing(
    door: Door, post: Post, inbox: Inbox, patients: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(door, post, asked_for("Observation"))
    send(door, 1)

    def killed(*_: object) -> object:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(delivery, "judge_at", lambda now: killed)
        post.work(after=SOON)
    assert ChangeEvent.objects.count() == 2 and SubscriptionEvent.objects.count() == 0
    post.work(after=SOON)
    assert values(inbox, "p1") == values(inbox, "p2") == [60]


def test_a_broker_that_lost_every_message_loses_no_event(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    """In these tests nothing is ever rung: the schedule alone finds what is owed."""
    subscribe(door, post, asked_for("Observation"))
    send(door, 3)
    post.work(after=timedelta(hours=3))
    assert values(inbox, "p1") == [60, 61, 62]


def test_a_lease_that_ran_out_marks_nothing(door: Door, post: Post, inbox: Inbox, patients: list[str]) -> None:
    subscribe(door, post, asked_for("Observation"))
    send(door, 1)
    deliveries.match_changes(judge=delivery.judge_at(post.now))
    late = deliveries.lease(limit=1, now=post.now)[0]
    other = deliveries.lease(limit=1, now=post.now + deliveries.CLAIM_FOR)[0]
    assert deliveries.lease(limit=1, now=post.now + deliveries.CLAIM_FOR) == []
    assert not deliveries.arrived(late, [1], now=post.now)
    assert statuses() == ["waiting", "waiting"]
    assert deliveries.arrived(other, [1], now=post.now)


def test_one_dead_receiver_keeps_no_other_waiting(door: Door, post: Post, inbox: Inbox, patients: list[str]) -> None:
    dead = asked_for("Observation")
    dead["channel"]["endpoint"] = "http://127.0.0.1:9/dead"
    subscribe(door, post, dead)
    subscribe(door, post, asked_for("Observation"))
    deliver = inbox.__call__

    def half_up(message: object) -> None:
        inbox.is_up = not message.url.endswith("dead")
        deliver(message)

    send(door, 2)
    post.now += SOON
    delivery.deliver_owed(clock=post.clock, send=half_up)
    assert values(inbox, "p1") == values(inbox, "p2") == [60, 61]
    assert SubscriptionEvent.objects.filter(status="waiting").count() == 4


def test_what_is_gone_when_it_is_to_be_sent_is_given_up_by_itself(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    subscribe(door, post, asked_for("Observation"))
    send(door, 2)
    deliveries.match_changes(judge=delivery.judge_at(post.now))
    first = SubscriptionEvent.objects.order_by("number").first()
    SubscriptionEvent.objects.filter(pk=first.pk).update(fhir_id="never-was")
    post.work(after=SOON)
    assert statuses() == ["dead", "sent", "sent", "sent"]
    assert seen.dead_letters()[0].cause == delivery.GONE


def test_events_can_be_sent_again_from_a_number_on_or_one_by_one(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    fhir_id = subscribe(door, post, asked_for("Observation?patient=p1"))
    send(door, 4)
    post.work(after=SOON)
    inbox.clear()
    assert subscriptions.replay(fhir_id=fhir_id, actor=OPERATOR, now=post.now, since=3) == 2
    post.work(after=SOON)
    assert values(inbox, "p1") == [62, 63]
    inbox.clear()
    assert subscriptions.replay(fhir_id=fhir_id, actor=OPERATOR, now=post.now, numbers=(1,)) == 1
    post.work(after=SOON)
    assert values(inbox, "p1") == [60]


def test_old_events_are_thinned_and_what_was_never_delivered_is_counted_in_the_trail(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    subscribe(door, post, asked_for("Observation"))
    send(door, 1)
    post.work(after=SOON)
    assert subscriptions.thin(now=post.now) == 0
    assert subscriptions.thin(now=post.now + subscriptions.KEPT_FOR + SOON) == 2
