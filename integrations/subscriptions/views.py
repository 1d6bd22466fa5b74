"""The operations of a Subscription: how it stands ($status), and what it was told ($events)."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse

from integrations.fhir import shelves
from integrations.fhir.call import Call, open_call
from integrations.fhir.operations.views import pairs_of
from integrations.fhir.outcomes import refused
from integrations.fhir.routes import ROUTES
from integrations.fhir.views import answer
from integrations.subscriptions import notifications
from integrations.subscriptions.matching import version_of
from integrations.subscriptions.notifications import Event
from recovery.selectors import deliveries
from recovery.selectors.deliveries import Receiver, Told

MOST_EVENTS = 200
_CONTENTS = ("empty", "id-only", "full-resource")


def run_status(request: HttpRequest, fhir_id: str = "") -> HttpResponse:
    """Of one subscription, or of those named by `id` and `status`."""
    call = open_call(request)
    call.check("Subscription", "read")
    pairs = pairs_of(request)
    found = [_one(call, fhir_id)] if fhir_id else _asked(call, pairs)
    call.note("status", f"Subscription/{fhir_id}".rstrip("/"))
    said = [notifications.status_of(one, "query-status", (), one.numbered) for one in found]
    return answer(200, notifications.searchset(said, request.build_absolute_uri()))


def _asked(call: Call, pairs: Sequence[tuple[str, str]]) -> list[Receiver]:
    ids = {one for name, value in pairs if name == "id" for one in value.split(",")}
    statuses = [one for name, value in pairs if name == "status" for one in value.split(",")]
    found = deliveries.receivers(statuses=statuses)
    return [one for one in found if (not ids or one.fhir_id in ids) and _is_open(call, one.fhir_id)]


def _is_open(call: Call, fhir_id: str) -> bool:
    route = ROUTES["Subscription"]
    entry = shelves.find(route, fhir_id)
    return entry is not None and shelves.is_open(route, entry, call.reach, "read")


def run_events(request: HttpRequest, fhir_id: str) -> HttpResponse:
    """Events by number, whatever became of them: how a subscriber fills a gap that it has noticed."""
    call = open_call(request)
    call.check("Subscription", "read")
    said = dict(pairs_of(request))
    since = _number(said, "eventsSinceNumber") or 1
    until, content = _number(said, "eventsUntilNumber"), said.get("content", "id-only")
    if content not in _CONTENTS:
        raise refused(400, "invalid", f"content is one of {', '.join(_CONTENTS)}.", "content")
    receiver = _one(call, fhir_id)
    told = deliveries.events_of(fhir_id, since=since, until=until, limit=MOST_EVENTS)
    events = [one for one in (_event(call, each, content) for each in told) if one is not None]
    patients = {one.patient_id for one in told if one.patient_id is not None}
    call.note("events", f"Subscription/{fhir_id}", patients)
    return answer(
        200, notifications.bundle(receiver, "query-event", events, call.place.now, receiver.numbered, content)
    )


def _event(call: Call, told: Told, content: str) -> Event | None:
    """Only what the caller may read by itself; with its content where that is asked for."""
    entry = version_of(told.type, told.fhir_id, told.version)
    if entry is None or not shelves.is_open(ROUTES[told.type], entry, call.reach, "read"):
        return None
    return Event(told, entry if content == "full-resource" else None)


def _one(call: Call, fhir_id: str) -> Receiver:
    shelves.read(ROUTES["Subscription"], fhir_id, call.reach)
    found = deliveries.receiver(fhir_id)
    if found is None:
        raise refused(404, "not-found", f"Subscription/{fhir_id} is not in service.")
    return found


def _number(said: dict[str, str], name: str) -> int | None:
    text = said.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise refused(400, "invalid", f"{name} is a whole number.", name)
    return int(text)
