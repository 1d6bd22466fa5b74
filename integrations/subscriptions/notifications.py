"""What is sent to a subscriber. Pure.

By criteria: the resource, or nothing but the call. By topic: a Bundle of the guide subscriptions-backport 1.1 for R4,
whose first entry is the status of the subscription as Parameters.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from integrations.fhir.renderers import CONTENT_TYPE, text_of, with_entries
from integrations.fhir.shelves import Entry
from integrations.subscriptions.topics import BACKPORT
from recovery.selectors.deliveries import Receiver, Told
from recovery.services.documents import instant

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One call to a receiver, and the event numbers that its answer acknowledges."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    numbers: tuple[int, ...] = ()
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An event with what it is about; `entry` None where the content holds no resource."""

    told: Told
    entry: Entry | None


def of_event(receiver: Receiver, event: Event, headers: Mapping[str, str]) -> Message:
    """By criteria (R4 subscription.html): a POST to the endpoint, with the resource where a payload was asked for.

    The key is the same whenever the event is sent again.
    """
    said = {**headers, "Idempotency-Key": f"{receiver.fhir_id}-{event.told.number}"}
    body = b""
    if receiver.payload and event.entry is not None:
        said["Content-Type"] = CONTENT_TYPE
        body = event.entry.text.encode()
    return Message(receiver.endpoint, said, body, (event.told.number,), receiver.timeout_s)


def of_topic(
    receiver: Receiver, kind: str, events: Sequence[Event], headers: Mapping[str, str], now: datetime
) -> Message:
    """`kind`: handshake, heartbeat or event-notification."""
    numbers = tuple(one.told.number for one in events)
    body = bundle(receiver, kind, events, now, max(numbers, default=receiver.numbered))
    return Message(
        receiver.endpoint, {**headers, "Content-Type": CONTENT_TYPE}, body.encode(), numbers, receiver.timeout_s
    )


def bundle(
    receiver: Receiver, kind: str, events: Sequence[Event], now: datetime, since_start: int, content: str = ""
) -> str:
    """The text of a notification Bundle. `content` in place of the subscription's own."""
    content = content or receiver.content
    status = status_of(receiver, kind, events, since_start, with_focus=content != "empty")
    head = {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {"profile": [f"{BACKPORT}backport-subscription-notification-r4"]},
        "type": "history",
        "timestamp": instant(now),
    }
    url = f"{receiver.base}/Subscription/{receiver.fhir_id}/$status"
    first = {
        "fullUrl": f"urn:uuid:{status['id']}",
        "resource": status,
        "request": {"method": "GET", "url": url},
        "response": {"status": "200"},
    }
    entries = [] if content == "empty" else [_entry(receiver, one, content) for one in _latest(events)]
    return with_entries(head, [text_of(first), *entries])


def _latest(events: Sequence[Event]) -> Iterable[Event]:
    """Each version of a resource once: a Bundle holds no entry twice (bdl-7)."""
    return {(one.told.type, one.told.fhir_id, one.told.version): one for one in events}.values()


def _entry(receiver: Receiver, event: Event, content: str) -> str:
    told = event.told
    is_new = told.version == 1
    said = {
        "fullUrl": f"{receiver.base}/{told.type}/{told.fhir_id}",
        "request": {"method": "POST" if is_new else "PUT", "url": told.type if is_new else _focus(told)},
        "response": {"status": "201" if is_new else "200"},
    }
    resource = f',"resource":{event.entry.text}' if content == "full-resource" and event.entry is not None else ""
    return f"{text_of(said)[:-1]}{resource}}}"


def _focus(told: Told) -> str:
    return f"{told.type}/{told.fhir_id}"


def status_of(
    receiver: Receiver, kind: str, events: Sequence[Event], since_start: int, *, with_focus: bool = True
) -> Json:
    """The Parameters resource that tells how a subscription stands, with the events of a notification."""
    said: list[Json] = [
        {
            "name": "subscription",
            "valueReference": {"reference": f"{receiver.base}/Subscription/{receiver.fhir_id}"},
        },
        *([{"name": "topic", "valueCanonical": receiver.topic}] if receiver.topic else []),
        {"name": "status", "valueCode": receiver.status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(since_start)},
        *[_event(receiver, one, with_focus=with_focus) for one in events],
    ]
    if receiver.error:
        said.append({"name": "error", "valueCodeableConcept": {"text": receiver.error}})
    return {
        "resourceType": "Parameters",
        "id": str(uuid4()),
        "meta": {"profile": [f"{BACKPORT}backport-subscription-status-r4"]},
        "parameter": said,
    }


def _event(receiver: Receiver, event: Event, *, with_focus: bool) -> Json:
    told = event.told
    parts: list[Json] = [
        {"name": "event-number", "valueString": str(told.number)},
        {"name": "timestamp", "valueInstant": instant(told.at)},
    ]
    if with_focus:
        parts.append({"name": "focus", "valueReference": {"reference": f"{receiver.base}/{_focus(told)}"}})
    return {"name": "notification-event", "part": parts}


def searchset(statuses: Sequence[Json], url: str) -> str:
    """The answer to $status: a searchset of Parameters."""
    head = {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "type": "searchset",
        "total": len(statuses),
        "link": [{"relation": "self", "url": url}],
    }
    return with_entries(
        head,
        [
            f'{{"fullUrl":{json.dumps("urn:uuid:" + one["id"])},"resource":{text_of(one)},"search":{{"mode":"match"}}}}'
            for one in statuses
        ],
    )
