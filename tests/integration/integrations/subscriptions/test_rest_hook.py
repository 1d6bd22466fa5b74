"""A Subscription by criteria: asked for, activated, told of what fits and of nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.subscriptions import delivery, matching
from integrations.subscriptions.delivery import HANDSHAKE_TRIES
from recovery.audit import Actor
from recovery.models import AuditEvent, ChangeEvent, Connection, Patient, Subscription, SubscriptionEvent
from recovery.services import deliveries
from recovery.services.consents import decide
from recovery.services.deliveries import Verdict
from tests.integration.integrations.fhir.conftest import Door, content, token_for
from tests.integration.integrations.subscriptions.conftest import (
    ENDPOINT,
    Inbox,
    Post,
    asked_for,
    heart_rate,
    subscribe,
)

SOON = timedelta(seconds=1)


def stands(door: Door, fhir_id: str) -> dict:
    return content(door.get(f"Subscription/{fhir_id}"))


def test_it_is_requested_at_first_and_active_when_every_process_knows_of_it(door: Door, post: Post) -> None:
    made = content(door.post("Subscription", {**asked_for("Observation"), "status": "active"}))
    assert made["status"] == "requested"
    post.work()
    assert stands(door, made["id"])["status"] == "requested"
    post.work(after=timedelta(seconds=4))
    said = stands(door, made["id"])
    assert said["status"] == "active" and said["meta"]["versionId"] == "2"
    found = content(door.get("Subscription?status=active"))
    assert [one["resource"]["id"] for one in found["entry"]] == [made["id"]]


def test_a_streamed_reading_that_fits_is_sent_as_it_reads(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    subscribe(door, post, asked_for("Observation?code=http://loinc.org|8867-4&patient=p1", headers=("X-Key: abc",)))
    kept = content(door.post("Observation", heart_rate("p1")))
    door.post("Observation", heart_rate("p2"))
    door.post("Observation", heart_rate("p1", code="9279-1"))
    assert ChangeEvent.objects.count() == 1  # the others were not even written down
    assert post.work(after=SOON) == 1
    assert [one["id"] for one in inbox.bodies] == [kept["id"]]
    sent = inbox.messages[0]
    assert sent.url == ENDPOINT and sent.headers["X-Key"] == "abc"
    assert sent.headers["Content-Type"].startswith("application/fhir+json")
    assert post.work(after=SOON) == 0 and ChangeEvent.objects.count() == 0


def test_a_criterion_on_the_value_is_decided_for_each_reading(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    subscribe(door, post, asked_for("Observation?code=8867-4&value-quantity=gt100"))
    for minute, value in enumerate((72, 101, 99, 140)):
        door.post("Observation", heart_rate(value=value, minute=minute))
    post.work(after=SOON)
    assert [one["valueQuantity"]["value"] for one in inbox.bodies] == [101, 140]


def test_a_changed_document_is_sent_version_by_version(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    subscribe(door, post, asked_for("Patient?gender=male"))
    for gender in ("male", "female", "male"):
        door.put("Patient/p1", {"resourceType": "Patient", "id": "p1", "gender": gender})
    post.work(after=SOON)
    assert [(one["gender"], one["meta"]["versionId"]) for one in inbox.bodies] == [("male", "2"), ("male", "4")]


def test_what_was_here_before_is_not_told(door: Door, post: Post, inbox: Inbox, patients: list[str]) -> None:
    door.post("Observation", heart_rate())
    subscribe(door, post, asked_for("Observation"))
    assert post.work(after=SOON) == 0


def test_without_a_payload_the_call_has_no_body(door: Door, post: Post, inbox: Inbox, patients: list[str]) -> None:
    subscribe(door, post, asked_for("Observation", payload=False))
    door.post("Observation", heart_rate())
    post.work(after=SOON)
    assert [one.body for one in inbox.messages] == [b""]


def test_the_values_of_headers_are_never_shown_and_kept_at_rest_sealed(door: Door, post: Post, inbox: Inbox) -> None:
    fhir_id = subscribe(door, post, asked_for("Patient", headers=("Authorization: Bearer very-secret",)))
    for path in (f"Subscription/{fhir_id}", f"Subscription/{fhir_id}/_history", "Subscription", "_history"):
        assert b"very-secret" not in door.get(path).content
    assert "very-secret" not in Subscription.objects.get().headers
    door.put("Patient/p1", {"resourceType": "Patient", "id": "p1"})
    post.work(after=SOON)
    assert inbox.messages[0].headers["Authorization"] == "Bearer very-secret"


def test_a_masked_header_stays_what_it_was_but_only_for_the_same_receiver(door: Door, post: Post, inbox: Inbox) -> None:
    fhir_id = subscribe(door, post, asked_for("Patient", headers=("Authorization: Bearer very-secret",)))
    said = stands(door, fhir_id)
    assert door.put(f"Subscription/{fhir_id}", {**said, "reason": "another"}).status_code == 200
    post.work(after=timedelta(seconds=4))
    door.put("Patient/p1", {"resourceType": "Patient", "id": "p1"})
    post.work(after=SOON)
    assert inbox.messages[0].headers["Authorization"] == "Bearer very-secret"
    elsewhere = {**said, "channel": {**said["channel"], "endpoint": "https://elsewhere.example/hook"}}
    refused = door.put(f"Subscription/{fhir_id}", elsewhere)
    assert refused.status_code == 422 and b"again" in refused.content


def test_it_is_told_only_what_its_system_may_read(door: Door, post: Post, inbox: Inbox, patients: list[str]) -> None:
    narrow = Door(token_for("system/Subscription.cruds system/Observation.rs?category=laboratory", "narrow"))
    subscribe(narrow, post, asked_for("Observation"))
    door.post("Observation", heart_rate())
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    lab = {**heart_rate(minute=5), "category": [{"coding": [{"system": category, "code": "laboratory"}]}]}
    door.post("Observation", lab)
    post.work(after=SOON)
    assert [one.get("category") is not None for one in inbox.bodies] == [True]


def test_a_system_without_the_right_gets_an_error_and_says_why(door: Door, post: Post, inbox: Inbox) -> None:
    narrow = Door(token_for("system/Subscription.cruds", "narrow"))
    fhir_id = subscribe(narrow, post, asked_for("Observation"))
    said = stands(door, fhir_id)
    assert said["status"] == "error" and "do not allow reading Observation" in said["error"]


def test_a_revoked_system_hears_nothing_more(door: Door, post: Post, inbox: Inbox, patients: list[str]) -> None:
    fhir_id = subscribe(door, post, asked_for("Observation"))
    other = Door(token_for("system/*.cruds", "sender"))
    Connection.objects.filter(name="test system").update(revoked_at=post.now)
    other.post("Observation", heart_rate())
    post.work(after=SOON)
    assert inbox.messages == []
    assert content(other.get(f"Subscription/{fhir_id}"))["status"] == "active"  # nothing was owed to it
    Connection.objects.filter(name="test system").update(revoked_at=None)
    other.post("Observation", heart_rate(minute=1))
    deliveries.match_changes(judge=lambda changes, held: [Verdict((held[0].row_id,)) for _ in changes])
    Connection.objects.filter(name="test system").update(revoked_at=post.now)
    post.work(after=SOON)
    assert inbox.messages == []
    assert content(other.get(f"Subscription/{fhir_id}"))["status"] == "error"


def test_off_end_and_deletion_stop_it(door: Door, post: Post, inbox: Inbox, patients: list[str]) -> None:
    fhir_id = subscribe(door, post, asked_for("Observation"))
    door.put(f"Subscription/{fhir_id}", {**stands(door, fhir_id), "status": "off"})
    door.post("Observation", heart_rate())
    post.work(after=SOON)
    assert inbox.messages == [] and stands(door, fhir_id)["status"] == "off"
    ending = subscribe(door, post, asked_for("Observation", end=(post.now + timedelta(minutes=1)).isoformat()))
    post.work(after=timedelta(minutes=2))
    assert stands(door, ending)["status"] == "off"
    gone = subscribe(door, post, asked_for("Observation"))
    assert door.delete(f"Subscription/{gone}").status_code == 204
    assert not Subscription.objects.filter(fhir_id=gone).exists()
    door.post("Observation", heart_rate(minute=3))
    post.work(after=SOON)
    assert inbox.messages == []


def test_each_delivery_leaves_an_audit_row_that_says_whose_data_went_where(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    fhir_id = subscribe(door, post, asked_for("Observation"))
    door.post("Observation", heart_rate("p2"))
    post.work(after=SOON)
    row = AuditEvent.objects.get(action="notify")
    assert row.patient.fhir_id == "p2" and row.entity == f"Subscription/{fhir_id}"
    assert row.detail == {"events": [1], "to": "test system"}


def test_events_are_rows_of_a_version_and_hold_no_resource(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    subscribe(door, post, asked_for("Observation"))
    inbox.is_up = False
    door.post("Observation", heart_rate(value=123))
    post.work(after=SOON)
    row = SubscriptionEvent.objects.get()
    assert (row.status, row.attempts, row.type, row.version) == ("waiting", 1, "Observation", 1)
    assert not any("123" in str(value) for value in (row.cause, row.fhir_id))


def test_a_receiver_that_must_not_be_called_is_an_error_at_once(door: Door, post: Post, settings) -> None:
    made = content(door.post("Subscription", asked_for("Patient")))
    settings.SUBSCRIPTION_ALLOW_LOOPBACK = False
    post.work(after=timedelta(seconds=4))
    said = stands(door, made["id"])
    assert said["status"] == "error" and "may not be called" in said["error"]
    assert HANDSHAKE_TRIES > 1


def test_what_is_switched_off_while_it_is_being_sent_to_hears_no_more(
    door: Door, post: Post, inbox: Inbox, patients: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fhir_id = subscribe(door, post, asked_for("Observation"))
    for minute in range(3):
        door.post("Observation", heart_rate(minute=minute))
    mark = deliveries.arrived

    def then_off(*what: Any, **more: Any) -> bool:
        Subscription.objects.filter(fhir_id=fhir_id).update(status="off", changed_at=post.now)
        return mark(*what, **more)

    monkeypatch.setattr(delivery.deliveries, "arrived", then_off)
    post.work(after=SOON)
    assert len(inbox.messages) == 1


def test_a_change_that_cannot_be_judged_stands_in_the_dead_letters_and_stops_no_other(
    door: Door, post: Post, inbox: Inbox, patients: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(door, post, asked_for("Observation"))
    door.post("Observation", heart_rate(minute=1))
    door.post("Observation", heart_rate(minute=2))
    looked_up = matching.version_of
    broken = ChangeEvent.objects.order_by("id").first().fhir_id

    def sometimes(type_name: str, fhir_id: str, version: int) -> object:
        if fhir_id == broken:
            raise RuntimeError
        return looked_up(type_name, fhir_id, version)

    monkeypatch.setattr(matching, "version_of", sometimes)
    post.work(after=SOON)
    assert len(inbox.messages) == 1
    assert list(SubscriptionEvent.objects.order_by("number").values_list("status", flat=True)) == ["dead", "sent"]


def test_what_a_patient_withdrew_from_care_is_told_to_nobody(
    door: Door, post: Post, inbox: Inbox, patients: list[str]
) -> None:
    subscribe(door, post, asked_for("Observation"))
    door.post("Observation", heart_rate("p1", minute=1))
    deliveries.match_changes(judge=matching.judge_at(post.now))  # to be sent already, when it is withdrawn
    person = Patient.objects.get(fhir_id="p1")
    choices = {("care", "vitals"): False}
    decide(patient_id=person.pk, choices=choices, said_by="the patient", actor=Actor.system("t"), now=timezone.now())
    door.post("Observation", heart_rate("p1", minute=2))
    door.post("Observation", heart_rate("p2", minute=3))
    post.work(after=SOON)
    assert [one["subject"]["reference"] for one in inbox.bodies] == ["Patient/p2"]
    assert list(SubscriptionEvent.objects.order_by("number").values_list("status", flat=True)) == ["dead", "sent"]


def test_a_subscription_is_its_systems_alone_to_change(door: Door, post: Post, inbox: Inbox) -> None:
    fhir_id = subscribe(door, post, asked_for("Patient", headers=("Authorization: Bearer very-secret",)))
    said = stands(door, fhir_id)
    other = Door(token_for("system/*.cruds", "another system"))
    assert other.put(f"Subscription/{fhir_id}", said).status_code == 403
    patch = [{"op": "replace", "path": "/channel/endpoint", "value": "https://elsewhere.example/"}]
    changed = other.send("PATCH", f"Subscription/{fhir_id}", patch, "application/json-patch+json")
    assert changed.status_code == 403
    assert other.delete(f"Subscription/{fhir_id}").status_code == 403
    assert stands(door, fhir_id) == said
    Connection.objects.filter(name="test system").update(revoked_at=timezone.now())
    assert (
        other.put(f"Subscription/{fhir_id}", {**said, "channel": {**said["channel"], "header": []}}).status_code != 403
    )
    assert other.delete(f"Subscription/{fhir_id}").status_code == 204
