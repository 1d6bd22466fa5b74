"""A subscriber whose receiver is a list, a clock that is moved by hand, and the door that others write to."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.fhir import wire
from integrations.subscriptions import delivery
from integrations.subscriptions.notifications import Message
from recovery.egress import CallFailed
from recovery.services import outbox
from tests.integration.integrations.fhir.conftest import Door, content, token_for

ENDPOINT = "http://127.0.0.1:9/hook"
LOINC, HEART_RATE = "http://loinc.org", "8867-4"
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"


class Inbox:
    """The receiver's side: what arrived, and whether it is up. `answer`: what it says while it is not."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.is_up = True
        self.answer = "No connection (ConnectionRefusedError)."

    def __call__(self, message: Message) -> None:
        if not self.is_up:
            raise CallFailed(self.answer)
        self.messages.append(message)

    @property
    def bodies(self) -> list[Any]:
        return [wire.parse(one.body) if one.body else None for one in self.messages]

    def clear(self) -> None:
        self.messages.clear()


class Post:
    """The worker, as often as the test wants: at the time that the test says."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox, self.now = inbox, timezone.now()

    def clock(self) -> datetime:
        return self.now

    def work(self, after: timedelta = timedelta(0)) -> int:
        self.now += after
        return delivery.deliver_owed(clock=self.clock, send=self.inbox, chance=random.Random(1))


@pytest.fixture(autouse=True)
def memory_of_this_test(settings: Any) -> None:
    settings.SUBSCRIPTION_ALLOW_LOOPBACK = True
    outbox.forget()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def post(inbox: Inbox, db: None) -> Post:
    return Post(inbox)


@pytest.fixture
def door(db: None) -> Door:
    return Door(token_for("system/*.cruds"))


@pytest.fixture
def patients(door: Door) -> list[str]:
    for name in ("p1", "p2"):
        assert door.put(f"Patient/{name}", {"resourceType": "Patient", "id": name}).status_code == 201
    return ["p1", "p2"]


def asked_for(criteria: str, *, payload: bool = True, headers: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    channel: dict[str, Any] = {"type": "rest-hook", "endpoint": ENDPOINT}
    if payload:
        channel["payload"] = "application/fhir+json"
    if headers:
        channel["header"] = list(headers)
    said = {"resourceType": "Subscription", "status": "requested", "reason": "test", "criteria": criteria}
    return {**said, "channel": channel, **more}


def subscribe(door: Door, post: Post, body: dict[str, Any]) -> str:
    """Ask for it and let it be activated; returns its id."""
    made = door.post("Subscription", body)
    assert made.status_code == 201, made.content
    post.now = timezone.now()
    post.work(after=timedelta(seconds=4))
    return str(content(made)["id"])


def heart_rate(patient: str = "p1", value: int = 72, minute: int = 0, code: str = HEART_RATE) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"2026-05-04T09:{minute:02d}:00Z",
        "valueQuantity": {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    }
